"""Is one forecast better than another by more than luck?"""

from dataclasses import dataclass

import numpy as np

from stockcast.forecast import Floats


@dataclass(frozen=True)
class SkillTest:
    """A two-sided test of equal skill.

    Attributes:
        statistic: below zero if the first forecast had the lower losses; in standard errors.
        p_value: how often luck alone would part two forecasts of equal skill this far.
    """

    statistic: float
    p_value: float


def diebold_mariano(losses: Floats, rival_losses: Floats, *, horizon: int) -> SkillTest | None:
    """Test equal predictive accuracy (Diebold & Mariano 1995).

    Forecasts of `horizon` days made every day overlap, so their losses are alike from day to day. The variance of the
    mean difference therefore comes from its slowest cosine waves, the equal-weighted-cosine estimator of Lazarus,
    Lewis, Stock & Watson (2018), with one wave at most for each stretch of `horizon` days, but no fewer than four; its
    own uncertainty is in the degrees of freedom of Student's t. The small-sample factor is that of Harvey, Leybourne &
    Newbold (1997).

    Args:
        losses: of one forecast, oldest origin first, consecutive origins, shape (origins,).
        rival_losses: of the other, for the same origins, shape (origins,).
        horizon: days ahead, at least 1.

    Returns:
        None if nothing can be tested: fewer than 16 origins or 2 horizons of them, or a difference that never varies
        by more than rounding.
    """
    from scipy.special import stdtr

    difference = losses - rival_losses
    count = len(difference)
    rounding = 1e-9 * np.mean(np.abs(losses) + np.abs(rival_losses))
    if count < max(16, 2 * horizon) or np.ptp(difference) <= rounding:
        return None
    waves = max(4, int(min(0.4 * count ** (2 / 3), count / horizon)))
    middles = (np.arange(count) + 0.5) / count
    cosines = np.sqrt(2 / count) * np.cos(np.pi * np.arange(1, waves + 1)[:, None] * middles)
    variance = np.mean((cosines @ difference) ** 2)  # long-run, of one difference
    correction = (count + 1 - 2 * horizon + horizon * (horizon - 1) / count) / count
    statistic = float(np.mean(difference) / np.sqrt(variance / count) * np.sqrt(correction))
    return SkillTest(statistic, float(2 * stdtr(waves, -abs(statistic))))


def holm(p_values: list[float]) -> list[float]:
    """Correct p-values for having made several tests (Holm 1979), in the order given."""
    order = np.argsort(p_values)
    factors = np.arange(len(p_values), 0, -1)
    corrected = np.minimum(1, np.maximum.accumulate(np.array(p_values)[order] * factors))
    return [float(p) for p in corrected[np.argsort(order)]]
