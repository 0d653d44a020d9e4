"""A run and one day -> what moved its forecast from there, what fired in it, and which inputs it lives on."""

from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stockcast.config import Config, load_config
from stockcast.errors import DataError, NotEnoughDays
from stockcast.evaluation.importance import Importance, permutation_importance
from stockcast.forecast import Days, Floats
from stockcast.material import Material
from stockcast.models import insight
from stockcast.models.factory import learning_part
from stockcast.models.firing import Firing, firing
from stockcast.models.inference import Network
from stockcast.pipeline.findings import Curve, Findings, Moved
from stockcast.pipeline.rebuilt import build, check_same, rebuild
from stockcast.pipeline.series import Say, Series, make_material, nobody, read
from stockcast.pipeline.statements import losses, score_of, statements
from stockcast.pipeline.stored import need, own_file, read_market, stored_network, stored_scalers
from stockcast.runs import RunDirectory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

REPEATS = 5
"""Shuffles of each feature."""

MOST_ORIGINS = 100
"""Validation origins that importance is measured on, evenly spread: neighbours have nearly the same window."""

MOST_WINDOWS = 64
"""Validation windows that the gradient is followed back through, evenly spread."""


def explain(
    run: RunDirectory,
    *,
    day: date | None = None,
    data: Path | None = None,
    output: Path | None = None,
    picture: bool = True,
    say: Say = nobody,
) -> Findings:
    """Explain the forecast from one day, and write tables and pictures.

    Args:
        run: a finished run.
        day: the last day known; None for the last of the data.
        data: another price file, as `predict` takes it; None for the first one that the run learnt from.
        output: folder to write to; None for one inside the run.
        picture: whether to draw any.
        say: told what looks odd in the data.

    Raises:
        StockcastError: the run is damaged, the data do not fit it, or the day cannot be explained.
    """
    config = load_config(run.config_path())
    series, material, baseline = _ready(run, config, data=data, say=say)
    prices = series.prices
    origin = _origin(run, config, series, day)
    network, members = rebuild(run, config)
    window = material.windows(np.array([origin])).inputs()[0]
    exported = stored_network(run, config)
    check_same(run, network, exported, window)

    notes = _notes(config, material, members)
    numbers = statements(material, origin)
    found = insight.saliency(network, window, baseline=baseline, statements=[one for *_, one in numbers])
    firings = firing(members[0], window, cell=config.model.cell)
    validation = series.split.origins("validation", window=config.window, horizon=config.horizon, required=False)
    if not len(validation):
        notes.append(f"{prices.source.name} has no validation day: importance and gradients are not measured on it.")
    curves = _curves(config, material, members[0], _spread_out(validation, MOST_WINDOWS))
    if len(validation) and not curves:
        notes.append(
            f"A gradient is followed back through cells that step from day to day in one direction; "
            f"{config.model.cell} is none."
        )
    asked = _spread_out(validation, MOST_ORIGINS)
    findings = Findings(
        run=run.name,
        series=prices.source.name,
        dates=prices.dates[origin + 1 - config.window : origin + 1],
        features=config.features,
        inputs=series.inputs(config)[origin + 1 - config.window : origin + 1],
        scaled=window,
        moved=tuple(Moved(what, step, one) for (what, step, _), one in zip(numbers, found, strict=True)),
        firings=firings,
        curves=curves,
        score=score_of(material),
        importance=_importance(config, material, exported, asked) if len(asked) else None,
        origins=len(asked),
        notes=(*notes, *_missed(found), *_lacking(config, firings)),
        folder=(output or run.explanation_folder(prices.dates[origin])).resolve(),
    )
    _write_tables(run, findings)
    if picture:
        _draw(run, findings)
    return findings


def _ready(run: RunDirectory, config: Config, *, data: Path | None, say: Say) -> tuple[Series, Material, Floats]:
    """The series, ready for the network, and a window of average training days, shape (window, features)."""
    stored = config
    if data is not None:
        config = config.over(start=None, end=None)
    path = data or own_file(run)
    learnt = [one["name"] for one in run.learnt_from()]
    if path.name not in learnt and config.target.scale == "training":
        raise DataError(
            f"{run.name} learnt from {', '.join(learnt)} in its own unit (target.scale: training), and what moved a "
            f"forecast of {path.name} would be told in a unit that is not its own. Explain {learnt[0]}, or train with "
            f"target.scale: volatility."
        )
    series = need(run, config, read(config, path, say), read_market(run, stored, end=config.data.end), say)
    scaler, target = stored_scalers(run, config)
    average_day = scaler.transform(scaler.fill[None])
    return series, make_material(config, series, scaler, target), np.repeat(average_day, config.window, axis=0)


def _origin(run: RunDirectory, config: Config, series: Series, day: date | None) -> int:
    """Return the index of the day to explain.

    Raises:
        DataError: it is no day of the data, or has no full window before it; names the span.
    """
    dates, name = series.prices.dates, series.prices.source.name
    first = config.window - 1
    if len(dates) <= first:
        raise NotEnoughDays(
            f"{name} has {len(dates)} trading days, but {run.name} looks back over {config.window}. Use a longer file."
        )
    span = f"{name} has days to explain from {dates[first]} to {dates[-1]}"
    if day is None:
        return len(dates) - 1
    wanted = np.datetime64(day)
    origin = int(np.searchsorted(dates, wanted, side="right")) - 1
    if not dates[0] <= wanted <= dates[-1]:
        raise DataError(f"--date {day} lies outside the data: {span}.")
    if origin < first:
        raise DataError(f"--date {day} has no {config.window} days up to it: {span}.")
    if dates[origin] != wanted:
        raise DataError(f"--date {day} is no trading day; the last one before it is {dates[origin]}. {span}.")
    return origin


def _curves(config: Config, material: Material, trained: Any, origins: Days) -> tuple[Curve, ...]:
    """How far gradients reach back: in the run's network, in itself untrained, and in an untrained simple RNN.

    The simple RNN is not trained: that would take longer than all the rest, and moves its curve by a factor of 1 to 21
    at 49 days back, downwards (three seeds of lessons/vanishing-gradient).
    """
    if not len(origins):
        return ()
    windows = material.windows(origins)
    reach = partial(insight.reach, inputs=windows.inputs(), answers=windows.answers(), loss=material.head.loss)

    def measured(network: Any, cell: str) -> Floats | None:
        return reach(learning_part(network), cell=cell)  # the loss is told what training tells it

    cell = config.model.cell
    own = measured(trained, cell)
    if own is None:
        return ()
    article, other = ("an", "lstm") if cell == "simple_rnn" else ("a", "simple_rnn")
    beside = {cell: f"the same {cell}, untrained", other: f"{article} {other} of the same size, untrained"}
    untrained = []
    for one, label in beside.items():
        norms = measured(build(config, cell=one), one)
        untrained += [] if norms is None else [Curve(label, norms)]
    return (Curve(f"the run's {cell}, trained", own), *untrained)


def _importance(config: Config, material: Material, network: Network, origins: Days) -> Importance:
    """Shuffle each feature among validation origins; the loss is the score of what the head says, uncalibrated."""
    return permutation_importance(
        material.windows(origins).inputs(),
        losses(material, network, origins, horizon=config.horizon),
        repeats=REPEATS,
        seed=config.training.seed,
    )


def _spread_out(origins: Days, most: int) -> Days:
    """Return no more than so many of the origins, evenly spread from the first to the last."""
    rows = np.unique(np.linspace(0, len(origins) - 1, min(most, len(origins))).astype(np.intp))
    chosen: Days = origins[rows]
    return chosen


def _notes(config: Config, material: Material, members: list[Any]) -> list[str]:
    """Say what is explained, where that is not plain."""
    notes = []
    if len(members) > 1:
        notes.append(
            f"The run averages {len(members)} networks: what moved the forecast and importance are of their mean, "
            f"units, gates and gradient of the first"
            + (f", a {config.model.cell}; those of the last day alone are not shown." if config.beside.layers else ".")
        )
    classes = material.head.classes
    if classes is not None and classes.threshold:
        whose = "today's volatility" if config.target.scale == "volatility" else "the training days' deviation"
        notes.append(
            f"Up is a rise of more than {classes.threshold:g} times {whose} (over as many days as are asked); less "
            f"is flat."
        )
    if config.target.scale == "volatility" and classes is None:
        notes.append(
            "The band is also as wide as today's volatility makes it: that multiplies the answer outside the network "
            "and is not among what moved it."
        )
    if len(config.target.names) > 1:
        notes.append(
            f"The run forecasts {', '.join(config.target.names)} together: middle and importance are of the Close, the "
            f"gradient is of the loss of all."
        )
    if config.strategy == "recursive":
        notes.append("The network answers one day ahead and is fed with its answers; explained is that one day.")
    return notes


def _missed(found: list[insight.Saliency]) -> list[str]:
    """Say where the shares do not add up, as they may not for a network with kinks."""
    worst = max(abs(one.gap) / max(float(np.abs(one.integrated).sum()), 1e-9) for one in found)
    return [f"The shares of what moved the forecast miss it by {100 * worst:.1f} %."] if worst > 0.01 else []


def _lacking(config: Config, firings: tuple[Firing, ...]) -> list[str]:
    """Say which units and gates are not shown, and why."""
    if not firings:
        return [f"A {config.model.cell} network has no hidden units, so none fires."]
    return [one.note for one in firings if one.note is not None]


def _write_tables(run: RunDirectory, findings: Findings) -> None:
    """Write a table of each kind of finding; what there is nothing of gets none."""
    tables = {
        "saliency": findings.saliency_rows(),
        **{f"units-{one.layer}": findings.unit_rows(one) for one in findings.firings},
        "gates": findings.gate_rows(),
        "gradient": findings.gradient_rows(),
        "importance": findings.importance_rows(),
    }
    for name, rows in tables.items():
        if rows:
            run.write_table(findings.folder / f"{name}.csv", rows)


def _draw(run: RunDirectory, findings: Findings) -> None:
    """Write a picture of each kind of finding; what there is nothing of gets none."""
    from stockcast import plots_explain as plots  # matplotlib: only for who draws

    title = f"{findings.series} by {findings.run}"
    at = f"{title}, from {findings.dates[-1]}"
    pictures: dict[str, Figure] = {}
    for what in dict.fromkeys(one.what for one in findings.moved):
        panels = {one.days_ahead: one.saliency for one in findings.moved if one.what == what}
        pictures[f"saliency-{what}"] = plots.saliency(panels, findings.dates, findings.features, what=what, title=at)
    fired = [one for one in findings.firings if one.states is not None]
    if fired:
        pictures["units"] = plots.units(fired, findings.dates, title=at)
    gated = [one for one in fired if one.gates]
    if gated:
        pictures["gates"] = plots.gates(gated, findings.dates, title=at)
    if findings.curves:
        shares = {one.network: one.share_left() for one in findings.curves}
        pictures["gradient"] = plots.gradient_through_time(shares, title=title)
    if findings.importance is not None:
        pictures["importance"] = plots.importance(
            findings.importance, findings.features, score=findings.score, origins=findings.origins, title=title
        )
    for name, figure in pictures.items():
        run.write_plot(name, figure, folder=findings.folder)
