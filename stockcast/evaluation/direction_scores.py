"""A classifier of the direction and its baselines scored alike, at each reported number of days ahead."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from stockcast.evaluation import classification
from stockcast.evaluation.classification import Reliability
from stockcast.evaluation.scores import by_reported_step, reported_steps, skill
from stockcast.evaluation.significance import SkillTest, diebold_mariano
from stockcast.forecast import Directions
from stockcast.frequency import DAILY, Frequency
from stockcast.typing import Floats, Labels

SHARES, ALWAYS_UP = "training_shares", "always_up"
"""The baselines: the class shares of the training days as probabilities, and a probability of up of 1 every day."""


@dataclass(frozen=True)
class DirectionScores:
    """The scores of one classifier; see `stockcast.evaluation.classification` for unit and sign of each.

    Attributes:
        brier: mean over the forecasts.
        log_loss: mean over the forecasts; None for probabilities of 0 and 1, where it has no finite value.
        accuracy: share of forecasts whose likeliest class is the actual one.
        balanced_accuracy: mean of the next; None where a class never occurs.
        accuracy_by_class: by class, the share of its days on which it is forecast; None where it never occurs.
        confusion: counts, rows actual, columns forecast, in the order of the classes.
    """

    brier: float
    log_loss: float | None
    accuracy: float
    balanced_accuracy: float | None
    accuracy_by_class: dict[str, float | None]
    confusion: list[list[int]]


@dataclass(frozen=True)
class Moves:
    """How often the likelier of down and up is the actual direction, where the price is not flat.

    A network that knows when prices move has better probabilities of down, flat and up without any idea of the
    direction; these shares count the direction alone.

    Attributes:
        count: forecasts after which the price was not flat.
        right: share of them where the actual direction had the higher probability of the two; None if there are none.
        up: share of them where the price went up; None if there are none.
    """

    count: int
    right: float | None
    up: float | None


@dataclass(frozen=True)
class DirectionComparison:
    """The network and the baselines at one number of days ahead, or over all of them.

    Attributes:
        model, baselines: scores of the network, and of each baseline.
        skill: against the training shares, 1 - brier(network) / brier(shares); > 0 if the network is better; None if
            the latter is 0. There is none against "always up": any forecast beats its Brier score.
        tests: by baseline, the Diebold-Mariano test; statistic < 0 if the network is better; None where there are too
            few origins, or the forecasts are equal. Against the training shares it is on the Brier score, against
            "always up" on the share of wrong classes.
        came: share of each class among the actual ones.
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
        frequency: of the bars; days ahead are bars ahead.
        losses: by forecast with a skill, "model" first, the Brier score from every origin as `by_reported_step`
            arranges it.
    """

    classes: tuple[str, ...]
    training_shares: Floats
    horizons: dict[int, DirectionComparison]
    overall: DirectionComparison
    frequency: Frequency = DAILY
    losses: Mapping[str, Floats] = field(default_factory=dict)


def compare_directions(model: Directions, actual: Labels, *, training_shares: Floats) -> DirectionReport:
    """Score the network and its baselines on the same origins.

    Args:
        model: the network's forecast, of consecutive origins, oldest first.
        actual: number of the actual class, shape (origins, horizon).
        training_shares: share of each class on the training days, shape (horizon, classes).
    """
    forecasts = {
        "model": model.probabilities,
        SHARES: np.broadcast_to(training_shares, model.probabilities.shape),
        ALWAYS_UP: np.broadcast_to(np.eye(len(model.classes))[-1], model.probabilities.shape),
    }
    likeliest = {name: classification.likeliest(probabilities) for name, probabilities in forecasts.items()}
    briers = {name: classification.brier(probabilities, actual) for name, probabilities in forecasts.items()}
    classes = len(model.classes)

    def scores(name: str, steps: slice) -> DirectionScores:
        predicted, labels = likeliest[name][:, steps], actual[:, steps]
        by_class = classification.accuracy_by_class(predicted, labels, classes=classes)
        log_loss = None if name == ALWAYS_UP else classification.log_loss(forecasts[name][:, steps], labels)
        return DirectionScores(
            brier=float(briers[name][:, steps].mean()),
            log_loss=None if log_loss is None else float(log_loss.mean()),
            accuracy=classification.accuracy(predicted, labels),
            balanced_accuracy=classification.balanced_accuracy(predicted, labels, classes=classes),
            accuracy_by_class=dict(zip(model.classes, by_class, strict=True)),
            confusion=classification.confusion(predicted, labels, classes=classes).tolist(),
        )

    def at(steps: slice, *, horizon: int) -> DirectionComparison:
        own, shares, up = (scores(name, steps) for name in forecasts)
        losses = {
            SHARES: [briers[name][:, steps].mean(axis=1) for name in ("model", SHARES)],
            ALWAYS_UP: [(likeliest[name] != actual)[:, steps].mean(axis=1) for name in ("model", ALWAYS_UP)],
        }
        return DirectionComparison(
            model=own,
            baselines={SHARES: shares, ALWAYS_UP: up},
            skill={SHARES: skill(own.brier, shares.brier)},
            tests={name: diebold_mariano(*pair, horizon=horizon) for name, pair in losses.items()},
            came={name: float(np.mean(actual[:, steps] == number)) for number, name in enumerate(model.classes)},
            moves=_moves(model.probabilities[:, steps], actual[:, steps]) if classes == 3 else None,
            reliability={
                name: classification.reliability(model.of(name)[:, steps], actual[:, steps] == number)
                for number, name in enumerate(model.classes)
            },
        )

    steps = reported_steps(model.horizon, model.frequency)
    return DirectionReport(
        classes=model.classes,
        training_shares=training_shares,
        horizons={step: at(slice(step - 1, step), horizon=step) for step in steps},
        overall=at(slice(None), horizon=model.horizon),
        frequency=model.frequency,
        losses={name: by_reported_step(briers[name], steps) for name in ("model", SHARES)},
    )


def _moves(probabilities: Floats, actual: Labels) -> Moves:
    moved = actual != 1
    if not moved.any():
        return Moves(0, None, None)
    up = actual[moved] == 2
    likelier_up = (probabilities[..., 2] > probabilities[..., 0])[moved]
    return Moves(int(moved.sum()), float(np.mean(likelier_up == up)), float(np.mean(up)))
