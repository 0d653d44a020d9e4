"""The continuous distribution of log returns behind a forecast's stored quantiles."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from stockcast.distribution.spline import Spline
from stockcast.distribution.tails import Tail
from stockcast.errors import StockcastError
from stockcast.forecast import DirectionPrediction, Forecast, Prediction
from stockcast.typing import Floats

_NODES = 400
"""Equal parts of the integral of `expected_shortfall`: its error is below 1e-5 of a price."""


@dataclass(frozen=True)
class PriceDistribution:
    """The distribution of the price on each day ahead, through all stored quantiles.

    A log return x has the normal score z(x), so that its probability is Phi(z). Between stored quantiles x(z) is a
    monotone spline, see `spline`; beyond the outermost it is the tail of Tukey's h distribution, see `tails`.

    Attributes:
        last_close: the price at the origin, shape (origins,).
        levels: of the quantiles, increasing, symmetric around 0.5, shape (levels,).
        returns: quantiles of the log return since the origin, shape (origins, days, levels).
    """

    last_close: Floats
    levels: Floats
    returns: Floats

    @classmethod
    def of(cls, forecast: Forecast) -> "PriceDistribution":
        """Return the distribution behind a forecast."""
        return cls(forecast.last_close, forecast.levels, forecast.log_returns())

    def days(self, chosen: slice) -> "PriceDistribution":
        """Return the distributions of the chosen days ahead; the first is 0."""
        return replace(self, returns=self.returns[:, chosen])

    def rows(self, chosen: slice) -> "PriceDistribution":
        """Return the distributions from the chosen origins."""
        return replace(self, last_close=self.last_close[chosen], returns=self.returns[chosen])

    def scores(self, prices: Floats) -> Floats:
        """Return the normal score of prices, above 0: the probability of a lower price is Phi(score).

        `prices` broadcast to (origins, days, n), and so is the result; infinite where a forecast is certain.
        """
        returns = np.log(prices / self.last_close[:, None, None])
        returns = np.broadcast_to(returns, (*self.returns.shape[:2], returns.shape[-1]))
        scores = self._spline.solve(returns)
        for tail, outside in (
            (self._lower, returns < self.returns[..., :1]),
            (self._upper, returns > self.returns[..., -1:]),
        ):
            if outside.any():
                origins, days, _ = np.nonzero(outside)
                scores[outside] = tail.take(origins, days).scores(returns[outside])
        return scores

    def cdf(self, prices: Floats) -> Floats:
        """Return the probability of a price no higher, of the shape of `scores`."""
        from scipy.special import ndtr

        return np.asarray(ndtr(self.scores(prices)))

    def at_scores(self, scores: Floats) -> Floats:
        """Return the price at each normal score, shape (origins, days, n); `scores` have the shape (n,)."""
        low, high = self._scores[0], self._scores[-1]
        returns = np.empty((*self.returns.shape[:2], len(scores)))
        inside = (low <= scores) & (scores <= high)
        returns[..., inside] = self._spline(scores[inside])
        for tail, outside in ((self._lower, scores < low), (self._upper, scores > high)):
            returns[..., outside] = tail.returns(scores[outside])
        return np.asarray(self.last_close[:, None, None] * np.exp(returns))

    def quantile(self, levels: Floats) -> Floats:
        """Return the price that is undercut with each probability, above 0 and below 1; shape (origins, days, n).

        At a stored level it is the stored quantile, to rounding.
        """
        from scipy.special import ndtri

        return self.at_scores(ndtri(levels))

    def value_at_risk(self, level: float) -> Floats:
        """Return the price that is undercut with the probability `level`, shape (origins, days)."""
        return np.asarray(self.quantile(np.array([level]))[..., 0])

    def expected_shortfall(self, level: float) -> Floats:
        """Return the mean of the prices below `value_at_risk`, shape (origins, days) (Acerbi & Tasche 2002).

        The mean of the quantiles at level x v**4 for v from 0 to 1, in equal parts of v: most of them lie in the
        outermost part of the tail, where quantiles change most.
        """
        edges = np.linspace(0, 1, _NODES + 1)
        places = (edges[1:] + edges[:-1]) / 2
        return np.asarray(self.quantile(level * places**4) @ np.diff(edges**4))

    @cached_property
    def _scores(self) -> Floats:
        from scipy.special import ndtri

        return np.asarray(ndtri(self.levels))

    @cached_property
    def _lower(self) -> Tail:
        return Tail.of(self.returns, self._scores, sign=-1)

    @cached_property
    def _upper(self) -> Tail:
        return Tail.of(self.returns, self._scores, sign=1)

    @cached_property
    def _spline(self) -> Spline:
        return Spline.through(self._scores, self.returns, first=self._lower.slope, last=self._upper.slope)


def price_forecast(prediction: Prediction | DirectionPrediction) -> Forecast:
    """Return the forecast of a prediction; StockcastError if it is of the direction, which has no distribution."""
    if not isinstance(prediction.forecast, Forecast):
        raise StockcastError(
            f"{prediction.run} forecasts the direction of {prediction.series}, not its price: there are no chances of "
            "price levels, quantiles or paths. Take a run with another model.head.",
            key="model.head",
        )
    return prediction.forecast
