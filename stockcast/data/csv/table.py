"""The cells of a price file or a DataFrame under their standard names, still as text."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

import pandas as pd

from stockcast.data.csv.containers import open_contents
from stockcast.data.csv.contents import Contents
from stockcast.data.csv.dates import MONTHS, is_date, read_dates
from stockcast.data.csv.frame import frame_rows
from stockcast.data.csv.header import HEADER_WITHIN, Layout, check_tickers
from stockcast.data.csv.numbers import decimal_marks
from stockcast.data.csv.options import CsvOptions
from stockcast.data.csv.own_header import find_columns, other_names
from stockcast.data.csv.problems import Problem, Row, Source, setting
from stockcast.data.csv.reader import find_source, read_bytes, read_rows
from stockcast.errors import DataError
from stockcast.text import join_words, plural

MAX_ROWS = 100_000
_MOST_WITHIN_DAYS = 500_000

_CORRECT = "Correct it, or empty it."
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_TIME_ALONE = re.compile(r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?")
_OTHER_ROWS, _OTHER_COLUMNS = 500, 20  # enough to see how numbers are written


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
        other_cells: text of columns that are not known, of the first rows.
        other_names: header of columns that are not known, see `own_header.other_names`.
    """

    source: Source
    options: CsvOptions
    cells: pd.DataFrame
    sha256: str
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    other_cells: tuple[str, ...] = ()
    other_names: tuple[str, ...] = ()


def read_table(prices: Path | str | pd.DataFrame, *, options: CsvOptions) -> Table:
    """Read the known columns of the one series that is meant; DataError if that is not possible."""
    if isinstance(prices, pd.DataFrame):
        name = str(prices.attrs.get("name") or "DataFrame").replace("/", "-")
        source = Source(Path(name), is_frame=True)
        numbered, options = frame_rows(prices, source=source, options=options)
        raw = "\n".join(",".join(row) for _, row in numbered).encode("utf-8", "surrogatepass")
        try:
            return _read(Contents(source=source, options=options, rows=iter(numbered)), raw)
        except _NoLayout as no_layout:
            raise no_layout.error from None
    source = find_source(prices)
    raw = read_bytes(source)
    contents = open_contents(source, raw, options=options)
    try:
        table = _read(contents, raw)
    except _NoLayout as no_layout:
        contents = _with_other_separator(contents, no_layout.error)
        table = _read(contents, raw)
    if not options.is_covariates:
        contents.check_formulas(table.cells)
    return table


class _NoLayout(Exception):
    """No header was found; it holds the error that says so."""

    def __init__(self, error: DataError) -> None:
        super().__init__(str(error))
        self.error = error


def _read(contents: Contents, raw: bytes) -> Table:
    """Read the known columns; only these are kept, so that memory is bounded by the most rows and not by the source."""
    source, options, rows = contents.source, contents.options, contents.rows
    try:
        first = list(islice(rows, HEADER_WITHIN))
        layout = find_columns(source, first, options=options)
    except DataError as error:
        raise _NoLayout(error) from None
    found = _Rows(source, layout, options)
    found.fill(chain(first[layout.first_row :], rows), most=_most_rows(options))
    table = pd.DataFrame(found.cells, columns=list(layout.places), index=found.lines, dtype="str")
    if not layout.is_of_ticker:
        tickers = list(found.tickers)
        joined = not options.tickers and len(tickers) > 1 and _share_no_day(found.of_ticker, table, options)
        check_tickers(source, layout.line, tickers, chosen=options.tickers, joined=joined)
    if len(found.lines) + len(found.problems) > _most_rows(options):
        raise source.error(_too_many(source, table, options))
    notes = [*contents.all_notes(), *layout.notes]
    if len(options.tickers) > 1:
        notes.append(f"{join_words(list(options.tickers))} taken as one series")
    if found.remarks:
        last = found.remarks[-1]
        left_out = "the last line" if len(found.remarks) == 1 else f"the last {len(found.remarks)} lines"
        notes.append(f"{left_out} left out: {str(last.value)[:60]!r}")
    if len(table) and _TIME_ALONE.fullmatch(table["Date"].iloc[0]):  # Nasdaq.com's old files begin with today's quote
        notes.append(f"{source.unit} {table.index[0]} left out: a quote of {table['Date'].iloc[0]}, without a day")
        table = table.iloc[1:]
    return Table(
        source=source,
        options=options,
        cells=table,
        sha256=hashlib.sha256(raw).hexdigest(),
        problems=tuple(found.problems),
        notes=tuple(notes),
        other_cells=tuple(found.other_cells),
        other_names=other_names(first, layout),
    )


class _Rows:
    """Rows below a header as they are drawn: cells of the known columns, and what is wrong.

    Attributes:
        lines: number of each row that is kept.
        cells: of the known columns, stripped, of each of these rows.
        problems: rows that are not kept, and why.
        remarks: rows since the last row of cells that look like a vendor's remark.
        tickers: the names of all series that occur, in order.
        of_ticker: the series of each row that is kept, where a column names it.
        other_cells: of columns that are not known, in the first rows: they may show which decimal mark the file uses.
    """

    def __init__(self, source: Source, layout: Layout, options: CsvOptions) -> None:
        self.lines: list[int] = []
        self.cells: list[list[str]] = []
        self.problems: list[Problem] = []
        self.remarks: list[Problem] = []
        self.tickers: dict[str, None] = {}
        self.of_ticker: list[str] = []
        self.other_cells: list[str] = []
        self._layout, self._wanted = layout, frozenset(options.tickers)
        self._names, self._places = list(layout.places), list(layout.places.values())
        self._others = [place for place in range(layout.width) if place not in self._places][:_OTHER_COLUMNS]
        self._header = f"{source.unit} {layout.line} has {plural(layout.width, 'column')}"

    def fill(self, rows: Iterable[Row], *, most: int) -> None:
        """Keep the rows of the wanted series, and note what is wrong with others; stop after `most` of both."""
        width, places, ticker = self._layout.width, self._places, self._layout.ticker
        for line, row in rows:
            if len(row) != width:
                self._refuse(line, row)
            else:
                if self.remarks:  # a remark is at the end; between rows of cells it may be a damaged day
                    self.problems += [replace(problem, value=1) for problem in self.remarks]
                    self.remarks.clear()
                if ticker is not None and not self._is_wanted(row[ticker].strip()):
                    continue
                wanted = [row[place].strip() for place in places]
                if "\n" in (together := "".join(wanted)) or "\r" in together:  # cells that lost what parted them
                    self._refuse_cells(line, wanted)
                else:
                    if self._others and len(self.lines) < _OTHER_ROWS:
                        self.other_cells += [row[place].strip() for place in self._others]
                    self.lines.append(line)
                    self.cells.append(wanted)
            if len(self.lines) + len(self.problems) > most:
                return

    def _refuse(self, line: int, row: list[str]) -> None:
        """Note a row of too many or too few cells."""
        why = f"{plural(len(row), 'cell')}, but {self._header}. It is damaged, or this is not a CSV of prices"
        problem = Problem(line=line, value=len(row), why=why, advice="Correct the line, or remove it.")
        if _is_remark(row):
            self.remarks.append(replace(problem, value=row[0].strip()))
        else:
            self.problems.append(problem)

    def _refuse_cells(self, line: int, wanted: list[str]) -> None:
        """Note the cells of several lines."""
        self.problems += [
            Problem(line=line, column=name, value=cell, why="a cell of several lines", advice=_CORRECT)
            for name, cell in zip(self._names, wanted, strict=True)
            if {"\n", "\r"} & set(cell)
        ]

    def _is_wanted(self, ticker: str) -> bool:
        if ticker and len(self.tickers) < MAX_ROWS:
            self.tickers[ticker] = None
        if self._wanted and ticker not in self._wanted and ticker:
            return False
        self.of_ticker.append(ticker)
        return True


def _share_no_day(tickers: list[str], table: pd.DataFrame, options: CsvOptions) -> bool:
    """Whether the series of a table follow each other, as of a stock that changed its symbol."""
    dates = read_dates(table["Date"], options.date_format).dates
    if len(tickers) != len(dates) or dates.isna().any():
        return False
    spans = dates.groupby(tickers).agg(["min", "max"]).sort_values("min")
    return bool((spans["min"].iloc[1:].to_numpy() > spans["max"].iloc[:-1].to_numpy()).all())


def make_daily(source: Source) -> str:
    """Return advice for bars within the day."""
    if source.is_frame:
        return "Make the bars daily first, such as with frame.resample('D')."
    return f"To put bars within the day together, add {setting('data.resample', '1d')}"


def _is_remark(row: list[str]) -> bool:
    """Whether a row is a vendor's remark at the end, and not the beginning of a day that was cut off."""
    text = row[0].strip() if len(row) == 1 else ""
    letters = sum(map(str.isalpha, text))
    begins_a_day = not text or text[0].isdigit() or text[:3].lower() in MONTHS
    return (len(text.split()) > 2 or letters > 4) and letters > 0 and not begins_a_day and not is_date(text)


def _most_rows(options: CsvOptions) -> int:
    return _MOST_WITHIN_DAYS if options.resample else MAX_ROWS


def _too_many(source: Source, table: pd.DataFrame, options: CsvOptions) -> str:
    """Describe that there are more rows than days, and how many the first day has if its date can be read."""
    dates = read_dates(table["Date"], options.date_format).dates.dropna()
    span = "25 years of five minutes each" if options.resample else "400 years of trading days"
    message = f"more than {_most_rows(options):,} rows, more than {span}."
    if len(dates) and (rows := int((dates == dates.iloc[0]).sum())) > 1:
        message += f" {dates.iloc[0]:%Y-%m-%d} alone has {plural(rows, 'row')}."
    return f"{message} {make_daily(source)}"


def _with_other_separator(contents: Contents, error: DataError) -> Contents:
    """Return the contents by the one separator that finds a header where the stated one does not; else raise `error`.

    With it goes the decimal comma where a price is written with one: separators other than the comma are there for it.
    """
    source, text, options = contents.source, contents.text, contents.options
    if text is None:
        raise error
    found: list[Contents] = []
    advised: list[DataError] = []
    for separator in (mark for mark in ",;\t|" if mark != options.separator):
        other = replace(options, separator=separator)
        try:
            rows = list(islice(read_rows(source, text, options=other), HEADER_WITHIN))
            layout = find_columns(source, rows, options=other)
        except DataError as no_layout:
            advised += [no_layout] * (no_layout.key == "data.columns" and error.key is None)
            continue
        notes = [f"cells are separated by {_SEPARATORS[separator]}"]
        # A row may be ragged for now: what matters is how its prices are written.
        prices = [row[place] for _, row in rows[layout.first_row :] for name, place in layout.places.items()
                  if name not in ("Date", "Volume") and place < len(row)]  # fmt: skip
        if other.decimal is None and decimal_marks(prices) == {","}:
            other = replace(other, decimal=",")
            example = next(price for price in prices if decimal_marks([price]))
            what = "a decimal comma" if "," in example else "points between thousands"
            notes.append(f"prices have {what}: {example.strip()!r}")
        again = read_rows(source, text, options=other)
        found.append(replace(contents, options=other, rows=again, notes=(*contents.notes, *notes)))
    if len(found) != 1:
        raise advised[0] if len(advised) == 1 and not found else error
    return found[0]
