"""What a head is: the last layer's meaning, whichever family it is of."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from stockcast.errors import RunError
from stockcast.forecast import Floats, Labels

Tensor = Any

Loss = Callable[[Tensor, Tensor], Tensor]
"""(answers, outputs of shape (batch, horizon, parameters)) -> shape (batch,).

Answers are of shape (batch, horizon), of several columns (batch, horizon, columns).
"""


@dataclass(frozen=True)
class Classes:
    """The ways that a price can go, and who goes which way.

    Attributes:
        names: lowest first, ("down", "up") or ("down", "flat", "up"), as `forecast.csv` and `metrics.json` name them.
        threshold: a move of no more than this, in the unit of the answers, is flat; 0 where there is no flat. Without
            one, a price that stands still is down: it is not above the last close.
    """

    names: tuple[str, ...]
    threshold: float = 0.0

    def labels(self, answers: Floats) -> Labels:
        """Return which of the classes each answer is, any shape."""
        up = answers > self.threshold
        labels: Labels = up.astype(np.intp)
        return labels if len(self.names) == 2 else labels + (answers >= -self.threshold)

    def probabilities(self, outputs: Floats) -> Floats:
        """Return the probability of each class, shape (..., classes); each row adds up to 1.

        Args:
            outputs: of the network's sigmoid, shape (..., 1), or of its softmax, shape (..., classes).

        Raises:
            RunError: they are no probabilities.
        """
        said = outputs.astype(np.float64)
        if said.shape[-1] == 1:
            said = np.concatenate([1 - said, said], axis=-1)
        total = said.sum(axis=-1, keepdims=True)
        if not ((said >= 0).all() and np.allclose(total, 1, rtol=0, atol=1e-3)):
            raise RunError("The network's answers are no probabilities, so model.onnx is damaged. Train again.")
        shares: Floats = said / total
        return shares

    def chance_of_up(self, outputs: Floats) -> Floats:
        """Return the network's own number for the highest class, shape (...), unchecked, as slopes are measured of it.

        Args:
            outputs: as `probabilities` takes them.
        """
        up: Floats = outputs[..., -1]
        return up


@dataclass(frozen=True)
class Head:
    """One way to answer.

    Attributes:
        name: in the config.
        parameters: numbers per horizon that the last layer gives.
        loss: what training lowers. Of a head with an activation, it takes what goes into that: logits, of which the
            logarithm of a probability is told without rounding it to 0 or 1 first.
        quantiles: (outputs of shape (origins, horizon, parameters), levels) -> (origins, horizon, levels), unitless;
            None for a head that says nothing about how far prices go.
        has_bands: False for a head that says one number, whose bands come from the calibration days alone.
        activation: `sigmoid` or `softmax`, the network's very last layer; None for a linear one.
        start: outputs per horizon, before any activation, of a network that has not learnt anything, shape
            (parameters,); None for one that may start anywhere.
        classes: what the probabilities are of, for a head that says the direction; None for one that says prices.
    """

    name: str
    parameters: int
    loss: Loss
    quantiles: Callable[[Floats, Floats], Floats] | None
    has_bands: bool
    activation: Literal["sigmoid", "softmax"] | None = None
    start: tuple[float, ...] | None = None
    classes: Classes | None = None
