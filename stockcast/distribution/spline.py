"""Monotone curves through points: piecewise rational quadratics, whose inverse is a formula."""

from dataclasses import dataclass

import numpy as np

from stockcast.typing import Floats


@dataclass(frozen=True)
class Spline:
    """Curves y(x) through points whose y never decreases: rational quadratics between neighbours.

    See Gregory & Delbourgo (1982). Each piece never decreases for any slopes above 0 at its ends, has them, and
    is a straight line where the points lie on one. With t the share of the way from x0 to x1, the mean slope s, and
    the slopes d0 and d1 at the ends,

        y = y0 + (y1 - y0) (s t**2 + d0 t (1 - t)) / (s + (d0 + d1 - 2 s) t (1 - t))

    Attributes:
        x: increasing, shape (points,).
        y: never decreasing along the points, shape (..., points).
        slopes: dy/dx at the points, at least 0, shape (..., points).
    """

    x: Floats
    y: Floats
    slopes: Floats

    @classmethod
    def through(cls, x: Floats, y: Floats, *, first: Floats, last: Floats) -> "Spline":
        """Return the curves with the slopes `first` and `last` at their ends, shape (...).

        At the other points the slope is that of the parabola through a point and its two neighbours.
        """
        widths = np.diff(x)
        means = np.diff(y, axis=-1) / widths
        inner = (means[..., :-1] * widths[1:] + means[..., 1:] * widths[:-1]) / (widths[:-1] + widths[1:])
        return cls(x, y, np.concatenate([first[..., None], inner, last[..., None]], axis=-1))

    def __call__(self, x: Floats) -> Floats:
        """Return y at each x, from the first point to the last, shape (..., n); `x` has the shape (n,)."""
        piece = np.clip(np.searchsorted(self.x, x, side="right") - 1, 0, len(self.x) - 2)
        width = np.diff(self.x)[piece]
        share = (x - self.x[piece]) / width
        low, rise = self.y[..., piece], self.y[..., piece + 1] - self.y[..., piece]
        left, right, mean = self.slopes[..., piece], self.slopes[..., piece + 1], rise / width
        product = share * (1 - share)
        divisor = mean + (left + right - 2 * mean) * product
        top = rise * (mean * share**2 + left * product)
        return np.asarray(low + np.divide(top, divisor, out=np.zeros_like(top), where=rise > 0))

    def solve(self, y: Floats) -> Floats:
        """Return x at each y, of the shape of `y`, (..., n): of points that share a y the last, outside of all an end.

        The quadratic equation in the share t is solved for its root between 0 and 1 without cancellation.
        """
        passed = np.zeros(y.shape, dtype=np.int16)
        for number in range(1, len(self.x) - 1):
            passed += y >= self.y[..., number : number + 1]
        piece = passed.astype(np.intp)

        def at(values: Floats, offset: int = 0) -> Floats:
            return np.take_along_axis(values, piece + offset, axis=-1)

        low = at(self.y)
        rise, above = at(self.y, 1) - low, y - low
        left, right = at(self.slopes), at(self.slopes, 1)
        width = np.diff(self.x)[piece]
        mean = rise / width
        bend = above * (left + right - 2 * mean)
        a, b, c = rise * (mean - left) + bend, rise * left - bend, -mean * above
        root = np.sqrt(np.maximum(b * b - 4 * a * c, 0))
        share = np.divide(-2 * c, b + root, out=np.ones_like(above), where=b + root > 0)
        return np.asarray(self.x[piece] + width * np.clip(share, 0, 1))
