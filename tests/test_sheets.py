"""Tables as Excel workbooks: what a spreadsheet program finds in them."""

import sys
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

from stockcast.errors import RunError
from stockcast.runs.sheets import save_table

ROWS = [
    {"series": '=HYPERLINK("http://x")', "date": "2026-11-30", "step": 1, "median": 27.95, "note": None},
    {"series": "@SUM(A1)", "date": "2026-12-01", "step": 2, "median": -1e-09, "note": "#N/A"},
    {"series": "+1", "date": "2026-12-02", "step": 3, "median": 2505.73, "note": "-2+3"},
    {"series": "a\x07b\u202egpj.exe", "date": "2026-12-03", "step": 4, "median": 1.0, "note": "2026-01-01"},
]


@pytest.fixture
def sheet(tmp_path: Path):
    save_table(tmp_path / "out" / "x.xlsx", ROWS)
    (found,) = openpyxl.load_workbook(tmp_path / "out" / "x.xlsx").worksheets
    return found


def column(sheet, name: str) -> list:
    """The cells below a header."""
    (place,) = [number for number, cell in enumerate(sheet[1]) if cell.value == name]
    return [row[place] for row in sheet.iter_rows(min_row=2)]


def test_text_that_reads_like_a_formula_is_text(sheet) -> None:
    names = column(sheet, "series")
    assert [cell.value for cell in names[:3]] == ['=HYPERLINK("http://x")', "@SUM(A1)", "+1"]
    assert {cell.data_type for cell in (*names, column(sheet, "note")[1])} == {"s"}
    assert [cell.quotePrefix for cell in names] == [True, True, True, False]
    assert not any(cell.hyperlink for row in sheet.iter_rows() for cell in row)


def test_a_formula_is_not_in_the_file_itself(tmp_path: Path) -> None:
    import zipfile

    save_table(tmp_path / "x.xlsx", ROWS)
    with zipfile.ZipFile(tmp_path / "x.xlsx") as parts:
        assert b"<f>" not in parts.read("xl/worksheets/sheet1.xml")


def test_control_characters_and_marks_that_turn_the_writing_are_seen_as_such(sheet) -> None:
    assert column(sheet, "series")[3].value == "a?b?gpj.exe"


def test_dates_are_dates_and_numbers_are_numbers(sheet) -> None:
    days = column(sheet, "date")
    assert [cell.value for cell in days[:2]] == [datetime(2026, 11, 30), datetime(2026, 12, 1)]
    assert {cell.number_format for cell in days} == {"YYYY-MM-DD"}
    assert [cell.value for cell in column(sheet, "median")] == [27.95, -1e-09, 2505.73, 1.0]
    assert [cell.value for cell in column(sheet, "step")] == [1, 2, 3, 4]
    assert column(sheet, "note")[3].value == "2026-01-01"  # of a column that is none of dates
    assert column(sheet, "note")[0].value is None


def test_one_header_stays_in_sight_and_columns_are_as_wide_as_their_text(sheet) -> None:
    assert [cell.value for cell in sheet[1]] == ["series", "date", "step", "median", "note"]
    assert (sheet.max_row, sheet.freeze_panes) == (5, "A2")
    assert sheet.column_dimensions["A"].width > len(ROWS[0]["series"])


def test_a_header_that_reads_like_a_formula_is_text(tmp_path: Path) -> None:
    save_table(tmp_path / "x.xlsx", [{"=1+1": "\u200fx"}])
    sheet = openpyxl.load_workbook(tmp_path / "x.xlsx").worksheets[0]
    assert (sheet["A1"].value, sheet["A1"].data_type, sheet["A2"].value) == ("=1+1", "s", "?x")


@pytest.mark.parametrize("name", ["x.csv", "x", "folder.xlsx"])
def test_what_is_no_name_of_a_workbook_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder.xlsx").mkdir()
    with pytest.raises(RunError, match=r"ends in \.xlsx") as refused:
        save_table(tmp_path / name, ROWS)
    assert refused.value.file == str(tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["folder.xlsx"]


def test_without_openpyxl_the_command_to_install_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(RunError, match=r'pip install -c constraints\.txt -e "\.\[excel\]"') as refused:
        save_table(tmp_path / "x.xlsx", ROWS)
    assert refused.value.value == "openpyxl"
    assert list(tmp_path.iterdir()) == []
