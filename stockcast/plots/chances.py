"""Reliability of the chances of price levels -> a figure."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from stockcast.evaluation.baselines.registry import BASELINES
from stockcast.evaluation.chances import EventReliability
from stockcast.evaluation.scores import Report
from stockcast.plots.style import BASELINE_COLOURS, MEDIAN, legend_below, new_figure, plain

_NOTE = "grey: chance, 95 %"


def level_reliability(report: Report, origins: int, title: str) -> Figure:
    """Share of closes beyond a level, and of touches, against their mean probability, at each reported horizon.

    The area around the diagonal is two standard errors to both sides, of one level and as many forecasts as do not
    overlap (after Brocker & Smith 2007).
    """
    size = (max(6.5, 3.1 * len(report.chances)), 7.4)
    figure = new_figure(f"Chances of price levels, promised and observed: {title}", size=size, note=_NOTE)
    panels = figure.subplots(2, len(report.chances), squeeze=False)
    for column, (step, by_name) in enumerate(report.chances.items()):
        for row, event in enumerate(("close", "touch")):
            axes = panels[row][column]
            found = {name: getattr(chances, event) for name, chances in by_name.items()}
            _draw(axes, found, report, apart=max(origins / step, 1))
            axes.set_xlabel("promised")
        panels[0][column].set_title(f"{report.frequency.steps([step])} ahead", fontsize=10)
    panels[0][0].set_ylabel("close beyond the level")
    panels[1][0].set_ylabel("level touched on the way")
    legend_below(figure, panels[0][0])
    return figure


def _draw(axes: Axes, found: dict[str, EventReliability], report: Report, *, apart: float) -> None:
    highest = max(max(level.promised, level.came) for event in found.values() for level in event.levels)
    end = min(1.02, 1.1 * highest + 0.01)
    ideal = np.linspace(0, min(1, end), 50)
    chance = 2 * np.sqrt(ideal * (1 - ideal) / apart)
    axes.plot(ideal, ideal, color="grey", linestyle=":", label="ideal")
    axes.fill_between(ideal, ideal - chance, ideal + chance, color="grey", alpha=0.15, linewidth=0)
    for name, event in found.items():
        for side, marker in (("below", "v"), ("above", "^")):
            points = [(level.promised, level.came) for level in event.levels if (level.move < 0) == (side == "below")]
            style: dict[str, Any] = {"marker": marker, "markersize": 3.5, "linestyle": ""}
            if name == "model":
                label: str | None = f"network, levels {side} the last close"
                style |= {"color": MEDIAN, "label": label, "markersize": 6, "linestyle": "-", "zorder": 3}
            else:
                label = BASELINES[name].name(report.frequency) if side == "above" else None
                style |= {"color": BASELINE_COLOURS[name], "label": label}
            axes.plot(*zip(*points, strict=True), **style)
    plain(axes)
    axes.set(xlim=(0, end), ylim=(0, end), aspect="equal")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
        axis.set_major_locator(MaxNLocator(nbins=4))
