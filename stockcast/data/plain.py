"""A price file in stockcast's own plain spelling: standard names, ISO dates, decimal points."""

from pathlib import Path

import numpy as np

from stockcast.data.dates import read_dates
from stockcast.data.numbers import read_numbers
from stockcast.data.reading import Reading
from stockcast.data.table import read_table


def plain_rows(path: Path, *, reading: Reading) -> list[list[str]]:
    """Return header and rows of a file that `read_prices` has read, so that it reads them to the last bit alike.

    Cells that cannot be read, which may lie outside the days that are used, stay as they are.

    Raises:
        DataError: as `read_table`.
    """
    cells = read_table(path, reading=reading).cells
    dates = read_dates(cells["Date"], reading.date_format).dates
    read = read_numbers(cells.drop(columns="Date"), decimal=reading.decimal, separator=reading.separator)
    wrong = {(problem.line, problem.column) for problem in read.problems}
    columns = [[f"{day:%Y-%m-%d}" for day in dates]]
    for name in map(str, read.values):
        columns.append(
            [
                str(cells.loc[line, name]) if (line, name) in wrong else "" if np.isnan(number) else repr(float(number))
                for line, number in zip(cells.index, read.values[name], strict=True)
            ]
        )
    return [["Date", *map(str, read.values)], *map(list, zip(*columns, strict=True))]
