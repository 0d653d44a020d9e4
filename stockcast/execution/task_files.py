"""The files of a task on their way between two machines: what has changed in its folder, and what it reads."""

import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stockcast.inputs import inside
from stockcast.runs.files import replacing
from stockcast.runs.layout import LOCK, PARTIAL
from stockcast.runs.safe_io import sha256

Stamps = dict[str, tuple[int, int]]
"""Name of a file in a folder -> when it was written, in ns, and its size."""


@dataclass(frozen=True)
class Changes:
    """What has changed in a folder.

    Attributes:
        written: the content of each file that is new or another, in the order in which they were written.
        removed: the files that are gone.
    """

    written: Mapping[str, bytes]
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.written or self.removed)

    def apply_to(self, folder: Path) -> None:
        """Make the changes in another folder, each file whole or not at all; RunError if the disk does not allow it.

        What was written last is written last: a run's manifest, which lists its other files.
        """
        for name, content in self.written.items():
            with replacing(folder / name) as partial:
                partial.write_bytes(content)
        for name in self.removed:
            with suppress(OSError):
                (folder / name).unlink()
                (folder / name).parent.rmdir()  # where it was the last file there


def stamps_of(folder: Path) -> Stamps:
    """Return the stamp of every file in a folder, but for locks and those that are half written."""
    stamps = {}
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # replaced or removed since
            status = path.stat()
            if path.is_file() and path.name != LOCK and not path.name.startswith(PARTIAL):
                stamps[path.relative_to(folder).as_posix()] = (status.st_mtime_ns, status.st_size)
    return stamps


def changes_since(folder: Path, known: Stamps) -> tuple[Changes, Stamps]:
    """Return what has changed in a folder since these stamps, and the stamps of now."""
    stamps = stamps_of(folder)  # before the contents are read: what is written meanwhile is a change of next time
    written = {}
    for name in sorted(stamps, key=lambda name: stamps[name]):
        if stamps[name] != known.get(name):
            try:
                written[name] = (folder / name).read_bytes()
            except FileNotFoundError:
                del stamps[name]
    return Changes(written, tuple(name for name in known if name not in stamps)), stamps


@dataclass(frozen=True)
class Input:
    """A file that a task reads.

    Attributes:
        path: of the machine that gives out the task, absolute.
        sha256: of its content.
        content: in one place, what its content can be fetched by. Ray would send along what stands here by itself.
    """

    path: Path
    sha256: str
    content: tuple[Any]


def lay_out(inputs: tuple[Input, ...], folder: Path, *, fetch: Callable[[Any], bytes]) -> None:
    """Lay the inputs of a task into a folder, each at its own path below it, see `stockcast.inputs`.

    One that this machine has at the same path is not fetched, nor one that was fetched for another task.
    """
    for given in inputs:
        place = inside(folder, given.path)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(given.path if _is_here(given) else _fetched(given, fetch))


def _is_here(given: Input) -> bool:
    try:
        return given.path.is_file() and sha256(given.path) == given.sha256
    except OSError:
        return False


def _fetched(given: Input, fetch: Callable[[Any], bytes]) -> Path:
    """Return the file of an input among those that tasks have brought to this machine, fetched if it is not there."""
    path = scratch_folder() / "inputs" / given.sha256
    if not path.is_file():
        with replacing(path) as partial:
            partial.write_bytes(fetch(given.content[0]))
    return path


def scratch_folder() -> Path:
    """Return the folder of this user's tasks on this machine."""
    user = os.getuid() if hasattr(os, "getuid") else ""
    return Path(tempfile.gettempdir()).resolve() / f"stockcast-{user}"
