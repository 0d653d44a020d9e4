"""Days that exchange_calendars 4.13.2 has wrong: sessions that it lacks, and closures that it does not know.

Each line has its source. A line that a newer version of the library has right does no harm.
"""

from collections.abc import Iterable

import numpy as np

from stockcast.typing import Dates

ADDED: dict[str, dict[str, Iterable[str]]] = {
    "XBOM": {
        # The budget on a weekend: BSE and NSE traded as on other days (rsheftel/pandas_market_calendars#480).
        "budget": ["2015-02-28", "2020-02-01", "2026-02-01"],
        # Two Saturdays of 2024 on which BSE and NSE traded from the site for disasters, as they had announced.
        "disaster recovery": ["2024-03-02", "2024-05-18"],
        # Muhurat: an hour on the evening of Diwali, where that is a Saturday or Sunday (lists of holidays of BSE).
        "Muhurat": ["2013-11-03", "2016-10-30", "2019-10-27", "2020-11-14", "2023-11-12"],
    },
}
"""Sessions by exchange and reason."""

REMOVED: dict[str, dict[str, Iterable[str]]] = {
    # HKEX, Market Communications 2309012news and 2309083news: no trading for Saola and for a black rainstorm.
    "XHKG": {"weather": ["2023-09-01", "2023-09-08"]},
    # Municipal elections in Maharashtra (gerrymanoim/exchange_calendars#544).
    "XBOM": {"elections": ["2026-01-15"]},
    # No shares were traded from 28 February to 23 March 2022 (Bank of Russia, announcements of these days).
    "XMOS": {"closed by decree": [str(day) for day in np.arange("2022-02-28", "2022-03-24", dtype="datetime64[D]")]},
}
"""Closures by exchange and reason."""


def corrected(sessions: Dates, *, calendar: str, first: np.datetime64, last: np.datetime64) -> Dates:
    """Return an exchange's sessions from `first` to `last`, datetime64[D], with the days above put right."""
    added, removed = (_days(table, calendar) for table in (ADDED, REMOVED))
    added = added[(added >= first) & (added <= last)]
    if not len(added) and not len(removed):
        return sessions
    return np.setdiff1d(np.union1d(sessions, added), removed)


def is_corrected(day: np.datetime64, *, calendar: str) -> bool:
    """Whether a day is one of those above, of which the library's hours say nothing."""
    return any(day in _days(table, calendar) for table in (ADDED, REMOVED))


def _days(table: dict[str, dict[str, Iterable[str]]], calendar: str) -> Dates:
    days = [day for reason in table.get(calendar, {}).values() for day in reason]
    return np.array(days, dtype="datetime64[D]")
