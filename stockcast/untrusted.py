"""Files that came from somebody else: bounded before they are read, plain data when they are, plain text when shown.

A run can be mailed. Its hashes then prove only that nobody changed it on the way, not that it was ever meant well.
"""

import hashlib
import json
import os
import stat
import unicodedata
from pathlib import Path
from typing import Any

from stockcast.errors import RunError

MAX_TEXT_BYTES = 8_000_000
"""Most that is read of a JSON or text file of a run; a thousand series with their notes take 2 MB."""

_MAX_DEPTH = 20

MAX_NETWORK_BYTES = 216_000_000
"""Most that a network's file may hold: 50 million parameters (the config's bound) of 4 bytes, 16 MB for the rest."""


def printable(text: str) -> str:
    """Return text that can only be read: what would steer a terminal, turn the writing or fail to print is a `?`."""
    return "".join(
        character if character in "\n\t" or unicodedata.category(character) not in _UNPRINTABLE else "?"
        for character in text
    )


def printable_name(name: str) -> str:
    """Return a name that can only be read, on one line: a line break in it would begin a line of its own making."""
    return printable(name).replace("\n", "?").replace("\t", "?")


_UNPRINTABLE = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")


def lies_within(path: Path, folder: Path) -> bool:
    """Whether a path, all links followed, is the folder or lies in it."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links, a NUL
        return False


def fault(path: Path, *, folder: Path, most: int) -> str | None:
    """Say why a file of a run must not be read: it leads out of `folder`, is no plain file, or is too large."""
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
        raise RunError(f"{path} is damaged: {reason}. Train again.")
    try:
        with path.open("rb") as stream:
            content = stream.read(most + 1)  # it may have grown since
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror}. Train again.") from error
    if len(content) > most:
        raise RunError(f"{path} is damaged: it has more than {most:,} bytes. Train again.")
    return content


def parse_object(content: bytes, *, source: Path) -> dict[str, Any]:
    """Return the object that a JSON text holds; NaN is no JSON.

    Raises:
        RunError: it is no such text; names `source`.
    """
    try:
        value = json.loads(content.decode("utf-8"), parse_constant=_no_number)
    except RecursionError:
        raise RunError(f"{source} is damaged: it is nested too deep. Train again.") from None
    except ValueError as error:
        raise RunError(f"{source} is damaged ({error}). Train again.") from error
    if not isinstance(value, dict):
        raise RunError(f"{source} is damaged: it holds no JSON object. Train again.")
    if _is_deeper(value, _MAX_DEPTH):  # what the parser can still hold, later code would stumble over
        raise RunError(f"{source} is damaged: it is nested too deep. Train again.")
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
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_plain_relative(name: str) -> bool:
    """Whether a manifest's name of a file stays inside the run by its spelling alone."""
    return bool(name) and "\0" not in name and not os.path.isabs(name) and ".." not in Path(name).parts
