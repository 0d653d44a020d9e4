"""A day's prices forecast together: made to fit each other, and fed back as the next day's inputs."""

from dataclasses import dataclass

import numpy as np

from stockcast.data.scaling import Scaler
from stockcast.data.targets import Target
from stockcast.forecast import Floats


def as_bars(prices: Floats, columns: tuple[str, ...]) -> Floats:
    """Return prices with Low <= Open, Close <= High: where forecasts cross, the range gives way.

    High becomes the highest and Low the lowest of the day's Open, High, Low and Close, as far as they are there; every
    other column stays as it is. A projection rather than a network that cannot cross: each column keeps a scale and an
    error of its own, what a network says of the Close is the same with and without it, and it holds for any output.

    Args:
        prices: in price units, shape (..., columns).
        columns: their names.

    Returns:
        The same shape, a copy.
    """
    bars = prices.copy()
    day = [number for number, name in enumerate(columns) if name in ("Open", "High", "Low", "Close")]
    for name, extreme in (("High", np.max), ("Low", np.min)):
        if name in columns:
            bars[..., columns.index(name)] = extreme(prices[..., day], axis=-1)
    return bars


@dataclass(frozen=True)
class Feedback:
    """How a forecast day becomes the next day's inputs: each input from the forecast of its own column.

    The prices are made to fit each other first, so a network looks back on days that could have been.

    Attributes:
        target: what the answers are; of transform `price`.
        inputs: scaler of the inputs.
        sources: name of the column that each input is fed from, shape (features,).
    """

    target: Target
    inputs: Scaler
    sources: tuple[str, ...]

    def __call__(self, answers: Floats) -> Floats:
        """Turn one-day answers, shape (origins, columns), into inputs, shape (origins, features); both unitless."""
        columns = self.target.columns
        prices = as_bars(self.target.scaler.inverse(answers), columns)
        return self.inputs.transform(prices[:, [columns.index(name) for name in self.sources]])
