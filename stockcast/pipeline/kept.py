"""What a run keeps of its test days, price or direction, as the losses of its forecasts, origin by origin."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from stockcast.evaluation.classification import brier, likeliest
from stockcast.evaluation.metrics import crps
from stockcast.forecast import Dates, Floats, Labels
from stockcast.runs.forecasts import stored_directions, stored_forecast

_PROMISED = 0.9


@dataclass(frozen=True)
class Kept:
    """The forecasts of one run, scored.

    Attributes:
        origin_dates: the last day known, shape (origins,).
        target_dates: the days forecast, shape (origins, horizon).
        came: the prices that came, or the numbers of the classes that did, shape (origins, horizon).
        classes: names of the directions; none of a run that says prices.
        losses: CRPS of log returns, or Brier score of the probabilities, shape (origins, horizon).
        hits: whether the price came into the 90 % band, or the likeliest direction came, shape (origins, horizon).
        plain: what `hits` is held against: the 90 % that is promised, or whether it went up, shape (origins, horizon).
    """

    origin_dates: Dates
    target_dates: Dates
    came: Floats | Labels
    classes: tuple[str, ...]
    losses: Floats
    hits: npt.NDArray[np.bool_]
    plain: Floats

    @property
    def horizon(self) -> int:
        """Trading days forecast from each origin."""
        return int(self.target_dates.shape[1])

    def part(self, dates: Dates, *, horizon: int) -> "Kept":
        """Return what was forecast from these days, no further ahead than `horizon`."""
        rows = np.flatnonzero(np.isin(self.origin_dates, dates))
        return Kept(
            self.origin_dates[rows],
            self.target_dates[rows, :horizon],
            self.came[rows, :horizon],
            self.classes,
            self.losses[rows, :horizon],
            self.hits[rows, :horizon],
            self.plain[rows, :horizon],
        )

    def answers_as(self, other: "Kept") -> bool:
        """Whether both say the same of the same days, so that their losses can be told from each other."""
        return (
            self.classes == other.classes
            and np.array_equal(self.target_dates, other.target_dates)
            and np.allclose(self.came, other.came, rtol=1e-9)
        )


def kept_prices(run: Path) -> Kept | None:
    """Return what a run that says prices keeps; None if it keeps no forecasts.

    Raises:
        RunError: the file is damaged.
    """
    found = stored_forecast(run)
    if found is None:
        return None
    forecast, actual = found
    returns = np.log(actual / forecast.last_close[:, None])
    lower, upper = forecast.band(_PROMISED)
    return Kept(
        forecast.origin_dates,
        forecast.target_dates,
        actual,
        (),
        crps(forecast.log_returns(), returns, forecast.levels),
        (lower <= actual) & (actual <= upper),
        np.full(actual.shape, _PROMISED),
    )


def kept_directions(run: Path) -> Kept | None:
    """Return what a run that says the direction keeps; None if it keeps no forecasts.

    Raises:
        RunError: the file is damaged.
    """
    found = stored_directions(run)
    if found is None:
        return None
    said, came = found
    return Kept(
        said.origin_dates,
        said.target_dates,
        came,
        said.classes,
        brier(said.probabilities, came),
        likeliest(said.probabilities) == came,
        (came == len(said.classes) - 1).astype(np.float64),
    )
