"""Forecasts of many series -> a figure of small fan charts."""

from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.dates import date2num
from matplotlib.figure import Figure

from stockcast.forecast import Prediction
from stockcast.plots.forecast import draw_fans, draw_last_price, history
from stockcast.plots.style import (
    PRICE,
    date_axis,
    fitted,
    legend_below,
    new_figure,
    plain,
    price_axis,
    rows_of,
)
from stockcast.text import join_words, plural, price_text

MOST_PANELS = 30
"""Of more series, a figure shows the first ones: smaller panels cannot be read."""

_BARS = 60  # of history
_WIDTH = 3.5  # of a panel, in inches
_MOST_RUNS = 3  # named in the title


def fan_charts(predictions: Sequence[Prediction]) -> Figure:
    """The last prices, the median and the bands of each of several series, a panel each, in the order given.

    Of more than `MOST_PANELS` the first ones are drawn, and the title states how many there are. Every panel has a
    vertical scale of its own.

    Raises:
        ValueError: there is no prediction.
    """
    if not predictions:
        raise ValueError("There is no prediction to draw.")
    shown = predictions[:MOST_PANELS]
    rows, columns = rows_of(len(shown), most=5)
    origins = _distinct(prediction.forecast.origin_dates[0] for prediction in shown)
    figure = new_figure(
        _title(predictions, origins),
        size=(max(7.5, _WIDTH * columns), 1.4 + 2.6 * rows),
    )
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in panels[len(shown) :]:
        axes.remove()
    for prediction, axes in zip(shown, panels, strict=False):
        _fan(axes, prediction, with_origin=len(origins) > 1)
    legend_below(figure, panels[0], note=f"each panel has a vertical scale of its own, {_scales(shown)}")
    return figure


def _title(predictions: Sequence[Prediction], origins: list[str]) -> str:
    shown = predictions[:MOST_PANELS]
    of = f"{len(predictions)} series" if len(predictions) > 1 else predictions[0].series
    if len(shown) < len(predictions):
        of = f"the first {len(shown)} of {of}"
    horizons = _distinct(
        plural(prediction.forecast.horizon, prediction.forecast.frequency.session) for prediction in shown
    )
    runs = _distinct(prediction.run for prediction in shown)
    by = join_words(runs) if len(runs) <= _MOST_RUNS else f"{len(runs)} runs"
    after = origins[0] if len(origins) == 1 else f"days from {min(origins)} to {max(origins)}"
    return f"{of}: {horizons[0] if len(horizons) == 1 else 'forecasts'} after {after}, by {by}"


def _scales(shown: Sequence[Prediction]) -> str:
    """What the prices of the panels are."""
    adjusted = sum(prediction.adjusted for prediction in shown)
    whole = {0: "in the unit of its file", len(shown): "in prices adjusted for dividends and splits"}
    return whole.get(adjusted, "in prices that are adjusted for dividends and splits where the file has it")


def _fan(axes: Axes, prediction: Prediction, *, with_origin: bool) -> None:
    """One series: its name, its numbers at the last day, its last prices and its forecast."""
    forecast = prediction.forecast
    dates, closes = history(prediction, bars=_BARS)
    plain(axes)
    axes.plot(dates, closes, color=PRICE, linewidth=1, label="price", zorder=3)
    draw_fans(axes, forecast, slice(1))
    draw_last_price(axes, forecast)
    axes.set_xlim(date2num(dates[0]), date2num(forecast.last_day))
    date_axis(axes, most=4)
    price_axis(axes, most=5)
    axes.tick_params(labelsize=7)
    axes.xaxis.get_offset_text().set_fontsize(7)
    last, median = (price_text(float(price)) for price in (forecast.last_close[0], forecast.median[0, -1]))
    lower, upper = (price_text(float(edge[0, -1])) for edge in forecast.band(0.9))
    origin = f" on {forecast.origin_dates[0]}" if with_origin else ""
    axes.set_title(
        f"last price {last}{origin}, median {median}\n90 % band {lower} to {upper}",
        fontsize=7.5,
        loc="left",
        color="#555555",
    )
    axes.annotate(
        fitted(prediction.series, width=0.8 * _WIDTH, size=10, weight="bold"), (0, 1), (0, 26), "axes fraction",
        "offset points", fontsize=10, fontweight="bold", va="bottom",
    )  # fmt: skip


def _distinct(values: Iterable[object]) -> list[str]:
    """Return these as text, each once, in their order."""
    return list(dict.fromkeys(str(value) for value in values))
