"""Made-up prices and tiny configs, so that most tests need neither a network nor seconds."""

from pathlib import Path

import numpy as np
import pandas as pd

REPOSITORY = Path(__file__).parents[1]

TINY = """\
name: tiny
data: {path: prices.csv}
features: [log_return, log_range]
window: 5
horizon: 3
model: {layers: [4, 3], dropout: 0.1}
training: {epochs: 2, batch_size: 64}
"""

# The same without what takes TensorFlow seconds to trace: for tests where any network will do.
QUICK = TINY.replace("{layers: [4, 3],", "{cell: last_day, layers: [4],").replace(
    "{epochs: 2, batch_size: 64}", "{epochs: 1, batch_size: 256}"
)


def make_bars(days: int = 700, *, seed: int = 0) -> pd.DataFrame:
    """Daily bars of a random walk on weekdays, in the columns of a Yahoo file."""
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(0.01 * random.standard_normal(days)))
    opened = close * np.exp(0.005 * random.standard_normal(days))
    spread = np.exp(0.01 * random.random(days))
    return pd.DataFrame(
        {
            "Date": pd.bdate_range("2010-01-04", periods=days).strftime("%Y-%m-%d"),
            "Open": opened,
            "High": np.maximum(opened, close) * spread,
            "Low": np.minimum(opened, close) / spread,
            "Close": close,
            "Adj Close": close,
            "Volume": random.integers(1_000, 2_000, days),
        }
    )
