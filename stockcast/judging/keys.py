"""What each row of a table of forecasts is of: model, series, cutoff, target date, days ahead."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stockcast.judging.submitted import Kind, SubmittedForecasts
from stockcast.judging.tables import ForecastTable
from stockcast.typing import Dates, Days, Floats

_NO_DAY = np.datetime64("NaT", "D")


@dataclass(frozen=True)
class RowKeys:
    """What each row of a table is of.

    Attributes:
        models, series: names, and which of them each row is of, shape (rows,).
        cutoffs, targets, steps: as of SubmittedForecasts.
    """

    models: tuple[list[str], Days]
    series: tuple[list[str], Days]
    cutoffs: Dates
    targets: Dates
    steps: Days

    @classmethod
    def of(cls, table: ForecastTable, model: str) -> "RowKeys":
        """Read them; `model` names those of a table that names none. DataError if a cell is no date or number."""
        ids, rows = table.ids, len(table.frame)
        if ids.cutoff is not None:
            cutoffs = table.dates(ids.cutoff)
        else:
            cutoffs = np.full(rows, _NO_DAY) if ids.start is None else table.dates(ids.start) - np.timedelta64(1, "D")
        targets = table.dates(str(ids.target))
        steps = np.zeros(rows, np.intp) if ids.step is None else _whole(table, ids.step)
        return cls(_names(table, ids.model, model), _names(table, ids.series, ""), cutoffs, targets, steps)

    def numbers(self, chosen: Days) -> Days:
        """Return a number for each of the chosen rows that tells model, series, cutoff and target."""
        number = self.models[1][chosen] * len(self.series[0]) + self.series[1][chosen]
        for days in (self.cutoffs[chosen], self.targets[chosen]):
            values, codes = np.unique(days, return_inverse=True)
            number = number * len(values) + codes
        if np.isnat(self.cutoffs[chosen]).any():  # of rows that a step alone tells apart
            number = number * (int(self.steps.max()) + 1) + self.steps[chosen]
        return np.asarray(number)

    def split(
        self, table: ForecastTable, rows: Days, levels: Floats, quantiles: Floats, *, model: str = "", kind: Kind
    ) -> Iterator[SubmittedForecasts]:
        """Yield the forecasts of each model and series; `quantiles` are those of `rows`, shape (rows, levels)."""
        pair = self.models[1][rows] * len(self.series[0]) + self.series[1][rows]
        for number in np.unique(pair):
            own = pair == number
            chosen = rows[own]
            yield SubmittedForecasts(
                model=model or self.models[0][number // len(self.series[0])],
                series=self.series[0][number % len(self.series[0])],
                source=table.source,
                cutoffs=self.cutoffs[chosen],
                targets=self.targets[chosen],
                steps=self.steps[chosen],
                levels=levels,
                quantiles=quantiles[own],
                kind=kind,
                starts=table.ids.cutoff is None and table.ids.start is not None,
            )


def codes_of(texts: pd.Categorical | None) -> tuple[list[str], Days]:
    """Return the names of a column of text, and which of them each row has."""
    if texts is None:
        return [], np.zeros(0, np.intp)
    return list(map(str, texts.categories)), np.asarray(texts.codes, dtype=np.intp)


def _names(table: ForecastTable, column: str | None, absent: str) -> tuple[list[str], Days]:
    """Return the names in a column, and which of them each row has; of no column the one name `absent`."""
    if column is None:
        return [absent], np.zeros(len(table.frame), np.intp)
    names, codes = codes_of(table.texts(column))
    if (codes < 0).any() or "" in names:
        empty = codes < 0 if (codes < 0).any() else codes == names.index("")
        raise table.error("no name", row=int(np.argmax(empty)), column=column)
    return names, codes


def _whole(table: ForecastTable, column: str) -> Days:
    """Return a column of whole numbers."""
    values = table.numbers(column)
    wrong = ~(np.isfinite(values) & (values == np.round(values)) & (np.abs(values) < 1e6))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise table.error(f"{column} is no whole number", row=row, column=column)
    return np.asarray(values, dtype=np.intp)
