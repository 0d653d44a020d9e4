import re

import numpy as np
import pytest

from stockcast.data.calendar import calendar_mismatch, check_calendar, compare_dates, sessions_after, sessions_around
from stockcast.errors import DataError


def between(first: str, last: str, calendar: str = "XNYS") -> list[str]:
    span = np.datetime64(first), np.datetime64(last)
    return [str(session) for session in sessions_around(*span, calendar=calendar).between(*span)]


def after(day: str, count: int, calendar: str = "XNYS") -> list[str]:
    return [str(session) for session in sessions_after(np.datetime64(day), count, calendar=calendar)]


def test_the_session_after_new_years_eve_2018_is_the_second_of_january():
    assert after("2018-12-31", 1) == ["2019-01-02"]


@pytest.mark.parametrize(
    ("day", "sessions"),
    [
        pytest.param("2018-12-04", ["2018-12-06", "2018-12-07"], id="mourning for George H. W. Bush"),
        pytest.param("2019-04-18", ["2019-04-22", "2019-04-23"], id="Good Friday"),
        pytest.param("2012-10-26", ["2012-10-31", "2012-11-01"], id="hurricane Sandy"),
        pytest.param("2001-09-10", ["2001-09-17", "2001-09-18"], id="11 September 2001"),
        pytest.param("2018-07-03", ["2018-07-05", "2018-07-06"], id="Independence Day"),
        pytest.param("2018-11-21", ["2018-11-23", "2018-11-26"], id="a half day is a session"),
    ],
)
def test_new_yorks_closures_are_left_out(day, sessions):
    assert after(day, 2) == sessions


def test_weekends_are_left_out_also_when_the_data_end_on_one():
    assert after("2019-01-04", 2) == after("2019-01-05", 2) == after("2019-01-06", 2) == ["2019-01-07", "2019-01-08"]


def test_the_year_2019_has_252_sessions():
    sessions = after("2018-12-31", 253)  # the exchange's own count for 2019 is 252

    assert (sessions[251], sessions[252]) == ("2019-12-31", "2020-01-02")


def test_sessions_are_days_in_order_and_as_many_as_asked_for():
    for count in (1, 2, 50, 250):
        sessions = sessions_after(np.datetime64("2018-12-31"), count, calendar="XNYS")

        assert sessions.shape == (count,)
        assert sessions.dtype == np.dtype("datetime64[D]")
        assert sessions[0] > np.datetime64("2018-12-31")
        assert (np.diff(sessions) > np.timedelta64(0, "D")).all()


def test_exchanges_keep_their_own_holidays():
    # Tokyo closed for ten days when the emperor abdicated, London over Christmas and on Boxing Day
    assert after("2019-04-26", 1, "XTKS") == ["2019-05-07"]
    assert after("2018-12-24", 1, "XLON") == ["2018-12-27"]


def test_a_market_that_never_closes_trades_every_day():
    assert after("2018-12-31", 5, "24/7") == ["2019-01-01", "2019-01-02", "2019-01-03", "2019-01-04", "2019-01-05"]


@pytest.mark.parametrize(("name", "meant"), [("xnys", "XNYS"), ("XNYSE", "XNYS"), ("NYSEE", "NYSE")])
def test_an_unknown_exchange_is_refused_with_the_nearest_known_name(name, meant):
    with pytest.raises(DataError) as error:
        check_calendar(name)
    assert (error.value.key, error.value.value) == ("data.calendar", name)
    assert meant in str(error.value).partition("Did you mean ")[2].partition("?")[0]


def test_no_exchange_at_all_is_refused():
    with pytest.raises(DataError) as error:
        check_calendar("")
    assert (error.value.key, error.value.value) == ("data.calendar", "")


def test_sessions_of_an_unknown_exchange_are_refused():
    with pytest.raises(DataError) as error:
        sessions_after(np.datetime64("2018-12-31"), 1, calendar="XNYX")
    assert (error.value.key, error.value.value) == ("data.calendar", "XNYX")


def test_the_exchanges_that_the_advice_names_exist_and_keep_their_own_days():
    with pytest.raises(DataError) as error:
        check_calendar("")
    names = re.findall(r"X[A-Z]{3}|24/7", str(error.value))

    # Monday to Sunday; New York rests on the fourth of July
    sessions = {name: len(between("2019-07-01", "2019-07-07", name)) for name in names}
    assert sessions == {"XNYS": 4, "XLON": 5, "XFRA": 5, "XTKS": 5, "24/7": 7}


def test_daily_bars_of_the_exchange_fit_its_calendar():
    dates = sessions_after(np.datetime64("2017-01-01"), 300, calendar="XNYS")
    assert calendar_mismatch(dates, calendar="XNYS") is None


def test_weekly_bars_do_not_fit():
    dates = np.arange("2015-01-02", "2019-01-04", 7, dtype="datetime64[D]")  # Fridays
    compared = compare_dates(dates, calendar="XNYS")
    assert (compared.many_extra, compared.many_missing) == (False, True)
    assert f"{len(compared.missing)} of its sessions are missing" in calendar_mismatch(dates, calendar="XNYS")


def test_bars_of_every_day_of_the_week_are_no_exchanges():
    dates = np.arange("2018-01-01", "2018-12-31", dtype="datetime64[D]")
    # from 25 April to 30 December 2018 there are 36 Saturdays, 36 Sundays and 6 holidays and days of mourning
    assert "of the last 250 dates, 78 are not XNYS trading sessions" in calendar_mismatch(dates, calendar="XNYS")


def test_two_missing_sessions_in_a_year_are_no_mismatch():
    dates = np.delete(sessions_after(np.datetime64("2017-01-01"), 300, calendar="XNYS"), [260, 270])
    assert calendar_mismatch(dates, calendar="XNYS") is None


def test_sessions_between_two_days_include_both():
    assert between("2018-12-31", "2019-01-02") == ["2018-12-31", "2019-01-02"]


def test_a_weekend_has_no_session():
    assert between("2019-01-05", "2019-01-06") == []


def test_sessions_after_a_day_before_a_calendar_begins_are_refused():
    with pytest.raises(DataError) as error:
        sessions_after(np.datetime64("1990-01-05"), 3, calendar="XTKS")
    assert (error.value.key, error.value.value) == ("--horizon", 3)
    assert "1997-01-01" in str(error.value)


def test_as_many_sessions_as_the_calendar_knows_can_be_asked_for():
    day = np.datetime64("2018-12-31")
    latest = sessions_around(day, day, calendar="XSHG").latest
    known = between(str(latest - 40), str(latest), "XSHG")

    assert after(str(latest - 41), len(known), "XSHG") == known
    with pytest.raises(DataError) as error:
        sessions_after(latest - 41, len(known) + 1, calendar="XSHG")
    assert str(latest) in str(error.value)


def test_dates_are_compared_from_where_the_calendar_knows_its_holidays():
    def compared(first: str, last: str, calendar: str) -> list[str] | None:
        comparison = compare_dates(np.array([first, last], dtype="datetime64[D]"), calendar=calendar)
        return None if comparison is None else [str(comparison.first), str(comparison.last)]

    assert compared("1962-01-02", "2018-12-31", "XNYS") == ["1970-01-01", "2018-12-31"]
    assert compared("1990-01-02", "2018-12-31", "XTKS") == ["1997-01-01", "2018-12-31"]
    assert compared("1990-01-02", "2018-12-31", "XNYS") == ["1990-01-02", "2018-12-31"]
    assert compared("1962-01-02", "1968-12-31", "XNYS") is None


def test_dates_before_the_calendar_are_no_mismatch():
    assert calendar_mismatch(np.arange("1960-01-01", "1961-01-01", dtype="datetime64[D]"), calendar="XNYS") is None
