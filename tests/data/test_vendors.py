"""Exports in the shapes of vendors and programs, written by hand: each equals its clean twin, to the last bit."""

import csv
import io
from pathlib import Path

import pandas as pd
import pytest
from proposed import proposed_settings
from shapes import CLEAN, GERMAN, SHAPES

from stockcast.config.load import csv_options
from stockcast.data.csv.options import CsvOptions
from stockcast.data.csv.plain import plain_rows
from stockcast.data.prices import Prices, read_prices
from stockcast.errors import MissingColumns


def same(prices: Prices, clean: Prices) -> None:
    assert prices.dates.tolist() == clean.dates.tolist()
    assert prices.quoted.tolist() == clean.quoted.tolist()
    pd.testing.assert_frame_equal(prices.bars[list(clean.bars.columns)], clean.bars, check_exact=True)
    assert set(prices.bars.columns) == set(clean.bars.columns)


@pytest.mark.parametrize("vendor", SHAPES)
def test_a_vendors_export_equals_its_clean_twin(write_file, vendor):
    content, clean, options = SHAPES[vendor]
    same(read_prices(write_file(content), options=options), read_prices(write_file(clean, name="clean.csv")))


def test_there_are_at_least_sixty_shapes_and_pandas_reads_their_clean_twins_alike(write_file):
    assert len(SHAPES) >= 60
    for clean in {clean for _, clean, _ in SHAPES.values()}:
        frame = pd.read_csv(io.StringIO(clean), parse_dates=["Date"])
        prices = read_prices(write_file(clean))
        assert prices.dates.tolist() == frame["Date"].dt.date.tolist()
        assert prices.quoted.tolist() == frame["Close"].tolist()


@pytest.mark.parametrize("vendor", SHAPES)
def test_a_vendors_export_in_the_plain_spelling_is_read_to_the_last_bit_alike(write_file, tmp_path, vendor):
    content, clean, options = SHAPES[vendor]
    with (tmp_path / "plain.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(plain_rows(write_file(content), options=options))
    plain = read_prices(tmp_path / "plain.csv", options=CsvOptions(decimal="."))
    same(plain, read_prices(write_file(clean, name="clean.csv")))


@pytest.mark.parametrize("vendor", [name for name, (_, _, options) in SHAPES.items() if options != CsvOptions()])
def test_an_export_that_needs_a_declaration_is_asked_about_unless_it_has_one_reading(write_file, refused, vendor):
    content, clean, options = SHAPES[vendor]
    path = write_file(content)
    if options.columns:
        (setting,) = proposed_settings(str(refused(path)))
        prices, twin = (
            read_prices(path, options=csv_options([setting])),
            read_prices(write_file(clean, name="clean.csv")),
        )
        assert (prices.dates.tolist(), prices.quoted.tolist()) == (twin.dates.tolist(), twin.quoted.tolist())
        return
    if options.separator != "," and not options.tickers:  # no other reading is possible
        prices = read_prices(path)
        same(prices, read_prices(write_file(clean, name="clean.csv")))
        assert prices.notes[0].startswith("cells are separated by ")
        return
    key = "ticker" if options.tickers else "decimal"
    error = refused(path)
    assert error.key == f"data.{key}"
    assert f"data.{key}=" in str(error)


def test_a_windows_file_is_refused_until_its_encoding_is_declared(write_file, refused):
    path = write_file(SHAPES["Excel in German"][0].encode("cp1252"))
    error = refused(path, options=GERMAN)
    assert error.key == "data.encoding"
    assert "--set data.encoding=cp1252" in str(error)
    declared = CsvOptions(separator=";", decimal=",", encoding="cp1252")
    same(read_prices(path, options=declared), read_prices(write_file(CLEAN, name="clean.csv")))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_refused_by_its_name_and_read_by_that_name(write_file, refused, encoding):
    path = write_file(CLEAN.encode(encoding))
    error = refused(path)
    assert (error.key, error.value) == ("data.encoding", encoding)
    assert str(error).endswith(f"--set data.encoding={encoding}")
    same(read_prices(path, options=CsvOptions(encoding=encoding)), read_prices(write_file(CLEAN, name="clean.csv")))


def test_a_letter_whose_half_in_utf_16_is_a_bracket_is_no_json(refused):
    error = refused("安値,日付け,終値\n1,2018-12-31,2\n".encode("utf-16-le"))  # 安 begins with the byte of [
    assert proposed_settings(str(error)) == ["data.encoding=utf-16-le"]


@pytest.mark.parametrize(
    ("vendor", "note"),
    [
        ("Nasdaq.com", "every price has the sign $, left out"),
        ("Nasdaq.com", "dates read as month/day/year: 01/02/2019 is 2019-01-02"),
        ("Barchart", "the last line left out: 'Downloaded from Barchart.com as of 01-03-2019 05:02pm CST'"),
        ("Bloomberg", "4 lines of text before the header left out"),
        ("NSE India", "dates read as day/month/year: 02-Jan-2019 is 2019-01-02"),
    ],
)
def test_what_was_left_out_or_read_as_something_is_noted(write_file, vendor, note):
    assert note in read_prices(write_file(SHAPES[vendor][0])).notes


@pytest.mark.parametrize("vendor", ["yfinance, three rows of header", "Stooq's bulk text", "Tiingo"])
def test_an_export_that_has_one_meaning_only_is_read_without_a_note(write_file, vendor):
    assert read_prices(write_file(SHAPES[vendor][0])).notes == ()


# --- Several series in one file ---------------------------------------------------------------------------------------

LONG = """\
Date,Symbol,Close
2018-12-28,MSFT,100
2018-12-28,000660,200
2018-12-31,MSFT,101
2018-12-31,000660,202
"""


def test_a_file_of_two_tickers_is_refused_with_their_names(refused):
    error = refused(LONG)
    assert (error.line, error.key, error.value) == (1, "data.ticker", "MSFT, 000660")
    assert "--set data.ticker=MSFT" in str(error)


@pytest.mark.parametrize(("ticker", "closes"), [("MSFT", [100, 101]), ("000660", [200, 202])])
def test_the_ticker_asked_for_is_taken(write_file, ticker, closes):
    assert read_prices(write_file(LONG), options=CsvOptions(tickers=(ticker,))).quoted.tolist() == closes


@pytest.mark.parametrize("content", [LONG, SHAPES["yfinance, several tickers, the names above"][0]])
def test_a_ticker_that_the_file_lacks_is_refused_with_those_it_has(refused, content):
    error = refused(content, options=CsvOptions(tickers=("AAPL",)))
    assert (error.key, error.value) == ("data.ticker", "AAPL")
    assert "MSFT" in str(error)


def test_a_ticker_that_yaml_would_not_take_for_text_is_advised_in_quotes(refused):
    error = refused("Date,Ticker,Close\n2018-12-28,000660,1\n2018-12-28,ON,1\n")
    assert """--set 'data.ticker="000660"'""" in str(error)


SEVERAL = CsvOptions(tickers=("GOOG", "MSFT"))


def test_series_side_by_side_cannot_be_joined(refused):
    error = refused(SHAPES["yfinance, several tickers, the names above"][0], options=SEVERAL)
    assert (error.key, error.value) == ("data.ticker", "GOOG, MSFT")


def test_series_below_each_other_that_no_known_column_names_are_not_advised_to_be_mixed(refused):
    error = refused("Date,Firma,Close\n2018-12-28,A,1\n2018-12-28,B,9\n2018-12-31,A,2\n2018-12-31,B,8\n")
    assert "several series" in str(error)
    assert "Ticker" in str(error)


# --- Headers --------------------------------------------------------------------------------------------------------


def test_the_standard_name_wins_over_a_vendors(write_file):
    prices = read_prices(write_file("Date,Last,Close,Price\n2018-12-31,1,2,3\n"))
    assert prices.quoted.tolist() == [2]


def test_two_vendors_names_of_one_column_are_refused(refused):
    error = refused("Date,Last,Price\n2018-12-31,1,2\n")
    assert (error.line, error.column, error.value) == (1, "Close", "Last, Price")


def test_names_that_nobody_knows_are_proposed_by_their_values_with_the_separator(write_file, refused):
    rows = "".join(f"2018-12-{day};10,{day};{day * day * 7919 % 1000}\n" for day in range(10, 31))
    path = write_file(f"Prices of ACME\nTag;Kurs;Umsatz\n{rows}")
    columns, separator = proposed_settings(str(refused(path)))
    assert columns == 'data.columns={"Date": "Tag", "Close": "Kurs", "Volume": "Umsatz"}'
    assert separator == "data.separator=;"
    decimal = proposed_settings(str(refused(path, options=csv_options([columns, separator]))))[0]
    prices = read_prices(path, options=csv_options([columns, separator, decimal]))
    assert prices.quoted.tolist() == [float(f"10.{day}") for day in range(10, 31)]


def test_a_title_of_as_many_cells_as_the_header_is_left_out(write_file):
    prices = read_prices(write_file("Start,12/28/2018\nDate,Close\n2018-12-31,1\n"))
    assert prices.notes == ("1 line of text before the header left out",)


def test_a_row_of_data_before_the_header_is_refused_by_its_line(refused):
    error = refused("2018-12-28,9\nDate,Close\n2018-12-31,1\n")
    assert error.line == 1
    assert "line 2" in str(error)


def test_a_header_after_thirty_rows_is_not_looked_for(refused):
    error = refused("remark\n" * 30 + "Date,Close\n2018-12-31,1\n")
    assert isinstance(error, MissingColumns)
    assert (error.column, error.value) == ("Date", "remark")
    assert "Date or Close" in str(error)


def test_a_day_that_was_cut_off_is_no_footer(refused):
    error = refused('Date,Close\n"Dec 28, 2018",1\n"Dec 31, 2018"\n')
    assert (error.line, error.value) == (3, 1)
    assert "2 columns" in str(error)


def test_a_remark_in_the_middle_is_refused_by_its_line(refused):
    error = refused("Date,Close\n2018-12-28,1\nDownloaded from a vendor\n2018-12-31,1\n")
    assert (error.line, error.value) == (3, 1)


# --- Numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("33.91M", 33_910_000),
        ("1.5k", 1500),
        ("2B", 2_000_000_000),
        ('"12,34,567"', 1_234_567),
        ("\u00a01234\u00a0", 1234),
        ("1'234", 1234),
    ],
)
def test_a_volume_may_be_abbreviated_or_grouped(write_file, cell, value):
    prices = read_prices(write_file(f"Date,Close,Volume\n2018-12-31,1,{cell}\n"))
    assert prices.column("Volume").tolist() == [value]


@pytest.mark.parametrize("cell", ["-", "N/A", "0", ""])
def test_a_volume_of_nothing_is_missing(write_file, cell):
    prices = read_prices(write_file(f"Date,Close,Volume\n2018-12-31,1,{cell}\n"))
    assert prices.bars["Volume"].isna().all()


@pytest.mark.parametrize("cell", ["$12.5", "33.91M", "1e400", "inf", "0x1A", "1_000", "12.5 €"])
def test_a_price_cell_that_is_no_number_is_refused_by_its_place(refused, cell):
    error = refused(f"Date,Close\n2018-12-28,12\n2018-12-31,{cell}\n")
    assert (error.line, error.column, error.value) == (3, "Close", cell)
    assert "number" in str(error)


@pytest.mark.parametrize("other", ["€12", "12", "$$12", "$12€"])
def test_a_currency_that_not_every_price_has_alike_is_refused(refused, other):
    error = refused(f"Date,Close\n2018-12-28,$12\n2018-12-31,{other}\n")
    assert (error.line, error.column, error.value) == (2, "Close", "$12")


def test_a_comma_that_groups_or_divides_is_refused_until_the_mark_is_declared(write_file, refused):
    path = write_file('Date,Close\n2018-12-28,"12,345"\n2018-12-31,"12,400"\n')
    error = refused(path)
    assert (error.line, error.column, error.value, error.key) == (2, "Close", "12,345", "data.decimal")
    assert error.problems[0].readings == {"12345": ".", "12.345": ","}
    assert "12345 (--set data.decimal=.) or 12.345 (--set data.decimal=,)" in str(error)
    assert read_prices(path, options=CsvOptions(decimal=".")).quoted.tolist() == [12345, 12400]
    assert read_prices(path, options=CsvOptions(decimal=",")).quoted.tolist() == [12.345, 12.4]


def test_a_comma_behind_a_zero_never_groups_thousands(write_file, refused):
    path = write_file('Date,Close\n2018-12-28,"0,203"\n2018-12-31,"0,202"\n')
    error = refused(path)
    assert (error.line, error.value, error.key) == (2, "0,203", "data.decimal")
    assert proposed_settings(str(error))[0] == "data.decimal=,"
    assert read_prices(path, options=csv_options(["data.decimal=,"])).quoted.tolist() == [0.203, 0.202]


def test_points_that_stand_in_thousands_only_are_doubtful_beside_prices_of_three_digits(write_file, refused):
    path = write_file("Date,Close\n2018-12-28,998\n2018-12-31,1.002\n")
    error = refused(path)
    assert (error.line, error.value, error.key) == (3, "1.002", "data.decimal")
    assert read_prices(path, options=csv_options(["data.decimal=,"])).quoted.tolist() == [998, 1002]


def test_points_in_volumes_are_doubtful_where_no_price_has_a_mark(write_file, refused):
    path = write_file("Date,Close,Volume\n2018-12-27,99,1.064\n2018-12-28,98,2.250\n2018-12-31,97,800\n")
    error = refused(path)
    assert (error.line, error.column, error.value, error.key) == (2, "Volume", "1.064", "data.decimal")
    prices = read_prices(path, options=csv_options(["data.decimal=,"]))
    assert prices.column("Volume").tolist() == [1064, 2250, 800]


def test_two_points_in_a_number_group_thousands_and_the_comma_is_proposed(write_file, refused):
    path = write_file("Date,Close,Volume\n2018-12-28,98,1.064.832\n2018-12-31,97,2.250.000\n")
    (setting, *_) = proposed_settings(str(refused(path)))
    assert read_prices(path, options=csv_options([setting])).column("Volume").tolist() == [1_064_832, 2_250_000]


def test_a_comma_is_no_doubt_where_one_price_settles_it(write_file):
    path = write_file('Date,Close\n2018-12-28,"12,345"\n2018-12-31,"12,400.5"\n')
    assert read_prices(path).quoted.tolist() == [12345, 12400.5]


def test_semicolons_and_points_before_three_digits_are_refused_until_the_mark_is_declared(refused):
    content = "Date;Close\n2018-12-28;1.234\n2018-12-31;1.240\n"
    error = refused(content, options=CsvOptions(separator=";"))
    assert (error.line, error.column, error.value, error.key) == (2, "Close", "1.234", "data.decimal")
    assert error.problems[0].readings == {"1234": ",", "1.234": "."}


def test_a_decimal_comma_is_refused_with_the_key_that_would_read_it(refused):
    error = refused('Date,Close\n2018-12-28,"12,5"\n')
    assert (error.line, error.column, error.value, error.key) == (2, "Close", "12,5", "data.decimal")
    assert str(error).endswith("--set data.decimal=,")


@pytest.fixture
def stocks() -> Path:
    folder = Path(__file__).parents[2].parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the real stock files are not next to this checkout ({folder})")
    return folder


def test_none_of_twelve_real_files_is_refused_or_reread(stocks):
    files = sorted(stocks.glob("*.csv"))
    assert len(files) == 12
    for path in files:
        assert not any("dates read" in note or "sign" in note for note in read_prices(path).notes)
