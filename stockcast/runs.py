"""A run on disk. This is the only file that knows the file names inside one.

Every file is written under a temporary name and moved into place, so that none is ever half there; `run.json` comes
last and holds the SHA-256 of every file, so that a run without it is unfinished and a changed file is found out.
"""

import contextlib
import csv
import hashlib
import io
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stockcast.errors import RunError
from stockcast.forecast import Floats, Forecast

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MANIFEST, CONFIG, SCALER, CALIBRATION = "run.json", "config.yaml", "scaler.json", "calibration.json"
HISTORY, ONNX, WEIGHTS = "history.csv", "model.onnx", "model.weights.h5"


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
            raise RunError(f"{path} is unfinished: it has no {MANIFEST}. Train again.")
        return cls(path)

    @property
    def name(self) -> str:
        """The directory's own name."""
        return self.path.resolve().name

    def discard_if_empty(self) -> None:
        """Remove the directory of a run that ended before it wrote anything."""
        with contextlib.suppress(OSError):
            self.path.rmdir()

    # What training writes and what is read back.

    def write_config(self, text: str) -> None:
        """Store the config as resolved, YAML."""
        self._write_text(CONFIG, text)

    def config_path(self) -> Path:
        """Return the stored config, checked against the manifest."""
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
        files = sorted(path for path in self.path.rglob("*") if path.is_file())
        hashes = {path.relative_to(self.path).as_posix(): sha256(path) for path in files}
        created = datetime.now(UTC).isoformat(timespec="microseconds")
        self._write_json(MANIFEST, {"status": "finished", "created": created, **manifest, "files": hashes})

    def manifest(self) -> dict[str, Any]:
        """Return run.json.

        Raises:
            RunError: it is damaged.
        """
        try:
            manifest: dict[str, Any] = json.loads((self.path / MANIFEST).read_text(encoding="utf-8"))
            if not (isinstance(manifest["files"], dict) and isinstance(manifest["created"], str)):
                raise TypeError("files or created")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RunError(f"{self.path / MANIFEST} is damaged ({error}). Train again.") from error
        return manifest

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
        """Yield a temporary path; when the block ends well, it is flushed to disk and takes its place as `name`."""
        path = self.path / name  # an absolute name stays what it is
        partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            yield partial
            with partial.open("rb") as written:
                os.fsync(written.fileno())
            os.replace(partial, path)
        except OSError as error:
            raise RunError(f"Cannot write {path}: {error.strerror or error}.") from error
        finally:
            with contextlib.suppress(OSError):
                partial.unlink()

    def _read(self, name: str) -> bytes:
        """Return a file's bytes once they are known to be what training wrote."""
        path = self.path / name
        expected = self.manifest()["files"].get(name)
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


def sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
