import csv
import gc
import random
import tracemalloc
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from stockcast.data.csv.options import CsvOptions
from stockcast.data.prices import Prices, read_prices
from stockcast.errors import MissingColumns

REPO = Path(__file__).parents[2]
STOCKS = REPO.parent / "shared" / "data"
HEADER = "Date,Open,High,Low,Close,Adj Close,Volume"
BAR = "2018-01-03,10,12,9,11,11,100"


def table(*rows: str) -> str:
    return "\n".join((HEADER, *rows)) + "\n"


def days(prices: Prices) -> list[str]:
    return [str(day) for day in prices.dates]


def note_about(word: str, prices: Prices) -> str:
    """The one note that has the word."""
    (note,) = [note for note in prices.notes if word in note]
    return note


# --- What is read -----------------------------------------------------------------------------------------------------


def test_a_yahoo_file_becomes_one_row_of_numbers_a_day(write_file):
    prices = read_prices(write_file(table("2018-01-02,10,12,9,11,11,100", "2018-01-03,11,13,10,12,12,200")))

    assert days(prices) == ["2018-01-02", "2018-01-03"]
    assert prices.dates.dtype == np.dtype("datetime64[D]")
    assert prices.column("Open").tolist() == [10.0, 11.0]
    assert prices.column("High").tolist() == [12.0, 13.0]
    assert prices.column("Low").tolist() == [9.0, 10.0]
    assert prices.column("Close").tolist() == [11.0, 12.0]
    assert prices.column("Volume").tolist() == [100.0, 200.0]
    assert prices.notes == ()


def test_a_series_is_called_by_its_files_stem(write_file):
    assert read_prices(write_file("Date,Close\n2018-01-02,10\n", name="GE old.csv")).name == "GE old"


@pytest.mark.parametrize("adjusted", [False, True])
def test_prices_are_held_once_so_that_hundreds_of_files_fit_into_memory(write_file, adjusted):
    first = date(1990, 1, 1)
    path = write_file(table(*(f"{first + timedelta(days=day)},10,12,9,11,5.5,100" for day in range(5000))))
    read_prices(path, adjusted=adjusted)  # what is imported and cached on the way is not of the file
    tracemalloc.start()
    try:
        prices = read_prices(path, adjusted=adjusted)
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0] / len(prices.dates)
    finally:
        tracemalloc.stop()
    assert kept < 8 * (6 + 2) + 4  # bytes a day: six columns, the date and at most the quoted close, once each


def test_dates_and_closes_are_enough(write_file):
    prices = read_prices(write_file("Date,Close\n2018-01-02,10\n2018-01-03,11.5\n"))

    assert list(prices.bars.columns) == ["Close"]
    assert prices.column("Close").tolist() == [10.0, 11.5]
    assert prices.quoted.tolist() == [10.0, 11.5]
    assert prices.quote_factor == 1.0


@pytest.mark.parametrize(
    "header",
    [
        "Volume,Close,Date,Low,High,Open,Adj Close",
        "VOLUME,CLOSE,DATE,LOW,HIGH,OPEN,ADJ CLOSE",
        "volume,close,date,low,high,open,adjclose",
        " Volume , Close , Date,Low ,High, Open ,Adj_Close",
        "Volume,Close,Date,Low,High,Open,Adj  Close",
    ],
)
def test_order_case_and_spacing_of_the_headers_do_not_matter(write_file, header):
    prices = read_prices(write_file(f"{header}\n100,11,2018-01-03,9,12,10,11\n"))

    assert {name: prices.column(name).tolist() for name in prices.bars.columns} == {
        "Open": [10.0],
        "High": [12.0],
        "Low": [9.0],
        "Close": [11.0],
        "Adj Close": [11.0],
        "Volume": [100.0],
    }


def test_columns_that_no_forecast_needs_are_left_out(write_file):
    prices = read_prices(write_file("Date,Close,Dividends,Stock Splits,Remark\n2018-01-02,10,0.0,,fine\n"))

    assert list(prices.bars.columns) == ["Close"]


CLEAN = "Date,Close\n2018-01-02,10\n2018-01-03,1234.5\n"


@pytest.mark.parametrize(
    "dirty",
    [
        pytest.param("\ufeff" + CLEAN, id="byte-order mark"),
        pytest.param('\ufeff"Date","Close"\n"2018-01-02","10"\n"2018-01-03","1234.5"\n', id="mark and quotes"),
        pytest.param(CLEAN.replace("\n", "\r\n"), id="CRLF"),
        pytest.param(CLEAN.removesuffix("\n"), id="no final newline"),
        pytest.param(CLEAN + "\n\n", id="blank lines at the end"),
        pytest.param(CLEAN.replace("\n2018-01-03", "\n\n2018-01-03"), id="blank line inside"),
        pytest.param(CLEAN.replace("1234.5", '"1,234.5"'), id="quoted thousands"),
        pytest.param(CLEAN.replace("1234.5", " 1234.50 "), id="spaces around"),
        pytest.param(CLEAN.replace("1234.5", "1.2345e3"), id="exponent"),
    ],
)
def test_a_vendors_way_of_writing_a_file_changes_nothing(write_file, dirty):
    prices, clean = read_prices(write_file(dirty)), read_prices(write_file(CLEAN, name="clean.csv"))

    assert days(prices) == days(clean) == ["2018-01-02", "2018-01-03"]
    assert prices.column("Close").tolist() == [10.0, 1234.5]
    assert prices.notes == ()


def test_millions_may_be_grouped_too(write_file):
    prices = read_prices(write_file('Date,Close,Volume\n2018-01-02,10,"1,234,567"\n'))

    assert prices.column("Volume").tolist() == [1234567.0]


def test_spaces_and_accents_in_the_file_name_do_not_matter(write_file):
    assert days(read_prices(write_file(CLEAN, name="-café à lire.csv"))) == ["2018-01-02", "2018-01-03"]


# --- What is repaired, and noted --------------------------------------------------------------------------------------


def test_null_rows_are_dropped_and_counted(write_file):
    prices = read_prices(
        write_file(
            table(
                "2018-01-02,null,null,null,null,null,null",
                BAR,
                "2018-01-04,,,,,,",
                "2018-01-05,NaN,NaN,NaN,NaN,NaN,NaN",
            )
        )
    )

    assert days(prices) == ["2018-01-03"]
    assert "3 rows" in note_about("without Close", prices)


def test_a_bar_that_has_not_closed_yet_is_dropped(write_file):
    prices = read_prices(write_file(table(BAR, "2018-01-04,11,12,10,,,50")))

    assert days(prices) == ["2018-01-03"]
    assert "1 row" in note_about("without Close", prices)


def test_newest_first_is_sorted_and_noted(write_file):
    prices = read_prices(write_file("Date,Close\n2018-01-04,12\n2018-01-03,11\n2018-01-02,10\n"))

    assert days(prices) == ["2018-01-02", "2018-01-03", "2018-01-04"]
    assert prices.column("Close").tolist() == prices.quoted.tolist() == [10.0, 11.0, 12.0]
    assert "sorted" in note_about("oldest first", prices)


def test_the_order_of_rows_and_columns_never_changes_the_prices(write_file):
    columns = HEADER.split(",")
    day, rows, dice = date(2018, 1, 1), [], random.Random(3)
    for number in range(60):
        rows.append(
            [f"{day + timedelta(number)}", "10", "12", "9", f"{dice.uniform(9, 12):.6f}", "10.5", f"{number + 1}"]
        )
    clean = read_prices(write_file(table(*(",".join(row) for row in rows))))
    for _ in range(5):
        dice.shuffle(rows)
        order = dice.sample(range(7), k=7)
        shuffled = [",".join(line[place] for place in order) for line in (columns, *rows)]
        prices = read_prices(write_file("\n".join(shuffled), name="shuffled.csv"))

        assert prices.dates.tolist() == clean.dates.tolist()
        assert prices.quoted.tolist() == clean.quoted.tolist()
        for column in columns[1:]:
            assert prices.column(column).tolist() == clean.column(column).tolist()


def test_an_open_of_zero_counts_as_missing_and_its_row_keeps_the_close(write_file):
    prices = read_prices(write_file(table("2018-01-02,0.0,12,9,11,11,100", BAR)))

    assert np.isnan(prices.column("Open")).tolist() == [True, False]
    assert prices.column("Close").tolist() == [11.0, 11.0]
    assert prices.column("High").tolist() == [12.0, 12.0]
    assert "1 row" in note_about("Open", prices)
    assert "missing" in note_about("Open", prices)


def test_a_volume_of_zero_counts_as_missing_and_is_noted(write_file):
    prices = read_prices(
        write_file(table("2018-01-02,10,12,9,11,11,0", "2018-01-03,10,12,9,11,11,0", BAR[:9] + "4" + BAR[10:]))
    )

    assert np.isnan(prices.column("Volume")).tolist() == [True, True, False]
    assert "2 rows" in note_about("Volume", prices)


def test_a_missing_volume_is_no_reason_to_refuse_the_day(write_file):
    prices = read_prices(write_file(table("2018-01-03,10,12,9,11,11,null")))

    assert days(prices) == ["2018-01-03"]
    assert np.isnan(prices.column("Volume")).all()


def test_a_close_outside_the_days_range_is_kept_and_counted(write_file):
    rows = ["2018-01-02,10,12,9,12.02,12.02,100", "2018-01-03,10,12,9,8.98,8.98,100", "2018-01-04,10,12,9,12,12,1"]
    prices = read_prices(write_file(table(*rows)))

    assert prices.column("Close").tolist() == [12.02, 8.98, 12.0]
    assert "2 rows" in note_about("Close", prices)


def test_a_close_that_leaves_the_range_by_a_vendors_rounding_is_not_worth_a_note(write_file):
    # 12.0001 is above the high of 12 by less than a hundredth of a per cent
    assert read_prices(write_file(table("2018-01-02,10,12,9,12.0001,12.0001,100"))).notes == ()


def test_a_day_that_occurs_twice_with_the_same_values_is_kept_once_and_noted(write_file):
    prices = read_prices(write_file(table(BAR, BAR, "2018-01-04,10,12,9,11.5,11.5,100")))

    assert days(prices) == ["2018-01-03", "2018-01-04"]
    assert prices.column("Close").tolist() == prices.quoted.tolist() == [11.0, 11.5]
    assert "1 " in note_about("repeated", prices)


TWICE = ["2018-01-03,10,12,9,11,11,100", "2018-01-04,10,12,9,11.5,11.5,12", "2018-01-04,10,12,9,11.5,11.5,4163"]


@pytest.mark.parametrize("rows", [TWICE, [TWICE[0], TWICE[2], TWICE[1]], [TWICE[2], TWICE[1], TWICE[0]]])
def test_of_a_last_day_that_occurs_twice_the_fuller_row_is_kept_if_prices_agree(write_file, rows):
    prices = read_prices(write_file(table(*rows)))

    assert days(prices) == ["2018-01-03", "2018-01-04"]
    assert prices.column("Volume").tolist() == [100, 4163]
    assert "2018-01-04" in note_about("twice", prices)


def test_a_row_with_more_cells_is_fuller_than_one_with_more_volume(write_file):
    prices = read_prices(write_file(table(TWICE[0], "2018-01-04,,,,11.5,11.5,9999", TWICE[1])))

    assert (prices.column("Open")[-1], prices.column("Volume")[-1]) == (10, 12)


def test_a_last_day_that_occurs_twice_with_another_price_is_refused(refused):
    error = refused(table(*TWICE[:2], "2018-01-04,10,12,9,11.6,11.6,4163"))
    assert (error.line, error.value) == (3, "2018-01-04")


def test_an_earlier_day_that_occurs_twice_with_another_volume_is_refused(refused):
    error = refused(table(*TWICE, "2018-01-05,10,12,9,11,11,100"))
    assert (error.line, error.value) == (3, "2018-01-04")


def test_a_row_of_zeros_is_a_day_that_the_vendor_lacks(write_file):
    prices = read_prices(write_file(table(BAR, "2018-01-04,0,0,0,0,0,0", "2018-01-05,10,12,9,11.5,11.5,100")))

    assert days(prices) == ["2018-01-03", "2018-01-05"]
    assert note_about("zero for every price", prices) == "1 row with zero for every price dropped"


def early_adjusted(*values: float) -> str:
    """Ten days at 11, the first of which have these adjusted closes."""
    rows = [f"2018-01-{day + 8:02},10,12,9,11,{values[day] if day < len(values) else 5.5},100" for day in range(10)]
    return table(*rows)


@pytest.mark.parametrize("values", [(-0.5, -0.25, -0.125), (0, 0, 0), (0.25, -0.5, -0.5)])
def test_early_days_that_cannot_be_adjusted_are_left_out_and_reported(write_file, values):
    prices = read_prices(write_file(early_adjusted(*values)))

    assert days(prices)[0] == "2018-01-11"
    assert prices.column("Close").tolist() == [5.5] * 7
    assert "3 rows to 2018-01-10" in note_about("Adj Close", prices)


def test_an_adjusted_close_below_zero_beside_a_date_that_cannot_be_read_is_refused_for_the_date(refused):
    error = refused(early_adjusted(-0.5).replace("2018-01-08", "soon"))
    assert (error.line, error.column, error.value) == (2, "Date", "soon")


def test_unadjusted_prices_need_no_adjusted_close(write_file):
    prices = read_prices(write_file(early_adjusted(-0.5, -0.25, 0)), adjusted=False)

    assert prices.column("Close").tolist() == [11.0] * 10
    assert "3 rows with Adj Close of zero or less" in note_about("Adj Close", prices)


def test_an_adjusted_close_below_zero_in_later_years_is_refused_with_both_ways_out(refused):
    error = refused(early_adjusted(5.5, 5.5, 5.5, -5.5))
    assert (error.line, error.column, error.value) == (5, "Adj Close", -5.5)
    assert "target.adjusted: false" in str(error)


def test_no_day_is_left_out_for_an_adjusted_close_outside_the_chosen_days(write_file):
    prices = read_prices(write_file(early_adjusted(-0.5, -0.25)), start=date(2018, 1, 10))
    assert (days(prices)[0], prices.notes) == ("2018-01-10", ())


# --- Dates ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("date_format", "written"),
    [("%d/%m/%Y", "30/09/2013"), ("%d/%m/%y", "30/09/13"), ("%m-%d-%Y", "09-30-2013"), ("%Y%m%d", "20130930")],
)
def test_dates_are_read_in_the_format_that_is_given(write_file, date_format, written):
    prices = read_prices(write_file(f"Date,Close\n{written},10\n"), options=CsvOptions(date_format=date_format))

    assert days(prices) == ["2013-09-30"]


def test_day_first_stays_day_first_where_both_readings_are_possible(write_file):
    prices = read_prices(
        write_file("Date,Close\n03/04/2013,10\n04/04/2013,11\n"), options=CsvOptions(date_format="%d/%m/%Y")
    )

    assert days(prices) == ["2013-04-03", "2013-04-04"]  # 3 and 4 April, not 4 March


def test_a_time_of_day_is_dropped(write_file):
    prices = read_prices(
        write_file("Date,Close\n2018-01-02 16:00,10\n"), options=CsvOptions(date_format="%Y-%m-%d %H:%M")
    )

    assert days(prices) == ["2018-01-02"]


def test_todays_bar_is_not_in_the_future(write_file):
    today = date.today()

    assert days(read_prices(write_file(f"Date,Close\n{today},10\n"))) == [str(today)]


THREE_DAYS = "Date,Close\n2018-01-02,10\n2018-01-03,11\n2018-01-04,12\n"


@pytest.mark.parametrize(
    ("limits", "kept"),
    [
        ({}, ["2018-01-02", "2018-01-03", "2018-01-04"]),
        ({"start": date(2018, 1, 3)}, ["2018-01-03", "2018-01-04"]),
        ({"end": date(2018, 1, 3)}, ["2018-01-02", "2018-01-03"]),
        ({"start": date(2018, 1, 3), "end": date(2018, 1, 3)}, ["2018-01-03"]),
        ({"start": date(1900, 1, 1), "end": date(2100, 1, 1)}, ["2018-01-02", "2018-01-03", "2018-01-04"]),
    ],
)
def test_the_first_and_the_last_day_asked_for_are_kept(write_file, limits, kept):
    prices = read_prices(write_file(THREE_DAYS), **limits)

    assert days(prices) == kept
    assert prices.quoted.tolist() == prices.column("Close").tolist()


def test_days_are_counted_in_the_order_of_time_whatever_their_order_in_the_file(write_file):
    path = write_file("Date,Close\n2018-01-04,12\n2018-01-03,11\n2018-01-02,10\n")

    assert days(read_prices(path, start=date(2018, 1, 3))) == ["2018-01-03", "2018-01-04"]


@pytest.mark.parametrize(
    ("limits", "span"),
    [
        ({"start": date(2018, 2, 1)}, "2018-02-01 and the last row"),
        ({"end": date(2017, 12, 31)}, "the first row and 2017-12-31"),
        ({"start": date(2018, 1, 4), "end": date(2018, 1, 2)}, "2018-01-04 and 2018-01-02"),
    ],
)
def test_a_span_without_any_day_is_refused_by_its_ends(refused, limits, span):
    error = refused(THREE_DAYS, **limits)
    assert error.key == "data.start"
    assert span in str(error)


# --- Adjustment -------------------------------------------------------------------------------------------------------

SPLIT = table("2018-01-02,200,220,180,210,105,100", "2018-01-03,110,120,90,112,112,200")  # two for one overnight


def test_prices_are_adjusted_by_adjusted_over_quoted_close(write_file):
    prices = read_prices(write_file(SPLIT))

    # the first day's factor is 105 / 210 = 1/2, the second's is 1
    assert prices.column("Open").tolist() == [100.0, 110.0]
    assert prices.column("High").tolist() == [110.0, 120.0]
    assert prices.column("Low").tolist() == [90.0, 90.0]
    assert prices.column("Close").tolist() == [105.0, 112.0]
    assert prices.column("Adj Close").tolist() == [105.0, 112.0]
    assert prices.column("Volume").tolist() == [100.0, 200.0]


def test_the_closes_as_quoted_survive_the_adjustment(write_file):
    assert read_prices(write_file(SPLIT)).quoted.tolist() == [210.0, 112.0]


def test_unadjusted_prices_are_left_as_printed(write_file):
    prices = read_prices(write_file(SPLIT), adjusted=False)

    assert prices.column("Open").tolist() == [200.0, 110.0]
    assert prices.column("Close").tolist() == prices.quoted.tolist() == [210.0, 112.0]
    assert prices.quote_factor == 1.0


def test_the_quote_factor_brings_adjusted_prices_back_to_the_last_days_own(write_file):
    path = write_file(table("2018-01-02,20,22,18,20,2.5,100", "2018-01-03,40,44,36,40,10,200"))

    prices = read_prices(path)

    assert prices.column("Close").tolist() == [2.5, 10.0]
    assert prices.quote_factor == 4.0  # quoted at 40, adjusted to 10


def test_rows_that_come_later_never_change_the_bars_before_them(write_file):
    rows = ["2018-01-02,200,220,180,210,105,100", "2018-01-03,110,120,90,112,100,200", "2018-01-04,1,2,0.5,1,9,7"]
    short, long = read_prices(write_file(table(*rows[:2]))), read_prices(write_file(table(*rows), name="long.csv"))

    assert long.bars.iloc[:2].to_numpy().tobytes() == short.bars.to_numpy().tobytes()


# --- Required columns -------------------------------------------------------------------------------------------------


def test_asking_for_a_column_that_is_not_there_names_it_and_those_that_are(write_file):
    prices = read_prices(write_file("Date,Close,Volume\n2018-01-02,10,5\n"))

    with pytest.raises(MissingColumns) as error:
        prices.column("Open")
    assert (error.value.file, error.value.column) == (str(prices.source), "Open")
    assert "it has Close, Volume" in str(error.value)


def test_all_columns_that_are_missing_are_named_at_once(write_file):
    prices = read_prices(write_file("Date,Close\n2018-01-02,10\n"))

    with pytest.raises(MissingColumns) as error:
        prices.require(["High", "Close", "Low"])
    assert (error.value.column, error.value.value) == ("High", "High, Low")


# --- What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "column", "value"),
    [
        pytest.param("2018-01-04,10,12,9,$12.5,11,100", "Close", "$12.5", id="currency sign"),
        pytest.param("2018-01-04,10,12,9,33.91M,11,100", "Close", "33.91M", id="magnitude letter"),
        pytest.param("2018-01-04,10,12,9,11%,11,100", "Close", "11%", id="per cent"),
        pytest.param("2018-01-04,x,12,9,11,11,100", "Open", "x", id="letter"),
        pytest.param('2018-01-04,10,12,9,"11,5",11,100', "Close", "11,5", id="decimal comma"),
        pytest.param('2018-01-04,10,12,9,"1.234,56",11,100', "Close", "1.234,56", id="continental"),
        pytest.param('2018-01-04,10,12,9,"12,34,5",11,100', "Close", "12,34,5", id="wrong groups"),
        pytest.param("2018-01-04,10,12,9,inf,11,100", "Close", "inf", id="infinity"),
        pytest.param("2018-01-04,10,12,9,1e999,11,100", "Close", "1e999", id="overflow"),
        pytest.param("2018-01-04,10,12,9,11,(11),100", "Adj Close", "(11)", id="bookkeeper's minus"),
        pytest.param("2018-01-04,10,12,9,0,11,100", "Close", 0, id="close of zero"),
        pytest.param("2018-01-04,10,12,9,-11,11,100", "Close", -11, id="close below zero"),
        pytest.param("2018-01-04,10,12,9,11,0,100", "Adj Close", 0, id="adjusted close of zero"),
        pytest.param("2018-01-04,10,8.5,9,8.7,8.7,100", "High", 8.5, id="high below low"),
        pytest.param("2018-02-30,10,12,9,11,11,100", "Date", "2018-02-30", id="30 February"),
        pytest.param("04/01/2018,10,12,9,11,11,100", "Date", "04/01/2018", id="another date format"),
        pytest.param("2999-01-04,10,12,9,11,11,100", "Date", "2999-01-04", id="future"),
        pytest.param(",10,12,9,11,11,100", "Date", "", id="no date"),
        pytest.param("Source: Yahoo,,,,,,", "Date", "Source: Yahoo", id="footer"),
    ],
)
def test_a_wrong_cell_is_refused_by_file_line_column_and_value(refused, row, column, value):
    error = refused(table("2018-01-02,10,12,9,11,11,100", BAR, row))

    assert (error.line, error.column, error.value) == (4, column, value)
    assert f"line 4, {column} " in str(error)
    assert len(error.problems) == 1


@pytest.mark.parametrize("high", [8.5, 8.98])
def test_a_high_below_the_low_names_the_low_too(refused, high):
    error = refused(table(f"2018-01-04,10,{high},9,8.7,8.7,100"))
    assert (error.line, error.column, error.value) == (2, "High", high)
    assert "low of 9.0" in str(error)


def test_blank_lines_do_not_shift_the_line_that_an_error_names(refused):
    assert refused("Date,Close\n\n2018-01-02,10\n\n2018-01-03,ten\n").line == 5


def test_dates_in_no_known_format_are_refused_with_the_key_that_would_read_them(refused):
    error = refused("Date,Close\nweek 40 of 2013,10\n")
    assert (error.line, error.column, error.value) == (2, "Date", "week 40 of 2013")
    assert error.key == "data.date_format"


def test_day_and_month_are_never_guessed(refused):
    error = refused("Date,Close\n03/04/13,10\n04/04/13,11\n")
    assert (error.line, error.value, error.key) == (2, "03/04/13", "data.date_format")


def test_a_date_of_another_format_than_given_is_refused(refused):
    error = refused("Date,Close\n30/09/2013,10\n2013-10-01,11\n", options=CsvOptions(date_format="%d/%m/%Y"))
    assert (error.line, error.column, error.value, error.key) == (3, "Date", "2013-10-01", "data.date_format")
    assert "%d/%m/%Y" in str(error)


def test_tomorrow_is_the_future(refused):
    later = date.today() + timedelta(days=2)  # two, so that midnight cannot pass in between

    error = refused(f"Date,Close\n{later},10\n")
    assert (error.column, error.value) == ("Date", str(later))
    assert "future" in str(error)


def test_hundreds_of_wrong_cells_are_counted_rather_than_listed(refused):
    rows = "".join(f"{date(2017, 1, 1) + timedelta(number)},ten\n" for number in range(300))

    error = refused("Date,Close\n" + rows)
    assert (error.line, error.column, error.value) == (2, "Close", "ten")
    assert [problem.line for problem in error.problems] == list(range(2, 302))
    assert len(str(error).splitlines()) == 11
    assert "290 more" in str(error)


def test_a_day_that_occurs_twice_with_different_values_is_refused_by_its_date(refused):
    error = refused(table(BAR, "2018-01-04,10,12,9,11,11,100", "2018-01-04,10,12,9,11.5,11.5,100"))
    assert (error.line, error.value) == (3, "2018-01-04")
    assert "lines 3, 4" in str(error)


def test_bars_within_the_day_are_refused_with_the_key_that_makes_them_daily(refused):
    content = "Date,Close\n2018-01-02 10:00,10\n2018-01-02 11:00,11\n2018-01-02 12:00,12\n"

    error = refused(content, options=CsvOptions(date_format="%Y-%m-%d %H:%M"))
    assert (error.line, error.value) == (2, "2018-01-02")
    assert "--set data.resample=1d" in str(error)


def test_two_spellings_of_the_close_are_refused(refused):
    error = refused("Date,Close,CLOSE\n2018-01-02,10,11\n")
    assert (error.line, error.column, error.value) == (1, "Close", "Close, CLOSE")


@pytest.mark.parametrize(
    ("content", "missing"), [("Date,Open\n2018-01-02,10\n", "Close"), ("Close,Open\n10,11\n", "Date")]
)
def test_a_file_without_dates_or_closes_is_refused_by_the_missing_column(refused, content, missing):
    error = refused(content)
    assert isinstance(error, MissingColumns)
    assert (error.line, error.column) == (1, missing)
    assert "Open" in error.value


def test_semicolons_are_taken_where_no_comma_can_be_the_separator_and_told(write_file):
    prices = read_prices(write_file("Date;Close\n2018-01-02;1234.5\n"))
    assert prices.quoted.tolist() == [1234.5]
    assert prices.notes == ("cells are separated by semicolons",)


def test_a_row_with_too_many_cells_is_refused_by_its_line(refused):
    error = refused("Date,Close\n2018-01-02,10\n2018-01-03,1,234.5\n")
    assert (error.line, error.value) == (3, 3)


HTML = """<!DOCTYPE html>
<html><head><title>Prices</title></head>
<body>Sign in to download, please</body></html>
"""


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(HTML, id="web page"),
        pytest.param("You have exceeded your daily limit.\n", id="vendor's refusal"),
        pytest.param("", id="empty"),
        pytest.param("\n\n\n", id="blank lines"),
        pytest.param("Date,Close\n", id="header only"),
        pytest.param("Date,Close", id="header only, no newline"),
        pytest.param("Date,Close\n2018-01-02,null\n", id="no close at all"),
        pytest.param(CLEAN.encode("utf-16-le"), id="UTF-16 without mark"),
        pytest.param("Date,Close,Währung\n2018-01-02,10,€\n".encode("cp1252"), id="Windows-1252"),
        pytest.param('Date,Close\n"2018-01-02,10\n2018-01-03,11\n', id="quote never closed"),
        pytest.param(b"Date,Close\n2018-01-02,1\x000\n", id="NUL"),
        pytest.param(bytes(range(256)), id="not text"),
    ],
)
def test_what_is_no_price_file_is_refused_by_name(refused, content):
    refused(content, name="odd.csv")


def test_a_missing_file_is_refused_with_where_to_look(refused, tmp_path):
    error = refused(tmp_path / "nowhere.csv")
    assert error.key == "data.path"
    assert "no such file" in str(error)


def test_a_directory_is_refused(refused, tmp_path):
    assert "directory" in str(refused(tmp_path))


# --- Real files -------------------------------------------------------------------------------------------------------


def raw_column(path: Path, column: str) -> list[str]:
    """Cells of a column as they stand in the file, by the standard library."""
    with path.open(newline="") as stream:
        return [row[column] for row in csv.DictReader(stream)]


@pytest.fixture
def stocks() -> Path:
    if not STOCKS.is_dir():
        pytest.skip(f"the real stock files are not next to this checkout ({STOCKS})")
    return STOCKS


@pytest.mark.parametrize("stock", ["BA", "CAT", "DIS", "GE", "IBM", "INTC", "JNJ", "KO", "MCD", "MMM", "PG", "XOM"])
def test_a_vendors_file_of_a_real_stock_is_read_whole(stocks, stock):
    path = stocks / f"{stock}.csv"

    prices = read_prices(path)

    assert days(prices) == raw_column(path, "Date")
    assert prices.quoted.tolist() == [float(cell) for cell in raw_column(path, "Close")]
    np.testing.assert_allclose(prices.column("Close"), prices.column("Adj Close"), rtol=1e-12)


def test_the_zero_opens_of_johnson_and_johnson_are_all_counted(stocks):
    zeros = sum(float(cell) == 0 for cell in raw_column(stocks / "JNJ.csv", "Open"))

    prices = read_prices(stocks / "JNJ.csv")

    assert zeros > 1000
    assert np.isnan(prices.column("Open")).sum() == zeros
    assert f"{zeros} rows" in note_about("with Open of zero", prices)


def test_the_first_day_of_coca_cola_is_adjusted_for_every_split_since(stocks):
    bars = read_prices(stocks / "KO.csv").bars.iloc[0]

    # 1962-01-02: quoted high 0.270182, close 0.263021, adjusted close 0.004133; 0.270182 x 0.004133 / 0.263021
    assert bars["Close"] == pytest.approx(0.004133, rel=1e-12)
    assert bars["High"] == pytest.approx(0.0042455249, rel=1e-8)


def test_the_shipped_sp500_has_twenty_years_of_days():
    prices = read_prices(REPO / "data" / "SP500.csv")

    assert (len(prices.dates), days(prices)[0], days(prices)[-1]) == (5031, "1999-01-04", "2018-12-31")
    assert round(prices.column("Close")[-1], 2) == 2506.85
    assert (prices.notes, prices.quote_factor) == ((), 1.0)


def test_the_shipped_ge_has_closes_only():
    prices = read_prices(REPO / "data" / "GE.csv")

    assert (len(prices.dates), days(prices)[0], days(prices)[-1]) == (8313, "1990-01-02", "2022-12-28")
    assert list(prices.bars.columns) == ["Close"]
    assert prices.notes == ()
