"""A CSV of daily bars becomes `Prices`: checked, sorted, adjusted, with a list of what was mended."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

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
        notes: what was mended or looks odd, one sentence each.
    """

    source: Path
    bars: pd.DataFrame
    quoted: Floats
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
    cells = _read_cells(path)
    dates = _parse_dates(path, cells.pop("Date"), date_format)
    bars = pd.DataFrame({name: _parse_numbers(path, column) for name, column in cells.items()})
    _refuse(path, _impossible(bars))

    notes = []
    unusable = bars["Close"].isna()
    if unusable.any():
        notes.append(f"{_count(unusable, 'row')} without a close dropped")
    bars, dates = bars[~unusable], dates[~unusable]
    notes += _mend(bars)

    if not dates.is_monotonic_increasing:
        notes.append("rows were not oldest first; sorted by date")
    bars = bars.set_index(pd.DatetimeIndex(dates, name="Date")).sort_index(kind="stable")
    notes += _drop_repeats(path, bars)
    bars = bars[~bars.index.duplicated()]
    bars = bars[(bars.index >= pd.Timestamp(start or date.min)) & (bars.index <= pd.Timestamp(end or date.max))]
    if bars.empty:
        raise DataError(f"{path}: no day with a close between {start or 'the first row'} and {end or 'the last row'}.")

    quoted = bars["Close"].to_numpy(dtype=np.float64)
    if adjusted and "Adj Close" in bars:
        factor = bars["Adj Close"] / bars["Close"]
        for column in ("Open", "High", "Low", "Close"):
            if column in bars:
                bars[column] *= factor
    return Prices(source=path, bars=bars, quoted=quoted, notes=tuple(notes))


def _read_cells(path: Path) -> pd.DataFrame:
    """All cells as text under their standard column names; the index is the line number in the file."""
    try:
        cells = pd.read_csv(
            path, dtype=str, keep_default_na=False, encoding="utf-8-sig", skip_blank_lines=False, index_col=False
        )
    except FileNotFoundError:
        raise DataError(f"{path}: no such file. Check the path (data.path in the config, or --data).") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text ({error.reason}). Save it as CSV in UTF-8.") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        reason = str(error).strip().removeprefix("Error tokenizing data. C error: ")
        raise DataError(
            f"{path}: not a CSV of prices: {reason}. Expected a line of column names, Date and Close among them, then "
            f"one line a day with as many cells."
        ) from error

    cells.index = cells.index + 2  # line 1 is the header
    standard = {name.lower().replace(" ", ""): name for name in ("Date", *COLUMNS)}
    found = [standard.get(str(name).strip().lower().replace(" ", "").replace("_", "")) for name in cells.columns]
    known = [name for name in found if name]
    for column in ("Date", "Close"):
        if column not in known:
            raise MissingColumns(
                f"{path}, line 1: no column {column}; found {', '.join(map(str, cells.columns))[:200]}. "
                f"A price file needs at least Date and Close."
            )
    repeated = {name for name in known if known.count(name) > 1}
    if repeated:
        raise DataError(f"{path}, line 1: column {', '.join(sorted(repeated))} stands twice. Keep one of them.")
    cells = cells.loc[:, [name is not None for name in found]].set_axis(known, axis=1)
    cells = cells.apply(lambda column: column.fillna("").str.strip())
    filled = (cells != "").any(axis=1)
    kept: pd.DataFrame = cells.loc[filled]
    return kept


def _parse_dates(path: Path, text: pd.Series, date_format: str | None) -> pd.Series:
    """Dates of all rows, or a DataError that names the lines that are none."""
    dates = pd.to_datetime(text, format=date_format or "%Y-%m-%d", errors="coerce")
    advice = (
        f"expected {date_format}" if date_format else "expected 2018-12-31; for another format set data.date_format"
    )
    _refuse(path, ((line, "Date", text[line], advice) for line in dates.index[dates.isna()]))
    today = pd.Timestamp.today().normalize()
    _refuse(path, ((line, "Date", text[line], "lies in the future") for line in dates.index[dates > today]))
    return dates.dt.normalize()


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
        # A zero is a vendor's word for "missing" and is mended, not compared.
        inverted = (bars["High"] < bars["Low"] * (1 - _ROUNDING)) & (bars["High"] > 0)
        for line in bars.index[inverted]:
            yield line, "High", bars["High"][line], f"below the day's low of {bars['Low'][line]}"


def _mend(bars: pd.DataFrame) -> list[str]:
    """Turn vendors' stand-ins for "unknown" into NaN, in place; say what was mended and what looks odd."""
    notes = []
    for column in ("Open", "High", "Low", "Volume"):
        if column in bars:
            zero = bars[column] <= 0
            bars.loc[zero, column] = np.nan
            if zero.any():
                notes.append(f"{_count(zero, 'row')} with {column} of zero or less, counted as missing")
    if {"High", "Low"} <= set(bars.columns):
        for column in {"Open", "Close"} & set(bars.columns):
            outside = (bars[column] > bars["High"] * (1 + _ROUNDING)) | (bars[column] < bars["Low"] * (1 - _ROUNDING))
            if outside.any():
                notes.append(f"{_count(outside, 'row')} with {column} outside the day's low to high, kept")
    return sorted(notes)


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
            f"{path}: {len(days)} days stand twice with different values: {', '.join(days[:_PROBLEMS_SHOWN])}. "
            f"Keep one row a day; intraday bars must be made daily first."
        )
    return [f"{int(bars.index.duplicated().sum())} repeated rows dropped"]


def _refuse(path: Path, problems: Iterator[Problem]) -> None:
    """Raise one DataError for all problems, if there are any."""
    found = list(problems)
    if found:
        lines = [f"{path}, line {line}, {column} {str(value)[:40]!r}: {why}." for line, column, value, why in found]
        more = len(lines) - _PROBLEMS_SHOWN
        raise DataError("\n".join(lines[:_PROBLEMS_SHOWN]) + (f"\n... and {more} more." if more > 0 else ""))


def _count(mask: pd.Series, noun: str) -> str:
    number = int(mask.sum())
    return f"{number} {noun}{'s' if number != 1 else ''}"
