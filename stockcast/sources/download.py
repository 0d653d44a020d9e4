"""Tickers -> price files of one folder and their manifest, one after the other; what is done is not fetched again."""

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import pandas as pd

from stockcast.errors import RunError, SourceError, StockcastError
from stockcast.runs.files import make_folder, replacing
from stockcast.sources import sessions
from stockcast.sources.file_names import file_name, ticker_of
from stockcast.sources.manifest import Entry, Manifest
from stockcast.sources.price_file import from_bytes, to_bytes
from stockcast.sources.retries import fetch, reporting
from stockcast.sources.source import ADJUSTMENT, Source
from stockcast.sources.update import check_whole, joined, overlap_start, rescaled
from stockcast.text import join_words, plural

REPLACED = "replaced"
"""Folder of the files that stood before one was fetched anew, the last of each."""

_LOCK = ".lock"
_PARTIAL = ".partial-"  # what `replacing` writes, and a killed process leaves behind


class TickerState(StrEnum):
    """What came of a ticker."""

    downloaded = "downloaded"
    updated = "updated"
    unchanged = "unchanged"
    failed = "failed"
    not_tried = "not tried"


@dataclass(frozen=True)
class Outcome:
    """What came of a ticker.

    Attributes:
        ticker: in capitals.
        state: whether its file is whole and new.
        entry: of the manifest; None where there is no file of the ticker.
        notes: what is remarkable, one sentence each.
        reason: why it failed or was not tried; empty where neither.
    """

    ticker: str
    state: TickerState
    entry: Entry | None = None
    notes: tuple[str, ...] = ()
    reason: str = ""

    @property
    def is_done(self) -> bool:
        """Whether its file is there as it was asked for."""
        return self.state not in (TickerState.failed, TickerState.not_tried)

    def to_json(self) -> dict[str, Any]:
        """Return plain values for --json."""
        stated = {"ticker": self.ticker, "state": str(self.state), "notes": list(self.notes), "reason": self.reason}
        return {**stated, "entry": self.entry and {**asdict(self.entry), "missing": list(self.entry.missing)}}


@dataclass(frozen=True)
class Wanted:
    """What is asked for of every ticker.

    Attributes:
        first: the first day; None for all there are, and for a file that is there, for what it was asked from.
        update: whether files that are there are brought up to date.
    """

    first: date | None = None
    update: bool = False


@dataclass(frozen=True)
class _Stored:
    """A file of the folder as it stands: its bytes, and the manifest's entry if it is of these; else None."""

    content: bytes
    entry: Entry | None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


def download(
    tickers: Sequence[str], folder: Path, source: Source, wanted: Wanted, *, on_message: Callable[[str], None]
) -> list[Outcome]:
    """Bring the price files of tickers into a folder; what fails is an outcome, and the others are done.

    Args:
        tickers: in any case; a repeated one counts once.
        folder: made where it is missing; one process at a time writes into it.
        source: where the prices come from.
        wanted: what is asked for.
        on_message: called with what came of each ticker, and before each wait.

    Raises:
        StockcastError: a ticker can be none, the folder cannot be used, or its manifest is damaged.
    """
    names = list(dict.fromkeys(ticker_of(ticker) for ticker in tickers))
    outcomes: list[Outcome] = []
    make_folder(folder, advice="Name another folder with --to.")
    with _locked(folder), reporting(on_message):
        manifest = Manifest.read(folder)
        stop, in_a_row = "", 0
        for ticker in names:
            if stop:
                outcomes.append(Outcome(ticker, TickerState.not_tried, reason=stop))
                continue
            try:
                outcome = _download_one(ticker, manifest, source, wanted)
                in_a_row = 0
            except StockcastError as error:
                outcome = Outcome(ticker, TickerState.failed, reason=str(error))
                stops_after = _stops_after(error)
                in_a_row = in_a_row + 1 if stops_after else 0
                if stops_after and in_a_row >= stops_after:
                    stop = f"{ticker} failed for a reason that holds for every ticker"
            on_message(_progress(outcome))
            outcomes.append(outcome)
    return outcomes


def _download_one(ticker: str, manifest: Manifest, source: Source, wanted: Wanted) -> Outcome:
    """Bring one price file up to what is wanted; SourceError, DataError or RunError if that cannot be."""
    entry = manifest.entries.get(ticker)
    name = entry.file if entry else file_name(ticker, manifest.files)
    stored = _stored(manifest.folder / name, entry)
    start = str(wanted.first) if wanted.first else entry.start if entry else None
    at = sessions.utc_now()
    notes = [] if name == f"{ticker}.csv" else [f"its file is {name}"]
    current = stored.entry if stored else None
    if stored and current and (current.source, current.start) == (source.name, start):
        if not (wanted.update and _may_be_newer(current, at)):
            return Outcome(ticker, TickerState.unchanged, current)
        state, calendar = TickerState.updated, current.calendar
        table, reason = _newer(ticker, source, from_bytes(stored.content), first=start)
        is_anew = reason is not None
        notes += [f"fetched anew, as {reason}"] if is_anew else []
    else:
        table = fetch(source, ticker, start=_day(start)).table
        state, calendar, is_anew = TickerState.downloaded, sessions.calendar_of(table), True
    table, found = _checked(ticker, source, table, calendar, at)
    new = Entry(
        file=name,
        source=source.name,
        library=source.library,
        fetched=at.isoformat(timespec="seconds"),
        sha256="",
        replaces=None,
        adjustment=ADJUSTMENT,
        start=start,
        first=str(table.index[0].date()),
        last=str(table.index[-1].date()),
        rows=len(table),
        calendar=calendar,
        missing=tuple(map(str, sessions.missing(table, calendar, at))),
    )
    new = _write(manifest, ticker, new, to_bytes(table), stored, is_anew=is_anew)
    return Outcome(ticker, state, new, (*notes, *found))


def _stops_after(error: StockcastError) -> int | None:
    """Return how many tickers in a row may fail so; None for any number. A disk that is full is so for all."""
    if isinstance(error, RunError):
        return 1
    return error.stops_after if isinstance(error, SourceError) else None


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _stored(path: Path, entry: Entry | None) -> _Stored | None:
    """Return the file that stands at a path, None for none; StockcastError if no download has put it there."""
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise StockcastError(f"{path} is no plain file. Move it away, or name another folder with --to.", file=path)
    if not path.exists():
        return None
    try:
        stored = _Stored(path.read_bytes(), entry)
    except OSError as error:
        raise StockcastError(f"{path} cannot be read: {error.strerror}.", file=path) from error
    if entry is not None and stored.sha256 == entry.sha256:
        return stored
    if entry is not None and stored.sha256 == entry.replaces:
        return replace(stored, entry=None)  # the process was killed before the new file took its place
    how = "was changed since it was downloaded" if entry else "was not written by `stockcast download`"
    raise StockcastError(f"{path} {how}. Move it away, or name another folder with --to.", file=path)


def _may_be_newer(entry: Entry, at: datetime) -> bool:
    """Whether a session is over since a file was fetched, or one was missing then."""
    then = datetime.fromisoformat(entry.fetched)
    return bool(entry.missing) or sessions.last_over(entry.calendar, then) < sessions.last_over(entry.calendar, at)


def _newer(ticker: str, source: Source, old: pd.DataFrame, *, first: str | None) -> tuple[pd.DataFrame, str | None]:
    """Return the bars of a file with newer ones, and why all were fetched anew; None if they were not."""
    new = fetch(source, ticker, start=overlap_start(old)).table
    reason = rescaled(old, new)
    if reason is None:
        return joined(old, new), None
    new = fetch(source, ticker, start=_day(first)).table
    check_whole(old, new)
    return new, reason


def _checked(
    ticker: str, source: Source, table: pd.DataFrame, calendar: str, at: datetime
) -> tuple[pd.DataFrame, list[str]]:
    """Return the bars of sessions that are over, the last ones fetched again where one is missing, and notes."""
    notes = []
    over = sessions.only_over(table, calendar, at)
    if len(table) and (last := table.index[-1].date()) > sessions.last_over(calendar, at):
        notes.append(f"the bar of {last} is left out: its session is not over")
    if len(gaps := sessions.missing(over, calendar, at)):
        with contextlib.suppress(SourceError):  # what is still missing is a note
            again = fetch(source, ticker, start=gaps[0].astype(object) - timedelta(days=7)).table
            over = sessions.only_over(joined(over, again), calendar, at)
        if len(gaps := sessions.missing(over, calendar, at)):
            days = join_words([str(day) for day in gaps])
            notes.append(f"fetched twice, it has no close of {plural(len(gaps), 'session')} of {calendar}: {days}")
    if over.empty:
        raise SourceError(f"The source has no close of {ticker} on any day that is over.", value=ticker)
    return over, notes


def _write(
    manifest: Manifest, ticker: str, entry: Entry, content: bytes, stored: _Stored | None, *, is_anew: bool
) -> Entry:
    """Write a file and its entry, and return that; RunError if the disk does not allow it.

    The entry comes first: with the hash of the file before it tells, after a kill, which of the two stands there.
    """
    path = manifest.folder / entry.file
    sha256 = hashlib.sha256(content).hexdigest()
    before = stored.sha256 if stored and stored.sha256 != sha256 else None
    if stored and before and is_anew:
        with replacing(manifest.folder / REPLACED / entry.file) as partial:
            partial.write_bytes(stored.content)
    entry = replace(entry, sha256=sha256, replaces=before)
    manifest.write(ticker, entry)
    if stored is None or before:
        with replacing(path) as partial:
            partial.write_bytes(content)
    return entry


def _progress(outcome: Outcome) -> str:
    entry = outcome.entry
    if not outcome.is_done or entry is None:
        return f"{outcome.ticker}: {outcome.state}. {outcome.reason}"
    notes = "".join(f"; {note}" for note in outcome.notes)
    return f"{outcome.ticker}: {outcome.state}, {plural(entry.rows, 'day')}, {entry.first} to {entry.last}{notes}."


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keep other downloads out of a folder, and remove what a killed one has left half written."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / _LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        message = f"Another download writes into {folder}. Wait for it, or name another folder with --to."
        raise StockcastError(message, file=folder, key="--to") from None
    except OSError as error:
        raise RunError(f"Cannot write {folder / _LOCK}: {error.strerror or error}.", file=folder / _LOCK) from error
    try:
        for path in [*folder.glob(f"{_PARTIAL}*"), *(folder / REPLACED).glob(f"{_PARTIAL}*")]:
            with contextlib.suppress(OSError):
                path.unlink()
        yield
    finally:
        lock.release()
