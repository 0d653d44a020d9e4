import numpy as np
import pytest
from scipy import special, stats

from stockcast.forecast import LEVELS
from stockcast.models.backend import load_keras
from stockcast.models.heads import HEADS, LOCATION_UNIT, MAX_LOG_SCALE, log_gamma, student_t_nll

keras = load_keras()


def location(raw: np.ndarray | float) -> np.ndarray | float:
    return LOCATION_UNIT * raw


def scale(raw: np.ndarray | float) -> np.ndarray | float:
    """A Student-t of 5 degrees has a variance of 5/3 scales squared, so at zero the scale is sqrt(0.6) = 0.7746."""
    return np.sqrt(0.6) * np.exp(raw) + 0.001


def degrees(raw: np.ndarray | float) -> np.ndarray | float:
    """5 at zero, never below 2.1: log(1 + exp(raw) x (exp(2.9) - 1)) + 2.1, since exp(2.9) is 18.174145."""
    return np.log(1 + np.exp(raw) * 17.174145) + 2.1


def test_log_gamma_is_scipys() -> None:
    x = np.concatenate([np.linspace(1.0, 3.0, 200), np.geomspace(3.0, 1e4, 200)]).astype(np.float32)
    ours = keras.ops.convert_to_numpy(log_gamma(keras.ops.convert_to_tensor(x)))
    np.testing.assert_allclose(ours, special.gammaln(x), rtol=2e-6, atol=2e-6)


def test_the_gradient_of_log_gamma_is_scipys_digamma() -> None:
    import tensorflow as tf

    x = tf.constant(np.geomspace(1.05, 500, 100), dtype=tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        total = tf.reduce_sum(log_gamma(x))
    np.testing.assert_allclose(tape.gradient(total, x), special.digamma(x), rtol=1e-4, atol=1e-5)


def test_the_student_t_loss_is_scipys_density() -> None:
    random = np.random.default_rng(0)
    outputs = random.normal(size=(20, 3, 3)).astype(np.float32)
    answers = random.normal(size=(20, 3)).astype(np.float32)
    density = stats.t.logpdf(
        answers,
        df=degrees(outputs[..., 2]),
        loc=location(outputs[..., 0]),
        scale=scale(outputs[..., 1]),
    )
    loss = keras.ops.convert_to_numpy(student_t_nll(keras.ops.array(answers), keras.ops.array(outputs)))
    np.testing.assert_allclose(loss, -density.mean(axis=1), rtol=1e-4)


def test_the_student_t_loss_has_the_gradient_that_small_steps_show() -> None:
    import tensorflow as tf

    answers = np.array([[0.3, -1.2, 4.0]])
    outputs = np.array([[[0.5, 0.1, 1.0], [-2.0, -0.7, 3.0], [1.0, 0.4, -2.0]]])
    variable = tf.Variable(outputs)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(student_t_nll(tf.constant(answers), variable))
    gradient = tape.gradient(loss, variable).numpy()
    for place in np.ndindex(outputs.shape):
        step = np.zeros_like(outputs)
        step[place] = 1e-5
        above, below = (
            float(keras.ops.sum(student_t_nll(tf.constant(answers), tf.constant(outputs + sign * step))))
            for sign in (1, -1)
        )
        assert gradient[place] == pytest.approx((above - below) / 2e-5, rel=1e-4, abs=1e-8)


@pytest.mark.parametrize("outputs", [[0.0, -80.0, -80.0], [0.0, 80.0, 80.0], [1e6, 0.0, 0.0]])
def test_extreme_outputs_keep_a_finite_loss_and_finite_quantiles(outputs: list[float]) -> None:
    tensor = np.array([[outputs]], dtype=np.float32)
    loss = keras.ops.convert_to_numpy(
        student_t_nll(keras.ops.array(np.zeros((1, 1), np.float32)), keras.ops.array(tensor))
    )
    assert np.isfinite(loss).all()
    assert np.isfinite(HEADS["student_t"].quantiles(tensor, LEVELS)).all()


def test_student_t_quantiles_are_scipys() -> None:
    outputs = np.array([[[2.0, 0.5, 1.5]]], dtype=np.float32)
    ours = HEADS["student_t"].quantiles(outputs, LEVELS)[0, 0]
    theirs = stats.t.ppf(LEVELS, df=degrees(1.5), loc=location(2.0), scale=scale(0.5))
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7)


def test_an_output_of_zero_is_the_spread_of_one_deviation_with_the_tails_of_five_degrees() -> None:
    # Degrees 5: 97.5 % of a Student-t lie below 2.570582 scales, and sqrt(3/5) scales are one deviation.
    (quantiles,) = HEADS["student_t"].quantiles(np.zeros((1, 1, 3), np.float32), np.array([0.5, 0.975]))
    assert quantiles[0] == pytest.approx([0.0, 2.570582 * (0.6**0.5 + 0.001)], rel=1e-6)


def test_one_more_in_the_scales_output_is_e_times_the_width() -> None:
    outputs = np.array([[[0.0, -1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    (widths,) = HEADS["student_t"].quantiles(outputs, np.array([0.95]))[..., 0]
    assert widths[1:] / widths[:-1] == pytest.approx([np.e, np.e], rel=3e-3)  # but for the least scale of 0.001


def test_a_network_astray_widens_its_bands_so_far_and_no_further() -> None:
    outputs = np.array([[[0.0, raw, 0.0] for raw in (MAX_LOG_SCALE, MAX_LOG_SCALE + 1, 500.0)]])
    (widths,) = HEADS["student_t"].quantiles(outputs, np.array([0.95]))[..., 0]
    assert widths[0] == widths[1] == widths[2]
    answers = np.ones((1, 1))
    losses = [float(student_t_nll(keras.ops.array(answers), keras.ops.array(outputs[:, [i]]))[0]) for i in range(3)]
    assert losses[0] == losses[1] == losses[2]


def test_a_point_says_the_same_number_at_every_level() -> None:
    quantiles = HEADS["point"].quantiles(np.array([[[0.25], [0.5]]]), LEVELS)
    assert quantiles.shape == (1, 2, len(LEVELS))
    assert (quantiles[0, 0] == 0.25).all()
    assert (quantiles[0, 1] == 0.5).all()
