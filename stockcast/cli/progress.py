"""Progress on standard error: a bar on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Sequence
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from stockcast.models.callbacks import EpochLog
from stockcast.text import printable_name


class _ProgressBar:
    """A bar on a terminal; nothing elsewhere or when `quiet`."""

    def __init__(self, *columns: Any, quiet: bool, transient: bool = False) -> None:
        console = Console(stderr=True)
        self._is_shown = console.is_terminal and not console.is_dumb_terminal and not quiet
        common = (TextColumn("{task.description}"), BarColumn(bar_width=20), MofNCompleteColumn())
        self._bar = Progress(*common, *columns, console=console, transient=transient, disable=not self._is_shown)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


class TrainingProgress(_ProgressBar):
    """Training's progress: a bar on a terminal, a plain line an epoch elsewhere."""

    def __init__(self, *, epochs: int, workers: Sequence[Sequence[int]], quiet: bool) -> None:
        super().__init__(TimeRemainingColumn(), quiet=quiet)
        self._epochs = epochs
        self._workers = workers  # of each, the members that it trains one after the other
        self._members = sum(map(len, workers))
        self._quiet = quiet
        self._last: dict[int, EpochLog] = {}  # by member
        self._task = self._bar.add_task("loading Keras", total=epochs * self._members)

    def on_epoch_end(self, epoch: EpochLog) -> None:
        """Show one epoch."""
        losses = f"loss {epoch.loss:.4f}  val_loss {epoch.val_loss:.4f}"
        self._last[epoch.member] = epoch
        member = f"member {epoch.member}/{self._members}  " if self._members > 1 else ""
        if self._is_shown:
            first = min(self._last)  # of a resumed training; the members before it are trained
            done = sum(last.epoch for last in self._last.values()) + (first - 1) * self._epochs
            self._bar.update(self._task, completed=done, description=f"{member}epoch {epoch.epoch}  {losses}")
        elif not self._quiet:
            left = f"at most {self._seconds_left():.0f} s left"
            print(f"{member}epoch {epoch.epoch}/{self._epochs}  {losses}  {left}", file=sys.stderr, flush=True)

    def _seconds_left(self) -> float:
        """Seconds until the slowest worker is done, if no member stops early and none becomes slower."""
        slowest = max(last.seconds for last in self._last.values())  # small networks are faster by far

        def left(members: Sequence[int]) -> float:
            begun = [self._last[member] for member in members if member in self._last]
            current = (self._epochs - begun[-1].epoch) * begun[-1].seconds if begun else 0.0
            waiting = [member for member in members if not begun or member > begun[-1].member]
            return current + len(waiting) * self._epochs * slowest

        return max(map(left, self._workers))


class BaselineProgress(_ProgressBar):
    """The progress of slow baselines: a bar for each on a terminal, removed at the end; nothing elsewhere."""

    def __init__(self, *, quiet: bool) -> None:
        super().__init__(quiet=quiet, transient=True)
        self._tasks: dict[str, Any] = {}

    def on_baseline(self, baseline: str, done: int, of: int) -> None:
        """Show how many of a baseline's estimates are made."""
        if baseline not in self._tasks:
            self._tasks[baseline] = self._bar.add_task(f"estimating {baseline}", total=of)
        self._bar.update(self._tasks[baseline], completed=done)


class PoolProgress(_ProgressBar):
    """The progress of a pool: a bar on a terminal; elsewhere, where each takes its time, a plain line a series."""

    def __init__(self, *, quiet: bool, doing: str = "scoring series", is_slow: bool = True) -> None:
        super().__init__(TimeRemainingColumn(), quiet=quiet, transient=not is_slow)
        self._has_lines = is_slow and not quiet
        self._task = self._bar.add_task(doing, total=None)

    def on_series(self, name: str, done: int, of: int | None) -> None:
        """Show a series that is done, or failed."""
        if self._is_shown:
            self._bar.update(self._task, completed=done, total=of, description=f"done: {printable_name(name)}")
        elif self._has_lines:
            count = f"{done} of {of}" if of else str(done)
            print(f"{count}  {printable_name(name)}", file=sys.stderr, flush=True)
