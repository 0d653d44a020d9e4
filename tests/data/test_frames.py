"""Prices from a DataFrame: what its CSV gives, to the last bit, or the same error with the row in place of the line."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from stockcast.data.csv.options import CsvOptions
from stockcast.data.prices import Prices, read_prices
from stockcast.errors import DataError, MissingColumns

Write = Callable[[pd.DataFrame], Path]
RNG = np.random.default_rng(8)
CLOSES = 100 * np.exp(np.cumsum(RNG.normal(0, 0.02, 40)))
DAYS = pd.bdate_range("2018-01-02", periods=40, name="Date")
BARS = pd.DataFrame(
    {
        "Open": CLOSES * 0.999,
        "High": CLOSES * 1.01,
        "Low": CLOSES / 1.01,
        "Close": CLOSES,
        "Adj Close": CLOSES / 3,
        "Volume": RNG.integers(1, 10**9, 40),
    },
    index=DAYS,
)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(frame: pd.DataFrame, **options: Any) -> Path:
        frame.to_csv(tmp_path / "frame.csv", **options)
        return tmp_path / "frame.csv"

    return write


def refused(frame: pd.DataFrame, **options: Any) -> DataError:
    with pytest.raises(DataError) as error:
        read_prices(frame, **options)
    assert error.value.file == "DataFrame"
    for word in ("--set", ".csv", "line ", "CSV", "Download"):
        assert word not in str(error.value)
    return error.value


def assert_equal(prices: Prices, other: Prices) -> None:
    assert prices.dates.tolist() == other.dates.tolist()
    assert prices.quoted.tobytes() == other.quoted.tobytes()
    pd.testing.assert_frame_equal(prices.bars, other.bars, check_exact=True)
    assert (prices.notes, prices.later) == (other.notes, other.later)


# --- What is read -----------------------------------------------------------------------------------------------------

SHAPES = {
    "dates as the index": BARS,
    "dates as an index without a name": BARS.rename_axis(None),
    "dates as an index of another name": BARS.rename_axis("when"),
    "dates as an index of text": BARS.set_axis(DAYS.strftime("%Y-%m-%d")),
    "dates as an index in a time zone": BARS.tz_localize("America/New_York"),
    "dates as an index of periods": BARS.to_period("D"),
    "dates as a column": BARS.reset_index(),
    "dates as a column of another name": BARS.reset_index(names="timestamp"),
    "dates as a column of text": BARS.assign(Date=DAYS.strftime("%d-%b-%Y")).reset_index(drop=True),
    "dates as a column of dates": BARS.assign(Date=DAYS.date).reset_index(drop=True),
    "columns by a vendor's names": BARS.rename(
        columns={"Open": "PX_OPEN", "Close": "px_last", "Adj Close": "adjclose"}
    ),
    "a column that no forecast needs": BARS.assign(Remark="fine"),
    "prices as text": BARS.assign(Close=[repr(value) for value in CLOSES.tolist()]),
    "nullable types": BARS.convert_dtypes(),
    "yfinance's columns of two levels": pd.concat({"GE": BARS}, axis=1, names=["Ticker", "Price"]),
    "the same, names above": pd.concat({"GE": BARS}, axis=1, names=["Ticker", "Price"]).swaplevel(axis=1),
    "a column of tickers": BARS.assign(Ticker="GE"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_frame_of_any_shape_has_the_values_of_its_csv_to_the_last_bit(write, shape):
    prices, by_file = read_prices(SHAPES[shape], adjusted=False), read_prices(write(BARS), adjusted=False)

    assert prices.quoted.tobytes() == CLOSES.tobytes()
    assert_equal(Prices(**{**vars(prices), "notes": ()}), by_file)


def test_a_frame_is_adjusted_as_its_csv_is(write):
    assert_equal(read_prices(BARS), read_prices(write(BARS)))


def test_a_path_may_be_text(write):
    path = write(BARS)
    assert read_prices(str(path)).source == path


def test_the_days_of_a_frame_are_the_exchanges_own_whatever_its_time_zone():
    evening = pd.DatetimeIndex(["2018-01-03 23:30", "2018-01-04 23:30"])
    for zone in ("Asia/Tokyo", "America/New_York", "UTC"):
        prices = read_prices(pd.DataFrame({"Close": [1.0, 2.0]}, index=evening.tz_localize(zone)))
        assert prices.dates.tolist() == [date(2018, 1, 3), date(2018, 1, 4)]


@pytest.mark.parametrize("options", [CsvOptions(separator=";", decimal=",", date_format="%d.%m.%Y", encoding="cp1252")])
def test_options_of_a_file_do_not_change_the_numbers_and_dates_of_a_frame(options):
    assert_equal(read_prices(BARS, options=options), read_prices(BARS))


def test_three_decimals_of_a_number_are_no_thousands_whatever_separates_the_cells_of_a_file():
    prices = read_prices(pd.DataFrame({"Close": [1.234, 2.345]}, index=DAYS[:2]), options=CsvOptions(separator=";"))
    assert prices.quoted.tolist() == [1.234, 2.345]


def test_options_set_how_the_text_of_a_frame_is_read():
    text = pd.DataFrame({"Date": ["03/04/2013", "04/04/2013"], "Close": ["1.234,5", "1.300,5"], "Open": [1.5, 2.5]})
    prices = read_prices(text, options=CsvOptions(date_format="%d/%m/%Y", decimal=","))
    assert prices.dates.tolist() == [date(2013, 4, 3), date(2013, 4, 4)]
    assert (prices.quoted.tolist(), prices.column("Open").tolist()) == ([1234.5, 1300.5], [1.5, 2.5])


def test_the_ticker_that_is_chosen_is_taken_from_columns_of_two_levels():
    frame = pd.concat({"GE": BARS, "KO": 2 * BARS}, axis=1)
    prices = read_prices(frame, options=CsvOptions(tickers=("KO",)), adjusted=False)
    assert prices.quoted.tolist() == (2 * CLOSES).tolist()


def test_start_and_end_are_those_of_a_file(write):
    limits = {"start": date(2018, 1, 10), "end": date(2018, 2, 1)}
    assert_equal(read_prices(BARS, **limits), read_prices(write(BARS), **limits))


def test_a_frame_is_left_as_it_was():
    before = BARS.copy()
    read_prices(BARS)
    pd.testing.assert_frame_equal(BARS, before)


@pytest.mark.parametrize(
    ("name", "called"), [(None, "DataFrame"), ("GE", "GE"), ("BRK.B", "BRK.B"), ("BTC/USD", "BTC-USD")]
)
def test_a_frame_is_called_by_the_name_in_its_attributes(name, called):
    frame = BARS.copy()
    frame.attrs["name"] = name
    prices = read_prices(frame)
    assert (prices.name, str(prices.source)) == (called, called)


def test_the_hash_of_a_frame_changes_with_its_content_alone():
    changed = BARS.copy()
    changed.iloc[3, 0] += 1e-9
    assert read_prices(BARS).sha256 == read_prices(BARS.copy()).sha256 != read_prices(changed).sha256


# --- What is repaired and noted, as in a file -------------------------------------------------------------------------


def with_cell(row: int, column: str, value: object) -> pd.DataFrame:
    frame = BARS.astype(object)
    frame.iloc[row, frame.columns.get_loc(column)] = value
    return frame


@pytest.mark.parametrize(
    ("frame", "note"),
    [
        (BARS[::-1], "rows were not oldest first; sorted by date"),
        (with_cell(3, "Close", np.nan), "1 row without Close dropped"),
        (with_cell(3, "Close", None), "1 row without Close dropped"),
        (with_cell(3, "Close", pd.NA), "1 row without Close dropped"),
        (BARS.iloc[[0, 1, 1, 2]], "1 repeated row dropped"),
        (with_cell(3, "Open", 0), "1 row with Open of zero or less, counted as missing"),
    ],
)
def test_a_frame_is_repaired_as_its_csv_is(write, frame, note):
    prices = read_prices(frame)
    assert prices.notes == (note,)
    assert_equal(prices, read_prices(write(frame)))


# --- What is refused, with the row ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value", "expected"),
    [
        ("Close", "ten", "ten"),
        ("Close", "$12.5", "$12.5"),
        ("Close", "12,5", "12,5"),
        ("Close", float("inf"), "inf"),
        ("Close", True, "True"),
        ("Close", -5, -5.0),
        ("Close", 0.0, 0.0),
        ("Adj Close", -1, -1.0),
        ("High", 1.0, 1.0),
        ("Volume", "12\n3", "12\n3"),
    ],
)
def test_a_wrong_cell_is_refused_by_row_column_and_value_as_its_csv_is(write, column, value, expected):
    frame = with_cell(7, column, value)
    error = refused(frame)
    with pytest.raises(DataError) as by_file:
        read_prices(write(frame))

    assert (error.line, error.column, error.value) == (7, column, expected)
    assert (by_file.value.line, by_file.value.column, by_file.value.value) == (9, column, expected)
    assert error.key == by_file.value.key
    assert f"row 7, {column} " in str(error)


def test_rows_are_counted_from_the_first_one_also_where_blank_rows_are_skipped():
    frame = pd.DataFrame({"Date": [None, "2018-01-02", None, "2018-01-03"], "Close": [None, 10.0, None, "x"]})
    assert refused(frame).line == 3


def test_all_wrong_cells_are_in_one_error():
    frame = BARS.astype(object)
    frame.iloc[[4, 6], 3] = "x"
    frame.iloc[5, 1] = -1000.0
    error = refused(frame.assign(High=CLOSES / 2))
    assert (error.line, error.column) == (0, "High")
    assert {(problem.line, problem.column) for problem in error.problems} >= {(4, "Close"), (6, "Close"), (39, "High")}


def test_dates_that_may_be_two_days_are_refused_with_both():
    error = refused(pd.DataFrame({"Date": ["03/04/13", "04/04/13"], "Close": [1.0, 2.0]}))
    assert (error.line, error.column, error.value, error.key) == (0, "Date", "03/04/13", "data.date_format")
    assert list(error.problems[0].readings) == ["4 March 2013", "3 April 2013"]


def test_prices_whose_comma_may_group_or_divide_are_refused_with_both():
    error = refused(pd.DataFrame({"Close": ["12,345", "12,400"]}, index=DAYS[:2]))
    assert (error.line, error.column, error.value, error.key) == (0, "Close", "12,345", "data.decimal")


@pytest.mark.parametrize(
    ("index", "row", "column", "value"),
    [
        ([*DAYS[:3], pd.NaT], 3, "Date", ""),
        ([*DAYS[:3], pd.Timestamp("2098-01-02")], 3, "Date", "2098-01-02"),
        ([*DAYS[:3], DAYS[1]], 1, None, str(DAYS[1].date())),
        (pd.date_range("2018-01-02 09:30", periods=4, freq="h"), 0, None, "2018-01-02"),
    ],
)
def test_dates_that_cannot_be_are_refused_by_their_row(index, row, column, value):
    error = refused(BARS.iloc[:4].set_axis(pd.DatetimeIndex(index)))
    assert (error.line, error.column, error.value) == (row, column, value)


def test_a_day_with_two_values_is_refused_by_all_its_rows():
    assert "rows 0, 2" in str(refused(BARS.iloc[:3].set_axis(DAYS[[0, 1, 0]])))


@pytest.mark.parametrize(
    ("frame", "column"),
    [
        (BARS[["Open", "Volume"]], "Close"),
        (BARS.reset_index(drop=True), "Date"),
        (BARS[["Open"]].reset_index(drop=True), "Date"),
    ],
)
def test_a_frame_without_dates_or_closes_is_refused_by_the_missing_column(frame, column):
    error = refused(frame)
    assert isinstance(error, MissingColumns)
    assert (error.line, error.column) == (None, column)
    assert "DataFrame, columns" in str(error)


@pytest.mark.parametrize(
    ("frame", "column"), [(BARS.assign(close=1.0), "Close"), (BARS.assign(timestamp=DAYS, date=DAYS), "Date")]
)
def test_a_column_that_occurs_twice_is_refused_by_its_name(frame, column):
    assert (refused(frame).line, refused(frame).column) == (None, column)


@pytest.mark.parametrize(
    ("frame", "word"),
    [
        (pd.DataFrame(), "empty"),
        (pd.concat({"GE": BARS, "KO": BARS}, names=["Ticker"]), "levels"),
        (pd.concat({"GE": pd.concat({"x": BARS}, axis=1)}, axis=1), "levels"),
        (pd.concat({"GE": BARS}, axis=1).swaplevel(axis=1).reset_index(), "levels"),
        (pd.DataFrame({"Close": 1.0}, index=pd.date_range("2018", periods=100_001, freq="min")), "resample"),
    ],
)
def test_what_is_no_table_of_prices_is_refused(frame, word):
    assert word in str(refused(frame))


def test_a_frame_without_rows_has_no_close():
    assert refused(BARS.iloc[:0]).column == "Close"
    assert refused(BARS, start=date(2020, 1, 1)).key == "data.start"


@pytest.mark.parametrize(
    "frame",
    [
        pd.concat({"GE": BARS, "KO": BARS}, axis=1),
        pd.concat({"GE": BARS, "KO": BARS}, names=["Ticker"]).reset_index(),
    ],
)
def test_several_series_are_refused_with_their_names(frame):
    error = refused(frame)
    assert (error.line, error.key, error.value) == (None, "data.ticker", "GE, KO")
