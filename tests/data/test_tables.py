"""Every series of a file by itself: each as pandas takes it from the file, whatever the file's shape."""

import tracemalloc
from pathlib import Path

import pandas as pd
import pytest

from stockcast.data.csv.options import ALL_TICKERS, CsvOptions
from stockcast.data.csv.table import read_tables
from stockcast.data.prices import read_prices
from stockcast.errors import DataError

DAYS = ["2020-01-02", "2020-01-03", "2020-01-06"]
LONG = pd.DataFrame(
    {
        "Date": DAYS * 2,
        "Name": ["GE"] * 3 + ["KO"] * 3,
        "Open": [9.0, 10, 11, 49, 50, 51],
        "Close": [10.0, 11, 12, 50, 51, 52],
        "Volume": [1, 2, 3, 4, 5, 6],
    }
)
WIDE = "Date,Close_GE,Close_KO,Volume_GE,Volume_KO\n2020-01-02,10,50,1,4\n2020-01-03,11,51,2,5\n2020-01-06,12,52,3,6\n"
TALL = (
    "Price,Close,Close,Volume,Volume\nTicker,GE,KO,GE,KO\nDate,,,,\n"
    "2020-01-02,10,50,1,4\n2020-01-03,11,51,2,5\n2020-01-06,12,52,3,6\n"
)
RESET = TALL.replace("Price,Close,Close,Volume,Volume\nTicker,", "Date,Close,Close.1,Volume,Volume.1\n,")
RESET = RESET.replace("Date,,,,\n", "")
SHAPES = {"long": LONG.to_csv(index=False), "wide": WIDE, "tall": TALL, "reset": RESET}


@pytest.mark.parametrize("content", SHAPES.values(), ids=SHAPES.keys())
def test_all_series_of_a_file_are_read_each_by_itself(tmp_path: Path, content: str) -> None:
    (tmp_path / "all.csv").write_text(content)
    tables = read_tables(tmp_path / "all.csv", options=CsvOptions())
    ge, ko = (read_prices(table) for table in tables)
    assert [(ge.name, ge.ticker, ge.label), (ko.name, ko.ticker, ko.label)] == [
        ("GE", "GE", "GE.csv"),
        ("KO", "KO", "KO.csv"),
    ]
    assert ge.quoted.tolist() == [10, 11, 12]
    assert ko.quoted.tolist() == [50, 51, 52]
    assert ko.bars["Volume"].tolist() == [4, 5, 6]
    assert [str(day) for day in ko.dates] == DAYS


def test_the_series_of_a_data_frame_are_read_each_by_itself() -> None:
    prices = [read_prices(table) for table in read_tables(LONG, options=CsvOptions())]
    assert [(series.name, series.quoted.tolist()) for series in prices] == [("GE", [10, 11, 12]), ("KO", [50, 51, 52])]


def test_a_file_of_one_series_without_a_name_is_that_series(tmp_path: Path) -> None:
    LONG.head(3).drop(columns="Name").to_csv(tmp_path / "one.csv", index=False)
    (table,) = read_tables(tmp_path / "one.csv", options=CsvOptions())
    prices = read_prices(table)
    assert (prices.name, prices.ticker, prices.quoted.tolist()) == ("one", "", [10, 11, 12])


def test_one_series_that_is_read_by_itself_is_the_one_among_all(tmp_path: Path) -> None:
    LONG.to_csv(tmp_path / "all.csv", index=False)
    alone = read_prices(tmp_path / "all.csv", options=CsvOptions(tickers=("KO",)))
    _, among = map(read_prices, read_tables(tmp_path / "all.csv", options=CsvOptions()))
    pd.testing.assert_frame_equal(alone.bars, among.bars)
    assert (alone.name, alone.ticker, alone.sha256) == (among.name, among.ticker, among.sha256)


def test_a_file_of_several_is_not_one_series_where_all_are_named(tmp_path: Path) -> None:
    LONG.to_csv(tmp_path / "all.csv", index=False)
    with pytest.raises(DataError) as error:
        read_prices(tmp_path / "all.csv", options=CsvOptions(tickers=ALL_TICKERS))
    assert error.value.key == "data.ticker"


@pytest.mark.parametrize(
    ("content", "line", "column"),
    [
        (LONG.assign(Name=["GE", "GE", None, "KO", "KO", "KO"]).to_csv(index=False), 4, "Ticker"),
        (LONG.to_csv(index=False).replace("2020-01-03,KO", "2020-01-03,KO,9"), 6, None),
    ],
    ids=["a row without a name", "a row too long"],
)
def test_a_row_of_no_series_is_refused_with_its_line(
    tmp_path: Path, content: str, line: int, column: str | None
) -> None:
    (tmp_path / "all.csv").write_text(content)
    with pytest.raises(DataError) as error:
        read_tables(tmp_path / "all.csv", options=CsvOptions())
    assert (error.value.line, error.value.column) == (line, column)


def test_a_bad_cell_is_named_with_its_series_and_line(tmp_path: Path) -> None:
    (tmp_path / "all.csv").write_text(LONG.to_csv(index=False).replace(",51.0,", ",abc,"))
    _, bad = read_tables(tmp_path / "all.csv", options=CsvOptions())
    with pytest.raises(DataError) as error:
        read_prices(bad)
    assert str(error.value).startswith(f"{tmp_path / 'all.csv'} (KO), line 6")


def test_a_cell_of_two_lines_is_refused_for_its_series_alone(tmp_path: Path) -> None:
    (tmp_path / "all.csv").write_text(LONG.to_csv(index=False).replace(",51.0,", ',"51\n510",'))
    ge, bad = read_tables(tmp_path / "all.csv", options=CsvOptions())
    assert read_prices(ge).quoted.tolist() == [10, 11, 12]
    with pytest.raises(DataError) as error:
        read_prices(bad)
    assert (error.value.line, error.value.column, error.value.value) == (6, "Close", "51\n510")


@pytest.mark.parametrize(
    ("ticker", "name"),
    [
        ("BRK/B", "BRK-B"),
        ("..\\..", "..-.."),
        ("\x1b[31mGE", "-[31mGE"),
        ("\u202eEG", "-EG"),
        ("x" * 300, "x" * 60),
        ("^GSPC", "^GSPC"),
        ("トヨタ", "トヨタ"),
    ],
)
def test_a_ticker_of_any_text_is_a_name_that_titles_and_paths_can_have(ticker: str, name: str) -> None:
    (table, _) = read_tables(LONG.replace({"GE": ticker}), options=CsvOptions())
    prices = read_prices(table)
    assert (prices.ticker, prices.name) == (ticker, name)


def test_two_series_that_would_share_a_folder_are_refused(tmp_path: Path) -> None:
    LONG.replace({"GE": "BRK/B", "KO": "BRK-B"}).to_csv(tmp_path / "all.csv", index=False)
    with pytest.raises(DataError) as error:
        read_tables(tmp_path / "all.csv", options=CsvOptions())
    assert (error.value.key, error.value.value) == ("data.ticker", "BRK-B")


def test_a_row_of_a_long_file_is_held_in_little_memory(tmp_path: Path) -> None:
    """A file of 200 MB has four million rows; as lists of cells, 430 bytes each, they would take two gigabytes."""
    lines = [f"2020-01-02,T{number % 9},100.25,101.25,99.25,100.75,{number}\n" for number in range(50_000)]
    (tmp_path / "all.csv").write_text("Date,Ticker,Open,High,Low,Close,Volume\n" + "".join(lines))
    tracemalloc.start()
    try:
        tables = read_tables(tmp_path / "all.csv", options=CsvOptions())
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(len(table.cells) for table in tables) == 50_000
    assert held / 50_000 < 200
