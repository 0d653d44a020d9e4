"""Scores of many series -> a figure."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from stockcast.evaluation.direction_scores import SHARES
from stockcast.evaluation.pool import BEST, Pool
from stockcast.evaluation.verdict.pool import SCORES, baseline_name
from stockcast.plots.style import BASELINE_COLOURS, MEDIAN, PRICE, legend_below, new_axes

_SPREAD = 0.16  # half the width in which the points of a horizon lie, in horizons
_NOTE = "lines: mean over the series; points: each series against its best baseline; bars: the middle half of them"


def pool_skill(pool: Pool, title: str) -> Figure:
    """The skill of each series against its best baseline, and the mean skill against each baseline, by horizon."""
    figure, axes = new_axes(f"Skill by series: {title}")
    axes.set_title(_NOTE, fontsize=9, loc="left", color="grey")
    steps, frequency = list(pool.horizons), pool.frequency
    for place, step in enumerate(steps):
        skills = np.sort([skill for one in pool.series if (skill := one.horizons[step].skill(BEST)) is not None])
        places = place + np.linspace(-_SPREAD, _SPREAD, len(skills)) if len(skills) > 1 else [place]
        axes.plot(places, skills, "o", markersize=4, color=MEDIAN, alpha=0.45, zorder=2)
        if len(skills) > 1:
            low, high = np.quantile(skills, (0.25, 0.75))
            axes.plot([place, place], [low, high], color=MEDIAN, linewidth=6, alpha=0.25, zorder=1)
    colours = {**BASELINE_COLOURS, SHARES: PRICE, BEST: MEDIAN}
    for name in dict.fromkeys(name for scores in pool.horizons.values() for name in scores.against):
        means = [(place, pool.horizons[step].against[name].skill) for place, step in enumerate(steps)
                 if name in pool.horizons[step].against]  # fmt: skip
        label = f"against {baseline_name(name, frequency)}"
        width = 2.5 if name == BEST else 1.2
        axes.plot(*zip(*means, strict=True), "o-", markersize=5, linewidth=width, color=colours[name], label=label)
    axes.axhline(0, color=PRICE, linewidth=1)
    axes.text(0.01, 0.02, "below 0: the baseline is better", transform=axes.transAxes, color="#c1121f", fontsize=9)
    axes.set_ylabel(f"skill: {SCORES[pool.score]} lower than the baseline's by")
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_xticks(range(len(steps)), [str(step) for step in steps])
    axes.set_xlabel(f"{frequency.bar}s ahead")
    legend_below(figure, axes)
    return figure
