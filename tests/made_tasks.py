"""What the tasks of the tests do; importable by the processes and nodes that do them."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from stockcast.errors import DataError
from stockcast.inputs import located

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
    """Write when it began and ended, its process, its threads and the accelerators that it sees."""
    folder.mkdir(parents=True, exist_ok=True)
    begun = time.time()
    on_message(f"begun by {os.getpid()}")
    time.sleep(seconds)
    threads = os.environ.get("OMP_NUM_THREADS")
    devices = os.environ.get("CUDA_VISIBLE_DEVICES")
    (folder / "times.txt").write_text(f"{begun} {time.time()} {os.getpid()} {threads} {devices!r}")


def count(folder: Path, *, rounds: int, seconds: float, on_message: OnMessage) -> None:
    """Write a file each round, from the one on that is there."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(len(list(folder.glob("round-*"))), rounds):
        time.sleep(seconds)
        (folder / f"round-{number}").write_text(str(os.getpid()))
    on_message(f"after {rounds}")


def tidy(folder: Path, *, on_message: OnMessage) -> None:
    """Remove what an unfinished task has left; write its result, and last the manifest."""
    (folder / "unfinished" / "part").unlink()
    (folder / "unfinished").rmdir()
    (folder / "result").write_text("result")
    time.sleep(0.01)
    (folder / "a-manifest").write_text("manifest")


def copy(folder: Path, *, path: str, on_message: OnMessage) -> None:
    """Write what stands in an input, and its path."""
    if not located(Path(path)).is_file():
        raise DataError(f"{path}: no such file.", file=path)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "copy.txt").write_text(f"{path}: {located(Path(path)).read_text()}")


def train_one(folder: Path, *, config: str, on_message: OnMessage) -> None:
    """Train a run in the folder, or the rest of it."""
    from stockcast.config.load import parse_config
    from stockcast.models.callbacks import Callbacks
    from stockcast.pipeline.resume import resume
    from stockcast.pipeline.train import train
    from stockcast.runs import RunDirectory

    callbacks = Callbacks(on_message=on_message)
    run = RunDirectory(folder / "run")
    if run.checkpoints.exist():
        resume(run, processes=1, callbacks=callbacks)
    else:
        train(parse_config(config, source="task", folder=folder), runs=folder, name="run", processes=1,
              callbacks=callbacks)  # fmt: skip
