"""The interface of every head."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from stockcast.errors import RunError
from stockcast.typing import Floats, Labels

Tensor = Any

Loss = Callable[[Tensor, Tensor], Tensor]
"""(targets, outputs of shape (batch, horizon, parameters)) -> shape (batch,).

Targets have the shape (batch, horizon), or (batch, horizon, columns) for several columns. With sequences an axis of
days follows the batch's, here and in the result.
"""


@dataclass(frozen=True)
class Classes:
    """The directions of a price, and the threshold between them.

    Attributes:
        names: lowest first, ("down", "up") or ("down", "flat", "up"), as in `forecast.csv` and `metrics.json`.
        threshold: the largest move that is flat, in the unit of the targets; 0 for two classes, of which an unchanged
            price is down: it is not above the last close.
    """

    names: tuple[str, ...]
    threshold: float = 0.0

    def labels(self, targets: Floats) -> Labels:
        """Return the index of each target's class, in the shape of `targets`."""
        up = targets > self.threshold
        labels: Labels = up.astype(np.intp)
        return labels if len(self.names) == 2 else labels + (targets >= -self.threshold)

    def probabilities(self, outputs: Floats) -> Floats:
        """Return the probability of each class, shape (..., classes); they add up to 1.

        Args:
            outputs: of the network's sigmoid, shape (..., 1), or of its softmax, shape (..., classes).

        Raises:
            RunError: they are not probabilities.
        """
        values = outputs.astype(np.float64)
        if values.shape[-1] == 1:
            values = np.concatenate([1 - values, values], axis=-1)
        total = values.sum(axis=-1, keepdims=True)
        if not ((values >= 0).all() and np.allclose(total, 1, rtol=0, atol=1e-3)):
            raise RunError("The network's outputs are no probabilities, so its file is damaged. Train again.")
        probabilities: Floats = values / total
        return probabilities

    def chance_of_up(self, outputs: Floats) -> Floats:
        """Return the raw output for the highest class, shape (...); unchecked: slopes are measured around it."""
        up: Floats = outputs[..., -1]
        return up


@dataclass(frozen=True)
class Head:
    """What the last layer's outputs mean.

    Attributes:
        name: in the config.
        parameters: outputs per day ahead.
        loss: what training minimises. A head with an activation gives it the logits instead of the outputs, because
            the logarithm of a probability that was rounded to 0 or 1 is lost.
        quantiles: (outputs of shape (origins, horizon, parameters), levels) -> (origins, horizon, levels), unitless;
            None for a head without prices.
        has_bands: False for a head of single numbers, whose bands come from the calibration days alone.
        activation: `sigmoid` or `softmax`, the network's last layer; None for a linear one.
        start: outputs per day ahead, before any activation, of an untrained network, shape (parameters,); None for
            Keras' own first weights.
        classes: what the probabilities belong to; None for a head of prices.
    """

    name: str
    parameters: int
    loss: Loss
    quantiles: Callable[[Floats, Floats], Floats] | None
    has_bands: bool
    activation: Literal["sigmoid", "softmax"] | None = None
    start: tuple[float, ...] | None = None
    classes: Classes | None = None
