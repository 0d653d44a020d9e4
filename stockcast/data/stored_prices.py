"""Many series, of which one is in memory at a time."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import overload

import numpy as np
import pandas as pd

from stockcast.data.array_file import ArrayFile, Place
from stockcast.data.prices import Prices

_NO_TABLE, _NO_VALUES, _NO_DAYS = pd.DataFrame(), np.empty(0), np.empty(0, "datetime64[D]")


@dataclass(frozen=True)
class _StoredTable:
    """Where a table is, and its names."""

    columns: pd.Index
    name: str
    index: Place
    values: Place


@dataclass(frozen=True)
class _StoredSeries:
    """Prices without their numbers, and where these are."""

    outline: Prices
    bars: _StoredTable
    quoted: Place
    own: _StoredTable | None
    known: _StoredTable | None
    known_columns: _StoredTable | None
    sessions: Place | None


class StoredPrices(Sequence[Prices]):
    """Series in a file without a name; each is read from there whenever it is taken, the same to the last bit.

    So what is made of hundreds of series, one after the other, needs the memory of one. It costs a third of a
    millisecond for twenty years.
    """

    def __init__(self, series: Iterable[Prices] = ()) -> None:
        self._file = ArrayFile()
        self._series: list[_StoredSeries] = []
        for prices in series:
            self.append(prices)

    def append(self, prices: Prices) -> None:
        """Add a series; RunError if there is no room for it."""
        own, known, columns = prices.own, prices.known, prices.known_columns
        outline = replace(
            prices,
            bars=_NO_TABLE,
            quoted=_NO_VALUES,
            own=None if own is None else replace(own, values=_NO_TABLE),
            known=None,
            known_columns=None if columns is None else replace(columns, values=_NO_TABLE, sessions=_NO_DAYS),
        )
        self._series.append(
            _StoredSeries(
                outline,
                self._write(prices.bars),
                self._file.write(prices.quoted),
                None if own is None else self._write(own.values),
                None if known is None else self._write(known),
                None if columns is None else self._write(columns.values),
                None if columns is None else self._file.write(columns.sessions),
            )
        )

    def only(self, numbers: Iterable[int]) -> "StoredPrices":
        """Return some of the series, in the same file."""
        chosen = StoredPrices.__new__(StoredPrices)
        chosen._file, chosen._series = self._file, [self._series[number] for number in numbers]
        return chosen

    def __len__(self) -> int:
        return len(self._series)

    def __iter__(self) -> Iterator[Prices]:
        return map(self._read, self._series)

    @overload
    def __getitem__(self, number: int) -> Prices: ...

    @overload
    def __getitem__(self, number: slice) -> "StoredPrices": ...

    def __getitem__(self, number: int | slice) -> "Prices | StoredPrices":
        if isinstance(number, slice):
            return self.only(range(len(self._series))[number])
        return self._read(self._series[number])

    def _write(self, table: pd.DataFrame) -> _StoredTable:
        # Columns end to end, as pandas holds them.
        values = np.ascontiguousarray(table.to_numpy(dtype=np.float64).T)
        index = table.index
        return _StoredTable(
            table.columns, str(index.name), self._file.write(index.to_numpy()), self._file.write(values)
        )

    def _table(self, stored: _StoredTable) -> pd.DataFrame:
        index = pd.DatetimeIndex(self._file.read(stored.index), name=stored.name)
        return pd.DataFrame(self._file.read(stored.values).T, index=index, columns=stored.columns, copy=False)

    def _read(self, stored: _StoredSeries) -> Prices:
        outline = stored.outline
        own, columns = outline.own, outline.known_columns
        if own is not None and stored.own is not None:
            own = replace(own, values=self._table(stored.own))
        if columns is not None and stored.known_columns is not None and stored.sessions is not None:
            values, sessions = self._table(stored.known_columns), self._file.read(stored.sessions)
            columns = replace(columns, values=values, sessions=sessions)
        return replace(
            outline,
            bars=self._table(stored.bars),
            quoted=self._file.read(stored.quoted),
            own=own,
            known=None if stored.known is None else self._table(stored.known),
            known_columns=columns,
        )
