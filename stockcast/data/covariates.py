"""A file of covariates, a date and columns of numbers, becomes own columns of the days of some prices."""

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from stockcast.data.csv.names import spelling
from stockcast.data.csv.options import CsvOptions, OwnColumn
from stockcast.data.csv.own_header import OWN, covariates_options, is_name, read_stated_dates
from stockcast.data.csv.own_numbers import read_own_numbers
from stockcast.data.csv.problems import refuse
from stockcast.data.csv.table import read_table
from stockcast.data.own_columns import OwnColumns, differing_values, join_by_date
from stockcast.data.prices import Prices
from stockcast.errors import DataError, MissingColumns
from stockcast.text import join_words


@dataclass(frozen=True)
class Covariates:
    """A file of covariates.

    Attributes:
        path: of the file.
        sha256: of its bytes.
        values: of the own columns that it has, by name, float64, indexed by date.
        others: names of its other columns.
        notes: how it was read, one sentence each.
    """

    path: Path
    sha256: str
    values: pd.DataFrame
    others: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def join(self, prices: Prices) -> Prices:
        """Return prices with the own columns that this file has for their days; DataError if they have one already."""
        if prices.own is None:
            return prices
        values = join_by_date(self.values, pd.DatetimeIndex(prices.bars.index))
        found = OwnColumns(prices.own.columns, values, self.others, self.path, self.sha256)
        return replace(prices, own=prices.own.joined(found))


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
    return Covariates(path, table.sha256, values, table.other_names, notes)


@dataclass(frozen=True)
class OtherColumn:
    """A column that is no bar.

    Attributes:
        name: in the header.
        first: first of the bars' days that has a value, ISO; None where none has, or the column is no input.
        last: the last such day.
        missing: share of the bars' days that have no value.
        why_not: why the column cannot be an input; None where it can.
    """

    name: str
    first: str | None = None
    last: str | None = None
    missing: float = 1.0
    why_not: str | None = None


def join_all(
    prices: Prices, source: Path | pd.DataFrame, *, options: CsvOptions, covariates: Path | None = None
) -> tuple[list[OtherColumn], Prices]:
    """Read every column of a price file, and of a file of covariates, that is no bar.

    Args:
        prices: as they were read from the file.
        source: that file.
        options: how it was read.
        covariates: None for no such file.

    Returns:
        All of these columns in the order of the files, and the prices with those of numbers as their own columns.

    Raises:
        DataError: the file of covariates cannot be read.
    """
    listed, values = _columns_of(source, prices, options)
    if covariates is not None:
        _check_exists(covariates)
        others, joined = _columns_of(covariates, prices, covariates_options(options))
        listed = [*listed, *others]
        values = pd.concat([values, joined[[name for name in joined if name not in values]]], axis=1)
    columns = tuple(OwnColumn(str(name)) for name in values)
    return listed, replace(prices, own=OwnColumns(columns, values))


def _check_exists(path: Path) -> None:
    if not path.exists():
        message = f"{path}: no such file. Check the path of the file of covariates (data.covariates or --covariates)."
        raise DataError(message, file=path, key="data.covariates")


def _columns_of(
    source: Path | pd.DataFrame, prices: Prices, options: CsvOptions
) -> tuple[list[OtherColumn], pd.DataFrame]:
    """Read all other columns of one file; those of numbers have values on the days of the bars."""
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
    return listed, joined[usable]


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
