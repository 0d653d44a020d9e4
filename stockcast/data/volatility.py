"""How much a price moves in a day, as known at the end of each day: the unit that all series have in common.

Nothing here is estimated on a part of the days: a value of day t comes from days up to t, so that a series that was not
trained on has its own unit from its own past, and a later row changes no earlier value.
"""

import numpy as np
import pandas as pd

from stockcast.typing import Floats

DECAY = 0.94
"""Weight of yesterday's variance in the exponentially weighted one, per day (RiskMetrics Technical Document, 1996)."""

_LEAST = 1e-4  # deviation of any day: else days that a vendor repeated divide by zero; calm stocks move 100 times it
_BURN_IN = 20  # days before the mean range is compared with the mean return


def daily_variance(bars: pd.DataFrame) -> Floats:
    """Return a noisy measure of each day's variance, of log returns, shape (days,); NaN on the first day.

    Half of it is the squared return, half what open, high and low show of the day's path: the squared gap to the day
    before, and the mean of the measures of Parkinson (1980) and of Rogers & Satchell (1991), brought by their past
    ratio to the level of squared returns. Where the file has no open, high or low, or not that day, it is all the
    squared return.
    """
    close = log_series(bars["Close"])
    squared = close.diff() ** 2
    if not {"Open", "High", "Low"} <= set(bars.columns):
        only: Floats = squared.to_numpy()
        return only
    opened, high, low = (log_series(bars[name]) for name in ("Open", "High", "Low"))
    body = pd.concat([opened, close], axis=1)
    high = high.where(high > body.max(axis=1, skipna=False), body.max(axis=1, skipna=False))  # vendors' rounding
    low = low.where(low < body.min(axis=1, skipna=False), body.min(axis=1, skipna=False))
    parkinson = (high - low) ** 2 / (4 * np.log(2))
    rogers_satchell = (high - opened) * (high - close) + (low - opened) * (low - close)
    ranged = (opened - close.shift()) ** 2 + (parkinson + rogers_satchell) / 2
    level = squared.expanding(_BURN_IN).mean() / ranged.expanding(_BURN_IN).mean()
    both = (level * ranged + squared) / 2
    variance: Floats = both.where(np.isfinite(both), squared).to_numpy()
    return variance


def volatility(variance: Floats) -> Floats:
    """Return the exponentially weighted deviation of a day's log return as known at its end, above zero, (days,)."""
    mean = smoothed(variance, decay=DECAY)
    deviation: Floats = np.sqrt(np.maximum(np.nan_to_num(mean), _LEAST**2))
    return deviation


def smoothed(values: Floats, *, decay: float) -> Floats:
    """Return the exponentially weighted mean of all values up to each day, missing ones left out, shape (days,)."""
    mean: Floats = pd.Series(values).ewm(alpha=1 - decay, ignore_na=True).mean().to_numpy()
    return mean


def log_series(values: pd.Series) -> pd.Series:
    """Return the natural logarithm, indexed as the values are."""
    return pd.Series(np.log(values.to_numpy(dtype=np.float64)), index=values.index)
