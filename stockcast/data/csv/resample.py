"""Bars within the day become one bar a day."""

import numpy as np
import pandas as pd

from stockcast.data.calendar import SessionClock, session_clock, sessions_around
from stockcast.data.csv.dates import times_of_day, utc_offsets
from stockcast.data.csv.options import CsvOptions
from stockcast.data.csv.problems import Source
from stockcast.text import plural

_BY_DAY = {"Open": "first", "High": "max", "Low": "min", "Close": "last", "Adj Close": "last", "Volume": "sum"}


_WITHIN_DAYS = 1.5  # bars a day, from which they are of parts of days and not repeats


def has_bars_to_join(dates: pd.Series, options: CsvOptions) -> bool:
    """Whether bars are to be put together into days: always with `1d`; on the way to weeks where days have many."""
    if options.resample in ("1w", "1mo"):
        return len(dates) > _WITHIN_DAYS * dates.nunique()
    return options.resample is not None


def to_days(
    bars: pd.DataFrame,
    dates: pd.Series,
    text: pd.Series,
    *,
    source: Source,
    calendar: str | None = None,
    is_cut: bool = False,
) -> tuple[pd.DataFrame, pd.Series, str]:
    """Put the bars of each day together: first open, highest high, lowest low, last close, volumes added.

    Args:
        bars: indexed by line; a column's missing values are left out.
        dates: day of each bar, as the file has it.
        text: dates as they are written, whose times order the bars of a day. Without times the rows stand in the
            order of the file, turned round where it begins with its last day.
        source: names the file.
        calendar: an exchange; where its sessions open on the day before, a bar belongs to the session that it is in.
        is_cut: whether there are rows before these; the first session over midnight, which lacks some, is left out.

    Returns:
        Bars indexed by the line of each day's first bar, the days, and what to tell.

    Raises:
        DataError: no day has more than one bar.
    """
    how = ""
    times = times_of_day(text)
    if times is None:
        is_newest_first = len(dates) > 0 and dates.iloc[-1] < dates.iloc[0]
        times = pd.Series(range(len(dates)), index=dates.index) * (-1 if is_newest_first else 1)
    elif calendar is not None and (clock := session_clock(calendar)):
        times, how = _on_clock(dates, times, text, clock)
        dates = _sessions_at(times, clock, calendar)
        if is_cut:
            dates = dates[dates > dates.min()]
            bars, times = bars.loc[dates.index], times.loc[dates.index]
        how = f"by the sessions of {calendar}, which open at {_hour(clock.opens)} of the day before{how}"
    order = pd.DataFrame({"day": dates, "time": times}).sort_values(["day", "time"], kind="stable").index
    bars, dates = bars.loc[order], dates.loc[order]
    days = dates.groupby(dates.to_numpy()).size()
    if len(days) == len(bars):
        message = "data.resample is 1d, but no day has more than one bar. Leave it out."
        raise source.error(message, key="data.resample", value="1d")
    first_lines = dates.index[~dates.duplicated()]
    by_day = {name: rule for name, rule in _BY_DAY.items() if name in bars}
    daily = bars.groupby(dates.to_numpy(), sort=False).agg(by_day)
    if "Volume" in bars:  # pandas adds missing values up to zero
        daily["Volume"] = bars["Volume"].groupby(dates.to_numpy(), sort=False).sum(min_count=1)
    daily = daily[list(bars)].set_axis(first_lines, axis="index")
    note = f"{plural(len(bars), 'bar')} put together into {plural(len(daily), 'day')}"
    if days.nunique() > 1:
        note += f", of {days.min()} to {days.max()} bars each"
    return daily, dates.loc[first_lines], f"{note}, {how}" if how else note


def _on_clock(dates: pd.Series, times: pd.Series, text: pd.Series, clock: SessionClock) -> tuple[pd.Series, str]:
    """Return when bars were on the exchange's clock, and what to tell: a time without a zone is taken as one of it."""
    moments = dates + pd.to_timedelta(times, unit="s")
    offsets = utc_offsets(text)
    if offsets is None:
        return moments, f"; times are taken as those of {clock.zone}"
    in_utc = (moments - pd.to_timedelta(offsets, unit="s")).dt.tz_localize("UTC")
    return in_utc.dt.tz_convert(clock.zone).dt.tz_localize(None), ""


def _sessions_at(moments: pd.Series, clock: SessionClock, calendar: str) -> pd.Series:
    """Return the session that each moment on the exchange's clock is in, or the next one; its day off the calendar."""
    midnight = moments.dt.normalize()
    is_next = (moments - midnight).dt.total_seconds() >= clock.opens
    days = (midnight + pd.to_timedelta(is_next.astype(int), unit="D")).to_numpy().astype("datetime64[D]")
    sessions = sessions_around(days.min(), days.max() + 22, calendar=calendar).days
    places = np.searchsorted(sessions, days)
    known = (days >= sessions[0]) & (places < len(sessions))
    found = np.where(known, sessions[places.clip(0, len(sessions) - 1)], days)
    return pd.Series(found.astype("datetime64[s]"), index=moments.index)


def _hour(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}"
