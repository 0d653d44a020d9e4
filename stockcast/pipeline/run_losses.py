"""The losses of a stored evaluation, of prices or directions, origin by origin."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stockcast.evaluation.classification import brier, likeliest
from stockcast.evaluation.metrics import crps
from stockcast.runs.forecasts import stored_directions, stored_forecast
from stockcast.typing import Dates, Floats, Labels

_LEVEL = 0.9


@dataclass(frozen=True)
class RunLosses:
    """The forecasts of one run, scored.

    Attributes:
        origin_dates: the last day known, shape (origins,).
        target_dates: the days forecast, shape (origins, horizon).
        actual: prices, or the numbers of the classes, shape (origins, horizon).
        classes: names of the directions; none of a run that forecasts prices.
        losses: CRPS of log returns, or Brier score of the probabilities, shape (origins, horizon).
        hits: whether the price lay in the 90 % band, or the likeliest direction was the actual one, same shape.
        plain: what `hits` is compared with: the nominal 90 %, or whether the price went up, same shape.
    """

    origin_dates: Dates
    target_dates: Dates
    actual: Floats | Labels
    classes: tuple[str, ...]
    losses: Floats
    hits: npt.NDArray[np.bool_]
    plain: Floats

    @property
    def horizon(self) -> int:
        """Trading days forecast from each origin."""
        return int(self.target_dates.shape[1])

    def part(self, dates: Dates, *, horizon: int) -> "RunLosses":
        """Return what was forecast from these days, no further ahead than `horizon`."""
        rows = np.flatnonzero(np.isin(self.origin_dates, dates))
        names = ("target_dates", "actual", "losses", "hits", "plain")
        parts = {name: getattr(self, name)[rows, :horizon] for name in names}
        return replace(self, origin_dates=self.origin_dates[rows], **parts)

    def has_same_targets(self, other: "RunLosses") -> bool:
        """Whether both have the same targets, so that their losses can be compared."""
        return (
            self.classes == other.classes
            and np.array_equal(self.target_dates, other.target_dates)
            and np.allclose(self.actual, other.actual, rtol=1e-9)
        )


def price_losses(run: Path) -> RunLosses:
    """Return the losses of a run that forecasts prices; RunError if it stores no forecasts, or damaged ones."""
    forecast, actual = stored_forecast(run)
    returns = np.log(actual / forecast.last_close[:, None])
    lower, upper = forecast.band(_LEVEL)
    return RunLosses(
        forecast.origin_dates,
        forecast.target_dates,
        actual,
        (),
        crps(forecast.log_returns(), returns, forecast.levels),
        (lower <= actual) & (actual <= upper),
        np.full(actual.shape, _LEVEL),
    )


def direction_losses(run: Path) -> RunLosses:
    """Return the losses of a run that forecasts directions; errors as `price_losses`."""
    forecast, actual = stored_directions(run)
    return RunLosses(
        forecast.origin_dates,
        forecast.target_dates,
        actual,
        forecast.classes,
        brier(forecast.probabilities, actual),
        likeliest(forecast.probabilities) == actual,
        (actual == len(forecast.classes) - 1).astype(np.float64),
    )
