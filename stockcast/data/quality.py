"""What is suspicious in prices that can be read: dates, jumps and repeats that no exchange is likely to have printed.

Nothing here changes a price, or repeats what is in `prices.notes`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
import numpy.typing as npt

from stockcast.data.calendar import DateComparison, compare_dates, session_close
from stockcast.data.findings import Finding, first_ten, make_finding
from stockcast.data.jumps import find_jumps
from stockcast.data.prices import Prices
from stockcast.frequency import DAILY, Frequency
from stockcast.text import plural
from stockcast.typing import Floats

_STALE = 5  # equal days
_STALE_CLOSES = 10  # equal closes that are stale whatever the stock: prices in eighths of a dollar repeat by chance
_CHANCE = 0.01  # of one stale run in a file that has none


@dataclass(frozen=True)
class QualityReport:
    """What prices hold, what is suspicious in them, and which dates the exchange's calendar does not cover."""

    rows: int
    first: date
    last: date
    findings: tuple[Finding, ...]
    unjudged: str | None = None
    frequency: Frequency = DAILY


def check_quality(prices: Prices, *, calendar: str, now: datetime | None = None) -> QualityReport:
    """Judge prices as they are used (adjusted, where they were adjusted) and their dates by the exchange's calendar.

    `now`, with a time zone, tells whether the last day's session is still open; None for the clock's.
    """
    first, last = prices.dates[0], prices.dates[-1]
    compared = compare_dates(prices.dates, calendar=calendar, frequency=prices.frequency)
    closes = prices.column("Close")
    findings = [
        *(_dates_off_calendar(compared, calendar, prices.frequency) if compared else ()),
        *_open_session(last, calendar, now or datetime.now(UTC)),
        *find_jumps(prices),
        *_repeats(prices, closes),
        *_missing_cells(prices),
    ]
    return QualityReport(
        rows=len(prices.dates),
        first=first.astype(object),
        last=last.astype(object),
        findings=tuple(findings),
        unjudged=_unjudged(first, last, compared, calendar),
        frequency=prices.frequency,
    )


def _unjudged(first: np.datetime64, last: np.datetime64, compared: DateComparison | None, calendar: str) -> str | None:
    spans = [f"from {first} to {last}"]
    if compared is not None:
        spans = [f"before {compared.first}"] * bool(first < compared.first)
        spans += [f"after {compared.last}"] * bool(last > compared.last)
    return f"dates {' and '.join(spans)}, which the calendar of {calendar} does not cover reliably" if spans else None


def _dates_off_calendar(compared: DateComparison, calendar: str, frequency: Frequency) -> Iterator[Finding]:
    """Sessions without a row, and rows on dates that are not sessions; of weeks or months, their last sessions."""
    doubt = f"; check data.calendar, and that these are {frequency.name} bars"
    if count := len(compared.missing):
        what = f"{plural(count, frequency.session)} of {calendar} {'is' if count == 1 else 'are'} missing"
        sentence = f"{what}: {first_ten(compared.missing)}{doubt * compared.many_missing}"
        yield make_finding("sessions_missing", compared.missing, sentence)
    if count := len(compared.extra):
        what = f"{plural(count, 'date')} {'is' if count == 1 else 'are'} not {frequency.named(calendar, count)}"
        sentence = f"{what}: {first_ten(compared.extra)}{doubt * compared.many_extra}"
        yield make_finding("no_session", compared.extra, sentence)


def _open_session(last: np.datetime64, calendar: str, now: datetime) -> Iterator[Finding]:
    """The last day, if its session has not closed: the vendor's close is a price of the day until then."""
    if abs(np.datetime64(now.astimezone(UTC).date()) - last) > np.timedelta64(1, "D"):
        return
    closes = session_close(last, calendar=calendar)
    if closes is not None and now < closes:
        sentence = (
            f"the session of the last day, {last}, is open until {closes:%Y-%m-%d %H:%M} UTC: its close may change"
        )
        yield make_finding("open_session", np.array([last]), sentence)


def _repeats(prices: Prices, closes: Floats) -> Iterator[Finding]:
    """Closes that never change, or runs of days that repeat each other."""
    dates, quoted = prices.dates, prices.quoted
    if len(quoted) > 1 and (quoted == quoted[0]).all():
        yield make_finding("constant", dates, f"every close is {quoted[0]:g}, from {dates[0]} to {dates[-1]}")
        return
    factor = quoted / closes  # adjustment differs from day to day, what the exchange printed does not
    others = [prices.column(name) * factor for name in ("Open", "High", "Low") if name in prices.bars.columns]
    unchanged = quoted[1:] == quoted[:-1]
    same = unchanged.copy()
    for values in others:
        same &= np.isclose(values[1:], values[:-1], rtol=1e-9, atol=0, equal_nan=True)
    borders = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
    runs = {int(start): int(end - start) + 1 for start, end in zip(borders[::2], borders[1::2], strict=True)}
    stale = {start: length for start, length in runs.items() if length >= max(_STALE, _least_run(same, start, length))}
    if stale:
        frequency = prices.frequency
        listed = first_ten(f"{dates[start]} ({frequency.count(length)})" for start, length in stale.items())
        long = f"{plural(len(stale), 'run')} of {_STALE} or more {frequency.unit}s"
        sentence = f"{long} with the same prices: from {listed}"
        yield make_finding("stale", dates[list(stale)], sentence)


def _least_run(unchanged: npt.NDArray[np.bool_], start: int, length: int) -> float:
    """Equal days in a row that are not chance, by how many days of the year around the run are like the one before."""
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
                count = prices.frequency.count(len(days))
                which = f"every {prices.frequency.unit}" if empty.all() else f"{count}: {first_ten(days)}"
                yield make_finding("missing", days, f"{name} is missing on {which}")
