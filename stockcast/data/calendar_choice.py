"""Which exchange's calendar a file of prices follows, by its dates alone."""

from dataclasses import dataclass

import numpy as np

from stockcast.data.calendar import HOLIDAYS_FROM, compare_dates
from stockcast.errors import DataError
from stockcast.text import join_words, plural
from stockcast.typing import Dates

DEFAULT = "XNYS"

_DATES = 750  # the last three years
_FEWEST = 20  # dates that tell anything
_YEARLY = 150  # dates; an exchange has at least 220 sessions a year
_LIKE_PARIS = ("XPAR", "XAMS", "XBRU", "XLIS", "XMAD")
_FIRST = (
    *("XNYS", "24/5", "XLON", "XFRA", *_LIKE_PARIS, "XTKS", "XHKG", "XSHG", "XTSE", "XASX", "XBOM", "XSWX"),
    *("XKRX", "XTAI", "XSTO", "XMIL", "XSES", "XIDX", "XKLS", "BVMF", "XMEX", "XJSE"),
)
"""Large exchanges and currencies, tried before the others: of those with the same sessions, the first is taken."""

_LARGEST = ("24/5", "XLON", "XFRA", "XPAR", "XTKS", "XTSE")
"""Those that are compared with less than a year of dates even where one fits already."""

_OTHERS_NAMED = 3

_SURE = 3
"""Contradictions a year with New York that no other calendar can have fewer of: the nearest differs on seven days."""


@dataclass(frozen=True)
class CalendarProposal:
    """A calendar for a file.

    Attributes:
        name: as in data.calendar.
        reason: a sentence without a stop that says by which dates it was chosen.
    """

    name: str
    reason: str


def propose_calendar(dates: Dates) -> CalendarProposal:
    """Propose the calendar that the last three years of dates contradict least.

    Trading on Saturdays and Sundays is `24/7`. Else every calendar that covers the dates is compared with them, and a
    contradiction is a date that is not a session, or a session without a date; `24/5`, every day from Monday to Friday,
    is one of them. It takes 0.2 s where the first calendar fits, and seconds where all are compared.

    Args:
        dates: datetime64[D], rising, at least one.
    """
    dates = dates[-_DATES:]
    last = f"the last {plural(len(dates), 'date')}"
    if len(dates) < _FEWEST:
        return CalendarProposal(DEFAULT, f"{plural(len(dates), 'date')} are too few to tell the exchange")
    weekday = (dates.astype(int) + 3) % 7  # 1970-01-01 was a Thursday
    saturdays, sundays = np.sum(weekday == 5), np.sum(weekday == 6)
    if min(saturdays, sundays) > len(dates) / 20:
        return CalendarProposal("24/7", f"{saturdays + sundays} of {last} are Saturdays and Sundays")
    years = float((dates[-1] - dates[0]) / np.timedelta64(365, "D"))
    daily = len(dates) > _YEARLY * years
    found = _closest(dates, years) if daily and dates[0] >= HOLIDAYS_FROM else None
    if found is None:
        return CalendarProposal(DEFAULT, f"no calendar fits {last}")
    name, days, others = found
    reason = f"its sessions differ least from {last}, on {plural(days, 'day')}" if days else f"its sessions are {last}"
    if others:
        named = [*others[:_OTHERS_NAMED], *([f"{len(others) - _OTHERS_NAMED} more"] if others[_OTHERS_NAMED:] else [])]
        reason += f", and {join_words(named)} {'fit' if len(others) > 1 else 'fits'} as well"
    return CalendarProposal(name, reason)


def _closest(dates: Dates, years: float) -> tuple[str, int, list[str]] | None:
    """Return the calendar with the fewest contradictions, their number, and which large exchanges have no more.

    None if they are over a quarter of the dates.
    """
    import exchange_calendars

    known = set(exchange_calendars.get_calendar_names(include_aliases=False)) - {"24/7"}
    first = [name for name in _FIRST if name in known]
    found: dict[str, int] = {}
    best, fewest = None, len(dates) // 4
    for name in [*first, *sorted(known.difference(first))]:
        is_sure = best is not None and (fewest == 0 or (best == DEFAULT and fewest <= _SURE * years))
        if is_sure and not (name in _LARGEST if years < 1 else {best, name} <= {*_LIKE_PARIS}):
            continue  # over a year, only exchanges like Paris have the same sessions
        try:
            compared = compare_dates(dates, calendar=name)
        except DataError:  # the library cannot build this one
            continue
        if compared is None or compared.count < len(dates):  # it does not cover them
            continue
        found[name] = len(compared.extra) + len(compared.missing)
        if found[name] < fewest:
            best, fewest = name, found[name]
    if best is None:
        return None
    return best, fewest, [name for name, days in found.items() if days == fewest and name != best]
