"""Scores and coverage of the test days -> figures."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator, PercentFormatter

from stockcast.evaluation.baselines.registry import BASELINES
from stockcast.forecast import Forecast
from stockcast.frequency import DAILY, Frequency
from stockcast.plots.style import (
    BAND,
    BASELINE_COLOURS,
    MEDIAN,
    PRICE,
    legend_below,
    new_axes,
    new_figure,
    whole_numbers,
)
from stockcast.typing import Floats


def skill_by_horizon(skill: Mapping[str, Floats], title: str, *, frequency: Frequency = DAILY) -> Figure:
    """By how much the network's CRPS is lower than each baseline's, for each day, week or month ahead."""
    figure, axes = new_axes(f"Skill by {frequency.unit}s ahead: {title}")
    for name, values in skill.items():
        label = f"against {BASELINES[name].name(frequency)}"
        size = 3 if len(values) > 1 else 7
        axes.plot(range(1, len(values) + 1), values, "o-", markersize=size, color=BASELINE_COLOURS[name], label=label)
    axes.axhline(0, color=PRICE, linewidth=1)
    low, high = axes.get_ylim()
    axes.axhspan(min(low, -0.02), 0, color="#c1121f", alpha=0.07, zorder=0)
    axes.set_ylim(min(low, -0.02), max(high, 0.02))
    axes.text(0.01, 0.02, "below 0: the baseline is better", transform=axes.transAxes, color="#c1121f", fontsize=9)
    axes.set_ylabel("skill: CRPS lower than the baseline's by")
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    whole_numbers(axes, f"{frequency.bar}s ahead")
    axes.set_xticks([1, *range(5, max(map(len, skill.values())) + 1, 5)])
    legend_below(figure, axes)
    return figure


def coverage(forecast: Forecast, baselines: Mapping[str, Forecast], actual: Floats, title: str) -> Figure:
    """Nominal coverage of central bands against the share of prices inside, over all origins and steps."""
    figure, axes = new_axes(f"Coverage of the bands: {title}")
    nominal = 2 * forecast.levels[forecast.levels > 0.5] - 1
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":", label="nominal")
    for name, other in {**baselines, "network": forecast}.items():
        bands = [other.band(share) for share in nominal]
        observed = [np.mean((lower <= actual) & (actual <= upper)) for lower, upper in bands]
        if name == "network":
            axes.plot(nominal, observed, "o-", markersize=5, linewidth=2.2, color=MEDIAN, label=name)
        else:
            label, colour = BASELINES[name].name(forecast.frequency), BASELINE_COLOURS[name]
            axes.plot(nominal, observed, "o-", markersize=3, linewidth=1, color=colour, label=label)
    axes.text(0.03, 0.93, "above the line: bands too wide", color="grey", fontsize=9, transform=axes.transAxes)
    axes.text(0.72, 0.05, "below the line: bands too narrow", color="grey", fontsize=9, transform=axes.transAxes)
    axes.set(xlabel="nominal coverage of the band", ylabel="prices inside the band", xlim=(0, 1), ylim=(0, 1.01))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    legend_below(figure, axes)
    return figure


def pit_histograms(histograms: Mapping[int, Sequence[float]], title: str, *, frequency: Frequency = DAILY) -> Figure:
    """Where in the forecast distribution prices were, by days ahead: flat is ideal, a U too narrow, a hump too wide."""
    note = "probability integral transform; dotted: ideal; a U: too narrow, a hump: too wide"
    figure = new_figure(f"Where prices were in the forecast distribution: {title}", note=note)
    panels = np.atleast_1d(figure.subplots(1, len(histograms), sharey=True))
    for axes, (step, shares) in zip(panels, histograms.items(), strict=True):
        edges = np.linspace(0, 1, len(shares) + 1)
        axes.bar(edges[:-1], shares, width=1 / len(shares), align="edge", color=BAND, edgecolor="white")
        axes.axhline(1 / len(shares), color=PRICE, linestyle=":", linewidth=1)
        axes.set_title(f"{frequency.steps([step])} ahead", fontsize=10)
        axes.set_xticks([0, 0.5, 1], ["low", "median", "high"], fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("share of prices")
    panels[0].yaxis.set_major_locator(MultipleLocator(0.05))
    panels[0].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return figure
