"""The numbers of a forecast that can be explained, by head, and the score that importance is measured by.

heads with bands    the spread and the middle of the returns up to a day    CRPS
point heads         the middle                                              CRPS
direction heads     the chance of up                                        Brier
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from stockcast.evaluation.classification import brier
from stockcast.evaluation.metrics import crps
from stockcast.evaluation.scores import reported_steps
from stockcast.forecast import LEVELS
from stockcast.forecasting.dataset import SeriesDataset
from stockcast.models.explain.attribution import OutputStatistic
from stockcast.models.heads import Classes
from stockcast.models.inference import Network
from stockcast.pipeline.explanation import What
from stockcast.typing import Days, Floats

FURTHEST = 20
"""Days ahead whose numbers are explained next to those of the first day; the last day of a shorter horizon."""

Losses = Callable[[Floats], Floats]
"""Outputs of shape (origins, horizon, parameters) -> the loss of each origin's forecast, shape (origins,)."""


def output_statistics(dataset: SeriesDataset, origin: int) -> list[tuple[What, int, OutputStatistic]]:
    """Return the numbers of a forecast from one day: what each is, its days ahead, and how it is computed."""
    # (place of the day ahead, outputs of shape (n, horizon, parameters)) -> shape (n,)
    numbers: dict[What, Callable[[int, Floats], Floats]] = {}
    if dataset.head.classes is not None:
        numbers["up"] = partial(_up, dataset.head.classes)
    else:
        if dataset.head.has_bands:
            numbers["spread"] = partial(_spread, dataset, origin)
        numbers["middle"] = partial(_middle, dataset, origin)
    steps = sorted({1, min(FURTHEST, dataset.steps)})
    return [
        (what, step, OutputStatistic(partial(number, step - 1), step - 1))
        for what, number in numbers.items()
        for step in steps
    ]


def losses(dataset: SeriesDataset, network: Network, origins: Days, *, horizon: int) -> Losses:
    """Return the loss of the forecasts from these origins as a function of their windows.

    The score is that of `evaluate` before any calibration, averaged over the days ahead that are reported.
    """
    ahead = np.array(reported_steps(horizon, dataset.prices.frequency))
    classes = dataset.head.classes
    loss = _crps(dataset, origins, ahead) if classes is None else _brier(dataset, classes, origins, ahead)
    return lambda inputs: loss(dataset.outputs_of(network, inputs, steps=horizon))


def _spread(dataset: SeriesDataset, origin: int, place: int, outputs: Floats) -> Floats:
    """The log of the width of the 90 % band of log returns, shape (n,)."""
    returns = _returns(dataset, origin, place, outputs, 0.05, 0.95)
    spread: Floats = np.log(returns[:, 1] - returns[:, 0])
    return spread


def _middle(dataset: SeriesDataset, origin: int, place: int, outputs: Floats) -> Floats:
    """The median log return in percent, shape (n,)."""
    return 100 * _returns(dataset, origin, place, outputs, 0.5)[:, 0]


def _up(classes: Classes, place: int, outputs: Floats) -> Floats:
    """The chance of up in percent, shape (n,)."""
    return 100 * classes.chance_of_up(outputs[:, place])


def _returns(dataset: SeriesDataset, origin: int, place: int, outputs: Floats, *levels: float) -> Floats:
    """Quantiles of the log return up to one day ahead, shape (n, levels)."""
    origins = np.full(len(outputs), origin)
    quantiles = dataset.quantiles(outputs, origins, np.array(levels), at=np.array([place]))[:, 0]
    returns: Floats = np.log(quantiles / dataset.closes[origin])
    return returns


def _crps(dataset: SeriesDataset, origins: Days, ahead: Days) -> Losses:
    closes = dataset.closes[origins][:, None]
    actual = np.log(dataset.closes[origins[:, None] + ahead] / closes)

    def loss(outputs: Floats) -> Floats:
        quantiles = dataset.quantiles(outputs, origins, LEVELS, at=ahead - 1)
        by_origin: Floats = crps(np.log(quantiles / closes[:, :, None]), actual, LEVELS).mean(axis=1)
        return by_origin

    return loss


def _brier(dataset: SeriesDataset, classes: Classes, origins: Days, ahead: Days) -> Losses:
    actual = dataset.labels(classes, origins, steps=int(ahead[-1]))[:, ahead - 1]

    def loss(outputs: Floats) -> Floats:
        by_origin: Floats = brier(classes.probabilities(outputs[:, ahead - 1]), actual).mean(axis=1)
        return by_origin

    return loss
