"""What the columns of a table may be, by their values: a proposal for the user, never a reading."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise, permutations

import pandas as pd

from stockcast.data.csv.dates import is_date, read_dates
from stockcast.data.csv.names import MEANINGS, spelling
from stockcast.data.csv.numbers import decimal_marks
from stockcast.data.csv.problems import Row

_NUMBER = re.compile(r"[-+]?[$€£]?[0-9][0-9.,\s'\u2019]*\s?[$€£]?|[-+]?[.,][0-9]+")
_ROWS, _MOST_COLUMNS = 25, 50  # to look at
_CLEARLY = 0.7  # an open is so much nearer to the close before; else the first of both in the file is the open
_FEW = 10  # days, whose opens and closes show too little; columns mostly stand as open, high, low, close
_PRICES_ALIKE = 3.0  # most times that two prices of one day differ; a volume differs by more


def propose_columns(rows: list[Row]) -> dict[str, str | int]:
    """Return standard name -> the column that it may be: its name, or where the table has no header, its number from 1.

    One column holds dates only; of the columns of numbers of one size, High is the largest on every day, Low the
    smallest, and of the other two Open is nearer to the close of the day before, or comes first. Where there are not
    four, the close is between the other two, or the column that changes least. Empty where that fits no columns.
    """
    width = Counter(len(row) for _, row in rows).most_common(1)[0][0]  # that of most rows: there may be text around
    table = [[cell.strip() for cell in row] for _, row in rows[: _ROWS + 1] if len(row) == width]
    if not 2 <= width <= _MOST_COLUMNS or len(table) < 3:
        return {}
    has_header = not any(is_date(cell) or _NUMBER.fullmatch(cell) for cell in table[0])
    columns = list(zip(*table[has_header:], strict=True))
    dates = [place for place, cells in enumerate(columns) if all(map(is_date, cells))]
    if len(dates) != 1:
        return {}
    decimal = "," if decimal_marks(cell for cells in columns for cell in cells) == {","} else "."
    numbers = {
        place: [_value(cell, decimal) for cell in cells]
        for place, cells in enumerate(columns)
        if place not in dates and all(map(_NUMBER.fullmatch, cells))
    }
    is_newest_first = _is_falling(columns[dates[0]])
    bars = _bars({place: cells[::-1] if is_newest_first else cells for place, cells in numbers.items()})
    if not bars:
        return {}
    found = {"Date": dates[0], **bars}
    if not has_header:
        return {name: place + 1 for name, place in found.items()}
    names = table[0]
    known = {
        name: place for place, cell in enumerate(names) for name in [MEANINGS.get(spelling(cell), ("",))[0]] if name
    }
    found |= {name: place for name, place in known.items() if name in found}
    return {name: names[place] for name, place in found.items()} if all(names) else {}


def has_dates(rows: list[Row]) -> bool:
    """Whether some cell is a date, as in every table of prices, whatever separates the cells."""
    return any(is_date(part.strip()) for _, row in rows for cell in row for part in re.split("[;\t|]", cell))


def _value(cell: str, decimal: str) -> float:
    """The number of a cell, as far as it can be read; NaN for what is no number after all."""
    digits = re.sub(rf"[^-0-9{decimal}]", "", cell).replace(decimal, ".")
    try:
        return float(digits)
    except ValueError:  # 1.234.567
        return math.nan


def _is_falling(cells: tuple[str, ...]) -> bool:
    """Whether the first of some dates is the latest, in the reading that has them in order if there are two."""
    text = pd.Series(cells, dtype="str")
    column = read_dates(text)
    readings = [way for problem in column.problems for way in problem.readings.values()]
    ways = [read_dates(text, way).dates for way in readings] or [column.dates]
    return any(dates.is_monotonic_decreasing and dates.iloc[-1] < dates.iloc[0] for dates in ways)


def _bars(numbers: dict[int, list[float]]) -> dict[str, int]:
    """Which columns of numbers, oldest first, are the bars' prices and the volume; a single one is the close."""
    usable = [place for place, values in numbers.items() if all(value > 0 for value in values)]
    for four in permutations(usable, 4):
        opened, high, low, close = (numbers[place] for place in four)
        days = list(zip(opened, high, low, close, strict=True))
        if not all(h >= max(o, c) and low_ <= min(o, c) and h <= _PRICES_ALIKE * low_ for o, h, low_, c in days):
            continue
        gaps = sum(abs(o - c) for o, c in zip(opened[1:], close, strict=False))
        other_gaps = sum(abs(c - o) for c, o in zip(close[1:], opened, strict=False))
        is_usual = len(days) < _FEW and [*four] == [*range(four[0], four[0] + 4)]
        is_either = other_gaps >= _CLEARLY * gaps and four[0] < four[3]
        if is_usual or is_either or gaps < _CLEARLY * other_gaps:
            return {**dict(zip(("Open", "High", "Low", "Close"), four, strict=True)), **_volume(numbers, four)}
    for three in permutations(usable, 3):
        bars = zip(*(numbers[place] for place in three), strict=True)
        if all(h >= c >= low_ and h <= _PRICES_ALIKE * low_ for h, low_, c in bars):
            return {**dict(zip(("High", "Low", "Close"), three, strict=True)), **_volume(numbers, three)}
    calmest = sorted(usable, key=lambda place: _unrest(numbers[place]))
    if len(calmest) == 1 or (len(calmest) > 1 and 2 * _unrest(numbers[calmest[0]]) < _unrest(numbers[calmest[1]])):
        return {"Close": calmest[0], **_volume(numbers, calmest[:1])}
    return {}


def _volume(numbers: dict[int, list[float]], prices: Sequence[int]) -> dict[str, int]:
    """The volume, if a single column of numbers is left."""
    rest = [place for place in numbers if place not in prices]
    return {"Volume": rest[0]} if len(rest) == 1 else {}


def _unrest(values: list[float]) -> float:
    """Mean relative change from day to day; prices have less of it than volumes."""
    changes = [abs(math.log(after / before)) for before, after in pairwise(values)]
    return sum(changes) / len(changes)
