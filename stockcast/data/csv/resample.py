"""Bars within the day become one bar a day."""

import pandas as pd

from stockcast.data.csv.dates import times_of_day
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


def to_days(bars: pd.DataFrame, dates: pd.Series, text: pd.Series, *, source: Source) -> tuple[pd.DataFrame, str]:
    """Put the bars of each day together: first open, highest high, lowest low, last close, volumes added.

    Args:
        bars: indexed by line; a column's missing values are left out.
        dates: day of each bar, as the file has it; a session over midnight counts as two days.
        text: dates as they are written, whose times order the bars of a day. Without times the rows stand in the
            order of the file, turned round where it begins with its last day.
        source: names the file.

    Returns:
        Bars indexed by the line of each day's first bar, and what to tell.

    Raises:
        DataError: no day has more than one bar.
    """
    times = times_of_day(text)
    if times is None:
        is_newest_first = len(dates) > 0 and dates.iloc[-1] < dates.iloc[0]
        times = pd.Series(range(len(dates)), index=dates.index) * (-1 if is_newest_first else 1)
    order = pd.DataFrame({"day": dates, "time": times}).sort_values(["day", "time"], kind="stable").index
    bars, dates = bars.loc[order], dates.loc[order]
    days = dates.groupby(dates.to_numpy()).size()
    if len(days) == len(bars):
        message = "data.resample is 1d, but no day has more than one bar. Leave it out."
        raise source.error(message, key="data.resample", value="1d")
    first_lines = dates.index[~dates.duplicated()]
    by_day = {name: how for name, how in _BY_DAY.items() if name in bars}
    daily = bars.groupby(dates.to_numpy(), sort=False).agg(by_day)
    if "Volume" in bars:  # pandas adds missing values up to zero
        daily["Volume"] = bars["Volume"].groupby(dates.to_numpy(), sort=False).sum(min_count=1)
    daily = daily[list(bars)].set_axis(first_lines, axis="index")
    shares = f"{plural(len(bars), 'bar')} put together into {plural(len(daily), 'day')}"
    return daily, f"{shares}, of {days.min()} to {days.max()} bars each" if days.nunique() > 1 else shares
