"""The header of a table of prices: which row it is, and which column is what."""

from dataclasses import dataclass, replace

from stockcast.data.csv.dates import is_date
from stockcast.data.csv.header_forms import HEADER_WITHIN, find_header, ranks
from stockcast.data.csv.names import spelling
from stockcast.data.csv.options import CsvOptions
from stockcast.data.csv.problems import Row, Source, setting
from stockcast.data.csv.proposal import has_dates, propose_columns
from stockcast.errors import DataError, MissingColumns
from stockcast.text import join_words, plural

TAB = "\t"


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


def _tickers_of_header(rows: list[Row]) -> list[str]:
    header = find_header(rows)
    return list(dict.fromkeys(filter(None, header.tickers or []))) if header else []


def _named_layout(source: Source, rows: list[Row], options: CsvOptions) -> Layout | None:
    """The layout by the first row that names both a date and a close; None if there is none."""
    found = find_header(rows)
    if found is None:
        return None
    if found.tickers is None:
        return _layout(source, rows, found.number, found.names, before=found.before)
    header = _of_ticker(source, rows[found.number][0], found.names, found.tickers, options=options)
    return _layout(source, rows, found.number, header, before=found.before, is_of_ticker=True)


def _no_header(source: Source, rows: list[Row], separator: str) -> DataError:
    """Build the error of a table without a header, with the columns that its values suggest."""
    line, row = max(rows[:HEADER_WITHIN], key=lambda numbered: len({"Date", "Close"} & set(ranks(numbered[1]))))
    missing = [column for column in ("Date", "Close") if column not in ranks(row)]
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
    return "Date" in ranks([name])


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
    for name, by_rank in ranks(header).items():
        first, *others = by_rank[min(by_rank)]
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
    chosen = [cell if tickers[place] == wanted or "Date" in ranks([cell]) else "" for place, cell in enumerate(header)]
    if "Close" not in ranks(chosen):
        message = f"no column Close for {wanted}. It is needed."
        raise source.error(message, line=line, column="Close", value=wanted, kind=MissingColumns)
    return chosen
