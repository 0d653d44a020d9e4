"""Days -> training, validation, calibration and test, by target date, so that no target crosses a border.

    training        validation     calibration    test
    |---------------|--------------|--------------|--------------|
                    ^ stops        ^ widens bands ^ is reported

An origin belongs to the part that holds *all* its target days. Its inputs may look back across a border; its targets
never reach across it, so the last `horizon` - 1 days of each part are targets but never the first target of an origin.

Validation may be blocks within the training days instead, so that what stops a training has seen more than one kind of
market. Then neither the targets nor the window of an origin of training touch a block:

    training      | validation |  training        | validation |  training   calibration    test
    |-------------|------------|<window>----------|------------|<window>-----|--------------|--------------|
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from stockcast.errors import NotEnoughDays
from stockcast.text import plural
from stockcast.typing import Dates, Days

Part = Literal["training", "validation", "calibration", "test"]
PARTS: tuple[Part, ...] = ("training", "validation", "calibration", "test")

Border = float | date
"""Where a part starts: a share of all days that the part takes, or the date of its first day."""

Blocks = tuple[tuple[date, date], ...]
"""First and last day of each block of validation days, oldest first, all before calibration."""


@dataclass(frozen=True)
class Split:
    """Where each part of the days begins and ends.

    Attributes:
        days: first day of training, validation, calibration, test, and one past the last day: five indices, increasing.
        blocks: of validation days within the training part; validation is then empty in `days`.
    """

    days: tuple[int, int, int, int, int]
    blocks: tuple[slice, ...] = ()

    def part(self, part: Part) -> slice:
        """Return the target days of a part, as a slice of day indices; of training, with any blocks in it."""
        index = PARTS.index(part)
        return slice(self.days[index], self.days[index + 1])

    def training_stretches(self) -> list[slice]:
        """Return the training days without the blocks of validation in them, as slices of day indices."""
        span = self.part("training")
        firsts = [span.start, *(block.stop for block in self.blocks)]
        stretches = zip(firsts, [*(block.start for block in self.blocks), span.stop], strict=True)
        return [slice(first, stop) for first, stop in stretches if first < stop]

    def origins(self, part: Part, *, window: int, horizon: int, required: bool = True) -> Days:
        """Return the origins whose `window` days exist and whose `horizon` target days all lie in the part.

        NotEnoughDays if there are none, though `required`.
        """
        span = self.part(part)
        # The first target is the day after the origin. A window may look back to the part before, but not into a block.
        first = max(span.start - 1, window - 1)
        stretches = [(first, span.stop)]
        if self.blocks and part == "training":
            stretches = [
                (first if stretch.start == span.start else stretch.start + window - 1, stretch.stop)
                for stretch in self.training_stretches()
            ]
        elif self.blocks and part == "validation":
            stretches = [(max(block.start - 1, window - 1), block.stop) for block in self.blocks]
        origins = np.concatenate([np.arange(start, max(start, stop - horizon)) for start, stop in stretches])
        if required and not len(origins):
            days, needed = span.stop - span.start, horizon + (window if part == "training" else 0)
            raise NotEnoughDays(
                f"The {part} part has {plural(days, 'bar')}, but a window of {window} and a horizon of {horizon} need "
                "at least "
                f"{needed} there. Use a longer file, give the part more bars (split in the config), or lower window "
                f"and horizon.",
                key=f"split.{part}",
                value=days,
            )
        return origins


def split_days(dates: Dates, *, validation: Border | Blocks, calibration: Border, test: Border) -> Split:
    """Divide trading days, oldest first, into four parts in the order of time; the test runs to the last day.

    NotEnoughDays if a part is empty or the borders are out of order.
    """
    days = len(dates)
    starts = [days]
    later = (("test", test), ("calibration", calibration))
    for name, border in later if isinstance(validation, tuple) else (*later, ("validation", validation)):
        start = _first_day(dates, border) if isinstance(border, date) else starts[0] - round(border * days)
        if not 0 < start < starts[0]:
            raise NotEnoughDays(
                f"split.{name}: {border} leaves no bar for it or none before it; the data run from {dates[0]} to "
                f"{dates[-1]} ({days} bars). The parts follow each other: training, validation, calibration, test.",
                key=f"split.{name}",
                value=border,
            )
        starts.insert(0, start)
    if not isinstance(validation, tuple):
        return Split((0, starts[0], starts[1], starts[2], days))
    first = dates[starts[0]]
    if np.datetime64(validation[-1][1]) >= first:
        raise NotEnoughDays(
            f"split.validation: its last block ends on {validation[-1][1]}, and calibration begins on {first}. "
            "Blocks of validation lie within the training days, before split.calibration.",
            key="split.validation",
            value=str(validation[-1][1]),
        )
    split = Split((0, starts[0], starts[0], starts[1], days), _blocks(dates, validation))
    if not split.blocks:
        raise NotEnoughDays(
            f"split.validation: no bar lies in its blocks; the data run from {dates[0]} to {dates[-1]}.",
            key="split.validation",
        )
    return split


def split_at(dates: Dates, *, validation: date | Blocks, calibration: date, test: date) -> Split:
    """Divide the days of one series of several at the same dates as the others; a part it does not reach is empty."""
    calibration_start, test_start = (_first_day(dates, day) for day in (calibration, test))
    if isinstance(validation, tuple):
        days = (0, calibration_start, calibration_start, test_start, len(dates))
        return Split(days, _blocks(dates, validation))
    return Split((0, _first_day(dates, validation), calibration_start, test_start, len(dates)))


def _first_day(dates: Dates, border: date) -> int:
    return int(np.searchsorted(dates, np.datetime64(border)))


def _blocks(dates: Dates, validation: Blocks) -> tuple[slice, ...]:
    """Return the blocks as slices of day indices; those that the series does not reach are left out."""
    spans = (
        slice(_first_day(dates, first), int(np.searchsorted(dates, np.datetime64(last), side="right")))
        for first, last in validation
    )
    return tuple(span for span in spans if span.start < span.stop)
