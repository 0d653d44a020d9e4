"""Whether a run is whole, damaged or unfinished, told by its files alone; nothing in them is believed or run."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from stockcast.errors import RunError
from stockcast.runs.directory import RunDirectory
from stockcast.runs.names import BEGUN, CONFIG, EVENTS, MANIFEST, SCALER, WEIGHTS, is_passing
from stockcast.untrusted import MAX_NETWORK_BYTES, fault, lies_within, printable, sha256

State = Literal["whole", "unfinished", "damaged"]

_LATER = ("evaluation", "predictions", "rivals", "explanations", EVENTS)  # written to as they please: no manifest
_MOST_FILES = 10_000


@dataclass(frozen=True)
class Condition:
    """What a look at a run's files found.

    Attributes:
        state: whole if every file of the training is there and has the SHA-256 that run.json says; unfinished if there
            is no run.json yet.
        faults: why it is damaged, one sentence for each file, which it begins with.
    """

    state: State
    faults: tuple[str, ...] = ()


def is_run(path: Path) -> bool:
    """Whether a directory holds a run, or what is left of one."""
    return any(os.path.lexists(path / name) for name in (MANIFEST, BEGUN, CONFIG))


def condition_of(path: Path) -> Condition:
    """Look at every file of the run in a directory, and hash those that training wrote."""
    if not os.path.lexists(path / MANIFEST):
        return Condition("unfinished")
    try:
        listed = RunDirectory(path).manifest()["files"]
    except RunError as error:
        return Condition("damaged", (printable(str(error)),))
    faults = [f"{name}: run.json does not list it" for name in (CONFIG, SCALER, WEIGHTS) if name not in listed]
    faults += [f"{name}: {reason}" for name, expected in listed.items() if (reason := _changed(path, name, expected))]
    faults += _strangers(path, known={MANIFEST, *listed})
    return Condition("damaged" if faults else "whole", tuple(printable(one) for one in faults))


def _changed(path: Path, name: str, expected: object) -> str | None:
    """Say what happened to a file since training wrote it, or None."""
    file = path / name
    if not os.path.lexists(file):
        return "it is missing"
    if reason := fault(file, folder=path, most=MAX_NETWORK_BYTES):
        return reason
    try:
        return None if sha256(file) == expected else "it is not the file that training wrote (SHA-256)"
    except OSError as error:
        return f"it cannot be read: {error.strerror}"


def _strangers(path: Path, *, known: set[str]) -> Iterator[str]:
    """Name what does not belong into the run, and links that lead out of it."""
    found = list(islice(_entries(path), _MOST_FILES + 1))
    for name in found[:_MOST_FILES]:
        if not lies_within(path / name, path):
            if name not in known:  # else it has been told
                yield f"{name}: it is a link that leads out of the run"
        elif (
            not (name in known or name.partition("/")[0].startswith(_LATER) or is_passing(name))
            and not (path / name).is_dir()
        ):
            yield f"{name}: it does not belong to the run"
    if len(found) > _MOST_FILES:
        yield f"{path.name}: it has more than {_MOST_FILES:,} files"


def _entries(path: Path) -> Iterator[str]:
    """Files and folders below a directory, each by its path from there; no link is followed."""
    for folder, inside, files in os.walk(path, followlinks=False):
        for name in sorted(inside + files):
            yield (Path(folder) / name).relative_to(path).as_posix()
