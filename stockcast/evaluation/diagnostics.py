"""Does a forecast know the direction, or is it yesterday's price?"""

from dataclasses import dataclass

import numpy as np

from stockcast.evaluation.classification import accuracy, confusion
from stockcast.forecast import Forecast
from stockcast.typing import Floats, Labels

TREND_LABELS = ("down", "flat", "up")
FLAT = 0.02
"""Largest move, as a share of the last close, that is called flat."""

_MAX_LAG = 5
_MIN_CORRELATION = 0.2  # a smaller one gives no warning, however many the days


@dataclass(frozen=True)
class Trend:
    """Direction over the whole horizon, from the origin to the last day forecast.

    Attributes:
        labels: down, flat, up.
        threshold: share of the last close within which a move is flat.
        confusion: counts, rows actual, columns forecast, in the order of the labels.
        accuracy: share of origins with the right label.
        always_up: share of origins after which the price was up.
    """

    labels: tuple[str, ...]
    threshold: float
    confusion: list[list[int]]
    accuracy: float
    always_up: float


def trend_of(forecast: Forecast, actual: Floats) -> Trend:
    """Compare the direction of the median at the last step with that of the price; `actual` is (origins, horizon)."""
    predicted, happened = (_labels(prices[:, -1] / forecast.last_close) for prices in (forecast.median, actual))
    return Trend(
        labels=TREND_LABELS,
        threshold=FLAT,
        confusion=confusion(predicted, happened, classes=3).tolist(),
        accuracy=accuracy(predicted, happened),
        always_up=float(np.mean(happened == 2)),
    )


def _labels(ratio: Floats) -> Labels:
    """0 down, 1 flat, 2 up."""
    return 1 + (ratio > 1 + FLAT).astype(np.intp) - (ratio < 1 - FLAT).astype(np.intp)


@dataclass(frozen=True)
class Lag:
    """How many days the one-day median is behind the price.

    Attributes:
        peak: lag in days at which changes of the median correlate most with those of the price; 0 would be foresight.
            None where one of them never changes, or there are too few origins.
        correlation: at the peak, -1 to 1.
        warning: True where the forecast lags the price: the peak is at a day or more and significant, and the median's
            mean absolute error is not below 99 % of the last close's.
    """

    peak: int | None
    correlation: float | None
    warning: bool


def lag_of(forecast: Forecast, actual: Floats) -> Lag:
    """Measure the lag of the one-day median behind the price, over consecutive origins.

    Changes from day to day are compared, not levels: the levels of two drifting prices always correlate.
    """
    predicted, happened = np.diff(np.log(forecast.median[:, 0])), np.diff(np.log(actual[:, 0]))
    # A constant slice has no correlation; these slices are part of those of every lag.
    if len(predicted) < 4 * _MAX_LAG or np.ptp(predicted[_MAX_LAG:]) == 0 or np.ptp(happened[:-_MAX_LAG]) == 0:
        return Lag(None, None, warning=False)
    days = len(predicted)
    correlations = [np.corrcoef(predicted[lag:], happened[: days - lag])[0, 1] for lag in range(_MAX_LAG + 1)]
    peak = int(np.argmax(correlations))
    correlation = float(correlations[peak])
    error = np.mean(np.abs(forecast.median[:, 0] - actual[:, 0]))
    is_useless = error > 0.99 * np.mean(np.abs(forecast.last_close - actual[:, 0]))
    is_significant = correlation > max(_MIN_CORRELATION, 3 / np.sqrt(days))  # three standard errors
    return Lag(peak, correlation, warning=bool(peak >= 1 and is_significant and is_useless))
