"""A network that says the direction: its probabilities dated, scored as a classifier's, and forecast."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.errors import RunError
from stockcast.evaluation.baselines import Question
from stockcast.evaluation.classification import class_shares
from stockcast.evaluation.direction_verdict import judge_directions
from stockcast.evaluation.directions import DirectionReport, compare_directions
from stockcast.forecast import Dates, Days, Directions, Floats
from stockcast.material import Material
from stockcast.models.heads import Classes
from stockcast.models.inference import Network
from stockcast.pipeline.series import Series
from stockcast.runs import RunDirectory


@dataclass(frozen=True)
class DirectionEvaluation:
    """What `evaluate` found of a run that says the direction; `metrics` is metrics.json."""

    report: DirectionReport
    verdict: tuple[str, ...]
    metrics: dict[str, Any]
    folder: Path


@dataclass(frozen=True)
class DirectionPrediction:
    """What `predict` says of the direction on the days after the last row.

    Attributes:
        forecast: from the last row.
        past_shares: how often each class came in the file's past, for comparison, shape (horizon, classes); None where
            the file is too short to tell.
        flat: the largest log return that is flat, shape (horizon,); None where there is no flat.
        rows: those of forecast.csv.
        table: forecast.csv.
    """

    forecast: Directions
    past_shares: Floats | None
    flat: Floats | None
    rows: list[dict[str, Any]]
    table: Path


def issue_directions(network: Network, material: Material, dates: Dates, origins: Days, *, steps: int) -> Directions:
    """Forecast from each origin which way the price goes; no row uses a price after its own origin.

    Args:
        network: inputs to outputs.
        material: the series, ready for it.
        dates: of all days and of the `steps` sessions after the last, datetime64[D], shape (days + steps,).
        origins: days, shape (origins,).
        steps: days ahead.

    Raises:
        RunError: the network's answers are no probabilities.
    """
    classes = _classes(material)
    return Directions(
        origin_dates=dates[origins],
        target_dates=dates[origins[:, None] + np.arange(1, steps + 1)],
        classes=classes.names,
        probabilities=classes.probabilities(material.outputs(network, origins, steps=steps)),
        last_close=material.closes[origins],
    )


def evaluate_directions(
    run: RunDirectory,
    series: Series,
    material: Material,
    network: Network,
    question: Question,
    *,
    label: str,
    scored_on: dict[str, Any],
) -> DirectionEvaluation:
    """Score a classifier on every origin that is asked, beside its rivals, and judge it.

    Args:
        run: a finished run, written to.
        series: the one that is scored.
        material: the same, ready for the network.
        network: inputs to outputs.
        question: the origins.
        label: of the evaluation's folder.
        scored_on: what metrics.json says of data and split.
    """
    classes = _classes(material)
    forecast = issue_directions(network, material, series.prices.dates, question.origins, steps=question.horizon)
    came = material.labels(classes, question.origins, steps=question.horizon)
    training = series.split.origins("training", window=material.window, horizon=question.horizon)
    shares = _shares(material, training, steps=question.horizon)
    report = compare_directions(forecast, came, training_shares=shares)
    verdict = judge_directions(report)
    within = _flat(material, question.origins, steps=question.horizon)
    flat = None if within is None else {str(step): float(np.median(within[:, step - 1])) for step in report.horizons}
    metrics: dict[str, Any] = {
        **scored_on,
        "score": "brier",
        "classes": list(report.classes),
        "threshold": classes.threshold,
        "flat_within": flat,
        "training_shares": {
            str(step): dict(zip(report.classes, shares[step - 1].tolist(), strict=True)) for step in report.horizons
        },
        "horizons": {str(step): comparison.to_json() for step, comparison in report.horizons.items()},
        "overall": report.overall.to_json(),
        "verdict": list(verdict),
    }
    folder = run.write_directions(
        label, scores=metrics, verdict="\n".join(verdict) + "\n", forecast=forecast, came=came
    )

    from stockcast import plots_directions as plots  # matplotlib: only for who draws

    span = scored_on["split"]
    title = f"{series.prices.name} by {run.name}, {span['part']} days {span['first_origin']} to {span['last_target']}"
    for name, figure in {
        "confusion": plots.confusion_matrices(report, title),
        "reliability": plots.reliability_curves(report, title),
    }.items():
        run.write_plot(name, figure, folder=f"{folder.name}/plots")
    return DirectionEvaluation(report, verdict, metrics, folder)


def predict_directions(
    run: RunDirectory,
    series: Series,
    material: Material,
    network: Network,
    dates: Dates,
    *,
    steps: int,
    folder: Path,
    picture: bool,
) -> DirectionPrediction:
    """Forecast the direction after the last row, and write it as a table and a picture.

    Args:
        run: a finished run, written to.
        series: the one that is forecast.
        material: the same, ready for the network.
        network: inputs to outputs.
        dates: of all days and of the `steps` sessions after the last, shape (days + steps,).
        steps: sessions ahead.
        folder: where to write.
        picture: whether to draw one.
    """
    today = np.array([len(material.closes) - 1])
    forecast = issue_directions(network, material, dates, today, steps=steps)
    past = np.arange(material.window - 1, len(material.closes) - steps)
    shares = _shares(material, past, steps=steps) if len(past) else None
    within = _flat(material, today, steps=steps)
    flat = None if within is None else within[0]
    rows = [
        {
            "date": str(day),
            "step": step + 1,
            **{f"p_{name}": float(f"{forecast.of(name)[0, step]:.4f}") for name in forecast.classes},
        }
        for step, day in enumerate(forecast.target_dates[0])
    ]
    table = run.write_prediction(rows, folder=folder)
    if picture:
        from stockcast import plots_directions as plots  # matplotlib: only for who draws

        title = f"{series.prices.name}: the direction from {forecast.origin_dates[0]} on, by {run.name}"
        run.draw_prediction(plots.direction_chart(forecast, shares, flat, title=title), folder=folder)
    return DirectionPrediction(forecast, shares, flat, rows, table)


def _shares(material: Material, origins: Days, *, steps: int) -> Floats:
    """Return the share of each class among what came after these origins, shape (steps, classes)."""
    classes = _classes(material)
    return class_shares(material.labels(classes, origins, steps=steps), classes=len(classes.names))


def _flat(material: Material, origins: Days, *, steps: int) -> Floats | None:
    """Return the largest log return that is flat, shape (origins, steps); None where there is no flat."""
    threshold = _classes(material).threshold
    if not threshold:
        return None
    unit = np.ones(len(origins)) if material.unit is None else material.unit[origins]
    flat: Floats = threshold * material.target.scaler.scale * unit[:, None] * np.sqrt(np.arange(1, steps + 1))
    return flat


def _classes(material: Material) -> Classes:
    if material.head.classes is None:
        raise RunError(f"The head {material.head.name} says prices, and no direction.")
    return material.head.classes
