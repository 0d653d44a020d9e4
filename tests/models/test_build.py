from typing import Any

import numpy as np
import pytest
from made_networks import make_network
from scipy import stats

from stockcast.models.build import average, horizon_curves, logits_model
from stockcast.models.heads import HEADS, make_head
from stockcast.models.heads.student_t import LOCATION_UNIT

HOUSE: dict[str, Any] = {
    "cell": "lstm",
    "layers": (50, 100),
    "dropout": 0.2,
    "skip_connection": False,
    "output_l2": 0.0,
    "window": 50,
    "features": 7,
}
SMALL = {**HOUSE, "layers": (3,), "window": 4, "features": 2}


def windows(count: int = 5) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 4, 2)).astype(np.float32)


def test_the_house_network_is_lstm_50_lstm_100_dense() -> None:
    network = make_network(**HOUSE, head=make_head("student_t"), horizon=50)
    kinds = [type(layer).__name__ for layer in network.layers]
    assert kinds[:6] == ["InputLayer", "LSTM", "Dropout", "LSTM", "Dropout", "Dense"]
    assert [layer.units for layer in network.layers if "lstm" in layer.name] == [50, 100]
    # LSTM: 4 gates x units x (inputs + units + 1); dense: 3 curves x 3 parameters from 100 units and a bias
    lstm = 4 * 50 * (7 + 50 + 1) + 4 * 100 * (50 + 100 + 1)
    assert sum(int(np.prod(weight.shape)) for weight in network.trainable_weights) == lstm + 9 * 101


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("horizon", [1, 2, 50])
def test_a_network_has_an_output_for_every_parameter_of_every_day_ahead(head: str, horizon: int) -> None:
    network = make_network(**{**HOUSE, "layers": (3,)}, head=make_head(head), horizon=horizon)
    outputs = network(np.zeros((2, 50, 7), dtype=np.float32))
    assert tuple(outputs.shape) == (2, horizon, make_head(head).parameters)


@pytest.mark.parametrize("horizon", [1, 2, 50])
def test_a_network_has_an_output_for_every_column_of_every_day_ahead(horizon: int) -> None:
    network = make_network(**{**HOUSE, "layers": (3,)}, head=make_head("point", columns=4), horizon=horizon)
    assert tuple(network(np.zeros((2, 50, 7), dtype=np.float32)).shape) == (2, horizon, 4)


def test_the_same_seed_gives_the_same_first_weights() -> None:
    first, same, other = (
        make_network(**HOUSE, head=make_head("point"), horizon=1, seed=seed).get_weights() for seed in (3, 3, 4)
    )
    assert all(np.array_equal(a, b) for a, b in zip(first, same, strict=True))
    assert not np.array_equal(first[0], other[0])


def test_curves_over_the_horizon_are_level_slope_and_bend() -> None:
    curves = horizon_curves(50)
    assert curves.shape == (3, 50)
    np.testing.assert_array_equal(curves[0], np.ones(50))
    # at both ends a Legendre polynomial is 1 or (-1)**degree
    np.testing.assert_allclose(curves[:, -1], [1, 1, 1], atol=1e-6)
    np.testing.assert_allclose(curves[:, 0], [1, -1, 1], atol=1e-6)


@pytest.mark.parametrize("horizon", [1, 7])
def test_with_a_skip_connection_the_last_days_inputs_reach_the_outputs_past_the_recurrent_layers(horizon: int) -> None:
    network = make_network(**{**SMALL, "skip_connection": True}, head=make_head("point"), horizon=horizon)
    dense = network.get_layer("dense")
    weights, bias = (np.zeros(array.shape, np.float32) for array in dense.get_weights())
    assert weights.shape[0] == 3 + 2  # what the recurrent layer remembers, then the two features
    weights[4, 0] = 1  # the first coefficient, the level, is the second feature
    dense.set_weights([weights, bias])
    inputs = windows()
    outputs = np.asarray(network(inputs))[:, :, 0]
    np.testing.assert_allclose(outputs, np.repeat(inputs[:, -1, 1:], horizon, axis=1), rtol=1e-6)


def test_without_a_skip_connection_the_outputs_come_from_the_recurrent_layers_alone() -> None:
    network = make_network(**SMALL, head=make_head("point"), horizon=1)
    assert network.get_layer("dense").get_weights()[0].shape == (3, 1)


@pytest.mark.parametrize("horizon", [1, 7])
def test_output_l2_adds_the_dense_layers_squared_weights_to_the_loss_times_itself(horizon: int) -> None:
    network = make_network(**{**SMALL, "output_l2": 0.25}, head=make_head("point"), horizon=horizon)
    dense = network.get_layer("dense")
    weights, bias = dense.get_weights()
    dense.set_weights([np.full(weights.shape, 2.0), np.full(bias.shape, 9.0)])
    # 0.25 x 2**2 for each weight, and nothing for the bias, the curves or the recurrent layers
    assert [float(loss) for loss in network.losses] == [weights.size]


def test_without_output_l2_nothing_is_added_to_the_loss() -> None:
    assert make_network(**SMALL, head=make_head("point"), horizon=7).losses == []


def test_a_density_starts_near_its_outputs_at_zero_and_a_point_anywhere() -> None:
    density, point = (make_network(**HOUSE, head=make_head(head), horizon=50) for head in ("student_t", "point"))
    assert np.abs(density.get_layer("dense").get_weights()[0]).max() < 0.06
    assert np.abs(point.get_layer("dense").get_weights()[0]).max() > 0.1


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("horizon", [1, 7])
def test_the_average_of_several_networks_has_the_mean_of_their_outputs(head: str, horizon: int) -> None:
    members = [make_network(**SMALL, head=make_head(head), horizon=horizon, seed=seed) for seed in (1, 2, 3)]
    first, second, third = (np.asarray(member(windows())) for member in members)
    assert not np.allclose(first, second)
    together = average(members)
    assert together.input_shape == members[0].input_shape
    np.testing.assert_allclose(np.asarray(together(windows())), (first + second + third) / 3, rtol=1e-5, atol=1e-7)


def test_the_average_of_student_ts_has_the_mean_location_and_the_geometric_mean_of_the_scales() -> None:
    members = [make_network(**SMALL, head=make_head("student_t"), horizon=1, seed=seed) for seed in (1, 2)]
    for member, (place, spread) in zip(members, ((1.0, 0.0), (3.0, 2.0)), strict=True):
        weights, bias = member.get_layer("dense").get_weights()
        member.get_layer("dense").set_weights([0 * weights, np.array([place, spread, 0.0], bias.dtype)])
    quantiles = make_head("student_t").quantiles
    assert quantiles is not None
    (median, upper) = quantiles(np.asarray(average(members)(windows(1))), np.array([0.5, 0.9]))[0, 0]
    assert median == pytest.approx(2 * LOCATION_UNIT)  # the mean of 1 and 3
    # Scales 0.7746 and e**2 times that: the geometric mean is e times 0.7746; 90 % of a t of 5 lie below 1.475884.
    assert upper - median == pytest.approx(1.475884 * (np.e * 0.6**0.5 + 0.001), rel=1e-5)


def test_the_average_of_one_network_is_that_network() -> None:
    network = make_network(**SMALL, head=make_head("point"), horizon=1)
    assert average([network]) is network


@pytest.mark.parametrize(("classes", "activation"), [(2, "sigmoid"), (3, "softmax")])
@pytest.mark.parametrize("horizon", [1, 7])
def test_the_last_layer_of_a_direction_is_its_activation(classes: int, activation: str, horizon: int) -> None:
    network = make_network(**SMALL, head=make_head("direction", classes=classes), horizon=horizon)
    last = network.layers[-1]
    assert (type(last).__name__, last.activation.__name__, last.name) == ("Activation", activation, "direction")
    outputs = np.asarray(network(windows()))
    assert (outputs > 0).all()
    assert (outputs < 1).all()
    if classes == 3:
        np.testing.assert_allclose(outputs.sum(axis=-1), 1, rtol=1e-6)


@pytest.mark.parametrize("horizon", [1, 7])
def test_the_loss_is_told_logits_and_the_logits_model_shares_the_networks_weights(horizon: int) -> None:
    network = make_network(**SMALL, head=make_head("direction"), horizon=horizon)
    trained = logits_model(network)
    logits = np.asarray(trained(windows()), np.float64)
    np.testing.assert_allclose(np.asarray(network(windows())), 1 / (1 + np.exp(-logits)), rtol=1e-5)
    trained.set_weights([weight + 0.1 for weight in trained.get_weights()])
    assert all(np.array_equal(a, b) for a, b in zip(network.get_weights(), trained.get_weights(), strict=True))


def test_the_logits_model_of_a_network_without_an_activation_is_all_of_it() -> None:
    network = make_network(**SMALL, head=make_head("student_t"), horizon=7)
    assert logits_model(network) is network


@pytest.mark.parametrize("horizon", [1, 7])
def test_a_histogram_begins_as_the_student_t_of_five_degrees_that_its_unit_says(horizon: int) -> None:
    network = make_network(**SMALL, head=make_head("histogram"), horizon=horizon)
    dense = network.get_layer("dense")
    dense.set_weights([np.zeros_like(dense.get_weights()[0]), dense.get_weights()[1]])
    shares = np.asarray(network(windows(1)), np.float64)[0]
    assert shares.shape == (horizon, 52)
    # The variance of t(5) is 5/3, so one deviation is 1.2910 of its own units. The bin from 0 to 0.2 deviations:
    np.testing.assert_allclose(shares[:, 26], stats.t.cdf(0.2 * np.sqrt(5 / 3), df=5) - 0.5, rtol=1e-5)
    np.testing.assert_allclose(shares[:, 0], stats.t.cdf(-5 * np.sqrt(5 / 3), df=5), rtol=1e-4)
    np.testing.assert_allclose(shares, shares[:, ::-1], rtol=1e-4)


def test_probabilities_of_several_networks_are_averaged_as_probabilities() -> None:
    members = [make_network(**SMALL, head=make_head("direction"), horizon=1, seed=seed) for seed in (1, 2)]
    for member, logit in zip(members, (0.0, np.log(9)), strict=True):
        weights, bias = member.get_layer("dense").get_weights()
        member.get_layer("dense").set_weights([0 * weights, np.full_like(bias, logit)])
    # one gives 0.5, the other 9 : 1, so 0.9
    assert np.asarray(average(members)(windows(1))).item() == pytest.approx(0.7, rel=1e-6)
