"""What a network's hidden units did while it read a window, and how far their gates were open.

A layer that lacks what is asked for (gates, a recurrence, an answer for each day) says so in a sentence instead.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stockcast.forecast import Days, Floats
from stockcast.models.backend import load_keras

Tensor = Any


@dataclass(frozen=True)
class Firing:
    """What the units of one layer did, day by day of one window.

    Attributes:
        layer: its name in the network.
        states: what each unit handed on, shape (window, units); None where `note` says why.
        order: the units so that those that fired alike stand together, shape (units,).
        gates: by name, how far each unit's gate was open, 0 to 1, shape (window, units).
        note: what is not shown, and why, a sentence; None if nothing lacks.
    """

    layer: str
    states: Floats | None
    order: Days
    gates: dict[str, Floats]
    note: str | None = None


def firing(network: Any, window: Floats, *, cell: str) -> tuple[Firing, ...]:
    """Watch the hidden units while a network reads one window.

    Args:
        network: a keras.Model as the factory builds it, no average of several.
        window: shape (window, features).
        cell: what the factory stacked; its layers are those named after it.

    Returns:
        One `Firing` for each layer, first to last; none for a network without hidden layers.
    """
    keras = load_keras()
    found = []
    for layer in hidden_layers(network, cell):
        inputs = run(keras.Model(network.input, layer.input), window[None])
        inner: Any = getattr(layer, "cell", None)
        recurrence = RECURRENCES.get(type(inner).__name__)
        gates: dict[str, Floats] = {}
        note = None
        if recurrence is not None:
            states, gates = recurrence([np.asarray(one) for one in inner.get_weights()], inputs[0])
        elif inner is not None or hasattr(layer, "forward_layer"):
            states = np.asarray(keras.ops.convert_to_numpy(unroll(layer, tensor(inputs))))[0]
            note = f"{layer.name}: only LSTM and GRU layers have gates that are drawn, and this is a {_kind(layer)}."
        else:
            states = run(keras.Model(network.input, layer.output), window[None])[0]
            note = f"{layer.name}: a {_kind(layer)} has no recurrence, and so neither gates nor a memory."
        if states.ndim == 1:
            note = f"{layer.name}: a {_kind(layer)} hands on one answer for the whole window, none for each day."
            found.append(Firing(layer.name, None, np.arange(0), {}, note))
            continue
        found.append(Firing(layer.name, states, alike(states), gates, note))
    return tuple(found)


def alike(states: Floats) -> Days:
    """Order units so that those that fired alike stand together: the leaves of a tree of clusters (average linkage).

    Args:
        states: shape (window, units), at least one unit.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage

    units = states.shape[1]
    if units == 1:
        return np.arange(1)
    # The best order of the leaves takes the square of the units in memory and more in time.
    leaves = leaves_list(linkage(states.T.astype(np.float64), method="average", optimal_ordering=units <= 512))
    return np.asarray(leaves, dtype=np.intp)


def lstm(weights: Sequence[Floats], inputs: Floats) -> tuple[Floats, dict[str, Floats]]:
    """Step through an LSTM (Hochreiter & Schmidhuber 1997; forget gate of Gers, Schmidhuber & Cummins 2000) in numpy.

    Args:
        weights: kernel (inputs, 4 units), recurrent kernel (units, 4 units) and bias (4 units,), each in Keras' order:
            input gate, forget gate, candidate, output gate. With peepholes (Gers & Schmidhuber 2000) also those, of
            the input, forget and output gate, (3, units).
        inputs: of one window, shape (window, inputs).

    Returns:
        The hidden states, shape (window, units), and the gates forget, input and output, each of the same shape.
    """
    kernel, recurrent, bias, *more = (one.astype(np.float64) for one in weights)
    hidden = memory = np.zeros(len(recurrent))
    sees_entering, sees_kept, sees_told = more[0] if more else np.zeros((3, len(recurrent)))
    states, gates = [], []
    for today in inputs:
        entered, kept, candidate, told = np.split(today @ kernel + hidden @ recurrent + bias, 4)
        entered, kept = _sigmoid(entered + sees_entering * memory), _sigmoid(kept + sees_kept * memory)
        memory = kept * memory + entered * np.tanh(candidate)
        told = _sigmoid(told + sees_told * memory)  # which sees the new memory already
        hidden = told * np.tanh(memory)
        states.append(hidden)
        gates.append((kept, entered, told))
    return np.array(states), dict(zip(("forget", "input", "output"), np.swapaxes(gates, 0, 1), strict=True))


def gru(weights: Sequence[Floats], inputs: Floats) -> tuple[Floats, dict[str, Floats]]:
    """Step through a GRU (Cho et al. 2014, the reset gate after the product as cuDNN has it) in numpy.

    Args:
        weights: kernel (inputs, 3 units), recurrent kernel (units, 3 units) and biases (2, 3 units), each in Keras'
            order: update gate, reset gate, candidate.
        inputs: of one window, shape (window, inputs).

    Returns:
        The hidden states, shape (window, units), and the gates update (how much of yesterday is kept) and reset, each
        of the same shape.
    """
    kernel, recurrent, (bias, recurrent_bias) = (one.astype(np.float64) for one in weights)
    hidden = np.zeros(len(recurrent))
    states, gates = [], []
    for today in inputs:
        update, reset, candidate = np.split(today @ kernel + bias, 3)
        past = np.split(hidden @ recurrent + recurrent_bias, 3)
        update, reset = _sigmoid(update + past[0]), _sigmoid(reset + past[1])
        hidden = update * hidden + (1 - update) * np.tanh(candidate + reset * past[2])
        states.append(hidden)
        gates.append((update, reset))
    return np.array(states), dict(zip(("update", "reset"), np.swapaxes(gates, 0, 1), strict=True))


RECURRENCES: dict[str, Callable[[Sequence[Floats], Floats], tuple[Floats, dict[str, Floats]]]] = {
    "LSTMCell": lstm,
    "PeepholeCell": lstm,
    "GRUCell": gru,
}
"""Class of a Keras cell -> its recurrence in numpy, which lays its gates open."""


def hidden_layers(network: Any, cell: str) -> list[Any]:
    """The layers that the factory stacked, first to last."""
    return [layer for layer in network.layers if layer.name.startswith(f"{cell}_")]


def unroll(layer: Any, inputs: Tensor, nudges: Tensor | None = None) -> Tensor:
    """Step a recurrent layer through the days; return every day's hidden state, shape (n, window, units).

    Args:
        layer: of Keras, with a cell; or a bidirectional one, whose second half steps backwards.
        inputs: shape (n, window, inputs).
        nudges: added to the hidden state of each day, shape (n, window, units); None for nothing.
    """
    ops = load_keras().ops
    if hasattr(layer, "forward_layer"):
        there = unroll(layer.forward_layer, inputs)
        back = unroll(layer.backward_layer, ops.flip(inputs, axis=1))
        return ops.concatenate([there, ops.flip(back, axis=1)], axis=-1)
    state = layer.get_initial_state(batch_size=inputs.shape[0])
    days = []
    for day in range(inputs.shape[1]):
        hidden, state = layer.cell(inputs[:, day], state)
        if nudges is not None:
            hidden = hidden + nudges[:, day]
            state = [hidden, *state[1:]] if isinstance(state, list | tuple) else hidden
        days.append(hidden)
    return ops.stack(days, axis=1)


def run(network: Any, inputs: Floats) -> Floats:
    """Run a keras.Model on windows, dropout off; return its outputs as an array."""
    keras = load_keras()
    answered: Floats = keras.ops.convert_to_numpy(network(tensor(inputs), training=False))
    return answered


def tensor(values: Floats) -> Tensor:
    """Return numbers as the backend takes them, float32."""
    return load_keras().ops.convert_to_tensor(np.asarray(values, dtype=np.float32))


def _kind(layer: Any) -> str:
    return type(layer).__name__


def _sigmoid(x: Floats) -> Floats:
    from scipy.special import expit

    opened: Floats = expit(x)
    return opened
