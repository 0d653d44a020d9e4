"""How much worse a forecast is when one of its inputs is shuffled."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stockcast.typing import Floats


@dataclass(frozen=True)
class Importance:
    """Permutation importance of every feature (Breiman 2001; Fisher, Rudin & Dominici 2019).

    Attributes:
        loss: mean loss with the features as they are.
        increases: mean loss with one feature shuffled, less `loss`, shape (features, repeats), in the loss's unit;
            about 0 for a feature that the forecast does not use, below 0 for one that makes it worse.
    """

    loss: float
    increases: Floats

    @property
    def means(self) -> Floats:
        """Mean increase of each feature over the repeats, shape (features,)."""
        return np.asarray(self.increases.mean(axis=1))

    @property
    def spreads(self) -> Floats:
        """Standard deviation of each feature's increase over the repeats, shape (features,); 0 for one repeat.

        It is the uncertainty of shuffling these origins, not that of other years.
        """
        if self.increases.shape[1] < 2:
            return np.zeros(len(self.increases))
        return np.asarray(self.increases.std(axis=1, ddof=1))

    @property
    def stands_out(self) -> npt.NDArray[np.bool_]:
        """Whether each feature's mean is more than two of its standard deviations from 0, shape (features,)."""
        return np.asarray(np.abs(self.means) > 2 * self.spreads)


def permutation_importance(
    inputs: Floats, losses: Callable[[Floats], Floats], *, repeats: int, seed: int
) -> Importance:
    """Shuffle one feature at a time among the origins, and measure the increase of the loss.

    A feature's days within a window stay together and in order: an origin gets the feature of another origin's window.
    Of features that correlate, each replaces the other, and then none of them looks important.

    Args:
        inputs: windows, shape (origins, window, features).
        losses: windows of this shape -> the loss of the forecast from each origin, shape (origins,).
        repeats: shuffles of each feature, at least 1; the same ones for every feature.
        seed: of the shuffles.
    """
    origins, _, features = inputs.shape
    whole = losses(inputs)
    random = np.random.default_rng(seed)
    orders = [random.permutation(origins) for _ in range(repeats)]
    increases = np.empty((features, repeats))
    for feature in range(features):
        for repeat, order in enumerate(orders):
            shuffled = inputs.copy()
            shuffled[:, :, feature] = inputs[order, :, feature]
            increases[feature, repeat] = np.mean(losses(shuffled) - whole)
    return Importance(float(whole.mean()), increases)
