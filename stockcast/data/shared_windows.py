"""Windows in a file without a name, which other processes map: what several train on is read and held once."""

from dataclasses import replace
from tempfile import TemporaryFile
from typing import Any
from weakref import finalize

import numpy as np

from stockcast.data.scaler import Scaler
from stockcast.data.target import TargetTransform
from stockcast.data.windows import WindowDataset
from stockcast.errors import RunError

_ARRAYS = ("scaled", "target_prices", "volatility")
"""Attributes of a `WindowDataset` that those to train on and those to validate on have in common."""


class SharedWindows:
    """Windows to train on and windows to validate on, of the same days.

    Attributes:
        training: as given, its arrays mapped from the file.
        validation: likewise.
        descriptor: number of the open file, for a process that is to inherit it. The file is gone with the last
            process that has it open, also where that is killed.
    """

    def __init__(self, training: WindowDataset, validation: WindowDataset) -> None:
        """Write the windows into a file.

        Raises:
            RunError: there is no room for it.
        """
        arrays = {name: getattr(training, name) for name in _ARRAYS if getattr(training, name) is not None}
        arrays |= {"training": training.origins, "validation": validation.origins}
        layout, start = {}, 0
        try:
            self._file = TemporaryFile(prefix="stockcast-")  # noqa: SIM115 (open as long as this object is)
            finalize(self, self._file.close)
            for name, array in arrays.items():
                layout[name] = {"offset": start, "dtype": array.dtype.str, "shape": array.shape}
                self._file.write(np.ascontiguousarray(array).data)
                start += array.nbytes
            self._file.flush()
        except OSError as error:
            size = sum(array.nbytes for array in arrays.values())
            raise RunError(
                f"{size / 1e6:,.0f} MB for what the processes of a training share cannot be written to the folder of "
                f"temporary files ({error.strerror or error}). Make room there, or set TMPDIR to another folder."
            ) from error
        self.descriptor = self._file.fileno()
        self._order = {
            "arrays": layout,
            "window": training.window,
            "horizon": training.horizon,
            "target": {"kind": training.target.kind, "columns": training.target.columns},
            "scaler": training.target.scaler.to_json(),
        }
        self.training, self.validation = map_windows(self.descriptor, self._order)

    def order(self) -> dict[str, Any]:
        """Return what `map_windows` needs beside the file, in JSON's types."""
        return self._order


def map_windows(descriptor: int, order: dict[str, Any]) -> tuple[WindowDataset, WindowDataset]:
    """Return the windows to train on and to validate on that a `SharedWindows` has written, not to be changed."""
    with open(descriptor, "rb", closefd=False) as file:
        arrays = {
            name: np.memmap(file, mode="r", **{**at, "shape": tuple(at["shape"])}).view(np.ndarray)
            for name, at in order["arrays"].items()
        }
    training = WindowDataset(
        arrays["scaled"],
        arrays["target_prices"],
        arrays["training"],
        window=order["window"],
        horizon=order["horizon"],
        target=TargetTransform(
            order["target"]["kind"], Scaler.from_json(order["scaler"]), tuple(order["target"]["columns"])
        ),
        volatility=arrays.get("volatility"),
    )
    return training, replace(training, origins=arrays["validation"])
