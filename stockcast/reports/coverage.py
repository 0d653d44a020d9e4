"""Coverage by days ahead -> a drawing: what each band holds, beside what it promises."""

from dataclasses import dataclass

from stockcast.reports.axes import Tick
from stockcast.reports.scores import PROMISES, CoverageRow

_LOWEST = 30  # percent at the foot of the chart; a share below it stands there
_MARGIN = 8.0  # percent of the width to the left of the first place and to the right of the last one


@dataclass(frozen=True)
class Point:
    """The share of prices in one band, at one number of days ahead.

    Attributes:
        x, y: percent from the left and from the top.
        text: what it is, in a sentence.
        is_off: whether it misses its promise by more than five points.
    """

    x: float
    y: float
    text: str
    is_off: bool


@dataclass(frozen=True)
class CoverageChart:
    """Points of each band over the days ahead.

    Attributes:
        points: by promise, percent.
        promises: a dashed line for each band.
        steps: numbers of days ahead.
    """

    points: dict[int, list[Point]]
    promises: list[Tick]
    steps: list[Tick]


def coverage_chart(rows: tuple[CoverageRow, ...], *, unit: str) -> CoverageChart | None:
    """Return the drawing; None where there is nothing to draw."""
    if not any(share is not None for row in rows for share in row.shares.values()):
        return None
    apart_by = (100 - 2 * _MARGIN) / max(1, len(rows) - 1)
    steps = [Tick(round(_MARGIN + place * apart_by, 2), row.step) for place, row in enumerate(rows)]
    points = {
        promise: [
            Point(
                tick.place,
                _height(share),
                f"{tick.text} {unit}{'' if tick.text == '1' else 's'} ahead: {share:.1f} % in the {promise} % band",
                abs(share - promise) > 5,
            )
            for tick, row in zip(steps, rows, strict=True)
            if (share := row.shares[promise]) is not None
        ]
        for promise in PROMISES
    }
    promises = [Tick(_height(promise), f"{promise} %") for promise in PROMISES]
    return CoverageChart(points, promises, steps)


def _height(share: float) -> float:
    return round(100 * (100 - max(share, _LOWEST)) / (100 - _LOWEST), 2)
