"""Bands that learn from every day as it comes: the same network, wider after misses and narrower after hits."""

import numpy as np

from stockcast.evaluation.calibration import COVERAGE, needed_factors, stretched
from stockcast.forecast import Floats, Forecast

# Chosen on 14 folds of thirteen series, 1996-2014 (docs/experiments.md): against 0.003 at every horizon, coverage of a
# series' 90 % band strays by 1.3 points instead of 1.7 on average, and the interval score is lower.
RATE = 0.02
"""How far the band of one day ahead adapts, in log units per day; that of h days by 1 / sqrt(h) of it, for outcomes h
days ahead overlap and so tell less each."""

REACH = 3
"""Days ahead learn from those down to a third of them. Chosen on two folds of thirteen series before September 2014,
for the default and for many-stocks (docs/experiments.md): against each for itself, CRPS is lower at most horizons and
higher at none, coverage is the same to half a point, and bands run smoothly over the days ahead."""

LEARNT_FROM: Floats = np.array([(1 - COVERAGE) / 2, 0.5, (1 + COVERAGE) / 2])
"""The levels of a forecast that `adapted_factors` looks at."""


def adapt(forecast: Forecast, actual: Floats, *, rate: float = RATE) -> Forecast:
    """Stretch each forecast by what was known at its origin of how the bands before it fared.

    The factors are those of `adapted_factors`; the median stays as it is.

    Args:
        forecast: consecutive origins of one series, oldest first, its bands already calibrated by a Stretch.
        actual: what came, in price units, shape (origins, horizon), NaN where the day has not come.
        rate: how far a band adapts, in log units per day, at one day ahead; at h days by 1 / sqrt(h) of it; 0 never.

    Raises:
        ValueError: the origins are not consecutive.
    """
    return stretched(forecast, adapted_factors(forecast, actual, rate=rate))


def adapted_factors(forecast: Forecast, actual: Floats, *, rate: float = RATE) -> Floats:
    """Return the factors by which `adapt` stretches, each from outcomes known at its origin alone.

    Each horizon has a log factor of its own, 0 at the first origin. At every later origin the forecasts made one, two,
    ... days before have just come true, and the log factor takes a step of r * (missed - 0.1), r = rate / sqrt(days
    ahead): missed is 1 if the price lay outside the 90 % band as it was issued, with the factor of its time, and else
    0, averaged over the horizon and those little shorter, which mostly tell the same and tell it sooner (`_near`). So
    it rests where one band in ten is missed: over n days whose outcomes are all known, the averaged share of misses
    strays from 0.1 by the log factor's change / (n * r). One day ahead has no shorter one, so its own share tends to
    0.1, and then that of two days, and so on; but slowly: fifty days ahead have a twentieth of their own weight, and an
    error of their width that their neighbours do not share is left to the calibration days.

    Averaged, this is the online subgradient step of adaptive conformal inference (Gibbs & Candes 2021), taken on the
    factor itself as in the quantile tracking of Angelopoulos, Candes & Tibshirani 2023, with feedback that is a horizon
    late. Outcomes that have not come, and forecasts without a band, move nothing.

    Args:
        forecast: as `adapt` takes it.
        actual: as `adapt` takes it.
        rate: as `adapt` takes it.

    Returns:
        Unitless, above 0, shape (origins, horizon).

    Raises:
        ValueError: the origins are not consecutive.
    """
    if (forecast.target_dates[:-1, 0] != forecast.origin_dates[1:]).any():
        # In another order, row t - h would come true on another day than row t's origin, perhaps after it.
        raise ValueError("adapt needs consecutive origins: each one the first target day of the origin before it")
    needed = needed_factors(forecast, actual)
    origins, horizon = needed.shape
    rates, near = rate / np.sqrt(np.arange(1, horizon + 1)), _near(horizon)
    log_factors = np.zeros((origins, horizon))
    for today in range(1, origins):
        steps = np.arange(min(today, horizon))  # 0 is one day ahead
        issued = today - 1 - steps  # the row whose forecast of that step is for today
        outcomes = needed[issued, steps]
        missed = outcomes > np.exp(log_factors[issued, steps])
        surprise = np.where(np.isnan(outcomes), 0.0, missed - (1 - COVERAGE))
        log_factors[today] = log_factors[today - 1] + rates * (near[:, steps] @ surprise)
    return np.exp(log_factors)


def _near(horizon: int) -> Floats:
    """Return how much each horizon (row) learns from each (column), rows summing to 1.

    Weights fall with the logarithm of the ratio, from the horizon itself to none at a `REACH`-th of it. None learns
    from longer ones: a forecast of ten days is that of fifty, cut off.
    """
    logs = np.log(np.arange(1, horizon + 1))
    weights = np.tril(np.maximum(0, 1 - (logs[:, None] - logs) / np.log(REACH)))
    shares: Floats = weights / weights.sum(axis=1, keepdims=True)
    return shares
