"""One format for a whole column of dates, or a refusal: never a guess."""

import locale
import time
from datetime import date, timedelta

import pandas as pd
import pytest

from stockcast.data.csv.dates import read_dates
from stockcast.data.csv.options import CsvOptions
from stockcast.data.prices import read_prices


def read(*cells, date_format=None):
    return read_dates(pd.Series(cells, index=range(2, len(cells) + 2), dtype="str"), date_format)


def days(*cells, **options):
    column = read(*cells, **options)
    assert column.problems == []
    return [f"{day:%Y-%m-%d}" for day in column.dates]


@pytest.mark.parametrize(
    "cell",
    [
        *("2018-12-31", "2018/12/31", "2018.12.31", "20181231"),
        *("31/12/2018", "31-12-2018", "31.12.2018", "31/12/18", "31.12.18"),
        *("12/31/2018", "12-31-2018", "12.31.2018", "12/31/18", "12-31-18"),
        *("31-Dec-2018", "31-Dec-18", "31 Dec 2018", "31 December 2018", "31-DEC-2018", "31-December-2018"),
        *("Dec 31, 2018", "December 31, 2018", "Dec 31 2018", "31/Dec/2018"),
        *("2018-12-31 00:00:00", "2018-12-31 16:00", "2018-12-31T00:00:00.000Z", "2018-12-31T00:00:00+00:00"),
        *("2018-12-31 00:00:00-05:00", "2018-12-31 4:00 PM", "12/31/2018 16:00:00", "2018-12-31 16:00:00 EST"),
        *("31.12.2018 17:35", "2018-12-31Z", "2018-12-31-05:00"),
    ],
)
def test_a_date_that_can_be_read_in_one_way_is_read(cell):
    assert days(cell) == ["2018-12-31"]


def test_a_day_above_twelve_anywhere_settles_the_whole_column():
    # pandas alone reads 30 September and 9 February
    assert days("30/09/13", "02/09/13") == ["2013-09-30", "2013-09-02"]


@pytest.mark.parametrize(
    ("cell", "first", "second"),
    [
        ("03/04/13", ("4 March 2013", "%m/%d/%y"), ("3 April 2013", "%d/%m/%y")),
        ("03.04.2013", ("4 March 2013", "%m.%d.%Y"), ("3 April 2013", "%d.%m.%Y")),
    ],
)
def test_a_column_that_can_be_read_in_two_ways_is_a_problem_with_both(cell, first, second):
    (problem,) = read(cell, "04" + cell[2:]).problems
    assert (problem.line, problem.value, problem.key) == (2, cell, "data.date_format")
    assert list(problem.readings.items()) == [first, second]


def test_a_date_that_may_begin_with_the_year_the_day_or_the_month_is_a_problem_with_all_three():
    (problem,) = read("11-03-11", "11-03-10").problems
    assert (problem.line, problem.value) == (3, "11-03-10")
    assert problem.readings == {
        "11 March 2010": "%d-%m-%y",
        "3 November 2010": "%m-%d-%y",
        "10 March 2011": "%y-%m-%d",
    }


def test_a_year_may_come_first_or_last():
    (problem,) = read("10-01-02", "04-01-02").problems
    assert problem.readings["2 January 2010"] == "%y-%m-%d"
    assert problem.readings["10 January 2002"] == "%d-%m-%y"


def test_the_example_is_a_cell_that_the_two_readings_differ_in():
    (problem,) = read("01/01/2013", "02/01/2013").problems
    assert (problem.line, problem.value) == (3, "02/01/2013")


def test_a_column_whose_readings_are_the_same_days_is_no_problem():
    assert days("01/01/2013", "02/02/2013") == ["2013-01-01", "2013-02-02"]


def test_neither_order_nor_weekends_decide_between_two_readings():
    # Read month first these are the sixth to the eighth of a July, a Monday to a Wednesday; day first, months apart.
    (problem,) = read("07/06/2015", "07/07/2015", "07/08/2015").problems
    assert list(problem.readings.values()) == ["%d/%m/%Y", "%m/%d/%Y"]


def test_a_doubtful_column_is_read_in_the_format_that_is_declared():
    assert days("03/04/13", "04/04/13", date_format="%d/%m/%y") == ["2013-04-03", "2013-04-04"]


def test_a_declared_format_need_not_say_the_time_of_day():
    assert days("03/04/2013 16:00:00", "04/04/2013 16:00:00", date_format="%d/%m/%Y") == ["2013-04-03", "2013-04-04"]


def test_a_cell_in_another_format_is_a_problem_by_its_line():
    (problem,) = read("2013-09-27", "2013-09-30", "10/01/2013").problems
    assert (problem.line, problem.value, problem.key) == (4, "10/01/2013", "data.date_format")
    assert "%Y-%m-%d" in problem.why


def test_a_cell_without_the_others_time_of_day_is_a_problem():
    (problem,) = read("27.09.2013 16:00", "30.09.2013 16:00", "01.10.2013").problems
    assert problem.line == 4


@pytest.mark.parametrize("timed", ["2013-10-01 00:00:00", "2013-10-01T16:00:00-04:00"])
def test_iso_dates_with_and_without_a_time_are_one_format(timed):
    column = read("2013-09-27", timed, "2013-10-02")
    assert column.problems == []
    assert column.dates.astype(str).tolist() == ["2013-09-27", "2013-10-01", "2013-10-02"]


@pytest.mark.parametrize(
    ("cells", "unit"),
    [
        (("1665360000", "1665446400"), "seconds"),
        (("1665360000000", "1665446400000"), "milliseconds"),
        (("1665360000000000", "1665446400000000"), "microseconds"),
        (("1665360000000000000", "1665446400000000000"), "nanoseconds"),
        (("1665408600", "1665495000"), "seconds"),  # half past one in the afternoon
    ],
)
def test_times_since_1970_are_days_and_told(cells, unit):
    column = read(*cells)
    assert column.dates.astype(str).tolist() == ["2022-10-10", "2022-10-11"]
    assert column.note == f"dates read as {unit} since 1970, in UTC: {cells[0]} is 2022-10-10"


@pytest.mark.parametrize("count", [str, lambda day: f"{pd.Timestamp(day, unit='s'):%Y-%m-%dT%H:%M:%SZ}"])
def test_times_in_utc_that_put_mondays_on_sundays_are_refused(count):
    opens = [1665356400 + 86_400 * day for day in (0, 1, 2, 3, 4, 7, 8, 9, 10, 11)]  # 23:00 in London: 10 in Sydney
    (problem,) = read(*(count(opened) for opened in opens)).problems
    assert problem.key == "data.date_format"
    assert "Sundays" in problem.why


@pytest.mark.parametrize("cell", ["2018年12月31日", "2018년 12월 31일", "2018- 12- 31", "2018. 12. 31"])
def test_dates_of_east_asia_are_read(cell):
    assert read(cell).dates.astype(str).tolist() == ["2018-12-31"]


@pytest.mark.parametrize("cell", ["2018-02-30", "2018-13-01", "2018-00-10", "0000-01-01", ""])
def test_a_day_that_is_none_is_a_problem(cell):
    (problem,) = read("2018-02-27", "2018-02-28", cell).problems
    assert problem.line == 4


def test_thirty_february_is_found_also_day_first():
    (problem,) = read("28/02/2018", "27/02/2018", "30/02/2018").problems
    assert (problem.line, problem.value) == (4, "30/02/2018")


def test_a_day_in_the_future_is_a_problem():
    tomorrow = f"{date.today() + timedelta(days=2):%Y-%m-%d}"
    (problem,) = read("2018-02-28", tomorrow).problems
    assert (problem.line, problem.why) == (3, "lies in the future")


def test_a_zone_never_moves_the_day():
    assert days("2018-01-03T00:00:00+09:00", "2018-07-03T23:59:00-05:00") == ["2018-01-03", "2018-07-03"]


def test_years_of_two_digits_begin_in_1969():
    assert days("31/12/69", "30/12/99", "29/12/00") == ["1969-12-31", "1999-12-30", "2000-12-29"]


@pytest.mark.parametrize("cell", ["2018-12-31", "2018/12/31", "20181231"])
def test_a_year_that_comes_first_is_not_worth_a_note(cell):
    assert read(cell).note is None


def test_how_dates_were_read_is_noted_with_an_example():
    assert read("31-Dec-2018").note == "dates read as day/month/year: 31-Dec-2018 is 2018-12-31"


def test_month_names_are_english_in_every_locale():
    before = locale.setlocale(locale.LC_TIME)
    try:
        for name in ("de_DE.UTF-8", "fr_FR.UTF-8"):
            try:
                locale.setlocale(locale.LC_TIME, name)
            except locale.Error:
                continue
            assert days("31-Dec-2018", "31-May-2018") == ["2018-12-31", "2018-05-31"]
    finally:
        locale.setlocale(locale.LC_TIME, before)


@pytest.mark.parametrize("date_format", ["%Y-%m-%d", "%d/%m/%Y", "%b %d, %Y", "%Y-%m-%d %H:%M:%S-05:00"])
def test_twenty_thousand_dates_are_read_in_under_a_second(date_format):
    cells = pd.date_range("1940-01-01", periods=20_000).strftime(date_format)
    begun = time.process_time()
    column = read(*cells)
    assert time.process_time() - begun < 1
    assert column.problems == []
    assert column.dates.nunique() == 20_000


def test_a_doubtful_file_is_refused_and_read_by_the_option_that_it_names(refused, tmp_path):
    path = tmp_path / "prices.csv"
    path.write_text("Date,Close\n03/04/13,10\n04/04/13,11\n")
    error = refused(path)
    assert (error.line, error.column, error.value, error.key) == (2, "Date", "03/04/13", "data.date_format")
    assert "--set data.date_format=%d/%m/%y" in str(error)
    assert str(read_prices(path, options=CsvOptions(date_format="%d/%m/%y")).dates[0]) == "2013-04-03"
