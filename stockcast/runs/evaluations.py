"""An evaluation of any series, read back from a run that anybody may have made: its scores and its losses by origin."""

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.errors import RunError
from stockcast.limits import MAX_NETWORK_BYTES
from stockcast.runs.layout import evaluation_folder
from stockcast.runs.npz import unpack_npz
from stockcast.runs.safe_io import damaged, fault, parse_object, read_bytes
from stockcast.runs.values import mapping
from stockcast.text import printable
from stockcast.typing import Dates, Floats

_HEAD = 4096
"""Characters of metrics.json that hold its section `data`, the first one."""

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


@dataclass(frozen=True)
class EvaluationIndex:
    """The evaluations on a run's test days, by what they are of; only the beginning of each metrics.json is read.

    Attributes:
        run: the folder of its results.
        stated: by folder, the section `data` of its metrics.json, unchecked.
    """

    run: Path
    stated: Mapping[Path, Mapping[str, Any]]

    @classmethod
    def of(cls, run: Path) -> "EvaluationIndex":
        """Return the evaluations in a folder of results; those that cannot be read are left out."""
        own = evaluation_folder("test")
        folders = sorted({folder for pattern in (own, f"{own}-test-*") for folder in run.glob(pattern)})
        kept = [folder for folder in folders if not folder.name.endswith("-insisted")]  # of days it was trained on
        return cls(run, {folder: data for folder in kept if (data := _data_of(folder / "metrics.json", run))})

    def find(
        self, *, file: str, sha256: str, content: str, is_earlier: Callable[[Mapping[str, Any]], bool]
    ) -> SeriesEvaluation | None:
        """Return the evaluation of a series; None where there is none that is whole.

        What is of this content comes before what is of an earlier state of the file, and all of the test days before
        those from a chosen day on.

        Args:
            file: the name of its price file.
            sha256: of that file.
            content: `Prices.content_sha256` of the series.
            is_earlier: whether an evaluation of a file of that name, by its section `data`, is of the series before it
                grew.
        """
        found = []
        for folder, data in self.stated.items():
            is_namesake = data.get("name") == file
            stated = data.get("content_sha256")
            is_same = stated == content if stated else is_namesake and data.get("sha256") == sha256
            if is_same or (is_namesake and is_earlier(data)):
                found.append((not is_same, folder.name, folder))  # `-from-` and a day sorts behind none
        for is_other, _, folder in sorted(found):
            with contextlib.suppress(RunError):
                path = folder / "metrics.json"
                metrics = parse_object(read_bytes(path, folder=self.run), source=path)
                return SeriesEvaluation(folder, metrics, _verdict(self.run, folder), not is_other)
        return None


def _data_of(path: Path, run: Path) -> Mapping[str, Any]:
    """Return the section `data` at the beginning of a metrics.json; nothing where it cannot be read."""
    if fault(path, folder=run, most=MAX_NETWORK_BYTES):
        return {}
    with contextlib.suppress(OSError, ValueError), path.open(encoding="utf-8") as stream:
        begin, _, rest = stream.read(_HEAD).partition('"data": ')
        if begin.strip() == "{":
            return mapping(json.JSONDecoder().raw_decode(rest)[0])
    return {}


def _verdict(run: Path, folder: Path) -> tuple[str, ...]:
    with contextlib.suppress(RunError, UnicodeDecodeError):
        return tuple(printable(read_bytes(folder / "verdict.txt", folder=run).decode("utf-8")).splitlines())
    return ()
