"""A CSV of daily bars becomes `Prices`: checked, sorted, adjusted, with a list of what was mended."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stockcast.data.csvfile import Rows, counted, read_rows
from stockcast.errors import DataError, MissingColumns
from stockcast.forecast import Dates, Floats

PRICE_COLUMNS = ("Open", "High", "Low", "Close", "Adj Close")
COLUMNS = (*PRICE_COLUMNS, "Volume")

_MISSING = frozenset({"", "null", "nan", "na", "n/a", "none", "-"})
_THOUSANDS = r"^\d{1,3}(,\d{3})+(\.\d*)?$"
_ROUNDING = 1e-4  # vendors round each column on its own, so a close may leave the range by this much
_PROBLEMS_SHOWN = 10

Problem = tuple[Any, Any, object, str]
"""Line in the file, column, the value found there, what is wrong with it."""


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
    """

    source: Path
    bars: pd.DataFrame
    quoted: Floats
    sha256: str
    notes: tuple[str, ...] = ()

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

    def complete(self, name: str) -> Floats:
        """Return a price column without gaps, shape (days,).

        Raises:
            MissingColumns: the file has no such column.
            DataError: some of its values are missing.
        """
        values = self.column(name)
        if (missing := np.isnan(values)).any():
            raise DataError(
                f"{self.source}: {counted(missing.sum(), 'day')} without {name}, the first {self.dates[missing][0]}. "
                f"Forecast another column (target.column), or set data.start after the last of them."
            )
        return values

    def column(self, name: str) -> Floats:
        """Return one column, shape (days,), in price units.

        Raises:
            MissingColumns: the file has no such column.
        """
        self.require([name])
        return self.bars[name].to_numpy(dtype=np.float64)

    def require(self, columns: list[str]) -> None:
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
    date_format: str | None = None,
    start: date | None = None,
    end: date | None = None,
    adjusted: bool = True,
) -> Prices:
    """Read a Yahoo-style CSV: `Date` and `Close`, and any of Open, High, Low, Adj Close, Volume, in any order.

    Args:
        path: the file.
        date_format: strptime format of the dates; None means ISO, 2018-12-31.
        start: first day to keep, inclusive.
        end: last day to keep, inclusive.
        adjusted: multiply open, high, low and close by Adj Close / Close where the file has it.

    Raises:
        DataError: the file cannot be read, or cells are wrong; names each line, column and value.
        MissingColumns: no `Date` or no `Close`.
    """
    rows = read_rows(path)
    cells = _known_cells(path, rows)
    dates = _parse_dates(path, cells.pop("Date"), date_format)
    kept = (dates >= pd.Timestamp(start or date.min)) & (dates <= pd.Timestamp(end or date.max))
    cells, dates = cells[kept], dates[kept]  # what lies outside is neither checked nor mended
    bars = pd.DataFrame({name: _parse_numbers(path, column) for name, column in cells.items()})
    _refuse(path, _impossible(bars))

    notes = []
    adjusting = adjusted and "Adj Close" in bars
    for column in ("Close", "Adj Close") if adjusting else ("Close",):
        unusable = bars[column].isna()
        if unusable.any():
            notes.append(f"{counted(unusable.sum(), 'row')} without {column} dropped")
        bars, dates = bars[~unusable], dates[~unusable]
    notes += _mend(bars)

    if not dates.is_monotonic_increasing:
        notes.append("rows were not oldest first; sorted by date")
    bars = bars.set_index(pd.DatetimeIndex(dates, name="Date")).sort_index(kind="stable")
    notes += _drop_repeats(path, bars)
    bars = bars[~bars.index.duplicated()]
    if bars.empty:
        raise DataError(f"{path}: no day with a close between {start or 'the first row'} and {end or 'the last row'}.")

    quoted = bars["Close"].to_numpy(dtype=np.float64)
    if adjusting:
        factor = bars["Adj Close"] / bars["Close"]
        for column in ("Open", "High", "Low", "Close"):
            if column in bars:
                bars[column] *= factor
    return Prices(source=path, bars=bars, quoted=quoted, sha256=rows.sha256, notes=tuple(notes))


def _known_cells(path: Path, rows: Rows) -> pd.DataFrame:
    """All cells as text under their standard column names; the index is the line number in the file."""
    lines, header = rows.lines, [name.strip() for name in rows.cells[0]]
    standard = {name.lower().replace(" ", ""): name for name in ("Date", *COLUMNS)}
    found = [standard.get(name.lower().replace(" ", "").replace("_", "")) for name in header]
    known = [name for name in found if name]
    lacking = [column for column in ("Date", "Close") if column not in known]
    if lacking:
        raise MissingColumns(
            f"{path}, line {lines[0]}: no column {' or '.join(lacking)}; found {', '.join(header)[:200]}. "
            + ("It is not a CSV of prices, which needs at least these." if len(lacking) == 2 else "It needs both.")
        )
    repeated = sorted({name for name in known if known.count(name) > 1})
    if repeated:
        raise DataError(f"{path}, line {lines[0]}: column {', '.join(repeated)} stands twice. Keep one of them.")
    places = [place for place, name in enumerate(found) if name]
    return pd.DataFrame(
        [[row[place].strip() for place in places] for row in rows.cells[1:]], columns=known, index=lines[1:]
    )


def _parse_dates(path: Path, text: pd.Series, date_format: str | None) -> pd.Series:
    """Dates of all rows, or a DataError that names the lines that are none."""
    if date_format is None:
        dates = pd.to_datetime(text, format="%Y-%m-%d", errors="coerce")
        advice = "expected 2018-12-31; for another format set data.date_format"
    else:
        dates = pd.to_datetime(text.map(lambda cell: _strptime(cell, date_format)))
        advice = f"not a date by data.date_format {date_format!r}"
    _refuse(path, ((line, "Date", text[line], advice) for line in dates.index[dates.isna()]))
    today = pd.Timestamp.today().normalize()
    _refuse(path, ((line, "Date", text[line], "lies in the future") for line in dates.index[dates > today]))
    return dates.dt.normalize()


def _strptime(cell: str, date_format: str) -> datetime | None:
    """The date of one cell, on the exchange's own clock: a time zone (%z) is read and left out."""
    try:
        return datetime.strptime(cell, date_format).replace(tzinfo=None)
    except (ValueError, re.error):  # re.error: a format such as %d/%d
        return None


def _parse_numbers(path: Path, text: pd.Series) -> pd.Series:
    """Numbers of one column, NaN where the cell says so, or a DataError that names the cells that are none."""
    missing = text.str.lower().isin(_MISSING)
    plain = text.where(~text.str.match(_THOUSANDS), text.str.replace(",", ""))
    numbers = pd.to_numeric(plain.mask(missing), errors="coerce").astype(np.float64)
    wrong = (numbers.isna() & ~missing) | np.isinf(numbers)
    _refuse(path, ((line, text.name, text[line], "not a number") for line in numbers.index[wrong]))
    return numbers


def _impossible(bars: pd.DataFrame) -> Iterator[Problem]:
    """What no exchange can have printed: (line, column, value, why)."""
    for column in ("Close", "Adj Close"):
        if column in bars:
            for line in bars.index[bars[column] <= 0]:
                yield line, column, bars[column][line], "a close must be above zero"
    if {"High", "Low"} <= set(bars.columns):
        # A zero is a vendor's word for "missing", and old bars without an open often have no true range: both mended.
        for line in bars.index[_inverted(bars) & (bars["High"] > 0) & ~_without_open(bars)]:
            yield line, "High", bars["High"][line], f"below the day's low of {bars['Low'][line]}"


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
            bars.loc[zero, column] = np.nan
            if zero.any():
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


def _drop_repeats(path: Path, bars: pd.DataFrame) -> list[str]:
    """Say how many days stand twice with the same values; refuse days with two different ones."""
    repeated = bars.index.duplicated(keep=False)
    if not repeated.any():
        return []
    twice = bars[repeated]
    differing = twice.groupby(level=0).nunique(dropna=False).gt(1).any(axis=1)
    if differing.any():
        days = [f"{day:%Y-%m-%d}" for day in differing.index[differing]]
        raise DataError(
            f"{path}: {counted(len(days), 'day')} more than once with different values: "
            f"{', '.join(days[:_PROBLEMS_SHOWN])}. Keep one row a day; intraday bars must be made daily first."
        )
    return [f"{counted(bars.index.duplicated().sum(), 'repeated row')} dropped"]


def _refuse(path: Path, problems: Iterator[Problem]) -> None:
    """Raise one DataError for all problems, if there are any."""
    found = list(problems)
    if found:
        lines = [f"{path}, line {line}, {column} {str(value)[:40]!r}: {why}." for line, column, value, why in found]
        more = len(lines) - _PROBLEMS_SHOWN
        raise DataError("\n".join(lines[:_PROBLEMS_SHOWN]) + (f"\n... and {more} more." if more > 0 else ""))
