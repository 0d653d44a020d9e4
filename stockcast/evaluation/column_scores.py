"""Scores of several price columns that are forecast together, each with the simplest forecasts of that column."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from stockcast.evaluation.metrics import mean_absolute_error, root_mean_squared_error
from stockcast.evaluation.scores import reported_steps, skill
from stockcast.frequency import DAILY, Frequency
from stockcast.typing import Days, Floats

RATIO_DAYS = 20
"""Days whose mean ratio of a column to the Close before it the `last_close` baseline uses: about a month."""


@dataclass(frozen=True)
class Errors:
    """Errors of a forecast of one column, in price units; see `stockcast.evaluation.metrics`."""

    mae: float
    rmse: float


@dataclass(frozen=True)
class ColumnComparison:
    """The network's forecast of one column and the baselines', at one number of days ahead.

    Attributes:
        model: the network's errors.
        baselines: those of `random_walk`, the column's own last value, and of `last_close`, the last Close times the
            mean ratio of the column to the Close of the day before over the last 20 days. The last Close is known
            later than the last Open, High or Low, so the second baseline is the better one for these.
        skill: by baseline, 1 - mae(network) / mae(baseline); > 0 if the network is better; None if the latter is 0.
    """

    model: Errors
    baselines: dict[str, Errors]
    skill: dict[str, float | None]

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as metrics.json holds it."""
        return asdict(self)


Columns = Mapping[str, Mapping[int, ColumnComparison]]
"""By column, then by days ahead."""


def compare_columns(
    medians: Mapping[str, Floats], prices: Mapping[str, Floats], origins: Days, *, frequency: Frequency = DAILY
) -> Columns:
    """Score the forecast of each column and its baselines at the reported numbers of days ahead.

    Args:
        medians: of each column, price units, shape (origins, horizon).
        prices: of the same columns, Close among them, price units, of all days, shape (days,).
        origins: day indices, shape (origins,); origins + horizon are days.
        frequency: of the bars, each of which is called a day here.
    """
    close = prices["Close"]
    compared: dict[str, dict[int, ColumnComparison]] = {}
    for name, median in medians.items():
        ratios = pd.Series(prices[name]) / pd.Series(close).shift()
        ratio = ratios.rolling(RATIO_DAYS, min_periods=1).mean().to_numpy()
        baselines = {"random_walk": prices[name][origins], "last_close": (close * ratio)[origins]}
        compared[name] = {
            step: _compare(median[:, step - 1], baselines, prices[name][origins + step])
            for step in reported_steps(median.shape[1], frequency)
        }
    return compared


def _compare(median: Floats, baselines: Mapping[str, Floats], actual: Floats) -> ColumnComparison:
    model, others = _errors(median, actual), {name: _errors(values, actual) for name, values in baselines.items()}
    return ColumnComparison(model, others, {name: skill(model.mae, errors.mae) for name, errors in others.items()})


def _errors(median: Floats, actual: Floats) -> Errors:
    return Errors(mean_absolute_error(median, actual), root_mean_squared_error(median, actual))
