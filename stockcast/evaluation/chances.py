"""Reliability of the chances of price levels: is a close beyond a level, or a touch, as frequent as it was promised?"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from stockcast.distribution.paths import touch_probability
from stockcast.distribution.quantiles import PriceDistribution
from stockcast.evaluation.baselines.task import ForecastTask
from stockcast.forecast import Forecast
from stockcast.typing import Flags, Floats

LEVELS_AT = tuple(step / 20 for step in range(1, 20, 2))
"""The ten price levels of each number of days ahead are these quantiles of the random walk: the last close x (1 + k),
with the same k for every origin and every forecast, five below the last close and five above."""

PATHS = 256
"""For the chance of a touch, from each origin. Its error averages out over origins and levels."""

APART = 10
"""Touches within h days are compared from every (h / 10)-th origin: those between have nearly the same days ahead."""


@dataclass(frozen=True)
class LevelReliability:
    """One price level.

    Attributes:
        move: k; the level is the last close x (1 + k).
        promised: mean forecast probability.
        came: share of origins after which it came; best is `promised`.
    """

    move: float
    promised: float
    came: float


@dataclass(frozen=True)
class EventReliability:
    """One kind of event, over the ten levels: `promised` and `came` are the means over them."""

    promised: float
    came: float
    levels: tuple[LevelReliability, ...]

    @property
    def gap(self) -> float:
        """Promised minus came; > 0 is too often promised."""
        return self.promised - self.came


@dataclass(frozen=True)
class ChanceReliability:
    """Of one forecast at one number of days ahead.

    Beyond a level is below it for levels below the last close, and above it for those above.

    Attributes:
        close: the close on that day is beyond the level.
        touch: any close up to and including that day is at the level or beyond it.
    """

    close: EventReliability
    touch: EventReliability


def chance_reliability(
    forecasts: Mapping[str, Forecast], task: ForecastTask, levels: Forecast, *, steps: list[int]
) -> dict[int, dict[str, ChanceReliability]]:
    """Compare what forecasts promise of the levels with what came, from every origin of a task.

    Args:
        forecasts: by name, of the task.
        task: the origins and actual prices.
        levels: the forecast whose quantiles at `LEVELS_AT` are the price levels: the random walk's.
        steps: numbers of days ahead.

    Returns:
        By days ahead, then by the name of the forecast.
    """
    actual, last = task.actual, levels.last_close[:, None]
    distributions = {name: PriceDistribution.of(forecast) for name, forecast in forecasts.items()}
    found: dict[int, dict[str, ChanceReliability]] = {}
    for step in steps:
        prices = np.stack([levels.at(level)[:, step - 1] for level in LEVELS_AT], axis=-1)
        is_above = prices >= last
        moves = (prices / last - 1).mean(axis=0)
        closed = _beyond(actual[:, step - 1, None], prices, is_above)
        some = slice(None, None, max(1, step // APART))
        touched = _reached(actual[some, :step], prices[some], is_above[some])
        found[step] = {}
        for name, distribution in distributions.items():
            below = distribution.days(slice(step - 1, step)).cdf(prices[:, None])[:, 0]
            close = np.where(is_above, 1 - below, below)
            walked = distribution.rows(some).days(slice(0, step))
            touch = touch_probability(walked, prices[some, None], days=(step,), paths=PATHS)[:, 0]
            found[step][name] = ChanceReliability(_event(moves, close, closed), _event(moves, touch, touched))
    return found


def _beyond(actual: Floats, prices: Floats, is_above: Flags) -> Flags:
    return np.asarray(np.where(is_above, actual > prices, actual < prices))


def _reached(actual: Floats, prices: Floats, is_above: Flags) -> Flags:
    highest, lowest = actual.max(axis=1, keepdims=True), actual.min(axis=1, keepdims=True)
    return np.asarray(np.where(is_above, highest >= prices, lowest <= prices))


def _event(moves: Floats, promised: Floats, came: Flags) -> EventReliability:
    levels = tuple(
        LevelReliability(*values)
        for values in zip(moves.tolist(), promised.mean(axis=0).tolist(), came.mean(axis=0).tolist(), strict=True)
    )
    return EventReliability(float(promised.mean()), float(came.mean()), levels)
