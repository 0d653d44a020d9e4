"""The exchange's sessions: which days lie between two others, and which come after the last row."""

from dataclasses import dataclass, replace
from datetime import datetime
from importlib.metadata import version
from typing import Any

import numpy as np

from stockcast.data.calendar_corrections import corrected, is_corrected
from stockcast.errors import DataError, RunError
from stockcast.frequency import DAILY, Frequency
from stockcast.text import plural
from stockcast.typing import Dates

HOLIDAYS_FROM = np.datetime64("1970-01-01")
"""exchange_calendars takes holidays from pandas, whose rules begin here: before, Christmas counts as a session."""

HOLIDAYS_TO = np.datetime64("2200-12-31")
"""The last day of these rules: after it, Christmas counts as a session again."""


@dataclass(frozen=True)
class Sessions:
    """A span of an exchange's calendar.

    Attributes:
        first: its first day.
        last: its last day.
        days: sessions between them, datetime64[D].
        earliest: the first day that the exchange's calendar reaches.
        latest: the last one.
    """

    first: np.datetime64
    last: np.datetime64
    days: Dates
    earliest: np.datetime64
    latest: np.datetime64

    def to_json(self) -> dict[str, Any]:
        """Return plain text that `from_json` turns back, with the version of the library that it comes from."""
        borders = {name: str(getattr(self, name)) for name in _BORDERS}
        return {"exchange_calendars": version("exchange_calendars"), **borders, "days": self.days.astype(str).tolist()}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Sessions | None":
        """Return what `to_json` stored, None if it comes from another version of the library; RunError if damaged."""
        try:
            if stored["exchange_calendars"] != version("exchange_calendars"):
                return None
            borders = {name: np.datetime64(stored[name], "D") for name in _BORDERS}
            days = np.array(stored["days"], dtype="datetime64[D]")
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            message = f"sessions.json is damaged ({str(error)[:200]}). Train again."
            raise RunError(message, file="sessions.json") from error
        if days.shape == (0,):
            message = "sessions.json is damaged: it has no session. Train again."
            raise RunError(message, file="sessions.json")
        rising = [borders["first"] - 1, *days, borders["last"] + 1] if days.ndim == 1 else []
        if not rising or np.isnat(rising).any() or (np.diff(rising) <= np.timedelta64(0)).any():
            message = "sessions.json is damaged: its days must rise from the first to the last. Train again."
            raise RunError(message, file="sessions.json")
        return cls(days=days, **borders)

    def covers(self, first: np.datetime64, last: np.datetime64) -> bool:
        """Whether the days from `first` to `last` lie within, as far as the calendar reaches."""
        start, end = max(first, self.earliest), min(last, self.latest)
        return bool(start > end or (self.first <= start and end <= self.last))

    def between(self, first: np.datetime64, last: np.datetime64) -> Dates:
        """Return the sessions from `first` to `last`, both included, which must lie within."""
        return self.days[(self.days >= first) & (self.days <= last)]

    def part(self, first: np.datetime64, last: np.datetime64) -> "Sessions":
        """Return the part from `first` to `last`, as far as it goes."""
        first, last = max(first, self.first), min(last, self.last)
        return replace(self, first=first, last=last, days=self.between(first, last))


_BORDERS = ("first", "last", "earliest", "latest")

_KNOWN: dict[str, Sessions] = {}  # building takes 0.15 s, however short the span


ALIASES = {"fx": "24/5", "crypto": "24/7"}
"""What a calendar may be called besides its name, in small letters -> the name."""


def calendar_named(name: str) -> str:
    """Return the name of a calendar that may be given by an alias: 24/5 for FX, 24/7 for crypto."""
    return ALIASES.get(name.lower(), name)


def check_calendar(name: str) -> None:
    """Check that exchange_calendars knows an exchange of this name; DataError with similar names if it does not."""
    if name in _KNOWN:
        return
    import difflib

    import exchange_calendars

    names = exchange_calendars.get_calendar_names()
    if name not in names:
        near = difflib.get_close_matches(name.upper(), names, n=3)
        raise DataError(
            f"data.calendar {name!r} is not an exchange that exchange_calendars knows. "
            + (f"Did you mean {' or '.join(near)}? " if near else "")
            + "New York is XNYS, London XLON, Frankfurt XFRA, Tokyo XTKS; FX (24/5) trades Monday to Friday, crypto "
            "(24/7) every day.",
            key="data.calendar",
            value=name,
        )


def sessions_around(
    first: np.datetime64, last: np.datetime64, *, calendar: str, known: Sessions | None = None
) -> Sessions:
    """Return the exchange's calendar from `first` to `last` or beyond, as far as it reaches.

    Holidays and special closures are left out as far as exchange_calendars knows them; see `HOLIDAYS_FROM`. `known` are
    sessions stored earlier, which are used where they cover the days, and never for another caller. DataError if the
    exchange is unknown, or the library fails to build its calendar.
    """
    if known is not None and known.covers(first, last):
        return known
    check_calendar(calendar)
    built = _KNOWN.get(calendar)
    if built is None:
        # Whole years, and another: a check of a file's last year is followed by a search for the sessions after it.
        start, end = first.astype("datetime64[Y]"), last.astype("datetime64[Y]") + np.timedelta64(2, "Y")
        try:
            built = _build(calendar, start.astype("datetime64[D]"), end.astype("datetime64[D]") - 1)
        except DataError:  # beyond the days that pandas or exchange_calendars know
            built = _build(calendar)  # the library's default days; they show how far it reaches
    if not built.covers(first, last):
        # exchange_calendars refuses a span without a session, such as a week-end: build some weeks around.
        start, end = max(first, built.earliest), min(last, built.latest)
        built = _build(calendar, max(start - 22, built.earliest), min(end + 22, built.latest))
    _KNOWN[calendar] = built
    return built


def session_close(day: np.datetime64, *, calendar: str) -> datetime | None:
    """Return when a day's session closes, in UTC; None if it is none, or unknown. DataError as `sessions_after`."""
    import pandas as pd

    if is_corrected(day, calendar=calendar):
        return None
    # From the year's first day on: the library keeps what it built from the same day for the last time.
    exchange, session = _exchange(calendar, day.astype("datetime64[Y]").astype("datetime64[D]")), pd.Timestamp(day)
    return exchange.session_close(session).to_pydatetime() if exchange.is_session(session) else None


@dataclass(frozen=True)
class SessionClock:
    """When sessions begin that open on the day before, as those of futures do.

    Attributes:
        opens: seconds after midnight, on the exchange's clock.
        zone: of that clock, such as America/Chicago.
    """

    opens: int
    zone: str


def session_clock(calendar: str) -> SessionClock | None:
    """Return when sessions over midnight begin, None where none are. DataError if the calendar cannot be built."""
    check_calendar(calendar)
    exchange = _exchange(calendar)  # of the library's default days, which every calendar has
    if not exchange.open_offset:
        return None
    opens = exchange.open_times[-1][1]
    return SessionClock(3600 * opens.hour + 60 * opens.minute, str(exchange.tz))


def _build(calendar: str, *span: np.datetime64) -> Sessions:
    import pandas as pd

    exchange = _exchange(calendar, *span)
    start, end = span or exchange.sessions[[0, -1]].to_numpy().astype("datetime64[D]")
    earliest = np.datetime64(exchange.bound_min() or pd.Timestamp.min.ceil("D"), "D")
    latest = min(np.datetime64(exchange.bound_max() or pd.Timestamp.max.floor("D"), "D"), HOLIDAYS_TO)
    listed = exchange.sessions.to_numpy().astype("datetime64[D]")
    return Sessions(start, end, corrected(listed, calendar=calendar, first=start, last=end), earliest, latest)


def _exchange(calendar: str, *span: np.datetime64) -> Any:
    """Return the library's calendar of a span, right under every pandas; DataError if it cannot be built."""
    import exchange_calendars
    import pandas as pd

    from stockcast.data.calendar_offsets import repair_offsets

    try:
        repair_offsets()
        return exchange_calendars.get_calendar(calendar, *map(pd.Timestamp, span))
    except Exception as error:  # a fault of the library may raise anything; it can list all days of fifty years
        raise DataError(
            f"exchange_calendars {version('exchange_calendars')} cannot build the calendar of {calendar} with pandas "
            f"{version('pandas')} ({type(error).__name__}: {str(error)[:100]}). Install other versions of the two, or "
            f"set data.calendar to an exchange with similar holidays, or to 24/5 for all days from Monday to Friday.",
            key="data.calendar",
            value=calendar,
        ) from error


def sessions_after(
    day: np.datetime64, count: int, *, calendar: str, known: Sessions | None = None, frequency: Frequency = DAILY
) -> Dates:
    """Return the next `count` sessions after `day`, datetime64[D], shape (count,); arguments as of `sessions_around`.

    Of weeks or months, it is the last session of each that follows the one of `day`; one without a session is left out.
    DataError if the exchange is unknown, or its calendar ends before that many sessions.
    """
    start = frequency.span(day)[1] + 1
    # Days ahead; twice as many where an exchange was closed for longer, as Athens in 2015.
    reach = 22 + 2 * count * (365 // frequency.per_year)
    while True:
        built = sessions_around(start, day + reach, calendar=calendar, known=known)
        following = frequency.last_of_each(built.between(start, built.latest))
        if len(following) and frequency.span(following[-1])[1] > built.last:  # a week that goes on after the span
            following = following[:-1]
        following = following[:count]
        if len(following) == count or day + reach >= built.latest:
            break
        reach *= 2
    if start < built.earliest:
        raise DataError(
            f"The calendar of {calendar} is known from {built.earliest} to {built.latest}, so the "
            f"{frequency.session}s after {day} are not known. Use a file that ends later.",
            key="--horizon",
            value=count,
        )
    if len(following) < count:
        known_ones = plural(len(following), frequency.session)
        raise DataError(
            f"The calendar of {calendar} ends on {built.latest}: {known_ones} after {day} "
            f"{'is' if len(following) == 1 else 'are'} known, not {count}. "
            + (f"Use --horizon {len(following)}" if len(following) else "Use a file that ends earlier")
            + ", or a newer version of exchange_calendars.",
            key="--horizon",
            value=count,
        )
    return following


@dataclass(frozen=True)
class DateComparison:
    """Dates with a price against an exchange's sessions, from `first` to `last`, whose holidays the calendar knows.

    Attributes:
        count: of the dates.
        extra: those that are not sessions, datetime64[D].
        missing: sessions without a price, datetime64[D].
        many_extra: whether they are more than a twentieth of the dates.
        many_missing: whether they are more than a twentieth of the sessions.
    """

    first: np.datetime64
    last: np.datetime64
    count: int
    extra: Dates
    missing: Dates
    many_extra: bool
    many_missing: bool


def compare_dates(
    dates: Dates, *, calendar: str, known: Sessions | None = None, frequency: Frequency = DAILY
) -> DateComparison | None:
    """Compare dates, oldest first, with the exchange's sessions; None where the calendar lacks the holidays of all.

    Those of weeks or months are compared with the last session of each.
    """
    built = sessions_around(dates[0], dates[-1], calendar=calendar, known=known)
    first, last = max(dates[0], built.earliest, HOLIDAYS_FROM), min(dates[-1], built.latest)
    if first > last:
        return None
    dates = dates[(dates >= first) & (dates <= last)]
    sessions = frequency.last_of_each(built.between(first, last))
    extra, missing = np.setdiff1d(dates, sessions), np.setdiff1d(sessions, dates)
    many_extra, many_missing = len(extra) > len(dates) / 20, len(missing) > len(sessions) / 20
    return DateComparison(first, last, len(dates), extra, missing, many_extra, many_missing)


def calendar_mismatch(
    dates: Dates, *, calendar: str, known: Sessions | None = None, frequency: Frequency = DAILY
) -> str | None:
    """Describe how the last year of dates, oldest first, differs from the exchange's sessions; None where they fit."""
    compared = compare_dates(dates[-frequency.per_year :], calendar=calendar, known=known, frequency=frequency)
    if compared is None or not (compared.many_extra or compared.many_missing):
        return None
    return (
        f"of the last {compared.count} dates, {len(compared.extra)} are not {frequency.named(calendar, 2)}, and "
        f"{len(compared.missing)} of its {frequency.session}s are missing: check data.calendar (--calendar), and that "
        f"these are {frequency.name} bars. Forecasts are for its {frequency.session}s"
    )
