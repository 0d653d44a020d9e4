"""The tails beyond the outermost stored quantiles."""

from dataclasses import dataclass

import numpy as np

from stockcast.typing import Days, Floats

MAX_HEAVINESS = 0.5
"""Of Tukey's h, whose mean is finite below 1 and whose variance is below 0.5."""

_GRID = np.linspace(0, MAX_HEAVINESS, 501)


@dataclass(frozen=True)
class Tail:
    """One tail of Tukey's h distribution (Tukey 1977; Hoaglin 1985), through the three outermost quantiles of its side.

    At the normal score z, with e(z) = |z| exp(h z**2 / 2), the log return is `start` plus `scale` x e, to the tail's
    side. At h = 0 this is a normal tail; that of a Student-t with n degrees of freedom has h near 1 / n. It never ends,
    and its mean is finite. It is inverted by the W function of Lambert (Goerg 2015).

    Attributes:
        sign: -1 for the lower tail, 1 for the upper.
        start, scale, heaviness: h is the heaviness, each of shape (...).
        slope: of the log return over z at the outermost quantile, where the tail begins, shape (...).
    """

    sign: int
    start: Floats
    scale: Floats
    heaviness: Floats
    slope: Floats

    @classmethod
    def of(cls, returns: Floats, scores: Floats, *, sign: int) -> "Tail":
        """Return the tail of quantiles (..., levels) at these normal scores, shape (levels,).

        h makes the tail pass through the last three quantiles, or is the nearest of 0 and `MAX_HEAVINESS`; then it
        passes through the last two. Where these coincide, as in bands from few calibration days, it is a normal tail
        whose scale is that of the median and the outermost quantile.
        """
        outer = [0, 1, 2] if sign < 0 else [-1, -2, -3]
        first, second, third = (sign * returns[..., place] for place in outer)
        z = np.abs(scores[outer])
        grown = _grown(z[:, None], _GRID)
        ratios = (grown[0] - grown[2]) / (grown[1] - grown[2])  # rise with h
        apart = second > third
        ratio = np.divide(first - third, second - third, out=np.full_like(first, ratios[0]), where=apart)
        heaviness = np.interp(ratio, ratios, _GRID)
        scale = (first - second) / (_grown(z[0], heaviness) - _grown(z[1], heaviness))
        coincide = first <= second
        median = sign * returns[..., returns.shape[-1] // 2]
        heaviness = np.where(coincide, 0.0, heaviness)
        scale = np.where(coincide, (first - median) / z[0], scale)
        start = sign * first - sign * scale * _grown(z[0], heaviness)
        return cls(
            sign, start, scale, heaviness, scale * np.exp(heaviness * z[0] ** 2 / 2) * (1 + heaviness * z[0] ** 2)
        )

    def take(self, origins: Days, days: Days) -> "Tail":
        """Return the tails of single origins and days, each of shape (n,)."""
        arrays = (values[origins, days] for values in (self.start, self.scale, self.heaviness, self.slope))
        return Tail(self.sign, *arrays)

    def returns(self, scores: Floats) -> Floats:
        """Return the log return at each normal score on this side, shape (..., n); `scores` have the shape (n,)."""
        grown = _grown(np.abs(scores), self.heaviness[..., None])
        return np.asarray(self.start[..., None] + self.sign * self.scale[..., None] * grown)

    def scores(self, returns: Floats) -> Floats:
        """Return the normal score of log returns beyond the outermost quantile, of the shape of the tails."""
        from scipy.special import lambertw

        with np.errstate(divide="ignore", over="ignore"):  # a forecast without spread: no other return is possible
            grown = self.sign * (returns - self.start) / self.scale
            heavy = self.heaviness > 0
            h = np.where(heavy, self.heaviness, 1.0)
            z = np.where(heavy, np.sqrt(lambertw(np.minimum(h * grown**2, 1e300)).real / h), grown)
        return np.asarray(self.sign * z)


def _grown(z: Floats, heaviness: Floats) -> Floats:
    return np.asarray(z * np.exp(heaviness * z**2 / 2))
