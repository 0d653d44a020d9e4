"""A price file in stockcast's own plain spelling: standard names, ISO dates, decimal points."""

from dataclasses import replace

import numpy as np
import pandas as pd

from stockcast.data.csv.numbers import Numbers, read_numbers
from stockcast.data.csv.options import CsvOptions
from stockcast.data.csv.own_header import OWN, read_stated_dates
from stockcast.data.csv.own_numbers import read_own_numbers
from stockcast.data.csv.resample import has_bars_to_join, to_days
from stockcast.data.csv.table import PriceSource, Table, read_table


def plain_rows(source: PriceSource, *, options: CsvOptions) -> list[list[str]]:
    """Return header and rows of a series that `read_prices` has read, so that it reads them to the last bit alike.

    Own columns are called `own:NAME`, also those of a file of covariates (`options.is_covariates`).

    Cells that cannot be read, which may lie outside the days that are used, stay as they are.
    """
    table = source if isinstance(source, Table) else read_table(source, options=options)
    cells, options = table.cells, table.options
    dates = read_stated_dates(cells["Date"], options).dates
    numbers = _all_numbers(cells.drop(columns="Date"), options)
    known = dates.notna() if options.is_covariates else numbers.values["Close"].notna() & dates.notna()
    if has_bars_to_join(dates[known], options):
        bars = numbers.values[known]
        written = cells["Date"].loc[bars.index]
        daily, days, _ = to_days(bars, dates.loc[bars.index], written, source=table.source, calendar=options.calendar)
        numbers, dates = replace(numbers, values=daily, problems=[]), days
    text = numbers.values.map(lambda value: "" if np.isnan(value) else repr(float(value))).astype(object)
    for problem in numbers.problems:
        text.loc[problem.line, str(problem.column)] = str(problem.value)
    text.insert(0, "Date", dates.map("{:%Y-%m-%d}".format))
    return [list(text), *text.to_numpy().tolist()]


def _all_numbers(cells: pd.DataFrame, options: CsvOptions) -> Numbers:
    """Read bars and own columns, each under its name in `cells`."""
    names = [name for name in map(str, cells) if name.startswith(OWN)]
    bars = cells.drop(columns=names)
    own = read_own_numbers(cells[names], options=options, price_cells=bars.iloc[:500].to_numpy().ravel().tolist())
    problems = [replace(problem, column=f"{OWN}{problem.column}") for problem in own.problems]
    if options.is_covariates:
        return Numbers(values=own.values.add_prefix(OWN), problems=problems, notes=[])
    numbers = read_numbers(bars, options=options)
    values = pd.concat([numbers.values, own.values.add_prefix(OWN)], axis=1)
    return Numbers(values=values, problems=[*numbers.problems, *problems], notes=[])
