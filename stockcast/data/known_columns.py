"""Columns of the file of covariates that are known ahead, such as days of earnings, dividends or a new index.

The input of a day is what the file dates on the exchange's next session. So the file must hold what was announced by
the evening before; what it was filled with later is the future, which `lookahead` looks for.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from stockcast.data.csv.own_header import KNOWN
from stockcast.data.known_days import Upcoming
from stockcast.data.own_columns import Gap, find_gaps
from stockcast.typing import Dates, Days, Floats


@dataclass(frozen=True)
class KnownColumns:
    """Columns that are known ahead, as the days of one series know them.

    Attributes:
        names: of the columns that are inputs, whether or not the file has them.
        values: of those that the file has, by name, float64, indexed by day: what it dates on the session after each;
            NaN outside its days.
        sessions: the one after each day, datetime64[D], shape (days,); NaT where the calendar does not reach it.
        file: of covariates.
        first: day that the file has; None where it has no row.
        last: likewise.
        others: names of the file's columns, for messages.
    """

    names: tuple[str, ...]
    values: pd.DataFrame
    sessions: Dates
    file: Path
    first: date | None
    last: date | None
    others: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of columns that the file lacks."""
        return tuple(name for name in self.names if name not in self.values)

    def feature(self, name: str) -> Floats:
        """Return a column as an input, shape (days,), NaN where the next session's value is not known."""
        if name not in self.values:
            return np.full(len(self.sessions), np.nan)
        return self.values[name].to_numpy(dtype=np.float64)

    def varying(self) -> "KnownColumns":
        """Return those that the file has, and that are not always the same."""
        values = self.values.loc[:, self.values.min() < self.values.max()]
        return replace(self, names=tuple(map(str, values)), values=values)

    def with_rows(self, rows: slice | Days) -> "KnownColumns":
        """Return the same columns with these rows alone."""
        return replace(self, values=self.values.iloc[rows], sessions=self.sessions[rows])

    def gaps(self, days: slice) -> Iterator[Gap]:
        """Yield where the file does not reach the session after some of these days, and why."""
        for name in self.values:
            for gap in find_gaps(f"{KNOWN}{name}", self.values[name].iloc[days]):
                reach = self._reach(days if gap.at_the_end else slice(0))
                yield replace(gap, sentence=f"{gap.sentence}, as {reach}")

    def _reach(self, days: slice) -> str:
        """Return the days that the file has, and which session comes after the last of some days."""
        if self.first is None:
            return f"{self.file.name} has no row"
        sessions = [session for session in self.sessions[days][-1:] if not np.isnat(session)]
        upcoming = "".join(f", and the next session is {session}" for session in sessions)
        return f"{self.file.name} has days from {self.first} to {self.last}{upcoming}"


def join_ahead(values: pd.DataFrame, upcoming: Upcoming) -> pd.DataFrame:
    """Return what a file dates on the session after each day.

    A row of a day without a session, such as a Saturday, counts for the next session. An empty cell is a zero, as is a
    session without a row: nothing is announced. Of several values of a session the last one that is not zero counts.
    Nothing is known of the sessions before that of the file's first row, and after that of its last one.

    Args:
        values: of all rows of the file, indexed by date in any order, NaN where a cell is empty.
        upcoming: the sessions after the days.

    Returns:
        By name, float64, indexed by day; NaN where nothing is known.
    """
    sessions, following = upcoming.sessions, upcoming.following
    values = values.sort_index(kind="stable")
    places = np.searchsorted(sessions, values.index.to_numpy().astype("datetime64[D]"))
    is_known = np.zeros(len(following), dtype=bool)
    if len(places):
        is_known = upcoming.is_known & (places[0] <= following) & (following <= places[-1])
    joined = {}
    for name in values:
        column = values[name].to_numpy(dtype=np.float64)
        is_set = ~np.isnan(column) & (column != 0) & (places < len(sessions))
        announced = np.zeros(len(sessions) + 1)
        announced[places[is_set]] = column[is_set]  # the last of a session's values stays
        joined[name] = np.where(is_known, announced[following], np.nan)
    days = pd.DatetimeIndex(upcoming.days, name="Date")
    return pd.DataFrame(joined, index=days, columns=list(values), dtype=np.float64)
