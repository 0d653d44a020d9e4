"""One number per day ahead, or one for each of several prices, without a measure of its uncertainty."""

import numpy as np

from stockcast.models.heads.head import Head, Loss, Tensor
from stockcast.typing import Floats

HUBER_DELTA = 1.0
"""Errors beyond one unit of the targets (a deviation, with the standard scaler) count linearly."""


def mean_squared_error(targets: Tensor, outputs: Tensor) -> Tensor:
    """Mean over the horizon, in squared scaled units, shape (batch,)."""
    from keras import losses

    return losses.mean_squared_error(targets, outputs[..., 0])


def mean_absolute_error(targets: Tensor, outputs: Tensor) -> Tensor:
    """Mean over the horizon, in scaled units, shape (batch,); minimised by the median."""
    from keras import losses

    return losses.mean_absolute_error(targets, outputs[..., 0])


def huber(targets: Tensor, outputs: Tensor) -> Tensor:
    """Mean over the horizon: half the squared error up to `HUBER_DELTA`, linear beyond (Huber 1964), shape (batch,)."""
    from keras import losses

    return losses.huber(targets, outputs[..., 0], delta=HUBER_DELTA)


def mean_squared_logarithmic_error(targets: Tensor, outputs: Tensor) -> Tensor:
    """Mean over the horizon of (log(1 + target) - log(1 + output))**2, unitless, shape (batch,).

    Below zero the logarithm continues as its tangent. `keras.losses` cuts off at zero, where a network that is below
    has no gradient to come back by.
    """
    from keras import ops

    def logarithm(x: Tensor) -> Tensor:
        return ops.where(x > 0, ops.log1p(ops.maximum(x, 0)), x)

    return ops.mean(ops.square(logarithm(targets) - logarithm(outputs[..., 0])), axis=-1)


LOSSES: dict[str, Loss] = {
    "mse": mean_squared_error,
    "mae": mean_absolute_error,
    "huber": huber,
    "msle": mean_squared_logarithmic_error,
}


def _quantiles(outputs: Floats, levels: Floats) -> Floats:
    return np.repeat(outputs[..., :1], len(levels), axis=-1)  # the same number at every level


def point_head(loss: str, *, columns: int = 1) -> Head:
    """Return the head that forecasts one number for each column and is trained with one of `LOSSES`."""
    of_one = LOSSES[loss]

    def of_all(targets: Tensor, outputs: Tensor) -> Tensor:
        """The loss of targets of shape (..., horizon, columns): each column counts as further days."""
        from keras import ops

        shape = (-1, *outputs.shape[1:-2], outputs.shape[-2] * columns)
        return of_one(ops.reshape(targets, shape), ops.reshape(outputs, (*shape, 1)))

    return Head("point", columns, of_one if columns == 1 else of_all, _quantiles, has_bands=False)
