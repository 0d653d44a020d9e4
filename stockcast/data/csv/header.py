"""The header of a table of prices: which row it is, and which column is what."""

import re
from dataclasses import dataclass, replace

from stockcast.data.csv.dates import is_date
from stockcast.data.csv.names import COLUMNS, MEANINGS, spelling
from stockcast.data.csv.options import CsvOptions
from stockcast.data.csv.problems import Row, Source, setting
from stockcast.data.csv.proposal import has_dates, propose_columns
from stockcast.errors import DataError, MissingColumns
from stockcast.text import join_words, plural

HEADER_WITHIN = 30  # rows; Macrotrends puts fifteen lines of text before it
TAB = "\t"
_UNNAMED = frozenset({"", "unnamed:0", "index"})  # as pandas and R write an index of dates


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where a table's columns stand.

    Attributes:
        line: of the header.
        first_row: index of the first row of data among the rows that were looked at.
        width: cells that every row has.
        places: index of each standard column that the table has.
        ticker: index of the column that names a row's series; None if there is none.
        is_of_ticker: the header names the series, and its columns were chosen by it.
        notes: what was left out before the header.
    """

    line: int
    first_row: int
    width: int
    places: dict[str, int]
    ticker: int | None
    notes: tuple[str, ...]
    is_of_ticker: bool = False


def find_layout(source: Source, rows: list[Row], *, options: CsvOptions) -> Layout:
    """Find the columns by `options.columns`, or the header: the first of some rows that names both a date and a close.

    Raises:
        MissingColumns: no row names both, or not those of `options.columns`.
        DataError: no rows, a column occurs twice, several series and none chosen, or rows of data before the header.
    """
    if not rows:
        raise source.error("it is empty." if source.is_frame else "it is empty. Download it again.")
    if options.columns:
        return _chosen_layout(source, rows, options)
    if layout := _named_layout(source, rows, options):
        return layout
    raise _no_header(source, rows, options.separator)


def find_layouts(source: Source, rows: list[Row], *, options: CsvOptions) -> dict[str, Layout]:
    """Find the columns as `find_layout`; where all series are taken and the header names them, of each of them.

    Returns:
        By ticker; under "" where it is not the header that tells the series apart.
    """
    tickers = _tickers_of_header(rows) if options.takes_all and not options.columns else []
    if not tickers:
        return {"": find_layout(source, rows, options=replace(options, tickers=()) if options.takes_all else options)}
    return {ticker: find_layout(source, rows, options=replace(options, tickers=(ticker,))) for ticker in tickers}


def has_header(source: Source, rows: list[Row]) -> bool:
    """Whether one of some rows names both a date and a close."""
    try:
        return _named_layout(source, rows, CsvOptions()) is not None
    except DataError:
        return False


@dataclass(frozen=True)
class _Header:
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


def _find_header(rows: list[Row]) -> _Header | None:
    """The first header among some rows; None if there is none."""
    for number in range(min(len(rows), HEADER_WITHIN)):
        if names_and_tickers := _tall_header(rows, number):
            return _Header(number, number - 2, *names_and_tickers)
        header = _with_dates(rows, number)
        if {"Date", "Close"} <= set(_ranks(header)):
            if names_and_tickers := _tickers_below(rows, number, header):
                return _Header(number + 1, number, *names_and_tickers)
            return _Header(number, number, header)
        if names_and_tickers := _joined_header(header):
            return _Header(number, number, *names_and_tickers)
    return None


def _tickers_of_header(rows: list[Row]) -> list[str]:
    header = _find_header(rows)
    return list(dict.fromkeys(filter(None, header.tickers or []))) if header else []


def _named_layout(source: Source, rows: list[Row], options: CsvOptions) -> Layout | None:
    """The layout by the first row that names both a date and a close; None if there is none."""
    found = _find_header(rows)
    if found is None:
        return None
    if found.tickers is None:
        return _layout(source, rows, found.number, found.names, before=found.before)
    header = _of_ticker(source, rows[found.number][0], found.names, found.tickers, options=options)
    return _layout(source, rows, found.number, header, before=found.before, is_of_ticker=True)


def _no_header(source: Source, rows: list[Row], separator: str) -> DataError:
    """Build the error of a table without a header, with the columns that its values suggest."""
    line, row = max(rows[:HEADER_WITHIN], key=lambda numbered: len({"Date", "Close"} & set(_ranks(numbered[1]))))
    missing = [column for column in ("Date", "Close") if column not in _ranks(row)]
    names = ", ".join(name.strip() for name in row)[:200]
    proposed = {} if source.is_frame else propose_columns(rows[:HEADER_WITHIN])
    if proposed:
        advice = f"Name them; by their values they may be: {setting('data.columns', proposed)}"
        if separator != ",":
            advice += f" {setting('data.separator', separator.replace(TAB, 'tab'))}"
    elif len(missing) == 2 and not source.is_frame and not has_dates(rows[:HEADER_WITHIN]):
        advice = "This is not a CSV of prices."
    else:
        advice = "A date and a close are needed."
        if not source.is_frame:
            advice += " If the file has them, name their columns in data.columns, as {Date: Tag, Close: Kurs}."
    key = "data.columns" if proposed else None
    message = f"no column {' or '.join(missing)}; found {names}. {advice}"
    return source.error(message, line=line, column=missing[0], key=key, value=names, kind=MissingColumns)


def check_tickers(source: Source, line: int, tickers: list[str], *, chosen: tuple[str, ...], joined: bool) -> None:
    """Check that one series is meant; DataError if there are several and none is chosen, or not the chosen one.

    `joined`: no two of them share a day, as of a stock that changed its symbol.
    """
    names = f"{', '.join(tickers[:10])}{', ...' if len(tickers) > 10 else ''}"
    if not chosen and len(tickers) > 1:
        advice = "Keep one of them." if source.is_frame else f"Choose one: {setting('data.ticker', tickers[0])}"
        if not source.is_frame:
            advice += f" or take each by itself: {setting('data.ticker', 'all')}"
        if joined and not source.is_frame:
            advice += f" or, as they share no day, join them: {setting('data.ticker', tickers)}"
        raise source.error(f"several series: {names}. {advice}", line=line, key="data.ticker", value=names)
    for ticker in chosen:
        if ticker not in tickers:
            found = f"found {names}" if tickers else "no column names a series. Leave data.ticker out"
            message = f"no series {ticker}, as data.ticker has it; {found}."
            raise source.error(message, line=line, key="data.ticker", value=ticker)


def means_date(name: str) -> bool:
    """Whether a column of this name holds dates."""
    return "Date" in _ranks([name])


def _ranks(header: list[str]) -> dict[str, dict[int, list[int]]]:
    """For each standard name in a header: the indices of the columns that may be it, by preference."""
    ranks: dict[str, dict[int, list[int]]] = {}
    for place, cell in enumerate(header):
        if meaning := MEANINGS.get(spelling(cell)):
            name, rank = meaning
            ranks.setdefault(name, {}).setdefault(rank, []).append(place)
    return ranks


def _chosen_layout(source: Source, rows: list[Row], options: CsvOptions) -> Layout:
    """The layout by `options.columns`: the first row that has these names, or no header where they are numbers."""
    chosen = dict(options.columns)
    if any(isinstance(column, int) for column in chosen.values()):
        places = {name: int(column) - 1 for name, column in chosen.items()}
        width = len(rows[0][1])
        if (last := max(places.values())) >= width:
            message = f"data.columns has column {last + 1}, but the row has {plural(width, 'cell')}."
            raise source.error(message, line=rows[0][0], key="data.columns", value=last + 1, kind=MissingColumns)
        is_header = not is_date(rows[0][1][places["Date"]].strip())
        return Layout(
            line=rows[0][0],
            first_row=int(is_header and options.date_format is None),
            width=width,
            ticker=places.pop("Ticker", None),
            places=places,
            notes=("the header left out: data.columns gives numbers of columns",) if is_header else (),
        )
    wanted = {spelling(str(column)): name for name, column in chosen.items()}
    for number, (_, row) in enumerate(rows[:HEADER_WITHIN]):
        if set(wanted) <= set(map(spelling, row)):
            header = [wanted.get(spelling(cell), "") for cell in row]
            return _layout(source, rows, number, header, before=number)
    line, row = rows[0]
    found = set(map(spelling, row))
    name, column = next((name, column) for name, column in chosen.items() if spelling(str(column)) not in found)
    names = ", ".join(cell.strip() for cell in row)[:200]
    message = f"no column {column!r}, which data.columns has for {name}; found {names}."
    raise source.error(message, line=line, column=name, key="data.columns", value=column, kind=MissingColumns)


def _layout(
    source: Source, rows: list[Row], number: int, header: list[str], *, before: int, is_of_ticker: bool = False
) -> Layout:
    """The layout by a header that ends in this row and begins after `before` rows of text."""
    line = rows[number][0]
    places = {}
    for name, ranks in _ranks(header).items():
        first, *others = ranks[min(ranks)]
        if others:
            names = [header[place].strip() for place in (first, *others)]
            same = len(set(map(spelling, names))) == 1
            which = f"column {name} occurs twice" if same else f"{join_words(names)} may each be the {name}"
            advice = "Keep one of them." if same else f"Keep one of them, or rename one to {name}."
            raise source.error(f"{which}. {advice}", line=line, column=name, value=", ".join(names))
        places[name] = first
    for early, row in rows[:before]:
        is_as_wide = len(row) > places["Date"] and _filled(row) >= max(_filled(header), _filled(rows[number][1]))
        if is_as_wide and any(map(str.isdigit, row[places["Date"]])):  # a title has a word there
            cells, where = plural(len(row), "cell"), f"{source.unit} {line}"
            raise source.error(f"a row of {cells} before the header in {where}. Begin with the header.", line=early)
    return Layout(
        line=line,
        first_row=number + 1,
        width=len(header),
        ticker=places.pop("Ticker", None),
        places=places,
        is_of_ticker=is_of_ticker,
        notes=(f"{plural(before, 'line')} of text before the header left out",) if before else (),
    )


def _filled(row: list[str]) -> int:
    """Count the cells that are not empty."""
    return sum(bool(cell.strip()) for cell in row)


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


def _with_dates(rows: list[Row], number: int) -> list[str]:
    """The row, where its first cell has no name of its own and dates below it: with the name Date there.

    Two columns under `observation_date` are the date and FRED's series, by whatever name.
    """
    header = rows[number][1]
    if len(header) == 2 and spelling(header[0]) == spelling("observation_date"):
        return [header[0], "Close"]
    below = rows[number + 1][1] if number + 1 < len(rows) else []
    is_index = len(header) > 1 and spelling(header[0]) in _UNNAMED and "Date" not in _ranks(header)
    return ["Date", *header[1:]] if is_index and below and is_date(below[0].strip()) else header


def _tickers_below(rows: list[Row], number: int, header: list[str]) -> tuple[list[str], list[str]] | None:
    """Names and tickers where the row below has a ticker under each price and no date: yfinance's `reset_index`."""
    below = [cell.strip() for cell in rows[number + 1][1]] if number + 1 < len(rows) else []
    names = [re.sub(r"\.[0-9]+$", "", cell.strip()) for cell in header]  # pandas makes Close.1 of a second Close
    prices = [place for place, name in enumerate(names) if {*COLUMNS} & set(_ranks([name]))]
    if len(below) != len(header) or below[_ranks(header)["Date"][min(_ranks(header)["Date"])][0]]:
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
        if pairs and "Date" not in _ranks([cell]):
            names[place], tickers[place] = (part.strip() for part in max(pairs, key=lambda pair: len(pair[0])))
    if "Date" not in _ranks(header):
        return None
    by_ticker = {
        ticker: [name for name, its in zip(names, tickers, strict=True) if its == ticker] for ticker in tickers
    }
    has_bars = any(ticker and "Close" in _ranks(columns) and len(columns) > 1 for ticker, columns in by_ticker.items())
    return (names, tickers) if has_bars else None


def _of_ticker(source: Source, line: int, header: list[str], tickers: list[str], *, options: CsvOptions) -> list[str]:
    """The header with the names of one ticker's columns only, and the date's."""
    distinct = list(dict.fromkeys(filter(None, tickers)))
    check_tickers(source, line, distinct, chosen=options.tickers, joined=False)
    if len(options.tickers) > 1:
        message = (
            f"series side by side cannot be joined: {join_words(list(options.tickers))}. Choose one in data.ticker."
        )
        raise source.error(message, line=line, key="data.ticker", value=", ".join(options.tickers))
    wanted = options.tickers[0] if options.tickers else distinct[0] if distinct else ""
    chosen = [cell if tickers[place] == wanted or "Date" in _ranks([cell]) else "" for place, cell in enumerate(header)]
    if "Close" not in _ranks(chosen):
        message = f"no column Close for {wanted}. It is needed."
        raise source.error(message, line=line, column="Close", value=wanted, kind=MissingColumns)
    return chosen
