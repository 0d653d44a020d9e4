"""Hansen's skewed Student-t of every day ahead: mean, deviation, degrees of freedom and skewness.

Hansen (1994), "Autoregressive conditional density estimation", International Economic Review 35(3): a density of mean 0
and variance 1 for any degrees of freedom and skewness lambda, and a Student-t at lambda = 0. The density of Fernandez
and Steel (1998) is not used: its mean and variance change with the skewness, so a gradient step on one parameter would
undo another. GJR-GARCH-skewt, the strongest baseline, uses Hansen's as well.
"""

from math import log, pi

import numpy as np

from stockcast.models.heads.head import Head, Tensor
from stockcast.models.heads.student_t import (
    FIRST_RAW_DEGREES,
    LOCATION_UNIT,
    MAX_LOG_SCALE,
    MIN_DEGREES,
    MIN_SCALE,
    log_gamma,
)
from stockcast.typing import Floats

MAX_SKEWNESS = 0.9
"""Of Hansen's lambda, which lies between -1 and 1; at 0.9 one side is 19 times as wide as the other."""


def skewed_t_nll(targets: Tensor, outputs: Tensor) -> Tensor:
    """Mean over the horizon of minus Hansen's log density, in nats, shape (batch,).

    The outputs are mean, log of the deviation, degrees of freedom and skewness, before their bounds are applied.
    """
    from keras import ops

    mean = LOCATION_UNIT * outputs[..., 0]
    deviation = ops.exp(ops.minimum(outputs[..., 1], MAX_LOG_SCALE)) + MIN_SCALE
    degrees = ops.softplus(outputs[..., 2] + FIRST_RAW_DEGREES) + MIN_DEGREES
    skewness = MAX_SKEWNESS * ops.tanh(outputs[..., 3])
    # Hansen's equations (10) to (13), with his c in logs.
    log_c = log_gamma((degrees + 1) / 2) - log_gamma(degrees / 2) - 0.5 * (log(pi) + ops.log(degrees - 2))
    a = 4 * skewness * ops.exp(log_c) * (degrees - 2) / (degrees - 1)
    b = ops.sqrt(1 + 3 * skewness**2 - a**2)
    shifted = b * (targets - mean) / deviation + a
    z = shifted / (1 + ops.where(shifted < 0, -skewness, skewness))
    log_density = (
        ops.log(b) + log_c - 0.5 * (degrees + 1) * ops.log1p(z * z / (degrees - 2)) - ops.log(deviation)
    )  # fmt: skip
    return -ops.mean(log_density, axis=-1)


def _quantiles(outputs: Floats, levels: Floats) -> Floats:
    from scipy.special import gammaln, stdtrit

    raw_mean, raw_deviation, raw_degrees, raw_skewness = np.moveaxis(outputs.astype(np.float64), -1, 0)[..., None]
    deviation = np.exp(np.minimum(raw_deviation, MAX_LOG_SCALE)) + MIN_SCALE
    degrees = np.logaddexp(0, raw_degrees + FIRST_RAW_DEGREES) + MIN_DEGREES
    skewness = MAX_SKEWNESS * np.tanh(raw_skewness)
    c = np.exp(gammaln((degrees + 1) / 2) - gammaln(degrees / 2)) / np.sqrt(pi * (degrees - 2))
    a = 4 * skewness * c * (degrees - 2) / (degrees - 1)
    b = np.sqrt(1 + 3 * skewness**2 - a**2)
    # Each side is half a Student-t; the lower one has the probability (1 - lambda) / 2.
    below = levels < (1 - skewness) / 2
    side = 1 + np.where(below, -skewness, skewness)
    within = np.where(below, levels / side, 1 - (1 - levels) / side)
    z = side * np.sqrt((degrees - 2) / degrees) * stdtrit(degrees, within)
    quantiles: Floats = LOCATION_UNIT * raw_mean + deviation * (z - a) / b
    return quantiles


SKEWED_T = Head("skewed_t", 4, skewed_t_nll, _quantiles, has_bands=True, start=(0.0, 0.0, 0.0, 0.0))
