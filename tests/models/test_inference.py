from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stockcast.errors import RunError
from stockcast.models.factory import average, build_network
from stockcast.models.heads import HEADS, make_head
from stockcast.models.inference import export_onnx, load_onnx, roll_forward


def build(head: str, horizon: int, *, shortcut: bool = False, seed: int = 0) -> Any:
    return build_network(
        cell="lstm",
        layers=(6, 5),
        dropout=0.2,
        shortcut=shortcut,
        shrinkage=1e-4,
        head=make_head(head),
        window=10,
        features=2,
        horizon=horizon,
        seed=seed,
    )


@pytest.mark.parametrize(
    ("head", "horizon", "shortcut", "members"),
    [
        *((head, horizon, False, 1) for head in HEADS for horizon in (1, 2, 7)),
        ("point", 1, True, 1),
        ("student_t", 1, True, 3),
        ("student_t", 7, True, 3),
    ],
)
def test_an_exported_network_answers_as_keras_does(
    head: str, horizon: int, shortcut: bool, members: int, tmp_path: Path
) -> None:
    network = average([build(head, horizon, shortcut=shortcut, seed=seed) for seed in range(members)])
    inputs = np.random.default_rng(0).normal(size=(33, 10, 2)).astype(np.float32)
    expected = network.predict(inputs, verbose=0)
    export_onnx(network, tmp_path / "model.onnx")
    np.testing.assert_allclose(load_onnx(tmp_path / "model.onnx")(inputs), expected, rtol=1e-5, atol=1e-6)


def test_a_file_that_is_no_network_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not a network")
    with pytest.raises(RunError, match=r"model\.onnx is damaged"):
        load_onnx(tmp_path / "model.onnx")


def test_rolling_forward_feeds_each_forecast_back_as_the_next_days_input() -> None:
    # A network that answers the sum of the last two days: 1, 1 -> 2, 3, 5, 8; and 2, 5 -> 7, 12, 19, 31.
    def fibonacci(windows: np.ndarray) -> np.ndarray:
        return windows[:, -2:, :].sum(axis=1)[:, None, :]

    inputs = np.array([[[9.0], [1.0], [1.0]], [[9.0], [2.0], [5.0]]])
    answers = roll_forward(fibonacci, inputs, steps=4)
    np.testing.assert_array_equal(answers[:, :, 0], [[2, 3, 5, 8], [7, 12, 19, 31]])


def test_several_columns_are_each_fed_back_with_their_own_forecast() -> None:
    # Every column has a law of its own: the first grows by 1, the second doubles, the third is the sum of its last two
    # days, the fourth what the first was two days ago.
    def laws(windows: np.ndarray) -> np.ndarray:
        last, before = windows[:, -1], windows[:, -2]
        grown = [last[:, 0] + 1, 2 * last[:, 1], last[:, 2] + before[:, 2], before[:, 0]]
        return np.stack(grown, axis=1)[:, None]

    inputs = np.array([[[0.0, 9, 1, 9], [1, 1, 1, 9]], [[3, 9, 2, 9], [5, 7, 0, 9]]])
    answers = roll_forward(laws, inputs, steps=4)
    np.testing.assert_array_equal(answers[0], [[2, 2, 2, 0], [3, 4, 3, 1], [4, 8, 5, 2], [5, 16, 8, 3]])
    np.testing.assert_array_equal(answers[1], [[6, 14, 2, 3], [7, 28, 2, 5], [8, 56, 4, 6], [9, 112, 6, 7]])


def test_what_is_fed_back_is_what_the_feed_makes_of_the_answer_and_the_answer_stays() -> None:
    def network(windows: np.ndarray) -> np.ndarray:
        return windows[:, -1:, :1] + np.array([10.0, 20.0])  # two answers from one input

    answers = roll_forward(network, np.zeros((1, 3, 1)), steps=3, feed=lambda said: said[:, 1:] / 2)
    # Inputs 0, then 20 / 2 = 10, then (10 + 20) / 2 = 15.
    np.testing.assert_array_equal(answers[0], [[10, 20], [20, 30], [25, 35]])


def test_rolling_forward_advances_all_origins_in_one_call_a_day() -> None:
    calls = []

    def network(windows: np.ndarray) -> np.ndarray:
        calls.append(len(windows))
        return windows[:, -1:, :]

    roll_forward(network, np.zeros((1000, 5, 1)), steps=6)
    assert calls == [1000] * 6
