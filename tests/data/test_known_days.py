"""What a day knows of the session after it."""

import numpy as np
import pandas as pd
import pytest
from made import REPOSITORY, make_bars

from stockcast.data.features import make_features
from stockcast.data.known_days import KNOWN_DAYS, find_upcoming, make_known
from stockcast.data.own_columns import check_varies
from stockcast.data.prices import read_prices
from stockcast.errors import DataError

WEEKDAY, DISTANCE, MONTH_END = KNOWN_DAYS


def known(*days: str, calendar: str = "XNYS") -> list[list[float]]:
    return make_known(np.array(days, dtype="datetime64[D]"), KNOWN_DAYS, calendar=calendar).to_numpy().tolist()


def test_a_day_knows_the_weekday_of_the_next_session_how_far_it_is_and_whether_it_ends_the_month() -> None:
    found = known("2018-12-20", "2018-12-21", "2018-12-24", "2018-12-28", "2018-12-31", "2019-01-30")
    assert found == [
        [4, 1, 0],  # Thursday: tomorrow is a Friday
        [0, 3, 0],  # Friday before a Monday
        [2, 2, 0],  # Christmas between
        [0, 3, 1],  # the next session is the last of the year
        [2, 2, 0],  # New Year between
        [3, 1, 1],
    ]


def test_a_row_that_is_missing_from_the_file_changes_no_other() -> None:
    days = np.array(["2018-12-20", "2018-12-21", "2018-12-24", "2018-12-26"], dtype="datetime64[D]")
    whole = make_known(days, KNOWN_DAYS, calendar="XNYS")
    fewer = make_known(days[[0, 1, 3]], KNOWN_DAYS, calendar="XNYS")
    pd.testing.assert_frame_equal(fewer, whole.iloc[[0, 1, 3]])


def test_nobody_knew_on_the_evening_before_that_new_york_would_stay_closed() -> None:
    assert known("2001-09-10") == [[1, 1, 0]]
    assert known("2012-10-26") == [[0, 3, 0]]  # before the storm of the next Monday


def test_a_weekend_knows_the_monday_and_a_market_without_one_the_next_day() -> None:
    assert known("2018-12-22", "2018-12-23") == [[0, 2, 0], [0, 1, 0]]
    assert known("2018-12-22", "2018-12-30", calendar="24/7") == [[6, 1, 0], [0, 1, 1]]


@pytest.mark.parametrize(("day", "calendar"), [("1969-12-30", "XNYS"), ("1990-01-04", "XTKS")])
def test_before_the_holidays_of_a_calendar_are_known_nothing_is(day: str, calendar: str) -> None:
    ((*values,),) = known(day, calendar=calendar)
    assert np.isnan(values).all()


def test_the_session_after_a_day_is_the_calendars() -> None:
    days = np.array(["2001-09-10", "2018-12-21", "2018-12-24", "2018-12-29"], dtype="datetime64[D]")
    upcoming = find_upcoming(days, calendar="XNYS")
    assert upcoming.after().astype(str).tolist() == ["2001-09-11", "2018-12-24", "2018-12-26", "2018-12-31"]
    assert upcoming.after(2).astype(str).tolist() == ["2001-09-12", "2018-12-26", "2018-12-27", "2019-01-02"]
    assert np.isnat(find_upcoming(np.array(["1969-12-30"], dtype="datetime64[D]"), calendar="XNYS").after()).all()


def test_what_never_changes_is_refused_as_an_input() -> None:
    days = np.arange("2018-01-01", "2018-03-01", dtype="datetime64[D]")
    features = make_known(days, KNOWN_DAYS, calendar="24/7").to_numpy()
    with pytest.raises(DataError) as error:
        check_varies(features, KNOWN_DAYS)
    assert error.value.column == DISTANCE
    check_varies(features[:, [0, 2]], [WEEKDAY, MONTH_END])


def test_an_unknown_exchange_is_refused_by_its_key() -> None:
    with pytest.raises(DataError) as error:
        known("2018-01-02", calendar="XNOPE")
    assert error.value.key == "data.calendar"


def test_prices_that_were_read_without_it_cannot_give_the_feature() -> None:
    with pytest.raises(ValueError, match=WEEKDAY):
        make_features(read_prices(make_bars(30)), (WEEKDAY,))


def test_of_sixty_years_of_new_york_the_next_row_is_the_next_session_but_for_the_closings_without_notice() -> None:
    dates = read_prices(REPOSITORY / "data" / "SP500.csv").dates
    found = make_known(dates, KNOWN_DAYS, calendar="XNYS")[DISTANCE].to_numpy()[:-1]
    differ = dates[:-1][(np.diff(dates).astype(float) != found) & ~np.isnan(found)]
    assert [str(day) for day in differ] == ["2001-09-10", "2012-10-26"]
