"""The forms that a header has: one row or three, the names of series above, below or beside those of columns."""

import re
from dataclasses import dataclass

from stockcast.data.csv.dates import is_date
from stockcast.data.csv.names import COLUMNS, MEANINGS, spelling
from stockcast.data.csv.problems import Row

HEADER_WITHIN = 30  # rows; Macrotrends puts fifteen lines of text before it
_UNNAMED = frozenset({"", "unnamed:0", "index"})  # as pandas and R write an index of dates


@dataclass(frozen=True)
class Header:
    """A header that names a date and a close.

    Attributes:
        number: index of its last row.
        before: index of its first.
        names: of the columns.
        tickers: the series of each column, empty where there is none; no list where the header names no series.
    """

    number: int
    before: int
    names: list[str]
    tickers: list[str] | None = None


def find_header(rows: list[Row]) -> Header | None:
    """The first header among some rows; None if there is none."""
    for number in range(min(len(rows), HEADER_WITHIN)):
        if names_and_tickers := _tall_header(rows, number):
            return Header(number, number - 2, *names_and_tickers)
        header = _with_dates(rows, number)
        if {"Date", "Close"} <= set(ranks(header)):
            if names_and_tickers := _tickers_below(rows, number, header):
                return Header(number + 1, number, *names_and_tickers)
            return Header(number, number, header)
        if names_and_tickers := _joined_header(header):
            return Header(number, number, *names_and_tickers)
    return None


def ranks(header: list[str]) -> dict[str, dict[int, list[int]]]:
    """For each standard name in a header: the indices of the columns that may be it, by preference."""
    ranks: dict[str, dict[int, list[int]]] = {}
    for place, cell in enumerate(header):
        if meaning := MEANINGS.get(spelling(cell)):
            name, rank = meaning
            ranks.setdefault(name, {}).setdefault(rank, []).append(place)
    return ranks


def _tall_header(rows: list[Row], number: int) -> tuple[list[str], list[str]] | None:
    """Names and tickers of a header of three rows, as pandas writes yfinance's tables: names, tickers, `Date,,,`.

    Its corner is `Price`, which elsewhere is a name of the close: the first cells are not columns.
    """
    _, last = rows[number]
    if number < 2 or len(last) < 2 or any(cell.strip() for cell in last[1:]) or "Date" not in ranks(last[:1]):
        return None
    above = [row for _, row in rows[number - 2 : number]]
    if any(len(row) != len(last) for row in above):
        return None
    for names, tickers in (above, above[::-1]):
        if "Close" in ranks(names[1:]):
            return ["Date", *names[1:]], ["", *(cell.strip() for cell in tickers[1:])]
    return None


def _with_dates(rows: list[Row], number: int) -> list[str]:
    """The row, where its first cell has no name of its own and dates below it: with the name Date there.

    Two columns under `observation_date` are the date and FRED's series, by whatever name.
    """
    header = rows[number][1]
    if len(header) == 2 and spelling(header[0]) == spelling("observation_date"):
        return [header[0], "Close"]
    below = rows[number + 1][1] if number + 1 < len(rows) else []
    is_index = len(header) > 1 and spelling(header[0]) in _UNNAMED and "Date" not in ranks(header)
    return ["Date", *header[1:]] if is_index and below and is_date(below[0].strip()) else header


def _tickers_below(rows: list[Row], number: int, header: list[str]) -> tuple[list[str], list[str]] | None:
    """Names and tickers where the row below has a ticker under each price and no date: yfinance's `reset_index`."""
    below = [cell.strip() for cell in rows[number + 1][1]] if number + 1 < len(rows) else []
    names = [re.sub(r"\.[0-9]+$", "", cell.strip()) for cell in header]  # pandas makes Close.1 of a second Close
    prices = [place for place, name in enumerate(names) if {*COLUMNS} & set(ranks([name]))]
    if len(below) != len(header) or below[ranks(header)["Date"][min(ranks(header)["Date"])][0]]:
        return None
    if not all(re.search("[^\\W\\d_]", below[place]) and not is_date(below[place]) for place in prices):
        return None
    return names, below


def _joined_header(header: list[str]) -> tuple[list[str], list[str]] | None:
    """Names and tickers of columns such as `Close_AAPL` (yfinance, flattened) or `AAPL.Close` (R)."""
    names, tickers = list(header), [""] * len(header)
    for place, cell in enumerate(header):
        splits = [(cell[: found.start()], cell[found.end() :]) for found in re.finditer("[._:]", cell.strip())]
        pairs = [pair for left, right in splits for pair in ((left, right), (right, left)) if pair[1].strip()]
        pairs = [pair for pair in pairs if MEANINGS.get(spelling(pair[0]), ("",))[0] in COLUMNS]
        if pairs and "Date" not in ranks([cell]):
            names[place], tickers[place] = (part.strip() for part in max(pairs, key=lambda pair: len(pair[0])))
    if "Date" not in ranks(header):
        return None
    by_ticker = {
        ticker: [name for name, its in zip(names, tickers, strict=True) if its == ticker] for ticker in tickers
    }
    has_bars = any(ticker and "Close" in ranks(columns) and len(columns) > 1 for ticker, columns in by_ticker.items())
    return (names, tickers) if has_bars else None
