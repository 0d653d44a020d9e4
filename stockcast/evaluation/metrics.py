"""Scores as pure functions. Errors and losses are zero for a perfect forecast; the others state their best value.

Everywhere, `actual` has the shape (...) and `quantiles`, in its unit and never decreasing along `levels`, (...,
levels); `levels`, shape (levels,), increase. `median`, `lower` and `upper` are prices of the shape of `actual`.
"""

import numpy as np

from stockcast.typing import Floats

MIN_WIDTH = 1e-6
"""Width added to a whole forecast, in the unit of its quantiles: quantiles that coincide need a density too."""

MIN_PITS = 10
"""Fewest forecasts without overlap for a test of uniformity."""


def pinball(quantiles: Floats, actual: Floats, levels: Floats) -> Floats:
    """Pinball loss of each quantile, in the unit of `actual`; >= 0, lower is better (Koenker & Bassett 1978).

    Level x miss where the actual is above, (1 - level) x miss where it is below. Shape (..., levels).
    """
    miss = actual[..., None] - quantiles
    return np.asarray(np.maximum(levels * miss, (levels - 1) * miss))


def crps(quantiles: Floats, actual: Floats, levels: Floats) -> Floats:
    """Continuous ranked probability score, in the unit of `actual`; >= 0, lower is better.

    Twice the integral of the pinball loss over the levels (Gneiting & Ranjan 2011), by the trapezoid rule between the
    outermost levels given; the tails beyond them are left out, for every forecast alike. Of the median alone it is the
    absolute error, the score of a forecast that is certain. Shape (...).
    """
    losses = pinball(quantiles, actual, levels)
    return 2 * np.asarray(losses[..., 0] if len(levels) == 1 else np.trapezoid(losses, levels, axis=-1))


def log_score(quantiles: Floats, actual: Floats, levels: Floats) -> Floats:
    """Minus the log of the density at `actual`, in nats; any sign, lower is better (Good 1952).

    The density is constant between neighbouring quantiles and has exponential tails beyond the outermost, as in
    Quinonero-Candela et al. (2006); it integrates to 1. The scale of a tail is that of the Laplace distribution through
    the outermost quantile and the median, not that of the neighbouring bin: in a band from few calibration days, the
    outermost quantiles coincide.

    `MIN_WIDTH`, shared evenly over the levels, separates quantiles that coincide, so that no density exceeds
    1 / MIN_WIDTH. On log returns, the score does not depend on the currency; on prices in cents it is log 100 higher
    than on prices in dollars, for every forecast alike. There are at least three levels, the middle one 0.5.
    """
    points, widths, lower, upper = _density(quantiles, levels)
    passed = np.sum(actual[..., None] >= points, axis=-1)  # 0 is the lower tail, len(levels) the upper
    bins = np.clip(passed - 1, 0, len(levels) - 2)
    width = np.take_along_axis(widths, bins[..., None], axis=-1)[..., 0]
    inside = np.log(width / np.diff(levels)[bins])
    below = np.log(lower / levels[0]) + (points[..., 0] - actual) / lower
    above = np.log(upper / (1 - levels[-1])) + (actual - points[..., -1]) / upper
    return np.asarray(np.where(passed == 0, below, np.where(passed == len(levels), above, inside)))


def pit(quantiles: Floats, actual: Floats, levels: Floats) -> Floats:
    """Probability integral transform: the forecast's probability of a value no higher than `actual` (Dawid 1984).

    Unitless, 0 to 1; uniform for calibrated forecasts, too often near 0.5 if bands are too wide and near the ends if
    they are too narrow. It is the area under the density of `log_score`, which takes the same arguments. Shape (...).
    """
    points, widths, lower, upper = _density(quantiles, levels)
    below = levels[0] * np.exp(np.minimum(0, (actual - points[..., 0]) / lower))
    inside = np.clip((actual[..., None] - points[..., :-1]) / widths, 0, 1) @ np.diff(levels)
    above = (levels[-1] - 1) * np.expm1(np.minimum(0, (points[..., -1] - actual) / upper))
    return np.asarray(np.minimum(1, below + inside + above))  # rounding above 1 would be outside of a histogram


def _density(quantiles: Floats, levels: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the density's edges (..., levels), its bins' widths (..., levels - 1) and its tails' scales (...)."""
    points = quantiles + MIN_WIDTH * (levels - 0.5)
    # Not the differences of `points`: next to a price of a billion, MIN_WIDTH is lost to rounding.
    widths = np.diff(quantiles, axis=-1) + MIN_WIDTH * np.diff(levels)
    middle = len(levels) // 2
    lower = widths[..., :middle].sum(axis=-1) / np.log(levels[middle] / levels[0])
    upper = widths[..., middle:].sum(axis=-1) / np.log((1 - levels[middle]) / (1 - levels[-1]))
    return points, widths, lower, upper


def pit_histogram(pit: Floats, bins: int = 10) -> Floats:
    """Share of the transforms, from `pit`, in equal parts of 0 to 1; sums to 1, best is 1 / bins. Shape (bins,)."""
    counts, _ = np.histogram(pit, bins=bins, range=(0, 1))
    return np.asarray(counts / np.size(pit))


def pit_test(pit: Floats, *, horizon: int) -> float | None:
    """P-value of the hypothesis that the transforms are uniform; a low one rejects the forecast's calibration.

    Only every `horizon`-th origin counts, as overlapping forecasts are dependent (Diebold, Gunther & Tay 1998). The
    test is that of Cramer and von Mises, with the finite-sample distribution of Csorgo & Faraway (1996): unlike one on
    bins, it is valid for ten values.

    Args:
        pit: from `pit`, at one number of days ahead, consecutive origins, oldest first, shape (origins,).
        horizon: that number of days, at least 1.

    Returns:
        None if fewer than `MIN_PITS` forecasts do not overlap.
    """
    from scipy.stats import cramervonmises

    apart = pit[::horizon]
    return float(cramervonmises(apart, "uniform").pvalue) if len(apart) >= MIN_PITS else None


def mean_absolute_error(median: Floats, actual: Floats) -> float:
    """Mean of |median - actual|, in price units; >= 0, lower is better."""
    return float(np.mean(np.abs(median - actual)))


def root_mean_squared_error(median: Floats, actual: Floats) -> float:
    """Root of the mean of (median - actual)**2, in price units; >= 0, lower is better."""
    return float(np.sqrt(np.mean((median - actual) ** 2)))


def mean_absolute_percentage_error(median: Floats, actual: Floats) -> float:
    """Mean of |median - actual| / actual, in percent; >= 0, lower is better."""
    return float(100 * np.mean(np.abs(median - actual) / actual))


def mean_absolute_scaled_error(median: Floats, actual: Floats, naive_error: float) -> float | None:
    """Mean of |median - actual| over `naive_error`, unitless; >= 0, lower is better (MASE, Hyndman & Koehler 2006).

    `naive_error` is the mean of |close - the close before| over the training days, in price units. One day ahead, less
    than 1 is a smaller error than that of the last close then. None if it is 0: the training price never moved.
    """
    return mean_absolute_error(median, actual) / naive_error if naive_error > 0 else None


def coverage(lower: Floats, upper: Floats, actual: Floats) -> float:
    """Share of actual prices within the band, ends included; best is the nominal coverage."""
    return float(np.mean((lower <= actual) & (actual <= upper)))


def mean_width(lower: Floats, upper: Floats) -> float:
    """Mean width of the band, in price units; of two bands with the same coverage, the narrower is better."""
    return float(np.mean(upper - lower))


def winkler(lower: Floats, upper: Floats, actual: Floats, coverage: float) -> Floats:
    """Interval score, in price units; >= 0, lower is better (Winkler 1972; Gneiting & Raftery 2007, section 6.2).

    Width of the band, and for an actual price outside it, its distance to the band times 2 / (1 - coverage), with the
    nominal coverage, more than 0 and less than 1. Shape (...).
    """
    outside = np.maximum(0, np.maximum(lower - actual, actual - upper))
    return np.asarray(upper - lower + 2 / (1 - coverage) * outside)


def direction_accuracy(median: Floats, actual: Floats, last_close: Floats) -> float | None:
    """Share of moves whose direction the median has right, where neither median nor price equals the last close.

    None where there is no such move: the random walk forecasts no direction. `last_close` has the shape (origins, 1).
    """
    predicted, happened = _directions(median, actual, last_close)
    return float(np.mean(predicted == happened)) if len(happened) else None


def balanced_direction_accuracy(median: Floats, actual: Floats, last_close: Floats) -> float | None:
    """Mean of the shares of falls and of rises that the median has right, of the same moves as `direction_accuracy`.

    0 to 1, higher is better (Brodersen, Ong, Stephan & Buhmann 2010). Always forecasting up scores 0.5, however often
    prices rose. None where there is no such move, or all of them went the same way.
    """
    predicted, happened = _directions(median, actual, last_close)
    recalls = [np.mean(predicted[happened == sign] == sign) for sign in (-1, 1) if (happened == sign).any()]
    return float(np.mean(recalls)) if len(recalls) == 2 else None


def _directions(median: Floats, actual: Floats, last_close: Floats) -> tuple[Floats, Floats]:
    """Return the signs of the predicted and of the actual moves, where neither is 0, both of shape (moves,)."""
    predicted, happened = np.sign(median - last_close), np.sign(actual - last_close)
    # A rounding error is no direction: exp(0) * close may differ from the close in its last bit.
    predicted = np.where(np.isclose(median, last_close, rtol=1e-12, atol=0), 0, predicted)
    moved = (predicted != 0) & (happened != 0)
    return predicted[moved], happened[moved]
