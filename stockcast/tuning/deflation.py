"""How much of the lead of the best of many trials is luck, and what is left of it.

Of N configs that are all as good as each other, one is the best on some days by chance alone, the further ahead the
larger N is and the more their scores vary. Bailey & Lopez de Prado (2014, "The deflated Sharpe ratio", Journal of
Portfolio Management 40) take off the best score what the best of N without skill is expected to reach: the expected
maximum of N normal variables times their standard deviation. This is done here with a mean score over folds. Where they
take the spread of all trials for that deviation, which counts true differences as luck, the deviation here is the noise
alone: what is left of the scores of a table of trials and folds after the means of its rows and columns.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from stockcast.typing import Floats


@dataclass(frozen=True)
class Gain:
    """How much better the best trial is than the starting config; scores are relative to a baseline's, lower is better.

    Attributes:
        start: mean score of the starting config over the folds.
        best: mean score of the best trial.
        standard_error: of their difference, by its spread over the folds; None for a single fold.
        luck: difference that the best of as many trials without skill is expected to show; None where it cannot be
            estimated: for a single fold, or fewer than two trials that were scored on every one.
        trials: besides the start, pruned ones among them.
    """

    start: float
    best: float
    standard_error: float | None
    luck: float | None
    trials: int

    @property
    def observed(self) -> float:
        """The difference on the folds; above 0 is better than the start."""
        return self.start - self.best

    @property
    def expected(self) -> float | None:
        """The difference that is expected on other days; at or below 0, none is. None where it cannot be estimated."""
        return None if self.luck is None else self.observed - self.luck


def gain_of(start: Floats, best: Floats, scores: Sequence[Floats], *, trials: int) -> Gain:
    """Compare the best trial with the start.

    Args:
        start: scores of the starting config, shape (folds,).
        best: scores of the best trial, the start itself where nothing is better, shape (folds,).
        scores: of every trial that was scored on more than one fold, the start among them: its first folds.
        trials: besides the start, however far they came.
    """
    folds = len(start)
    error = None if folds < 2 else float(np.std(start - best, ddof=1) / sqrt(folds))
    noise = noise_of(scores)
    luck = None if noise is None or folds < 2 else expected_maximum(trials) * noise / sqrt(folds)
    return Gain(float(start.mean()), float(best.mean()), error, luck, trials)


def noise_of(scores: Sequence[Floats]) -> float | None:
    """Return the standard deviation of a score besides what the trial and the fold explain.

    The score of a trial on a fold is taken for a value of the trial, plus one of the fold, plus noise; both values are
    fitted by least squares.

    Args:
        scores: of each trial, those of its first folds, shape (folds of it,).

    Returns:
        None where there are no more scores than values to fit.
    """
    several = [own for own in scores if len(own) > 1]  # a single score fits its trial's value
    if not several:
        return None
    trial = np.repeat(np.arange(len(several)), [len(own) for own in several])
    fold = np.concatenate([np.arange(len(own)) for own in several])
    indicators = np.hstack([trial[:, None] == np.arange(len(several)), fold[:, None] == np.arange(1, fold.max() + 1)])
    values = np.concatenate(several)
    fitted, _, rank, _ = np.linalg.lstsq(indicators.astype(float), values, rcond=None)
    free = len(values) - rank
    residuals = values - indicators @ fitted
    return float(np.sqrt(residuals @ residuals / free)) if free > 0 else None


def expected_maximum(count: int) -> float:
    """Return the mean of the largest of so many independent standard normal variables; 0 for one or none.

    Exact, by integrating x against the density of the maximum; Bailey & Lopez de Prado approximate it.
    """
    from scipy.special import log_ndtr

    if count < 2:
        return 0.0
    x = np.linspace(-10, 10, 20_001)
    log_density = -(x**2) / 2 - 0.5 * np.log(2 * np.pi)
    return float(np.trapezoid(x * count * np.exp(log_density + (count - 1) * log_ndtr(x)), x))
