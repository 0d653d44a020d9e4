"""A config and cut-offs -> a run for each, trained on the past alone, and the scores of all as one.

Each fold is an ordinary run, in a folder that is named by all that it is made from. So what is done is found again
after a kill, with more folds, or when the price files have grown.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

import numpy as np

from stockcast.config.schema import Config
from stockcast.data.lookahead import find_lookahead
from stockcast.data.prices import Prices
from stockcast.errors import DataError, RunError
from stockcast.evaluation.joined_folds import join_folds
from stockcast.evaluation.pool import Losses, Pool, SeriesScores, pool_series
from stockcast.execution.engines import run_tasks
from stockcast.execution.tasks import EngineName, Task
from stockcast.forecasting.folds import Fold, FoldPlan, plan_folds
from stockcast.forecasting.reading import price_files
from stockcast.forecasting.training_data import read_training_prices
from stockcast.models.callbacks import SILENT, Callbacks
from stockcast.pipeline.backtest_result import Backtest, FoldScores
from stockcast.pipeline.pool_members import stored_scores
from stockcast.runs.evaluations import EvaluationIndex, stored_evaluation
from stockcast.runs.files import make_folder
from stockcast.runs.layout import BACKTESTS, FOLDS, LOCK, evaluation_label
from stockcast.text import join_words
from stockcast.typing import Dates

_DIGITS = 8  # of a hash in a name

_Scores = tuple[SeriesScores, Dates, Losses]
"""Of one series, as `pool_series` takes them."""


def backtest(
    config: Config,
    plan: FoldPlan,
    *,
    series: Collection[str] = (),
    runs: Path | str = "runs",
    engine: EngineName = "processes",
    address: str | None = None,
    cores: int | None = None,
    callbacks: Callbacks = SILENT,
) -> Backtest:
    """Train on the days before each cut-off, forecast those up to the next one, and score all folds as one.

    Args:
        config: what each fold is trained by; the days before a cut-off are divided as its split divides those before
            the test.
        plan: where the cut-offs lie.
        series: names of those of the training that are scored; none for all.
        runs: folder of the runs; the folds' are in its folder `backtests`.
        engine: what does the folds, see `run_tasks`.
        address: likewise.
        cores: likewise.
        callbacks: `on_message` is given what looks odd in the data, `on_series` each fold that is done.

    Raises:
        StockcastError: the data do not allow the plan, or no fold could be done. Those that could not are among the
            failures.
    """
    read = read_training_prices(config, callbacks.on_message)
    dates, stated = np.empty(0, "datetime64[D]"), []
    for prices in read.series:  # one of them is in memory at a time
        dates = np.union1d(dates, prices.dates)
        stated.append((prices.name, prices.sha256))
        for found in find_lookahead(prices):
            callbacks.on_message(f"{prices.label}: {found.sentence}. The scores are too good.")
    names = _names(stated)
    chosen = _chosen(names, series)
    folds = plan_folds(read.config, dates, plan)
    contents = [_contents(prices, folds) for prices in read.series]
    root = Path(runs).resolve() / BACKTESTS / config.name
    make_folder(root / FOLDS, advice="Choose another --runs.")
    paths = {
        fold.name: root / FOLDS / f"{fold.name}-{_digest(fold, [own[number] for own in contents])}"
        for number, fold in enumerate(folds)
    }
    inputs = tuple(path.resolve() for path in (*price_files(read.config), read.config.data.covariates) if path)
    scored = sorted({stated[number][0] for number in chosen}) if series else []
    tasks = [
        Task(
            key=fold.name,
            function="stockcast.pipeline.fold_run:run_fold",
            folder=paths[fold.name],
            arguments={"config": fold.config.to_yaml(), "series": scored},
            inputs=inputs,
        )
        for fold in folds
    ]
    failures = {}
    with (
        _alone(root),
        closing(
            run_tasks(
                tasks,
                engine=engine,
                address=address,
                cores=cores,
                on_message=lambda _, text: callbacks.on_message(text),
            )
        ) as ends,
    ):
        for number, end in enumerate(ends, start=1):
            if end.error is not None:
                again = f" To do it anew, remove {end.task.folder} and repeat." if end.task.folder.exists() else ""
                failures[end.task.key] = f"{str(end.error).removesuffix(' Train again.')}{again}"
            how = "" if end.error is None else " could not be done"
            callbacks.on_series(f"{end.task.key}{how}", number, len(tasks))
    done = [fold for fold in folds if fold.name not in failures]
    if not done:
        name, reason = next(iter(failures.items()))
        raise RunError(f"None of {len(folds)} folds could be done. {name}: {reason}", file=root)
    labels = [
        _labels(paths[fold.name], {names[number]: contents[number][fold.number - 1] for number in chosen})
        for fold in done
    ]
    scores = [_scores(paths[fold.name], own) for fold, own in zip(done, labels, strict=True)]
    shown = [names[number] for number in chosen]
    joined = [join_folds(parts) for name in shown if (parts := [own[name] for own in scores if name in own])]
    return Backtest(
        config=read.config,
        plan=plan,
        folds=tuple(
            FoldScores(fold, paths[fold.name], _pool(list(own.values()), config), of)
            for fold, own, of in zip(done, scores, labels, strict=True)
        ),
        pool=_pool(joined, config),
        failures=failures,
        unscored={name: missing for name in shown if (missing := sum(name not in own for own in scores))},
    )


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Keep other processes from these folds until the block or process ends; RunError if one is at them."""
    from filelock import FileLock, Timeout

    lock = FileLock(root / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        message = f"Another backtest works in {root}. Wait until it has ended, and repeat: what it has done is found."
        raise RunError(message, file=root) from None
    except OSError as error:
        raise RunError(f"Cannot write into {root}: {error.strerror}. Choose another --runs.", file=root) from error
    try:
        yield
    finally:
        lock.release()


def _chosen(names: Sequence[str], wanted: Collection[str]) -> list[int]:
    """Return the numbers of the series of these names, or of all; DataError if there is none of a name."""
    if missing := sorted(set(wanted) - set(names)):
        raise DataError(
            f"No series {join_words(missing)} is trained on. There are: {', '.join(names[:20])}"
            f"{', ...' if len(names) > 20 else ''}.",
            key="--series",
            value=missing,
        )
    return [number for number, name in enumerate(names) if not wanted or name in wanted]


def _names(stated: Sequence[tuple[str, str]]) -> list[str]:
    """Return the names of series by name and SHA-256 of the file, whose first digits follow where files share one."""
    names = [name for name, _ in stated]
    return [name if names.count(name) == 1 else f"{name}-{sha256[:_DIGITS]}" for name, sha256 in stated]


def _contents(prices: Prices, folds: Sequence[Fold]) -> list[str | None]:
    """Return the hash of the days of a series that each fold reads; None where there are none."""
    contents = []
    for fold in folds:
        first, last = (np.datetime64(day or date.min) for day in (fold.config.data.start, fold.config.data.end))
        inside = ((first <= prices.dates) & (prices.dates <= last)).any()
        contents.append(
            prices.between(fold.config.data.start, fold.config.data.end).content_sha256() if inside else None
        )
    return contents


def _digest(fold: Fold, contents: Sequence[str | None]) -> str:
    """Return the first digits of a hash of all that a fold is made from: its config, and the days that it reads."""
    words = [fold.config.to_yaml(), *(content or "" for content in contents)]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:_DIGITS]


def _labels(run: Path, contents: Mapping[str, str | None]) -> dict[str, str]:
    """Return the labels of the evaluations in a fold, by series; those that have none there are left out."""
    stated = EvaluationIndex.of(run).stated
    labels = {data.get("content_sha256"): evaluation_label(folder.name) for folder, data in stated.items()}
    return {name: label for name, content in contents.items() if content and (label := labels.get(content))}


def _scores(run: Path, labels: Mapping[str, str]) -> dict[str, _Scores]:
    """Return the scores of the series in a fold, by name."""
    scores = {}
    for name, label in labels.items():
        stored = stored_evaluation(run, label)
        if stored is None:
            raise RunError(f"{run} has lost its evaluation of {name}. Remove the folder and repeat.", file=run)
        scores[name] = stored_scores(run, label, name, stored)
    return scores


def _pool(scores: Sequence[_Scores], config: Config) -> Pool:
    score = "crps" if config.head.classes is None else "brier"
    return pool_series(scores, score=score, frequency=config.data.bars)
