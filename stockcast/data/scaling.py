"""Scale features by what the training days alone show; kept as JSON, never as a pickle."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from stockcast.errors import DataError, RunError
from stockcast.forecast import Floats

Kind = Literal["standard", "minmax", "robust", "none"]


@dataclass(frozen=True)
class Scaler:
    """A linear scale for each column: (value - center) / scale.

    Attributes:
        center: in the column's own unit, shape (columns,).
        scale: in the column's own unit, above zero, shape (columns,).
        fill: what a missing value is taken for, the column's training mean in its own unit, shape (columns,).
    """

    center: Floats
    scale: Floats
    fill: Floats

    def transform(self, values: Floats) -> Floats:
        """Scale values of shape (days, columns); the result is unitless, without NaN, of the same shape."""
        known = np.where(np.isnan(values), self.fill, values)
        scaled: Floats = (known - self.center) / self.scale
        return scaled

    def inverse(self, scaled: Floats) -> Floats:
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
        """Return the scaler that `to_json` stored.

        Raises:
            RunError: it is not what `to_json` writes.
        """
        try:
            arrays = [np.array(stored[name], dtype=np.float64) for name in ("center", "scale", "fill")]
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise RunError(f"scaler.json is damaged ({error}). Train again.") from error
        if len({array.shape for array in arrays}) != 1 or arrays[0].ndim != 1 or not np.isfinite(arrays).all():
            raise RunError("scaler.json is damaged: center, scale and fill must be finite lists of one length.")
        if (arrays[1] <= 0).any():
            raise RunError("scaler.json is damaged: every scale must be above zero.")
        return cls(*arrays)


def fit_scaler(training: Floats, *, kind: Kind, names: tuple[str, ...] = ()) -> Scaler:
    """Fit a scaler of scikit-learn on the training days.

    Args:
        training: shape (training days, columns), training days only: a later maximum is the future; NaN is left out.
        names: of the columns, for errors.
        kind: `standard` (mean, deviation), `minmax` (minimum, range), `robust` (median, quartile range) or `none`.

    Returns:
        The scaler. A column that never changes has scale 1.

    Raises:
        DataError: a column has no value at all on the training days.
    """
    from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

    empty = np.isnan(training).all(axis=0)
    if empty.any():
        column = int(np.argmax(empty))
        name = names[column] if names else f"number {column + 1}"
        raise DataError(f"Input {name} has no value on any training day. Leave it out of `features`.")
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
    return Scaler(center=center, scale=scale, fill=fill)
