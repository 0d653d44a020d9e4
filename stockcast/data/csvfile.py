"""A price file becomes rows of text, each with the line that it begins in; memory is bounded whatever it holds."""

import csv
import io
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from stockcast.data.problems import setting
from stockcast.data.reading import Reading
from stockcast.errors import DataError

MAX_BYTES = 256_000_000
_MAX_ROW = 1_000_000  # characters; a row of two thousand tickers has a tenth of that

_KINDS = (
    (b"\x1f\x8b", "compressed (gzip): unpack it first"),
    (b"BZh", "compressed (bzip2): unpack it first"),
    (b"\xfd7zXZ", "compressed (xz): unpack it first"),
    (b"\x28\xb5\x2f\xfd", "compressed (zstd): unpack it first"),
    (b"7z\xbc\xaf", "compressed (7z): unpack it first"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook: save it as CSV"),
    (b"PAR1", "a Parquet file: save it as CSV"),
    (b"%PDF", "a PDF document: ask the vendor for CSV"),
)
_WEB_PAGES = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body", b"<script")


def read_bytes(path: Path) -> bytes:
    """Return the whole file.

    Raises:
        DataError: it cannot be read, is larger than the cap, or is something else than text separated into cells.
    """
    try:
        with path.open("rb") as stream:
            about = os.fstat(stream.fileno())
            too_large = stat.S_ISREG(about.st_mode) and about.st_size > MAX_BYTES
            raw = b"" if too_large else stream.read(MAX_BYTES + 1)  # a pipe or a device has no size to look at
    except FileNotFoundError:
        if re.match(r"[a-z][a-z0-9+]+:/", str(path), re.IGNORECASE):  # a path holds the two slashes as one
            raise DataError(f"{path}: is an address, and stockcast reads files. Download it first.") from None
        raise DataError(f"{path}: no such file. Check the path (data.path in the config, or --data).") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise DataError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    if too_large or len(raw) > MAX_BYTES:
        raise DataError(f"{path}: larger than {MAX_BYTES:,} bytes, so no file of daily bars. Make them daily first.")
    _refuse_other_kinds(path, raw)
    return raw


def _refuse_other_kinds(path: Path, raw: bytes) -> None:
    """Say by its first bytes what the file is, if it is no text of cells."""
    if raw.startswith(b"PK\x03\x04"):
        workbook = b"[Content_Types].xml" in raw[:4000] or b"xl/" in raw[:4000]
        kind = "an Excel workbook: save it as CSV" if workbook else "compressed (zip): unpack it first"
        raise DataError(f"{path}: not a CSV but {kind}.")
    for magic, kind in _KINDS:
        if raw.startswith(magic):
            raise DataError(f"{path}: not a CSV but {kind}.")
    begin = raw[:1000].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if begin.startswith(_WEB_PAGES):
        raise DataError(f"{path}: not a CSV but a web page, perhaps one that asks to sign in. Download it again.")
    if begin.startswith((b"{", b"[")):
        said = raw[:120].decode("ascii", "replace")
        raise DataError(f"{path}: not a CSV but JSON, perhaps a vendor's refusal: {said!r}. Download it again as CSV.")


def read_rows(path: Path, raw: bytes, *, reading: Reading) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that hold anything, with the line each begins in, from 1; of any length, cells not stripped.

    Read by the standard library: pandas cuts a first row that is too long, and fills short ones, without a word.

    Raises:
        DataError: while rows are drawn: the bytes are no text in the encoding, or the text is no CSV.
    """
    encoding = reading.encoding or "utf-8"
    _refuse_undeclared_utf_16(path, raw, reading.encoding)
    line = 1
    try:
        lines = _Lines(path, io.TextIOWrapper(io.BytesIO(raw), encoding=encoding, newline=""))
        reader = csv.reader(lines, delimiter=reading.separator, strict=True, skipinitialspace=True)
        for row in reader:
            lines.length = 0
            if any(map(str.strip, row)):
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{path}, line {line}: not a CSV: {error}.") from error
    except UnicodeError as error:
        reason = getattr(error, "reason", None) or error
        advice = "Save it as CSV in UTF-8, or name its encoding"
        if reading.encoding:
            raise DataError(
                f"{path}, after line {line}: not {reading.encoding} text, as data.encoding says ({reason}). {advice}."
            ) from error
        raise DataError(
            f"{path}, after line {line}: not UTF-8 text ({reason}). {advice}; in western Europe and America that is "
            f"mostly {setting('encoding', 'cp1252')}"
        ) from error
    except LookupError:
        raise DataError(f"data.encoding {encoding!r} is no encoding that Python knows; utf-8 or cp1252 are.") from None


def _refuse_undeclared_utf_16(path: Path, raw: bytes, encoding: str | None) -> None:
    """Text in UTF-16 has a zero byte in every character that English writes."""
    begin, declared = raw[:1000], (encoding or "").lower().replace("_", "-")
    if b"\0" not in begin or (declared.startswith(("utf-16", "utf16", "utf-32", "utf32"))):
        return
    named = None
    if begin.startswith((b"\xff\xfe", b"\xfe\xff")):
        named = "utf-16"
    elif begin[1::2].count(0) > len(begin) / 3:
        named = "utf-16-le"
    elif begin[::2].count(0) > len(begin) / 3:
        named = "utf-16-be"
    if named is None:
        raise DataError(f"{path}: UTF-16, or no text at all. Save it as CSV in UTF-8.")
    raise DataError(f"{path}: UTF-16. Save it as CSV in UTF-8, or say so: {setting('encoding', named)}")


class _Lines:
    """Lines of a text; stops at a row that is longer than any row of prices, before it fills the memory.

    Attributes:
        length: characters since whoever reads the rows last set it to zero.
    """

    def __init__(self, path: Path, stream: io.TextIOWrapper) -> None:
        self._path, self._stream, self.length = path, stream, 0
        self._mark = "\ufeff"  # a byte-order mark, before the first line only

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._stream.readline(_MAX_ROW + 1)
        if not line:
            raise StopIteration
        self.length += len(line)
        if self.length > _MAX_ROW:
            raise DataError(f"{self._path}: not a CSV of prices: a row of more than {_MAX_ROW:,} characters.")
        line, self._mark = line.removeprefix(self._mark) if self._mark else line, ""
        return line


def counted(number: float, noun: str) -> str:
    """Say a number of things: `1 row`, `2 rows`."""
    return f"{number:.0f} {noun}{'' if number == 1 else 's'}"
