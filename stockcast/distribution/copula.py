"""How the days of a path hang together, given the distribution of each day by itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from stockcast.distribution.quantiles import PriceDistribution
from stockcast.typing import Days, Floats

_STEP = 0.01
_MOST = 40
"""Heaviness is 1 over degrees of freedom, in 0 to `_MOST` steps of `_STEP`: from normal to 2.5 degrees."""

_SCORES = np.linspace(-8, 8, 1601)
"""Normal scores of the tables; a probability beyond is below 1e-15."""

_FLOOR = 1e-12
"""Of the variance on the first day, relative to the last; none at all would leave that day without a score."""


@dataclass(frozen=True)
class WalkCopula:
    """The copula of a random walk whose steps share a random scale: a Student-t copula, of thin tails a normal one.

    A path has the scores Z(t) = M W(V(t)) / sqrt(V(t)), with W a Brownian motion, so that days s < t have the
    correlation sqrt(V(s) / V(t)), and with one M for the path, the root of n over a chi-squared of n degrees of
    freedom (Demarta & McNeil 2005). V is the variance of the forecast's own log return, never falling. n is that of the
    Student-t whose central 95 % and 50 % ranges are in the proportion of the forecast's on its first day. It is exact
    for normal steps, and for Student-t steps of a shared scale. Independent heavy steps show on the first day most.

    Attributes:
        variance: cumulative, above 0, never falling, in any unit, shape (origins, days).
        heaviness: 1 / n in steps of 0.01, shape (origins,).
    """

    variance: Floats
    heaviness: Days

    @classmethod
    def of(cls, distribution: PriceDistribution) -> "WalkCopula":
        """Return the copula of a forecast, by its own spread and tails."""
        returns, levels = distribution.returns, distribution.levels
        edges = np.concatenate([[0.0], (levels[1:] + levels[:-1]) / 2, [1.0]])
        weights = np.diff(edges)  # of each quantile, the probability that is nearer to it than to others
        variance = np.maximum.accumulate((returns**2) @ weights - (returns @ weights) ** 2, axis=1)
        least = np.maximum(_FLOOR * variance[:, -1:], np.finfo(np.float32).tiny)
        return cls(np.maximum(variance, least), _heaviness(returns, levels))

    def rows(self, chosen: slice) -> "WalkCopula":
        """Return the copulas from the chosen origins."""
        return WalkCopula(self.variance[chosen], self.heaviness[chosen])

    def scores(self, random: np.random.Generator, paths: int) -> Floats:
        """Draw paths of Student-t scores, the same random numbers for every origin: (origins, days, paths), float32.

        The second half of the paths is the first with its sign turned, so that their median is 0 every day.
        """
        half = -(-paths // 2)
        days = self.variance.shape[1]
        normal = random.standard_normal((days, half), dtype=np.float32)
        part = (random.permutation(half).astype(np.float32) + np.float32(0.5)) / half  # of the scale's distribution
        steps = np.sqrt(np.diff(self.variance, axis=1, prepend=0.0)).astype(np.float32)
        walk = np.cumsum(steps[:, :, None] * normal, axis=1)
        walk /= np.sqrt(self.variance).astype(np.float32)[:, :, None]
        for number, chosen in _groups(self.heaviness):
            walk[chosen] *= _scales(number, part)
        return np.concatenate([walk, -walk], axis=2)[:, :, :paths]

    def to_student(self, scores: Floats) -> Floats:
        """Return the Student-t score of the same probability for normal scores, (origins, ...)."""
        return self._mapped(scores, to_student=True)

    def to_normal(self, scores: Floats) -> Floats:
        """Return the normal score of the same probability for Student-t scores, (origins, ...)."""
        return self._mapped(scores, to_student=False)

    def _mapped(self, scores: Floats, *, to_student: bool) -> Floats:
        mapped = np.clip(scores, _SCORES[0], _SCORES[-1]) if to_student else np.array(scores)
        for number, chosen in _groups(self.heaviness):
            if number:
                table = _student(number)
                old, new = (_SCORES, table) if to_student else (table, _SCORES)
                mapped[chosen] = np.interp(mapped[chosen], old, new)
        return mapped


def _heaviness(returns: Floats, levels: Floats) -> Days:
    """Return the heaviness of each origin's tails on the first day, in steps, shape (origins,)."""
    from scipy.special import stdtrit

    def width(level: float) -> Floats:
        above, below = (int(np.argmin(np.abs(levels - place))) for place in (level, 1 - level))
        return returns[:, 0, above] - returns[:, 0, below]

    middle = width(0.75)
    ratios = np.divide(width(0.975), middle, out=np.zeros_like(middle), where=middle > 0)
    steps = np.arange(_MOST + 1)
    degrees = 1 / np.maximum(_STEP * steps, 1e-6)
    table = stdtrit(degrees, 0.975) / stdtrit(degrees, 0.75)  # rises with the heaviness
    heaviness: Days = np.rint(np.interp(ratios, table, steps)).astype(np.intp)
    return heaviness


def _groups(heaviness: Days) -> Iterator[tuple[int, Days]]:
    for number in np.unique(heaviness):
        yield int(number), np.flatnonzero(heaviness == number)


@cache
def _student(number: int) -> Floats:
    """Return the Student-t scores of the probabilities of `_SCORES`."""
    from scipy.special import ndtr, stdtrit

    return np.asarray(-np.sign(_SCORES) * stdtrit(1 / (_STEP * number), ndtr(-np.abs(_SCORES))))


def _scales(number: int, part: Floats) -> Floats:
    """Return the quantile at `part` of the scale that all days of a path share."""
    from scipy.special import gammaincinv

    if not number:
        return np.ones_like(part)
    degrees = 1 / (_STEP * number)
    return np.asarray(np.sqrt(degrees / (2 * gammaincinv(degrees / 2, part.astype(np.float64)))), dtype=np.float32)
