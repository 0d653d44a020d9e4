"""What the network sees of each day, computed from that day and the days before it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from stockcast.data.market import Market, average
from stockcast.data.prices import COLUMNS, Prices
from stockcast.data.volatility import DECAY, daily_variance, smoothed, volatility
from stockcast.forecast import Floats


class Bars:
    """Daily bars, oldest first, and what several features are made of, worked out once."""

    def __init__(self, table: pd.DataFrame, market: Market | None = None) -> None:
        self.table = table
        self.index = table.index
        self.market = market

    def __getitem__(self, column: str) -> pd.Series:
        return self.table[column]

    @cached_property
    def variance(self) -> Floats:
        """Of each day, shape (days,)."""
        return daily_variance(self.table)

    @cached_property
    def volatility(self) -> Floats:
        """Of each day as known at its end, shape (days,): the unit."""
        return volatility(self.variance)


SPANS = (5, 10, 33, 67, 133, 333)
"""Mean age in days of what an exponentially weighted volatility remembers; the unit itself has 17."""


@dataclass(frozen=True)
class Feature:
    """One input of the network: the columns it is made of and how.

    Attributes:
        needs: columns of the price file.
        compute: bars, shape (days, columns), to one value a day, shape (days,); row t uses rows up to t only.
    """

    needs: tuple[str, ...]
    compute: Callable[[Bars], pd.Series]


def _log(values: pd.Series) -> pd.Series:
    return pd.Series(np.log(values.to_numpy(dtype=np.float64)), index=values.index)


def _log_return(bars: Bars) -> pd.Series:
    """Log of today's close over yesterday's."""
    return _log(bars["Close"]).diff()


def _log_range(bars: Bars) -> pd.Series:
    """Log of the day's volatility as its range shows it (Parkinson 1980); missing where high equals low."""
    spread = _log(bars["High"] / bars["Low"])
    return _log(spread.where(spread > 0) / (2 * np.sqrt(np.log(2))))


def _log_volatility(bars: Bars) -> pd.Series:
    """Log of the exponentially weighted volatility of daily log returns."""
    variance = (_log_return(bars) ** 2).ewm(alpha=1 - DECAY, ignore_na=True).mean()
    return _log(variance.where(variance > 0)) / 2


def _upper_shadow(bars: Bars) -> pd.Series:
    return _log(bars["High"] / bars.table[["Open", "Close"]].max(axis=1, skipna=False))


def _lower_shadow(bars: Bars) -> pd.Series:
    return _log(bars.table[["Open", "Close"]].min(axis=1, skipna=False) / bars["Low"])


def _volume_ratio(bars: Bars) -> pd.Series:
    """Log of today's volume over the mean of the last 20 days."""
    return _log(bars["Volume"] / bars["Volume"].rolling(20, min_periods=1).mean())


# Inputs in units of the day's own volatility: they mean the same for a calm stock and a wild one, in 1990 and today.


def _in_volatility(series: Callable[[Bars], pd.Series]) -> Callable[[Bars], pd.Series]:
    """In deviations of a day, at most six."""
    return lambda bars: (series(bars) / bars.volatility).clip(-6, 6)


def _gap(bars: Bars) -> pd.Series:
    """Log of today's open over yesterday's close."""
    return _log(bars["Open"]) - _log(bars["Close"]).shift()


def _volatility_ratio(measure: Callable[[Bars], Floats]) -> Callable[[Bars], pd.Series]:
    """Log of another measure of volatility over the unit, between -3 and 3."""

    def compute(bars: Bars) -> pd.Series:
        other = np.maximum(measure(bars), 1e-8)  # squared; a day without a move has no log
        return (_log(pd.Series(other, index=bars.index)) / 2 - np.log(bars.volatility)).clip(-3, 3)

    return compute


def _remembering(span: int) -> Callable[[Bars], Floats]:
    """Variance whose memory has a mean age of `span` days."""
    return lambda bars: smoothed(bars.variance, decay=1 - 1 / span)


def _of_all_days(bars: Bars) -> Floats:
    return pd.Series(bars.variance).expanding().mean().to_numpy()


def _of_closes(bars: Bars) -> Floats:
    return smoothed((_log_return(bars) ** 2).to_numpy(), decay=DECAY)


def _downside(span: int) -> Callable[[Bars], pd.Series]:
    """Share of variance that came from falls, less a half (realised semivariance: Barndorff-Nielsen et al. 2010)."""

    def compute(bars: Bars) -> pd.Series:
        returns: Floats = _log_return(bars).to_numpy()
        falls, all_moves = (
            smoothed(squares, decay=1 - 1 / span) for squares in (np.minimum(returns, 0) ** 2, returns**2)
        )
        return pd.Series(falls / np.where(all_moves > 0, all_moves, np.nan), index=bars.index) - 0.5

    return compute


def _momentum(days: int) -> Callable[[Bars], pd.Series]:
    """Log return over `days` days, in deviations of so many days, between -5 and 5."""

    def compute(bars: Bars) -> pd.Series:
        gained = _log_return(bars).rolling(days, min_periods=1).sum()
        return pd.Series(gained / (bars.volatility * np.sqrt(days)), index=bars.index).clip(-5, 5)

    return compute


def _drawdown(bars: Bars) -> pd.Series:
    """Log of the close over the highest of the last 250 days, in deviations of 250 days, at least -3."""
    close = _log(bars["Close"])
    below = close - close.rolling(250, min_periods=1).max()
    return pd.Series(below / (bars.volatility * np.sqrt(250)), index=bars.index).clip(-3, 0)


def _volatility_of_volatility(bars: Bars) -> pd.Series:
    """Log of the deviation of the unit's own daily log changes over 60 days; missing where it stands still."""
    known = pd.Series(np.log(bars.volatility), index=bars.index).iloc[1:]  # the first day has no return to know it by
    changes = known.diff().reindex(bars.index).rolling(60, min_periods=5).std()
    return _log(changes.where(changes > 1e-6))


def _volume_trend(bars: Bars) -> pd.Series:
    """Mean log volume of the last 5 days less that of the last 250, between -3 and 3."""
    volume = _log(bars["Volume"])
    short, long = (volume.rolling(days, min_periods=1).mean() for days in (5, 250))
    return (short - long).clip(-3, 3)


def _plain(column: str) -> Feature:
    return Feature((column,), lambda bars: bars[column])


TRAVELLING: dict[str, Feature] = {
    "return_in_volatility": Feature(("Close",), _in_volatility(_log_return)),
    "abs_return_in_volatility": Feature(("Close",), _in_volatility(lambda bars: _log_return(bars).abs())),
    "day_volatility_ratio": Feature(("Close",), _volatility_ratio(lambda bars: bars.variance)),
    **{f"volatility_ratio_{span}": Feature(("Close",), _volatility_ratio(_remembering(span))) for span in SPANS},
    "volatility_ratio_all": Feature(("Close",), _volatility_ratio(_of_all_days)),
    "volatility_ratio_closes": Feature(("Close",), _volatility_ratio(_of_closes)),
    **{f"downside_{span}": Feature(("Close",), _downside(span)) for span in (5, 17, 67)},
    **{f"momentum_{days}": Feature(("Close",), _momentum(days)) for days in (5, 20, 60, 250)},
    "drawdown": Feature(("Close",), _drawdown),
    "volatility_of_volatility": Feature(("Close",), _volatility_of_volatility),
    "open_to_close_in_volatility": Feature(
        ("Open", "Close"), _in_volatility(lambda bars: _log(bars["Close"] / bars["Open"]))
    ),
    "gap_in_volatility": Feature(("Open", "Close"), _in_volatility(_gap)),
    "volume_ratio": Feature(("Volume",), _volume_ratio),
    "volume_trend": Feature(("Volume",), _volume_trend),
}
"""Inputs without a unit or a level of their own: what a network learns of one series by them holds for another."""


def _of_market(name: str) -> Callable[[Bars], pd.Series]:
    def compute(bars: Bars) -> pd.Series:
        if bars.market is None:
            raise ValueError(f"market_{name} needs the market")
        return pd.Series(bars.market.on(bars.index.to_numpy(dtype="datetime64[D]"), name), index=bars.index)

    return compute


_AVERAGED = {f"market_{name}": name for name, feature in TRAVELLING.items() if feature.needs == ("Close",)}

MARKET: dict[str, Feature] = {key: Feature(("Close",), _of_market(name)) for key, name in _AVERAGED.items()}
"""Means over all series that a network learns from: of every travelling feature that any price file allows."""

FEATURES: dict[str, Feature] = {
    "log_return": Feature(("Close",), _log_return),
    "abs_return": Feature(("Close",), lambda bars: _log_return(bars).abs()),
    "log_volatility": Feature(("Close",), _log_volatility),
    "log_range": Feature(("High", "Low"), _log_range),
    "open_to_close": Feature(("Open", "Close"), lambda bars: _log(bars["Close"] / bars["Open"])),
    "upper_shadow": Feature(("Open", "High", "Close"), _upper_shadow),
    "lower_shadow": Feature(("Open", "Low", "Close"), _lower_shadow),
    **TRAVELLING,
    **MARKET,
    **{column: _plain(column) for column in COLUMNS},
}


def make_features(prices: Prices, names: tuple[str, ...], market: Market | None = None) -> Floats:
    """Compute the named features of every day.

    Args:
        prices: daily bars, oldest first.
        names: keys of `FEATURES`, in the order of the result's columns.
        market: of `make_market`, where one of the names is of `MARKET`.

    Returns:
        Shape (days, features), NaN where a day lacks what a feature needs (the first day has no return).

    Raises:
        MissingColumns: the file lacks a column that a feature needs.
    """
    prices.require(sorted({column for name in names for column in FEATURES[name].needs}))
    bars = Bars(prices.bars, market)
    columns = [FEATURES[name].compute(bars).to_numpy(dtype=np.float64) for name in names]
    return np.stack(columns, axis=1)


def make_market(series: Iterable[Prices], names: tuple[str, ...]) -> Market | None:
    """Average what the features of `MARKET` among these names are made of; None where there is none.

    Args:
        series: all that the network learns from, one at a time.
        names: keys of `FEATURES`.
    """
    averaged = tuple(_AVERAGED[name] for name in names if name in _AVERAGED)
    if not averaged:
        return None
    return average(averaged, [(one.dates, make_features(one, averaged)) for one in series])


def features_for(prices: Prices) -> tuple[str, ...]:
    """Return the travelling features of columns that most days have, in the order of `FEATURES`.

    What has no value on any day is left out: of a price that never moves, the share of its moves that were falls.
    """
    filled = {column for column in prices.bars.columns if prices.bars[column].notna().mean() > 0.5}
    names = tuple(name for name, feature in TRAVELLING.items() if set(feature.needs) <= filled)
    inputs = make_features(prices, names)
    return tuple(name for number, name in enumerate(names) if not np.isnan(inputs[:, number]).all())
