"""A classifier and its rivals through the same scoring, horizon by horizon."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stockcast.evaluation import classification
from stockcast.evaluation.classification import Reliability
from stockcast.evaluation.scores import REPORTED_STEPS
from stockcast.evaluation.significance import SkillTest, diebold_mariano
from stockcast.forecast import Directions, Floats, Labels

SHARES, ALWAYS_UP = "training_shares", "always_up"
"""The rivals: the class shares of the training days as probabilities, and saying "up" every day, for certain."""


@dataclass(frozen=True)
class DirectionScores:
    """How one classifier did; see `stockcast.evaluation.classification` for unit and sign of each.

    Attributes:
        brier: mean over the forecasts.
        log_loss: mean over the forecasts; None for one that is certain, of whom no logarithm can be taken.
        accuracy: share of likeliest classes that came.
        balanced_accuracy: mean of the next; None where a class never came.
        accuracy_by_class: by class, the share of its days for which it was said; None where it never came.
        confusion: counts, rows what came, columns what was said, in the order of the classes.
    """

    brier: float
    log_loss: float | None
    accuracy: float
    balanced_accuracy: float | None
    accuracy_by_class: dict[str, float | None]
    confusion: list[list[int]]


@dataclass(frozen=True)
class Moves:
    """Which way prices went, of those that were not flat.

    Knowing when prices move much makes better probabilities of down, flat and up without any idea which way they go;
    here only the way counts.

    Attributes:
        count: forecasts after which the price was not flat.
        right: of them, where the way that came had the higher probability of the two; None if there are none.
        up: of them, where it went up; None if there are none.
    """

    count: int
    right: float | None
    up: float | None


@dataclass(frozen=True)
class DirectionComparison:
    """The network beside its rivals, at one horizon or over all steps.

    Attributes:
        model: the network's scores.
        baselines: each rival's.
        skill: against the training shares, 1 - brier(network) / brier(shares); > 0 if the network is better; None if
            theirs is 0. Who is always certain has a Brier score that everybody beats, so "always up" has none here.
        tests: for each rival, the Diebold-Mariano test; statistic < 0 if the network is better; None where too few
            origins allow none, or both always say the same. Against the training shares it is on the Brier score,
            against "always up" on wrong answers.
        came: share of each class among what came.
        moves: of three classes, see `Moves`; None of two.
        reliability: for each class, the points of its reliability curve.
    """

    model: DirectionScores
    baselines: dict[str, DirectionScores]
    skill: dict[str, float | None]
    tests: dict[str, SkillTest | None]
    came: dict[str, float]
    moves: Moves | None
    reliability: dict[str, list[Reliability]]

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as metrics.json holds it."""
        return asdict(self)


@dataclass(frozen=True)
class DirectionReport:
    """Every comparison of one evaluation of a classifier.

    Attributes:
        classes: their names, lowest first.
        training_shares: share of each class on the training days, shape (horizon, classes).
        horizons: by days ahead.
        overall: pooled over all steps.
    """

    classes: tuple[str, ...]
    training_shares: Floats
    horizons: dict[int, DirectionComparison]
    overall: DirectionComparison


def compare_directions(model: Directions, came: Labels, *, training_shares: Floats) -> DirectionReport:
    """Score the network and its rivals on the same origins.

    Args:
        model: the network's forecast, of consecutive origins, oldest first.
        came: number of the class that came, shape (origins, horizon).
        training_shares: share of each class on the training days, shape (horizon, classes).
    """
    everyone = {
        "model": model.probabilities,
        SHARES: np.broadcast_to(training_shares, model.probabilities.shape),
        ALWAYS_UP: np.broadcast_to(np.eye(len(model.classes))[-1], model.probabilities.shape),
    }
    said = {name: classification.likeliest(one) for name, one in everyone.items()}
    briers = {name: classification.brier(one, came) for name, one in everyone.items()}

    def scores(name: str, steps: slice) -> DirectionScores:
        own, truth, classes = said[name][:, steps], came[:, steps], len(model.classes)
        by_class = classification.accuracy_by_class(own, truth, classes=classes)
        return DirectionScores(
            brier=float(briers[name][:, steps].mean()),
            log_loss=None
            if name == ALWAYS_UP
            else float(classification.log_loss(everyone[name][:, steps], truth).mean()),
            accuracy=classification.accuracy(own, truth),
            balanced_accuracy=classification.balanced_accuracy(own, truth, classes=classes),
            accuracy_by_class=dict(zip(model.classes, by_class, strict=True)),
            confusion=classification.confusion(own, truth, classes=classes).tolist(),
        )

    def at(steps: slice, *, horizon: int) -> DirectionComparison:
        found = {name: scores(name, steps) for name in everyone}
        losses = {
            SHARES: [briers[name][:, steps].mean(axis=1) for name in ("model", SHARES)],
            ALWAYS_UP: [(said[name] != came)[:, steps].mean(axis=1) for name in ("model", ALWAYS_UP)],
        }
        own = found.pop("model")
        return DirectionComparison(
            model=own,
            baselines=found,
            skill={SHARES: 1 - own.brier / found[SHARES].brier if found[SHARES].brier > 0 else None},
            tests={name: diebold_mariano(*pair, horizon=horizon) for name, pair in losses.items()},
            came={name: float(np.mean(came[:, steps] == number)) for number, name in enumerate(model.classes)},
            moves=_moves(model.probabilities[:, steps], came[:, steps]) if len(model.classes) == 3 else None,
            reliability={
                name: classification.reliability(model.of(name)[:, steps], came[:, steps] == number)
                for number, name in enumerate(model.classes)
            },
        )

    steps = sorted({*(step for step in REPORTED_STEPS if step <= model.horizon), model.horizon})
    return DirectionReport(
        classes=model.classes,
        training_shares=training_shares,
        horizons={step: at(slice(step - 1, step), horizon=step) for step in steps},
        overall=at(slice(None), horizon=model.horizon),
    )


def _moves(probabilities: Floats, came: Labels) -> Moves:
    moved = came != 1
    if not moved.any():
        return Moves(0, None, None)
    up = came[moved] == 2
    said_up = (probabilities[..., 2] > probabilities[..., 0])[moved]
    return Moves(int(moved.sum()), float(np.mean(said_up == up)), float(np.mean(up)))
