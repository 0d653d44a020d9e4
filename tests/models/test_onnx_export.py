"""Networks written as ONNX: the numbers of Keras, the same bytes every time, nothing that our own check refuses."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from made_networks import make_network

from stockcast.errors import ExportError, RunError
from stockcast.models.backend import load_keras
from stockcast.models.build import average
from stockcast.models.heads import HEADS, make_head
from stockcast.models.layers import CELLS
from stockcast.models.onnx.export import export_onnx, to_onnx_bytes
from stockcast.models.onnx.layers import ACTIVATIONS
from stockcast.models.onnx.session import load_onnx
from stockcast.models.onnx.verify import OPERATIONS, check_onnx


def build(cell: str, *, layers: tuple[int, ...] | None = None, seed: int = 0, horizon: int = 3, **changes: Any) -> Any:
    stack = layers if layers is not None else () if cell == "linear" else (4, 3)
    settings = {"dropout": 0.2, "skip_connection": False, "output_l2": 0.0, "head": make_head("student_t"), **changes}
    return make_network(cell=cell, layers=stack, window=7, features=2, horizon=horizon, seed=seed, **settings)


def assert_same(network: Any, folder: Path) -> None:
    """The exported network has the outputs of Keras."""
    inputs = np.random.default_rng(0).normal(size=(9, *network.input_shape[1:])).astype(np.float32)
    export_onnx(network, folder / "model.onnx")
    outputs = load_onnx(folder / "model.onnx")(inputs)
    np.testing.assert_allclose(outputs, network.predict_on_batch(inputs), rtol=1e-5, atol=1e-6)


def of_layers(*layers: Any, shape: tuple[int, ...] = (6, 2)) -> Any:
    keras = load_keras()
    inputs = keras.Input(shape)
    hidden = inputs
    for layer in layers:
        hidden = layer(hidden)
    return keras.Model(inputs, hidden)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    ("layers", "members", "changes"),
    [
        ((5,), 1, {"horizon": 1, "head": make_head("point")}),
        ((4, 3), 3, {"skip_connection": True}),
        ((2, 4, 3), 1, {"horizon": 2}),
    ],
)
def test_every_cell_has_the_outputs_of_keras(
    cell: str, layers: tuple[int, ...], members: int, changes: dict[str, Any], tmp_path: Path
) -> None:
    stack = () if cell == "linear" else layers
    network = average([build(cell, layers=stack, seed=seed, **changes) for seed in range(members)])
    if cell == "peephole_lstm":  # they begin at zero, where any order is right
        for variable in network.trainable_variables:
            if variable.name == "peepholes":
                variable.assign(np.random.default_rng(1).normal(size=variable.shape))
    assert_same(network, tmp_path)


@pytest.mark.parametrize(
    ("head", "horizon", "skip_connection", "members"),
    [
        *((head, horizon, False, 1) for head in HEADS for horizon in (1, 2, 7)),
        ("point", 1, True, 1),
        ("student_t", 1, True, 3),
        ("student_t", 7, True, 3),
    ],
)
def test_every_head_has_the_outputs_of_keras(
    head: str, horizon: int, skip_connection: bool, members: int, tmp_path: Path
) -> None:
    sizes: dict[str, Any] = {"window": 10, "features": 2, "horizon": horizon, "layers": (6, 5), "dropout": 0.2}
    settings = {**sizes, "cell": "lstm", "skip_connection": skip_connection, "output_l2": 1e-4, "head": make_head(head)}
    network = average([make_network(**settings, seed=seed) for seed in range(members)])
    inputs = np.random.default_rng(0).normal(size=(33, 10, 2)).astype(np.float32)
    expected = network.predict(inputs, verbose=0)
    export_onnx(network, tmp_path / "model.onnx")
    np.testing.assert_allclose(load_onnx(tmp_path / "model.onnx")(inputs), expected, rtol=1e-5, atol=1e-6)


def test_a_file_that_is_no_network_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not a network")
    with pytest.raises(RunError, match="ONNX") as error:
        load_onnx(tmp_path / "model.onnx")
    assert error.value.file == str(tmp_path / "model.onnx")


@pytest.mark.parametrize("cell", CELLS)
def test_the_same_weights_make_the_same_bytes(cell: str) -> None:
    first, again, other = (to_onnx_bytes(average([build(cell, seed=seed), build(cell, seed=9)])) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def operations(network: Any) -> list[str]:
    model = onnx.ModelProto.FromString(to_onnx_bytes(network))
    return [node.op_type for node in model.graph.node]


def test_a_stack_of_recurrent_layers_turns_its_window_once() -> None:
    assert operations(build("lstm")).count("Transpose") == 2  # the window, and the outputs over the horizon
    assert operations(build("gru", layers=(4, 3, 2))).count("Transpose") == 2


def test_what_is_dropped_in_training_and_what_no_output_depends_on_leaves_no_trace() -> None:
    keras = load_keras()
    written = operations(of_layers(keras.layers.Dropout(0.5), keras.layers.LSTM(3), keras.layers.Reshape((1, 3))))
    assert written == ["Transpose", "LSTM", "Reshape", "Reshape"]


def test_the_check_of_files_knows_the_operations_that_are_written_and_no_others() -> None:
    keras = load_keras()
    written: set[str] = set()
    for cell in CELLS:
        written.update(operations(average([build(cell, skip_connection=True), build(cell)])))
    for name in ACTIVATIONS:
        written.update(operations(of_layers(keras.layers.Activation(name))))
    written.update(operations(of_layers(lambda days: days[:, 2:4])))
    assert written == set(OPERATIONS)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("kind", ["Activation", "Dense"])
def test_activations_have_the_outputs_of_keras(name: str, kind: str, tmp_path: Path) -> None:
    keras = load_keras()
    layer = keras.layers.Activation(name) if kind == "Activation" else keras.layers.Dense(3, activation=name)
    assert_same(of_layers(layer), tmp_path)


@pytest.mark.parametrize(
    "pick",
    [
        lambda days: days[:, -1:],
        lambda days: days[:, 1:3],
        lambda days: days[:, :, :1],
        lambda days: days[:, 2:, -1:],
        lambda days: days[:, :-2],
    ],
)
def test_what_is_picked_out_is_the_same(pick: Any, tmp_path: Path) -> None:
    assert_same(of_layers(pick), tmp_path)


def test_layers_of_no_cell_that_heads_are_made_of_have_the_outputs_of_keras(tmp_path: Path) -> None:
    keras = load_keras()
    inputs = keras.Input((6, 2))
    flat = keras.layers.Flatten()(inputs)
    four, two = keras.layers.Dense(4)(flat), keras.layers.Dense(2, use_bias=False)(flat)
    both = keras.layers.Concatenate()([keras.layers.Activation("softmax")(four), two])
    outputs = keras.layers.Permute((2, 1))(keras.layers.Reshape((3, -1))(both))
    assert_same(keras.Model(inputs, outputs), tmp_path)


def test_a_layer_without_an_onnx_form_is_named_in_the_error() -> None:
    keras = load_keras()
    with pytest.raises(ExportError, match="evened"):
        to_onnx_bytes(of_layers(keras.layers.LayerNormalization(name="evened")))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda layers: layers.GRU(3, reset_after=False), "reset_after = False"),
        (lambda layers: layers.LSTM(3, activation="relu"), "activation = 'relu'"),
        (lambda layers: layers.SimpleRNN(3, go_backwards=True), "go_backwards = True"),
        (lambda layers: layers.Bidirectional(layers.LSTM(3), merge_mode="sum"), "'sum'"),
        (lambda layers: layers.RNN(layers.LSTMCell(3)), "LSTMCell"),
        (lambda layers: layers.Conv1D(3, 2), "padding = 'valid'"),
        (lambda layers: layers.Dense(3, activation="gelu"), "'gelu'"),
    ],
)
def test_a_layer_that_is_set_otherwise_is_refused_not_written_wrong(make: Any, words: str) -> None:
    with pytest.raises(ExportError, match=words):
        to_onnx_bytes(of_layers(make(load_keras().layers)))


def test_a_layer_that_is_called_twice_is_refused() -> None:
    twice = load_keras().layers.Dense(2, name="again")
    with pytest.raises(ExportError, match="again"):
        to_onnx_bytes(of_layers(twice, twice))


def test_an_export_with_other_outputs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = to_onnx_bytes(build("gru", seed=1))
    monkeypatch.setattr("stockcast.models.onnx.export.to_onnx_bytes", lambda network: other)
    with pytest.raises(ExportError, match="differ"):
        export_onnx(build("gru", seed=2), tmp_path / "model.onnx")


@pytest.mark.parametrize("cell", CELLS)
def test_what_a_step_needs_beside_its_outputs_is_counted(cell: str) -> None:
    # Of a thousand windows at a time for the house network, fewer where one window takes more.
    small = check_onnx(to_onnx_bytes(build(cell)), source=Path("model.onnx"))
    assert small == 1024
    large = make_network(
        cell=cell, layers=() if cell == "linear" else (256,), dropout=0, skip_connection=False, output_l2=0,
        head=make_head("student_t"), window=1000, features=32, horizon=3,
    )  # fmt: skip
    rows = check_onnx(to_onnx_bytes(large), source=Path("model.onnx"))
    # Gates, or what a convolution sees, of every day of every window: none may need more than half a gigabyte.
    gates = {"simple_rnn": 1, "gru": 3, "lstm": 4, "peephole_lstm": 4, "bidirectional_lstm": 8}
    room = {"linear": 32 * 1000, "last_day": 256, "conv": 32 * 1000 * 1000}.get(cell, gates.get(cell, 0) * 256 * 1000)
    assert 1 <= rows <= max(1, 2**27 // room)
