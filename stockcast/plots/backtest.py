"""The folds of a backtest -> figures: what they have in common is the time axis."""

from collections.abc import Sequence

import matplotlib.dates as mdates
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter

from stockcast.evaluation.pool import Pool
from stockcast.evaluation.verdict.pool import SCORES, baseline_name
from stockcast.plots.style import (
    GREY,
    NETWORK,
    PRICE,
    RUN_COLOURS,
    date_axis,
    explain_below,
    label_ends,
    new_axes,
    new_figure,
    plain,
)

_LEAST_ROOM = 0.02  # of skill above and below: less would make differences of a thousandth look large


def skill_through_time(spans: Sequence[tuple[str, str]], folds: Sequence[Pool], whole: Pool, title: str) -> Figure:
    """The skill in each fold against the baseline that is hardest over all folds, a panel for each reported horizon.

    Args:
        spans: of each fold, its cut-off and the last day before the next one, ISO.
        folds: the scores of each.
        whole: those of all folds as one.
        title: end of the title.
    """
    steps = list(whole.horizons)
    figure = new_figure(f"Skill through time: {title}", size=(11, 1.6 + 1.75 * len(steps)))
    panels = figure.subplots(len(steps), 1, sharex=True, squeeze=False)[:, 0]
    for step, axes in zip(steps, panels, strict=True):
        plain(axes)
        hardest = whole.horizons[step].hardest
        total = whole.horizons[step].against[hardest]
        axes.axhline(0, color=PRICE, linewidth=1)
        axes.axhline(total.skill, color=NETWORK, linewidth=1.2, linestyle="--")
        drawn = [0.0, total.skill]
        for (first, last), fold in zip(spans, folds, strict=True):
            against = fold.horizons[step].against.get(hardest) if step in fold.horizons else None
            if against is None:
                continue
            days = mdates.date2num(np.array([first, last], dtype="datetime64[D]"))
            margin = against.margin or 0.0
            shade = NETWORK if abs(against.skill) > margin > 0 else GREY
            axes.fill_between(days, against.skill - margin, against.skill + margin, color=shade, alpha=0.3, linewidth=0)
            axes.plot(days, [against.skill] * 2, color=shade, linewidth=2.2, solid_capstyle="butt")
            drawn.append(against.skill)
        ahead = whole.frequency.steps([step])
        axes.set_title(f"{ahead} ahead, against {baseline_name(hardest, whole.frequency)}", fontsize=10, loc="left")
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.set_ylabel("skill")
        room = max(np.ptp(drawn), _LEAST_ROOM)
        axes.set_ylim(min(drawn) - 0.6 * room, max(drawn) + 0.6 * room)  # a long interval goes on beyond the frame
    date_axis(panels[-1])
    handles = {
        "a fold, and its 95 % interval": Patch(color=NETWORK, alpha=0.4, linewidth=0),
        "the same, where it includes 0": Patch(color=GREY, alpha=0.4, linewidth=0),
        "all folds as one": Line2D([], [], color=NETWORK, linewidth=1.2, linestyle="--"),
    }
    note = (
        f"skill: by how much the {SCORES[whole.score]} is lower than that of the baseline that is hardest to beat over "
        f"all folds. Each panel has a scale of its own; intervals may go on beyond the frame"
    )
    explain_below(figure, handles, columns=3, note=note)
    return figure


def coverage_through_time(spans: Sequence[tuple[str, str]], folds: Sequence[Pool], whole: Pool, title: str) -> Figure:
    """The share of prices inside the 90 % band in each fold, a line for each reported horizon; arguments as above."""
    figure, axes = new_axes(f"Coverage through time: {title}")
    middles = [np.array(span, dtype="datetime64[D]").astype(float).mean() for span in spans]
    ends = []
    for step, colour in zip(whole.horizons, RUN_COLOURS, strict=False):
        shares = [fold.horizons[step].coverage_90 if step in fold.horizons else None for fold in folds]
        known = [(day, share) for day, share in zip(middles, shares, strict=True) if share is not None]
        days, values = np.array(known).T
        ahead, covers = whole.frequency.steps([step]), whole.horizons[step].coverage_90
        axes.plot(days, values, marker="o", markersize=5, color=colour, linewidth=1.4)
        text = ahead if covers is None else f"{ahead}: {100 * covers:.0f} % in all"
        ends.append((float(days[-1]), float(values[-1]), text, colour))
    axes.axhline(0.9, color=PRICE, linewidth=1.2, linestyle="--")
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.set_ylabel("prices inside the 90 % band")
    axes.set_ylim(min(0.6, axes.get_ylim()[0]), 1.005)
    label_ends(axes, ends)
    date_axis(axes)
    explain_below(figure, {"nominal 90 %": Line2D([], [], color=PRICE, linewidth=1.2, linestyle="--")})
    return figure
