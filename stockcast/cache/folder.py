"""The folder of what is kept between commands: entries under names of their own, bounded in size, never relied upon.

An entry that is missing, damaged or cannot be written is computed again, so nothing here raises but on a wrong setting.
Several processes use the folder at once: an entry takes its place whole, and one that has just gone is missing.
"""

import contextlib
import os
import stat
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

from stockcast.errors import StockcastError

VARIABLE, SIZE_VARIABLE = "STOCKCAST_CACHE", "STOCKCAST_CACHE_SIZE"
"""Environment variables: the folder, or `off`; and the most megabytes in it."""

_MEGABYTES = 2000
_LARGEST_ENTRY = 2**28  # bytes, of what may be anybody's file until its content is checked
_LEFT_BEHIND = 3600  # seconds after which a file that is not finished belongs to a process that was killed
_CLOCKS = 2  # seconds by which a file system's time may lag behind this process's
_ENDING, _PARTIAL = ".npz", ".partial-"


class CacheFolder:
    """Entries in files of one folder.

    What was used last goes last. What was used since this object was made does not go at all: of a folder of price
    files that has no room as a whole, one part stays, where otherwise each entry would go just before it is needed.
    """

    def __init__(self, path: Path, *, most: int) -> None:
        """Take a folder of this process's user.

        Args:
            path: that exists.
            most: bytes of all entries together.
        """
        self._path, self._most, self._began = path, most, time.time() - _CLOCKS
        self._unseen = most  # bytes written since the folder was looked through; the first entry looks
        self._is_open = True

    def load(self, key: str) -> bytes | None:
        """Return an entry, and note that it was used; None where there is none."""
        path = self._path / f"{key}{_ENDING}"
        try:
            with open(path, "rb", opener=_open_plain) as stream:
                status = os.fstat(stream.fileno())
                if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_ENTRY:
                    return None
                content = stream.read()
        except OSError:
            return None
        with contextlib.suppress(OSError):
            os.utime(path)
        return content

    def store(self, key: str, content: bytes) -> None:
        """Write an entry where there is room; after a failure, such as of a full disk, this process writes no more."""
        if not self._is_open or len(content) > min(_LARGEST_ENTRY, self._most):
            return
        try:
            if self._unseen + len(content) > self._most / 32:
                if not self._make_room(len(content)):
                    self._is_open = False
                    return
                self._unseen = 0
            self._write(key, content)
            self._unseen += len(content)
        except OSError:
            self._is_open = False

    def _write(self, key: str, content: bytes) -> None:
        """Write a file that takes its place whole.

        It is not flushed to the disk, which would take longer than to read the prices: of what a power failure leaves,
        the checksums tell.
        """
        descriptor, partial = tempfile.mkstemp(prefix=_PARTIAL, dir=self._path)
        try:
            with open(descriptor, "wb") as stream:
                stream.write(content)
            os.replace(partial, self._path / f"{key}{_ENDING}")
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(partial)
            raise

    def _make_room(self, wanted: int) -> bool:
        """Remove what was used longest ago until there is some room; return whether there is enough."""
        entries: list[tuple[float, int, str]] = []
        with os.scandir(self._path) as files:
            for file in files:
                with contextlib.suppress(FileNotFoundError):  # another process has removed it
                    status = file.stat(follow_symlinks=False)
                    if file.name.startswith(_PARTIAL) and status.st_mtime < time.time() - _LEFT_BEHIND:
                        os.unlink(file.path)
                    elif file.name.endswith(_ENDING):
                        entries.append((status.st_mtime, status.st_size, file.path))
        held, room = sum(size for _, size, _ in entries), self._most * 15 // 16
        if held + wanted <= room:
            return True
        for used, size, path in sorted(entries):
            if held + wanted <= room or used >= self._began:
                break
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            held -= size
        return held + wanted <= self._most


def _open_plain(path: str, flags: int) -> int:
    """Open a file that is no link; of a named pipe without waiting for who writes into it."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def cache_folder() -> CacheFolder | None:
    """Return the folder that the environment names, else one of the platform's cache; None where none is used.

    Raises:
        StockcastError: `STOCKCAST_CACHE_SIZE` is no number of megabytes.
    """
    return _folder(os.environ.get(VARIABLE) or None, os.environ.get(SIZE_VARIABLE) or None)


@cache
def _folder(stated: str | None, size: str | None) -> CacheFolder | None:
    if stated is not None and stated.lower() == "off":
        return None
    most = _bytes(size)
    try:
        path = Path(stated) if stated is not None else _platform_folder() / "stockcast" / "prices"
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return CacheFolder(path.resolve(), most=most) if _is_private(path) else None
    except (OSError, RuntimeError, ValueError):  # RuntimeError: the user has no home
        return None


def _bytes(size: str | None) -> int:
    """Return how many bytes the entries may have."""
    if size is None:
        return _MEGABYTES * 10**6
    if not size.isascii() or not size.isdigit() or not 0 < int(size) < 10**9:
        raise StockcastError(
            f"{SIZE_VARIABLE} is {size!r}, and must be the most megabytes that the cache may have, such as "
            f"{_MEGABYTES}. {VARIABLE}=off uses no cache.",
            key=SIZE_VARIABLE,
            value=size,
        )
    return int(size) * 10**6


def _platform_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    stated = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return stated if stated.is_absolute() else Path.home() / ".cache"  # as its specification wants


def _is_private(path: Path) -> bool:
    """Whether a folder is this user's and closed to others, who could put other prices there."""
    if os.name != "posix":
        return path.is_dir()
    status = path.stat()
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o022
