"""A prediction of prices -> the drawing of its fan, and what the page shows where a pointer rests on it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from stockcast.forecast import Forecast, Prediction
from stockcast.reports.axes import (
    WIDTH,
    Scale,
    Tick,
    apart,
    area,
    date_ticks,
    day_numbers,
    digits_after_point,
    line,
    price_scale,
    price_ticks,
)
from stockcast.text import price_text
from stockcast.typing import Floats

_SHORT, _LONG = 60, 252
"""Fewest and most bars of history at first: five times as many as are forecast, as in forecast.png."""

_ROW = 4.2  # height of a label, percent of the chart's


@dataclass(frozen=True)
class Fan:
    """One drawing: so many bars of history, then the median and the bands.

    Attributes:
        name: of the history that it shows, `250 days`.
        is_first: whether it is shown at first.
        first, last: days since 1970 at its left and right end.
        paths: SVG paths by name: `price`, `median`, `band_50`, `band_90`.
        prices, dates: ticks.
        ends: the last day's median and the ends of its 90 % band.
        origin: where the forecast begins, percent from the left.
    """

    name: str
    is_first: bool
    first: float
    last: float
    paths: dict[str, str]
    prices: list[Tick]
    dates: list[Tick]
    ends: list[Tick]
    origin: float


def fans(prediction: Prediction) -> list[Fan]:
    """Return a drawing for each length of history, the shortest first; as far as the file has so many bars."""
    forecast = prediction.forecast
    usual = int(np.clip(5 * forecast.horizon, _SHORT, _LONG))
    bars = len(prediction.history)
    counts = sorted({min(count, bars) for count in (_SHORT, usual, 5 * usual)})
    return [_fan(prediction, count, is_first=count == min(usual, bars)) for count in counts]


def _fan(prediction: Prediction, bars: int, *, is_first: bool) -> Fan:
    forecast = prediction.forecast
    history, closes = day_numbers(prediction.history_dates[-bars:]), prediction.history[-bars:]
    origin = day_numbers(forecast.origin_dates)
    ahead = np.concatenate([origin, day_numbers(forecast.target_dates[0])])
    ends = {share: [_from_origin(forecast, end) for end in forecast.band(share)] for share in (0.5, 0.9)}
    median = _from_origin(forecast, forecast.median)
    shown = np.concatenate([closes, *ends[0.9], median])
    days = Scale(float(history[0]), float(ahead[-1]), WIDTH)
    prices = price_scale(float(shown.min()), float(shown.max()))
    x = days.places(ahead)
    paths = {
        f"band_{100 * share:.0f}": area(x, prices.places(lower), prices.places(upper))
        for share, (lower, upper) in ends.items()
    }
    paths |= {
        "price": line(days.places(history), prices.places(closes)),
        "median": line(x, prices.places(median)),
    }
    (lower, upper), middle = (float(end[-1]) for end in ends[0.9]), float(median[-1])
    labels = [(upper, "95 %"), (middle, "median"), (lower, "5 %")]
    return Fan(
        name=f"{bars:,} {forecast.frequency.unit}s",
        is_first=is_first,
        first=days.low,
        last=days.high,
        paths=paths,
        prices=price_ticks(prices),
        dates=date_ticks(days),
        ends=apart([prices.tick(price, f"{price_text(price)} ({name})") for price, name in labels], least=_ROW),
        origin=days.tick(float(origin[0]), "").place,
    )


def _from_origin(forecast: Forecast, values: Floats) -> Floats:
    """Return the last price, and after it a value of each session, shape (1 + horizon,)."""
    return np.concatenate([forecast.last_close[:1], values[0]])


def hover_data(prediction: Prediction) -> dict[str, Any]:
    """Return what the page's script shows: days since 1970 with the price, and the rows of forecast.csv."""
    bars = 5 * _LONG
    days, prices = prediction.history_dates[-bars:], prediction.history[-bars:]
    rows = prediction.rows()
    names = ("median", "lower_50", "upper_50", "lower_90", "upper_90")
    return {
        "unit": prediction.forecast.frequency.unit,
        "decimals": decimals(rows),
        "days": [int(day) for day in day_numbers(days)],
        "prices": [float(f"{price:.6g}") for price in prices],
        "ahead": [int(day) for day in day_numbers(prediction.forecast.target_dates[0])],
        **{name: [row[name] for row in rows] for name in names},
    }


def decimals(rows: list[dict[str, Any]]) -> int:
    """Return the digits after the point that write every price of rows of forecast.csv in full."""
    return max(digits_after_point(value) for row in rows for value in row.values() if isinstance(value, float))
