"""A batch computed in two parts, so that a network that is trained alone keeps two cores busy.

The days of a window depend on each other, so a recurrent network hardly uses a second core. The two parts of a batch
are independent up to the loss, and a backend that runs independent operations in parallel gives each a core.
"""

from typing import Any

from stockcast.models.backend import has_gpu, load_keras

MIN_BATCH_SIZE = 256
"""Below, a part is too small to keep a core busy with the matrix products of one day."""


def split_pays_off(batch_size: int) -> bool:
    """Whether two parts are faster: with TensorFlow on a CPU; other backends divide a batch by themselves."""
    return batch_size >= MIN_BATCH_SIZE and load_keras().backend.backend() == "tensorflow" and not has_gpu()


def split_batch(network: Any) -> Any:
    """Return a network that computes a batch in two parts, with the layers, weights and outputs of `network`.

    Losses and gradients are the same up to rounding, and up to the dropout, which each part draws for itself.

    Args:
        network: a keras.Model, (batch, window, features) -> outputs.
    """
    keras: Any = load_keras()

    class Part(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, *, first: bool) -> None:
            super().__init__()
            self._first = first

        def call(self, windows: Any) -> Any:
            middle = (keras.ops.shape(windows)[0] + 1) // 2
            return windows[:middle] if self._first else windows[middle:]

        def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
            return (None, *shape[1:])

    windows = keras.Input(network.input_shape[1:], name="windows")
    outputs = [network(Part(first=first)(windows)) for first in (True, False)]
    return keras.Model(windows, keras.layers.Concatenate(axis=0, name="parts")(outputs))
