"""Prices -> targets for the network, and its outputs -> prices."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from stockcast.data.scaler import Kind, Scaler, fit_scaler
from stockcast.typing import Days, Floats

_YOUNG = 20  # days whose volatility rests on too few returns to be a unit: any of them outweighs years of others
_FURTHEST = 10.0  # a stock that stood still for weeks has next to no volatility, and then moves by thousands of it

TargetKind = Literal["log_return", "price"]


@dataclass(frozen=True)
class TargetTransform:
    """The unit of targets and outputs.

    For `log_return`, the target for h days ahead is (R_h / u - h c) / (s sqrt(h)), where R_h is the cumulative log
    return, u the series' own daily volatility as known at the origin (or 1), and c, s the centre and scale of daily log
    returns over u on the training days: of like size at every horizon. For `price`, it is (price - c) / s, with c, s
    those of the training days' prices.

    Of several columns each has a scale of its own. Their log returns are all against the last Close, the price that is
    known last: with c', s' the centre and scale of one day's, the target for h days ahead is
    (R_h / u - (h - 1) c - c') / sqrt((h - 1) s^2 + s'^2), where c, s are the Close's; for the Close, as above.

    Attributes:
        kind: `log_return` or `price`, as target.transform of the config.
        scaler: c and s of each column, fitted on the training days.
        columns: names of the prices that are forecast; of several, one is Close.
    """

    kind: TargetKind
    scaler: Scaler
    columns: tuple[str, ...] = ("Close",)

    @property
    def main(self) -> int:
        """Index of the column that is judged: the Close, or the only column."""
        return _main(self.columns)

    def of_main(self) -> "TargetTransform":
        """Return the same unit, of the column that is judged alone."""
        return TargetTransform(self.kind, self.scaler.column(self.main), (self.columns[self.main],))

    def transform(
        self, target_prices: Floats, origins: Days, *, horizon: int, volatility: Floats | None = None
    ) -> Floats:
        """Return the targets, unitless, shape (origins, horizon), of several columns (origins, horizon, columns).

        Args:
            target_prices: prices of all days, shape (days,), of several columns (days, columns).
            origins: day indices; origins + horizon must be days.
            horizon: days ahead, from 1.
            volatility: u of every day, shape (days,); None for 1.
        """
        prices = target_prices.reshape(len(target_prices), len(self.columns))
        later = prices[origins[:, None] + np.arange(1, horizon + 1)]
        shape = (len(origins), horizon, *target_prices.shape[1:])
        if self.kind == "price":
            return self.scaler.transform(later.reshape(-1, len(self.columns))).reshape(shape)
        returns = np.log(later / prices[origins, self.main][:, None, None])
        if volatility is not None:
            returns = returns / volatility[origins][:, None, None]
        center, scale, roots = self._moves(horizon)
        targets: Floats = ((returns - center) / (scale * roots)).reshape(shape)
        return targets

    def inverse_transform(self, outputs: Floats, last_close: Floats, volatility: Floats | None = None) -> Floats:
        """Turn outputs into prices, the inverse of `transform`.

        Args:
            outputs: unitless, shape (origins, horizon, columns), or where there is one column any number of its
                levels (origins, horizon, levels).
            last_close: price at each origin, shape (origins,).
            volatility: u at each origin, shape (origins,); None for 1.

        Returns:
            Price units, of the same shape.
        """
        last = last_close[:, None, None]
        if self.kind == "price":
            returns = np.log(np.maximum(self.scaler.inverse_transform(outputs), 1e-9 * last) / last)
        else:
            center, scale, roots = self._moves(outputs.shape[1])
            returns = outputs * scale * roots + center
            if volatility is not None:
                returns = returns * volatility[:, None, None]
        # Absurd outputs become a (very bad) finite price above zero, which the scores then show.
        prices: Floats = last * np.exp(np.clip(returns, -20, 20))
        return prices

    def _moves(self, horizon: int) -> tuple[Floats, Floats, Floats]:
        """Return the log returns' centre (horizon, columns), scale (1,) of a day and its factor (horizon, columns)."""
        steps = np.arange(1, horizon + 1)[:, None]
        main = self.scaler.column(self.main)
        center = main.center * steps + (self.scaler.center - main.center)
        return center, main.scale, np.sqrt(steps - 1 + (self.scaler.scale / main.scale) ** 2)

    def accumulate(self, daily: Floats) -> Floats:
        """Turn one-day outputs, day after day, into outputs for h days ahead; both of shape (origins, steps, columns).

        There is one column where they are log returns.
        """
        if self.kind == "price":
            return daily
        ahead: Floats = np.cumsum(daily, axis=1) / np.sqrt(np.arange(1, daily.shape[1] + 1))[:, None]
        return ahead


def fit_target_transform(
    training_prices: Sequence[Floats],
    *,
    transform: TargetKind,
    kind: Kind,
    volatilities: Sequence[Floats] | None = None,
    columns: tuple[str, ...] = ("Close",),
    centred: bool = True,
) -> TargetTransform:
    """Fit the unit of the targets on the training days of one series or of several.

    Args:
        training_prices: of each series' training days, shape (training days,), of several columns
            (training days, columns).
        transform: `log_return` or `price`.
        kind: of the scaler.
        volatilities: u of the same days, for log returns; None for 1.
        columns: names of the prices.
        centred: whether targets are measured from the training days' centre; if not, from the last close, so that their
            sign is the direction.
    """
    seen = [prices.reshape(len(prices), len(columns)) for prices in training_prices]
    if transform == "log_return":
        main = _main(columns)
        logs = [np.log(prices) for prices in seen]
        seen = [log[1:] - log[:-1, main : main + 1] for log in logs]
        if volatilities is not None:
            ratios = [returns / volatility[:-1, None] for returns, volatility in zip(seen, volatilities, strict=True)]
            seen = [np.clip(ratio[_YOUNG:], -_FURTHEST, _FURTHEST) for ratio in ratios]
    scaler = fit_scaler(np.concatenate(seen), kind=kind)
    return TargetTransform(transform, scaler if centred else replace(scaler, center=np.zeros(len(columns))), columns)


def _main(columns: tuple[str, ...]) -> int:
    return columns.index("Close") if len(columns) > 1 else 0
