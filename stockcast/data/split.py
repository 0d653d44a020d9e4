"""Days -> training, validation, calibration and test, by target date, so that no target crosses a border.

    training        validation     calibration    test
    |---------------|--------------|--------------|--------------|
                    ^ stops        ^ widens bands ^ is reported

An origin belongs to the part that holds *all* its target days. Its inputs may look back across a border; its targets
never reach across it, so the last `horizon` - 1 days of each part are targets but never the first target of an origin.
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


@dataclass(frozen=True)
class Split:
    """Where each part of the days begins and ends.

    Attributes:
        days: first day of training, validation, calibration, test, and one past the last day: five indices, increasing.
    """

    days: tuple[int, int, int, int, int]

    def part(self, part: Part) -> slice:
        """Return the target days of a part, as a slice of day indices."""
        index = PARTS.index(part)
        return slice(self.days[index], self.days[index + 1])

    def origins(self, part: Part, *, window: int, horizon: int, required: bool = True) -> Days:
        """Return the origins whose `window` days exist and whose `horizon` target days all lie in the part.

        NotEnoughDays if there are none, though `required`.
        """
        span = self.part(part)
        first = max(span.start - 1, window - 1)  # the first target is the day after the origin
        origins = np.arange(first, max(first, span.stop - horizon))
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


def split_days(dates: Dates, *, validation: Border, calibration: Border, test: Border) -> Split:
    """Divide trading days, oldest first, into four parts in the order of time; the test runs to the last day.

    NotEnoughDays if a part is empty or the borders are out of order.
    """
    days = len(dates)
    starts = [days]
    for name, border in (("test", test), ("calibration", calibration), ("validation", validation)):
        start = _first_day(dates, border) if isinstance(border, date) else starts[0] - round(border * days)
        if not 0 < start < starts[0]:
            raise NotEnoughDays(
                f"split.{name}: {border} leaves no bar for it or none before it; the data run from {dates[0]} to "
                f"{dates[-1]} ({days} bars). The parts follow each other: training, validation, calibration, test.",
                key=f"split.{name}",
                value=border,
            )
        starts.insert(0, start)
    return Split((0, starts[0], starts[1], starts[2], days))


def split_at(dates: Dates, *, validation: date, calibration: date, test: date) -> Split:
    """Divide the days of one series of several at the same dates as the others; a part it does not reach is empty."""
    validation_start, calibration_start, test_start = (
        _first_day(dates, day) for day in (validation, calibration, test)
    )
    return Split((0, validation_start, calibration_start, test_start, len(dates)))


def _first_day(dates: Dates, border: date) -> int:
    return int(np.searchsorted(dates, np.datetime64(border)))
