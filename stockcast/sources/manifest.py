"""The manifest of a folder: where each of its price files comes from, and what it is known by."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from stockcast.errors import StockcastError
from stockcast.runs.files import replacing

MANIFEST = "manifest.json"
_VERSION = 1
_MOST_BYTES = 64_000_000
_FILE = re.compile(r"[A-Z0-9_=-][A-Z0-9._=-]*\.csv")


@dataclass(frozen=True)
class Entry:
    """What is known of one price file.

    Attributes:
        file: its name in the folder.
        source: `yahoo` or `tiingo`.
        library: what read the source, with its version.
        fetched: when, ISO 8601, UTC.
        sha256: of the file's bytes.
        replaces: SHA-256 of the file that stood there before; None for none. While that one still stands, the file is
            not whole.
        adjustment: which columns are adjusted for what.
        start: the first day that was requested, ISO; None for all there are.
        first: the first day that it has, ISO.
        last: the last one.
        rows: how many days.
        calendar: the exchange whose sessions its dates follow.
        missing: of the last sessions those without a price, ISO.
    """

    file: str
    source: str
    library: str
    fetched: str
    sha256: str
    replaces: str | None
    adjustment: str
    start: str | None
    first: str
    last: str
    rows: int
    calendar: str
    missing: tuple[str, ...]


@dataclass
class Manifest:
    """The entries of a folder by ticker; each change is on the disk when `write` returns."""

    folder: Path
    entries: dict[str, Entry] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> "Manifest":
        """Return the manifest of a folder, an empty one where there is none; StockcastError if it is damaged."""
        path = folder / MANIFEST
        try:
            with path.open("rb") as stream:
                content = stream.read(_MOST_BYTES)
        except FileNotFoundError:
            return cls(folder)
        except OSError as error:
            raise _damaged(path, f"it cannot be read: {error.strerror}") from error
        try:
            document = json.loads(content)
            if document["version"] != _VERSION:
                raise _damaged(path, f"it is of version {document['version']}, and this stockcast reads {_VERSION}")
            return cls(folder, {ticker: _entry(stated) for ticker, stated in document["tickers"].items()})
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise _damaged(path, f"{type(error).__name__}: {str(error)[:100]}") from error

    @property
    def files(self) -> Mapping[str, str]:
        """Names of files -> the tickers that have them."""
        return {entry.file: ticker for ticker, entry in self.entries.items()}

    def write(self, ticker: str, entry: Entry) -> None:
        """Set a ticker's entry, and replace the file of the manifest; RunError if the disk does not allow it."""
        entries = {**self.entries, ticker: entry}
        document = {"version": _VERSION, "tickers": {name: asdict(each) for name, each in sorted(entries.items())}}
        with replacing(self.folder / MANIFEST) as partial:
            partial.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8", newline="")
        self.entries = entries


def _entry(stated: dict[str, Any]) -> Entry:
    """Return an entry of the JSON; KeyError, TypeError or ValueError if it is none."""
    values = {each.name: stated[each.name] for each in fields(Entry)}
    texts = ("file", "source", "library", "fetched", "sha256", "adjustment", "first", "last", "calendar")
    if not all(isinstance(values[name], str) for name in texts) or not _FILE.fullmatch(values["file"]):
        raise ValueError(f"{str(values['file'])[:80]!r} is no entry")
    if values["start"] is not None:
        date.fromisoformat(values["start"])
    datetime.fromisoformat(values["fetched"]).astimezone(UTC)
    return Entry(**{**values, "missing": tuple(values["missing"])})


def _damaged(path: Path, reason: str) -> StockcastError:
    message = f"{path} is no manifest of `stockcast download`: {reason}. Move it and its price files away, or name"
    return StockcastError(f"{message} another folder with --to.", file=path)
