"""The exchange's sessions: which days come after the last row."""

from typing import Any

import numpy as np

from stockcast.errors import DataError
from stockcast.forecast import Dates


def check_calendar(name: str) -> None:
    """Check that an exchange of this name is known.

    Raises:
        DataError: it is not; names near ones.
    """
    import difflib

    import exchange_calendars

    names = exchange_calendars.get_calendar_names()
    if name not in names:
        near = difflib.get_close_matches(name.upper(), names, n=3)
        raise DataError(
            f"data.calendar {name!r} is no exchange that exchange_calendars knows. "
            + (f"Did you mean {' or '.join(near)}? " if near else "")
            + "New York is XNYS, London XLON, Frankfurt XFRA, Tokyo XTKS; 24/7 trades every day."
        )


def sessions_after(day: np.datetime64, count: int, *, calendar: str) -> Dates:
    """Return the next `count` sessions of the exchange after `day`, datetime64[D], shape (count,).

    Holidays and special closures are left out as far as exchange_calendars knows them: after 2018-12-31 New York
    trades next on 2019-01-02.

    Raises:
        DataError: the exchange is unknown, or its calendar ends before that many sessions.
    """
    check_calendar(calendar)
    import exchange_calendars
    import pandas as pd

    too_far = f"The calendar of {calendar} ends before the {count} sessions after {day}"
    try:
        # No exchange closes for three weeks together plus half of all days; take what is needed from a generous span.
        first, last = pd.Timestamp(day + 1), pd.Timestamp(day + 22 + 2 * count)
        known: Any = exchange_calendars.get_calendar(calendar, start=first, end=last)
    except ValueError as error:  # of pandas and of exchange_calendars: beyond the dates they know
        raise DataError(f"{too_far}: {error} Ask for a shorter --horizon.") from error
    sessions: Dates = known.sessions.to_numpy().astype("datetime64[D]")
    if len(sessions) < count:
        raise DataError(f"{too_far}. Ask for a shorter --horizon.")
    return sessions[:count]


def misfit(dates: Dates, *, calendar: str) -> str | None:
    """Say how the last year of dates differs from the exchange's sessions, or None where they fit.

    Args:
        dates: days with a price, datetime64[D], oldest first.
        calendar: name of the exchange.

    Returns:
        One sentence if more than one in twenty of the days were no session, or of the sessions had no price.
    """
    import exchange_calendars
    import pandas as pd

    recent = dates[-250:]
    try:
        known: Any = exchange_calendars.get_calendar(
            calendar, start=pd.Timestamp(recent[0]), end=pd.Timestamp(recent[-1] + 1)
        )
    except ValueError:  # before the calendar begins: nothing to hold the dates against
        return None
    sessions = known.sessions.to_numpy().astype("datetime64[D]")
    sessions = sessions[sessions <= recent[-1]]
    strangers, missing = np.setdiff1d(recent, sessions), np.setdiff1d(sessions, recent)
    if len(strangers) <= len(recent) / 20 and len(missing) <= len(sessions) / 20:
        return None
    return (
        f"of the last {len(recent)} days {len(strangers)} were no session of {calendar}, and {len(missing)} of its "
        f"sessions are missing: are these daily bars of that exchange (data.calendar)? Forecasts are for its sessions"
    )
