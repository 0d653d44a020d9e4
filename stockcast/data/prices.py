"""A CSV or a DataFrame of daily bars becomes `Prices`: checked, sorted, adjusted, with a list of what was repaired."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from stockcast.data.csv.dates import read_dates
from stockcast.data.csv.numbers import read_numbers
from stockcast.data.csv.options import CsvOptions, series_name
from stockcast.data.csv.problems import PROBLEMS_SHOWN, Problem, Source, refuse
from stockcast.data.csv.resample import to_days
from stockcast.data.csv.table import make_daily, read_table
from stockcast.errors import DataError, MissingColumns
from stockcast.text import plural
from stockcast.typing import Dates, Floats

PriceSource = Path | pd.DataFrame
"""Where prices are read from: a price file (`-` is standard input), or a DataFrame of daily bars."""

PLAIN = CsvOptions()
"""Options of a file that needs none."""

_SAME_PRICE = 1e-6  # share: a price written with seven digits and with more
_ROUNDING = 1e-4  # vendors round each column on its own, so a close may leave the range by this much


@dataclass(frozen=True)
class Prices:
    """Daily bars of one series, oldest first, one row a day.

    Attributes:
        source: the file; of a DataFrame its name.
        bars: columns out of `csv.names.COLUMNS`, float64, indexed by date; prices in the file's own currency, adjusted
            for splits and dividends where asked. `Close` is never missing; another cell may be NaN.
        quoted: the closes as the exchange printed them (unadjusted), shape (days,).
        sha256: of the file's bytes, or of the DataFrame's CSV.
        notes: what was repaired or is suspicious, one sentence each.
        later: rows of the source after the last day that was asked for.
        name: for titles and paths, `SP500`: the file's name without its ending, or the DataFrame's whole name.
    """

    source: Path
    bars: pd.DataFrame
    quoted: Floats
    sha256: str
    notes: tuple[str, ...] = ()
    later: int = 0
    name: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", series_name(self.source))

    @property
    def label(self) -> str:
        """The series as messages and tables name it: its file, or where a file of several was read, `T1.csv`."""
        return self.source.name if self.name == series_name(self.source) else f"{self.name}{self.source.suffix}"

    @property
    def dates(self) -> Dates:
        """Trading days, datetime64[D], shape (days,)."""
        return self.bars.index.to_numpy().astype("datetime64[D]")

    @property
    def quote_factor(self) -> float:
        """Quoted over adjusted close of the last day: turns adjusted prices into that day's own."""
        return float(self.quoted[-1] / self.bars["Close"].iloc[-1])

    @property
    def are_adjusted(self) -> bool:
        """Whether any price differs from the quoted one."""
        return not np.array_equal(self.quoted, self.bars["Close"])

    def until(self, last: date) -> "Prices":
        """Return the same series without the days after `last`."""
        days = int(np.searchsorted(self.dates, np.datetime64(last), side="right"))
        later = self.later + len(self.bars) - days
        return replace(self, bars=self.bars.iloc[:days], quoted=self.quoted[:days], later=later)

    def closes_sha256(self, *, first: str, before: date) -> str:
        """Return a hash of dates and closes from `first` (ISO) on, up to the day before `before`.

        A newer file of one series has the same, unless its prices were adjusted anew since, which stored scales do not
        fit. Closes count to seven digits, as vendors' downloads differ in the last ones.
        """
        dates, closes = self.dates, self.column("Close").astype(np.float32)
        chosen = (dates >= np.datetime64(first or "0001-01-01")) & (dates < np.datetime64(before))
        content = dates[chosen].astype(np.int64).tobytes() + closes[chosen].tobytes()
        return hashlib.sha256(content).hexdigest()

    def complete(self, names: Sequence[str]) -> Floats:
        """Return price columns, shape (days, columns); DataError if one of them is missing or has missing values."""
        self.require(names)
        values = self.bars[list(names)].to_numpy(dtype=np.float64)
        missing = np.isnan(values)
        if missing.any():
            counts = {name: int(gaps.sum()) for name, gaps in zip(names, missing.T, strict=True) if gaps.any()}
            gaps = ", ".join(f"{plural(number, 'day')} without {name}" for name, number in counts.items())
            first = str(self.dates[missing.any(axis=1)][0])
            advice = "Forecast other columns (target in the config), or set data.start after the last of them."
            message = f"{self.source}: {gaps}, the first {first}. {advice}"
            raise DataError(message, file=self.source, column=next(iter(counts)), key="data.start", value=first)
        return values

    def column(self, name: str) -> Floats:
        """Return a column, shape (days,), in price units; MissingColumns if there is none of this name."""
        self.require([name])
        return self.bars[name].to_numpy(dtype=np.float64)

    def require(self, columns: Sequence[str]) -> None:
        """Check that these columns exist; MissingColumns names those that do not."""
        missing = [column for column in columns if column not in self.bars.columns]
        if missing:
            raise MissingColumns(
                f"{self.source} has no column {', '.join(missing)}; it has {', '.join(self.bars.columns)}. Choose "
                f"features and a target that need no more (features, target in the config), or use a fuller file.",
                file=self.source,
                column=missing[0],
                value=", ".join(missing),
            )


def read_prices(
    source: PriceSource | str,
    *,
    options: CsvOptions = PLAIN,
    start: date | None = None,
    end: date | None = None,
    adjusted: bool = True,
) -> Prices:
    """Read daily bars: a date and a close, and any of open, high, low, adjusted close, volume, in any order.

    Args:
        source: a CSV, as it is or in a gzip or zip file, an Excel workbook or a Parquet file, whatever its name; `-`
            for standard input; or a DataFrame whose dates are its index or a column; `attrs["name"]` is its name.
        options: how the file is written.
        start: first day to keep, inclusive; what lies outside is neither checked nor repaired.
        end: last day to keep, inclusive.
        adjusted: multiply open, high, low and close by Adj Close / Close where there is one.

    Raises:
        DataError: the file cannot be read, or cells are wrong; `problems` has each line, column and value.
        MissingColumns: no date or no close.
    """
    table = read_table(source, options=options)
    days = read_dates(table.cells["Date"], table.options.date_format)
    after = days.dates > pd.Timestamp(end or date.max)
    inside = (days.dates >= pd.Timestamp(start or date.min)) & ~after
    kept = inside | days.dates.isna()  # a row whose date cannot be read may lie inside
    numbers = read_numbers(
        table.cells.loc[kept].drop(columns="Date"), options=table.options, other_cells=table.other_cells
    )
    kept_lines = set(table.cells.index[kept])
    problems = [*table.problems, *(problem for problem in days.problems if problem.line in kept_lines)]
    adjusting = adjusted and "Adj Close" in numbers.values
    values, left_out = _leave_out(numbers.values, days.dates, adjusting=adjusting)
    problems += [*numbers.problems, *_impossible(values, adjusting=adjusting)]

    bars, dates = values[inside[values.index]], days.dates[values.index][inside[values.index]]
    notes = [*table.notes, *([days.note] if days.note else []), *numbers.notes, *left_out]
    for column in ("Close", "Adj Close") if adjusting else ("Close",):
        unusable = bars[column].isna()
        if unusable.any():
            notes.append(f"{plural(unusable.sum(), 'row')} without {column} dropped")
        bars, dates = bars[~unusable], dates[~unusable]
    notes += _repair(bars)
    if table.options.resample and not problems:
        bars, note = to_days(bars, dates, table.cells["Date"].loc[bars.index], source=table.source)
        dates, notes = dates.loc[bars.index], [*notes, note]
    if not dates.is_monotonic_increasing:
        notes.append("rows were not oldest first; sorted by date")
    bars, dates, merged = _merge_last_day(bars, dates)
    notes += merged
    refuse(table.source, [*problems, *_differing_repeats(table.source, bars, dates)])

    bars = bars.set_index(pd.DatetimeIndex(dates, name="Date")).sort_index(kind="stable")
    if repeated := bars.index.duplicated().sum():
        notes.append(f"{plural(repeated, 'repeated row')} dropped")
    bars = bars[~bars.index.duplicated()]
    if bars.empty:
        raise _no_days(table.source, start, end)

    quoted = bars["Close"].to_numpy(dtype=np.float64)
    if adjusting:
        factor = bars["Adj Close"] / bars["Close"]
        for column in ("Open", "High", "Low", "Close"):
            if column in bars:
                bars[column] *= factor
        quoted, bars = quoted.copy(), bars.copy()  # as views of some columns they would keep all as they were read
    return Prices(
        source=table.source.path,
        bars=bars,
        quoted=quoted,
        sha256=table.sha256,
        notes=tuple(notes),
        later=int(after.sum()),
        name=_name_of(table.source, options),
    )


def _name_of(source: Source, options: CsvOptions) -> str:
    """Return the series' name where it is not the file's stem: the newest of the tickers that were chosen."""
    if options.tickers:
        return options.tickers[-1].replace("/", "-")
    return source.path.name if source.is_frame else ""


def _no_days(source: Source, start: date | None, end: date | None) -> DataError:
    if start or end:
        span = f"between {start or 'the first row'} and {end or 'the last row'}"
        return source.error(f"no day with a close {span}. Change data.start and data.end.", key="data.start")
    again = "" if source.is_frame else " Download it again."
    return source.error(f"it has columns, but no day with a close.{again}", column="Close")


def _leave_out(bars: pd.DataFrame, dates: pd.Series, *, adjusting: bool) -> tuple[pd.DataFrame, list[str]]:
    """Leave out rows in which a vendor states nothing, and early days that cannot be adjusted; return notes on them.

    A dividend that was never divided by later splits brings the adjusted price of every day before it to zero or
    below. A file with a few such days further on has wrong cells instead.
    """
    notes = []
    prices = [column for column in ("Open", "High", "Low", "Close") if column in bars]
    zero = (bars[prices] == 0).all(axis=1) & (len(prices) > 1)
    if "Adj Close" in bars:
        zero &= bars["Adj Close"].isna() | (bars["Adj Close"] == 0)
    if zero.any():
        notes.append(f"{plural(zero.sum(), 'row')} with zero for every price dropped")
        bars = bars[~zero]
    if adjusting and (bad := (bars["Adj Close"] <= 0) & (bars["Close"] > 0)).any():
        last = dates[bad.index[bad]].max()
        early = dates[bars.index] <= last
        if early.sum() <= 2 * bad.sum() and 2 * early.sum() <= len(bars):
            notes.append(
                f"{plural(early.sum(), 'day')} to {last:%Y-%m-%d} left out, as Adj Close is zero or less there; "
                f"target.adjusted: false keeps them"
            )
            bars = bars[~early]
    return bars, notes


def _impossible(bars: pd.DataFrame, *, adjusting: bool) -> Iterator[Problem]:
    """What no exchange can have printed."""
    for column in ("Close", "Adj Close") if adjusting else ("Close",):
        if column in bars:
            why, advice = "a close must be above zero", "Correct it, or empty the cell to leave the day out."
            if column == "Adj Close":
                advice += " Or use prices as they were quoted (target.adjusted: false)."
            wrong = bars[bars[column] <= 0]
            for line, value in zip(wrong.index, wrong[column], strict=True):
                yield Problem(line=line, column=column, value=value, why=why, advice=advice)
    if {"High", "Low"} <= set(bars.columns):
        # Vendors write zero for a missing value, and old bars without an open often have no true range: both repaired.
        wrong = bars[_inverted(bars) & (bars["High"] > 0) & ~_without_open(bars)]
        for line, high, low in zip(wrong.index, wrong["High"], wrong["Low"], strict=True):
            why, advice = f"below the day's low of {low}", "Correct one of them, or empty both."
            yield Problem(line=line, column="High", value=high, why=why, advice=advice)


def _repair(bars: pd.DataFrame) -> list[str]:
    """Turn vendors' stand-ins for "unknown" into NaN, in place; return what was repaired or is suspicious."""
    counts: dict[str, float] = {}
    has_range = {"High", "Low"} <= set(bars.columns)
    if has_range and (inverted := _inverted(bars) & _without_open(bars)).any():
        bars.loc[inverted, ["High", "Low"]] = np.nan
        counts["without Open and with High below Low, both counted as missing"] = inverted.sum()
    for column in ("Open", "High", "Low", "Adj Close", "Volume"):  # a wrong Adj Close is refused where it is used
        if column in bars and (zero := bars[column] <= 0).any():
            bars.loc[zero, column] = np.nan  # assigning nowhere, too, would keep a second copy of the column
            counts[f"with {column} of zero or less, counted as missing"] = zero.sum()
    for column in {"Open", "Close"} & set(bars.columns) if has_range else ():
        outside = (bars[column] > bars["High"] * (1 + _ROUNDING)) | (bars[column] < bars["Low"] * (1 - _ROUNDING))
        counts[f"with {column} outside the day's low to high, kept"] = outside.sum()
    return sorted(f"{plural(number, 'row')} {what}" for what, number in counts.items() if number)


def _inverted(bars: pd.DataFrame) -> pd.Series:
    """Days whose high is below their low by more than rounding."""
    return bars["High"] < bars["Low"] * (1 - _ROUNDING)


def _without_open(bars: pd.DataFrame) -> pd.Series:
    """Days for which the vendor wrote an open of zero: bars of before 1982, put together from closes."""
    return bars["Open"] == 0 if "Open" in bars else pd.Series(False, index=bars.index)


def _merge_last_day(bars: pd.DataFrame, dates: pd.Series) -> tuple[pd.DataFrame, pd.Series, list[str]]:
    """Keep the fuller row of a last day that a vendor gives twice, if the prices agree; return a note on it."""
    rows = bars[dates == dates.max()]
    if len(rows) != 2 or rows.iloc[0].equals(rows.iloc[1]):
        return bars, dates, []
    spread = rows.drop(columns="Volume", errors="ignore").max() / rows.drop(columns="Volume", errors="ignore").min()
    if (spread > 1 + _SAME_PRICE).any():
        return bars, dates, []
    volume = rows["Volume"].fillna(0) if "Volume" in rows else pd.Series(0.0, index=rows.index)
    fuller, other = sorted(rows.index, key=lambda line: (rows.loc[line].count(), volume[line]), reverse=True)
    traded = f" (volume {volume[fuller]:.0f}, not {volume[other]:.0f})" if volume[fuller] != volume[other] else ""
    note = f"the last day, {dates.max():%Y-%m-%d}, occurs twice with the same prices; the fuller row{traded} is kept"
    kept = bars.index != other
    return bars[kept], dates[kept], [note]


def _differing_repeats(source: Source, bars: pd.DataFrame, dates: pd.Series) -> Iterator[Problem]:
    """The days that occur more than once with different values, in one problem."""
    repeated = dates[dates.isin(dates[dates.duplicated()])]
    if repeated.empty:
        return
    differing = bars.loc[repeated.index].groupby(repeated).nunique(dropna=False).gt(1).any(axis=1)
    days = [f"{day:%Y-%m-%d}" for day in differing.index[differing]]
    if not days:
        return
    lines = sorted(repeated.index[repeated.isin(differing.index[differing])])
    listed = ", ".join(map(str, lines[:PROBLEMS_SHOWN]))
    is_intraday = len(bars) > 1.5 * dates.nunique()
    yield Problem(
        line=lines[0],
        value=days[0],
        why=f"{plural(len(days), 'day')} more than once with different values: {', '.join(days[:PROBLEMS_SHOWN])}",
        advice=f"Keep one row a day ({source.unit}s {listed})." + (f" {make_daily(source)}" if is_intraday else ""),
    )
