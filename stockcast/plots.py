"""Values -> matplotlib figures; nothing here shows or saves one."""

from collections.abc import Mapping, Sequence

import matplotlib.dates as mdates
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator, PercentFormatter

from stockcast.evaluation.rivals import RIVALS
from stockcast.forecast import Dates, Floats, Forecast, price_text
from stockcast.models.training import Epoch

PRICE, MEDIAN, BAND, RANGE = "#222222", "#c1440e", "#e08e45", "#1b6ca8"
RIVAL_COLOURS = dict(zip(RIVALS, ("#1b6ca8", "#6a4c93", "#8c8c8c", "#2a9d63", "#b5179e", "#3a0ca3"), strict=True))
NOTE = "not investment advice"


def price_label(*, adjusted: bool) -> str:
    """Return the axis label of prices: no file says whether they are dollars, cents or the points of an index."""
    return f"price{', adjusted for splits and dividends' if adjusted else ''} (unit as in the file)"


def loss_curve(history: Sequence[Epoch], *, title: str) -> Figure:
    """Training and validation loss by epoch, the best epoch marked; one pair of lines for each member."""
    figure, axes = _figure(title)
    members = sorted({epoch.member for epoch in history})
    for member in members:
        epochs = [epoch for epoch in history if epoch.member == member]
        numbers = [epoch.epoch for epoch in epochs]
        best = min(epochs, key=lambda epoch: epoch.val_loss)
        first, fade = member == members[0], 1.0 if len(members) == 1 else 0.6
        for name, colour in (("training", "#1b6ca8"), ("validation", MEDIAN)):
            losses = [epoch.loss if name == "training" else epoch.val_loss for epoch in epochs]
            axes.plot(numbers, losses, "o-", color=colour, alpha=fade, label=name if first else None)
        label = f"kept: epoch {best.epoch}" if len(members) == 1 else "kept, of each member"
        axes.plot(
            best.epoch,
            best.val_loss,
            "o",
            markersize=12,
            fillstyle="none",
            color="grey",
            label=label if first else None,
        )
    axes.set(xlabel="epoch", ylabel="loss")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend_below(figure, axes)
    return figure


def forecast_sequences(dates: Dates, closes: Floats, forecast: Forecast, title: str, unit: str) -> Figure:
    """The price, and over it one whole forecast every `horizon` days with its bands."""
    figure, axes = _figure(f"Forecasts and what came: {title}")
    shown = (dates >= forecast.origin_dates[0]) & (dates <= forecast.target_dates[-1, -1])
    rows = range(0, len(forecast.origin_dates), forecast.horizon)
    for row in rows:
        label = row == 0
        _fan(axes, forecast, row, label=label)
    axes.plot(dates[shown], closes[shown], color=PRICE, linewidth=1.1, label="price", zorder=3)
    axes.set_ylabel(unit)
    _price_axes(axes)
    legend_below(figure, axes)
    every = f"every {forecast.horizon} trading days" if forecast.horizon > 1 else "every trading day"
    axes.set_title(f"one forecast {every}", fontsize=10, color="grey", loc="left")
    return figure


def fan_chart(dates: Dates, closes: Floats, forecast: Forecast, *, title: str, unit: str) -> Figure:
    """The last year of prices, then the median and the 50 % and 90 % bands of the days ahead.

    Where highs and lows are forecast too, each day's bar stands beside it, closer to the eye.
    """
    has_bars = {"High", "Low"} <= set(forecast.others)
    figure = Figure(figsize=(16 if has_bars else 12, 6.5), dpi=110, layout="constrained")
    entitle(figure, title)
    axes, *beside = figure.subplots(1, 2, width_ratios=[3, 2]) if has_bars else [figure.add_subplot()]
    plain(axes)
    axes.plot(dates[-252:], closes[-252:], color=PRICE, linewidth=1.3, label="price", zorder=3)
    _fan(axes, forecast, 0, label=True)
    axes.set_ylabel(unit)
    _price_axes(axes)
    legend_below(figure, axes)
    (lower, upper), last = forecast.band(0.9), forecast.target_dates[0, -1]
    for value, name in (
        (upper[0, -1], "95 %"),
        (forecast.median[0, -1], "median"),
        (lower[0, -1], "5 %"),
    ):
        axes.annotate(
            f"{price_text(value)}  {name}",
            (mdates.date2num(last), value),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
        )
    axes.margins(x=0.02)
    first, end = mdates.date2num(dates[-252:][0]), mdates.date2num(last)
    axes.set_xlim(first - 0.01 * (end - first), end + (0.18 if beside else 0.13) * (end - first))
    for panel in beside:
        _daily_bars(panel, forecast)
    return figure


def _daily_bars(axes: Axes, forecast: Forecast) -> None:
    """The first forecast's bars: from low to high, the open a tick to the left, the close, its median, to the right."""
    plain(axes)
    days = np.arange(1, forecast.horizon + 1)
    low, high = (forecast.others[name][0] for name in ("Low", "High"))
    axes.fill_between(days, *(end[0] for end in forecast.band(0.5)), color=BAND, alpha=0.38, linewidth=0)
    axes.vlines(days, low, high, color=RANGE, linewidth=1.5)
    if "Open" in forecast.others:
        axes.hlines(forecast.others["Open"][0], days - 0.35, days, color=RANGE, linewidth=1.5)
    axes.hlines(forecast.median[0], days, days + 0.35, color=MEDIAN, linewidth=1.5)
    opened = "open left, " if "Open" in forecast.others else ""
    axes.set_title(f"each day: low to high, {opened}close right; the 50 % band", fontsize=10, loc="left")
    told = np.unique(np.linspace(1, forecast.horizon, 4).round().astype(int))
    axes.set_xticks(told, [str(day) for day in forecast.target_dates[0, told - 1]])
    axes.yaxis.set_major_formatter(FuncFormatter(_grouped))


def skill_by_horizon(skill: Mapping[str, Floats], title: str) -> Figure:
    """How much lower the network's CRPS is than each rival's, for each day ahead."""
    figure, axes = _figure(f"Skill by days ahead: {title}")
    for name, values in skill.items():
        steps = np.arange(1, len(values) + 1)
        axes.plot(
            steps,
            values,
            "o-",
            markersize=3,
            color=RIVAL_COLOURS[name],
            alpha=0.8,
            label=f"against {RIVALS[name].label}",
        )
    axes.axhline(0, color=PRICE, linewidth=1)
    low, high = axes.get_ylim()
    axes.axhspan(min(low, -0.02), 0, color="#c1121f", alpha=0.07, zorder=0)
    axes.set_ylim(min(low, -0.02), max(high, 0.02))
    axes.text(0.01, 0.02, "below zero: the rival is better", transform=axes.transAxes, color="#c1121f", fontsize=9)
    axes.set(xlabel="trading days ahead", ylabel="CRPS lower than the rival's by")
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    horizon = max(len(values) for values in skill.values())
    axes.set_xticks([1, *range(5, horizon + 1, 5)])
    legend_below(figure, axes)
    return figure


def coverage(forecast: Forecast, rivals: Mapping[str, Forecast], actual: Floats, title: str) -> Figure:
    """What central bands promise against what they covered, over all origins and steps."""
    figure, axes = _figure(f"Do the bands hold? {title}")
    promised = 2 * forecast.levels[forecast.levels > 0.5] - 1
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":", label="as promised")
    for name, one in {**rivals, "network": forecast}.items():
        ends = [one.band(level) for level in promised]
        observed = [np.mean((lower <= actual) & (actual <= upper)) for lower, upper in ends]
        own = name == "network"
        axes.plot(
            promised,
            observed,
            "o-",
            markersize=5 if own else 3,
            linewidth=2.2 if own else 1,
            color=MEDIAN if own else RIVAL_COLOURS[name],
            label=name if own else RIVALS[name].label,
        )
    axes.text(0.03, 0.93, "above the line: bands too wide", color="grey", fontsize=9, transform=axes.transAxes)
    axes.text(0.72, 0.05, "below the line: bands too narrow", color="grey", fontsize=9, transform=axes.transAxes)
    axes.set(xlabel="promised by the band", ylabel="prices inside it", xlim=(0, 1), ylim=(0, 1.01))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    legend_below(figure, axes)
    return figure


def pit_histograms(histograms: Mapping[int, Sequence[float]], title: str) -> Figure:
    """Where in the forecast spread prices fell, by days ahead: flat is honest, a U too narrow, a hump too wide."""
    figure = Figure(figsize=(12, 6.5), dpi=110, layout="constrained")
    entitle(figure, f"Where in the spread did prices fall? {title}")
    panels = np.atleast_1d(figure.subplots(1, len(histograms), sharey=True))
    for axes, (step, shares) in zip(panels, histograms.items(), strict=True):
        edges = np.linspace(0, 1, len(shares) + 1)
        axes.bar(edges[:-1], shares, width=1 / len(shares), align="edge", color=BAND, edgecolor="white")
        axes.axhline(1 / len(shares), color=PRICE, linestyle=":", linewidth=1)
        axes.set_title(f"{step} day{'s' if step > 1 else ''} ahead", fontsize=10)
        axes.set_xticks([0, 0.5, 1], ["low", "median", "high"], fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("share of prices (dotted: as promised)")
    panels[0].yaxis.set_major_locator(MultipleLocator(0.05))
    panels[0].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return figure


def _figure(title: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(12, 6.5), dpi=110, layout="constrained")
    axes = figure.add_subplot()
    entitle(figure, title)
    plain(axes)
    return figure, axes


def plain(axes: Axes) -> None:
    """A faint grid, and no frame above and on the right."""
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def entitle(figure: Figure, title: str) -> None:
    """Put the title above, and below who drew it and what it is not."""
    figure.suptitle(title, fontsize=13, x=0.01, ha="left")
    figure.supxlabel(f"stockcast, {NOTE}", x=0.995, ha="right", fontsize=8, color="grey")


def legend_below(figure: Figure, axes: Axes) -> None:
    """Put the legend below the axes, where it hides nothing."""
    handles, labels = axes.get_legend_handles_labels()
    columns = len(labels) if len(labels) <= 5 else -(-len(labels) // 2)
    figure.legend(handles, labels, loc="outside lower left", ncols=columns, frameon=False, fontsize=9)


def _fan(axes: Axes, forecast: Forecast, row: int, *, label: bool) -> None:
    """One forecast from its origin's price on: median and two bands."""
    days = np.concatenate([forecast.origin_dates[row : row + 1], forecast.target_dates[row]])
    start = forecast.last_close[row]

    def line(values: Floats) -> Floats:
        return np.concatenate([[start], values[row]])

    for promised, alpha in ((0.9, 0.22), (0.5, 0.38)):
        lower, upper = forecast.band(promised)
        name = f"{100 * promised:.0f} % band" if label else None
        axes.fill_between(days, line(lower), line(upper), color=BAND, alpha=alpha, linewidth=0, label=name)
    axes.plot(days, line(forecast.median), color=MEDIAN, linewidth=1.4, label="median" if label else None)


def _price_axes(axes: Axes) -> None:
    locator = mdates.AutoDateLocator()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))
    axes.yaxis.set_major_formatter(FuncFormatter(_grouped))


def _grouped(value: float, _: object) -> str:
    return f"{value:,.10g}"
