"""What a head says, as numbers that can be explained, and the score by which its inputs are missed.

heads that say prices      the spread and the middle of a day's returns    CRPS
heads that say one number  the middle                                      CRPS
heads that say directions  the chance of up                                Brier
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from stockcast.evaluation.classification import brier
from stockcast.evaluation.metrics import crps
from stockcast.evaluation.scores import REPORTED_STEPS
from stockcast.forecast import LEVELS, Days, Floats
from stockcast.material import Material
from stockcast.models.heads import Classes
from stockcast.models.inference import Network
from stockcast.models.insight import Statement
from stockcast.pipeline.findings import Score, What

FURTHEST = 20
"""Days ahead whose numbers are explained beside those of the first day, or the last that is answered."""

Losses = Callable[[Floats], Floats]
"""Outputs of shape (origins, horizon, parameters) -> the loss of each origin's forecast, shape (origins,)."""


def statements(material: Material, origin: int) -> list[tuple[What, int, Statement]]:
    """Return the numbers that a forecast from one day says: what each is, its days ahead, and how it is told."""
    steps = sorted({1, min(FURTHEST, material.steps)})
    return [
        (what, step, Statement(partial(of, step - 1), step - 1))
        for what, of in _numbers(material, origin).items()
        for step in steps
    ]


def _numbers(material: Material, origin: int) -> dict[What, Callable[[int, Floats], Floats]]:
    """Return what a head says: (place of the day ahead, outputs of shape (n, horizon, parameters)) -> shape (n,)."""
    if material.head.classes is not None:
        return {"up": partial(_up, material.head.classes)}
    middle = partial(_middle, material, origin)
    return (
        {"spread": partial(_spread, material, origin), "middle": middle}
        if material.head.has_bands
        else {"middle": middle}
    )


def score_of(material: Material) -> Score:
    """Name the score of what the head says."""
    return "CRPS" if material.head.classes is None else "Brier"


def losses(material: Material, network: Network, origins: Days, *, horizon: int) -> Losses:
    """Return what scores the forecasts from these origins, given the windows that they are made from.

    The score is that of `evaluate` before any calibration, averaged over the days ahead that are reported.
    """
    ahead = np.array(sorted({step for step in (*REPORTED_STEPS, horizon) if step <= horizon}))
    of_outputs = (
        _crps(material, origins, ahead)
        if material.head.classes is None
        else _brier(material, material.head.classes, origins, ahead)
    )
    return lambda inputs: of_outputs(material.answered(network, inputs, steps=horizon))


def _spread(material: Material, origin: int, place: int, outputs: Floats) -> Floats:
    """The log of the width of the 90 % band of log returns, shape (n,)."""
    returns = _returns(material, origin, place, outputs, 0.05, 0.95)
    spread: Floats = np.log(returns[:, 1] - returns[:, 0])
    return spread


def _middle(material: Material, origin: int, place: int, outputs: Floats) -> Floats:
    """The median log return in percent, shape (n,)."""
    return 100 * _returns(material, origin, place, outputs, 0.5)[:, 0]


def _up(classes: Classes, place: int, outputs: Floats) -> Floats:
    """The chance of up in percent, shape (n,)."""
    return 100 * classes.chance_of_up(outputs[:, place])


def _returns(material: Material, origin: int, place: int, outputs: Floats, *levels: float) -> Floats:
    """Quantiles of the log return up to one day ahead, shape (n, levels)."""
    origins = np.full(len(outputs), origin)
    quantiles = material.quantiles(outputs, origins, np.array(levels), at=np.array([place]))[:, 0]
    returns: Floats = np.log(quantiles / material.closes[origin])
    return returns


def _crps(material: Material, origins: Days, ahead: Days) -> Losses:
    closes = material.closes[origins][:, None]
    came = np.log(material.closes[origins[:, None] + ahead] / closes)

    def of(outputs: Floats) -> Floats:
        said = material.quantiles(outputs, origins, LEVELS, at=ahead - 1)
        by_origin: Floats = crps(np.log(said / closes[:, :, None]), came, LEVELS).mean(axis=1)
        return by_origin

    return of


def _brier(material: Material, classes: Classes, origins: Days, ahead: Days) -> Losses:
    came = material.labels(classes, origins, steps=int(ahead[-1]))[:, ahead - 1]

    def of(outputs: Floats) -> Floats:
        by_origin: Floats = brier(classes.probabilities(outputs[:, ahead - 1]), came).mean(axis=1)
        return by_origin

    return of
