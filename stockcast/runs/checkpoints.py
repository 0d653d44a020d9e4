"""An unfinished training: its config, its checkpoints, and the lock that keeps other processes from it."""

import contextlib
import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

import numpy as np

from stockcast.errors import RunError
from stockcast.limits import MAX_TEXT_BYTES
from stockcast.runs.files import RunFiles, now
from stockcast.runs.layout import BEGUN, CHECKPOINTS, CONFIG, LOCK, PARTIAL
from stockcast.runs.safe_io import fault, read_bytes, sha256
from stockcast.typing import Floats

_NAME = re.compile(r"member-(\d{2,5})-epoch-(\d{5,9})-")
_CHECKPOINTS_KEPT = 2
_LARGEST_CHECKPOINT = 2**30  # bytes; a network of the most parameters that a config admits stays below


class Checkpoints(RunFiles):
    """What a run holds until it is finished."""

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from training this run, until the block or process ends; RunError if one does."""
        from filelock import FileLock, Timeout

        lock = FileLock(self.path / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise RunError(
                f"{self.path} is being trained by another process. Wait for it, or choose another --name.",
                file=self.path,
                key="--name",
            ) from None
        except OSError as error:
            path = self.path / LOCK
            raise RunError(f"Cannot write {path}: {error.strerror or error}.", file=path) from error
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                (self.path / LOCK).unlink()
            lock.release()

    def is_locked(self) -> bool:
        """Whether a living process trains this run."""
        from filelock import FileLock, Timeout

        path = self.path / LOCK
        if fault(path, folder=self.path, most=MAX_TEXT_BYTES):  # anybody may have made it
            return False
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        except OSError:
            return False
        lock.release()
        return False

    def begin(self, config: str, details: dict[str, Any]) -> None:
        """Store the resolved config, YAML, and what else must be unchanged when the training is resumed."""
        self.write_text(CONFIG, config)
        hashes = {CONFIG: sha256(self.path / CONFIG)}
        self.write_json(BEGUN, {"created": now(), **details, "files": hashes})

    def begun(self) -> dict[str, Any]:
        """Return begun.json; RunError if it is damaged."""
        return self.stated(BEGUN)

    def write(self, member: int, epoch: int, arrays: dict[str, Floats]) -> None:
        """Store where the training of a member stands; its last two checkpoints are kept."""
        stream = io.BytesIO()
        np.savez(stream, **cast(dict[str, Any], arrays))
        content = stream.getvalue()
        # The name holds the SHA-256 of the file, so that a file that is not whole is detected.
        name = f"member-{member:02d}-epoch-{epoch:05d}-{hashlib.sha256(content).hexdigest()}.npz"
        with self._replacing(f"{CHECKPOINTS}/{name}") as path:
            path.write_bytes(content)
        for old in sorted((self.path / CHECKPOINTS).glob(f"member-{member:02d}-*.npz"))[:-_CHECKPOINTS_KEPT]:
            with contextlib.suppress(OSError):
                old.unlink()

    def read(self, member: int) -> Iterator[dict[str, Floats]]:
        """Yield what `write` stored of a member, the newest first; damaged files are skipped."""
        for path in sorted((self.path / CHECKPOINTS).glob(f"member-{member:02d}-*.npz"), reverse=True):
            try:
                content = read_bytes(path, folder=self.path, most=_LARGEST_CHECKPOINT)
                if hashlib.sha256(content).hexdigest() == path.stem.rpartition("-")[2]:
                    yield _arrays(content)
            except (RunError, ValueError, EOFError, MemoryError, zipfile.BadZipFile):
                continue

    def epochs(self) -> tuple[int, ...]:
        """Return the last stored epoch of each member that has one, in the order of the members."""
        found: dict[int, int] = {}
        for path in (self.path / CHECKPOINTS).glob("member-*.npz"):
            if match := _NAME.match(path.name):
                member, epoch = map(int, match.groups())
                found[member] = max(epoch, found.get(member, 0))
        return tuple(found[member] for member in sorted(found))

    def last_written(self) -> datetime | None:
        """Return when the newest checkpoint was written; None where there is none."""
        with contextlib.suppress(OSError, ValueError, OverflowError):
            times = [path.lstat().st_mtime for path in (self.path / CHECKPOINTS).glob("*.npz")]
            return datetime.fromtimestamp(max(times), UTC) if times else None
        return None

    def exist(self) -> bool:
        """Whether a checkpoint is stored."""
        return any((self.path / CHECKPOINTS).glob("*.npz"))

    def discard_if_untrained(self) -> None:
        """Remove the directory of a run that ended before its first epoch did."""
        if not self.exist():
            self.tidy()
            with contextlib.suppress(OSError):
                (self.path / CONFIG).unlink()
            with contextlib.suppress(OSError):
                self.path.rmdir()

    def tidy(self) -> None:
        """Remove what only an unfinished training needs, and what a killed process has left half written."""
        leftovers = [*self.path.rglob(f"{PARTIAL}*"), *(self.path / CHECKPOINTS).glob("*.npz")]
        for path in (*leftovers, self.path / BEGUN, self.path / LOCK):
            with contextlib.suppress(OSError):
                path.unlink()
        with contextlib.suppress(OSError):
            (self.path / CHECKPOINTS).rmdir()


def _arrays(content: bytes) -> dict[str, Floats]:
    """Return the arrays of an npz file as `np.savez` writes it; compressed, it could unpack to any size."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in packed.infolist()):
            raise ValueError("compressed")
    with np.load(io.BytesIO(content)) as stored:
        return {name: stored[name] for name in stored.files}
