"""A worksheet of an Excel workbook (.xlsx, .xlsm) becomes the rows of text of its CSV; no formula or macro is run."""

import io
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from itertools import chain, islice
from typing import IO, Any, TypeVar

from stockcast.data.csv.contents import Contents, bounded
from stockcast.data.csv.frame import cell_text
from stockcast.data.csv.header_forms import HEADER_WITHIN
from stockcast.data.csv.options import CsvOptions
from stockcast.data.csv.problems import Row, Source, setting
from stockcast.data.csv.reader import read_parts
from stockcast.errors import DataError

_MOST_ROWS = 1_048_576  # of a worksheet, as Excel has it
_MOST_TAGS = 4_000_000  # of a part of the workbook that is not drawn by rows: a table of 100,000 rows of text has half
_MOST_TAGS_OF_A_TREE = 500_000  # of a part that is held in memory as a whole; Excel's 65,000 cell formats have as many
_ROWS_AT_ONCE = 16
_MOST_TAGS_AT_ONCE = 500_000  # a row of 8,000 cells has 31,000
# What these bytes are searched for is written in UTF-8; Excel writes nothing else.
_NOT_UTF_8 = re.compile(rb"\xff\xfe|\xfe\xff|[^<]*<\?xml[^>]*encoding\s*=\s*[\"'](?!utf-8|us-ascii)", re.IGNORECASE)
_ENTITIES = re.compile(rb"<!(?:DOCTYPE|ENTITY)")
_LONGEST_TAG = 10
_SHOWN = 20

Value = TypeVar("Value")


def sheet_contents(source: Source, raw: bytes, *, options: CsvOptions) -> Contents:
    """Return the rows of the worksheet that is meant, numbered from 1 as in Excel.

    Dates are ISO; numbers have the shortest text that reads back to the stored bits; of a formula the stored value
    counts.

    Args:
        source: names the file.
        raw: of the workbook, whose parts are together no larger than the cap.
        options: how its texts are written, and the name of the sheet.

    Raises:
        DataError: openpyxl is not installed, the workbook is damaged, or the sheet is not there or not clear. While
            rows are drawn: the sheet is damaged or too large.
    """
    try:
        from openpyxl.reader.excel import ExcelReader
        from openpyxl.styles.stylesheet import apply_stylesheet
    except ImportError as error:
        raise source.error(
            "an Excel workbook, and openpyxl, which reads it, is not installed. Install the extra excel (python -m pip "
            'install -c constraints.txt -e ".[excel]"), or save the sheet as CSV.',
            value="openpyxl",
        ) from error

    def load() -> Any:
        workbook = ExcelReader(io.BytesIO(raw), read_only=True, data_only=True, keep_links=False)
        workbook.archive = _BoundedZip(raw, source)
        # Of what openpyxl reads by itself, only what cells need: not the properties, the theme, names and links.
        workbook.read_manifest()
        workbook.read_strings()
        workbook.read_workbook()
        apply_stylesheet(workbook.archive, workbook.wb)
        workbook.valid_files = [name for name in workbook.valid_files if "chartsheets/" not in name]
        workbook.read_worksheets()
        return workbook.wb

    workbook = _guarded(source, load)
    formulas: list[int] = []
    sheet = _choose(source, workbook, options.sheet)
    drawn = _cells(source, workbook, sheet, formulas)
    first = list(islice(drawn, HEADER_WITHIN))
    if any(isinstance(cell, date) for _, cells in first for cell in cells.values()):
        options = replace(options, date_format=None)
    width = max((max(cells) for _, cells in first), default=0)
    mark = options.decimal or "."

    def rows() -> Iterator[Row]:
        for number, cells in chain(first, drawn):
            # What stands beyond the last cell near the header is in no column.
            row = [cell_text(cells.get(place), mark=mark) for place in range(1, width + 1)]
            if any(map(str.strip, row)):
                yield number, row

    options = replace(options, separator=",")
    return Contents(source=source, options=options, rows=bounded(source, rows()), formulas=formulas)


def _choose(source: Source, workbook: Any, chosen: str | None) -> Any:
    """Return the sheet of this name, or the only one that is visible and has cells."""
    sheets = {sheet.title: sheet for sheet in workbook.worksheets}
    if chosen is not None:
        if chosen not in sheets:
            found = ", ".join(list(sheets)[:_SHOWN])
            message = f"no sheet {chosen}, as data.sheet has it; found {found}."
            raise source.error(message, key="data.sheet", value=chosen)
        return sheets[chosen]
    names = [
        name
        for name, sheet in sheets.items()
        if sheet.sheet_state == "visible" and next(_cells(source, workbook, sheet, []), None)
    ]
    if not names:
        raise source.error("no visible sheet with cells in this workbook. Save the prices in one.", value=0)
    if len(names) > 1:
        listed = ", ".join(names[:_SHOWN])
        message = f"several sheets: {listed}. Choose one: {setting('data.sheet', names[0])}"
        raise source.error(message, key="data.sheet", value=listed)
    return sheets[names[0]]


def _cells(source: Source, workbook: Any, sheet: Any, formulas: list[int]) -> Iterator[tuple[int, dict[int, object]]]:
    """Yield rows with their number: value by column, from 1, without empty cells; count formulas without a value."""
    from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

    class Parser(WorkSheetParser):  # type: ignore[misc]  # openpyxl has no types
        def parse_cell(self, element: Any) -> Any:
            cell = super().parse_cell(element)
            if cell["value"] is None and element.find(FORMULA_TAG) is not None:
                formulas.append(cell["row"])
            return cell

    with workbook._archive.open(sheet._worksheet_path) as stream:
        # Not by way of the sheet itself, which believes the size that is written in it and loses what lies beyond.
        parser = Parser(
            stream,
            sheet._shared_strings,
            data_only=True,
            epoch=workbook.epoch,
            date_formats=workbook._date_formats,
            timedelta_formats=workbook._timedelta_formats,
        )
        rows = parser.parse()
        for _ in range(_MOST_ROWS // _ROWS_AT_ONCE):
            stream.allow(_MOST_TAGS_AT_ONCE)
            drawn = _guarded(source, lambda: list(islice(rows, _ROWS_AT_ONCE)))
            if not drawn:
                return
            for number, cells in drawn:
                if found := {cell["column"]: cell["value"] for cell in cells if cell["value"] not in (None, "")}:
                    yield number, found
    raise source.error(f"more than {_MOST_ROWS:,} rows. Save the prices as CSV.", value=_MOST_ROWS)


def _guarded(source: Source, call: Callable[[], Value]) -> Value:
    """Call openpyxl, whose errors on a damaged file are of any kind, and whose warnings are about what is not read."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return call()
    except DataError:
        raise
    except Exception as error:
        raise _damaged(source, str(error) or type(error).__name__) from error


def _damaged(source: Source, reason: str) -> DataError:
    reason = " ".join(reason.split())[:200].removesuffix(".")
    return source.error(f"a damaged Excel workbook ({reason}). Open it in Excel and save it again, or save it as CSV.")


class _BoundedZip(zipfile.ZipFile):
    """A workbook whose parts stop where they would fill the memory as XML: each tag takes a hundred bytes."""

    def __init__(self, raw: bytes, source: Source) -> None:
        super().__init__(io.BytesIO(raw))
        self._source = source

    def open(self, name: Any, *arguments: Any, **named: Any) -> Any:
        return _BoundedPart(super().open(name, *arguments, **named), self._source)

    def read(self, name: Any, pwd: bytes | None = None) -> bytes:
        with _BoundedPart(super().open(name, "r", pwd), self._source) as part:
            part.allow(_MOST_TAGS_OF_A_TREE)
            return read_parts(self._source, part, "unpacked")


class _BoundedPart(io.BufferedIOBase):
    """A stream of XML that ends with an error at a tag too many, and at entities, which multiply text."""

    def __init__(self, stream: IO[bytes], source: Source) -> None:
        self._stream, self._source = stream, source
        self._tags, self._before = _MOST_TAGS, b""

    def allow(self, tags: int) -> None:
        """Set how many tags may follow."""
        self._tags = tags

    def read(self, size: int | None = -1) -> bytes:
        data = self._stream.read(-1 if size is None else size)
        if b"\0" in data or (not self._before and _NOT_UTF_8.match(data[:200])):
            raise _damaged(self._source, "its XML is not UTF-8")
        if _ENTITIES.search(self._before + data):
            raise _damaged(self._source, "its XML defines entities")
        self._tags -= data.count(b"<")
        if self._tags < 0:
            raise self._source.error("too large a workbook for daily bars. Save the sheet with the prices as CSV.")
        self._before = data[-_LONGEST_TAG:] or self._before
        return data

    def close(self) -> None:
        self._stream.close()
        super().close()
