"""Hostile files for a run, each made by a function of (run, outside): its directory, and one that it must not touch.

Where a file has a place in run.json, its hash there is put right afterwards: somebody who means harm can do that too.
"""

import io
import json
import os
import pickle
import zipfile
from itertools import pairwise
from pathlib import Path

import h5py
import joblib
import numpy as np
from onnx import TensorProto, helper, numpy_helper

ESCAPE = "\x1b]0;owned\x07\x1b[2J"


class Payload:
    """Unpickled, it makes a file."""

    def __init__(self, canary):
        self.canary = canary

    def __reduce__(self):
        return os.mkdir, (str(self.canary),)


def text(name, content):
    """A file with this text; {canary} in it is the path that its payload would make."""

    def make(run, outside):
        (run / name).parent.mkdir(exist_ok=True)
        (run / name).write_text(content.replace("{canary}", str(outside / "canary")), encoding="utf-8")

    return make


def config(more):
    def make(run, outside):
        path = run / "config.yaml"
        path.write_text(path.read_text() + more.replace("{canary}", str(outside / "canary")))

    return make


def config_with(old, new):
    def make(run, outside):
        path = run / "config.yaml"
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return make


def changed_json(name, change):
    def make(run, outside):
        value = json.loads((run / name).read_text())
        change(value)
        (run / name).write_text(json.dumps(value))

    return make


def sparse(name, size):
    def make(run, outside):
        with (run / name).open("wb") as stream:
            stream.truncate(size)

    return make


def pickled(name):
    return lambda run, outside: (run / name).write_bytes(pickle.dumps(Payload(outside / "canary")))


def joblibbed(name):
    return lambda run, outside: joblib.dump(Payload(outside / "canary"), run / name, compress=True)


def object_arrays(name):
    """An npz file whose arrays are pickles, as numpy writes objects."""
    things = np.array([Payload("canary")], dtype=object)
    return lambda run, outside: np.savez(run / name, dates=things, inputs=things, outputs=things)


def other_answers(name):
    """What a network of twice as many inputs would have said."""

    def make(run, outside):
        arrays = dict(np.load(run / name))
        np.savez(run / name, **{**arrays, "inputs": np.tile(arrays["inputs"], 2)})

    return make


def keras_lambda(name):
    """A .keras archive whose config has a Lambda layer."""

    def make(run, outside):
        layer = {"class_name": "Lambda", "config": {"function": f"__import__('os').mkdir('{outside / 'canary'}')"}}
        with zipfile.ZipFile(run / name, "w") as archive:
            archive.writestr("config.json", json.dumps({"class_name": "Sequential", "config": {"layers": [layer]}}))

    return make


def zip_traversal(run, outside):
    with zipfile.ZipFile(run / "model.onnx", "w") as archive:
        archive.writestr("../../../outside/canary", "out")


def zip_bomb(run, outside):
    with zipfile.ZipFile(run / "model.onnx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model", b"\0" * 50_000_000)


def hdf5_link(name):
    def make(run, outside):
        (run / name).unlink()
        with h5py.File(run / name, "w") as stored:
            stored["weights"] = h5py.ExternalLink(str(outside / "secret"), "/")

    return make


def linked(name, target=""):
    def make(run, outside):
        (run / name).unlink(missing_ok=True) if not (run / name).is_dir() else (run / name).rename(outside / name)
        (run / name).symlink_to(outside / target if target else outside)

    return make


def without_onnx(harm=lambda run, outside: None):
    """Nothing for ONNX Runtime, so that Keras must read the weights."""

    def make(run, outside):
        (run / "model.onnx").unlink()
        harm(run, outside)

    return make


def pipe(name):
    def make(run, outside):
        (run / name).unlink()
        os.mkfifo(run / name)

    return make


def elsewhere(run, outside):
    run.rename(outside / "mine")
    run.symlink_to(outside / "mine")


def rivals(*contents):
    """Kept rivals replaced, one by each function of (its array, outside) to bytes."""

    def make(run, outside):
        paths = sorted((run / "rivals").glob("*.npy"))
        assert len(paths) == len(contents)
        for path, content in zip(paths, contents, strict=True):
            path.write_bytes(content(np.load(path), outside))

    return make


def object_array(array, outside):
    stream = io.BytesIO()
    np.save(stream, np.array([Payload(outside / "canary")], dtype=object), allow_pickle=True)
    return stream.getvalue()


def header_bomb(array, outside):
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, {"descr": "<f4", "fortran_order": False, "shape": (10**6, 10**6)})
    return stream.getvalue() + b"\0" * 64


def pickle_bytes(array, outside):
    return pickle.dumps(Payload(outside / "canary"))


# Networks.


def number_list(name, *values):
    return numpy_helper.from_array(np.array(values, dtype=np.int64), name)


def floats(name, *shape):
    return numpy_helper.from_array(np.zeros(shape, dtype=np.float32), name)


def network(nodes, initializers=(), *, window=5, features=2, functions=(), domains=("",), outputs=(3, 3)):
    """A graph of windows of 5 days and 2 features whose value `y` is to be its output."""
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", window, features])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", *outputs])],
        list(initializers),
    )
    opsets = [helper.make_opsetid(domain, 15 if not domain else 1) for domain in domains]
    return helper.make_model(graph, opset_imports=opsets, functions=list(functions), ir_version=8)


def onnx_file(make_model):
    return lambda run, outside: (run / "model.onnx").write_bytes(make_model().SerializeToString())


def node(kind, inputs, outputs=("y",), **attributes):
    return helper.make_node(kind, list(inputs), list(outputs), **attributes)


def endless_loop():
    body = helper.make_graph(
        [node("Identity", ["go"], ["go_on"]), node("Identity", ["v"], ["w"])],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, None),
        ],
    )
    most, go = number_list("most", 2**62), numpy_helper.from_array(np.array(True), "go0")
    return network([node("Loop", ["most", "go0", "x"], body=body)], [most, go])


def branch():
    then = helper.make_graph([node("Identity", ["x"], ["t"])], "then", [],
                             [helper.make_tensor_value_info("t", TensorProto.FLOAT, None)])  # fmt: skip
    go = numpy_helper.from_array(np.array(True), "go")
    return network([node("If", ["go"], then_branch=then, else_branch=then)], [go])


def constant_of_shape():
    return network([node("ConstantOfShape", ["size"])], [number_list("size", 10**6, 10**6)])


def expand():
    return network([node("Expand", ["one", "size"])], [floats("one", 1), number_list("size", 1, 10**6, 10**6)])


def reshape_by_a_computed_size():
    """Nothing that is computed may say how large something is."""
    nodes = [node("Slice", ["sizes", "from", "to"], ["size"]), node("Reshape", ["x", "size"])]
    return network(nodes, [number_list("sizes", -1, 1, 10, 7), number_list("from", 0), number_list("to", 3)])


def cast_and_expand():
    """The prices themselves say how large."""
    nodes = [
        node("Reshape", ["x", "flat"], ["r"]),
        node("Slice", ["r", "from", "to"], ["s"]),
        node("Cast", ["s"], ["size"], to=7),
        node("Expand", ["one", "size"]),
    ]
    return network(nodes, [floats("one", 1), number_list("flat", -1), number_list("from", 0), number_list("to", 3)])


def recurrent(kind="LSTM", *, gates=4, units=3, weights=None, days=(), **attributes):
    """A layer of this many units, by its own word, with weights for three."""
    sizes = {"w": (1, gates * 3, 2), "r": (1, gates * 3, 3), "b": (1, 2 * gates * 3), **(weights or {})}
    nodes = [
        node("Transpose", ["x"], ["d"], perm=[1, 0, 2]),
        node(kind, ["d", "w", "r", "b", *days], hidden_size=units, **attributes),
    ]
    return network(nodes, [floats(name, *shape) for name, shape in sizes.items()], outputs=(1, 3, 3))


def recurrent_of_too_many_units(kind):
    return lambda: recurrent(kind, units=10**12)


def recurrent_with_too_many_gates():
    """A step needs room for every gate of every day before ONNX Runtime finds that the weights do not fit."""
    return recurrent(weights={"w": (10**9, 1, 0)})


def recurrent_with_a_graph():
    body = helper.make_graph([node("Identity", ["v"], ["w"])], "body", [], [])
    return recurrent(body=body)


def recurrent_with_another_activation():
    return recurrent(activations=["Affine", "Tanh", "Tanh"], activation_alpha=[1e38])


def recurrent_of_computed_weights():
    model = recurrent()
    model.graph.node.insert(0, node("Add", ["w", "w"], ["computed"]))
    model.graph.node[2].input[1] = "computed"
    return model


def convolution(*, kernel=(3, 2, 2), **attributes):
    nodes = [node("Transpose", ["x"], ["d"], perm=[0, 2, 1]), node("Conv", ["d", "w"], **attributes)]
    return network(nodes, [floats("w", *kernel)])


def convolution_with_endless_padding():
    return convolution(pads=[10**12, 0])


def convolution_with_too_much_room():
    """One number out for every day, but a step that sees a million days for each."""
    return convolution(kernel=(1, 2, 10**6), pads=[10**6 + 10**5, 0])


def convolution_in_groups():
    return convolution(group=2)


def doubled_forty_times():
    names = ["x", *(f"v{n}" for n in range(39)), "y"]
    return network([node("Concat", [one, one], [two], axis=1) for one, two in pairwise(names)])


def outer_product():
    return network([node("MatMul", ["a", "b"])], [floats("a", 1, 300_000, 1), floats("b", 1, 1, 300_000)])


def custom_operation():
    return network([node("Payload", ["x"], domain="com.example")], domains=("", "com.example"))


def function_of_its_own():
    function = helper.make_function("com.example", "F", ["a"], ["b"], [node("Identity", ["a"], ["b"])],
                                    [helper.make_opsetid("", 15)])  # fmt: skip
    return network([node("F", ["x"], domain="com.example")], functions=[function], domains=("", "com.example"))


def external_data():
    model = network([node("Add", ["x", "secret"])], [floats("secret", 1)])
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../../outside/secret")
    return model


def of_other_windows():
    return network([node("MatMul", ["x", "w"])], [floats("w", 2, 3)], window=7)


def of_other_answers():
    return network([node("MatMul", ["x", "w"])], [floats("w", 2, 3)])


def no_numbers():
    picked = [number_list("from", 0), number_list("to", 3), number_list("axis", 1)]
    nan = numpy_helper.from_array(np.full((2, 3), np.nan, np.float32), "w")
    return network([node("Slice", ["x", "from", "to", "axis"], ["s"]), node("MatMul", ["s", "w"])], [nan, *picked])


def truncated(run, outside):
    content = (run / "model.onnx").read_bytes()
    (run / "model.onnx").write_bytes(content[: len(content) // 2])


def many_empty_nodes(run, outside):
    """Two bytes a node: 40 MB would be 20 million of them in a parser's memory."""
    nodes = b"\x0a\x00" * 20_000_000
    size, digits = len(nodes), []
    while size:
        size, low = size >> 7, size & 127
        digits.append(low | (128 if size else 0))
    (run / "model.onnx").write_bytes(b"\x3a" + bytes(digits) + nodes)


def put_hashes_right(run: Path):
    """Let run.json list what is there now, as a sender who means harm would."""
    import hashlib

    path = run / "run.json"
    if path.is_symlink() or run.is_symlink() or not path.is_file() or path.stat().st_size > 10**6:
        return
    try:
        manifest = json.loads(path.read_text())
        for name in manifest["files"]:
            if (run / name).is_file() and (run / name).stat().st_size < 10**9:
                manifest["files"][name] = hashlib.sha256((run / name).read_bytes()).hexdigest()
    except (ValueError, TypeError, KeyError, RecursionError, AttributeError):
        return
    path.write_text(json.dumps(manifest))
