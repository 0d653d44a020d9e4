"""A config and a space -> the best of many trials on folds before calibration, and a run that is trained by it."""

import queue
import time
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

from stockcast.config.schema import Config
from stockcast.errors import ConfigError, RunError
from stockcast.execution.process import ChildProcess, error_of
from stockcast.models.backend import has_gpu, processors
from stockcast.models.callbacks import SILENT, Callbacks
from stockcast.pipeline.fold_scores import choose_metric, plan_tuning
from stockcast.pipeline.tuning import Tuning, finish_tuning
from stockcast.pipeline.tuning_study import StudyFolder, work
from stockcast.runs.directory import RunDirectory
from stockcast.tuning.journal import require_optuna
from stockcast.tuning.space import load_space
from stockcast.tuning.study import TrialRecord

_WORKER = "stockcast.pipeline.tune_worker"
_MOST_DEATHS = 6
"""Processes that may end without a trial in between, before it is not the trials' fault."""


@dataclass(frozen=True)
class TuningPlan:
    """How much is tried, and by what it is compared.

    Attributes:
        trials: that the study is to have, the starting config and those of earlier commands among them.
        space: YAML file of the keys that are tuned; None for the one that ships.
        folds: of the days before calibration, on which each trial is trained and scored.
        metric: `crps` or `mae`; of directions `brier` or `log_loss`; None for the first of them.
        seconds: after which no trial is begun; None for no limit.
        processes: that work side by side; None for one a core, or one on a GPU. With one, the same seed gives the same
            trials.
    """

    trials: int = 40
    space: Path | str | None = None
    folds: int = 3
    metric: str | None = None
    seconds: float | None = None
    processes: int | None = None


def tune(
    config: Config,
    plan: TuningPlan = TuningPlan(),
    *,
    runs: Path | str = "runs",
    name: str | None = None,
    callbacks: Callbacks = SILENT,
) -> Tuning:
    """Try variants of a config on folds of the days before calibration, and train a run by the best one.

    Neither calibration nor test days are read by a trial. What is done is not done again when it is repeated, and
    several processes, also of other machines that share the disk, can do it together.

    Args:
        config: the starting config, which is the first trial.
        plan: how much is tried.
        runs: folder of the study and of the run.
        name: of the study's folder; None for the config's name and `-tune`.
        callbacks: `on_message` is given what looks odd in the data, `on_trial` each trial, and those of `train`.

    Raises:
        ConfigError: the plan or the space is wrong.
        RunError: the folder holds another study, or no trial could be finished.
        StockcastError: optuna is not installed, or the data do not allow it.
    """
    require_optuna()
    RunDirectory.check_name(name)
    for key, given in (("--trials", plan.trials), ("--processes", plan.processes), ("--timeout", plan.seconds)):
        if given is not None and given <= 0:
            raise ConfigError(f"{key} {given:g} must be above 0.", key=key, value=given)
    metric = choose_metric(config, plan.metric)
    space = load_space(None if plan.space is None else Path(plan.space), config)
    days = plan_tuning(config, folds=plan.folds, callbacks=callbacks)
    folder = StudyFolder.of(Path(runs) / (name or f"{config.name}-tune"), days, space, metric=metric)
    folder.begin()
    start = space.values_in(days.config)
    if start is None:
        callbacks.on_message(f"The starting config is outside of {space.source}; it is the first trial all the same.")
    with folder.open() as study:
        study.begin(start)
        done = sum(record.counts for record in study.records())
    if done:
        callbacks.on_message(f"{folder.path} has {done} of {plan.trials} trials.")
    if done < plan.trials:
        _work(folder, plan, callbacks)
    return finish_tuning(folder, callbacks=callbacks)


def _work(folder: StudyFolder, plan: TuningPlan, callbacks: Callbacks) -> None:
    """Have trials done until the study has as many as planned, or time is up."""
    processes = min(plan.processes or (1 if has_gpu() else processors()), plan.trials)

    def on_trial(trial: TrialRecord, done: int) -> None:
        callbacks.on_trial(_in_words(trial), done, plan.trials)

    if processes == 1:
        until = inf if plan.seconds is None else time.monotonic() + plan.seconds
        work(folder, plan.trials, until=until, on_trial=on_trial)
    else:
        _work_side_by_side(folder, plan, processes=processes, callbacks=callbacks)


def _work_side_by_side(folder: StudyFolder, plan: TuningPlan, *, processes: int, callbacks: Callbacks) -> None:
    """Start processes that work on the study, and wait for them; one that dies is replaced."""
    inbox: queue.SimpleQueue[tuple[ChildProcess, dict[str, Any] | None]] = queue.SimpleQueue()
    began = time.monotonic()
    team: list[ChildProcess] = []

    def start() -> None:
        holder: list[ChildProcess] = []
        process = ChildProcess(
            _WORKER,
            str(folder.path.resolve()),
            on_message=lambda message: inbox.put((holder[0], message)),
            on_end=lambda: inbox.put((holder[0], None)),
            environment={"OMP_NUM_THREADS": "1"},  # one core each
        )
        holder.append(process)
        team.append(process)
        left = None if plan.seconds is None else max(0.0, plan.seconds - (time.monotonic() - began))
        process.send({"trials": plan.trials, "seconds": left})

    deaths = 0
    try:
        for _ in range(processes):
            start()
        while team:
            process, message = inbox.get()
            if message is None:
                how = process.failure()
                process.end()
                team.remove(process)
                deaths += how is not None
                if deaths > _MOST_DEATHS:
                    raise RunError(f"{deaths} processes that tune ended {how}; was there enough memory?")
                if how is not None:
                    start()
            elif "error" in message:
                raise error_of(message)
            else:
                deaths = 0
                callbacks.on_trial(_in_words(TrialRecord(**message["trial"])), message["done"], plan.trials)
    finally:
        for process in team:
            process.end()


def _in_words(trial: TrialRecord) -> str:
    what = f"{trial.mean:.4f}" if trial.state == "finished" else trial.state
    if trial.state == "pruned":
        what = f"pruned at {trial.mean:.4f} after fold {len(trial.scores)}"
    return f"trial {trial.number}: {what}{f' ({trial.reason.splitlines()[0]})' if trial.reason else ''}"
