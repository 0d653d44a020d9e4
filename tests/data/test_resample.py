"""Bars within the day, put together into days by data.resample."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
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


def futures_bars() -> pd.DatetimeIndex:
    """Hours of Chicago's futures, 17:00 of the day before to 16:00: ten sessions, in summer time from 2018-03-11 on."""
    hours = pd.date_range("2018-03-04 17:00", "2018-03-16 15:00", freq="h", tz="America/Chicago")
    closed = (hours.hour == 16) | (hours.day_of_week == 5)
    closed |= ((hours.day_of_week == 4) & (hours.hour > 16)) | ((hours.day_of_week == 6) & (hours.hour < 17))
    return hours[~closed]


SPELLINGS = {
    "the exchange's clock": lambda hours: hours.strftime("%Y-%m-%d %H:%M"),
    "UTC": lambda hours: hours.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ"),
    "an offset": lambda hours: [hour.isoformat() for hour in hours],
    "seconds since 1970": lambda hours: [str(int(hour.timestamp())) for hour in hours],
}
FUTURES = replace(DAILY, calendar="CMES")
SESSIONS = ["05", "06", "07", "08", "09", "12", "13", "14", "15", "16"]


def futures_file(write_file, spelling):
    hours = futures_bars()
    rows = [f"{moment},{number},1" for number, moment in enumerate(SPELLINGS[spelling](hours), start=1)]
    return write_file("Date,Close,Volume\n" + "\n".join(rows))


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_bars_of_a_session_over_midnight_are_of_the_day_that_it_closes_on(write_file, spelling):
    path = futures_file(write_file, spelling)
    prices = read_prices(path, options=FUTURES)
    assert prices.dates.astype(str).tolist() == [f"2018-03-{day}" for day in SESSIONS]
    assert prices.bars["Volume"].tolist() == [23.0] * 10  # hours of a session
    assert prices.quoted.tolist() == [23.0 * number for number in range(1, 11)]
    is_told = any("times are taken as those of America/Chicago" in note for note in prices.notes)
    assert is_told is (spelling == "the exchange's clock")
    assert [row[0] for row in plain_rows(path, options=FUTURES)[1:]] == [f"2018-03-{day}" for day in SESSIONS]


def test_without_an_exchange_whose_sessions_go_over_midnight_days_are_those_of_the_file(write_file):
    path = futures_file(write_file, "the exchange's clock")
    for options in (DAILY, replace(DAILY, calendar="XNYS")):
        days = read_prices(path, options=options).dates
        assert str(days[0]) == "2018-03-04"  # a Sunday evening
        assert len(days) == 12


def test_a_session_over_midnight_that_start_or_end_cuts_is_left_out(write_file):
    path = futures_file(write_file, "the exchange's clock")
    prices = read_prices(path, options=FUTURES, start=date(2018, 3, 7), end=date(2018, 3, 13))
    # of the session of the 7th the evening of the 6th is missing; the evening of the 13th is of the 14th
    assert prices.dates.astype(str).tolist() == ["2018-03-08", "2018-03-09", "2018-03-12", "2018-03-13"]
    assert prices.bars["Volume"].tolist() == [23.0] * 4


def test_trade_on_a_holiday_is_of_the_next_session(write_file):
    rows = [f"2017-12-{day} {hour}:00,{day}" for day in (21, 22, 25, 26) for hour in (10, 18)]
    days = read_prices(write_file("Date,Close\n" + "\n".join(rows)), options=FUTURES).dates
    # 18:00 on Friday the 22nd and all of Christmas, a Monday, are of Tuesday
    assert days.astype(str).tolist() == ["2017-12-21", "2017-12-22", "2017-12-26", "2017-12-27"]
    assert np.all(np.diff(days) > np.timedelta64(0))
