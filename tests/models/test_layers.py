from itertools import product
from typing import Any

import numpy as np
import pytest
from made_networks import make_network

from stockcast.models.backend import load_keras
from stockcast.models.build import count_weights
from stockcast.models.heads import make_head
from stockcast.models.layers import CELLS, LayerPosition, count_layer_weights, stack_layers
from stockcast.models.settings import NetworkSettings

SIZES: dict[str, Any] = {"dropout": 0.0, "output_l2": 0.0, "window": 6, "features": 2, "head": make_head("student_t")}
LAYERED = sorted(set(CELLS) - {"linear"})


def windows(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def stacked(cell: str, layers: tuple[int, ...], *, window: int, features: int = 2, dropout: float = 0.0) -> Any:
    keras = load_keras()
    keras.utils.set_random_seed(0)
    inputs = keras.Input((window, features))
    return keras.Model(inputs, stack_layers(inputs, cell, layers, window=window, dropout=dropout))


def logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def peephole_days(days: np.ndarray, units: int, weights: dict[str, np.ndarray]) -> np.ndarray:
    """Gers & Schmidhuber (2000), gate by gate and day by day: outputs of shape (days, units)."""
    hidden, memory, outputs = np.zeros(units), np.zeros(units), []
    for day in days:

        def drive(gate: str, day: np.ndarray = day, hidden: np.ndarray = hidden) -> np.ndarray:
            return day @ weights[f"W_{gate}"] + hidden @ weights[f"U_{gate}"] + weights[f"b_{gate}"]

        into = logistic(drive("in") + weights["p_in"] * memory)
        forget = logistic(drive("forget") + weights["p_forget"] * memory)
        memory = forget * memory + into * np.tanh(drive("cell"))
        hidden = logistic(drive("out") + weights["p_out"] * memory) * np.tanh(memory)
        outputs.append(hidden)
    return np.array(outputs)


@pytest.mark.parametrize("sequences", [True, False])
def test_the_peephole_cell_follows_the_papers_equations(sequences: bool) -> None:
    keras = load_keras()
    from stockcast.models.peephole import PeepholeCell

    units, random = 4, np.random.default_rng(1)
    sizes = {"W": (3, units), "U": (units, units), "b": (units,)}
    weights = {f"{part}_{gate}": random.normal(size=size)
               for part, size in sizes.items() for gate in ("in", "forget", "cell", "out")}  # fmt: skip
    weights |= {f"p_{gate}": random.normal(size=units) for gate in ("in", "forget", "out")}
    layer = keras.layers.RNN(PeepholeCell(units), return_sequences=sequences)
    layer.build((None, 7, 3))
    layer.set_weights(
        [
            np.concatenate([weights[f"{part}_{gate}"] for gate in ("in", "forget", "cell", "out")], axis=-1)
            for part in "WUb"
        ]
        + [np.stack([weights[f"p_{gate}"] for gate in ("in", "forget", "out")])]
    )
    days = random.normal(size=(7, 3))
    expected = peephole_days(days, units, weights)
    hidden = np.asarray(layer(days[None].astype(np.float32)))[0]
    np.testing.assert_allclose(hidden, expected if sequences else expected[-1], rtol=1e-5, atol=1e-6)


def test_a_peephole_lstm_begins_as_an_lstm_of_the_same_other_weights() -> None:
    lstm, peephole = (stacked(cell, (4,), window=9) for cell in ("lstm", "peephole_lstm"))
    first = peephole.get_weights()
    np.testing.assert_array_equal(first[2], lstm.get_weights()[2])  # the biases: one for the forget gate
    peephole.set_weights([*lstm.get_weights(), first[3]])
    inputs = windows(5, 9, 2)
    np.testing.assert_allclose(np.asarray(peephole(inputs)), np.asarray(lstm(inputs)), rtol=1e-5, atol=1e-7)


def test_each_of_the_three_peepholes_is_trained() -> None:
    keras = load_keras()
    network = stacked("peephole_lstm", (4,), window=9)
    network.compile(optimizer=keras.optimizers.SGD(1.0), loss="mse", jit_compile=False)
    network.fit(windows(8, 9, 2), np.ones((8, 4), np.float32), verbose=0)
    peepholes = network.layers[1].cell.get_weights()[3]
    assert peepholes.shape == (3, 4)
    assert np.all(np.abs(peepholes).max(axis=1) > 0)


@pytest.mark.parametrize("cell", LAYERED)
@pytest.mark.parametrize("layers", [(3,), (3, 2), (2, 3, 2)])
def test_a_cell_stacks_with_dropout_after_each_layer_and_hands_on_one_output(
    cell: str, layers: tuple[int, ...]
) -> None:
    network = stacked(cell, layers, window=6, dropout=0.5)
    names = [layer.name for layer in network.layers]
    assert [name for name in names if name.startswith((cell, "dropout"))] == [
        name for number in range(1, len(layers) + 1) for name in (f"{cell}_{number}", f"dropout_{number}")
    ]
    assert network.output_shape == (None, CELLS[cell].width * layers[-1])
    quiet, loud = (np.asarray(network(windows(40, 6, 2), training=training)) for training in (False, True))
    assert not np.allclose(quiet, loud)


@pytest.mark.parametrize(
    ("window", "layers", "kernel_size", "dilations"),
    [
        (50, 2, 8, [1, 8]),  # 8 x 8 = 64 days, where 7 x 7 = 49 would miss one
        (50, 1, 50, [1]),
        (49, 2, 7, [1, 7]),
        (64, 6, 2, [1, 2, 4, 8, 16, 32]),  # WaveNet's
        (1, 3, 1, [1, 1, 1]),
        (1000, 3, 10, [1, 10, 100]),
    ],
)
def test_convolutions_are_as_short_as_let_the_last_layer_see_the_window(
    window: int, layers: int, kernel_size: int, dilations: list[int]
) -> None:
    stack = [LayerPosition(number, layers, window, "conv") for number in range(1, layers + 1)]
    assert {position.kernel_size for position in stack} == {kernel_size}
    assert [position.dilation for position in stack] == dilations


@pytest.mark.parametrize(("window", "layers"), [(1, (2,)), (2, (2, 2)), (7, (2, 2)), (10, (3,)), (9, (2, 2, 2))])
def test_convolutions_see_every_day_of_the_window(window: int, layers: tuple[int, ...]) -> None:
    network = stacked("conv", layers, window=window)
    # No unit may rest, or a day could go unseen for another reason.
    network.set_weights([np.full(array.shape, 0.5, np.float32) for array in network.get_weights()])
    inputs = np.ones((1, window, 2), np.float32)
    before = np.asarray(network(inputs))
    for day in range(window):
        changed = inputs.copy()
        changed[0, day] += 1
        assert np.all(np.asarray(network(changed)) > before), f"day {day} is not seen"


def test_no_day_of_a_convolution_sees_a_later_one() -> None:
    keras = load_keras()
    network = stacked("conv", (3, 2), window=8)
    days = keras.Model(network.input, network.get_layer("conv_2").output)  # before the last day is taken
    inputs = windows(1, 8, 2)
    changed = inputs.copy()
    changed[0, 5] += 1
    before, after = np.asarray(days(inputs)), np.asarray(days(changed))
    np.testing.assert_array_equal(before[0, :5], after[0, :5])
    assert before.shape == (1, 8, 2)


def test_the_last_day_is_all_that_its_layers_see() -> None:
    network = stacked("last_day", (3, 2), window=6)
    first, first_bias, second, second_bias, *_ = network.get_weights()
    inputs = windows(5, 6, 2)
    by_hand = np.tanh(np.tanh(inputs[:, -1] @ first + first_bias) @ second + second_bias)
    np.testing.assert_allclose(np.asarray(network(inputs)), by_hand, rtol=1e-5)
    earlier = inputs.copy()
    earlier[:, :-1] = 7.0
    np.testing.assert_array_equal(np.asarray(network(earlier)), np.asarray(network(inputs)))


def test_a_linear_network_is_one_weighted_sum_of_the_window() -> None:
    network = make_network(
        **{**SIZES, "head": make_head("point")}, cell="linear", layers=(), skip_connection=False, horizon=1
    )
    inputs = windows(5, 6, 2)
    weights, bias = network.get_weights()
    assert weights.shape == (6 * 2, 1)
    outputs = np.asarray(network(inputs))[:, 0, 0]
    np.testing.assert_allclose(outputs, inputs.reshape(5, 12) @ weights[:, 0] + bias[0], rtol=1e-5)


def test_a_bidirectional_network_reads_the_window_from_both_ends() -> None:
    network = stacked("bidirectional_lstm", (3,), window=6)
    weights = network.get_weights()
    network.set_weights([*weights[:3], *weights[:3]])  # the same in both directions
    inputs = windows(4, 6, 2)
    forward, backward = np.split(np.asarray(network(inputs)), 2, axis=-1)
    turned, _ = np.split(np.asarray(network(inputs[:, ::-1])), 2, axis=-1)
    np.testing.assert_allclose(backward, turned, rtol=1e-5, atol=1e-7)
    assert not np.allclose(forward, backward)


@pytest.mark.parametrize(
    ("cell", "layers"),
    [*product(LAYERED, [(3,), (5, 4, 2)]), ("linear", ())],
)
@pytest.mark.parametrize(("horizon", "skip_connection"), [(1, False), (2, True), (7, True)])
def test_the_weights_that_a_network_trains_are_counted_without_building_it(
    cell: str, layers: tuple[int, ...], horizon: int, skip_connection: bool
) -> None:
    network = make_network(**SIZES, cell=cell, layers=layers, skip_connection=skip_connection, horizon=horizon)
    settings = NetworkSettings(cell=cell, layers=layers, skip_connection=skip_connection)
    counted = count_weights(settings, window=6, features=2, horizon=horizon, parameters=3)
    assert counted == sum(int(np.prod(weight.shape)) for weight in network.trainable_weights)


def test_counting_an_absurd_stack_takes_no_time() -> None:
    trained, width = count_layer_weights("bidirectional_lstm", (2048,) * 8, window=1000, features=32)
    # 8 gates x units x (inputs + units + 1), the first layer from 32 inputs, the others from twice 2048
    assert trained == 8 * 2048 * (32 + 2049) + 7 * 8 * 2048 * (4096 + 2049)
    assert width == 4096
