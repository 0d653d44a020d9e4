"""The names of the files inside a run, and no other place that knows them."""

MANIFEST, CONFIG, SCALER, CALIBRATION = "run.json", "config.yaml", "scaler.json", "calibration.json"
HISTORY, ONNX, WEIGHTS = "history.csv", "model.onnx", "model.weights.h5"
SESSIONS, ANSWERS = "sessions.json", "answers.npz"
"""What a forecast would have to work out each time: the exchange's days, and the network's answers to days past."""

BEGUN, CHECKPOINTS, LOCK, PARTIAL = "begun.json", "checkpoints", ".lock", ".partial-"
"""Of a training on its way: what it began with, how far it has come, who trains it, how half-written names begin."""

EVENTS = "tensorboard"
"""Folder of the event files of a training, which no other command reads and the manifest does not list."""


def is_passing(name: str) -> bool:
    """Whether a file, named from the run's directory, is gone once the run is finished."""
    return name in (BEGUN, LOCK) or name.startswith(f"{CHECKPOINTS}/") or f"/{PARTIAL}" in f"/{name}"


def evaluation_folder(split: str) -> str:
    """Return where the evaluation of a split is kept inside the run."""
    return "evaluation" if split == "test" else f"evaluation-{split}"
