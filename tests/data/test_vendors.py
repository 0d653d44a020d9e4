"""Exports in the shapes of vendors and programs, written by hand: each equals its clean twin, to the last bit."""

import csv
from pathlib import Path

import pandas as pd
import pytest

from stockcast.data.csv.options import CsvOptions
from stockcast.data.csv.plain import plain_rows
from stockcast.data.prices import Prices, read_prices
from stockcast.errors import MissingColumns

# Three days around a year's end, so that no vendor's dates can be read in two ways.
CLEAN = """\
Date,Open,High,Low,Close,Volume
2018-12-28,1049.62,1055.56,1033.1,1037.08,1414800
2018-12-31,1050.96,1052.7,1023.59,1035.61,1493700
2019-01-02,1016.57,1052.32,1015.71,1045.85,1532600
"""
ADJUSTED = """\
Date,Open,High,Low,Close,Adj Close,Volume
2018-12-28,1049.62,1055.56,1033.1,1037.08,518.54,1414800
2018-12-31,1050.96,1052.7,1023.59,1035.61,1035.61,1493700
2019-01-02,1016.57,1052.32,1015.71,1045.85,1045.85,1532600
"""
WITHOUT_VOLUME = "\n".join(line.rpartition(",")[0] for line in CLEAN.splitlines())
GERMAN = CsvOptions(separator=";", decimal=",")

SHAPES: dict[str, tuple[str, str, CsvOptions]] = {
    "Yahoo's site": (ADJUSTED, ADJUSTED, CsvOptions()),
    "yfinance before 0.2.50": (
        ADJUSTED.replace("518.54", "518.540000").replace("1033.1,", "1033.100000,"),
        ADJUSTED,
        CsvOptions(),
    ),
    "yfinance, three rows of header": (
        """\
Price,Close,High,Low,Open,Volume
Ticker,GOOG,GOOG,GOOG,GOOG,GOOG
Date,,,,,
2018-12-28,1037.08,1055.56,1033.1,1049.62,1414800
2018-12-31,1035.61,1052.7,1023.59,1050.96,1493700
2019-01-02,1045.85,1052.32,1015.71,1016.57,1532600
""",
        CLEAN,
        CsvOptions(),
    ),
    "yfinance's history(), with a zone": (
        """\
Date,Open,High,Low,Close,Volume,Dividends,Stock Splits
2018-12-28 00:00:00-05:00,1049.62,1055.56,1033.1,1037.08,1414800,0.0,0.0
2018-12-31 00:00:00-05:00,1050.96,1052.7,1023.59,1035.61,1493700,0.0,0.0
2019-01-02 00:00:00-04:00,1016.57,1052.32,1015.71,1045.85,1532600,0.0,0.0
""",
        CLEAN,
        CsvOptions(),
    ),
    "yfinance, several tickers, the names above": (
        """\
,Adj Close,Adj Close,Close,Close,High,High,Low,Low,Open,Open,Volume,Volume
,GOOG,MSFT,GOOG,MSFT,GOOG,MSFT,GOOG,MSFT,GOOG,MSFT,GOOG,MSFT
Date,,,,,,,,,,,,
2018-12-28,518.54,1,1037.08,2,1055.56,3,1033.1,1,1049.62,2,1414800,7
2018-12-31,1035.61,1,1035.61,2,1052.7,3,1023.59,1,1050.96,2,1493700,7
2019-01-02,1045.85,1,1045.85,2,1052.32,3,1015.71,1,1016.57,2,1532600,7
""",
        ADJUSTED,
        CsvOptions(tickers=("GOOG",)),
    ),
    "yfinance, several tickers, the tickers above": (
        """\
Ticker,MSFT,MSFT,GOOG,GOOG,GOOG,GOOG,GOOG
Price,Open,Close,Open,High,Low,Close,Volume
Date,,,,,,,
2018-12-28,1,2,1049.62,1055.56,1033.1,1037.08,1414800
2018-12-31,1,2,1050.96,1052.7,1023.59,1035.61,1493700
2019-01-02,1,2,1016.57,1052.32,1015.71,1045.85,1532600
""",
        CLEAN,
        CsvOptions(tickers=("GOOG",)),
    ),
    "Stooq": (CLEAN.replace("\n", "\r\n"), CLEAN, CsvOptions()),
    "Stooq's bulk text": (
        """\
<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>
GOOG.US,D,20181228,000000,1049.62,1055.56,1033.1,1037.08,1414800,0
GOOG.US,D,20181231,000000,1050.96,1052.7,1023.59,1035.61,1493700,0
GOOG.US,D,20190102,000000,1016.57,1052.32,1015.71,1045.85,1532600,0
""",
        CLEAN,
        CsvOptions(),
    ),
    "Nasdaq.com": (
        """\
Date,Close/Last,Volume,Open,High,Low
01/02/2019,$1045.85,1532600,$1016.57,$1052.32,$1015.71
12/31/2018,$1035.61,1493700,$1050.96,$1052.70,$1023.59
12/28/2018,$1037.08,1414800,$1049.62,$1055.56,$1033.10
""",
        CLEAN,
        CsvOptions(),
    ),
    "Investing.com": (
        """\
\ufeff"Date","Price","Open","High","Low","Vol.","Change %"
"01/02/2019","1,045.85","1,016.57","1,052.32","1,015.71","1.5326M","0.99%"
"12/31/2018","1,035.61","1,050.96","1,052.70","1,023.59","1493.7K","-0.14%"
"12/28/2018","1,037.08","1,049.62","1,055.56","1,033.10","1.4148M","-0.65%"
""",
        CLEAN,
        CsvOptions(),
    ),
    "Investing.com in German": (
        """\
"Datum","Zuletzt","Eröffn.","Hoch","Tief","Vol.","+/- %"
"02.01.2019","1.045,85","1.016,57","1.052,32","1.015,71","1,5326M","0,99%"
"31.12.2018","1.035,61","1.050,96","1.052,70","1.023,59","1,4937M","-0,14%"
"28.12.2018","1.037,08","1.049,62","1.055,56","1.033,10","1,4148M","-0,65%"
""",
        CLEAN,
        CsvOptions(decimal=","),
    ),
    "Alpha Vantage": (
        """\
timestamp,open,high,low,close,volume
2019-01-02,1016.5700,1052.3200,1015.7100,1045.8500,1532600
2018-12-31,1050.9600,1052.7000,1023.5900,1035.6100,1493700
2018-12-28,1049.6200,1055.5600,1033.1000,1037.0800,1414800
""",
        CLEAN,
        CsvOptions(),
    ),
    "Alpha Vantage, adjusted": (
        """\
timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient
2019-01-02,1016.5700,1052.3200,1015.7100,1045.8500,1045.85,1532600,0.0000,1.0
2018-12-31,1050.9600,1052.7000,1023.5900,1035.6100,1035.61,1493700,0.0000,1.0
2018-12-28,1049.6200,1055.5600,1033.1000,1037.0800,518.54,1414800,0.0000,1.0
""",
        ADJUSTED,
        CsvOptions(),
    ),
    "Google Sheets": (
        """\
Date,Open,High,Low,Close,Volume
12/28/2018 16:00:00,1049.62,1055.56,1033.1,1037.08,1414800
12/31/2018 16:00:00,1050.96,1052.7,1023.59,1035.61,1493700
1/2/2019 16:00:00,1016.57,1052.32,1015.71,1045.85,1532600
""",
        CLEAN,
        CsvOptions(),
    ),
    "Excel in German": (
        """\
Datum;Eröffnung;Hoch;Tief;Schluss;Volumen
28.12.2018;1.049,62;1.055,56;1.033,1;1.037,08;1.414.800
31.12.2018;1.050,96;1.052,7;1.023,59;1.035,61;1.493.700
02.01.2019;1.016,57;1.052,32;1.015,71;1.045,85;1.532.600
""",
        CLEAN,
        GERMAN,
    ),
    "Excel in French": (
        """\
Date;Ouverture;Plus haut;Plus bas;Clôture;Volume
28/12/2018;1\u202f049,62;1\u202f055,56;1\u00a0033,1;1\u00a0037,08;1 414 800
31/12/2018;1050,96;1052,7;1023,59;1035,61;1 493 700
02/01/2019;1016,57;1052,32;1015,71;1045,85;1 532 600
""",
        CLEAN,
        GERMAN,
    ),
    "Tiingo": (
        """\
date,close,high,low,open,volume,adjClose,adjHigh,adjLow,adjOpen,adjVolume,divCash,splitFactor
2018-12-28T00:00:00.000Z,1037.08,1055.56,1033.1,1049.62,1414800,518.54,527.78,516.55,524.81,1414800,0.0,1.0
2018-12-31T00:00:00.000Z,1035.61,1052.7,1023.59,1050.96,1493700,1035.61,1052.7,1023.59,1050.96,1493700,0.0,1.0
2019-01-02T00:00:00.000Z,1045.85,1052.32,1015.71,1016.57,1532600,1045.85,1052.32,1015.71,1016.57,1532600,0.0,1.0
""",
        ADJUSTED,
        CsvOptions(),
    ),
    "EODHD": (ADJUSTED.replace("Adj Close", "Adjusted_close"), ADJUSTED, CsvOptions()),
    "Quandl's WIKI": (
        """\
Date,Open,High,Low,Close,Volume,Ex-Dividend,Split Ratio,Adj. Open,Adj. High,Adj. Low,Adj. Close,Adj. Volume
2018-12-28,1049.62,1055.56,1033.1,1037.08,1414800.0,0.0,1.0,1,1,1,518.54,1
2018-12-31,1050.96,1052.7,1023.59,1035.61,1493700.0,0.0,1.0,1,1,1,1035.61,1
2019-01-02,1016.57,1052.32,1015.71,1045.85,1532600.0,0.0,1.0,1,1,1,1045.85,1
""",
        ADJUSTED,
        CsvOptions(),
    ),
    "MarketWatch": (
        """\
Date,Open,High,Low,Close,Volume
01/02/2019,"1,016.57","1,052.32","1,015.71","1,045.85","1,532,600"
12/31/2018,"1,050.96","1,052.70","1,023.59","1,035.61","1,493,700"
12/28/2018,"1,049.62","1,055.56","1,033.10","1,037.08","1,414,800"
""",
        CLEAN,
        CsvOptions(),
    ),
    "Wall Street Journal": (
        """\
Date, Open, High, Low, Close, Volume
01/02/19, 1016.57, 1052.32, 1015.71, 1045.85, 1532600
12/31/18, 1050.96, 1052.7, 1023.59, 1035.61, 1493700
12/28/18, 1049.62, 1055.56, 1033.1, 1037.08, 1414800
""",
        CLEAN,
        CsvOptions(),
    ),
    "Barchart": (
        """\
Symbol,Time,Open,High,Low,Last,Change,%Chg,Volume
GOOG,01/02/2019,1016.57,1052.32,1015.71,1045.85,10.24,+0.99%,1532600
GOOG,12/31/2018,1050.96,1052.7,1023.59,1035.61,-1.47,-0.14%,1493700
GOOG,12/28/2018,1049.62,1055.56,1033.1,1037.08,-6.8,-0.65%,1414800
"Downloaded from Barchart.com as of 01-03-2019 05:02pm CST"
""",
        CLEAN,
        CsvOptions(),
    ),
    "Macrotrends": (
        """\
Macrotrends Data Download

GOOG - Historical Price and Volume Data
Historical prices are adjusted for both splits and dividends

"Disclaimer and Terms of Use: Historical stock data is provided ""as is"", for information, not advice."


date,open,high,low,close,volume
2018-12-28,1049.62,1055.56,1033.1,1037.08,1414800
2018-12-31,1050.96,1052.7,1023.59,1035.61,1493700
2019-01-02,1016.57,1052.32,1015.71,1045.85,1532600
""",
        CLEAN,
        CsvOptions(),
    ),
    "CryptoDataDownload": (
        """\
https://www.CryptoDataDownload.com
unix,date,symbol,open,high,low,close,Volume BTC,Volume
1546387200,2019-01-02 00:00:00,BTC/USD,1016.57,1052.32,1015.71,1045.85,3,1532600
1546214400,2018-12-31 00:00:00,BTC/USD,1050.96,1052.7,1023.59,1035.61,3,1493700
1545955200,2018-12-28 00:00:00,BTC/USD,1049.62,1055.56,1033.1,1037.08,3,1414800
""",
        CLEAN,
        CsvOptions(),
    ),
    "CBOE": (
        """\
DATE,OPEN,HIGH,LOW,CLOSE
12/28/2018,1049.620000,1055.560000,1033.100000,1037.080000
12/31/2018,1050.960000,1052.700000,1023.590000,1035.610000
01/02/2019,1016.570000,1052.320000,1015.710000,1045.850000
""",
        WITHOUT_VOLUME,
        CsvOptions(),
    ),
    "NSE India": (
        """\
"Date ","series ","OPEN ","HIGH ","LOW ","PREV. CLOSE ","ltp ","close ","vwap ","52W H ","52W L ","VOLUME ","VALUE "
"02-Jan-2019","EQ","1,016.57","1,052.32","1,015.71","1,035.61","1,045.00","1,045.85","1,040.1","1","1","15,32,600","1"
"31-Dec-2018","EQ","1,050.96","1,052.70","1,023.59","1,037.08","1,035.00","1,035.61","1,040.1","1","1","14,93,700","1"
"28-Dec-2018","EQ","1,049.62","1,055.56","1,033.10","1,043.88","1,037.00","1,037.08","1,040.1","1","1","14,14,800","1"
""",
        CLEAN,
        CsvOptions(),
    ),
    "Bloomberg": (
        """\
Security,GOOG US Equity
Start Date,12/28/2018
End Date,01/02/2019
Period,D

Date,PX_OPEN,PX_HIGH,PX_LOW,PX_LAST,PX_VOLUME
12/28/2018,1049.62,1055.56,1033.1,1037.08,1414800
12/31/2018,1050.96,1052.7,1023.59,1035.61,1493700
1/2/2019,1016.57,1052.32,1015.71,1045.85,1532600
""",
        CLEAN,
        CsvOptions(),
    ),
    "Refinitiv": (
        """\
Exchange Date,Close,Net,%Chg,Open,Low,High,Volume,Turnover - USD,Flow
02-Jan-2019,1045.85,10.24,0.99%,1016.57,1015.71,1052.32,"1,532,600",1,1
31-Dec-2018,1035.61,-1.47,-0.14%,1050.96,1023.59,1052.7,"1,493,700",1,1
28-Dec-2018,1037.08,-6.80,-0.65%,1049.62,1033.1,1055.56,"1,414,800",1,1
""",
        CLEAN,
        CsvOptions(),
    ),
    "MetaTrader": (
        """\
<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>
2018.12.28\t1049.62\t1055.56\t1033.1\t1037.08\t9\t1414800\t1
2018.12.31\t1050.96\t1052.7\t1023.59\t1035.61\t9\t1493700\t1
2019.01.02\t1016.57\t1052.32\t1015.71\t1045.85\t9\t1532600\t1
""",
        CLEAN,
        CsvOptions(separator="\t"),
    ),
    "Ariva": (
        """\
Datum;Erster;Hoch;Tief;Schlusskurs;Stuecke;Volumen
2019-01-02;1.016,57;1.052,32;1.015,71;1.045,85;1.532.600;1602870000
2018-12-31;1.050,96;1.052,70;1.023,59;1.035,61;1.493.700;1546890000
2018-12-28;1.049,62;1.055,56;1.033,10;1.037,08;1.414.800;1467260000
""",
        CLEAN,
        GERMAN,
    ),
    "Comdirect": (
        """\
"Alphabet Inc. C"

"Datum";"Eröffnung";"Hoch";"Tief";"Schluss";"Volumen"
"02.01.2019";"1.016,57";"1.052,32";"1.015,71";"1.045,85";"1.532.600"
"31.12.2018";"1.050,96";"1.052,70";"1.023,59";"1.035,61";"1.493.700"
"28.12.2018";"1.049,62";"1.055,56";"1.033,10";"1.037,08";"1.414.800"
""",
        CLEAN,
        GERMAN,
    ),
    "months in words": (
        """\
Date,Open,High,Low,Close*,Adj Close**,Volume
"Jan 02, 2019",1016.57,1052.32,1015.71,1045.85,1045.85,"1,532,600"
"Dec 31, 2018",1050.96,1052.70,1023.59,1035.61,1035.61,"1,493,700"
"Dec 28, 2018",1049.62,1055.56,1033.10,1037.08,518.54,"1,414,800"
""",
        ADJUSTED,
        CsvOptions(),
    ),
}


def same(prices: Prices, clean: Prices) -> None:
    assert prices.dates.tolist() == clean.dates.tolist()
    assert prices.quoted.tolist() == clean.quoted.tolist()
    pd.testing.assert_frame_equal(prices.bars[list(clean.bars.columns)], clean.bars, check_exact=True)
    assert set(prices.bars.columns) == set(clean.bars.columns)


@pytest.mark.parametrize("vendor", SHAPES)
def test_a_vendors_export_equals_its_clean_twin(write_file, vendor):
    content, clean, options = SHAPES[vendor]
    same(read_prices(write_file(content), options=options), read_prices(write_file(clean, name="clean.csv")))


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


# --- Headers --------------------------------------------------------------------------------------------------------


def test_the_standard_name_wins_over_a_vendors(write_file):
    prices = read_prices(write_file("Date,Last,Close,Price\n2018-12-31,1,2,3\n"))
    assert prices.quoted.tolist() == [2]


def test_two_vendors_names_of_one_column_are_refused(refused):
    error = refused("Date,Last,Price\n2018-12-31,1,2\n")
    assert (error.line, error.column, error.value) == (1, "Close", "Last, Price")


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
