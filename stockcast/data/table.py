"""The cells of a price file under their standard names, still as text."""

import hashlib
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

import pandas as pd

from stockcast.data.columns import HEADER_WITHIN, check_ticker, find_layout
from stockcast.data.csvfile import counted, read_bytes, read_rows
from stockcast.data.dates import is_date, read_dates
from stockcast.data.numbers import has_decimal_comma
from stockcast.data.problems import Problem, setting
from stockcast.data.reading import Reading
from stockcast.errors import DataError

MAX_ROWS = 100_000  # days of 400 years

DAILY = (
    "pandas.read_csv({path!r}, parse_dates=['Date']).groupby(pandas.Grouper(key='Date', freq='D'))"
    ".agg({{{columns}}}).dropna().to_csv('daily.csv')"
)
_BY_DAY = {"Open": "first", "High": "max", "Low": "min", "Close": "last", "Adj Close": "last", "Volume": "sum"}


@dataclass(frozen=True, kw_only=True)
class Table:
    """What a price file holds.

    Attributes:
        cells: stripped text, a column for each standard name that the file has; the index is the line in the file.
        sha256: of the file's bytes, in hexadecimal.
        problems: rows that have too few or too many cells, or cells of several lines; they are not among the cells.
        notes: what was left out, one sentence each.
    """

    cells: pd.DataFrame
    sha256: str
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()


def read_table(path: Path, *, reading: Reading) -> Table:
    """Read the columns that are known, of the one series that is meant.

    Only these are kept while rows are read, so that memory is bounded by `MAX_ROWS` and not by the file.

    Raises:
        DataError: the file cannot be read, holds several series and none is chosen, or more rows than there are days.
        MissingColumns: no row names a date and a close.
    """
    raw = read_bytes(path)
    rows = read_rows(path, raw, reading=reading)
    try:
        first = list(islice(rows, HEADER_WITHIN))
        layout = find_layout(path, first, ticker=reading.ticker)
    except DataError:
        _refuse_other_separators(path, raw, reading)
        raise
    places = list(layout.places.values())
    names = list(layout.places)

    lines: list[int] = []
    cells: list[list[str]] = []
    ragged: list[tuple[int, list[str]]] = []
    broken: list[Problem] = []
    tickers: dict[str, None] = {}
    line, too_many = layout.line, False
    for line, row in chain(first[layout.first_row :], rows):
        if len(row) != layout.width:
            ragged.append((line, row[: layout.width + 1]))
        else:
            if layout.ticker is not None and (ticker := row[layout.ticker].strip()):
                if len(tickers) < MAX_ROWS:
                    tickers[ticker] = None
                if reading.ticker is not None and ticker != reading.ticker:
                    continue
            wanted = [row[place].strip() for place in places]
            if "\n" in (together := "".join(wanted)) or "\r" in together:
                broken += _broken(line, names, wanted)
                continue
            lines.append(line)
            cells.append(wanted)
        if too_many := len(lines) + len(ragged) + len(broken) > MAX_ROWS:
            break
    check_ticker(path, layout.line, list(tickers), chosen=reading.ticker)
    table = pd.DataFrame(cells, columns=names, index=lines, dtype="str")
    if too_many:
        raise DataError(_too_many(path, table, reading))
    notes = list(layout.notes)
    if ragged and ragged[-1][0] == line and _is_remark(ragged[-1][1]):
        notes.append(f"the last line left out: {ragged.pop()[1][0].strip()[:60]!r}")
    problems = [
        Problem(
            line=place,
            why=f"{counted(len(row), 'cell')}, where line {layout.line} names {counted(layout.width, 'column')}. It is "
            f"not a CSV of prices, or the line is damaged",
            advice="Correct the line, or remove it.",
        )
        for place, row in ragged
    ]
    digest = hashlib.sha256(raw).hexdigest()
    return Table(cells=table, sha256=digest, problems=(*problems, *broken), notes=tuple(notes))


def how_to_make_daily(path: Path, columns: list[str]) -> str:
    """Return a line of Python that makes daily bars of bars within the day."""
    by_day = ", ".join(f"{name!r}: {_BY_DAY[name]!r}" for name in columns if name in _BY_DAY)
    return DAILY.format(path=path.name, columns=by_day)


def _broken(line: int, names: list[str], cells: list[str]) -> list[Problem]:
    """Name the cells that run over several lines: two cells that lost what parted them, and not one."""
    return [
        Problem(line=line, column=name, value=cell, why="a cell of several lines", advice="Correct it, or empty it.")
        for name, cell in zip(names, cells, strict=True)
        if "\n" in cell or "\r" in cell
    ]


def _is_remark(row: list[str]) -> bool:
    """Whether a row is a vendor's last word, and not the beginning of a day that was cut off."""
    text = row[0].strip()
    return len(row) == 1 and len(text.split()) > 2 and any(map(str.isalpha, text)) and not is_date(text)


def _too_many(path: Path, table: pd.DataFrame, reading: Reading) -> str:
    """Say that there are more rows than days, and how many the first day has if its date can be read."""
    dates = read_dates(table["Date"], reading.date_format).dates.dropna()
    said = f"{path}: more than {MAX_ROWS:,} rows, and 400 years of days have no more."
    if len(dates):
        day = dates.iloc[0]
        rows = int((dates == day).sum())
        if rows > 1:
            said += f" {day:%Y-%m-%d} alone has {counted(rows, 'row')}."
    return f"{said} Make the bars daily first, with: {how_to_make_daily(path, list(table.columns))}"


def _refuse_other_separators(path: Path, raw: bytes, reading: Reading) -> None:
    """If another separator finds a header where this one does not, name it and the line to copy."""
    for separator in {",", ";", "\t", "|"} - {reading.separator}:
        other = replace(reading, separator=separator)
        try:
            rows = list(islice(read_rows(path, raw, reading=other), HEADER_WITHIN))
            layout = find_layout(path, rows, ticker=reading.ticker)
        except DataError:
            continue
        settings = [setting("separator", "tab" if separator == "\t" else separator)]
        # A row may be ragged for now: what matters is how its prices are written.
        prices = [row[place] for _, row in rows[layout.first_row :] for name, place in layout.places.items()
                  if name not in ("Date", "Volume") and place < len(row)]  # fmt: skip
        if reading.decimal is None and has_decimal_comma(prices):
            settings.append(setting("decimal", ","))
        raise DataError(
            f"{path}, line {layout.line}: cells are separated by {separator!r}. Say so: {' '.join(settings)} (or save "
            f"it as CSV with commas, and with points for decimals)"
        )
