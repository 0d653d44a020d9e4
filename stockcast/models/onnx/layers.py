"""Keras layers as ONNX nodes: one small function and one entry of `LAYERS` for each class of layer.

The days of a window are the second dimension in Keras; in ONNX they are the first of recurrent layers and the last of
convolutions. Each layer transposes its input and its output; `Graph` drops pairs that cancel.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from stockcast.errors import ExportError
from stockcast.models.onnx.graph import Graph

Layer = Any
Array = npt.NDArray[Any]
Spec = dict[str, Any]
"""A keras.Model's configuration of one layer: its class, its own configuration, and its inputs."""


def _expect(layer: Layer, **settings: Any) -> None:
    """Refuse a layer with a setting that the export does not support."""
    config = layer.get_config()
    for key, value in settings.items():
        if config.get(key) != value:
            raise ExportError(f"its layer {layer.name} has {key} = {config.get(key)!r}, and only {value!r} is exported")


Recurrent = tuple[str, dict[str, Any], list[Array]]
"""ONNX operation of a recurrent layer, its attributes, and its weights W, R, B and P (peepholes) in ONNX' order."""


# Recurrent layers: Keras has their gates in the columns of its kernels, ONNX in rows.
def _gates(kernel: Array, order: Sequence[int]) -> Array:
    """Reorder the gates in the last dimension of a kernel or bias, and make it the first."""
    parts = np.split(kernel, len(order), axis=-1)
    return np.concatenate([parts[gate] for gate in order], axis=-1).T


def _lstm(layer: Layer) -> Recurrent:
    _expect(layer, activation="tanh", recurrent_activation="sigmoid", use_bias=True)
    return _lstm_of(*layer.get_weights())


def _peephole(layer: Layer) -> Recurrent:
    if type(layer.cell).__name__ != "PeepholeCell":
        raise ExportError(f"its layer {layer.name} has a cell ({type(layer.cell).__name__}) that has no ONNX form yet")
    *gates, peepholes = layer.cell.get_weights()
    operation, attributes, weights = _lstm_of(*gates)
    return operation, attributes, [*weights, peepholes[[0, 2, 1]].ravel()]  # input, forget, output; ONNX: i, o, f


def _lstm_of(kernel: Array, recurrent: Array, bias: Array) -> Recurrent:
    order = (0, 3, 1, 2)  # Keras: input, forget, candidate, output; ONNX: input, output, forget, candidate
    both = np.concatenate([_gates(bias, order), np.zeros_like(bias)])
    return "LSTM", {}, [_gates(kernel, order), _gates(recurrent, order), both]


def _gru(layer: Layer) -> Recurrent:
    _expect(layer, activation="tanh", recurrent_activation="sigmoid", use_bias=True, reset_after=True)
    kernel, recurrent, bias = layer.get_weights()  # both: update, reset, candidate; the bias has two rows
    return "GRU", {"linear_before_reset": 1}, [kernel.T, recurrent.T, bias.ravel()]


def _simple_rnn(layer: Layer) -> Recurrent:
    _expect(layer, activation="tanh", use_bias=True)
    kernel, recurrent, bias = layer.get_weights()
    return "RNN", {}, [kernel.T, recurrent.T, np.concatenate([bias, np.zeros_like(bias)])]


RECURRENT: dict[str, Callable[[Layer], Recurrent]] = {
    "LSTM": _lstm,
    "GRU": _gru,
    "SimpleRNN": _simple_rnn,
    "RNN": _peephole,
}


def _bidirectional(graph: Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
    if layer.merge_mode != "concat":
        raise ExportError(f"its layer {layer.name} merges by {layer.merge_mode!r}, and only 'concat' is exported")
    return _directions(graph, [layer.forward_layer, layer.backward_layer], values[0])


def _directions(graph: Graph, layers: list[Layer], value: str) -> str:
    """Add a recurrent layer, or two that read the days in opposite orders and are concatenated."""
    for layer, backwards in zip(layers, (False, True), strict=False):
        _expect(layer, go_backwards=backwards, stateful=False, return_state=False)
    operations, attributes, weights = zip(*(RECURRENT[type(layer).__name__](layer) for layer in layers), strict=True)
    units, sequences = layers[0].get_weights()[1].shape[0], layers[0].return_sequences
    named = [graph.numbers(np.stack(both)) for both in zip(*weights, strict=True)]
    if len(named) == 4:  # between bias and peepholes come lengths and first states, which are left out
        named = [*named[:3], "", "", "", named[3]]
    days_first = graph.transpose(value, 1, 0, 2)
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
        side_by_side = graph.transpose(hidden, 0, 2, 1, 3) if len(layers) == 2 else hidden
        return graph.transpose(graph.reshape(side_by_side, 0, -1, width), 1, 0, 2)
    side_by_side = graph.transpose(hidden, 1, 0, 2) if len(layers) == 2 else hidden  # (directions, windows, units)
    return graph.reshape(side_by_side, -1, width)


# The others.
def _conv(graph: Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
    _expect(layer, padding="causal", strides=(1,), groups=1, activation="relu", use_bias=True)
    kernel, bias = layer.get_weights()  # (days, inputs, units)
    dilation = layer.dilation_rate[0]
    days = graph.add(
        "Conv",
        graph.transpose(values[0], 0, 2, 1),
        graph.numbers(kernel.transpose(2, 1, 0)),
        graph.numbers(bias),
        dilations=[dilation],
        pads=[dilation * (len(kernel) - 1), 0],  # causal: zeros before the first day, nothing after the last
    )
    return graph.transpose(_activated(graph, layer, days), 0, 2, 1)


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


def _item(graph: Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
    """`value[:, -1]`: each slice and each index of the key in turn; an index removes its dimension."""
    _, key = spec["inbound_nodes"][0]["args"]
    value, axis = values[0], 0
    for part in key if isinstance(key, list | tuple) else [key]:
        if isinstance(part, int):
            value = graph.add("Gather", value, graph.integer(part), axis=axis)
            continue
        if part.get("class_name") != "__slice__" or part["config"]["step"] not in (None, 1):
            raise ExportError(f"its layer {spec['name']} selects by {part}, which has no ONNX form yet")
        first, end = part["config"]["start"], part["config"]["stop"]
        if (first, end) != (None, None):
            last = np.iinfo(np.int64).max if end is None else end
            value = graph.add("Slice", value, graph.integers(first or 0), graph.integers(last), graph.integers(axis))
        axis += 1
    return value


LAYERS: dict[str, Callable[[Graph, Layer, Spec, list[str]], str]] = {
    "Activation": lambda graph, layer, spec, values: _activated(graph, layer, values[0]),
    "Average": lambda graph, layer, spec, values: graph.add("Mean", *values),
    "Bidirectional": _bidirectional,
    "Concatenate": lambda graph, layer, spec, values: graph.add("Concat", *values, axis=spec["config"]["axis"]),
    "Conv1D": _conv,
    "Dense": _dense,
    "Dropout": lambda graph, layer, spec, values: values[0],  # has no effect after training
    "Flatten": lambda graph, layer, spec, values: graph.reshape(values[0], 0, -1),
    "GetItem": _item,
    "Permute": lambda graph, layer, spec, values: graph.transpose(values[0], 0, *spec["config"]["dims"]),
    "Reshape": lambda graph, layer, spec, values: graph.reshape(values[0], 0, *spec["config"]["target_shape"]),
    **dict.fromkeys(RECURRENT, lambda graph, layer, spec, values: _directions(graph, [layer], values[0])),
}
"""Class of a layer -> the function that adds it: (graph, layer, configuration, names of its inputs) -> its output."""
