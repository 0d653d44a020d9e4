"""What moved a network's outputs, against numbers worked out by hand or by Keras itself."""

import numpy as np
import pytest
from made_networks import DAYS, FEATURES, WINDOW, make_loud_network

from stockcast.models.backend import load_keras
from stockcast.models.explain.activations import run_network
from stockcast.models.explain.attribution import OutputStatistic, saliency

ZEROS = np.zeros_like(WINDOW)


def linear(weights, bias: float):
    keras = load_keras()
    network = keras.Sequential(
        [keras.Input((DAYS, FEATURES)), keras.layers.Flatten(), keras.layers.Dense(1), keras.layers.Reshape((1, 1))]
    )
    network.set_weights([weights.reshape(-1, 1), np.array([bias])])
    return network


FIRST = OutputStatistic(of=lambda outputs: outputs[:, 0, 0], step=0)


def test_of_a_linear_network_each_input_moved_what_its_weight_says() -> None:
    weights = np.arange(DAYS * FEATURES, dtype=np.float32).reshape(DAYS, FEATURES)
    weights[:, 1] = 0  # a feature that is not used
    (result,) = saliency(linear(weights, bias=2.5), WINDOW, baseline=ZEROS + 1, statistics=[FIRST])
    for moved in (result.gradient_x_input, result.integrated):
        np.testing.assert_allclose(moved, weights * (WINDOW - 1), rtol=1e-4, atol=1e-4)
        np.testing.assert_array_equal(moved[:, 1], 0)
    assert result.baseline_value == pytest.approx(weights.sum() + 2.5, rel=1e-6)


def test_a_statistic_that_is_no_output_itself_is_followed_by_the_chain_rule() -> None:
    weights = np.ones((DAYS, FEATURES), dtype=np.float32)
    squared = OutputStatistic(of=lambda outputs: outputs[:, 0, 0] ** 2, step=0)
    (result,) = saliency(linear(weights, bias=0.0), WINDOW, baseline=ZEROS, statistics=[squared])
    total = WINDOW.sum()  # d y^2 / dx is 2 y at the window, and y on average along the way
    np.testing.assert_allclose(result.gradient_x_input, 2 * total * WINDOW, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(result.integrated, total * WINDOW, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("skip_connection", [True, False])
def test_integrated_gradients_add_up_to_the_change_of_the_statistic(skip_connection: bool) -> None:
    """Completeness (Sundararajan, Taly & Yan 2017, proposition 1).

    For functions this smooth the quadrature is exact to 1e-7; what is left is float32, of outputs and slopes, 1e-7 of
    the numbers' own size each, and the differences that measure a statistic's slope, 1e-8. A hundredfold is allowed.
    """
    statistics = [
        OutputStatistic(of=lambda outputs: np.exp(outputs[:, 2, 1]) * outputs[:, 2, 0], step=2),
        OutputStatistic(of=lambda outputs: np.exp(outputs[:, 0, 2]), step=0),
    ]
    network = make_loud_network(skip_connection=skip_connection)
    saliencies = saliency(network, 3 * WINDOW, baseline=ZEROS - 0.5, statistics=statistics)
    outputs = run_network(network, np.array([3 * WINDOW, ZEROS - 0.5])).astype(np.float64)
    for attribution, statistic in zip(saliencies, statistics, strict=True):
        now, before = statistic.of(outputs)
        size = abs(now) + abs(before) + np.abs(attribution.integrated).sum()
        assert attribution.change == pytest.approx(now - before, abs=1e-6 * size)
        assert abs(attribution.change) > 1e-3 * size
        assert abs(attribution.gap) < 1e-5 * size
        # The plain gradient does not add up.
        assert abs(attribution.gradient_x_input.sum() - attribution.change) > 1e-3 * size


def test_several_statistics_are_each_explained_as_if_alone() -> None:
    statistics = [OutputStatistic(of=lambda outputs, p=p: outputs[:, 1, p], step=1) for p in (0, 1)]
    both = saliency(make_loud_network(), WINDOW, baseline=ZEROS, statistics=statistics)
    for attribution, statistic in zip(both, statistics, strict=True):
        (alone,) = saliency(make_loud_network(), WINDOW, baseline=ZEROS, statistics=[statistic])
        np.testing.assert_allclose(attribution.integrated, alone.integrated, rtol=1e-4, atol=1e-7)
