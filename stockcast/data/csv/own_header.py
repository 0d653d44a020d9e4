"""Columns of one's own in a header: which they are, in a price file and in a file of covariates."""

import re
from dataclasses import replace

import pandas as pd

from stockcast.data.csv.dates import DateColumn, is_date, read_dates
from stockcast.data.csv.header import Layout, find_layouts, means_date
from stockcast.data.csv.header_forms import HEADER_WITHIN
from stockcast.data.csv.names import MEANINGS, spelling
from stockcast.data.csv.options import CsvOptions, OwnColumn
from stockcast.data.csv.problems import Row, Source
from stockcast.errors import MissingColumns
from stockcast.text import join_words, plural

OWN = "own:"
"""Begins the name of an own column, as a feature and among the cells of a table: no bar is called so."""

KNOWN = "known:"
"""Begins the name of a feature that describes the next session, such as a column that is known ahead."""

MOST_LETTERS = 64
"""Of the name of an own column."""

_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_KEY, _NEEDED = "data.covariates", "A file of covariates has a Date and columns of numbers."
_TALLEST = 3  # rows of a header
_MOST_NAMES = 50  # of other columns, in a table of thousands


def is_name(name: str) -> bool:
    """Whether a column of this name can be an input: text on one line that no figure takes for a formula."""
    return bool(name.strip()) and len(name) <= MOST_LETTERS and name.isprintable() and "$" not in name


def find_every_column(source: Source, rows: list[Row], *, options: CsvOptions) -> dict[str, Layout]:
    """Find the columns as `find_columns`; where all series are taken and the header names them, of each of them.

    Returns:
        By ticker; under "" where it is not the header that tells the series apart.
    """
    if options.is_covariates:
        return {"": _with_own(source, rows, _covariates(source, rows, options), options)}
    layouts = find_layouts(source, rows, options=options)
    return {ticker: _with_own(source, rows, layout, options) for ticker, layout in layouts.items()}


def find_columns(source: Source, rows: list[Row], *, options: CsvOptions) -> Layout:
    """Find the bars and the own columns of a table, by its first rows; an own column that it lacks is left out.

    Raises:
        DataError: as `find_layout`; or two columns have the name of one own column.
    """
    return next(iter(find_every_column(source, rows, options=options).values()))


def _with_own(source: Source, rows: list[Row], layout: Layout, options: CsvOptions) -> Layout:
    """Add the own columns to a layout; DataError if two columns have the name of one."""
    places = dict(layout.places)
    taken = {*places.values(), layout.ticker}
    for column in options.own:
        found = [place for place in range(layout.width) if _is_called(column.name, rows, layout, place)]
        if len(found) > 1:
            numbers = join_words([str(place + 1) for place in found])
            raise source.error(
                f"columns {numbers} are both {column.name}, which {OWN}{column.name} names. Rename or remove one.",
                line=layout.line,
                column=column.name,
                value=numbers,
            )
        if found and found[0] not in taken:
            places[f"{OWN}{column.name}"] = found[0]
    return replace(layout, places=places)


def covariates_options(options: CsvOptions) -> CsvOptions:
    """Return how a file of covariates is read, beside price files that are read by `options`."""
    own = {column.name for column in options.own}
    known = [OwnColumn(name, "level", 0) for name in options.known if name not in own]
    columns = (*options.own, *known)
    return replace(options, own=columns, is_covariates=True, tickers=(), columns=(), resample=None, sheet=None)


def read_stated_dates(text: pd.Series, options: CsvOptions) -> DateColumn:
    """Read dates in the stated format; a file of covariates may have ISO dates whatever price files have."""
    is_iso = len(text) > 0 and all(_ISO.match(cell) for cell in text)
    return read_dates(text, None if is_iso and options.is_covariates else options.date_format)


def other_names(rows: list[Row], layout: Layout) -> tuple[str, ...]:
    """Return the header's names of columns that are neither bars nor dates, nor the series of a row; at most 50."""
    bars = {place for name, place in layout.places.items() if not name.startswith(OWN)}
    names = []
    for place in range(layout.width):
        if place not in bars and place != layout.ticker:
            cells = [row[place].strip() for row in _header_rows(rows, layout)]
            first = [cell for cell in cells if cell][:1]
            names += [cell for cell in first if not (layout.is_of_ticker and _is_bar(cell))]
    return tuple(names[:_MOST_NAMES])


def _is_bar(name: str) -> bool:
    """Whether a column beside those of the series is a bar of another series: `Close`, or `Close_MSFT`."""
    return any(spelling(part) in MEANINGS for part in (name, *re.split("[._:]", name)))


def _is_called(name: str, rows: list[Row], layout: Layout, place: int) -> bool:
    names = {spelling(name), spelling(f"{OWN}{name}")}  # the copies of an audit have the second, which no bar has
    return any(spelling(row[place]) in names for row in _header_rows(rows, layout))


def _header_rows(rows: list[Row], layout: Layout) -> list[list[str]]:
    """The rows of the header, all as wide as the table; none where it has no header."""
    above = rows[max(0, layout.first_row - _TALLEST) : layout.first_row]
    return [row for _, row in above if len(row) == layout.width]


def _covariates(source: Source, rows: list[Row], options: CsvOptions) -> Layout:
    """Find the date of a file of covariates: in the first row that names one and an own column, or a date alone."""
    wanted = {spelling(name) for column in options.own for name in (column.name, f"{OWN}{column.name}")}
    found: list[Layout] = []
    for number, (line, row) in enumerate(rows[:HEADER_WITHIN]):
        dates = [place for place, cell in enumerate(row) if means_date(cell)]
        best = min((MEANINGS[spelling(row[place])][1] for place in dates), default=0)
        dates = [place for place in dates if MEANINGS[spelling(row[place])][1] == best]
        below = rows[number + 1][1] if number + 1 < len(rows) else []
        if not dates and not row[0].strip() and below and is_date(below[0].strip()):
            dates = [0]  # an index of dates, as pandas writes it
        if not dates or len(row) < 2:
            continue
        if len(dates) > 1:
            names = join_words([row[place].strip() for place in dates])
            message = f"{names} may each be the Date. Keep one of them."
            raise source.error(message, line=line, column="Date", value=names)
        notes = (f"{plural(number, 'line')} of text before the header left out",) if number else ()
        layout = Layout(
            line=line, first_row=number + 1, width=len(row), places={"Date": dates[0]}, ticker=None, notes=notes
        )
        if not wanted or wanted & set(map(spelling, row)):
            return layout
        found.append(layout)
    if found:
        return found[0]
    if not rows:
        raise source.error(f"it is empty. {_NEEDED}", key=_KEY)
    line, row = rows[0]
    names = ", ".join(cell.strip() for cell in row)[:200]
    message = f"no column Date; found {names}. {_NEEDED}"
    raise source.error(message, line=line, column="Date", key=_KEY, value=names, kind=MissingColumns)
