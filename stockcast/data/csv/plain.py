"""A price file in stockcast's own plain spelling: standard names, ISO dates, decimal points."""

from dataclasses import replace

import numpy as np

from stockcast.data.csv.dates import read_dates
from stockcast.data.csv.numbers import read_numbers
from stockcast.data.csv.options import CsvOptions
from stockcast.data.csv.resample import has_bars_to_join, to_days
from stockcast.data.csv.table import PriceSource, Table, read_table


def plain_rows(source: PriceSource, *, options: CsvOptions) -> list[list[str]]:
    """Return header and rows of a series that `read_prices` has read, so that it reads them to the last bit alike.

    Cells that cannot be read, which may lie outside the days that are used, stay as they are.
    """
    table = source if isinstance(source, Table) else read_table(source, options=options)
    cells, options = table.cells, table.options
    dates = read_dates(cells["Date"], options.date_format).dates
    numbers = read_numbers(cells.drop(columns="Date"), options=options)
    known = numbers.values["Close"].notna() & dates.notna()
    if has_bars_to_join(dates[known], options):
        bars = numbers.values[known]
        daily, _ = to_days(bars, dates.loc[bars.index], cells["Date"].loc[bars.index], source=table.source)
        numbers, dates = replace(numbers, values=daily, problems=[]), dates.loc[daily.index]
    text = numbers.values.map(lambda value: "" if np.isnan(value) else repr(float(value))).astype(object)
    for problem in numbers.problems:
        text.loc[problem.line, str(problem.column)] = str(problem.value)
    text.insert(0, "Date", dates.map("{:%Y-%m-%d}".format))
    return [list(text), *text.to_numpy().tolist()]
