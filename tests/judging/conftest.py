import numpy as np
import pandas as pd
import pytest
from made import make_bars

from stockcast.data.prices import Prices, read_prices
from stockcast.evaluation.baselines.naive import ewma
from stockcast.forecast import Forecast
from stockcast.judging.matching import task_of

ORIGINS = np.arange(300, 360)
HORIZON = 5


@pytest.fixture(scope="session")
def bars() -> pd.DataFrame:
    return make_bars(380)


@pytest.fixture(scope="session")
def prices(bars: pd.DataFrame) -> Prices:
    named = bars.copy()
    named.attrs["name"] = "prices"
    return read_prices(named)


@pytest.fixture(scope="session")
def forecast(prices: Prices) -> Forecast:
    """Of 60 days, 5 days ahead: a random walk with the volatility as it was then, and a little drift."""
    walk = ewma(task_of(prices, ORIGINS, horizon=HORIZON, training_days=300))
    rise = np.exp(0.0004 * np.arange(1, HORIZON + 1))[None, :, None]
    return Forecast(walk.origin_dates, walk.target_dates, walk.levels, walk.quantiles * rise, walk.last_close)
