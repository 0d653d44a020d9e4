"""Sample paths of a forecast, and the chance that a price is touched."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from stockcast.distribution.copula import WalkCopula
from stockcast.distribution.quantiles import PriceDistribution, price_forecast
from stockcast.errors import StockcastError
from stockcast.forecast import DirectionPrediction, Prediction
from stockcast.typing import Dates, Floats

if TYPE_CHECKING:
    import pandas as pd

_CHUNK = 2**16
"""Scores of one day that are compared at a time: few enough for the processor's cache, and for many draws of paths."""

_BLOCK = 200
"""Origins whose scores are in memory at a time."""

MOST_PATHS = 100_000
"""Of one call of `sample_paths`: of 50 days, 40 MB of prices and a table of 5 million rows."""


@dataclass(frozen=True)
class SamplePaths:
    """Equally likely courses of the price over the days of a forecast, in the price unit of the last row.

    Attributes:
        series: name of the series.
        origin: the last day known.
        dates: the days of the forecast, datetime64[D], shape (days,).
        prices: shape (paths, days).
    """

    series: str
    origin: np.datetime64
    dates: Dates
    prices: Floats

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a row for each path and day, `unique_id,cutoff,path,ds,step,price`; prices to six digits."""
        days = [str(day) for day in self.dates]
        for number, prices in enumerate(self.prices):
            for step, (day, price) in enumerate(zip(days, prices.tolist(), strict=True), start=1):
                yield {
                    "unique_id": self.series,
                    "cutoff": str(self.origin),
                    "path": number,
                    "ds": day,
                    "step": step,
                    "price": float(f"{price:.6g}"),
                }

    def to_frame(self) -> "pd.DataFrame":
        """Return `rows` as a pandas DataFrame, the dates as datetimes, the prices not rounded."""
        import pandas as pd

        paths, days = self.prices.shape
        return pd.DataFrame(
            {
                "unique_id": self.series,
                "cutoff": pd.Timestamp(self.origin),
                "path": np.repeat(np.arange(paths), days),
                "ds": np.tile(self.dates.astype("datetime64[ns]"), paths),
                "step": np.tile(np.arange(1, days + 1), paths),
                "price": self.prices.ravel(),
            }
        )

    def arrays(self) -> dict[str, Any]:
        """Return the paths as an npz file holds them without pickles."""
        return {
            "unique_id": np.array(self.series),
            "cutoff": np.array(self.origin),
            "dates": self.dates,
            "prices": self.prices,
        }


def sample_paths(prediction: Prediction | DirectionPrediction, count: int, *, seed: int = 0) -> SamplePaths:
    """Draw paths whose prices on each day are distributed as the forecast's, and whose days hang together as a walk's.

    See `WalkCopula`. The same seed and count draw the same paths.

    Raises:
        StockcastError: `count` is not from 1 to `MOST_PATHS`, or the forecast is of the direction.
    """
    forecast = price_forecast(prediction)
    if not 1 <= count <= MOST_PATHS:
        raise StockcastError(
            f"{count} paths cannot be drawn: from 1 to {MOST_PATHS:,} can.", key="--paths", value=count
        )
    distribution = PriceDistribution.of(forecast)
    copula = WalkCopula.of(distribution)
    scores = copula.to_normal(copula.scores(np.random.default_rng(seed), count).astype(np.float64))[0]
    prices = np.stack([distribution.days(slice(day, day + 1)).at_scores(scores[day])[0, 0]
                       for day in range(forecast.horizon)], axis=1)  # fmt: skip
    return SamplePaths(prediction.series, np.datetime64(forecast.origin_dates[0]), forecast.target_dates[0], prices)


def touch_probability(
    distribution: PriceDistribution, prices: Floats, *, days: tuple[int, ...], paths: int, seed: int = 0
) -> Floats:
    """Return the chance that a close up to and including a day is at a price or beyond it, seen from the last price.

    Beyond is above for prices at or above the last one, and below for those below it. It is the probability of a close
    at or beyond the price on that day, which is computed, and the share of paths, as `sample_paths` draws them, that
    touch the price before and close on the near side; its standard error is at most 0.5 / sqrt(paths). Some origins
    share their random numbers.

    Args:
        distribution: of some origins, from the first day on and as far as any of `days`.
        prices: above 0, a set for each of `days`, shape (origins, len(days), n).
        days: numbers of days ahead, each at least 1.
        paths: drawn for each origin.
        seed: of the paths.

    Returns:
        Shape (origins, len(days), n).
    """
    random = np.random.default_rng(seed)
    blocks = [slice(start, start + _BLOCK) for start in range(0, len(prices), _BLOCK)]
    return np.concatenate(
        [_touched(distribution.rows(block), prices[block], days, paths=paths, random=random) for block in blocks]
    )


def _touched(
    distribution: PriceDistribution, prices: Floats, days: tuple[int, ...], *, paths: int, random: np.random.Generator
) -> Floats:
    from scipy.special import ndtr

    copula = WalkCopula.of(distribution)
    origins, _, count = prices.shape
    # A walk is as likely as its mirror image: a fall to a score is a rise to its negative.
    side = np.where(prices >= distribution.last_close[:, None, None], 1.0, -1.0)
    needed = []  # by span, the Student-t score that touches on each day, shape (origins, day, n)
    closes = np.empty(prices.shape)
    for span, day in enumerate(days):
        scores = side[:, span : span + 1] * distribution.days(slice(0, day)).scores(prices[:, span : span + 1])
        closes[:, span] = ndtr(-scores[:, -1])
        needed.append(copula.to_student(scores).astype(np.float32))
    # Parts do not depend on the number of prices: the chance of one is the same whatever else is looked up.
    together, part = max(1, _CHUNK // paths), min(paths, _CHUNK)
    touches = np.zeros(prices.shape)
    for start in range(0, origins, together):
        chosen = slice(start, start + together)
        for first in range(0, paths, part):
            walks = copula.rows(chosen).scores(random, min(part, paths - first))
            for span, day in enumerate(days):
                for price in range(count):
                    mark = needed[span][chosen, :, price, None]
                    touched = np.zeros((len(walks), walks.shape[2]), dtype=np.bool_)
                    for ahead in range(day - 1):
                        touched |= walks[:, ahead] >= mark[:, ahead]
                    touched &= walks[:, day - 1] < mark[:, day - 1]
                    touches[chosen, span, price] += touched.sum(axis=-1)
    return closes + touches / paths
