"""Bars of weeks and months: whether a file has them, and how they are made of daily bars."""

from dataclasses import replace

import numpy as np
import pandas as pd

from stockcast.data.calendar import HOLIDAYS_FROM, Sessions, sessions_around
from stockcast.data.csv.problems import setting
from stockcast.data.prices import Prices
from stockcast.errors import DataError
from stockcast.frequency import DAILY, MONTHLY, RESAMPLES, WEEKLY, Frequency
from stockcast.text import plural
from stockcast.typing import Dates, Days, Floats

_FEWEST_GAPS = 10  # of dates, to tell what they are


def usual_frequency(prices: Prices) -> tuple[Frequency, int] | None:
    """Return the frequency of bars, and the usual distance of two dates in days; None of fewer than eleven bars.

    Raises:
        DataError: they are of neither days nor weeks nor months.
    """
    gaps = np.diff(prices.dates).astype(int)
    if len(gaps) < _FEWEST_GAPS:
        return None
    usual = int(np.median(gaps))
    found = DAILY if usual < 7 else WEEKLY if usual == 7 else MONTHLY if 28 <= usual <= 31 else None
    if found is None:
        raise DataError(
            f"{prices.title}: the usual distance from one date to the next is {usual} days. Use bars of days, weeks "
            f"or months.",
            file=prices.source,
            column="Date",
            value=usual,
        )
    return found, usual


def check_frequency(prices: Prices, frequency: Frequency, *, resample: str | None, trained: bool = False) -> None:
    """Check that dates are of the bars that the config states: each step of a forecast is dated as one of them.

    Args:
        prices: of a file, as it dates them.
        frequency: data.frequency.
        resample: data.resample, which makes these bars of daily ones.
        trained: whether a network was trained by this config, so that another setting takes another training.

    Raises:
        DataError: they are not; `value` is the frequency that they have.
    """
    found, needed = usual_frequency(prices), DAILY if resample else frequency
    if found is None or found[0] is needed:
        return
    bars, usual = found
    key, options = "data.frequency", [setting("data.frequency", bars.name)]
    stated, advice = f"data.frequency is {frequency.name}", "Use"
    if resample:
        stated = f"data.resample {resample} puts daily bars together"
        key, options = "data.resample", [setting("data.resample", "null"), *options]
    elif bars is DAILY:
        key, options = "data.resample", [setting("data.resample", RESAMPLES[frequency.name])]
        advice = f"For forecasts by the {frequency.unit}, put them together with"
    if trained:
        advice = f"Use {needed.name} bars with this run, or train another one on these with"
    raise DataError(
        f"{prices.title}: the bars are {bars.name} (the usual distance from one date to the next is "
        f"{plural(usual, 'day')}), and {stated}. {advice} {' '.join(options)}",
        file=prices.source,
        column="Date",
        key=key,
        value=bars.name,
    )


def sessions_of(prices: Prices, frequency: Frequency, *, calendar: str, known: Sessions | None) -> Sessions:
    """Return the exchange's sessions from the first week or month of prices to the last one."""
    first, last = frequency.span(prices.dates[0])[0], frequency.span(prices.dates[-1])[1]
    return sessions_around(first - 7, last + 7, calendar=calendar, known=known)  # a Sunday may begin the next week


def put_together(prices: Prices, frequency: Frequency, sessions: Sessions) -> Prices:
    """Put daily bars together into weeks or months: first open, highest high, lowest low, last close, volumes added.

    Prices are adjusted before, each day by its own factor. A first or last week with sessions that the file lacks is
    left out, as its bar is not known; the notes have both. A missing high, low or volume is left out of its week; a
    week whose first open is missing has none.

    Raises:
        DataError: no week is whole.
    """
    dates, unit = prices.dates, frequency.unit
    periods = frequency.periods(dates)
    starts = np.flatnonzero(np.append(True, periods[1:] != periods[:-1]))
    ends = np.append(starts[1:], len(dates)) - 1
    before, after = frequency.span(dates[0])[0], frequency.span(dates[-1])[1]
    lacks_first = sessions.between(max(before, HOLIDAYS_FROM), dates[0] - 1)
    lacks_last = sessions.between(dates[-1] + 1, after)
    days = ends - starts + 1
    note = f"{plural(len(dates), 'day')} put together into {frequency.count(len(starts))}, of {_span(days)} each"
    if len(lacks_first):
        note += f"; the first {unit} left out, as the file begins on {dates[0]} and the {unit} on {lacks_first[0]}"
    if len(lacks_last):
        note += f"; the last {unit} left out, as the file ends on {dates[-1]} and the {unit} on {lacks_last[-1]}"
    whole = slice(1 if len(lacks_first) else 0, len(starts) - (1 if len(lacks_last) else 0))
    if not len(starts[whole]):
        raise DataError(
            f"{prices.title}: it has no whole {unit}, from {dates[0]} to {dates[-1]}. Use a longer file.",
            file=prices.source,
            key="data.resample",
            value=len(dates),
        )
    columns = {name: _together(name, prices.column(name), starts, ends)[whole] for name in prices.bars.columns}
    last_days = np.maximum(last_sessions(periods[starts], frequency, sessions), dates[ends])
    index = pd.DatetimeIndex(last_days[whole], name="Date")
    return replace(
        prices,
        bars=pd.DataFrame(columns, index=index),
        quoted=prices.quoted[ends][whole],
        own=None if prices.own is None else prices.own.on(index),
        notes=(*prices.notes, note),
        frequency=frequency,
    )


def _together(name: str, values: Floats, starts: Days, ends: Days) -> Floats:
    """Return a column of weeks or months, from that of the days and the first and last day of each."""
    if name == "Open":
        return values[starts]
    if name == "High":
        return np.asarray(np.fmax.reduceat(values, starts))
    if name == "Low":
        return np.asarray(np.fmin.reduceat(values, starts))
    if name == "Volume":
        known = np.add.reduceat((~np.isnan(values)).astype(float), starts)
        return np.where(known > 0, np.add.reduceat(np.nan_to_num(values), starts), np.nan)
    return values[ends]


def _span(days: Days) -> str:
    """Write of how many days weeks are: `5 days` or `1 to 5 days`."""
    fewest, most = int(days.min()), int(days.max())
    return plural(most, "day") if fewest == most else f"{fewest} to {plural(most, 'day')}"


def last_sessions(periods: Days, frequency: Frequency, sessions: Sessions) -> Dates:
    """Return the last session of each week or month, or its last day from Monday to Friday where there is none."""
    lasts = frequency.last_of_each(sessions.days)
    numbers = frequency.periods(lasts)
    places = np.searchsorted(numbers, periods).clip(0, len(lasts) - 1)
    dates: Dates = lasts[places]
    for row in np.flatnonzero(numbers[places] != periods):
        dates[row] = _last_weekday(int(periods[row]), frequency)
    return dates


def _last_weekday(number: int, frequency: Frequency) -> np.datetime64:
    end = (
        np.datetime64(number + 1, "M").astype("datetime64[D]") - 1
        if frequency is MONTHLY
        else np.datetime64(7 * number + 3, "D")
    )
    return end - max(0, (int(end.astype(int)) + 3) % 7 - 4)
