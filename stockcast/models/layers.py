"""The layers that a config can stack: one function and one entry of `CELLS` for each cell."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Tensor = Any


@dataclass(frozen=True)
class LayerPosition:
    """The position of a layer in its stack.

    Attributes:
        number: of the layer, from 1.
        layers: number of layers in the stack.
        window: days that the first layer sees, up to each that has an output.
        name: of the layer.
        every_day: whether the last layer has an output on every day, for training on sequences, not on the last alone.
    """

    number: int
    layers: int
    window: int
    name: str
    every_day: bool = False

    @property
    def keeps_days(self) -> bool:
        """Whether the layer returns every day, not the last one only."""
        return self.number < self.layers or self.every_day

    @property
    def kernel_size(self) -> int:
        """Days that a convolution sees, the same in all layers: the fewest with which the last one sees the window."""
        return next(days for days in range(1, self.window + 1) if days**self.layers >= self.window)

    @property
    def dilation(self) -> int:
        """Days between those that a convolution sees: as many as each of them covers, so that none is missed."""
        return int(self.kernel_size ** (self.number - 1))


Stack = Callable[[Tensor, int, LayerPosition], Tensor]
"""(outputs of the layer before, units, position) -> outputs of the layer."""


def _recurrent(kind: str) -> Stack:
    """A recurrent layer of Keras, by the name of its class."""

    def stack(hidden: Tensor, units: int, position: LayerPosition) -> Tensor:
        import keras

        # With tanh and sigmoid and without recurrent dropout Keras uses the cuDNN kernel on a GPU.
        layer = getattr(keras.layers, kind)
        return layer(units, return_sequences=position.keeps_days, name=position.name)(hidden)

    return stack


def _peephole_lstm(hidden: Tensor, units: int, position: LayerPosition) -> Tensor:
    import keras

    from stockcast.models.peephole import PeepholeCell

    return keras.layers.RNN(PeepholeCell(units), return_sequences=position.keeps_days, name=position.name)(hidden)


def _bidirectional_lstm(hidden: Tensor, units: int, position: LayerPosition) -> Tensor:
    import keras

    both = keras.layers.LSTM(units, return_sequences=position.keeps_days)
    return keras.layers.Bidirectional(both, name=position.name)(hidden)


def _conv(hidden: Tensor, units: int, position: LayerPosition) -> Tensor:
    """Causal convolutions: no day sees a later one."""
    import keras

    days = keras.layers.Conv1D(
        units,
        position.kernel_size,
        dilation_rate=position.dilation,
        padding="causal",
        activation="relu",
        name=position.name,
    )(hidden)
    return days if position.keeps_days else days[:, -1]


def _last_day(hidden: Tensor, units: int, position: LayerPosition) -> Tensor:
    """A dense layer on a day's own inputs alone."""
    import keras

    today = hidden[:, -1] if position.number == 1 and not position.every_day else hidden
    return keras.layers.Dense(units, activation="tanh", name=position.name)(today)


@dataclass(frozen=True)
class Cell:
    """One kind of layer.

    Attributes:
        stack: builds a layer, (batch, days, inputs) -> (batch, days, width x units), the last one -> (batch, width x
            units); `last_day` has no days. None for no layers at all: the output layer then sees the whole window.
        weights: (inputs, units, position) -> number of trained weights.
        width: outputs of each unit.
        is_causal: whether no day's output depends on a later day, so that every day of a sequence can have one.
    """

    stack: Stack | None
    weights: Callable[[int, int, LayerPosition], int]
    width: int = 1
    is_causal: bool = True


CELLS: dict[str, Cell] = {
    "simple_rnn": Cell(_recurrent("SimpleRNN"), lambda inputs, units, position: units * (inputs + units + 1)),
    "gru": Cell(_recurrent("GRU"), lambda inputs, units, position: 3 * units * (inputs + units + 2)),
    "lstm": Cell(_recurrent("LSTM"), lambda inputs, units, position: 4 * units * (inputs + units + 1)),
    "peephole_lstm": Cell(_peephole_lstm, lambda inputs, units, position: 4 * units * (inputs + units + 1) + 3 * units),
    "bidirectional_lstm": Cell(
        _bidirectional_lstm, lambda inputs, units, position: 8 * units * (inputs + units + 1), 2, is_causal=False
    ),
    "conv": Cell(_conv, lambda inputs, units, position: units * (inputs * position.kernel_size + 1)),
    "last_day": Cell(_last_day, lambda inputs, units, position: units * (inputs + 1)),
    "linear": Cell(None, lambda inputs, units, position: 0, is_causal=False),
}
"""Name in the config -> its layers."""


def layer_positions(
    cell: str, layers: tuple[int, ...], *, window: int, every_day: bool = False
) -> list[tuple[int, LayerPosition]]:
    """Return the units and the position of each layer."""
    return [
        (units, LayerPosition(number, len(layers), window, f"{cell}_{number}", every_day))
        for number, units in enumerate(layers, start=1)
    ]


def stack_layers(
    inputs: Tensor, cell: str, layers: tuple[int, ...], *, window: int, dropout: float, every_day: bool = False
) -> Tensor:
    """Stack the layers of a cell on the windows, with dropout after each.

    Args:
        inputs: shape (batch, window, features), or (batch, days, features) with `every_day`.
        cell: a key of `CELLS`.
        layers: units of each layer, first to last; empty for a cell without layers.
        window: days in.
        dropout: share of activations dropped while training, 0 to 1.
        every_day: whether each day has an output; the cell must be causal.

    Returns:
        The last layer's output of the last day, or the whole window without layers, shape (batch, numbers); with
        `every_day` its output of every day, shape (batch, days, numbers).
    """
    import keras

    stack = CELLS[cell].stack
    if stack is None:
        return keras.layers.Flatten(name=cell)(inputs)
    hidden = inputs
    for units, position in layer_positions(cell, layers, window=window, every_day=every_day):
        hidden = keras.layers.Dropout(dropout, name=f"dropout_{position.number}")(stack(hidden, units, position))
    return hidden


def count_layer_weights(cell: str, layers: tuple[int, ...], *, window: int, features: int) -> tuple[int, int]:
    """Return the number of weights that a stack trains, and its number of outputs, without building it."""
    if CELLS[cell].stack is None:
        return 0, window * features
    weights, inputs = 0, features
    for units, position in layer_positions(cell, layers, window=window):
        weights += CELLS[cell].weights(inputs, units, position)
        inputs = CELLS[cell].width * units
    return weights, inputs
