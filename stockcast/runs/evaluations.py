"""An evaluation of any series, read back from a run that anybody may have made: its scores and its losses by origin."""

import contextlib
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.errors import RunError
from stockcast.limits import MAX_NETWORK_BYTES
from stockcast.runs.layout import evaluation_folder
from stockcast.runs.npz import unpack_npz
from stockcast.runs.safe_io import damaged, parse_object, read_bytes
from stockcast.runs.values import mapping
from stockcast.text import printable
from stockcast.typing import Dates, Floats

_KINDS = {"origin_dates": "M", "losses": "f"}


@dataclass(frozen=True)
class StoredEvaluation:
    """What a pool needs of an evaluation.

    Attributes:
        metrics: metrics.json, unchecked.
        origin_dates: of its origins, rising, datetime64[D], shape (origins,).
        losses: of the network and of the baselines, in the order of metrics.json, shape (forecasts, origins, steps +
            1): at each reported number of days ahead, and the mean over all.
    """

    metrics: dict[str, Any]
    origin_dates: Dates
    losses: Floats


def stored_metrics(run: Path, label: str) -> dict[str, Any] | None:
    """Return metrics.json of an evaluation, None where there is none; RunError if it is damaged."""
    path = run / evaluation_folder(label) / "metrics.json"
    return parse_object(read_bytes(path, folder=run), source=path) if path.exists() else None


def stored_evaluation(run: Path, label: str) -> StoredEvaluation | None:
    """Return an evaluation; None where there is none, or it is of an older version without losses.

    Raises:
        RunError: a file of it is damaged.
    """
    metrics, path = stored_metrics(run, label), run / evaluation_folder(label) / "losses.npz"
    if metrics is None or not path.exists():
        return None
    content = read_bytes(path, folder=run, most=MAX_NETWORK_BYTES)
    try:
        arrays = unpack_npz(content, _KINDS)
    except ValueError as error:
        raise damaged(path, str(error)) from error
    dates, losses = arrays["origin_dates"], arrays["losses"]
    if dates.ndim != 1 or losses.ndim != 3 or losses.shape[1] != len(dates) or not np.isfinite(losses).all():
        raise damaged(path, "its arrays do not fit each other")
    if not (np.diff(dates).astype(int) > 0).all():
        raise damaged(path, "its days are not in order")
    return StoredEvaluation(metrics, dates, losses)


@dataclass(frozen=True)
class SeriesEvaluation:
    """An evaluation of a series on days that its run was not trained on.

    Attributes:
        folder: where it is.
        metrics: metrics.json, unchecked.
        verdict: sentences; none where verdict.txt is missing or damaged.
        is_of_file: whether it is of the very file that is asked about, and not of another state of it.
    """

    folder: Path
    metrics: dict[str, Any]
    verdict: tuple[str, ...]
    is_of_file: bool


def find_evaluation(run: Path, series: str, *, file: str, sha256: str) -> SeriesEvaluation | None:
    """Return the evaluation of a series on a run's test days; None where there is none that is whole.

    Args:
        run: the folder of its results.
        series: its name in the folders of its evaluations.
        file: the name of its price file.
        sha256: of that file. What is of this content comes before what is of this name alone, and all of the test days
            before those from a chosen day on.
    """
    found = []
    for folder in _folders_of(run, series):
        with contextlib.suppress(RunError):
            path = folder / "metrics.json"
            metrics = parse_object(read_bytes(path, folder=run), source=path)
            data = mapping(metrics.get("data"))
            if data.get("sha256") == sha256 or data.get("name") == file:
                is_other = data.get("sha256") != sha256
                found.append(((is_other, folder.name), metrics, folder))  # `-from-` and a day sorts behind none
    if not found:
        return None
    (is_other, _), metrics, folder = min(found, key=lambda each: each[0])
    return SeriesEvaluation(folder, metrics, _verdict(run, folder), not is_other)


def _folders_of(run: Path, series: str) -> list[Path]:
    """Return the folders that may hold an evaluation of a series: the run's own, and those of its name."""
    own, named = evaluation_folder("test"), escape(evaluation_folder(f"test-{series}"))
    patterns = (own, f"{own}-test-from-*", f"{own}-test-to-*", named, f"{named}-*")
    folders = {folder for pattern in patterns for folder in run.glob(pattern)}
    return [folder for folder in folders if not folder.name.endswith("-insisted")]  # of days that it was trained on


def _verdict(run: Path, folder: Path) -> tuple[str, ...]:
    with contextlib.suppress(RunError, UnicodeDecodeError):
        return tuple(printable(read_bytes(folder / "verdict.txt", folder=run).decode("utf-8")).splitlines())
    return ()
