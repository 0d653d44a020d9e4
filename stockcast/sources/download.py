"""Tickers -> price files of one folder and their manifest, one after the other; what is done is not fetched again."""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import pandas as pd

from stockcast.errors import RunError, SourceError, StockcastError
from stockcast.runs.files import make_folder
from stockcast.sources import sessions
from stockcast.sources.file_names import file_name, ticker_of
from stockcast.sources.folder import locked, stored_file, write_file
from stockcast.sources.manifest import Entry, Manifest
from stockcast.sources.price_file import from_bytes, to_bytes
from stockcast.sources.retries import fetch, reporting
from stockcast.sources.source import ADJUSTMENT, Source
from stockcast.sources.update import check_whole, joined, overlap_start, rescaled
from stockcast.text import join_words, plural

_TELLING = 250  # days that tell an exchange from others; of fewer, the next update looks again


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
        entry: of the manifest; None where there is no file of the ticker, or it failed.
        notes: what is remarkable, half a sentence each.
        reason: why it failed or was not tried; empty where neither.
    """

    ticker: str
    state: TickerState
    entry: Entry | None = None
    notes: tuple[str, ...] = ()
    reason: str = ""

    @property
    def is_done(self) -> bool:
        """Whether its file is there as it is wanted."""
        return self.state not in (TickerState.failed, TickerState.not_tried)

    def to_json(self) -> dict[str, Any]:
        """Return plain values for --json."""
        stated = {"ticker": self.ticker, "state": str(self.state), "notes": list(self.notes), "reason": self.reason}
        return {**stated, "entry": self.entry and {**asdict(self.entry), "missing": list(self.entry.missing)}}

    def line(self) -> str:
        """Return what came of it as one line."""
        if not self.is_done or self.entry is None:
            return f"{self.ticker}: {self.state}. {self.reason}"
        days = f"{plural(self.entry.rows, 'day')}, {self.entry.first} to {self.entry.last}"
        return f"{self.ticker}: {self.state}, {'; '.join([days, *self.notes])}."


@dataclass(frozen=True)
class Wanted:
    """What is wanted of every ticker.

    Attributes:
        first: the first day; None for all there are, and for a file that is there, for that of the time before.
        update: whether files that are there are brought up to date.
    """

    first: date | None = None
    update: bool = False


@dataclass(frozen=True)
class _Fetched:
    """Bars on their way into a file.

    Attributes:
        table: as `Bars` has it, with those of the file where newer ones were added.
        calendar: the exchange whose sessions they follow.
        is_anew: whether all of them were fetched.
        notes: what is remarkable, half a sentence each.
    """

    table: pd.DataFrame
    calendar: str
    is_anew: bool
    notes: tuple[str, ...] = ()


def download(
    tickers: Sequence[str], folder: Path, source: Source, wanted: Wanted, *, on_message: Callable[[str], None]
) -> list[Outcome]:
    """Bring the price files of tickers into a folder; what fails is an outcome, and the others are done.

    Args:
        tickers: in any case; a repeated one counts once.
        folder: made where it is missing; one process at a time writes into it.
        source: where the prices come from.
        wanted: of each.
        on_message: called with what came of each ticker, and before each wait.

    Raises:
        StockcastError: a ticker can be none, the folder cannot be used, or its manifest is damaged.
    """
    names = list(dict.fromkeys(map(ticker_of, tickers)))
    outcomes: list[Outcome] = []
    make_folder(folder, advice="Name another folder with --to.")
    with locked(folder), reporting(on_message):
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
            on_message(outcome.line())
            outcomes.append(outcome)
    return outcomes


def _stops_after(error: StockcastError) -> int | None:
    """Return how many tickers in a row may fail so; None for any number. A disk that is full is so for all."""
    if isinstance(error, RunError):
        return 1
    return error.stops_after if isinstance(error, SourceError) else None


def _download_one(ticker: str, manifest: Manifest, source: Source, wanted: Wanted) -> Outcome:
    """Bring one price file up to what is wanted; StockcastError if that cannot be."""
    entry = manifest.entries.get(ticker)
    name = entry.file if entry else file_name(ticker, manifest.files)
    stored = stored_file(manifest.folder / name, entry)
    start = str(wanted.first) if wanted.first else entry.start if entry else None
    at = sessions.utc_now()
    current = stored.entry if stored else None
    if stored and current and (current.source, current.start) == (source.name, start):
        if not (wanted.update and _may_be_newer(current, at)):
            return Outcome(ticker, TickerState.unchanged, current)
        state = TickerState.updated
        fetched = _newer(ticker, source, from_bytes(stored.content), current)
    else:
        state = TickerState.downloaded
        fetched = _whole(ticker, source, start)
    fetched = _checked(ticker, source, fetched, at)
    new = _entry(fetched, name, source, start, at)
    new = write_file(manifest, ticker, new, to_bytes(fetched.table), stored=stored, is_anew=fetched.is_anew)
    renamed = () if name == f"{ticker}.csv" else (f"its file is {name}",)
    return Outcome(ticker, state, new, (*renamed, *fetched.notes))


def _may_be_newer(entry: Entry, at: datetime) -> bool:
    """Whether a session is over since a file was fetched, or one was missing then."""
    then = datetime.fromisoformat(entry.fetched)
    return bool(entry.missing) or sessions.last_over(entry.calendar, then) < sessions.last_over(entry.calendar, at)


def _whole(ticker: str, source: Source, start: str | None) -> _Fetched:
    table = fetch(source, ticker, start=date.fromisoformat(start) if start else None).table
    return _Fetched(table, sessions.calendar_of(table), is_anew=True)


def _newer(ticker: str, source: Source, old: pd.DataFrame, entry: Entry) -> _Fetched:
    """Return the bars of a file with newer ones, or if these are of another scale, all of them fetched anew."""
    new = fetch(source, ticker, start=overlap_start(old)).table
    reason = rescaled(old, new)
    if reason is None:
        table = joined(old, new)
        calendar = entry.calendar if len(old) >= _TELLING else sessions.calendar_of(table)
        return _Fetched(table, calendar, is_anew=False)
    fetched = _whole(ticker, source, entry.start)
    check_whole(old, fetched.table)
    return replace(fetched, notes=(f"fetched anew, as {reason}",))


def _checked(ticker: str, source: Source, fetched: _Fetched, at: datetime) -> _Fetched:
    """Return the bars of sessions that are over, the last ones fetched again where one is missing."""
    table, calendar, notes = fetched.table, fetched.calendar, list(fetched.notes)
    over = sessions.only_over(table, calendar, at)
    if len(table) and (last := table.index[-1].date()) > sessions.last_over(calendar, at):
        notes.append(f"the bar of {last} is left out: it is final half an hour after its session ends")
    if len(gaps := sessions.missing(over, calendar, at)):
        with contextlib.suppress(SourceError):  # what is still missing is a note
            again = fetch(source, ticker, start=gaps[0].astype(object) - timedelta(days=7)).table
            over = sessions.only_over(joined(over, again), calendar, at)
        if len(gaps := sessions.missing(over, calendar, at)):
            days = join_words([str(day) for day in gaps]) if len(gaps) < sessions.RECENT else f"from {gaps[0]} on"
            notes.append(f"fetched twice, it has no close of {plural(len(gaps), 'session')} of {calendar}: {days}")
    if over.empty:
        raise SourceError(f"The source has no close of {ticker} on any day that is over.", value=ticker)
    return replace(fetched, table=over, notes=tuple(notes))


def _entry(fetched: _Fetched, name: str, source: Source, start: str | None, at: datetime) -> Entry:
    """Return the entry of bars, without the hashes of their file."""
    table, calendar = fetched.table, fetched.calendar
    return Entry(
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
