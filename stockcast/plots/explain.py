"""Explanations of a network -> figures."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from stockcast.evaluation.importance import Importance
from stockcast.frequency import DAILY, Frequency
from stockcast.models.explain.activations import LayerActivations
from stockcast.plots.style import GREY, MEDIAN, PRICE, RANGE, label_ends, literal, new_figure, plain, whole_numbers
from stockcast.text import percent_text
from stockcast.typing import Dates, Floats

COLOURS = (MEDIAN, RANGE, GREY)
SIGNED = "RdBu_r"
"""Colours of numbers above and below 0: blue and red stay apart for every kind of colour vision."""

_SCORES = {"CRPS": "CRPS of log returns", "Brier": "Brier score of the direction's probabilities"}


def units(layers: Sequence[LayerActivations], dates: Dates, *, title: str) -> Figure:
    """The activation of each hidden unit, day by day; similar units are next to each other."""
    note, size = "units ordered by similarity (hierarchical clustering)", (max(10, 6.5 * len(layers)), 7.5)
    figure = new_figure(f"Activations of the hidden units: {title}", note=note, size=size)
    panels = np.atleast_1d(figure.subplots(1, len(layers)))
    for axes, layer in zip(panels, layers, strict=True):
        states = layer.states if layer.states is not None else np.zeros((len(dates), 1))
        most = np.abs(states).max()
        image = axes.imshow(states.T[layer.order], aspect="auto", cmap=SIGNED, vmin=-most, vmax=most)
        axes.set_title(f"{layer.layer}: {states.shape[1]} units", fontsize=10, loc="left")
        axes.set_ylabel("unit")
        axes.set_yticks([])
        date_ticks(axes, dates)
        figure.colorbar(image, ax=axes, fraction=0.03, pad=0.01, label="activation")
    return figure


def gates(layers: Sequence[LayerActivations], dates: Dates, *, title: str) -> Figure:
    """How far each unit's gates were open, day by day, and the mean of the units; a row for each layer."""
    columns = max(len(layer.gates) for layer in layers)
    figure = new_figure(
        f"How far were the gates open? {title}",
        note="units in the order of their activations; 0 is shut, 1 is open; band: the middle half of the units",
        size=(4 * (columns + 1), 1.2 + 3.6 * len(layers)),
    )
    grid = figure.add_gridspec(len(layers), columns + 1)
    for row, layer in enumerate(layers):
        heats = []
        for column, (gate, opened) in enumerate(layer.gates.items()):
            heat = figure.add_subplot(grid[row, column])
            image = heat.imshow(opened.T[layer.order], aspect="auto", cmap="viridis", vmin=0, vmax=1)
            heat.set_title(f"{layer.layer}: {gate} gate", fontsize=10, loc="left")
            heat.set_yticks([])
            heat.set_ylabel(f"{opened.shape[1]} units", fontsize=9, color="grey")
            date_ticks(heat, dates, most=2)
            heats.append(heat)
        figure.colorbar(image, ax=heats, fraction=0.03, pad=0.01, label="open")
        # A panel each: gates that are equally far open would hide each other.
        means = grid[row, columns].subgridspec(len(layer.gates), 1).subplots(sharex=True, squeeze=False)[:, 0]
        for axes, (gate, opened), colour in zip(means, layer.gates.items(), COLOURS, strict=False):
            axes.plot(opened.mean(axis=1), color=colour)
            axes.fill_between(range(len(dates)), *np.quantile(opened, [0.25, 0.75], axis=1), color=colour, alpha=0.2)
            axes.set(ylim=(0, 1), yticks=(0, 0.5, 1), xlim=(0, len(dates) - 1))
            axes.set_ylabel(gate, fontsize=9, color=colour)
            plain(axes)
            date_ticks(axes, dates, most=2)
        means[0].set_title("mean of the units", fontsize=10, loc="left")
    return figure


def gradient_through_time(shares: Mapping[str, Floats], *, title: str, frequency: Frequency = DAILY) -> Figure:
    """How much of the gradient at the last day reaches each day before it, on a log axis.

    `shares` are given by network, the last day first, the first share 1, shape (window,) each.
    """
    note = "norm of d loss / d hidden state of the last recurrent layer; median over validation windows"
    figure = new_figure(f"How far back does the gradient reach? {title}", note=note)
    axes = figure.add_subplot()
    ends = []
    for (network, share), colour in zip(shares.items(), COLOURS, strict=False):
        style = "--" if "untrained" in network else "-"
        axes.plot(np.where(share > 0, share, np.nan), style, color=colour, linewidth=2, label=network)
        nonzero = np.flatnonzero(share > 0)
        if len(nonzero):
            last = int(nonzero[-1])
            ends.append((last, float(share[last]), percent_text(share[last]), colour))
    axes.set_yscale("log")
    axes.set_ylabel(f"share of the gradient at the last {frequency.unit}")
    whole_numbers(axes, f"{frequency.unit}s before the last {frequency.unit} of the window")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    axes.margins(x=0.06)
    label_ends(axes, ends)
    axes.legend(frameon=False, fontsize=10)
    plain(axes)
    return figure


def importance(result: Importance, features: Sequence[str], *, score: str, origins: int, title: str) -> Figure:
    """How much worse the forecasts of so many origins get when a feature is shuffled; `score` is `CRPS` or `Brier`."""
    figure = new_figure(
        f"Which features does the forecast depend on? {title}",
        note=f"{origins} validation origins, {result.increases.shape[1]} shuffles each (dots); before calibration; "
        "grey: within two standard deviations of the shuffles",
        size=(12, 2.6 + 0.3 * len(features)),
    )
    axes = figure.add_subplot()
    order = np.argsort(result.means)
    scale = result.loss if result.loss > 0 else 1.0
    places = np.arange(len(features))
    colours = np.where(result.stands_out[order], MEDIAN, GREY).tolist()
    axes.barh(places, result.means[order] / scale, color=colours, alpha=0.75, height=0.7)
    for place, feature in zip(places, order, strict=True):
        shuffles = result.increases[feature] / scale
        axes.plot(shuffles, np.full(len(shuffles), place), "o", markersize=3.5, color=PRICE, alpha=0.6)
    axes.axvline(0, color=PRICE, linewidth=1)
    axes.set_yticks(places, [literal(features[feature]) for feature in order])
    axes.set_xlabel(f"increase of the {_SCORES[score]} when the feature is shuffled among the origins")
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    plain(axes)
    return figure


def date_ticks(axes: Axes, dates: Dates, *, most: int = 4) -> None:
    """Label a few of the window's days."""
    axes.xaxis.set_major_locator(MaxNLocator(nbins=most, integer=True))

    def label(place: float, _: object) -> str:
        return str(dates[int(place)]) if 0 <= place < len(dates) and place == int(place) else ""

    axes.xaxis.set_major_formatter(FuncFormatter(label))
    axes.tick_params(axis="x", labelsize=8)
