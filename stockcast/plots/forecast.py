"""Price forecasts -> figures."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.figure import Figure

from stockcast.forecast import Forecast, Prediction
from stockcast.plots.style import (
    BAND,
    GREY,
    MEDIAN,
    PRICE,
    RANGE,
    date_axis,
    label_ends,
    legend_below,
    log_price_axis,
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

_LONG = 3.0
"""From this multiple of the lowest price on, sequences are on a log scale: else the early years are a flat line."""

_SHARES = ((0.9, 0.22), (0.5, 0.38))
"""The bands that are drawn, each with its opacity."""


def forecast_sequences(dates: Dates, closes: Floats, forecast: Forecast, title: str, unit: str) -> Figure:
    """The price, and over it a whole forecast with its bands every `horizon` days.

    On a log scale where the highest price is several times the lowest.
    """
    figure, axes = new_axes(f"Forecasts and actual prices: {title}")
    shown = (dates >= forecast.origin_dates[0]) & (dates <= forecast.target_dates[-1, -1])
    draw_fans(axes, forecast, slice(None, None, forecast.horizon))
    axes.plot(dates[shown], closes[shown], color=PRICE, linewidth=1.1, label="price", zorder=3)
    date_axis(axes)
    axes.margins(x=0.01)
    if is_long := bool(closes[shown].max() >= _LONG * closes[shown].min()):
        log_price_axis(axes)
    else:
        price_axis(axes)
    axes.set_ylabel(f"{unit}, log scale" if is_long else unit)
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
    dates, closes = history(prediction, bars=int(np.clip(5 * forecast.horizon, *_HISTORY)))
    sessions = plural(forecast.horizon, forecast.frequency.session)
    has_bars = {"High", "Low"} <= set(forecast.others)
    figure = new_figure(
        f"{prediction.series}: {sessions} after {forecast.origin_dates[0]}, by {prediction.run}",
        size=(16 if has_bars else 12, 6.5),
    )
    axes, *others = figure.subplots(1, 2, width_ratios=[3, 2]) if has_bars else [figure.add_subplot()]
    plain(axes)
    axes.plot(dates, closes, color=PRICE, linewidth=1.3, label="price", zorder=3)
    draw_fans(axes, forecast, slice(1))
    draw_last_price(axes, forecast)
    if prediction.outcome is not None:
        came = np.concatenate([forecast.last_close[:1], prediction.outcome])
        days = np.concatenate([forecast.origin_dates[:1], forecast.target_dates[0]])
        axes.plot(days, came, color=PRICE, linewidth=1.3, linestyle=":", label="actual price", zorder=4)
    axes.set_ylabel(price_label(adjusted=prediction.adjusted))
    date_axis(axes)
    price_axis(axes)
    legend_below(figure, axes, columns=6)
    first, end = date2num(dates[0]), date2num(forecast.last_day)
    axes.set_xlim(first - 0.01 * (end - first), end)
    bands = [(f"{100 * share:.0f} % band", edge) for share, _ in _SHARES for edge in forecast.band(share)]
    names = [*bands, ("median", forecast.median), ("last price", forecast.last_close[:, None])]
    prices = [(name, float(values[0, -1])) for name, values in names]
    label_ends(axes, [(end, price, f"{price_text(price)} ({name})", PRICE) for name, price in prices])
    for panel in others:
        _daily_bars(panel, forecast)
    return figure


def history(prediction: Prediction, *, bars: int) -> tuple[Dates, Floats]:
    """Return the dates and prices of the last bars known, shape (bars,) each, or of as many as there are."""
    return prediction.history_dates[-bars:], prediction.history[-bars:]


def draw_fans(axes: Axes, forecast: Forecast, rows: slice) -> None:
    """Draw the forecasts of these rows, each from its origin's price on: median and two bands."""
    gap = np.full(len(forecast.origin_dates[rows]), np.nan)  # between two forecasts

    def joined(first: Floats, values: Floats) -> Floats:
        return np.column_stack([first[rows], values[rows], gap]).ravel()[:-1]

    days = joined(date2num(forecast.origin_dates), date2num(forecast.target_dates))
    for share, alpha in _SHARES:
        lower, upper = (joined(forecast.last_close, edge) for edge in forecast.band(share))
        name = f"{100 * share:.0f} % band"
        axes.fill_between(days, lower, upper, color=BAND, alpha=alpha, linewidth=0, label=name)
    median = joined(forecast.last_close, forecast.median)
    axes.plot(days, median, color=MEDIAN, linewidth=1.4, label="median")


def draw_last_price(axes: Axes, forecast: Forecast) -> None:
    """Mark the price at the origin, and draw a line from it through the days ahead."""
    (day,), (price,) = forecast.origin_dates, forecast.last_close
    days, prices = [day, forecast.last_day], [price, price]
    line = axes.plot(days, prices, ":o", color=GREY, linewidth=1.2, markersize=5, label="last price", zorder=2.5)[0]
    line.set(markevery=[0], markerfacecolor=PRICE, markeredgecolor=PRICE)


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
    unit = forecast.frequency.unit
    axes.set_title(
        f"each {unit}: low to high, {opened}close right\n50 % band; on a scale of its own", fontsize=10, loc="left"
    )
    labelled = np.unique(np.linspace(1, forecast.horizon, 4).round().astype(int))
    axes.set_xticks(labelled, [str(day) for day in forecast.target_dates[0, labelled - 1]])
    price_axis(axes)
