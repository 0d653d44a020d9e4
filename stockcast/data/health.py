"""What looks odd in a price file that can be read: days, jumps and repeats that no exchange is likely to have printed.

Nothing here changes a price. What `prices.notes` already tell is not told again.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np

from stockcast.data.calendar import judged_days, sessions_between
from stockcast.data.csvfile import counted
from stockcast.data.prices import Prices
from stockcast.forecast import Dates, Days, Floats

DAYS_SHOWN = 10

SPLITS = {"3:2": 1.5, **{f"{shares}:1": float(shares) for shares in (2, 3, 4, 5, 7, 8, 10, 15, 20)}}
"""Usual splits by what they divide a price by; 4:3 and less are lost among ordinary moves."""

_LEAST_JUMP = np.log(1.3)
# How near a jump must be to a split's ratio (log), and how many times the usual day's move it must be. Profit warnings
# take a third off a price now and then, among other large moves; three quarters go in a day hardly ever.
_FIT, _TIMES_USUAL = 0.02, 20
_WIDE_FIT, _WIDE_TIMES_USUAL = 0.08, 10  # for 4:1 and more
_AROUND, _AFTERMATH = 60, 10  # days around a jump, and after it, whose median move is the usual one
_LONGEST_WAIT = 10  # days from a price to the next; over a longer gap a price may have doubled
_PENCE = np.log(100)
_PENCE_FIT = 0.25  # log: the day's own move comes on top, and pounds are often quoted with two decimals only
_STALE = 5  # equal days
_STALE_CLOSES = 10  # equal closes that are stale whatever the stock: prices in eighths of a dollar repeat by chance
_CHANCE = 0.01  # of one stale run in a file that has none


@dataclass(frozen=True)
class Finding:
    """One thing that looks odd.

    Attributes:
        kind: sessions_missing, no_session, split_like, pence_block, stale, constant or missing.
        count: of days; of runs for stale, of blocks for pence_block.
        days: the first of them, oldest first, at most `DAYS_SHOWN`; the first day of each run or block.
        sentence: what was found, with count and dates, without a full stop.
    """

    kind: str
    count: int
    days: tuple[date, ...]
    sentence: str


@dataclass(frozen=True)
class Health:
    """What a file of prices holds and what looks odd in it.

    Attributes:
        rows: days.
        first: day.
        last: day.
        findings: what looks odd; empty for a file in order.
        unjudged: which days the exchange's calendar does not know, as a sentence without a full stop; None if none.
    """

    rows: int
    first: date
    last: date
    findings: tuple[Finding, ...]
    unjudged: str | None = None


def examine(prices: Prices, *, calendar: str) -> Health:
    """Judge prices as they are used (adjusted, where they were adjusted) and their days by the exchange's calendar.

    Args:
        prices: one series.
        calendar: name of the exchange, as exchange_calendars has it.

    Raises:
        DataError: the exchange is unknown.
    """
    first, last = prices.dates[0], prices.dates[-1]
    known = judged_days(first, last, calendar=calendar)
    closes = prices.column("Close")
    findings = [
        *_days_off_calendar(prices.dates, known, calendar),
        *_split_like(prices, closes),
        *_pence_blocks(prices.dates, closes),
        *_repeats(prices, closes),
        *_missing_cells(prices),
    ]
    return Health(
        rows=len(prices.dates),
        first=first.astype(object),
        last=last.astype(object),
        findings=tuple(findings),
        unjudged=_unjudged(first, last, known, calendar),
    )


def listed(items: Iterable[object]) -> str:
    """Name the first ten, and say how many more there are."""
    words = [str(item) for item in items]
    more = len(words) - DAYS_SHOWN
    return ", ".join(words[:DAYS_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _finding(kind: str, days: Dates, sentence: str) -> Finding:
    return Finding(kind, len(days), tuple(day.astype(object) for day in days[:DAYS_SHOWN]), sentence)


def _unjudged(first: np.datetime64, last: np.datetime64, known: Dates | None, calendar: str) -> str | None:
    spans = [f"from {first} to {last}"]
    if known is not None:
        spans = [f"before {known[0]}"] * bool(first < known[0]) + [f"after {known[1]}"] * bool(last > known[1])
    return f"sessions {' and '.join(spans)}, which the calendar of {calendar} does not know for sure" if spans else None


def _days_off_calendar(dates: Dates, known: Dates | None, calendar: str) -> list[Finding]:
    """Sessions without a row, and rows on days that were none."""
    if known is None:
        return []
    sessions = sessions_between(known[0], known[1], calendar=calendar)
    judged = dates[(dates >= known[0]) & (dates <= known[1])]
    missing, strangers = np.setdiff1d(sessions, judged), np.setdiff1d(judged, sessions)
    findings = []
    if len(missing):
        doubt = _doubt(len(missing) > len(sessions) / 20)
        verb = "is" if len(missing) == 1 else "are"
        sentence = f"{counted(len(missing), 'session')} of {calendar} {verb} missing: {listed(missing)}{doubt}"
        findings.append(_finding("sessions_missing", missing, sentence))
    if len(strangers):
        doubt = _doubt(len(strangers) > len(judged) / 20)
        verb = "was" if len(strangers) == 1 else "were"
        sentence = f"{counted(len(strangers), 'day')} {verb} no session of {calendar}: {listed(strangers)}{doubt}"
        findings.append(_finding("no_session", strangers, sentence))
    return findings


def _doubt(many: bool) -> str:
    return "; are these daily bars of that exchange (data.calendar)?" if many else ""


def _split_like(prices: Prices, closes: Floats) -> list[Finding]:
    """Jumps by the ratio of a split, on a day of ordinary trade, with the whole bar on the new level."""
    dates, moves = prices.dates, np.diff(np.log(closes))
    rest = [prices.column(name) for name in ("Open", "High", "Low") if name in prices.bars.columns]
    opened = prices.column("Open") if "Open" in prices.bars.columns else closes
    found: list[tuple[int, str]] = []
    for day in (int(index) + 1 for index in np.flatnonzero(np.abs(moves) >= _LEAST_JUMP)):
        move, before = moves[day - 1], closes[day - 1]
        if dates[day] - dates[day - 1] > np.timedelta64(_LONGEST_WAIT, "D"):
            continue
        # A crash of the day itself leaves its open, or its high, near the price of the day before.
        bar = np.array([values[day] for values in rest])
        ways = np.log(bar[~np.isnan(bar)] / before) / move
        if (ways < 0.5).any():
            continue
        times_usual = abs(move) / _usual_move(moves, day)
        ratio = _split_ratio([np.log(before / level) for level in (closes[day], opened[day])], times_usual)
        if ratio:
            found.append((day, ratio))
    if not found:
        return []
    named = listed(f"{dates[day]} ({ratio})" for day, ratio in found)
    what = "jump looks like a split" if len(found) == 1 else "jumps look like splits"
    sentence = f"{len(found)} {what} that the prices are not adjusted for: {named}"
    return [_finding("split_like", dates[[day for day, _ in found]], sentence)]


def _usual_move(moves: Floats, day: int) -> float:
    """Median absolute log return around a jump, or after it if that is more: a crash has an aftermath, a split none."""
    before, after = np.abs(moves[max(0, day - 1 - _AROUND) : day - 1]), np.abs(moves[day : day + _AROUND])
    medians = [float(np.median(part)) for part in (np.concatenate([before, after]), after[:_AFTERMATH]) if len(part)]
    return max([*medians, 1e-6])  # prices that stand still otherwise have no usual move


def _split_ratio(falls: list[float], times_usual: float) -> str | None:
    """The split whose ratio one of these log falls has, `4:1`, or of a reverse split, `1:4`; NaN fits none."""
    for fall in falls:
        for name, ratio in SPLITS.items():
            fit, least = (_WIDE_FIT, _WIDE_TIMES_USUAL) if ratio >= 4 else (_FIT, _TIMES_USUAL)
            if abs(abs(fall) - np.log(ratio)) <= fit and times_usual >= least:
                return name if fall > 0 else ":".join(reversed(name.split(":")))
    return None


def _pence_blocks(dates: Dates, closes: Floats) -> list[Finding]:
    """Days between a jump by about 100 and the jump back; the last jump may have none."""
    moves = np.diff(np.log(closes))
    jumps = np.flatnonzero(np.abs(np.abs(moves) - _PENCE) <= _PENCE_FIT)
    starts, spans = [], []
    while len(jumps):
        start, way = int(jumps[0]) + 1, moves[jumps[0]]
        back = jumps[moves[jumps] * way < 0]
        end = f"to {dates[back[0]]}" if len(back) else "on"
        starts.append(start)
        spans.append(f"from {dates[start]} {end}, {'100 times' if way > 0 else 'a hundredth of'} the days before")
        jumps = jumps[jumps > back[0]] if len(back) else back
    if not starts:
        return []
    noun = counted(len(starts), "block")
    sentence = f"{noun} of prices in another unit, such as pence for pounds: {listed(spans)}"
    return [_finding("pence_block", dates[starts], sentence)]


def _repeats(prices: Prices, closes: Floats) -> list[Finding]:
    """Closes that never change, or runs of days that repeat each other."""
    dates, quoted = prices.dates, prices.quoted
    if len(quoted) > 1 and (quoted == quoted[0]).all():
        return [_finding("constant", dates, f"every close is {quoted[0]:g}, from {dates[0]} to {dates[-1]}")]
    factor = quoted / closes  # adjustment differs from day to day, what the exchange printed does not
    others = [prices.column(name) * factor for name in ("Open", "High", "Low") if name in prices.bars.columns]
    same = quoted[1:] == quoted[:-1]
    unchanged = same.copy()
    for values in others:
        same = same & (np.isclose(values[1:], values[:-1], rtol=1e-9, atol=0, equal_nan=True))
    borders = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
    runs = [(int(start), int(end - start) + 1) for start, end in zip(borders[::2], borders[1::2], strict=True)]
    runs = [(start, length) for start, length in runs if length >= _STALE]
    if not others:
        runs = [(start, length) for start, length in runs if length >= _least_run(unchanged, start, length)]
    if not runs:
        return []
    named = listed(f"{dates[start]} ({length} days)" for start, length in runs)
    sentence = f"{counted(len(runs), 'run')} of {_STALE} or more days with the same prices: from {named}"
    return [_finding("stale", dates[[start for start, _ in runs]], sentence)]


def _least_run(unchanged: Days, start: int, length: int) -> float:
    """Equal closes in a row that are not chance, by how many closes of the year around the run are unchanged."""
    around = np.concatenate([unchanged[max(0, start - 125) : start], unchanged[start + length - 1 :][:125]])
    share = np.clip((around.sum() + 1) / (len(around) + 2), 1e-3, 0.9)
    return min(1 + float(np.log(_CHANCE / (len(unchanged) + 1)) / np.log(share)), _STALE_CLOSES)


def _missing_cells(prices: Prices) -> list[Finding]:
    """Columns with empty cells beyond those that were said to be mended."""
    findings = []
    for name in ("Open", "High", "Low", "Volume"):
        if name in prices.bars.columns:
            empty = np.isnan(prices.column(name))
            said = [re.search(r"\d[\d,]*", note) for note in prices.notes if name in note]
            if empty.sum() > sum(int(number[0].replace(",", "")) for number in said if number):
                days = prices.dates[empty]
                which = f"{name} is missing on {counted(len(days), 'day')}"
                sentence = f"{name} is missing on every day" if empty.all() else f"{which}: {listed(days)}"
                findings.append(_finding("missing", days, sentence))
    return findings
