"""The header of a table of prices: which row it is, and which column each vendor's name means."""

import unicodedata
from dataclasses import dataclass

from stockcast.data.csv.problems import Row, Source, setting
from stockcast.errors import MissingColumns
from stockcast.text import join_words, plural

PRICE_COLUMNS = ("Open", "High", "Low", "Close", "Adj Close")
COLUMNS = (*PRICE_COLUMNS, "Volume")
HEADER_WITHIN = 30  # rows; Macrotrends puts fifteen lines of text before it

# By preference: the standard name, then vendors' names, then what is taken only where neither is there.
_SPELLINGS: dict[str, tuple[tuple[str, ...], ...]] = {
    "Date": (("date",), ("timestamp", "datetime", "time", "exchangedate", "datum")),
    "Open": (("open",), ("pxopen", "openprice", "openingprice", "eröffnung", "eröffn.", "erster", "ouverture")),
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
    """Where a table's columns stand.

    Attributes:
        line: of the header.
        first_row: index of the first row of data among the rows that were looked at.
        width: cells that every row has.
        places: index of each standard column that the table has.
        ticker: index of the column that names a row's series; None if there is none.
        notes: what was left out before the header.
    """

    line: int
    first_row: int
    width: int
    places: dict[str, int]
    ticker: int | None
    notes: tuple[str, ...]


def find_layout(source: Source, rows: list[Row], *, ticker: str | None) -> Layout:
    """Find the header: the first of the first `HEADER_WITHIN` rows that names both a date and a close.

    Raises:
        MissingColumns: no row names both.
        DataError: no rows, a column occurs twice, several series and none chosen, or rows of data before the header.
    """
    if not rows:
        raise source.error("it is empty." if source.is_frame else "it is empty. Download it again.")
    for number, (line, row) in enumerate(rows[:HEADER_WITHIN]):
        if names_and_tickers := _tall_header(rows, number):
            header = _of_ticker(source, line, *names_and_tickers, ticker=ticker)
            return _layout(source, rows, number, header, before=number - 2)
        if {"Date", "Close"} <= set(_ranks(row)):
            return _layout(source, rows, number, row, before=number)
    line, row = max(rows[:HEADER_WITHIN], key=lambda numbered: len({"Date", "Close"} & set(_ranks(numbered[1]))))
    missing = [column for column in ("Date", "Close") if column not in _ranks(row)]
    names = ", ".join(name.strip() for name in row)[:200]
    is_other = len(missing) == 2 and not source.is_frame
    advice = "This is not a CSV of prices." if is_other else "A date and a close are needed."
    message = f"no column {' or '.join(missing)}; found {names}. {advice}"
    raise source.error(message, line=line, column=missing[0], value=names, kind=MissingColumns)


def check_ticker(source: Source, line: int, tickers: list[str], *, chosen: str | None) -> None:
    """Check that one series is meant; DataError if there are several and none is chosen, or not the chosen one."""
    names = f"{', '.join(tickers[:10])}{', ...' if len(tickers) > 10 else ''}"
    if chosen is None and len(tickers) > 1:
        advice = "Keep one of them." if source.is_frame else f"Choose one: {setting('data.ticker', tickers[0])}"
        raise source.error(f"several series: {names}. {advice}", line=line, key="data.ticker", value=names)
    if chosen is not None and tickers and chosen not in tickers:
        message = f"no series {chosen}, as data.ticker has it; found {names}."
        raise source.error(message, line=line, key="data.ticker", value=chosen)


def means_date(name: str) -> bool:
    """Whether a column of this name holds dates."""
    return "Date" in _ranks([name])


def _spelling(name: str) -> str:
    """A header without what vendors vary: case, spaces, underscores, angle brackets, footnote stars."""
    plain = unicodedata.normalize("NFKC", name).casefold().strip().rstrip("*").strip()
    return "".join(plain.removeprefix("<").removesuffix(">").replace("_", " ").split())


def _ranks(header: list[str]) -> dict[str, dict[int, list[int]]]:
    """For each standard name in a header: the indices of the columns that may be it, by preference."""
    ranks: dict[str, dict[int, list[int]]] = {}
    for place, cell in enumerate(header):
        if meaning := _MEANING.get(_spelling(cell)):
            name, rank = meaning
            ranks.setdefault(name, {}).setdefault(rank, []).append(place)
    return ranks


def _layout(source: Source, rows: list[Row], number: int, header: list[str], *, before: int) -> Layout:
    """The layout by a header that ends in this row and begins after `before` rows of text."""
    line = rows[number][0]
    places = {}
    for name, ranks in _ranks(header).items():
        first, *others = ranks[min(ranks)]
        if others:
            names = [header[place].strip() for place in (first, *others)]
            same = len(set(map(_spelling, names))) == 1
            which = f"column {name} occurs twice" if same else f"{join_words(names)} may each be the {name}"
            advice = "Keep one of them." if same else f"Keep one of them, or rename one to {name}."
            raise source.error(f"{which}. {advice}", line=line, column=name, value=", ".join(names))
        places[name] = first
    for early, row in rows[:before]:
        if sum(bool(cell.strip()) for cell in row) >= sum(bool(cell.strip()) for cell in header):
            cells, where = plural(len(row), "cell"), f"{source.unit} {line}"
            raise source.error(f"a row of {cells} before the header in {where}. Begin with the header.", line=early)
    return Layout(
        line=line,
        first_row=number + 1,
        width=len(header),
        ticker=places.pop("Ticker", None),
        places=places,
        notes=(f"{plural(before, 'line')} of text before the header left out",) if before else (),
    )


def _tall_header(rows: list[Row], number: int) -> tuple[list[str], list[str]] | None:
    """Names and tickers of a header of three rows, as pandas writes yfinance's tables: names, tickers, `Date,,,`.

    Its corner is `Price`, which elsewhere is a name of the close: the first cells are not columns.
    """
    _, last = rows[number]
    if number < 2 or len(last) < 2 or any(cell.strip() for cell in last[1:]) or "Date" not in _ranks(last[:1]):
        return None
    above = [row for _, row in rows[number - 2 : number]]
    if any(len(row) != len(last) for row in above):
        return None
    for names, tickers in (above, above[::-1]):
        if "Close" in _ranks(names[1:]):
            return ["Date", *names[1:]], ["", *(cell.strip() for cell in tickers[1:])]
    return None


def _of_ticker(source: Source, line: int, header: list[str], tickers: list[str], *, ticker: str | None) -> list[str]:
    """The header with the names of one ticker's columns only."""
    distinct = list(dict.fromkeys(filter(None, tickers)))
    check_ticker(source, line, distinct, chosen=ticker)
    wanted = ticker or (distinct[0] if distinct else "")
    chosen = [cell if place == 0 or tickers[place] == wanted else "" for place, cell in enumerate(header)]
    if "Close" not in _ranks(chosen):
        message = f"no column Close for {wanted}. It is needed."
        raise source.error(message, line=line, column="Close", value=wanted, kind=MissingColumns)
    return chosen
