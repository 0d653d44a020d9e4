"""Columns of one's own as inputs: joined by date, gaps carried for some days, and transformed.

A value is taken as known at the end of the day that it is dated; what is published later must be dated so.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from stockcast.data.csv.options import OwnColumn, Transform
from stockcast.data.csv.own_header import OWN
from stockcast.data.csv.problems import Problem
from stockcast.data.volatility import log_series
from stockcast.errors import DataError
from stockcast.text import plural
from stockcast.typing import Days, Floats

_YEAR = 250  # days
_FEWEST = 20  # days whose mean and deviation a value is compared with
_MOST_DEVIATIONS = 6
_LATE = pd.Timedelta(7, "D")  # a value of a day without a row counts for the next row, if that is no later


def _zscore(values: pd.Series) -> pd.Series:
    """Deviations above the mean of the last 250 days, today's among them; 0 where all of them are the same."""
    year = values.rolling(_YEAR, min_periods=_FEWEST)
    never_changed = year.max() == year.min()  # whose deviation is not zero after rounding
    deviations = (values - year.mean()) / year.std().where(~never_changed)
    return deviations.mask(never_changed & values.notna(), 0.0).clip(-_MOST_DEVIATIONS, _MOST_DEVIATIONS)


TRANSFORMS: dict[Transform, Callable[[pd.Series], pd.Series]] = {
    "level": lambda values: values,
    "change": lambda values: values.diff(),
    "log_change": lambda values: log_series(values).diff(),
    "zscore_250": _zscore,
}
"""Name -> values of all days to the input of all days; row t uses rows up to t only."""


def is_own(feature: str) -> bool:
    """Whether a feature is a column of one's own."""
    return feature.startswith(OWN)


@dataclass(frozen=True)
class Gap:
    """Days on which a column has no value, not even a carried one.

    Attributes:
        feature: the input, such as own:VIX.
        days: how many.
        at_the_end: they are the last ones.
        sentence: with all of these, without a full stop.
    """

    feature: str
    days: int
    at_the_end: bool
    sentence: str


@dataclass(frozen=True)
class OwnColumns:
    """The own columns of one series.

    Attributes:
        columns: that are inputs, whether or not a file has them.
        values: of those that a file has, by name, float64, indexed by the days of the bars; NaN where a day has none.
        others: names of the files' columns that are no bars, for messages.
        covariates: the file that some were joined from; None for none.
        sha256: of that file's bytes; None for none.
    """

    columns: tuple[OwnColumn, ...]
    values: pd.DataFrame
    others: tuple[str, ...] = ()
    covariates: Path | None = None
    sha256: str | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of columns that no file has."""
        return tuple(column.name for column in self.columns if column.name not in self.values)

    def carried(self, name: str) -> pd.Series:
        """Return a column with its gaps filled by the value before them, for so many rows as it may be carried."""
        if name not in self.values:
            return pd.Series(np.nan, index=self.values.index)
        values, days = self.values[name], self._column(name).carry
        return values.ffill(limit=days) if days else values

    def feature(self, name: str) -> Floats:
        """Return a column as an input, shape (days,), NaN where a day lacks what the transform needs."""
        transform = TRANSFORMS[self._column(name).transform]
        values: Floats = transform(self.carried(name)).to_numpy(dtype=np.float64)
        return values

    def with_rows(self, rows: slice | Days) -> "OwnColumns":
        """Return the same columns with these rows alone."""
        return replace(self, values=self.values.iloc[rows])

    def on(self, days: pd.DatetimeIndex) -> "OwnColumns":
        """Return the same columns on other days, such as the last of each week, see `join_by_date`."""
        return replace(self, values=join_by_date(self.values, days))

    def dated(self, days: pd.DatetimeIndex) -> "OwnColumns":
        """Return the same rows with other dates."""
        return replace(self, values=self.values.set_axis(days))

    def joined(self, other: "OwnColumns") -> "OwnColumns":
        """Return these columns and those of a file of covariates; DataError if both have one."""
        for name in other.values:
            if name in self.values:
                raise DataError(
                    f"{other.covariates}: {name} is a column of this file and of the price file, and {OWN}{name} names "
                    f"one. Remove it from one of them.",
                    file=other.covariates,
                    column=str(name),
                    key="data.covariates",
                )
        values = pd.concat([self.values, other.values], axis=1)
        others = (*self.others, *other.others)
        return replace(self, values=values, others=others, covariates=other.covariates, sha256=other.sha256)

    def gaps(self, days: slice) -> Iterator[Gap]:
        """Yield where a column that a file has lacks values on some of these days, as values are carried."""
        for column in self.columns:
            if column.name in self.values:
                yield from find_gaps(f"{OWN}{column.name}", self.carried(column.name).iloc[days])

    def _column(self, name: str) -> OwnColumn:
        return next(column for column in self.columns if column.name == name)


def find_gaps(feature: str, values: pd.Series) -> Iterator[Gap]:
    """Yield where a feature, indexed by day, has no value: on the last days, and on others."""
    dates, known = values.index, values.notna().to_numpy()
    if not len(dates):
        return
    ended = len(known) - (int(np.flatnonzero(known)[-1]) + 1 if known.any() else 0)
    if ended == len(known):
        words = f"from {dates[0]:%Y-%m-%d} to {dates[-1]:%Y-%m-%d}"
        yield Gap(feature, ended, True, f"{feature} has no value {words}")
    elif ended:
        words = f"since {dates[-ended]:%Y-%m-%d} ({plural(ended, 'day')})"
        yield Gap(feature, ended, True, f"{feature} has no value {words}")
    if ended < len(known) and (within := int((~known).sum()) - ended):
        words = f"on {within} of {plural(len(known), 'day')}, the first {dates[int(np.argmin(known))]:%Y-%m-%d}"
        yield Gap(feature, within, False, f"{feature} has no value {words}")


def check_varies(features: Floats, names: Sequence[str]) -> None:
    """Check that each own column, and what is known of the next session, changes on the training days.

    A network is trained on nothing by a constant, and its first other value would be far outside its range.

    Args:
        features: of the training days, shape (days, features), NaN where a day lacks one.
        names: of the features.

    Raises:
        DataError: one of them has a single value.
    """
    for name, values in zip(names, features.T, strict=True):
        known = values[~np.isnan(values)]
        if ":" in name and len(known) and known.min() == known.max():
            advice = ", or choose another transform in `covariates`" if is_own(name) else ""
            raise DataError(
                f"Input {name} never changes on the training days: it is {known[0]:g} on each. Remove it from "
                f"`features`{advice}.",
                column=name,
                key="features",
                value=float(known[0]),
            )


def join_by_date(values: pd.DataFrame, days: pd.DatetimeIndex) -> pd.DataFrame:
    """Return the values of these days, which are sorted.

    A value of a day without a row counts for the next row, up to a week later: what is known on a Saturday is known on
    Monday. Of several such values the last one counts.

    Args:
        values: indexed by date, in any order; NaN where there is none.
        days: of the bars.
    """
    joined = {}
    for name in values:
        known = values[name].dropna().sort_index(kind="stable")
        rows = days.searchsorted(known.index, side="left")
        inside = rows < len(days)
        known, rows = known[inside], rows[inside]
        soon = days[rows] - known.index <= _LATE
        known, rows = known[soon], rows[soon]
        column = np.full(len(days), np.nan)
        column[rows] = known.to_numpy()  # the last of a row's values stays
        joined[name] = column
    return pd.DataFrame(joined, index=days, columns=list(values), dtype=np.float64)


def differing_values(values: pd.DataFrame, dates: pd.Series, text: pd.Series) -> Iterator[Problem]:
    """Yield what is wrong where one day stands twice, with different values.

    Args:
        values: indexed by line.
        dates: of each line.
        text: dates as they are written.
    """
    for name in values:
        known = values[name].dropna()
        days = dates[known.index].to_numpy()
        differs = known.groupby(days).transform("nunique") > 1
        for _, day in known[differs].groupby(days[differs.to_numpy()]):
            line, other = day.index[-1], day.index[0]
            why = f"{text[line]} has another value in line {other}"
            yield Problem(line=line, column=str(name), value=day[line], why=why, advice="Remove one of them.")
