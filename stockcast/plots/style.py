"""What all figures have in common."""

from collections.abc import Iterable, Mapping
from math import ceil

import matplotlib.dates as mdates
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from stockcast.evaluation.baselines.registry import BASELINES
from stockcast.evaluation.direction_scores import SHARES
from stockcast.text import printable_name
from stockcast.typing import Floats

# The palette of Okabe & Ito (2008), whose colours stay apart for every kind of colour vision; without yellow, too pale.
_BLACK, _ORANGE, _SKY, _GREEN, _BLUE, _VERMILION, _PURPLE = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7"
)  # fmt: skip

PRICE, MEDIAN, BAND, RANGE = "#222222", _VERMILION, _ORANGE, _BLUE
NETWORK, UP, DOWN, GREY = _VERMILION, _GREEN, _VERMILION, "#8c8c8c"
RUN_COLOURS = (_VERMILION, _BLUE, _GREEN, _PURPLE, _ORANGE, _SKY, _BLACK)
"""Of several runs, in their order."""

BASELINE_COLOURS = {
    **dict(zip(BASELINES, (_BLUE, _SKY, _ORANGE, _GREEN, _PURPLE, _BLACK), strict=True)),
    SHARES: _BLUE,
}
"""Of every baseline, of prices and of directions, in every figure."""

NOTE = "not investment advice"

_TITLE_SIZES = (13, 12, 11, 10, 9)
_SYMBOL, _SOURCE = 0.6, 2.3  # inches of a legend's symbol, and of where a figure comes from, beside the legend
_LINE = 0.04  # height of a line of text, as a share of that of the axes


def price_label(*, adjusted: bool) -> str:
    """Return the axis label of prices: no file states whether they are dollars, cents or the points of an index."""
    return f"price ({'adjusted for dividends and splits' if adjusted else 'unit as in the file'})"


def literal(text: str) -> str:
    r"""Return text from elsewhere so that matplotlib writes it letter by letter, on one line.

    A `$` would begin a formula and is escaped; what the font lacks or a page cannot show is a `?`.
    """
    font = get_font(findfont(FontProperties()))
    shown = (letter if font.get_char_index(ord(letter)) else "?" for letter in printable_name(text))
    return "".join(shown).replace("$", r"\$")


def fitted(text: str, *, width: float, size: float, weight: str = "normal") -> str:
    """Return text as `literal` does, without its middle where it is wider than `width` inches in a font of `size`."""
    shown, left = literal(text), len(text)
    while text_width(shown, size=size, weight=weight) > width and left > 1:
        left -= 1 + left // 20
        shown = literal(f"{text[: ceil(left / 2)]}…{text[len(text) - left // 2 :]}")
    return shown


def text_width(text: str, *, size: float, weight: str = "normal") -> float:
    """Return the width of a line in inches, in the font of all figures."""
    font = get_font(findfont(FontProperties(weight=weight)))
    font.set_size(size, 72)
    font.set_text(text.replace(r"\$", "$"))
    return float(font.get_width_height()[0] / 64 / 72)


def new_figure(title: str, *, size: tuple[float, float] = (12, 6.5), note: str = "") -> Figure:
    """Return a figure with its title at the top, and a note and where it comes from at the bottom.

    A title too long for its line is written smaller, and if that is not enough, without its middle.
    """
    figure = Figure(figsize=size, dpi=110, layout="constrained")
    room = 0.97 * size[0]
    letters = next((size for size in _TITLE_SIZES if text_width(literal(title), size=size) <= room), _TITLE_SIZES[-1])
    figure.suptitle(fitted(title, width=room, size=letters), fontsize=letters, x=0.01, ha="left")
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


def rows_of(count: int, *, most: int) -> tuple[int, int]:
    """Return the rows and columns of so many panels, at least 1: about square, of at most so many columns."""
    columns = min(most, ceil(np.sqrt(count)))
    return ceil(count / columns), columns


def legend_below(figure: Figure, axes: Axes, *, columns: int | None = None, note: str = "") -> None:
    """Put the legend of a panel below all panels, where it hides nothing, and a note above it."""
    handles, labels = axes.get_legend_handles_labels()
    explain_below(figure, dict(zip(labels, handles, strict=True)), columns=columns, note=note)


def explain_below(figure: Figure, handles: Mapping[str, Artist], *, columns: int | None = None, note: str = "") -> None:
    """Put a legend of these, by their label, below all panels: in so many columns, or in fewer on a narrow figure."""
    columns = columns or (len(handles) if len(handles) <= 5 else -(-len(handles) // 2))
    column = _SYMBOL + max(text_width(label, size=9) for label in handles)
    columns = max(min(columns, int((figure.get_figwidth() - _SOURCE) / column)), 1)
    legend = figure.legend(
        list(handles.values()), list(handles), loc="outside lower left", ncols=columns, frameon=False, fontsize=9
    )
    if note:
        legend.set_title(note, prop=FontProperties(size=8))
        legend.set_alignment("left")
        legend.get_title().set_color("grey")


def label_ends(axes: Axes, ends: Iterable[tuple[float, float, str, str]]) -> None:
    """Write a text to the right of each point, (x, y, text, colour); those of close points are moved apart."""
    axes.autoscale_view()  # the places depend on the limits
    ends = sorted(ends, key=lambda end: end[1])
    heights = [axes.transLimits.transform(axes.transScale.transform(end[:2]))[1] for end in ends]
    for (x, _, text, colour), place in zip(ends, apart(np.array(heights), least=_LINE), strict=True):
        point, frame = (x, place), axes.get_xaxis_transform()
        axes.annotate(text, point, (6, 0), frame, "offset points", va="center", color=colour, fontsize=9)


def apart(places: Floats, *, least: float) -> Floats:
    """Move rising numbers until neighbours are at least so far apart, each as little as possible.

    The sum of the squared moves is the least: what is left after taking off the least distances is made to rise, by
    pooling neighbours that fall (Ayer et al. 1955).
    """
    offsets = least * np.arange(len(places))
    pools: list[tuple[float, int]] = []  # mean and number of neighbours that move together
    for place in places - offsets:
        mean, count = float(place), 1
        while pools and pools[-1][0] > mean:
            other, number = pools.pop()
            mean, count = (mean * count + other * number) / (count + number), count + number
        pools.append((mean, count))
    return np.asarray(np.repeat([mean for mean, _ in pools], [count for _, count in pools]) + offsets)


def whole_numbers(axes: Axes, label: str) -> None:
    """Label the x-axis, and put ticks at whole numbers alone."""
    axes.set_xlabel(label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def date_axis(axes: Axes, *, most: int | None = None) -> None:
    """Put as many dates on the x-axis as there is room for, or at most so many."""
    locator = mdates.AutoDateLocator() if most is None else mdates.AutoDateLocator(minticks=2, maxticks=most)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))


def price_axis(axes: Axes, *, most: int | None = None) -> None:
    """Write prices on the y-axis with a comma for thousands, at most so many."""
    if most is not None:
        axes.yaxis.set_major_locator(MaxNLocator(most))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))


def log_price_axis(axes: Axes) -> None:
    """Put prices on a log scale, on which equal distances are equal shares, with a few round ones named."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    named = (1, 1.5, 2, 3, 4, 5, 7) if high < 10 * low else (1, 2, 5) if high < 1000 * low else (1,)
    axes.yaxis.set_major_locator(LogLocator(subs=named))
    axes.yaxis.set_minor_locator(LogLocator(subs=range(1, 10)))
    axes.yaxis.set_minor_formatter(NullFormatter())
    price_axis(axes)
