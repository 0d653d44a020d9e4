"""A large batch as two halves side by side, so that a network that is trained alone keeps two cores busy.

Days of a window follow one another, so one recurrent network hardly uses a second core. Two halves of a batch know
nothing of each other until the loss, and a backend that runs independent operations side by side gives each a core.
"""

from typing import Any

from stockcast.models.backend import has_gpu, load_keras

WORTHWHILE = 256
"""Windows of a batch, at the least: half of it still keeps a core busy with products of one day."""


def pays(batch_size: int) -> bool:
    """Whether halves are faster: on TensorFlow's processor path; other backends divide a batch by themselves."""
    return batch_size >= WORTHWHILE and load_keras().backend.backend() == "tensorflow" and not has_gpu()


def in_halves(network: Any) -> Any:
    """Return the network that answers a batch half by half; layers, weights and answers are those of `network`.

    Losses and gradients are the same but for rounding, and for the dropout, which each half draws for itself.

    Args:
        network: a keras.Model, (batch, window, features) -> outputs.
    """
    keras: Any = load_keras()

    class Half(keras.layers.Layer):  # type: ignore[misc]
        def __init__(self, *, first: bool) -> None:
            super().__init__()
            self._first = first

        def call(self, windows: Any) -> Any:
            middle = (keras.ops.shape(windows)[0] + 1) // 2
            return windows[:middle] if self._first else windows[middle:]

        def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
            return (None, *shape[1:])

    windows = keras.Input(network.input_shape[1:], name="windows")
    answers = [network(Half(first=first)(windows)) for first in (True, False)]
    return keras.Model(windows, keras.layers.Concatenate(axis=0, name="halves")(answers))
