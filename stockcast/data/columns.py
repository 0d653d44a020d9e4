"""The header of a price file: which row it is, and what vendors' names for the columns mean."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stockcast.data.csvfile import counted
from stockcast.data.problems import setting
from stockcast.errors import DataError, MissingColumns

PRICE_COLUMNS = ("Open", "High", "Low", "Close", "Adj Close")
COLUMNS = (*PRICE_COLUMNS, "Volume")
HEADER_WITHIN = 30  # rows; Macrotrends puts fifteen lines of text before it

# By preference: the standard name, then vendors' names, then what is taken only where neither is there.
_SPELLINGS: dict[str, tuple[tuple[str, ...], ...]] = {
    "Date": (("date",), ("timestamp", "datetime", "time", "exchangedate", "datum")),
    "Open": (
        ("open",),
        ("pxopen", "openprice", "openingprice", "eröffnung", "eröffn.", "erster", "ouverture"),
    ),
    "High": (("high",), ("pxhigh", "highprice", "hoch", "haut", "plushaut")),
    "Low": (("low",), ("pxlow", "lowprice", "tief", "bas", "plusbas")),
    "Close": (
        ("close",),
        (
            *("price", "last", "latest", "close/last", "closeprice", "pxlast"),
            *("schluss", "schlusskurs", "zuletzt", "clôture", "dernier"),
        ),
    ),
    "Adj Close": (("adjclose",), ("adjustedclose", "adj.close")),
    # Where a German file has the number of shares, its Volumen is their price in euros.
    "Volume": (("volume",), ("vol", "vol.", "pxvolume", "totalvolume", "stücke", "stuecke"), ("volumen",)),
    "Ticker": (("ticker",), ("symbol",)),
}
_MEANING = {
    spelling: (name, rank)
    for name, ranks in _SPELLINGS.items()
    for rank, spellings in enumerate(ranks)
    for spelling in spellings
}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where a file's columns stand.

    Attributes:
        line: of the header in the file, from 1.
        first_row: number of the first row of data among the rows that were looked at, from 0.
        width: cells that every row has.
        places: of the standard columns that the file has, from 0.
        ticker: place of the column that names a row's series; None if there is none.
        notes: what was left out before the header.
    """

    line: int
    first_row: int
    width: int
    places: dict[str, int]
    ticker: int | None = None
    notes: tuple[str, ...] = ()


def find_layout(path: Path, rows: list[tuple[int, list[str]]], *, ticker: str | None) -> Layout:
    """Find the header: the first row that names both a date and a close.

    Args:
        path: the file.
        rows: its first rows with their lines; those after `HEADER_WITHIN` are not looked at.
        ticker: the series to take, where the header names several.

    Raises:
        MissingColumns: no row names both.
        DataError: no rows, a column stands twice, several series and none chosen, or rows of data before the header.
    """
    if not rows:
        raise DataError(f"{path} is not a CSV of prices: it is empty. Download it again.")
    for number, (line, row) in enumerate(rows[:HEADER_WITHIN]):
        if tall := _tall_header(rows, number):
            header = _of_ticker(path, line, *tall, ticker=ticker)
            return _layout(path, rows, number, header, before=number - 2)
        names = set(_ranks(row))
        if {"Date", "Close"} <= names:
            return _layout(path, rows, number, row, before=number)
    line, row = max(rows[:HEADER_WITHIN], key=lambda one: len({"Date", "Close"} & set(_ranks(one[1]))))
    lacking = [column for column in ("Date", "Close") if column not in _ranks(row)]
    found = ", ".join(name.strip() for name in row)[:200]
    raise MissingColumns(
        f"{path}, line {line}: no column {' or '.join(lacking)}; found {found}. "
        + ("It is not a CSV of prices, which needs at least these." if len(lacking) == 2 else "It needs both.")
    )


def check_ticker(path: Path, line: int, tickers: list[str], *, chosen: str | None) -> None:
    """Check that one series is meant.

    Raises:
        DataError: the file has several and none is chosen, or the chosen one is not among them.
    """
    shown = f"{', '.join(tickers[:10])}{', ...' if len(tickers) > 10 else ''}"
    if chosen is None and len(tickers) > 1:
        raise DataError(
            f"{path}, line {line}: holds several series: {shown}. Say which, as in {setting('ticker', tickers[0])}"
        )
    if chosen is not None and tickers and chosen not in tickers:
        raise DataError(f"{path}, line {line}: has no ticker {chosen}, which data.ticker asks for; it has {shown}.")


def _spelling(name: str) -> str:
    """A header without what vendors vary: case, spaces, underscores, angle brackets, footnote stars."""
    plain = unicodedata.normalize("NFKC", name).casefold().strip().rstrip("*").strip()
    return "".join(plain.removeprefix("<").removesuffix(">").replace("_", " ").split())


def _ranks(header: list[str]) -> dict[str, dict[int, list[int]]]:
    """For each standard name in a header: the places that may be it, by preference."""
    found: dict[str, dict[int, list[int]]] = {}
    for place, cell in enumerate(header):
        if meaning := _MEANING.get(_spelling(cell)):
            name, rank = meaning
            found.setdefault(name, {}).setdefault(rank, []).append(place)
    return found


def _layout(path: Path, rows: list[tuple[int, list[str]]], number: int, header: list[str], *, before: int) -> Layout:
    """The layout by a header that ends in this row and begins after `before` rows of text."""
    line = rows[number][0]
    places = {}
    for name, ranks in _ranks(header).items():
        rank = min(ranks)
        if len(ranks[rank]) > 1:
            called = [header[place].strip() for place in ranks[rank]]
            if len({_spelling(cell) for cell in called}) == 1:
                raise DataError(f"{path}, line {line}: column {name} stands twice. Keep one of them.")
            raise DataError(
                f"{path}, line {line}: {' and '.join(called)} may each be the {name}. Keep one of them, or call it "
                f"{name}."
            )
        places[name] = ranks[rank][0]
    for early, row in rows[:before]:
        if sum(bool(cell.strip()) for cell in row) >= sum(bool(cell.strip()) for cell in header):
            raise DataError(
                f"{path}, line {early}: a row of {counted(len(row), 'cell')} stands before the header in line {line}. "
                f"Begin the file with the header."
            )
    notes = (f"{counted(before, 'line')} of text before the header left out",) if before else ()
    return Layout(
        line=line,
        first_row=number + 1,
        width=len(header),
        ticker=places.pop("Ticker", None),
        places=places,
        notes=notes,
    )


def _tall_header(rows: list[tuple[int, list[str]]], number: int) -> tuple[list[str], list[str]] | None:
    """Columns and tickers of a header of three rows, as pandas writes yfinance's tables: names, tickers, `Date,,,`.

    Its corner says `Price`, which elsewhere is a name of the close: the first cells are no columns.
    """
    _, last = rows[number]
    if number < 2 or len(last) < 2 or any(cell.strip() for cell in last[1:]) or "Date" not in _ranks(last[:1]):
        return None
    above = [row for _, row in rows[number - 2 : number]]
    if any(len(row) != len(last) for row in above):
        return None
    for fields, tickers in (above, above[::-1]):
        if "Close" in _ranks(fields[1:]):
            return ["Date", *fields[1:]], ["", *(cell.strip() for cell in tickers[1:])]
    return None


def _of_ticker(path: Path, line: int, header: list[str], tickers: list[str], *, ticker: str | None) -> list[str]:
    """The header with the names of one ticker's columns only."""
    known: Iterator[str] = (cell for cell in tickers if cell)
    distinct = list(dict.fromkeys(known))
    check_ticker(path, line, distinct, chosen=ticker)
    wanted = ticker or (distinct[0] if distinct else "")
    chosen = [cell if place == 0 or tickers[place] == wanted else "" for place, cell in enumerate(header)]
    if "Close" not in _ranks(chosen):
        raise MissingColumns(f"{path}, line {line}: no column Close for {wanted}. It needs one.")
    return chosen
