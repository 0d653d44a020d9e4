"""The simplest baselines: random walks with normal steps."""

import numpy as np
import pandas as pd

from stockcast.evaluation.baselines.task import ForecastTask
from stockcast.forecast import Forecast
from stockcast.typing import Floats


def random_walk(task: ForecastTask) -> Forecast:
    """No drift, normal steps with the volatility of the training days."""
    volatility = np.sqrt(np.mean(_training_returns(task) ** 2))  # around zero, its drift
    return _normal_steps(task, drift=0.0, volatility=volatility)


def drift(task: ForecastTask) -> Forecast:
    """The random walk with the mean daily return of the training days."""
    returns = _training_returns(task)
    return _normal_steps(task, drift=float(returns.mean()), volatility=returns.std())


def historical_volatility(task: ForecastTask, *, days: int = 20) -> Forecast:
    """The random walk with the volatility of the last 20 returns up to the origin, around zero."""
    squares = pd.Series(np.diff(np.log(task.closes)) ** 2)
    variance = squares.rolling(days, min_periods=1).mean().to_numpy()
    return _normal_steps(task, drift=0.0, volatility=np.sqrt(variance[task.origins - 1]))


def ewma(task: ForecastTask, *, decay: float = 0.94) -> Forecast:
    """The random walk with the exponentially weighted volatility of all returns up to the origin.

    The decay of 0.94 a day is that of RiskMetrics (Technical Document, 1996).
    """
    returns = np.diff(np.log(task.closes))
    variance = pd.Series(returns**2).ewm(alpha=1 - decay).mean().to_numpy()
    return _normal_steps(task, drift=0.0, volatility=np.sqrt(variance[task.origins - 1]))


def _training_returns(task: ForecastTask) -> Floats:
    return np.diff(np.log(task.closes[: task.training_days]))


def _normal_steps(task: ForecastTask, *, drift: float, volatility: Floats | np.floating) -> Forecast:
    """Log return after h days ~ Normal(h drift, h volatility**2), both per day; volatility may differ by origin."""
    from scipy.special import ndtri

    steps = np.arange(1, task.horizon + 1)[None, :, None]
    daily = np.broadcast_to(volatility, task.origins.shape)[:, None, None]
    returns = drift * steps + daily * np.sqrt(steps) * ndtri(task.levels)
    return task.forecast(task.closes[task.origins][:, None, None] * np.exp(returns))
