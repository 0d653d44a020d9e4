"""A keras.Model written as ONNX: one small function a kind of layer, and the same bytes for the same weights.

The graph is written from the layers' own configuration and weights, and nothing is traced or run. A tracer turns some
recurrent layers into loops, which the check of files from elsewhere refuses (see `onnxfile.py`), knows one backend
only, and counts names up, so that its bytes differ from export to export.

Keras keeps the days of a window in the second dimension, ONNX those of recurrent layers in the first and those of
convolutions in the last. Layers turn what they need; a turn and its opposite in a row leave nothing behind.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from stockcast.errors import ExportError

OPSET, IR_VERSION = 17, 8  # of 2022: every ONNX Runtime that we admit reads them

Layer = Any
Spec = dict[str, Any]
"""What a keras.Model's configuration says of one layer: its class, its own configuration, what it is called on."""


def write_onnx(network: Any) -> bytes:
    """Return a network as an ONNX file: windows of shape (n, window, features) -> (n, horizon, parameters).

    Args:
        network: a keras.Model of one input and one output, also one that averages others.

    Raises:
        ExportError: it has a layer that ONNX has no word for, or that nobody has written down here.
    """
    from onnx import TensorProto, helper

    graph = _Graph()
    output = _model(graph, network, {"config": network.get_config()}, ["window"])
    nodes = graph.needed(output)
    used = {name for node in nodes for name in node.input}
    shapes = {name: ["windows", *shape[1:]] for name, shape in
              (("window", network.input_shape), (output, network.output_shape))}  # fmt: skip
    inputs, outputs = (
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shapes[name])] for name in ("window", output)
    )
    weights = [tensor for tensor in graph.constants.values() if tensor.name in used]
    model = helper.make_model(
        helper.make_graph(nodes, "stockcast", inputs, outputs, weights),
        producer_name="stockcast",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
    )
    content: bytes = model.SerializeToString(deterministic=True)
    return content


class _Graph:
    """The nodes so far; every value is known by the name that its node gave it."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: dict[tuple[str, tuple[int, ...], bytes], Any] = {}
        self._turned: dict[str, tuple[str, tuple[int, ...]]] = {}

    def add(self, operation: str, *inputs: str, output: int = 0, **attributes: Any) -> str:
        """Add a node; return the name of its `output`-th value."""
        from onnx import helper

        name = f"{operation}_{len(self.nodes) + 1}"
        self.nodes.append(helper.make_node(operation, inputs, [""] * output + [name], **attributes))
        return name

    def turn(self, value: str, *axes: int) -> str:
        """Reorder the dimensions of a value: the first becomes the one that was at `axes[0]`, and so on."""
        source, before = self._turned.get(value, (value, ()))
        if before and [before[axis] for axis in axes] == list(range(len(axes))):
            return source
        turned = self.add("Transpose", value, perm=axes)
        self._turned[turned] = (value, axes)
        return turned

    def reshape(self, value: str, *sizes: int) -> str:
        """Give a value other dimensions: 0 keeps the one in its place, -1 takes what is left."""
        return self.add("Reshape", value, self.integers(*sizes))

    def numbers(self, array: npt.NDArray[Any]) -> str:
        """Return the name of weights."""
        return self._constant(np.ascontiguousarray(array, dtype=np.float32))

    def integers(self, *values: int) -> str:
        """Return the name of a list of sizes or places."""
        return self._constant(np.array(values, dtype=np.int64))

    def integer(self, value: int) -> str:
        """Return the name of one place."""
        return self._constant(np.array(value, dtype=np.int64))

    def _constant(self, array: npt.NDArray[Any]) -> str:
        from onnx import numpy_helper

        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self.constants:
            self.constants[key] = numpy_helper.from_array(array, f"constant_{len(self.constants) + 1}")
        return str(self.constants[key].name)

    def needed(self, output: str) -> list[Any]:
        """Return the nodes without which there is no output, in order."""
        wanted, kept = {output}, []
        for node in reversed(self.nodes):
            if wanted.intersection(node.output):
                kept.append(node)
                wanted.update(node.input)
        return kept[::-1]


def _model(graph: _Graph, network: Layer, spec: Spec, values: list[str]) -> str:
    """Write every layer of a network, in the order in which they are called."""
    config = spec["config"]
    layers = {layer.name: layer for layer in network.layers}
    first, last = config["input_layers"][0], config["output_layers"][0]
    if not (isinstance(first, str) and isinstance(last, str)):
        raise ExportError("it has several inputs or outputs")
    known = {first: values[0]}
    for inner in config["layers"]:
        name, kind = inner["name"], inner["class_name"]
        if name in known:  # the input
            continue
        if kind not in LAYERS:
            raise ExportError(f"its layer {name} is of a kind ({kind}) that has no ONNX form yet")
        if len(inner["inbound_nodes"]) != 1:
            raise ExportError(f"its layer {name} is called more than once")
        called = inner["inbound_nodes"][0]["args"]
        known[name] = LAYERS[kind](graph, layers.get(name), inner, [known[source] for source in _sources(called)])
    return known[last]


def _sources(arguments: Any) -> Iterator[str]:
    """Names of the layers whose outputs stand in a call's arguments."""
    if isinstance(arguments, dict) and arguments.get("class_name") == "__keras_tensor__":
        yield arguments["config"]["keras_history"][0]
    elif isinstance(arguments, list | tuple):
        for one in arguments:
            yield from _sources(one)


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


def _recurrent(graph: _Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
    return _directions(graph, [layer], values[0])


def _bidirectional(graph: _Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
    if layer.merge_mode != "concat":
        raise ExportError(f"its layer {layer.name} merges by {layer.merge_mode!r}, and only 'concat' is written")
    return _directions(graph, [layer.forward_layer, layer.backward_layer], values[0])


def _directions(graph: _Graph, layers: list[Layer], value: str) -> str:
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


def _conv(graph: _Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
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


def _dense(graph: _Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
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


def _activated(graph: _Graph, layer: Layer, value: str) -> str:
    name = layer.get_config()["activation"]
    if name == "linear":
        return value
    if name not in ACTIVATIONS:
        raise ExportError(f"its layer {layer.name} has the activation {name!r}, which has no ONNX form yet")
    return graph.add(ACTIVATIONS[name], value, **({"axis": -1} if name == "softmax" else {}))


def _activation(graph: _Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
    return _activated(graph, layer, values[0])


def _dropout(graph: _Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
    return values[0]  # drops nothing once training is over


def _flatten(graph: _Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
    return graph.reshape(values[0], 0, -1)


def _reshape(graph: _Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
    return graph.reshape(values[0], 0, *spec["config"]["target_shape"])


def _permute(graph: _Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
    return graph.turn(values[0], 0, *spec["config"]["dims"])


def _concatenate(graph: _Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
    return graph.add("Concat", *values, axis=spec["config"]["axis"])


def _average(graph: _Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
    return graph.add("Mean", *values)


def _item(graph: _Graph, layer: Layer, spec: Spec, values: list[str]) -> str:
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


LAYERS: dict[str, Callable[[_Graph, Layer, Spec, list[str]], str]] = {
    "Activation": _activation,
    "Average": _average,
    "Bidirectional": _bidirectional,
    "Concatenate": _concatenate,
    "Conv1D": _conv,
    "Dense": _dense,
    "Dropout": _dropout,
    "Flatten": _flatten,
    "Functional": _model,
    "GetItem": _item,
    "Permute": _permute,
    "Reshape": _reshape,
    **dict.fromkeys(RECURRENT, _recurrent),
}
"""Class of a layer -> what writes it: (graph, the layer, what the configuration says of it, values it is called on)."""
