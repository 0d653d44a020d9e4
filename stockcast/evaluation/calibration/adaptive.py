"""Bands that adapt day by day: wider after prices outside them, narrower after prices inside."""

import numpy as np

from stockcast.evaluation.calibration.conformal import COVERAGE, needed_factors
from stockcast.forecast import Forecast
from stockcast.typing import Floats

# Chosen on 14 folds of thirteen series, 1996-2014 (docs/experiments.md): compared with 0.003 at every horizon, the
# coverage of a series' 90 % band is 1.3 points from 90 % on average instead of 1.7, and the interval score is lower.
RATE = 0.02
"""Rate at which the band of one day ahead adapts, in log units per day; that of h days adapts at 1 / sqrt(h) of it, as
overlapping outcomes carry less information."""

MAX_RATIO = 3
"""A horizon adapts to the outcomes of shorter ones down to a third of it. Chosen on two folds of thirteen series before
September 2014, for the default and for many-stocks (docs/experiments.md): compared with horizons that adapt separately,
CRPS is lower at most horizons and higher at none, coverage is the same to half a point, and bands are smooth over the
days ahead."""

ADAPTED_LEVELS: Floats = np.array([(1 - COVERAGE) / 2, 0.5, (1 + COVERAGE) / 2])
"""The quantile levels that `adapted_factors` needs."""


def adapted_factors(forecast: Forecast, actual: Floats, *, rate: float = RATE) -> Floats:
    """Return factors for `scale_bands`, each from outcomes known at its origin alone.

    Each horizon has a log factor of its own, 0 at the first origin. At every later origin the outcomes of the forecasts
    made one, two, ... days before are new, and the log factor takes a step of r * (missed - 0.1), r = rate / sqrt(days
    ahead): missed is 1 if the price was outside the 90 % band as issued, scaled by the factor of its origin, and else
    0, averaged over the horizon and shorter ones, whose outcomes are similar and known sooner (`_weights`). So it
    settles where one band in ten is missed: over n days whose outcomes are all known, the averaged share of misses
    differs from 0.1 by the log factor's change / (n * r). One day ahead has no shorter horizon, so its own share tends
    to 0.1, then that of two days, and so on, but slowly: fifty days ahead have a twentieth of their own weight, and an
    error of their width that shorter horizons do not share is left to the calibration days.

    Averaged, this is the online subgradient step of adaptive conformal inference (Gibbs & Candes 2021), applied to the
    factor itself as in the quantile tracking of Angelopoulos, Candes & Tibshirani 2023, with feedback that is a horizon
    late. Unknown outcomes, and forecasts without a band, change nothing.

    Args:
        forecast: consecutive origins of one series, oldest first, its bands already scaled by `ConformalScaling`.
        actual: actual prices, shape (origins, horizon), NaN where the day has not come.
        rate: how fast bands adapt, see `RATE`; 0 never.

    Returns:
        Unitless, above 0, shape (origins, horizon).

    Raises:
        ValueError: the origins are not consecutive.
    """
    if (forecast.target_dates[:-1, 0] != forecast.origin_dates[1:]).any():
        # In another order, the outcome of row t - h would be known on another day, perhaps after row t's origin.
        raise ValueError("adapting needs consecutive origins: each one the first target day of the origin before it")
    needed = needed_factors(forecast, actual)
    origins, horizon = needed.shape
    rates, weights = rate / np.sqrt(np.arange(1, horizon + 1)), _weights(horizon)
    log_factors = np.zeros((origins, horizon))
    for today in range(1, origins):
        steps = np.arange(min(today, horizon))  # 0 is one day ahead
        issued = today - 1 - steps  # the row whose forecast of that step is for today
        outcomes = needed[issued, steps]
        missed = outcomes > np.exp(log_factors[issued, steps])
        excess = np.where(np.isnan(outcomes), 0.0, missed - (1 - COVERAGE))
        log_factors[today] = log_factors[today - 1] + rates * (weights[:, steps] @ excess)
    return np.exp(log_factors)


def _weights(horizon: int) -> Floats:
    """Return the weights of each horizon's (row's) outcomes from each horizon (column); rows sum to 1.

    They fall with the logarithm of the ratio, from the horizon itself to 0 at a `MAX_RATIO`-th of it. Longer horizons
    have no weight: a forecast of ten days equals that of fifty, cut off.
    """
    logs = np.log(np.arange(1, horizon + 1))
    weights = np.tril(np.maximum(0, 1 - (logs[:, None] - logs) / np.log(MAX_RATIO)))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
