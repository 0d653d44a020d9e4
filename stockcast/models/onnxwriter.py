"""A keras.Model written as ONNX: the same bytes for the same weights, on any backend.

The graph is written from the layers' own configuration and weights, and nothing is traced or run. A tracer turns some
recurrent layers into loops, which the check of files from elsewhere refuses (see `onnxfile.py`), knows one backend
only, and counts names up, so that its bytes differ from export to export.
"""

from collections.abc import Iterator
from typing import Any

from stockcast.errors import ExportError
from stockcast.models.onnxgraph import Graph
from stockcast.models.onnxlayers import LAYERS

OPSET, IR_VERSION = 17, 8  # of 2022: every ONNX Runtime that we admit reads them


def write_onnx(network: Any) -> bytes:
    """Return a network as an ONNX file: windows of shape (n, window, features) -> (n, horizon, parameters).

    Args:
        network: a keras.Model of one input and one output, also one that averages others.

    Raises:
        ExportError: it has a layer that ONNX has no word for, or that nobody has written down here.
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
    """Write every layer of a network, in the order in which they are called; return the name of its answer."""
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
        if kind == "Functional":  # a network within, one of those that are averaged
            known[name] = _walk(graph, layers[name], spec["config"], values[0])
        elif kind in LAYERS:
            known[name] = LAYERS[kind](graph, layers.get(name), spec, values)
        else:
            raise ExportError(f"its layer {name} is of a kind ({kind}) that has no ONNX form yet")
    return known[last]


def _sources(arguments: Any) -> Iterator[str]:
    """Names of the layers whose outputs stand in a call's arguments."""
    if isinstance(arguments, dict) and arguments.get("class_name") == "__keras_tensor__":
        yield arguments["config"]["keras_history"][0]
    elif isinstance(arguments, list | tuple):
        for one in arguments:
            yield from _sources(one)
