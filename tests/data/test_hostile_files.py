"""Files that vendors, spreadsheets and accidents make: read as meant, or refused by line; never half understood."""

import gzip
import json
import tracemalloc
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from stockcast.data import csvfile
from stockcast.data.calendar import sessions_after
from stockcast.data.prices import read_prices
from stockcast.data.reading import Reading
from stockcast.data.scaling import Scaler
from stockcast.errors import DataError, RunError

HEADER = "Date,Open,High,Low,Close,Adj Close,Volume"
BAR = "2018-01-03,10,12,9,11,11,100"


@pytest.fixture
def write_file(tmp_path):
    def write(content, name="prices.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def table(*rows):
    return "\n".join((HEADER, *rows)) + "\n"


@pytest.mark.parametrize(
    "rows", ["2018-01-02,1,234.5\n", "2018-01-02,1,234.5\n2018-01-03,1,240.5\n", "2018-01-02,1,\n"]
)
def test_a_first_row_with_too_many_cells_is_refused_by_its_line(write_file, rows):
    with pytest.raises(DataError, match="line 2"):
        read_prices(write_file("Date,Close\n" + rows))


@pytest.mark.parametrize("row", ["2018-01-04,10,12", "2018-01-04,10,12,9,11", "2018-01-04"])
def test_a_row_with_too_few_cells_is_refused_by_its_line(write_file, row):
    with pytest.raises(DataError, match="line 3"):
        read_prices(write_file(table(BAR, row)))


@pytest.mark.parametrize("header", ["Date,Close,Close", "Close,Date,Close", "Date,Date,Close"])
def test_a_column_that_stands_twice_is_refused(write_file, header):
    cells = ",".join("2018-01-02" if name == "Date" else "10" for name in header.split(","))
    with pytest.raises(DataError, match=r"line 1: column (Close|Date) stands twice"):
        read_prices(write_file(f"{header}\n{cells}\n"))


def test_a_close_is_never_missing_also_where_the_adjusted_close_is(write_file):
    prices = read_prices(write_file(table(BAR, "2018-01-04,10,12,9,11.5,null,100")))
    assert np.isfinite(prices.column("Close")).all()
    assert np.isfinite(prices.quote_factor)
    assert any("Adj Close" in note or "adjusted" in note for note in prices.notes)


@pytest.mark.parametrize("date_format", ["%q", "%d/%m/%", "%d/%d/%y", "%"])
def test_a_date_format_that_is_none_is_refused_by_its_key(write_file, date_format):
    with pytest.raises(DataError, match="date_format"):
        read_prices(write_file("Date,Close\n30/09/13,10\n"), reading=Reading(date_format=date_format))


@pytest.mark.parametrize(
    "rows", ["2018-01-03 00:00:00-05:00,1\n", "2018-01-03 00:00:00-05:00,1\n2018-07-03 00:00:00-04:00,2\n"]
)
def test_dates_with_a_time_zone_are_read_as_the_exchanges_days(write_file, rows):  # yfinance's history().to_csv()
    prices = read_prices(write_file("Date,Close\n" + rows), reading=Reading(date_format="%Y-%m-%d %H:%M:%S%z"))
    assert str(prices.dates[0]) == "2018-01-03"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_utf_16_file_is_refused_by_its_encoding(write_file, encoding):
    with pytest.raises(DataError, match="UTF-16"):
        read_prices(write_file("Date,Close\n2018-01-02,10\n".encode(encoding)))


@pytest.mark.parametrize(
    "content",
    [
        "<!DOCTYPE html><html><head><title>Date, Close</title></head>\n<body>a,b,c,d</body></html>\n",
        "<html>\n<body>Sign in</body></html>\n",
        "You have exceeded your daily limit.\n",
    ],
)
def test_what_is_no_csv_is_refused_as_no_csv(write_file, content):
    with pytest.raises(DataError, match="not a CSV"):
        read_prices(write_file(content))


def test_a_zipped_file_is_refused_by_name(write_file):
    with pytest.raises(DataError, match=r"x\.csv\.gz: not a CSV but compressed \(gzip\)"):
        read_prices(write_file(gzip.compress(b"Date,Close\n2018-01-02,10\n"), name="x.csv.gz"))


def test_a_path_with_a_nul_is_refused():
    with pytest.raises(DataError):
        read_prices(Path("a\0b.csv"))


def test_a_line_break_inside_a_cell_does_not_shift_the_line_that_an_error_names(write_file):
    with pytest.raises(DataError, match="line 4"):
        read_prices(write_file('Date,Close,Remark\n2018-01-03,1,"a\nb"\n2018-01-04,ten,c\n'))


def test_only_days_that_are_kept_are_mended_and_counted(write_file):
    rows = ["2017-01-02,0,12,9,11,11,100", BAR]
    assert read_prices(write_file(table(*rows)), start=date(2018, 1, 1)).notes == ()


def test_a_wrong_cell_before_the_first_day_asked_for_does_not_matter(write_file):
    prices = read_prices(write_file("Date,Close\n2017-01-02,$9\n2018-01-03,11\n"), start=date(2018, 1, 1))
    assert list(prices.quoted) == [11]


def test_old_bars_without_an_open_may_have_a_high_below_their_low_and_are_mended(write_file):
    prices = read_prices(write_file(table("1965-01-04,0,9,12,10,10,100", BAR)))
    assert np.isnan(prices.bars["High"].iloc[0])
    assert np.isnan(prices.bars["Low"].iloc[0])
    assert any("High below Low" in note for note in prices.notes)


def test_a_day_that_stands_twice_with_different_values_is_refused_by_its_date(write_file):
    with pytest.raises(DataError, match=r"1 day more than once.*2018-01-02"):
        read_prices(write_file("Date,Close\n2018-01-02,10\n2018-01-02,11\n"))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_calendar_that_ends_is_refused_as_such():
    with pytest.raises(DataError, match="XSHG"):
        sessions_after(np.datetime64("2035-11-20"), 50, calendar="XSHG")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_horizon_beyond_every_calendar_is_refused_as_such():
    with pytest.raises(DataError, match="50000"):
        sessions_after(np.datetime64("2018-12-31"), 50_000, calendar="XNYS")


@pytest.mark.parametrize("scale", [0.0, -1.0])
def test_a_scale_of_zero_or_less_is_damage(scale):
    with pytest.raises(RunError, match="damaged"):
        Scaler.from_json({"center": [0.0], "scale": [scale], "fill": [0.0]})


def test_a_number_beyond_floats_is_damage():
    with pytest.raises(RunError, match="damaged"):
        Scaler.from_json(json.loads('{"center": [1' + "0" * 400 + '], "scale": [1.0], "fill": [0.0]}'))


@pytest.mark.parametrize("content", ["Date;Close\n2018-01-02;10,5\n", "Date\tClose\n2018-01-02\t10.5\n"])
def test_another_separator_is_refused_by_its_name(write_file, content):
    with pytest.raises(DataError, match=r"line 1: cells are separated by '(;|\\t)'.*commas"):
        read_prices(write_file(content))


# --- What a file is, by its first bytes -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04" + b"\x00" * 26 + b"[Content_Types].xml", "an Excel workbook: save it as CSV"),
        (b"PK\x03\x04" + b"\x00" * 26 + b"prices.csv", r"compressed \(zip\)"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel workbook"),
        (b"PAR1\x15\x04", "a Parquet file"),
        (b"BZh91AY", "compressed"),
        (b'{"Information": "25 requests per day"}', "JSON.*25 requests per day"),
        (b'[{"date": "2018-12-31"}]', "JSON"),
        (b"\xef\xbb\xbf\n  <!DOCTYPE HTML>", "a web page"),
        (b"%PDF-1.7", "a PDF"),
    ],
)
def test_what_is_no_csv_is_refused_by_what_it_is(write_file, content, said):
    with pytest.raises(DataError, match=f"not a CSV but {said}"):
        read_prices(write_file(content))


def test_a_file_of_five_gigabytes_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.csv"
    with path.open("wb") as stream:
        stream.truncate(5_000_000_000)  # a hole: it takes no room
    tracemalloc.start()
    try:
        with pytest.raises(DataError, match="larger than 256,000,000 bytes"):
            read_prices(path)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_a_pipe_without_end_is_refused_at_the_cap(monkeypatch):
    monkeypatch.setattr(csvfile, "MAX_BYTES", 1000)
    with pytest.raises(DataError, match="larger than 1,000 bytes"):
        read_prices(Path("/dev/zero"))


@pytest.mark.parametrize("row", ["," * 2_000_000, '1,"\n",' * 500_000], ids=["one line", "lines in quotes"])
def test_a_row_without_end_is_refused_before_it_fills_the_memory(write_file, row):
    with pytest.raises(DataError, match="a row of more than 1,000,000 characters"):
        read_prices(write_file("Date,Close\n2018-12-28,1\n" + row))


def test_minute_bars_are_refused_with_how_many_a_day_has_and_what_to_do(write_file):
    hours = "".join(
        f"2018-12-{day:02} {hour:02}:{minute:02}:{second:02},1\n"
        for day in range(1, 3) for hour in range(24) for minute in range(60) for second in range(0, 60, 1)
    )  # fmt: skip
    with pytest.raises(DataError, match=r"more than 100,000 rows.*2018-12-01 alone has 86400 rows.*'Close': 'last'"):
        read_prices(write_file("Date,Close\n" + hours))


def test_the_line_that_is_to_make_bars_daily_makes_them_daily(write_file, monkeypatch, tmp_path):
    write_file("Date,High,Close\n2018-12-31 10:00,3,1\n2018-12-31 11:00,4,2\n2018-12-31 12:00,2,1.5\n")
    with pytest.raises(DataError) as refused:
        read_prices(tmp_path / "prices.csv")
    monkeypatch.chdir(tmp_path)
    exec(f"import pandas; {str(refused.value).partition('with: ')[2]}", {})  # noqa: S102 - ours, as a user would paste it
    daily = read_prices(tmp_path / "daily.csv")
    assert (daily.column("High").tolist(), daily.column("Close").tolist()) == ([4.0], [1.5])


def test_two_hundred_thousand_rows_of_other_tickers_are_no_reason_to_refuse(write_file):
    rows = "".join(f"2018-12-31,T{number},1\n" for number in range(200_000))
    prices = read_prices(write_file("Date,Symbol,Close\n" + rows), reading=Reading(ticker="T7"))
    assert prices.quoted.tolist() == [1]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ('2018-01-03,"10\n11",12', "line 3, Open '10\\n11'"),
        ('2018-01-03,10,"12\n13"', "line 3, Close '12\\n13'"),
        ('2018-01-03,10,"12\n130"', "line 3, Close '12\\n130'"),
        ('2018-01-03,10 000,"12\r130"', "line 3, Close '12\\r130'"),
        ('"2018-01-03\n2018-01-04",10,12', "line 3, Date '2018-01-03\\n2018-01-04'"),
        ('"2018-01-03 \n10:00",10,12', "line 3, Date '2018-01-03 \\n10:00'"),
    ],
)
def test_a_cell_of_two_lines_is_refused_whatever_it_says(write_file, row, told):
    with pytest.raises(DataError) as refused:
        read_prices(write_file(f"Date,Open,Close\n2018-01-02,10,12\n{row}\n2018-01-05,10,12\n"))
    assert told in str(refused.value)


# --- All at once ------------------------------------------------------------------------------------------------------


def test_all_that_is_wrong_is_told_together_by_line(write_file):
    rows = [
        "2018-01-02,10,12,9,11,11,100",
        "2018-01-03,10,12,9,ten,11,100",  # line 3: no number
        "2018-01-04,10,8,9,8.5,8.5,100",  # line 4: high below low
        "2018-02-30,10,12,9,11,11,100",  # line 5: no date
        "2018-01-08,10,12,9",  # line 6: too short
        "2018-01-09,10,12,9,-1,11,100",  # line 7: below zero
        "2018-01-02,10,12,9,12,12,100",  # again, with another close
        "2999-01-02,x,12,9,11,11,100",  # line 9: the future, and no number
    ]
    with pytest.raises(DataError) as refused:
        read_prices(write_file(table(*rows)))
    said = str(refused.value).splitlines()
    assert [line.partition(", line ")[2][:1] for line in said] == ["3", "4", "5", "6", "7", "9", "9", ""]
    for line, words in zip(
        said,
        [
            "Close 'ten'",
            "High '8.0'",
            "Date '2018-02-30'",
            "4 cells",
            "Close '-1.0'",
            "future",
            "Open 'x'",
            "2018-01-02",
        ],
        strict=True,
    ):
        assert words in line


def test_a_row_whose_date_cannot_be_read_counts_whatever_days_are_asked_for(write_file):
    path = write_file("Date,Close\n2017-01-02,ten\n2017-13-02,11\n2018-01-03,11\n")
    with pytest.raises(DataError) as refused:
        read_prices(path, start=date(2018, 1, 1))
    assert "line 3, Date '2017-13-02'" in str(refused.value)
    assert "ten" not in str(refused.value)


def test_a_date_in_the_future_beyond_the_last_day_asked_for_does_not_matter(write_file):
    path = write_file("Date,Close\n2018-01-03,11\n2999-01-02,11\n")
    assert read_prices(path, end=date(2018, 12, 31)).quoted.tolist() == [11]
