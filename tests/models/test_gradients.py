"""Gradients by hand, on the backend that runs, and on the others where they are installed."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest

from stockcast.errors import StockcastError
from stockcast.models.backend import load_keras
from stockcast.models.gradients import gradient


def test_the_slope_of_a_sum_of_squares_is_twice_the_number() -> None:
    ops = load_keras().ops
    slope = gradient(lambda x: ops.square(x), np.array([[1.0, -2.0], [0.0, 0.5]]))
    np.testing.assert_array_equal(slope, [[2, -4], [0, 1]])
    assert slope.dtype == np.float32


def test_what_the_answer_does_not_depend_on_has_no_slope() -> None:
    ops = load_keras().ops
    np.testing.assert_array_equal(gradient(lambda x: x[:, 0] * 3, np.ones((2, 2))), [[3, 0], [3, 0]])
    np.testing.assert_array_equal(gradient(lambda x: ops.ones((4,)), np.ones(3)), np.zeros(3))


def test_a_backend_without_gradients_is_told_with_those_that_have_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_keras().backend, "backend", lambda: "numpy")
    with pytest.raises(StockcastError, match=r"KERAS_BACKEND=numpy.*tensorflow.*jax or torch"):
        gradient(lambda x: x, np.ones(1))


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_the_other_backends_find_the_same_slope_of_an_lstm(backend: str) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    code = (
        "import numpy as np, keras\n"
        "from stockcast.models.gradients import gradient\n"
        "keras.utils.set_random_seed(0)\n"
        "layer = keras.layers.LSTM(3)\n"
        "x = np.random.default_rng(0).normal(size=(2, 4, 2)).astype('float32')\n"
        "layer(x)\n"
        "layer.set_weights([0.1 * np.arange(one.size).reshape(one.shape) % 1 - 0.5 for one in layer.get_weights()])\n"
        "print(*gradient(lambda at: keras.ops.square(layer(at)), x).ravel())\n"
    )
    slopes = []
    for one in ("tensorflow", backend):
        done = subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "KERAS_BACKEND": one}, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        slopes.append(np.array(done.stdout.split(), dtype=float))
    np.testing.assert_allclose(slopes[1], slopes[0], rtol=1e-4, atol=1e-7)
