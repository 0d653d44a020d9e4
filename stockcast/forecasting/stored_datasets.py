"""The datasets of many series, of which one is in memory at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import overload

import numpy as np

from stockcast.data.array_file import ArrayFile, Place
from stockcast.data.prices import Prices
from stockcast.forecasting.dataset import SeriesDataset

_ARRAYS = ("target_prices", "volatility", "scaled")


class StoredDatasets(Sequence[SeriesDataset]):
    """Datasets in a file without a name; each is read from there whenever it is taken, the same to the last bit."""

    def __init__(self, read: Callable[[int], Prices]) -> None:
        """Begin without any; `read` returns the prices of each by its number."""
        self._file, self._prices = ArrayFile(), read
        self._stored: list[tuple[SeriesDataset, dict[str, Place]]] = []

    def append(self, dataset: SeriesDataset) -> None:
        """Add the dataset of the next series; RunError if there is no room for it."""
        arrays = {name: array for name in _ARRAYS if (array := getattr(dataset, name)) is not None}
        places = {name: self._file.write(array) for name, array in arrays.items()}
        outline = replace(dataset, **dict.fromkeys(arrays, np.empty(0)), prices=None)  # type: ignore[arg-type]
        self._stored.append((outline, places))

    def __len__(self) -> int:
        return len(self._stored)

    def __iter__(self) -> Iterator[SeriesDataset]:
        return map(self._read, range(len(self._stored)))

    @overload
    def __getitem__(self, number: int) -> SeriesDataset: ...

    @overload
    def __getitem__(self, number: slice) -> list[SeriesDataset]: ...

    def __getitem__(self, number: int | slice) -> SeriesDataset | list[SeriesDataset]:
        places = range(len(self._stored))[number]
        return self._read(places) if isinstance(places, int) else list(map(self._read, places))

    def _read(self, number: int) -> SeriesDataset:
        outline, places = self._stored[number]
        arrays = {name: self._file.read(place) for name, place in places.items()}
        return replace(outline, **arrays, prices=self._prices(number))
