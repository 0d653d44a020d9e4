"""Where the files of a run are: names of those that training writes, and of folders that come later."""

from pathlib import Path

import numpy as np

MANIFEST, CONFIG, SCALER, CALIBRATION = "run.json", "config.yaml", "scaler.json", "calibration.json"
HISTORY, ONNX, WEIGHTS = "history.csv", "model.onnx", "model.weights.h5"
SESSIONS, OUTPUTS = "sessions.json", "answers.npz"
"""What `predict` would have to compute each time: the exchange's sessions, and the network's outputs on past days."""

CLOSES = "closes.npz"
"""The closes that the run was trained on, by which a price file that has grown is known."""

BEGUN, CHECKPOINTS, LOCK, PARTIAL = "begun.json", "checkpoints", ".lock", ".partial-"
"""Of an unfinished training: its details, its checkpoints, its lock, and how the names of half-written files begin."""

EVENTS = "tensorboard"
"""Folder of the event files of a training, which no other command reads and the manifest does not list."""

PRETRAINED = "pretrained"
"""Name of the run that ships inside the package, and of the folder under the user's runs that takes its results."""

SCORES = "scores.json"
"""Of the run that ships: scores on series that it was not trained on, for `runs show`; need not be in the manifest."""


def pretrained_folder() -> Path:
    """Return the folder of the package for the run that ships; where it has no run.json, none does."""
    return Path(__file__).parents[1] / PRETRAINED


def has_pretrained() -> bool:
    """Whether a run ships inside this package."""
    return (pretrained_folder() / MANIFEST).is_file()


def is_in_package(path: Path) -> bool:
    """Whether a path is that of the run that ships inside the package, or of a file in it."""
    return path.resolve().is_relative_to(pretrained_folder().resolve())


def names_pretrained(root: Path, run: str) -> bool:
    """Whether a name or a path means the run that ships inside the package: its name, its folder or its results'."""
    is_meant = run == PRETRAINED or is_in_package(Path(run)) or Path(run).resolve() == (root / PRETRAINED).resolve()
    return is_meant and has_pretrained()


def is_passing(name: str) -> bool:
    """Whether a file, named from the run's directory, is gone once the run is finished."""
    return name in (BEGUN, LOCK) or name.startswith(f"{CHECKPOINTS}/") or f"/{PARTIAL}" in f"/{name}"


def evaluation_folder(label: str) -> str:
    """Return where an evaluation is kept inside the run; the label `test` is of the run's own test days."""
    return "evaluation" if label == "test" else f"evaluation-{label}"


def evaluation_label(folder: str) -> str:
    """Return the label of an evaluation by the name of its folder."""
    return folder.removeprefix("evaluation").removeprefix("-") or "test"


def pool_folder(name: str) -> str:
    """Return where the scores of several series together are kept inside the run."""
    return f"evaluation/pool-{name}"


BACKTESTS, FOLDS, BACKTEST = "backtests", "folds", "backtest.json"
"""Folder of the backtests under that of the runs, in each config's folder there the one of the folds' runs, and the
scores of a backtest beside it."""

SOURCE = "source.json"
"""In a folder of results: of which content they are, so that those of other content go elsewhere."""


def prediction_folder(series: str, last: np.datetime64, variant: str = "") -> str:
    """Return where a prediction of a series from its last day is kept inside the run.

    Args:
        series: its name.
        last: the last day known.
        variant: see `Prediction`.
    """
    return f"predictions/{series}-{last}" + (f"-{variant}" if variant else "")


def explanation_folder(series: str, origin: np.datetime64) -> str:
    """Return where an explanation of a series' forecast from a day is kept inside the run."""
    return f"explanations/{series}-{origin}"


def report_file(name: str) -> str:
    """Return where a report is kept inside the run."""
    return f"reports/{name}.html"
