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

    Of several columns each has a scale of its own. Their log returns are all against the last Close, the price that is
    known last: with c', s' the centre and scale of one day's, the answer for h days ahead is
    (R_h / u - (h - 1) c - c') / sqrt((h - 1) s^2 + s'^2), where c, s are the Close's; for the Close, as above.

    Attributes:
        transform: `log_return` or `price`.
        scaler: c and s of each column, fitted on the training days.
        columns: names of the prices that are forecast; of several, one is Close.
    """

    transform: Transform
    scaler: Scaler
    columns: tuple[str, ...] = ("Close",)

    @property
    def main(self) -> int:
        """Number of the column that is judged, from 0: the Close, or the only one."""
        return _main(self.columns)

    def of_main(self) -> "Target":
        """Return the same unit, of the column that is judged alone."""
        return Target(self.transform, self.scaler.column(self.main), (self.columns[self.main],))

    def answers(self, closes: Floats, origins: Days, *, horizon: int, unit: Floats | None = None) -> Floats:
        """Return the right answers, unitless, shape (origins, horizon), of several columns (origins, horizon, columns).

        Args:
            closes: prices of all days, shape (days,), of several columns (days, columns).
            origins: day indices; origins + horizon must be days.
            horizon: days ahead, from 1.
            unit: u of every day, shape (days,); None for 1.
        """
        prices = closes.reshape(len(closes), len(self.columns))
        later = prices[origins[:, None] + np.arange(1, horizon + 1)]
        shape = (len(origins), horizon, *closes.shape[1:])
        if self.transform == "price":
            return self.scaler.transform(later.reshape(-1, len(self.columns))).reshape(shape)
        returns = np.log(later / prices[origins, self.main][:, None, None])
        if unit is not None:
            returns = returns / unit[origins][:, None, None]
        center, scale, roots = self._moves(horizon)
        answers: Floats = ((returns - center) / (scale * roots)).reshape(shape)
        return answers

    def prices(self, answers: Floats, last_close: Floats, unit: Floats | None = None) -> Floats:
        """Turn answers into prices, the inverse of `answers`.

        Args:
            answers: unitless, shape (origins, horizon, columns), or where there is one column any number of its
                levels (origins, horizon, levels).
            last_close: price at each origin, shape (origins,).
            unit: u at each origin, shape (origins,); None for 1.

        Returns:
            Price units, of the same shape.
        """
        last = last_close[:, None, None]
        if self.transform == "price":
            returns = np.log(np.maximum(self.scaler.inverse(answers), 1e-9 * last) / last)
        else:
            center, scale, roots = self._moves(answers.shape[1])
            returns = answers * scale * roots + center
            if unit is not None:
                returns = returns * unit[:, None, None]
        # A network far astray stays a (very bad) finite price above zero, which the scores then show.
        prices: Floats = last * np.exp(np.clip(returns, -20, 20))
        return prices

    def _moves(self, horizon: int) -> tuple[Floats, Floats, Floats]:
        """Return the log returns' centre (horizon, columns), scale (1,) of a day and its factor (horizon, columns)."""
        steps = np.arange(1, horizon + 1)[:, None]
        main = self.scaler.column(self.main)
        center = main.center * steps + (self.scaler.center - main.center)
        return center, main.scale, np.sqrt(steps - 1 + (self.scaler.scale / main.scale) ** 2)

    def along(self, daily: Floats) -> Floats:
        """Turn one-day answers, day after day, into answers for h days ahead; both of shape (origins, steps, columns).

        Log returns are those of one column.
        """
        if self.transform == "price":
            return daily
        ahead: Floats = np.cumsum(daily, axis=1) / np.sqrt(np.arange(1, daily.shape[1] + 1))[:, None]
        return ahead


def fit_target(
    training_closes: Sequence[Floats],
    *,
    transform: Transform,
    kind: Kind,
    units: Sequence[Floats] | None = None,
    columns: tuple[str, ...] = ("Close",),
    centred: bool = True,
) -> Target:
    """Fit the unit of the answers on the training days of one series or of several.

    Args:
        training_closes: prices of each series' training days, each of shape (training days,), of several columns
            (training days, columns).
        transform: `log_return` or `price`.
        kind: of the scaler.
        units: u of the same days, for log returns; None for 1.
        columns: names of the prices.
        centred: whether answers are told from the training days' centre; if not, from the last close, so that their
            sign is the direction.
    """
    seen = [closes.reshape(len(closes), len(columns)) for closes in training_closes]
    if transform == "log_return":
        main = _main(columns)
        logs = [np.log(prices) for prices in seen]
        seen = [log[1:] - log[:-1, main : main + 1] for log in logs]
        if units is not None:
            ratios = [returns / unit[:-1, None] for returns, unit in zip(seen, units, strict=True)]
            seen = [np.clip(ratio[_YOUNG:], -_FURTHEST, _FURTHEST) for ratio in ratios]
    scaler = fit_scaler(np.concatenate(seen), kind=kind)
    return Target(transform, scaler if centred else replace(scaler, center=np.zeros(len(columns))), columns)


def _main(columns: tuple[str, ...]) -> int:
    return columns.index("Close") if len(columns) > 1 else 0
