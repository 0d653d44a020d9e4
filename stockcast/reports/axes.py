"""Places and labels of ticks, and lines as SVG paths."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from stockcast.typing import Dates, Floats

WIDTH, HEIGHT = 10_000, 3_400
"""Units of a chart's inside, which is stretched to the page's width; ten of the vertical ones are a pixel."""

_MOST_DATES, _MOST_PRICES = 6, 6
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240)
_EDGE = 0.04  # no label of a date nearer to an end, as a share of the width: it would be cut off


@dataclass(frozen=True)
class Tick:
    """A label beside an axis.

    Attributes:
        place: share of the axis, from the left or from the top, in percent.
        text: the label.
    """

    place: float
    text: str


@dataclass(frozen=True)
class Scale:
    """Numbers -> places on an axis.

    Attributes:
        low, high: what stands at its two ends.
        length: of the axis, in units of the chart.
        falls: whether places are counted from the high end, as those of prices are.
    """

    low: float
    high: float
    length: int
    falls: bool = False

    def places(self, values: Floats) -> Floats:
        """Return the places of values, in units of the chart, of the values' shape."""
        shares = (np.asarray(values, dtype=np.float64) - self.low) / (self.high - self.low)
        return np.asarray(self.length * (1 - shares if self.falls else shares))

    def tick(self, value: float, text: str) -> Tick:
        """Return the tick of a value."""
        return Tick(round(100 * float(self.places(np.array(value))) / self.length, 2), text)


def price_scale(lowest: float, highest: float) -> Scale:
    """Return a scale with a margin below and above; of a price that never moves, one around it."""
    margin = 0.06 * (highest - lowest) or 0.05 * abs(highest) or 1.0
    return Scale(lowest - margin, highest + margin, HEIGHT, falls=True)


def price_ticks(scale: Scale) -> list[Tick]:
    """Return ticks at round prices, from the top down."""
    step = _round_step((scale.high - scale.low) / _MOST_PRICES)
    numbers = np.arange(np.ceil(scale.low / step), np.floor(scale.high / step) + 1)
    decimals = digits_after_point(step)
    return [scale.tick(float(number * step), f"{number * step:,.{decimals}f}") for number in numbers[::-1]]


def digits_after_point(value: float) -> int:
    """Return how many digits after the point write a number of at most six digits in full."""
    return len(np.format_float_positional(value, precision=6, fractional=False, trim="-").partition(".")[2])


def _round_step(least: float) -> float:
    """Return the smallest of 1, 2, 2.5 and 5 times a power of ten that is no smaller than `least`."""
    power = 10.0 ** np.floor(np.log10(least))
    return float(next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= least * (1 - 1e-9)))


def date_ticks(scale: Scale) -> list[Tick]:
    """Return ticks at the first days of months, quarters or years; the scale is one of days since 1970."""
    first, last = (np.datetime64(int(day), "D").astype("datetime64[M]") for day in (scale.low, scale.high))
    months = np.arange(first.astype(int), last.astype(int) + 1)
    for step in _MONTHS:
        chosen = months[months % step == 0]
        if len(chosen) <= _MOST_DATES:
            break
    days = chosen.astype("datetime64[M]").astype("datetime64[D]")
    texts = [str(day.astype("datetime64[Y]") if step >= 12 else f"{day.astype(object):%b %Y}") for day in days]
    ticks = [scale.tick(float(day.astype(int)), text) for day, text in zip(days, texts, strict=True)]
    return [tick for tick in ticks if 100 * _EDGE < tick.place < 100 * (1 - _EDGE)]


def day_numbers(dates: Dates) -> Floats:
    """Return days since 1970-01-01."""
    return dates.astype("datetime64[D]").astype(np.float64)


def line(x: Floats, y: Floats) -> str:
    """Return an SVG path through points, in whole units."""
    return "M" + "L".join(_points(x, y))


def area(x: Floats, lower: Floats, upper: Floats) -> str:
    """Return an SVG path around what lies between two lines."""
    return f"M{'L'.join([*_points(x, upper), *_points(x[::-1], lower[::-1])])}Z"


def _points(x: Floats, y: Floats) -> Iterable[str]:
    return [f"{across:.0f},{down:.0f}" for across, down in zip(x, y, strict=True)]


def apart(ticks: list[Tick], *, least: float) -> list[Tick]:
    """Return labels, from the top down, moved apart so that they are `least` percent of the axis from each other."""
    moved: list[Tick] = []
    for tick in sorted(ticks, key=lambda tick: tick.place):
        lowest = moved[-1].place + least if moved else tick.place
        moved.append(Tick(max(tick.place, lowest), tick.text))
    shift = sum(tick.place for tick in moved) / len(moved) - sum(tick.place for tick in ticks) / len(ticks)
    return [Tick(round(tick.place - shift, 2), tick.text) for tick in moved]
