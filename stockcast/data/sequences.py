"""Windows -> sequences: days in a row, of which each has targets once the window is full.

    days of a sequence of 10, window 4     0 1 2 3 4 5 6 7 8 9
    origins                                      ^ ^ ^ ^ ^ ^ ^

A recurrent network with an output on every day is trained on as many targets in one pass as by that many windows, each
of which it would begin anew. The first output has seen `window` days, as when it forecasts; later ones more.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from stockcast.data.windows import WindowDataset
from stockcast.typing import Days, Floats

_STEPS = 16
"""Numbers of days ahead that have targets, at least. The outputs of a network are smooth curves over the horizon, and
the returns over 20 and over 21 days nearly the same: targets at all of 50 take three times the memory, and half as much
time again."""


@dataclass(frozen=True)
class SequenceDataset:
    """Sequences cut from the windows of one series or several.

    A sequence holds one series' days in a row, none before the first window of its stretch of origins and none after
    the last. Where a stretch ends before the sequence does, its last day is repeated, and these days have weight 0.

    Attributes:
        windows: those whose origins the sequences hold; consecutive origins are a stretch.
        length: days of a sequence, more than the window.
        firsts: index of each sequence's first origin among those of the windows, shape (sequences,).
        counts: its origins, at most length - window + 1, shape (sequences,).
    """

    windows: WindowDataset
    length: int
    firsts: Days
    counts: Days

    @classmethod
    def cut(cls, windows: WindowDataset, length: int) -> "SequenceDataset":
        """Cut the windows into sequences from the start of each stretch on, so that every origin is in one."""
        return cls(windows, length, *_cuts(windows.origins, length - windows.window + 1))

    def __len__(self) -> int:
        return len(self.firsts)

    @property
    def origin_count(self) -> int:
        """Origins of all sequences."""
        return int(self.counts.sum())

    @property
    def step_interval(self) -> int:
        """Days ahead from one that has targets to the next; the first one has."""
        return max(1, self.windows.horizon // _STEPS)

    @property
    def most_origins(self) -> int:
        """Origins of a whole sequence."""
        return self.length - self.windows.window + 1

    def draw(self, generator: np.random.Generator, most: int | None = None) -> "SequenceDataset":
        """Return sequences for one epoch, shuffled, and cut at other days than those of the epoch before.

        Args:
            generator: draws where each stretch is cut, and the order.
            most: about how many origins they hold; None for as many as there are, few of which are left out. Every draw
                has the same number of sequences, though not of origins.
        """
        firsts, counts = _cuts(self.windows.origins, self.most_origins, generator)
        origins = min(len(self.windows), most or len(self.windows))
        # As large a share of the sequences as of the origins: short stretches make short sequences.
        order = generator.permutation(len(firsts))[: -(-len(self) * origins // len(self.windows))]
        return replace(self, firsts=firsts[order], counts=counts[order])

    def batch(self, rows: slice) -> tuple[Floats, Floats, Floats]:
        """Return inputs, targets and weights of some sequences, float32.

        Returns:
            Inputs of shape (sequences, length, features); targets (sequences, origins, steps), of several columns
            (sequences, origins, steps, columns), where steps are `step_interval` days apart; weights (sequences,
            origins), 0 for repeated days, so large that their mean over all sequences is 1.
        """
        firsts, counts = self.firsts[rows], self.counts[rows]
        origins = self.windows.origins
        rows_of_windows = np.minimum(np.arange(self.most_origins), counts[:, None] - 1) + firsts[:, None]
        days = origins[firsts][:, None] + np.arange(1 - self.windows.window, self.most_origins)
        days = np.minimum(days, origins[firsts + counts - 1][:, None])
        targets = self.windows.targets(rows_of_windows.ravel())[:, :: self.step_interval]
        weights = np.arange(self.most_origins) < counts[:, None]
        return (
            self.windows.scaled[days].astype(np.float32, copy=False),
            targets.reshape(*rows_of_windows.shape, *targets.shape[1:]),
            (weights * (len(self) * self.most_origins / self.counts.sum())).astype(np.float32),
        )


def _cuts(origins: Days, length: int, generator: np.random.Generator | None = None) -> tuple[Days, Days]:
    """Cut each stretch of consecutive origins into pieces of this length, the first one shorter by chance.

    Returns:
        Index of each piece's first origin, and its number of origins.
    """
    borders = [0, *(np.flatnonzero(np.diff(origins) != 1) + 1), len(origins)]
    firsts = [np.empty(0, dtype=np.intp)]
    counts = [np.empty(0, dtype=np.intp)]
    for start, end in pairwise(borders):
        shorter = int(generator.integers(length)) if generator is not None else 0
        starts = np.maximum(np.arange(start - shorter, end, length), start)
        firsts.append(starts)
        counts.append(np.diff(starts, append=end))
    return np.concatenate(firsts), np.concatenate(counts)
