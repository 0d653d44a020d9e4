"""Tables that fit the terminal: what is too wide loses its least important columns, and no number is cut."""

import shutil
import sys
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

from stockcast.text import join_words, printable_name

_NAMES = ("forecast", "price", "series", "against", "reason")
"""Headers of columns that hold names or sentences."""

_WIDTH = 110
"""Columns where standard output is no terminal."""


def new_table(title: str, caption: str | None, *headers: str) -> Table:
    """Return an empty table; names are aligned left, numbers right."""
    table = Table(title=Text(printable_name(title)), caption=caption, box=box.SIMPLE_HEAD)
    for header in headers:
        is_name = header in _NAMES
        table.add_column(header, justify="left" if is_name else "right", overflow="fold", no_wrap=not is_name)
    return table


def print_table(table: Table, *, least: Sequence[str] = (), file: str) -> None:
    """Print a table on standard output, no wider than the terminal.

    Args:
        table: as `new_table` makes it.
        least: headers of columns that may be left out, the least important first. Where that is not enough, the last
            columns are put under each other.
        file: that holds all columns, for a note on those that are left out.
    """
    console = _console()
    left_out = []
    for header in least:
        if _natural_width(table, console) <= console.width:
            break
        place = next((number for number, column in enumerate(table.columns) if column.header == header), None)
        if place is not None:
            left_out.append(header)
            _set_columns(table, [column for number, column in enumerate(table.columns) if number != place])
    while len(table.columns) > 1 and _natural_width(table, console) > console.width:
        *others, upper, lower = table.columns
        _set_columns(table, [*others, _stacked(upper, lower)])
    if left_out:
        note = f"Left out for want of room: {join_words(left_out)}; {file} has all."
        table.caption = f"{table.caption} {note}" if table.caption else note
    console.print(table)


def print_wrapped(table: Table) -> None:
    """Print a table of names and sentences on standard output; sentences are broken between words."""
    _console().print(table)


def _console() -> Console:
    return console_of(None if sys.stdout.isatty() else _WIDTH)


def console_of(width: int | None = None) -> Console:
    """Return standard output, of this width or of the terminal's; rich takes 80 for a dumb one unless both are set."""
    size = shutil.get_terminal_size()
    return Console(width=width or size.columns, height=size.lines)


def _natural_width(table: Table, console: Console) -> int:
    """Return the columns that the table takes if nothing in it is wrapped."""
    unbounded = console.options.update(max_width=10_000)
    return Measurement.get(console, unbounded, table).maximum


def _set_columns(table: Table, columns: list[Column]) -> None:
    for number, column in enumerate(columns):
        column._index = number  # rich finds the padding of a column by it
    table.columns = columns


def _stacked(upper: Column, lower: Column) -> Column:
    """Return two columns as one, whose cells stand under each other."""
    cells = [f"{above}\n{below}" for above, below in zip(upper._cells, lower._cells, strict=True)]
    stacked = lower.copy()
    stacked.header, stacked._cells = f"{upper.header}\n{lower.header}", list(cells)
    return stacked
