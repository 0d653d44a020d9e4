import re

import exchange_calendars
import numpy as np
import pytest

from stockcast.data.calendar import (
    HOLIDAYS_FROM,
    HOLIDAYS_TO,
    calendar_mismatch,
    calendar_named,
    check_calendar,
    compare_dates,
    session_clock,
    sessions_after,
    sessions_around,
)
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


def test_currencies_and_coins_have_names_of_their_own():
    assert [calendar_named(name) for name in ("FX", "fx", "crypto", "Crypto", "XNYS", "24/7")] == [
        *("24/5", "24/5", "24/7", "24/7", "XNYS", "24/7")
    ]


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


@pytest.mark.parametrize("calendar", ["XNYS", "XSAU", "24/7"])  # Riyadh's is known from 2021 on
def test_sessions_within_a_day_have_no_clock_of_their_own(calendar):
    assert session_clock(calendar) is None


@pytest.mark.slow
def test_only_the_calendars_of_futures_have_sessions_over_midnight():
    import exchange_calendars

    names = exchange_calendars.get_calendar_names(include_aliases=False)
    clocks = {name: clock for name in names if (clock := session_clock(name)) is not None}
    assert {name: (clock.opens // 3600, clock.zone) for name, clock in clocks.items()} == {
        "CMES": (17, "America/Chicago"),
        "IEPA": (20, "America/New_York"),
        "us_futures": (18, "America/New_York"),
    }


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


def test_as_many_sessions_as_the_calendar_knows_can_be_asked_for_and_no_more():
    day = np.datetime64("2018-12-31")
    latest = sessions_around(day, day, calendar="XSHG").latest
    known = between(str(latest - 40), str(latest), "XSHG")

    for count in range(1, len(known) + 1):
        assert after(str(latest - 41), count, "XSHG") == known[:count]
    with pytest.raises(DataError) as error:
        sessions_after(latest - 41, len(known) + 1, calendar="XSHG")
    assert (error.value.key, error.value.value) == ("--horizon", len(known) + 1)
    assert f"ends on {latest}" in str(error.value)
    assert f"--horizon {len(known)}," in str(error.value)


def test_no_session_is_known_after_the_last():
    latest = sessions_around(np.datetime64("2018-12-31"), np.datetime64("2018-12-31"), calendar="XSHG").latest
    with pytest.raises(DataError) as error:
        sessions_after(latest, 1, calendar="XSHG")
    assert str(latest) in str(error.value)
    assert "--horizon 0" not in str(error.value)


def test_a_calendar_ends_where_its_holidays_end():
    with pytest.raises(DataError, match=str(HOLIDAYS_TO)):
        sessions_after(HOLIDAYS_TO - 5, 10, calendar="XNYS")


def test_the_next_session_is_found_after_a_closure_of_five_weeks():
    # Athens, bank holidays: closed from Monday 29 June to Friday 31 July 2015
    assert after("2015-06-26", 2, "ASEX") == ["2015-08-03", "2015-08-04"]


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


# --- Every calendar of the library ------------------------------------------------------------------------------------

SPECIAL_DAYS = [
    # NYSE: closings since 1885
    ("XNYS", "2001-09-11", False, "attacks of 11 September, before the opening"),
    ("XNYS", "2001-09-14", False, "attacks of 11 September, fourth day"),
    ("XNYS", "2001-09-17", True, "reopened after 11 September"),
    ("XNYS", "2012-10-29", False, "hurricane Sandy"),
    ("XNYS", "2012-10-30", False, "hurricane Sandy, second day"),
    ("XNYS", "1994-04-27", False, "mourning for Nixon"),
    ("XNYS", "2004-06-11", False, "mourning for Reagan"),
    ("XNYS", "2007-01-02", False, "mourning for Ford"),
    ("XNYS", "2018-12-05", False, "mourning for G. H. W. Bush"),
    ("XNYS", "2025-01-09", False, "mourning for Carter"),
    ("XNYS", "2018-11-23", True, "half day after Thanksgiving"),
    ("XNYS", "2018-12-24", True, "half day before Christmas"),
    ("XNYS", "2021-12-31", True, "New Year's Day on a Saturday is not moved"),
    ("XNYS", "2022-06-20", False, "first Juneteenth"),
    # London Stock Exchange: business days
    ("XLON", "2011-04-29", False, "royal wedding"),
    ("XLON", "2022-09-19", False, "funeral of Elizabeth II"),
    ("XLON", "2018-12-24", True, "half day before Christmas"),
    # Moscow Exchange: working Saturdays, moex.com/a4187, /n30445, /n64121
    ("XMOS", "2018-12-29", True, "working Saturday"),
    ("XMOS", "2021-02-20", True, "working Saturday"),
    ("XMOS", "2024-04-27", True, "working Saturday"),
    ("XMOS", "2024-11-02", True, "working Saturday"),
    ("XMOS", "2024-12-28", True, "working Saturday"),
    ("XMOS", "2024-11-09", False, "a Saturday like others"),
    ("XMOS", "2009-01-11", True, "working Sunday after the New Year holidays"),
    # BSE: notices of a full session on a Saturday, and of the budget of 2025
    ("XBOM", "2024-01-20", True, "Saturday in place of Monday"),
    ("XBOM", "2024-01-22", False, "consecration in Ayodhya"),
    ("XBOM", "2025-02-01", True, "Saturday of the budget"),
    ("XBOM", "2025-02-08", False, "a Saturday like others"),
    ("XBOM", "2015-02-28", True, "Saturday of the budget"),
    ("XBOM", "2020-02-01", True, "Saturday of the budget"),
    ("XBOM", "2026-02-01", True, "Sunday of the budget"),
    ("XBOM", "2026-02-08", False, "a Sunday like others"),
    ("XBOM", "2024-03-02", True, "Saturday at the site for disasters"),
    ("XBOM", "2024-05-18", True, "Saturday at the site for disasters"),
    ("XBOM", "2023-11-12", True, "Muhurat on a Sunday"),
    ("XBOM", "2020-11-14", True, "Muhurat on a Saturday"),
    ("XBOM", "2026-01-15", False, "municipal elections"),
    ("XHKG", "2023-07-17", False, "typhoon Talim"),
    ("XHKG", "2023-09-01", False, "typhoon Saola"),
    ("XHKG", "2023-09-08", False, "black rainstorm"),
    ("XHKG", "2023-09-04", True, "the Monday between them"),
    ("XMOS", "2022-02-25", True, "the Friday before the closure"),
    ("XMOS", "2022-02-28", False, "closed"),
    ("XMOS", "2022-03-23", False, "closed"),
    ("XMOS", "2022-03-24", True, "33 shares trade again"),
    # Korea Exchange: no Saturday from 7 December 1998 on
    ("XKRX", "1997-06-14", True, "Saturdays were sessions"),
    ("XKRX", "1998-12-05", True, "last Saturday session"),
    ("XKRX", "1998-12-12", False, "first Saturday off"),
    # Tokyo Stock Exchange: system failure of 1 October 2020, closed all day
    ("XTKS", "2020-10-01", False, "outage"),
    ("XTKS", "2020-10-02", True, "reopened after the outage"),
    # Tel Aviv: Sunday to Thursday until 4 January 2026, then Monday to Friday
    ("XTAE", "2024-03-03", True, "a Sunday"),
    ("XTAE", "2023-09-25", False, "Yom Kippur"),
    ("XTAE", "2025-10-02", False, "Yom Kippur"),
    ("XTAE", "2024-03-31", True, "Easter Sunday of the West"),
    ("XTAE", "2026-01-04", True, "last Sunday session"),
    ("XTAE", "2026-01-09", True, "first Friday session"),
    ("XTAE", "2026-01-11", False, "first Sunday off"),
    # Orthodox Good Friday and Easter Monday, by the exchanges' lists of holidays
    ("ASEX", "2024-05-03", False, "Good Friday"),
    ("ASEX", "2024-05-06", False, "Easter Monday"),
    ("XBEL", "2024-05-06", False, "Easter Monday"),
    ("XBSE", "2024-05-06", False, "Easter Monday"),
    ("XCYS", "2024-05-07", False, "Easter Tuesday"),
    # Shanghai: extended New Year holidays of 2020
    ("XSHG", "2020-01-31", False, "epidemic"),
    ("XSHG", "2020-02-03", True, "reopened"),
]


@pytest.mark.parametrize(
    ("calendar", "day", "session"),
    [pytest.param(*case[:3], id=f"{case[0]} {case[1]} {case[3]}") for case in SPECIAL_DAYS],
)
def test_a_special_day_is_a_session_where_the_exchange_traded(calendar, day, session):
    assert between(day, day, calendar) == ([day] if session else [])


def all_sessions(calendar: str) -> np.ndarray:
    """Sessions from 1970 on to the end of the calendar, or to 2030 where it has no end of its own."""
    start = np.datetime64("2018-01-01")
    reach = sessions_around(start, start, calendar=calendar)
    last = reach.latest if reach.latest < HOLIDAYS_TO else np.datetime64("2030-12-31")
    first = max(HOLIDAYS_FROM, reach.earliest)
    return sessions_around(first, last, calendar=calendar).between(first, last)


def orthodox_easter(year: int) -> np.datetime64:
    """Easter Sunday by the Julian calendar (Meeus), which is 13 days behind from 1900 to 2099."""
    moon = (19 * (year % 19) + 15) % 30
    sunday = (2 * (year % 4) + 4 * (year % 7) - moon + 34) % 7
    month, day = divmod(moon + sunday + 114, 31)
    return np.datetime64(f"{year}-{month:02}-01") + day + 13


# The calendars that trade on weekends: sessions on Saturdays, on Sundays, and the last of either.
WEEKENDS = {
    "XKRX": (True, False, "1998-12-05"),
    "XTAE": (False, True, "2026-01-04"),
    "XSAU": (False, True, None),
    "XBOM": (True, True, None),
    "XMOS": (True, True, None),
    "24/7": (True, True, None),
}


def check_whole_calendar(calendar: str) -> None:
    sessions = all_sessions(calendar)
    weekday = (sessions.astype(int) + 3) % 7  # 1970-01-01 was a Thursday
    years, counts = np.unique(sessions.astype("datetime64[Y]").astype(int) + 1970, return_counts=True)

    assert sessions.shape[0] > 2000
    assert (np.diff(sessions) > np.timedelta64(0)).all()
    assert np.diff(years).max() == 1
    # a year has 260 to 262 working days, and the Koreans' weeks had six; no exchange rests for more than seven weeks
    most = {"24/7": 366, "XKRX": 313}.get(calendar, 262)
    assert 220 <= counts[1:-1].min() <= counts.max() <= most
    saturdays, sundays, last = WEEKENDS.get(calendar, (False, False, None))
    assert ((weekday == 5).any(), (weekday == 6).any()) == (saturdays, sundays)
    if last:
        assert str(sessions[weekday >= 5][-1]) == last
    if calendar in {"ASEX", "XBEL", "XBSE", "XCYS"}:
        mondays = [orthodox_easter(year) + 1 for year in years]
        assert not np.isin(mondays, sessions).any()
    if calendar == "XMOS":
        assert np.sum(weekday >= 5) >= 41  # working weekends from 1999 to 2024


@pytest.mark.parametrize("calendar", ["XNYS", "ASEX", "XMOS", "XBOM", "XTAE", "XSHG"])
def test_a_whole_calendar_is_built_with_its_weekends_and_holidays(calendar):
    check_whole_calendar(calendar)


@pytest.mark.slow
@pytest.mark.parametrize("calendar", sorted(exchange_calendars.get_calendar_names(include_aliases=False)))
def test_every_calendar_is_built_with_its_weekends_and_holidays(calendar):
    check_whole_calendar(calendar)


def test_a_calendar_that_the_library_cannot_build_is_refused_by_name_with_a_way_out(monkeypatch):
    def fail(*args: object) -> None:
        raise NotImplementedError("days " * 10_000)

    monkeypatch.setattr("stockcast.data.calendar._KNOWN", {})
    monkeypatch.setattr(exchange_calendars, "get_calendar", fail)
    with pytest.raises(DataError) as error:
        sessions_after(np.datetime64("2018-12-31"), 1, calendar="XLON")
    assert (error.value.key, error.value.value) == ("data.calendar", "XLON")
    assert len(str(error.value)) < 500
    assert "24/5" in str(error.value)


def test_the_way_out_of_a_faulty_calendar_has_all_days_from_monday_to_friday():
    assert between("2018-12-21", "2018-12-27", "24/5") == [f"2018-12-{day}" for day in (21, 24, 25, 26, 27)]
