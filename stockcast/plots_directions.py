"""Probabilities of the direction -> matplotlib figures; nothing here shows or saves one."""

from collections.abc import Sequence

import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from stockcast.evaluation.classification import Reliability
from stockcast.evaluation.directions import DirectionReport
from stockcast.evaluation.wording import days
from stockcast.forecast import Directions, Floats
from stockcast.plots import entitle, legend_below, plain

CLASS_COLOURS = {"down": "#c1121f", "flat": "#8c8c8c", "up": "#2a7d4f"}

_TWO_SIGMA = 2.0


def confusion_matrices(report: DirectionReport, title: str) -> Figure:
    """What came against what was said, a matrix for each reported horizon; each row adds up to 100 %."""
    figure = _empty(f"What came, and what was said: {title}", columns=len(report.horizons), height=4.6)
    panels = figure.subplots(1, len(report.horizons), sharey=True, squeeze=False)[0]
    size = len(report.classes)
    for axes, (step, comparison) in zip(panels, report.horizons.items(), strict=True):
        counts = np.array(comparison.model.confusion)
        came = counts.sum(axis=1, keepdims=True)
        shares = counts / np.maximum(came, 1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for row, column in np.ndindex(counts.shape):
            axes.text(
                column,
                row,
                f"{100 * shares[row, column]:.0f} %\n{counts[row, column]}",
                ha="center",
                va="center",
                fontsize=9,
                color="white" if shares[row, column] > 0.6 else "#222222",
            )
        axes.set_xticks(range(size), report.classes)
        axes.set_yticks(range(size), report.classes)
        balanced = comparison.model.balanced_accuracy
        right = f"right {100 * comparison.model.accuracy:.0f} %"
        axes.set_title(
            f"{days([step])} ahead\n{right}" + ("" if balanced is None else f", balanced {100 * balanced:.0f} %"),
            fontsize=10,
        )
        axes.set_xlabel("said")
    panels[0].set_ylabel("came")
    return figure


def reliability_curves(report: DirectionReport, title: str) -> Figure:
    """How often each class came against how likely it was said to be, for each reported horizon.

    A point is a fifth of the forecasts. Around the diagonal lies what luck alone allows, two standard errors to both
    sides, counting only forecasts that do not overlap (after Brocker & Smith 2007).
    """
    shown = report.classes[-1:] if len(report.classes) == 2 else report.classes  # of two, the other is the mirror
    figure = _empty(f"Do the probabilities hold? {title}", columns=len(report.horizons), height=1.6 + 3.2 * len(shown))
    panels = figure.subplots(len(shown), len(report.horizons), squeeze=False)
    for row, name in enumerate(shown):
        for axes, (step, comparison) in zip(panels[row], report.horizons.items(), strict=True):
            _reliability(axes, comparison.reliability[name], step=step, colour=CLASS_COLOURS[name])
            share = report.training_shares[step - 1, report.classes.index(name)]
            axes.axhline(share, color="grey", linestyle="--", linewidth=1, label="training days' share")
            if row == 0:
                axes.set_title(f"{days([step])} ahead", fontsize=10)
        panels[row][0].set_ylabel(f"{name} came on")
        panels[row][len(report.horizons) // 2].set_xlabel(f"probability of {name} that was said")
    legend_below(figure, panels[0][0])
    return figure


def _reliability(axes: Axes, points: Sequence[Reliability], *, step: int, colour: str) -> None:
    said = np.array([point.probability for point in points])
    came = np.array([point.share for point in points])
    room = max(0.25 * np.ptp(said), 0.005)
    ends = np.array([said[0] - room, *said, said[-1] + room]).clip(0, 1)
    apart = max(sum(point.count for point in points) / len(points) / step, 1)
    luck = _TWO_SIGMA * np.sqrt(ends * (1 - ends) / apart)
    axes.plot(ends, ends, color="grey", linestyle=":", label="as said")
    axes.fill_between(ends, ends - luck, ends + luck, color="grey", alpha=0.15, linewidth=0, label="within luck")
    axes.plot(said, came, "o-", markersize=5, linewidth=1.2, color=colour, label="as it came")
    axes.set(xlim=(ends[0], ends[-1]), ylim=(0, 1))
    plain(axes)
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=1))
    axes.xaxis.set_major_locator(MaxNLocator(nbins=3))
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def direction_chart(forecast: Directions, past_shares: Floats | None, flat: Floats | None, *, title: str) -> Figure:
    """The probability of each class on each of the days ahead; dotted, how often it came in the file's past."""
    figure = Figure(figsize=(12, 6.5), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    entitle(figure, title)
    dates = forecast.target_dates[0]
    marker = "o-" if len(dates) < 10 else "-"
    for number, name in enumerate(forecast.classes):
        axes.plot(dates, forecast.of(name)[0], marker, color=CLASS_COLOURS[name], linewidth=2, label=f"{name}, as said")
        if past_shares is not None:
            share = past_shares[:, number]
            axes.plot(dates, share, ":", color=CLASS_COLOURS[name], linewidth=1.3, label=f"{name}, in the past")
    axes.set(ylim=(0, 1), ylabel="probability")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    locator = mdates.AutoDateLocator()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
    plain(axes)
    axes.set_title(_meaning(forecast, flat), fontsize=10, color="grey", loc="left")
    legend_below(figure, axes)
    return figure


def _meaning(forecast: Directions, flat: Floats | None) -> str:
    """Say what up, down and flat are."""
    if flat is None:
        return f"up: above the price of {forecast.origin_dates[0]}; down: not above it"
    first, last = (f"{100 * np.expm1(one):.1f} %" for one in (flat[0], flat[-1]))
    ends = f"{first} after 1 day" if len(flat) == 1 else f"{first} after 1 day, {last} after {len(flat)}"
    return f"flat: within about {ends}, of the price of {forecast.origin_dates[0]}"


def _empty(title: str, *, columns: int, height: float) -> Figure:
    figure = Figure(figsize=(max(6, 3.1 * columns), height), dpi=110, layout="constrained")
    entitle(figure, title)
    return figure
