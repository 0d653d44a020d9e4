"""Price files that are no plain CSV: each gives the bars of the CSV, or is refused by name, in bounded memory."""

import gzip
import io
import re
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made import make_bars

from stockcast.config.load import load_config
from stockcast.data.csv import reader
from stockcast.data.csv.options import CsvOptions
from stockcast.data.prices import Prices, read_prices
from stockcast.errors import DataError, MissingColumns, StockcastError
from stockcast.forecasting.reading import price_files

BARS = make_bars(60).round(4)  # openpyxl writes sixteen digits of a float
DATED = BARS.assign(Date=pd.to_datetime(BARS["Date"]))
CSV = BARS.to_csv(index=False).encode()
SHEET = "xl/worksheets/sheet1.xml"
ROWS = [["Date", "Close"], [datetime(2018, 1, 2), 10.5], [datetime(2018, 1, 3), 11.25]]


def zipped(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return stream.getvalue()


def workbook(sheets: dict[str, list[list[Any]]], **states: str) -> bytes:
    book, stream = openpyxl.Workbook(), io.BytesIO()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        sheet.sheet_state = states.get(title, "visible")
        for row in rows:
            sheet.append(row)
    book.save(stream)
    return stream.getvalue()


def changed(book: bytes, change: Callable[[str, bytes], bytes], **more: bytes) -> bytes:
    """A workbook with its parts changed."""
    with zipfile.ZipFile(io.BytesIO(book)) as archive:
        parts = {name: change(name, archive.read(name)) for name in archive.namelist()}
    return zipped({**parts, **more})


def in_sheet(book: bytes, old: bytes, new: bytes) -> bytes:
    def change(name: str, part: bytes) -> bytes:
        assert name != SHEET or old in part
        return part.replace(old, new) if name == SHEET else part

    return changed(book, change)


def with_shared_texts(book: bytes, more: bytes = b"") -> bytes:
    """A workbook whose texts stand in a table of their own, as Excel writes them; openpyxl writes each in its cell."""
    texts: list[bytes] = []

    def shared(match: re.Match[bytes]) -> bytes:
        texts.append(match[1])
        return f't="s"><v>{len(texts) - 1}</v>'.encode()

    def change(name: str, part: bytes) -> bytes:
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
        entry = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'.encode()
        part = re.sub(rb't="inlineStr"><is>(.*?)</is>', shared, part) if name == SHEET else part
        return part.replace(b"</Types>", entry) if name == "[Content_Types].xml" else part

    book = changed(book, change)
    table = b"".join(b"<si>" + text + b"</si>" for text in texts) + more
    sst = b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">' + table + b"</sst>"
    return changed(book, lambda _, part: part, **{"xl/sharedStrings.xml": sst})


def excel(frame: pd.DataFrame) -> bytes:
    stream = io.BytesIO()
    frame.to_excel(stream, index=False)
    return stream.getvalue()


def parquet(frame: pd.DataFrame, **options: Any) -> bytes:
    stream = io.BytesIO()
    frame.to_parquet(stream, **options)
    return stream.getvalue()


def assert_same(prices: Prices, other: Prices) -> None:
    pd.testing.assert_frame_equal(prices.bars, other.bars, check_exact=True)
    assert prices.quoted.tobytes() == other.quoted.tobytes()


@pytest.fixture
def plain(write_file) -> Prices:
    return read_prices(write_file(CSV))


# --- What is read -----------------------------------------------------------------------------------------------------

KINDS = {
    "gzip": gzip.compress(CSV),
    "gzip of several members": gzip.compress(CSV[:1000]) + gzip.compress(CSV[1000:]),
    "zip": zipped({"GE.csv": CSV}),
    "zip, stored": zipped({"GE.csv": CSV}, zipfile.ZIP_STORED),
    "zip of a folder": zipped({"prices/": b"", "prices/GE.csv": CSV}),
    "zip by macOS": zipped({"GE.csv": CSV, "__MACOSX/._GE.csv": b"\0"}),
    "zip of another name": zipped({"GE.txt": CSV}),
    "workbook of dates": excel(DATED),
    "workbook of texts": excel(BARS.astype(str)),
    "workbook of texts as Excel writes them": with_shared_texts(excel(BARS.astype(str))),
    "workbook with empty sheets": workbook(
        {"Sheet1": [list(DATED), *DATED.values.tolist()], "Sheet2": [], "Sheet3": []}
    ),
    "workbook with macros": changed(excel(DATED), lambda _, part: part, **{"xl/vbaProject.bin": b"\xcc\x61\0evil"}),
    "workbook that states a wrong size": in_sheet(excel(DATED), b'ref="A1:G61"', b'ref="A1:A1"'),
    "Parquet of dates": parquet(DATED),
    "Parquet of dates as the index": parquet(DATED.set_index("Date")),
    "Parquet of dates as an index without a name": parquet(DATED.set_index("Date").rename_axis(None)),
    "Parquet of texts": parquet(BARS.astype(str)),
    "Parquet of days": parquet(DATED.assign(Date=DATED["Date"].dt.date)),
    "Parquet of small row groups": parquet(DATED, row_group_size=7),
    "Parquet of yfinance's columns": parquet(
        pd.concat({"GE": DATED.set_index("Date")}, axis=1, names=["Ticker", "Price"])
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_any_kind_gives_the_bars_of_its_csv_whatever_its_name(write_file, plain, kind):
    assert_same(read_prices(write_file(KINDS[kind], name="other.csv")), plain)


def test_a_file_in_many_parts_is_read_whole(write_file, monkeypatch):
    monkeypatch.setattr("stockcast.data.csv.parquet._CELLS_AT_ONCE", 21)  # three rows at once
    prices = read_prices(write_file(KINDS["Parquet of dates"]))
    assert len(prices.bars) == 60


@pytest.mark.parametrize("stored", ["0.1", "100.76138600000001", "1E-3", "12345678", "9007199254740993"])
def test_a_number_in_a_workbook_is_the_one_that_is_stored(write_file, stored):
    book = in_sheet(workbook({"A": ROWS}), b"<v>10.5</v>", f"<v>{stored}</v>".encode())
    assert read_prices(write_file(book)).quoted[0] == float(stored)


@pytest.mark.parametrize("value", [0.1, 100.76138600000001, 1 / 3])
def test_a_number_in_a_parquet_file_is_the_one_that_is_stored(write_file, value):
    frame = pd.DataFrame({"Date": ["2018-01-02"], "Close": [value]})
    assert read_prices(write_file(parquet(frame))).quoted.tolist() == [value]


def test_numbers_as_text_with_a_decimal_comma_are_read_when_it_is_declared(write_file):
    book = workbook({"A": [["Date", "Open", "Close"], [datetime(2018, 1, 2), 10.5, "1.234,5"]]})
    prices = read_prices(write_file(book), options=CsvOptions(decimal=",", date_format="%d.%m.%Y", separator=";"))
    assert prices.bars[["Open", "Close"]].to_numpy().tolist() == [[10.5, 1234.5]]


def test_dates_that_count_from_1904_are_those_that_excel_shows(write_file):
    book = openpyxl.Workbook()
    book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    for row in ROWS:
        book.active.append(row)
    stream = io.BytesIO()
    book.save(stream)
    assert str(read_prices(write_file(stream.getvalue())).dates[0]) == "2018-01-02"


def test_text_above_the_header_and_notes_far_to_the_right_are_left_out(write_file):
    rows = [["Prices of GE"], [], *ROWS, *([[datetime(2018, 2, day), 12] for day in range(1, 29)])]
    rows[-1] += [None, None, None, "checked"]
    prices = read_prices(write_file(workbook({"A": rows})))
    assert len(prices.bars) == 30
    assert any("before the header" in note for note in prices.notes)


def test_the_hash_is_of_the_bytes_on_the_disk(write_file):
    import hashlib

    packed = gzip.compress(CSV)
    assert read_prices(write_file(packed)).sha256 == hashlib.sha256(packed).hexdigest()


@pytest.mark.parametrize("name", ["GE.csv", "GE.csv.gz", "GE.csv.zip", "GE.xlsx", "GE.parquet"])
def test_a_series_has_the_name_of_its_file_without_the_endings(write_file, name):
    assert read_prices(write_file(CSV, name=name)).name == "GE"


# --- What must be chosen ----------------------------------------------------------------------------------------------


def test_of_several_sheets_one_must_be_chosen(write_file, refused):
    book = workbook({"GE": ROWS, "S&P 500": [ROWS[0], [datetime(2018, 1, 2), 99]]})
    error = refused(book)
    assert (error.key, error.value) == ("data.sheet", "GE, S&P 500")
    assert "--set data.sheet=GE" in str(error)
    chosen = read_prices(write_file(book), options=CsvOptions(sheet="S&P 500"))
    assert chosen.quoted.tolist() == [99]


def test_a_hidden_sheet_is_read_only_when_it_is_chosen(write_file):
    book = workbook({"GE": ROWS, "Old": [ROWS[0], [datetime(2018, 1, 2), 99]]}, Old="hidden")
    assert len(read_prices(write_file(book)).bars) == 2
    assert read_prices(write_file(book), options=CsvOptions(sheet="Old")).quoted.tolist() == [99]


def test_a_sheet_that_is_not_there_is_refused_with_those_that_are(refused):
    error = refused(workbook({"GE": ROWS}), options=CsvOptions(sheet="IBM"))
    assert (error.key, error.value) == ("data.sheet", "IBM")
    assert "found GE" in str(error)


def test_of_two_csvs_in_a_zip_one_must_be_chosen(write_file, refused):
    both = zipped({"a/GE.csv": CSV, "a/IBM.csv": b"Date,Close\n2018-01-02,99\n"})
    error = refused(both)
    assert (error.key, error.value) == ("data.sheet", "a/GE.csv, a/IBM.csv")
    assert "--set data.sheet=a/GE.csv" in str(error)
    assert read_prices(write_file(both), options=CsvOptions(sheet="a/IBM.csv")).quoted.tolist() == [99]
    assert refused(both, options=CsvOptions(sheet="KO.csv")).value == "KO.csv"


def test_what_else_is_in_a_zip_is_told(write_file):
    prices = read_prices(write_file(zipped({"GE.csv": CSV, "readme.txt": b"hello"})))
    assert "GE.csv read, and not readme.txt" in prices.notes


# --- Formulas ---------------------------------------------------------------------------------------------------------

FORMULA = b"<f>1+1</f>"


def test_of_a_formula_the_stored_value_counts(write_file):
    book = in_sheet(workbook({"A": ROWS}), b"<v>10.5</v>", FORMULA + b"<v>2</v>")
    prices = read_prices(write_file(book))
    assert (prices.quoted.tolist(), prices.notes) == ([2, 11.25], ())


def test_a_formula_without_a_stored_value_is_a_missing_cell_that_is_told(write_file):
    prices = read_prices(write_file(in_sheet(workbook({"A": ROWS}), b"<v>10.5</v>", FORMULA)))
    assert prices.quoted.tolist() == [11.25]
    assert any("1 formula without a stored value (row 2)" in note for note in prices.notes)


def test_a_workbook_of_formulas_alone_is_refused_with_the_way_to_store_their_values(refused):
    error = refused(workbook({"A": [ROWS[0], [datetime(2018, 1, 2), "=1+1"], [datetime(2018, 1, 3), "=1+2"]]}))
    assert (error.line, error.column, error.value) == (2, "Close", 2)
    assert "save it" in str(error)


# --- What is wrong in a sheet or a table is named by its row ---------------------------------------------------------


def test_a_wrong_cell_of_a_sheet_is_named_by_its_row_as_excel_counts_it(refused):
    error = refused(workbook({"A": [[], *ROWS, [datetime(2018, 1, 4), "ten"]]}))
    assert (error.line, error.column, error.value) == (5, "Close", "ten")
    assert "row 5" in str(error)


def test_a_wrong_cell_of_a_table_is_named_by_its_row(refused, monkeypatch):
    monkeypatch.setattr("stockcast.data.csv.parquet._CELLS_AT_ONCE", 4)
    days = [f"2018-01-0{day}" for day in range(1, 6)]
    error = refused(parquet(pd.DataFrame({"Date": days, "Close": ["1", "2", "3", "ten", "5"]})))
    assert (error.line, error.column, error.value) == (3, "Close", "ten")


@pytest.mark.parametrize(
    "content", [workbook({"A": [["a", "b"], [1, 2]]}), parquet(pd.DataFrame({"a": [1], "b": [2]}))]
)
def test_a_table_without_prices_is_refused_by_the_columns_that_it_has(refused, content):
    error = refused(content)
    assert isinstance(error, MissingColumns)
    assert error.value == "a, b"


@pytest.mark.parametrize("content", [workbook({"A": []}), parquet(DATED[:0])], ids=["workbook", "Parquet"])
def test_an_empty_table_is_refused(refused, content):
    refused(content)


# --- What is refused --------------------------------------------------------------------------------------------------


def with_flag(content: bytes) -> bytes:
    """A zip whose only file is marked as encrypted."""
    at = content.index(b"PK\x01\x02")
    return content[:6] + b"\x01" + content[7 : at + 8] + b"\x01" + content[at + 9 :]


NESTED = io.BytesIO()
pq.write_table(pa.table({"Date": ["2018-01-02"], "Close": [10.0], "bids": [[1.0, 2.0]]}), NESTED)

REFUSED: dict[str, tuple[bytes, str]] = {
    "a zip with a password": (with_flag(zipped({"GE.csv": CSV})), "password"),
    "a zip without a CSV": (zipped({"a.txt": b"x", "b.txt": b"y"}), "no CSV"),
    "a zip of a zip": (zipped({"GE.csv": zipped({"GE.csv": CSV})}), "Unpack it first"),
    "a gzip of a workbook": (gzip.compress(excel(DATED)), "Unpack it first"),
    "a damaged zip": (zipped({"GE.csv": CSV})[:-30], "damaged zip"),
    "a zip whose file is damaged": (
        zipped({"GE.csv": CSV}, zipfile.ZIP_STORED).replace(b"2010-01-05", b"2010-01-06"),
        "damaged zip",
    ),
    "a cut gzip": (gzip.compress(CSV)[:-20], "damaged gzip"),
    "a binary workbook": (zipped({"xl/workbook.bin": b"x"}), ".xlsb"),
    "an OpenDocument sheet": (zipped({"mimetype": b"x", "content.xml": b"<x/>"}), "OpenDocument"),
    "a workbook without sheets": (zipped({"xl/workbook.xml": b"<x/>"}), "damaged Excel workbook"),
    "a cut workbook": (excel(DATED)[:-30], "damaged Excel workbook"),
    "a cut Parquet file": (parquet(DATED)[:-30], "damaged Parquet"),
    "a Parquet file of nothing": (b"PAR1PAR1", "damaged Parquet"),
    "a Parquet file with nested columns": (NESTED.getvalue(), "column bids is nested"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_read_is_refused_by_what_it_is(refused, what):
    content, words = REFUSED[what]
    assert words in str(refused(content))


def test_a_nested_column_is_named(refused):
    error = refused(NESTED.getvalue())
    assert (error.column, error.value) == ("bids", "list<element: double>")


@pytest.mark.parametrize("name", ["../GE.csv", "/etc/GE.csv", "a/../../GE.csv", "C:\\GE.csv", "..\\GE.csv"])
def test_a_path_out_of_a_zip_is_refused_and_nothing_is_written(refused, tmp_path, name):
    assert refused(zipped({name: CSV}), name="x.zip").value == name
    assert [path.name for path in tmp_path.iterdir()] == ["x.zip"]


@pytest.mark.parametrize("seed", range(30))
def test_a_damaged_workbook_or_table_ends_in_a_refusal_and_in_nothing_else(write_file, seed):
    random = np.random.default_rng(seed)
    for content in (excel(DATED), parquet(DATED), gzip.compress(CSV), zipped({"GE.csv": CSV})):
        damaged = bytearray(content)
        for place in random.integers(4, len(content), 3):
            damaged[place] = random.integers(256)
        path = write_file(bytes(damaged))
        try:
            read_prices(path)
        except DataError:
            continue


# --- Memory -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bomb",
    [gzip.compress(bytes(40_000_000)), zipped({"GE.csv": bytes(40_000_000)}), zipped({"xl/x.xml": bytes(40_000_000)})],
    ids=["gzip", "zip", "workbook"],
)
def test_a_bomb_is_refused_at_the_cap(refused, monkeypatch, bomb):
    monkeypatch.setattr(reader, "MAX_BYTES", 1_000_000)
    tracemalloc.start()
    try:
        error = refused(bomb)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
    assert error.value == 1_000_000
    assert "when unpacked" in str(error)


def test_a_zip_that_lies_about_its_size_gives_no_more_than_it_states(refused):
    honest = zipped({"GE.csv": bytes(40_000_000)})
    at = honest.index(b"PK\x01\x02")
    tracemalloc.start()
    try:
        refused(honest[: at + 24] + (1000).to_bytes(4, "little") + honest[at + 28 :])
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def with_before(part: str, old: bytes, new: Callable[[], bytes]) -> Callable[[], bytes]:
    """A workbook in one of whose parts something is put before what stands there."""
    return lambda: changed(
        workbook({"A": ROWS}), lambda name, content: content.replace(old, new() + old) if name == part else content
    )


HOSTILE: dict[str, Callable[[], bytes]] = {
    "a row of millions of cells": with_before(SHEET, b"</row>", lambda: 3_000_000 * b"<c/>"),
    "millions of tags after the rows": with_before(
        SHEET, b"</sheetData>", lambda: b"</sheetData>" + 3_000_000 * b"<a/>"
    ),
    "millions of texts": lambda: with_shared_texts(workbook({"A": ROWS}), 5_000_000 * b"<si/>"),
    "millions of cell formats": with_before("xl/styles.xml", b"</cellXfs>", lambda: 3_000_000 * b"<xf/>"),
    "millions of empty rows": with_before(SHEET, b"</sheetData>", lambda: 3_000_000 * b"<row/>"),
    "entities": with_before(SHEET, b"<worksheet", lambda: b'<!DOCTYPE x [<!ENTITY a "b">]>'),
    "XML in another encoding": with_before(SHEET, b"<worksheet", lambda: b'<?xml version="1.0" encoding="cp037"?>'),
    "millions of rows of one value": lambda: rows_of_one_value(),
}
MEASURED = """\
import resource, sys
from stockcast.data.prices import read_prices
from stockcast.errors import DataError
import pandas, openpyxl.reader.excel, pyarrow.parquet
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    read_prices(sys.argv[1])
except DataError as error:
    print(str(error)[:300])
else:
    sys.exit("read")
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1000)
"""


def rows_of_one_value() -> bytes:
    stream = io.BytesIO()
    schema = pa.schema([("Date", pa.string()), ("Close", pa.float64())])
    with pq.ParquetWriter(stream, schema) as writer:
        part = pa.table({"Date": pa.array(["2018-01-02"] * 1_000_000), "Close": np.ones(1_000_000)}, schema=schema)
        for _ in range(11):
            writer.write_table(part)
    return stream.getvalue()


@pytest.mark.slow  # seconds each, in processes of their own
@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_workbook_or_table_is_refused_in_bounded_memory(write_file, what):
    path = write_file(HOSTILE[what](), name="GE.xlsx")
    done = subprocess.run([sys.executable, "-c", MEASURED, str(path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    message, megabytes = done.stdout.rsplit("\n", 2)[:2]
    assert "GE.xlsx" in message
    assert int(megabytes) < 700


@pytest.mark.parametrize("write", [excel, parquet])
def test_a_text_that_is_stored_once_counts_as_often_as_it_stands_in_a_row(refused, monkeypatch, write):
    content = write(pd.DataFrame({"Date": ["x" * 30_000] * 1000, "Close": 1.0}))
    assert len(content) < 50_000
    monkeypatch.setattr(reader, "MAX_BYTES", 1_000_000)
    error = refused(content)
    assert (error.value, "when unpacked" in str(error)) == (1_000_000, True)


def test_a_sheet_of_too_many_rows_is_refused_by_how_many_days_there_can_be(refused, monkeypatch):
    monkeypatch.setattr("stockcast.data.csv.table.MAX_ROWS", 50)
    error = refused(workbook({"A": [ROWS[0], *([[datetime(2018, 1, 2), 1.5]] * 60)]}))
    assert "more than 50 rows" in str(error)
    assert "read_csv" not in str(error)


# --- Without the packages ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "package", "extra"), [(excel(DATED), "openpyxl", "excel"), (parquet(DATED), "pyarrow", "parquet")]
)
def test_without_the_package_the_extra_to_install_is_named(refused, monkeypatch, content, package, extra):
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)  # as where it is not installed
    error = refused(content)
    assert error.value == package
    assert f'".[{extra}]"' in str(error)


# --- Standard input ---------------------------------------------------------------------------------------------------


def test_standard_input_is_read_once_and_kept(monkeypatch, plain):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(CSV))))
    first, second = read_prices("-"), read_prices("-")
    assert_same(first, plain)
    assert_same(second, plain)
    assert (first.name, str(first.source)) == ("stdin", "stdin")


def test_a_terminal_is_not_waited_for(monkeypatch):
    class Terminal(io.BytesIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(Terminal()))
    with pytest.raises(DataError) as error:
        read_prices("-")
    assert (error.value.file, error.value.key) == ("stdin", "data.path")


def test_what_must_be_read_again_later_is_not_read_from_standard_input():
    for key, call in {
        "data.path": lambda: load_config("-"),
        "data.path.0": lambda: load_config("quick", ["data.path=-"]),
    }.items():
        with pytest.raises(StockcastError) as error:
            call()
        assert str(error.value.key).startswith(key.removesuffix(".0"))
        assert "Save it to a file" in str(error.value)


def test_a_folder_with_one_series_twice_is_refused(tmp_path):
    for name in ("GE.csv", "GE.csv.gz", "notes.txt"):
        (tmp_path / name).write_bytes(CSV)
    with pytest.raises(DataError) as error:
        price_files(load_config("quick", {"data.path": str(tmp_path)}))
    assert (error.value.key, error.value.value) == ("data.path", "GE.csv.gz")


# --- Encodings --------------------------------------------------------------------------------------------------------

JAPANESE = "データ日付,終値,始値,高値,安値\n2022/10/10,1503.41,1495.75,1507.03,1488.3\n"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (JAPANESE, "cp932"),
        ("日期,收盘价,开盘价\n2022-10-10,1503.41,1495.75\n", "gb18030"),
        ("날짜,종가,시가\n2022-10-10,1503.41,1495.75\n", "cp949"),
        ("Дата,Цена,Откр.\n2022-10-10,1503.41,1495.75\n", "cp1251"),
        ("Date,Clôture\n2022-10-10,1503.41\n", "cp1252"),
    ],
)
def test_the_encodings_that_fit_are_proposed_with_what_they_make_of_the_header(write_file, refused, text, encoding):
    error = refused(text.encode(encoding))
    proposed = str(error.value).split(", ")
    assert error.key == "data.encoding"
    assert encoding in proposed
    header = text.splitlines()[0]
    assert f"--set data.encoding={encoding} makes it {header!r}" in str(error)


def test_encodings_that_agree_on_the_header_and_not_below_it_are_both_proposed(refused):
    # EUC-JP and GB 18030 write Russian alike, and have other signs for the year.
    error = refused("Дата,Цена\n2022年10月10日,1503.41\n".encode("gb18030"))
    assert {"euc_jp", "gb18030"} <= set(str(error.value).split(", "))


def test_the_line_that_is_not_ascii_is_shown_where_it_is_not_the_header(refused):
    error = refused("Date,Close,Remark\n2022-10-10,10,\n2022-10-11,11,Währung\n".encode("cp1252"))
    assert "line 3" in str(error)
    assert "--set data.encoding=cp1252 makes it '2022-10-11,11,Währung'" in str(error)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_text_with_its_byte_order_mark_is_read_and_told(write_file, plain, encoding):
    prices = read_prices(write_file(CSV.decode().encode(encoding)))
    assert_same(prices, plain)
    assert [encoding.upper() in note for note in prices.notes] == [True]


@pytest.mark.parametrize("packed", [bytes, gzip.compress], ids=["CSV", "gzip"])
def test_a_sheet_is_refused_where_there_are_none(refused, packed):
    error = refused(packed(b"Date,Close\n2018-01-02,1\n"), options=CsvOptions(sheet="GE"))
    assert (error.key, error.value) == ("data.sheet", "GE")
