"""Windows in a file without a name, which other processes map: what several train on is read and held once."""

from dataclasses import replace
from typing import Any

from stockcast.data.array_file import ArrayFile, map_arrays
from stockcast.data.scaler import Scaler
from stockcast.data.target import TargetTransform
from stockcast.data.windows import WindowDataset

_ARRAYS = ("scaled", "target_prices", "volatility")
"""Attributes of a `WindowDataset` that those to train on and those to validate on have in common."""


class SharedWindows:
    """Windows to train on and windows to validate on, of the same days.

    Attributes:
        training: as given, its arrays mapped from the file.
        validation: likewise.
        descriptor: as of `ArrayFile`.
    """

    def __init__(self, training: WindowDataset, validation: WindowDataset) -> None:
        """Write the windows into a file.

        Raises:
            RunError: there is no room for it.
        """
        arrays = {name: getattr(training, name) for name in _ARRAYS if getattr(training, name) is not None}
        arrays |= {"training": training.origins, "validation": validation.origins}
        self._file = ArrayFile()
        self.descriptor = self._file.descriptor
        self._order = {
            "arrays": {name: self._file.write(array) for name, array in arrays.items()},
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
    arrays = map_arrays(descriptor, order["arrays"])
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
