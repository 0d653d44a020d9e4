"""A table of plain text that stays readable on a narrow terminal and in a file."""

import shutil
import sys
import textwrap
from collections.abc import Sequence


def width() -> int | None:
    """Return the columns of the terminal; None where standard output is not one and lines may have any length."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, width: int | None) -> list[str]:
    """Return the lines of a table; where it is too wide, a block of lines for each row; no word is cut.

    Args:
        headers: of the columns; the first column names the row.
        rows: texts without line breaks, as many as headers; an empty one is left out of a block.
        width: columns of the terminal; None for no limit.
    """
    sizes = [max(map(len, column)) for column in zip(headers, *rows, strict=True)]
    if width is None or sum(sizes) + 2 * (len(sizes) - 1) <= width:
        return [
            "  ".join(cell.ljust(size) for cell, size in zip(row, sizes, strict=True)).rstrip()
            for row in (headers, *rows)
        ]
    lines = []
    for first, *others in rows:
        lines.append(first)
        for header, cell in zip(headers[1:], others, strict=True):
            if cell:
                lines += textwrap.wrap(f"{header}: {cell}", width, initial_indent="  ", subsequent_indent="    ")
    return lines
