"""Arrays in a file without a name: what is needed one series at a time, or by several processes, is not held here."""

from tempfile import TemporaryFile
from typing import Any
from weakref import finalize

import numpy as np

from stockcast.errors import RunError

Place = dict[str, Any]
"""Where an array is: its offset, dtype and shape, in JSON's types."""


class ArrayFile:
    """Arrays end to end.

    Attributes:
        descriptor: number of the open file, for a process that is to inherit it. The file is gone with the last
            process that has it open, also where that is killed.
    """

    def __init__(self) -> None:
        """Open the file; RunError where the folder of temporary files does not allow it."""
        try:
            self._file = TemporaryFile(buffering=0, prefix="stockcast-")  # noqa: SIM115 (open as long as this object)
        except OSError as error:
            raise _no_room(0, error) from error
        finalize(self, self._file.close)
        self.descriptor = self._file.fileno()
        self._end = 0

    def write(self, array: np.ndarray[Any, Any]) -> Place:
        """Add an array; return where it is. RunError if there is no room for it."""
        place = {"offset": self._end, "dtype": array.dtype.str, "shape": list(array.shape)}
        rest = np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
        try:
            self._file.seek(self._end)
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            raise _no_room(self._end + array.nbytes, error) from error
        self._end += array.nbytes
        return place

    def read(self, place: Place) -> Any:
        """Return an array as it was written, in memory of its own."""
        array = np.empty(place["shape"], dtype=place["dtype"])
        rest = array.reshape(-1).view(np.uint8).data
        self._file.seek(place["offset"])
        while rest:
            rest = rest[self._file.readinto(rest) :]
        return array


def map_arrays(descriptor: int, places: dict[str, Place]) -> dict[str, Any]:
    """Return arrays of an `ArrayFile` as they lie in it, not to be changed."""
    with open(descriptor, "rb", closefd=False) as file:
        return {
            name: np.memmap(file, mode="r", **{**place, "shape": tuple(place["shape"])}).view(np.ndarray)
            for name, place in places.items()
        }


def _no_room(size: int, error: OSError) -> RunError:
    return RunError(
        f"{size / 1e6:,.0f} MB of a training's arrays cannot be written to the folder of temporary files "
        f"({error.strerror or error}). Make room there, or set TMPDIR to another folder."
    )
