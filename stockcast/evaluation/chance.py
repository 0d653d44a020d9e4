"""How far the share of outcomes that calibrated forecasts have in some part of their distribution strays by chance."""

from functools import cache

import numpy as np

from stockcast.typing import Floats

_NODES = 64
"""Points of the Gauss-Legendre quadrature of a probability; twice as many change the ninth digit of 250 days ahead."""

_FURTHEST = 8.0
"""Of the normal distribution, in standard deviations: beyond lies a probability of 1e-15."""


def share_error(lower: float, upper: float, *, origins: int, horizon: int, spacing: int = 1) -> float:
    """Standard error of the share of outcomes between two quantiles of their forecasts, all of them calibrated.

    Forecasts of several days ahead from consecutive origins overlap: their outcomes share days, and a year of them
    counts for less than 250. They are taken as those of a random walk with independent normal days. From origins k days
    apart, they are then two normal numbers with a correlation of 1 - k / horizon, and none from the horizon on (that
    optimal forecasts of h days depend for h - 1 is in Diebold, Gunther & Tay 1998). The variance of a mean of such a
    sequence is that of one outcome and twice the covariances, each as often as it occurs.

    Args:
        lower: level of the lower quantile, 0 to 1.
        upper: level of the upper one, above `lower`.
        origins: their number, at least 1.
        horizon: days ahead, at least 1.
        spacing: days from one origin to the next, at least 1.
    """
    share = upper - lower
    apart = np.arange(1, min(-(-horizon // spacing), origins))  # those that share days
    both = _both_inside(lower, upper, 1 - apart * spacing / horizon)
    covariances = (1 - apart / origins) * (both - share**2)
    variance = share * (1 - share) + 2 * covariances.sum()
    return float(np.sqrt(max(variance, 0.0) / origins))  # below 0 by rounding, where all outcomes are inside


def _both_inside(lower: float, upper: float, correlations: Floats) -> Floats:
    """Return the probability that each of two normal numbers lies between its quantiles, by their correlation."""
    from scipy.special import ndtr, ndtri

    low, high = np.clip(ndtri([lower, upper]), -_FURTHEST, _FURTHEST)
    nodes, weights = _quadrature()
    first = low + (nodes + 1) * (high - low) / 2
    density = np.exp(-(first**2) / 2) / np.sqrt(2 * np.pi) * weights * (high - low) / 2
    means, deviations = correlations[:, None] * first, np.sqrt(1 - correlations[:, None] ** 2)
    second = ndtr((high - means) / deviations) - ndtr((low - means) / deviations)
    return np.asarray(second @ density)


@cache
def _quadrature() -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return nodes, weights
