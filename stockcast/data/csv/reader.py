"""A price file becomes rows of text, each with the line that it begins in; memory is bounded whatever it holds."""

import csv
import io
import os
import re
import stat
from collections.abc import Iterator

from stockcast.data.csv.options import CsvOptions
from stockcast.data.csv.problems import Row, Source, setting
from stockcast.errors import DataError

MAX_BYTES = 256_000_000
_MAX_ROW = 1_000_000  # characters; a row of two thousand tickers has a tenth of that

_WORKBOOK, _ZIP = "an Excel workbook. Save it as CSV.", "compressed (zip). Unpack it first."
_KINDS = (
    (b"\x1f\x8b", "compressed (gzip). Unpack it first."),
    (b"BZh", "compressed (bzip2). Unpack it first."),
    (b"\xfd7zXZ", "compressed (xz). Unpack it first."),
    (b"\x28\xb5\x2f\xfd", "compressed (zstd). Unpack it first."),
    (b"7z\xbc\xaf", "compressed (7z). Unpack it first."),
    (b"\xd0\xcf\x11\xe0", _WORKBOOK),
    (b"PAR1", "a Parquet file. Save it as CSV."),
    (b"%PDF", "a PDF document. Download it as CSV."),
)
_WEB_PAGES = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body", b"<script")


def read_bytes(source: Source) -> bytes:
    """Return the whole file; DataError if it cannot be read, is larger than the cap, or is no text with cells."""
    try:
        with source.path.open("rb") as stream:
            status = os.fstat(stream.fileno())
            too_large = stat.S_ISREG(status.st_mode) and status.st_size > MAX_BYTES
            raw = b"" if too_large else stream.read(MAX_BYTES + 1)  # a pipe or a device has no size to look at
    except FileNotFoundError:
        if re.match(r"[a-z][a-z0-9+]+:/", str(source.path), re.IGNORECASE):  # a path holds the two slashes as one
            raise source.error("an address, but stockcast reads files. Download it first.") from None
        raise source.error("no such file. Check the path (data.path or --data).", key="data.path") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise source.error(f"cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    if too_large or len(raw) > MAX_BYTES:
        raise source.error(f"larger than {MAX_BYTES:,} bytes, too large for daily bars. Make the bars daily first.")
    if kind := _other_kind(raw):
        raise source.error(f"not a CSV but {kind}")
    return raw


def _other_kind(raw: bytes) -> str | None:
    """Name what a file is by its first bytes, and what to do; None for text that may be a CSV."""
    if raw.startswith(b"PK\x03\x04"):
        return _WORKBOOK if b"[Content_Types].xml" in raw[:4000] or b"xl/" in raw[:4000] else _ZIP
    for magic, kind in _KINDS:
        if raw.startswith(magic):
            return kind
    begin = raw[:1000].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if begin.startswith(_WEB_PAGES):
        return "a web page, perhaps a sign-in page. Download it again."
    if begin.startswith((b"{", b"[")):
        text = raw[:120].decode("ascii", "replace")
        return f"JSON, perhaps the vendor's error message: {text!r}. Download it again as CSV."
    return None


def read_rows(source: Source, raw: bytes, *, options: CsvOptions) -> Iterator[Row]:
    """Yield the rows that are not blank, with the line each begins in, from 1; of any length, cells not stripped.

    Read by the standard library: pandas cuts a first row that is too long, and fills short ones, without a warning.
    DataError, while rows are drawn, if the bytes are no text in the encoding, or the text is no CSV.
    """
    _refuse_undeclared_utf_16(source, raw, options.encoding)
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
            if any(map(str.strip, row)):
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise source.error(f"not a CSV: {error}.", line=line) from error
    except UnicodeError as error:
        wrong = f"the text after line {line} is not {options.encoding or 'UTF-8'} ({getattr(error, 'reason', error)})"
        advice = "." if options.encoding else f", such as {setting('data.encoding', 'cp1252')}"
        message = f"{wrong}. Save it as CSV in UTF-8, or set its encoding{advice}"
        raise source.error(message, key="data.encoding", value=options.encoding) from error
    except LookupError:
        message = f"data.encoding {options.encoding!r} is not an encoding that Python knows, such as utf-8 or cp1252."
        raise DataError(message, file=source.path, key="data.encoding", value=options.encoding) from None


def _refuse_undeclared_utf_16(source: Source, raw: bytes, encoding: str | None) -> None:
    """Text in UTF-16 has a zero byte in every character that English writes."""
    begin, declared = raw[:1000], (encoding or "").lower().replace("_", "-")
    if b"\0" not in begin or (declared.startswith(("utf-16", "utf16", "utf-32", "utf32"))):
        return
    encodings = {
        "utf-16": begin.startswith((b"\xff\xfe", b"\xfe\xff")),
        "utf-16-le": begin[1::2].count(0) > len(begin) / 3,
        "utf-16-be": begin[::2].count(0) > len(begin) / 3,
    }
    likely = next((name for name, fits in encodings.items() if fits), None)
    advice = f", or set its encoding: {setting('data.encoding', likely)}" if likely else "."
    kind = "UTF-16 text" if likely else "UTF-16, or not text"
    raise source.error(f"{kind}. Save it as CSV in UTF-8{advice}", key="data.encoding", value=likely)
