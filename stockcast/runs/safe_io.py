"""Reads files of a run, which anybody may have made: bounded, and never through a link that leads out of the run."""

import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

from stockcast.errors import RunError
from stockcast.limits import MAX_TEXT_BYTES
from stockcast.runs.layout import is_in_package

REINSTALL = "It ships inside the package; install that again: pip install --force-reinstall stockcast"
"""The way out where a file of the run that ships is damaged."""

_MAX_DEPTH = 20


def damaged(path: Path, reason: str) -> RunError:
    """Return the error of a file that is not as stockcast writes it."""
    return RunError(f"{path} is damaged: {reason}. {REINSTALL if is_in_package(path) else 'Train again.'}", file=path)


def lies_within(path: Path, folder: Path) -> bool:
    """Whether a path, all links followed, is the folder or lies in it."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links, a NUL
        return False


def fault(path: Path, *, folder: Path, most: int) -> str | None:
    """Return why a file of a run must not be read: it leads out of `folder`, is no plain file, or is too large."""
    if not lies_within(path, folder):
        return "it is a link that leads out of the run"
    try:
        status = path.stat()
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
        return "it is no plain file"
    if status.st_size > most:
        return f"it has {status.st_size:,} bytes, and no such file of a run has more than {most:,}"
    return None


def read_bytes(path: Path, *, folder: Path, most: int = MAX_TEXT_BYTES) -> bytes:
    """Return the content of a file of the run in `folder`.

    Raises:
        RunError: it leads out of the run, is no plain file, is larger than `most` bytes, or cannot be read.
    """
    if reason := fault(path, folder=folder, most=most):
        raise damaged(path, reason)
    try:
        with path.open("rb") as stream:
            content = stream.read(most + 1)  # it may have grown since
    except OSError as error:
        raise damaged(path, f"it cannot be read: {error.strerror}") from error
    if len(content) > most:
        raise damaged(path, f"it has more than {most:,} bytes")
    return content


def parse_object(content: bytes, *, source: Path) -> dict[str, Any]:
    """Return the object in the JSON text of the file `source`; NaN is no JSON.

    Raises:
        RunError: it is no such text.
    """
    try:
        value = json.loads(content.decode("utf-8"), parse_constant=_no_number)
    except RecursionError:
        raise damaged(source, "it is nested too deep") from None
    except ValueError as error:
        raise damaged(source, str(error)) from error
    if not isinstance(value, dict):
        raise damaged(source, "it holds no JSON object")
    if _is_deeper(value, _MAX_DEPTH):  # what the parser can still hold, later code would stumble over
        raise damaged(source, "it is nested too deep")
    return value


def _is_deeper(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return bool(level)


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_plain_relative(name: str) -> bool:
    """Whether a manifest's name of a file stays inside the run by its spelling alone."""
    return bool(name) and "\0" not in name and not os.path.isabs(name) and ".." not in Path(name).parts
