"""The folder of a study: what it is a study of, and the work on it that any process can do."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from stockcast.config.load import parse_config
from stockcast.config.schema import Config
from stockcast.errors import ConfigError, DataError, RunError, TrainingError
from stockcast.forecasting.folds import Fold
from stockcast.pipeline.fold_scores import FoldScorer, TuningDays
from stockcast.runs.files import make_folder, replacing
from stockcast.runs.safe_io import damaged, parse_object, read_bytes
from stockcast.tuning.journal import turn
from stockcast.tuning.space import Space, config_with, parse_space
from stockcast.tuning.study import TakenTrial, TrialRecord, TuningStudy

STUDY = "study.json"


@dataclass(frozen=True)
class StudyFolder:
    """What a study is of; all of it is in `study.json`, by which other processes work on it too.

    Attributes:
        path: the folder.
        config: the starting config, with dates for the parts.
        space: what is tuned.
        folds: on which each trial is scored.
        before: the first calibration day; all folds end before it.
        metric: by which trials are compared.
        content: a hash of the prices before that day.
    """

    path: Path
    config: Config
    space: Space
    folds: tuple[Fold, ...]
    before: date
    metric: str
    content: str

    @classmethod
    def of(cls, path: Path, days: TuningDays, space: Space, *, metric: str) -> "StudyFolder":
        """Return the study of these days, which is not stored yet."""
        return cls(path, days.config, space, days.folds, days.before, metric, days.content)

    def begin(self) -> None:
        """Store what the study is of, or check that the folder holds this very one.

        Raises:
            RunError: another study is stored there; names what differs. Or the folder cannot be written.
        """
        make_folder(self.path, advice="Choose another --runs.")
        stated = self._stated()
        path = self.path / STUDY
        try:
            with turn(self.path):
                if path.exists():
                    self._check_same(parse_object(read_bytes(path, folder=self.path), source=path), stated)
                    return
                if others := [other.name for other in self.path.iterdir() if other.name != "turn.lock"]:
                    raise RunError(
                        f"{self.path} is no study; it holds {others[0]}. Choose another --name.",
                        file=self.path,
                        key="--name",
                    )
                with replacing(path) as partial:
                    partial.write_text(json.dumps(stated, indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise RunError(f"Cannot write {path}: {error.strerror or error}.", file=path) from error

    @classmethod
    def read(cls, path: Path) -> "StudyFolder":
        """Return the study that a folder holds; RunError if it is damaged."""
        source = path / STUDY
        stated = parse_object(read_bytes(source, folder=path), source=source)
        try:
            config = parse_config(stated["config"], source=str(source), folder=path)
            folds = tuple(
                Fold(
                    number,
                    date.fromisoformat(fold["cutoff"]),
                    date.fromisoformat(fold["last"]),
                    parse_config(fold["config"], source=str(source), folder=path),
                )
                for number, fold in enumerate(stated["folds"], start=1)
            )
            return cls(
                path,
                config,
                parse_space(stated["space"], source=stated["space_file"], config=config),
                folds,
                date.fromisoformat(stated["before"]),
                stated["metric"],
                stated["content"],
            )
        except (KeyError, TypeError, ValueError, ConfigError) as error:
            raise damaged(source, str(error)) from error

    def open(self) -> TuningStudy:
        """Return the trials, to work on in a `with` block."""
        return TuningStudy(self.path, self.space, seed=self.config.training.seed)

    def _stated(self) -> dict[str, Any]:
        return {
            "config": self.config.to_yaml(),
            "space": self.space.text,
            "space_file": self.space.source,
            "space_hash": self.space.fingerprint(),
            "metric": self.metric,
            "before": str(self.before),
            "folds": [
                {"cutoff": str(fold.cutoff), "last": str(fold.last), "config": fold.config.to_yaml()}
                for fold in self.folds
            ],
            "content": self.content,
        }

    def _check_same(self, stored: dict[str, Any], own: dict[str, Any]) -> None:
        """Check that a stored study is this one; RunError names what differs, of both."""
        differ = []
        if stored.get("space_hash") != own["space_hash"]:
            differ.append(
                f"its space is {stored.get('space_file')} ({stored.get('space_hash')}), and {own['space_file']} "
                f"({own['space_hash']}) is given"
            )
        if stored.get("metric") != own["metric"]:
            differ.append(f"its metric is {stored.get('metric')}, and {own['metric']} is given")
        lines = str(stored.get("config")).splitlines(), own["config"].splitlines()
        if lines[0] != lines[1]:
            pairs = [(theirs.strip(), ours.strip()) for theirs, ours in zip(*lines, strict=False) if theirs != ours]
            first = f": {pairs[0][0]!r} there, {pairs[0][1]!r} here" if pairs else ""
            differ.append(f"its config is another{first}")
        elif stored.get("folds") != own["folds"]:
            differ.append(f"it has {len(stored.get('folds', []))} folds, and {len(own['folds'])} are given")
        elif stored.get("content") != own["content"]:
            differ.append(f"the prices before {own['before']} have changed since")
        if differ:
            raise RunError(
                f"{self.path} holds another study: {'; '.join(differ)}. Choose another --name, or remove it.",
                file=self.path,
                key="--name",
                value=differ,
            )


def work(folder: StudyFolder, trials: int, *, until: float, on_trial: Callable[[TrialRecord, int], None]) -> None:
    """Take trials of the study and score them, one after the other, until it has so many.

    Args:
        folder: the study, which has begun.
        trials: that it is to have in all.
        until: `time.monotonic()` after which none is begun.
        on_trial: given each trial of this process once it has ended, and how many the study has.

    Raises:
        StockcastError: the price files have changed, or the journal cannot be written.
    """
    logging.getLogger("tensorflow").setLevel(logging.ERROR)  # it warns of many networks in one process
    with folder.open() as study:
        scorer = FoldScorer(folder.config, folder.folds, metric=folder.metric)
        while (trial := study.take(trials, until=until)) is not None:
            _score(trial, study, scorer, folder)
            records = list(study.records())
            own = next(record for record in records if record.number == trial.number)
            on_trial(own, sum(record.counts for record in records))


def _score(trial: TakenTrial, study: TuningStudy, scorer: FoldScorer, folder: StudyFolder) -> None:
    """Score a trial on the folds that it has no score of yet, and store how it ended."""
    try:
        config = config_with(folder.config, trial.values)
        for score in scorer.scores(config, first=len(trial.scores)):
            start = next((record.scores for record in study.records() if record.is_start), ())
            if trial.add(score, start) and len(trial.scores) < len(folder.folds):
                trial.prune()
                return
    except (ConfigError, DataError, TrainingError) as error:
        if trial.number == 0:  # without a start there is nothing to compare with
            raise
        if isinstance(error, TrainingError):
            trial.fail(str(error))
        else:
            trial.reject(str(error))
    else:
        trial.finish()
