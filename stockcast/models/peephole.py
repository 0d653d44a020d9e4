"""An LSTM whose gates see its memory. Imports Keras, so it is imported by the function that needs it."""

from typing import Any

import keras
from keras import ops

Tensor = Any


@keras.saving.register_keras_serializable(package="stockcast")
class PeepholeCell(keras.layers.Layer):  # type: ignore[misc]
    """One day of an LSTM with peepholes (Gers & Schmidhuber 2000, "Recurrent nets that time and count").

    With x the day's inputs, h and c the output and the memory of the day before (s is the logistic function, * goes
    unit by unit):

        i  = s(x W_i + h U_i + p_i * c  + b_i)         how much is written
        f  = s(x W_f + h U_f + p_f * c  + b_f)         how much is kept
        c' = f * c + i * tanh(x W_c + h U_c + b_c)     the new memory
        o  = s(x W_o + h U_o + p_o * c' + b_o)         how much is said, seeing the new memory already
        h' = o * tanh(c')

    The squashing functions are those of today's LSTM (Greff et al. 2017, "LSTM: A search space odyssey") rather than
    the paper's, so that peepholes are the only difference to Keras' own cell; they begin at zero, where there is none.

    Attributes:
        units: size of h and c.
    """

    def __init__(self, units: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.units = units
        self.state_size = [units, units]
        self.output_size = units

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the weights: gates side by side, input, forget, candidate, output; peepholes input, forget, output."""
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], 4 * self.units), initializer="glorot_uniform"
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(self.units, 4 * self.units), initializer="orthogonal"
        )
        self.bias = self.add_weight(name="bias", shape=(4 * self.units,), initializer=_remember)
        self.peepholes = self.add_weight(name="peepholes", shape=(3, self.units), initializer="zeros")

    def call(self, inputs: Tensor, states: list[Tensor], training: bool = False) -> tuple[Tensor, list[Tensor]]:
        """Return the output of shape (batch, units), and output and memory for the next day."""
        said, memory = states
        gates = ops.matmul(inputs, self.kernel) + ops.matmul(said, self.recurrent_kernel) + self.bias
        write, keep, candidate, say = ops.split(gates, 4, axis=-1)
        into_write, into_keep, into_say = (self.peepholes[row] for row in range(3))
        write = ops.sigmoid(write + into_write * memory)
        keep = ops.sigmoid(keep + into_keep * memory)
        memory = keep * memory + write * ops.tanh(candidate)
        said = ops.sigmoid(say + into_say * memory) * ops.tanh(memory)
        return said, [said, memory]

    def get_config(self) -> dict[str, Any]:
        """Return what makes this cell again."""
        return {**super().get_config(), "units": self.units}


def _remember(shape: tuple[int, ...], dtype: Any = None) -> Tensor:
    """A bias of one for the forget gate, so that a cell begins by keeping what it has; zero for the others."""
    units = shape[0] // 4
    return ops.concatenate([ops.zeros(units, dtype), ops.ones(units, dtype), ops.zeros(2 * units, dtype)])
