"""forecasts.npz of an evaluation -> SubmittedForecasts."""

import contextlib
from pathlib import Path

import numpy as np

from stockcast.errors import DataError, RunError
from stockcast.judging.rows import ReadForecasts
from stockcast.judging.submitted import SubmittedForecasts
from stockcast.limits import MAX_NETWORK_BYTES
from stockcast.runs.npz import unpack_npz
from stockcast.runs.safe_io import parse_object, read_bytes

_KINDS = {"origin_dates": "M", "target_dates": "M", "levels": "f", "quantiles": "f"}


def read_arrays(path: Path) -> ReadForecasts:
    """Read the forecasts that `evaluate` stored of one series; the model is the run, where the file lies in one.

    Raises:
        DataError: it is no such file, or one of directions.
    """
    try:
        arrays = unpack_npz(read_bytes(path, folder=path.parent, most=MAX_NETWORK_BYTES), _KINDS)
    except (RunError, ValueError) as error:
        raise _no_arrays(path, str(error)) from error
    origins, targets, quantiles = arrays["origin_dates"], arrays["target_dates"], arrays["quantiles"]
    levels = np.round(arrays["levels"], 10)
    shape = (*targets.shape, *levels.shape)
    if quantiles.ndim != 3 or quantiles.shape != shape or origins.shape != targets.shape[:1] or not quantiles.size:
        raise _no_arrays(path, "its arrays do not fit each other")
    if not ((levels > 0) & (levels < 1)).all() or 0.5 not in levels or (np.diff(levels) <= 0).any():
        raise _no_arrays(path, "its levels do not increase between 0 and 1, with 0.5 among them")
    run = path.resolve().parent.parent if path.resolve().parent.name.startswith("evaluation") else path
    steps = np.arange(1, targets.shape[1] + 1)
    forecasts = SubmittedForecasts(
        model=run.name if run != path else path.stem,
        series=_series_of(path),
        source=path.name,
        cutoffs=np.repeat(origins, len(steps)),
        targets=targets.ravel(),
        steps=np.tile(steps, len(origins)),
        levels=levels,
        quantiles=quantiles.reshape(-1, len(levels)),
    )
    note = (
        f"{path} is read as stockcast's forecasts.npz: 1 model, 1 series, {len(origins):,} cutoffs, quantiles at "
        f"{len(levels)} levels."
    )
    return ReadForecasts([forecasts], [note])


def _series_of(path: Path) -> str:
    """Return the series that metrics.json beside the file names; empty where there is none."""
    metrics = path.with_name("metrics.json")
    with contextlib.suppress(RunError, KeyError, TypeError):
        if metrics.is_file():
            return Path(str(parse_object(read_bytes(metrics, folder=path.parent), source=metrics)["data"]["name"])).stem
    return ""


def _no_arrays(path: Path, reason: str) -> DataError:
    return DataError(
        f"{path}: not the forecasts.npz of an evaluation of prices ({reason[:200]}).", file=path, key="FORECASTS"
    )
