"""SubmittedForecasts: what every form of file becomes, before it is matched with prices."""

from dataclasses import dataclass
from typing import Literal

from stockcast.typing import Dates, Days, Floats

Kind = Literal["quantiles", "samples", "points"]
"""What was submitted; samples have become quantiles."""

POINT = 0.5
"""The level of a point forecast, which is scored as a median."""


@dataclass(frozen=True)
class SubmittedForecasts:
    """Forecasts of one series by one model, a row for each cutoff and target date, in no order.

    Attributes:
        model: its name.
        series: id of the series as the file has it; empty where the file names none.
        source: the file or DataFrame, for messages.
        cutoffs: the last day known, datetime64[D], shape (rows,); NaT where only a step says how far ahead a row is.
        targets: the day forecast, datetime64[D], shape (rows,).
        steps: days ahead as the file counts them, shape (rows,); 0 where it does not.
        levels: of the quantiles, increasing, each above 0 and below 1, 0.5 among them, shape (levels,).
        quantiles: prices, shape (rows, levels).
        kind: what was submitted.
        starts: whether the cutoffs were derived from the first day forecast: the day before it, session or not.
    """

    model: str
    series: str
    source: str
    cutoffs: Dates
    targets: Dates
    steps: Days
    levels: Floats
    quantiles: Floats
    kind: Kind = "quantiles"
    starts: bool = False
