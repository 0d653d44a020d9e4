"""Bars of weeks and months as a vendor dates them, dated on the last session of each."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from stockcast.data.calendar import Sessions, session_close
from stockcast.data.csv.problems import setting
from stockcast.data.periods import last_sessions
from stockcast.data.prices import Prices
from stockcast.errors import DataError
from stockcast.frequency import WEEKLY, Frequency
from stockcast.text import plural
from stockcast.typing import Dates, Days, Floats

BarDate = Literal["start", "end"]
"""Whether a Sunday that a weekly bar is dated on begins the week or ends it."""

_SUNDAY = 6
_SAME_PRICE = 1e-6  # share: a price written with seven digits and with more
_MOST_ODD = 20  # one date in so many may be neither the first nor the last day of its week
_REGULAR = 20  # one session in so many is on a Sunday where that is no exception, as a working weekend is in Moscow
_CONVENTION = 0.9  # share of dates on last sessions from which the last date tells how far its bar goes


def date_on_sessions(
    prices: Prices,
    frequency: Frequency,
    sessions: Sessions,
    *,
    bar_date: BarDate | None,
    calendar: str,
    now: datetime | None = None,
) -> Prices:
    """Date a vendor's weekly or monthly bars on the last session of their week or month.

    A vendor dates them on the first day or the last, of the calendar or of the exchange. A last week that is not over
    is left out: by the clock, or as its date is before its last session where all others are on it. Yahoo adds a row of
    the last day to the bar of the last week, with the same close; it shows that, too, and is no bar.

    Args:
        prices: of the file, as it dates them.
        frequency: weekly or monthly.
        sessions: of the exchange, of all these weeks.
        bar_date: what a Sunday is; None where the dates tell.
        calendar: of the exchange.
        now: with a time zone; None for the clock's.

    Raises:
        DataError: a week has several bars, dates are within weeks, or Sundays may begin or end them.
    """
    dates = prices.dates
    days = days_inside(dates, frequency, sessions, bar_date=bar_date, source=prices.source)
    periods = frequency.periods(days)
    last = last_sessions(periods, frequency, sessions)
    _check_places(prices, days, periods, frequency, sessions)
    repeats = len(periods) > 1 and periods[-1] == periods[-2] and _same(prices.quoted[-2:])
    over = _is_over(dates, last, calendar, now) and not (repeats and dates[-1] < last[-1])
    keep, note = _without_repeats(prices, periods, frequency, over=over, repeats=repeats)
    notes = [note] if note else []
    if len(moved := keep[dates[keep] != last[keep]]):
        example = f"{last[moved[0]]} in place of {dates[moved[0]]}"
        notes.insert(0, f"{frequency.name} bars are dated on the last session of each {frequency.unit}: {example}")
    kept, index = prices.with_rows(keep), pd.DatetimeIndex(last[keep], name="Date")
    return replace(
        kept,
        bars=kept.bars.set_axis(index, axis="index"),
        own=None if kept.own is None else kept.own.dated(index),
        notes=(*prices.notes, *notes),
        frequency=frequency,
    )


def days_inside(
    dates: Dates, frequency: Frequency, sessions: Sessions, *, bar_date: BarDate | None, source: Path
) -> Dates:
    """Return a day inside the week or month of each date: a Sunday that begins a week is moved to its Monday.

    It begins one where another reading has bars of weeks without a session. DataError if both readings are possible.
    """
    sundays = (dates.astype(np.intp) + 3) % 7 == _SUNDAY if frequency is WEEKLY else np.zeros(len(dates), dtype=bool)
    if not sundays.any():
        return dates
    around = sessions.between(dates[0] - 7, dates[-1] + 7)
    trades_on_sundays = _REGULAR * ((around.astype(np.intp) + 3) % 7 == _SUNDAY).sum() > len(around)
    readings: dict[str, Dates] = {"start": dates + sundays, "end": dates}
    if bar_date is None:
        has_session = {
            name: np.isin(frequency.periods(days), frequency.periods(sessions.days)) for name, days in readings.items()
        }
        possible = [name for name, having in has_session.items() if having.all()]
        if len(possible) != 1 or trades_on_sundays:
            first = dates[sundays][0]
            key = "data.bar_date"
            raise DataError(
                f"{source}: the weekly bars are dated on Sundays, and {first} may begin the week of "
                f"{first + 1} ({setting(key, 'start')}) or end that of {first - 6} ({setting(key, 'end')}). "
                f"Choose one: compare a close with one that is known.",
                file=source,
                column="Date",
                key=key,
                value=str(first),
            )
        return readings[possible[0]]
    if bar_date == "start" and trades_on_sundays:
        raise DataError(
            f"{source}: the exchange trades on Sundays, and weeks that begin on Sundays are not those of the "
            f"calendar, Monday to Sunday. Use daily bars, and put them together with {setting('data.resample', '1w')}",
            file=source,
            column="Date",
            key="data.bar_date",
            value=bar_date,
        )
    return readings[bar_date]


def _check_places(prices: Prices, days: Dates, periods: Days, frequency: Frequency, sessions: Sessions) -> None:
    """Check that dates are at the beginning or the end of their weeks: within them, a bar may be of parts of two."""
    lasts = frequency.last_of_each(sessions.days)
    numbers = frequency.periods(sessions.days)
    firsts = sessions.days[np.append(True, numbers[1:] != numbers[:-1])]
    places = np.searchsorted(frequency.periods(lasts), periods).clip(0, len(lasts) - 1)
    inside = (frequency.periods(lasts)[places] == periods) & (firsts[places] < days) & (days < lasts[places])
    if _MOST_ODD * inside.sum() > len(days):
        first = prices.dates[inside][0]
        raise DataError(
            f"{prices.title}: {plural(inside.sum(), 'date')} of {len(days)} neither begin nor end their "
            f"{frequency.unit}, the first {first}, so a bar may be of parts of two. Use bars of calendar "
            f"{frequency.unit}s (weeks from Monday to Sunday), or daily bars.",
            file=prices.source,
            column="Date",
            key="data.frequency",
            value=str(first),
        )


def _same(prices: Floats) -> bool:
    """Whether two prices are the same but for rounding."""
    return bool(abs(np.log(prices[1] / prices[0])) < _SAME_PRICE)


def _is_over(dates: Dates, last: Dates, calendar: str, now: datetime | None) -> bool:
    """Whether the last week or month has ended, by the clock and by what the file dates its bars on."""
    earlier = last != last[-1]
    if earlier.any() and (dates[earlier] == last[earlier]).mean() >= _CONVENTION and dates[-1] < last[-1]:
        return False
    now = now or datetime.now(UTC)
    if np.datetime64(now.astimezone(UTC).date()) - last[-1] > np.timedelta64(1, "D"):
        return True
    closes = session_close(last[-1], calendar=calendar)
    return closes is None or now >= closes


def _without_repeats(
    prices: Prices, periods: Days, frequency: Frequency, *, over: bool, repeats: bool
) -> tuple[npt.NDArray[np.intp], str | None]:
    """Return the rows to keep, at most one for each week or month, and a note on what is left out.

    `over` is whether the last week has ended; `repeats`, whether its last two rows have the same close.
    """
    unit, dates = frequency.unit, prices.dates
    rows = np.arange(len(dates))
    in_last = periods == periods[-1]
    if not over and not in_last.all():
        rows = rows[~in_last]
        note = f"the last {unit} left out, as it is not over: the bar of {dates[in_last][0]}"
    elif in_last.sum() == 2 and repeats:
        rows = rows[:-1]
        note = f"the last {unit} occurs twice with the same close; the row of {dates[-2]} is kept"
    else:
        note = None
    repeated = rows[1:][periods[rows[1:]] == periods[rows[:-1]]]
    if len(repeated):
        first = int(repeated[0])
        raise DataError(
            f"{prices.title}: {plural(len(np.unique(periods[repeated])), unit)} more than once, the first on "
            f"{dates[first - 1]} and {dates[first]}. Keep one row a {unit}.",
            file=prices.source,
            column="Date",
            key="data.frequency",
            value=str(dates[first]),
        )
    return rows, note
