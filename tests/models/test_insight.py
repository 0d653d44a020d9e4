"""What is said of a network's inside, against numbers worked out by hand or by Keras itself."""

import numpy as np
import pytest

from stockcast.models.backend import load_keras
from stockcast.models.factory import build_network
from stockcast.models.firing import alike, firing, gru, lstm, run
from stockcast.models.heads import make_head
from stockcast.models.insight import Statement, reach, saliency

DAYS, FEATURES = 6, 3
WINDOW = np.random.default_rng(0).normal(size=(DAYS, FEATURES)).astype(np.float32)
ZEROS = np.zeros_like(WINDOW)


def build(cell: str = "lstm", **changed):
    settings = {"layers": (5, 4), "dropout": 0.1, "shortcut": True, "shrinkage": 0.0, "head": make_head("student_t")}
    network = build_network(
        **{"cell": cell, **settings, "window": DAYS, "features": FEATURES, "horizon": 4, "seed": 0, **changed}
    )
    random = np.random.default_rng(1)  # first weights of the dense layer are next to nothing
    network.set_weights([random.normal(scale=0.7, size=one.shape).astype(np.float32) for one in network.get_weights()])
    return network


def network_of(*layers):
    """A network of hidden layers named `hidden_1`, ..., and one output."""
    keras = load_keras()
    inputs = keras.Input((DAYS, FEATURES))
    hidden = inputs
    for layer in layers:
        hidden = layer(hidden)
    if len(hidden.shape) == 3:
        hidden = hidden[:, -1]
    outputs = keras.layers.Reshape((1, 1))(keras.layers.Dense(1)(hidden))
    return keras.Model(inputs, outputs)


def linear(weights, bias: float):
    keras = load_keras()
    network = keras.Sequential(
        [keras.Input((DAYS, FEATURES)), keras.layers.Flatten(), keras.layers.Dense(1), keras.layers.Reshape((1, 1))]
    )
    network.set_weights([weights.reshape(-1, 1), np.array([bias])])
    return network


FIRST = Statement(of=lambda outputs: outputs[:, 0, 0], step=0)


def test_of_a_linear_network_each_input_moved_what_its_weight_says() -> None:
    weights = np.arange(DAYS * FEATURES, dtype=np.float32).reshape(DAYS, FEATURES)
    weights[:, 1] = 0  # a feature that is not used
    (found,) = saliency(linear(weights, bias=2.5), WINDOW, baseline=ZEROS + 1, statements=[FIRST])
    for moved in (found.gradient_x_input, found.integrated):
        np.testing.assert_allclose(moved, weights * (WINDOW - 1), rtol=1e-4, atol=1e-4)
        np.testing.assert_array_equal(moved[:, 1], 0)
    assert found.baseline_value == pytest.approx(weights.sum() + 2.5, rel=1e-6)


def test_a_statement_that_is_no_output_itself_is_followed_by_the_chain_rule() -> None:
    weights = np.ones((DAYS, FEATURES), dtype=np.float32)
    squared = Statement(of=lambda outputs: outputs[:, 0, 0] ** 2, step=0)
    (found,) = saliency(linear(weights, bias=0.0), WINDOW, baseline=ZEROS, statements=[squared])
    total = WINDOW.sum()  # d y^2 / dx is 2 y at the window, and y on average along the way
    np.testing.assert_allclose(found.gradient_x_input, 2 * total * WINDOW, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(found.integrated, total * WINDOW, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("shortcut", [True, False])
def test_integrated_gradients_add_up_to_the_change_of_what_is_said(shortcut: bool) -> None:
    """Completeness (Sundararajan, Taly & Yan 2017, proposition 1).

    For functions this smooth the quadrature is exact to 1e-7; what is left is float32, of outputs and slopes, 1e-7 of
    the numbers' own size each, and the differences that measure a statement's slope, 1e-8. A hundredfold is allowed.
    """
    statements = [
        Statement(of=lambda outputs: np.exp(outputs[:, 2, 1]) * outputs[:, 2, 0], step=2),
        Statement(of=lambda outputs: np.exp(outputs[:, 0, 2]), step=0),
    ]
    network = build(shortcut=shortcut)
    found = saliency(network, 3 * WINDOW, baseline=ZEROS - 0.5, statements=statements)
    said = run(network, np.array([3 * WINDOW, ZEROS - 0.5])).astype(np.float64)
    for one, statement in zip(found, statements, strict=True):
        now, before = statement.of(said)
        size = abs(now) + abs(before) + np.abs(one.integrated).sum()
        assert one.change == pytest.approx(now - before, abs=1e-6 * size)
        assert abs(one.change) > 1e-3 * size
        assert abs(one.gap) < 1e-5 * size
        assert abs(one.gradient_x_input.sum() - one.change) > 1e-3 * size  # the plain gradient does not add up


def test_several_statements_are_each_explained_as_if_alone() -> None:
    statements = [Statement(of=lambda outputs, p=p: outputs[:, 1, p], step=1) for p in (0, 1)]
    both = saliency(build(), WINDOW, baseline=ZEROS, statements=statements)
    for one, statement in zip(both, statements, strict=True):
        (alone,) = saliency(build(), WINDOW, baseline=ZEROS, statements=[statement])
        np.testing.assert_allclose(one.integrated, alone.integrated, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_the_recurrence_in_numpy_gives_keras_hidden_states(kind: str) -> None:
    keras = load_keras()
    layer = getattr(keras.layers, kind)(5, return_sequences=True)
    expected = np.asarray(layer(WINDOW[None]))
    random = np.random.default_rng(2)
    layer.set_weights([random.normal(size=one.shape) for one in layer.get_weights()])
    expected = np.asarray(layer(WINDOW[None]))[0]
    states, gates = {"LSTM": lstm, "GRU": gru}[kind](layer.get_weights(), WINDOW)
    np.testing.assert_allclose(states, expected, rtol=1e-4, atol=1e-5)
    for opened in gates.values():
        assert opened.shape == states.shape
        assert ((opened > 0) & (opened < 1)).all()


def test_each_gate_goes_by_its_own_name() -> None:
    # With no input and no past, a gate is open as far as its bias says: sigmoid(log 3) is 3/4, of log 1/3 it is 1/4.
    bias = np.log([1 / 3, 3.0, 1.0, 9.0])  # Keras' order: input, forget, candidate, output
    _, gates = lstm([np.zeros((FEATURES, 4)), np.zeros((1, 4)), bias], WINDOW)
    assert {name: opened[0, 0] for name, opened in gates.items()} == pytest.approx(
        {"input": 0.25, "forget": 0.75, "output": 0.9}
    )
    biases = np.array([np.log([3.0, 1 / 3, 1.0]), np.zeros(3)])
    _, gates = gru([np.zeros((FEATURES, 3)), np.zeros((1, 3)), biases], WINDOW)
    assert {name: opened[0, 0] for name, opened in gates.items()} == pytest.approx({"update": 0.75, "reset": 0.25})


def test_a_peephole_lets_its_gate_see_the_memory_the_output_gate_the_new_one() -> None:
    # One unit without inputs: the candidate is tanh(1), and every gate opens to 1/2 while its peephole sees no memory.
    weights = [np.zeros((FEATURES, 4)), np.zeros((1, 4)), np.array([0, 0, 1.0, 0])]
    _, gates = lstm([*weights, np.array([[2.0], [3.0], [4.0]])], WINDOW[:2])
    first = 0.5 * np.tanh(1)
    assert {name: opened[0, 0] for name, opened in gates.items()} == pytest.approx(
        {"input": 0.5, "forget": 0.5, "output": 1 / (1 + np.exp(-4 * first))}
    )
    assert gates["input"][1, 0] == pytest.approx(1 / (1 + np.exp(-2 * first)))
    assert gates["forget"][1, 0] == pytest.approx(1 / (1 + np.exp(-3 * first)))


def test_every_layers_units_are_shown_day_by_day_also_of_the_one_that_hands_on_its_last_day() -> None:
    keras = load_keras()
    network = build()
    first, second = firing(network, WINDOW, cell="lstm")
    assert (first.layer, second.layer) == ("lstm_1", "lstm_2")
    inner = keras.Model(network.input, network.get_layer("lstm_1").output)
    expected = np.asarray(inner(WINDOW[None]))[0]
    np.testing.assert_allclose(first.states, expected, rtol=1e-4, atol=1e-5)
    last = np.asarray(keras.Model(network.input, network.get_layer("lstm_2").output)(WINDOW[None]))[0]
    np.testing.assert_allclose(second.states[-1], last, rtol=1e-4, atol=1e-5)
    assert (second.states.shape, sorted(second.order)) == ((DAYS, 4), [0, 1, 2, 3])
    assert set(second.gates) == {"forget", "input", "output"}
    assert second.note is None


def test_a_recurrence_without_gates_is_stepped_through_and_says_that_it_has_none() -> None:
    keras = load_keras()
    layer = keras.layers.SimpleRNN(4, name="hidden_1")
    (found,) = firing(network_of(layer), WINDOW, cell="hidden")
    kernel, recurrent, bias = layer.get_weights()
    state = np.zeros(4)
    for day, today in enumerate(WINDOW):
        state = np.tanh(today @ kernel + state @ recurrent + bias)
        np.testing.assert_allclose(found.states[day], state, rtol=1e-4, atol=1e-5)
    assert found.gates == {}
    assert "SimpleRNN" in found.note


def test_a_layer_that_reads_both_ways_shows_both_halves() -> None:
    keras = load_keras()
    layer = keras.layers.Bidirectional(keras.layers.LSTM(3, return_sequences=True), name="hidden_1")
    network = network_of(layer)
    (found,) = firing(network, WINDOW, cell="hidden")
    np.testing.assert_allclose(found.states, np.asarray(layer(WINDOW[None]))[0], rtol=1e-4, atol=1e-5)
    assert "Bidirectional" in found.note


def test_a_layer_without_recurrence_shows_its_days_and_says_so() -> None:
    keras = load_keras()
    layer = keras.layers.Conv1D(4, 2, padding="causal", name="hidden_1")
    network = network_of(layer)
    (found,) = firing(network, WINDOW, cell="hidden")
    np.testing.assert_allclose(found.states, np.asarray(layer(WINDOW[None]))[0], rtol=1e-5)
    assert "no recurrence" in found.note
    answers = np.zeros((1, 1), dtype=np.float32)
    assert reach(network, WINDOW[None], answers, cell="hidden", loss=lambda y, o: o[:, 0, 0]) is None


def test_a_layer_of_one_answer_and_a_network_without_hidden_layers_have_no_days_to_show() -> None:
    keras = load_keras()
    flat = network_of(keras.layers.Flatten(), keras.layers.Dense(4, name="hidden_1"))
    (found,) = firing(flat, WINDOW, cell="hidden")
    assert found.states is None
    assert "one answer for the whole window" in found.note
    assert firing(flat, WINDOW, cell="lstm") == ()


def test_units_that_fire_alike_stand_together() -> None:
    rising, falling = np.arange(DAYS), -np.arange(DAYS)
    states = np.array([rising, falling, rising + 0.1, falling - 0.1, rising + 0.2]).T
    order = list(alike(states))
    assert sorted(order) == [0, 1, 2, 3, 4]
    kinds = ["rising" if unit % 2 == 0 else "falling" for unit in order]
    assert kinds in (["rising"] * 3 + ["falling"] * 2, ["falling"] * 2 + ["rising"] * 3)
    assert list(alike(states[:, :1])) == [0]


def test_a_gradient_through_a_simple_recurrence_shrinks_by_its_weight_each_day() -> None:
    keras = load_keras()
    layer = keras.layers.SimpleRNN(1, name="hidden_1")
    network = network_of(layer)
    layer.set_weights([np.zeros((FEATURES, 1)), np.array([[0.5]]), np.zeros(1)])
    network.layers[-2].set_weights([np.array([[3.0]]), np.zeros(1)])
    # h stays 0, where tanh has slope 1: d loss / d h is the dense weight, 3, at the last day, and halves each day back
    windows = np.array([WINDOW, 2 * WINDOW])
    norms = reach(network, windows, np.zeros((2, 1)), cell="hidden", loss=lambda answers, outputs: outputs[:, 0, 0])
    np.testing.assert_allclose(norms, np.tile(3 * 0.5 ** np.arange(DAYS)[::-1], (2, 1)), rtol=1e-5)


def test_the_gradient_at_the_last_day_of_an_lstm_is_the_slope_of_the_loss_in_what_it_hands_on() -> None:
    network = build(shortcut=False, head=make_head("point"))
    norms = reach(network, WINDOW[None], np.zeros((1, 4)), cell="lstm", loss=lambda answers, outputs: outputs[:, 0, 0])
    kernel = network.get_layer("dense").get_weights()[0]  # units to coefficients, which curves turn into days
    curves = network.get_layer("curves").get_weights()[0]
    np.testing.assert_allclose(norms[0, -1], np.linalg.norm(kernel @ curves[:, 0]), rtol=1e-4)
    assert (norms > 0).all()
