"""Columns of numbers in a vendor's spelling."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stockcast.data.csv.names import PRICE_COLUMNS
from stockcast.data.csv.options import CsvOptions
from stockcast.data.csv.problems import Problem, setting
from stockcast.typing import Floats

_MISSING = frozenset({"", "null", "nan", "na", "n/a", "#n/a", "none", "-", "--", "."})
_NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,4})?"
# Groups of thousands begin with no zero: 0,203 is a fifth with a decimal comma.
_WESTERN = r"[-+]?[1-9][0-9]{0,2}(?:,[0-9]{3}){1,}(?:\.[0-9]*)?"
_INDIAN = r"[-+]?[1-9][0-9]?(?:,[0-9]{2})*,[0-9]{3}(?:\.[0-9]*)?"
_SPACED = r"[-+]?[1-9][0-9]{0,2}(?:[\s'\u2019][0-9]{3}){1,}(?:\.[0-9]*)?"
_SIGNS = "$€£"
_MAGNITUDES = {"k": "e3", "m": "e6", "b": "e9"}
_IN_PLAIN = b"0123456789.+-\n"  # no more stands in nearly all columns
_SHOWN = 500  # cells that show how a column is written
# A mark that cannot group thousands: not three digits after it, none before it but a zero, or the other mark before it;
# or the other mark twice, which then groups them.
_CERTAIN = {
    mark: re.compile(
        rf"[-+$€£]?\s*(?:(?:[0-9]+|[0-9]{{1,3}}(?:[{other}\s'\u2019][0-9]{{3}})+)[{mark}](?:[0-9]{{1,2}}|[0-9]{{4,}})"
        rf"|0?[{mark}][0-9]+|[0-9]{{4,}}[{mark}][0-9]{{3}}|[0-9]{{1,3}}(?:[{other}\s'\u2019][0-9]{{3}})+[{mark}][0-9]{{3}}"
        rf"|[0-9]{{1,3}}(?:[{other}][0-9]{{2,3}})+[{other}][0-9]{{3}})"
        r"\s*[%KMBkmb$€£]?"
    )
    for mark, other in ((",", "."), (".", ","))
}
_FAR_ABOVE = 50  # times
_SWAPPED = str.maketrans(",.", ".,")
_KEY = "data.decimal"


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """Numbers of all columns.

    Attributes:
        values: float64, NaN where a cell is missing or not a number; indexed as the text was.
        problems: cells that are not a number.
        notes: what was left out of the cells.
    """

    values: pd.DataFrame
    problems: list[Problem]
    notes: list[str]


def read_numbers(cells: pd.DataFrame, *, options: CsvOptions, other_cells: Sequence[str] = ()) -> Numbers:
    """Read columns of numbers.

    Args:
        cells: stripped text under standard names, indexed by line.
        options: decimal mark; without one it is a point, unless every price may be written with a decimal comma too.
        other_cells: of columns that are not read: a decimal comma there, as in `0,12%`, makes a point doubtful.
    """
    prices = [name for name in PRICE_COLUMNS if name in cells]
    texts = {name: join_cells(cells[name]) for name in map(str, cells)}
    plain, sign = _without_currency(cells, prices, "".join(texts[name] for name in prices))
    if sign:
        texts |= {name: join_cells(plain[name]) for name in prices}
    joined = "".join(texts[name] for name in prices)
    if not options.decimal and (problem := either_mark(plain, prices, joined, options.separator, other_cells)):
        unknown = pd.DataFrame(np.nan, index=cells.index, columns=cells.columns)
        return Numbers(values=unknown, problems=[problem], notes=[])
    problems: list[Problem] = []
    values = {}
    for name in texts:
        text = plain[name]
        values[name], wrong = column_numbers(
            text, texts[name], decimal=options.decimal or ".", magnitudes=name == "Volume"
        )
        for line in text.index[wrong]:
            key, advice = None, "Correct the cell, or empty it."
            if not options.decimal and decimal_marks([text[line]]) == {","}:
                key, advice = _KEY, f"If the comma is the decimal mark, add {setting(_KEY, ',')}"
            value = cells.loc[line, name]
            problems.append(Problem(line=line, column=name, value=value, why="not a number", advice=advice, key=key))
    notes = [f"every price has the sign {sign}, left out"] if sign else []
    return Numbers(values=pd.DataFrame(values, index=cells.index), problems=problems, notes=notes)


def decimal_marks(cells: Iterable[str]) -> set[str]:
    """Return the marks, point or comma, that can only be the decimal mark in some cell: as in `0,12%` or `1.049,62`."""
    return {mark for cell in set(cells) for mark, certain in _CERTAIN.items() if certain.fullmatch(cell.strip())}


def column_numbers(text: pd.Series, joined: str, *, decimal: str, magnitudes: bool) -> tuple[pd.Series, pd.Series]:
    """Numbers of one column, and where a cell is not one; `joined` is what `join_cells` makes of it."""
    if decimal == "." and (plain_numbers := _plain_numbers(joined)) is not None:
        return pd.Series(plain_numbers, index=text.index), pd.Series(False, index=text.index)
    missing = text.str.lower().isin(_MISSING)
    plain = text.str.translate(_SWAPPED) if decimal == "," else text
    exponent = pd.Series("", index=text.index, dtype="str")
    if magnitudes:  # 33.91M as text "33.91e6", whose float is exactly 33,910,000
        letter = plain.str.extract("([KkMmBb])$")[0].str.lower()
        exponent = letter.map(_MAGNITUDES).fillna("").astype("str")
        plain = plain.str.replace(r"\s*[KkMmBb]$", "", regex=True)
    grouped = plain.str.fullmatch(f"{_WESTERN}|{_INDIAN}|{_SPACED}")
    plain = plain.where(~grouped, plain.str.replace(r"[,\s'\u2019]", "", regex=True))
    written = plain.str.fullmatch(_NUMBER) & ~missing
    numbers = pd.to_numeric((plain + exponent).where(written), errors="coerce").astype(np.float64)
    infinite = np.isinf(numbers)  # 1e400
    return numbers.mask(infinite), (numbers.isna() & ~missing) | infinite


def _plain_numbers(joined: str) -> Floats | None:
    """Numbers of cells that all are digits with a point, as in nearly all columns; None where any is not."""
    if not joined.isascii() or joined.encode().translate(None, _IN_PLAIN):
        return None
    try:
        numbers = np.array(list(map(float, joined.split("\n"))))
    except ValueError:  # a cell is empty, or a date
        return None
    return numbers if np.isfinite(numbers).all() else None


def join_cells(text: pd.Series) -> str:
    """Return all cells as one text, one a line."""
    cells: list[str] = text.tolist()  # pandas takes ten times as long to iterate over its own text
    return "\n".join(cells)


def _without_currency(cells: pd.DataFrame, prices: list[str], joined: str) -> tuple[pd.DataFrame, str | None]:
    """Cells without the currency sign, if every price that is not missing has the same one."""
    for sign in _SIGNS:
        if sign not in joined:
            continue
        stacked = pd.concat([cells[name] for name in prices])
        present = stacked[~stacked.str.lower().isin(_MISSING)]
        outside = present.str[0].eq(sign) | present.str[-1].eq(sign)
        if len(present) and (outside & present.str.count(f"[{_SIGNS}]").eq(1)).all():
            bare = cells[prices].apply(lambda text, sign=sign: text.str.replace(sign, "", regex=False).str.strip())
            return cells.assign(**bare), sign
    return cells, None


def either_mark(
    cells: pd.DataFrame, prices: list[str], joined: str, separator: str, other_cells: Sequence[str]
) -> Problem | None:
    """Prices whose only mark stands before exactly three digits everywhere: thousands, or decimals?

    12,345 is 12345 to some and 12.345 to others. One cell of another length, or with both marks, settles it. A point
    is doubtful only where cells are separated by semicolons, as they are where the comma is the decimal mark, where a
    volume or another column has a decimal comma, or where prices of 998 stand beside those of 1.002.

    Args:
        cells: stripped text under standard names, indexed by line.
        prices: names of the columns that are of prices.
        joined: what `join_cells` makes of these.
        separator: of the cells of a row.
        other_cells: of columns that are not read.
    """
    elsewhere = [*(cells["Volume"].iloc[:_SHOWN].tolist() if "Volume" in cells else []), *other_cells]
    is_comma_elsewhere = "," in "".join(elsewhere) and decimal_marks(elsewhere) == {","}
    is_point_doubtful = separator == ";" or is_comma_elsewhere or _are_of_two_scales(cells[prices])
    for mark in (",", ".") if is_point_doubtful else (",",):
        if mark not in joined:
            continue
        for_mark = rf"[-+]?[1-9][0-9]{{0,2}}\{mark}[0-9]{{3}}"
        doubtful = cells[prices].apply(lambda text, shape=for_mark: text.str.fullmatch(shape))
        marked = cells[prices].apply(lambda text: text.str.contains("[.,]"))
        if not doubtful.to_numpy().any() or (marked & ~doubtful).to_numpy().any():
            continue
        line = doubtful.index[doubtful.any(axis=1)][0]
        name = str(doubtful.columns[doubtful.loc[line]][0])
        cell = str(cells.loc[line, name])
        return _doubt(line, name, cell, mark)
    if "Volume" in cells and "." not in joined and "," not in joined:  # nothing else shows what its points are
        pointed = cells["Volume"].str.fullmatch(r"[1-9][0-9]{0,2}\.[0-9]{3}")
        others = cells["Volume"][~pointed].str.contains(".", regex=False)
        if pointed.sum() > max(1, len(others)) and not others.any():
            line = pointed.index[pointed][0]
            return _doubt(line, "Volume", str(cells.loc[line, "Volume"]), ".")
    return None


def _doubt(line: int, name: str, cell: str, mark: str) -> Problem:
    """The problem of a mark that may group thousands or begin decimals."""
    readings = {cell.replace(mark, ""): mark.translate(_SWAPPED), cell.replace(mark, "."): mark}
    return Problem(line=line, column=name, value=cell, key=_KEY, readings=readings)


def _are_of_two_scales(prices: pd.DataFrame) -> bool:
    """Whether prices without a mark are far above all that have a point before three digits, as 998 is above 1.002."""
    pointed, plain = [], []
    for name in prices:
        for cell in prices[name].iloc[:_SHOWN].tolist():
            if "." not in cell:
                plain += [float(cell)] if cell.isascii() and cell.isdigit() else []
            elif re.fullmatch(r"[1-9][0-9]{0,2}\.[0-9]{3}", cell):
                pointed.append(float(cell))
            else:  # a point that can only be the decimal mark
                return False
    return bool(plain and pointed) and min(plain) > _FAR_ABOVE * max(pointed)
