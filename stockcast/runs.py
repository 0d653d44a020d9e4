"""A run on disk. This is the only file that knows the file names inside one.

Every file is whole or not there (see files.py); `run.json` comes last and holds the SHA-256 of every file, so that a
run without it is unfinished and a changed file is found out. Until then `begun.json` says what is being trained, and
`checkpoints` hold how far it has come.
"""

import contextlib
import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from stockcast.errors import RunError
from stockcast.files import PARTIAL, replacing, sha256
from stockcast.forecast import Floats, Forecast

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MANIFEST, CONFIG, SCALER, CALIBRATION = "run.json", "config.yaml", "scaler.json", "calibration.json"
HISTORY, ONNX, WEIGHTS = "history.csv", "model.onnx", "model.weights.h5"
BEGUN, CHECKPOINTS, LOCK = "begun.json", "checkpoints", ".lock"

_CHECKPOINTS_KEPT = 2
_LARGEST_CHECKPOINT = 2**30  # bytes; a network of the most parameters that a config admits stays below


@dataclass(frozen=True)
class RunDirectory:
    """One run: `path` is its directory."""

    path: Path

    @classmethod
    def create(cls, root: Path, *, config_name: str, name: str | None) -> "RunDirectory":
        """Make the directory of a new run: `name`, or the config's name and the time of day in UTC.

        Raises:
            RunError: the name is taken or no plain name, or the directory cannot be written.
        """
        if name is not None and (not name or name != Path(name).name or name.startswith(".") or "\0" in name):
            raise RunError(f"--name {name!r} must be a plain name; choose the folder with --runs.")
        stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        names = (
            [name]
            if name is not None
            else [f"{config_name}-{stamp}", *(f"{config_name}-{stamp}-{n}" for n in range(2, 100))]
        )
        for candidate in names:
            path = root / candidate
            try:
                path.mkdir(parents=True)
            except FileExistsError:
                continue
            except OSError as error:
                raise RunError(
                    f"Cannot make the run directory {path}: {error.strerror}. Choose another --runs."
                ) from error
            return cls(path)
        raise RunError(f"{root / names[-1]} exists. Choose another --name, or remove it.")

    @classmethod
    def find(cls, root: Path, run: str | None) -> "RunDirectory":
        """Return a finished run: by name under `root`, by path, or the newest one if `run` is None.

        Raises:
            RunError: there is none, or it is unfinished.
        """
        if run is None:
            created = {}
            for file in root.glob(f"*/{MANIFEST}"):
                with contextlib.suppress(RunError):  # a damaged run does not stand in the way of the others
                    created[cls(file.parent)] = (cls(file.parent).manifest()["created"], file.parent.name)
            if not created:
                raise RunError(f"No finished run in {root}. Make one with: stockcast train")
            return max(created, key=lambda found: created[found])
        path = next((path for path in (root / run, Path(run)) if path.is_dir()), None)
        if path is None:
            names = sorted(file.parent.name for file in root.glob(f"*/{MANIFEST}"))
            there = f"Finished runs in {root}: {', '.join(names)}." if names else f"There is no finished run in {root}."
            raise RunError(f"No run named {run!r}. {there}")
        if not (path / MANIFEST).is_file():
            way = "Go on with `stockcast train --resume`" if (path / BEGUN).is_file() else "Train again"
            raise RunError(f"{path} is unfinished: it has no {MANIFEST}. {way}.")
        return cls(path)

    @classmethod
    def find_unfinished(cls, root: Path, run: str | None) -> "RunDirectory":
        """Return a run that was begun and not finished: by name under `root`, by path, or the newest if `run` is None.

        Raises:
            RunError: there is none.
        """
        if run is None:
            begun = [file for file in root.glob(f"*/{BEGUN}") if not (file.parent / MANIFEST).exists()]
            if not begun:
                raise RunError(f"No unfinished run in {root}: there is nothing to resume. Train without --resume.")
            return cls(max(begun, key=lambda file: file.stat().st_mtime_ns).parent)
        path = next((path for path in (root / run, Path(run)) if path.is_dir()), None)
        if path is None:
            raise RunError(f"No run named {run!r} in {root}: there is nothing to resume. Train without --resume.")
        if (path / MANIFEST).exists():
            raise RunError(f"{path} is finished: there is nothing to resume. Next: stockcast evaluate {path}")
        if not (path / BEGUN).is_file():
            raise RunError(f"{path} ended before its training began: it has no {BEGUN}. Remove it and train again.")
        return cls(path)

    @property
    def name(self) -> str:
        """The directory's own name."""
        return self.path.resolve().name

    # A training on its way.

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other process from training this run; the lock ends with the process, however that ends.

        Raises:
            RunError: another process trains it.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.path / LOCK)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            raise RunError(
                f"{self.path} is being trained by another process. Wait for it, or choose another --name."
            ) from None
        except OSError as error:
            raise RunError(f"Cannot write {self.path / LOCK}: {error.strerror or error}.") from error
        try:
            yield
        finally:
            with contextlib.suppress(OSError):
                (self.path / LOCK).unlink()
            lock.release()

    def begin(self, config: str, details: dict[str, Any]) -> None:
        """Store the config as resolved, YAML, and what else a training that is taken up again must find unchanged."""
        self._write_text(CONFIG, config)
        hashes = {CONFIG: sha256(self.path / CONFIG)}
        self._write_json(BEGUN, {"created": _now(), **details, "files": hashes})

    def begun(self) -> dict[str, Any]:
        """Return begun.json.

        Raises:
            RunError: it is damaged.
        """
        return self._stated(BEGUN)

    def write_checkpoint(self, member: int, epoch: int, arrays: dict[str, Floats]) -> None:
        """Store how far a member's training has come; its last two checkpoints are kept.

        The name holds the SHA-256 of the file, so that one that is not whole is found out.
        """
        stream = io.BytesIO()
        np.savez(stream, **cast(dict[str, Any], arrays))
        content = stream.getvalue()
        folder = self.path / CHECKPOINTS
        name = f"member-{member:02d}-epoch-{epoch:05d}-{hashlib.sha256(content).hexdigest()}.npz"
        with self._replacing(f"{CHECKPOINTS}/{name}") as path:
            path.write_bytes(content)
        for old in sorted(folder.glob(f"member-{member:02d}-*.npz"))[:-_CHECKPOINTS_KEPT]:
            with contextlib.suppress(OSError):
                old.unlink()

    def checkpoints(self, member: int) -> Iterator[dict[str, Floats]]:
        """Yield what `write_checkpoint` stored of a member, the newest first; damaged files are passed over."""
        for path in sorted((self.path / CHECKPOINTS).glob(f"member-{member:02d}-*.npz"), reverse=True):
            try:
                if path.stat().st_size > _LARGEST_CHECKPOINT:
                    continue
                content = path.read_bytes()
                if hashlib.sha256(content).hexdigest() == path.stem.rpartition("-")[2]:
                    with np.load(io.BytesIO(content)) as stored:
                        arrays = {name: stored[name] for name in stored.files}
                    yield arrays
            except (OSError, ValueError, EOFError, MemoryError, zipfile.BadZipFile):
                continue

    def has_checkpoint(self) -> bool:
        """Whether an epoch has been kept."""
        return any((self.path / CHECKPOINTS).glob("*.npz"))

    def discard_if_untrained(self) -> None:
        """Remove the directory of a run that ended before it learnt anything."""
        if not self.has_checkpoint():
            self._tidy()
            with contextlib.suppress(OSError):
                (self.path / CONFIG).unlink()
            with contextlib.suppress(OSError):
                self.path.rmdir()

    def _tidy(self) -> None:
        """Remove what only a training on its way needs, and what a process that was killed has left half written."""
        leftovers = [*self.path.rglob(f"{PARTIAL}*"), *(self.path / CHECKPOINTS).glob("*.npz")]
        for path in (*leftovers, self.path / BEGUN, self.path / LOCK):
            with contextlib.suppress(OSError):
                path.unlink()
        with contextlib.suppress(OSError):
            (self.path / CHECKPOINTS).rmdir()

    # What training writes and what is read back.

    def config_path(self) -> Path:
        """Return the stored config, checked against the SHA-256 that was kept of it."""
        self._read(CONFIG)
        return self.path / CONFIG

    def write_scalers(self, scalers: dict[str, Any]) -> None:
        """Store the scalers' plain numbers."""
        self._write_json(SCALER, scalers)

    def scalers(self) -> dict[str, Any]:
        """Return what `write_scalers` stored."""
        return self._read_json(SCALER)

    def write_calibration(self, calibration: dict[str, Any]) -> None:
        """Store the calibration's plain numbers."""
        self._write_json(CALIBRATION, calibration)

    def calibration(self) -> dict[str, Any]:
        """Return what `write_calibration` stored."""
        return self._read_json(CALIBRATION)

    def write_history(self, rows: list[dict[str, Any]]) -> None:
        """Store one row an epoch."""
        self.write_table(HISTORY, rows)

    def write_network(self, *, save_weights: Callable[[Path], None], export: Callable[[Path], None]) -> None:
        """Store the trained network twice: its weights, and whole as ONNX."""
        for name, write in ((WEIGHTS, save_weights), (ONNX, export)):
            with self._replacing(name) as path:
                write(path)

    def onnx_path(self) -> Path:
        """Return the exported network; in a finished run, checked against the manifest before anything parses it."""
        if (self.path / MANIFEST).exists():
            self._read(ONNX)
        return self.path / ONNX

    def write_plot(self, name: str, figure: "Figure", *, folder: str = "plots") -> Path:
        """Store a picture as PNG and return its path."""
        with self._replacing(f"{folder}/{name}.png") as path:
            figure.savefig(path, format="png")
        return self.path / folder / f"{name}.png"

    def finish(self, manifest: dict[str, Any]) -> None:
        """Write run.json, last: what made the run, and the SHA-256 of every file in it."""
        names = {path: path.relative_to(self.path).as_posix() for path in self.path.rglob("*") if path.is_file()}
        hashes = {name: sha256(path) for path, name in sorted(names.items()) if not _is_passing(name)}
        self._write_json(MANIFEST, {"status": "finished", "created": _now(), **manifest, "files": hashes})
        self._tidy()

    def manifest(self) -> dict[str, Any]:
        """Return run.json.

        Raises:
            RunError: it is damaged.
        """
        return self._stated(MANIFEST)

    def _stated(self, name: str) -> dict[str, Any]:
        """Return a JSON document that says what belongs to the run."""
        try:
            stated: dict[str, Any] = json.loads((self.path / name).read_text(encoding="utf-8"))
            if not (isinstance(stated["files"], dict) and isinstance(stated["created"], str)):
                raise TypeError("files or created")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{self.path / name} is damaged ({error}). Train again.") from error
        return stated

    # What evaluate and predict write.

    def write_evaluation(
        self, split: str, *, scores: dict[str, Any], verdict: str, forecast: Forecast, actual: Floats
    ) -> Path:
        """Store an evaluation's numbers and words; return its directory."""
        folder = evaluation_folder(split)
        self._write_json(f"{folder}/metrics.json", scores)
        self._write_text(f"{folder}/verdict.txt", verdict)
        with self._replacing(f"{folder}/forecasts.npz") as path, path.open("wb") as stream:
            np.savez_compressed(
                stream,
                origin_dates=forecast.origin_dates,
                target_dates=forecast.target_dates,
                levels=forecast.levels,
                quantiles=forecast.quantiles,
                actual=actual,
                last_close=forecast.last_close,
            )
        return self.path / folder

    def keep_quantiles(self, key: str, quantiles: Floats) -> Floats:
        """Keep a rival's quantiles for the next evaluation; return them in the single precision that is kept."""
        kept = quantiles.astype(np.float32)
        with self._replacing(f"rivals/{key}.npy") as path, path.open("wb") as stream:
            np.save(stream, kept)
        return kept.astype(np.float64)

    def kept_quantiles(self, key: str) -> Floats | None:
        """Return what `keep_quantiles` kept, or None if it did not, or not whole."""
        try:
            kept = np.load(self.path / "rivals" / f"{key}.npy", mmap_mode=None)
        except (OSError, ValueError, EOFError):
            return None
        whole = isinstance(kept, np.ndarray) and kept.dtype == np.float32 and bool(np.isfinite(kept).all())
        return kept.astype(np.float64) if whole else None

    def verdict(self) -> list[str] | None:
        """Return the sentences of the run's verdict on its test days, or None if it has none."""
        try:
            return (self.path / evaluation_folder("test") / "verdict.txt").read_text(
                encoding="utf-8"
            ).splitlines() or None
        except (OSError, UnicodeDecodeError):
            return None

    def write_prediction(self, rows: list[dict[str, Any]], figure: "Figure", *, folder: Path) -> Path:
        """Store a forecast as a table and a picture in `folder`; return the table's path."""
        self.write_table(folder / "forecast.csv", rows)
        with self._replacing(folder / "forecast.png") as path:
            figure.savefig(path, format="png")
        return folder / "forecast.csv"

    def prediction_folder(self, last_date: np.datetime64) -> Path:
        """Return where a prediction from this day belongs unless the user says otherwise."""
        return self.path / "predictions" / str(last_date)

    # How.

    def _write_text(self, name: str | Path, text: str) -> None:
        with self._replacing(name) as path:
            path.write_text(text, encoding="utf-8", newline="")

    def _write_json(self, name: str, value: dict[str, Any]) -> None:
        self._write_text(name, json.dumps(value, indent=2, allow_nan=False) + "\n")

    def write_table(self, name: str | Path, rows: list[dict[str, Any]]) -> None:
        """Store rows as CSV, `name` inside the run or an absolute path."""
        text = io.StringIO()
        table = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
        self._write_text(name, text.getvalue())

    @contextlib.contextmanager
    def _replacing(self, name: str | Path) -> Iterator[Path]:
        """Yield a temporary path that takes its place as `name`, in the run or an absolute path, at the block's end."""
        path = self.path / name  # an absolute name stays what it is
        if not self.path.is_dir():
            raise RunError(f"Cannot write {path}: the run's directory has vanished.")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"Cannot write {path}: {error.strerror or error}.") from error
        with replacing(path) as partial:
            yield partial

    def _read(self, name: str) -> bytes:
        """Return a file's bytes once they are known to be what training wrote."""
        path = self.path / name
        stated = self.manifest() if (self.path / MANIFEST).exists() else self.begun()
        expected = stated["files"].get(name)
        try:
            content = path.read_bytes()
        except OSError as error:
            raise RunError(f"{path} cannot be read: {error.strerror}. Train again.") from error
        if hashlib.sha256(content).hexdigest() != expected:
            raise RunError(f"{path} is damaged: it is not the file that training wrote (SHA-256). Train again.")
        return content

    def _read_json(self, name: str) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self._read(name))
        return value


def evaluation_folder(split: str) -> str:
    """Return where the evaluation of a split is kept inside the run."""
    return "evaluation" if split == "test" else f"evaluation-{split}"


def _is_passing(name: str) -> bool:
    """Whether a file, named from the run's directory, is gone once the run is finished."""
    return name in (BEGUN, LOCK) or name.startswith(f"{CHECKPOINTS}/") or f"/{PARTIAL}" in f"/{name}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")
