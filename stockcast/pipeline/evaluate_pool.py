"""A run and many series -> the scores of each next to the baselines', and of all together, with a verdict."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from stockcast.config.load import Overrides
from stockcast.data.csv.folder import files_of
from stockcast.data.csv.options import STDIN, series_name, ticker_name
from stockcast.data.split import Part
from stockcast.errors import DataError, RunError
from stockcast.evaluation.pool import Losses, SeriesScores, pool_series
from stockcast.evaluation.verdict.tuned import tuned_sentence
from stockcast.execution.side_by_side import work_side_by_side
from stockcast.forecasting.predictor import Predictor
from stockcast.models.backend import processors
from stockcast.models.callbacks import SILENT, Callbacks
from stockcast.pipeline.pool_evaluation import PoolEvaluation
from stockcast.pipeline.pool_members import stored_scores
from stockcast.pipeline.scored_series import ScoredDays
from stockcast.runs.directory import RunDirectory
from stockcast.runs.evaluations import stored_evaluation
from stockcast.runs.files import now
from stockcast.runs.layout import evaluation_folder, pool_folder
from stockcast.runs.shipped import choose_run
from stockcast.typing import Dates

_WORKER = "stockcast.pipeline.pool_worker"


def evaluate_pool(
    run: RunDirectory | Path | str | None = None,
    sources: Sequence[Path | str] | Path | str | None = None,
    *,
    part: Part = "test",
    start: date | str | None = None,
    insist: bool = False,
    runs: Path | str = "runs",
    overrides: Overrides = (),
    callbacks: Callbacks = SILENT,
) -> PoolEvaluation:
    """Score a run and the baselines on many series, a process for each core, and judge all of them together.

    Each series' evaluation is stored in the run as soon as it is made. A call that was interrupted goes on where it
    was: what the run has of the same file, days and inputs is not computed again.

    Args:
        run: a finished run, its path, or its name under `runs`; None for the newest one there; where there is none,
            sources are taken by the one that ships, `pretrained`.
        sources: price files, and folders of them; None for the series that the run was trained on.
        part: `test`, or `validation`, whose scores are too good because it stopped the training.
        start: first day to be scored, a date or ISO text; None for the first of the run's test days.
        insist: score days that the run was trained on, too.
        runs: folder of the runs.
        overrides: how price files are read, as in `Predictor.load`; `{"data.ticker": "all"}` takes every series of
            each.
        callbacks: `on_message` is given what looks odd in the data, `on_series` the progress.

    Raises:
        StockcastError: the run is damaged, a folder holds no price file, or no series could be scored. One that could
            not is among the failures.
    """
    given = [sources] if isinstance(sources, Path | str) else [] if sources is None else list(sources)
    if frames := [source for source in given if not isinstance(source, Path | str)]:
        raise DataError(
            f"evaluate_pool takes price files and folders, not a {type(frames[0]).__name__}: its processes read them. "
            f"Write it into a file, or score it with evaluate.",
            value=type(frames[0]).__name__,
        )
    paths = [Path(source) for source in given]
    chosen = choose_run(Path(runs), run, source=paths or None, on_message=callbacks.on_message)
    predictor = Predictor.load(chosen, overrides=overrides, on_message=callbacks.on_message)
    return score_pool(predictor, paths, ScoredDays.of(part, start, insist), overrides=overrides, callbacks=callbacks)


def score_pool(
    predictor: Predictor, paths: Sequence[Path], days: ScoredDays, *, overrides: Overrides = (), callbacks: Callbacks
) -> PoolEvaluation:
    """Score a loaded run on many series, as `evaluate_pool` does; `overrides` are those that it was loaded with."""
    files = _files(paths)
    scored, failures = _sorted(_score_all(predictor, files, days, overrides, callbacks))
    if not scored:
        reasons = "\n".join(f"{name}: {reason}" for name, reason in list(failures.items())[:10])
        raise DataError(f"None of {len(failures)} series could be scored:\n{reasons}", key="--data")
    first = days.start or predictor.test_border()
    name = f"{_name(paths)}-{first}-{_hash(scored, failures, days)}"
    config = predictor.config
    score = "crps" if config.head.classes is None else "brier"
    pool = pool_series(_stored(predictor.run, scored), score=score, frequency=config.data.bars)
    labels = {result["name"]: result["label"] for result in scored}
    remark = ""
    if config.tuned is not None:
        remark = tuned_sentence(trials=config.tuned.trials, before=config.tuned.before, first=first)
    return PoolEvaluation(predictor.run.name, name, days, pool, labels, failures, tuned=remark)


def save_pool_evaluation(run: RunDirectory, evaluation: PoolEvaluation, *, plot: bool = True) -> Path:
    """Write what a pool has in common into its run: pool.json, series.csv, verdict.txt and, unless left out, skill.png.

    Returns:
        The folder.

    Raises:
        RunError: the disk or the folder does not allow it.
    """
    stated = {"created": now(), **evaluation.to_json()}
    folder = run.write_pool(evaluation.name, stated, rows=evaluation.rows(), verdict=evaluation.verdict)
    if plot:
        from stockcast import plots  # matplotlib: only for who draws

        figure = plots.pool_skill(evaluation.pool, evaluation.title())
        run.write_plot("skill", figure, folder=pool_folder(evaluation.name))
    return folder


def _files(paths: Sequence[Path]) -> list[Path]:
    """Return the price files among paths and in folders, each once; DataError for standard input, read only once."""
    if STDIN in paths:
        raise DataError(
            "Standard input cannot be scored side by side with others, or series by series. Save it as a file.",
            key="--data",
            value="-",
        )
    return files_of(paths, key="--data")


def _score_all(
    predictor: Predictor, files: Sequence[Path], days: ScoredDays, overrides: Overrides, callbacks: Callbacks
) -> list[dict[str, Any]]:
    """Score the series of these files, or of the training; return what each worker sent about each, in their order."""
    names = Counter(map(series_name, files))
    several = predictor.takes_all and len(files) > 1  # only their files tell whether two have a name in common
    order = {
        "files": list(map(str, files)),
        "overrides": dict(overrides) if isinstance(overrides, Mapping) else list(overrides),
        "part": days.part,
        "start": days.start and str(days.start),
        "insist": days.insist,
        "shared_names": [name for name, times in names.items() if times > 1],
        "by_hash": several,
        "apart": predictor.run.apart and str(predictor.run.apart),
    }
    known = None if predictor.takes_all else len(files)  # only their files tell how many they hold
    if not files:
        known = len(predictor.own_series())
    processes = processors() if known is None else min(processors(), known)
    results: list[dict[str, Any]] = []
    with closing(work_side_by_side(_WORKER, str(predictor.run.path), order=order, processes=processes)) as messages:
        for message in messages:
            if "done" not in message:
                callbacks.on_message(message["message"])
                continue
            if "died" in message:
                message["error"] = f"The process that scored it ended {message['died']}; was there enough memory?"
            results.append(message)
            callbacks.on_series(message["name"], len(results), known)
    if stored := sum(result.get("stored", False) for result in results):
        callbacks.on_message(f"{stored} of {len(results)} series were scored before; {predictor.run.name} has them.")
    return sorted(results, key=lambda result: int(result["done"]))


def _sorted(results: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """Divide what workers sent into the series that were scored, by name, and the reasons of the others, by name."""
    scored: dict[str, dict[str, Any]] = {}
    failures: dict[str, str] = {}
    contents: dict[tuple[str, str], str] = {}
    for result in results:
        name = str(result["name"])
        error = result.get("error")
        if error is None:
            other = contents.setdefault((result["sha256"], result["ticker"]), name)
            if name not in scored and other == name:
                scored[name] = result
                continue
            error = f"It is the same series as {other}, which is scored already."
        number = 1 + sum(known.partition(" (")[0] == name for known in (*scored, *failures))
        failures[name if number == 1 else f"{name} ({number})"] = str(error)
    return [scored[name] for name in sorted(scored)], dict(sorted(failures.items()))


def _stored(run: RunDirectory, scored: list[dict[str, Any]]) -> Iterator[tuple[SeriesScores, Dates, Losses]]:
    """Yield the scores and losses of each series, one after the other."""
    for result in scored:
        stored = stored_evaluation(run.results, result["label"])
        if stored is None:
            raise RunError(f"{run.results / evaluation_folder(result['label'])} has vanished. Repeat the command.")
        yield stored_scores(run.results, result["label"], result["name"], stored)


def _name(paths: Sequence[Path]) -> str:
    """Return the name of a pool by what was given: a folder's, a file's, or how many there were."""
    if len(paths) > 1:
        return f"{len(paths)}-sources"
    return ticker_name(series_name(paths[0].resolve())) if paths else "training"


def _hash(scored: list[dict[str, Any]], failures: Mapping[str, str], days: ScoredDays) -> str:
    """Return the first digits of a hash of the series and days."""
    members = [(result["name"], result["label"], result["sha256"], result["ticker"]) for result in scored]
    return hashlib.sha256(repr((members, sorted(failures), asdict(days))).encode()).hexdigest()[:8]
