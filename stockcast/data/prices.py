"""A CSV or a DataFrame of daily bars becomes `Prices`: checked, sorted, adjusted, with a list of what was repaired."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from stockcast.data.csv.dates import read_dates
from stockcast.data.csv.names import PRICE_COLUMNS
from stockcast.data.csv.numbers import Numbers, read_numbers
from stockcast.data.csv.options import CsvOptions, series_name, ticker_name
from stockcast.data.csv.own_header import OWN
from stockcast.data.csv.own_numbers import read_own_numbers
from stockcast.data.csv.problems import Source, refuse
from stockcast.data.csv.resample import has_bars_to_join, to_days
from stockcast.data.csv.table import PriceSource, Table, read_table
from stockcast.data.known_columns import KnownColumns
from stockcast.data.own_columns import OwnColumns, differing_values, join_by_date
from stockcast.data.repairs import differing_repeats, impossible, leave_out, merge_last_day, repair
from stockcast.errors import DataError, MissingColumns
from stockcast.frequency import DAILY, Frequency
from stockcast.text import plural
from stockcast.typing import Dates, Days, Floats

_SHOWN = 500  # rows whose prices may show the decimal mark

PLAIN = CsvOptions()
"""Options of a file that needs none."""


@dataclass(frozen=True)
class Prices:
    """Bars of one series, oldest first, one row a day, week or month.

    Attributes:
        source: the file; of a DataFrame its name.
        bars: columns out of `csv.names.COLUMNS`, float64, indexed by date; prices in the file's own currency, adjusted
            for splits and dividends where asked. `Close` is never missing; another cell may be NaN.
        quoted: the closes as the exchange printed them (unadjusted), shape (days,).
        sha256: of the file's bytes, or of the DataFrame's CSV.
        notes: what was repaired or is suspicious, one sentence each.
        later: rows of the source after the last day that was asked for.
        name: for titles and paths, `SP500`: the file's name without its ending, or the DataFrame's whole name.
        ticker: the series in the file, where one was chosen or all were read, and of several that were joined the last
            one; else empty.
        frequency: of the bars: daily, weekly or monthly.
        own: columns of one's own that were asked for, which are no bars; None where there are none.
        known: what is known of the next session, by feature, see `known_days`; None where no feature needs it.
        known_columns: columns of a file of covariates that are known ahead; None where no feature is one.
    """

    source: Path
    bars: pd.DataFrame
    quoted: Floats
    sha256: str
    notes: tuple[str, ...] = ()
    later: int = 0
    name: str = ""
    ticker: str = ""
    frequency: Frequency = DAILY
    own: OwnColumns | None = None
    known: pd.DataFrame | None = None
    known_columns: KnownColumns | None = None

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", series_name(self.source))

    @property
    def label(self) -> str:
        """The series as messages and tables name it: its file, or where a file of several was read, `T1.csv`."""
        return self.source.name if self.name == series_name(self.source) else f"{self.name}{self.source.suffix}"

    @property
    def title(self) -> str:
        """The file as errors name it, and the series if the file has several: `all.csv (GE)`."""
        return f"{self.source} ({self.ticker})" if self.ticker else str(self.source)

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
        return replace(self.with_rows(slice(days)), later=later)

    def between(self, first: date | None, last: date | None) -> "Prices":
        """Return the same series without the bars before `first` and after `last`; DataError if there are no others."""
        until = self if last is None else self.until(last)
        rows = slice(int(np.searchsorted(until.dates, np.datetime64(first or date.min))), None)
        if not len(until.bars.iloc[rows]):
            raise _no_days(Source(self.source), first, last)
        return until.with_rows(rows)

    def with_rows(self, rows: slice | Days) -> "Prices":
        """Return the same series with these rows alone."""
        own = None if self.own is None else self.own.with_rows(rows)
        known = None if self.known is None else self.known.iloc[rows]
        columns = None if self.known_columns is None else self.known_columns.with_rows(rows)
        bars, quoted = self.bars.iloc[rows], self.quoted[rows]
        return replace(self, bars=bars, quoted=quoted, own=own, known=known, known_columns=columns)

    def without(self, columns: Sequence[str]) -> "Prices":
        """Return the same series as if none of its days had a value in these columns; it need not have them."""
        return replace(self, bars=self.bars.assign(**dict.fromkeys(columns, np.nan))) if columns else self

    def closes_sha256(self, *, first: str, before: date) -> str:
        """Return a hash of dates and closes from `first` (ISO) on, up to the day before `before`.

        A newer file of one series has the same, unless its prices were adjusted anew since, which stored scales do not
        fit. Closes count to seven digits, as vendors' downloads differ in the last ones.
        """
        dates, closes = self.dates, self.column("Close").astype(np.float32)
        chosen = (dates >= np.datetime64(first or "0001-01-01")) & (dates < np.datetime64(before))
        content = dates[chosen].astype(np.int64).tobytes() + closes[chosen].tobytes()
        return hashlib.sha256(content).hexdigest()

    def content_sha256(self, *, first: str = "", last: str = "") -> str:
        """Return a hash of dates, prices and columns of one's own, from `first` to `last` (ISO), of all days without.

        Two files have the same if they hold the same, whatever they are called and written in; numbers count to seven
        digits.
        """
        days = self.between(date.fromisoformat(first or "0001-01-01"), date.fromisoformat(last or "9999-12-31"))
        tables = [days.bars.assign(quoted=days.quoted)]
        tables += [joined.values for joined in (days.own, days.known_columns) if joined is not None]
        content = [days.dates.astype(np.int64).tobytes()]
        for table in tables:
            names = sorted(map(str, table.columns))
            content += [repr(names).encode(), table[names].to_numpy(dtype=np.float32).tobytes()]
        return hashlib.sha256(b"".join(content)).hexdigest()

    def complete(self, names: Sequence[str]) -> Floats:
        """Return price columns, shape (days, columns); DataError if one of them is missing or has missing values."""
        self.require(names)
        values = self.bars[list(names)].to_numpy(dtype=np.float64)
        missing = np.isnan(values)
        if missing.any():
            counts = {name: int(gaps.sum()) for name, gaps in zip(names, missing.T, strict=True) if gaps.any()}
            gaps = ", ".join(f"{self.frequency.count(number)} without {name}" for name, number in counts.items())
            first = str(self.dates[missing.any(axis=1)][0])
            advice = "Forecast other columns (target in the config), or set data.start after the last of them."
            message = f"{self.title}: {gaps}, the first {first}. {advice}"
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
                f"{self.title} has no column {', '.join(missing)}; it has {', '.join(self.bars.columns)}. Choose "
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
            for standard input; or a DataFrame whose dates are its index or a column; `attrs["name"]` is its name; or a
            series of either as `read_tables` returns it.
        options: how the file is written; of what `read_tables` returned they are known.
        start: first day to keep, inclusive; what lies outside is neither checked nor repaired.
        end: last day to keep, inclusive.
        adjusted: multiply open, high, low and close by Adj Close / Close where there is one.

    Raises:
        DataError: the file cannot be read, or cells are wrong; `problems` has each line, column and value.
        MissingColumns: no date or no close.
    """
    table = source if isinstance(source, Table) else read_table(source, options=options)
    days = read_dates(table.cells["Date"], table.options.date_format, frequency=table.options.frequency)
    after = days.dates > pd.Timestamp(end or date.max)
    inside = (days.dates >= pd.Timestamp(start or date.min)) & ~after
    kept = inside | days.dates.isna()  # a row whose date cannot be read may lie inside
    cells = (table.cells if kept.all() else table.cells.loc[kept]).drop(columns="Date")
    own_names = [name for name in map(str, cells) if name.startswith(OWN)]
    bar_cells = cells.drop(columns=own_names) if own_names else cells
    numbers = read_numbers(bar_cells, options=table.options, other_cells=table.other_cells)
    problems = [*table.problems, *(problem for problem in days.problems if kept[problem.line])]
    own_days = days.dates[inside]
    if own_names and has_bars_to_join(own_days, table.options):  # several rows a day have no one value
        name = own_names[0].removeprefix(OWN)
        message = f"data.resample puts bars together, but not {name}. Put it into its own file (data.covariates)."
        raise table.source.error(message, column=name, key="data.resample", value=table.options.resample)
    own_values = pd.DataFrame(index=own_days.index)
    if own_names:
        own = _read_own(table, cells, own_names)
        own_values = own.values[inside[own.values.index]]
        problems += [*own.problems, *differing_values(own_values, own_days, table.cells["Date"])]
    adjusting = adjusted and "Adj Close" in numbers.values
    values, left_out = leave_out(numbers.values, days.dates, adjusting=adjusting)
    problems += [*numbers.problems, *impossible(values, adjusting=adjusting)]

    bars, dates = values[inside[values.index]], days.dates[values.index][inside[values.index]]
    notes = [*table.notes, *([days.note] if days.note else []), *numbers.notes, *left_out]
    for column in ("Close", "Adj Close") if adjusting else ("Close",):
        unusable = bars[column].isna()
        if unusable.any():
            notes.append(f"{plural(unusable.sum(), 'row')} without {column} dropped")
            bars, dates = bars[~unusable], dates[~unusable]
    notes += repair(bars)
    if not problems and has_bars_to_join(dates, table.options):
        text = table.cells["Date"].loc[bars.index]
        is_cut = bool((days.dates < pd.Timestamp(start or date.min)).any())
        bars, dates, note = to_days(
            bars, dates, text, source=table.source, calendar=table.options.calendar, is_cut=is_cut
        )
        until = dates <= pd.Timestamp(end or date.max)  # the evening of the last day is of the session after it
        bars, dates, notes = bars[until], dates[until], [*notes, note]
    if not dates.is_monotonic_increasing:
        notes.append("rows were not oldest first; sorted by date")
    bars, dates, merged = merge_last_day(bars, dates)
    notes += merged
    refuse(table.source, [*problems, *differing_repeats(table.source, bars, dates, table.cells["Date"])])

    bars = bars.set_index(pd.DatetimeIndex(dates, name="Date")).sort_index(kind="stable")
    if repeated := bars.index.duplicated().sum():
        notes.append(f"{plural(repeated, 'repeated row')} dropped")
    bars = bars[~bars.index.duplicated()]
    if bars.empty:
        raise _no_days(table.source, start, end)

    quoted = bars["Close"].to_numpy(dtype=np.float64)
    if adjusting:
        factor = bars["Adj Close"].to_numpy() / quoted
        prices = [name for name in ("Open", "High", "Low", "Close") if name in bars]
        bars = bars.assign(**{name: bars[name].to_numpy() * factor for name in prices})
        quoted, bars = quoted.copy(), bars.copy()  # as views of some columns they would keep all as they were read
    chosen = () if table.options.takes_all else table.options.tickers
    ticker = table.ticker or (chosen[-1] if chosen else "")
    return Prices(
        source=table.source.path,
        bars=bars,
        quoted=quoted,
        sha256=table.sha256,
        notes=tuple(notes),
        later=int(after.sum()),
        name=ticker_name(ticker) or (table.source.path.name if table.source.is_frame else ""),
        ticker=ticker,
        own=_own_columns(table, own_values, own_days, pd.DatetimeIndex(bars.index)),
    )


def _own_columns(table: Table, values: pd.DataFrame, dates: pd.Series, days: pd.DatetimeIndex) -> OwnColumns | None:
    """Return the own columns on the days of the bars; None where none is asked for."""
    columns = table.options.own
    return OwnColumns(columns, join_by_date(values.set_index(dates), days), table.other_names) if columns else None


def _read_own(table: Table, cells: pd.DataFrame, own_names: Sequence[str]) -> Numbers:
    """Read own columns beside the bars."""
    prices = [column for column in PRICE_COLUMNS if own_names and column in cells]
    shown = [cell for column in prices for cell in cells[column].iloc[:_SHOWN]]
    return read_own_numbers(cells[own_names], options=table.options, price_cells=shown)


def _no_days(source: Source, start: date | None, end: date | None) -> DataError:
    if start or end:
        span = f"between {start or 'the first row'} and {end or 'the last row'}"
        return source.error(f"no row with a close {span}. Change data.start and data.end.", key="data.start")
    again = "" if source.is_frame else " Download it again."
    return source.error(f"it has columns, but no row with a close.{again}", column="Close")
