"""The trials of a tuning -> figures."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from stockcast.plots.style import GREY, NETWORK, RANGE, legend_below, literal, new_axes, whole_numbers


def tuning_history(finished: Mapping[int, float], pruned: Mapping[int, float], *, title: str, label: str) -> Figure:
    """Draw the mean score of each trial, and the best one so far.

    Args:
        finished: by number, trials that were scored on all folds; 0, the starting config, among them.
        pruned: by number, trials that ended after a fold: the score of the starting config, plus their mean difference
            from it on the folds that they have.
        title: of the figure.
        label: what the scores are.
    """
    figure, axes = new_axes(title)
    numbers = np.array(sorted(finished))
    scores = np.array([finished[number] for number in numbers])
    axes.plot(
        list(pruned),
        list(pruned.values()),
        "x",
        color=GREY,
        label="pruned, by its difference from the start on the folds that it has",
    )
    axes.plot(numbers, scores, "o", color=RANGE, label="trial, mean of all folds")
    axes.step(numbers, np.minimum.accumulate(scores), where="post", color=NETWORK, label="best so far")
    axes.axhline(finished[0], color="black", linestyle=":", linewidth=1, label="starting config")
    shown = [*scores, *pruned.values()]
    low, high = min(scores), float(np.quantile(shown, 0.9))
    room = 0.1 * (high - low) or 0.01
    axes.set_ylim(low - room, max(high, finished[0]) + room)  # the worst would press the others together
    if cut := sum(score > axes.get_ylim()[1] for score in shown):
        axes.annotate(f"{cut} above", (1, 1), (-4, -4), "axes fraction", "offset points", ha="right", va="top",
                      color=GREY, fontsize=9)  # fmt: skip
    axes.set_ylabel(label)
    whole_numbers(axes, "trial")
    legend_below(figure, axes)
    return figure


def key_importance(shares: Mapping[str, float], *, title: str) -> Figure:
    """Draw the share of each key in how the best trials differ from all, the largest on top."""
    figure, axes = new_axes(title)
    names = list(shares)[::-1]
    axes.barh([literal(name) for name in names], [shares[name] for name in names], color=RANGE)
    for place, name in enumerate(names):
        axes.annotate(f"{100 * shares[name]:.0f} %", (shares[name], place), (4, 0), textcoords="offset points",
                      va="center", fontsize=9)  # fmt: skip
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_xlabel("share of the importance (PED-ANOVA)")
    return figure
