"""Adds lines to a chain: one process at a time, on the disk before `append` returns.

Where a process was killed while it wrote, its unfinished last line is set aside in a file of its own by the next one
that appends. Whole lines are never touched.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stockcast.errors import LedgerError
from stockcast.ledger.chain import FORMAT, PROGRAM, START, VERSION, Chain, Line, hash_in, make_line, parse, read_bytes

_PATIENCE = 60
"""Seconds to wait for another process that appends; it takes well below one."""


class Appender:
    """A chain to which no other process appends meanwhile.

    Attributes:
        path: of the file.
        chain: all that is in it.
    """

    def __init__(self, path: Path, chain: Chain, *, now: Callable[[], datetime]) -> None:
        self.path, self.chain, self._now = path, chain, now

    def append(self, contents: Sequence[Mapping[str, Any]]) -> tuple[Line, ...]:
        """Add a line for each of these objects; return the lines once they are on the disk.

        Raises:
            LedgerError: the disk does not allow it; the file is as it was before.
        """
        if not contents:
            return ()
        lines = list(self.chain.lines)
        for content in [*([] if lines else [self._header()]), *contents]:
            lines.append(make_line(content, number=len(lines) + 1, previous=lines[-1].sha256 if lines else START))
        new = lines[len(self.chain.lines) :]
        _add(self.path, b"".join(line.stored + b"\n" for line in new))
        self.chain = Chain(tuple(lines))
        return tuple(new[len(new) - len(contents) :])

    def _header(self) -> dict[str, Any]:
        return {"kind": "header", "format": FORMAT, "version": VERSION, "begun": time_text(self._now()), "by": PROGRAM}

    def set_rest_aside(self) -> str | None:
        """Move bytes of an unfinished line into a file beside the ledger; return a sentence, None without any.

        A line that lacks its line feed alone is finished instead.
        """
        rest = self.chain.rest
        if not rest:
            return None
        number = len(self.chain.lines) + 1
        if hash_in(rest) is not None:
            _add(self.path, b"\n")
            self.chain = parse(self.path, read_bytes(self.path))
            return f"{self.path}, line {number}: its line feed was missing and was added; the line is whole."
        sha256 = hashlib.sha256(rest).hexdigest()
        aside = self.path.with_name(f"{self.path.name}.unfinished-{sha256[:12]}")
        with _refusing(aside):
            _write(aside, rest, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        with _refusing(self.path):
            os.truncate(self.path, self.path.stat().st_size - len(rest))
        self.chain = Chain(self.chain.lines)
        found = {"kind": "repair", "recorded": time_text(self._now()), "bytes": len(rest), "of": sha256}
        self.append([{**found, "file": aside.name}])
        return (
            f"{self.path}, line {number}: {len(rest)} bytes of a line that was never finished were set aside in "
            f"{aside.name}. Its process was stopped before it reported the line as recorded."
        )


@contextlib.contextmanager
def appending(
    path: Path, *, on_message: Callable[[str], None], now: Callable[[], datetime] | None = None
) -> Iterator[Appender]:
    """Open a chain to append to, a new one where there is no file; others wait until the block ends.

    Args:
        path: of the file.
        on_message: given a sentence where an unfinished last line was set aside.
        now: the time in UTC; None for the clock of this machine.

    Raises:
        LedgerError: as `read_chain`, but for a file that is not there; or another process holds it for a minute.
    """
    from filelock import FileLock, Timeout

    own = path.with_name(f"{path.name}.lock")  # apart from the ledger: taking a lock empties its file
    with _refusing(own):
        os.close(os.open(own, os.O_RDWR | os.O_CREAT, 0o644))  # where that is not allowed, FileLock would wait
    lock = FileLock(own)
    try:
        lock.acquire(timeout=_PATIENCE)
    except Timeout:
        message = f"{path} has been held by another process for {_PATIENCE} seconds. Try again once it has ended."
        raise LedgerError(message, file=path) from None
    try:
        chain = parse(path, read_bytes(path)) if path.exists() else Chain()
        appender = Appender(path, chain, now=now or utc_now)
        if repaired := appender.set_rest_aside():
            on_message(repaired)
        yield appender
    finally:
        lock.release()  # its file stays: another process may be waiting for it


def utc_now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def time_text(moment: datetime) -> str:
    """Write a time in UTC as lines have it, ISO 8601 to the second."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def _add(path: Path, content: bytes) -> None:
    """Append bytes and wait until they are on the disk; where that fails, the file is as it was before."""
    before = path.stat().st_size if path.exists() else 0
    with _refusing(path):
        try:
            _write(path, content, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        except OSError:
            with contextlib.suppress(OSError):
                os.truncate(path, before)
            raise


def _write(path: Path, content: bytes, flags: int) -> None:
    """Write all bytes and flush them; of a new file its name, too."""
    is_new = not path.exists()
    descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0), 0o644)
    try:
        while content:
            content = content[os.write(descriptor, content) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if is_new and os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextlib.contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LedgerError(
            f"Cannot write {path}: {error.strerror or error}. Nothing was recorded.", file=path
        ) from error
