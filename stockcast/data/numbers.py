"""Columns of numbers in a vendor's spelling."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stockcast.data.columns import PRICE_COLUMNS
from stockcast.data.problems import Problem, setting

_MISSING = frozenset({"", "null", "nan", "na", "n/a", "none", "-"})
_NUMBER = r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,4})?"
_WESTERN = r"[-+]?[0-9]{1,3}(?:,[0-9]{3}){1,}(?:\.[0-9]*)?"
_INDIAN = r"[-+]?[0-9]{1,2}(?:,[0-9]{2})*,[0-9]{3}(?:\.[0-9]*)?"
_SPACED = r"[-+]?[0-9]{1,3}(?:[\s'\u2019][0-9]{3}){1,}(?:\.[0-9]*)?"
_SIGNS = "$€£"
_MAGNITUDES = {"k": "e3", "m": "e6", "b": "e9"}
_PLAIN_COLUMN = re.compile(rf"(?>(?>{_NUMBER})\n)*+")  # atomic: what does not match is found out in one pass
_SWAPPED = str.maketrans(",.", ".,")


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """Numbers of all columns.

    Attributes:
        values: float64, NaN where a cell says that it is missing or is no number; indexed as the text was.
        problems: cells that are no number.
        notes: what was left out of the cells.
    """

    values: pd.DataFrame
    problems: list[Problem]
    notes: list[str]


def read_numbers(cells: pd.DataFrame, *, decimal: str | None = None, separator: str = ",") -> Numbers:
    """Read columns of numbers.

    Args:
        cells: stripped text under standard names; the index is their line.
        decimal: the decimal mark; the other of point and comma groups thousands. None for a point, unless every
            price may as well be written with a decimal comma.
        separator: of the cells in the file; a semicolon goes with decimal commas.
    """
    prices = [name for name in PRICE_COLUMNS if name in cells]
    plain, sign = _without_currency(cells, prices)
    problems = [] if decimal else _either_mark(plain[prices], separator)
    values = {}
    for name in map(str, plain):
        text = plain[name]
        values[name], wrong = _numbers(text, decimal=decimal or ".", magnitudes=name == "Volume")
        for line in text.index[wrong]:
            comma = not decimal and has_decimal_comma([text[line]])
            why = "not a number" + (f" (for a decimal comma: {setting('decimal', ',')})" if comma else "")
            advice = "" if comma else "Correct the cell, or empty it."
            problems.append(Problem(line=line, column=name, value=cells.loc[line, name], why=why, advice=advice))
    notes = [f"every price has the sign {sign}, left out"] if sign else []
    return Numbers(values=pd.DataFrame(values, index=cells.index), problems=problems, notes=notes)


def has_decimal_comma(cells: list[str]) -> bool:
    """Whether any of the cells is a number with a decimal comma, and none with a decimal point."""
    text = pd.Series(cells, dtype="str").str.strip()
    grouped = text.str.fullmatch(rf"{_WESTERN}|{_INDIAN}")
    swapped = text.str.translate(_SWAPPED)
    with_comma = text.str.contains(",") & ~grouped & swapped.str.fullmatch(f"{_NUMBER}|{_WESTERN}|{_SPACED}")
    return bool(with_comma.any())


def _numbers(text: pd.Series, *, decimal: str, magnitudes: bool) -> tuple[pd.Series, pd.Series]:
    """Numbers of one column, and where a cell is none."""
    if decimal == "." and _PLAIN_COLUMN.fullmatch(_joined(text, end="\n")):  # nearly all files
        numbers = pd.to_numeric(text, errors="coerce").astype(np.float64)
        finite = numbers.abs() < np.inf  # 1e400 is not
        return numbers.where(finite), ~finite
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


def _joined(text: pd.Series, *, end: str = "") -> str:
    """All cells as one text, each with this after it."""
    cells: list[str] = text.tolist()  # pandas takes ten times as long to walk through its own text
    return end.join([*cells, ""])


def _without_currency(cells: pd.DataFrame, prices: list[str]) -> tuple[pd.DataFrame, str | None]:
    """Cells without the currency sign, if every price that is there has one and the same."""
    stacked = pd.concat([cells[name] for name in prices])
    everything = _joined(stacked)
    if not any(sign in everything for sign in _SIGNS):
        return cells, None
    stacked = stacked[~stacked.str.lower().isin(_MISSING)]
    if stacked.empty:
        return cells, None
    signs = {sign for sign in _SIGNS if stacked.iloc[0].startswith(sign) or stacked.iloc[0].endswith(sign)}
    if len(signs) != 1:
        return cells, None
    (sign,) = signs
    if not (stacked.str.count(f"[{_SIGNS}]").eq(1) & (stacked.str[0].eq(sign) | stacked.str[-1].eq(sign))).all():
        return cells, None
    bare = cells[prices].apply(lambda text: text.str.replace(sign, "", regex=False).str.strip())
    return cells.assign(**bare), sign


def _either_mark(prices: pd.DataFrame, separator: str) -> list[Problem]:
    """Prices whose only mark stands before exactly three digits everywhere: thousands, or decimals?

    12,345 is 12345 to some and 12.345 to others. One cell of another length, or with both marks, settles it. A point
    is doubtful only where cells are separated by semicolons, as they are where the comma is the decimal mark.
    """
    everything = "".join(_joined(prices[name]) for name in prices)
    for mark in (",", ".") if separator == ";" else (",",):
        if mark not in everything:
            continue
        for_mark = rf"[-+]?[1-9][0-9]{{0,2}}\{mark}[0-9]{{3}}"
        doubtful = prices.apply(lambda text, shape=for_mark: text.str.fullmatch(shape))
        marked = prices.apply(lambda text: text.str.contains("[.,]"))
        if not doubtful.to_numpy().any() or (marked & ~doubtful).to_numpy().any():
            continue
        line = doubtful.index[doubtful.any(axis=1)][0]
        name = str(doubtful.columns[doubtful.loc[line]][0])
        cell = str(prices.loc[line, name])
        why = f"may be {cell.replace(mark, '')} ({setting('decimal', '.' if mark == ',' else ',')}) or "
        why += f"{cell.replace(mark, '.')} ({setting('decimal', mark)}). Say which by data.decimal"
        return [Problem(line=line, column=name, value=cell, why=why)]
    return []
