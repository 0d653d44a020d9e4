"""A study's journal, to which several processes append, and which of these are alive.

Optuna's own locks of a journal are files that a killed process leaves behind, for 30 seconds. The locks here are those
of the system, which end with their process, also on another machine where the disk passes them on.
"""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from stockcast.errors import RunError, StockcastError

_WORKERS = "workers"


def require_optuna() -> Any:
    """Return the library; StockcastError with the way to install it where it is missing."""
    try:
        import optuna
    except ImportError as error:
        raise StockcastError(
            "Tuning needs optuna, which is not installed. Install the extra tune: python -m pip install -c "
            'constraints.txt -e ".[tune]"',
            value="optuna",
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def open_journal(path: Path) -> Any:
    """Return an Optuna storage that keeps its records in a file, a line each.

    Raises:
        RunError: the file cannot be read or written, or is no journal.
    """
    require_optuna()
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock, JournalStorage

    class SystemLock(JournalFileOpenLock):
        """Locks the journal to append to it; a line that a killed process left unfinished is cut off first."""

        def __init__(self) -> None:
            self._own = FileLock(path.with_name("journal.lock"))

        def acquire(self) -> bool:
            self._own.acquire()
            _cut_unfinished(path)
            return True

        def release(self) -> None:
            self._own.release()

    try:
        return JournalStorage(JournalFileBackend(str(path), lock_obj=SystemLock()))
    except OSError as error:
        raise RunError(f"Cannot write {path}: {error.strerror}.", file=path) from error
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} is damaged: {error}. Choose another --name, or remove the study.", file=path) from error


def _cut_unfinished(path: Path) -> None:
    """Cut off what follows the last whole line."""
    with path.open("r+b") as stream:
        end = stream.seek(0, os.SEEK_END)
        kept = end
        while kept:
            stream.seek(kept - 1)
            if stream.read(1) == b"\n":
                break
            kept -= 1
        if kept < end:
            stream.truncate(kept)


class Workers:
    """The processes that work on a study, each with a lock that ends when it does."""

    def __init__(self, folder: Path) -> None:
        """Take part: this process is alive from now on, until `leave`."""
        self.own = secrets.token_hex(8)
        self._folder = folder / _WORKERS
        self._folder.mkdir(exist_ok=True)
        self._lock = FileLock(self._path(self.own))
        self._lock.acquire()

    def leave(self) -> None:
        """Take part no longer."""
        self._path(self.own).unlink(missing_ok=True)
        self._lock.release()

    def is_alive(self, worker: str) -> bool:
        """Whether a process takes part."""
        if worker == self.own:
            return True
        path = self._path(worker)
        if not path.exists():
            return False
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        with contextlib.suppress(OSError):
            path.unlink()
        lock.release()
        return False

    def _path(self, worker: str) -> Path:
        return self._folder / f"{worker}.lock"


@contextlib.contextmanager
def turn(folder: Path) -> Iterator[None]:
    """Keep other processes from taking a trial of the study, until the block or the process ends."""
    with FileLock(folder / "turn.lock"):
        yield
