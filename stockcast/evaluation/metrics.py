"""Scores as pure functions. Each is best, and for all but coverage and direction zero, for a perfect forecast."""

import numpy as np

from stockcast.forecast import Floats


def pinball(quantiles: Floats, actual: Floats, levels: Floats) -> Floats:
    """Pinball loss of each quantile, in the unit of `actual`; >= 0, lower is better (Koenker & Bassett 1978).

    Args:
        quantiles: shape (..., levels).
        actual: shape (...).
        levels: shape (levels,).

    Returns:
        Shape (..., levels): level x miss where the actual is above, (1 - level) x miss where it is below.
    """
    miss = actual[..., None] - quantiles
    loss: Floats = np.maximum(levels * miss, (levels - 1) * miss)
    return loss


def crps(quantiles: Floats, actual: Floats, levels: Floats) -> Floats:
    """Continuous ranked probability score, in the unit of `actual`; >= 0, lower is better.

    Twice the integral of the pinball loss over the levels (Gneiting & Ranjan 2011), by the trapezoid rule
    over the levels given; what lies outside the outermost levels is left out, for every forecast alike.

    Args:
        quantiles: shape (..., levels).
        actual: shape (...).
        levels: increasing, shape (levels,).

    Returns:
        Shape (...).
    """
    return 2 * np.asarray(np.trapezoid(pinball(quantiles, actual, levels), levels, axis=-1))


def mean_absolute_error(median: Floats, actual: Floats) -> float:
    """Mean of |median - actual|, in price units; >= 0, lower is better."""
    return float(np.mean(np.abs(median - actual)))


def root_mean_squared_error(median: Floats, actual: Floats) -> float:
    """Root of the mean of (median - actual)**2, in price units; >= 0, lower is better."""
    return float(np.sqrt(np.mean((median - actual) ** 2)))


def mean_absolute_percentage_error(median: Floats, actual: Floats) -> float:
    """Mean of |median - actual| / actual, in percent; >= 0, lower is better."""
    return float(100 * np.mean(np.abs(median - actual) / actual))


def coverage(lower: Floats, upper: Floats, actual: Floats) -> float:
    """Share of actual prices within the band, ends included; best is what the band promises."""
    return float(np.mean((lower <= actual) & (actual <= upper)))


def mean_width(lower: Floats, upper: Floats) -> float:
    """Mean width of the band, in price units; of two bands that hold, the narrower is better."""
    return float(np.mean(upper - lower))


def direction_accuracy(median: Floats, actual: Floats, last_close: Floats) -> float | None:
    """Share of moves whose direction the median has right, of the moves where median and price left the last close.

    None where the median never leaves it, as the random walk's: it says nothing of direction.
    """
    said, came = np.sign(median - last_close), np.sign(actual - last_close)
    # Ulps do not make a direction: exp(0) * close may differ from the close in its last bit.
    said = np.where(np.isclose(median, last_close, rtol=1e-12, atol=0), 0, said)
    moved = (said != 0) & (came != 0)
    return float(np.mean(said[moved] == came[moved])) if moved.any() else None
