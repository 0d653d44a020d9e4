"""Prices -> what the network is asked for, and its answers back -> prices."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from stockcast.data.scaling import Kind, Scaler, fit_scaler
from stockcast.forecast import Days, Floats

_YOUNG = 20  # days whose volatility rests on too few returns to be a unit: one of them outweighs years of others
_FURTHEST = 10.0  # a stock that stood still for weeks has next to no volatility, and then moves thousands of them

Transform = Literal["log_return", "price"]


@dataclass(frozen=True)
class Target:
    """The unit in which the network answers.

    For `log_return`, the answer for h days ahead is (R_h / u - h c) / (s sqrt(h)), where R_h is the cumulative log
    return, u the series' own daily volatility as known at the origin (or 1), and c, s the centre and scale of daily log
    returns over u on the training days: of like size at every horizon. For `price`, it is (price - c) / s, with c, s
    those of the training days' prices.

    Attributes:
        transform: `log_return` or `price`.
        scaler: c and s, one column, fitted on the training days.
    """

    transform: Transform
    scaler: Scaler

    def answers(self, closes: Floats, origins: Days, *, horizon: int, unit: Floats | None = None) -> Floats:
        """Return the right answers, unitless, shape (origins, horizon).

        Args:
            closes: prices of all days, shape (days,).
            origins: day indices; origins + horizon must be days.
            horizon: days ahead, from 1.
            unit: u of every day, shape (days,); None for 1.
        """
        steps = np.arange(1, horizon + 1)
        later = closes[origins[:, None] + steps]
        if self.transform == "price":
            return self.scaler.transform(later.reshape(-1, 1)).reshape(later.shape)
        returns = np.log(later / closes[origins][:, None])
        if unit is not None:
            returns = returns / unit[origins][:, None]
        answers: Floats = (returns - self.scaler.center * steps) / (self.scaler.scale * np.sqrt(steps))
        return answers

    def prices(self, answers: Floats, last_close: Floats, unit: Floats | None = None) -> Floats:
        """Turn answers into prices, the inverse of `answers`.

        Args:
            answers: unitless, shape (origins, horizon, levels).
            last_close: price at each origin, shape (origins,).
            unit: u at each origin, shape (origins,); None for 1.

        Returns:
            Price units, shape (origins, horizon, levels).
        """
        last = last_close[:, None, None]
        if self.transform == "price":
            returns = np.log(np.maximum(answers * self.scaler.scale + self.scaler.center, 1e-9 * last) / last)
        else:
            steps = np.arange(1, answers.shape[1] + 1)[:, None]
            returns = answers * self.scaler.scale * np.sqrt(steps) + self.scaler.center * steps
            if unit is not None:
                returns = returns * unit[:, None, None]
        # A network far astray stays a (very bad) finite price above zero, which the scores then show.
        prices: Floats = last * np.exp(np.clip(returns, -20, 20))
        return prices

    def along(self, daily: Floats) -> Floats:
        """Turn one-day answers, day after day, into answers for h days ahead; both of shape (origins, steps)."""
        if self.transform == "price":
            return daily
        ahead: Floats = np.cumsum(daily, axis=1) / np.sqrt(np.arange(1, daily.shape[1] + 1))
        return ahead


def fit_target(
    training_closes: Sequence[Floats],
    *,
    transform: Transform,
    kind: Kind,
    units: Sequence[Floats] | None = None,
    centred: bool = True,
) -> Target:
    """Fit the unit of the answers on the training days of one series or of several.

    Args:
        training_closes: closes of each series' training days, each of shape (training days,).
        transform: `log_return` or `price`.
        kind: of the scaler.
        units: u of the same days, for log returns; None for 1.
        centred: whether answers are told from the training days' centre; if not, from the last close, so that their
            sign is the direction.
    """
    if transform == "price":
        seen = list(training_closes)
    elif units is None:
        seen = [np.diff(np.log(closes)) for closes in training_closes]
    else:
        ratios = [np.diff(np.log(closes)) / unit[:-1] for closes, unit in zip(training_closes, units, strict=True)]
        seen = [np.clip(ratio[_YOUNG:], -_FURTHEST, _FURTHEST) for ratio in ratios]
    scaler = fit_scaler(np.concatenate(seen)[:, None], kind=kind)
    return Target(transform, scaler if centred else replace(scaler, center=np.zeros(1)))
