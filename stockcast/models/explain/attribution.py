"""How much each day and each feature of a window contributes to a forecast."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stockcast.models.explain.activations import run_network, to_tensor
from stockcast.models.explain.gradients import MAX_ACTIVATIONS, Tensor, gradient
from stockcast.typing import Floats

NODES = 32
"""Points of the Gauss-Legendre quadrature of integrated gradients; twice as many change nothing in float32."""

_STEP = 1e-4
"""Step of the finite differences of a statistic, in the unit of a network's raw outputs."""


@dataclass(frozen=True)
class OutputStatistic:
    """A number computed from a network's outputs.

    Attributes:
        of: outputs of shape (n, horizon, parameters), float64 -> the number of each, shape (n,); it may depend on the
            outputs of `step` only.
        step: index of the day ahead, 0 is the first.
    """

    of: Callable[[Floats], Floats]
    step: int


@dataclass(frozen=True)
class Saliency:
    """How much each day and each feature of a window contributes to a number.

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
        """The number at the window minus that at the baseline."""
        return self.value - self.baseline_value

    @property
    def gap(self) -> float:
        """Sum of the integrated gradients minus `change`, in the number's unit."""
        return float(self.integrated.sum()) - self.change


def saliency(
    network: Any, window: Floats, *, baseline: Floats, statistics: Sequence[OutputStatistic]
) -> list[Saliency]:
    """Attribute a network's forecast from one window to the window's days and features.

    A statistic's derivative by the raw outputs comes from finite differences, so it may use any numpy and scipy; its
    derivative by the window follows by the chain rule from the backend's gradient.

    Args:
        network: a keras.Model, (n, window, features) -> (n, horizon, parameters).
        window: shape (window, features).
        baseline: window to compare with, the same shape.
        statistics: the numbers to explain.

    Returns:
        One `Saliency` for each statistic.
    """
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    distance = window - baseline
    points = baseline + np.concatenate([[0.0, 1.0], (nodes + 1) / 2])[:, None, None] * distance
    outputs = run_network(network, points)
    slopes = np.concatenate([_slope(statistic, outputs[1:]) for statistic in statistics])
    gradients = _weighted_gradient(network, np.tile(points[1:], (len(statistics), 1, 1)), slopes)
    saliencies = []
    for statistic, (at_window, *between) in zip(statistics, np.split(gradients, len(statistics)), strict=True):
        before, now = statistic.of(outputs[:2].astype(np.float64))
        mean = np.tensordot(weights / 2, np.array(between, dtype=np.float64), axes=1)
        saliencies.append(Saliency(distance * at_window, distance * mean, float(now), float(before)))
    return saliencies


def _slope(statistic: OutputStatistic, outputs: Floats) -> Floats:
    """Return the derivative of a statistic by each raw output, the shape of `outputs`."""
    slopes = np.zeros(outputs.shape)
    for parameter in np.ndindex(outputs.shape[2:]):
        place = (slice(None), statistic.step, *parameter)
        above, below = outputs.astype(np.float64), outputs.astype(np.float64)
        above[place] += _STEP
        below[place] -= _STEP
        slopes[place] = (statistic.of(above) - statistic.of(below)) / (2 * _STEP)
    return slopes


def _weighted_gradient(network: Any, points: Floats, slopes: Floats) -> Floats:
    """Return the gradient, at each point, of the outputs weighted by `slopes`."""
    kept = points.shape[1] * 12 * sum(getattr(layer, "units", 1) for layer in network._flatten_layers())
    rows = max(1, MAX_ACTIVATIONS // kept)
    parts = []
    for row in range(0, len(points), rows):
        weights = to_tensor(slopes[row : row + rows])

        def weighted(inputs: Tensor, weights: Tensor = weights) -> Tensor:
            return network(inputs, training=False) * weights

        parts.append(gradient(weighted, points[row : row + rows]))
    return np.concatenate(parts)
