"""Gradients by hand, on the backend that runs, and on the others where they are installed."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest
from made_networks import DAYS, FEATURES, WINDOW, make_loud_network, stack

from stockcast.errors import StockcastError
from stockcast.models.backend import load_keras
from stockcast.models.explain.gradients import gradient, gradient_through_time
from stockcast.models.heads import make_head


def test_the_slope_of_a_sum_of_squares_is_twice_the_number() -> None:
    ops = load_keras().ops
    slope = gradient(lambda x: ops.square(x), np.array([[1.0, -2.0], [0.0, 0.5]]))
    np.testing.assert_array_equal(slope, [[2, -4], [0, 1]])
    assert slope.dtype == np.float32


def test_what_the_result_does_not_depend_on_has_no_slope() -> None:
    ops = load_keras().ops
    np.testing.assert_array_equal(gradient(lambda x: x[:, 0] * 3, np.ones((2, 2))), [[3, 0], [3, 0]])
    np.testing.assert_array_equal(gradient(lambda x: ops.ones((4,)), np.ones(3)), np.zeros(3))


def test_a_backend_without_gradients_is_refused_with_those_that_have_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_keras().backend, "backend", lambda: "numpy")
    with pytest.raises(StockcastError, match="jax") as error:
        gradient(lambda x: x, np.ones(1))
    assert (error.value.key, error.value.value) == ("KERAS_BACKEND", "numpy")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_the_other_backends_find_the_same_slope_of_an_lstm(backend: str) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    code = (
        "import numpy as np, keras\n"
        "from stockcast.models.explain.gradients import gradient\n"
        "keras.utils.set_random_seed(0)\n"
        "layer = keras.layers.LSTM(3)\n"
        "x = np.random.default_rng(0).normal(size=(2, 4, 2)).astype('float32')\n"
        "layer(x)\n"
        "layer.set_weights([0.1 * np.arange(w.size).reshape(w.shape) % 1 - 0.5 for w in layer.get_weights()])\n"
        "print(*gradient(lambda at: keras.ops.square(layer(at)), x).ravel())\n"
    )
    slopes = []
    for name in ("tensorflow", backend):
        done = subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "KERAS_BACKEND": name}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        slopes.append(np.array(done.stdout.split(), dtype=float))
    np.testing.assert_allclose(slopes[1], slopes[0], rtol=1e-4, atol=1e-7)


def test_a_layer_without_recurrence_has_no_gradient_through_time() -> None:
    network = stack(load_keras().layers.Conv1D(4, 2, padding="causal", name="hidden_1"))
    targets = np.zeros((1, 1), dtype=np.float32)
    norms = gradient_through_time(
        network, WINDOW[None], targets, cell="hidden", loss=lambda targets, outputs: outputs[:, 0, 0]
    )
    assert norms is None


def test_a_gradient_through_a_simple_recurrence_shrinks_by_its_weight_each_day() -> None:
    keras = load_keras()
    layer = keras.layers.SimpleRNN(1, name="hidden_1")
    network = stack(layer)
    layer.set_weights([np.zeros((FEATURES, 1)), np.array([[0.5]]), np.zeros(1)])
    network.layers[-2].set_weights([np.array([[3.0]]), np.zeros(1)])
    # h stays 0, where tanh has slope 1: d loss / d h is the dense weight, 3, at the last day, and halves each day back
    windows = np.array([WINDOW, 2 * WINDOW])
    norms = gradient_through_time(
        network, windows, np.zeros((2, 1)), cell="hidden", loss=lambda targets, outputs: outputs[:, 0, 0]
    )
    np.testing.assert_allclose(norms, np.tile(3 * 0.5 ** np.arange(DAYS)[::-1], (2, 1)), rtol=1e-5)


def test_the_gradient_at_the_last_day_of_an_lstm_is_the_slope_of_the_loss_in_what_it_hands_on() -> None:
    network = make_loud_network(skip_connection=False, head=make_head("point"))
    norms = gradient_through_time(
        network, WINDOW[None], np.zeros((1, 4)), cell="lstm", loss=lambda targets, outputs: outputs[:, 0, 0]
    )
    kernel = network.get_layer("dense").get_weights()[0]  # units to coefficients, which curves turn into days
    curves = network.get_layer("curves").get_weights()[0]
    np.testing.assert_allclose(norms[0, -1], np.linalg.norm(kernel @ curves[:, 0]), rtol=1e-4)
    assert (norms > 0).all()
