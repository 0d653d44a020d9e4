"""Numbers of columns of one's own: of any sign, and with cells that are missing."""

from collections.abc import Sequence

import pandas as pd

from stockcast.data.csv.numbers import Numbers, column_numbers, decimal_marks, either_mark, join_cells
from stockcast.data.csv.options import CsvOptions
from stockcast.data.csv.own_header import KNOWN, OWN
from stockcast.data.csv.problems import Problem, setting

_KEY = "data.decimal"
_SHOWN = 500  # cells that show how a file is written
_LARGEST = 1e18  # squares of larger numbers leave no digits of others


def read_own_numbers(cells: pd.DataFrame, *, options: CsvOptions, price_cells: Sequence[str] = ()) -> Numbers:
    """Read own columns.

    Args:
        cells: stripped text of columns called `own:NAME`, indexed by line.
        options: decimal mark; without one it is a point, unless every number of a column may have a decimal comma.
        price_cells: of the bars beside them, some of which may show what the decimal mark is.

    Returns:
        Values by NAME; what is no number, or not above zero where its logarithm is taken, is among the problems.
    """
    shown = [cell for name in cells for cell in cells[name].iloc[:_SHOWN]]
    is_certain = options.decimal is not None or decimal_marks([*price_cells, *shown]) == {"."}
    transforms = {column.name: column.transform for column in options.own}
    values, problems = {}, []
    for key in map(str, cells):
        name, text = key.removeprefix(OWN), cells[key]
        joined = join_cells(text)
        if not is_certain and (doubt := either_mark(text.to_frame(name), [name], joined, options.separator, ())):
            problems.append(doubt)
            values[name] = pd.Series(float("nan"), index=text.index)
            continue
        numbers, wrong = column_numbers(text, joined, decimal=options.decimal or ".", magnitudes=True)
        values[name] = numbers
        lines = text.index[wrong]
        if len(lines) and numbers.notna().sum() == 0:
            why, advice = "a column of text, and an input is a number", _leave_out(name, options)
            problems.append(Problem(line=lines[0], column=name, value=text[lines[0]], why=why, advice=advice))
            continue
        problems += [_no_number(name, line, text[line], options) for line in lines]
        limits = [(numbers.abs() > _LARGEST, f"beyond {_LARGEST:,.0f}", "Give the column in a larger unit.")]
        if transforms.get(name) == "log_change":
            why = "has no logarithm, which the transform log_change takes"
            advice = f"Choose another: --set 'covariates.{name}.transform=change'"
            limits.append((numbers <= 0, why, advice))
        problems += [
            Problem(line=line, column=name, value=text[line], why=why, advice=advice)
            for beyond, why, advice in limits
            for line in text.index[beyond]
        ]
    return Numbers(values=pd.DataFrame(values, index=cells.index, dtype="float64"), problems=problems, notes=[])


def _no_number(name: str, line: int, cell: str, options: CsvOptions) -> Problem:
    key, advice = None, f"Correct the cell, or empty it. {_leave_out(name, options)}"
    if not options.decimal and decimal_marks([cell]) == {","}:
        key, advice = _KEY, f"If the comma is the decimal mark, add {setting(_KEY, ',')}"
    return Problem(line=line, column=name, value=cell, why="not a number", advice=advice, key=key)


def _leave_out(name: str, options: CsvOptions) -> str:
    return f"Leave {KNOWN if name in options.known else OWN}{name} out of the features."
