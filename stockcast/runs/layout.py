"""Where the files of a run are: names of those that training writes, and of folders that come later."""

import numpy as np

MANIFEST, CONFIG, SCALER, CALIBRATION = "run.json", "config.yaml", "scaler.json", "calibration.json"
HISTORY, ONNX, WEIGHTS = "history.csv", "model.onnx", "model.weights.h5"
SESSIONS, OUTPUTS = "sessions.json", "answers.npz"
"""What `predict` would have to compute each time: the exchange's sessions, and the network's outputs on past days."""

BEGUN, CHECKPOINTS, LOCK, PARTIAL = "begun.json", "checkpoints", ".lock", ".partial-"
"""Of an unfinished training: its details, its checkpoints, its lock, and how the names of half-written files begin."""

EVENTS = "tensorboard"
"""Folder of the event files of a training, which no other command reads and the manifest does not list."""


def is_passing(name: str) -> bool:
    """Whether a file, named from the run's directory, is gone once the run is finished."""
    return name in (BEGUN, LOCK) or name.startswith(f"{CHECKPOINTS}/") or f"/{PARTIAL}" in f"/{name}"


def evaluation_folder(label: str) -> str:
    """Return where an evaluation is kept inside the run; the label `test` is of the run's own test days."""
    return "evaluation" if label == "test" else f"evaluation-{label}"


def pool_folder(name: str) -> str:
    """Return where the scores of several series together are kept inside the run."""
    return f"evaluation/pool-{name}"


def prediction_folder(series: str, last: np.datetime64) -> str:
    """Return where a prediction of a series from its last day is kept inside the run."""
    return f"predictions/{series}-{last}"


def explanation_folder(series: str, origin: np.datetime64) -> str:
    """Return where an explanation of a series' forecast from a day is kept inside the run."""
    return f"explanations/{series}-{origin}"
