"""exchange_calendars' own date offsets, made right under every pandas that stockcast runs with.

pandas computes `day + offset` by a method of the offset: `_apply` up to 3.0, `_add_datetime` from 3.1 on.
exchange_calendars 4.13 writes `_apply` alone, so under pandas 3.1 its offsets do what pandas' own ones do: Orthodox
Easter ends in an error, Jewish holidays fall on Christian Easter, and the working weekends of Bombay, Moscow, Seoul and
Tel Aviv are no sessions. Up to pandas 3.0 its `_apply` loses a session after a week without one: Moscow, 2009-01-11.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from stockcast.typing import Dates


def repair_offsets() -> None:
    """Give the offsets that exchange_calendars defines the methods that the installed pandas calls.

    A class that already has its own `_add_datetime` is left as it is.
    """
    import exchange_calendars  # noqa: F401  # defines the offsets below BaseOffset
    from exchange_calendars.pandas_extensions.offsets import CompositeCustomBusinessDay
    from pandas.tseries.offsets import BaseOffset

    renamed = not hasattr(BaseOffset, "_apply")
    for offset in _subclasses(BaseOffset):
        own = vars(offset)
        if not offset.__module__.startswith("exchange_calendars.") or "_apply" not in own or "_add_datetime" in own:
            continue
        if offset is CompositeCustomBusinessDay:
            offset._apply = _add_sessions
            # pandas 3.1 asks an offset of business days for a mask of days, which knows a single weekmask.
            offset._supports_daily_offset_mask = False
        if renamed:
            offset._add_datetime = offset._apply


def _subclasses(cls: Any) -> Iterator[Any]:
    for subclass in cls.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def _add_sessions(offset: Any, day: Any) -> Any:
    """Return the session that is `offset.n` sessions after a day; before it, if negative."""
    import pandas as pd

    if not hasattr(offset, "_sessions"):
        offset._sessions = _all_sessions(offset)  # by the underscore, pandas leaves it out when it compares offsets
    sessions: Dates = offset._sessions
    passed = np.searchsorted(sessions, np.datetime64(day, "D"), side="right" if offset.n > 0 else "left")
    session = pd.Timestamp(sessions[passed + offset.n - (offset.n > 0)])
    return session.as_unit(pd.Timestamp(day).unit)  # pandas takes the first day of a range by its bare number


def _all_sessions(offset: Any) -> Dates:
    """Return all sessions of an offset whose weekmask changes with the time, as far as pandas' timestamps go."""
    import pandas as pd

    days = np.arange(np.datetime64(pd.Timestamp.min, "D") + 1, np.datetime64(pd.Timestamp.max, "D"))
    kept = np.is_busday(days, busdaycal=offset.calendar)
    for start, end, business_day in offset.business_days:
        first = 0 if start is None else np.searchsorted(days, np.datetime64(start, "D"))
        beyond = len(days) if end is None else np.searchsorted(days, np.datetime64(end, "D"), side="right")
        kept[first:beyond] = np.is_busday(days[first:beyond], busdaycal=business_day.calendar)
    return days[kept]
