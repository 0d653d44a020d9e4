"""A CSV of daily bars becomes `Prices`: checked, sorted, adjusted, with a list of what was mended."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from stockcast.data.columns import COLUMNS, PRICE_COLUMNS
from stockcast.data.csvfile import counted
from stockcast.data.dates import read_dates
from stockcast.data.numbers import read_numbers
from stockcast.data.problems import PROBLEMS_SHOWN, Problem, refuse
from stockcast.data.reading import Reading
from stockcast.data.table import how_to_make_daily, read_table
from stockcast.errors import DataError, MissingColumns
from stockcast.forecast import Dates, Floats

__all__ = ["COLUMNS", "PRICE_COLUMNS", "Prices", "read_prices"]

PLAIN = Reading()
"""A file that needs nothing said about it."""

_ROUNDING = 1e-4  # vendors round each column on its own, so a close may leave the range by this much


@dataclass(frozen=True)
class Prices:
    """Daily bars of one series, oldest first, one row a day.

    Attributes:
        source: the file.
        bars: columns out of `COLUMNS`, float64, indexed by date; prices in the file's own currency, adjusted for
            splits and dividends where asked. `Close` is never missing; another cell may be NaN.
        quoted: the closes as the exchange printed them (unadjusted), shape (days,).
        sha256: of the file's bytes.
        notes: what was mended or looks odd, one sentence each.
        later: rows of the file after the last day that was asked for.
    """

    source: Path
    bars: pd.DataFrame
    quoted: Floats
    sha256: str
    notes: tuple[str, ...] = ()
    later: int = 0

    @property
    def name(self) -> str:
        """The file's stem, for titles: `SP500`."""
        return self.source.stem

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

    def complete(self, names: Sequence[str]) -> Floats:
        """Return price columns without gaps, shape (days, columns).

        Raises:
            MissingColumns: the file lacks some of them; names them all.
            DataError: some of their values are missing.
        """
        self.require(names)
        values = self.bars[list(names)].to_numpy(dtype=np.float64)
        missing = np.isnan(values)
        if missing.any():
            counts = [(name, gaps.sum()) for name, gaps in zip(names, missing.T, strict=True) if gaps.any()]
            told = ", ".join(f"{counted(number, 'day')} without {name}" for name, number in counts)
            raise DataError(
                f"{self.source}: {told}, the first {self.dates[missing.any(axis=1)][0]}. Forecast other columns "
                f"(target in the config), or set data.start after the last of them."
            )
        return values

    def column(self, name: str) -> Floats:
        """Return one column, shape (days,), in price units.

        Raises:
            MissingColumns: the file has no such column.
        """
        self.require([name])
        return self.bars[name].to_numpy(dtype=np.float64)

    def require(self, columns: Sequence[str]) -> None:
        """Check that the file has these columns.

        Raises:
            MissingColumns: it lacks some; names them all.
        """
        lacking = [column for column in columns if column not in self.bars.columns]
        if lacking:
            raise MissingColumns(
                f"{self.source} has no column {', '.join(lacking)}; it has {', '.join(self.bars.columns)}. Ask for "
                f"features and a target that need no more (features, target in the config), or use a fuller file."
            )


def read_prices(
    path: Path,
    *,
    reading: Reading = PLAIN,
    start: date | None = None,
    end: date | None = None,
    adjusted: bool = True,
) -> Prices:
    """Read a CSV of daily bars: a date and a close, and any of open, high, low, adjusted close, volume, in any order.

    Args:
        path: the file.
        reading: what is said about the way it is written.
        start: first day to keep, inclusive; what lies outside is neither checked nor mended.
        end: last day to keep, inclusive.
        adjusted: multiply open, high, low and close by Adj Close / Close where the file has it.

    Raises:
        DataError: the file cannot be read, or cells are wrong; names each line, column and value.
        MissingColumns: no date or no close.
    """
    table = read_table(path, reading=reading)
    days = read_dates(table.cells["Date"], reading.date_format)
    after = days.dates > pd.Timestamp(end or date.max)
    inside = (days.dates >= pd.Timestamp(start or date.min)) & ~after
    kept = inside | days.dates.isna()  # a row whose date cannot be read may lie inside
    read = read_numbers(
        table.cells.loc[kept].drop(columns="Date"), decimal=reading.decimal, separator=reading.separator
    )
    counting = set(table.cells.index[kept])
    problems = [*table.problems, *(problem for problem in days.problems if problem.line in counting)]
    problems += [*read.problems, *_impossible(read.values)]

    bars, dates = read.values[inside[kept]], days.dates[inside]
    notes = [*table.notes, *([days.note] if days.note else []), *read.notes]
    adjusting = adjusted and "Adj Close" in bars
    for column in ("Close", "Adj Close") if adjusting else ("Close",):
        unusable = bars[column].isna()
        if unusable.any():
            notes.append(f"{counted(unusable.sum(), 'row')} without {column} dropped")
        bars, dates = bars[~unusable], dates[~unusable]
    notes += _mend(bars)
    if not dates.is_monotonic_increasing:
        notes.append("rows were not oldest first; sorted by date")
    lines = pd.Series(bars.index, index=pd.DatetimeIndex(dates))
    bars = bars.set_index(pd.DatetimeIndex(dates, name="Date")).sort_index(kind="stable")
    refuse(path, problems, closing=_differing_repeats(path, bars, lines))

    if repeated := bars.index.duplicated().sum():
        notes.append(f"{counted(repeated, 'repeated row')} dropped")
    bars = bars[~bars.index.duplicated()]
    if bars.empty:
        if not start and not end:
            raise DataError(f"{path}: it has columns, but no day with a close. Download it again.")
        raise DataError(
            f"{path}: no day with a close between {start or 'the first row'} and {end or 'the last row'}. Change "
            f"data.start and data.end."
        )

    quoted = bars["Close"].to_numpy(dtype=np.float64)
    if adjusting:
        factor = bars["Adj Close"] / bars["Close"]
        for column in ("Open", "High", "Low", "Close"):
            if column in bars:
                bars[column] *= factor
        quoted, bars = quoted.copy(), bars.copy()  # as views of some columns they would keep all as they were read
    return Prices(
        source=path, bars=bars, quoted=quoted, sha256=table.sha256, notes=tuple(notes), later=int(after.sum())
    )


def _impossible(bars: pd.DataFrame) -> Iterator[Problem]:
    """What no exchange can have printed."""
    for column in ("Close", "Adj Close"):
        if column in bars:
            advice = "Correct it, or empty the cell to leave the day out."
            for line in bars.index[bars[column] <= 0]:
                value = bars.loc[line, column]
                yield Problem(line=line, column=column, value=value, why="a close must be above zero", advice=advice)
    if {"High", "Low"} <= set(bars.columns):
        # A zero is a vendor's word for "missing", and old bars without an open often have no true range: both mended.
        for line in bars.index[_inverted(bars) & (bars["High"] > 0) & ~_without_open(bars)]:
            why = f"below the day's low of {bars.loc[line, 'Low']}"
            advice = "Correct one of them, or empty both."
            yield Problem(line=line, column="High", value=bars.loc[line, "High"], why=why, advice=advice)


def _mend(bars: pd.DataFrame) -> list[str]:
    """Turn vendors' stand-ins for "unknown" into NaN, in place; say what was mended and what looks odd."""
    notes = []
    if {"High", "Low"} <= set(bars.columns):
        inverted = _inverted(bars) & _without_open(bars)
        if inverted.any():
            bars.loc[inverted, ["High", "Low"]] = np.nan
            notes.append(
                f"{counted(inverted.sum(), 'row')} without Open and with High below Low, both counted as missing"
            )
    for column in ("Open", "High", "Low", "Volume"):
        if column in bars:
            zero = bars[column] <= 0
            if zero.any():
                bars.loc[zero, column] = np.nan  # assigning nowhere, too, would keep a second copy of the column
                notes.append(f"{counted(zero.sum(), 'row')} with {column} of zero or less, counted as missing")
    if {"High", "Low"} <= set(bars.columns):
        for column in {"Open", "Close"} & set(bars.columns):
            outside = (bars[column] > bars["High"] * (1 + _ROUNDING)) | (bars[column] < bars["Low"] * (1 - _ROUNDING))
            if outside.any():
                notes.append(f"{counted(outside.sum(), 'row')} with {column} outside the day's low to high, kept")
    return sorted(notes)


def _inverted(bars: pd.DataFrame) -> pd.Series:
    """Days whose high is below their low by more than rounding."""
    return bars["High"] < bars["Low"] * (1 - _ROUNDING)


def _without_open(bars: pd.DataFrame) -> pd.Series:
    """Days for which the vendor wrote an open of zero: bars of before 1982, put together from closes."""
    return bars["Open"] == 0 if "Open" in bars else pd.Series(False, index=bars.index)


def _differing_repeats(path: Path, bars: pd.DataFrame, lines: pd.Series) -> str | None:
    """Say which days stand more than once with different values, and in which lines; None where none does."""
    repeated = bars.index.duplicated(keep=False)
    if not repeated.any():
        return None
    differing = bars[repeated].groupby(level=0).nunique(dropna=False).gt(1).any(axis=1)
    if not differing.any():
        return None
    days = [f"{day:%Y-%m-%d}" for day in differing.index[differing]]
    places = ", ".join(map(str, sorted(lines[lines.index.isin(differing.index[differing])])[:PROBLEMS_SHOWN]))
    said = (
        f"{path}: {counted(len(days), 'day')} more than once with different values: "
        f"{', '.join(days[:PROBLEMS_SHOWN])}. Keep one row a day (lines {places}); intraday bars must be made daily "
        f"first."
    )
    if len(bars) > 2 * bars.index.nunique():
        said = f"{said.removesuffix('.')}, with: {how_to_make_daily(path, list(bars.columns))}"
    return said
