"""Is one forecast better than another by more than chance? Are any of several?

Everywhere, losses are those of consecutive origins, oldest first, shape (origins,), the same origins for all forecasts;
`horizon` is the number of days ahead, at least 1, and `seed` that of the bootstrap. Of origins that are not
consecutive, `horizon` is what `overlap` returns.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from stockcast.typing import Days, Floats

RESAMPLES = 1000
"""Bootstrap samples of a comparison of several forecasts; its p-values are multiples of about 0.001."""


@dataclass(frozen=True)
class SkillTest:
    """A two-sided test of equal skill.

    Attributes:
        statistic: below zero if the first forecast had the lower losses; in standard errors.
        p_value: how often two forecasts of equal skill differ this much by chance.
    """

    statistic: float
    p_value: float


@dataclass(frozen=True)
class MeanDifference:
    """The mean difference of two forecasts' losses, the first minus the second, and how uncertain it is.

    Attributes:
        mean: below zero if the first forecast had the lower losses, in the losses' unit.
        standard_error: of the mean, above zero.
        degrees: of freedom of Student's t, which the mean follows in standard errors where both are equally good.
    """

    mean: float
    standard_error: float
    degrees: int

    def test(self) -> SkillTest:
        """Test whether the mean differs from zero."""
        from scipy.special import stdtr

        statistic = self.mean / self.standard_error
        return SkillTest(statistic, float(2 * stdtr(self.degrees, -abs(statistic))))

    @property
    def margin(self) -> float:
        """Half the width of the 95 % confidence interval of the mean: it excludes 0 where `test` has p < 0.05."""
        from scipy.special import stdtrit

        return float(stdtrit(self.degrees, 0.975) * self.standard_error)


def mean_difference(losses: Floats, other_losses: Floats, *, horizon: int) -> MeanDifference | None:
    """Compare the losses of two forecasts as `diebold_mariano` does, which explains how; None where it has no test."""
    difference = losses - other_losses
    count = len(difference)
    if count < max(16, 2 * horizon) or np.ptp(difference) <= _rounding(losses, other_losses):
        return None
    waves = max(4, int(min(np.cbrt(count), count / (2 * horizon))))
    variance = np.mean((_cosines(count, waves) @ difference) ** 2)  # long-run, of one difference
    correction = (count + 1 - 2 * horizon + horizon * (horizon - 1) / count) / count
    return MeanDifference(float(np.mean(difference)), float(np.sqrt(variance / count / correction)), waves)


def diebold_mariano(losses: Floats, other_losses: Floats, *, horizon: int) -> SkillTest | None:
    """Test equal predictive accuracy (Diebold & Mariano 1995).

    Losses of neighbouring days are correlated: daily forecasts of `horizon` days overlap, and the better forecast
    changes with the volatility, which stays high or low for months. The variance of the mean difference therefore comes
    from its slowest cosine waves, the equal-weighted-cosine estimator of Lazarus, Lewis, Stock & Watson (2018); the
    estimator's own uncertainty is in the degrees of freedom of Student's t. The small-sample factor is that of Harvey,
    Leybourne & Newbold (1997).

    The number of waves is the cube root of that of the origins, at most one for every two horizons, and at least four.
    Those authors' 0.4 n^(2/3), four times as many at 1000 origins, suits correlations that end within days;
    benchmarks/size.py shows what it makes of volatility, and the power that fewer waves cost.

    Returns:
        None if there is no test: fewer than 16 origins or 2 horizons of them, or a difference that is constant up to
        rounding.
    """
    difference = mean_difference(losses, other_losses, horizon=horizon)
    return None if difference is None else difference.test()


def overlap(origins: Days, steps: int) -> int:
    """Return the most origins within so many days, whose forecasts of `steps` days overlap: the tests' `horizon`.

    Of consecutive origins that is `steps` itself, of one origin every ten days a tenth of it.

    Args:
        origins: day indices, rising, shape (origins,).
        steps: days ahead, at least 1.
    """
    if np.ptp(origins) == len(origins) - 1:
        return steps
    return int((np.searchsorted(origins, origins + steps) - np.arange(len(origins))).max())


def holm(p_values: list[float]) -> list[float]:
    """Correct p-values for the number of tests (Holm 1979), in the order given."""
    order = np.argsort(p_values)
    factors = np.arange(len(p_values), 0, -1)
    corrected = np.minimum(1, np.maximum.accumulate(np.array(p_values)[order] * factors))
    return [float(p) for p in corrected[np.argsort(order)]]


@dataclass(frozen=True)
class ConfidenceSet:
    """The forecasts that may be the best.

    Attributes:
        names: of those that remain, in the order given; the best is missing in at most `size` of such samples.
        p_values: by name, the smallest `size` at which the forecast is dropped; 1 for the last that remains.
    """

    names: tuple[str, ...]
    p_values: dict[str, float]


def superior_predictive_ability(
    losses: Floats, other_losses: Mapping[str, Floats], *, horizon: int, seed: int
) -> float | None:
    """Test whether any of several other forecasts is better (Hansen 2005).

    A small p-value means that at least one of them is; that one of many looks better by chance is allowed for. A large
    one means that none is shown to be better, not that the forecast is the best: for that, it must be alone in
    `model_confidence_set`.

    This is Hansen's consistent p-value, in which much worse forecasts do not blur the others. Each difference enters by
    its `diebold_mariano` test, so that a single other forecast has that test's one-sided p-value; the stationary
    bootstrap gives the dependence between several. See `_compare` for why.

    Returns:
        The p-value, 1 if no other forecast has lower losses. None if there is no test: no other forecast, too few
        origins for `diebold_mariano`, one that differs by a constant, or all of them equal to the forecast.
    """
    others = list(other_losses.values())
    compared = _compare([losses] * len(others), others, horizon=horizon, seed=seed)
    if compared is None:
        return None
    statistics, chance = compared
    hopeless = statistics < -np.sqrt(2 * np.log(np.log(len(losses))))
    by_chance = np.max(chance + np.where(hopeless, statistics, 0), axis=1)
    return _share(np.maximum(by_chance, 0) >= max(statistics.max(), 0))


def model_confidence_set(
    losses: Mapping[str, Floats], *, horizon: int, size: float = 0.1, seed: int
) -> ConfidenceSet | None:
    """Drop forecasts until the rest may be equally good, `size` the chance of losing the best (Hansen et al. 2011).

    Of those that remain, the two that differ most decide: if no two would differ as much by chance, the worse one is
    dropped. Few days leave many names: remaining proves nothing, remaining alone does.

    This is the range statistic. Each pair enters by its `diebold_mariano` test, so that of two forecasts one is dropped
    where that test's p-value is at most `size`; the stationary bootstrap gives the dependence between several pairs.
    See `_compare` for why.

    Returns:
        None if there is no test: fewer than two forecasts, too few origins for `diebold_mariano`, two that differ by a
        constant, or all of them equal. Two equal ones among others are kept or dropped together.
    """
    names, rows = list(losses), list(losses.values())
    first, second = np.triu_indices(len(names), k=1)
    compared = _compare([rows[i] for i in first], [rows[j] for j in second], horizon=horizon, seed=seed)
    if compared is None:
        return None
    statistics = np.zeros((len(names), len(names)))
    chance = np.zeros((RESAMPLES, len(names), len(names)))
    statistics[first, second], chance[:, first, second] = compared
    statistics, chance = statistics - statistics.T, chance - chance.transpose(0, 2, 1)

    remaining = np.arange(len(names))
    p_value, p_values = 0.0, dict.fromkeys(names, 1.0)
    while len(remaining) > 1:
        largest = statistics[np.ix_(remaining, remaining)].max(axis=1)  # of each, against the one furthest ahead of it
        by_chance = chance[:, remaining[:, None], remaining].max(axis=(1, 2))
        p_value = max(p_value, _share(by_chance >= largest.max()))  # the p-values rise from one dropped to the next
        p_values[names[remaining[largest.argmax()]]] = p_value
        remaining = np.delete(remaining, largest.argmax())
    return ConfidenceSet(tuple(name for name in names if p_values[name] > size), p_values)


def _compare(
    losses: list[Floats], other_losses: list[Floats], *, horizon: int, seed: int
) -> tuple[Floats, Floats] | None:
    """Test pairs of forecasts on one scale, and sample what these tests are if all forecasts are equally good.

    The bootstrap alone is overconfident: a series holds few blocks as long as a horizon or a period of high volatility,
    and of four equally good forecasts 20 days ahead it drops one in 28 of 100 samples of 957 origins, instead of in 10
    (benchmarks/size.py). So the uncertainty of each difference comes from `diebold_mariano`, and only the dependence
    between pairs from the stationary bootstrap of Politis & Romano (1994). Its mean block length is the horizon, and at
    least the cube root of the number of origins.

    Returns:
        For each pair, shape (pairs,), the Diebold-Mariano statistic as the normal score of the same p-value, > 0 if the
        second has the lower losses; and samples of it under equal skill, shape (RESAMPLES, pairs). Zeros where losses
        are equal. None if a pair has no test, or no pair differs.
    """
    from arch.bootstrap import StationaryBootstrap
    from scipy.special import ndtri

    pairs = list(zip(losses, other_losses, strict=True))
    tests = [diebold_mariano(own, other, horizon=horizon) for own, other in pairs]
    equal = np.array([np.abs(own - other).max() <= _rounding(own, other) for own, other in pairs])
    if equal.all() or any(test is None and not same for test, same in zip(tests, equal, strict=True)):
        return None
    statistics = [0.0 if test is None else -np.sign(test.statistic) * ndtri(test.p_value / 2) for test in tests]
    differences = np.where(equal, 0, np.array([own - other for own, other in pairs]).T)
    block = max(horizon, int(np.cbrt(len(differences))))
    means = StationaryBootstrap(block, differences, seed=seed).apply(lambda days: days.mean(axis=0), RESAMPLES)
    chance = means - differences.mean(axis=0)
    return np.array(statistics), chance / np.where(equal, 1, np.sqrt(np.mean(chance**2, axis=0)))


@lru_cache(maxsize=8)
def _cosines(count: int, waves: int) -> Floats:
    """Return the slowest cosine waves over so many days, shape (waves, count), each of length 1.

    An evaluation has hundreds of tests with few such pairs of numbers.
    """
    middles = (np.arange(count) + 0.5) / count
    return np.asarray(np.sqrt(2 / count) * np.cos(np.pi * np.arange(1, waves + 1)[:, None] * middles))


def _rounding(losses: Floats, other_losses: Floats) -> float:
    """Return the largest difference between two losses that counts as none."""
    return float(1e-9 * np.mean(np.abs(losses) + np.abs(other_losses)))


def _share(exceeds: Floats) -> float:
    """Return the p-value of a bootstrap, the data counted as one sample more, so never 0 (Davison & Hinkley 1997)."""
    return float((1 + np.sum(exceeds)) / (1 + len(exceeds)))
