"""The exchange's sessions: which days lie between two others, and which come after the last row."""

from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any

import numpy as np

from stockcast.errors import DataError, RunError
from stockcast.forecast import Dates

HOLIDAYS_FROM = np.datetime64("1970-01-01")
"""exchange_calendars takes holidays from pandas, whose rules begin here: before, Christmas counts as a session."""


def check_calendar(name: str) -> None:
    """Check that an exchange of this name is known.

    Raises:
        DataError: it is not; names near ones.
    """
    if name in _KNOWN:
        return
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


def sessions_between(first: np.datetime64, last: np.datetime64, *, calendar: str) -> Dates:
    """Return the sessions of the exchange from `first` to `last`, both included, datetime64[D], oldest first.

    Holidays and special closures are left out as far as exchange_calendars knows them; see `judged_days`.

    Raises:
        DataError: the exchange is unknown, or its calendar does not reach so far.
    """
    built = sessions_around(first, last, calendar=calendar)
    if first < built.earliest or last > built.latest:
        raise DataError(
            f"The calendar of {calendar} is known from {built.earliest} to {built.latest}, not from {first} to {last}."
        )
    return built.days[(built.days >= first) & (built.days <= last)]


def judged_days(first: np.datetime64, last: np.datetime64, *, calendar: str) -> Dates | None:
    """Return the first and last day, from `first` to `last`, whose holidays the calendar knows; None for none.

    Raises:
        DataError: the exchange is unknown.
    """
    built = sessions_around(first, last, calendar=calendar)
    known: Dates = np.array([max(first, built.earliest, HOLIDAYS_FROM), min(last, built.latest)], dtype="datetime64[D]")
    return known if known[0] <= known[1] else None


@dataclass(frozen=True)
class Sessions:
    """A stretch of an exchange's calendar.

    Attributes:
        first: its first day.
        last: its last day.
        days: of trade between them, datetime64[D].
        earliest: the first day that the calendar can be asked for.
        latest: the last one.
    """

    first: np.datetime64
    last: np.datetime64
    days: Dates
    earliest: np.datetime64
    latest: np.datetime64

    def to_json(self) -> dict[str, Any]:
        """Return plain text that `from_json` turns back, with the version of the library that knew."""
        borders = {name: str(getattr(self, name)) for name in _BORDERS}
        return {"exchange_calendars": version("exchange_calendars"), **borders, "days": self.days.astype(str).tolist()}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Sessions | None":
        """Return the days that `to_json` stored, or None if another version of the library knew them.

        Raises:
            RunError: they are not what `to_json` writes.
        """
        try:
            if stored["exchange_calendars"] != version("exchange_calendars"):
                return None
            borders = {name: np.datetime64(stored[name], "D") for name in _BORDERS}
            days = np.array(stored["days"], dtype="datetime64[D]")
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise RunError(f"sessions.json is damaged ({str(error)[:200]}). Train again.") from error
        known = [borders["first"] - 1, *days, borders["last"] + 1] if days.ndim == 1 else []
        if not known or np.isnat(known).any() or (np.diff(known) <= np.timedelta64(0)).any():
            raise RunError("sessions.json is damaged: its days must rise from the first to the last. Train again.")
        return cls(days=days, **borders)

    def since(self, day: np.datetime64) -> "Sessions":
        """Return the part from this day on, which must lie within."""
        return replace(self, first=day, days=self.days[self.days >= day])


_BORDERS = ("first", "last", "earliest", "latest")

_KNOWN: dict[str, Sessions] = {}  # building takes 0.15 s, however short the stretch


def remember(calendar: str, sessions: Sessions) -> None:
    """Take a stretch as known that `sessions_around` built, so that who asks for its days need not build it again."""
    _KNOWN[calendar] = sessions


def sessions_around(first: np.datetime64, last: np.datetime64, *, calendar: str) -> Sessions:
    """Return the exchange's calendar from `first` to `last` or beyond, as far as it reaches.

    Raises:
        DataError: the exchange is unknown.
    """
    check_calendar(calendar)
    return _build(calendar, first, last)


def _build(calendar: str, first: np.datetime64, last: np.datetime64) -> Sessions:
    """Build the calendar from `first` to `last`, as far as it reaches; or take the one that was built last."""

    def build(*span: np.datetime64) -> Sessions:
        import exchange_calendars
        import pandas as pd

        known: Any = exchange_calendars.get_calendar(calendar, *map(pd.Timestamp, span))
        start, end = span or known.sessions[[0, -1]].to_numpy().astype("datetime64[D]")
        earliest = np.datetime64(known.bound_min() or pd.Timestamp.min.ceil("D"), "D")
        latest = np.datetime64(known.bound_max() or pd.Timestamp.max.floor("D"), "D")
        return Sessions(start, end, known.sessions.to_numpy().astype("datetime64[D]"), earliest, latest)

    built = _KNOWN.get(calendar)
    if built is None:
        # Whole years, and one more: whoever looks at a file's last year asks for the sessions after it next.
        year = np.timedelta64(1, "Y")
        start, end = first.astype("datetime64[Y]"), last.astype("datetime64[Y]") + 2 * year
        try:
            built = build(start.astype("datetime64[D]"), end.astype("datetime64[D]") - 1)
        except ValueError:  # of pandas and of exchange_calendars: beyond the days they know
            built = build()  # the days that the library takes by itself; they tell how far it reaches
    start, end = max(first, built.earliest), min(last, built.latest)
    if start <= end and not (built.first <= start and end <= built.last):
        # exchange_calendars refuses a span without a session, such as a week-end: ask for some weeks around.
        built = build(max(start - 22, built.earliest), min(end + 22, built.latest))
    _KNOWN[calendar] = built
    return built


def sessions_after(day: np.datetime64, count: int, *, calendar: str) -> Dates:
    """Return the next `count` sessions of the exchange after `day`, datetime64[D], shape (count,).

    Holidays and special closures are left out as far as exchange_calendars knows them: after 2018-12-31 New York
    trades next on 2019-01-02.

    Raises:
        DataError: the exchange is unknown, or its calendar ends before that many sessions.
    """
    check_calendar(calendar)
    too_far = f"The calendar of {calendar} ends before the {count} sessions after {day}"
    try:
        # No exchange closes for three weeks together plus half of all days; take what is needed from a generous span.
        sessions = sessions_between(day + 1, day + 22 + 2 * count, calendar=calendar)
    except DataError as error:
        raise DataError(f"{too_far}. {error} Ask for a shorter --horizon.") from error
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
    recent = dates[-250:]
    known = judged_days(recent[0], recent[-1], calendar=calendar)
    if known is None:  # before the calendar begins: nothing to hold the dates against
        return None
    recent = recent[(recent >= known[0]) & (recent <= known[1])]
    sessions = sessions_between(known[0], known[1], calendar=calendar)
    strangers, missing = np.setdiff1d(recent, sessions), np.setdiff1d(sessions, recent)
    if len(strangers) <= len(recent) / 20 and len(missing) <= len(sessions) / 20:
        return None
    return (
        f"of the last {len(recent)} days {len(strangers)} were no session of {calendar}, and {len(missing)} of its "
        f"sessions are missing: are these daily bars of that exchange (data.calendar)? Forecasts are for its sessions"
    )
