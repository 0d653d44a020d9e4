"""Network and rivals through the same scoring, horizon by horizon."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stockcast.evaluation import metrics
from stockcast.evaluation.significance import SkillTest, diebold_mariano
from stockcast.forecast import Floats, Forecast

REPORTED_STEPS = (1, 5, 10, 20, 50)
"""Days ahead that are reported as far as the horizon goes, and beside them its last day."""


@dataclass(frozen=True)
class Scores:
    """How one forecast did; see `stockcast.evaluation.metrics` for unit and sign of each."""

    crps: float
    mae: float
    rmse: float
    mape: float
    coverage_50: float
    coverage_90: float
    width_90: float
    direction_accuracy: float | None


@dataclass(frozen=True)
class Comparison:
    """The network beside its rivals, at one horizon or over all steps.

    Attributes:
        model: the network's scores.
        baselines: each rival's.
        skill: for each rival, 1 - crps(network) / crps(rival); > 0 if the network is better; None if the rival's is 0.
        tests: for each rival, the Diebold-Mariano test on CRPS; statistic < 0 if the network is better; None where
            too few origins allow none.
    """

    model: Scores
    baselines: dict[str, Scores]
    skill: dict[str, float | None]
    tests: dict[str, SkillTest | None]

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as metrics.json holds it."""
        return asdict(self)


@dataclass(frozen=True)
class Report:
    """Every comparison of one evaluation: `horizons` by days ahead, `overall` pooled over all steps."""

    horizons: dict[int, Comparison]
    overall: Comparison
    skill_by_step: dict[str, Floats]


def compare(model: Forecast, rivals: Mapping[str, Forecast], actual: Floats) -> Report:
    """Score the network and its rivals on the same origins.

    Args:
        model: the network's forecast.
        rivals: forecasts of the same origins and days.
        actual: what came, in price units, shape (origins, horizon).
    """
    returns = np.log(actual / model.last_close[:, None])
    losses = {
        name: metrics.crps(forecast.log_returns(), returns, forecast.levels)
        for name, forecast in {"model": model, **rivals}.items()
    }

    def at(steps: slice, *, horizon: int) -> Comparison:
        scores = {
            name: _score(forecast, actual, losses[name], steps) for name, forecast in {"model": model, **rivals}.items()
        }
        own = losses["model"][:, steps].mean(axis=1)
        return Comparison(
            model=scores["model"],
            baselines={name: scores[name] for name in rivals},
            skill={name: _skill(scores["model"].crps, scores[name].crps) for name in rivals},
            tests={name: diebold_mariano(own, losses[name][:, steps].mean(axis=1), horizon=horizon) for name in rivals},
        )

    steps = sorted({*(step for step in REPORTED_STEPS if step <= model.horizon), model.horizon})
    by_step = {name: losses[name].mean(axis=0) for name in losses}
    with np.errstate(divide="ignore", invalid="ignore"):
        skill_by_step = {name: 1 - by_step["model"] / by_step[name] for name in rivals}
    return Report(
        horizons={step: at(slice(step - 1, step), horizon=step) for step in steps},
        overall=at(slice(None), horizon=model.horizon),
        skill_by_step=skill_by_step,
    )


def _score(forecast: Forecast, actual: Floats, crps: Floats, steps: slice) -> Scores:
    median, actual = forecast.median[:, steps], actual[:, steps]
    lower_50, upper_50 = (end[:, steps] for end in forecast.band(0.5))
    lower_90, upper_90 = (end[:, steps] for end in forecast.band(0.9))
    return Scores(
        crps=float(crps[:, steps].mean()),
        mae=metrics.mean_absolute_error(median, actual),
        rmse=metrics.root_mean_squared_error(median, actual),
        mape=metrics.mean_absolute_percentage_error(median, actual),
        coverage_50=metrics.coverage(lower_50, upper_50, actual),
        coverage_90=metrics.coverage(lower_90, upper_90, actual),
        width_90=metrics.mean_width(lower_90, upper_90),
        direction_accuracy=metrics.direction_accuracy(median, actual, forecast.last_close[:, None]),
    )


def _skill(crps: float, rival: float) -> float | None:
    return 1 - crps / rival if rival > 0 else None
