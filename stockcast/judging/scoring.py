"""Matched forecasts and the baselines of the same origins -> scores, diagnostics and verdicts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from stockcast.evaluation import metrics
from stockcast.evaluation.baselines.registry import BaselineForecasts
from stockcast.evaluation.baselines.task import ForecastTask
from stockcast.evaluation.diagnostics import Lag, lag_of, trend_of
from stockcast.evaluation.pool import Pool, SeriesScores, pool_series
from stockcast.evaluation.scores import Report, by_reported_step, compare, reported_steps
from stockcast.evaluation.significance import ConfidenceSet, model_confidence_set, overlap
from stockcast.evaluation.stated import stated_metrics
from stockcast.evaluation.verdict.pool import judge_pool
from stockcast.evaluation.verdict.prices import judge
from stockcast.forecast import LEVELS, Forecast
from stockcast.judging.matching import MatchedForecasts, task_of
from stockcast.judging.suspicions import Suspicion, find_suspicions
from stockcast.text import printable_name
from stockcast.typing import Dates, Floats


@dataclass(frozen=True)
class JudgedSeries:
    """The forecasts of one series by one model, and their scores.

    Attributes:
        matched: the forecasts.
        baselines: the forecasts of the baselines, of the same origins, days ahead and levels.
        training_days: how many of the first days these estimate constants from.
        report: every score.
        metrics: the same as plain values, with the verdict, as metrics.json of an evaluation has them.
        suspicions: what speaks against the forecasts.
    """

    matched: MatchedForecasts
    baselines: Mapping[str, Forecast]
    training_days: int
    report: Report
    metrics: Mapping[str, Any]
    suspicions: tuple[Suspicion, ...]

    @property
    def name(self) -> str:
        """The name of the series."""
        return self.matched.prices.name

    @property
    def dates(self) -> Dates:
        """The origins, datetime64[D], shape (origins,)."""
        return self.matched.forecast.origin_dates

    @property
    def last_target(self) -> np.datetime64:
        """The last day that is scored."""
        return np.datetime64(self.matched.forecast.target_dates[self.matched.known].max())


@dataclass(frozen=True)
class JudgedModel:
    """The forecasts of one model.

    Attributes:
        name: of the model.
        series: in the order of their names.
        pool: the scores of all series together; None of one series.
    """

    name: str
    series: tuple[JudgedSeries, ...]
    pool: Pool | None = field(default=None)

    @property
    def verdict(self) -> tuple[str, ...]:
        """Sentences; the last one sums up."""
        if self.pool is None:
            return tuple(self.series[0].metrics["verdict"])
        return judge_pool(self.pool, subject=printable_name(self.name))

    @property
    def spacing(self) -> int:
        """The usual number of days from one origin to the next, at least 1."""
        distances = [np.diff(each.matched.origins) for each in self.series if len(each.matched.origins) > 1]
        return int(np.median(np.concatenate(distances))) if distances else 1

    def stacked(self) -> tuple[Forecast, dict[str, Forecast], Floats]:
        """Return the forecasts of all series below each other, those of the baselines, and the prices that came.

        Prices are NaN where none is known or forecast. Series at other levels than the first are left out, and
        baselines that lack a series.
        """
        levels = self.series[0].matched.forecast.levels
        same = [each for each in self.series if np.array_equal(each.matched.forecast.levels, levels)]
        horizon = max(each.matched.forecast.horizon for each in same)
        names = [name for name in same[0].baselines if all(name in each.baselines for each in same)]
        actual = [np.where(each.matched.known, each.matched.actual, np.nan) for each in same]
        return (
            _stacked([each.matched.forecast for each in same], horizon),
            {name: _stacked([each.baselines[name] for each in same], horizon) for name in names},
            np.concatenate([_widened(prices, horizon) for prices in actual]),
        )


def _stacked(forecasts: Sequence[Forecast], horizon: int) -> Forecast:
    """Return the forecasts of several series as if they were of more origins; NaN where one is not so far ahead."""
    return replace(
        forecasts[0],
        origin_dates=np.concatenate([each.origin_dates for each in forecasts]),
        target_dates=np.concatenate([_widened(each.target_dates, horizon) for each in forecasts]),
        quantiles=np.concatenate([_widened(each.quantiles, horizon) for each in forecasts]),
        last_close=np.concatenate([each.last_close for each in forecasts]),
    )


def _widened(values: Any, horizon: int) -> Any:
    """Return values of each day ahead, shape (origins, days, ...), with missing ones up to the horizon."""
    empty = np.datetime64("NaT") if values.dtype.kind == "M" else np.nan
    missing = np.full((len(values), horizon - values.shape[1], *values.shape[2:]), empty, dtype=values.dtype)
    return np.concatenate([values, missing], axis=1)


def common_task(series: Sequence[MatchedForecasts], *, training_days: int) -> ForecastTask:
    """Return the task that covers the forecasts of one series by all models.

    Its levels are `LEVELS` where these have all that are needed: the baselines then are those of an evaluation.
    """
    levels = np.unique(np.concatenate([each.forecast.levels for each in series]))
    return task_of(
        series[0].prices,
        np.unique(np.concatenate([each.origins for each in series])),
        horizon=max(each.forecast.horizon for each in series),
        training_days=training_days,
        levels=LEVELS if np.isclose(levels[:, None], LEVELS).any(axis=1).all() else levels,
    )


def score_series(
    matched: MatchedForecasts, task: ForecastTask, others: BaselineForecasts, *, calendar: str | None
) -> JudgedSeries:
    """Score the forecasts of one series by one model.

    Args:
        matched: the forecasts.
        task: that of `common_task`.
        others: the baselines' forecasts of it.
        calendar: the exchange whose sessions the prices follow; None where every day forecast has a price.
    """
    forecast, known = matched.forecast, matched.known
    rows = np.searchsorted(task.origins, matched.origins)
    baselines = {
        name: each.part(rows, horizon=forecast.horizon, levels=forecast.levels)
        for name, each in others.forecasts.items()
    }
    own = task_of(
        matched.prices,
        matched.origins,
        horizon=forecast.horizon,
        training_days=task.training_days,
        levels=forecast.levels,
    )
    report = compare(forecast, baselines, own, failures=others.failures, known=known)
    last = known[:, -1]
    trend = trend_of(forecast.rows(last), own.actual[last])
    lag = _lag(matched, own.actual)
    subject = printable_name(matched.model)
    verdict = judge(report, trend, lag, subject=subject)
    return JudgedSeries(
        matched=matched,
        baselines=baselines,
        training_days=task.training_days,
        report=report,
        metrics=stated_metrics(report, trend, lag, verdict),
        suspicions=tuple(find_suspicions(matched, lag, calendar=calendar)),
    )


def _lag(matched: MatchedForecasts, actual: Floats) -> Lag:
    """Measure the lag of the one-day median over the longest run of consecutive origins."""
    rows = np.flatnonzero(matched.known[:, 0])
    runs = np.split(rows, np.flatnonzero(np.diff(matched.origins[rows]) != 1) + 1)
    longest = max(runs, key=len)
    return lag_of(matched.forecast.rows(longest), actual[longest])


def pool_model(name: str, series: Sequence[JudgedSeries]) -> JudgedModel:
    """Put the series of a model together, and test over the days of all of them."""
    ordered = tuple(sorted(series, key=lambda each: each.name))
    if len(ordered) == 1:
        return JudgedModel(name, ordered)
    days = np.unique(np.concatenate([each.matched.prices.dates for each in ordered]))
    origins = np.searchsorted(days, np.unique(np.concatenate([each.dates for each in ordered])))
    overlapping = partial(overlap, origins)
    members = [
        (
            SeriesScores.of(
                each.report,
                name=each.name,
                first_origin=str(each.dates[0]),
                last_target=str(each.last_target),
            ),
            each.dates,
            each.report.losses,
        )
        for each in ordered
    ]
    frequency = ordered[0].report.frequency
    score = "absolute_error" if all(len(each.matched.forecast.levels) == 1 for each in ordered) else "crps"
    return JudgedModel(name, ordered, pool_series(members, score=score, frequency=frequency, overlapping=overlapping))


def confidence_sets(models: Sequence[JudgedModel]) -> dict[int | None, ConfidenceSet | None]:
    """Return the forecasts that may be the best, of all models and baselines together, by days ahead; None: over all.

    They are compared at the levels, series, origins and days ahead that all models have; there is no set without such.
    Losses are those of the days, each the mean of the series, whose losses are in units of the random walk's.
    """
    shared = [name for name in _names(models[0]) if all(name in _names(model) for model in models[1:])]
    levels = _common([series.matched.forecast.levels for model in models for series in model.series])
    if not shared or not len(levels):
        return {}
    groups = [[_named(model, name) for model in models] for name in shared]
    horizon = min(series.matched.forecast.horizon for group in groups for series in group)
    frequency = groups[0][0].report.frequency
    steps = reported_steps(horizon, frequency)
    tables = [table for group in groups if (table := _losses(models, group, levels, horizon, steps)) is not None]
    if not tables:
        return {}
    names = [name for name in tables[0][1] if all(name in losses for _, losses in tables)]
    days = np.unique(np.concatenate([series.matched.prices.dates for group in groups for series in group]))
    sets: dict[int | None, ConfidenceSet | None] = {}
    for column, step in enumerate((*steps, None)):
        sums: dict[np.datetime64, list[Floats]] = {}
        for dates, losses in tables:
            values = np.array([losses[name][:, column] for name in names])
            known = np.isfinite(values).all(axis=0)
            scale = losses["random_walk"][known, column].mean() if known.any() else np.nan
            for day, row in zip(dates, (values / scale).T, strict=True):
                if np.isfinite(row).all():
                    sums.setdefault(day, []).append(row)
        if not sums:
            continue
        origins = np.array(sorted(sums))
        means = np.array([np.mean(sums[day], axis=0) for day in origins]).T
        overlapping = overlap(np.searchsorted(days, origins), step or horizon)
        sets[step] = model_confidence_set(dict(zip(names, means, strict=True)), horizon=overlapping, seed=0)
    return sets


def _losses(
    models: Sequence[JudgedModel], group: Sequence[JudgedSeries], levels: Floats, horizon: int, steps: list[int]
) -> tuple[Dates, dict[str, Floats]] | None:
    """Return origins that all models have of a series, and losses by forecast, models first; None without such."""
    origins = group[0].matched.origins
    for series in group[1:]:
        origins = np.intersect1d(origins, series.matched.origins)
    if not len(origins):
        return None
    known = np.ones((len(origins), horizon), np.bool_)
    parts: dict[str, Forecast] = {}
    for model, series in zip(models, group, strict=True):
        rows = np.searchsorted(series.matched.origins, origins)
        known &= series.matched.known[rows, :horizon]
        parts[model_key(model.name)] = series.matched.forecast.part(rows, horizon=horizon, levels=levels)
    rows = np.searchsorted(group[0].matched.origins, origins)
    baselines = group[0].baselines.items()
    parts |= {name: forecast.part(rows, horizon=horizon, levels=levels) for name, forecast in baselines}
    actual = group[0].matched.actual[rows, :horizon]
    losses = {}
    for name, part in parts.items():
        returns = np.log(np.where(known, actual, np.nan) / part.last_close[:, None])
        losses[name] = by_reported_step(metrics.crps(part.log_returns(), returns, levels), steps)
    return group[0].dates[rows], losses


def model_key(name: str) -> str:
    """Return what a model is called among baselines, one of which may have its name."""
    return f"model {name}"


def _names(model: JudgedModel) -> list[str]:
    return [series.name for series in model.series]


def _named(model: JudgedModel, name: str) -> JudgedSeries:
    return next(series for series in model.series if series.name == name)


def _common(levels: Sequence[Floats]) -> Floats:
    shared = levels[0]
    for other in levels[1:]:
        shared = shared[np.isclose(shared[:, None], other).any(axis=1)]
    return shared
