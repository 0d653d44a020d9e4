"""Scale features by the training days alone; stored as JSON, never as a pickle."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from stockcast.errors import DataError, RunError
from stockcast.typing import Floats

_COLUMNS = 4
"""Columns that are fitted together."""

Kind = Literal["standard", "minmax", "robust", "none"]


@dataclass(frozen=True)
class Scaler:
    """A linear scale for each column: (value - center) / scale.

    Attributes:
        center: in the column's own unit, shape (columns,).
        scale: in the column's own unit, above zero, shape (columns,).
        fill: what replaces a missing value, the column's training mean in its own unit, shape (columns,).
    """

    center: Floats
    scale: Floats
    fill: Floats

    def transform(self, values: Floats) -> Floats:
        """Scale values of shape (days, columns); the result is unitless, without NaN, of the same shape."""
        known = np.where(np.isnan(values), self.fill, values)
        scaled: Floats = (known - self.center) / self.scale
        return scaled

    def inverse_transform(self, scaled: Floats) -> Floats:
        """Turn scaled values of shape (..., columns) back into the columns' own units."""
        values: Floats = scaled * self.scale + self.center
        return values

    def column(self, number: int) -> "Scaler":
        """Return the scale of one column."""
        only = slice(number, number + 1)
        return Scaler(self.center[only], self.scale[only], self.fill[only])

    def to_json(self) -> dict[str, list[float]]:
        """Return plain numbers that `from_json` turns back bit for bit."""
        return {name: getattr(self, name).tolist() for name in ("center", "scale", "fill")}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "Scaler":
        """Return the scaler that `to_json` stored; RunError if it is damaged."""
        try:
            arrays = [np.array(stored[name], dtype=np.float64) for name in ("center", "scale", "fill")]
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise RunError(f"scaler.json is damaged ({error}). Train again.", file="scaler.json") from error
        same = len({array.shape for array in arrays}) == 1 and arrays[0].ndim == 1
        if not same or not np.isfinite(arrays).all() or (arrays[1] <= 0).any():
            needed = "center, scale and fill must be finite lists of one length, and every scale above zero"
            raise RunError(f"scaler.json is damaged: {needed}. Train again.", file="scaler.json")
        return cls(*arrays)


def fit_scaler(training: Floats, *, kind: Kind, names: tuple[str, ...] = ()) -> Scaler:
    """Fit a scaler of scikit-learn on the training days; a column that never changes has scale 1.

    Args:
        training: shape (training days, columns), training days only: a later maximum is the future; NaN is left out.
        kind: `standard` (mean, deviation), `minmax` (minimum, range), `robust` (median, quartile range) or `none`.
        names: of the columns, for errors.

    Raises:
        DataError: a column has no value at all on the training days.
    """
    empty = np.isnan(training).all(axis=0)
    if empty.any():
        column = int(np.argmax(empty))
        name = names[column] if names else f"number {column + 1}"
        message = f"Input {name} has no value in the training part. Remove it from `features`."
        raise DataError(message, column=name, key="features")
    # Some columns at a time: what is computed on the way is several times as large as they are. More than one, as a
    # single column would be added up in another order.
    columns = training.shape[1]
    borders = np.linspace(0, columns, max(1, columns // _COLUMNS) + 1).astype(int)
    parts = [_fit_columns(training[:, first:last], kind) for first, last in pairwise(borders)]
    return Scaler(*(np.concatenate(each) for each in zip(*parts, strict=True)))


def _fit_columns(training: Floats, kind: Kind) -> tuple[Floats, Floats, Floats]:
    """Return center, scale and fill of some columns."""
    from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

    fill = np.nanmean(training, axis=0)
    if kind == "standard":
        fitted = StandardScaler().fit(training)
        center, scale = fitted.mean_, fitted.scale_
    elif kind == "minmax":
        fitted = MinMaxScaler().fit(training)
        center, scale = fitted.data_min_, 1 / fitted.scale_
    elif kind == "robust":
        fitted = RobustScaler().fit(training)
        center, scale = fitted.center_, fitted.scale_
    else:
        center, scale = np.zeros_like(fill), np.ones_like(fill)
    return center, scale, fill
