"""The simplest rivals: each returns the same `Forecast` as a network does, from the same past."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from stockcast.forecast import LEVELS, Dates, Days, Floats, Forecast


@dataclass(frozen=True)
class Question:
    """What network and rivals are asked alike: from each origin, where do the next days close?

    Attributes:
        dates: all trading days, datetime64[D], shape (days,).
        closes: their prices, shape (days,).
        origins: day indices, shape (origins,), each at least 1 (a day before it); origins + horizon are days.
        horizon: days ahead.
        training_days: how many of the first days a rival may estimate constants from, at least 3.

    Raises:
        ValueError: an origin or the training days leave no return to go by.
    """

    dates: Dates
    closes: Floats
    origins: Days
    horizon: int
    training_days: int

    def __post_init__(self) -> None:
        if self.origins.min() < 1 or self.training_days < 3:
            raise ValueError(f"no returns before origin {self.origins.min()}, or in {self.training_days} training days")

    @property
    def targets(self) -> Days:
        """Day indices asked for, shape (origins, horizon)."""
        return self.origins[:, None] + np.arange(1, self.horizon + 1)

    @property
    def actual(self) -> Floats:
        """What came, in price units, shape (origins, horizon)."""
        return self.closes[self.targets]

    def forecast(self, quantiles: Floats) -> Forecast:
        """Date quantiles of price, shape (origins, horizon, levels), as the answer to this question."""
        return Forecast(
            origin_dates=self.dates[self.origins],
            target_dates=self.dates[self.targets],
            levels=LEVELS,
            quantiles=quantiles,
            last_close=self.closes[self.origins],
        )


def random_walk(question: Question) -> Forecast:
    """Tomorrow is today: no drift, normal steps of the training days' volatility."""
    volatility = np.sqrt(np.mean(_training_returns(question) ** 2))  # around the drift it claims: none
    return _normal_steps(question, drift=0.0, volatility=volatility)


def drift(question: Question) -> Forecast:
    """The random walk with the training days' mean return a day."""
    returns = _training_returns(question)
    return _normal_steps(question, drift=float(returns.mean()), volatility=returns.std())


def historical_volatility(question: Question, *, days: int = 20) -> Forecast:
    """The random walk with the volatility of the last 20 returns up to the origin, around zero."""
    squares = pd.Series(np.diff(np.log(question.closes)) ** 2)
    variance = squares.rolling(days, min_periods=1).mean().to_numpy()
    return _normal_steps(question, drift=0.0, volatility=np.sqrt(variance[question.origins - 1]))


def ewma(question: Question, *, decay: float = 0.94) -> Forecast:
    """The random walk with today's volatility: an exponentially weighted one of all returns up to the origin.

    The decay of 0.94 a day is that of RiskMetrics (Technical Document, 1996).
    """
    returns = np.diff(np.log(question.closes))
    variance = pd.Series(returns**2).ewm(alpha=1 - decay).mean().to_numpy()
    return _normal_steps(question, drift=0.0, volatility=np.sqrt(variance[question.origins - 1]))


def _training_returns(question: Question) -> Floats:
    returns: Floats = np.diff(np.log(question.closes[: question.training_days]))
    return returns


def _normal_steps(question: Question, *, drift: float, volatility: Floats | np.floating) -> Forecast:
    """Log return after h days ~ Normal(h drift, h volatility**2); both a day, volatility one or one an origin."""
    from scipy.special import ndtri

    steps = np.arange(1, question.horizon + 1)[None, :, None]
    daily = np.broadcast_to(volatility, question.origins.shape)[:, None, None]
    returns = drift * steps + daily * np.sqrt(steps) * ndtri(LEVELS)
    return question.forecast(question.closes[question.origins][:, None, None] * np.exp(returns))
