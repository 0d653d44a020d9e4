"""Gradients on whichever backend Keras runs; Keras has no word for them, so this one room knows of backends."""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from stockcast.errors import StockcastError
from stockcast.forecast import Floats
from stockcast.models.backend import load_keras

Tensor = Any


def gradient(scalar: Callable[[Tensor], Tensor], at: Floats) -> Floats:
    """Return the derivative of the sum of what a function answers, by each number it is given.

    Args:
        scalar: of `keras.ops`, a tensor of the shape of `at` to a tensor of any shape.
        at: where, any shape.

    Returns:
        float32, the shape of `at`; 0 where the answer does not depend on a number.

    Raises:
        StockcastError: the backend computes no gradients.
    """
    keras = load_keras()
    backend = keras.backend.backend()

    def total(tensor: Tensor) -> Tensor:
        # Nothing is added so that the sum depends on every number: backends differ in what they say of one apart.
        return keras.ops.sum(scalar(tensor)) + 0.0 * keras.ops.sum(tensor)

    point = keras.ops.convert_to_tensor(np.asarray(at, dtype=np.float32))
    if backend == "tensorflow":
        tensorflow = importlib.import_module("tensorflow")
        with tensorflow.GradientTape() as tape:
            tape.watch(point)
            value = total(point)
        slope = tape.gradient(value, point)
    elif backend == "jax":
        slope = importlib.import_module("jax").grad(total)(point)
    elif backend == "torch":  # by what its tensors can do
        point = point.detach().clone().requires_grad_(True)
        total(point).backward(inputs=[point])  # leaves the weights' own gradients alone
        slope = point.grad
    else:
        raise StockcastError(
            f"KERAS_BACKEND={backend} computes no gradients. Set it to tensorflow (the default), jax or torch."
        )
    return np.asarray(keras.ops.convert_to_numpy(slope), dtype=np.float32)
