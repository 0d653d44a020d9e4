"""Days of low, medium and high volatility, by the returns known on each day."""

import numpy as np
import numpy.typing as npt

from stockcast.typing import Days, Floats

Regimes = npt.NDArray[np.intp]
"""CALM, MIDDLE or STORM, one for each origin."""

CALM, MIDDLE, STORM = range(3)
REGIME_NAMES = ("calm", "middle", "storm")
"""In the order of their numbers."""

VOLATILITY_DAYS = 20
"""Daily returns in the volatility of an origin: about a month."""


def regimes_of(closes: Floats, origins: Days, *, training_days: int) -> Regimes:
    """Sort origins by volatility into the thirds of the training days.

    The volatility of a day is the root mean square of its last 20 log returns, its own included, or of as many as there
    are. So a regime depends on closes up to the origin and on those of the training days alone.

    Args:
        closes: of all days, oldest first, shape (days,).
        origins: day indices, each at least 1, shape (origins,).
        training_days: number of the first days that set the thresholds, at least 2.

    Returns:
        CALM up to the first third of the training days' volatilities, STORM above the second, else MIDDLE, shape
        (origins,). Prices that never change are CALM.

    Raises:
        ValueError: no return is known before an origin, or in the training days.
    """
    if origins.min(initial=1) < 1 or training_days < 2:
        raise ValueError(f"no returns before origin {origins.min(initial=1)}, or in {training_days} training days")
    volatility = _volatility(closes)
    thirds = np.quantile(volatility[: training_days - 1], [1 / 3, 2 / 3])  # training days only: later ones are unknown
    # Equal volatilities may differ by rounding: the limits are raised by more than that.
    return np.searchsorted(thirds * (1 + 1e-9), volatility[origins - 1], side="left")


def _volatility(closes: Floats) -> Floats:
    """Return the volatility of each day from the second on, unitless per day, shape (days - 1,)."""
    squares = np.diff(np.log(closes)) ** 2
    # Each window is summed afresh: a running sum would keep the rounding errors of volatile days.
    padded = np.concatenate([np.zeros(VOLATILITY_DAYS - 1), squares])
    sums = np.lib.stride_tricks.sliding_window_view(padded, VOLATILITY_DAYS).sum(axis=-1)
    counts = np.minimum(np.arange(1, len(squares) + 1), VOLATILITY_DAYS)
    return np.asarray(np.sqrt(sums / counts))
