"""An LSTM cell with peepholes. Imports Keras, so import it inside the function that needs it."""

from typing import Any

import keras
from keras import ops

Tensor = Any


@keras.saving.register_keras_serializable(package="stockcast")
class PeepholeCell(keras.layers.Layer):  # type: ignore[misc]
    """One day of an LSTM with peepholes (Gers & Schmidhuber 2000, "Recurrent nets that time and count").

    With x the day's inputs, h and c the hidden state and the memory of the day before (s is the logistic function, *
    the product per unit):

        i  = s(x W_i + h U_i + p_i * c  + b_i)         input gate
        f  = s(x W_f + h U_f + p_f * c  + b_f)         forget gate
        c' = f * c + i * tanh(x W_c + h U_c + b_c)     the new memory
        o  = s(x W_o + h U_o + p_o * c' + b_o)         output gate, which sees the new memory
        h' = o * tanh(c')

    The activations are those of Keras' LSTM (Greff et al. 2017, "LSTM: A search space odyssey") rather than the
    paper's, so that peepholes are the only difference; they start at zero.

    Attributes:
        units: size of h and c.
    """

    def __init__(self, units: int, **settings: Any) -> None:
        super().__init__(**settings)
        self.units = units
        self.state_size = [units, units]
        self.output_size = units

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Add the weights: gates in the order input, forget, candidate, output; peepholes input, forget, output."""
        self.kernel = self.add_weight(
            name="kernel", shape=(input_shape[-1], 4 * self.units), initializer="glorot_uniform"
        )
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel", shape=(self.units, 4 * self.units), initializer="orthogonal"
        )
        self.bias = self.add_weight(name="bias", shape=(4 * self.units,), initializer=_forget_gate_open)
        self.peepholes = self.add_weight(name="peepholes", shape=(3, self.units), initializer="zeros")

    def call(self, inputs: Tensor, states: list[Tensor], training: bool = False) -> tuple[Tensor, list[Tensor]]:
        """Return the hidden state of shape (batch, units), and hidden state and memory for the next day."""
        hidden, memory = states
        gates = ops.matmul(inputs, self.kernel) + ops.matmul(hidden, self.recurrent_kernel) + self.bias
        write, keep, candidate, read = ops.split(gates, 4, axis=-1)
        into_write, into_keep, into_read = (self.peepholes[row] for row in range(3))
        write = ops.sigmoid(write + into_write * memory)
        keep = ops.sigmoid(keep + into_keep * memory)
        memory = keep * memory + write * ops.tanh(candidate)
        hidden = ops.sigmoid(read + into_read * memory) * ops.tanh(memory)
        return hidden, [hidden, memory]

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "units": self.units}


def _forget_gate_open(shape: tuple[int, ...], dtype: Any = None) -> Tensor:
    """A bias of one for the forget gate, so that an untrained cell keeps its memory; zero for the others."""
    units = shape[0] // 4
    return ops.concatenate([ops.zeros(units, dtype), ops.ones(units, dtype), ops.zeros(2 * units, dtype)])
