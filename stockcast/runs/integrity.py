"""Whether a run is whole, damaged or unfinished, by its files alone; nothing in them is trusted or run."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from stockcast.errors import RunError
from stockcast.limits import MAX_NETWORK_BYTES
from stockcast.runs.directory import RunDirectory
from stockcast.runs.layout import CONFIG, EVENTS, MANIFEST, SCALER, SCORES, WEIGHTS, is_passing
from stockcast.runs.safe_io import fault, lies_within, sha256
from stockcast.text import printable

State = Literal["whole", "unfinished", "damaged"]

# Written to as they please: no manifest.
_LATER = ("evaluation", "predictions", "rivals", "explanations", "reports", EVENTS, SCORES)
_MOST_FILES = 100_000  # seven for each series that was scored


@dataclass(frozen=True)
class Integrity:
    """The state of a run's files.

    Attributes:
        state: whole if every file of the training has the SHA-256 that run.json lists; unfinished without run.json.
        faults: why it is damaged: a sentence for each file, beginning with its name.
    """

    state: State
    faults: tuple[str, ...] = ()


def check_integrity(path: Path) -> Integrity:
    """Check every file of the run in a directory, and hash those that training wrote."""
    if not os.path.lexists(path / MANIFEST):
        return Integrity("unfinished")
    try:
        listed = RunDirectory(path).manifest()["files"]
    except RunError as error:
        return Integrity("damaged", (printable(str(error)),))
    faults = [f"{name}: run.json does not list it" for name in (CONFIG, SCALER, WEIGHTS) if name not in listed]
    faults += [f"{name}: {reason}" for name, expected in listed.items() if (reason := _changed(path, name, expected))]
    faults += _unlisted(path, known={MANIFEST, *listed})
    return Integrity("damaged" if faults else "whole", tuple(map(printable, faults)))


def _changed(path: Path, name: str, expected: object) -> str | None:
    """Return what happened to a file since training wrote it, or None."""
    file = path / name
    if not os.path.lexists(file):
        return "it is missing"
    if reason := fault(file, folder=path, most=MAX_NETWORK_BYTES):
        return reason
    try:
        return None if sha256(file) == expected else "it is not the file that training wrote (SHA-256)"
    except OSError as error:
        return f"it cannot be read: {error.strerror}"


def _unlisted(path: Path, *, known: set[str]) -> Iterator[str]:
    """Name what does not belong into the run, and links that lead out of it."""
    names = list(islice(_entries(path), _MOST_FILES + 1))
    for name in names[:_MOST_FILES]:
        if not lies_within(path / name, path):
            if name not in known:  # else it is reported already
                yield f"{name}: it is a link that leads out of the run"
        elif (
            not (name in known or name.partition("/")[0].startswith(_LATER) or is_passing(name))
            and not (path / name).is_dir()
        ):
            yield f"{name}: it does not belong to the run"
    if len(names) > _MOST_FILES:
        yield f"{path.name}: it has more than {_MOST_FILES:,} files"


def _entries(path: Path) -> Iterator[str]:
    """Yield the paths of files and folders below a directory, from there; no link is followed."""
    for folder, inside, files in os.walk(path, followlinks=False):
        for name in sorted(inside + files):
            yield (Path(folder) / name).relative_to(path).as_posix()
