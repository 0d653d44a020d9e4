"""One number a day, or one for each of several prices: where they will be, and nothing about how sure that is."""

import numpy as np

from stockcast.forecast import Floats
from stockcast.models.heads.head import Head, Loss, Tensor

HUBER_DELTA = 1.0
"""Errors beyond one unit of the answers (a deviation, by the standard scaler) count by their size, not its square."""


def mean_squared_error(answers: Tensor, outputs: Tensor) -> Tensor:
    """Mean over the horizon of the squared error, in squared scaled units, shape (batch,)."""
    from keras import ops

    return ops.mean(ops.square(answers - outputs[..., 0]), axis=-1)


def mean_absolute_error(answers: Tensor, outputs: Tensor) -> Tensor:
    """Mean over the horizon of the error's size, in scaled units, shape (batch,); its best answer is the median."""
    from keras import ops

    return ops.mean(ops.abs(answers - outputs[..., 0]), axis=-1)


def huber(answers: Tensor, outputs: Tensor) -> Tensor:
    """Mean over the horizon of half the squared error up to `HUBER_DELTA`, growing in a line beyond (Huber 1964)."""
    from keras import ops

    miss = ops.abs(answers - outputs[..., 0])
    near = ops.minimum(miss, HUBER_DELTA)
    return ops.mean(near * (miss - 0.5 * near), axis=-1)


def mean_squared_logarithmic_error(answers: Tensor, outputs: Tensor) -> Tensor:
    """Mean over the horizon of (log(1 + answer) - log(1 + output))**2, unitless, shape (batch,).

    Below zero, where prices do not go and a network still can, the logarithm goes on as its tangent there, so that
    such a network is told the way back; cut off at zero, the loss would have no slope.
    """
    from keras import ops

    def logarithm(x: Tensor) -> Tensor:
        return ops.where(x > 0, ops.log1p(ops.maximum(x, 0)), x)

    return ops.mean(ops.square(logarithm(answers) - logarithm(outputs[..., 0])), axis=-1)


LOSSES: dict[str, Loss] = {
    "mse": mean_squared_error,
    "mae": mean_absolute_error,
    "huber": huber,
    "msle": mean_squared_logarithmic_error,
}


def _quantiles(outputs: Floats, levels: Floats) -> Floats:
    """One number for every level: a point forecast claims to know the price exactly."""
    return np.repeat(outputs[..., :1], len(levels), axis=-1)


def point_head(loss: str, *, columns: int = 1) -> Head:
    """Return the head that is trained with one of `LOSSES` to answer one number for each of so many columns."""
    of_one = LOSSES[loss]

    def of_all(answers: Tensor, outputs: Tensor) -> Tensor:
        """The loss of answers of shape (batch, horizon, columns): every column is so many more days to it."""
        from keras import ops

        numbers = outputs.shape[1] * columns
        return of_one(ops.reshape(answers, (-1, numbers)), ops.reshape(outputs, (-1, numbers, 1)))

    return Head("point", columns, of_one if columns == 1 else of_all, _quantiles, has_bands=False)
