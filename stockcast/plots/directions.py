"""Probabilities of the direction -> figures."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from stockcast.evaluation.chance import share_error
from stockcast.evaluation.classification import Reliability
from stockcast.evaluation.direction_scores import SHARES, DirectionReport
from stockcast.forecast import DirectionPrediction, Directions
from stockcast.plots.style import (
    BASELINE_COLOURS,
    DOWN,
    GREY,
    UP,
    date_axis,
    label_ends,
    legend_below,
    new_axes,
    new_figure,
    plain,
)
from stockcast.text import join_words
from stockcast.typing import Floats

CLASS_COLOURS = {"down": DOWN, "flat": GREY, "up": UP}


def confusion_matrices(report: DirectionReport, title: str) -> Figure:
    """Actual against forecast class, a matrix for each reported horizon; each row sums to 100 %."""
    figure = new_figure(f"Actual and forecast direction: {title}", size=_size(report, height=4.6))
    panels = figure.subplots(1, len(report.horizons), sharey=True, squeeze=False)[0]
    size = len(report.classes)
    for axes, (step, comparison) in zip(panels, report.horizons.items(), strict=True):
        counts = np.array(comparison.model.confusion)
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for row, column in np.ndindex(counts.shape):
            text = f"{100 * shares[row, column]:.0f} %\n{counts[row, column]}"
            colour = "white" if shares[row, column] > 0.6 else "#222222"
            axes.text(column, row, text, ha="center", va="center", fontsize=9, color=colour)
        axes.set_xticks(range(size), report.classes)
        axes.set_yticks(range(size), report.classes)
        balanced = comparison.model.balanced_accuracy
        accuracy = f"accuracy {100 * comparison.model.accuracy:.0f} %"
        if balanced is not None:
            accuracy = f"{accuracy}, balanced {100 * balanced:.0f} %"
        axes.set_title(f"{report.frequency.steps([step])} ahead\n{accuracy}", fontsize=10)
        axes.set_xlabel("forecast")
    panels[0].set_ylabel("actual")
    return figure


def reliability_curves(report: DirectionReport, title: str) -> Figure:
    """Observed share of each class against its probability, for each reported horizon.

    A point is a fifth of the forecasts, or more where many are equal. Both axes are probabilities, so an inch is the
    same on both, and all panels of a class show the same range. The area around the diagonal is where chance leaves
    calibrated probabilities, each point's forecasts taken as consecutive (consistency bars, Brocker & Smith 2007).
    """
    shown = report.classes[-1:] if len(report.classes) == 2 else report.classes  # of two, the other is the mirror image
    unit = report.frequency.unit
    figure = new_figure(f"Reliability of the probabilities: {title}", size=_size(report, height=1.4 + 3.4 * len(shown)))
    panels = figure.subplots(len(shown), len(report.horizons), squeeze=False)
    for row, name in enumerate(shown):
        low, high = _range(report, name)
        for axes, (step, comparison) in zip(panels[row], report.horizons.items(), strict=True):
            points = comparison.reliability[name]
            _reliability(axes, points, name, horizon=step, ends=(low, high))
            share = report.training_shares[step - 1, report.classes.index(name)]
            axes.axhline(share, color=BASELINE_COLOURS[SHARES], linestyle="--", linewidth=1,
                         label=f"share of the training {unit}s")  # fmt: skip
            axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
            counts = join_words(_distinct_counts(points), last="or")
            axes.set_title(f"{report.frequency.steps([step])} ahead\npoints of {counts} forecasts", fontsize=9)
            axes.set_xlabel(f"forecast probability of {name}", fontsize=9)
        panels[row][0].set_ylabel(f"share of {name} {unit}s")
    legend_below(figure, panels[0][0], note="grey: where chance (95 %) leaves calibrated probabilities")
    return figure


def _distinct_counts(points: Sequence[Reliability]) -> list[str]:
    """Return the numbers of forecasts of the points, each once, the smallest first."""
    return [f"{count:,}" for count in sorted({point.count for point in points})]


def _range(report: DirectionReport, name: str) -> tuple[float, float]:
    """Return the ends of both axes: around all points of a class and its shares of the training days."""
    points = [point for comparison in report.horizons.values() for point in comparison.reliability[name]]
    shares = [report.training_shares[step - 1, report.classes.index(name)] for step in report.horizons]
    values = np.array([*(point.probability for point in points), *(point.share for point in points), *shares])
    room = max(0.08 * np.ptp(values), 0.02)
    return max(values.min() - room, 0.0), min(values.max() + room, 1.0)


def _reliability(
    axes: Axes, points: Sequence[Reliability], name: str, *, horizon: int, ends: tuple[float, float]
) -> None:
    probability = np.array([point.probability for point in points])
    observed = np.array([point.share for point in points])
    line = np.linspace(*ends, 21)
    count = min(point.count for point in points)
    # Flat is the middle of the distribution, down and up are its ends.
    parts = [((1 - level) / 2, (1 + level) / 2) if name == "flat" else (0, level) for level in line]
    chance = 1.96 * np.array([share_error(*part, origins=count, horizon=horizon) for part in parts])
    axes.plot(ends, ends, color=GREY, linestyle=":", label="ideal")
    axes.fill_between(line, line - chance, line + chance, color=GREY, alpha=0.2, linewidth=0, label="chance (95 %)")
    axes.plot(probability, observed, "o-", markersize=5, linewidth=1.2, color=CLASS_COLOURS[name], label="observed")
    plain(axes)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0 if np.ptp(ends) > 0.1 else 1))
        axis.set_major_locator(MaxNLocator(nbins=4))
    axes.tick_params(labelsize=8)


def direction_chart(prediction: DirectionPrediction) -> Figure:
    """The probability on each of the days ahead: of up as one line, of three classes a line each.

    Of two classes, down is the rest. Dotted, the share of the class in the file's past.
    """
    forecast = prediction.forecast
    origin, dates = forecast.origin_dates[0], forecast.target_dates[0]
    figure, axes = new_axes(f"{prediction.series}: the direction from {origin} on, by {prediction.run}")
    is_short = len(dates) < 10
    line, dotted = ("o-", "_:") if is_short else ("-", ":")  # one point makes no line
    shown = forecast.classes[-1:] if len(forecast.classes) == 2 else forecast.classes
    ends, drawn = [], [np.array([1 / len(forecast.classes)])]
    for name in shown:
        colour, lines = CLASS_COLOURS[name], {f"{name}, forecast": forecast.of(name)[0]}
        axes.plot(dates, forecast.of(name)[0], line, color=colour, linewidth=2, label=f"{name}, forecast")
        if prediction.past_shares is not None:
            past = prediction.past_shares[:, forecast.classes.index(name)]
            axes.plot(dates, past, dotted, color=colour, markersize=12, linewidth=1.3, label=f"{name}, in the past")
            lines[f"{name}, in the past"] = past
        ends += [(date2num(dates[-1]), values[-1], f"{100 * values[-1]:.0f} % ({what})", colour)
                 for what, values in lines.items()]  # fmt: skip
        drawn += lines.values()
    if len(shown) == 1:
        axes.axhline(0.5, color=GREY, linewidth=1, label="a coin")
    values = np.concatenate(drawn)
    room = max(0.25 * np.ptp(values), 0.05)
    axes.set(xlim=(origin, dates[-1]), ylim=(max(values.min() - room, 0), min(values.max() + room, 1)))
    axes.set_ylabel(f"probability of {join_words(shown, last='or')}")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    if is_short:
        axes.set_xticks(dates, dates.astype(str))
    else:
        date_axis(axes)
    label_ends(axes, ends)
    axes.set_title(_meaning(forecast, prediction.flat), fontsize=10, color="grey", loc="left")
    legend_below(figure, axes)
    return figure


def _meaning(forecast: Directions, flat: Floats | None) -> str:
    """What up, down and flat are."""
    if flat is None:
        return f"up: above the price of {forecast.origin_dates[0]}; down: not above it"
    first, last = (f"{100 * np.expm1(move):.1f} %" for move in (flat[0], flat[-1]))
    ends = f"{first} after 1 {forecast.frequency.unit}" + ("" if len(flat) == 1 else f", {last} after {len(flat)}")
    return f"flat: within about {ends}, of the price of {forecast.origin_dates[0]}"


def _size(report: DirectionReport, *, height: float) -> tuple[float, float]:
    return max(6, 3.1 * len(report.horizons)), height
