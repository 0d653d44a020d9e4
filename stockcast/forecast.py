"""The value that every network and every rival produces, and that everything after it takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Dates = npt.NDArray[np.datetime64]
Days = npt.NDArray[np.intp]
"""Indices of trading days, 0 is the first row of the data."""
Labels = npt.NDArray[np.intp]
"""Numbers of classes, 0 is the lowest."""

TAIL_LEVELS = (0.005, 0.01, 0.025)
LEVELS: Floats = np.array(
    [*TAIL_LEVELS, *(step / 20 for step in range(1, 20)), *(1 - level for level in reversed(TAIL_LEVELS))]
)
"""Quantile levels of every forecast: the tails and every 5 %, and so the central bands of 50, 80, 90, 95, 98, 99 %."""


@dataclass(frozen=True)
class Forecast:
    """What was said at each origin about the days after it, in price units.

    Attributes:
        origin_dates: the last day known, datetime64[D], shape (origins,).
        target_dates: the days forecast, datetime64[D], shape (origins, horizon).
        levels: quantile levels, increasing, symmetric around 0.5, shape (levels,).
        quantiles: prices, never decreasing along the levels, shape (origins, horizon, levels).
        last_close: price at the origin, shape (origins,).
        others: medians of other columns of the same days, by the column's name, each of shape (origins, horizon); with
            Low <= Open, median <= High.
    """

    origin_dates: Dates
    target_dates: Dates
    levels: Floats
    quantiles: Floats
    last_close: Floats
    others: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def horizon(self) -> int:
        """Trading days forecast from each origin."""
        return int(self.target_dates.shape[1])

    @property
    def median(self) -> Floats:
        """The forecast's middle, in price units, shape (origins, horizon)."""
        return self.at(0.5)

    def at(self, level: float) -> Floats:
        """Return the quantile at one stored level, in price units, shape (origins, horizon).

        Raises:
            ValueError: the level is not stored.
        """
        found = np.flatnonzero(np.isclose(self.levels, level))
        if not len(found):
            raise ValueError(f"level {level} is not stored; these are: {self.levels}")
        values: Floats = self.quantiles[:, :, found[0]]
        return values

    def band(self, coverage: float) -> tuple[Floats, Floats]:
        """Lower and upper end of the central band that promises `coverage`, each in price units, (origins, horizon)."""
        return self.at((1 - coverage) / 2), self.at((1 + coverage) / 2)

    def log_returns(self) -> Floats:
        """Quantiles as cumulative log returns since the origin, unitless, shape (origins, horizon, levels)."""
        returns: Floats = np.log(self.quantiles / self.last_close[:, None, None])
        return returns

    def rows(self, chosen: slice) -> "Forecast":
        """Return the forecasts of the chosen origins."""
        return replace(
            self,
            origin_dates=self.origin_dates[chosen],
            target_dates=self.target_dates[chosen],
            quantiles=self.quantiles[chosen],
            last_close=self.last_close[chosen],
            others={name: medians[chosen] for name, medians in self.others.items()},
        )

    def times(self, factor: float) -> "Forecast":
        """Return the same forecast in another price unit: every price multiplied by `factor`."""
        return replace(
            self,
            quantiles=self.quantiles * factor,
            last_close=self.last_close * factor,
            others={name: medians * factor for name, medians in self.others.items()},
        )


@dataclass(frozen=True)
class Directions:
    """What was said at each origin about which way the price has gone by the days after it.

    Attributes:
        origin_dates: the last day known, datetime64[D], shape (origins,).
        target_dates: the days forecast, datetime64[D], shape (origins, horizon).
        classes: names of the ways, lowest first, such as ("down", "flat", "up").
        probabilities: of each class, adding up to 1, shape (origins, horizon, classes).
        last_close: price at the origin, from which up and down are told, shape (origins,).
    """

    origin_dates: Dates
    target_dates: Dates
    classes: tuple[str, ...]
    probabilities: Floats
    last_close: Floats

    @property
    def horizon(self) -> int:
        """Trading days forecast from each origin."""
        return int(self.target_dates.shape[1])

    def of(self, name: str) -> Floats:
        """Return the probability of one class, shape (origins, horizon)."""
        values: Floats = self.probabilities[:, :, self.classes.index(name)]
        return values


def price_text(price: float) -> str:
    """Write a price as people read it: with cents, and below one with the digits that tell small ones apart."""
    return f"{price:,.2f}" if abs(price) >= 1 else f"{price:.4g}"


def column_key(column: str) -> str:
    """Return a price column's name as tables and arrays have it: `adj_close` for Adj Close."""
    return column.lower().replace(" ", "_")
