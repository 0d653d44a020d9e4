"""What a forecast loses when one of its inputs is taken away from it by shuffling."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stockcast.forecast import Floats


@dataclass(frozen=True)
class Importance:
    """Permutation importance of every feature (Breiman 2001; Fisher, Rudin & Dominici 2019).

    Attributes:
        loss: mean loss with every feature in its place.
        increases: mean loss with one feature shuffled less `loss`, shape (features, repeats), in the loss's unit; about
            0 for a feature that the forecast does not use, below 0 for one that it would be better off without.
    """

    loss: float
    increases: Floats

    @property
    def means(self) -> Floats:
        """Mean increase of each feature over the repeats, shape (features,)."""
        means: Floats = self.increases.mean(axis=1)
        return means

    @property
    def spreads(self) -> Floats:
        """Standard deviation of each feature's increase from shuffle to shuffle, shape (features,); 0 for one repeat.

        It says what other shuffles of the same origins would have given, not what other years would.
        """
        repeats = self.increases.shape[1]
        if repeats < 2:
            return np.zeros(len(self.increases))
        spreads: Floats = self.increases.std(axis=1, ddof=1)
        return spreads

    @property
    def stands_out(self) -> npt.NDArray[np.bool_]:
        """Whether each feature's mean is more than two of its own deviations from 0, shape (features,)."""
        clear: npt.NDArray[np.bool_] = np.abs(self.means) > 2 * self.spreads
        return clear


def permutation_importance(
    inputs: Floats, losses: Callable[[Floats], Floats], *, repeats: int, seed: int
) -> Importance:
    """Shuffle one feature at a time among the origins, and see what that costs.

    A feature's days within a window stay together and in their order: an origin is given the feature as it stood at
    another origin. Features that say the same stand in for each other, and then none of them looks important.

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
