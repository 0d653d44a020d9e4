"""What moved a network's answer, and how far back in time its loss's gradient reaches.

All of it is computed from a network that stays as it is, and handed on as numpy arrays.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stockcast.forecast import Floats
from stockcast.models.backend import load_keras
from stockcast.models.firing import hidden_layers, run, tensor, unroll
from stockcast.models.gradients import Tensor, gradient

NODES = 32
"""Points between baseline and window at which integrated gradients look. Gauss-Legendre: for a function as smooth as a
network along a straight line, twice as many change nothing that float32 can show."""

_NUDGE = 1e-4
"""Step of the differences by which a statement's own slope is measured, in the unit of a network's raw outputs."""

_MOST_NUMBERS = 100_000_000
"""Activations that a gradient keeps at a time: 400 MB."""


@dataclass(frozen=True)
class Statement:
    """One number that a forecast says.

    Attributes:
        of: outputs of shape (n, horizon, parameters), float64 -> that number for each, shape (n,). Only the outputs of
            `step` may matter.
        step: index of the day ahead, 0 is the first.
    """

    of: Callable[[Floats], Floats]
    step: int


@dataclass(frozen=True)
class Saliency:
    """How much each day and each feature of one window moved one number.

    Attributes:
        gradient_x_input: slope at the window times the distance from the baseline, in the number's unit, shape
            (window, features).
        integrated: integrated gradients (Sundararajan, Taly & Yan 2017), in the number's unit, shape (window,
            features); they add up to `value` - `baseline_value`.
        value: the number at the window.
        baseline_value: the number at the baseline.
    """

    gradient_x_input: Floats
    integrated: Floats
    value: float
    baseline_value: float

    @property
    def change(self) -> float:
        """What there is to explain: the number at the window less that at the baseline."""
        return self.value - self.baseline_value

    @property
    def gap(self) -> float:
        """By how much the integrated gradients miss `change`, in the number's unit."""
        return float(self.integrated.sum()) - self.change


def saliency(network: Any, window: Floats, *, baseline: Floats, statements: Sequence[Statement]) -> list[Saliency]:
    """Attribute what a network says of one window to the window's days and features.

    The slope of a statement in the network's raw outputs is measured by differences, and its slope in the window comes
    from the backend by the chain rule; so a statement may use any numpy and scipy.

    Args:
        network: a keras.Model, (n, window, features) -> (n, horizon, parameters).
        window: shape (window, features).
        baseline: what the window is held against, the same shape.
        statements: what to explain.

    Returns:
        One `Saliency` for each statement.
    """
    places, shares = np.polynomial.legendre.leggauss(NODES)
    along = np.concatenate([[0.0, 1.0], (places + 1) / 2])[:, None, None]
    points = baseline + along * (window - baseline)
    outputs = run(network, points)
    slopes = np.concatenate([_slope(one, outputs[1:]) for one in statements])
    pulled = _pull_back(network, np.tile(points[1:], (len(statements), 1, 1)), slopes)
    distance = window - baseline
    found = []
    for one, (own, *others) in zip(statements, np.split(pulled, len(statements)), strict=True):
        before, now = one.of(outputs[:2].astype(np.float64))
        mean = np.tensordot(shares / 2, np.array(others, dtype=np.float64), axes=1)
        found.append(Saliency(distance * own, distance * mean, float(now), float(before)))
    return found


def _slope(statement: Statement, outputs: Floats) -> Floats:
    """Return the derivative of a statement by each raw output, the shape of `outputs`."""
    slopes = np.zeros(outputs.shape)
    for parameter in np.ndindex(outputs.shape[2:]):
        place = (slice(None), statement.step, *parameter)
        above, below = outputs.astype(np.float64), outputs.astype(np.float64)
        above[place] += _NUDGE
        below[place] -= _NUDGE
        slopes[place] = (statement.of(above) - statement.of(below)) / (2 * _NUDGE)
    return slopes


def _pull_back(network: Any, points: Floats, slopes: Floats) -> Floats:
    """Return the gradient, at each point, of the outputs weighted by `slopes`."""
    kept = points.shape[1] * 12 * sum(getattr(layer, "units", 1) for layer in network._flatten_layers())
    rows = max(1, _MOST_NUMBERS // kept)
    parts = []
    for row in range(0, len(points), rows):
        weights = tensor(slopes[row : row + rows])

        def weighted(inputs: Tensor, weights: Tensor = weights) -> Tensor:
            return network(inputs, training=False) * weights

        parts.append(gradient(weighted, points[row : row + rows]))
    return np.concatenate(parts)


def reach(
    network: Any, inputs: Floats, answers: Floats, *, cell: str, loss: Callable[[Tensor, Tensor], Tensor]
) -> Floats | None:
    """Measure how much of the loss's gradient reaches each day of the last recurrent layer, through time alone.

    That layer hands on its last day only, so what reaches an earlier one has come back through its recurrence, day by
    day: there gradients vanish or explode (Bengio, Simard & Frasconi 1994). A number is added to each hidden state,
    and the loss is differentiated by these numbers, at zero.

    Args:
        network: a keras.Model as the factory builds it, no average of several.
        inputs: shape (windows, window, features).
        answers: the right ones, shape (windows, horizon), of several columns (windows, horizon, columns).
        cell: what the factory stacked.
        loss: of the head, (answers, outputs) -> shape (windows,).

    Returns:
        The norm of d loss / d h over the units, for each window and day, oldest day first, shape (windows, window);
        None where the last hidden layer does not step through the days.
    """
    keras = load_keras()
    layers = hidden_layers(network, cell)
    if not layers or not hasattr(layers[-1], "cell"):
        return None
    layer = layers[-1]
    before = keras.Model(network.input, layer.input)
    after = keras.Model([network.input, layer.output], network.output)
    rows = max(1, _MOST_NUMBERS // (12 * inputs.shape[1] * layer.cell.units))
    norms = []
    for row in range(0, len(inputs), rows):
        window, right = tensor(inputs[row : row + rows]), tensor(answers[row : row + rows])
        known = before(window, training=False)

        def told(nudges: Tensor, window: Tensor = window, right: Tensor = right, known: Tensor = known) -> Tensor:
            last = unroll(layer, known, nudges)[:, -1]
            return loss(right, after([window, last], training=False))

        nudges = np.zeros((*inputs[row : row + rows].shape[:2], layer.cell.units))
        norms.append(np.linalg.norm(gradient(told, nudges), axis=2))
    return np.concatenate(norms)
