"""A process that works on a study: python working.py FOLDER TRIALS SECONDS, with trials that only take their time."""

import sys
import time
from math import inf
from pathlib import Path

from stockcast.config.load import load_config
from stockcast.tuning.space import Space, parse_space
from stockcast.tuning.study import TrialRecord, TuningStudy

SPACE = """\
training.learning_rate: {low: 1e-4, high: 1e-1, log: true}
model.layers: [[8], [16], [16, 16]]
window: {low: 20, high: 80, step: 10}
"""
FOLDS = 3


def space() -> Space:
    return parse_space(SPACE, source="space.yaml", config=load_config("quick"))


def score(values: dict[str, object], fold: int) -> float:
    """A made-up score: the nearer the window is to 60, the better."""
    return abs(float(values["window"]) - 60) / 100 + 0.1 * fold  # type: ignore[arg-type]


def work(folder: Path, trials: int, seconds: float = 0.0) -> list[TrialRecord]:
    """Do trials until the study has so many, each fold in so many seconds; return all."""
    with TuningStudy(folder, space(), seed=5) as study:
        study.begin(space().values_in(load_config("quick")))
        while (trial := study.take(trials, until=inf)) is not None:
            start = next((record.scores for record in study.records() if record.is_start), ())
            for fold in range(len(trial.scores), FOLDS):
                time.sleep(seconds)
                if trial.add(score(trial.values, fold), start) and fold + 1 < FOLDS:
                    trial.prune()
                    break
            else:
                trial.finish()
        return list(study.records())


if __name__ == "__main__":
    work(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
