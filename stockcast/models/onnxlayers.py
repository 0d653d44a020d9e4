"""Keras layers as nodes of ONNX, one small function a kind of layer and one line of `LAYERS`.

Keras keeps the days of a window in the second dimension, ONNX those of recurrent layers in the first and those of
convolutions in the last. Layers turn what they need; a turn and its opposite in a row leave nothing behind.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from stockcast.errors import ExportError
from stockcast.models.onnxgraph import Graph

Layer = Any
Spec = dict[str, Any]
"""What a keras.Model's configuration says of one layer: its class, its own configuration, what it is called on."""


def _expect(layer: Layer, **settings: Any) -> None:
    """Refuse a layer that is set in a way that was not written down here."""
    config = layer.get_config()
    for key, value in settings.items():
        if config.get(key) != value:
            raise ExportError(f"its layer {layer.name} has {key} = {config.get(key)!r}, and only {value!r} is written")


# Recurrent layers. Gates of Keras stand side by side in the columns of its kernels, those of ONNX in rows.


def _gates(kernel: npt.NDArray[Any], order: Sequence[int]) -> npt.NDArray[Any]:
    """Reorder the gates in the last dimension of a kernel or bias, which becomes the first."""
    parts = np.split(kernel, len(order), axis=-1)
    return np.concatenate([parts[gate] for gate in order], axis=-1).T


def _lstm(layer: Layer) -> tuple[str, dict[str, Any], list[npt.NDArray[Any]]]:
    _expect(layer, activation="tanh", recurrent_activation="sigmoid", use_bias=True)
    kernel, recurrent, bias = layer.get_weights()
    order = (0, 3, 1, 2)  # Keras: input, forget, candidate, output; ONNX: input, output, forget, candidate
    both = np.concatenate([_gates(bias, order), np.zeros_like(bias)])
    return "LSTM", {}, [_gates(kernel, order), _gates(recurrent, order), both]


def _peephole(layer: Layer) -> tuple[str, dict[str, Any], list[npt.NDArray[Any]]]:
    if type(layer.cell).__name__ != "PeepholeCell":
        raise ExportError(f"its layer {layer.name} has a cell ({type(layer.cell).__name__}) that has no ONNX form yet")
    kernel, recurrent, bias, peepholes = layer.cell.get_weights()
    order = (0, 3, 1, 2)
    both = np.concatenate([_gates(bias, order), np.zeros_like(bias)])
    # Ours: input, forget, output; ONNX: input, output, forget
    return "LSTM", {}, [_gates(kernel, order), _gates(recurrent, order), both, peepholes[[0, 2, 1]].ravel()]


def _gru(layer: Layer) -> tuple[str, dict[str, Any], list[npt.NDArray[Any]]]:
    _expect(layer, activation="tanh", recurrent_activation="sigmoid", use_bias=True, reset_after=True)
    kernel, recurrent, bias = layer.get_weights()  # both: update, reset, candidate; the bias has two rows
    return "GRU", {"linear_before_reset": 1}, [kernel.T, recurrent.T, bias.ravel()]


def _simple_rnn(layer: Layer) -> tuple[str, dict[str, Any], list[npt.NDArray[Any]]]:
    _expect(layer, activation="tanh", use_bias=True)
    kernel, recurrent, bias = layer.get_weights()
    return "RNN", {}, [kernel.T, recurrent.T, np.concatenate([bias, np.zeros_like(bias)])]


RECURRENT: dict[str, Callable[[Layer], tuple[str, dict[str, Any], list[npt.NDArray[Any]]]]] = {
    "LSTM": _lstm,
    "GRU": _gru,
    "SimpleRNN": _simple_rnn,
    "RNN": _peephole,
}
"""Class of a recurrent layer -> ONNX operation, attributes, and W, R, B and for peepholes P, as ONNX orders them."""


def _recurrent(graph: Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
    return _directions(graph, [layer], values[0])


def _bidirectional(graph: Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
    if layer.merge_mode != "concat":
        raise ExportError(f"its layer {layer.name} merges by {layer.merge_mode!r}, and only 'concat' is written")
    return _directions(graph, [layer.forward_layer, layer.backward_layer], values[0])


def _directions(graph: Graph, layers: list[Layer], value: str) -> str:
    """Write a recurrent layer, or two that read the days in opposite orders and hand on side by side."""
    for layer, backwards in zip(layers, (False, True), strict=False):
        _expect(layer, go_backwards=backwards, stateful=False, return_state=False)
    operations, attributes, weights = zip(*(RECURRENT[type(layer).__name__](layer) for layer in layers), strict=True)
    units, sequences = layers[0].get_weights()[1].shape[0], layers[0].return_sequences
    named = [graph.numbers(np.stack(both)) for both in zip(*weights, strict=True)]
    if len(named) == 4:  # between bias and peepholes stand lengths and first states, which we do not give
        named = [*named[:3], "", "", "", named[3]]
    days_first = graph.turn(value, 1, 0, 2)
    hidden = graph.add(
        operations[0],
        days_first,
        *named,
        output=0 if sequences else 1,
        hidden_size=units,
        direction="bidirectional" if len(layers) == 2 else "forward",
        **attributes[0],
    )
    width = units * len(layers)
    if sequences:  # (days, directions, windows, units)
        side_by_side = graph.turn(hidden, 0, 2, 1, 3) if len(layers) == 2 else hidden
        return graph.turn(graph.reshape(side_by_side, 0, -1, width), 1, 0, 2)
    side_by_side = graph.turn(hidden, 1, 0, 2) if len(layers) == 2 else hidden  # (directions, windows, units)
    return graph.reshape(side_by_side, -1, width)


# The others.


def _conv(graph: Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
    _expect(layer, padding="causal", strides=(1,), groups=1, activation="relu", use_bias=True)
    kernel, bias = layer.get_weights()  # (days, inputs, units)
    dilation = layer.dilation_rate[0]
    seen = graph.add(
        "Conv",
        graph.turn(values[0], 0, 2, 1),
        graph.numbers(kernel.transpose(2, 1, 0)),
        graph.numbers(bias),
        dilations=[dilation],
        pads=[dilation * (len(kernel) - 1), 0],  # causal: days before the window's first are zero, none after the last
    )
    return graph.turn(_activated(graph, layer, seen), 0, 2, 1)


def _dense(graph: Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
    kernel, *bias = layer.get_weights()
    value = graph.add("MatMul", values[0], graph.numbers(kernel))
    if bias:
        value = graph.add("Add", value, graph.numbers(bias[0]))
    return _activated(graph, layer, value)


ACTIVATIONS = {
    "exponential": "Exp",
    "relu": "Relu",
    "sigmoid": "Sigmoid",
    "softmax": "Softmax",
    "softplus": "Softplus",
    "tanh": "Tanh",
}
"""Name of a Keras activation -> ONNX operation."""


def _activated(graph: Graph, layer: Layer, value: str) -> str:
    name = layer.get_config()["activation"]
    if name == "linear":
        return value
    if name not in ACTIVATIONS:
        raise ExportError(f"its layer {layer.name} has the activation {name!r}, which has no ONNX form yet")
    return graph.add(ACTIVATIONS[name], value, **({"axis": -1} if name == "softmax" else {}))


def _activation(graph: Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
    return _activated(graph, layer, values[0])


def _dropout(graph: Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
    return values[0]  # drops nothing once training is over


def _flatten(graph: Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
    return graph.reshape(values[0], 0, -1)


def _reshape(graph: Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
    return graph.reshape(values[0], 0, *spec["config"]["target_shape"])


def _permute(graph: Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
    return graph.turn(values[0], 0, *spec["config"]["dims"])


def _concatenate(graph: Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
    return graph.add("Concat", *values, axis=spec["config"]["axis"])


def _average(graph: Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
    return graph.add("Mean", *values)


def _item(graph: Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
    """`value[:, -1]`: each slice and each number of the key in turn; a number takes its dimension away."""
    _, key = spec["inbound_nodes"][0]["args"]
    value, axis = values[0], 0
    for part in key if isinstance(key, list | tuple) else [key]:
        if isinstance(part, int):
            value = graph.add("Gather", value, graph.integer(part), axis=axis)
            continue
        if part.get("class_name") != "__slice__" or part["config"]["step"] not in (None, 1):
            raise ExportError(f"its layer {spec['name']} picks by {part}, which has no ONNX form yet")
        first, end = part["config"]["start"], part["config"]["stop"]
        if (first, end) != (None, None):
            last = np.iinfo(np.int64).max if end is None else end
            value = graph.add("Slice", value, graph.integers(first or 0), graph.integers(last), graph.integers(axis))
        axis += 1
    return value


LAYERS: dict[str, Callable[[Graph, Layer, Spec, list[str]], str]] = {
    "Activation": _activation,
    "Average": _average,
    "Bidirectional": _bidirectional,
    "Concatenate": _concatenate,
    "Conv1D": _conv,
    "Dense": _dense,
    "Dropout": _dropout,
    "Flatten": _flatten,
    "GetItem": _item,
    "Permute": _permute,
    "Reshape": _reshape,
    **dict.fromkeys(RECURRENT, _recurrent),
}
"""Class of a layer -> what writes it: (graph, the layer, what the configuration says of it, values it is called on)."""
