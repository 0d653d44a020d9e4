"""Days -> training, validation, calibration and test, by target date, so that no target crosses a border.

    training        validation     calibration    test
    |---------------|--------------|--------------|--------------|
                    ^ stops        ^ widens bands ^ is reported

An origin belongs to the part that holds *all* its target days. Its inputs may look back across a border; its targets
never reach across one, so the last `horizon` - 1 days of each part are targets but not origins' first targets.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np

from stockcast.errors import NotEnoughDays
from stockcast.forecast import Dates, Days

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

        Raises:
            NotEnoughDays: there is none, though one is required.
        """
        span = self.part(part)
        first = max(span.start - 1, window - 1)  # the first target is the day after the origin
        origins = np.arange(first, max(first, span.stop - horizon))
        if required and not len(origins):
            raise NotEnoughDays(
                f"The {part} part has {span.stop - span.start} days, but a window of {window} and a horizon of "
                f"{horizon} need at least {horizon + (window if part == 'training' else 0)} there. Use a longer file, "
                f"give the part more days (split in the config), or lower window and horizon."
            )
        return origins


def split_days(dates: Dates, *, validation: Border, calibration: Border, test: Border) -> Split:
    """Divide the days into four parts, in the order of time.

    Args:
        dates: trading days, oldest first, shape (days,).
        validation: share of the days, or first day, of the part that stops training.
        calibration: the same, of the part that calibrates the bands.
        test: the same, of the part that is reported; it runs to the last day.

    Raises:
        NotEnoughDays: a part is empty or the dates are out of order.
    """
    days = len(dates)
    borders = [days]
    for name, border in (("test", test), ("calibration", calibration), ("validation", validation)):
        if isinstance(border, date):
            start = int(np.searchsorted(dates, np.datetime64(border)))
        else:
            start = borders[0] - round(border * days)
        if not 0 < start < borders[0]:
            raise NotEnoughDays(
                f"split.{name}: {border} leaves no day for it or none before it; the data run from {dates[0]} to "
                f"{dates[-1]} ({days} days). The parts follow each other: training, validation, calibration, test."
            )
        borders.insert(0, start)
    training_start, validation_start, calibration_start, test_start = 0, *borders[:3]
    return Split((training_start, validation_start, calibration_start, test_start, days))


def split_at(dates: Dates, *, validation: date, calibration: date, test: date) -> Split:
    """Divide the days of one series of several at the same dates as the others; a part it does not reach is empty."""
    borders = np.searchsorted(dates, [np.datetime64(day) for day in (validation, calibration, test)])
    validation_start, calibration_start, test_start = (int(border) for border in borders)
    return Split((0, validation_start, calibration_start, test_start, len(dates)))
