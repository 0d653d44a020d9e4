"""Write a keras.Model as ONNX: the same bytes for the same weights, on any backend.

The graph is built from the configuration and the weights of the layers. A tracer would turn some recurrent layers into
loops, which `verify.py` refuses, support one backend only, and give other names, and so other bytes, with each export.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.errors import ExportError, RunError
from stockcast.models.onnx.graph import Graph
from stockcast.models.onnx.layers import LAYERS
from stockcast.models.onnx.session import load_onnx

OPSET, IR_VERSION = 17, 8  # of 2022: every ONNX Runtime that pyproject.toml allows reads them


def to_onnx_bytes(network: Any) -> bytes:
    """Return a network as an ONNX file: windows of shape (n, window, features) -> (n, horizon, parameters).

    Args:
        network: a keras.Model of one input and one output, also an average of others.

    Raises:
        ExportError: it has a layer, or a setting of one, that `LAYERS` does not export.
    """
    from onnx import TensorProto, helper

    graph = Graph()
    output = _walk(graph, network, network.get_config(), "window")
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


def _walk(graph: Graph, network: Any, config: dict[str, Any], value: str) -> str:
    """Add every layer of a network, in the order of their calls; return the name of its output."""
    layers = {layer.name: layer for layer in network.layers}
    first, last = config["input_layers"][0], config["output_layers"][0]
    if not (isinstance(first, str) and isinstance(last, str)):
        raise ExportError("it has several inputs or outputs")
    known = {first: value}
    for spec in config["layers"]:
        name, kind = spec["name"], spec["class_name"]
        if name == first:
            continue
        if len(spec["inbound_nodes"]) != 1:
            raise ExportError(f"its layer {name} is called more than once")
        values = [known[source] for source in _sources(spec["inbound_nodes"][0]["args"])]
        if kind == "Functional":  # a network inside, one of those that are averaged
            known[name] = _walk(graph, layers[name], spec["config"], values[0])
        elif kind in LAYERS:
            known[name] = LAYERS[kind](graph, layers.get(name), spec, values)
        else:
            raise ExportError(f"its layer {name} is of a kind ({kind}) that has no ONNX form yet")
    return known[last]


def _sources(arguments: Any) -> Iterator[str]:
    """Names of the layers whose outputs are a call's arguments."""
    if isinstance(arguments, dict) and arguments.get("class_name") == "__keras_tensor__":
        yield arguments["config"]["keras_history"][0]
    elif isinstance(arguments, list | tuple):
        for argument in arguments:
            yield from _sources(argument)


def export_onnx(network: Any, path: Path) -> None:
    """Write a keras.Model as ONNX, and check that its outputs are those of Keras.

    Raises:
        ExportError: it has no ONNX form, or other outputs.
    """
    path.write_bytes(to_onnx_bytes(network))
    probe = np.random.default_rng(0).normal(size=(3, *network.input_shape[1:])).astype(np.float32)
    expected = np.asarray(network.predict_on_batch(probe))
    try:
        outputs = load_onnx(path)(probe)
    except RunError as error:
        raise ExportError(f"it does not run as ONNX: {error}") from error
    # Wide enough for a GPU that multiplies with ten bits; weights in a wrong place differ by far more.
    if outputs.shape != expected.shape or not np.allclose(outputs, expected, rtol=1e-2, atol=1e-3):
        raise ExportError(f"its outputs with ONNX and Keras differ (shapes {outputs.shape} and {expected.shape})")
