"""A ledger and newer price files -> the closes that came, recorded, and the scores of what was forecast before them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stockcast.config.load import Overrides
from stockcast.data.csv.table import PriceSource
from stockcast.data.prices import Prices
from stockcast.errors import LedgerError, StockcastError
from stockcast.ledger.append import appending, time_text, utc_now
from stockcast.ledger.chain import read_chain
from stockcast.ledger.entries import Ledger, RecordedForecast, RecordedOutcome
from stockcast.models.callbacks import SILENT, Callbacks
from stockcast.pipeline.judge import judge
from stockcast.pipeline.judgement import UNKNOWN, Judgement
from stockcast.pipeline.ledger_outcomes import find_outcome, names_text, ratio_of, read_newer
from stockcast.pipeline.ledger_record import Clock
from stockcast.text import plural

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class LedgerScores:
    """The result of `score`.

    Attributes:
        outcomes: closes that are new in the ledger.
        forecasts: all of the ledger.
        scored: those of them that are held against prices: not late, and a day of theirs has come.
        judgement: their scores; None where there are none.
        revised: what differs from the files that were recorded, sentences.
        missing: series without a price file.
        failures: by series whose file cannot be used, the reason.
        lines: of the ledger.
        head: the hash of its last line.
    """

    outcomes: tuple[RecordedOutcome, ...]
    forecasts: tuple[RecordedForecast, ...]
    scored: tuple[RecordedForecast, ...]
    judgement: Judgement | None
    revised: tuple[str, ...]
    missing: tuple[str, ...]
    failures: Mapping[str, str]
    lines: int
    head: str

    @property
    def late(self) -> int:
        """Number of forecasts that were recorded late."""
        return sum(each.is_late for each in self.forecasts)

    @property
    def verdict(self) -> tuple[str, ...]:
        """Sentences: what was scored, and what it proves; the last one sums up."""
        if self.judgement is None:
            return (self._scope(),)
        # That they were made before their days is what a ledger is for.
        judged = [sentence for sentence in self.judgement.verdict if sentence != UNKNOWN[0]]
        return self._scope(), *judged

    def _scope(self) -> str:
        """What is scored of what was recorded."""
        without = [*self.missing, *self.failures]
        absent = sum(not each.is_late and each.series in without for each in self.forecasts)
        waiting = len(self.forecasts) - self.late - len(self.scored) - absent
        parts = [f"{len(self.scored)} of {plural(len(self.forecasts), 'recorded forecast')} are scored"]
        if self.scored:
            first, last = (pick(each.recorded for each in self.scored)[:10] for pick in (min, max))
            simulated = sum(each.simulated for each in self.scored)
            parts[0] += f", recorded between {first} and {last}, each before its first session closed"
            parts += [f"the time of {simulated} of them was simulated"] if simulated else []
        parts += [f"{self.late} were recorded late, and are never scored"] if self.late else []
        parts += [f"of {waiting} no day has come yet"] if waiting else []
        parts += [f"without a usable price file are {absent}: {names_text(without)}"] if absent else []
        return f"{'; '.join(parts)}."

    def to_json(self) -> dict[str, Any]:
        """Return plain values for --json."""
        return {
            "outcomes": [
                {"line": each.line, "series": each.series, "days": each.days[1:].astype(str).tolist(),
                 "ratio": each.ratio}
                for each in self.outcomes
            ],
            "forecasts": len(self.forecasts),
            "scored": len(self.scored),
            "late": self.late,
            "revised": list(self.revised),
            "missing": list(self.missing),
            "failures": dict(self.failures),
            "judgement": None if self.judgement is None else self.judgement.to_json(),
            "verdict": list(self.verdict),
            "lines": self.lines,
            "head": self.head,
        }  # fmt: skip


def score(
    path: Path | str,
    sources: Sequence[PriceSource | str],
    *,
    overrides: Overrides = (),
    callbacks: Callbacks = SILENT,
    clock: Clock | None = None,
) -> LedgerScores:
    """Record the closes that came, and score the forecasts that were recorded before them.

    Args:
        path: of the ledger.
        sources: newer price files, folders of them, and DataFrames.
        overrides: how price files are read, as in `Predictor.load`.
        callbacks: `on_message` is given what was revised, `on_baseline` the costly baselines' progress.
        clock: for replays of the past; None for the clock of this machine.

    Raises:
        LedgerError: the file is no ledger, damaged, or cannot be written; or it has no forecast.
        StockcastError: two files are of one series, or a folder holds no price file.
    """
    path = Path(path)
    if not sources:
        raise LedgerError("Give newer price files, or a folder of them: --data.", key="--data")
    before = Ledger.of(read_chain(path), path=path)
    if not before.forecasts:
        raise LedgerError(f"{path} has no forecast. `stockcast ledger record` adds some.", file=path)
    newer = read_newer(before, sources, overrides=overrides)
    failures, revised = dict(newer.failures), []
    with appending(path, on_message=callbacks.on_message, now=clock) as appender:
        ledger, recorded = Ledger.of(appender.chain, path=path), time_text((clock or utc_now)())
        new: list[RecordedOutcome] = []
        for name, prices in newer.prices.items():
            try:
                outcome, messages = find_outcome(ledger, name, prices, recorded=recorded)
            except StockcastError as error:
                failures[name] = str(error)
                continue
            revised += messages
            new += [] if outcome is None else [outcome]
        lines = appender.append([each.to_fields() for each in new])
        chain = appender.chain
    for message in revised:
        callbacks.on_message(message)
    came = {each.series: each.days[-1] for each in (*ledger.outcomes, *new)}
    usable = {name: each for name, each in newer.prices.items() if name not in failures and name in came}
    scored = tuple(each for each in ledger.forecasts if each.series in usable and _is_scored(each, came[each.series]))
    judgement = None
    if scored:
        used = [usable[name].source for name in dict.fromkeys(each.series for each in scored)]
        table = frame(scored, usable, until=came)
        judgement = judge(table, used, overrides=overrides, callbacks=replace(callbacks, on_message=_ignore))
        for message in judgement.unscored:
            callbacks.on_message(message)
    return LedgerScores(
        outcomes=tuple(replace(each, line=line.number) for each, line in zip(new, lines, strict=True)),
        forecasts=ledger.forecasts,
        scored=scored,
        judgement=judgement,
        revised=tuple(revised),
        missing=newer.missing,
        failures=failures,
        lines=len(chain.lines),
        head=chain.head,
    )


def _ignore(_: str) -> None:
    """Leave out how the table was read, which is no file of the user's."""


def _is_scored(forecast: RecordedForecast, last: np.datetime64) -> bool:
    """Whether a forecast was not late, and a day of it has come, up to the last recorded one of its series."""
    return not forecast.is_late and bool(forecast.forecast.target_dates[0, 0] <= last)


def frame(
    forecasts: Sequence[RecordedForecast], prices: Mapping[str, Prices], *, until: Mapping[str, np.datetime64]
) -> "pd.DataFrame":
    """Return forecasts as a table with a row for each day forecast, in the unit of newer price files.

    Columns are unique_id, model, cutoff, ds, and for each level median or quantile_LEVEL, as `judge` reads them. A
    forecast is brought into the file's unit by its own ratio, so that a split or dividend since changes nothing.

    Args:
        forecasts: some.
        prices: by series.
        until: by series, the last day that has come.

    Raises:
        LedgerError: prices lack the last day that a forecast knew.
    """
    import pandas as pd

    names = _models(forecasts)
    parts = []
    for each in forecasts:
        ratio = ratio_of(each, prices[each.series])
        if ratio is None:
            source = prices[each.series].source
            message = (
                f"{source} has no price of {each.cutoff}, the last day that line {each.line} knew. Use another file."
            )
            raise LedgerError(message, file=source, line=each.line)
        forecast = each.forecast
        has_come = forecast.target_dates[0] <= until[each.series]
        columns = [f"quantile_{level:g}" if level != 0.5 else "median" for level in forecast.levels]
        table = pd.DataFrame(forecast.quantiles[0, has_come] * ratio, columns=columns)
        table.insert(0, "ds", forecast.target_dates[0, has_come])
        table.insert(0, "cutoff", each.cutoff)
        table.insert(0, "model", names[each.run, each.hashes.get("run", "")])
        table.insert(0, "unique_id", each.series)
        parts.append(table)
    whole = pd.concat(parts, ignore_index=True)
    whole.attrs["name"] = "ledger"
    return whole


def _models(forecasts: Sequence[RecordedForecast]) -> dict[tuple[str, str], str]:
    """Return the name of each run; of runs of one name, with the first digits of the hash of their run.json."""
    runs = dict.fromkeys((each.run, each.hashes.get("run", "")) for each in forecasts)
    names = [name for name, _ in runs]
    return {(name, sha256): name if names.count(name) == 1 else f"{name}-{sha256[:8]}" for name, sha256 in runs}
