"""Gradients on any backend; Keras has no function for them, so this module calls the backends."""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from stockcast.errors import StockcastError
from stockcast.models.backend import load_keras
from stockcast.models.explain.activations import hidden_layers, hidden_states, to_tensor
from stockcast.typing import Floats

Tensor = Any

MAX_ACTIVATIONS = 100_000_000
"""Activations that are kept for one gradient: 400 MB."""


def gradient(function: Callable[[Tensor], Tensor], at: Floats) -> Floats:
    """Return the gradient of the sum of a function's outputs.

    Args:
        function: of `keras.ops`, a tensor of the shape of `at` to a tensor of any shape.
        at: the point, any shape.

    Returns:
        float32, the shape of `at`; 0 where the outputs do not depend on an input.

    Raises:
        StockcastError: the backend computes no gradients.
    """
    keras = load_keras()
    backend = keras.backend.backend()

    def total(tensor: Tensor) -> Tensor:
        # The zero makes the sum depend on every input: backends differ in the gradient of one that it does not.
        return keras.ops.sum(function(tensor)) + 0.0 * keras.ops.sum(tensor)

    point = keras.ops.convert_to_tensor(np.asarray(at, dtype=np.float32))
    if backend == "tensorflow":
        tensorflow = importlib.import_module("tensorflow")
        with tensorflow.GradientTape() as tape:
            tape.watch(point)
            value = total(point)
        slope = tape.gradient(value, point)
    elif backend == "jax":
        slope = importlib.import_module("jax").grad(total)(point)
    elif backend == "torch":
        point = point.detach().clone().requires_grad_(True)
        total(point).backward(inputs=[point])  # not of the weights
        slope = point.grad
    else:
        raise StockcastError(
            f"KERAS_BACKEND={backend} computes no gradients. Set it to tensorflow (the default), jax or torch.",
            key="KERAS_BACKEND",
            value=backend,
        )
    return np.asarray(keras.ops.convert_to_numpy(slope), dtype=np.float32)


def gradient_through_time(
    network: Any, inputs: Floats, targets: Floats, *, cell: str, loss: Callable[[Tensor, Tensor], Tensor]
) -> Floats | None:
    """Return the norm of the loss's gradient at each day's hidden state of the last recurrent layer.

    The loss depends on the last day's state only, so the gradient at an earlier day has passed through the recurrence,
    where it can vanish or explode (Bengio, Simard & Frasconi 1994).

    Args:
        network: a keras.Model of `build_network`, no average of several.
        inputs: shape (windows, window, features).
        targets: shape (windows, horizon), or (windows, horizon, columns) for several columns.
        cell: of the network.
        loss: of the head, (targets, outputs) -> shape (windows,).

    Returns:
        The norm over the units, oldest day first, shape (windows, window); None if the last hidden layer has no
        recurrence.
    """
    keras = load_keras()
    layers = hidden_layers(network, cell)
    if not layers or not hasattr(layers[-1], "cell"):
        return None
    layer = layers[-1]
    before = keras.Model(network.input, layer.input)
    after = keras.Model([network.input, layer.output], network.output)
    rows = max(1, MAX_ACTIVATIONS // (12 * inputs.shape[1] * layer.cell.units))
    norms = []
    for row in range(0, len(inputs), rows):
        window, target = to_tensor(inputs[row : row + rows]), to_tensor(targets[row : row + rows])
        known = before(window, training=False)

        def loss_at(offsets: Tensor, window: Tensor = window, target: Tensor = target, known: Tensor = known) -> Tensor:
            last = hidden_states(layer, known, offsets)[:, -1]
            return loss(target, after([window, last], training=False))

        zero = np.zeros((*window.shape[:2], layer.cell.units))
        norms.append(np.linalg.norm(gradient(loss_at, zero), axis=2))
    return np.concatenate(norms)
