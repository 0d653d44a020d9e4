"""Check an exported network before ONNX Runtime opens it.

A network's file can come from somebody else, and a graph is a program: it can loop for ever, read other files, or
allocate more memory than there is. Any operation that stockcast does not export is refused; the shape of every value of
the others can be inferred, so its size is known before it is allocated.
"""

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from stockcast.errors import RunError


@dataclass(frozen=True)
class Operation:
    """How stockcast exports an operation of ONNX.

    Attributes:
        computed: number of inputs, from the first, that may be computed; the others are constants of the file, so that
            no size and no index depends on the windows. None for all.
        attributes: those that it may set.
    """

    computed: int | None
    attributes: frozenset[str] = frozenset()


OPERATIONS = {
    "Add": Operation(None),
    "Concat": Operation(None, frozenset({"axis"})),
    "Conv": Operation(1, frozenset({"dilations", "pads"})),
    "Exp": Operation(1),
    "GRU": Operation(1, frozenset({"direction", "hidden_size", "linear_before_reset"})),
    "Gather": Operation(1, frozenset({"axis"})),
    "LSTM": Operation(1, frozenset({"direction", "hidden_size"})),
    "MatMul": Operation(1),
    "Mean": Operation(None),
    "RNN": Operation(1, frozenset({"direction", "hidden_size"})),
    "Relu": Operation(1),
    "Reshape": Operation(1),
    "Sigmoid": Operation(1),
    "Slice": Operation(1),
    "Softmax": Operation(1, frozenset({"axis"})),
    "Softplus": Operation(1),
    "Tanh": Operation(1),
    "Transpose": Operation(1, frozenset({"perm"})),
}
"""The operations that `onnx/layers.py` exports: none has a graph inside it, or a size that depends on the windows."""

ROWS = 1024
"""Most windows of one call: enough to use all cores, few enough to bound memory."""

MAX_STRUCTURE = 1_000_000
"""Bytes of the file that are not weights; 32 members of 8 layers have 0.1 MB. Parsed, they take fifty times as much."""

MAX_VALUES = 2**28
"""Numbers that all nodes compute for one window; 32 members of the most layers that MAX_PARAMETERS allows compute
2 * 10^8 of a window of a thousand days, with any cell. A larger network has no ONNX form and forecasts with Keras."""

CALL_VALUES = 2**27
"""Numbers that all nodes compute in one call, 0.5 GB; larger networks get fewer windows per call."""


@dataclass(frozen=True)
class Shapes:
    """The shapes of a network's inputs and outputs, without the dimension of the windows.

    Attributes:
        inputs: (window, features).
        outputs: (horizon, parameters of the head).
    """

    inputs: tuple[int, int]
    outputs: tuple[int, int]


def check_onnx(content: bytes, *, source: Path, shapes: Shapes | None = None) -> int:
    """Check that a file is a network that stockcast could have exported, and of the right shape.

    Args:
        content: of the file, at most `limits.MAX_NETWORK_BYTES`.
        source: the file, for messages.
        shapes: as the config needs them; None for those of the file.

    Returns:
        The most windows of one call.

    Raises:
        RunError: it is not.
    """
    if _structure_bytes(content) > MAX_STRUCTURE:
        is_large = len(content) > MAX_STRUCTURE
        more = f"without its weights it has more than {MAX_STRUCTURE:,} bytes"
        raise _refused(source, more if is_large else "it is no ONNX file, or only part of one")
    import onnx

    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)  # plain data: nothing is run or followed yet
    except Exception as error:  # protobuf's DecodeError, which has no fixed module
        raise _refused(source, "it is no ONNX file, or only part of one") from error
    if reason := _not_exported(model):
        raise _refused(source, reason)
    inputs = _input_shape(model.graph)
    if inputs is None:
        raise _refused(source, "it does not take one input of windows and give one output")
    if shapes is not None and inputs != shapes.inputs:
        raise _of_another(source, inputs, shapes.inputs, "inputs")
    values, outputs = _computed(model, source=source, batch=1)
    if values > MAX_VALUES:
        raise _refused(source, f"it would compute {values:,} numbers for a window, and {MAX_VALUES:,} is the most")
    if outputs[:1] != (1,) or len(outputs) != 3:
        raise _refused(source, f"its output has the shape {outputs}, where a network's is (windows, horizon, numbers)")
    if shapes is not None and outputs[1:] != shapes.outputs:
        raise _of_another(source, outputs[1:], shapes.outputs, "outputs")
    rows = max(1, min(ROWS, CALL_VALUES // values))
    values, outputs = _computed(model, source=source, batch=rows)
    if values > max(MAX_VALUES, CALL_VALUES) or outputs[0] != rows:
        raise _refused(source, f"its outputs for {rows} windows are not {rows} times those for one")
    return rows


def _refused(source: Path, reason: str) -> RunError:
    return RunError(f"{source} is damaged, or was not exported by stockcast: {reason}. Train again.", file=source)


def _of_another(source: Path, stored: tuple[int, ...], needed: tuple[int, ...], what: str) -> RunError:
    return RunError(
        f"{source} is of another config: its {what} have the shape {stored}, and this run's config needs {needed}. "
        f"Train again.",
        file=source,
        value=stored,
    )


def _not_exported(model: Any) -> str | None:
    """Return the first reason why a model is not an export of stockcast; None if there is none."""
    graph = model.graph
    if model.functions or model.training_info or graph.sparse_initializer or graph.value_info:
        return "it has functions, training steps, sparse weights or declared shapes"
    if any(opset.domain for opset in model.opset_import):
        return "it uses operations that are not ONNX's own"
    widths = {1: 4, 7: 8}  # FLOAT and INT64, as TensorProto.DataType numbers them, and their bytes
    for tensor in graph.initializer:
        if tensor.data_location or tensor.external_data or tensor.HasField("segment"):
            return "its weights lie in another file"
        if tensor.data_type not in widths or min(tensor.dims, default=0) < 0:
            return "it has weights of a strange kind"
        if len(tensor.raw_data) != prod(tensor.dims) * widths[tensor.data_type]:
            return "its weights are not as many as their shape needs"
    constants = {tensor.name for tensor in graph.initializer}
    for node in graph.node:
        if node.domain or node.op_type not in OPERATIONS:
            name = f"{(node.domain + '.').lstrip('.')[:40]}{node.op_type[:40]!r}"
            return f"it has the operation {name}, which this version of stockcast does not export"
        operation = OPERATIONS[node.op_type]
        for attribute in node.attribute:
            # INT, STRING, INTS, as AttributeProto numbers them: no graph, no tensor, nothing that runs
            if attribute.name not in operation.attributes or attribute.type not in (2, 3, 7):
                return f"its operation {node.op_type} has the strange attribute {attribute.name[:40]!r}"
        if operation.computed is not None and not constants.issuperset(filter(None, node.input[operation.computed :])):
            return f"its operation {node.op_type} computes what should be a constant"
    return None


def _input_shape(graph: Any) -> tuple[int, ...] | None:
    """Return the shape of the only input, without the windows' dimension; None if there is not one input and output."""
    names = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in names]
    if len(inputs) != 1 or len(graph.input) != 1 or len(graph.output) != 1:
        return None
    kinds = [value.type.tensor_type.elem_type for value in (*inputs, *graph.output)]
    dims = inputs[0].type.tensor_type.shape.dim
    if kinds != [1, 1] or len(dims) != 3 or dims[0].HasField("dim_value"):
        return None
    return tuple(dim.dim_value for dim in dims[1:])


def _computed(model: Any, *, source: Path, batch: int) -> tuple[int, tuple[int, ...]]:
    """Return how many numbers all nodes compute for a batch of windows, and the output's shape.

    Adds the largest temporary size of any node. Changes the model: large weights, on which no shape depends, are
    dropped.
    """
    from onnx import shape_inference

    graph = model.graph
    for tensor in graph.initializer:
        if prod(tensor.dims) > 64:
            tensor.ClearField("raw_data")
    graph.input[0].type.tensor_type.shape.dim[0].dim_value = batch
    graph.output[0].type.tensor_type.ClearField("shape")
    try:
        inferred = shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True).graph
    except Exception as error:  # onnx has no public family of errors
        raise _refused(source, "its operations do not fit together") from error
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for value in (*inferred.input, *inferred.value_info, *inferred.output):
        tensor = value.type.tensor_type
        if tensor.HasField("shape") and all(dim.HasField("dim_value") for dim in tensor.shape.dim):
            shapes[value.name] = tuple(dim.dim_value for dim in tensor.shape.dim)
    names = [name for node in graph.node for name in node.output if name]
    if any(size < 0 for shape in shapes.values() for size in shape):
        raise _refused(source, "it has negative sizes")
    if unknown := [name for name in names if name not in shapes]:
        raise _refused(source, f"the size of {unknown[0][:60]!r} depends on what it computes")
    temporary = max((_temporary_size(node, shapes) for node in graph.node), default=0)
    return sum(prod(shapes[name]) for name in names) + temporary, shapes.get(graph.output[0].name, ())


def _temporary_size(node: Any, shapes: dict[str, tuple[int, ...]]) -> int:
    """How many numbers a node computes in addition to its outputs."""
    value, weights = (shapes.get(name, (0,)) for name in (*node.input, "", "")[:2])
    if node.op_type in ("LSTM", "GRU", "RNN"):  # every gate of every day, of (days, windows, inputs)
        return prod(value[:2]) * prod(weights[:2])
    if node.op_type == "Conv":  # for every day, all days and inputs that it sees
        return prod(value[:1]) * prod(shapes[node.output[0]][-1:]) * prod(weights[1:])
    return 0


def _structure_bytes(content: bytes) -> int:
    """Count the bytes of a protobuf model that are not raw weights; more than `MAX_STRUCTURE` if they are malformed.

    Two bytes of a file can become a hundred in a parser's memory, so they are counted before they are parsed.
    """
    weights = 0
    fields = 0
    # ModelProto.graph = 7, GraphProto.initializer = 5, TensorProto.raw_data = 9
    pending: list[tuple[int, int, tuple[int, ...]]] = [(0, len(content), (7, 5, 9))]
    while pending:
        place, end, path = pending.pop()
        while place < end:
            fields += 1
            key, place = _varint(content, place, end)
            kind = key & 7
            if kind == 0:
                _, place = _varint(content, place, end)
            elif kind in (1, 5):
                place += 8 if kind == 1 else 4
            elif kind == 2:
                size, place = _varint(content, place, end)
                if key >> 3 == path[0] and place + size <= end:
                    if len(path) == 1:
                        weights += size
                    else:
                        pending.append((place, place + size, path[1:]))
                place += size
            else:
                return MAX_STRUCTURE + 1
            if place > end or 2 * fields > MAX_STRUCTURE:
                return MAX_STRUCTURE + 1
    return len(content) - weights


def _varint(content: bytes, place: int, end: int) -> tuple[int, int]:
    """Read a number of variable length; return it and the place after it, which is beyond `end` if it is cut off."""
    value = 0
    for shift in range(0, 70, 7):
        if place >= end:
            break
        byte = content[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
    return 0, end + 1
