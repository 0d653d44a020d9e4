"""Probabilities of the direction -> figures."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from stockcast.evaluation.classification import Reliability
from stockcast.evaluation.direction_scores import DirectionReport
from stockcast.forecast import DirectionPrediction, Directions
from stockcast.plots.style import date_axis, legend_below, new_axes, new_figure, plain
from stockcast.typing import Floats

CLASS_COLOURS = {"down": "#c1121f", "flat": "#8c8c8c", "up": "#2a7d4f"}


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

    A point is a fifth of the forecasts. The area around the diagonal is two standard errors of chance to both sides,
    counting only forecasts that do not overlap (after Brocker & Smith 2007).
    """
    shown = report.classes[-1:] if len(report.classes) == 2 else report.classes  # of two, the other is the mirror image
    size = _size(report, height=1.6 + 3.2 * len(shown))
    unit = report.frequency.unit
    figure = new_figure(f"Reliability of the probabilities: {title}", size=size)
    panels = figure.subplots(len(shown), len(report.horizons), squeeze=False)
    for row, name in enumerate(shown):
        for axes, (step, comparison) in zip(panels[row], report.horizons.items(), strict=True):
            _reliability(axes, comparison.reliability[name], step=step, colour=CLASS_COLOURS[name])
            share = report.training_shares[step - 1, report.classes.index(name)]
            axes.axhline(share, color="grey", linestyle="--", linewidth=1, label=f"share of the training {unit}s")
            if row == 0:
                axes.set_title(f"{report.frequency.steps([step])} ahead", fontsize=10)
        panels[row][0].set_ylabel(f"share of {name} {unit}s")
        panels[row][len(report.horizons) // 2].set_xlabel(f"forecast probability of {name}")
    legend_below(figure, panels[0][0])
    return figure


def _reliability(axes: Axes, points: Sequence[Reliability], *, step: int, colour: str) -> None:
    forecast = np.array([point.probability for point in points])
    observed = np.array([point.share for point in points])
    room = max(0.25 * np.ptp(forecast), 0.005)
    ends = np.array([forecast[0] - room, *forecast, forecast[-1] + room]).clip(0, 1)
    apart = max(sum(point.count for point in points) / len(points) / step, 1)
    chance = 2 * np.sqrt(ends * (1 - ends) / apart)
    axes.plot(ends, ends, color="grey", linestyle=":", label="ideal")
    axes.fill_between(ends, ends - chance, ends + chance, color="grey", alpha=0.15, linewidth=0, label="chance (95 %)")
    axes.plot(forecast, observed, "o-", markersize=5, linewidth=1.2, color=colour, label="observed")
    axes.set(xlim=(ends[0], ends[-1]), ylim=(0, 1))
    plain(axes)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=3))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def direction_chart(prediction: DirectionPrediction) -> Figure:
    """The probability of each class on each of the days ahead; dotted, its share in the file's past."""
    forecast = prediction.forecast
    origin, dates = forecast.origin_dates[0], forecast.target_dates[0]
    figure, axes = new_axes(f"{prediction.series}: the direction from {origin} on, by {prediction.run}")
    is_short = len(dates) < 10
    line, dotted = ("o-", "_:") if is_short else ("-", ":")  # one point makes no line
    for number, name in enumerate(forecast.classes):
        colour = CLASS_COLOURS[name]
        axes.plot(dates, forecast.of(name)[0], line, color=colour, linewidth=2, label=f"{name}, forecast")
        if prediction.past_shares is not None:
            past = prediction.past_shares[:, number]
            axes.plot(dates, past, dotted, color=colour, markersize=12, linewidth=1.3, label=f"{name}, in the past")
    axes.set(xlim=(origin, dates[-1] + 1), ylim=(0, 1), ylabel="probability")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    if is_short:
        axes.set_xticks(dates, dates.astype(str))
    else:
        date_axis(axes)
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
