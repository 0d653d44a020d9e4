import numpy as np
import pytest
from arch.univariate import SkewStudent
from scipy import special, stats
from sklearn.metrics import log_loss, mean_pinball_loss

from stockcast.errors import RunError
from stockcast.forecast import LEVELS
from stockcast.models.backend import load_keras
from stockcast.models.heads import LOSSES, make_head
from stockcast.models.heads.student_t import LOCATION_UNIT, MAX_LOG_SCALE, log_gamma, student_t_nll

keras = load_keras()


def quantiles_of(name: str, outputs: np.ndarray, levels: np.ndarray, **options: bool) -> np.ndarray:
    quantiles = make_head(name, **options).quantiles
    assert quantiles is not None
    return quantiles(outputs, levels)


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
    targets = random.normal(size=(20, 3)).astype(np.float32)
    density = stats.t.logpdf(
        targets,
        df=degrees(outputs[..., 2]),
        loc=location(outputs[..., 0]),
        scale=scale(outputs[..., 1]),
    )
    loss = keras.ops.convert_to_numpy(student_t_nll(keras.ops.array(targets), keras.ops.array(outputs)))
    np.testing.assert_allclose(loss, -density.mean(axis=1), rtol=1e-4)


def test_the_student_t_loss_has_the_gradient_that_small_steps_show() -> None:
    import tensorflow as tf

    targets = np.array([[0.3, -1.2, 4.0]])
    outputs = np.array([[[0.5, 0.1, 1.0], [-2.0, -0.7, 3.0], [1.0, 0.4, -2.0]]])
    variable = tf.Variable(outputs)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(student_t_nll(tf.constant(targets), variable))
    gradient = tape.gradient(loss, variable).numpy()
    for place in np.ndindex(outputs.shape):
        step = np.zeros_like(outputs)
        step[place] = 1e-5
        above, below = (
            float(keras.ops.sum(student_t_nll(tf.constant(targets), tf.constant(outputs + sign * step))))
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
    assert np.isfinite(quantiles_of("student_t", tensor, LEVELS)).all()


def test_student_t_quantiles_are_scipys() -> None:
    outputs = np.array([[[2.0, 0.5, 1.5]]], dtype=np.float32)
    ours = quantiles_of("student_t", outputs, LEVELS)[0, 0]
    theirs = stats.t.ppf(LEVELS, df=degrees(1.5), loc=location(2.0), scale=scale(0.5))
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-7)


def test_an_output_of_zero_is_the_spread_of_one_deviation_with_the_tails_of_five_degrees() -> None:
    # Degrees 5: 97.5 % of a Student-t lie below 2.570582 scales, and sqrt(3/5) scales are one deviation.
    (quantiles,) = quantiles_of("student_t", np.zeros((1, 1, 3), np.float32), np.array([0.5, 0.975]))
    assert quantiles[0] == pytest.approx([0.0, 2.570582 * (0.6**0.5 + 0.001)], rel=1e-6)


def test_one_more_in_the_scales_output_is_e_times_the_width() -> None:
    outputs = np.array([[[0.0, -1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]])
    (widths,) = quantiles_of("student_t", outputs, np.array([0.95]))[..., 0]
    assert widths[1:] / widths[:-1] == pytest.approx([np.e, np.e], rel=3e-3)  # but for the least scale of 0.001


def test_a_network_astray_widens_its_bands_so_far_and_no_further() -> None:
    outputs = np.array([[[0.0, raw, 0.0] for raw in (MAX_LOG_SCALE, MAX_LOG_SCALE + 1, 500.0)]])
    (widths,) = quantiles_of("student_t", outputs, np.array([0.95]))[..., 0]
    assert widths[0] == widths[1] == widths[2]
    targets = np.ones((1, 1))
    losses = [float(student_t_nll(keras.ops.array(targets), keras.ops.array(outputs[:, [i]]))[0]) for i in range(3)]
    assert losses[0] == losses[1] == losses[2]


def test_a_point_says_the_same_number_at_every_level() -> None:
    quantiles = quantiles_of("point", np.array([[[0.25], [0.5]]]), LEVELS)
    assert quantiles.shape == (1, 2, len(LEVELS))
    assert (quantiles[0, 0] == 0.25).all()
    assert (quantiles[0, 1] == 0.5).all()


# --- Every head -------------------------------------------------------------------------------------------------------

ALL = [
    ("point", {"loss": "mse"}),
    ("point", {"loss": "mae"}),
    ("point", {"loss": "huber"}),
    ("point", {"loss": "msle"}),
    ("student_t", {}),
    ("skewed_t", {}),
    ("quantile", {}),
    ("quantile", {"of_prices": True}),
    ("histogram", {"loss": "categorical_crossentropy"}),
    ("histogram", {"loss": "kl_divergence"}),
    ("direction", {"classes": 2}),
    ("direction", {"classes": 3}),
]


def test_every_loss_of_every_head_is_among_the_cases() -> None:
    cased = {name: [options.get("loss") for other, options in ALL if other == name] for name, _ in ALL}
    assert set(cased) == set(LOSSES)
    for name in ("point", "histogram"):
        assert tuple(cased[name]) == LOSSES[name]


@pytest.mark.parametrize(("name", "options"), ALL)
@pytest.mark.parametrize("size", [30.0, 1e3, 1e5])
def test_extreme_outputs_leave_loss_and_gradient_finite(name: str, options: dict, size: float) -> None:
    import tensorflow as tf

    head = make_head(name, **options)
    random = np.random.default_rng(0)
    signs = random.choice([-1.0, 0.0, 1.0], size=(60, 2, head.parameters))
    outputs = tf.Variable((size * signs).astype(np.float32))
    targets = tf.constant(np.tile([[-40.0, 0.0], [0.3, 40.0], [-1e-7, 1e-7]], (20, 1)).astype(np.float32))
    with tf.GradientTape() as tape:
        losses = head.loss(targets, outputs)
        total = tf.reduce_sum(losses)
    assert losses.shape == (60,)
    assert np.isfinite(losses.numpy()).all()
    assert np.isfinite(tape.gradient(total, outputs).numpy()).all()


@pytest.mark.parametrize(("name", "options"), [case for case in ALL if case[0] != "direction"])
def test_quantiles_never_cross_and_are_finite_whatever_the_network_says(name: str, options: dict) -> None:
    head = make_head(name, **options)
    outputs = np.random.default_rng(0).normal(scale=30, size=(40, 3, head.parameters)).astype(np.float32)
    if head.activation == "softmax":
        outputs = special.softmax(outputs, axis=-1)
    assert head.quantiles is not None
    quantiles = head.quantiles(outputs, LEVELS)
    assert quantiles.shape == (40, 3, len(LEVELS))
    assert np.isfinite(quantiles).all()
    assert (np.diff(quantiles, axis=-1) >= 0).all()


@pytest.mark.parametrize("name", ["student_t", "skewed_t", "quantile", "histogram"])
def test_heads_with_a_start_begin_with_the_same_distribution(name: str) -> None:
    """That of a Student-t of 5 degrees and variance 1, whose 95 % quantile is 2.015048 x sqrt(3/5)."""
    head = make_head(name)
    assert head.start is not None
    start = np.array(head.start)[None, None]
    if head.activation == "softmax":
        start = special.softmax(start, axis=-1)
    assert head.quantiles is not None
    low, middle, high = head.quantiles(start, np.array([0.05, 0.5, 0.95]))[0, 0]
    assert middle == pytest.approx(0, abs=1e-9)
    assert (low, high) == pytest.approx((-1.560849, 1.560849), abs=1e-2)


def fitted(name: str, targets: np.ndarray, *, steps: int = 300, **options: object) -> np.ndarray:
    """The outputs for one day ahead that gradient descent finds for these targets, shape (parameters,)."""
    import tensorflow as tf

    head = make_head(name, **options)
    outputs = tf.Variable(np.array(head.start or (0.0,) * head.parameters, np.float32))
    optimizer = keras.optimizers.Adam(0.05)
    column = tf.constant(targets.astype(np.float32)[:, None])

    @tf.function
    def step() -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(head.loss(column, tf.broadcast_to(outputs, (len(targets), 1, head.parameters))))
        optimizer.apply([tape.gradient(loss, outputs)], [outputs])

    for _ in range(steps):
        step()
    return outputs.numpy().astype(np.float64)


@pytest.mark.parametrize(
    ("loss", "truth"),
    [("mse", 2.2), ("mae", 1.0), ("msle", np.expm1(np.mean(np.log1p([0.5, 1, 1, 1.5, 7]))))],
)
def test_the_best_point_is_the_mean_the_median_or_the_mean_of_logarithms(loss: str, truth: float) -> None:
    targets = np.array([0.5, 1.0, 1.0, 1.5, 7.0])  # mean 11 / 5, median 1
    assert fitted("point", targets, loss=loss).item() == pytest.approx(truth, abs=0.03)


def test_the_best_point_of_huber_lies_where_the_bounded_misses_add_up_to_nothing() -> None:
    # At x = 1.5: -1, -0.5, -0.5, 0 and the miss of 5.5, which counts as 1: together -1. At 1.25: -0.75 - 0.25 - 0.25 +
    # 0.25 + 1 = 0.
    assert fitted("point", np.array([0.5, 1.0, 1.0, 1.5, 7.0]), loss="huber").item() == pytest.approx(1.25, abs=0.01)


def test_gradient_descent_finds_the_skewed_t_that_numbers_were_drawn_from() -> None:
    drawn = SkewStudent(seed=np.random.default_rng(1)).simulate([6.0, -0.4])(8_000)
    outputs = fitted("skewed_t", 0.05 + 1.5 * drawn)
    low, high = SkewStudent().ppf(np.array([0.05, 0.95]), [6.0, -0.4])
    quantiles = quantiles_of("skewed_t", outputs[None, None], np.array([0.05, 0.95]))[0, 0]
    assert quantiles == pytest.approx([0.05 + 1.5 * low, 0.05 + 1.5 * high], abs=0.06)
    assert 0.9 * np.tanh(outputs[3]) == pytest.approx(-0.4, abs=0.05)


def test_gradient_descent_finds_the_quantiles_of_what_numbers_were_drawn_from() -> None:
    targets = np.random.default_rng(0).gamma(2.0, 1.0, size=4_000)
    outputs = fitted("quantile", targets, of_prices=True)
    quantiles = quantiles_of("quantile", outputs[None, None], LEVELS, of_prices=True)[0, 0]
    assert quantiles[3:-3] == pytest.approx(stats.gamma.ppf(LEVELS[3:-3], 2.0), abs=0.12)


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "kl_divergence"])
def test_gradient_descent_finds_the_shares_of_the_bins(loss: str) -> None:
    targets = np.random.default_rng(0).normal(0.5, 1.0, size=4_000)
    shares = special.softmax(fitted("histogram", targets, loss=loss))
    # kl_divergence spreads each target by a normal of 0.15, and so the whole by sqrt(1 + 0.15**2)
    spread = np.hypot(1, 0.15 if loss == "kl_divergence" else 0)
    truth = np.diff(stats.norm.cdf([-np.inf, *np.linspace(-5, 5, 51), np.inf], 0.5, spread))
    assert shares == pytest.approx(truth, abs=0.015)


def test_gradient_descent_finds_the_shares_of_days_that_went_up() -> None:
    targets = np.array([-1.0] * 30 + [2.0] * 70)
    assert special.expit(fitted("direction", targets)).item() == pytest.approx(0.7, abs=1e-3)


def test_gradient_descent_finds_the_shares_of_down_flat_and_up() -> None:
    targets = np.array([-1.0] * 20 + [-0.3, 0.3] * 25 + [2.0] * 30)
    outputs = fitted("direction", targets, classes=3, threshold=0.4)
    assert special.softmax(outputs) == pytest.approx([0.2, 0.5, 0.3], abs=1e-3)


# --- The losses, held against other programs and worked numbers ------------------------------------------------------


def loss_of(name: str, targets: np.ndarray, outputs: np.ndarray, **options: object) -> np.ndarray:
    head = make_head(name, **options)
    return keras.ops.convert_to_numpy(
        head.loss(keras.ops.array(targets, "float32"), keras.ops.array(outputs, "float32"))
    )


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        ("mse", (0.25 + 4) / 2),
        ("mae", (0.5 + 2) / 2),
        ("huber", (0.125 + 1.5) / 2),  # half of 0.5 squared; 2 is one beyond the knee: 0.5 + 1
        ("msle", (np.log(2 / 1.5) ** 2 + np.log(4 / 2) ** 2) / 2),
    ],
)
def test_the_losses_of_a_point_worked_by_hand(loss: str, expected: float) -> None:
    assert loss_of("point", np.array([[1.0, 3.0]]), np.array([[[0.5], [1.0]]]), loss=loss) == pytest.approx([expected])


def test_msle_is_that_of_keras_where_prices_are_above_zero() -> None:
    targets, outputs = np.random.default_rng(0).uniform(0.01, 3, size=(2, 6, 4))
    expected = keras.losses.mean_squared_logarithmic_error(targets, outputs)
    np.testing.assert_allclose(loss_of("point", targets, outputs[..., None], loss="msle"), expected, rtol=1e-5)


@pytest.mark.parametrize(("loss", "expected"), [("mse", (0 + 1 + 4 + 9 + 1 + 0) / 6), ("mae", 7 / 6)])
def test_the_loss_of_several_columns_is_the_mean_over_days_and_columns(loss: str, expected: float) -> None:
    head = make_head("point", loss=loss, columns=3)
    targets = np.array([[[1, 2, 3], [4, 5, 6]], [[0, 0, 0], [0, 0, 0]]], dtype=np.float32)  # two days each
    outputs = np.array([[[1, 3, 1], [7, 4, 6]], [[0, 0, 0], [0, 0, 0]]], dtype=np.float32)
    assert head.parameters == 3
    np.testing.assert_allclose(np.asarray(head.loss(targets, outputs)), [expected, 0], rtol=1e-6)


def test_msle_pulls_a_network_below_zero_back_up() -> None:
    low, lower = (loss_of("point", np.array([[0.5]]), np.array([[[x]]]), loss="msle").item() for x in (-0.1, -0.2))
    assert lower > low > np.log(1.5) ** 2


def test_the_skewed_t_loss_is_the_density_of_arch() -> None:
    random = np.random.default_rng(0)
    outputs, targets = random.normal(size=(40, 1, 4)), random.normal(size=(40, 1)) * 3
    expected = []
    for (mean, spread, tails, skew), target in zip(outputs[:, 0], targets[:, 0], strict=True):
        parameters = [degrees(tails), 0.9 * np.tanh(skew)]
        residual, variance = np.array([target - location(mean)]), np.array([(np.exp(spread) + 0.001) ** 2])
        expected.append(-SkewStudent().loglikelihood(parameters, residual, variance))
    np.testing.assert_allclose(loss_of("skewed_t", targets, outputs), expected, rtol=2e-4)


def test_skewed_t_quantiles_are_those_of_arch() -> None:
    for mean, spread, tails, skew in ([2.0, 0.5, 1.5, 1.0], [0.0, 0.0, 0.0, -2.0], [-1.0, -1.0, 3.0, 0.0]):
        theirs = SkewStudent().ppf(LEVELS, [degrees(tails), 0.9 * np.tanh(skew)])
        (ours,) = quantiles_of("skewed_t", np.array([[[mean, spread, tails, skew]]]), LEVELS)[0]
        np.testing.assert_allclose(ours, location(mean) + (np.exp(spread) + 0.001) * theirs, rtol=1e-6, atol=1e-9)


def test_without_skewness_it_is_a_student_t_of_the_same_deviation() -> None:
    targets = np.array([[0.3, -2.0, 5.0]])
    shared = np.array([[[1.0, 0.2, 0.7], [0.0, 0.0, 0.0], [3.0, -0.5, 2.0]]])
    skewed = np.concatenate([shared, np.zeros((1, 3, 1))], axis=-1)
    z = (targets - location(shared[..., 0])) / (np.exp(shared[..., 1]) + 0.001)
    freedom = degrees(shared[..., 2])
    unit = np.sqrt((freedom - 2) / freedom)
    density = stats.t.logpdf(z / unit, df=freedom) - np.log(unit) - np.log(np.exp(shared[..., 1]) + 0.001)
    np.testing.assert_allclose(loss_of("skewed_t", targets, skewed), -density.mean(axis=1), rtol=1e-5)


def test_a_positive_skewness_has_the_longer_tail_above() -> None:
    (low, middle, high) = quantiles_of("skewed_t", np.array([[[0.0, 0.0, 0.0, 0.8]]]), np.array([0.01, 0.5, 0.99]))[
        0, 0
    ]
    assert high - middle > 1.5 * (middle - low)


def test_the_pinball_loss_is_sklearns_mean_over_the_levels() -> None:
    random = np.random.default_rng(0)
    outputs, targets = random.normal(size=(1, 6, len(LEVELS))), random.normal(size=(1, 6))
    quantiles = quantiles_of("quantile", outputs, LEVELS)[0]
    expected = np.mean([mean_pinball_loss(targets[0], quantiles[:, n], alpha=level) for n, level in enumerate(LEVELS)])
    assert loss_of("quantile", targets, outputs) == pytest.approx([expected], rel=1e-5)


def test_a_step_of_the_quantile_head_moves_its_own_level_and_all_beyond_it_and_none_nearer_the_median() -> None:
    still, moved = np.zeros((2, 1, 1, len(LEVELS)))
    moved[..., 15] = 1.0  # 12 is the median
    before, after = (quantiles_of("quantile", outputs, LEVELS)[0, 0] for outputs in (still, moved))
    np.testing.assert_array_equal(before[:15], after[:15])
    gained = after[15:] - before[15:]
    assert gained == pytest.approx([gained[0]] * 10)
    # The first step times softplus(1 + log(e - 1)) = log(1 + e (e - 1)), where it was times softplus(log(e - 1)) = 1
    step = (stats.t.ppf(0.65, df=5) - stats.t.ppf(0.6, df=5)) * np.sqrt(3 / 5)
    assert gained[0] == pytest.approx(step * (np.log(1 + np.e * (np.e - 1)) - 1), rel=1e-6)


def test_the_quantile_head_says_its_own_levels_only() -> None:
    with pytest.raises(ValueError, match="levels"):
        quantiles_of("quantile", np.zeros((1, 1, len(LEVELS))), np.array([0.33]))


def test_binary_crossentropy_is_sklearns_log_loss() -> None:
    random = np.random.default_rng(0)
    targets, logits = random.normal(size=(1, 50)), random.normal(size=(1, 50, 1))
    expected = log_loss(targets[0] > 0, special.expit(logits[0, :, 0]))
    assert loss_of("direction", targets, logits) == pytest.approx([expected], rel=1e-5)


def test_categorical_crossentropy_is_sklearns_log_loss() -> None:
    random = np.random.default_rng(0)
    targets, logits = random.normal(size=(1, 50)), random.normal(size=(1, 50, 3))
    came = np.digitize(targets[0], [-0.5, 0.5])
    expected = log_loss(came, special.softmax(logits[0], axis=-1), labels=[0, 1, 2])
    assert loss_of("direction", targets, logits, classes=3, threshold=0.5) == pytest.approx([expected], rel=1e-5)


def test_a_logit_astray_costs_its_size_and_not_what_a_rounded_probability_would() -> None:
    # -log(1 - sigmoid(200)) is 200; the probability itself is 1 in single precision, whose rest has no logarithm.
    assert loss_of("direction", np.array([[-1.0]]), np.array([[[200.0]]])) == pytest.approx([200.0])
    assert loss_of("direction", np.array([[-1.0]]), np.array([[[0.0, 0.0, 200.0]]]), classes=3) == pytest.approx(
        [200.0]
    )


@pytest.mark.parametrize(
    ("target", "two", "three"),
    [(-0.5, 0, 0), (-0.4, 0, 1), (0.0, 0, 1), (1e-6, 1, 1), (0.4, 1, 1), (0.5, 1, 2)],
)
def test_what_is_down_flat_and_up(target: float, two: int, three: int) -> None:
    for classes, expected in ((2, two), (3, three)):
        directions = make_head("direction", classes=classes, threshold=None if classes == 2 else 0.4).classes
        assert directions is not None
        assert directions.labels(np.array([[target]])).item() == expected
        # and the loss agrees: it is least for a network that forecasts it
        costs = []
        for label in range(classes):
            logits = np.zeros(classes) if classes == 3 else np.zeros(1)
            logits[label if classes == 3 else 0] = 5 if classes == 3 or label else -5
            costs.append(loss_of("direction", np.array([[target]]), logits[None, None], classes=classes).item())
        assert int(np.argmin(costs)) == expected


def test_probabilities_of_two_classes_come_from_that_of_up() -> None:
    directions = make_head("direction").classes
    assert directions is not None
    np.testing.assert_allclose(directions.probabilities(np.array([[[0.75]]], np.float32)), [[[0.25, 0.75]]])


@pytest.mark.parametrize("outputs", [[1.5], [-0.1], [0.5, 0.1, 0.1], [1.2, 0.0, -0.2]])
def test_outputs_that_are_no_probabilities_are_refused(outputs: list[float]) -> None:
    directions = make_head("direction", classes=2 if len(outputs) == 1 else 3).classes
    assert directions is not None
    with pytest.raises(RunError, match="probabilities"):
        directions.probabilities(np.array([[outputs]]))


# --- The histogram ----------------------------------------------------------------------------------------------------


def spread_evenly(*bins: int) -> np.ndarray:
    shares = np.zeros((1, 1, 52))
    shares[..., list(bins)] = 1 / len(bins)
    return shares


def test_inside_a_bin_the_probability_is_spread_evenly() -> None:
    # Bin 26 is 0 to 0.2 deviations, 27 is 0.2 to 0.4.
    assert quantiles_of("histogram", spread_evenly(26, 27), np.array([0.05, 0.5, 0.75]))[0, 0] == pytest.approx(
        [0.02, 0.2, 0.3]
    )


def test_empty_bins_are_jumped_over() -> None:
    low, high = quantiles_of("histogram", spread_evenly(10, 40), np.array([0.25, 0.75]))[0, 0]
    # bin n is from -5 + 0.2 (n - 1) on
    assert (low, high) == pytest.approx((-5 + 0.2 * 9.5, -5 + 0.2 * 39.5))


def test_beyond_the_outermost_edges_tails_fall_with_the_third_power() -> None:
    shares = np.full((1, 1, 52), 0.96 / 50)
    shares[..., [0, -1]] = 0.02
    levels = np.array([0.0025, 0.02, 0.98, 0.9975])  # an eighth of the tail's probability: twice as far out
    assert quantiles_of("histogram", shares, levels)[0, 0] == pytest.approx([-10, -5, 5, 10])


def test_the_histogram_of_a_normal_has_its_quantiles() -> None:
    shares = np.diff(stats.norm.cdf([-np.inf, *np.linspace(-5, 5, 51), np.inf], 0.3, 1.1))[None, None]
    np.testing.assert_allclose(
        quantiles_of("histogram", shares, LEVELS)[0, 0], stats.norm.ppf(LEVELS, 0.3, 1.1), atol=0.02
    )


def test_the_histograms_cross_entropy_is_sklearns_log_loss() -> None:
    random = np.random.default_rng(0)
    targets, logits = 3 * random.normal(size=(1, 40)), random.normal(size=(1, 40, 52))
    came = np.digitize(targets[0], np.linspace(-5, 5, 51))
    expected = log_loss(came, special.softmax(logits[0], axis=-1), labels=np.arange(52))
    assert loss_of("histogram", targets, logits) == pytest.approx([expected], rel=1e-5)


def test_the_divergence_is_scipys_between_the_smeared_target_and_what_was_said() -> None:
    logits = np.random.default_rng(0).normal(size=(1, 3, 52))
    targets = np.array([[0.07, -4.93, 30.0]])
    edges = [-np.inf, *np.linspace(-5, 5, 51), np.inf]
    expected = [
        stats.entropy(np.diff(stats.norm.cdf(edges, target, 0.15)), special.softmax(logit))
        for target, logit in zip(targets[0], logits[0], strict=True)
    ]
    assert loss_of("histogram", targets, logits, loss="kl_divergence") == pytest.approx([np.mean(expected)], rel=1e-4)


def test_the_divergence_is_nothing_where_the_smeared_target_is_what_was_said_and_forgives_the_next_bin() -> None:
    edges = [-np.inf, *np.linspace(-5, 5, 51), np.inf]

    def logits_at(place: float) -> np.ndarray:
        return np.log(np.maximum(np.diff(stats.norm.cdf(edges, place, 0.15)), 1e-30))[None, None]

    own, near, far = (
        loss_of("histogram", np.array([[0.1]]), logits_at(place), loss="kl_divergence").item()
        for place in (0.1, 0.3, 2.1)
    )
    assert own == pytest.approx(0, abs=1e-4)
    assert own < near < far / 10
