"""A file of covariates, a date and columns of numbers, becomes own columns of the days of some prices."""

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from stockcast.data.csv.names import spelling
from stockcast.data.csv.options import CsvOptions, OwnColumn
from stockcast.data.csv.own_header import KNOWN, OWN, covariates_options, is_name, read_stated_dates
from stockcast.data.csv.own_numbers import read_own_numbers
from stockcast.data.csv.problems import refuse
from stockcast.data.csv.table import read_table
from stockcast.data.known_columns import KnownColumns, join_ahead
from stockcast.data.known_days import Upcoming
from stockcast.data.own_columns import OwnColumns, differing_values, join_by_date
from stockcast.data.prices import Prices
from stockcast.errors import ConfigError, DataError, MissingColumns
from stockcast.inputs import located
from stockcast.text import join_words


@dataclass(frozen=True)
class Covariates:
    """A file of covariates.

    Attributes:
        path: of the file.
        sha256: of its bytes.
        values: of the own columns that it has, by name, float64, indexed by date.
        known: likewise of the columns that are known ahead; with the date of every row.
        others: names of all of its columns but the date.
        notes: how it was read, one sentence each.
    """

    path: Path
    sha256: str
    values: pd.DataFrame
    known: pd.DataFrame
    others: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def join(self, prices: Prices) -> Prices:
        """Return prices with the own columns that this file has for their days; DataError if they have one already."""
        days = pd.DatetimeIndex(prices.bars.index)
        own = prices.own or OwnColumns((), pd.DataFrame(index=days))
        found = OwnColumns(own.columns, join_by_date(self.values, days), self.others, self.path, self.sha256)
        return replace(prices, own=own.joined(found))

    def ahead(self, names: tuple[str, ...], upcoming: Upcoming) -> KnownColumns:
        """Return columns that are known ahead, as far as this file has them, as some days know them."""
        dates, values = self.known.index, join_ahead(self.known, upcoming)
        first, last = (dates.min().date(), dates.max().date()) if len(dates) else (None, None)
        return KnownColumns(names, values, upcoming.after(), self.path, first, last, self.others)


def read_covariates(path: Path, *, options: CsvOptions) -> Covariates:
    """Read the own columns of `options` from a file of covariates, which may lack some.

    Args:
        path: a CSV, an Excel workbook or a Parquet file, as `read_prices` takes it. Dates may be ISO whatever
            `options.date_format` is.
        options: as of the price file, whose separator, decimal mark, encoding and format of dates hold here, too.

    Raises:
        DataError: the file cannot be read, or cells are wrong; `problems` has each line, column and value.
        MissingColumns: it has no date.
    """
    _check_exists(path)
    own = [column.name for column in options.own]
    known = options.known
    options = covariates_options(options)
    try:
        table = read_table(path, options=options)
    except DataError as error:
        error.key = error.key or "data.covariates"
        raise
    text = table.cells["Date"]
    days = read_stated_dates(text, options)
    numbers = read_own_numbers(table.cells.drop(columns="Date"), options=table.options)
    # Days to come do not matter: a value is used from its day on.
    problems = [problem for problem in days.problems if pd.isna(days.dates[problem.line])]
    refuse(table.source, [*table.problems, *problems, *numbers.problems])
    refuse(table.source, differing_values(numbers.values, days.dates, text))
    notes = (*table.notes, *([days.note] if days.note else []))
    values = numbers.values.set_index(pd.DatetimeIndex(days.dates, name="Date"))
    return Covariates(
        path, table.sha256, _named(values, own), _named(values, known), others=table.other_names, notes=notes
    )


def _named(values: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    return values[[name for name in names if name in values]]


@dataclass(frozen=True)
class OtherColumn:
    """A column that is no bar.

    Attributes:
        name: in the header.
        first: first of the bars' days that has a value, ISO; None where none has, or the column is no input.
        last: the last such day.
        missing: share of the bars' days that have no value.
        why_not: why the column cannot be an input as of its own day; None where it can.
        ahead: whether it can be one that is known ahead: a column of a file of covariates that is not always the same.
    """

    name: str
    first: str | None = None
    last: str | None = None
    missing: float = 1.0
    why_not: str | None = None
    ahead: bool = False


def join_all(
    prices: Prices,
    source: Path | pd.DataFrame,
    *,
    options: CsvOptions,
    covariates: Path | None = None,
    upcoming: Upcoming | None = None,
) -> tuple[list[OtherColumn], Prices]:
    """Read every column of a price file, and of a file of covariates, that is no bar.

    Args:
        prices: as they were read from the file.
        source: that file.
        options: how it was read.
        covariates: None for no such file.
        upcoming: the session after each day of the prices; None where nothing is known ahead, as of weeks.

    Returns:
        All of these columns in the order of the files, and the prices with those of numbers as their own columns, and
        with those of the file of covariates as known ahead, too.

    Raises:
        DataError: the file of covariates cannot be read.
    """
    listed, values, _ = _columns_of(source, prices, options)
    known = None
    if covariates is not None:
        _check_exists(covariates)
        others, joined, dated = _columns_of(covariates, prices, covariates_options(options))
        values = pd.concat([values, joined[[name for name in joined if name not in values]]], axis=1)
        if upcoming is not None:
            known = Covariates(covariates, "", joined, dated).ahead(tuple(map(str, dated)), upcoming).varying()
            others = [replace(column, ahead=column.name in known.names) for column in others]
        listed = [*listed, *others]
    columns = tuple(OwnColumn(str(name)) for name in values)
    return listed, replace(prices, own=OwnColumns(columns, values), known_columns=known)


def _check_exists(path: Path) -> None:
    if not located(path).exists():
        message = f"{path}: no such file. Check the path of the file of covariates (data.covariates or --covariates)."
        raise DataError(message, file=path, key="data.covariates")


def _columns_of(
    source: Path | pd.DataFrame, prices: Prices, options: CsvOptions
) -> tuple[list[OtherColumn], pd.DataFrame, pd.DataFrame]:
    """Read all other columns of one file; return those that can be inputs by bar, and those of numbers by date."""
    names = [name for name in read_table(source, options=replace(options, own=())).other_names if is_name(name)]
    counts = Counter(map(spelling, names))
    columns = tuple(OwnColumn(name) for name in names if counts[spelling(name)] == 1)
    table = read_table(source, options=replace(options, own=columns))
    days = read_stated_dates(table.cells["Date"], options).dates
    cells = table.cells[[name for name in map(str, table.cells) if name.startswith(OWN)]]
    numbers = read_own_numbers(cells, options=replace(table.options, own=columns))
    values = numbers.values[days.notna()].set_index(pd.DatetimeIndex(days.dropna(), name="Date"))
    joined = join_by_date(values, pd.DatetimeIndex(prices.bars.index))
    problems = {problem.column: problem for problem in reversed(numbers.problems)}
    listed, usable = [], []
    for name in dict.fromkeys(names):
        if counts[spelling(name)] > 1:
            listed.append(OtherColumn(name, why_not="there are several of this name"))
        elif problem := problems.get(name):
            cell = f"{table.source.unit} {problem.line} has {str(problem.value)[:40]!r}"
            listed.append(OtherColumn(name, why_not=f"not numbers: {cell}"))
        elif (known := joined.index[joined[name].notna()]).empty:
            listed.append(OtherColumn(name, why_not="no value on these days"))
        elif joined[name].min() == joined[name].max():
            listed.append(OtherColumn(name, why_not=f"always {joined[name].min():g}"))
        else:
            first, last = (f"{day:%Y-%m-%d}" for day in known[[0, -1]])
            listed.append(OtherColumn(name, first, last, missing=1 - len(known) / len(joined)))
            usable.append(name)
    return listed, joined[usable], values[[name for name in values if name not in problems]]


def check_present(prices: Prices) -> None:
    """Check that every own column is in a file; MissingColumns names those that are not, and what the file has."""
    own = prices.own
    if own is None or not own.missing:
        return
    names = join_words(list(own.missing))
    has = f"There are {', '.join(own.others)}." if own.others else "There are bars only."
    where = f"Neither {prices.source} nor {own.covariates} has a" if own.covariates else f"{prices.source} has no"
    raise MissingColumns(
        f"{where} column {names} that is no bar, and features has "
        f"{', '.join(OWN + name for name in own.missing)}. {has} Add the column, name a file that has it with "
        f"--covariates, or leave it out of features.",
        file=prices.source,
        column=own.missing[0],
        key="features",
        value=", ".join(own.missing),
    )


def not_known_ahead(columns: KnownColumns, prices: Prices, others: Sequence[str]) -> ConfigError:
    """Return the error about a column that is to be known ahead, and that the file of covariates lacks.

    Args:
        columns: one of which is missing.
        prices: of the series.
        others: names of the price file's columns that are no bars.
    """
    name = columns.missing[0]
    near = difflib.get_close_matches(name, columns.others, n=1)
    has = f"It has {join_words(list(columns.others))}" if columns.others else "It has dates alone"
    beside = ""
    if spelling(name) in {spelling(other) for other in (*others, *map(str, prices.bars))}:
        beside = (
            f" {name} of {prices.source.name} is known at the end of its day, and not ahead: {OWN}{name} takes it so."
        )
    return ConfigError(
        f"{columns.file} has no column {name}, and features has {KNOWN}{name}: what is known ahead must be in the file "
        f"of covariates. {has}{f'; perhaps {KNOWN}{near[0]}' if near else ''}.{beside} Add the column to "
        f"{columns.file.name}, or leave {KNOWN}{name} out of features.",
        file=columns.file,
        column=name,
        key="features",
        value=f"{KNOWN}{name}",
    )
