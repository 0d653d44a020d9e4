"""The closes that a run was trained on, which show whether a price file has only grown since, or was changed."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from stockcast.data.prices import Prices
from stockcast.runs.directory import RunDirectory
from stockcast.runs.layout import CLOSES
from stockcast.runs.safe_io import damaged
from stockcast.text import price_text
from stockcast.typing import Dates, Days, Floats

_MOST_ROWS = 500_000
"""Of all series together, 5 MB: a hundred series of twenty years. A run of more stores none."""

_CHANGES_SHOWN = 5


@dataclass(frozen=True)
class SeriesCloses:
    """The closes of one series of a training, and a checksum of each row.

    Attributes:
        dates: rising, datetime64[D], shape (days,).
        closes: to seven digits, as of `Prices.closes_sha256`, shape (days,).
        checksums: of all prices and the volume of each day, shape (days,).
    """

    dates: Dates
    closes: Floats
    checksums: Days

    def changes(self, prices: Prices) -> tuple[str, ...]:
        """Return what a newer file of the series has otherwise between the first and the last of these days, by day.

        A file that has only grown since has no change.
        """
        inside = (prices.dates >= self.dates[0]) & (prices.dates <= self.dates[-1])
        newer = prices.with_rows(np.flatnonzero(inside))
        then = self._by_day()
        now = SeriesCloses(newer.dates, newer.column("Close"), checksums(newer))._by_day()
        days = (day for day in sorted(then.keys() | now.keys()) if then.get(day) != now.get(day))
        return tuple(_change(day, then.get(day), now.get(day)) for day in days)

    def _by_day(self) -> dict[date, tuple[float, int]]:
        closes = self.closes.astype(np.float32).tolist()
        return dict(zip(self.dates.tolist(), zip(closes, self.checksums.tolist(), strict=True), strict=True))


def _change(day: date, then: tuple[float, int] | None, now: tuple[float, int] | None) -> str:
    if now is None:
        return f"{day} is no longer there"
    if then is None:
        return f"{day} was not there"
    if then[0] == now[0]:
        return f"{day} has the same close, and another price or volume"
    return f"{day} was {price_text(then[0])} and is {price_text(now[0])}"


def checksums(prices: Prices) -> Days:
    """Return a checksum of each row by all its columns, to seven digits, shape (days,)."""
    names = sorted(prices.bars.columns)
    rows = prices.bars[names].to_numpy(dtype=np.float32)
    return np.array([zlib.crc32(row.tobytes()) for row in rows], dtype=np.int64)


def changes_text(changes: Sequence[str]) -> str:
    """Return the first changes in a sentence, and how many more there are."""
    more = len(changes) - _CHANGES_SHOWN
    return "; ".join([*changes[:_CHANGES_SHOWN], *([f"and {more:,} more"] if more > 0 else [])])


def write_closes(run: RunDirectory, series: Sequence[Prices]) -> None:
    """Store the closes of all series of a training, in their order, unless they are too many."""
    days = [len(prices.dates) for prices in series]
    if sum(days) <= _MOST_ROWS:
        series = list(series)
        run.write_closes(
            days=np.array(days),
            dates=np.concatenate([prices.dates for prices in series]),
            closes=np.concatenate([prices.column("Close") for prices in series]),
            checksums=np.concatenate([checksums(prices) for prices in series]),
        )


def stored_closes(run: RunDirectory) -> tuple[SeriesCloses, ...] | None:
    """Return what `write_closes` stored, a value for each series; None of a run without. RunError if it is damaged."""
    arrays = run.closes()
    if arrays is None:
        return None
    days, path = arrays.pop("days"), run.path / CLOSES
    if days.ndim != 1 or (days < 1).any() or any(array.shape != (days.sum(),) for array in arrays.values()):
        raise damaged(path, "its arrays do not fit each other")
    if len(days) != len(run.trained_on()):
        raise damaged(path, "it has not as many series as the training")
    borders = np.cumsum(days)[:-1]
    parts = (np.split(arrays[name], borders) for name in ("dates", "closes", "checksums"))
    return tuple(map(SeriesCloses, *parts))
