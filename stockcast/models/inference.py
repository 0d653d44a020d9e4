"""Run a trained network on any number of windows, with bounded memory; recursively for a network of one day ahead."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.errors import RunError
from stockcast.typing import Floats

Network = Callable[[Floats], Floats]
"""Windows of shape (origins, window, features) -> outputs of shape (origins, horizon, parameters), both float32."""

_KERAS_ROWS = 256


def keras_network(network: Any, *, source: Path) -> Network:
    """Return a `Network` that runs a keras.Model; slower than ONNX Runtime, and equal but for the last digit.

    Args:
        network: (batch, window, features) -> (batch, horizon, parameters).
        source: the file of its weights, for messages.
    """
    return in_batches(network.predict_on_batch, rows=_KERAS_ROWS, source=source)


def in_batches(network: Network, *, rows: int, source: Path) -> Network:
    """Return a `Network` that runs another on at most `rows` windows at once, and checks that its outputs are finite.

    Raises:
        RunError: raised by the returned network, if memory runs out or the weights are damaged.
    """

    def run(inputs: Floats) -> Floats:
        try:
            parts = [network(inputs[row : row + rows].astype(np.float32)) for row in range(0, len(inputs), rows)]
        except Exception as error:  # of ONNX Runtime and of Keras' backends; and MemoryError
            raise RunError(
                f"{source} cannot be run: {str(error)[:200]}. Train again, or free some memory.", file=source
            ) from error
        outputs: Floats = np.concatenate(parts)
        if not np.isfinite(outputs).all():
            raise RunError(f"{source} is damaged: an output of its network is no number. Train again.", file=source)
        return outputs

    return run


def predict_recursive(
    network: Network, inputs: Floats, *, steps: int, feed_back: Callable[[Floats], Floats] | None = None
) -> Floats:
    """Forecast day after day for all origins at once; each forecast is fed back as the next day's inputs.

    Args:
        network: one day ahead.
        inputs: the last known windows, shape (origins, window, features).
        steps: days ahead.
        feed_back: one-day outputs, shape (origins, outputs), to the next day's inputs, shape (origins, features); None
            where the outputs are the inputs, in their unit and order.

    Returns:
        One-day outputs, shape (origins, steps, outputs).
    """
    origins, window, features = inputs.shape
    known = np.concatenate([inputs, np.empty((origins, steps, features), dtype=inputs.dtype)], axis=1)
    outputs = []
    for step in range(steps):
        ahead = network(known[:, step : window + step])[:, 0]
        known[:, window + step] = ahead if feed_back is None else feed_back(ahead)
        outputs.append(ahead)
    return np.stack(outputs, axis=1)
