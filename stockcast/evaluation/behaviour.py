"""What kind of forecast is it: does it know the direction, or is it yesterday's price in disguise?"""

from dataclasses import dataclass

import numpy as np

from stockcast.forecast import Floats, Forecast

TREND_LABELS = ("down", "flat", "up")
FLAT = 0.02
"""A move of no more than this share of the last close, up or down, is called flat."""

_MAX_LAG = 5
_MIN_CORRELATION = 0.2  # less is no resemblance worth a warning, however many the days


@dataclass(frozen=True)
class Trend:
    """Direction of the whole forecast, from the origin to its last day.

    Attributes:
        labels: down, flat, up.
        threshold: share of the last close within which a move is flat.
        confusion: counts, rows what came, columns what was said, in the order of the labels.
        accuracy: share of origins whose label was right.
        always_up: share of origins that went up: what saying "up" every day would have scored.
    """

    labels: tuple[str, ...]
    threshold: float
    confusion: list[list[int]]
    accuracy: float
    always_up: float


def trend_of(forecast: Forecast, actual: Floats) -> Trend:
    """Compare the direction of the median at the last step with what came; `actual` is (origins, horizon) prices."""
    said = _label(forecast.median[:, -1] / forecast.last_close)
    came = _label(actual[:, -1] / forecast.last_close)
    confusion = np.zeros((3, 3), dtype=int)
    np.add.at(confusion, (came, said), 1)
    return Trend(
        labels=TREND_LABELS,
        threshold=FLAT,
        confusion=confusion.tolist(),
        accuracy=float(np.mean(said == came)),
        always_up=float(np.mean(came == 2)),
    )


def _label(ratio: Floats) -> np.ndarray:
    """0 down, 1 flat, 2 up."""
    labels: np.ndarray = 1 + (ratio > 1 + FLAT).astype(int) - (ratio < 1 - FLAT).astype(int)
    return labels


@dataclass(frozen=True)
class Lag:
    """How many days the one-day forecast runs behind the price.

    Attributes:
        peak: shift in days at which changes of the forecast resemble changes of the price most; 0 would be foresight.
            None where forecast or price stand still, or there are too few origins to tell.
        correlation: at the peak, -1 to 1.
        warning: True where the forecast trails the price: the peak lies a day or more behind, is no accident, and the
            median is not nearer to what came than the last close is, by more than a hundredth.
    """

    peak: int | None
    correlation: float | None
    warning: bool


def lag_of(forecast: Forecast, actual: Floats) -> Lag:
    """Find the lag of the one-day median behind the price, over consecutive origins.

    Changes from day to day are compared, not levels: two prices that drift together always look alike.
    """
    said, came = np.diff(np.log(forecast.median[:, 0])), np.diff(np.log(actual[:, 0]))
    # The slices that all lags share must move: a constant one has no correlation.
    if len(said) < 4 * _MAX_LAG or np.ptp(said[_MAX_LAG:]) == 0 or np.ptp(came[:-_MAX_LAG]) == 0:
        return Lag(None, None, warning=False)
    correlations = [np.corrcoef(said[lag:], came[: len(came) - lag])[0, 1] for lag in range(_MAX_LAG + 1)]
    peak = int(np.argmax(correlations))
    strength = float(correlations[peak])
    miss = np.mean(np.abs(forecast.median[:, 0] - actual[:, 0]))
    useless = miss > 0.99 * np.mean(np.abs(forecast.last_close - actual[:, 0]))
    by_chance = 3 / np.sqrt(len(said))  # three standard errors
    trails = peak >= 1 and strength > max(_MIN_CORRELATION, by_chance)
    return Lag(peak, strength, warning=bool(trails and useless))
