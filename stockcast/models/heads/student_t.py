"""A Student-t distribution of every day ahead: location, scale and degrees of freedom."""

from math import exp, log, pi, sqrt

import numpy as np

from stockcast.models.heads.head import Head, Tensor
from stockcast.typing import Floats


def log_gamma(x: Tensor) -> Tensor:
    """Log of the gamma function for x >= 1; `keras.ops` has none.

    Stirling's series (Abramowitz & Stegun 6.1.41) at x + 4, reduced by the recurrence Gamma(x + 1) = x Gamma(x).
    """
    from keras import ops

    y = x + 4.0
    series = 1 / (12 * y) - 1 / (360 * y**3) + 1 / (1260 * y**5)
    stirling = (y - 0.5) * ops.log(y) - y + 0.5 * log(2 * pi) + series
    return stirling - ops.log(x * (x + 1) * (x + 2) * (x + 3))


LOCATION_UNIT = 0.1
"""Deviations per unit of the location's output. Mean returns are about a tenth of their deviation over weeks (a Sharpe
ratio of 0.4 a year is 0.2 over 50 days); in the unit of the scale, the location overfits the training days' crashes."""

FIRST_DEGREES = 5.0
"""Degrees of freedom at an output of zero, about those of daily returns. The variance is then 1, so that an untrained
network forecasts the unit of the targets: the training days' volatility, or today's."""

MIN_DEGREES = 2.1
"""The variance is infinite at 2 degrees and below."""

MIN_SCALE = 1e-3
"""A thousandth of a day's deviation; keeps the density finite on rows that a vendor repeated."""

MAX_LOG_SCALE = 5.0
"""Bands are at most about a hundred times as wide as the training days'."""

FIRST_SCALE = sqrt((FIRST_DEGREES - 2) / FIRST_DEGREES)
"""Scale of a Student-t of `FIRST_DEGREES` whose variance is 1."""

FIRST_RAW_DEGREES = log(exp(FIRST_DEGREES - MIN_DEGREES) - 1)
"""Softplus of it and `MIN_DEGREES` make `FIRST_DEGREES`."""


def student_t_nll(targets: Tensor, outputs: Tensor) -> Tensor:
    """Mean over the horizon of minus the Student-t log density, in nats, shape (batch,)."""
    from keras import ops

    location = LOCATION_UNIT * outputs[..., 0]
    scale = FIRST_SCALE * ops.exp(ops.minimum(outputs[..., 1], MAX_LOG_SCALE)) + MIN_SCALE
    degrees = ops.softplus(outputs[..., 2] + FIRST_RAW_DEGREES) + MIN_DEGREES
    z = (targets - location) / scale
    log_density = (
        log_gamma((degrees + 1) / 2)
        - log_gamma(degrees / 2)
        - 0.5 * ops.log(pi * degrees)
        - ops.log(scale)
        - 0.5 * (degrees + 1) * ops.log1p(z * z / degrees)
    )
    return -ops.mean(log_density, axis=-1)


def _quantiles(outputs: Floats, levels: Floats) -> Floats:
    from scipy.special import stdtrit

    raw_location, raw_scale, raw_degrees = np.moveaxis(outputs.astype(np.float64), -1, 0)
    scale = FIRST_SCALE * np.exp(np.minimum(raw_scale, MAX_LOG_SCALE)) + MIN_SCALE
    degrees = np.logaddexp(0, raw_degrees + FIRST_RAW_DEGREES) + MIN_DEGREES
    quantiles: Floats = LOCATION_UNIT * raw_location[..., None] + scale[..., None] * stdtrit(degrees[..., None], levels)
    return quantiles


STUDENT_T = Head("student_t", 3, student_t_nll, _quantiles, has_bands=True, start=(0.0, 0.0, 0.0))
