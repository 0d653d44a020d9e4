"""A day's prices forecast together: made to fit each other, and fed back as the next day's inputs."""

from dataclasses import dataclass

import numpy as np

from stockcast.data.scaler import Scaler
from stockcast.data.target import TargetTransform
from stockcast.typing import Floats


def as_bars(prices: Floats, columns: tuple[str, ...]) -> Floats:
    """Return prices with Low <= Open, Close <= High, shape (..., columns), a copy.

    Where forecasts cross, High becomes the highest and Low the lowest of the day's Open, High, Low and Close, as far as
    they are there; every other column stays as it is. This is a projection rather than a network that cannot cross:
    each column keeps a scale and an error of its own, the forecast of the Close is the same with and without it, and it
    holds for any output.
    """
    bars = prices.copy()
    day = [number for number, name in enumerate(columns) if name in ("Open", "High", "Low", "Close")]
    for name, extreme in (("High", np.max), ("Low", np.min)):
        if name in columns:
            bars[..., columns.index(name)] = extreme(prices[..., day], axis=-1)
    return bars


@dataclass(frozen=True)
class RecursiveInput:
    """How a forecast day becomes the next day's inputs: each input from the forecast of its own column.

    The prices are made to fit each other first, so a network looks back on days that could have been.

    Attributes:
        target: unit of the outputs; of transform `price`.
        inputs: scaler of the inputs.
        sources: name of the column that each input is fed from, shape (features,).
    """

    target: TargetTransform
    inputs: Scaler
    sources: tuple[str, ...]

    def __call__(self, outputs: Floats) -> Floats:
        """Turn one-day outputs, shape (origins, columns), into inputs, shape (origins, features); both unitless."""
        columns = self.target.columns
        prices = as_bars(self.target.scaler.inverse_transform(outputs), columns)
        return self.inputs.transform(prices[:, [columns.index(name) for name in self.sources]])
