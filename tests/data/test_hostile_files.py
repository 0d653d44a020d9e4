"""Files that vendors, spreadsheets and accidents make: read as meant, or refused by line; never half understood."""

import json
import os
import tracemalloc
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from stockcast.data.calendar import sessions_after
from stockcast.data.csv.options import CsvOptions
from stockcast.data.prices import read_prices
from stockcast.data.scaler import Scaler
from stockcast.errors import DataError, RunError

HEADER = "Date,Open,High,Low,Close,Adj Close,Volume"
BAR = "2018-01-03,10,12,9,11,11,100"


def table(*rows):
    return "\n".join((HEADER, *rows)) + "\n"


@pytest.mark.parametrize(
    "rows", ["2018-01-02,1,234.5\n", "2018-01-02,1,234.5\n2018-01-03,1,240.5\n", "2018-01-02,1,\n"]
)
def test_a_first_row_with_too_many_cells_is_refused_by_its_line(refused, rows):
    error = refused("Date,Close\n" + rows)
    assert (error.line, error.value) == (2, 3)


@pytest.mark.parametrize("row", ["2018-01-04,10,12", "2018-01-04,10,12,9,11", "2018-01-04"])
def test_a_row_with_too_few_cells_is_refused_by_its_line(refused, row):
    error = refused(table(BAR, row))
    assert (error.line, error.value) == (3, len(row.split(",")))


@pytest.mark.parametrize("header", ["Date,Close,Close", "Close,Date,Close", "Date,Date,Close"])
def test_a_column_that_occurs_twice_is_refused(refused, header):
    names = header.split(",")
    error = refused(f"{header}\n{','.join('2018-01-02' if name == 'Date' else '10' for name in names)}\n")
    assert (error.line, error.column) == (1, max(names, key=names.count))


def test_a_close_is_never_missing_also_where_the_adjusted_close_is(write_file):
    prices = read_prices(write_file(table(BAR, "2018-01-04,10,12,9,11.5,null,100")))
    assert np.isfinite(prices.column("Close")).all()
    assert np.isfinite(prices.quote_factor)
    assert any("Adj Close" in note or "adjusted" in note for note in prices.notes)


@pytest.mark.parametrize("date_format", ["%q", "%d/%m/%", "%d/%d/%y", "%"])
def test_a_date_format_that_is_none_is_refused_by_its_key(refused, date_format):
    error = refused("Date,Close\n30/09/13,10\n", options=CsvOptions(date_format=date_format))
    assert (error.line, error.column, error.key) == (2, "Date", "data.date_format")


@pytest.mark.parametrize(
    "rows", ["2018-01-03 00:00:00-05:00,1\n", "2018-01-03 00:00:00-05:00,1\n2018-07-03 00:00:00-04:00,2\n"]
)
def test_dates_with_a_time_zone_are_read_as_the_exchanges_days(write_file, rows):  # yfinance's history().to_csv()
    prices = read_prices(write_file("Date,Close\n" + rows), options=CsvOptions(date_format="%Y-%m-%d %H:%M:%S%z"))
    assert str(prices.dates[0]) == "2018-01-03"


@pytest.mark.parametrize(
    "content",
    [
        "<!DOCTYPE html><html><head><title>Date, Close</title></head>\n<body>a,b,c,d</body></html>\n",
        "<html>\n<body>Sign in</body></html>\n",
        "You have exceeded your daily limit.\n",
    ],
)
def test_what_is_no_csv_is_refused_as_no_csv(refused, content):
    assert "not a CSV" in str(refused(content))


def test_a_path_with_a_nul_is_refused():
    with pytest.raises(DataError):
        read_prices(Path("a\0b.csv"))


def test_a_line_break_inside_a_cell_does_not_shift_the_line_that_an_error_names(refused):
    error = refused('Date,Close,Remark\n2018-01-03,1,"a\nb"\n2018-01-04,ten,c\n')
    assert (error.line, error.column, error.value) == (4, "Close", "ten")


def test_only_days_that_are_kept_are_repaired_and_counted(write_file):
    rows = ["2017-01-02,0,12,9,11,11,100", BAR]
    assert read_prices(write_file(table(*rows)), start=date(2018, 1, 1)).notes == ()


def test_a_wrong_cell_before_the_first_day_asked_for_does_not_matter(write_file):
    prices = read_prices(write_file("Date,Close\n2017-01-02,$9\n2018-01-03,11\n"), start=date(2018, 1, 1))
    assert list(prices.quoted) == [11]


def test_old_bars_without_an_open_may_have_a_high_below_their_low_and_are_repaired(write_file):
    prices = read_prices(write_file(table("1965-01-04,0,9,12,10,10,100", BAR)))
    assert np.isnan(prices.bars["High"].iloc[0])
    assert np.isnan(prices.bars["Low"].iloc[0])
    assert any("High below Low" in note for note in prices.notes)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_calendar_that_ends_is_refused_as_such():
    with pytest.raises(DataError) as error:
        sessions_after(np.datetime64("2035-11-20"), 50, calendar="XSHG")
    assert (error.value.key, error.value.value) == ("--horizon", 50)
    assert "XSHG" in str(error.value)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_horizon_beyond_every_calendar_is_refused_as_such():
    with pytest.raises(DataError) as error:
        sessions_after(np.datetime64("2018-12-31"), 100_000, calendar="XNYS")
    assert (error.value.key, error.value.value) == ("--horizon", 100_000)


@pytest.mark.parametrize("scale", [0.0, -1.0])
def test_a_scale_of_zero_or_less_is_damage(scale):
    with pytest.raises(RunError) as error:
        Scaler.from_json({"center": [0.0], "scale": [scale], "fill": [0.0]})
    assert error.value.file == "scaler.json"


def test_a_number_beyond_floats_is_damage():
    with pytest.raises(RunError) as error:
        Scaler.from_json(json.loads('{"center": [1' + "0" * 400 + '], "scale": [1.0], "fill": [0.0]}'))
    assert error.value.file == "scaler.json"


@pytest.mark.parametrize(
    ("content", "notes"),
    [
        (
            "Date;Close\n2018-01-02;10,5\n",
            ("cells are separated by semicolons", "prices have a decimal comma: '10,5'"),
        ),
        ("Date\tClose\n2018-01-02\t10.5\n", ("cells are separated by tabs",)),
        ("Date|Close\n2018-01-02|10.5\n", ("cells are separated by bars",)),
    ],
)
def test_a_separator_that_can_only_be_one_is_taken_and_told(write_file, content, notes):
    prices = read_prices(write_file(content))
    assert (prices.quoted.tolist(), prices.notes) == ([10.5], notes)


def test_semicolons_with_prices_that_may_be_thousands_are_asked_about(refused):
    error = refused("Date;Close\n2018-01-02;10.500\n")
    assert error.key == "data.decimal"
    assert set(error.problems[0].readings) == {"10500", "10.500"}


# --- What a file is, by its first bytes -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"PK\x03\x04" + b"\x00" * 26 + b"[Content_Types].xml", "Excel"),
        (b"PK\x03\x04" + b"\x00" * 26 + b"prices.csv", "zip"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Excel"),
        (b"PAR1\x15\x04", "Parquet"),
        (b"PARE\x15\x04", "encrypted Parquet"),
        (b"PK\x05\x06" + bytes(18), "empty zip"),
        (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), "with a password"),
        (bytes(257) + b"ustar", "tar archive"),
        (b"BZh91AY", "bzip2"),
        (b'{"Information": "25 requests per day"}', "25 requests per day"),
        (b'[{"date": "2018-12-31"}]', "JSON"),
        (b"\xef\xbb\xbf\n  <!DOCTYPE HTML>", "web page"),
        (b"%PDF-1.7", "PDF"),
    ],
)
def test_what_is_no_csv_is_refused_by_what_it_is(refused, content, kind):
    assert kind in str(refused(content))


def test_a_file_of_five_gigabytes_is_refused_before_it_is_read(refused, tmp_path):
    path = tmp_path / "huge.csv"
    with path.open("wb") as stream:
        stream.truncate(5_000_000_000)  # a hole: it takes no room
    tracemalloc.start()
    try:
        assert "256,000,000 bytes" in str(refused(path))
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_a_device_without_end_is_refused_at_once(refused):
    error = refused(Path("/dev/zero"))
    assert error.key == "data.path"
    assert "a device" in str(error)


def test_a_named_pipe_is_refused_at_once(refused, tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    error = refused(tmp_path / "pipe.csv")  # to open it would wait for somebody to write
    assert error.key == "data.path"
    assert "a pipe" in str(error)


@pytest.mark.parametrize("row", ["," * 2_000_000, '1,"\n",' * 500_000], ids=["one line", "lines in quotes"])
def test_a_row_without_end_is_refused_before_it_fills_the_memory(refused, row):
    error = refused("Date,Close\n2018-12-28,1\n" + row)
    assert error.line == 3
    assert "1,000,000 characters" in str(error)


def test_bars_of_seconds_are_refused_with_how_many_a_day_has_and_what_to_do(refused):
    hours = "".join(
        f"2018-12-{day:02} {hour:02}:{minute:02}:{second:02},1\n"
        for day in range(1, 3) for hour in range(24) for minute in range(60) for second in range(0, 60, 1)
    )  # fmt: skip
    message = str(refused("Date,Close\n" + hours))
    for fact in ("100,000 rows", "2018-12-01 alone has 86400 rows", "--set data.resample=1d"):
        assert fact in message


def test_two_hundred_thousand_rows_of_other_tickers_are_no_reason_to_refuse(write_file):
    rows = "".join(f"2018-12-31,T{number},1\n" for number in range(200_000))
    prices = read_prices(write_file("Date,Symbol,Close\n" + rows), options=CsvOptions(tickers=("T7",)))
    assert prices.quoted.tolist() == [1]


@pytest.mark.parametrize(
    ("row", "column", "value"),
    [
        ('2018-01-03,"10\n11",12', "Open", "10\n11"),
        ('2018-01-03,10,"12\n13"', "Close", "12\n13"),
        ('2018-01-03,10,"12\n130"', "Close", "12\n130"),
        ('2018-01-03,10 000,"12\r130"', "Close", "12\r130"),
        ('"2018-01-03\n2018-01-04",10,12', "Date", "2018-01-03\n2018-01-04"),
        ('"2018-01-03 \n10:00",10,12', "Date", "2018-01-03 \n10:00"),
    ],
)
def test_a_cell_of_two_lines_is_refused_whatever_it_contains(refused, row, column, value):
    error = refused(f"Date,Open,Close\n2018-01-02,10,12\n{row}\n2018-01-05,10,12\n")
    assert (error.line, error.column, error.value) == (3, column, value)
    assert repr(value) in str(error)  # on a line of its own the rest of the cell would look like a message


# --- All at once ------------------------------------------------------------------------------------------------------


def test_all_that_is_wrong_is_in_one_error_by_line(refused):
    rows = [
        "2018-01-02,10,12,9,11,11,100",
        "2018-01-03,10,12,9,ten,11,100",  # line 3: no number
        "2018-01-04,10,8,9,8.5,8.5,100",  # line 4: high below low
        "2018-02-30,10,12,9,11,11,100",  # line 5: no date
        "2018-01-08,10,12,9",  # line 6: too short
        "2018-01-09,10,12,9,-1,11,100",  # line 7: below zero
        "2018-01-02,10,12,9,12,12,100",  # the day of line 2 again, with another close
        "2999-01-02,x,12,9,11,11,100",  # line 9: the future, and no number
    ]
    error = refused(table(*rows))
    problems = [
        (2, None, "2018-01-02"),
        (3, "Close", "ten"),
        (4, "High", 8.0),
        (5, "Date", "2018-02-30"),
        (6, None, 4),
        (7, "Close", -1.0),
        (9, "Date", "2999-01-02"),
        (9, "Open", "x"),
    ]
    assert [(problem.line, problem.column, problem.value) for problem in error.problems] == problems
    assert (error.line, error.column, error.value) == problems[0]
    lines = str(error).splitlines()
    assert [line.partition(", line ")[2][:1] for line in lines] == [str(line) for line, _, _ in problems]


def test_a_row_whose_date_cannot_be_read_counts_whatever_days_are_asked_for(refused):
    error = refused("Date,Close\n2017-01-02,ten\n2017-13-02,11\n2018-01-03,11\n", start=date(2018, 1, 1))
    assert [(problem.line, problem.column, problem.value) for problem in error.problems] == [(3, "Date", "2017-13-02")]


def test_a_date_in_the_future_beyond_the_last_day_asked_for_does_not_matter(write_file):
    path = write_file("Date,Close\n2018-01-03,11\n2999-01-02,11\n")
    assert read_prices(path, end=date(2018, 12, 31)).quoted.tolist() == [11]
