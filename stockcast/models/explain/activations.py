"""Hidden states and gates of a network's layers, day by day of one window."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stockcast.models.backend import load_keras
from stockcast.typing import Days, Floats

Tensor = Any


@dataclass(frozen=True)
class LayerActivations:
    """Hidden states and gates of one layer.

    Attributes:
        layer: its name in the network.
        states: hidden state of each unit, shape (window, units); None for a layer without days.
        order: the units ordered by similarity of their states, shape (units,).
        gates: by name, the activation of each unit's gate, 0 to 1, shape (window, units).
        note: a sentence on what is missing, and why; None if nothing is.
    """

    layer: str
    states: Floats | None
    order: Days
    gates: dict[str, Floats]
    note: str | None = None


def layer_activations(network: Any, window: Floats, *, cell: str) -> tuple[LayerActivations, ...]:
    """Return the activations of a network's hidden layers for one window.

    Args:
        network: a keras.Model of `build_network`, no average of several.
        window: shape (window, features).
        cell: of the network; its hidden layers are named after it.

    Returns:
        One `LayerActivations` for each layer, first to last; none for a network without hidden layers.
    """
    keras = load_keras()
    activations = []
    for layer in hidden_layers(network, cell):
        inputs = run_network(keras.Model(network.input, layer.input), window[None])
        inner: Any = getattr(layer, "cell", None)
        recurrence = RECURRENCES.get(type(inner).__name__)
        gates: dict[str, Floats] = {}
        note = None
        if recurrence is not None:
            states, gates = recurrence([np.asarray(weights) for weights in inner.get_weights()], inputs[0])
        elif inner is not None or hasattr(layer, "forward_layer"):
            states = np.asarray(keras.ops.convert_to_numpy(hidden_states(layer, to_tensor(inputs))))[0]
            note = f"{layer.name}: gates are shown of LSTM and GRU layers only, and this is a {_kind(layer)}."
        else:
            states = run_network(keras.Model(network.input, layer.output), window[None])[0]
            note = f"{layer.name}: a {_kind(layer)} has no recurrence, so no gates and no memory."
        if states.ndim == 1:
            note = f"{layer.name}: a {_kind(layer)} has one output for the whole window, none for each step of it."
            activations.append(LayerActivations(layer.name, None, np.arange(0), {}, note))
            continue
        activations.append(LayerActivations(layer.name, states, similarity_order(states), gates, note))
    return tuple(activations)


def similarity_order(states: Floats) -> Days:
    """Order units by the similarity of their states: the leaves of a hierarchical clustering (average linkage).

    Args:
        states: shape (window, units), at least one unit.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage

    units = states.shape[1]
    if units == 1:
        return np.arange(1)
    # The optimal order of the leaves needs memory that grows with the square of the units, and more time.
    leaves = leaves_list(linkage(states.T.astype(np.float64), method="average", optimal_ordering=units <= 512))
    return np.asarray(leaves, dtype=np.intp)


def run_lstm(weights: Sequence[Floats], inputs: Floats) -> tuple[Floats, dict[str, Floats]]:
    """Run an LSTM in numpy (Hochreiter & Schmidhuber 1997; forget gate of Gers, Schmidhuber & Cummins 2000).

    Args:
        weights: kernel (inputs, 4 units), recurrent kernel (units, 4 units) and bias (4 units,), each in Keras' order:
            input gate, forget gate, candidate, output gate; then the peepholes, if any (Gers & Schmidhuber 2000), of
            the input, forget and output gate, (3, units).
        inputs: of one window, shape (window, inputs).

    Returns:
        The hidden states, shape (window, units), and the gates forget, input and output, each of the same shape.
    """
    kernel, recurrent, bias, *peepholes = (array.astype(np.float64) for array in weights)
    hidden = memory = np.zeros(len(recurrent))
    into_input, into_forget, into_output = peepholes[0] if peepholes else np.zeros((3, len(recurrent)))
    states, gates = [], []
    for today in inputs:
        write, keep, candidate, read = np.split(today @ kernel + hidden @ recurrent + bias, 4)
        write, keep = _sigmoid(write + into_input * memory), _sigmoid(keep + into_forget * memory)
        memory = keep * memory + write * np.tanh(candidate)
        read = _sigmoid(read + into_output * memory)  # sees the new memory
        hidden = read * np.tanh(memory)
        states.append(hidden)
        gates.append((keep, write, read))
    return np.array(states), dict(zip(("forget", "input", "output"), np.swapaxes(gates, 0, 1), strict=True))


def run_gru(weights: Sequence[Floats], inputs: Floats) -> tuple[Floats, dict[str, Floats]]:
    """Run a GRU in numpy (Cho et al. 2014, with the reset gate after the matrix product, as in cuDNN).

    Args:
        weights: kernel (inputs, 3 units), recurrent kernel (units, 3 units) and biases (2, 3 units), each in Keras'
            order: update gate, reset gate, candidate.
        inputs: of one window, shape (window, inputs).

    Returns:
        The hidden states, shape (window, units), and the gates update (the share of the old state that is kept) and
        reset, each of the same shape.
    """
    kernel, recurrent, (bias, recurrent_bias) = (array.astype(np.float64) for array in weights)
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
    "LSTMCell": run_lstm,
    "PeepholeCell": run_lstm,
    "GRUCell": run_gru,
}
"""Class of a Keras cell -> its recurrence in numpy."""


def hidden_layers(network: Any, cell: str) -> list[Any]:
    """Return the cell's layers, first to last."""
    return [layer for layer in network.layers if layer.name.startswith(f"{cell}_")]


def hidden_states(layer: Any, inputs: Tensor, offsets: Tensor | None = None) -> Tensor:
    """Return a recurrent layer's hidden state of every day, shape (n, window, units).

    Args:
        layer: of Keras, with a cell or bidirectional.
        inputs: shape (n, window, inputs).
        offsets: added to the hidden state of each day, shape (n, window, units); None for none.
    """
    ops = load_keras().ops
    if hasattr(layer, "forward_layer"):
        forward = hidden_states(layer.forward_layer, inputs)
        backward = hidden_states(layer.backward_layer, ops.flip(inputs, axis=1))
        return ops.concatenate([forward, ops.flip(backward, axis=1)], axis=-1)
    state = layer.get_initial_state(batch_size=inputs.shape[0])
    days = []
    for day in range(inputs.shape[1]):
        hidden, state = layer.cell(inputs[:, day], state)
        if offsets is not None:
            hidden = hidden + offsets[:, day]
            state = [hidden, *state[1:]] if isinstance(state, list | tuple) else hidden
        days.append(hidden)
    return ops.stack(days, axis=1)


def run_network(network: Any, inputs: Floats) -> Floats:
    """Return the outputs of a keras.Model for windows, without dropout."""
    keras = load_keras()
    outputs: Floats = keras.ops.convert_to_numpy(network(to_tensor(inputs), training=False))
    return outputs


def to_tensor(values: Floats) -> Tensor:
    """Return an array as a float32 tensor of the backend."""
    return load_keras().ops.convert_to_tensor(np.asarray(values, dtype=np.float32))


def _kind(layer: Any) -> str:
    return type(layer).__name__


def _sigmoid(x: Floats) -> Floats:
    from scipy.special import expit

    activation: Floats = expit(x)
    return activation
