"""What training writes into a run, and what is read back of it, each file checked against its SHA-256."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.errors import NoOnnx, RunError
from stockcast.forecast import Dates, Floats
from stockcast.runs.arrays import unpacked
from stockcast.runs.files import RunFiles
from stockcast.runs.names import (
    ANSWERS,
    CALIBRATION,
    CONFIG,
    EVENTS,
    HISTORY,
    MANIFEST,
    ONNX,
    SCALER,
    SESSIONS,
    WEIGHTS,
)


class TrainedFiles(RunFiles):
    """The part of a run that training leaves behind."""

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

    def write_sessions(self, sessions: dict[str, Any]) -> None:
        """Store the exchange's days around the last row, as plain text."""
        self._write_json(SESSIONS, sessions)

    def sessions(self) -> dict[str, Any] | None:
        """Return what `write_sessions` stored; None of a run without."""
        return self._read_json(SESSIONS) if self._has(SESSIONS) else None

    def write_answers(self, *, dates: Dates, inputs: Floats, outputs: Floats) -> None:
        """Store what the network says of days past.

        Args:
            dates: consecutive days, shape (days,).
            inputs: of these days, shape (days, features).
            outputs: those to each window that lies within them, oldest first, shape (origins, horizon, parameters).
        """
        with self._replacing(ANSWERS) as path, path.open("wb") as stream:
            np.savez(stream, dates=dates, inputs=inputs.astype(np.float32), outputs=outputs.astype(np.float32))

    def answers(self) -> dict[str, Any] | None:
        """Return the arrays that `write_answers` stored, dates and single precision; None of a run without.

        Raises:
            RunError: they are not what training wrote.
        """
        if not self._has(ANSWERS):
            return None
        try:
            arrays = unpacked(self._read(ANSWERS), {"dates": "M", "inputs": "f", "outputs": "f"})
        except ValueError as error:
            raise RunError(f"{self.path / ANSWERS} is damaged ({str(error)[:200]}). Train again.") from error
        return {name: array if name == "dates" else array.astype(np.float32) for name, array in arrays.items()}

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
