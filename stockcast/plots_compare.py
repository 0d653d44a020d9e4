"""Runs side by side -> a matplotlib figure; nothing here shows or saves it."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from stockcast.forecast import Floats
from stockcast.plots import NOTE, PRICE, plain

_COLOURS = ("#c1440e", "#1b6ca8", "#2a9d63", "#6a4c93", "#b5179e", "#8c8c8c", "#d4a017", "#3a0ca3")

_HITS = {
    "CRPS": ("share of prices in the 90 % band (dotted: as promised)", 0.8, 1.0),
    "Brier": ("share of days whose likeliest direction came (dotted: always saying up)", 0.4, 0.6),
}
"""By score: what the picture on the right shows, and the least span of its axis."""


def side_by_side(
    losses: Mapping[str, Floats],
    hits: Mapping[str, Floats],
    plain: Floats,
    marks: Mapping[str, Sequence[int]],
    *,
    score: str,
    title: str,
) -> Figure:
    """The score of each run against the first one's, and how often its band or its direction was right, by days ahead.

    Args:
        losses: by run, shape (horizon,) each.
        hits: share of prices in the 90 % band, or of days whose likeliest direction came, by run, the same shape.
        plain: what `hits` is held against, the same shape.
        marks: by run, the days ahead at which its difference from the first run is more than luck.
        score: `CRPS` or `Brier`, what `losses` are.
        title: of the whole.
    """
    figure = Figure(figsize=(14, 6.5), dpi=110, layout="constrained")
    figure.suptitle(f"Runs side by side: {title}", fontsize=13, x=0.01, ha="left")
    figure.supxlabel(f"stockcast, {NOTE}", x=0.995, ha="right", fontsize=8, color="grey")
    left, right = figure.subplots(1, 2)
    first = next(iter(losses))
    for number, name in enumerate(losses):
        colour = _COLOURS[number % len(_COLOURS)]
        steps = np.arange(1, len(losses[name]) + 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            against = losses[name] / losses[first] - 1
        style = {"color": colour, "linewidth": 2, "marker": "o" if len(steps) == 1 else None, "markersize": 4}
        left.plot(steps, against, **style, label=name)
        told = [step for step in marks.get(name, ()) if step <= len(steps)]
        if told:
            left.plot(told, against[np.array(told) - 1], "o", markersize=9, color=colour)
        right.plot(steps, hits[name], **style)
    left.axhline(0, color=PRICE, linewidth=0.8)
    left.set_title(f"{score} against {first}: lower is better (dots: by more than luck)", fontsize=10, loc="left")
    left.set_ylabel(f"{score} is higher by")
    left.yaxis.set_major_formatter(PercentFormatter(1))
    one_day = "o" if len(plain) == 1 else None
    right.plot(np.arange(1, len(plain) + 1), plain, ":", color=PRICE, linewidth=1, marker=one_day, markersize=3)
    what, lowest_share, highest_share = _HITS[score]
    right.set_title(what, fontsize=10, loc="left")
    right.yaxis.set_major_formatter(PercentFormatter(1))
    # Differences of a thousandth are not to look like mountains.
    for axes, (lowest, highest) in ((left, (-0.02, 0.02)), (right, (lowest_share, highest_share))):
        low, high = axes.get_ylim()
        axes.set_ylim(min(low, lowest), max(high, highest))
        _by_days_ahead(axes)
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=min(4, len(labels)), frameon=False, fontsize=9)
    return figure


def _by_days_ahead(axes: Axes) -> None:
    axes.set_xlabel("trading days ahead")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    plain(axes)
