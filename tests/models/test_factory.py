import numpy as np
import pytest

from stockcast.models.factory import build_network, horizon_curves
from stockcast.models.heads import HEADS

HOUSE = {"cell": "lstm", "layers": (50, 100), "dropout": 0.2, "window": 50, "features": 7}


def test_the_house_network_is_lstm_50_lstm_100_dense() -> None:
    network = build_network(**HOUSE, head="student_t", horizon=50)
    kinds = [type(layer).__name__ for layer in network.layers]
    assert kinds[:6] == ["InputLayer", "LSTM", "Dropout", "LSTM", "Dropout", "Dense"]
    assert [layer.units for layer in network.layers if "lstm" in layer.name] == [50, 100]
    # LSTM: 4 gates x units x (inputs + units + 1); dense: 4 curves x 3 parameters from 100 units and a bias
    lstm = 4 * 50 * (7 + 50 + 1) + 4 * 100 * (50 + 100 + 1)
    assert sum(int(np.prod(weight.shape)) for weight in network.trainable_weights) == lstm + 12 * 101


@pytest.mark.parametrize("head", sorted(HEADS))
@pytest.mark.parametrize("horizon", [1, 2, 50])
def test_a_network_answers_every_day_ahead_with_every_parameter(head: str, horizon: int) -> None:
    network = build_network(**{**HOUSE, "layers": (3,)}, head=head, horizon=horizon)
    outputs = network(np.zeros((2, 50, 7), dtype=np.float32))
    assert tuple(outputs.shape) == (2, horizon, HEADS[head].parameters)


def test_the_same_seed_gives_the_same_first_weights() -> None:
    one, same, other = (build_network(**HOUSE, head="point", horizon=1, seed=seed).get_weights() for seed in (3, 3, 4))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one[0], other[0])


def test_curves_over_the_horizon_are_level_slope_bend_and_twist() -> None:
    curves = horizon_curves(50)
    assert curves.shape == (4, 50)
    np.testing.assert_array_equal(curves[0], np.ones(50))
    # at both ends a Legendre polynomial is 1 or (-1)**degree
    np.testing.assert_allclose(curves[:, -1], [1, 1, 1, 1], atol=1e-6)
    np.testing.assert_allclose(curves[:, 0], [1, -1, 1, -1], atol=1e-6)
