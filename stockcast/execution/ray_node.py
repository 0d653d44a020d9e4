"""What is done on a node of a Ray cluster: one task, in a folder of the node's own.

The caller is sent messages, the files as they are written, and how the task ended; of files, only what has changed.
"""

import json
import os
import platform
import queue
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import Any
from uuid import uuid4

from stockcast.errors import StockcastError
from stockcast.execution.parent import error_message
from stockcast.execution.task_files import Changes, Input, changes_since, lay_out, scratch_folder, stamps_of
from stockcast.execution.task_worker import perform
from stockcast.execution.tasks import Task
from stockcast.inputs import BROUGHT_TO

BETWEEN_FILES = 20.0
"""Seconds between two looks at what an unfinished task has written: more than that is not lost with a node."""


def do(
    task: Task,
    files: Changes,
    inputs: tuple[Input, ...],
    versions: dict[str, str],
    fetch: Callable[[Any], bytes] | None = None,
) -> Iterator[dict[str, Any]]:
    """Do a task; yield the messages of `perform`, and `{"files": Changes}` before the last one and now and then.

    Args:
        task: as the caller has it.
        files: what its folder holds already.
        inputs: the files that it reads.
        versions: of the caller, see `versions_here`; another one is an error of the task.
        fetch: turns the content of an input into bytes; None for `ray.get`.
    """
    if reason := differing(versions, versions_here(list(versions)), node=platform.node()):
        yield {"done": error_message(StockcastError(reason))}
        return
    if fetch is None:
        import ray

        fetch = ray.get
    with _place() as place:
        folder = place / task.folder.name
        files.apply_to(folder)
        known = stamps_of(folder)
        lay_out(inputs, place / "inputs", fetch=fetch)
        os.environ[BROUGHT_TO] = str(place / "inputs")
        inbox: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        worker = threading.Thread(target=perform, args=(replace(task, folder=folder), inbox.put), daemon=True)
        worker.start()
        message: dict[str, Any] = {}
        while not {"done", "fault"} & message.keys():
            try:
                message = inbox.get(timeout=BETWEEN_FILES)
            except queue.Empty:
                message = {}
            if "message" not in message:
                changes, known = changes_since(folder, known)
                if changes:
                    yield {"files": changes}
            if message:
                yield _as_of(message, folder, task.folder)
        del os.environ[BROUGHT_TO]


def versions_here(names: list[str]) -> dict[str, str]:
    """Return the versions of Python and of installed packages, by these names; `none` for what is not installed."""
    return {name: platform.python_version() if name == "python" else _version(name) for name in names}


def differing(wanted: dict[str, str], found: dict[str, str], *, node: str) -> str | None:
    """Return why a node with versions `found` is refused where the caller has `wanted`; None where they are equal."""
    others = [name for name in wanted if found.get(name) != wanted[name]]
    if not others:
        return None
    listed = "; ".join(f"{name} {found.get(name)} there, {wanted[name]} here" for name in others)
    return (
        f"The node {node} of the Ray cluster has other versions than this machine: {listed}. Results would differ in "
        f"their last bits. Install the same versions on every node."
    )


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "none"


@contextmanager
def _place() -> Iterator[Path]:
    """Yield a folder for one task, which is removed at the end; so are those whose processes were killed."""
    from filelock import FileLock, Timeout

    base = scratch_folder() / "tasks"
    base.mkdir(parents=True, exist_ok=True)
    for path in base.glob("*.lock"):
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except (OSError, Timeout):  # a living process has it
            continue
        shutil.rmtree(path.with_suffix(""), ignore_errors=True)
        path.unlink(missing_ok=True)
        lock.release()
    place = base / uuid4().hex
    with FileLock(place.with_suffix(".lock")):
        place.mkdir()
        try:
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)
            place.with_suffix(".lock").unlink(missing_ok=True)


def _as_of(message: dict[str, Any], folder: Path, original: Path) -> dict[str, Any]:
    """Return a message with the caller's folder in place of the node's."""
    here, there = (json.dumps(str(path))[1:-1] for path in (folder, original))
    plain: dict[str, Any] = json.loads(json.dumps(message, default=str).replace(here, there))
    return plain
