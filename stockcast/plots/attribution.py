"""What moved a forecast -> a figure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import SymLogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from stockcast.frequency import DAILY, Frequency
from stockcast.models.explain.attribution import Saliency
from stockcast.plots.explain import SIGNED, date_ticks
from stockcast.plots.style import PRICE, literal, new_figure, plain
from stockcast.typing import Dates, Floats

_STATISTICS = {
    "spread": ("log of the width", "the width of the 90 % band"),
    "middle": ("percentage points", "the median return"),
    "up": ("percentage points", "the probability of up"),
}
"""By statistic: its unit, and its name in a sentence."""

_DECADES = 2
"""Of the log scale, above and below 0: the last day may move a forecast by a hundred times as much as the others."""

_LINEAR = 0.5  # length of the linear part to each side of 0, in decades

_METHODS = {"integrated gradients": "integrated", "gradient x input": "gradient_x_input"}
"""The attributions: a name, and the field of `Saliency`."""

_POSITIVE, _NEGATIVE = "#b2182b", "#2166ac"  # of the same colours as the cells


def saliency(
    panels: Mapping[int, Saliency],
    dates: Dates,
    features: Sequence[str],
    *,
    what: str,
    title: str,
    frequency: Frequency = DAILY,
) -> Figure:
    """How much each day of the window and each feature moved one number, `spread`, `middle` or `up`, by days ahead.

    A frame for each attribution: integrated gradients in the upper row, gradient x input in the lower one. All cells
    are on one log scale, linear around 0, and all bars on another; the largest number is at its end, none beyond it.
    """
    unit, statistic = _STATISTICS[what]
    height = max(0.22 * len(features), 1.0)
    moved = [getattr(panel, field) for field in _METHODS.values() for panel in panels.values()]
    cells = _Scale.of(*moved)
    sums = _Scale.of(*(attribution.sum(axis=axis) for attribution in moved for axis in (0, 1)))
    figure = new_figure(
        f"What moved {statistic}? {title}",
        note=f"compared with a window of average training {frequency.unit}s; {unit} on log scales that are linear "
        f"below {100 / 10**_DECADES:g} % of the largest number",
        size=(15, 4.8 + 2 * height),
    )
    order = np.argsort(np.abs(panels[max(panels)].integrated.sum(axis=0)))  # the largest at the top
    ratios = {"width_ratios": [4, 1.5] * len(panels), "height_ratios": [height, 1.3] * len(_METHODS)}
    grid = figure.add_gridspec(2 * len(_METHODS), 2 * len(panels), **ratios)
    for row, (method, field) in enumerate(_METHODS.items()):
        for column, (step, panel) in enumerate(panels.items()):
            attribution = getattr(panel, field)[:, order]
            heat = figure.add_subplot(grid[2 * row, 2 * column])
            image = heat.imshow(attribution.T, aspect="auto", cmap=SIGNED, norm=cells.norm(), origin="lower")
            change = f": {_in_words(panel, what, frequency.unit)}" if field == "integrated" else ""
            heat.set_title(f"{frequency.steps([step])} ahead{change}\n{method}", fontsize=10, loc="left")
            heat.set_yticks(range(len(features)), [literal(features[place]) for place in order])
            heat.tick_params(labelsize=8, labelleft=column == 0, labelbottom=False)
            by_feature = figure.add_subplot(grid[2 * row, 2 * column + 1], sharey=heat)
            _bars(by_feature, attribution.sum(axis=0), sums, upright=False)
            by_feature.set_xlabel("sum by feature", fontsize=9, color="grey")
            by_day = figure.add_subplot(grid[2 * row + 1, 2 * column], sharex=heat)
            _bars(by_day, attribution.sum(axis=1), sums, upright=True)
            by_day.set_ylabel(f"sum by {frequency.unit}", fontsize=9, color="grey")
            date_ticks(by_day, dates)
    bar = figure.colorbar(image, ax=figure.axes, shrink=0.5, aspect=30, pad=0.01, ticks=cells.ticks())
    bar.ax.yaxis.set_minor_locator(NullLocator())
    bar.ax.set_yticks(cells.ticks(), cells.tick_labels(cells.ticks()))
    bar.ax.tick_params(labelsize=8)
    bar.set_label(f"{unit}, a {frequency.unit} of a feature", fontsize=9, color="grey")
    return figure


@dataclass(frozen=True)
class _Scale:
    """A log scale to both sides of 0, linear in between, and all on it where nothing moved.

    Attributes:
        most: its ends are at this number and minus this number, above 0.
    """

    most: float

    @classmethod
    def of(cls, *numbers: Floats) -> "_Scale":
        """Return the scale of these."""
        return cls(max(float(np.abs(values).max()) for values in numbers) or 1.0)

    @property
    def linear(self) -> float:
        """Up to this number the scale is linear."""
        return self.most / 10.0**_DECADES

    def norm(self) -> SymLogNorm:
        """Return it as colours."""
        return SymLogNorm(self.linear, linscale=_LINEAR, vmin=-self.most, vmax=self.most)

    def ticks(self) -> list[float]:
        """Return the powers of ten on it, and 0."""
        largest = int(np.floor(np.log10(self.most)))
        tens = [10.0**power for power in range(largest, largest - _DECADES, -1)]
        return [*(-ten for ten in tens), 0.0, *reversed(tens)]

    @staticmethod
    def tick_labels(ticks: list[float]) -> list[str]:
        """Return ticks as text."""
        return [f"{tick:g}".replace("-", "\N{MINUS SIGN}") for tick in ticks]


def _in_words(attribution: Saliency, what: str, unit: str) -> str:
    """The number, and what it would be after a window of average days, weeks or months."""
    if what == "spread":
        change = 100 * np.expm1(attribution.change)
        return f"{abs(change):.0f} % {'wider' if change >= 0 else 'narrower'} than after average {unit}s"
    number = "{:.2f} %" if what == "up" else "{:+.2f} %"
    return f"{number.format(attribution.value)}, after average {unit}s {number.format(attribution.baseline_value)}"


def _bars(axes: Axes, sums: Floats, scale: _Scale, *, upright: bool) -> None:
    """Bars of sums, red above 0 and blue below."""
    places = np.arange(len(sums))
    colours = np.where(sums >= 0, _POSITIVE, _NEGATIVE).tolist()
    ends = (-1.1 * scale.most, 1.1 * scale.most)
    plain(axes)
    if upright:
        axes.bar(places, sums, color=colours, width=0.8)
        axes.axhline(0, color=PRICE, linewidth=0.8)
        axes.set_yscale("symlog", linthresh=scale.linear, linscale=_LINEAR)
        axes.set_ylim(ends)
    else:
        axes.barh(places, sums, color=colours, height=0.8)
        axes.axvline(0, color=PRICE, linewidth=0.8)
        axes.set_xscale("symlog", linthresh=scale.linear, linscale=_LINEAR)
        axes.set_xlim(ends)
        axes.tick_params(labelleft=False)
    axis = axes.yaxis if upright else axes.xaxis
    axis.set_minor_locator(NullLocator())
    ticks = scale.ticks() if upright else scale.ticks()[::_DECADES]  # side by side there is room for three
    axis.set_ticks(ticks, scale.tick_labels(ticks))
    axes.tick_params(labelsize=8)
