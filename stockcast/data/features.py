"""What the network sees of each day, computed from that day and the days before it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stockcast.data.prices import COLUMNS, Prices
from stockcast.forecast import Floats

Bars = pd.DataFrame

DECAY = 0.94
"""Weight of yesterday's variance in the exponentially weighted one, per day (RiskMetrics Technical Document, 1996)."""


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
    return _log(bars["High"] / bars[["Open", "Close"]].max(axis=1, skipna=False))


def _lower_shadow(bars: Bars) -> pd.Series:
    return _log(bars[["Open", "Close"]].min(axis=1, skipna=False) / bars["Low"])


def _volume_ratio(bars: Bars) -> pd.Series:
    """Log of today's volume over the mean of the last 20 days."""
    return _log(bars["Volume"] / bars["Volume"].rolling(20, min_periods=1).mean())


def _plain(column: str) -> Feature:
    return Feature((column,), lambda bars: bars[column])


FEATURES: dict[str, Feature] = {
    "log_return": Feature(("Close",), _log_return),
    "abs_return": Feature(("Close",), lambda bars: _log_return(bars).abs()),
    "log_volatility": Feature(("Close",), _log_volatility),
    "log_range": Feature(("High", "Low"), _log_range),
    "open_to_close": Feature(("Open", "Close"), lambda bars: _log(bars["Close"] / bars["Open"])),
    "upper_shadow": Feature(("Open", "High", "Close"), _upper_shadow),
    "lower_shadow": Feature(("Open", "Low", "Close"), _lower_shadow),
    "volume_ratio": Feature(("Volume",), _volume_ratio),
    **{column: _plain(column) for column in COLUMNS},
}


def make_features(prices: Prices, names: tuple[str, ...]) -> Floats:
    """Compute the named features of every day.

    Args:
        prices: daily bars, oldest first.
        names: keys of `FEATURES`, in the order of the result's columns.

    Returns:
        Shape (days, features), NaN where a day lacks what a feature needs (the first day has no return).

    Raises:
        MissingColumns: the file lacks a column that a feature needs.
    """
    prices.require(sorted({column for name in names for column in FEATURES[name].needs}))
    columns = [FEATURES[name].compute(prices.bars).to_numpy(dtype=np.float64) for name in names]
    return np.stack(columns, axis=1)


def features_for(prices: Prices) -> tuple[str, ...]:
    """Return the return-like features of columns that most days have, in the order of `FEATURES`."""
    filled = {column for column in prices.bars.columns if prices.bars[column].notna().mean() > 0.5}
    return tuple(name for name, feature in FEATURES.items() if name not in COLUMNS and set(feature.needs) <= filled)
