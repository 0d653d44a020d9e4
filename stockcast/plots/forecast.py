"""Price forecasts -> figures."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.figure import Figure

from stockcast.forecast import Forecast, Prediction
from stockcast.plots.style import (
    BAND,
    MEDIAN,
    PRICE,
    RANGE,
    date_axis,
    label_ends,
    legend_below,
    new_axes,
    new_figure,
    plain,
    price_axis,
    price_label,
)
from stockcast.text import plural, price_text
from stockcast.typing import Dates, Floats

_HISTORY = (60, 252)
"""Fewest and most bars of history in the fan chart: five times as many as are forecast, at most a year of days."""


def forecast_sequences(dates: Dates, closes: Floats, forecast: Forecast, title: str, unit: str) -> Figure:
    """The price, and over it a whole forecast with its bands every `horizon` days."""
    figure, axes = new_axes(f"Forecasts and actual prices: {title}")
    shown = (dates >= forecast.origin_dates[0]) & (dates <= forecast.target_dates[-1, -1])
    for row in range(0, len(forecast.origin_dates), forecast.horizon):
        _fan(axes, forecast, row, label=row == 0)
    axes.plot(dates[shown], closes[shown], color=PRICE, linewidth=1.1, label="price", zorder=3)
    axes.set_ylabel(unit)
    date_axis(axes)
    price_axis(axes)
    legend_below(figure, axes)
    bar = forecast.frequency.bar
    every = f"every {forecast.horizon} {bar}s" if forecast.horizon > 1 else f"every {bar}"
    axes.set_title(f"one forecast {every}", fontsize=10, color="grey", loc="left")
    return figure


def fan_chart(prediction: Prediction) -> Figure:
    """The last prices, then the median and the 50 % and 90 % bands of the days ahead.

    Where highs and lows are forecast too, a second panel shows each day's bar.
    """
    forecast = prediction.forecast
    history = int(np.clip(5 * forecast.horizon, *_HISTORY))
    dates, closes = prediction.history_dates[-history:], prediction.history[-history:]
    sessions = plural(forecast.horizon, forecast.frequency.session)
    has_bars = {"High", "Low"} <= set(forecast.others)
    figure = new_figure(
        f"{prediction.series}: {sessions} after {forecast.origin_dates[0]}, by {prediction.run}",
        size=(16 if has_bars else 12, 6.5),
    )
    axes, *others = figure.subplots(1, 2, width_ratios=[3, 2]) if has_bars else [figure.add_subplot()]
    plain(axes)
    axes.plot(dates, closes, color=PRICE, linewidth=1.3, label="price", zorder=3)
    _fan(axes, forecast, 0, label=True)
    axes.set_ylabel(price_label(adjusted=False))
    date_axis(axes)
    price_axis(axes)
    legend_below(figure, axes)
    first, end = date2num(dates[0]), date2num(forecast.last_day)
    axes.set_xlim(first - 0.01 * (end - first), end + (0.18 if others else 0.14) * (end - first))
    (lower, upper), median = forecast.band(0.9), forecast.median
    last = {name: float(prices[0, -1]) for name, prices in (("5 %", lower), ("median", median), ("95 %", upper))}
    label_ends(axes, [(end, price, f"{price_text(price)} ({name})", PRICE) for name, price in last.items()])
    for panel in others:
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
    axes.set_title(
        f"each {forecast.frequency.unit}: low to high, {opened}close right; the 50 % band", fontsize=10, loc="left"
    )
    labelled = np.unique(np.linspace(1, forecast.horizon, 4).round().astype(int))
    axes.set_xticks(labelled, [str(day) for day in forecast.target_dates[0, labelled - 1]])
    price_axis(axes)


def _fan(axes: Axes, forecast: Forecast, row: int, *, label: bool) -> None:
    """One forecast from its origin's price on: median and two bands."""
    days = np.concatenate([forecast.origin_dates[row : row + 1], forecast.target_dates[row]])

    def line(values: Floats) -> Floats:
        return np.concatenate([forecast.last_close[row : row + 1], values[row]])

    for share, alpha in ((0.9, 0.22), (0.5, 0.38)):
        lower, upper = forecast.band(share)
        name = f"{100 * share:.0f} % band" if label else None
        axes.fill_between(days, line(lower), line(upper), color=BAND, alpha=alpha, linewidth=0, label=name)
    axes.plot(days, line(forecast.median), color=MEDIAN, linewidth=1.4, label="median" if label else None)
