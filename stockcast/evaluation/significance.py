"""Is one forecast better than another by more than luck? Are any of several?"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from stockcast.forecast import Floats

RESAMPLES = 1000
"""Bootstrap samples behind one comparison of several forecasts; its p-values come in steps of about 0.001."""


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

    Losses are alike from day to day: forecasts of `horizon` days made every day overlap, and who is ahead changes with
    calm and stormy markets, which last for months. The variance of the mean difference therefore comes from its
    slowest cosine waves, the equal-weighted-cosine estimator of Lazarus, Lewis, Stock & Watson (2018); its own
    uncertainty is in the degrees of freedom of Student's t. The small-sample factor is that of Harvey, Leybourne &
    Newbold (1997).

    There are as many waves as the cube root of the origins, one at most for every two horizons, and no fewer than
    four. Those authors' 0.4 n^(2/3), four times as many at 1000 origins, suits a difference that forgets within days;
    benchmarks/size.py shows what it makes of volatility, and what the fewer waves cost in power.

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
    if count < max(16, 2 * horizon) or np.ptp(difference) <= _rounding(losses, rival_losses):
        return None
    waves = max(4, int(min(np.cbrt(count), count / (2 * horizon))))
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


@dataclass(frozen=True)
class ConfidenceSet:
    """The forecasts that may be the best.

    Attributes:
        names: of those that remain, in the order given. The best is among them in all but `size` of such samples.
        p_values: by name, the smallest `size` at which the forecast would go; 1 for the one that never goes.
    """

    names: tuple[str, ...]
    p_values: dict[str, float]


def superior_predictive_ability(
    losses: Floats, rival_losses: Mapping[str, Floats], *, horizon: int, seed: int
) -> float | None:
    """Test whether any rival beats a forecast, however many were tried (Hansen 2005).

    A small p-value says that at least one rival is better than the forecast: one of many will look so by luck, and
    that is counted in. A large one says that none is shown to be better, not that the forecast is the best; for that,
    see whether it is alone in `model_confidence_set`.

    This is Hansen's consistent p-value, in which rivals far behind do not blur the others. Each difference enters by
    its `diebold_mariano` test, so that a single rival has that test's p-value, one-sided; the stationary bootstrap says
    how far the luck of several goes together. See `_compare` for why.

    Args:
        losses: of the forecast, oldest origin first, consecutive origins, shape (origins,).
        rival_losses: by name, for the same origins, shape (origins,) each.
        horizon: days ahead, at least 1.
        seed: of the bootstrap.

    Returns:
        The p-value, 1 if no rival had lower losses. None if nothing can be tested: no rival, too few origins for
        `diebold_mariano`, or a rival that is always ahead or behind by the same, or all rivals equal to the forecast.
    """
    rivals = list(rival_losses.values())
    compared = _compare([losses] * len(rivals), rivals, horizon=horizon, seed=seed)
    if compared is None:
        return None
    statistics, luck = compared
    hopeless = statistics < -np.sqrt(2 * np.log(np.log(len(losses))))
    by_luck = np.max(luck + np.where(hopeless, statistics, 0), axis=1)
    return _share(np.maximum(by_luck, 0) >= max(statistics.max(), 0))


def model_confidence_set(
    losses: Mapping[str, Floats], *, horizon: int, size: float = 0.1, seed: int
) -> ConfidenceSet | None:
    """Drop forecasts until the rest may be equally good (Hansen, Lunde & Nason 2011).

    Of those that remain, the two furthest apart decide: if luck alone would not part any two of them so far, the worse
    one goes. Days that tell little leave many names: to remain is no praise, to remain alone is.

    This is the range statistic. Each pair enters by its `diebold_mariano` test, so that of two forecasts one goes where
    that test's p-value is at most `size`; the stationary bootstrap says how far the luck of several pairs goes
    together. See `_compare` for why.

    Args:
        losses: by name, oldest origin first, consecutive origins, the same for all, shape (origins,) each.
        horizon: days ahead, at least 1.
        size: how often the best forecast may be dropped by bad luck.
        seed: of the bootstrap.

    Returns:
        None if nothing can be tested: fewer than two forecasts, too few origins for `diebold_mariano`, two that are
        always apart by the same, or all of them equal. Two equal ones among others stay or go together.
    """
    names, rows = list(losses), list(losses.values())
    first, second = np.triu_indices(len(names), k=1)
    compared = _compare([rows[i] for i in first], [rows[j] for j in second], horizon=horizon, seed=seed)
    if compared is None:
        return None
    statistics = np.zeros((len(names), len(names)))
    luck = np.zeros((RESAMPLES, len(names), len(names)))
    statistics[first, second], luck[:, first, second] = compared
    statistics, luck = statistics - statistics.T, luck - luck.transpose(0, 2, 1)

    remaining = np.arange(len(names))
    p_value, p_values = 0.0, dict.fromkeys(names, 1.0)
    while len(remaining) > 1:
        lost_most = statistics[np.ix_(remaining, remaining)].max(axis=1)  # of each, against the one it lost most to
        by_luck = luck[:, remaining[:, None], remaining].max(axis=(1, 2))
        p_value = max(p_value, _share(by_luck >= lost_most.max()))  # who goes later was no worse
        p_values[names[remaining[lost_most.argmax()]]] = p_value
        remaining = np.delete(remaining, lost_most.argmax())
    return ConfidenceSet(tuple(name for name in names if p_values[name] > size), p_values)


def _compare(
    losses: list[Floats], rival_losses: list[Floats], *, horizon: int, seed: int
) -> tuple[Floats, Floats] | None:
    """Put pairs of forecasts on one scale, together with what luck alone would make of them.

    The bootstrap alone is too sure of itself: a series holds few blocks as long as a horizon or a market's mood, and
    of four equally good forecasts 20 days ahead it drops one in 28 of 100 samples of 957 origins, instead of in 10
    (benchmarks/size.py). So the uncertainty of each difference comes from `diebold_mariano`, and from the stationary
    bootstrap of Politis & Romano (1994) only how the differences of several pairs go together. Its blocks are as long
    as the horizon on average, and at least the cube root of the origins.

    Args:
        losses: one array per pair, shape (origins,).
        rival_losses: one array per pair, shape (origins,).
        horizon: days ahead, at least 1.
        seed: of the bootstrap.

    Returns:
        For each pair, shape (pairs,), the Diebold-Mariano statistic as the normal score of the same p-value, > 0 if the
        rival had the lower losses; and the same if all were equally good, shape (RESAMPLES, pairs). Zeros where losses
        are equal. None if a pair cannot be tested, or no pair differs.
    """
    from arch.bootstrap import StationaryBootstrap
    from scipy.special import ndtri

    pairs = list(zip(losses, rival_losses, strict=True))
    tests = [diebold_mariano(own, rival, horizon=horizon) for own, rival in pairs]
    equal = np.array([np.abs(own - rival).max() <= _rounding(own, rival) for own, rival in pairs])
    if equal.all() or any(test is None and not same for test, same in zip(tests, equal, strict=True)):
        return None
    statistics = [0.0 if test is None else -np.sign(test.statistic) * ndtri(test.p_value / 2) for test in tests]
    differences = np.where(equal, 0, np.array([own - rival for own, rival in pairs]).T)
    block = max(horizon, int(np.cbrt(len(differences))))
    means = StationaryBootstrap(block, differences, seed=seed).apply(lambda days: days.mean(axis=0), RESAMPLES)
    luck = means - differences.mean(axis=0)
    return np.array(statistics), luck / np.where(equal, 1, np.sqrt(np.mean(luck**2, axis=0)))


def _rounding(losses: Floats, rival_losses: Floats) -> float:
    """Return the difference between two losses up to which they are equal."""
    return float(1e-9 * np.mean(np.abs(losses) + np.abs(rival_losses)))


def _share(reached: Floats) -> float:
    """Return how often luck reached what was found, itself one of the samples (Davison & Hinkley 1997), so never 0."""
    return float((1 + np.sum(reached)) / (1 + len(reached)))
