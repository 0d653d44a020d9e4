import exchange_calendars
import numpy as np
import pytest

from stockcast.data.calendar import sessions_around
from stockcast.data.calendar_choice import propose_calendar


def days(first: str, last: str) -> np.ndarray:
    return np.arange(first, last, dtype="datetime64[D]")


def sessions(calendar: str, first: str = "2021-06-01", last: str = "2024-06-01") -> np.ndarray:
    span = np.datetime64(first), np.datetime64(last)
    return sessions_around(*span, calendar=calendar).between(*span)


def on_weekdays(dates: np.ndarray, weekmask: str) -> np.ndarray:
    return dates[np.is_busday(dates, weekmask=weekmask)]


def test_where_two_calendars_fit_both_are_stated():
    # Paris and Amsterdam trade on the same days; of a month without a holiday, New York's and Frankfurt's are the same.
    assert propose_calendar(sessions("XAMS")).reason.endswith("and XAMS, XBRU and XLIS fit as well")
    october = propose_calendar(on_weekdays(days("2022-10-01", "2022-11-01"), "1111100"))
    assert october.name == "XNYS"
    assert "24/5, XLON, XFRA" in october.reason
    assert "fit as well" not in propose_calendar(sessions("XNYS")).reason


def test_dates_on_weekends_trade_every_day():
    assert propose_calendar(days("2020-01-01", "2021-01-01")).name == "24/7"


def test_dates_of_every_weekday_are_currencies():
    # 25 December 2020 and 1 January 2021 were Fridays, on which every exchange is closed
    assert propose_calendar(on_weekdays(days("2019-01-01", "2021-06-01"), "1111100")).name == "24/5"


@pytest.mark.slow
def test_currencies_that_begin_on_sunday_evening_are_no_exchange_of_weekends():
    assert propose_calendar(on_weekdays(days("2019-01-01", "2020-06-01"), "1111101")).name == "24/5"


@pytest.mark.parametrize("calendar", ["XNYS", "XLON", "XFRA", "XTKS", "XHKG", "XSHG"])
def test_an_exchange_is_known_by_its_sessions(calendar):
    proposal = propose_calendar(sessions(calendar))
    assert proposal.name == calendar
    assert "its sessions are the last" in proposal.reason


@pytest.mark.slow
@pytest.mark.parametrize("calendar", ["XMOS", "XTAE", "XSAU", "XHEL", "BVMF", "XKRX"])
def test_every_exchange_is_known_by_its_sessions_though_some_are_missing(calendar):
    dates = np.delete(sessions(calendar), [300, 400, 500])
    proposal = propose_calendar(dates)
    assert proposal.name == calendar
    assert "3 days" in proposal.reason


def test_new_york_is_known_without_a_look_at_others_though_a_few_sessions_are_missing(monkeypatch):
    dates = np.delete(sessions("XNYS"), [300, 400, 500])
    built, build = set(), exchange_calendars.get_calendar

    def noted(name: str, *span: object) -> object:
        built.add(name)
        return build(name, *span)

    monkeypatch.setattr("stockcast.data.calendar._KNOWN", {})
    monkeypatch.setattr(exchange_calendars, "get_calendar", noted)
    proposal = propose_calendar(dates)
    assert (proposal.name, built) == ("XNYS", {"XNYS"})
    assert "3 days" in proposal.reason


def test_only_the_last_three_years_count():
    before = on_weekdays(days("2010-01-01", "2021-06-01"), "1111100")
    assert propose_calendar(np.concatenate([before, sessions("XLON", last="2024-12-31")])).name == "XLON"


@pytest.mark.slow
def test_an_exchange_that_does_not_cover_the_dates_is_not_proposed():
    # Riyadh, known from 2021 on, has no session to miss before; these dates are its weekdays of 2018 to 2020
    assert propose_calendar(on_weekdays(days("2018-01-01", "2021-01-01"), "1111001")).name != "XSAU"


@pytest.mark.parametrize(
    "dates",
    [
        pytest.param(days("2015-01-02", "2019-01-04")[::7], id="weekly bars"),
        pytest.param(sessions("XLON")[:10], id="few dates"),
        pytest.param(on_weekdays(days("1960-01-01", "1962-01-01"), "1111100"), id="before the calendars"),
    ],
)
def test_dates_that_tell_no_exchange_keep_the_default(dates, monkeypatch):
    monkeypatch.setattr(exchange_calendars, "get_calendar", lambda *args: pytest.fail("a calendar was built"))
    assert propose_calendar(dates).name == "XNYS"


def test_a_calendar_that_cannot_be_built_is_passed_over(monkeypatch):
    dates, build = sessions("XLON"), exchange_calendars.get_calendar

    def fail_in_new_york(name: str, *span: object) -> object:
        if name == "XNYS":
            raise NotImplementedError("no such offset")
        return build(name, *span)

    monkeypatch.setattr("stockcast.data.calendar._KNOWN", {})
    monkeypatch.setattr(exchange_calendars, "get_calendar", fail_in_new_york)
    assert propose_calendar(dates).name == "XLON"
