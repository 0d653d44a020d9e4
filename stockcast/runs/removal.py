"""Removes runs: all of a run is there, or nothing of it."""

import contextlib
import os
import shutil
from pathlib import Path

from stockcast.errors import RunError
from stockcast.runs.directory import RunDirectory
from stockcast.runs.layout import BEGUN, MANIFEST, PRETRAINED, is_in_package

_REMOVED = ".removed-"
"""How the name begins that a run has while its files are removed; what is hidden is no run to any command."""


def check_removable(path: Path) -> None:
    """Refuse what is not a run of one's own, and one that is being trained.

    Args:
        path: of the run, as `locate` returns it.

    Raises:
        RunError: it is a link, it ships with stockcast, or a process trains it.
    """
    if path.is_symlink():
        raise RunError(
            f"{path} is a link to {path.resolve()}, so it is not removed. Remove the link by hand, or name the run by "
            f"its own path.",
            file=path,
        )
    if is_in_package(path):
        raise RunError(
            f"{PRETRAINED} ships with stockcast and is part of the package. Its results are a folder of that name "
            f"among your runs, which you can remove by hand.",
            file=path,
        )
    if not any((path / name).is_file() for name in (MANIFEST, BEGUN)):
        raise RunError(
            f"{path} has neither {MANIFEST} nor {BEGUN}, so it may be something else than a run. Remove it by hand.",
            file=path,
        )
    if RunDirectory(path).checkpoints.is_locked():
        raise RunError(f"{path} is being trained. Stop its training first, or wait for its end.", file=path)


def size_of(path: Path) -> int:
    """Return the bytes of all files below a directory; links are not followed."""
    total = 0
    for folder, _, files in os.walk(path, followlinks=False):
        for name in files:
            with contextlib.suppress(OSError):
                total += (Path(folder) / name).lstat().st_size
    return total


def remove(path: Path) -> int:
    """Remove a run that `check_removable` lets pass; return the bytes that were freed.

    It is renamed first, so that no command finds half of it; links in it are removed, and what they lead to is not.

    Raises:
        RunError: the disk does not allow it.
    """
    size, hidden = size_of(path), path.with_name(f"{_REMOVED}{os.getpid()}-{path.name}")
    try:
        path.rename(hidden)
    except OSError as error:
        raise RunError(f"Cannot remove {path}: {error.strerror}. It is still whole.", file=path) from error
    try:
        shutil.rmtree(hidden)
    except OSError as error:
        raise RunError(
            f"{path.name} is no run any more, but some of its files cannot be removed: {error.strerror}. Remove "
            f"{hidden} by hand.",
            file=hidden,
        ) from error
    return size
