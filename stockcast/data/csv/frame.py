"""A DataFrame of daily bars becomes the rows of text of its CSV, so that it goes through the same checks."""

from dataclasses import replace
from datetime import date
from numbers import Number

import pandas as pd

from stockcast.data.csv.header import means_date
from stockcast.data.csv.options import CsvOptions
from stockcast.data.csv.problems import Row, Source


def frame_rows(frame: pd.DataFrame, *, source: Source, options: CsvOptions) -> tuple[list[Row], CsvOptions]:
    """Return the rows that are not blank with their numbers, 0 for the first below the column names, and their options.

    Dates are ISO, in their own time zone. Floats have the shortest text that reads back to the same bits. DataError if
    rows or columns have more levels than those of a table of prices.
    """
    index, names = frame.index, frame.columns
    if index.nlevels > 1 or names.nlevels > 2:
        levels = f"{index.nlevels} levels of rows and {names.nlevels} of columns"
        raise source.error(f"{levels}. Keep one series, with its dates as the index.")
    top = list(map(str, names.get_level_values(0)))
    is_unnamed = index.name is None and not pd.api.types.is_numeric_dtype(index.dtype)
    is_date = isinstance(index, pd.DatetimeIndex) or (is_unnamed and not any(map(means_date, top)))
    label = "Date" if is_date else str(index.name or "")
    if names.nlevels == 2 and not means_date(label):
        raise source.error("columns of two levels, but the index does not hold the dates. Make it the dates.")

    columns = [(label, index.array)] * bool(label)
    columns += [(name, values.array) for name, (_, values) in zip(top, frame.items(), strict=True)]
    header = [[name for name, _ in columns]]
    if names.nlevels == 2:  # as yfinance makes them: the header that pandas writes has three rows
        header = [["", *map(str, names.get_level_values(level))] for level in range(2)]
        header.append([label, *([""] * len(names))])
    if any(isinstance(day, date) for name, values in columns if means_date(name) for day in values[:1]):
        options = replace(options, date_format=None)
    options = replace(options, separator=",")
    cells = [[cell_text(cell, mark=options.decimal or ".") for cell in values] for _, values in columns]
    rows = enumerate([*header, *map(list, zip(*cells, strict=True))], start=-len(header))
    return [(number, row) for number, row in rows if any(map(str.strip, row))], options


def cell_text(cell: object, *, mark: str) -> str:
    """Return a value as a CSV holds it, with a decimal mark: dates in ISO, floats to the last bit."""
    if cell is None or cell is pd.NA or cell is pd.NaT:
        return ""
    if isinstance(cell, date):
        return cell.isoformat()[:10]
    if isinstance(cell, Number):
        return str(cell).replace(".", mark) if cell == cell else ""
    return str(cell)
