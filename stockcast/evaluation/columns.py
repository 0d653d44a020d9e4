"""Several prices forecast together, each beside the simplest that can be said of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from stockcast.evaluation.metrics import mean_absolute_error, root_mean_squared_error
from stockcast.evaluation.scores import REPORTED_STEPS
from stockcast.forecast import Days, Floats

RATIO_DAYS = 20
"""Days whose mean ratio of a column to the Close before it is taken for the next days': about a month of trading."""


@dataclass(frozen=True)
class Errors:
    """How far a forecast of one column was off, in price units; see `stockcast.evaluation.metrics`."""

    mae: float
    rmse: float


@dataclass(frozen=True)
class ColumnComparison:
    """The network's forecast of one column beside its rivals', at one number of days ahead.

    Attributes:
        model: the network's errors.
        baselines: those of `random_walk`, the column's own last value, and of `last_close`, the last Close times the
            mean ratio of the column to the Close of the day before over the last 20 days. The last Close is known
            later than the last Open, High or Low, so of these the second is the one to beat.
        skill: for each rival, 1 - mae(network) / mae(rival); > 0 if the network is better; None if the rival's is 0.
    """

    model: Errors
    baselines: dict[str, Errors]
    skill: dict[str, float | None]

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as metrics.json holds it."""
        return asdict(self)


Columns = Mapping[str, Mapping[int, ColumnComparison]]
"""By column, then by days ahead."""


def compare_columns(medians: Mapping[str, Floats], prices: Mapping[str, Floats], origins: Days) -> Columns:
    """Score the network's forecast of each column beside what its past says.

    Args:
        medians: of each column, price units, shape (origins, horizon).
        prices: of the same columns, Close among them, price units, of all days, shape (days,).
        origins: day indices, shape (origins,); origins + horizon are days.

    Returns:
        For each column, the comparisons at the steps that are reported.
    """
    horizon = next(iter(medians.values())).shape[1]
    steps = sorted({*(step for step in REPORTED_STEPS if step <= horizon), horizon})
    close = prices["Close"]
    compared: dict[str, dict[int, ColumnComparison]] = {}
    for name, said in medians.items():
        ratio = (
            (pd.Series(prices[name]) / pd.Series(close).shift()).rolling(RATIO_DAYS, min_periods=1).mean().to_numpy()
        )
        rivals = {"random_walk": prices[name][origins], "last_close": (close * ratio)[origins]}
        compared[name] = {step: _compare(said[:, step - 1], rivals, prices[name][origins + step]) for step in steps}
    return compared


def _compare(said: Floats, rivals: Mapping[str, Floats], actual: Floats) -> ColumnComparison:
    model, baselines = _errors(said, actual), {name: _errors(rival, actual) for name, rival in rivals.items()}
    skill = {name: 1 - model.mae / rival.mae if rival.mae > 0 else None for name, rival in baselines.items()}
    return ColumnComparison(model, baselines, skill)


def _errors(said: Floats, actual: Floats) -> Errors:
    return Errors(mean_absolute_error(said, actual), root_mean_squared_error(said, actual))
