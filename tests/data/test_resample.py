"""Bars within the day, put together into days by data.resample."""

from dataclasses import replace

import pytest

from stockcast.data.csv.options import CsvOptions
from stockcast.data.csv.plain import plain_rows
from stockcast.data.prices import read_prices

DAILY = CsvOptions(resample="1d")
HEADER = "Date,Open,High,Low,Close,Volume\n"
ROWS = [
    "2018-12-28 10:00,10,12,9,11,100",
    "2018-12-28 11:00,11,15,10,12,",
    "2018-12-31 10:00,13,14,8,9,300",
    "2018-12-31 11:00,9,10,7,8,400",
]
DAYS = [[10.0, 15.0, 9.0, 12.0, 100.0], [13.0, 14.0, 7.0, 8.0, 700.0]]


def test_bars_within_the_day_are_refused_with_the_key_that_puts_them_together(refused, write_file):
    error = refused(HEADER + "\n".join(ROWS))
    assert "--set data.resample=1d" in str(error)


@pytest.mark.parametrize(
    "order", [[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2]], ids=["oldest first", "newest first", "by day, not by hour"]
)
def test_a_day_has_its_first_open_highest_high_lowest_low_and_last_close(write_file, order):
    path = write_file(HEADER + "\n".join(ROWS[place] for place in order))
    prices = read_prices(path, options=DAILY)
    assert prices.dates.astype(str).tolist() == ["2018-12-28", "2018-12-31"]
    assert prices.bars.to_numpy().tolist() == DAYS
    assert "4 bars put together into 2 days" in prices.notes
    plain = plain_rows(path, options=DAILY)
    assert [list(map(float, row[1:])) for row in plain[1:]] == DAYS


def test_times_of_twelve_hours_and_times_since_1970_order_the_bars_of_a_day(write_file):
    afternoon = write_file("Date,Close\n12/31/2018 1:00 PM,2\n12/31/2018 12:00 PM,5\n12/31/2018 11:00 AM,1\n")
    assert read_prices(afternoon, options=DAILY).quoted.tolist() == [2.0]
    epochs = write_file("time,close\n1546261200,2\n1546254000,1\n1546257600,5\n")  # 13, 11 and 12 o'clock
    assert read_prices(epochs, options=DAILY).quoted.tolist() == [2.0]


def test_without_times_the_rows_of_a_day_stand_in_the_order_of_the_file(write_file):
    rows = ["20181228,10", "20181228,11", "20181231,20", "20181231,21"]
    assert read_prices(write_file("Date,Close\n" + "\n".join(rows)), options=DAILY).quoted.tolist() == [11, 21]
    assert read_prices(write_file("Date,Close\n" + "\n".join(rows[::-1])), options=DAILY).quoted.tolist() == [11, 21]


def test_daily_bars_need_no_putting_together_and_the_key_is_refused(refused):
    error = refused("Date,Close\n2018-12-28,10\n2018-12-31,11\n", options=DAILY)
    assert (error.key, error.value) == ("data.resample", "1d")


def test_half_a_million_bars_are_read_where_they_are_put_together(write_file, refused):
    minutes = "".join(f"2018-12-{28 + n % 2} {n // 60 % 24:02}:{n % 60:02},{n + 1}\n" for n in range(120_000))
    path = write_file("Date,Close\n" + minutes)
    assert "--set data.resample=1d" in str(refused(path))
    assert len(read_prices(path, options=replace(DAILY, decimal=".")).bars) == 2
