"""A CSV file becomes rows of text, each with the line that it begins in."""

import csv
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

from stockcast.errors import DataError

_MAX_BYTES = 64_000_000  # about 900,000 bars; 60 years of days are 1 MB


@dataclass(frozen=True)
class Rows:
    """What a CSV file holds.

    Attributes:
        lines: in which each row begins, from 1.
        cells: of each row, the header first, all of one length.
        sha256: of the bytes that were read, in hexadecimal.
    """

    lines: list[int]
    cells: list[list[str]]
    sha256: str


def read_rows(path: Path) -> Rows:
    """Return the rows that hold anything.

    Read by the standard library: pandas cuts a first row that is too long, and fills short ones, without a word.

    Raises:
        DataError: the file cannot be read, is too large, or is no CSV whose rows have as many cells as its header.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise DataError(f"{path}: larger than {_MAX_BYTES:,} bytes, so no file of daily bars. Make the bars daily.")
        raw = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file. Check the path (data.path in the config, or --data).") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise DataError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    if b"\0" in raw[:1000]:
        raise DataError(f"{path}: UTF-16, or no text at all. Save it as CSV in UTF-8.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text ({error.reason}). Save it as CSV in UTF-8.") from error

    lines: list[int] = []
    rows: list[list[str]] = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                if not rows and len(row) == 1 and (mark := next((mark for mark in ";\t|" if mark in row[0]), None)):
                    raise DataError(
                        f"{path}, line {line}: cells are separated by {mark!r}. Save it as CSV with commas, and with "
                        f"points for decimals."
                    )
                if rows and len(row) != len(rows[0]):
                    raise DataError(
                        f"{path}, line {line}: {counted(len(row), 'cell')}, where line {lines[0]} names "
                        f"{counted(len(rows[0]), 'column')}. It is not a CSV of prices, or the line is damaged."
                    )
                lines.append(line)
                rows.append(row)
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{path}, line {line}: not a CSV: {error}.") from error
    if not rows:
        raise DataError(f"{path} is not a CSV of prices: it is empty.")
    return Rows(lines, rows, hashlib.sha256(raw).hexdigest())


def counted(number: float, noun: str) -> str:
    """Say a number of things: `1 row`, `2 rows`."""
    return f"{number:.0f} {noun}{'' if number == 1 else 's'}"
