"""A study whose trials are done -> its best config, tables and pictures, and the run that is trained by it."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock

from stockcast.config.schema import Config
from stockcast.config.sections import TunedConfig
from stockcast.errors import RunError
from stockcast.models.callbacks import Callbacks
from stockcast.pipeline.resume import resume
from stockcast.pipeline.train import train
from stockcast.pipeline.tuning_study import StudyFolder
from stockcast.runs.directory import RunDirectory
from stockcast.runs.files import RunFiles
from stockcast.runs.layout import MANIFEST
from stockcast.text import plural
from stockcast.tuning.deflation import Gain, gain_of
from stockcast.tuning.space import config_with
from stockcast.tuning.study import TrialRecord

BEST, TRIALS, RESULT = "best.yaml", "trials.csv", "result.json"
_MOST_LETTERS = 64  # of a config's name

_SCORES = {
    "crps": ("CRPS", "the random walk's"),
    "mae": ("MAE", "the random walk's"),
    "brier": ("Brier score", "that of the training days' shares"),
    "log_loss": ("log loss", "that of the training days' shares"),
}
"""By metric: its name, and what it is divided by."""


@dataclass(frozen=True)
class Tuning:
    """The result of `tune`.

    Attributes:
        folder: of the study: best.yaml, trials.csv, result.json, plots and the journal.
        run: trained by the best config.
        config: the best one; the starting config where nothing was better on the folds.
        best: the trial that it is from, number 0 is the start.
        trials: all of them, by number.
        gain: how much better it is than the start, on the folds and as expected on other days.
        metric: by which they were compared.
        importances: share of each key in how trials differ, the largest first; empty for too few trials.
    """

    folder: Path
    run: RunDirectory
    config: Config
    best: TrialRecord
    trials: tuple[TrialRecord, ...]
    gain: Gain
    metric: str
    importances: dict[str, float]

    @property
    def tuned(self) -> TunedConfig:
        """How many trials stand behind the config, and on which days."""
        if self.config.tuned is None:
            raise TypeError("a config that was tuned states it")
        return self.config.tuned

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was gained, what of it is expected to last, and which days were read."""
        return tuple(_sentences(self.best, self.gain, self.tuned, self.metric))

    def to_json(self) -> dict[str, Any]:
        """Return the result as result.json holds it."""
        gain = self.gain
        return {
            "run": self.run.name,
            "trials": self.tuned.trials,
            "folds": self.tuned.folds,
            "before": str(self.tuned.before),
            "metric": self.metric,
            "best": {"number": self.best.number, "values": dict(self.best.values), "scores": list(self.best.scores)},
            "start": gain.start,
            "gain": gain.observed,
            "standard_error": gain.standard_error,
            "luck": gain.luck,
            "expected_gain": gain.expected,
            "importances": self.importances,
            "sentences": list(self.sentences),
        }


def finish_tuning(folder: StudyFolder, *, callbacks: Callbacks) -> Tuning:
    """Choose the best trial of a study, write its tables and pictures, and train a run by it unless there is one.

    Raises:
        RunError: the starting config was not scored yet, or a file cannot be written.
        StockcastError: the run cannot be trained.
    """
    with FileLock(folder.path / "finish.lock"):  # of two commands on one study, the second finds the run
        with folder.open() as study:
            trials = tuple(sorted(study.records(), key=lambda record: record.number))
            importances = study.importances()
        start = next((trial for trial in trials if trial.is_start and trial.state == "finished"), None)
        if start is None:
            raise RunError(
                f"The starting config was not scored within the time. Repeat the command with a longer --timeout; "
                f"{folder.path} keeps what is done.",
                file=folder.path,
                key="--timeout",
            )
        # The first of equals: the start, where nothing is better.
        best = min((trial for trial in trials if trial.state == "finished"), key=lambda trial: trial.mean)
        counting = [trial for trial in trials if trial.counts]
        gain = gain_of(
            np.array(start.scores),
            np.array(best.scores),
            [np.array(trial.scores) for trial in counting],
            trials=len(counting) - 1,
        )
        stated = {"trials": len(counting), "folds": len(folder.folds), "before": str(folder.before)}
        tuned = TunedConfig.model_validate(stated)  # days are text in a config
        config = _best_config(folder, best, tuned)
        files = RunFiles(folder.path)
        comment = "".join(f"# {sentence}\n" for sentence in _sentences(best, gain, tuned, folder.metric))
        files.write_text(BEST, f"# Written by stockcast tune, from trial {best.number}.\n{comment}{config.to_yaml()}")
        files.write_table(TRIALS, [_row(trial, folder) for trial in trials])
        run = _trained(folder, config, f"{folder.path.name}-{best.number}-of-{tuned.trials}", callbacks)
        tuning = Tuning(folder.path, run, config, best, trials, gain, folder.metric, importances)
        files.write_json(RESULT, tuning.to_json())
        _draw(files, tuning, title=folder.config.name)
    return tuning


def _best_config(folder: StudyFolder, best: TrialRecord, tuned: TunedConfig) -> Config:
    """Return the config of a trial under a name of its own, with how it was chosen."""
    name = f"{folder.config.name.removesuffix('-tuned')[: _MOST_LETTERS - 6]}-tuned"
    return config_with(folder.config, best.values).model_copy(update={"name": name, "tuned": tuned})


def _trained(folder: StudyFolder, config: Config, name: str, callbacks: Callbacks) -> RunDirectory:
    """Return the run of this name beside the study: as it is, resumed, or trained."""
    runs = folder.path.parent
    run = RunDirectory(runs / name)
    if not run.path.exists():
        return train(config, runs=runs, name=name, callbacks=callbacks)
    return run if (run.path / MANIFEST).exists() else resume(run, config=config, callbacks=callbacks)


def _sentences(best: TrialRecord, gain: Gain, tuned: TunedConfig, metric: str) -> Iterator[str]:
    score, baseline = _SCORES[metric]
    folds, others = plural(tuned.folds, "fold"), plural(gain.trials, "trial")
    if best.is_start:
        yield f"No trial is better than the starting config on {folds}: {score} {gain.start:.4f} of {baseline}."
    else:
        error = "" if gain.standard_error is None else f", standard error {gain.standard_error:.4f} over the folds"
        yield (
            f"Trial {best.number} is the best on {folds}: {score} {gain.best:.4f} of {baseline}, and "
            f"{gain.start:.4f} of the starting config, {_percent(gain.observed / gain.start)} lower{error}."
        )
        if gain.expected is None or gain.luck is None:
            yield "How much of it is luck cannot be estimated: it takes two folds and two finished trials."
        else:
            luck = f"the best of {others} without skill is expected to be {_percent(gain.luck / gain.start)} lower"
            if gain.expected > 0:
                yield f"On other days {_percent(gain.expected / gain.start)} are expected, as {luck} by luck."
            else:
                yield f"On other days no gain is expected, as {luck} by luck."
    yield (
        f"{plural(tuned.trials, 'trial')} stand behind it. All folds end before {tuned.before}, the first calibration "
        f"day; no later price was read by a trial."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _row(trial: TrialRecord, folder: StudyFolder) -> dict[str, Any]:
    scores = dict(enumerate(trial.scores, start=1))
    return {
        "number": trial.number,
        "state": trial.state,
        **{key: trial.values.get(key, "") for key in folder.space.keys},
        **{f"fold_{fold.number}": scores.get(fold.number, "") for fold in folder.folds},
        "mean": "" if isnan(trial.mean) else trial.mean,
        "seconds": "" if isnan(trial.seconds) else round(trial.seconds, 1),
        "reason": trial.reason,
    }


def _draw(files: RunFiles, tuning: Tuning, *, title: str) -> None:
    from stockcast import plots  # matplotlib: only for who draws

    score, baseline = _SCORES[tuning.metric]
    finished = {trial.number: trial.mean for trial in tuning.trials if trial.state == "finished"}
    start = tuning.trials[0].scores
    pruned = {
        trial.number: tuning.gain.start + float(np.mean(np.subtract(trial.scores, start[: len(trial.scores)])))
        for trial in tuning.trials
        if trial.state == "pruned"
    }
    label = f"{score}, share of {baseline}: lower is better"
    figure = plots.tuning_history(finished, pruned, title=f"{title}: {tuning.tuned.trials} trials", label=label)
    files.write_plot("history", figure)
    if tuning.importances:
        heading = f"{title}: what the best of {tuning.tuned.trials} trials have in common"
        files.write_plot("importance", plots.key_importance(tuning.importances, title=heading))
