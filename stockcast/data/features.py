"""What the network sees of each day, computed from that day and the days before it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import pandas as pd

from stockcast.data.csv.names import COLUMNS
from stockcast.data.csv.own_header import KNOWN, OWN
from stockcast.data.known_days import is_known, is_known_column
from stockcast.data.market import Market, average
from stockcast.data.own_columns import is_own
from stockcast.data.prices import Prices
from stockcast.data.volatility import DECAY, daily_variance, log_series, smoothed, volatility
from stockcast.typing import Floats


class DailyBars:
    """The bars of one series, oldest first, and what several features are made of, computed once."""

    def __init__(self, table: pd.DataFrame, market: Market | None = None) -> None:
        self.table = table
        self.index = table.index
        self.market = market

    def __getitem__(self, column: str) -> pd.Series:
        return self.table[column]

    @cached_property
    def log_return(self) -> pd.Series:
        """Log of today's close over yesterday's."""
        return log_series(self["Close"]).diff()

    @cached_property
    def variance(self) -> Floats:
        """Of each day, shape (days,)."""
        return daily_variance(self.table)

    @cached_property
    def volatility(self) -> Floats:
        """Of each day as known at its end, shape (days,): the unit of scale-free features."""
        return volatility(self.variance)


Compute = Callable[[DailyBars], pd.Series]

VOLATILITY_SPANS = (5, 10, 33, 67, 133, 333)
"""Mean age in days of the returns in an exponentially weighted volatility; in the unit itself it is 17."""


@dataclass(frozen=True)
class Feature:
    """An input of the network.

    Attributes:
        needs: columns of the price file.
        compute: bars, shape (days, columns), to a value for each day, shape (days,); row t uses rows up to t only.
    """

    needs: tuple[str, ...]
    compute: Compute


def _column(bars: DailyBars, *, name: str) -> pd.Series:
    return bars[name]


def _log_range(bars: DailyBars) -> pd.Series:
    """Log of the day's volatility as its range shows it (Parkinson 1980); missing where high equals low."""
    spread = log_series(bars["High"] / bars["Low"])
    return log_series(spread.where(spread > 0) / (2 * np.sqrt(np.log(2))))


def _log_volatility(bars: DailyBars) -> pd.Series:
    """Log of the exponentially weighted volatility of daily log returns."""
    variance = (bars.log_return**2).ewm(alpha=1 - DECAY, ignore_na=True).mean()
    return log_series(variance.where(variance > 0)) / 2


def _open_to_close(bars: DailyBars) -> pd.Series:
    return log_series(bars["Close"] / bars["Open"])


def _upper_shadow(bars: DailyBars) -> pd.Series:
    return log_series(bars["High"] / bars.table[["Open", "Close"]].max(axis=1, skipna=False))


def _lower_shadow(bars: DailyBars) -> pd.Series:
    return log_series(bars.table[["Open", "Close"]].min(axis=1, skipna=False) / bars["Low"])


def _volume_ratio(bars: DailyBars) -> pd.Series:
    """Log of today's volume over the mean of the last 20 days."""
    return log_series(bars["Volume"] / bars["Volume"].rolling(20, min_periods=1).mean())


def _clipped(values: pd.Series, least: float, most: float) -> pd.Series:
    """Return values within two bounds, NaN as it is: what pandas' own clip does, in a tenth of its time."""
    return pd.Series(np.clip(values.to_numpy(), least, most), index=values.index)


# Inputs in units of the day's own volatility: they mean the same for a calm stock and a wild one, in 1990 and today.
def _in_volatility(compute: Compute) -> Compute:
    """In deviations of a day, at most six."""
    return lambda bars: _clipped(compute(bars) / bars.volatility, -6, 6)


def _gap(bars: DailyBars) -> pd.Series:
    """Log of today's open over yesterday's close."""
    return log_series(bars["Open"]) - log_series(bars["Close"]).shift()


def _volatility_ratio(bars: DailyBars, *, variance: Callable[[DailyBars], Floats]) -> pd.Series:
    """Log of another measure of volatility over the unit, between -3 and 3."""
    other = np.maximum(variance(bars), 1e-8)  # a day without a move has no log
    return _clipped(log_series(pd.Series(other, index=bars.index)) / 2 - np.log(bars.volatility), -3, 3)


def _weighted_variance(bars: DailyBars, *, span: int) -> Floats:
    """Variance whose days have a mean age of `span`."""
    return smoothed(bars.variance, decay=1 - 1 / span)


_VARIANCES: dict[str, Callable[[DailyBars], Floats]] = {
    "day_volatility_ratio": lambda bars: bars.variance,
    **{f"volatility_ratio_{span}": partial(_weighted_variance, span=span) for span in VOLATILITY_SPANS},
    "volatility_ratio_all": lambda bars: pd.Series(bars.variance).expanding().mean().to_numpy(),
    "volatility_ratio_closes": lambda bars: smoothed((bars.log_return**2).to_numpy(), decay=DECAY),
}


def _downside(bars: DailyBars, *, span: int) -> pd.Series:
    """Share of variance that came from falls, less a half (realised semivariance: Barndorff-Nielsen et al. 2010)."""
    returns: Floats = bars.log_return.to_numpy()
    falls, all_moves = (smoothed(squares, decay=1 - 1 / span) for squares in (np.minimum(returns, 0) ** 2, returns**2))
    return pd.Series(falls / np.where(all_moves > 0, all_moves, np.nan), index=bars.index) - 0.5


def _momentum(bars: DailyBars, *, days: int) -> pd.Series:
    """Log return over `days` days, in deviations of so many days, between -5 and 5."""
    total = bars.log_return.rolling(days, min_periods=1).sum()
    return _clipped(total / (bars.volatility * np.sqrt(days)), -5, 5)


def _drawdown(bars: DailyBars) -> pd.Series:
    """Log of the close over the highest of the last 250 days, in deviations of 250 days, at least -3."""
    close = log_series(bars["Close"])
    below = close - close.rolling(250, min_periods=1).max()
    return _clipped(below / (bars.volatility * np.sqrt(250)), -3, 0)


def _volatility_of_volatility(bars: DailyBars) -> pd.Series:
    """Log of the deviation of the unit's own daily log changes over 60 days; missing where it stands still."""
    known = pd.Series(np.log(bars.volatility), index=bars.index).iloc[1:]  # the first day has no return to know it by
    changes = known.diff().reindex(bars.index).rolling(60, min_periods=5).std()
    return log_series(changes.where(changes > 1e-6))


def _volume_trend(bars: DailyBars) -> pd.Series:
    """Mean log volume of the last 5 days less that of the last 250, between -3 and 3."""
    volume = log_series(bars["Volume"])
    short, long = (volume.rolling(days, min_periods=1).mean() for days in (5, 250))
    return _clipped(short - long, -3, 3)


SCALE_FREE: dict[str, Feature] = {
    "return_in_volatility": Feature(("Close",), _in_volatility(lambda bars: bars.log_return)),
    "abs_return_in_volatility": Feature(("Close",), _in_volatility(lambda bars: bars.log_return.abs())),
    **{key: Feature(("Close",), partial(_volatility_ratio, variance=variance)) for key, variance in _VARIANCES.items()},
    **{f"downside_{span}": Feature(("Close",), partial(_downside, span=span)) for span in (5, 17, 67)},
    **{f"momentum_{days}": Feature(("Close",), partial(_momentum, days=days)) for days in (5, 20, 60, 250)},
    "drawdown": Feature(("Close",), _drawdown),
    "volatility_of_volatility": Feature(("Close",), _volatility_of_volatility),
    "open_to_close_in_volatility": Feature(("Open", "Close"), _in_volatility(_open_to_close)),
    "gap_in_volatility": Feature(("Open", "Close"), _in_volatility(_gap)),
    "volume_ratio": Feature(("Volume",), _volume_ratio),
    "volume_trend": Feature(("Volume",), _volume_trend),
}
"""Inputs without a unit or a level of their own: a network trained on one series by them can forecast another."""


def _market_mean(bars: DailyBars, *, name: str) -> pd.Series:
    if bars.market is None:
        raise ValueError(f"market_{name} needs the market")
    return pd.Series(bars.market.on(bars.index.to_numpy(dtype="datetime64[D]"), name), index=bars.index)


_AVERAGED = {f"market_{name}": name for name, feature in SCALE_FREE.items() if feature.needs == ("Close",)}

MARKET = {key: Feature(("Close",), partial(_market_mean, name=name)) for key, name in _AVERAGED.items()}
"""Means over all series that a network is trained on: of every scale-free feature that needs closes alone."""

FEATURES: dict[str, Feature] = {
    "log_return": Feature(("Close",), lambda bars: bars.log_return),
    "abs_return": Feature(("Close",), lambda bars: bars.log_return.abs()),
    "log_volatility": Feature(("Close",), _log_volatility),
    "log_range": Feature(("High", "Low"), _log_range),
    "open_to_close": Feature(("Open", "Close"), _open_to_close),
    "upper_shadow": Feature(("Open", "High", "Close"), _upper_shadow),
    "lower_shadow": Feature(("Open", "Low", "Close"), _lower_shadow),
    **SCALE_FREE,
    **MARKET,
    **{column: Feature((column,), partial(_column, name=column)) for column in COLUMNS},
}


def make_features(prices: Prices, names: tuple[str, ...], market: Market | None = None) -> Floats:
    """Compute the named features of every day.

    Args:
        prices: daily bars, oldest first.
        names: keys of `FEATURES`, `own:NAME` of columns of `prices.own`, `known:NAME` of `prices.known_columns`, and
            `KNOWN_DAYS`, in the order of the result's columns.
        market: of `make_market`, where a name is of `MARKET`.

    Returns:
        Shape (days, features), NaN where a day lacks what a feature needs (the first day has no return).

    Raises:
        MissingColumns: the file lacks a column that a feature needs.
    """
    prices.require(needed_columns(names))
    bars = DailyBars(prices.bars, market)
    return np.stack([_values(prices, bars, name) for name in names], axis=1)


def _values(prices: Prices, bars: DailyBars, name: str) -> Floats:
    """Return one feature, shape (days,)."""
    if is_own(name):
        if prices.own is None:
            raise ValueError(f"{name} needs prices that were read with it")
        return prices.own.feature(name.removeprefix(OWN))
    if is_known_column(name):
        if prices.known_columns is None:
            raise ValueError(f"{name} needs prices that were read with it")
        return prices.known_columns.feature(name.removeprefix(KNOWN))
    if is_known(name):
        if prices.known is None:
            raise ValueError(f"{name} needs prices that were read with it")
        return prices.known[name].to_numpy(dtype=np.float64)
    values: Floats = FEATURES[name].compute(bars).to_numpy(dtype=np.float64)
    return values


def needed_columns(names: Iterable[str]) -> list[str]:
    """Return the bars' columns that features are computed from; own columns and the next session need none."""
    return sorted({column for name in names if name in FEATURES for column in FEATURES[name].needs})


def make_market(
    all_prices: Iterable[Prices], names: tuple[str, ...], *, make: Callable[..., Floats] = make_features
) -> Market | None:
    """Average what the features of `MARKET` among these names are made of over all series; None if there are none.

    `make` computes features as `make_features` does, or finds them where they are kept.
    """
    averaged = tuple(_AVERAGED[name] for name in names if name in _AVERAGED)
    if not averaged:
        return None
    return average(averaged, [(prices.dates, make(prices, averaged)) for prices in all_prices])


def features_for(prices: Prices) -> tuple[str, ...]:
    """Return the scale-free features of columns that most days have, in the order of `SCALE_FREE`.

    What has no value on any day is left out: of a price that never moves, the share of its moves that were falls.
    """
    filled = {column for column in prices.bars.columns if prices.bars[column].notna().mean() > 0.5}
    names = tuple(name for name, feature in SCALE_FREE.items() if set(feature.needs) <= filled)
    inputs = make_features(prices, names)
    return tuple(name for number, name in enumerate(names) if not np.isnan(inputs[:, number]).all())
