"""Bars against the sessions of their exchange: which are over, and which of the last ones have no price."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

import numpy as np
import pandas as pd

from stockcast.data.calendar import session_close, sessions_around
from stockcast.data.calendar_choice import propose_calendar
from stockcast.errors import DataError
from stockcast.typing import Dates

RECENT = 10
"""Last sessions that are checked, and fetched again by an update."""

_DELAY = timedelta(minutes=30)  # after the close: free prices come a quarter of an hour late
_BACK = 45  # days that hold the last sessions, also around the longest holidays


def utc_now() -> datetime:
    """Return the time now; a function of its own, so that a test can set it."""
    return datetime.now(UTC)


def dates_of(table: pd.DataFrame) -> Dates:
    """Return the dates of the bars that have a close, datetime64[D]."""
    return table.index[table["Close"].notna()].to_numpy().astype("datetime64[D]")


def calendar_of(table: pd.DataFrame) -> str:
    """Return the exchange whose sessions the dates follow."""
    return propose_calendar(dates_of(table)).name


def last_over(calendar: str, at: datetime) -> date:
    """Return the last session that was over at a time, with its prices due."""
    return date.fromisoformat(str(recent_sessions(calendar, at)[-1]))


def recent_sessions(calendar: str, at: datetime) -> Dates:
    """Return the last sessions that were over at a time, `RECENT` of them; DataError if it has none."""
    today = np.datetime64(at.astimezone(UTC).date())
    days = sessions_around(today - _BACK, today + 2, calendar=calendar).between(today - _BACK, today + 2)
    over = [day for day in days if day <= today - 3 or _due(calendar, day) <= at]
    if not over:
        raise DataError(f"The calendar of {calendar} has no session before {today}.", key="calendar", value=calendar)
    return np.array(over[-RECENT:], dtype="datetime64[D]")


@lru_cache(maxsize=64)
def _due(calendar: str, day: np.datetime64) -> datetime:
    """Return when the prices of a session are due: soon after its close, or where that is unknown after its day."""
    closes = session_close(day, calendar=calendar)
    if closes is None:
        closes = datetime.combine(day.astype(object), time(12), tzinfo=UTC) + timedelta(days=1)
    return closes + _DELAY


def only_over(table: pd.DataFrame, calendar: str, at: datetime) -> pd.DataFrame:
    """Return the bars that have a close, without those of sessions that are not over."""
    return table[table["Close"].notna() & (table.index <= pd.Timestamp(last_over(calendar, at)))]


def missing(table: pd.DataFrame, calendar: str, at: datetime) -> Dates:
    """Return which of the last sessions have no bar with a close, since the first bar there is."""
    dates, sessions = dates_of(table), recent_sessions(calendar, at)
    first = dates[0] if len(dates) else sessions[0]
    return np.setdiff1d(sessions[sessions >= first], dates)
