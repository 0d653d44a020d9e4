"""What the tasks of the tests do; importable by the processes and nodes that do them."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from stockcast.errors import DataError

OnMessage = Callable[[str], None]


def note(folder: Path, *, text: str, on_message: OnMessage) -> None:
    """Write a text into a file of a folder in the folder."""
    on_message(f"writes {text}")
    (folder / "notes").mkdir(parents=True, exist_ok=True)
    (folder / "notes" / "note.txt").write_text(text)


def refuse(folder: Path, *, on_message: OnMessage) -> None:
    raise DataError(f"{folder}/prices.csv: no.", file=folder / "prices.csv", line=3, column="Close", value=1.5)


def stumble(folder: Path, *, on_message: OnMessage) -> None:
    raise ZeroDivisionError("a bug")


def die(folder: Path, *, times: int, on_message: OnMessage) -> None:
    """Kill its own process at the first so many tries, then write how many there were."""
    folder.mkdir(parents=True, exist_ok=True)
    tries = len(list(folder.glob("try-*")))
    (folder / f"try-{tries}").touch()
    if tries < times:
        os.kill(os.getpid(), signal.SIGKILL)


def wait(folder: Path, *, seconds: float, on_message: OnMessage) -> None:
    """Write when it began and ended, and its process."""
    folder.mkdir(parents=True, exist_ok=True)
    begun = time.time()
    on_message("begun")
    time.sleep(seconds)
    threads = os.environ.get("OMP_NUM_THREADS")
    (folder / "times.txt").write_text(f"{begun} {time.time()} {os.getpid()} {threads}")
