"""What the hidden units did while a network read a window, against numbers worked out by hand or by Keras itself."""

import numpy as np
import pytest
from made_networks import DAYS, FEATURES, WINDOW, make_loud_network, stack

from stockcast.models.backend import load_keras
from stockcast.models.explain.activations import layer_activations, run_gru, run_lstm, similarity_order


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_the_recurrence_in_numpy_gives_keras_hidden_states(kind: str) -> None:
    keras = load_keras()
    layer = getattr(keras.layers, kind)(5, return_sequences=True)
    expected = np.asarray(layer(WINDOW[None]))
    random = np.random.default_rng(2)
    layer.set_weights([random.normal(size=weight.shape) for weight in layer.get_weights()])
    expected = np.asarray(layer(WINDOW[None]))[0]
    states, gates = {"LSTM": run_lstm, "GRU": run_gru}[kind](layer.get_weights(), WINDOW)
    np.testing.assert_allclose(states, expected, rtol=1e-4, atol=1e-5)
    for opened in gates.values():
        assert opened.shape == states.shape
        assert ((opened > 0) & (opened < 1)).all()


def test_each_gate_goes_by_its_own_name() -> None:
    # With no input and no past, a gate is open as far as its bias says: sigmoid(log 3) is 3/4, of log 1/3 it is 1/4.
    bias = np.log([1 / 3, 3.0, 1.0, 9.0])  # Keras' order: input, forget, candidate, output
    _, gates = run_lstm([np.zeros((FEATURES, 4)), np.zeros((1, 4)), bias], WINDOW)
    assert {name: opened[0, 0] for name, opened in gates.items()} == pytest.approx(
        {"input": 0.25, "forget": 0.75, "output": 0.9}
    )
    biases = np.array([np.log([3.0, 1 / 3, 1.0]), np.zeros(3)])
    _, gates = run_gru([np.zeros((FEATURES, 3)), np.zeros((1, 3)), biases], WINDOW)
    assert {name: opened[0, 0] for name, opened in gates.items()} == pytest.approx({"update": 0.75, "reset": 0.25})


def test_a_peephole_lets_its_gate_see_the_memory_the_output_gate_the_new_one() -> None:
    # One unit without inputs: the candidate is tanh(1), and every gate opens to 1/2 while its peephole sees no memory.
    weights = [np.zeros((FEATURES, 4)), np.zeros((1, 4)), np.array([0, 0, 1.0, 0])]
    _, gates = run_lstm([*weights, np.array([[2.0], [3.0], [4.0]])], WINDOW[:2])
    first = 0.5 * np.tanh(1)
    assert {name: opened[0, 0] for name, opened in gates.items()} == pytest.approx(
        {"input": 0.5, "forget": 0.5, "output": 1 / (1 + np.exp(-4 * first))}
    )
    assert gates["input"][1, 0] == pytest.approx(1 / (1 + np.exp(-2 * first)))
    assert gates["forget"][1, 0] == pytest.approx(1 / (1 + np.exp(-3 * first)))


def test_every_layers_units_are_shown_day_by_day_also_of_the_one_that_hands_on_its_last_day() -> None:
    keras = load_keras()
    network = make_loud_network()
    first, second = layer_activations(network, WINDOW, cell="lstm")
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
    (layer_states,) = layer_activations(stack(layer), WINDOW, cell="hidden")
    kernel, recurrent, bias = layer.get_weights()
    state = np.zeros(4)
    for day, today in enumerate(WINDOW):
        state = np.tanh(today @ kernel + state @ recurrent + bias)
        np.testing.assert_allclose(layer_states.states[day], state, rtol=1e-4, atol=1e-5)
    assert layer_states.gates == {}
    assert "SimpleRNN" in layer_states.note


def test_a_layer_that_reads_both_ways_shows_both_directions() -> None:
    keras = load_keras()
    layer = keras.layers.Bidirectional(keras.layers.LSTM(3, return_sequences=True), name="hidden_1")
    network = stack(layer)
    (layer_states,) = layer_activations(network, WINDOW, cell="hidden")
    np.testing.assert_allclose(layer_states.states, np.asarray(layer(WINDOW[None]))[0], rtol=1e-4, atol=1e-5)
    assert "Bidirectional" in layer_states.note


def test_a_layer_without_recurrence_shows_its_days_and_says_so() -> None:
    keras = load_keras()
    layer = keras.layers.Conv1D(4, 2, padding="causal", name="hidden_1")
    network = stack(layer)
    (layer_states,) = layer_activations(network, WINDOW, cell="hidden")
    np.testing.assert_allclose(layer_states.states, np.asarray(layer(WINDOW[None]))[0], rtol=1e-5)
    assert "no recurrence" in layer_states.note


def test_a_layer_of_one_output_and_a_network_without_hidden_layers_have_no_days_to_show() -> None:
    keras = load_keras()
    flat = stack(keras.layers.Flatten(), keras.layers.Dense(4, name="hidden_1"))
    (layer_states,) = layer_activations(flat, WINDOW, cell="hidden")
    assert layer_states.states is None
    assert "one output for the whole window" in layer_states.note
    assert layer_activations(flat, WINDOW, cell="lstm") == ()


def test_units_that_are_active_alike_stand_together() -> None:
    rising, falling = np.arange(DAYS), -np.arange(DAYS)
    states = np.array([rising, falling, rising + 0.1, falling - 0.1, rising + 0.2]).T
    order = list(similarity_order(states))
    assert sorted(order) == [0, 1, 2, 3, 4]
    kinds = ["rising" if unit % 2 == 0 else "falling" for unit in order]
    assert kinds in (["rising"] * 3 + ["falling"] * 2, ["falling"] * 2 + ["rising"] * 3)
    assert list(similarity_order(states[:, :1])) == [0]
