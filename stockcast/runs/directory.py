"""A run that is read and written by name of what it holds."""

import contextlib
import errno
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stockcast.errors import NoOnnx, RunError
from stockcast.forecast import Directions, Floats, Forecast, Labels, column_key
from stockcast.runs.files import RunFiles, now
from stockcast.runs.names import (
    BEGUN,
    CALIBRATION,
    CONFIG,
    EVENTS,
    HISTORY,
    MANIFEST,
    ONNX,
    SCALER,
    WEIGHTS,
    evaluation_folder,
    is_passing,
)
from stockcast.runs.underway import Underway
from stockcast.untrusted import MAX_NETWORK_BYTES, fault, lies_within, printable, read_bytes, sha256

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class RunDirectory(RunFiles):
    """One run: `path` is its directory."""

    @classmethod
    def create(cls, root: Path, *, config_name: str, name: str | None) -> "RunDirectory":
        """Make the directory of a new run: `name`, or the config's name and the time of day in UTC.

        Raises:
            RunError: the name is taken or no plain name, or the directory cannot be written.
        """
        cls.check_name(name)
        stamp = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        names = (
            [name]
            if name is not None
            else [f"{config_name}-{stamp}", *(f"{config_name}-{stamp}-{n}" for n in range(2, 100))]
        )
        for candidate in names:
            path = root / candidate
            try:
                root.mkdir(parents=True, exist_ok=True)
            except OSError as error:  # FileExistsError: a file, or a link to nowhere
                reason = "Not a directory" if isinstance(error, FileExistsError) else error.strerror
                raise RunError(f"Cannot make the folder of runs {root}: {reason}. Choose another --runs.") from error
            try:
                path.mkdir()
            except FileExistsError:
                continue
            except OSError as error:
                other = "--name" if error.errno == errno.ENAMETOOLONG else "--runs"
                raise RunError(
                    f"Cannot make the run directory {path}: {error.strerror}. Choose another {other}."
                ) from error
            return cls(path)
        raise RunError(f"{root / names[-1]} exists. Choose another --name, or remove it.")

    @staticmethod
    def check_name(name: str | None) -> None:
        """Check that a run may be called so: it is a folder's name, an argument and a word in a line.

        Raises:
            RunError: it may not.
        """
        if name is not None and (
            not name or name != Path(name).name or name.startswith((".", "-")) or not name.isprintable()
        ):
            raise RunError(
                f"--name {name!r} must be a plain name, on one line and not beginning with a dot or a dash; choose the "
                f"folder with --runs."
            )

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
            begun = [
                file
                for file in root.glob(f"*/{BEGUN}")
                if lies_within(file.parent, root) and not (file.parent / MANIFEST).exists()
            ]
            if not begun:
                raise RunError(f"No unfinished run in {root}: there is nothing to resume. Train without --resume.")
            return cls(max(begun, key=lambda file: file.stat().st_mtime_ns).parent)
        path = path_of(root, run)
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

    @property
    def underway(self) -> Underway:
        """What the run holds until its training is finished."""
        return Underway(self.path)

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

    def write_network(self, *, save_weights: Callable[[Path], None], export: Callable[[Path], None], room: int) -> None:
        """Store the trained network twice: its weights, and whole as ONNX.

        Args:
            save_weights: writes the weights, HDF5.
            export: writes the network, ONNX; where it raises, the weights are stored and nothing else.
            room: bytes that neither file exceeds; asked of the disk first, for HDF5 ends the process when it is full.
        """
        for name, write in ((WEIGHTS, save_weights), (ONNX, export)):
            with self._replacing(name) as path:
                path.write_bytes(bytes(room))
                path.unlink()
                write(path)

    def onnx_path(self) -> Path:
        """Return the exported network; in a finished run, checked against the manifest before anything parses it.

        Raises:
            NoOnnx: the run has none.
            RunError: it is not the one that training wrote.
        """
        if not os.path.lexists(self.path / ONNX):
            raise NoOnnx(f"{self.path / ONNX} is missing")
        if (self.path / MANIFEST).exists():
            self._read(ONNX)
        return self.path / ONNX

    def weights_path(self) -> Path:
        """Return the trained weights, checked against the manifest before anything parses them."""
        self._read(WEIGHTS)
        return self.path / WEIGHTS

    def events_folder(self) -> Path:
        """Return where the event files of a training belong.

        Raises:
            RunError: a link there leads out of the run.
        """
        self._refuse_link(self.path / EVENTS)
        return self.path / EVENTS

    def write_plot(self, name: str, figure: "Figure", *, folder: str | Path = "plots") -> Path:
        """Store a picture as PNG, in a folder of the run or an absolute one, and return its path."""
        with self._replacing(Path(folder) / f"{name}.png") as path:
            figure.savefig(path, format="png")
        return self.path / folder / f"{name}.png"

    def finish(self, manifest: dict[str, Any]) -> None:
        """Write run.json, last: what made the run, and the SHA-256 of every file in it."""
        names = {path: path.relative_to(self.path).as_posix() for path in self.path.rglob("*") if path.is_file()}
        kept = {path: name for path, name in sorted(names.items()) if not name.startswith(f"{EVENTS}/")}
        hashes = {name: sha256(path) for path, name in kept.items() if not is_passing(name)}
        self._write_json(MANIFEST, {"status": "finished", "created": now(), **manifest, "files": hashes})
        self.underway.tidy()

    def manifest(self) -> dict[str, Any]:
        """Return run.json.

        Raises:
            RunError: it is damaged.
        """
        return self.stated(MANIFEST)

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
        self,
        split: str,
        *,
        scores: dict[str, Any],
        verdict: str,
        forecast: Forecast,
        actual: Floats,
        other_actuals: Mapping[str, Floats],
    ) -> Path:
        """Store an evaluation's numbers and words; return its directory.

        Args:
            split: names the directory.
            scores: metrics.json.
            verdict: verdict.txt.
            forecast: of every origin; of other columns it is kept as `median_open` and the like.
            actual: what came, in price units, shape (origins, horizon).
            other_actuals: the same of the forecast's other columns, kept as `actual_open` and the like.
        """
        folder = evaluation_folder(split)
        self._write_json(f"{folder}/metrics.json", scores)
        self._write_text(f"{folder}/verdict.txt", verdict)
        others: dict[str, Any] = {
            **{f"median_{column_key(name)}": values for name, values in forecast.others.items()},
            **{f"actual_{column_key(name)}": values for name, values in other_actuals.items()},
        }
        with self._replacing(f"{folder}/forecasts.npz") as path, path.open("wb") as stream:
            np.savez_compressed(
                stream,
                origin_dates=forecast.origin_dates,
                target_dates=forecast.target_dates,
                levels=forecast.levels,
                quantiles=forecast.quantiles,
                actual=actual,
                last_close=forecast.last_close,
                **others,
            )
        return self.path / folder

    def write_directions(
        self, split: str, *, scores: dict[str, Any], verdict: str, forecast: Directions, came: Labels
    ) -> Path:
        """Store the evaluation of a classifier; return its directory.

        Args:
            split: names the directory.
            scores: metrics.json.
            verdict: verdict.txt.
            forecast: of every origin.
            came: number of the class that came, shape (origins, horizon).
        """
        folder = evaluation_folder(split)
        self._write_json(f"{folder}/metrics.json", scores)
        self._write_text(f"{folder}/verdict.txt", verdict)
        with self._replacing(f"{folder}/forecasts.npz") as path, path.open("wb") as stream:
            np.savez_compressed(
                stream,
                origin_dates=forecast.origin_dates,
                target_dates=forecast.target_dates,
                classes=np.array(forecast.classes),
                probabilities=forecast.probabilities,
                came=came,
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

    def write_prediction(self, rows: list[dict[str, Any]], *, folder: Path) -> Path:
        """Store a forecast as a table in `folder`; return its path."""
        self.write_table(folder / "forecast.csv", rows)
        return folder / "forecast.csv"

    def draw_prediction(self, figure: "Figure", *, folder: Path) -> None:
        """Store a forecast as a picture in `folder`."""
        with self._replacing(folder / "forecast.png") as path:
            figure.savefig(path, format="png")

    def prediction_folder(self, last_date: np.datetime64) -> Path:
        """Return where a prediction from this day belongs unless the user says otherwise.

        Raises:
            RunError: a link there leads out of the run.
        """
        return self._own_folder(f"predictions/{last_date}")

    def explanation_folder(self, origin: np.datetime64) -> Path:
        """Return where an explanation of the forecast from this day belongs unless the user says otherwise.

        Raises:
            RunError: a link there leads out of the run.
        """
        return self._own_folder(f"explanations/{origin}")

    def _own_folder(self, name: str) -> Path:
        folder = self.path / name
        self._refuse_link(folder)
        return folder


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
