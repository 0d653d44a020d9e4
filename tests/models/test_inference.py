import numpy as np

from stockcast.models.inference import predict_recursive


def test_each_forecast_is_fed_back_as_the_next_days_input() -> None:
    # A network that forecasts the sum of the last two days: 1, 1 -> 2, 3, 5, 8; and 2, 5 -> 7, 12, 19, 31.
    def fibonacci(windows: np.ndarray) -> np.ndarray:
        return windows[:, -2:, :].sum(axis=1)[:, None, :]

    inputs = np.array([[[9.0], [1.0], [1.0]], [[9.0], [2.0], [5.0]]])
    outputs = predict_recursive(fibonacci, inputs, steps=4)
    np.testing.assert_array_equal(outputs[:, :, 0], [[2, 3, 5, 8], [7, 12, 19, 31]])


def test_several_columns_are_each_fed_back_with_their_own_forecast() -> None:
    # Every column has a law of its own: the first grows by 1, the second doubles, the third is the sum of its last two
    # days, the fourth what the first was two days ago.
    def laws(windows: np.ndarray) -> np.ndarray:
        last, before = windows[:, -1], windows[:, -2]
        grown = [last[:, 0] + 1, 2 * last[:, 1], last[:, 2] + before[:, 2], before[:, 0]]
        return np.stack(grown, axis=1)[:, None]

    inputs = np.array([[[0.0, 9, 1, 9], [1, 1, 1, 9]], [[3, 9, 2, 9], [5, 7, 0, 9]]])
    outputs = predict_recursive(laws, inputs, steps=4)
    np.testing.assert_array_equal(outputs[0], [[2, 2, 2, 0], [3, 4, 3, 1], [4, 8, 5, 2], [5, 16, 8, 3]])
    np.testing.assert_array_equal(outputs[1], [[6, 14, 2, 3], [7, 28, 2, 5], [8, 56, 4, 6], [9, 112, 6, 7]])


def test_what_is_fed_back_is_made_of_the_outputs_and_the_outputs_stay() -> None:
    def network(windows: np.ndarray) -> np.ndarray:
        return windows[:, -1:, :1] + np.array([10.0, 20.0])  # two outputs from one input

    outputs = predict_recursive(network, np.zeros((1, 3, 1)), steps=3, feed_back=lambda outputs: outputs[:, 1:] / 2)
    # Inputs 0, then 20 / 2 = 10, then (10 + 20) / 2 = 15.
    np.testing.assert_array_equal(outputs[0], [[10, 20], [20, 30], [25, 35]])


def test_all_origins_advance_in_one_call_a_day() -> None:
    calls = []

    def network(windows: np.ndarray) -> np.ndarray:
        calls.append(len(windows))
        return windows[:, -1:, :]

    predict_recursive(network, np.zeros((1000, 5, 1)), steps=6)
    assert calls == [1000] * 6
