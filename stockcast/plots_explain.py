"""What `explain` found -> matplotlib figures; nothing here shows or saves one."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from stockcast.evaluation.importance import Importance
from stockcast.evaluation.wording import share_text
from stockcast.forecast import Dates, Floats
from stockcast.models.firing import Firing
from stockcast.models.insight import Saliency
from stockcast.plots import MEDIAN, NOTE, PRICE, plain

COLOURS = (MEDIAN, "#1b6ca8", "#8c8c8c")
_SIGNED = "RdBu_r"
_NOISE = "#b0b0b0"

_UNITS = {
    "spread": ("log of the width", "the width of the 90 % band"),
    "middle": ("percentage points", "the median return"),
    "up": ("percentage points", "the chance of up"),
}

_SCORES = {"CRPS": "CRPS of log returns", "Brier": "Brier score of the direction's probabilities"}


def saliency(panels: Mapping[int, Saliency], dates: Dates, features: Sequence[str], *, what: str, title: str) -> Figure:
    """How much each day and each feature moved one number of the forecast, at one or two distances ahead.

    Args:
        panels: by days ahead.
        dates: of the window, oldest first.
        features: names.
        what: `spread`, `middle` or `up`.
        title: of the whole.
    """
    unit, thing = _UNITS[what]
    figure = _page(
        f"What moved {thing}? {title}",
        note="integrated gradients; the baseline is a window of average training days",
        size=(15, 4.2 + 0.24 * len(features)),
    )
    last = panels[max(panels)].integrated
    order = np.argsort(np.abs(last.sum(axis=0)))  # the most at the top
    height = 0.24 * len(features)
    grid = figure.add_gridspec(
        2, 2 * len(panels), width_ratios=[4, 1.7] * len(panels), height_ratios=[max(height, 1.5), 1.5]
    )
    for column, (ahead, found) in enumerate(panels.items()):
        moved = found.integrated
        heat = figure.add_subplot(grid[0, 2 * column])
        # A shortcut lets the last day outshine all others; the few cells beyond the colours are the darkest.
        most = float(np.quantile(np.abs(moved), 0.98)) or 1.0
        drawn = heat.imshow(moved.T[order], aspect="auto", cmap=_SIGNED, vmin=-most, vmax=most, origin="lower")
        days = "1 day" if ahead == 1 else f"{ahead} days"
        heat.set_title(f"{days} ahead: {_reading(found, what)}", fontsize=10, loc="left")
        heat.set_yticks(range(len(features)), [features[i] for i in order])
        heat.tick_params(labelsize=8, labelleft=column == 0)
        bars = figure.add_subplot(grid[0, 2 * column + 1], sharey=heat)
        _signed_bars(bars, moved.sum(axis=0)[order], found.gradient_x_input.sum(axis=0)[order], upright=False)
        bars.xaxis.set_major_locator(MaxNLocator(nbins=3, steps=[1, 2, 5, 10]))
        bars.set_xlabel("sum by feature", fontsize=9, color="grey")
        below = figure.add_subplot(grid[1, 2 * column], sharex=heat)
        _signed_bars(below, moved.sum(axis=1), found.gradient_x_input.sum(axis=1), upright=True)
        below.set_ylabel("sum by day", fontsize=9, color="grey")
        _day_ticks(below, dates)
        heat.tick_params(labelbottom=False)
        key = figure.add_subplot(grid[1, 2 * column + 1])
        key.axis("off")
        key.legend(
            [*bars.patches[:1], *bars.lines[:1]], ["integrated gradients", "gradient x input"],
            loc="upper center", fontsize=8, frameon=False,
        )  # fmt: skip
        scale = key.inset_axes((0.0, 0.25, 1.0, 0.12))
        figure.colorbar(drawn, cax=scale, orientation="horizontal", extend="both", ticks=MaxNLocator(3))
        scale.tick_params(labelsize=7)
        scale.set_xlabel(unit, fontsize=8, color="grey")
    return figure


def units(firings: Sequence[Firing], dates: Dates, *, title: str) -> Figure:
    """What each hidden unit handed on, day by day; units that fire alike stand together."""
    figure = _page(
        f"Which hidden units fired? {title}",
        note="units ordered by similarity (hierarchical clustering)",
        size=(max(10, 6.5 * len(firings)), 7.5),
    )
    panels = np.atleast_1d(figure.subplots(1, len(firings)))
    for axes, firing in zip(panels, firings, strict=True):
        states = firing.states if firing.states is not None else np.zeros((len(dates), 1))
        most = np.abs(states).max() or 1.0
        drawn = axes.imshow(states.T[firing.order], aspect="auto", cmap=_SIGNED, vmin=-most, vmax=most)
        axes.set_title(f"{firing.layer}: {states.shape[1]} units", fontsize=10, loc="left")
        axes.set_ylabel("unit")
        axes.set_yticks([])
        _day_ticks(axes, dates)
        figure.colorbar(drawn, ax=axes, fraction=0.03, pad=0.01, label="what it hands on")
    return figure


def gates(firings: Sequence[Firing], dates: Dates, *, title: str) -> Figure:
    """How far each unit's gates were open, day by day, and beside that their mean; a row for each layer."""
    columns = max(len(firing.gates) for firing in firings)
    figure = _page(
        f"How far were the gates open? {title}",
        note="units in the order of their firing; 0 is shut, 1 is open; band: the middle half of the units",
        size=(4 * (columns + 1), 1.2 + 3.6 * len(firings)),
    )
    grid = figure.add_gridspec(len(firings), columns + 1)
    for row, firing in enumerate(firings):
        heats = []
        for column, (gate, opened) in enumerate(firing.gates.items()):
            heat = figure.add_subplot(grid[row, column])
            drawn = heat.imshow(opened.T[firing.order], aspect="auto", cmap="viridis", vmin=0, vmax=1)
            heat.set_title(f"{firing.layer}: {gate} gate", fontsize=10, loc="left")
            heat.set_yticks([])
            heat.set_ylabel(f"{opened.shape[1]} units", fontsize=9, color="grey")
            _day_ticks(heat, dates)
            heats.append(heat)
        figure.colorbar(drawn, ax=heats, fraction=0.03, pad=0.01, label="open")
        # Gates that are open equally far would hide each other in one panel.
        means = grid[row, columns].subgridspec(len(firing.gates), 1).subplots(sharex=True, squeeze=False)[:, 0]
        for axes, (gate, opened), colour in zip(means, firing.gates.items(), COLOURS, strict=False):
            axes.plot(opened.mean(axis=1), color=colour)
            axes.fill_between(range(len(dates)), *np.quantile(opened, [0.25, 0.75], axis=1), color=colour, alpha=0.2)
            axes.set(ylim=(0, 1), yticks=(0, 0.5, 1), xlim=(0, len(dates) - 1))
            axes.set_ylabel(gate, fontsize=9, color=colour)
            plain(axes)
            _day_ticks(axes, dates)
        means[0].set_title("mean of the units", fontsize=10, loc="left")
    return figure


def gradient_through_time(shares: Mapping[str, Floats], *, title: str) -> Figure:
    """How much of the gradient at the last day reaches each day before it, network by network, on a log axis.

    Args:
        shares: by network, the last day first, the first share 1, shape (window,) each.
        title: of the whole.
    """
    figure = _page(
        f"How far back does the gradient reach? {title}",
        note="norm of d loss / d hidden state of the last recurrent layer; median over validation windows",
        size=(12, 6.5),
    )
    axes = figure.add_subplot()
    ends: dict[str, tuple[int, float]] = {}
    for (network, left), colour in zip(shares.items(), COLOURS, strict=False):
        style = "--" if "untrained" in network else "-"
        drawn = np.where(left > 0, left, np.nan)
        axes.plot(drawn, style, color=colour, linewidth=2, label=network)
        reached = np.flatnonzero(left > 0)
        if len(reached):
            ends[colour] = (int(reached[-1]), float(left[reached[-1]]))
    axes.set_yscale("log")
    axes.set(xlabel="days back from the last day of the window", ylabel="share of the gradient at the last day")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    axes.margins(x=0.06)
    _label_ends(axes, ends)
    axes.legend(frameon=False, fontsize=10)
    plain(axes)
    return figure


def _label_ends(axes: Axes, ends: Mapping[str, tuple[int, float]]) -> None:
    """Write the last share of each curve beside it, by colour; curves that end together have labels one above another.

    The axis is a log one.
    """
    low, high = axes.get_ylim()
    room, below = (high / low) ** 0.035, 0.0  # a line of this size on an axis of this height
    for colour, (day, share) in sorted(ends.items(), key=lambda one: one[1][1]):
        below = max(share, below * room)
        axes.annotate(
            share_text(share), (day, below), xytext=(5, 0), textcoords="offset points", va="center", color=colour,
            fontsize=9,
        )  # fmt: skip


def importance(found: Importance, features: Sequence[str], *, score: str, origins: int, title: str) -> Figure:
    """How much worse the forecast gets when one feature is shuffled among the origins; below 0 it gets better.

    Args:
        found: of each feature.
        features: names.
        score: `CRPS` or `Brier`.
        origins: how many it was measured on.
        title: of the whole.
    """
    figure = _page(
        f"Which features does the forecast live on? {title}",
        note=f"{origins} validation origins, {found.increases.shape[1]} shuffles each (dots); before calibration; "
        "grey: within two deviations of the shuffles",
        size=(12, 2.6 + 0.3 * len(features)),
    )
    axes = figure.add_subplot()
    order = np.argsort(found.means)
    scale = found.loss if found.loss > 0 else 1.0
    places = np.arange(len(features))
    colours = np.where(found.stands_out[order], MEDIAN, _NOISE).tolist()
    axes.barh(places, found.means[order] / scale, color=colours, alpha=0.75, height=0.7)
    for place, feature in zip(places, order, strict=True):
        shuffles = found.increases[feature] / scale
        axes.plot(shuffles, np.full(len(shuffles), place), "o", markersize=3.5, color=PRICE, alpha=0.6)
    axes.axvline(0, color=PRICE, linewidth=1)
    axes.set_yticks(places, [features[i] for i in order])
    axes.set_xlabel(f"{_SCORES[score]} is higher by this, with the feature shuffled among the origins")
    axes.xaxis.set_major_formatter(PercentFormatter(1))
    plain(axes)
    return figure


def _reading(found: Saliency, what: str) -> str:
    """What the number is, and what the average window would have made it."""
    if what == "spread":
        change = 100 * np.expm1(found.change)
        return f"{abs(change):.0f} % {'wider' if change >= 0 else 'narrower'} than after average days"
    number = "{:.2f} %" if what == "up" else "{:+.2f} %"
    return f"{number.format(found.value)}, after average days {number.format(found.baseline_value)}"


def _page(title: str, *, note: str, size: tuple[float, float]) -> Figure:
    figure = Figure(figsize=size, dpi=110, layout="constrained")
    figure.suptitle(title, fontsize=13, x=0.01, ha="left")
    figure.supxlabel(f"{note}  |  stockcast, {NOTE}", x=0.995, ha="right", fontsize=8, color="grey")
    return figure


def _signed_bars(axes: Axes, sums: Floats, beside: Floats, *, upright: bool) -> None:
    """Bars of what was added up, red above 0 and blue below, and the rival measure as ticks."""
    places = np.arange(len(sums))
    colours = np.where(sums >= 0, "#b2182b", "#2166ac").tolist()
    if upright:
        axes.bar(places, sums, color=colours, width=0.8)
        axes.plot(places, beside, "_", color=PRICE, markersize=5)
        axes.axhline(0, color=PRICE, linewidth=0.8)
    else:
        axes.barh(places, sums, color=colours, height=0.8)
        axes.plot(beside, places, "|", color=PRICE, markersize=7)
        axes.axvline(0, color=PRICE, linewidth=0.8)
        axes.tick_params(labelleft=False)
    axes.tick_params(labelsize=8)
    plain(axes)


def _day_ticks(axes: Axes, dates: Dates) -> None:
    """Name a handful of the window's days."""
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))

    def named(place: float, _: object) -> str:
        return str(dates[int(place)]) if 0 <= place < len(dates) and place == int(place) else ""

    axes.xaxis.set_major_formatter(FuncFormatter(named))
    axes.tick_params(axis="x", labelsize=8)
