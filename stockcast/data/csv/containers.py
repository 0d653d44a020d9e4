"""What a price file is, by its first bytes, and its contents: unpacked in memory, never on the disk, and bounded."""

import gzip
import io
import zipfile
import zlib
from dataclasses import replace
from lzma import LZMAError

from stockcast.data.csv import reader
from stockcast.data.csv.contents import Contents
from stockcast.data.csv.encodings import marked_encoding
from stockcast.data.csv.excel import sheet_contents
from stockcast.data.csv.options import CsvOptions
from stockcast.data.csv.parquet import parquet_contents
from stockcast.data.csv.problems import Source, setting

_GZIP, _ZIP, _PARQUET = b"\x1f\x8b", b"PK\x03\x04", b"PAR1"
_ENTRY = b"PK\x01\x02"  # begins each line of a zip's directory
_MOST_ENTRIES = 10_000
_SHOWN = 10
_FAULTS = (zipfile.BadZipFile, zlib.error, LZMAError, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


def open_contents(source: Source, raw: bytes, *, options: CsvOptions) -> Contents:
    """Return the rows of a price file of any kind.

    Args:
        source: names the file.
        raw: its bytes.
        options: how it is written.

    Raises:
        DataError: it is damaged, has a password, holds no table or several, or is too large when unpacked.
    """
    if options.sheet is not None and not raw.startswith(_ZIP):
        message = f"data.sheet is {options.sheet}, but the file is no workbook or zip. Leave it out."
        raise source.error(message, key="data.sheet", value=options.sheet)
    if raw.startswith(_GZIP):
        return _text_contents(replace(source, kind="unpacked"), _gunzip(source, raw), options)
    if raw.startswith(_ZIP):
        return _zip_contents(source, raw, options)
    if raw.startswith(_PARQUET):
        return parquet_contents(replace(source, kind="rows"), raw, options=options)
    return _text_contents(source, raw, options)


def _text_contents(source: Source, text: bytes, options: CsvOptions, *notes: str) -> Contents:
    reader.check_is_text(source, text)
    marked = marked_encoding(text) if options.encoding is None else None
    if marked:
        options = replace(options, encoding=marked)
        notes = (*notes, f"read as {marked.upper()}, which its byte-order mark states")
    rows = reader.read_rows(source, text, options=options)
    return Contents(source=source, options=options, rows=rows, text=text, notes=notes)


def _gunzip(source: Source, raw: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as stream:
            return reader.read_parts(source, stream, "unpacked")
    except (OSError, EOFError, zlib.error) as error:
        raise source.error(f"a damaged gzip file ({error}). Download it again.") from error


def _zip_contents(source: Source, raw: bytes, options: CsvOptions) -> Contents:
    if raw.count(_ENTRY) > _MOST_ENTRIES:
        raise source.error(f"a zip file of more than {_MOST_ENTRIES:,} files. Unpack the one with the prices.")
    try:
        archive = zipfile.ZipFile(io.BytesIO(raw))
    except _FAULTS as error:
        is_workbook = b"[Content_Types].xml" in raw[:4000] or b"xl/" in raw[:4000]
        kind = "Excel workbook" if is_workbook else "zip file"
        raise source.error(f"a damaged {kind} ({error}). Download it again.") from error
    names = set(archive.namelist())
    if any(name.startswith("xl/") for name in names):
        if sum(info.file_size for info in archive.infolist()) > reader.MAX_BYTES:
            raise reader.too_large(source, "unpacked")
        if "xl/workbook.bin" in names:
            raise source.error("a binary Excel workbook (.xlsb). Save it as .xlsx or as CSV.")
        return sheet_contents(replace(source, kind="rows"), raw, options=options)
    if {"mimetype", "content.xml"} <= names:
        raise source.error("an OpenDocument spreadsheet. Save it as .xlsx or as CSV.")
    info, others = _choose(source, archive, options.sheet)
    notes = [f"{info.filename} read, and not {', '.join(others[:_SHOWN])}"] if others else []
    return _text_contents(replace(source, kind="unpacked"), _unzip(source, archive, info), options, *notes)


def _choose(source: Source, archive: zipfile.ZipFile, chosen: str | None) -> tuple[zipfile.ZipInfo, list[str]]:
    """Return the file of a zip that is meant, and the names of the others."""
    files = {info.filename: info for info in archive.infolist() if not info.is_dir()}
    files = {name: info for name, info in files.items() if not name.startswith("__MACOSX/")}  # what macOS adds
    tables = [name for name in files if name.lower().endswith(".csv")]
    if len(files) == 1:
        tables = list(files)
    elif chosen is not None:
        tables = [chosen] if chosen in files else []
    if len(tables) == 1:
        return files[tables[0]], [name for name in files if name != tables[0]]
    names = ", ".join((tables or list(files))[:_SHOWN])
    if chosen is not None and files:
        message = f"no file {chosen} in this zip, as data.sheet has it; found {', '.join(list(files)[:_SHOWN])}."
        raise source.error(message, key="data.sheet", value=chosen)
    if tables:
        message = f"a zip of {len(tables)} CSVs: {names}. Choose one: {setting('data.sheet', tables[0])}"
        raise source.error(message, key="data.sheet", value=names)
    holds = f"; it holds {names}" if files else ""
    raise source.error(f"no CSV in this zip{holds}. Unpack it, and give the file with the prices.", value=names or None)


def _unzip(source: Source, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Return the bytes of a file in a zip."""
    name = info.filename
    if name.startswith(("/", "\\")) or ":" in name[:2] or ".." in name.replace("\\", "/").split("/"):
        message = f"its file {name!r} has a path that leads out of the zip. Download it again from who made it."
        raise source.error(message, value=name)
    if info.flag_bits & 1:
        raise source.error(f"{name} in it has a password. Unpack it first.", value=name)
    if info.file_size > reader.MAX_BYTES:
        raise reader.too_large(source, "unpacked")
    try:
        with archive.open(info) as stream:
            return reader.read_parts(source, stream, "unpacked")
    except _FAULTS as error:
        raise source.error(f"a damaged zip file: {name} ({error}). Download it again, or unpack it.") from error
