"""How often a series has a bar, and how a message counts its bars."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from stockcast.text import join_words, plural
from stockcast.typing import Dates, Days

FrequencyName = Literal["daily", "weekly", "monthly"]


@dataclass(frozen=True)
class Frequency:
    """Bars of days, of weeks (Monday to Sunday, ISO 8601) or of months.

    A bar is dated on the last session of its week or month.

    Attributes:
        name: as in data.frequency.
        unit: the time of one bar, `day`, `week` or `month`; windows, horizons and features count it.
        bar: the same in full, `trading day`.
        session: what an exchange's calendar has one of for each bar.
        dated: what one bar and what many bars are dated on, with a place for the name of the calendar.
        now: the time of the last bar, in "today's price".
        on: the preposition of its time, in "on these days" and "in these weeks".
        per_year: bars of a year, rounded.
        reported: numbers of bars ahead that an evaluation reports.
    """

    name: FrequencyName
    unit: str
    bar: str
    session: str
    dated: tuple[str, str]
    now: str
    on: str
    per_year: int
    reported: tuple[int, ...]

    def count(self, number: int) -> str:
        """Write a number of bars: `1 day`, `20 weeks`."""
        return plural(number, self.unit)

    def steps(self, steps: Iterable[int]) -> str:
        """Write numbers of bars: "1 day", "5 weeks" or "1, 5 and 10 days"."""
        steps = list(steps)
        return f"{join_words([str(step) for step in steps])} {self.unit}{'' if steps == [1] else 's'}"

    def named(self, calendar: str, number: int) -> str:
        """Name what bars are dated on: `a trading session of XNYS`, of several `XNYS trading sessions`."""
        return self.dated[number != 1].format(calendar)

    def periods(self, days: Dates) -> Days:
        """Return the number of the day, week or month that each day is in, which rises by one from bar to bar."""
        if self.unit == "month":
            return days.astype("datetime64[M]").astype(np.intp)
        numbers: Days = days.astype("datetime64[D]").astype(np.intp)
        return numbers if self.unit == "day" else (numbers + _MONDAY) // 7

    def span(self, day: np.datetime64) -> tuple[np.datetime64, np.datetime64]:
        """Return the first and the last day of the day, week or month that a day is in."""
        number = int(self.periods(np.array([day]))[0])
        if self.unit == "month":
            first, after = (np.datetime64(month, "M").astype("datetime64[D]") for month in (number, number + 1))
            return first, after - 1
        if self.unit == "day":
            return np.datetime64(number, "D"), np.datetime64(number, "D")
        first = np.datetime64(7 * number - _MONDAY, "D")
        return first, first + 6

    def last_of_each(self, days: Dates) -> Dates:
        """Return of rising days the last one of each day, week or month."""
        periods = self.periods(days)
        lasts: Dates = days[np.append(periods[1:] != periods[:-1], True)[: len(days)]]
        return lasts


_MONDAY = 3  # days from Monday to 1970-01-01, a Thursday

DAILY = Frequency(
    name="daily",
    unit="day",
    bar="trading day",
    session="session",
    dated=("a trading session of {}", "{} trading sessions"),
    now="today",
    on="on",
    per_year=250,
    reported=(1, 5, 10, 20, 50),
)
WEEKLY = Frequency(
    name="weekly",
    unit="week",
    bar="week",
    session="week",
    dated=("the last session of a week of {}", "last {} sessions of weeks"),
    now="this week",
    on="in",
    per_year=52,
    reported=(1, 4, 13, 26, 52),
)
MONTHLY = Frequency(
    name="monthly",
    unit="month",
    bar="month",
    session="month",
    dated=("the last session of a month of {}", "last {} sessions of months"),
    now="this month",
    on="in",
    per_year=12,
    reported=(1, 3, 6, 12, 24),
)

FREQUENCIES: dict[str, Frequency] = {frequency.name: frequency for frequency in (DAILY, WEEKLY, MONTHLY)}
RESAMPLED = {"1d": DAILY, "1w": WEEKLY, "1mo": MONTHLY}
"""What data.resample makes of bars."""

RESAMPLES = {frequency.name: resample for resample, frequency in RESAMPLED.items()}
