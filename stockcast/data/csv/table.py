"""The cells of a price file or a DataFrame under their standard names, still as text."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

import pandas as pd

from stockcast.data.csv.containers import open_contents
from stockcast.data.csv.contents import Contents
from stockcast.data.csv.dates import read_dates
from stockcast.data.csv.frame import frame_rows
from stockcast.data.csv.header import check_tickers
from stockcast.data.csv.header_forms import HEADER_WITHIN
from stockcast.data.csv.numbers import decimal_marks
from stockcast.data.csv.options import ALL_TICKERS, CsvOptions, series_name, ticker_name
from stockcast.data.csv.own_header import find_columns, find_every_column, other_names
from stockcast.data.csv.problems import Problem, Source, refuse, setting
from stockcast.data.csv.reader import find_source, read_bytes, read_rows
from stockcast.data.csv.rows import FileRows
from stockcast.errors import DataError
from stockcast.frequency import Frequency
from stockcast.text import join_words, plural

MAX_ROWS = 100_000
_MOST_WITHIN_DAYS = 500_000

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_TIME_ALONE = re.compile(r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?")


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
        ticker: the series, where all of a file of several were read; else empty.
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
    ticker: str = ""

    def with_frequency(self, frequency: Frequency) -> "Table":
        """Return the same cells as those of such bars."""
        return replace(self, options=replace(self.options, frequency=frequency))


PriceSource = Path | pd.DataFrame | Table
"""Where prices are read from: a price file (`-` is standard input), a DataFrame of daily bars, or one series of either
that `read_tables` has read."""


def source_name(source: PriceSource) -> str:
    """Return the name of the series in a source, as far as it is known before the source is read."""
    if isinstance(source, Table):
        return ticker_name(source.ticker) or series_name(source.source.path)
    if isinstance(source, Path):
        return series_name(source)
    return str(source.attrs.get("name") or "DataFrame").replace("/", "-")


def read_table(prices: Path | str | pd.DataFrame, *, options: CsvOptions) -> Table:
    """Read the known columns of the one series that is meant; DataError if that is not possible."""
    (table,) = _tables(prices, replace(options, tickers=()) if options.takes_all else options)
    return table


def read_tables(prices: Path | str | pd.DataFrame, *, options: CsvOptions) -> Iterator[Table]:
    """Yield the known columns of every series, in the order of the file, which is read once.

    Raises:
        DataError: as `read_table`; or a row names no series, or two series would have one name.
    """
    return _tables(prices, replace(options, tickers=ALL_TICKERS))


def _tables(prices: Path | str | pd.DataFrame, options: CsvOptions) -> Iterator[Table]:
    if isinstance(prices, pd.DataFrame):
        source = Source(Path(source_name(prices)), is_frame=True)
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
        return _read(contents, raw)
    except _NoLayout as no_layout:
        return _read(_with_other_separator(contents, no_layout.error), raw)


class _NoLayout(Exception):
    """No header was found; it holds the error that says so."""

    def __init__(self, error: DataError) -> None:
        super().__init__(str(error))
        self.error = error


def _read(contents: Contents, raw: bytes) -> Iterator[Table]:
    """Read the known columns; only these are kept, so that memory is bounded by the most rows and not by the source.

    The whole source is read at once, and the table of each series is made when it is its turn.
    """
    source, options, rows = contents.source, contents.options, contents.rows
    most, sha256 = _most_rows(options), hashlib.sha256(raw).hexdigest()
    try:
        first = list(islice(rows, HEADER_WITHIN))
        layouts = find_every_column(source, first, options=options)
    except DataError as error:
        raise _NoLayout(error) from None
    layout, wanted = next(iter(layouts.values())), () if options.takes_all else options.tickers
    found = FileRows(source, layouts, wanted=wanted, takes_all=options.takes_all)
    found.fill(chain(first[layout.first_row :], rows), most=most)
    if options.takes_all:
        refuse(source, found.problems)  # of the file: no series has them
        _check_names(source, list(found.series))
    elif not layout.is_of_ticker:
        tickers = list(found.tickers)
        joined = (
            not wanted and len(tickers) > 1 and _share_no_day(found.of_ticker, found.series[""].cells()[0], options)
        )
        check_tickers(source, layout.line, tickers, chosen=wanted, joined=joined)
    notes = [*contents.all_notes(), *layout.notes]
    if len(wanted) > 1:
        notes.append(f"{join_words(list(wanted))} taken as one series")
    if found.remarks:
        last = found.remarks[-1]
        left_out = "the last line" if len(found.remarks) == 1 else f"the last {len(found.remarks)} lines"
        notes.append(f"{left_out} left out: {str(last.value)[:60]!r}")

    def tables() -> Iterator[Table]:
        for ticker in list(found.series):
            series = found.series.pop(ticker)  # its text is freed when it is a table
            own = replace(source, series=ticker) if options.takes_all else source
            cells, problems = series.cells()
            if len(series.lines) + len(found.problems) > most:
                raise own.error(_too_many(own, cells, options))
            table = Table(
                source=own,
                options=options,
                cells=cells,
                sha256=sha256,
                problems=(*found.problems, *problems),
                notes=tuple(notes),
                other_cells=tuple(series.other_cells),
                other_names=other_names(first, layouts.get(ticker, layout)),
                ticker=own.series,
            )
            if not options.is_covariates:
                contents.check_formulas(table.cells)
            yield _without_quote_of_today(table)

    return tables()


def _check_names(source: Source, tickers: list[str]) -> None:
    """Check that no two series have one name in paths; DataError if they do."""
    names: dict[str, str] = {}
    for ticker in tickers:
        other = names.setdefault(ticker_name(ticker), ticker)
        if other != ticker:
            message = f"series {other} and {ticker} are of one name in paths. Rename one of them."
            raise source.error(message, key="data.ticker", value=ticker)


def _without_quote_of_today(table: Table) -> Table:
    """Leave out a first row that has a time in place of a day: Nasdaq.com's old files begin with today's quote."""
    if not len(table.cells) or not _TIME_ALONE.fullmatch(time := table.cells["Date"].iloc[0]):
        return table
    note = f"{table.source.unit} {table.cells.index[0]} left out: a quote of {time}, without a day"
    return replace(table, cells=table.cells.iloc[1:], notes=(*table.notes, note))


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
