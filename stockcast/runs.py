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
from stockcast.untrusted import (
    MAX_NETWORK_BYTES,
    MAX_TEXT_BYTES,
    fault,
    is_plain_relative,
    lies_within,
    parse_object,
    printable,
    read_bytes,
    sha256,
)

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
                if not lies_within(file.parent, root):  # a link to elsewhere: its owner may name that path
                    continue
                with contextlib.suppress(RunError):  # a damaged run does not stand in the way of the others
                    created[cls(file.parent)] = (cls(file.parent).manifest()["created"], file.parent.name)
            if not created:
                raise RunError(f"No finished run in {root}. Make one with: stockcast train")
            return max(created, key=lambda found: created[found])
        path = path_of(root, run)
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
        path = self.path / MANIFEST
        manifest = parse_object(read_bytes(path, folder=self.path), source=path)
        files, created = manifest.get("files"), manifest.get("created")
        if not (isinstance(files, dict) and isinstance(created, str)):
            raise RunError(f"{path} is damaged (files or created). Train again.")
        if strangers := [name for name in files if not is_plain_relative(name)]:
            raise RunError(f"{path} is damaged: it lists {strangers[0][:80]!r}, outside the run. Train again.")
        return manifest

    def learnt_from(self) -> list[dict[str, str]]:
        """Return name, path and SHA-256 of each price file that the run learnt from, the first one first.

        Raises:
            RunError: run.json does not say.
        """
        series = self.manifest().get("series")
        keys = ("name", "path", "sha256")
        if not (
            isinstance(series, list)
            and series
            and all(isinstance(one, dict) and all(isinstance(one.get(key), str) for key in keys) for one in series)
        ):
            raise RunError(f"{self.path / MANIFEST} is damaged: it does not say what the run learnt from. Train again.")
        return [{key: one[key] for key in keys} for one in series]

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
        path = self.path / "rivals" / f"{key}.npy"
        if fault(path, folder=self.path, most=MAX_NETWORK_BYTES):
            return None
        try:
            # Mapped, not loaded: a header that claims more than the file holds fails before anything is allocated.
            kept = np.lib.format.open_memmap(path, mode="r")
        except (OSError, ValueError, EOFError, TypeError, OverflowError, MemoryError, RecursionError):
            return None
        whole = kept.dtype == np.float32 and bool(np.isfinite(kept).all())
        return np.array(kept, dtype=np.float64) if whole else None

    def verdict(self) -> list[str] | None:
        """Return the sentences of the run's verdict on its test days, or None if it has none."""
        path = self.path / evaluation_folder("test") / "verdict.txt"
        with contextlib.suppress(RunError, UnicodeDecodeError):
            return printable(read_bytes(path, folder=self.path).decode("utf-8")).splitlines() or None
        return None

    def write_prediction(self, rows: list[dict[str, Any]], figure: "Figure", *, folder: Path) -> Path:
        """Store a forecast as a table and a picture in `folder`; return the table's path."""
        self.write_table(folder / "forecast.csv", rows)
        with self._replacing(folder / "forecast.png") as path:
            figure.savefig(path, format="png")
        return folder / "forecast.csv"

    def prediction_folder(self, last_date: np.datetime64) -> Path:
        """Return where a prediction from this day belongs unless the user says otherwise.

        Raises:
            RunError: a link there leads out of the run.
        """
        folder = self.path / "predictions" / str(last_date)
        self._refuse_link(folder)
        return folder

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
        if path.is_relative_to(self.path):
            self._refuse_link(path.parent)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            partial.unlink(missing_ok=True)  # of that name there may be a link to somewhere else
            yield partial
            with partial.open("rb") as written:
                os.fsync(written.fileno())
            os.replace(partial, path)
        except OSError as error:
            raise RunError(f"Cannot write {path}: {error.strerror or error}.") from error
        finally:
            with contextlib.suppress(OSError):
                partial.unlink()

    def _refuse_link(self, folder: Path) -> None:
        if not lies_within(folder, self.path):
            raise RunError(f"{folder} is a link that leads out of the run. Remove it.")

    def _read(self, name: str) -> bytes:
        """Return a file's bytes once they are known to be what training wrote."""
        path = self.path / name
        expected = self.manifest()["files"].get(name)
        content = read_bytes(path, folder=self.path, most=MAX_NETWORK_BYTES if name == ONNX else MAX_TEXT_BYTES)
        if hashlib.sha256(content).hexdigest() != expected:
            raise RunError(f"{path} is damaged: it is not the file that training wrote (SHA-256). Train again.")
        return content

    def _read_json(self, name: str) -> dict[str, Any]:
        return parse_object(self._read(name), source=self.path / name)


def evaluation_folder(split: str) -> str:
    """Return where the evaluation of a split is kept inside the run."""
    return "evaluation" if split == "test" else f"evaluation-{split}"


def path_of(root: Path, run: str) -> Path | None:
    """Return the directory of the run of this name under `root`, or at this path; None if there is none.

    Raises:
        RunError: it stands under `root` and is a link that leads out of it.
    """
    for path, named in ((root / run, True), (Path(run), False)):
        below = lies_within(path, root)
        if path.is_symlink() and not below and (named or path.parent.resolve() == root.resolve()):
            raise RunError(f"{path} leads out of {root}. If you trust what is there, give its own path.")
        if path.is_dir() and (below or not named or Path(run).is_absolute()):
            return path
    return None
