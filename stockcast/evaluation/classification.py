"""Scores of classifiers as pure functions: probabilities and actual classes in, a number out.

Everywhere, `probabilities` has the shape (..., classes) and sums to 1 along the last axis; `actual` holds the number of
the actual class and `predicted` that of the likeliest one, both of shape (...), as is every score of each forecast.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from stockcast.typing import Floats, Labels

LEAST = 1e-6
"""Smallest probability in the log loss: one actual class with a probability of 0 would outweigh everything else."""


def likeliest(probabilities: Floats) -> Labels:
    """Return the likeliest class, of equals the lowest, shape (...)."""
    return np.asarray(np.argmax(probabilities, axis=-1))


def brier(probabilities: Floats, actual: Labels) -> Floats:
    """Brier score of each forecast, unitless; 0 for certainty that was right, 1 for certainty that was wrong.

    Half the sum over the classes of (probability - 1 for the actual class, else - 0) squared (Brier 1950). Of two
    classes that is the squared error of the probability of up; always forecasting a half scores 0.25.
    """
    happened = np.eye(probabilities.shape[-1])[actual]
    return np.asarray(0.5 * np.sum((probabilities - happened) ** 2, axis=-1))


def log_loss(probabilities: Floats, actual: Labels) -> Floats:
    """Minus the log of the probability of the actual class, in nats; >= 0, lower is better (Good 1952).

    Probabilities below `LEAST` count as that. Of two classes, always forecasting a half scores log 2 = 0.693.
    """
    given = np.take_along_axis(probabilities, actual[..., None], axis=-1)[..., 0]
    return np.asarray(-np.log(np.maximum(given, LEAST)))


def accuracy(predicted: Labels, actual: Labels) -> float:
    """Share of forecasts that are right; 0 to 1, higher is better."""
    return float(np.mean(predicted == actual))


def accuracy_by_class(predicted: Labels, actual: Labels, *, classes: int) -> list[float | None]:
    """Share of the days of each class on which it is forecast (its recall), 0 to 1; None for a class without days."""
    days = [predicted[actual == number] == number for number in range(classes)]
    return [float(np.mean(right)) if len(right) else None for right in days]


def balanced_accuracy(predicted: Labels, actual: Labels, *, classes: int) -> float | None:
    """Mean of `accuracy_by_class`, 0 to 1, higher is better (Brodersen, Ong, Stephan & Buhmann 2010).

    Always forecasting one class scores 1 / classes, however often it occurs. None where a class has no days.
    """
    shares = [share for share in accuracy_by_class(predicted, actual, classes=classes) if share is not None]
    return float(np.mean(shares)) if len(shares) == classes else None


def confusion(predicted: Labels, actual: Labels, *, classes: int) -> Labels:
    """Count the forecasts by actual (rows) and predicted class (columns), shape (classes, classes)."""
    counts = np.zeros((classes, classes), dtype=np.intp)
    np.add.at(counts, (actual, predicted), 1)
    return counts


def class_shares(actual: Labels, *, classes: int) -> Floats:
    """Share of each class over the origins, by days ahead: (origins, horizon) -> (horizon, classes)."""
    return np.asarray(np.eye(classes)[actual].mean(axis=0))


@dataclass(frozen=True)
class Reliability:
    """A point of the reliability curve: forecasts that give a class about the same probability.

    Attributes:
        probability: their mean.
        share: share of them after which the class occurred; best is `probability`.
        count: their number.
    """

    probability: float
    share: float
    count: int


def reliability(probability: Floats, happened: npt.NDArray[np.bool_], *, bins: int = 5) -> list[Reliability]:
    """Group the forecasts of a class by its probability (DeGroot & Fienberg 1983).

    Args:
        probability: of the class, any shape.
        happened: whether it occurred, of the same shape.
        bins: groups of equal size; forecasts of the same probability stay in one group, so there may be fewer.

    Returns:
        The groups, lowest probability first.
    """
    order = np.argsort(probability, axis=None, kind="stable")
    probability, happened = probability.ravel()[order], happened.ravel()[order]
    count = len(probability)
    starts = np.searchsorted(probability, probability[count * np.arange(bins) // bins])  # back to the first of equals
    borders = np.unique([*starts, count])
    return [
        Reliability(float(probability[first:end].mean()), float(happened[first:end].mean()), int(end - first))
        for first, end in pairwise(borders)
    ]
