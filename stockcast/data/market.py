"""What a whole market does: inputs that are the mean of one feature over several series, day by day."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stockcast.typing import Dates, Days, Floats

MOST = 1000
"""The most series that a market can have: all of them are read again for every forecast, ten in a second."""

_MAX_AGE = np.timedelta64(7, "D")  # of the value that a day without the market has, such as a holiday of its exchange


@dataclass(frozen=True)
class Market:
    """Features of several series, averaged over those that have the day.

    Volatility rises and falls in all stocks of a market together, so the others' moves today help to forecast this one
    (Bollerslev, Hood, Huss & Pedersen 2018). Days are matched by date alone: a market that closes later than the
    series contains more of the day than could be known.

    Attributes:
        dates: every day that any of the series has, datetime64[D], oldest first, shape (days,).
        means: by name of the feature, unitless, shape (days,); NaN where no series has a value.
        present: how many of the series have the day, shape (days,).
        series: how many there are.
    """

    dates: Dates
    means: dict[str, Floats]
    present: Days
    series: int

    def on(self, dates: Dates, name: str) -> Floats:
        """Return a feature's mean as known at the end of these days, shape (dates,).

        It is the mean of that day, or of the last before it that the market has; NaN where that is older than a week.
        """
        latest, known = self._latest(dates)
        values: Floats = np.where(known, self.means[name][latest], np.nan)
        return values

    def present_on(self, day: np.datetime64) -> int:
        """Return how many series have a day, or the last before it that the market has; 0 where that is too old."""
        latest, known = self._latest(np.array([day]))
        return int(np.where(known, self.present[latest], 0)[0])

    def _latest(self, dates: Dates) -> tuple[Days, npt.NDArray[np.bool_]]:
        """Return the index of the last day up to each of these, and whether it exists and is recent."""
        latest = np.searchsorted(self.dates, dates, side="right") - 1
        return latest, (latest >= 0) & (dates - self.dates[latest] <= _MAX_AGE)


def average(names: Sequence[str], series: Sequence[tuple[Dates, Floats]]) -> Market:
    """Average features over series; the mean of a day rests on that day's rows alone.

    Args:
        names: of the features.
        series: of each, its days, datetime64[D], oldest first, shape (days,), and its features, shape (days, names),
            NaN where a day lacks one.
    """
    dates = np.unique(np.concatenate([days for days, _ in series]))
    sums, counts = np.zeros((len(dates), len(names))), np.zeros((len(dates), len(names)))
    present = np.zeros(len(dates), dtype=np.intp)
    for days, features in series:
        rows = np.searchsorted(dates, days)
        known = ~np.isnan(features)
        sums[rows] += np.where(known, features, 0.0)
        counts[rows] += known
        present[rows] += 1
    means = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    return Market(dates, {name: means[:, number] for number, name in enumerate(names)}, present, len(series))
