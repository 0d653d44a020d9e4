"""A run and price files -> their forecasts, scores and origin as one page, a value; and that value as a file."""

import hashlib
import platform
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stockcast import __version__
from stockcast.config.load import Overrides
from stockcast.data.csv.options import STDIN, series_name, ticker_name
from stockcast.data.csv.table import read_table
from stockcast.data.prices import Prices
from stockcast.errors import DataError, RunError, StockcastError
from stockcast.evaluation.verdict.record import Record
from stockcast.forecast import DirectionPrediction, Prediction
from stockcast.forecasting.predictor import Predictor
from stockcast.models.callbacks import SILENT, Callbacks
from stockcast.pipeline.pool_members import Member, members_of, sources_of
from stockcast.pipeline.trust import stored_evaluation_of, stored_record, trust
from stockcast.reports.page import ReportPage, SeriesReport
from stockcast.reports.scores import Scores, scores_of
from stockcast.runs.directory import RunDirectory
from stockcast.runs.evaluations import EvaluationIndex, SeriesEvaluation
from stockcast.runs.shipped import choose_run
from stockcast.runs.values import mapping, plain

_ENDINGS = (".html", ".htm")

Sources = Sequence[Path | str | pd.DataFrame]
"""Price files, folders of them, and DataFrames."""


def report(
    run: RunDirectory | Path | str | None = None,
    sources: Sources | Path | str | pd.DataFrame | None = None,
    *,
    horizon: int | None = None,
    runs: Path | str = "runs",
    overrides: Overrides = (),
    callbacks: Callbacks = SILENT,
) -> ReportPage:
    """Forecast series, and put together what is known of them and of the run; nothing is written.

    Args:
        run: a finished run, its path, or its name under `runs`; None for the newest one there; where there is none,
            sources are taken by the one that ships, `pretrained`.
        sources: price files, folders of them, and DataFrames; None for the first series that the run was trained on.
        horizon: sessions ahead; None for the run's own.
        runs: folder of the runs.
        overrides: how price files are read, as in `Predictor.load`; `{"data.ticker": "all"}` takes every series.
        callbacks: `on_message` is given each note on the data, `on_series` the progress.

    Raises:
        StockcastError: the run is damaged, or no series could be forecast. One that could not is among the failures.
    """
    given = [] if sources is None else [sources] if isinstance(sources, Path | str | pd.DataFrame) else list(sources)
    chosen = choose_run(Path(runs), run, source=given or None, on_message=callbacks.on_message)
    predictor = Predictor.load(chosen, overrides=overrides, on_message=callbacks.on_message)
    return report_series(predictor, given, horizon=horizon, overrides=overrides, callbacks=callbacks)


def report_series(
    predictor: Predictor,
    sources: Sources,
    *,
    horizon: int | None = None,
    overrides: Overrides = (),
    callbacks: Callbacks = SILENT,
) -> ReportPage:
    """Report series by a loaded run, as `report` does; `overrides` are those that it was loaded with."""
    outcomes: list[tuple[str, str, SeriesReport | StockcastError]] = []
    for number, (member, origin) in enumerate(_series_of(predictor, sources, callbacks), start=1):
        outcome: SeriesReport | StockcastError
        try:
            outcome = _report_one(predictor, member, horizon=horizon, overrides=overrides, callbacks=callbacks)
        except StockcastError as error:
            outcome = error
        outcomes.append((member.name, origin, outcome))
        callbacks.on_series(member.name, number, None)
    reports, failures = _sorted(outcomes)
    return ReportPage(
        run=predictor.run.name,
        name=_page_name(predictor, sources, reports, failures),
        series=tuple(reports),
        failures=failures,
        made=_made_of(predictor.run),
        config=predictor.run.config_path().read_text(encoding="utf-8"),
        created=f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
    )


def save_report(run: RunDirectory, page: ReportPage, path: Path | str | None = None) -> Path:
    """Write a page as one HTML file, by default inside the run; return where it is.

    Raises:
        StockcastError: jinja2 is not installed, the path is no name of a page, or the disk does not allow it.
    """
    if path is not None:
        check_page_path(Path(path))
    return run.write_page(page.html(), name=page.name, path=None if path is None else Path(path))


def check_page_path(path: Path) -> None:
    """Refuse a path that is a folder, or whose name is not that of a page, with the way out."""
    if path.is_dir():
        advice = f"Name a file in it: {path / 'report.html'}"
        raise RunError(f"--output {path} is a folder. {advice}", file=path, key="--output")
    if path.suffix.lower() not in _ENDINGS:
        raise RunError(
            f"--output {path} does not end in .html, and a report is a page. Name it {path.with_suffix('.html')}",
            file=path,
            key="--output",
        )


def _sorted(
    outcomes: Sequence[tuple[str, str, SeriesReport | StockcastError]],
) -> tuple[list[SeriesReport], dict[str, str]]:
    """Divide what came of each name and origin into reports and reasons; those of one name have the origin behind it.

    Raises:
        StockcastError: there is no report.
    """
    times = Counter(name for name, *_ in outcomes)
    reports: list[SeriesReport] = []
    failures: dict[str, str] = {}
    for name, origin, outcome in outcomes:
        apart = f" ({origin})" if times[name] > 1 else ""
        if isinstance(outcome, SeriesReport):
            reports.append(replace(outcome, name=outcome.name + apart))
        elif len(outcomes) == 1:
            raise outcome
        else:
            failures[name + apart] = str(outcome)
    if not reports:
        reasons = "\n".join(f"{name}: {reason}" for name, reason in list(failures.items())[:10])
        raise DataError(f"None of {len(failures)} series could be forecast:\n{reasons}", key="--data")
    return reports, failures


def _series_of(predictor: Predictor, sources: Sources, callbacks: Callbacks) -> Iterator[tuple[Member, str]]:
    """Yield the series of the sources, each file once, with what tells it from others of its name, its file.

    Without sources it is the series that the run forecasts by default.
    """
    if not sources and predictor.tickers:
        yield from ((member, "") for member in members_of(predictor, ()))
    elif not sources:
        name = series_name(Path(predictor.trained_on[0].name))
        yield Member(name, lambda: predictor.read_as_trained(on_message=callbacks.on_message)), ""
    for number, source in enumerate(sources_of(sources), start=1):
        origin = str(source) if isinstance(source, Path) else f"source {number}"
        yield from ((member, origin) for member in members_of(predictor, [source]))


def _report_one(
    predictor: Predictor, member: Member, *, horizon: int | None, overrides: Overrides, callbacks: Callbacks
) -> SeriesReport:
    """Forecast one series, and read what the run has of its scores."""
    notes: list[str] = []

    def on_message(message: str) -> None:
        notes.append(message)
        callbacks.on_message(message)

    source = member.open()
    if isinstance(source, Prices):  # whose notes were reported when it was read
        notes += [f"{source.label}: {note}." for note in source.notes]
    if isinstance(source, Path | pd.DataFrame):  # once, for the forecast and for its hash
        source = read_table(source, options=predictor.reading.csv_options)
    prices, market = predictor.series_and_market(source, on_message=on_message)
    prediction = predictor.predict_series(prices, market, horizon=horizon, on_message=on_message)
    path = source.source if isinstance(source, Prices) else source.source.path
    is_file = isinstance(source, Prices) or not (source.source.is_frame or path == STDIN)
    index = EvaluationIndex.of(predictor.run.results)
    record = stored_record(predictor, prices, index, on_message=on_message)
    scores, missing = _scores(predictor, prediction, stored_evaluation_of(predictor, prices, index), record, path.name)
    can_be_scored = prediction.forecast.origin_dates[0] >= np.datetime64(predictor.test_border())
    return SeriesReport(
        name=prediction.series,
        prediction=prediction,
        trust=trust(predictor, prices, prediction, record),
        scores=scores,
        missing=missing,
        command=_evaluate_command(predictor.run, path, overrides) if is_file and can_be_scored and missing else "",
        notes=tuple(notes),
        made={"name": path.name, "SHA-256": source.sha256, "last day": str(prediction.forecast.origin_dates[0])},
    )


def _scores(
    predictor: Predictor,
    prediction: Prediction | DirectionPrediction,
    found: SeriesEvaluation | None,
    record: Record | None,
    file: str,
) -> tuple[Scores | None, str]:
    """Return the scores that the run has of a series, or why there are none."""
    run, border = predictor.run, predictor.test_border()
    if found is not None:
        last = mapping(found.metrics.get("data")).get("last")
        remark = "" if found.is_of_file else f"These scores are of another state of {file}, which ended on {last}."
        unit = prediction.forecast.frequency.unit
        results = {} if record is None else record.results
        proven = {name: {step: found.outcome for step, found in by.items()} for name, by in results.items()}
        return scores_of(found.metrics, found.verdict, unit=unit, proven=proven, remark=remark), ""
    if prediction.forecast.origin_dates[0] >= np.datetime64(border):
        return None, f"{prediction.series} is not scored yet."
    return None, f"{file} ends before {border}, and {run.name} was trained on the days before that: nothing to score."


def _evaluate_command(run: RunDirectory, path: Path, overrides: Overrides) -> str:
    """Return the command that scores a price file."""
    stated = overrides.items() if isinstance(overrides, Mapping) else [each.split("=", 1) for each in overrides]
    settings = [word for key, value in stated for word in ("--set", f"{key}={value}")]
    is_own = run.apart is None
    runs = [] if is_own or run.results.parent == Path("runs") else ["--runs", str(run.results.parent)]
    name = str(run.path) if is_own else run.name
    return shlex.join(["stockcast", "evaluate", name, "--data", str(path), *settings, *runs])


def _made_of(run: RunDirectory) -> dict[str, str]:
    """Return facts on the run and on the program, by what they are of."""
    manifest: dict[str, Any] = plain(run.manifest())
    versions = ", ".join(f"{name} {version}" for name, version in mapping(manifest.get("versions")).items())
    training, series = mapping(manifest.get("training")), manifest.get("series")
    facts = {
        "run": run.name,
        "trained": str(manifest.get("created"))[:16].replace("T", " ") + " UTC",
        "trained on": f"{len(series)} series" if isinstance(series, list) else None,
        "weights": training.get("parameters"),
        "seed": manifest.get("seed"),
        "trained with": versions,
        "this page": f"stockcast {__version__}, Python {platform.python_version()}",
    }
    return {name: str(fact) for name, fact in facts.items() if fact not in (None, "")}


def _page_name(
    predictor: Predictor,
    sources: Sources,
    reports: Sequence[SeriesReport],
    failures: Mapping[str, str],
) -> str:
    """Name the page's file by its series, last day and, where it is not the run's, horizon; by a hash of several."""
    forecast = reports[0].prediction.forecast
    ahead = "" if forecast.horizon == predictor.config.horizon else f"-{forecast.horizon}-{forecast.frequency.unit}s"
    if len(reports) + len(failures) == 1:
        return f"{reports[0].prediction.series}-{forecast.origin_dates[0]}{ahead}"
    paths = [Path(source).resolve() for source in sources if not isinstance(source, pd.DataFrame)]
    name = ticker_name(series_name(paths[0])) if len(sources) == len(paths) == 1 else f"{len(reports)}-series"
    last = max(report.prediction.forecast.origin_dates[0] for report in reports)
    members = [(report.name, report.made["SHA-256"]) for report in reports]
    digest = hashlib.sha256(repr((members, sorted(failures))).encode()).hexdigest()
    return f"{name}-{last}{ahead}-{digest[:8]}"
