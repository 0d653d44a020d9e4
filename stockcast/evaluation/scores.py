"""Network and rivals through the same scoring, horizon by horizon."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from stockcast.evaluation import metrics
from stockcast.evaluation.baselines import Question
from stockcast.evaluation.regimes import REGIME_NAMES, regimes_of
from stockcast.evaluation.risk import ValueAtRisk, value_at_risk
from stockcast.evaluation.significance import (
    ConfidenceSet,
    SkillTest,
    diebold_mariano,
    model_confidence_set,
    superior_predictive_ability,
)
from stockcast.forecast import Floats, Forecast

REPORTED_STEPS = (1, 5, 10, 20, 50)
"""Days ahead that are reported as far as the horizon goes, and beside them its last day."""

VALUE_AT_RISK_LEVELS = (0.01, 0.05)
"""Chances of a fall below the value at risk, one day ahead."""


@dataclass(frozen=True)
class Scores:
    """How one forecast did; see `stockcast.evaluation.metrics` for unit and sign of each."""

    crps: float
    log_score: float
    pinball: dict[str, float]
    mae: float
    rmse: float
    mape: float
    mase: float | None
    coverage_50: float
    coverage_80: float
    coverage_90: float
    coverage_95: float
    width_50: float
    width_80: float
    width_90: float
    width_95: float
    winkler_90: float
    direction_accuracy: float | None
    balanced_direction_accuracy: float | None


@dataclass(frozen=True)
class Comparison:
    """The network beside its rivals, at one horizon or over all steps.

    Attributes:
        model: the network's scores.
        baselines: each rival's.
        skill: for each rival, 1 - crps(network) / crps(rival); > 0 if the network is better; None if the rival's is 0.
        tests: for each rival, the Diebold-Mariano test on CRPS; statistic < 0 if the network is better; None where
            too few origins allow none.
        superior_predictive_ability: p-value of no rival being better than the network (Hansen 2005); None as above.
        confidence_set: network and rivals that may be the best (Hansen, Lunde & Nason 2011); None as above.
        pit: shares of the network's probability integral transforms in ten equal bins, and the p-value of their
            being uniform, by origins that do not overlap.
        regimes: for days that were calm, middling or stormy at the origin, the number of origins and the share of
            prices in the network's 90 % band; None where there was no such day.
        always_up: share of prices above the last close: the direction accuracy of saying "up" every day.
    """

    model: Scores
    baselines: dict[str, Scores]
    skill: dict[str, float | None]
    tests: dict[str, SkillTest | None]
    superior_predictive_ability: float | None
    confidence_set: ConfidenceSet | None
    pit: dict[str, Any]
    regimes: dict[str, dict[str, Any]]
    always_up: float

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as metrics.json holds it."""
        return asdict(self)


@dataclass(frozen=True)
class Report:
    """Every comparison of one evaluation.

    Attributes:
        horizons: by days ahead.
        overall: pooled over all steps.
        skill_by_step: for each rival, skill at each day ahead, shape (horizon,).
        value_at_risk: for network and rivals, the tests of its one-day value at risk at each level.
        failures: rivals without a forecast, and why.
    """

    horizons: dict[int, Comparison]
    overall: Comparison
    skill_by_step: dict[str, Floats]
    value_at_risk: dict[str, list[ValueAtRisk]]
    failures: Mapping[str, str]


def compare(
    model: Forecast, rivals: Mapping[str, Forecast], question: Question, *, failures: Mapping[str, str] | None = None
) -> Report:
    """Score the network and its rivals on the same origins.

    Args:
        model: the network's forecast.
        rivals: forecasts of the same origins and days.
        question: what all of them were asked.
        failures: rivals without a forecast, and why.
    """
    actual = question.actual
    returns = np.log(actual / model.last_close[:, None])
    everyone = {"model": model, **rivals}
    ahead = {name: forecast.log_returns() for name, forecast in everyone.items()}
    losses = {name: metrics.crps(ahead[name], returns, forecast.levels) for name, forecast in everyone.items()}
    logs = {name: metrics.log_score(ahead[name], returns, forecast.levels) for name, forecast in everyone.items()}
    transforms = metrics.pit(ahead["model"], returns, model.levels)
    regimes = regimes_of(question.closes, question.origins, training_days=question.training_days)
    naive_error = float(np.mean(np.abs(np.diff(question.closes[: question.training_days]))))
    lower, upper = model.band(0.9)
    inside = (lower <= actual) & (actual <= upper)

    def at(steps: slice, *, horizon: int) -> Comparison:
        scores = {
            name: _score(forecast, actual, losses[name], logs[name], ahead[name], returns, steps, naive_error)
            for name, forecast in everyone.items()
        }
        by_origin = {name: loss[:, steps].mean(axis=1) for name, loss in losses.items()}
        others = {name: by_origin[name] for name in rivals}
        pooled = transforms[:, steps]
        return Comparison(
            model=scores["model"],
            baselines={name: scores[name] for name in rivals},
            skill={name: _skill(scores["model"].crps, scores[name].crps) for name in rivals},
            tests={name: diebold_mariano(by_origin["model"], loss, horizon=horizon) for name, loss in others.items()},
            superior_predictive_ability=superior_predictive_ability(
                by_origin["model"], others, horizon=horizon, seed=0
            ),
            confidence_set=model_confidence_set(by_origin, horizon=horizon, seed=0),
            pit={
                "histogram": metrics.pit_histogram(pooled).tolist(),
                "p_value": metrics.pit_test(pooled[:, 0], horizon=horizon) if pooled.shape[1] == 1 else None,
            },
            regimes={
                name: {
                    "origins": int(np.sum(regimes == number)),
                    "coverage_90": float(inside[regimes == number, steps].mean())
                    if (regimes == number).any()
                    else None,
                }
                for number, name in enumerate(REGIME_NAMES)
            },
            always_up=float(np.mean(actual[:, steps] > model.last_close[:, None])),
        )

    steps = sorted({*(step for step in REPORTED_STEPS if step <= model.horizon), model.horizon})
    by_step = {name: losses[name].mean(axis=0) for name in losses}
    with np.errstate(divide="ignore", invalid="ignore"):
        skill_by_step = {name: 1 - by_step["model"] / by_step[name] for name in rivals}
    return Report(
        horizons={step: at(slice(step - 1, step), horizon=step) for step in steps},
        overall=at(slice(None), horizon=model.horizon),
        skill_by_step=skill_by_step,
        value_at_risk={
            name: [value_at_risk(actual[:, 0] < forecast.at(level)[:, 0], level) for level in VALUE_AT_RISK_LEVELS]
            for name, forecast in everyone.items()
        },
        failures=failures or {},
    )


def _score(
    forecast: Forecast,
    actual: Floats,
    crps: Floats,
    log_scores: Floats,
    ahead: Floats,
    returns: Floats,
    steps: slice,
    naive_error: float,
) -> Scores:
    median, actual = forecast.median[:, steps], actual[:, steps]
    bands = {}
    for promise in (50, 80, 90, 95):
        lower, upper = forecast.band(promise / 100)
        bands[promise] = lower[:, steps], upper[:, steps]
    covered = {f"coverage_{promise}": metrics.coverage(*band, actual) for promise, band in bands.items()}
    widths = {f"width_{promise}": metrics.mean_width(*band) for promise, band in bands.items()}
    last = forecast.last_close[:, None]
    pinball = metrics.pinball(ahead[:, steps], returns[:, steps], forecast.levels).mean(axis=(0, 1))
    return Scores(
        crps=float(crps[:, steps].mean()),
        log_score=float(log_scores[:, steps].mean()),
        pinball={f"{level:g}": float(loss) for level, loss in zip(forecast.levels, pinball, strict=True)},
        mae=metrics.mean_absolute_error(median, actual),
        rmse=metrics.root_mean_squared_error(median, actual),
        mape=metrics.mean_absolute_percentage_error(median, actual),
        mase=metrics.mean_absolute_scaled_error(median, actual, naive_error),
        **covered,
        **widths,
        winkler_90=float(metrics.winkler(*bands[90], actual, 0.9).mean()),
        direction_accuracy=metrics.direction_accuracy(median, actual, last),
        balanced_direction_accuracy=metrics.balanced_direction_accuracy(median, actual, last),
    )


def _skill(crps: float, rival: float) -> float | None:
    return 1 - crps / rival if rival > 0 else None
