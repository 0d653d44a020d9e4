"""A run and price files -> forecasts from their last days, in a ledger before those days come."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.config.load import Overrides
from stockcast.data.calendar import session_close
from stockcast.data.csv.table import PriceSource
from stockcast.errors import DataError, LedgerError
from stockcast.forecast import Prediction
from stockcast.forecasting.predictor import Predictor
from stockcast.frequency import DAILY
from stockcast.ledger.append import appending, time_text, utc_now
from stockcast.ledger.chain import Chain, read_chain
from stockcast.ledger.entries import Ledger, RecordedForecast
from stockcast.models.callbacks import SILENT, Callbacks
from stockcast.pipeline.predict_pool import PoolPrediction, forecast_pool
from stockcast.runs.layout import CONFIG, MANIFEST, ONNX, WEIGHTS
from stockcast.runs.safe_io import sha256
from stockcast.runs.shipped import choose_run
from stockcast.text import printable_name

Clock = Callable[[], datetime]
"""Returns the time in UTC."""


@dataclass(frozen=True)
class Recording:
    """The result of `record`.

    Attributes:
        run: name of the run.
        recorded: forecasts that are new in the ledger.
        known: of those that were in it already, the ones that stand.
        changed: series of `known` whose price file has changed since, though it ends on the same day.
        failures: by series that was not recorded, the reason.
        lines: of the ledger.
        head: the hash of its last line.
    """

    run: str
    recorded: tuple[RecordedForecast, ...]
    known: tuple[RecordedForecast, ...]
    changed: tuple[str, ...]
    failures: Mapping[str, str]
    lines: int
    head: str

    @property
    def late(self) -> tuple[RecordedForecast, ...]:
        """New ones whose first session had closed, which will not be scored."""
        return tuple(each for each in self.recorded if each.is_late)

    def to_json(self) -> dict[str, Any]:
        """Return plain values for --json."""
        return {
            "run": self.run,
            "recorded": list(map(_summary, self.recorded)),
            "known": list(map(_summary, self.known)),
            "changed": list(self.changed),
            "failures": dict(self.failures),
            "lines": self.lines,
            "head": self.head,
        }


def _summary(forecast: RecordedForecast) -> dict[str, Any]:
    return {
        "line": forecast.line,
        "series": forecast.series,
        "cutoff": str(forecast.cutoff),
        "first": str(forecast.forecast.target_dates[0, 0]),
        "last": str(forecast.forecast.last_day),
        "recorded": forecast.recorded,
        "late": forecast.is_late,
    }


def record(
    path: Path | str,
    run: Path | str | None = None,
    sources: Sequence[PriceSource | str] = (),
    *,
    runs: Path | str = "runs",
    overrides: Overrides = (),
    callbacks: Callbacks = SILENT,
    clock: Clock | None = None,
) -> Recording:
    """Forecast from the last row of each series, and write the forecasts into a ledger.

    A forecast of the same series and day by the same run is written once; the first one stands.

    Args:
        path: of the ledger, which is begun where there is none.
        run: a finished run, its path, or its name under `runs`; None as of `predict_pool`.
        sources: price files, folders of them, and DataFrames; none for the series that the run was trained on.
        runs: folder of the runs.
        overrides: how price files are read, as in `Predictor.load`.
        callbacks: `on_series` is given the progress, `on_message` what was repaired.
        clock: for replays of the past, whose forecasts are marked as simulated; None for the clock of this machine.

    Raises:
        LedgerError: the file is no ledger, damaged, or cannot be written.
        StockcastError: as `predict_pool`, or the run forecasts no daily closes.
    """
    path = Path(path)
    if path.exists():
        Ledger.of(read_chain(path), path=path)  # before the work of forecasting
    chosen = choose_run(Path(runs), run, source=sources or None, on_message=callbacks.on_message)
    predictor = Predictor.load(chosen, overrides=overrides, on_message=callbacks.on_message)
    return record_pool(path, predictor, sources, callbacks=callbacks, clock=clock)


def record_pool(
    path: Path,
    predictor: Predictor,
    sources: Sequence[PriceSource | str],
    *,
    callbacks: Callbacks = SILENT,
    clock: Clock | None = None,
) -> Recording:
    """Record the forecasts of a loaded run, as `record` does."""
    if "Close" not in predictor.config.target.names:
        names = ", ".join(predictor.config.target.names)
        raise LedgerError(f"{predictor.run.name} forecasts {names}; a ledger holds forecasts of the close.", key="run")
    if (bars := predictor.config.data.bars) is not DAILY:
        raise LedgerError(f"{predictor.run.name} forecasts {bars.name} bars; a ledger holds daily ones.", key="run")
    found = forecast_pool(predictor, sources, callbacks=callbacks)
    with appending(path, on_message=callbacks.on_message, now=clock) as appender:
        recorded = time_text((clock or utc_now)())
        made, failures = _made(predictor, found, recorded=recorded, simulated=clock is not None)
        known = {each.key: each for each in Ledger.of(appender.chain, path=path).forecasts}
        new = [each for each in made if each.key not in known]
        lines = appender.append([each.to_fields() for each in new])
        chain: Chain = appender.chain
    standing = [(known[each.key], each) for each in made if each.key in known]
    return Recording(
        run=predictor.run.name,
        recorded=tuple(replace(each, line=line.number) for each, line in zip(new, lines, strict=True)),
        known=tuple(old for old, _ in standing),
        changed=tuple(old.series for old, now in standing if old.hashes.get("prices") != now.hashes["prices"]),
        failures={**found.failures, **failures},
        lines=len(chain.lines),
        head=chain.head,
    )


def _made(
    predictor: Predictor, found: PoolPrediction, *, recorded: str, simulated: bool
) -> tuple[list[RecordedForecast], dict[str, str]]:
    """Return the forecasts of a pool as a ledger has them, and the reason for each that it cannot have."""
    calendar, hashes = predictor.reading.data.calendar, _hashes(predictor)
    made, failures = [], {}
    for name, prediction in found.predictions.items():
        if not isinstance(prediction, Prediction):
            message = f"{found.run} forecasts the direction; a ledger holds forecasts of prices with their quantiles."
            raise LedgerError(message, key="run")
        forecast = prediction.forecast
        cutoff = forecast.origin_dates[0]
        if recorded < (closes := closes_at(cutoff, calendar=calendar)):
            failures[name] = (
                f"its last row is of {cutoff}, a session of {calendar} that closes at {closes}: it is not final. Leave "
                f"that row out, or record later."
            )
            continue
        made.append(
            RecordedForecast(
                recorded=recorded,
                due=closes_at(forecast.target_dates[0, 0], calendar=calendar),
                series=printable_name(name),
                run=printable_name(found.run),
                forecast=forecast,
                calendar=calendar,
                adjusted=predictor.config.target.adjusted,
                hashes={"prices": found.files[name], **hashes},
                simulated=simulated,
            )
        )
    return made, failures


def _hashes(predictor: Predictor) -> dict[str, str]:
    """Return the SHA-256 of run.json, which lists those of all files of the run, and of config and model."""
    files = predictor.run.manifest()["files"]
    model = files.get(ONNX) or files.get(WEIGHTS) or ""
    return {"run": sha256(predictor.run.path / MANIFEST), "config": files.get(CONFIG, ""), "model": model}


@lru_cache(maxsize=64)
def closes_at(day: np.datetime64, *, calendar: str) -> str:
    """Return when a session closes; where the calendar does not know, midnight before it: then nothing is too early."""
    try:
        closes = session_close(day, calendar=calendar)
    except DataError:
        closes = None
    return time_text(closes or day.astype("datetime64[s]").astype(datetime).replace(tzinfo=UTC))
