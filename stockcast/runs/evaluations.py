"""An evaluation of any series, read back from a run that anybody may have made: its scores and its losses by origin."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.limits import MAX_NETWORK_BYTES
from stockcast.runs.layout import evaluation_folder
from stockcast.runs.npz import unpack_npz
from stockcast.runs.safe_io import damaged, parse_object, read_bytes
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
