"""The cells of a price file or a DataFrame under their standard names, still as text."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

import pandas as pd

from stockcast.data.csv.containers import open_contents
from stockcast.data.csv.contents import Contents
from stockcast.data.csv.dates import is_date, read_dates
from stockcast.data.csv.frame import frame_rows
from stockcast.data.csv.header import HEADER_WITHIN, check_ticker, find_layout
from stockcast.data.csv.numbers import has_decimal_comma
from stockcast.data.csv.options import CsvOptions
from stockcast.data.csv.problems import Problem, Source, setting
from stockcast.data.csv.reader import find_source, read_bytes, read_rows
from stockcast.errors import DataError
from stockcast.text import plural

MAX_ROWS = 100_000  # trading days of 400 years

_DAILY = (
    "pandas.read_csv({path!r}, parse_dates=['Date']).groupby(pandas.Grouper(key='Date', freq='D'))"
    ".agg({{{columns}}}).dropna().to_csv('daily.csv')"
)
_CORRECT = "Correct it, or empty it."
_BY_DAY = {"Open": "first", "High": "max", "Low": "min", "Close": "last", "Adj Close": "last", "Volume": "sum"}


@dataclass(frozen=True, kw_only=True)
class Table:
    """What a price file or a DataFrame holds.

    Attributes:
        source: of the cells.
        options: how to read them.
        cells: stripped text, a column for each standard name that the source has, indexed by line.
        sha256: of the file's bytes as they lie on the disk, in hexadecimal; of a DataFrame of its CSV.
        problems: rows that have too few or too many cells, or cells of several lines; they are not among the cells.
        notes: what was left out, one sentence each.
    """

    source: Source
    options: CsvOptions
    cells: pd.DataFrame
    sha256: str
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]


def read_table(prices: Path | str | pd.DataFrame, *, options: CsvOptions) -> Table:
    """Read the known columns of the one series that is meant; DataError if that is not possible."""
    if isinstance(prices, pd.DataFrame):
        name = str(prices.attrs.get("name") or "DataFrame").replace("/", "-")
        source = Source(Path(name), is_frame=True)
        numbered, options = frame_rows(prices, source=source, options=options)
        raw = "\n".join(",".join(row) for _, row in numbered).encode("utf-8", "surrogatepass")
        return _read(Contents(source=source, options=options, rows=iter(numbered)), raw)
    source = find_source(prices)
    raw = read_bytes(source)
    contents = open_contents(source, raw, options=options)
    table = _read(contents, raw)
    contents.check_formulas(table.cells)
    return table


def _read(contents: Contents, raw: bytes) -> Table:
    """Read the known columns; only these are kept, so that memory is bounded by `MAX_ROWS` and not by the source."""
    source, options, rows = contents.source, contents.options, contents.rows
    try:
        first = list(islice(rows, HEADER_WITHIN))
        layout = find_layout(source, first, ticker=options.ticker)
    except DataError:
        if contents.text is not None:
            _refuse_other_separators(source, contents.text, options)
        raise
    names, places = list(layout.places), list(layout.places.values())
    header = f"{source.unit} {layout.line} has {plural(layout.width, 'column')}"
    lines: list[int] = []
    cells: list[list[str]] = []
    problems: list[Problem] = []
    tickers: dict[str, None] = {}
    row: list[str] = []
    for line, row in chain(first[layout.first_row :], rows):
        if len(row) != layout.width:
            problems.append(
                Problem(
                    line=line,
                    value=len(row),
                    why=f"{plural(len(row), 'cell')}, but {header}. It is damaged, or this is not a CSV of prices",
                    advice="Correct the line, or remove it.",
                )
            )
        else:
            if layout.ticker is not None and (ticker := row[layout.ticker].strip()):
                if len(tickers) < MAX_ROWS:
                    tickers[ticker] = None
                if options.ticker is not None and ticker != options.ticker:
                    continue
            wanted = [row[place].strip() for place in places]
            if "\n" in (together := "".join(wanted)) or "\r" in together:  # cells that lost what parted them
                problems += [
                    Problem(line=line, column=name, value=cell, why="a cell of several lines", advice=_CORRECT)
                    for name, cell in zip(names, wanted, strict=True)
                    if {"\n", "\r"} & set(cell)
                ]
            else:
                lines.append(line)
                cells.append(wanted)
        if len(lines) + len(problems) > MAX_ROWS:
            break
    check_ticker(source, layout.line, list(tickers), chosen=options.ticker)
    table = pd.DataFrame(cells, columns=names, index=lines, dtype="str")
    if len(lines) + len(problems) > MAX_ROWS:
        raise source.error(_too_many(source, table, options))
    notes = [*contents.all_notes(), *layout.notes]
    if len(row) != layout.width and _is_remark(row):
        problems.pop()
        notes.append(f"the last line left out: {row[0].strip()[:60]!r}")
    digest = hashlib.sha256(raw).hexdigest()
    return Table(
        source=source, options=options, cells=table, sha256=digest, problems=tuple(problems), notes=tuple(notes)
    )


def how_to_make_daily(source: Source, columns: Iterable[str]) -> str:
    """Return advice for bars within the day: the line of Python that makes daily bars of a file."""
    if not source.is_plain:
        return "Make the bars daily first, such as with frame.resample('D')."
    by_day = ", ".join(f"{name!r}: {_BY_DAY[name]!r}" for name in columns if name in _BY_DAY)
    return f"Make the bars daily first, with: {_DAILY.format(path=source.path.name, columns=by_day)}"


def _is_remark(row: list[str]) -> bool:
    """Whether a row is a vendor's remark at the end, and not the beginning of a day that was cut off."""
    text = row[0].strip() if len(row) == 1 else ""
    return len(text.split()) > 2 and any(map(str.isalpha, text)) and not is_date(text)


def _too_many(source: Source, table: pd.DataFrame, options: CsvOptions) -> str:
    """Describe that there are more rows than days, and how many the first day has if its date can be read."""
    dates = read_dates(table["Date"], options.date_format).dates.dropna()
    message = f"more than {MAX_ROWS:,} rows, more than 400 years of trading days."
    if len(dates) and (rows := int((dates == dates.iloc[0]).sum())) > 1:
        message += f" {dates.iloc[0]:%Y-%m-%d} alone has {plural(rows, 'row')}."
    return f"{message} {how_to_make_daily(source, table.columns)}"


def _refuse_other_separators(source: Source, raw: bytes, options: CsvOptions) -> None:
    """If another separator finds a header where this one does not, name it and the line to copy."""
    for separator in (mark for mark in ",;\t|" if mark != options.separator):
        other = replace(options, separator=separator)
        try:
            rows = list(islice(read_rows(source, raw, options=other), HEADER_WITHIN))
            layout = find_layout(source, rows, ticker=options.ticker)
        except DataError:
            continue
        settings = [setting("data.separator", "tab" if separator == "\t" else separator)]
        # A row may be ragged for now: what matters is how its prices are written.
        prices = [row[place] for _, row in rows[layout.first_row :] for name, place in layout.places.items()
                  if name not in ("Date", "Volume") and place < len(row)]  # fmt: skip
        if options.decimal is None and has_decimal_comma(prices):
            settings.append(setting("data.decimal", ","))
        raise source.error(
            f"cells are separated by {separator!r}. Add {' '.join(settings)} (or save it as CSV with commas, and with "
            f"decimal points)",
            line=layout.line,
            key="data.separator",
            value=separator,
        )
