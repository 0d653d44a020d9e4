"""What training writes into a run; each file is checked against its SHA-256 when it is read."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.errors import NoOnnx
from stockcast.runs import layout
from stockcast.runs.files import RunFiles
from stockcast.runs.npz import unpack_npz
from stockcast.runs.safe_io import damaged
from stockcast.typing import Dates, Days, Floats

_CLOSES = {"days": "i", "dates": "M", "closes": "f", "checksums": "i"}


class TrainingArtifacts(RunFiles):
    """The part of a run that training leaves behind."""

    def config_path(self) -> Path:
        """Return the path of the stored config, whose content has been checked."""
        return self._checked(layout.CONFIG)

    def scalers(self) -> dict[str, Any]:
        """Return the numbers of the scalers."""
        return self._read_json(layout.SCALER)

    def calibration(self) -> dict[str, Any]:
        """Return the numbers of the calibration."""
        return self._read_json(layout.CALIBRATION)

    def sessions(self) -> dict[str, Any] | None:
        """Return the exchange's sessions around the last row; None of a run without."""
        return self._read_json(layout.SESSIONS) if self._has(layout.SESSIONS) else None

    def write_outputs(self, *, dates: Dates, inputs: Floats, outputs: Floats) -> None:
        """Store the network's outputs on past days, in single precision; shapes as of `CachedOutputs`."""
        with self._replacing(layout.OUTPUTS) as path, path.open("wb") as stream:
            np.savez(stream, dates=dates, inputs=inputs.astype(np.float32), outputs=outputs.astype(np.float32))

    def outputs(self) -> dict[str, Any] | None:
        """Return the arrays that `write_outputs` stored, None of a run without; RunError if they are damaged."""
        if not self._has(layout.OUTPUTS):
            return None
        try:
            arrays = unpack_npz(self._read(layout.OUTPUTS), {"dates": "M", "inputs": "f", "outputs": "f"})
        except ValueError as error:
            raise damaged(self.path / layout.OUTPUTS, str(error)[:200]) from error
        return {name: array if name == "dates" else array.astype(np.float32) for name, array in arrays.items()}

    def write_closes(self, *, days: Days, dates: Dates, closes: Floats, checksums: Days) -> None:
        """Store the closes of the training in single precision.

        Args:
            days: number of each series, shape (series,).
            dates: of all series end to end, shape (rows,).
            closes: on these days, shape (rows,).
            checksums: of all columns on these days, shape (rows,).
        """
        with self._replacing(layout.CLOSES) as path, path.open("wb") as stream:
            arrays: dict[str, Any] = {"days": days, "dates": dates, "checksums": checksums}
            np.savez_compressed(stream, closes=closes.astype(np.float32), **arrays)

    def closes(self) -> dict[str, Any] | None:
        """Return the arrays that `write_closes` stored, None of a run without; RunError if they are damaged."""
        if not self._has(layout.CLOSES):
            return None
        try:
            return unpack_npz(self._read(layout.CLOSES), _CLOSES)
        except ValueError as error:
            raise damaged(self.path / layout.CLOSES, str(error)[:200]) from error

    def write_network(self, *, save_weights: Callable[[Path], None], export: Callable[[Path], None], room: int) -> None:
        """Store the trained network twice: its weights, and whole as ONNX.

        Args:
            save_weights: writes the weights, HDF5.
            export: writes the network, ONNX; where it raises, the weights are stored and nothing else.
            room: bytes that neither file exceeds; reserved on the disk first, as HDF5 ends the process when it is full.
        """
        for name, write in ((layout.WEIGHTS, save_weights), (layout.ONNX, export)):
            with self._replacing(name) as path:
                path.write_bytes(bytes(room))
                path.unlink()
                write(path)

    def onnx_path(self) -> Path:
        """Return the path of the exported network, whose content has been checked if the run is finished.

        Raises:
            NoOnnx: the run has none.
            RunError: it is not the one that training wrote.
        """
        path = self.path / layout.ONNX
        if not os.path.lexists(path):
            raise NoOnnx(f"{path} is missing", file=path)
        return self._checked(layout.ONNX) if (self.path / layout.MANIFEST).exists() else path

    def weights_path(self) -> Path:
        """Return the path of the trained weights, whose content has been checked."""
        return self._checked(layout.WEIGHTS)

    def events_folder(self) -> Path:
        """Return the folder of the event files; RunError if a link there leads out of the run."""
        self._refuse_link(self.path / layout.EVENTS)
        return self.path / layout.EVENTS

    def _checked(self, name: str) -> Path:
        self._read(name)
        return self.path / name
