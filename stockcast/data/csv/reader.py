"""A price file becomes bytes, and its text rows with the line that each begins in; memory is bounded."""

import csv
import io
import os
import re
import stat
import sys
from collections.abc import Iterator
from functools import lru_cache
from io import BufferedIOBase
from pathlib import Path
from typing import IO, BinaryIO

from stockcast.data.csv.encodings import proposals, refuse_undeclared_utf_16
from stockcast.data.csv.options import STDIN, CsvOptions
from stockcast.data.csv.problems import Row, Source
from stockcast.errors import DataError
from stockcast.inputs import located
from stockcast.tickers import how_to_get

MAX_BYTES = 256_000_000
"""Of a file, and of what is unpacked from it."""

_MAX_ROW = 1_000_000  # characters; a row of two thousand tickers has a tenth of that
_PART = 1_000_000
_STDIN_NAME = Path("stdin")

_KINDS = (
    (b"\x1f\x8b", "compressed (gzip). Unpack it first."),
    (b"PK\x03\x04", "compressed (zip). Unpack it first."),
    (b"PK\x05\x06", "an empty zip file. Download it again."),
    (b"BZh", "compressed (bzip2). Unpack it first."),
    (b"\xfd7zXZ", "compressed (xz). Unpack it first."),
    (b"\x28\xb5\x2f\xfd", "compressed (zstd). Unpack it first."),
    (b"7z\xbc\xaf", "compressed (7z). Unpack it first."),
    (b"PAR1", "a Parquet file inside another. Unpack it first."),
    (b"PARE", "an encrypted Parquet file. Decrypt it first, or save it as CSV."),
    (b"%PDF", "a PDF document. Download it as CSV."),
)
_OLE, _PASSWORD = b"\xd0\xcf\x11\xe0", "EncryptedPackage".encode("utf-16-le")
_TAR = slice(257, 262)
_WEB_PAGES = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body", b"<script")


def find_source(path: Path | str) -> Source:
    """Return the source that a path names; `-` is standard input."""
    return Source(_STDIN_NAME, kind="unpacked") if Path(path) == STDIN else Source(Path(path))


def read_bytes(source: Source) -> bytes:
    """Return the whole file, or what standard input holds.

    Raises:
        DataError: it cannot be read, is no regular file, or is larger than the cap.
    """
    return _read_stdin(source) if source.path == _STDIN_NAME and not source.is_plain else _read_file(source)


def too_large(source: Source, unpacked: str = "") -> DataError:
    """Build the error of a file that is larger than the cap, as it is or unpacked."""
    size = f"larger than {MAX_BYTES:,} bytes{f' when {unpacked}' if unpacked else ''}"
    return source.error(f"{size}, too large for daily bars. Make the bars daily first.", value=MAX_BYTES)


def read_parts(source: Source, stream: IO[bytes] | BufferedIOBase, unpacked: str = "") -> bytes:
    """Return what a stream gives, a part at a time; DataError where it is more than the cap."""
    parts: list[bytes] = []
    size = 0
    while part := stream.read(_PART):
        size += len(part)
        if size > MAX_BYTES:
            parts.clear()  # or the error would hold them, by its traceback
            raise too_large(source, unpacked)
        parts.append(part)
    return b"".join(parts)


def _read_file(source: Source) -> bytes:
    try:
        with open(located(source.path), "rb", opener=_open_at_once) as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode):
                kind = "a pipe" if stat.S_ISFIFO(status.st_mode) else "a device"
                advice = "Save what it gives to a file, or pipe it into the command, with - as the path."
                raise source.error(f"{kind}, not a file. {advice}", key="data.path")
            if status.st_size > MAX_BYTES:
                raise too_large(source)
            return stream.read()
    except FileNotFoundError:
        if re.match(r"[a-z][a-z0-9+]+:/", str(source.path), re.IGNORECASE):  # a path holds the two slashes as one
            raise source.error("an address, but stockcast reads files. Download it first.") from None
        advice = how_to_get(source.path.name)
        raise source.error(f"no such file. Check the path (data.path or --data).{advice}", key="data.path") from None
    except IsADirectoryError:
        message = "a folder, and this takes one price file. Name a file in it; train and evaluate take folders."
        raise source.error(message, key="data.path") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise source.error(f"cannot be read: {getattr(error, 'strerror', None) or error}.") from error


def _open_at_once(path: str, flags: int) -> int:
    """Open a file; of a named pipe without waiting for who writes into it."""
    return os.open(path, flags | os.O_NONBLOCK)


def _read_stdin(source: Source) -> bytes:
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None or stream.isatty():
        message = "standard input holds no file. Pipe one into the command, or give its path."
        raise source.error(message, key="data.path")
    return _read_once(source, stream)


@lru_cache(maxsize=1)
def _read_once(source: Source, stream: BinaryIO) -> bytes:
    """Keep what a stream held: it can be read a single time."""
    return read_parts(source, stream)


def check_is_text(source: Source, raw: bytes) -> None:
    """Check that bytes may be a CSV; DataError names what they are, and what to do."""
    if kind := _other_kind(raw):
        raise source.error(f"not a CSV but {kind}")


def _other_kind(raw: bytes) -> str | None:
    """Name what a file is by its first bytes, and what to do; None for text that may be a CSV."""
    for magic, kind in _KINDS:
        if raw.startswith(magic):
            return kind
    if raw.startswith(_OLE):
        if _PASSWORD in raw:
            return "an Excel workbook with a password. Save it without one, or as CSV."
        return "an Excel workbook of the old kind (.xls). Save it as .xlsx or as CSV."
    if raw[_TAR] == b"ustar":
        return "a tar archive. Unpack it first."
    begin = raw[:1000].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if begin.startswith(_WEB_PAGES):
        return "a web page, perhaps a sign-in page. Download it again."
    if begin.startswith((b"{", b"[")) and b"\0" not in begin:  # in UTF-16 they are half a letter
        text = raw[:120].decode("ascii", "replace")
        return f"JSON, perhaps the vendor's error message: {text!r}. Download it again as CSV."
    return None


def read_rows(source: Source, raw: bytes, *, options: CsvOptions) -> Iterator[Row]:
    """Yield the rows that are not blank, with the line each begins in, from 1; of any length, cells not stripped.

    Read by the standard library: pandas cuts a first row that is too long, and fills short ones, without a warning.
    DataError, while rows are drawn, if the bytes are no text in the encoding, or the text is no CSV.
    """
    refuse_undeclared_utf_16(source, raw, options.encoding)
    line, length = 1, 0

    def lines(stream: io.TextIOWrapper) -> Iterator[str]:
        """Stop at a row that is longer than any row of prices, before it fills the memory."""
        nonlocal length
        mark = "\ufeff"  # a byte-order mark, before the first line only
        while text := stream.readline(_MAX_ROW + 1):
            length += len(text)
            if length > _MAX_ROW:
                raise source.error(f"not a CSV of prices: a row has more than {_MAX_ROW:,} characters.", line=line)
            yield text.removeprefix(mark)
            mark = ""

    try:
        stream = io.TextIOWrapper(io.BytesIO(raw), encoding=options.encoding or "utf-8", newline="")
        reader = csv.reader(lines(stream), delimiter=options.separator, strict=True, skipinitialspace=True)
        for row in reader:
            length = 0
            if row and (row[0].strip() or any(map(str.strip, row))):
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise source.error(f"not a CSV: {error}.", line=line) from error
    except UnicodeError as error:
        wrong = f"the text after line {line} is not {options.encoding or 'UTF-8'} ({getattr(error, 'reason', error)})"
        advice, fitting = proposals(source, raw, declared=options.encoding)
        message = f"{wrong}. Save it as CSV in UTF-8{advice}"
        value = options.encoding or ", ".join(fitting) or None
        raise source.error(message, key="data.encoding", value=value) from error
    except LookupError:
        message = f"data.encoding {options.encoding!r} is not an encoding that Python knows, such as utf-8 or cp1252."
        raise DataError(message, file=source.path, key="data.encoding", value=options.encoding) from None
