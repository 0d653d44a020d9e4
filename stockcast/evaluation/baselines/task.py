"""The task that the network and every baseline forecast."""

from dataclasses import dataclass, field

import numpy as np

from stockcast.forecast import LEVELS, Forecast
from stockcast.frequency import DAILY, Frequency
from stockcast.typing import Dates, Days, Floats


@dataclass(frozen=True)
class ForecastTask:
    """Forecast, from each origin, the closes of the next days.

    Attributes:
        dates: all trading days, datetime64[D], shape (days,).
        closes: their prices, shape (days,).
        origins: day indices, rising, shape (origins,), each at least 1 (a day before it); origins + horizon are days,
            whose prices may be NaN where they are not known yet.
        horizon: days ahead.
        training_days: how many of the first days a baseline may estimate constants from, at least 3.
        frequency: of the bars, each of which is called a day here.
        levels: of the quantiles to forecast, increasing, shape (levels,).

    Raises:
        ValueError: no return is known before an origin, or in the training days.
    """

    dates: Dates
    closes: Floats
    origins: Days
    horizon: int
    training_days: int
    frequency: Frequency = DAILY
    levels: Floats = field(default_factory=lambda: LEVELS)

    def __post_init__(self) -> None:
        if self.origins.min() < 1 or self.training_days < 3:
            raise ValueError(f"no returns before origin {self.origins.min()}, or in {self.training_days} training days")

    @property
    def targets(self) -> Days:
        """Day indices to forecast, shape (origins, horizon)."""
        return self.origins[:, None] + np.arange(1, self.horizon + 1)

    @property
    def actual(self) -> Floats:
        """Actual prices, shape (origins, horizon)."""
        return self.closes[self.targets]

    def forecast(self, quantiles: Floats) -> Forecast:
        """Return quantiles of price, shape (origins, horizon, levels), as a forecast of this task."""
        return Forecast(
            origin_dates=self.dates[self.origins],
            target_dates=self.dates[self.targets],
            levels=self.levels,
            quantiles=quantiles,
            last_close=self.closes[self.origins],
            frequency=self.frequency,
        )
