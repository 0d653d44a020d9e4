"""Network and baselines scored alike, at each reported number of days ahead."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import numpy as np

from stockcast.evaluation import metrics
from stockcast.evaluation.baselines.task import ForecastTask
from stockcast.evaluation.chances import LEVELS_AT, ChanceReliability, chance_reliability
from stockcast.evaluation.forecast_scores import Cells, Scores, inside_band, score_cells
from stockcast.evaluation.regimes import REGIME_NAMES, regimes_of
from stockcast.evaluation.significance import (
    ConfidenceSet,
    SkillTest,
    diebold_mariano,
    mean_difference,
    model_confidence_set,
    overlap,
    superior_predictive_ability,
)
from stockcast.evaluation.value_at_risk import ValueAtRisk, value_at_risk
from stockcast.forecast import Forecast
from stockcast.frequency import DAILY, Frequency
from stockcast.typing import Days, Flags, Floats

VALUE_AT_RISK_LEVELS = (0.01, 0.05)
"""Probabilities of a fall below the value at risk, one day ahead."""


def reported_steps(horizon: int, frequency: Frequency) -> list[int]:
    """Return the bars ahead that are reported, of days 1, 5, 10, 20 and 50: as far as the horizon goes, and its last.

    Of weeks and months they are a month or quarter, half a year, one year and two.
    """
    return sorted({*(step for step in frequency.reported if step <= horizon), horizon})


def by_reported_step(losses: Floats, steps: list[int]) -> Floats:
    """Return the losses from every origin at these steps, and last their mean over all steps.

    `losses` have the shape (origins, horizon), the result (origins, len(steps) + 1). NaN is a loss that is not known.
    """
    return np.column_stack([losses[:, np.array(steps) - 1], _mean_of_known(losses)])


def _mean_of_known(losses: Floats) -> Floats:
    """Return the mean of each origin's losses that are known, shape (origins,); NaN where none is."""
    known = np.isfinite(losses)
    if known.all():
        return np.asarray(losses.mean(axis=1))
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, losses, 0).sum(axis=1) / known.sum(axis=1))


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
        pit: shares of the network's probability integral transforms in ten equal bins, none below three quantiles, and
            the p-value of their being uniform, by origins that do not overlap.
        regimes: for origins of low, medium and high volatility, their number and the share of prices in the network's
            90 % band; None where there are no such origins, or no such band.
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
    model: Forecast,
    baselines: Mapping[str, Forecast],
    task: ForecastTask,
    *,
    failures: Mapping[str, str] | None = None,
    known: Flags | None = None,
) -> Report:
    """Score the network's forecast and the baselines' of the same task.

    Args:
        model: the network's forecast, or anybody's: at any levels that have 0.5.
        baselines: by name, at the same levels.
        task: the origins and actual prices.
        failures: baselines without a forecast, and why.
        known: which days ahead of which origins are scored, shape (origins, horizon), at least one of each origin; None
            for all. Where it is False, quantiles and actual prices may be anything.
    """
    is_whole = known is None or bool(known.all())
    known = np.ones(model.quantiles.shape[:2], np.bool_) if known is None else known
    last = model.last_close[:, None]
    actual = task.actual if is_whole else np.where(known, task.actual, last)  # in place of those that are not known
    returns = np.log(actual / last)
    forecasts = {"model": model, **baselines}
    ahead = {name: forecast.log_returns() for name, forecast in forecasts.items()}

    def losses_of(score: Callable[[Floats, Floats, Floats], Floats]) -> dict[str, Floats]:
        return {
            name: np.where(known, score(ahead[name], returns, forecast.levels), np.nan)
            for name, forecast in forecasts.items()
        }

    losses = losses_of(metrics.crps)
    has_density = model.levels[len(model.levels) // 2] == 0.5 and len(model.levels) >= 3
    logs = losses_of(metrics.log_score) if has_density else {}
    transforms = metrics.pit(ahead["model"], returns, model.levels) if has_density else None
    regimes = regimes_of(task.closes, task.origins, training_days=task.training_days)
    naive_error = float(np.mean(np.abs(np.diff(task.closes[: task.training_days]))))
    inside = inside_band(model, actual, 0.9)

    def cells(values: Floats, steps: slice) -> Floats:
        """Return the values at these steps, shape (origins, steps, ...); without the unknown ones, (cells, ...)."""
        return values[:, steps] if is_whole else values[:, steps][known[:, steps]]

    def at(steps: slice, *, horizon: int) -> Comparison:
        chosen = partial(cells, steps=steps)
        scores = {
            name: score_cells(
                Cells(forecast, chosen), actual, losses[name], logs.get(name), ahead[name], returns, naive_error
            )
            for name, forecast in forecasts.items()
        }
        rows = known[:, steps].any(axis=1)
        by_origin = {name: _mean_of_known(loss[rows, steps]) for name, loss in losses.items()}
        own, others = by_origin["model"], {name: by_origin[name] for name in baselines}
        overlapping = overlap(task.origins[rows], horizon)
        pooled = None if transforms is None else chosen(transforms)
        is_one_step = known[:, steps].shape[1] == 1
        of_regime = {name: rows & (regimes == number) for number, name in enumerate(REGIME_NAMES)}
        return Comparison(
            model=scores["model"],
            baselines={name: scores[name] for name in baselines},
            skill={name: skill(scores["model"].crps, scores[name].crps) for name in baselines},
            tests={name: diebold_mariano(own, loss, horizon=overlapping) for name, loss in others.items()},
            superior_predictive_ability=superior_predictive_ability(own, others, horizon=overlapping, seed=0),
            confidence_set=model_confidence_set(by_origin, horizon=overlapping, seed=0),
            pit={
                "histogram": [] if pooled is None else metrics.pit_histogram(pooled).tolist(),
                "p_value": None
                if pooled is None or not is_one_step
                else metrics.pit_test(pooled.ravel(), horizon=overlapping),
            },
            regimes={
                name: {
                    "origins": int(np.sum(chosen_rows)),
                    "coverage_90": None
                    if inside is None or not chosen_rows.any()
                    else _share(inside[chosen_rows, steps], known[chosen_rows, steps]),
                }
                for name, chosen_rows in of_regime.items()
            },
            always_up=float(np.mean(chosen(actual) > chosen(np.broadcast_to(last, actual.shape)))),
        )

    with np.errstate(divide="ignore", invalid="ignore"):
        by_step = {name: _mean_of_known(loss.T) for name, loss in losses.items()}
        skill_by_step: dict[str, Floats] = {name: 1 - by_step["model"] / by_step[name] for name in baselines}
    steps = [step for step in reported_steps(model.horizon, model.frequency) if known[:, step - 1].any()]
    first = known[:, 0]
    return Report(
        horizons={step: at(slice(step - 1, step), horizon=step) for step in steps},
        overall=at(slice(None), horizon=model.horizon),
        skill_by_step=skill_by_step,
        value_at_risk={
            name: [
                value_at_risk(actual[first, 0] < forecast.at(level)[first, 0], level)
                for level in VALUE_AT_RISK_LEVELS
                if forecast.has(level)
            ]
            for name, forecast in forecasts.items()
        },
        failures=failures or {},
        frequency=model.frequency,
        losses={name: by_reported_step(loss, steps) for name, loss in losses.items()},
        chances=(
            chance_reliability(forecasts, task, baselines["random_walk"], steps=steps)
            if "random_walk" in baselines and is_whole and all(map(model.has, LEVELS_AT))
            else {}
        ),
        skill_margins={name: skill_margins(losses["model"], losses[name], task.origins) for name in baselines},
    )


def _share(inside: Flags, known: Flags) -> float:
    """Return the share of what is known that is inside."""
    return float(inside.mean()) if known.all() else float(inside[known].mean())


def skill(loss: float, baseline_loss: float) -> float | None:
    """Return the share by which a loss is lower than a baseline's; None where the latter is 0."""
    return 1 - loss / baseline_loss if baseline_loss > 0 else None


def skill_margins(losses: Floats, baseline_losses: Floats, origins: Days | None = None) -> Floats:
    """Half the width of the 95 % confidence interval of the skill at each day ahead.

    It is that of `mean_difference` in units of the baseline's mean loss, which counts as known. So the interval
    excludes 0 where the Diebold-Mariano test of these losses has p < 0.05.

    Args:
        losses: of the network, shape (origins, horizon); NaN where there is none.
        baseline_losses: the same shape.
        origins: their day indices, shape (origins,); None for consecutive ones.

    Returns:
        Shape (horizon,); nan where there is no test, or the baseline's mean loss is 0.
    """
    margins = np.full(losses.shape[1], np.nan)
    origins = np.arange(len(losses)) if origins is None else origins
    for number, (own, other) in enumerate(zip(losses.T, baseline_losses.T, strict=True)):
        known = np.isfinite(own)
        if not known.any():
            continue
        difference = mean_difference(own[known], other[known], horizon=overlap(origins[known], number + 1))
        if difference is not None and other[known].mean() > 0:
            margins[number] = difference.margin / other[known].mean()
    return margins
