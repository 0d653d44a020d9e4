"""What the columns of a table may be, by their values: a proposal for the user, never a reading."""

import re
from itertools import permutations

import pandas as pd

from stockcast.data.csv.dates import is_date, read_dates
from stockcast.data.csv.names import MEANINGS, spelling
from stockcast.data.csv.problems import Row

_NUMBER = re.compile(r"[-+]?[0-9]*[.,]?[0-9]+")
_ROWS, _MOST_COLUMNS = 25, 50  # to look at
_CLEARLY = 0.7  # an open is so much nearer to the close before; else the first of both in the file is the open
_PRICES_ALIKE = 3.0  # most times that two prices of one day differ; a volume differs by more


def propose_columns(rows: list[Row]) -> dict[str, str | int]:
    """Return standard name -> the column that it may be: its name, or where the table has no header, its number from 1.

    One column holds dates only; of the columns of numbers of one size, High is the largest on every day, Low the
    smallest, and of the other two Open is nearer to the close of the day before, or comes first. Empty where that fits
    no columns.
    """
    width = len(rows[-1][1]) if rows else 0
    first = [cell.strip() for cell in rows[0][1]] if rows else []
    has_header = not any(is_date(cell) or _NUMBER.fullmatch(cell) for cell in first)
    data = [[cell.strip() for cell in row] for _, row in rows[has_header : _ROWS + 1] if len(row) == width]
    if len(data) < 2 or len(first) != width or width > _MOST_COLUMNS:
        return {}
    columns = list(zip(*data, strict=True))
    dates = [place for place, cells in enumerate(columns) if all(map(is_date, cells))]
    if len(dates) != 1:
        return {}
    numbers = {
        place: [float(cell.replace(",", ".")) for cell in cells]
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
    known = {
        name: place for place, cell in enumerate(first) for name in [MEANINGS.get(spelling(cell), ("",))[0]] if name
    }
    found |= {name: place for name, place in known.items() if name in found}
    return {name: first[place] for name, place in found.items()} if all(first) else {}


def _is_falling(cells: tuple[str, ...]) -> bool:
    """Whether the first of some dates is the latest."""
    dates = read_dates(pd.Series(cells, dtype="str")).dates
    return bool(dates.iloc[-1] < dates.iloc[0])


def _bars(numbers: dict[int, list[float]]) -> dict[str, int]:
    """Which columns of numbers, oldest first, are the bars' prices and the volume; a single one is the close."""
    usable = [place for place, values in numbers.items() if min(values) > 0]
    if len(usable) == 1:
        return {"Close": usable[0]}
    for four in permutations(usable, 4):
        opened, high, low, close = (numbers[place] for place in four)
        days = list(zip(opened, high, low, close, strict=True))
        if not all(h >= max(o, c) and low_ <= min(o, c) and h <= _PRICES_ALIKE * low_ for o, h, low_, c in days):
            continue
        gaps = sum(abs(o - c) for o, c in zip(opened[1:], close, strict=False))
        other_gaps = sum(abs(c - o) for c, o in zip(close[1:], opened, strict=False))
        if gaps < _CLEARLY * other_gaps or (other_gaps >= _CLEARLY * gaps and four[0] < four[3]):
            rest = [place for place in numbers if place not in four]
            volume = {"Volume": rest[0]} if len(rest) == 1 else {}
            return {**dict(zip(("Open", "High", "Low", "Close"), four, strict=True)), **volume}
    return {}
