"""What evaluate, predict and explain write into a run."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stockcast.errors import RunError
from stockcast.forecast import Directions, Floats, Forecast, Labels, column_key
from stockcast.runs.files import RunFiles
from stockcast.runs.names import evaluation_folder
from stockcast.untrusted import MAX_NETWORK_BYTES, fault, printable, read_bytes

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class OutcomeFiles(RunFiles):
    """The part of a run that is made with its network."""

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

    def verdict(self, series: str | None = None) -> list[str] | None:
        """Return the sentences of the run's verdict on its test days, or None if it has none.

        Args:
            series: name of a series that was scored as a file of its own; None for the run's first.
        """
        path = self.path / evaluation_folder("test" if series is None else f"test-{series}") / "verdict.txt"
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
