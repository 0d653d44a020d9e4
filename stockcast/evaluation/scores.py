"""Network and baselines scored alike, at each reported number of days ahead."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from stockcast.evaluation import metrics
from stockcast.evaluation.baselines.task import ForecastTask
from stockcast.evaluation.chances import ChanceReliability, chance_reliability
from stockcast.evaluation.regimes import REGIME_NAMES, regimes_of
from stockcast.evaluation.significance import (
    ConfidenceSet,
    SkillTest,
    diebold_mariano,
    mean_difference,
    model_confidence_set,
    superior_predictive_ability,
)
from stockcast.evaluation.value_at_risk import ValueAtRisk, value_at_risk
from stockcast.forecast import Forecast
from stockcast.frequency import DAILY, Frequency
from stockcast.typing import Floats

VALUE_AT_RISK_LEVELS = (0.01, 0.05)
"""Probabilities of a fall below the value at risk, one day ahead."""


def reported_steps(horizon: int, frequency: Frequency) -> list[int]:
    """Return the bars ahead that are reported, of days 1, 5, 10, 20 and 50: as far as the horizon goes, and its last.

    Of weeks and months they are a month or quarter, half a year, one year and two.
    """
    return sorted({*(step for step in frequency.reported if step <= horizon), horizon})


def by_reported_step(losses: Floats, steps: list[int]) -> Floats:
    """Return the losses from every origin at these steps, and last their mean over all steps.

    `losses` have the shape (origins, horizon), the result (origins, len(steps) + 1).
    """
    return np.column_stack([losses[:, np.array(steps) - 1], losses.mean(axis=1)])


@dataclass(frozen=True)
class Scores:
    """The scores of one forecast; see `stockcast.evaluation.metrics` for unit and sign of each."""

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
    """The network and the baselines at one number of days ahead, or over all of them.

    Attributes:
        model, baselines: scores of the network, and of each baseline.
        skill: by baseline, 1 - crps(network) / crps(baseline); > 0 if the network is better; None if the latter is 0.
        tests: by baseline, the Diebold-Mariano test on CRPS; statistic < 0 if the network is better; None where there
            are too few origins for a test.
        superior_predictive_ability: p-value of no baseline being better than the network (Hansen 2005); None as above.
        confidence_set: forecasts that may be the best (Hansen, Lunde & Nason 2011), "model" among them or not; None as
            above.
        pit: shares of the network's probability integral transforms in ten equal bins, and the p-value of their
            being uniform, by origins that do not overlap.
        regimes: for origins of low, medium and high volatility, their number and the share of prices in the network's
            90 % band; None where there are no such origins.
        always_up: share of prices above the last close: the direction accuracy of always forecasting up.
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
        skill_by_step: by baseline, skill at each day ahead, shape (horizon,).
        value_at_risk: by forecast, "model" first, the tests of its one-day value at risk at each level.
        failures: baselines without a forecast, and why.
        frequency: of the bars; days ahead are bars ahead.
        losses: by forecast, "model" first, the CRPS from every origin as `by_reported_step` arranges it.
        chances: by days ahead and forecast, "model" first, the reliability of the chances of price levels; empty
            without a random walk, whose quantiles the levels are.
        skill_margins: by baseline, half the width of the 95 % confidence interval of `skill_by_step`, shape (horizon,),
            each day ahead by itself; nan where there is no test.
    """

    horizons: dict[int, Comparison]
    overall: Comparison
    skill_by_step: dict[str, Floats]
    value_at_risk: dict[str, list[ValueAtRisk]]
    failures: Mapping[str, str]
    frequency: Frequency = DAILY
    losses: Mapping[str, Floats] = field(default_factory=dict)
    chances: Mapping[int, Mapping[str, ChanceReliability]] = field(default_factory=dict)
    skill_margins: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def origins(self) -> int:
        """Number of days forecast from."""
        return len(self.losses["model"])


def compare(
    model: Forecast, baselines: Mapping[str, Forecast], task: ForecastTask, *, failures: Mapping[str, str] | None = None
) -> Report:
    """Score the network's forecast and the baselines' of the same task.

    Args:
        model: the network's forecast.
        baselines: by name.
        task: the origins and actual prices.
        failures: baselines without a forecast, and why.
    """
    actual = task.actual
    returns = np.log(actual / model.last_close[:, None])
    forecasts = {"model": model, **baselines}
    ahead = {name: forecast.log_returns() for name, forecast in forecasts.items()}
    losses = {name: metrics.crps(ahead[name], returns, forecast.levels) for name, forecast in forecasts.items()}
    logs = {name: metrics.log_score(ahead[name], returns, forecast.levels) for name, forecast in forecasts.items()}
    transforms = metrics.pit(ahead["model"], returns, model.levels)
    regimes = regimes_of(task.closes, task.origins, training_days=task.training_days)
    naive_error = float(np.mean(np.abs(np.diff(task.closes[: task.training_days]))))
    lower, upper = model.band(0.9)
    inside = (lower <= actual) & (actual <= upper)

    def at(steps: slice, *, horizon: int) -> Comparison:
        scores = {
            name: _score(forecast, actual, losses[name], logs[name], ahead[name], returns, steps, naive_error)
            for name, forecast in forecasts.items()
        }
        by_origin = {name: loss[:, steps].mean(axis=1) for name, loss in losses.items()}
        own, others = by_origin["model"], {name: by_origin[name] for name in baselines}
        pooled = transforms[:, steps]
        rows = {name: regimes == number for number, name in enumerate(REGIME_NAMES)}
        return Comparison(
            model=scores["model"],
            baselines={name: scores[name] for name in baselines},
            skill={name: skill(scores["model"].crps, scores[name].crps) for name in baselines},
            tests={name: diebold_mariano(own, loss, horizon=horizon) for name, loss in others.items()},
            superior_predictive_ability=superior_predictive_ability(own, others, horizon=horizon, seed=0),
            confidence_set=model_confidence_set(by_origin, horizon=horizon, seed=0),
            pit={
                "histogram": metrics.pit_histogram(pooled).tolist(),
                "p_value": metrics.pit_test(pooled[:, 0], horizon=horizon) if pooled.shape[1] == 1 else None,
            },
            regimes={
                name: {
                    "origins": int(np.sum(chosen)),
                    "coverage_90": float(inside[chosen, steps].mean()) if chosen.any() else None,
                }
                for name, chosen in rows.items()
            },
            always_up=float(np.mean(actual[:, steps] > model.last_close[:, None])),
        )

    by_step = {name: loss.mean(axis=0) for name, loss in losses.items()}
    with np.errstate(divide="ignore", invalid="ignore"):
        skill_by_step = {name: 1 - by_step["model"] / by_step[name] for name in baselines}
    steps = reported_steps(model.horizon, model.frequency)
    return Report(
        horizons={step: at(slice(step - 1, step), horizon=step) for step in steps},
        overall=at(slice(None), horizon=model.horizon),
        skill_by_step=skill_by_step,
        value_at_risk={
            name: [value_at_risk(actual[:, 0] < forecast.at(level)[:, 0], level) for level in VALUE_AT_RISK_LEVELS]
            for name, forecast in forecasts.items()
        },
        failures=failures or {},
        frequency=model.frequency,
        losses={name: by_reported_step(loss, steps) for name, loss in losses.items()},
        chances=(
            chance_reliability(forecasts, task, baselines["random_walk"], steps=steps)
            if "random_walk" in baselines
            else {}
        ),
        skill_margins={name: skill_margins(losses["model"], losses[name]) for name in baselines},
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
    ends = {promise: forecast.band(promise / 100) for promise in (50, 80, 90, 95)}
    bands = {promise: (lower[:, steps], upper[:, steps]) for promise, (lower, upper) in ends.items()}
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
        **{f"coverage_{promise}": metrics.coverage(*band, actual) for promise, band in bands.items()},
        **{f"width_{promise}": metrics.mean_width(*band) for promise, band in bands.items()},
        winkler_90=float(metrics.winkler(*bands[90], actual, 0.9).mean()),
        direction_accuracy=metrics.direction_accuracy(median, actual, last),
        balanced_direction_accuracy=metrics.balanced_direction_accuracy(median, actual, last),
    )


def skill(loss: float, baseline_loss: float) -> float | None:
    """Return the share by which a loss is lower than a baseline's; None where the latter is 0."""
    return 1 - loss / baseline_loss if baseline_loss > 0 else None


def skill_margins(losses: Floats, baseline_losses: Floats) -> Floats:
    """Half the width of the 95 % confidence interval of the skill at each day ahead.

    It is that of `mean_difference` in units of the baseline's mean loss, which counts as known. So the interval
    excludes 0 where the Diebold-Mariano test of these losses has p < 0.05.

    Args:
        losses: of the network, consecutive origins, shape (origins, horizon).
        baseline_losses: the same shape.

    Returns:
        Shape (horizon,); nan where there is no test, or the baseline's mean loss is 0.
    """
    margins = np.full(losses.shape[1], np.nan)
    for number, (own, other) in enumerate(zip(losses.T, baseline_losses.T, strict=True)):
        difference = mean_difference(own, other, horizon=number + 1)
        if difference is not None and other.mean() > 0:
            margins[number] = difference.margin / other.mean()
    return margins
