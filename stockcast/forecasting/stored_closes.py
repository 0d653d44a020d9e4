"""The closes that a run was trained on, which show whether a price file has only grown since, or was changed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stockcast.data.prices import Prices
from stockcast.runs.directory import RunDirectory
from stockcast.runs.layout import CLOSES
from stockcast.runs.safe_io import damaged
from stockcast.text import price_text
from stockcast.typing import Dates, Floats

_MOST_ROWS = 500_000
"""Of all series together, 6 MB: a hundred series of twenty years. A run of more stores none."""

_CHANGES_SHOWN = 5


@dataclass(frozen=True)
class SeriesCloses:
    """The closes of one series of a training.

    Attributes:
        dates: rising, datetime64[D], shape (days,).
        closes: to seven digits, as of `Prices.closes_sha256`, shape (days,).
    """

    dates: Dates
    closes: Floats

    def changes(self, prices: Prices) -> tuple[str, ...]:
        """Return what a newer file of the series has otherwise between the first and the last of these days, by day.

        A file that has only grown since has no change.
        """
        dates, closes = prices.dates, prices.column("Close").astype(np.float32)
        inside = (dates >= self.dates[0]) & (dates <= self.dates[-1])
        then = dict(zip(self.dates.tolist(), self.closes.astype(np.float32), strict=True))
        now = dict(zip(dates[inside].tolist(), closes[inside], strict=True))
        return tuple(
            _change(day, then, now) for day in sorted(then.keys() | now.keys()) if then.get(day) != now.get(day)
        )


def _change(day: object, then: dict[object, np.float32], now: dict[object, np.float32]) -> str:
    if day not in now:
        return f"{day} is no longer there"
    if day not in then:
        return f"{day} was not there"
    return f"{day} was {price_text(float(then[day]))} and is {price_text(float(now[day]))}"


def changes_text(changes: Sequence[str]) -> str:
    """Return the first changes in a sentence, and how many more there are."""
    more = len(changes) - _CHANGES_SHOWN
    return "; ".join([*changes[:_CHANGES_SHOWN], *([f"and {more:,} more"] if more > 0 else [])])


def write_closes(run: RunDirectory, series: Sequence[Prices]) -> None:
    """Store the closes of all series of a training, in their order, unless they are too many."""
    days = [len(prices.dates) for prices in series]
    if sum(days) <= _MOST_ROWS:
        run.write_closes(
            days=np.array(days),
            dates=np.concatenate([prices.dates for prices in series]),
            closes=np.concatenate([prices.column("Close") for prices in series]),
        )


def stored_closes(run: RunDirectory) -> tuple[SeriesCloses, ...] | None:
    """Return what `write_closes` stored, a value for each series; None of a run without. RunError if it is damaged."""
    arrays = run.closes()
    if arrays is None:
        return None
    days, dates, closes = arrays["days"], arrays["dates"], arrays["closes"]
    path = run.path / CLOSES
    if days.ndim != 1 or (days < 1).any() or not dates.shape == closes.shape == (days.sum(),):
        raise damaged(path, "its arrays do not fit each other")
    if len(days) != len(run.trained_on()):
        raise damaged(path, "it has not as many series as the training")
    borders = np.cumsum(days)[:-1]
    return tuple(map(SeriesCloses, np.split(dates, borders), np.split(closes, borders)))
