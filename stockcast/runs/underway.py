"""A training on its way: what it began with, how far it has come, and that nobody else trains it."""

import contextlib
import hashlib
import io
import zipfile
from collections.abc import Iterator
from typing import Any, cast

import numpy as np

from stockcast.errors import RunError
from stockcast.forecast import Floats
from stockcast.runs.files import RunFiles, now
from stockcast.runs.names import BEGUN, CHECKPOINTS, CONFIG, LOCK, PARTIAL
from stockcast.untrusted import read_bytes, sha256

_CHECKPOINTS_KEPT = 2
_LARGEST_CHECKPOINT = 2**30  # bytes; a network of the most parameters that a config admits stays below


class Underway(RunFiles):
    """What a run holds until it is finished."""

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other process from training this run; the lock ends with the process, however that ends.

        Raises:
            RunError: another process trains it.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.path / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise RunError(
                f"{self.path} is being trained by another process. Wait for it, or choose another --name."
            ) from None
        except OSError as error:
            raise RunError(f"Cannot write {self.path / LOCK}: {error.strerror or error}.") from error
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                (self.path / LOCK).unlink()
            lock.release()

    def begin(self, config: str, details: dict[str, Any]) -> None:
        """Store the config as resolved, YAML, and what else a training that is taken up again must find unchanged."""
        self._write_text(CONFIG, config)
        hashes = {CONFIG: sha256(self.path / CONFIG)}
        self._write_json(BEGUN, {"created": now(), **details, "files": hashes})

    def begun(self) -> dict[str, Any]:
        """Return begun.json.

        Raises:
            RunError: it is damaged.
        """
        return self.stated(BEGUN)

    def write_checkpoint(self, member: int, epoch: int, arrays: dict[str, Floats]) -> None:
        """Store how far a member's training has come; its last two checkpoints are kept.

        The name holds the SHA-256 of the file, so that one that is not whole is found out.
        """
        stream = io.BytesIO()
        np.savez(stream, **cast(dict[str, Any], arrays))
        content = stream.getvalue()
        folder = self.path / CHECKPOINTS
        name = f"member-{member:02d}-epoch-{epoch:05d}-{hashlib.sha256(content).hexdigest()}.npz"
        with self._replacing(f"{CHECKPOINTS}/{name}") as path:
            path.write_bytes(content)
        for old in sorted(folder.glob(f"member-{member:02d}-*.npz"))[:-_CHECKPOINTS_KEPT]:
            with contextlib.suppress(OSError):
                old.unlink()

    def checkpoints(self, member: int) -> Iterator[dict[str, Floats]]:
        """Yield what `write_checkpoint` stored of a member, the newest first; damaged files are passed over."""
        for path in sorted((self.path / CHECKPOINTS).glob(f"member-{member:02d}-*.npz"), reverse=True):
            try:
                content = read_bytes(path, folder=self.path, most=_LARGEST_CHECKPOINT)
                if hashlib.sha256(content).hexdigest() == path.stem.rpartition("-")[2]:
                    yield _arrays(content)
            except (RunError, ValueError, EOFError, MemoryError, zipfile.BadZipFile):
                continue

    def has_checkpoint(self) -> bool:
        """Whether an epoch has been kept."""
        return any((self.path / CHECKPOINTS).glob("*.npz"))

    def discard_if_untrained(self) -> None:
        """Remove the directory of a run that ended before it learnt anything."""
        if not self.has_checkpoint():
            self.tidy()
            with contextlib.suppress(OSError):
                (self.path / CONFIG).unlink()
            with contextlib.suppress(OSError):
                self.path.rmdir()

    def tidy(self) -> None:
        """Remove what only a training on its way needs, and what a process that was killed has left half written."""
        leftovers = [*self.path.rglob(f"{PARTIAL}*"), *(self.path / CHECKPOINTS).glob("*.npz")]
        for path in (*leftovers, self.path / BEGUN, self.path / LOCK):
            with contextlib.suppress(OSError):
                path.unlink()
        with contextlib.suppress(OSError):
            (self.path / CHECKPOINTS).rmdir()


def _arrays(content: bytes) -> dict[str, Floats]:
    """The arrays of an npz file as `np.savez` writes it.

    Raises:
        ValueError: it is something else; compressed, it could unpack to any size.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in packed.infolist()):
            raise ValueError("compressed")
    with np.load(io.BytesIO(content)) as stored:
        return {name: stored[name] for name in stored.files}
