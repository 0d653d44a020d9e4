"""When a session's prices are due, on exchanges of other hours."""

from datetime import datetime

import pandas as pd
import pytest
from market_server import make_series

from stockcast.sources import sessions


@pytest.mark.parametrize(
    ("calendar", "at", "last"),
    [
        ("XNYS", "2024-06-14T20:29:59+00:00", "2024-06-13"),  # closes at 16:00 in New York, 20:00 UTC
        ("XNYS", "2024-06-14T20:30:00+00:00", "2024-06-14"),
        ("XNYS", "2024-06-16T12:00:00+00:00", "2024-06-14"),  # a Sunday
        ("XNYS", "2024-06-20T12:00:00+00:00", "2024-06-18"),  # the 19th is Juneteenth
        ("XNYS", "2024-07-03T17:29:00+00:00", "2024-07-02"),  # a short day: closes at 13:00, 17:00 UTC
        ("XNYS", "2024-07-03T17:31:00+00:00", "2024-07-03"),
        ("XNYS", "2024-01-12T21:29:00+00:00", "2024-01-11"),  # in winter 16:00 is 21:00 UTC
        ("XTKS", "2024-06-14T06:29:00+00:00", "2024-06-13"),  # closes at 15:00 in Tokyo, 06:00 UTC
        ("XTKS", "2024-06-14T06:31:00+00:00", "2024-06-14"),
        ("XLON", "2024-06-14T16:01:00+00:00", "2024-06-14"),  # closes at 16:30 in London, 15:30 UTC
        ("24/7", "2024-06-15T00:29:00+00:00", "2024-06-13"),  # a day ends at midnight UTC
        ("24/7", "2024-06-15T00:31:00+00:00", "2024-06-14"),
        ("XNYS", "2024-06-14T22:30:00+02:00", "2024-06-14"),  # the same time on another clock
    ],
)
def test_the_last_session_that_is_over(calendar: str, at: str, last: str) -> None:
    assert str(sessions.last_over(calendar, datetime.fromisoformat(at))) == last


def test_ten_sessions_are_the_last_ones() -> None:
    found = sessions.recent_sessions("XNYS", datetime.fromisoformat("2024-06-21T12:00:00+00:00"))
    days = ["06-06", "06-07", "06-10", "06-11", "06-12", "06-13", "06-14", "06-17", "06-18", "06-20"]
    assert [str(day) for day in found] == [f"2024-{day}" for day in days]


def test_sessions_before_the_first_bar_are_not_missing() -> None:
    at = datetime.fromisoformat("2024-06-14T21:00:00+00:00")
    table = make_series().iloc[-3:].drop(pd.Timestamp("2024-06-13"))
    assert [str(day) for day in sessions.missing(table, "XNYS", at)] == ["2024-06-13"]
