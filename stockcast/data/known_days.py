"""What is known of the next session before it comes: its weekday, how far away it is, whether it ends a month.

The input of a day describes the session after it, which the exchange has announced. The session is the calendar's, and
never the next row of the file: that a row is missing is known only later.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from stockcast.data.calendar import HOLIDAYS_FROM, Sessions, sessions_around
from stockcast.data.csv.own_header import KNOWN
from stockcast.typing import Dates, Days, Floats

KNOWN_DAYS = ("known:weekday", "known:days_to_next_session", "known:month_end")
"""Features of the next session: 0 for Monday to 6 for Sunday; days from today to it; 1 where it is its month's last."""

_REACH = 60  # days before the first and after the last one, among which are two sessions of any exchange
_THURSDAY = 3  # 1970-01-01

_CLOSED_WITHOUT_NOTICE: dict[str, Dates] = {
    "XNYS": np.array(
        [
            "1977-07-14",
            "1985-09-27",
            "2001-09-11",
            "2001-09-12",
            "2001-09-13",
            "2001-09-14",
            "2012-10-29",
            "2012-10-30",
        ],
        dtype="datetime64[D]",
    )
}
"""Days by exchange that were sessions until they came, and are none in its calendar: blackout, storms, attacks."""


def is_known(feature: str) -> bool:
    """Whether a feature describes the next session."""
    return feature.startswith(KNOWN)


def is_known_column(feature: str) -> bool:
    """Whether a feature is a column of the file of covariates that is known ahead."""
    return is_known(feature) and feature not in KNOWN_DAYS


@dataclass(frozen=True)
class Upcoming:
    """The session after each of some days, by the exchange's calendar.

    Attributes:
        days: datetime64[D], oldest first, shape (days,).
        sessions: of the exchange, datetime64[D], oldest first, from before the first day to two after the last one.
        following: place in `sessions` of the one after each day, shape (days,).
        is_known: whether the calendar and its holidays reach so far, shape (days,).
    """

    days: Dates
    sessions: Dates
    following: Days
    is_known: NDArray[np.bool_]

    def after(self, count: int = 1) -> Dates:
        """Return the session so many after each day, datetime64[D], shape (days,); NaT where it is not known."""
        places = np.minimum(self.following + count - 1, len(self.sessions) - 1)
        return np.where(self.is_known, self.sessions[places], np.datetime64("NaT", "D"))


def find_upcoming(dates: Dates, *, calendar: str, known: Sessions | None = None) -> Upcoming:
    """Find the session after each day; arguments and errors are those of `make_known`."""
    built = sessions_around(dates[0] - _REACH, dates[-1] + _REACH, calendar=calendar, known=known)
    sessions: Dates = np.union1d(built.days, _CLOSED_WITHOUT_NOTICE.get(calendar, built.days[:0]))
    following = np.searchsorted(sessions, dates, side="right")
    reached = (dates >= max(built.earliest, HOLIDAYS_FROM)) & (following + 1 < len(sessions))
    return Upcoming(dates, sessions, following, reached)


def make_known(dates: Dates, names: Sequence[str], *, calendar: str, known: Sessions | None = None) -> pd.DataFrame:
    """Return what is known at the end of each day about the exchange's next session.

    Args:
        dates: datetime64[D], oldest first, shape (days,).
        names: of `KNOWN_DAYS`.
        calendar: the exchange.
        known: its sessions, stored earlier; used where they reach.

    Returns:
        A column for each name, indexed by date; NaN before the calendar and its holidays begin, and after it ends.

    Raises:
        DataError: the exchange is unknown, or its calendar cannot be built.
    """
    upcoming = find_upcoming(dates, calendar=calendar, known=known)
    first, second = upcoming.after(1), upcoming.after(2)
    values: dict[str, Floats] = {
        "known:weekday": ((first.astype(np.int64) + _THURSDAY) % 7).astype(np.float64),
        "known:days_to_next_session": (first - dates).astype(np.float64),
        "known:month_end": (first.astype("datetime64[M]") != second.astype("datetime64[M]")).astype(np.float64),
    }
    columns = {name: np.where(upcoming.is_known, values[name], np.nan) for name in names}
    return pd.DataFrame(columns, index=pd.DatetimeIndex(dates, name="Date"))
