"""Scores as pure functions. Errors and losses are zero for a perfect forecast; the others say what is best."""

import numpy as np

from stockcast.forecast import Floats

MIN_WIDTH = 1e-6
"""Width added to every forecast as a whole, in the unit of its quantiles: those that coincide need a density too."""

MIN_PITS = 10
"""Forecasts without overlap that a test of uniformity takes."""


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


def log_score(quantiles: Floats, actual: Floats, levels: Floats) -> Floats:
    """Minus the log of the density forecast for `actual`, in nats; any sign, lower is better (Good 1952).

    The density spreads the mass between neighbouring quantiles evenly and has exponential tails beyond the outermost,
    in the manner of Quinonero-Candela et al. (2006); it integrates to 1. A tail holds what its outermost level leaves,
    and its scale is that of the Laplace distribution through the outermost quantile and the median. (The neighbouring
    bin is no guide: a band that few calibration days carry ends in quantiles that coincide.)

    Quantiles that coincide are told apart by `MIN_WIDTH`, shared out evenly over the levels, so that no density
    exceeds 1 / MIN_WIDTH. Log returns give a score that does not depend on the currency; prices in cents give one
    that is log 100 higher than in dollars, for every forecast alike.

    Args:
        quantiles: never decreasing along the levels, shape (..., levels).
        actual: shape (...).
        levels: increasing, at least three, the middle one 0.5, shape (levels,).

    Returns:
        Shape (...).
    """
    points, widths, lower, upper = _density(quantiles, levels)
    passed = np.sum(actual[..., None] >= points, axis=-1)  # 0 is the lower tail, all of them the upper
    bins = np.clip(passed - 1, 0, len(levels) - 2)
    width = np.take_along_axis(widths, bins[..., None], axis=-1)[..., 0]
    inside = np.log(width / np.diff(levels)[bins])
    below = np.log(lower / levels[0]) + (points[..., 0] - actual) / lower
    above = np.log(upper / (1 - levels[-1])) + (actual - points[..., -1]) / upper
    score: Floats = np.where(passed == 0, below, np.where(passed == len(levels), above, inside))
    return score


def pit(quantiles: Floats, actual: Floats, levels: Floats) -> Floats:
    """Probability integral transform: the probability forecast for a value no higher than `actual` (Dawid 1984).

    Unitless, 0 to 1; uniform for forecasts that are calibrated, too often near 0.5 for bands that are too wide and
    near the ends for those too narrow. Linear between the levels, exponential beyond the outermost: the area under the
    density of `log_score`, tails and quantiles that coincide included.

    Args:
        quantiles: never decreasing along the levels, shape (..., levels).
        actual: shape (...).
        levels: increasing, at least three, the middle one 0.5, shape (levels,).

    Returns:
        Shape (...).
    """
    points, widths, lower, upper = _density(quantiles, levels)
    below = levels[0] * np.exp(np.minimum(0, (actual - points[..., 0]) / lower))
    inside = np.clip((actual[..., None] - points[..., :-1]) / widths, 0, 1) @ np.diff(levels)
    above = (levels[-1] - 1) * np.expm1(np.minimum(0, (points[..., -1] - actual) / upper))
    shares: Floats = np.minimum(1, below + inside + above)  # rounding above 1 would fall out of a histogram
    return shares


def _density(quantiles: Floats, levels: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Return the density's edges (..., levels), its bins' widths (..., levels - 1) and its tails' scales (...)."""
    points = quantiles + MIN_WIDTH * (levels - 0.5)
    # Not the points' own differences: a price of a billion swallows what was added.
    widths = np.diff(quantiles, axis=-1) + MIN_WIDTH * np.diff(levels)
    middle = len(levels) // 2
    lower = widths[..., :middle].sum(axis=-1) / np.log(levels[middle] / levels[0])
    upper = widths[..., middle:].sum(axis=-1) / np.log((1 - levels[middle]) / (1 - levels[-1]))
    return points, widths, lower, upper


def pit_histogram(pit: Floats, bins: int = 10) -> Floats:
    """Share of the transforms in each of so many equal parts of 0 to 1; sums to 1, best is 1 / bins in every part.

    Args:
        pit: from `pit`, any shape, at least one value.
        bins: how many parts, at least 1.

    Returns:
        Shape (bins,); the last part includes its upper end.
    """
    counts, _ = np.histogram(pit, bins=bins, range=(0, 1))
    shares: Floats = counts / np.size(pit)
    return shares


def pit_test(pit: Floats, *, horizon: int) -> float | None:
    """P-value of the hypothesis that the transforms are uniform: a low one denies the forecast's calibration.

    Made on every `horizon`-th origin, as forecasts that overlap are alike without being wrong (Diebold, Gunther & Tay
    1998). The test is Cramer and von Mises', with the finite-sample distribution of Csorgo & Faraway (1996): it needs
    neither bins, for which ten values are too few, nor many values.

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

    One day ahead, less than 1 is nearer than the last close was on the training days; more days ahead miss by more.

    Args:
        median: in price units, any shape.
        actual: of the same shape.
        naive_error: mean of |close - the close before| over the training days, in price units.

    Returns:
        None if `naive_error` is 0: the training price never moved.
    """
    return mean_absolute_error(median, actual) / naive_error if naive_error > 0 else None


def coverage(lower: Floats, upper: Floats, actual: Floats) -> float:
    """Share of actual prices within the band, ends included; best is what the band promises."""
    return float(np.mean((lower <= actual) & (actual <= upper)))


def mean_width(lower: Floats, upper: Floats) -> float:
    """Mean width of the band, in price units; of two bands that hold, the narrower is better."""
    return float(np.mean(upper - lower))


def winkler(lower: Floats, upper: Floats, actual: Floats, coverage: float) -> Floats:
    """Interval score, in price units; >= 0, lower is better (Winkler 1972; Gneiting & Raftery 2007, section 6.2).

    Width of the band, and for an actual price outside it, its distance to the band times 2 / (1 - coverage).

    Args:
        lower: shape (...).
        upper: never below `lower`, shape (...).
        actual: shape (...).
        coverage: what the band promises, more than 0 and less than 1.

    Returns:
        Shape (...).
    """
    outside = np.maximum(0, np.maximum(lower - actual, actual - upper))
    score: Floats = upper - lower + 2 / (1 - coverage) * outside
    return score


def direction_accuracy(median: Floats, actual: Floats, last_close: Floats) -> float | None:
    """Share of moves whose direction the median has right, of the moves where median and price left the last close.

    None where the median never leaves it, as the random walk's: it says nothing of direction.
    """
    said, came = _directions(median, actual, last_close)
    return float(np.mean(said == came)) if len(came) else None


def balanced_direction_accuracy(median: Floats, actual: Floats, last_close: Floats) -> float | None:
    """Mean of the shares of falls and of rises that the median has right, of the same moves as `direction_accuracy`.

    0 to 1, higher is better (Brodersen, Ong, Stephan & Buhmann 2010). Always saying "up" scores 0.5, however often
    prices rose.

    Args:
        median: in price units, shape (origins, horizon).
        actual: of the same shape.
        last_close: shape (origins, 1).

    Returns:
        None where the median never leaves the last close, or all those moves went the same way.
    """
    said, came = _directions(median, actual, last_close)
    recalls = [np.mean(said[came == way] == way) for way in (-1, 1) if (came == way).any()]
    return float(np.mean(recalls)) if len(recalls) == 2 else None


def _directions(median: Floats, actual: Floats, last_close: Floats) -> tuple[Floats, Floats]:
    """Return the signs of the moves said and of those that came, where neither is 0, both of shape (moves,)."""
    said, came = np.sign(median - last_close), np.sign(actual - last_close)
    # Ulps do not make a direction: exp(0) * close may differ from the close in its last bit.
    said = np.where(np.isclose(median, last_close, rtol=1e-12, atol=0), 0, said)
    moved = (said != 0) & (came != 0)
    return said[moved], came[moved]
