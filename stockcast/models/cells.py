"""The layers that a config can stack, one function and one line of `CELLS` each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Tensor = Any


@dataclass(frozen=True)
class Place:
    """Where in a stack a layer stands.

    Attributes:
        number: of the layer, from 1.
        layers: how many there are.
        window: days that the first one sees.
        name: of the layer.
    """

    number: int
    layers: int
    window: int
    name: str

    @property
    def is_last(self) -> bool:
        """Whether the layer hands on its last day only."""
        return self.number == self.layers

    @property
    def reach(self) -> int:
        """Days that one convolution sees, the same in every layer: as few as let the last layer see the window."""
        return next(days for days in range(1, self.window + 1) if days**self.layers >= self.window)

    @property
    def dilation(self) -> int:
        """Days between those that a convolution sees: all that one of the layer before saw, so that none is missed."""
        return int(self.reach ** (self.number - 1))


def _simple_rnn(hidden: Tensor, units: int, place: Place) -> Tensor:
    import keras

    return keras.layers.SimpleRNN(units, return_sequences=not place.is_last, name=place.name)(hidden)


def _gru(hidden: Tensor, units: int, place: Place) -> Tensor:
    import keras

    return keras.layers.GRU(units, return_sequences=not place.is_last, name=place.name)(hidden)


def _lstm(hidden: Tensor, units: int, place: Place) -> Tensor:
    import keras

    # tanh and sigmoid, no recurrent dropout: the conditions under which Keras takes the cuDNN kernel on a GPU.
    return keras.layers.LSTM(units, return_sequences=not place.is_last, name=place.name)(hidden)


def _peephole_lstm(hidden: Tensor, units: int, place: Place) -> Tensor:
    import keras

    from stockcast.models.peephole import PeepholeCell

    return keras.layers.RNN(PeepholeCell(units), return_sequences=not place.is_last, name=place.name)(hidden)


def _bidirectional_lstm(hidden: Tensor, units: int, place: Place) -> Tensor:
    import keras

    both = keras.layers.LSTM(units, return_sequences=not place.is_last)
    return keras.layers.Bidirectional(both, name=place.name)(hidden)


def _conv(hidden: Tensor, units: int, place: Place) -> Tensor:
    """Causal convolutions: no day sees a later one."""
    import keras

    seen = keras.layers.Conv1D(
        units, place.reach, dilation_rate=place.dilation, padding="causal", activation="relu", name=place.name
    )(hidden)
    return seen[:, -1] if place.is_last else seen


def _last_day(hidden: Tensor, units: int, place: Place) -> Tensor:
    """A dense layer on the last day's inputs: what can be said without a memory of the days before."""
    import keras

    today = hidden[:, -1] if place.number == 1 else hidden
    return keras.layers.Dense(units, activation="tanh", name=place.name)(today)


@dataclass(frozen=True)
class Cell:
    """One kind of layer.

    Attributes:
        stack: (what the layer before hands on, units, place) -> what this layer hands on: from (batch, days, inputs)
            to (batch, days, width x units), the last layer to (batch, width x units); those of `last_day` hand on no
            days. None for no layers at all: the output layer then sees the whole window at once.
        weights: (inputs, units, place) -> how many numbers the layer learns.
        width: numbers that each unit hands on.
    """

    stack: Callable[[Tensor, int, Place], Tensor] | None
    weights: Callable[[int, int, Place], int]
    width: int = 1


CELLS: dict[str, Cell] = {
    "simple_rnn": Cell(_simple_rnn, lambda inputs, units, place: units * (inputs + units + 1)),
    "gru": Cell(_gru, lambda inputs, units, place: 3 * units * (inputs + units + 2)),
    "lstm": Cell(_lstm, lambda inputs, units, place: 4 * units * (inputs + units + 1)),
    "peephole_lstm": Cell(_peephole_lstm, lambda inputs, units, place: 4 * units * (inputs + units + 1) + 3 * units),
    "bidirectional_lstm": Cell(_bidirectional_lstm, lambda inputs, units, place: 8 * units * (inputs + units + 1), 2),
    "conv": Cell(_conv, lambda inputs, units, place: units * (inputs * place.reach + 1)),
    "last_day": Cell(_last_day, lambda inputs, units, place: units * (inputs + 1)),
    "linear": Cell(None, lambda inputs, units, place: 0),
}
"""Name in the config -> what is stacked."""


def places(cell: str, layers: tuple[int, ...], *, window: int) -> list[tuple[int, Place]]:
    """Return the units of each layer with its place in the stack."""
    return [
        (units, Place(number, len(layers), window, f"{cell}_{number}")) for number, units in enumerate(layers, start=1)
    ]


def stack_cells(inputs: Tensor, cell: str, layers: tuple[int, ...], *, window: int, dropout: float) -> Tensor:
    """Stack the layers of a cell on the windows, with dropout after each.

    Args:
        inputs: shape (batch, window, features).
        cell: a key of `CELLS`.
        layers: units of each layer, first to last; none for a cell without layers.
        window: days in.
        dropout: share of activations dropped while training, 0 to 1.

    Returns:
        What the last layer says of the last day, or the whole window where there are no layers, shape (batch, numbers).
    """
    import keras

    stack = CELLS[cell].stack
    if stack is None:
        return keras.layers.Flatten(name=cell)(inputs)
    hidden = inputs
    for units, place in places(cell, layers, window=window):
        hidden = keras.layers.Dropout(dropout, name=f"dropout_{place.number}")(stack(hidden, units, place))
    return hidden


def measure_cells(cell: str, layers: tuple[int, ...], *, window: int, features: int) -> tuple[int, int]:
    """Return how many numbers a stack learns, and how many it hands on to the output layer; builds nothing."""
    if CELLS[cell].stack is None:
        return 0, window * features
    learnt, inputs = 0, features
    for units, place in places(cell, layers, window=window):
        learnt += CELLS[cell].weights(inputs, units, place)
        inputs = CELLS[cell].width * units
    return learnt, inputs
