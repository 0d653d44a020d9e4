"""A run and one day -> the effect of the inputs on its forecast, its hidden units, and which features it needs."""

from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stockcast.config.load import Overrides
from stockcast.config.schema import Config
from stockcast.data.csv.table import PriceSource
from stockcast.data.features import make_features
from stockcast.data.prices import Prices
from stockcast.errors import DataError, NotEnoughDays
from stockcast.evaluation.importance import Importance, permutation_importance
from stockcast.forecasting.dataset import SeriesDataset
from stockcast.forecasting.networks import build_member, check_same_network, load_keras_network
from stockcast.forecasting.predictor import Predictor
from stockcast.forecasting.reading import report_gaps
from stockcast.models.build import logits_model
from stockcast.models.callbacks import SILENT, Callbacks
from stockcast.models.explain.activations import LayerActivations, layer_activations
from stockcast.models.explain.attribution import Saliency, saliency
from stockcast.models.explain.gradients import gradient_through_time
from stockcast.pipeline.explanation import Attribution, Explanation, GradientCurve, What
from stockcast.pipeline.output_statistics import losses, output_statistics
from stockcast.runs.directory import RunDirectory
from stockcast.runs.layout import explanation_folder
from stockcast.runs.shipped import choose_run
from stockcast.typing import Days, Floats

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REPEATS = 5
"""Shuffles of each feature."""

MAX_ORIGINS = 100
"""Validation origins that importance is measured on, evenly spread: neighbours have nearly the same window."""

MAX_WINDOWS = 64
"""Validation windows that the gradient is measured in, evenly spread."""


def explain(
    run: RunDirectory | Path | str | None = None,
    source: PriceSource | str | None = None,
    *,
    day: date | None = None,
    runs: Path | str = "runs",
    overrides: Overrides = (),
    callbacks: Callbacks = SILENT,
) -> Explanation:
    """Explain the forecast from one day; nothing is written.

    Args:
        run: a finished run, its path, or its name under `runs`; None for the newest one there; where there is none,
            a source is taken by the one that ships, `pretrained`.
        source: a price file or a DataFrame, as `predict` takes it.
        day: the last day known; None for the last of the data.
        runs: folder of the runs.
        overrides: how the price file is read, which of its series, and a newer file of covariates, as in
            `Predictor.load`.
        callbacks: `on_message` is given what looks odd in the data.

    Raises:
        StockcastError: the run is damaged, the data do not fit it, or the day cannot be explained.
    """
    chosen = choose_run(Path(runs), run, source=source, on_message=callbacks.on_message)
    predictor = Predictor.load(chosen, overrides=overrides, on_message=callbacks.on_message)
    return explain_series(predictor, predictor.one_series(source), day=day, callbacks=callbacks)


def explain_series(
    predictor: Predictor, series: Prices | PriceSource | None, *, day: date | None = None, callbacks: Callbacks = SILENT
) -> Explanation:
    """Explain a loaded run's forecast of a series that `Predictor.series` yields, as `explain` does."""
    config = predictor.config
    prices, market = predictor.series_and_market(series, on_message=callbacks.on_message)
    _check_scale(predictor, prices)
    dataset = predictor.dataset(prices, market=market, on_message=callbacks.on_message)
    origin = _origin(predictor, prices, day)
    network, members = load_keras_network(predictor.run, config)
    window = dataset.windows(np.array([origin])).inputs()[0]
    check_same_network(predictor.run, network, predictor.network, window)

    statistics = output_statistics(dataset, origin)
    average_window = np.repeat(predictor.scaler.transform(predictor.scaler.fill[None]), config.window, axis=0)
    saliencies = saliency(
        network, window, baseline=average_window, statistics=[statistic for *_, statistic in statistics]
    )
    activations = layer_activations(members[0], window, cell=config.model.cell)
    validation = dataset.origins("validation", required=False)
    gradients = _gradients(config, dataset, members[0], _spread_out(validation, MAX_WINDOWS))
    measured = _spread_out(validation, MAX_ORIGINS)
    days = slice(origin + 1 - config.window, origin + 1)
    report_gaps(prices, days, callbacks.on_message)
    return Explanation(
        run=predictor.run.name,
        series=prices.source.with_stem(predictor.series_name(prices)).name,
        dates=prices.dates[days],
        features=config.features,
        inputs=make_features(prices, config.features, market)[days],
        scaled=window,
        attributions=tuple(
            Attribution(what, step, moved, prices.frequency)
            for (what, step, _), moved in zip(statistics, saliencies, strict=True)
        ),
        activations=activations,
        gradients=gradients,
        score="CRPS" if dataset.head.classes is None else "Brier",
        importance=_importance(predictor, dataset, measured) if len(measured) else None,
        origins=len(measured),
        notes=(*_notes(config, dataset, members), *_limits(config, dataset, saliencies, activations, gradients)),
        frequency=prices.frequency,
        content=prices.content_sha256(last=str(prices.dates[origin])),
    )


def save_explanation(
    run: RunDirectory, explanation: Explanation, *, folder: Path | None = None, plot: bool = True
) -> Path:
    """Write an explanation as tables and, with `plot`, figures; return the folder: by default one inside the run.

    Raises:
        RunError: the disk or the folder does not allow it.
    """
    own = explanation_folder(Path(explanation.series).stem, explanation.dates[-1])
    folder = (folder or run.folder_for(own, explanation.content)).resolve()
    for name, rows in explanation.tables().items():
        run.write_table(folder / f"{name}.csv", rows)
    if plot:
        for name, figure in _figures(explanation).items():
            run.write_plot(name, figure, folder=folder)
    return folder


def _check_scale(predictor: Predictor, prices: Prices) -> None:
    """Refuse a series that the run was not trained on where targets are scaled by the training days' unit."""
    if predictor.config.target.scale != "training" or predictor.was_trained_on(prices):
        return
    names = [series.name for series in predictor.trained_on]
    raise DataError(
        f"{predictor.run.name} was trained on {', '.join(names)} in their own unit (target.scale: training), so a "
        f"forecast of {prices.label} would be explained in a unit that is not its own. Explain {names[0]}, or "
        f"train with target.scale: volatility.",
        file=prices.source,
        key="target.scale",
        value="training",
    )


def _origin(predictor: Predictor, prices: Prices, day: date | None) -> int:
    """Return the index of the day to explain.

    Raises:
        DataError: it is not a day of the data, or has no full window before it; names the span.
    """
    dates, source, window = prices.dates, prices.source, predictor.config.window
    first = window - 1
    if len(dates) <= first:
        raise NotEnoughDays(
            f"{source.name} has {prices.frequency.count(len(dates))}, but {predictor.run.name} looks back over "
            f"{window}. Use a "
            f"longer file.",
            file=source,
            value=len(dates),
        )
    if day is None:
        return len(dates) - 1
    wanted = np.datetime64(day)
    origin = int(np.searchsorted(dates, wanted, side="right")) - 1
    if not dates[0] <= wanted <= dates[-1]:
        reason = "lies outside the data"
    elif origin < first:
        reason = f"has fewer than {prices.frequency.count(window)} up to it"
    elif dates[origin] != wanted:
        before, after = dates[origin : origin + 2]
        reason = f"is not the date of a {prices.frequency.bar}; the ones on either side are {before} and {after}"
    else:
        return origin
    span = f"{source.name} has {prices.frequency.unit}s to explain from {dates[first]} to {dates[-1]}"
    raise DataError(f"--date {day} {reason}: {span}.", file=source, key="--date", value=day)


def _gradients(config: Config, dataset: SeriesDataset, trained: Any, origins: Days) -> tuple[GradientCurve, ...]:
    """Measure how far gradients reach back: in the run's network, in it untrained, and in an untrained simple RNN.

    The simple RNN is not trained: that would take longer than all the rest, and moves its curve by a factor of 1 to 21
    at 49 days back, downwards (three seeds of lessons/vanishing-gradient).
    """
    if not len(origins):
        return ()
    windows = dataset.windows(origins)
    measure = partial(gradient_through_time, inputs=windows.inputs(), targets=windows.targets(), loss=dataset.head.loss)

    def curve(label: str, network: Any, cell: str) -> list[GradientCurve]:
        norms: Floats | None = measure(logits_model(network), cell=cell)  # the loss takes what it takes in training
        return [] if norms is None else [GradientCurve(label, norms)]

    cell = config.model.cell
    article, other = ("an", "lstm") if cell == "simple_rnn" else ("a", "simple_rnn")
    labels = {cell: f"the same {cell}, untrained", other: f"{article} {other} of the same size, untrained"}
    own = curve(f"the run's {cell}, trained", trained, cell)
    untrained = (curve(label, build_member(config, cell=name), name) for name, label in labels.items())
    return tuple(sum(untrained, own)) if own else ()


def _importance(predictor: Predictor, dataset: SeriesDataset, origins: Days) -> Importance:
    """Shuffle each feature among validation origins; the loss is the score of the forecasts before calibration."""
    return permutation_importance(
        dataset.windows(origins).inputs(),
        losses(dataset, predictor.network, origins, horizon=predictor.config.horizon),
        repeats=REPEATS,
        seed=predictor.config.training.seed,
    )


def _spread_out(origins: Days, most: int) -> Days:
    """Return at most so many of the origins, evenly spread from the first to the last."""
    rows = np.unique(np.linspace(0, len(origins) - 1, min(most, len(origins))).astype(np.intp))
    chosen: Days = origins[rows]
    return chosen


def _notes(config: Config, dataset: SeriesDataset, members: list[Any]) -> list[str]:
    """Return what is explained, where that is not obvious."""
    notes, unit, now = [], dataset.prices.frequency.unit, dataset.prices.frequency.now
    if len(members) > 1:
        notes.append(
            f"The run averages {len(members)} networks: attributions and importance are of their mean, "
            f"units, gates and gradients of the first"
            + (f", a {config.model.cell}; the MLPs are not shown." if config.ensemble.mlp.layers else ".")
        )
    classes = dataset.head.classes
    if classes is not None and classes.threshold:
        whose = f"{now}'s volatility" if config.target.scale == "volatility" else f"the training {unit}s' deviation"
        notes.append(
            f"Up is a rise of more than {classes.threshold:g} times {whose} times the root of the {unit}s ahead; less "
            "is "
            f"flat."
        )
    if config.target.scale == "volatility" and classes is None:
        notes.append(
            f"{now.capitalize()}'s volatility scales the band outside the network, so it is not among the attributions."
        )
    if len(config.target.names) > 1:
        notes.append(
            f"The run forecasts {', '.join(config.target.names)} together: attributions and importance are of the "
            f"Close, gradients of the loss of all."
        )
    if config.strategy == "recursive":
        notes.append(
            f"The network forecasts one {unit} ahead, fed back for more {unit}s; the explanation is of that one {unit}."
        )
    return notes


def _limits(
    config: Config,
    dataset: SeriesDataset,
    saliencies: list[Saliency],
    activations: tuple[LayerActivations, ...],
    gradients: tuple[GradientCurve, ...],
) -> list[str]:
    """Return what is not measured or not shown, and why."""
    cell, notes, unit = config.model.cell, [], dataset.prices.frequency.unit
    if not len(dataset.origins("validation", required=False)):
        name = dataset.prices.label
        notes.append(f"{name} has no validation {unit}: importance and gradients are not measured on it.")
    elif not gradients:
        notes.append(
            f"Gradients are measured through cells that step from {unit} to {unit} in one direction, which {cell} "
            "does not."
        )
    # Attributions of a network with kinks need not add up.
    worst = max(abs(saliency.gap) / max(float(np.abs(saliency.integrated).sum()), 1e-9) for saliency in saliencies)
    if worst > 0.01:
        notes.append(f"The attributions miss the change of the forecast by {100 * worst:.1f} %.")
    if not activations:
        notes.append(f"A {cell} network has no hidden units.")
    return [*notes, *(layer.note for layer in activations if layer.note is not None)]


def _figures(explanation: Explanation) -> "dict[str, Figure]":
    """Draw each part of an explanation that is not empty."""
    from stockcast import plots  # matplotlib: only for who draws

    title = f"{explanation.series} by {explanation.run}"
    at = f"{title}, from {explanation.dates[-1]}"
    dates, features = explanation.dates, explanation.features
    figures: dict[str, Figure] = {}
    panels: dict[What, dict[int, Saliency]] = {}
    for attribution in explanation.attributions:
        panels.setdefault(attribution.what, {})[attribution.days_ahead] = attribution.saliency
    for what, by_step in panels.items():
        figures[f"saliency-{what}"] = plots.saliency(
            by_step, dates, features, what=what, title=at, frequency=explanation.frequency
        )
    layers = [layer for layer in explanation.activations if layer.states is not None]
    if layers:
        figures["units"] = plots.units(layers, dates, title=at)
    gated = [layer for layer in layers if layer.gates]
    if gated:
        figures["gates"] = plots.gates(gated, dates, title=at)
    if explanation.gradients:
        shares = {curve.network: curve.share_left() for curve in explanation.gradients}
        figures["gradient"] = plots.gradient_through_time(shares, title=title, frequency=explanation.frequency)
    if explanation.importance is not None:
        figures["importance"] = plots.importance(
            explanation.importance, features, score=explanation.score, origins=explanation.origins, title=title
        )
    return figures
