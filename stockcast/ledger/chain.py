"""A file of JSON lines, each with the SHA-256 of its own bytes and that of the line before.

A line is one JSON object in ASCII, ended by a line feed:

    {"sha256":"<64 digits>","previous":"<64 digits>","kind":"forecast",...}

`sha256` is the hash of all bytes of the line from the 78th on, without the line feed: of what follows the field itself.
So it is the stored bytes that are hashed, and no number is ever written anew. `previous` is the `sha256` of the line
before, of the first line 64 zeros. The first line is the header: format, version, when it was begun and by which
program.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stockcast import __version__
from stockcast.errors import DamagedLedger, LedgerError

FORMAT, VERSION = "stockcast-ledger", 1

PROGRAM = f"stockcast {__version__}"

START = "0" * 64
"""What the first line has in place of the hash of the line before."""

_BEGIN = b'{"sha256":"'

_LINE = re.compile(_BEGIN + rb'([0-9a-f]{64})",("previous":"([0-9a-f]{64})","kind":"([a-z]+)".*\})', re.DOTALL)


@dataclass(frozen=True)
class Line:
    """A line of a chain.

    Attributes:
        number: in the file, from 1.
        sha256: of its bytes, as the line states it.
        kind: what it is: `header`, `repair`, or what others append.
        stored: its bytes, without the line feed.
    """

    number: int
    sha256: str
    kind: str
    stored: bytes

    def fields(self) -> dict[str, Any]:
        """Return its JSON object; ValueError if it is none."""
        content = json.loads(self.stored, parse_constant=_no_number)
        if not isinstance(content, dict):
            raise ValueError("it is no object")
        return content


@dataclass(frozen=True)
class Chain:
    """A whole file, checked.

    Attributes:
        lines: the first is the header; none of a file that is empty or not there.
        rest: bytes after the last whole line: of one that was being written when its process was killed.
    """

    lines: tuple[Line, ...] = ()
    rest: bytes = b""

    @property
    def unfinished(self) -> str | None:
        """What is known of the bytes after the last whole line, a sentence; None where there are none."""
        if not self.rest:
            return None
        return (
            f"After line {len(self.lines)} there are {len(self.rest)} bytes of a line that was not finished, so it was "
            f"never reported as recorded. The next `stockcast ledger record` or `score` sets them aside."
        )

    @property
    def head(self) -> str:
        """The hash of the last line, which stands for all lines up to it."""
        return self.lines[-1].sha256 if self.lines else START

    def place_of(self, sha256: str) -> int | None:
        """Return the number of the line with this hash; None if there is none."""
        return next((line.number for line in self.lines if line.sha256 == sha256), None)


def read_chain(path: Path) -> Chain:
    """Read a chain and check every line of it.

    Raises:
        LedgerError: the file is not there or cannot be read, is no ledger, or is of another version.
        DamagedLedger: a line is not what was written.
    """
    if not path.exists():
        raise LedgerError(f"{path}: no such file. `stockcast ledger record` begins a ledger.", file=path)
    return parse(path, read_bytes(path))


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file; LedgerError if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise LedgerError(f"Cannot read {path}: {error.strerror or error}.", file=path) from error


def parse(path: Path, content: bytes) -> Chain:
    """Return the bytes of the file `path` as a chain; errors as `read_chain`."""
    *whole, rest = content.split(b"\n")
    lines: list[Line] = []
    for number, stored in enumerate(whole, 1):
        line = _line(path, number, stored, previous=lines[-1].sha256 if lines else START)
        if number == 1:
            _check_header(path, line)
        lines.append(line)
    if rest[:-1] and hash_in(rest[:-1]):
        raise _changed(path, len(lines) + 1, "the line feed that ended it is another byte now")
    if not lines and not rest.startswith(_BEGIN[: len(rest)]):
        raise _no_ledger(path)
    return Chain(tuple(lines), rest)


def _line(path: Path, number: int, stored: bytes, *, previous: str) -> Line:
    """Return a line; DamagedLedger if its bytes are not those that were written, or not after the line before."""
    if number == 1 and not stored.startswith(_BEGIN) and FORMAT.encode() not in stored:
        raise _no_ledger(path)
    if stored.endswith(b"\r"):
        advice = "it ends with CR LF: another program has rewritten the line ends; `tr -d '\\r'` takes them back"
        raise _changed(path, number, advice)
    match = _LINE.fullmatch(stored)
    if match is None:
        raise _changed(path, number, "it does not have the form of a line")
    sha256 = hash_in(stored)
    if sha256 is None:
        raise _changed(path, number, "its bytes do not have the SHA-256 that it states")
    if match[3].decode() != previous:
        raise _changed(path, number, "it does not follow the line before it: lines are missing, added or moved")
    return Line(number, sha256, match[4].decode(), stored)


def _check_header(path: Path, line: Line) -> None:
    """Check that the first line is a header of this version."""
    try:
        header = line.fields() if line.kind == "header" else {}
    except ValueError:
        header = {}
    if header.get("format") != FORMAT:
        raise _no_ledger(path)
    if (version := header.get("version")) != VERSION:
        raise LedgerError(
            f"{path}, line 1: the ledger has version {version}, and this program ({PROGRAM}) reads version {VERSION}. "
            f"Use a newer stockcast.",
            file=path,
            line=1,
            value=version,
        )


def _no_ledger(path: Path) -> LedgerError:
    return LedgerError(
        f"{path}, line 1: this is no ledger. Give a file that `stockcast ledger record` wrote, or the name of a new "
        f"one (--ledger).",
        file=path,
        line=1,
    )


def _changed(path: Path, number: int, what: str) -> DamagedLedger:
    return DamagedLedger(
        f"{path}, line {number}: changed since it was written: {what}. Put back a copy from before; a new ledger "
        f"begins under another name (--ledger).",
        file=path,
        line=number,
    )


def hash_in(stored: bytes) -> str | None:
    """Return the hash that a line states if its bytes have it."""
    match = _LINE.fullmatch(stored)
    stated = match and match[1].decode()
    return stated if match and hashlib.sha256(match[2]).hexdigest() == stated else None


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


def make_line(content: Mapping[str, Any], *, number: int, previous: str) -> Line:
    """Return the line of an object; its first field is `kind`."""
    text = json.dumps({"previous": previous, **content}, separators=(",", ":"), allow_nan=False)
    body = text[1:].encode("ascii")
    sha256 = hashlib.sha256(body).hexdigest()
    return Line(number, sha256, content["kind"], b'%s%s",%s' % (_BEGIN, sha256.encode(), body))
