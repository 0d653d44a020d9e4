"""What a training reports while it runs, and its state after each epoch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stockcast.errors import RunError
from stockcast.typing import Floats


@dataclass(frozen=True)
class EpochLog:
    """The losses of one pass over the training windows.

    Attributes:
        epoch: its number, from 1.
        loss: mean over the training windows, dropout on, in the head's unit.
        val_loss: mean over the validation windows, dropout off, in the same unit.
        seconds: wall time of the epoch.
        member: number of the network among those that are averaged, from 1.
    """

    epoch: int
    loss: float
    val_loss: float
    seconds: float
    member: int = 1

    def monitored(self, monitor: str) -> float:
        """Return `val_loss` or `loss`, by its name."""
        return self.val_loss if monitor == "val_loss" else self.loss


def best_epoch(history: Sequence[EpochLog], monitor: str) -> EpochLog:
    """Return the epoch with the lowest `loss` or `val_loss`, the first of equals."""
    return min(history, key=lambda epoch: epoch.monitored(monitor))


_ARRAYS = ("network", "optimizer", "best")


@dataclass(frozen=True)
class TrainingState:
    """All that the next epoch of a member depends on.

    Attributes:
        history: its epochs so far, at least one.
        network: all variables of the network, including the random states of its dropout.
        optimizer: all variables of the optimizer.
        best: the weights of the epoch with the lowest monitored loss.
    """

    history: tuple[EpochLog, ...]
    network: tuple[Floats, ...]
    optimizer: tuple[Floats, ...]
    best: tuple[Floats, ...]

    def to_arrays(self) -> dict[str, Floats]:
        """Return the state as named arrays, for `from_arrays`."""
        history = np.array([(epoch.loss, epoch.val_loss, epoch.seconds) for epoch in self.history])
        named = {f"{kind}-{n:04d}": array for kind in _ARRAYS for n, array in enumerate(getattr(self, kind))}
        return {"history": history, **named}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Floats], *, member: int) -> "TrainingState":
        """Return the state of a member from the arrays of `to_arrays`.

        Raises:
            RunError: they have no valid history.
        """
        try:
            rows = [(float(loss), float(val_loss), float(seconds)) for loss, val_loss, seconds in arrays["history"]]
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"A checkpoint of member {member} has no valid history ({error}). Train again.") from error
        history = tuple(EpochLog(number, *row, member) for number, row in enumerate(rows, start=1))
        kinds = {
            kind: tuple(arrays[name] for name in sorted(arrays) if name.startswith(f"{kind}-")) for kind in _ARRAYS
        }
        return cls(history, **kinds)

    def epochs_without_improvement(self, monitor: str) -> int:
        """Return the number of epochs since the best one."""
        return len(self.history) - best_epoch(self.history, monitor).epoch


def _ignore(*_: object) -> None:
    """Do nothing."""


@dataclass(frozen=True, kw_only=True)
class Callbacks:
    """Functions to call during a long command; the default of each does nothing.

    Attributes:
        on_message: given a sentence about the data or the run, for the user.
        on_run_begin: given the run's directory, once it is written and the run can be resumed.
        on_batch_end: called between batches and between stages; may raise an exception to stop the training there.
        on_epoch_end: given each epoch.
        on_checkpoint: given the state after each epoch, before `on_epoch_end`.
        on_baseline: given the name of a slow baseline, the number of estimates done, and the number of all.
        on_series: given the name of a series that is scored, or failed, the number of those, and that of all of them
            where it is known.
        on_trial: given a trial of a tuning that has ended, in a few words, the number of those, and that of all.
    """

    on_message: Callable[[str], None] = _ignore
    on_run_begin: Callable[[Path], None] = _ignore
    on_batch_end: Callable[[], None] = _ignore
    on_epoch_end: Callable[[EpochLog], None] = _ignore
    on_checkpoint: Callable[[TrainingState], None] = _ignore
    on_baseline: Callable[[str, int, int], None] = _ignore
    on_series: Callable[[str, int, int | None], None] = _ignore
    on_trial: Callable[[str, int, int], None] = _ignore


SILENT = Callbacks()
"""No callbacks."""
