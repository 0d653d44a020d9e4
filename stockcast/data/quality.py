"""What is suspicious in prices that can be read: dates, jumps and repeats that no exchange is likely to have printed.

Nothing here changes a price, or repeats what is in `prices.notes`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from stockcast.data.calendar import DateComparison, compare_dates
from stockcast.data.prices import Prices
from stockcast.text import plural
from stockcast.typing import Dates, Floats

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
    """Something suspicious.

    Attributes:
        kind: sessions_missing, no_session, split_like, pence_block, stale, constant or missing.
        count: of days; of runs for stale, of blocks for pence_block.
        days: the first of them, oldest first, at most `DAYS_SHOWN`; the first day of each run or block.
        sentence: with count and dates, without a full stop.
    """

    kind: str
    count: int
    days: tuple[date, ...]
    sentence: str


@dataclass(frozen=True)
class QualityReport:
    """What prices hold, what is suspicious in them, and which dates the exchange's calendar does not cover."""

    rows: int
    first: date
    last: date
    findings: tuple[Finding, ...]
    unjudged: str | None = None


def check_quality(prices: Prices, *, calendar: str) -> QualityReport:
    """Judge prices as they are used (adjusted, where they were adjusted) and their dates by the exchange's calendar."""
    first, last = prices.dates[0], prices.dates[-1]
    compared = compare_dates(prices.dates, calendar=calendar)
    closes = prices.column("Close")
    findings = [
        *(_dates_off_calendar(compared, calendar) if compared else ()),
        *_split_like(prices, closes),
        *_pence_blocks(prices.dates, closes),
        *_repeats(prices, closes),
        *_missing_cells(prices),
    ]
    return QualityReport(
        rows=len(prices.dates),
        first=first.astype(object),
        last=last.astype(object),
        findings=tuple(findings),
        unjudged=_unjudged(first, last, compared, calendar),
    )


def _first_ten(items: Iterable[object]) -> str:
    words = [str(item) for item in items]
    more = len(words) - DAYS_SHOWN
    return ", ".join(words[:DAYS_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _finding(kind: str, days: Dates, sentence: str) -> Finding:
    return Finding(kind, len(days), tuple(day.astype(object) for day in days[:DAYS_SHOWN]), sentence)


def _unjudged(first: np.datetime64, last: np.datetime64, compared: DateComparison | None, calendar: str) -> str | None:
    spans = [f"from {first} to {last}"]
    if compared is not None:
        spans = [f"before {compared.first}"] * bool(first < compared.first)
        spans += [f"after {compared.last}"] * bool(last > compared.last)
    return f"dates {' and '.join(spans)}, which the calendar of {calendar} does not cover reliably" if spans else None


def _dates_off_calendar(compared: DateComparison, calendar: str) -> Iterator[Finding]:
    """Sessions without a row, and rows on dates that are not sessions."""
    doubt = "; check data.calendar, and that these are daily bars"
    if count := len(compared.missing):
        what = f"{plural(count, 'session')} of {calendar} {'is' if count == 1 else 'are'} missing"
        sentence = f"{what}: {_first_ten(compared.missing)}{doubt * compared.many_missing}"
        yield _finding("sessions_missing", compared.missing, sentence)
    if count := len(compared.extra):
        sessions = f"is not a trading session of {calendar}" if count == 1 else f"are not {calendar} trading sessions"
        sentence = f"{plural(count, 'date')} {sessions}: {_first_ten(compared.extra)}{doubt * compared.many_extra}"
        yield _finding("no_session", compared.extra, sentence)


def _split_like(prices: Prices, closes: Floats) -> Iterator[Finding]:
    """Jumps by the ratio of a split, on a day of ordinary trade, with the whole bar on the new level."""
    dates, moves = prices.dates, np.diff(np.log(closes))
    rest = [prices.column(name) for name in ("Open", "High", "Low") if name in prices.bars.columns]
    opened = prices.column("Open") if "Open" in prices.bars.columns else closes
    splits: dict[int, str] = {}
    for day in (int(index) + 1 for index in np.flatnonzero(np.abs(moves) >= _LEAST_JUMP)):
        move, before = moves[day - 1], closes[day - 1]
        if dates[day] - dates[day - 1] > np.timedelta64(_LONGEST_WAIT, "D"):
            continue
        # A crash of the day itself leaves its open, or its high, near the price of the day before.
        bar = np.array([values[day] for values in rest])
        shares = np.log(bar[~np.isnan(bar)] / before) / move
        if (shares < 0.5).any():
            continue
        times_usual = abs(move) / _usual_move(moves, day)
        ratio = _split_ratio([np.log(before / level) for level in (closes[day], opened[day])], times_usual)
        if ratio:
            splits[day] = ratio
    if splits:
        listed = _first_ten(f"{dates[day]} ({ratio})" for day, ratio in splits.items())
        jumps = "jump looks like a split" if len(splits) == 1 else "jumps look like splits"
        sentence = f"{len(splits)} {jumps} that the prices are not adjusted for: {listed}"
        yield _finding("split_like", dates[list(splits)], sentence)


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


def _pence_blocks(dates: Dates, closes: Floats) -> Iterator[Finding]:
    """Days between a jump by about 100 and the jump back; the last jump may have none."""
    moves = np.diff(np.log(closes))
    jumps = np.flatnonzero(np.abs(np.abs(moves) - _PENCE) <= _PENCE_FIT)
    blocks: dict[int, str] = {}
    while len(jumps):
        start, way = int(jumps[0]) + 1, moves[jumps[0]]
        back = jumps[moves[jumps] * way < 0]
        end = f"to {dates[back[0]]}" if len(back) else "on"
        blocks[start] = f"from {dates[start]} {end}, {'100 times' if way > 0 else 'a hundredth of'} the price before"
        jumps = jumps[jumps > back[0]] if len(back) else back
    if blocks:
        noun = plural(len(blocks), "block")
        sentence = f"{noun} of prices in another unit, such as pence for pounds: {_first_ten(blocks.values())}"
        yield _finding("pence_block", dates[list(blocks)], sentence)


def _repeats(prices: Prices, closes: Floats) -> Iterator[Finding]:
    """Closes that never change, or runs of days that repeat each other."""
    dates, quoted = prices.dates, prices.quoted
    if len(quoted) > 1 and (quoted == quoted[0]).all():
        yield _finding("constant", dates, f"every close is {quoted[0]:g}, from {dates[0]} to {dates[-1]}")
        return
    factor = quoted / closes  # adjustment differs from day to day, what the exchange printed does not
    others = [prices.column(name) * factor for name in ("Open", "High", "Low") if name in prices.bars.columns]
    unchanged = quoted[1:] == quoted[:-1]
    same = unchanged.copy()
    for values in others:
        same &= np.isclose(values[1:], values[:-1], rtol=1e-9, atol=0, equal_nan=True)
    borders = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
    runs = {int(start): int(end - start) + 1 for start, end in zip(borders[::2], borders[1::2], strict=True)}
    stale = {
        start: length
        for start, length in runs.items()
        if length >= (_STALE if others else max(_STALE, _least_run(unchanged, start, length)))
    }
    if stale:
        listed = _first_ten(f"{dates[start]} ({length} days)" for start, length in stale.items())
        sentence = f"{plural(len(stale), 'run')} of {_STALE} or more days with the same prices: from {listed}"
        yield _finding("stale", dates[list(stale)], sentence)


def _least_run(unchanged: npt.NDArray[np.bool_], start: int, length: int) -> float:
    """Equal closes in a row that are not chance, by how many closes of the year around the run are unchanged."""
    around = np.concatenate([unchanged[max(0, start - 125) : start], unchanged[start + length - 1 :][:125]])
    share = np.clip((around.sum() + 1) / (len(around) + 2), 1e-3, 0.9)
    return min(1 + float(np.log(_CHANCE / (len(unchanged) + 1)) / np.log(share)), _STALE_CLOSES)


def _missing_cells(prices: Prices) -> Iterator[Finding]:
    """Columns with empty cells beyond those that `prices.notes` count as missing."""
    for name in ("Open", "High", "Low", "Volume"):
        if name in prices.bars.columns:
            empty = np.isnan(prices.column(name))
            repaired = [note for note in prices.notes if name in note and note.endswith("counted as missing")]
            if empty.sum() > sum(int(note.split()[0]) for note in repaired):
                days = prices.dates[empty]
                which = "every day" if empty.all() else f"{plural(len(days), 'day')}: {_first_ten(days)}"
                yield _finding("missing", days, f"{name} is missing on {which}")
