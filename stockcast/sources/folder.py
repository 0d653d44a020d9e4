"""The folder of price files: what stands in it, and how a file takes its place beside the entry of the manifest."""

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from stockcast.errors import RunError, StockcastError
from stockcast.runs.files import replacing
from stockcast.sources.manifest import Entry, Manifest

REPLACED = "replaced"
"""Folder of the files that stood before one was fetched anew, the last of each."""

LOCK = ".lock"
_PARTIAL = ".partial-*"  # what `replacing` writes, and a killed process leaves behind


@dataclass(frozen=True)
class StoredFile:
    """A price file as it stands.

    Attributes:
        content: its bytes.
        entry: of the manifest, if these are its bytes; None where the process was killed before the file of the entry
            took its place.
    """

    content: bytes
    entry: Entry | None

    @property
    def sha256(self) -> str:
        """The SHA-256 of its bytes, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


def stored_file(path: Path, entry: Entry | None) -> StoredFile | None:
    """Return the file that stands at a path, None for none; StockcastError if no download has put it there."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise StockcastError(f"{path} is no plain file. Move it away, or name another folder with --to.", file=path)
    if not path.exists():
        return None
    try:
        stored = StoredFile(path.read_bytes(), entry)
    except OSError as error:
        raise StockcastError(f"{path} cannot be read: {error.strerror}.", file=path) from error
    if entry is not None and stored.sha256 == entry.sha256:
        return stored
    if entry is not None and stored.sha256 == entry.replaces:
        return replace(stored, entry=None)
    how = "was changed since it was downloaded" if entry else "was not written by `stockcast download`"
    raise StockcastError(f"{path} {how}. Move it away, or name another folder with --to.", file=path)


def write_file(
    manifest: Manifest, ticker: str, entry: Entry, content: bytes, *, stored: StoredFile | None, is_anew: bool
) -> Entry:
    """Write a file and its entry, and return that with the hashes.

    The entry comes first: with the hash of the file before it tells, after a kill, which of the two stands there.

    Args:
        manifest: of the folder.
        ticker: whose file it is.
        entry: without hashes.
        content: of the new file.
        stored: what stands in its place.
        is_anew: whether all of it was fetched anew, so that the old file is kept.

    Raises:
        RunError: the disk or the folder does not allow it; the old file still stands.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    before = stored.sha256 if stored and stored.sha256 != sha256 else None
    if stored and before and is_anew:
        with replacing(manifest.folder / REPLACED / entry.file) as partial:
            partial.write_bytes(stored.content)
    entry = replace(entry, sha256=sha256, replaces=before)
    manifest.write(ticker, entry)
    if stored is None or before:
        with replacing(manifest.folder / entry.file) as partial:
            partial.write_bytes(content)
    return entry


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other downloads out of a folder, and remove what a killed one has left half written.

    Raises:
        StockcastError: another process writes into it; RunError if the disk or the folder does not allow it.
    """
    from filelock import FileLock, Timeout

    path = folder / LOCK
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        message = f"Another download writes into {folder}. Wait for it, or name another folder with --to."
        raise StockcastError(message, file=folder, key="--to") from None
    except OSError as error:
        raise RunError(f"Cannot write {path}: {error.strerror or error}.", file=path) from error
    try:
        for partial in [*folder.glob(_PARTIAL), *(folder / REPLACED).glob(_PARTIAL)]:
            with contextlib.suppress(OSError):
                partial.unlink()
        yield
    finally:
        lock.release()
