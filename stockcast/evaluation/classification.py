"""Scores of classifiers as pure functions: probabilities and what came in, a number out.

Everywhere, `probabilities` has the shape (..., classes) and adds up to 1 along the last axis, and `came` holds the
number of the class that came, shape (...). What a forecast says, if it has to say one thing, is its likeliest class.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from stockcast.forecast import Floats, Labels

LEAST = 1e-6
"""A probability below it counts as this in the log loss: one surprise after a certain 0 would outweigh everything."""


def likeliest(probabilities: Floats) -> Labels:
    """Return the likeliest class, of equals the lowest, shape (...)."""
    said: Labels = np.argmax(probabilities, axis=-1)
    return said


def brier(probabilities: Floats, came: Labels) -> Floats:
    """Brier score of each forecast, unitless; 0 for certainty that was right, 1 for certainty that was wrong.

    Half the sum over the classes of (probability - 1 if it came, else - 0) squared (Brier 1950). Of two classes that is
    the squared error of the probability of up; saying a half for ever scores 0.25.

    Returns:
        Shape (...).
    """
    happened = np.eye(probabilities.shape[-1])[came]
    score: Floats = 0.5 * np.sum((probabilities - happened) ** 2, axis=-1)
    return score


def log_loss(probabilities: Floats, came: Labels) -> Floats:
    """Minus the log of the probability given to what came, in nats; >= 0, lower is better (Good 1952).

    Probabilities below `LEAST` count as that. Of two classes, saying a half for ever scores log 2 = 0.693.

    Returns:
        Shape (...).
    """
    given = np.take_along_axis(probabilities, came[..., None], axis=-1)[..., 0]
    loss: Floats = -np.log(np.maximum(given, LEAST))
    return loss


def accuracy(said: Labels, came: Labels) -> float:
    """Share of forecasts whose class came; 0 to 1, higher is better."""
    return float(np.mean(said == came))


def accuracy_by_class(said: Labels, came: Labels, *, classes: int) -> list[float | None]:
    """Share of the days of each class for which it was said (its recall), 0 to 1; None for a class that never came."""
    return [float(np.mean(said[came == one] == one)) if (came == one).any() else None for one in range(classes)]


def balanced_accuracy(said: Labels, came: Labels, *, classes: int) -> float | None:
    """Mean of `accuracy_by_class`, 0 to 1, higher is better (Brodersen, Ong, Stephan & Buhmann 2010).

    Saying the same class every day scores 1 / classes, however often it comes.

    Returns:
        None where a class never came.
    """
    shares = [share for share in accuracy_by_class(said, came, classes=classes) if share is not None]
    return float(np.mean(shares)) if len(shares) == classes else None


def confusion(said: Labels, came: Labels, *, classes: int) -> Labels:
    """Count the forecasts by what came (rows) and what was said (columns), shape (classes, classes)."""
    counts = np.zeros((classes, classes), dtype=np.intp)
    np.add.at(counts, (came, said), 1)
    return counts


def class_shares(came: Labels, *, classes: int) -> Floats:
    """Share of each class over the origins, day ahead by day ahead; `came` is (origins, horizon).

    Returns:
        Shape (horizon, classes); each row adds up to 1.
    """
    shares: Floats = np.eye(classes)[came].mean(axis=0)
    return shares


@dataclass(frozen=True)
class Reliability:
    """Forecasts that gave a class about the same probability, and how often it came (a point of the reliability curve).

    Attributes:
        probability: their mean.
        share: of them, after which the class came; best is `probability`.
        count: how many they are.
    """

    probability: float
    share: float
    count: int


def reliability(probability: Floats, happened: npt.NDArray[np.bool_], *, bins: int = 5) -> list[Reliability]:
    """Sort the forecasts of a class by its probability and look at as many of them at a time (DeGroot & Fienberg 1983).

    Args:
        probability: given to the class, any shape.
        happened: whether it came, of the same shape.
        bins: groups of equal size; forecasts of the same probability stay in one group, so there may be fewer.

    Returns:
        The groups, lowest probability first.
    """
    order = np.argsort(probability, axis=None, kind="stable")
    said, came = probability.ravel()[order], happened.ravel()[order]
    starts = np.searchsorted(said, said[len(said) * np.arange(bins) // bins])  # back to the first of equals
    borders = np.unique([*starts, len(said)])
    return [
        Reliability(float(said[first:end].mean()), float(came[first:end].mean()), int(end - first))
        for first, end in pairwise(borders)
    ]
