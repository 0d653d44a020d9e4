"""A run and days it has never seen -> scores beside the rivals', and a verdict."""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.config import Config, load_config
from stockcast.data.scaling import Scaler
from stockcast.data.splits import Part, split_at
from stockcast.data.targets import Target
from stockcast.errors import NotEnoughDays, RunError
from stockcast.evaluation.baselines import Question
from stockcast.evaluation.behaviour import Lag, Trend, lag_of, trend_of
from stockcast.evaluation.columns import Columns, compare_columns
from stockcast.evaluation.garch import GENERATION, PATHS, REFIT_DAYS
from stockcast.evaluation.rivals import ask_rivals
from stockcast.evaluation.scores import Report, compare
from stockcast.evaluation.verdict import judge
from stockcast.forecast import LEVELS, Forecast
from stockcast.pipeline.directions import DirectionEvaluation, evaluate_directions
from stockcast.pipeline.series import (
    Say,
    Series,
    first_lesson,
    fit_scalers,
    issue,
    make_material,
    nobody,
    read,
)
from stockcast.pipeline.stored import need, own_file, read_market, stored_calibration, stored_network, stored_scalers
from stockcast.runs import RunDirectory


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found; `metrics` is metrics.json, `columns` empty where one price is forecast."""

    report: Report
    columns: Columns
    trend: Trend
    lag: Lag
    verdict: tuple[str, ...]
    metrics: dict[str, Any]
    folder: Path


def evaluate(
    run: RunDirectory,
    *,
    part: Part = "test",
    data: Path | None = None,
    start: date | None = None,
    insist: bool = False,
    say: Say = nobody,
    report: Callable[[str, int, int], None] = nobody,
) -> Evaluation | DirectionEvaluation:
    """Score a run on every origin of its test days, beside the simplest rivals, and judge it.

    Args:
        run: a finished run.
        part: `test`, or `validation`, whose scores are too good because it stopped the training.
        data: a price file that the run never saw, scaled by its own past, or one of several that it learnt from; None
            for the first one that it learnt from.
        start: first day to be scored; None for the first of the run's test days.
        insist: score days that come before the end of what the run learnt from.
        say: told what looks odd in the data.
        report: told of the costly rivals' progress.

    Raises:
        StockcastError: the run is damaged, its price file is not the one it was trained on, or too few days are left.
    """
    config = load_config(run.config_path())
    series, scaler, target = _series(run, config, data=data, start=start, insist=insist, say=say)
    prices = series.prices
    try:
        question = series.question(config, part)
    except NotEnoughDays as error:
        first = prices.dates[min(series.split.part(part).start, len(prices.dates) - 1)]
        raise NotEnoughDays(f"{prices.source.name}, scored from {first} to {prices.dates[-1]}: {error}") from None

    material, network = make_material(config, series, scaler, target), stored_network(run, config, say)
    span = {
        "part": part,
        "first_origin": str(prices.dates[question.origins[0]]),
        "last_target": str(prices.dates[question.targets[-1, -1]]),
        "origins": len(question.origins),
    }
    scored_on = {
        "data": {
            "name": prices.source.name,
            "sha256": prices.sha256,
            "first": str(prices.dates[0]),
            "last": str(prices.dates[-1]),
            "days": len(prices.dates),
        },
        "seed": config.training.seed,
        "split": span,
    }
    label = part if data is None else f"{part}-{prices.name}"
    if start is not None and start < _border(run, config):
        label += "-insisted"  # too good to stand where the scores of the test days do
    if material.head.classes is not None:
        return evaluate_directions(run, series, material, network, question, label=label, scored_on=scored_on)

    forecast = issue(
        network,
        material,
        prices.dates,
        question.origins,
        steps=config.horizon,
        calibration=stored_calibration(run, config),
        learn_from=first_lesson(config, prices),
    )
    rivals = ask_rivals(question, keep=_keeper(run, question), report=report)
    scored = compare(forecast, rivals.forecasts, question, failures=rivals.failures)
    trend, lag = trend_of(forecast, question.actual), lag_of(forecast, question.actual)
    verdict = judge(scored, trend, lag)
    columns = _columns(config, series, forecast, question)

    metrics = {
        **scored_on,
        "score": "crps",
        "horizons": {str(step): comparison.to_json() for step, comparison in scored.horizons.items()},
        "overall": scored.overall.to_json(),
        "value_at_risk": {name: [asdict(test) for test in tests] for name, tests in scored.value_at_risk.items()},
        "failures": dict(scored.failures),
        "trend": asdict(trend),
        "lag": asdict(lag),
        "verdict": list(verdict),
    }
    if columns:
        metrics["columns"] = {
            name: {str(step): one.to_json() for step, one in steps.items()} for name, steps in columns.items()
        }
    folder = run.write_evaluation(
        label,
        scores=metrics,
        verdict="\n".join(verdict) + "\n",
        forecast=forecast,
        actual=question.actual,
        other_actuals={name: series.prices.column(name)[question.targets] for name in forecast.others},
    )
    from stockcast import plots  # matplotlib: only for who draws

    title = f"{prices.name} by {run.name}, {part} days {span['first_origin']} to {span['last_target']}"
    pictures = f"{folder.name}/plots"
    unit = plots.price_label(adjusted=prices.are_adjusted)
    for name, figure in {
        "forecasts": plots.forecast_sequences(prices.dates, series.closes, forecast, title, unit),
        "skill": plots.skill_by_horizon(scored.skill_by_step, title),
        "coverage": plots.coverage(forecast, rivals.forecasts, question.actual, title),
        "pit": plots.pit_histograms(
            {step: comparison.pit["histogram"] for step, comparison in scored.horizons.items()}, title
        ),
    }.items():
        run.write_plot(name, figure, folder=pictures)
    return Evaluation(scored, columns, trend, lag, verdict, metrics, folder)


def _columns(config: Config, series: Series, forecast: Forecast, question: Question) -> Columns:
    """Score each of several columns; nothing where one price is forecast."""
    if not forecast.others:
        return {}
    said = {name: forecast.others.get(name, forecast.median) for name in config.target.names}
    return compare_columns(said, {name: series.prices.column(name) for name in said}, question.origins)


def _series(
    run: RunDirectory, config: Config, *, data: Path | None, start: date | None, insist: bool, say: Say
) -> tuple[Series, Scaler, Target]:
    """The series to score, and its scale."""
    learnt = {one["path"]: one["sha256"] for one in run.learnt_from()}
    stored = config
    path = (data or own_file(run)).resolve()
    seen = str(path) in learnt
    if not seen:  # another file; its own first and last day are what there is
        config = config.over(start=None, end=None)
    elif data is None and len(learnt) > 1:
        say(f"Scoring {path.name}, the first of {len(learnt)} series that {run.name} learnt from; --data for another.")
    prices = read(config, path, say)
    if seen and prices.sha256 != learnt[str(path)]:
        raise RunError(
            f"{path} has changed since {run.name} was trained, so its test days are not what they were. "
            f"Train again, or put the old file back."
        )
    changed: list[str] = []
    market = read_market(run, stored, end=config.data.end, changed=changed.append)
    if changed and seen:
        raise RunError(
            f"{', '.join(changed)} changed since {run.name} was trained, and it looks at the market, so its test days "
            f"are not what they were. Train again, or put the old files back."
        )
    if changed:
        say(f"The market that {run.name} looks at is not what it learnt from: {', '.join(changed)} changed since.")
    if market is not None and market.dates[-1] < prices.dates[-1]:
        known: date = market.dates[-1].astype(object)
        say(f"{path.name} is scored up to {known}, the last day of the market that {run.name} looks at.")
        prices = read(config.over(end=known), path, nobody)
    series = need(run, config, prices, market, say)
    border = _border(run, config)
    if start is not None and start < border:
        if not insist:
            raise RunError(
                f"{run.name} learnt from days up to {border}, so a score from {start} on would be of days that shaped "
                f"it. Give --from {border} or later, or --insist."
            )
        say(f"Days before {border} shaped {run.name}: their scores are too good.")
    first = start or border
    scaler, target = stored_scalers(run, config)
    if seen and first == border:
        return series, scaler, target
    # Rivals and scalers know the days before the first that is scored, and no later one.
    before = int(np.searchsorted(prices.dates, np.datetime64(first)))
    if before < config.window + 2:
        raise NotEnoughDays(
            f"{path} has {before} days before {first}, and {run.name} looks back over {config.window} and wants a past "
            f"to scale by. Use a longer file, or a later --from."
        )
    split = split_at(prices.dates, validation=first, calibration=first, test=first)
    series = replace(series, split=split)
    if not seen and config.target.scale == "training":
        scaler, target = fit_scalers(config, [series], days=[slice(0, before)])
    return series, scaler, target


def _border(run: RunDirectory, config: Config) -> date:
    """The first day that had no part in what the run learnt."""
    border = config.split.test
    if not isinstance(border, date):
        raise RunError(f"{run.path}: its config has no date for split.test. Train again.")
    return border


def _keeper(run: RunDirectory, question: Question) -> Callable[[str, Callable[[], Forecast]], Forecast]:
    """Keep what costly rivals said in the run, under a name that holds all it depends on."""
    parts = [
        question.closes[: question.targets[-1, -1] + 1],
        question.origins,
        question.training_days,
        question.horizon,
    ]
    settings = f"{GENERATION} {version('arch')} {REFIT_DAYS} {PATHS} {LEVELS.tolist()}"
    hashed = hashlib.sha256(b"".join(np.asarray(part).tobytes() for part in parts) + settings.encode()).hexdigest()

    def keep(name: str, make: Callable[[], Forecast]) -> Forecast:
        key = f"{name}-{hashed[:16]}"
        kept = run.kept_quantiles(key)
        if kept is None or kept.shape != (*question.actual.shape, len(LEVELS)):
            kept = run.keep_quantiles(key, make().quantiles)
        return question.forecast(kept)

    return keep
