"""What all figures have in common."""

from collections.abc import Iterable
from itertools import accumulate

import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from stockcast.evaluation.baselines.registry import BASELINES

PRICE, MEDIAN, BAND, RANGE = "#222222", "#c1440e", "#e08e45", "#1b6ca8"
BASELINE_COLOURS = dict(zip(BASELINES, ("#1b6ca8", "#6a4c93", "#8c8c8c", "#2a9d63", "#d81b8c", "#b8860b"), strict=True))
NOTE = "not investment advice"

_LINE = 0.04  # height of a line of text, as a share of that of the axes


def price_label(*, adjusted: bool) -> str:
    """Return the axis label of prices: no file states whether they are dollars, cents or the points of an index."""
    return f"price{', adjusted for splits and dividends' if adjusted else ''} (unit as in the file)"


def new_figure(title: str, *, size: tuple[float, float] = (12, 6.5), note: str = "") -> Figure:
    """Return a figure with its title at the top, and a note and where it comes from at the bottom."""
    figure = Figure(figsize=size, dpi=110, layout="constrained")
    figure.suptitle(title, fontsize=13, x=0.01, ha="left")
    source = f"{note}  |  stockcast, {NOTE}" if note else f"stockcast, {NOTE}"
    figure.supxlabel(source, x=0.995, ha="right", fontsize=8, color="grey")
    return figure


def new_axes(title: str) -> tuple[Figure, Axes]:
    """Return a figure of a single panel, and the panel."""
    figure = new_figure(title)
    axes = figure.add_subplot()
    plain(axes)
    return figure, axes


def plain(axes: Axes) -> None:
    """Draw a faint grid, and no frame at the top and on the right."""
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def legend_below(figure: Figure, axes: Axes) -> None:
    """Put the legend below the axes, where it hides nothing."""
    handles, labels = axes.get_legend_handles_labels()
    columns = len(labels) if len(labels) <= 5 else -(-len(labels) // 2)
    figure.legend(handles, labels, loc="outside lower left", ncols=columns, frameon=False, fontsize=9)


def label_ends(axes: Axes, ends: Iterable[tuple[float, float, str, str]]) -> None:
    """Write a text to the right of each point, (x, y, text, colour); those of close points are moved apart."""
    axes.autoscale_view()  # the places depend on the limits
    ends = sorted(ends, key=lambda end: end[1])
    heights = [axes.transLimits.transform(axes.transScale.transform(end[:2]))[1] for end in ends]
    places = list(accumulate(heights, lambda below, height: max(height, below + _LINE)))
    up = np.mean(places) - np.mean(heights) if ends else 0.0  # moved up on the whole, so back down by as much
    for (x, _, text, colour), place in zip(ends, places, strict=True):
        point, frame = (x, place - up), axes.get_xaxis_transform()
        axes.annotate(text, point, (6, 0), frame, "offset points", va="center", color=colour, fontsize=9)


def whole_numbers(axes: Axes, label: str) -> None:
    """Label the x-axis, and put ticks at whole numbers alone."""
    axes.set_xlabel(label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def date_axis(axes: Axes) -> None:
    """Put as many dates on the x-axis as there is room for."""
    locator = mdates.AutoDateLocator()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))


def price_axis(axes: Axes) -> None:
    """Write prices on the y-axis with a comma for thousands."""
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
