"""Files that are whole or not there: written under a temporary name, flushed, moved into place."""

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from stockcast.errors import RunError

PARTIAL = ".partial-"
"""How the temporary names begin; a process that was killed may leave one behind."""


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; when the block ends well, it is on the disk and takes `path`'s place.

    Raises:
        RunError: the disk or the folder does not allow it; what stood at `path` still stands.
    """
    partial = path.with_name(f"{PARTIAL}{os.getpid()}-{path.name}")
    try:
        yield partial
        _flush(partial)
        os.replace(partial, path)
        if os.name == "posix":  # the new name itself is on the disk only once the folder is
            _flush(path.parent)
    except OSError as error:
        raise RunError(f"Cannot write {path}: {error.strerror or error}.") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
