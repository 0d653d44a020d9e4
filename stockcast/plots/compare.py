"""Scores of several runs -> a figure."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from stockcast.frequency import DAILY, Frequency
from stockcast.plots.style import PRICE, RUN_COLOURS, explain_below, fitted, literal, new_figure, plain, whole_numbers
from stockcast.typing import Floats

_DASHES = ("-", "--", ":")
"""Of the lines when the colours are used up."""

_HITS = {
    "CRPS": ("share of prices in the 90 % band (dotted: 90 %)", 0.8, 1.0),
    "Brier": ("share of {unit}s with the right direction (dotted: always forecasting up)", 0.4, 0.6),
}
"""By score: the title of the right panel, and the least span of its axis."""


def side_by_side(
    losses: Mapping[str, Floats],
    hits: Mapping[str, Floats],
    reference: Floats,
    marks: Mapping[str, Sequence[int]],
    *,
    score: str,
    title: str,
    frequency: Frequency = DAILY,
) -> Figure:
    """The score of each run against the first one's, and the share of its bands or directions that are right.

    Args:
        losses: by run, shape (horizon,) each.
        hits: share of prices in the 90 % band, or of days whose likeliest direction is right, by run, the same shape.
        reference: what `hits` are compared with, the same shape.
        marks: by run, the days ahead at which its difference from the first run is significant.
        score: `CRPS` or `Brier`, what `losses` are.
        title: of the whole.
        frequency: days, weeks or months; a day ahead is one of these.
    """
    figure = new_figure(f"Comparison of runs: {title}", size=(14, 6.5))
    left, right = figure.subplots(1, 2)
    first = next(iter(losses))
    handles: dict[str, Artist] = {}
    for number, (name, loss) in enumerate(losses.items()):
        steps = np.arange(1, len(loss) + 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            increase = loss / losses[first] - 1
        marker = "o" if len(steps) == 1 else None
        dashes = _DASHES[number // len(RUN_COLOURS) % len(_DASHES)]
        style = {"color": RUN_COLOURS[number % len(RUN_COLOURS)], "linestyle": dashes, "linewidth": 2}
        style |= {"marker": marker, "markersize": 4}
        (handles[literal(name)],) = left.plot(steps, increase, **style, label=name)
        marked = [step for step in marks.get(name, ()) if step <= len(steps)]
        if marked:
            left.plot(marked, increase[np.array(marked) - 1], "o", markersize=9, color=style["color"])
        right.plot(steps, hits[name], **style)
    left.axhline(0, color=PRICE, linewidth=0.8)
    left.set_title(
        f"{score} against {fitted(first, width=3, size=10)}: lower is better (dots: significant)",
        fontsize=10,
        loc="left",
    )
    left.set_ylabel(f"{score} is higher by")
    marker = "o" if len(reference) == 1 else None
    right.plot(np.arange(1, len(reference) + 1), reference, ":", color=PRICE, linewidth=1, marker=marker, markersize=3)
    heading, lowest_share, highest_share = _HITS[score]
    right.set_title(heading.format(unit=frequency.unit), fontsize=10, loc="left")
    # The least spans keep differences of a thousandth from looking large.
    for axes, lowest, highest in ((left, -0.02, 0.02), (right, lowest_share, highest_share)):
        low, high = axes.get_ylim()
        axes.set_ylim(min(low, lowest), max(high, highest))
        axes.yaxis.set_major_formatter(PercentFormatter(1))
        whole_numbers(axes, f"{frequency.bar}s ahead")
        plain(axes)
    explain_below(figure, handles, columns=min(4, len(handles)))
    return figure
