"""A run: found or made by its name, finished by its manifest."""

import contextlib
import errno
import os
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Self

from stockcast.errors import RunError
from stockcast.runs import layout
from stockcast.runs.artifacts import TrainingArtifacts
from stockcast.runs.checkpoints import Checkpoints
from stockcast.runs.files import make_folder, now
from stockcast.runs.layout import (
    BACKTEST,
    BEGUN,
    EVENTS,
    MANIFEST,
    PRETRAINED,
    is_in_package,
    is_passing,
    names_pretrained,
)
from stockcast.runs.names import is_run, path_of, run_folders
from stockcast.runs.results import ResultFiles
from stockcast.runs.safe_io import damaged, sha256
from stockcast.tickers import how_to_get

_WITHOUT_A_RUN = (
    f"Without one, the network that ships with stockcast forecasts: stockcast predict {PRETRAINED} --data FILE.csv"
)


@dataclass(frozen=True)
class TrainedSeries:
    """A series that a run was trained on.

    Attributes:
        name: of its price file.
        path: of that file at the training.
        sha256: of the whole file.
        first: its first day that was used, ISO.
        last: its last one.
        training_sha256: of its closes up to the end of the training days, see `Prices.closes_sha256`; None of runs
            from before this was stored.
        ticker: the series in the file, see `Prices.ticker`.
    """

    name: str
    path: str
    sha256: str
    first: str
    training_sha256: str | None
    ticker: str = ""
    last: str = ""


@dataclass(frozen=True)
class TrainedCovariates:
    """The file of covariates that a run was trained with.

    Attributes:
        path: at the training.
        sha256: of the whole file.
    """

    path: str
    sha256: str


@dataclass(frozen=True)
class RefusedFile:
    """A price file that a training left out.

    Attributes:
        path: at the training.
        reason: why it could not be used, without a full stop.
    """

    path: str
    reason: str


class RunDirectory(TrainingArtifacts, ResultFiles):
    """One run: `path` is its directory."""

    @classmethod
    def create(cls, root: Path, *, config_name: str, name: str | None) -> Self:
        """Make the directory of a new run: `name`, or the config's name and the time in UTC.

        Raises:
            RunError: the name is taken or no plain name, or the directory cannot be written.
        """
        cls.check_name(name)
        stamped = f"{config_name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        names = [stamped, *(f"{stamped}-{number}" for number in range(2, 100))] if name is None else [name]
        make_folder(root, advice="Choose another --runs.")
        for candidate in names:
            path = root / candidate
            try:
                path.mkdir()
            except FileExistsError:
                continue
            except OSError as error:
                option = "--name" if error.errno == errno.ENAMETOOLONG else "--runs"
                raise RunError(
                    f"Cannot make the run directory {path}: {error.strerror}. Choose another {option}.",
                    file=path,
                    key=option,
                ) from error
            return cls(path)
        path = root / names[-1]
        raise RunError(f"{path} exists. Choose another --name, or remove it.", file=path, key="--name", value=name)

    @staticmethod
    def check_name(name: str | None) -> None:
        """Refuse a name that cannot be a folder, an argument and a word in a line."""
        if name is not None and (
            not name or name != Path(name).name or name.startswith((".", "-")) or not name.isprintable()
        ):
            raise RunError(
                f"--name {name!r} must be a plain name, on one line and not beginning with a dot or a dash; choose the "
                f"folder with --runs.",
                key="--name",
                value=name,
            )
        if name == PRETRAINED:
            raise RunError(
                f"--name {PRETRAINED} is the name of the network that ships with stockcast. Choose another --name.",
                key="--name",
                value=name,
            )

    @classmethod
    def find(cls, root: Path | str, run: "RunDirectory | str | os.PathLike[str] | None" = None) -> "RunDirectory":
        """Return a finished run: the run itself, by name under `root`, by path, or the newest one if `run` is None.

        The name `pretrained` is that of the run that ships inside the package; others may be abbreviated, see
        `path_of`.

        Raises:
            RunError: there is none, it is unfinished, or several have names that begin so.
        """
        root = Path(root)
        if run is None:
            if newest := cls.newest(root):
                return newest
            advice = f" {_WITHOUT_A_RUN}" if layout.has_pretrained() else ""
            raise RunError(
                f"No finished run in {root.absolute()}. Name the folder of your runs with --runs, or make one with: "
                f"stockcast train{advice and '.'}{advice}",
                file=root,
                key="--runs",
            )
        wanted = os.fspath(run.path if isinstance(run, RunDirectory) else run)
        if not isinstance(run, RunDirectory) and names_pretrained(root, wanted):
            return cls.pretrained(root)
        path = Path(wanted) if isinstance(run, RunDirectory) else path_of(root, wanted, having=MANIFEST)
        if path is None or not path.is_dir():
            if wanted and PRETRAINED.startswith(wanted) and layout.has_pretrained():
                return cls.pretrained(root)
            if Path(wanted).is_file():
                message = f"{wanted} is a file, not a run. If it has prices, give it with --data: --data {wanted}"
                raise RunError(message, file=wanted, key="--data", value=wanted)
            names = [path.name for path in run_folders(root, having=MANIFEST)]
            where = f"in {root.absolute()}, the folder that --runs names"
            there = f"Finished runs {where}: {', '.join(names)}." if names else f"There is no finished run {where}."
            raise RunError(f"No run named {wanted!r}. {there}{how_to_get(wanted)}", file=root, value=wanted)
        if (path / BACKTEST).is_file():
            message = (
                f"{path} is a backtest, and each fold of it a run, in {path.parent / layout.FOLDS}. Name one of these, "
                f"or check all with: stockcast audit {wanted}"
            )
            raise RunError(message, file=path, value=wanted)
        if not is_run(path):
            message = (
                f"{path} is no run: it has no {MANIFEST}. If it has price files, give it with --data: --data {wanted}"
            )
            raise RunError(message, file=path, key="--data", value=wanted)
        if not (path / MANIFEST).is_file():
            advice = "Resume with `stockcast train --resume`" if (path / BEGUN).is_file() else "Train again"
            raise RunError(f"{path} is unfinished: it has no {MANIFEST}. {advice}.", file=path)
        return run if isinstance(run, RunDirectory) else cls(path)

    @classmethod
    def pretrained(cls, root: Path) -> "RunDirectory":
        """Return the run that ships inside the package, which is only read; `root` takes its results.

        Raises:
            RunError: a run of one's own has its name there.
        """
        apart = root / PRETRAINED
        if any((apart / name).is_file() for name in (MANIFEST, BEGUN)):
            raise RunError(
                f"{apart} is a run of your own with the name of the network that ships with stockcast. Rename that "
                f"folder.",
                file=apart,
            )
        return cls(layout.pretrained_folder(), apart)

    @classmethod
    def newest(cls, root: Path) -> "RunDirectory | None":
        """Return the newest finished run under `root`; None if there is none."""
        created = {}
        for path in run_folders(root, having=MANIFEST):
            with contextlib.suppress(RunError):  # a damaged run does not stand in the way of the others
                created[cls(path)] = (cls(path).manifest()["created"], path.name)
        return max(created, key=lambda run: created[run]) if created else None

    @classmethod
    def find_unfinished(cls, root: Path, run: str | None) -> "RunDirectory":
        """Return a run that was begun and not finished: by name under `root`, by path, or the newest if `run` is None.

        Raises:
            RunError: there is none, or several have names that begin so.
        """
        advice = "there is nothing to resume. Name the folder of your runs with --runs, or train without --resume."
        if run is None:
            begun = [path for path in run_folders(root, having=BEGUN) if not (path / MANIFEST).exists()]
            if not begun:
                raise RunError(f"No unfinished run in {root.absolute()}: {advice}", file=root, key="--runs")
            return cls(max(begun, key=lambda path: (path / BEGUN).stat().st_mtime_ns))
        if names_pretrained(root, run):
            raise RunError(f"{PRETRAINED} ships with stockcast, finished: {advice}", file=root, value=run)
        path = path_of(root, run, having=BEGUN)
        if path is None:
            raise RunError(f"No run named {run!r} in {root.absolute()}: {advice}", file=root, value=run)
        if (path / MANIFEST).exists():
            raise RunError(
                f"{path} is finished: there is nothing to resume. Next: stockcast evaluate {path}", file=path
            )
        if not (path / BEGUN).is_file():
            raise RunError(
                f"{path} ended before its training began: it has no {BEGUN}. Remove it and train again.", file=path
            )
        return cls(path)

    @property
    def name(self) -> str:
        """The directory's own name."""
        return self.path.resolve().name

    @property
    def checkpoints(self) -> Checkpoints:
        """What the run holds until its training is finished."""
        return Checkpoints(self.path)

    def finish(self, manifest: dict[str, Any]) -> None:
        """Write run.json, last: what made the run, and the SHA-256 of every file in it."""
        names = {path: path.relative_to(self.path).as_posix() for path in self.path.rglob("*") if path.is_file()}
        kept = {path: name for path, name in sorted(names.items()) if not name.startswith(f"{EVENTS}/")}
        hashes = {name: sha256(path) for path, name in kept.items() if not is_passing(name)}
        self.write_json(MANIFEST, {"status": "finished", "created": now(), **manifest, "files": hashes})
        self.checkpoints.tidy()

    def manifest(self) -> dict[str, Any]:
        """Return run.json; RunError if it is damaged."""
        return self.stated(MANIFEST)

    def trained_on(self) -> list[TrainedSeries]:
        """Return the series that the run was trained on, in order; RunError if run.json does not list them."""
        listed = self.manifest().get("series")
        if not (isinstance(listed, list) and listed and all(map(_is_series, listed))):
            raise damaged(self.path / MANIFEST, "it does not list the series that the run was trained on")
        return [
            TrainedSeries(**{key: series.get(key, "") for key in ("name", "path", "sha256", "first", "last", "ticker")},
                          training_sha256=series.get("training_sha256"))
            for series in listed
        ]  # fmt: skip

    def training_file(self, series: TrainedSeries) -> Path:
        """Return the price file of a series of the training; RunError of the run that ships, which comes without."""
        if is_in_package(self.path):
            raise RunError(
                f"{self.name} ships with stockcast without the price files that it was trained on. Name a price file: "
                f"--data FILE.csv",
                key="--data",
            )
        return Path(series.path)

    def trained_covariates(self) -> TrainedCovariates | None:
        """Return the file of covariates that the run was trained with; None where there was none."""
        return covariates_of(self.manifest(), self.path / MANIFEST)


def covariates_of(stated: dict[str, Any], path: Path) -> TrainedCovariates | None:
    """Return what a file of a run holds about the file of covariates; None for nothing, RunError if it is damaged."""
    listed = stated.get("covariates")
    if listed is None:
        return None
    if not (isinstance(listed, dict) and all(isinstance(listed.get(key), str) for key in ("path", "sha256"))):
        raise damaged(path, "it does not state the path and the hash of the file of covariates")
    return TrainedCovariates(listed["path"], listed["sha256"])


def refused_of(stated: dict[str, Any], path: Path) -> list[RefusedFile]:
    """Return what a file of a run holds about price files that were left out; RunError if it is damaged."""
    listed = stated.get("refused", [])
    entries = [entry if isinstance(entry, dict) else {} for entry in listed] if isinstance(listed, list) else [{}]
    if not all(isinstance(entry.get(key), str) for entry in entries for key in ("path", "reason")):
        raise damaged(path, "it does not state the path and the reason of each price file that was left out")
    return [RefusedFile(entry["path"], entry["reason"]) for entry in entries]


def _is_series(stated: Any) -> bool:
    """Whether a value of run.json, which may come from anybody, holds all of a `TrainedSeries`."""
    if not isinstance(stated, dict):
        return False
    texts = [stated.get("name"), stated.get("path"), stated.get("sha256"), stated.get("training_sha256", "")]
    texts.append(stated.get("ticker", ""))
    days = (stated.get("first", ""), stated.get("last", ""))
    return all(isinstance(text, str) for text in texts) and all(map(_is_day, days))


def _is_day(first: Any) -> bool:
    """Whether a first day is one, as ISO writes it, or not stated."""
    try:
        return bool(first == "" or date.fromisoformat(first).isoformat() == first)
    except (TypeError, ValueError):
        return False
