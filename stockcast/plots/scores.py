"""Coverage of the test days, and where prices were in their forecast distributions -> figures."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MultipleLocator, PercentFormatter

from stockcast.evaluation.baselines.registry import BASELINES
from stockcast.evaluation.chance import share_error
from stockcast.evaluation.scores import Report, reported_steps
from stockcast.forecast import Forecast
from stockcast.plots.style import (
    BAND,
    BASELINE_COLOURS,
    GREY,
    NETWORK,
    PRICE,
    legend_below,
    literal,
    new_figure,
    plain,
)
from stockcast.typing import Floats

NETWORK_NAME = "network"
"""Who forecasts, where it is not somebody else's model."""

_CHANCE = 1.96  # standard errors: 95 %
_LEAST_SPAN = 0.2  # of a coverage axis: less would make noise look like a difference

_OVERLAP = "chance (95 %): how far the shares of right bands stray; neighbouring forecasts overlap"


def coverage(
    forecast: Forecast,
    baselines: Mapping[str, Forecast],
    actual: Floats,
    title: str,
    *,
    subject: str = NETWORK_NAME,
    spacing: int = 1,
) -> Figure:
    """The share of prices inside central bands against what the bands promise.

    On the left all bands, over all origins and steps; on the right the 90 % and the 50 % band by days ahead, both on
    one scale, with the range in which chance leaves calibrated bands; of a forecast without these, its own nearest.

    Args:
        forecast: with at least one band.
        baselines: by name, of the same origins.
        actual: the prices that came, NaN where none is known or forecast, shape (origins, horizon).
        title: names the series and days.
        subject: who forecasts.
        spacing: days from one origin to the next.
    """
    figure = new_figure(f"Coverage of the bands: {title}", size=(14, 7.5))
    shares = {name: _inside(other, actual) for name, other in {**baselines, NETWORK_NAME: forecast}.items()}
    own = shares[NETWORK_NAME]
    nearest = [min(own, key=lambda promise: abs(promise - wanted)) for wanted in (0.9, 0.5)]
    spans = {promise: _span(promise, shares) for promise in dict.fromkeys(nearest)}
    heights = [high - low for low, high in spans.values()]  # so that an inch is the same share in both
    grid = figure.add_gridspec(len(spans), 2, height_ratios=heights)
    whole = figure.add_subplot(grid[:, 0])
    _pooled(whole, forecast, shares, subject)
    below = None
    for row, (promise, span) in enumerate(spans.items()):
        axes = below = figure.add_subplot(grid[row, 1], sharex=below)
        _by_step(axes, shares, promise, spacing=spacing, forecast=forecast, subject=subject)
        axes.set_ylim(span)
        axes.set_title(f"{100 * promise:.0f} % band", fontsize=10, loc="left")
        axes.tick_params(labelbottom=row == len(spans) - 1)
    axes.set_xlabel(f"{forecast.frequency.bar}s ahead")
    steps = reported_steps(forecast.horizon, forecast.frequency)
    axes.set_xticks(steps, [str(step) for step in steps])
    legend_below(figure, axes, columns=5, note=_OVERLAP)
    return figure


def _inside(forecast: Forecast, actual: Floats) -> dict[float, Floats]:
    """Return the share of prices inside each central band, by days ahead, shape (horizon,), by what it promises."""
    promises = {round(float(2 * level - 1), 6): 2 * level - 1 for level in forecast.levels if level > 0.5}
    bands = {each: forecast.band(promise) for each, promise in promises.items() if forecast.has_band(promise)}
    known = np.isfinite(actual)
    with np.errstate(invalid="ignore"):
        return {
            promise: np.sum((low <= actual) & (actual <= high), axis=0) / known.sum(axis=0)
            for promise, (low, high) in bands.items()
        }


def _span(promise: float, shares: Mapping[str, Mapping[float, Floats]]) -> tuple[float, float]:
    """Return the ends of a coverage axis that holds every line."""
    values = np.concatenate([[promise], *(by_promise[promise] for by_promise in shares.values())])
    low, high = np.nanmin(values) - 0.02, min(1.01, np.nanmax(values) + 0.02)
    return min(low, high - _LEAST_SPAN), high


def _pooled(axes: Axes, forecast: Forecast, shares: Mapping[str, Mapping[float, Floats]], subject: str) -> None:
    """Nominal against observed coverage over all origins and steps."""
    plain(axes)
    axes.plot([0, 1], [0, 1], color=GREY, linestyle=":")
    for name, by_promise in shares.items():
        observed = [np.nanmean(by_step) for by_step in by_promise.values()]
        axes.plot(list(by_promise), observed, "o-", **_line_style(name, forecast, subject))
    axes.set_aspect("equal", adjustable="box")
    axes.set(xlabel="nominal coverage of the band", ylabel="prices inside the band", xlim=(0, 1.01), ylim=(0, 1.01))
    axes.set_title(f"all {forecast.frequency.unit}s ahead", fontsize=10, loc="left")
    axes.text(0.03, 0.95, "above the line: bands too wide", color="grey", fontsize=9, transform=axes.transAxes)
    axes.text(0.97, 0.03, "below: too narrow", color="grey", fontsize=9, transform=axes.transAxes, ha="right")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))


def _by_step(
    axes: Axes,
    shares: Mapping[str, Mapping[float, Floats]],
    promise: float,
    *,
    spacing: int,
    forecast: Forecast,
    subject: str,
) -> None:
    """The coverage of one band by days ahead."""
    plain(axes)
    steps = np.arange(1, forecast.horizon + 1)
    ends = ((1 - promise) / 2, (1 + promise) / 2)
    origins = len(np.unique(forecast.origin_dates))  # series of the same days rise and fall together
    error = np.array([share_error(*ends, origins=origins, horizon=int(step), spacing=spacing) for step in steps])
    low, high = (np.clip(promise + side * _CHANCE * error, 0, 1) for side in (-1, 1))
    if len(steps) == 1:
        axes.errorbar(steps, [promise], [promise - low, high - promise], color=GREY, capsize=8, label="chance (95 %)")
    else:
        axes.fill_between(steps, low, high, color=GREY, alpha=0.2, linewidth=0, label="chance (95 %)")
    axes.axhline(promise, color=GREY, linestyle=":", label="nominal")
    for name, by_promise in shares.items():
        axes.plot(steps, by_promise[promise], "o-" if len(steps) == 1 else "-", **_line_style(name, forecast, subject))
    axes.set_ylabel("prices inside")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def _line_style(name: str, forecast: Forecast, subject: str) -> dict[str, Any]:
    if name == NETWORK_NAME:
        return {"color": NETWORK, "linewidth": 2.4, "markersize": 5, "label": literal(subject), "zorder": 3}
    label = BASELINES[name].name(forecast.frequency)
    return {"color": BASELINE_COLOURS[name], "linewidth": 1.2, "markersize": 3, "label": label}


def pit_histograms(report: Report, title: str) -> Figure:
    """Where in the forecast distribution prices were, by days ahead: flat is ideal, a U too narrow, a hump too wide.

    Between the lines the bars of calibrated forecasts end by chance, each with 95 %: of ten, one outside is nothing.
    """
    note = f"dotted: ideal; a U: bands too narrow, a hump: too wide; grey: {_OVERLAP}"
    figure = new_figure(f"Where prices were in the forecast distribution: {title}", note=note)
    panels = np.atleast_1d(figure.subplots(1, len(report.horizons), sharey=True))
    for axes, (step, comparison) in zip(panels, report.horizons.items(), strict=True):
        shares = comparison.pit["histogram"]
        edges = np.linspace(0, 1, len(shares) + 1)
        axes.bar(edges[:-1], shares, width=1 / len(shares), align="edge", color=BAND, edgecolor="white")
        ideal = 1 / len(shares)
        errors = [share_error(*ends, origins=report.origins, horizon=step) for ends in pairwise(edges)]
        low, high = np.maximum(ideal - _CHANCE * np.array(errors), 0), ideal + _CHANCE * np.array(errors)
        axes.stairs(high, edges, baseline=low, fill=True, color=GREY, alpha=0.25, zorder=0)
        for end in (low, high):
            axes.stairs(end, edges, baseline=None, color=PRICE, linewidth=0.9, zorder=2)
        axes.axhline(ideal, color=PRICE, linestyle=":", linewidth=1)
        axes.set_title(f"{report.frequency.steps([step])} ahead", fontsize=10)
        axes.set_xticks([0, 0.5, 1], ["low", "median", "high"], fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("share of prices")
    panels[0].yaxis.set_major_locator(MultipleLocator(0.05))
    panels[0].yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    return figure
