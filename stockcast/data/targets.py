"""Prices -> what the network is asked for, and its answers back -> prices."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from stockcast.data.scaling import Kind, Scaler, fit_scaler
from stockcast.forecast import Days, Floats

Transform = Literal["log_return", "price"]


@dataclass(frozen=True)
class Target:
    """The unit in which the network answers.

    For `log_return`, the answer for h days ahead is (R_h - h c) / (s sqrt(h)), where R_h is the cumulative log return
    and c, s are the centre and scale of daily log returns on the training days: of like size at every horizon.
    For `price`, it is (price - c) / s, with c, s those of the training days' prices.

    Attributes:
        transform: `log_return` or `price`.
        scaler: c and s, one column, fitted on the training days.
    """

    transform: Transform
    scaler: Scaler

    def answers(self, closes: Floats, origins: Days, *, horizon: int) -> Floats:
        """Return the right answers, unitless, shape (origins, horizon).

        Args:
            closes: prices of all days, shape (days,).
            origins: day indices; origins + horizon must be days.
            horizon: days ahead, from 1.
        """
        steps = np.arange(1, horizon + 1)
        later = closes[origins[:, None] + steps]
        if self.transform == "price":
            return self.scaler.transform(later.reshape(-1, 1)).reshape(later.shape)
        returns = np.log(later / closes[origins][:, None])
        answers: Floats = (returns - self.scaler.center * steps) / (self.scaler.scale * np.sqrt(steps))
        return answers

    def prices(self, answers: Floats, last_close: Floats) -> Floats:
        """Turn answers into prices, the inverse of `answers`.

        Args:
            answers: unitless, shape (origins, horizon, levels).
            last_close: price at each origin, shape (origins,).

        Returns:
            Price units, shape (origins, horizon, levels).
        """
        last = last_close[:, None, None]
        if self.transform == "price":
            returns = np.log(np.maximum(answers * self.scaler.scale + self.scaler.center, 1e-9 * last) / last)
        else:
            steps = np.arange(1, answers.shape[1] + 1)[:, None]
            returns = answers * self.scaler.scale * np.sqrt(steps) + self.scaler.center * steps
        # A network far astray stays a (very bad) finite price above zero, which the scores then show.
        prices: Floats = last * np.exp(np.clip(returns, -20, 20))
        return prices

    def along(self, daily: Floats) -> Floats:
        """Turn one-day answers, day after day, into answers for h days ahead; both of shape (origins, steps)."""
        if self.transform == "price":
            return daily
        ahead: Floats = np.cumsum(daily, axis=1) / np.sqrt(np.arange(1, daily.shape[1] + 1))
        return ahead


def fit_target(training_closes: Floats, *, transform: Transform, kind: Kind) -> Target:
    """Fit the target's unit on the training days' closes, shape (training days,)."""
    series = training_closes if transform == "price" else np.diff(np.log(training_closes))
    return Target(transform, fit_scaler(series[:, None], kind=kind))
