"""The trials of a study: taken, scored fold by fold, pruned and finished, by any number of processes together.

Every record is in the journal. A trial is taken in turn, so no two processes take the same one. Whoever takes the next
one looks for trials whose process has ended without finishing them, and puts each back with its values and the folds
that it has; so none is lost.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any, Literal, Self

from stockcast.errors import RunError
from stockcast.tuning.journal import Workers, open_journal, require_optuna, turn
from stockcast.tuning.space import Choices, Range, Space

JOURNAL = "journal.jsonl"
_NAME = "study"
_KEPT = 100 * 2 / 3
"""Percent of the trials that are not pruned after a fold: the worst third of those that were finished is."""

_STARTUP = 5
"""Finished trials before any is pruned."""

_TRIES = 3
"""Times that a trial is begun whose process ends each time, such as one that needs more memory than there is."""

_MOST_INVALID = 100
"""Trials whose values do not go together, besides five for each that was finished, before the study is given up."""

_WAIT = 0.5  # seconds between looks at the trials of other processes

State = Literal["finished", "pruned", "failed", "invalid", "running"]


@dataclass(frozen=True)
class TrialRecord:
    """A trial as the journal has it.

    Attributes:
        number: from 0, which is the starting config; those of trials that were interrupted are missing.
        state: finished; pruned after a fold; failed in training; invalid, as its values do not go together; or running.
        values: by key of the config; empty for a starting config outside of the space.
        scores: of its folds, oldest first, as far as it came.
        seconds: from its beginning to its end; NaN while it runs.
        reason: why it failed or is invalid; empty for others.
    """

    number: int
    state: State
    values: Mapping[str, Any]
    scores: tuple[float, ...]
    seconds: float
    reason: str = ""

    @property
    def is_start(self) -> bool:
        """Whether it is the starting config."""
        return self.number == 0

    @property
    def counts(self) -> bool:
        """Whether it is one of the trials that stand behind the best one."""
        return self.state in ("finished", "pruned", "failed")

    @property
    def mean(self) -> float:
        """Mean score of its folds; NaN where it has none."""
        return sum(self.scores) / len(self.scores) if self.scores else nan


class TakenTrial:
    """A trial that this process works on."""

    def __init__(self, study: Any, trial: Any, space: Space) -> None:
        self._study, self._trial = study, trial
        self.number: int = trial.user_attrs.get("first", trial.number)
        self.values = decoded(trial.params, space)
        self.scores: list[float] = list(trial.user_attrs.get("scores", []))

    def add(self, score: float, reference: Sequence[float]) -> bool:
        """Store the score of the next fold; return whether the trial is so bad that it ends here.

        Args:
            score: lower is better.
            reference: scores of the starting config on the first folds, as far as they are known. Folds differ more
                than configs, so a trial is compared by its mean difference from these.
        """
        self.scores.append(score)
        self._trial.set_user_attr("scores", self.scores)
        folds = len(self.scores)
        if self.number == 0 or len(reference) < folds:
            return False
        pairs = zip(self.scores, reference[:folds], strict=True)
        self._trial.report(sum(own - other for own, other in pairs) / folds, step=folds)
        return bool(self._trial.should_prune())

    def finish(self) -> None:
        """Store that all its folds are scored."""
        self._study.tell(self._trial, sum(self.scores) / len(self.scores))

    def prune(self) -> None:
        """Store that it ended after a fold."""
        self._tell_without_value()

    def fail(self, reason: str) -> None:
        """Store that it cannot be trained; it counts as a trial."""
        self._trial.set_user_attr("failed", reason)
        self._tell_without_value()

    def reject(self, reason: str) -> None:
        """Store that its values do not go together; it does not count."""
        self._trial.set_user_attr("invalid", reason)
        self._tell_without_value()

    def _tell_without_value(self) -> None:
        # Pruned, not failed: the sampler then keeps away from such values.
        self._study.tell(self._trial, state=require_optuna().trial.TrialState.PRUNED)


class TuningStudy:
    """A study in its folder, for the length of a `with` block."""

    def __init__(self, folder: Path, space: Space, *, seed: int) -> None:
        """Open a study, or begin it with no trials.

        Args:
            folder: of the study, which exists.
            space: what is tuned.
            seed: of the sampler; with the same one, a process that works alone draws the same trials.
        """
        self._optuna = require_optuna()
        self._folder, self._space, self._seed = folder, space, seed
        self._storage = open_journal(folder / JOURNAL)
        self._pruner = self._optuna.pruners.PercentilePruner(_KEPT, n_startup_trials=_STARTUP)
        self._distributions = {key: self._distribution(values) for key, values in space.keys.items()}

    def __enter__(self) -> Self:
        self._workers = Workers(self._folder)
        return self

    def __exit__(self, *_: object) -> None:
        self._workers.leave()

    def begin(self, start: Mapping[str, Any] | None) -> None:
        """Make the starting config the first trial, unless the study has begun; None for one outside of the space."""
        with turn(self._folder):
            study = self._optuna.create_study(study_name=_NAME, storage=self._storage, load_if_exists=True)
            if not study.get_trials(deepcopy=False):
                attributes = {"is_outside": start is None}
                study.enqueue_trial(encoded(start or {}, self._space), user_attrs=attributes)

    def take(self, trials: int, *, until: float) -> TakenTrial | None:
        """Return the next trial; None once so many are finished. Waits while other processes do the last ones.

        Args:
            trials: that the study is to have, those of other processes among them.
            until: `time.monotonic()` after which none is begun.

        Raises:
            RunError: nearly all values of the space do not go together.
        """
        while time.monotonic() < until:
            with turn(self._folder):
                self._put_back()
                records = list(self.records())
                self._check_valid(records)
                counting = [record for record in records if record.counts]
                running = [record for record in records if record.state == "running"]
                if len(counting) >= trials:
                    return None
                if len(counting) + len(running) < trials:
                    if taken := self._ask():
                        return taken
                    continue
            time.sleep(_WAIT)
        return None

    def records(self) -> Iterator[TrialRecord]:
        """Yield every trial but those that were put back and those that are waiting, by number."""
        states = self._optuna.trial.TrialState
        for trial in self._study().get_trials(deepcopy=False):
            if trial.state in (states.FAIL, states.WAITING):
                continue
            attributes, state = trial.user_attrs, _STATES[trial.state.name]
            reason = attributes.get("invalid") or attributes.get("failed") or ""
            if state == "pruned" and reason:
                state = "invalid" if "invalid" in attributes else "failed"
            duration = trial.duration
            yield TrialRecord(
                number=attributes.get("first", trial.number),
                state=state,
                values=decoded(trial.params, self._space),
                scores=tuple(attributes.get("scores", ())),
                seconds=nan if duration is None else duration.total_seconds(),
                reason=reason,
            )

    def importances(self) -> dict[str, float]:
        """Return the share of each key in how trials differ, the largest first; empty for too few trials.

        By PED-ANOVA (Watanabe, Bansal & Hutter 2023), which looks at how the best trials differ from all.
        """
        finished = [record for record in self.records() if record.state == "finished" and record.values]
        if len(finished) < 2 * len(self._space.keys):
            return {}
        found = self._optuna.importance.get_param_importances(self._study())
        return {key: float(share) for key, share in found.items()}

    def _study(self, *, seed: int = 0) -> Any:
        sampler = self._optuna.samplers.TPESampler(seed=seed)
        return self._optuna.load_study(study_name=_NAME, storage=self._storage, sampler=sampler, pruner=self._pruner)

    def _ask(self) -> TakenTrial | None:
        """Take the trial that waits, or a new one; None where it is one that is given up."""
        trials = self._study().get_trials(deepcopy=False)
        states = self._optuna.trial.TrialState
        waiting = [trial for trial in trials if trial.state == states.WAITING]
        drawn = sum(trial.state != states.FAIL for trial in trials)
        # A seed of its own for each trial: those that follow do not depend on which process drew those before.
        study = self._study(seed=(self._seed * 1_000_003 + drawn) % 2**32)
        is_outside = bool(waiting) and waiting[0].user_attrs.get("is_outside", False)
        trial = study.ask({} if is_outside else self._distributions)
        trial.set_user_attr("worker", self._workers.own)
        taken = TakenTrial(study, trial, self._space)
        if trial.user_attrs.get("tries", 0) >= _TRIES:
            taken.fail(f"its process ended {_TRIES} times; was there enough memory?")
            return None
        return taken

    def _put_back(self) -> None:
        """Put each trial back whose process has ended; its values and the scores of its folds are kept."""
        states = self._optuna.trial.TrialState
        study = self._study()
        trials = study.get_trials(deepcopy=False)
        renewed = {trial.user_attrs.get("again") for trial in trials}
        for trial in trials:
            # One that names no process was taken by one that ended while it did: only this one takes trials now.
            if trial.state != states.RUNNING or self._workers.is_alive(trial.user_attrs.get("worker", "none")):
                continue
            attributes = {key: trial.user_attrs[key] for key in ("scores", "is_outside") if key in trial.user_attrs}
            attributes |= {
                "again": trial.number,
                "first": trial.user_attrs.get("first", trial.number),
                "tries": trial.user_attrs.get("tries", 0) + 1,
            }
            if trial.number not in renewed:  # else this process ended here the last time
                study.enqueue_trial(trial.params, user_attrs=attributes)
            study.tell(trial.number, state=states.FAIL)

    def _check_valid(self, records: Sequence[TrialRecord]) -> None:
        invalid = [record for record in records if record.state == "invalid"]
        if len(invalid) > _MOST_INVALID + 5 * sum(record.counts for record in records):
            raise RunError(
                f"{self._space.source}: {len(invalid)} of {len(records)} trials have values that do not go together, "
                f"such as: {invalid[-1].reason}",
                file=self._space.source,
            )

    def _distribution(self, values: Range | Choices) -> Any:
        kinds = self._optuna.distributions
        if isinstance(values, Choices):
            return kinds.CategoricalDistribution([json.dumps(value) for value in values.values])
        if values.is_whole:
            return kinds.IntDistribution(values.low, values.high, step=values.step or 1, log=values.log)
        return kinds.FloatDistribution(values.low, values.high, step=values.step, log=values.log)


_STATES: Mapping[str, State] = {"COMPLETE": "finished", "PRUNED": "pruned", "RUNNING": "running"}


def encoded(values: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """Return values as the journal has them: each choice as JSON, as Optuna takes no lists."""
    return {key: json.dumps(value) if isinstance(space.keys[key], Choices) else value for key, value in values.items()}


def decoded(values: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """Return the values that `encoded` turned into those of the journal, in the order of the space."""
    return {
        key: json.loads(values[key]) if isinstance(space.keys[key], Choices) else values[key]
        for key in space.keys
        if key in values
    }
