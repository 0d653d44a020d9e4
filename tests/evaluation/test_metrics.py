"""The oracles are small numbers worked out by hand and scipy's closed forms, never the quantile integral itself."""

import numpy as np
import pytest
from scipy import stats

from stockcast.evaluation import metrics
from stockcast.forecast import LEVELS


def normal_crps(mean, deviation, actual):
    """Closed form for a Normal forecast (Gneiting & Raftery 2007, section 4.2)."""
    z = (actual - mean) / deviation
    return deviation * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / np.sqrt(np.pi))


def fine_levels(count=100_000):
    return (np.arange(count) + 0.5) / count


@pytest.mark.parametrize(
    ("level", "quantile", "loss"),
    [
        (0.9, 8.0, 1.8),  # an actual price of 10, 2 above the quantile: 0.9 x 2
        (0.9, 12.0, 0.2),  # 2 below: 0.1 x 2
        (0.1, 8.0, 0.2),
        (0.1, 12.0, 1.8),
        (0.5, 7.0, 1.5),  # half the distance at the median, on both sides
        (0.5, 13.0, 1.5),
        (0.3, 10.0, 0.0),
    ],
)
def test_pinball_weighs_a_miss_above_by_the_level_and_below_by_the_rest(level, quantile, loss):
    computed = metrics.pinball(np.array([[quantile]]), np.array([10.0]), np.array([level]))
    assert computed == pytest.approx(np.array([[loss]]))


@pytest.mark.parametrize(("level", "best"), [(0.25, 25), (0.5, 50), (0.9, 90)])
def test_pinball_is_lowest_for_the_quantile_it_asks_for(level, best):
    # Of the prices 1..99 the smallest with at least a share `level` at or below it: 0.25 x 99 = 24.75, so the 25th.
    prices = np.arange(1.0, 100.0)
    losses = [metrics.pinball(np.full((99, 1), q), prices, np.array([level])).mean() for q in prices]
    assert prices[np.argmin(losses)] == best


def test_a_perfect_forecast_has_zero_crps():
    actual = np.array([[10.0, 20.0], [30.0, 40.0]])
    quantiles = np.repeat(actual[:, :, None], len(LEVELS), axis=2)
    assert metrics.crps(quantiles, actual, LEVELS).tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_crps_of_three_quantiles_agrees_with_the_trapezoids_drawn_by_hand():
    # Quantiles 1, 2, 3 at 25, 50, 75 %, and an actual price of 2: losses 0.25, 0, 0.25; two trapezoids of
    # 0.25 x 0.125 = 0.03125 each; twice their sum is 0.125.
    levels = np.array([0.25, 0.5, 0.75])
    assert metrics.crps(np.array([1.0, 2.0, 3.0]), np.array(2.0), levels) == pytest.approx(0.125)


@pytest.mark.parametrize("miss", [-3.0, 0.5, 8.0])
def test_crps_of_a_single_price_is_how_far_it_missed(miss):
    # All quantiles alike: 2 |miss| times the integral of the level from 0.005 to 0.995, which is 0.99 / 2.
    assert metrics.crps(np.full(len(LEVELS), 100.0), np.array(100 + miss), LEVELS) == pytest.approx(0.99 * abs(miss))


@pytest.mark.parametrize("actual", [95.0, 99.0, 100.0, 103.5, 106.0])
def test_crps_of_a_normal_is_its_closed_form_on_fine_levels(actual):
    levels = fine_levels()
    computed = metrics.crps(stats.norm.ppf(levels, 100, 2), np.array(actual), levels)
    assert computed == pytest.approx(normal_crps(100, 2, actual), rel=1e-4)


@pytest.mark.parametrize("actual", [95.0, 99.0, 100.0, 103.5, 106.0])
def test_crps_of_a_normal_is_its_closed_form_to_one_percent_on_the_stored_levels(actual):
    computed = metrics.crps(stats.norm.ppf(LEVELS, 100, 2), np.array(actual), LEVELS)
    assert computed == pytest.approx(normal_crps(100, 2, actual), rel=0.01)


def test_crps_of_a_uniform_forecast_is_a_twelfth_at_its_middle():
    # F(x) = x on [0, 1]; twice the integral of x**2 from 0 to 1/2 is 2 / 24.
    levels = fine_levels()
    assert metrics.crps(levels, np.array(0.5), levels) == pytest.approx(1 / 12, rel=1e-4)


def test_crps_is_in_the_unit_of_the_price_and_blind_to_its_zero():
    quantiles, actual = stats.norm.ppf(LEVELS, 100, 5), np.array(108.0)
    dollars = metrics.crps(quantiles, actual, LEVELS)
    assert metrics.crps(100 * quantiles, 100 * actual, LEVELS) == pytest.approx(100 * dollars)
    assert metrics.crps(quantiles + 40, actual + 40, LEVELS) == pytest.approx(dollars)


@pytest.mark.parametrize(("mean", "deviation"), [(0.0, 0.7), (0.0, 1.4), (0.4, 1.0), (-0.4, 1.0)])
def test_crps_is_lowest_on_average_for_the_distribution_that_prices_follow(mean, deviation):
    actual = np.random.default_rng(5).normal(size=4000)

    def score(mean, deviation):
        quantiles = np.broadcast_to(stats.norm.ppf(LEVELS, mean, deviation), (len(actual), len(LEVELS)))
        return metrics.crps(quantiles, actual, LEVELS).mean()

    assert score(0.0, 1.0) < score(mean, deviation)


def test_crps_gives_each_origin_and_day_its_own_score():
    # Single prices again: 0.99 of the misses 1, 2, 0, 4.
    actual = np.array([[101.0, 102.0], [100.0, 96.0]])
    computed = metrics.crps(np.full((2, 2, len(LEVELS)), 100.0), actual, LEVELS)
    assert computed == pytest.approx(np.array([[0.99, 1.98], [0.0, 3.96]]))


QUARTERS = np.array([0.25, 0.5, 0.75])


@pytest.mark.parametrize(
    ("actual", "density"),
    [
        # Quartiles 0, 2, 6: a quarter of the mass over 2 dollars, a quarter over 4.
        (1.0, 1 / 8),
        (2.5, 1 / 16),
        (5.9, 1 / 16),
        # Below 0 the mass halves every 2 dollars, as from the median, a half, to 0, a quarter. Half of an exponential
        # falls within log 2 = 0.693147 of its scale, so that is 2 / 0.693147, and its density is mass / scale.
        (-2.0, 1 / 8 * 0.693147 / 2),
        (-6.0, 1 / 32 * 0.693147 / 2),
        # Above 6 it halves every 4.
        (10.0, 1 / 8 * 0.693147 / 4),
        (14.0, 1 / 16 * 0.693147 / 4),
    ],
)
def test_the_log_score_of_three_quartiles_agrees_with_the_density_drawn_by_hand(actual, density):
    computed = metrics.log_score(np.array([0.0, 2.0, 6.0]), np.array(actual), QUARTERS)
    assert computed == pytest.approx(-np.log(density), abs=1e-5)


TIED = np.array([-4.0, -4.0, 0.0, 0.0, 1.0, 1.0, 1.0])
SEVENTHS = np.array([0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95])


@pytest.mark.parametrize(
    ("quantiles", "levels"),
    [
        (stats.norm.ppf(LEVELS), LEVELS),
        (stats.gamma.ppf(LEVELS, 2), LEVELS),
        (stats.t.ppf(LEVELS, 3), LEVELS),
        (np.array([0.0, 2.0, 6.0]), QUARTERS),
        (TIED, SEVENTHS),
        (np.zeros(25), LEVELS),
    ],
)
def test_the_density_of_the_log_score_integrates_to_one(quantiles, levels):
    # Midpoints, fine around each quantile, where those that coincide put their mass within a millionth.
    near = np.linspace(-3e-6, 3e-6, 6001)
    edges = np.unique(np.concatenate([np.linspace(-100, 100, 100_001), *(near + value for value in quantiles)]))
    middles = (edges[1:] + edges[:-1]) / 2
    scores = metrics.log_score(np.broadcast_to(quantiles, (len(middles), len(levels))), middles, levels)
    assert np.sum(np.exp(-scores) * np.diff(edges)) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("actual", [-7.3, 5.0, 9.1])
def test_the_log_score_of_a_laplace_is_its_closed_form_beyond_the_stored_levels(actual):
    computed = metrics.log_score(stats.laplace.ppf(LEVELS), np.array(actual), LEVELS)
    assert computed == pytest.approx(-stats.laplace.logpdf(actual), abs=1e-5)


@pytest.mark.parametrize("actual", [-3.1, -1.2, 0.4, 2.2])
def test_the_log_score_of_a_laplace_is_its_closed_form_on_fine_levels(actual):
    levels = fine_levels(10_001)
    computed = metrics.log_score(stats.laplace.ppf(levels), np.array(actual), levels)
    assert computed == pytest.approx(-stats.laplace.logpdf(actual), abs=0.01)


def test_a_normals_log_score_is_in_the_mean_its_entropy_to_a_hundredth_of_a_nat():
    actual = stats.norm.ppf(fine_levels())
    computed = metrics.log_score(np.broadcast_to(stats.norm.ppf(LEVELS), (len(actual), 25)), actual, LEVELS).mean()
    assert 0 < computed - stats.norm.entropy() < 0.01  # no density does better than the true one


@pytest.mark.parametrize("true", [stats.norm(), stats.t(4), stats.gamma(3)])
@pytest.mark.parametrize(("shift", "scale"), [(0.0, 0.75), (0.0, 1.35), (0.3, 1.0), (-0.3, 1.0)])
def test_the_log_score_is_lowest_on_average_for_the_distribution_that_prices_follow(true, shift, scale):
    actual = true.rvs(size=4000, random_state=5)
    quantiles = true.ppf(LEVELS)

    def score(quantiles):
        return metrics.log_score(np.broadcast_to(quantiles, (len(actual), len(LEVELS))), actual, LEVELS).mean()

    middle = true.median()
    assert score(quantiles) < score(middle + scale * (quantiles - middle) + shift)


def test_the_log_score_in_cents_is_the_log_of_a_hundred_higher_and_blind_to_the_zero():
    quantiles, actual = stats.norm.ppf(LEVELS, 100, 5), np.array([80.0, 98.0, 108.0, 130.0])
    quantiles = np.broadcast_to(quantiles, (4, len(LEVELS)))
    dollars = metrics.log_score(quantiles, actual, LEVELS)
    assert metrics.log_score(100 * quantiles, 100 * actual, LEVELS) == pytest.approx(dollars + 4.60517, abs=1e-4)
    assert metrics.log_score(quantiles + 40, actual + 40, LEVELS) == pytest.approx(dollars)


def test_a_mirrored_forecast_has_the_same_log_score_for_the_mirrored_price():
    quantiles = stats.gamma.ppf(LEVELS, 2)
    for actual in (-1.0, 0.2, 3.3, 20.0):
        mirrored = metrics.log_score(-quantiles[::-1], np.array(-actual), LEVELS)
        assert mirrored == pytest.approx(metrics.log_score(quantiles, np.array(actual), LEVELS))


@pytest.mark.parametrize("price", [0.0, 0.0123, 100.0, 4e5, 1e12])
@pytest.mark.parametrize("miss", [0.0, 1e-9, -0.01, 50.0])
def test_quantiles_that_coincide_have_finite_log_scores_and_transforms(price, miss):
    quantiles, actual = np.full(len(LEVELS), price), np.array(price + miss)
    assert np.isfinite(metrics.log_score(quantiles, actual, LEVELS))
    assert 0 <= metrics.pit(quantiles, actual, LEVELS) <= 1


def test_a_single_price_that_comes_true_scores_the_log_of_the_least_width():
    # All mass evenly over a millionth: density a million, and log 1e6 = 13.8155.
    assert metrics.log_score(np.zeros(25), np.array(0.0), LEVELS) == pytest.approx(-13.8155, abs=1e-4)
    assert metrics.log_score(np.zeros(25), np.array(0.01), LEVELS) > 1e4


def test_outermost_quantiles_that_coincide_do_not_make_a_miss_beyond_them_a_catastrophe():
    # As bands measured on few days do: the three outermost end at the largest error seen.
    quantiles = stats.norm.ppf(LEVELS)
    tied = np.clip(quantiles, quantiles[2], quantiles[-3])
    actual = np.array(quantiles[-1] + 0.5)
    assert metrics.log_score(tied, actual, LEVELS) - metrics.log_score(quantiles, actual, LEVELS) < 3


def test_the_log_score_and_the_transform_give_each_origin_and_day_its_own():
    scale = np.arange(1.0, 7.0).reshape(2, 3)
    quantiles = scale[:, :, None] * np.array([0.0, 2.0, 6.0])
    actual = scale * np.array([[1.0, -2.0, 3.0], [14.0, 6.5, 5.0]])
    for score in (metrics.log_score, metrics.pit):
        computed = score(quantiles, actual, QUARTERS)
        assert computed.shape == (2, 3)
        one_by_one = [[score(quantiles[i, j], actual[i, j], QUARTERS) for j in range(3)] for i in range(2)]
        assert computed == pytest.approx(np.array(one_by_one))


@pytest.mark.parametrize(
    ("actual", "share"),
    [
        (1.0, 0.375),  # Quartiles 0, 2, 6: half way from a quarter to a half
        (3.0, 0.5625),  # a quarter of the way from a half to three quarters
        (0.0, 0.25),
        (2.0, 0.5),
        (6.0, 0.75),
        (-2.0, 0.125),  # the tail below halves every 2 dollars
        (-6.0, 0.03125),
        (10.0, 0.875),  # what is left above halves every 4
        (18.0, 0.96875),
    ],
)
def test_the_transform_for_three_quartiles_agrees_with_the_hand(actual, share):
    assert metrics.pit(np.array([0.0, 2.0, 6.0]), np.array(actual), QUARTERS) == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize("quantiles", [stats.norm.ppf(LEVELS), stats.gamma.ppf(LEVELS, 2)])
def test_the_transform_grows_as_the_density_of_the_log_score_says(quantiles):
    points = np.linspace(-9, 25, 2501)
    many = np.broadcast_to(quantiles, (len(points), len(LEVELS)))
    growth = (metrics.pit(many, points + 1e-6, LEVELS) - metrics.pit(many, points - 1e-6, LEVELS)) / 2e-6
    # Where a bin ends between the two points, the growth is a mixture of both sides'.
    clear = np.abs(points[:, None] - quantiles).min(axis=1) > 1e-5
    assert growth[clear] == pytest.approx(np.exp(-metrics.log_score(many, points, LEVELS))[clear], rel=1e-3, abs=1e-8)


@pytest.mark.parametrize(("far", "end"), [(-1e9, 0.0), (1e9, 1.0)])
@pytest.mark.parametrize("quantiles", [stats.norm.ppf(LEVELS), np.zeros(25)])
def test_a_price_however_far_has_a_transform_of_zero_or_one_and_none_beyond(quantiles, far, end):
    assert metrics.pit(quantiles, np.array(far), LEVELS) == pytest.approx(end, abs=1e-12)
    assert 0 <= metrics.pit(quantiles, np.array(far), LEVELS) <= 1


def test_a_single_price_that_comes_true_has_a_transform_of_a_half():
    assert metrics.pit(np.full(25, 70.0), np.array(70.0), LEVELS) == pytest.approx(0.5)


def transforms(actual, mean=0.0, deviation=1.0):
    quantiles = stats.norm.ppf(LEVELS, mean, deviation)
    return metrics.pit(np.broadcast_to(quantiles, (len(actual), len(LEVELS))), actual, LEVELS)


def test_transforms_of_the_distribution_that_prices_follow_are_uniform():
    shares = metrics.pit_histogram(transforms(stats.norm.ppf(fine_levels())), bins=20)
    assert shares == pytest.approx(np.full(20, 0.05), abs=1e-4)


def test_bands_too_narrow_pile_up_at_the_ends_and_bands_too_wide_in_the_middle():
    actual = stats.norm.ppf(fine_levels())
    narrow, wide = (metrics.pit_histogram(transforms(actual, deviation=deviation)) for deviation in (0.5, 2.0))
    assert min(narrow[0], narrow[-1]) > 0.2
    assert max(narrow[1:-1]) < 0.1
    assert min(wide[4:6]) > 0.15
    assert max(wide[0], wide[-1]) < 0.02


def test_a_forecast_too_low_has_transforms_near_one():
    shares = metrics.pit_histogram(transforms(stats.norm.ppf(fine_levels()), mean=-1.0))
    assert shares[-1] > 0.3
    assert shares[0] < 0.02


def test_the_histogram_counts_by_hand_ends_included():
    # [0, 0.25): two; [0.25, 0.5): one; [0.5, 0.75): none; [0.75, 1]: two, 1 among them.
    computed = metrics.pit_histogram(np.array([0.0, 0.1, 0.25, 0.75, 1.0]), bins=4)
    assert computed.tolist() == [0.4, 0.2, 0.0, 0.4]


@pytest.mark.parametrize("values", [np.array([0.5]), np.zeros(7), np.ones((3, 4)), np.linspace(0, 1, 33)])
def test_the_shares_of_the_histogram_sum_to_one_in_ten_parts(values):
    shares = metrics.pit_histogram(values)
    assert shares.shape == (10,)
    assert shares.sum() == pytest.approx(1)


def test_the_uniformity_test_agrees_with_the_table_of_cramer_and_von_mises():
    # Stephens (1974): in large samples W = 0.461 has p 5 %. With (i - 1/2) / n drawn towards 1/2 by a share c, W is
    # 1 / (12 n) + n c**2 / 12, so for n = 1000 c = sqrt(12 x 0.461 / 1000) = 0.07438 makes it.
    values = 0.5 + (1 - 0.07438) * ((np.arange(1000) + 0.5) / 1000 - 0.5)
    assert metrics.pit_test(values, horizon=1) == pytest.approx(0.05, abs=5e-4)


def test_only_every_horizonth_transform_is_tested():
    values = np.zeros(500)
    values[::5] = (np.arange(100) + 0.5) / 100
    assert metrics.pit_test(values, horizon=5) == pytest.approx(1)
    assert metrics.pit_test(values, horizon=1) < 0.001


@pytest.mark.parametrize(
    ("origins", "horizon", "tested"), [(10, 1, True), (9, 1, False), (46, 5, True), (45, 5, False)]
)
def test_ten_transforms_without_overlap_are_the_fewest_that_are_tested(origins, horizon, tested):
    assert (metrics.pit_test(np.linspace(0, 1, origins), horizon=horizon) is not None) is tested


@pytest.mark.parametrize("deviation", [0.6, 1.6])
def test_bands_too_narrow_and_too_wide_are_found_not_uniform(deviation):
    actual = np.random.default_rng(3).normal(size=300)
    assert (
        metrics.pit_test(transforms(actual, deviation=deviation), horizon=1)
        < 0.01
        < metrics.pit_test(transforms(actual), horizon=1)
    )


def test_overlapping_forecasts_that_are_right_are_found_not_uniform_about_five_times_in_a_hundred():
    steps = np.random.default_rng(8).normal(size=(500, 519))
    sums = np.lib.stride_tricks.sliding_window_view(steps, 20, axis=1).sum(axis=-1)  # 20 days ahead, 500 origins
    values = stats.norm.cdf(sums / 20**0.5)
    share = np.mean([metrics.pit_test(row, horizon=20) < 0.05 for row in values])
    not_told = np.mean([metrics.pit_test(row, horizon=1) < 0.05 for row in values])
    # 500 trials of 5 % have a standard error of 1 point.
    assert share == pytest.approx(0.05, abs=0.03)
    assert not_told > 0.5


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("count", [10, 100, 5000])
def test_transforms_all_alike_are_not_uniform_and_give_no_nan(value, count):
    assert 0 <= metrics.pit_test(np.full(count, value), horizon=1) < 0.01


MEDIAN, ACTUAL = np.array([[11.0], [18.0], [46.0]]), np.array([[10.0], [20.0], [40.0]])  # off by 1, -2, 6


def test_mean_absolute_error_is_the_mean_miss_in_dollars():
    assert metrics.mean_absolute_error(MEDIAN, ACTUAL) == pytest.approx(3.0)  # (1 + 2 + 6) / 3


def test_root_mean_squared_error_weighs_the_larger_miss_more():
    assert metrics.root_mean_squared_error(MEDIAN, ACTUAL) == pytest.approx((41 / 3) ** 0.5)  # 1 + 4 + 36 = 41


def test_mean_absolute_percentage_error_is_a_share_of_what_came():
    assert metrics.mean_absolute_percentage_error(MEDIAN, ACTUAL) == pytest.approx(35 / 3)  # 10, 10 and 15 %


POINT_ERRORS = [
    metrics.mean_absolute_error,
    metrics.root_mean_squared_error,
    metrics.mean_absolute_percentage_error,
]


@pytest.mark.parametrize("error", POINT_ERRORS)
def test_a_perfect_median_has_no_error(error):
    assert error(ACTUAL, ACTUAL) == 0.0


@pytest.mark.parametrize("error", POINT_ERRORS)
def test_too_high_is_as_bad_as_too_low(error):
    assert error(ACTUAL + 3, ACTUAL) == pytest.approx(error(ACTUAL - 3, ACTUAL))


@pytest.mark.parametrize(("error", "factor"), list(zip(POINT_ERRORS, [100, 100, 1], strict=True)))
def test_errors_in_cents_are_a_hundred_times_those_in_dollars_and_percentages_stay(error, factor):
    assert error(100 * MEDIAN, 100 * ACTUAL) == pytest.approx(factor * error(MEDIAN, ACTUAL))


def test_the_scaled_error_is_the_error_in_units_of_the_naive_one():
    assert metrics.mean_absolute_scaled_error(MEDIAN, ACTUAL, 1.5) == pytest.approx(2.0)  # 3 dollars / 1.50


def test_the_scaled_error_is_one_for_the_last_close_where_days_are_as_the_training_days():
    closes = np.array([100.0, 102.0, 101.0, 104.0])  # 2, 1 and 3 dollars a day: 2 in the mean
    assert metrics.mean_absolute_scaled_error(closes[:-1], closes[1:], 2.0) == pytest.approx(1.0)


def test_the_scaled_error_knows_no_currency_and_no_error_of_the_perfect_median():
    dollars = metrics.mean_absolute_scaled_error(MEDIAN, ACTUAL, 1.5)
    assert metrics.mean_absolute_scaled_error(100 * MEDIAN, 100 * ACTUAL, 150.0) == pytest.approx(dollars)
    assert metrics.mean_absolute_scaled_error(ACTUAL, ACTUAL, 1.5) == 0.0


def test_a_training_price_that_never_moved_gives_no_scale():
    assert metrics.mean_absolute_scaled_error(MEDIAN, ACTUAL, 0.0) is None
    assert metrics.mean_absolute_scaled_error(ACTUAL, ACTUAL, 0.0) is None


def test_a_price_on_either_end_of_the_band_is_covered():
    lower, upper = np.array([9.0, 9.0]), np.array([11.0, 11.0])
    assert metrics.coverage(lower, upper, np.array([9.0, 11.0])) == 1.0
    just_outside = np.array([np.nextafter(9.0, 0), np.nextafter(11.0, 12)])
    assert metrics.coverage(lower, upper, just_outside) == 0.0


def test_coverage_is_the_share_of_prices_inside():
    actual = np.array([[8.0, 9.5], [10.0, 10.9]])  # the first is below
    assert metrics.coverage(np.full((2, 2), 9.0), np.full((2, 2), 11.0), actual) == 0.75


def test_the_mean_width_is_the_mean_distance_of_the_ends():
    assert metrics.mean_width(np.array([9.0, 5.0]), np.array([11.0, 11.0])) == 4.0  # (2 + 6) / 2


@pytest.mark.parametrize(
    ("actual", "coverage", "score"),
    [
        (10.0, 0.9, 4.0),  # inside: the width of 8 to 12
        (8.0, 0.9, 4.0),
        (12.0, 0.9, 4.0),
        (7.0, 0.9, 24.0),  # 1 below: 4 + 2 / 0.1
        (15.0, 0.9, 64.0),  # 3 above: 4 + 3 x 20
        (15.0, 0.5, 16.0),  # 4 + 3 x 4
    ],
)
def test_the_interval_score_is_the_width_and_a_fine_for_each_dollar_outside(actual, coverage, score):
    computed = metrics.winkler(np.array([8.0]), np.array([12.0]), np.array([actual]), coverage)
    assert computed == pytest.approx(np.array([score]))


@pytest.mark.parametrize(("coverage", "tail"), [(0.5, 0.25), (0.9, 0.05), (0.99, 0.005)])
def test_the_interval_score_is_the_pinball_loss_of_both_ends_over_half_the_rest(coverage, tail):
    # Gneiting & Raftery (2007), section 6.2: the two quantiles at alpha / 2 and 1 - alpha / 2, times 2 / alpha.
    actual = np.random.default_rng(0).normal(10, 3, size=(20, 4))
    ends = np.broadcast_to([8.0, 12.0], (20, 4, 2))
    losses = metrics.pinball(ends, actual, np.array([tail, 1 - tail])).sum(axis=-1)
    assert metrics.winkler(ends[..., 0], ends[..., 1], actual, coverage) == pytest.approx(losses / tail)


@pytest.mark.parametrize(("shift", "scale"), [(0.0, 0.8), (0.0, 1.25), (0.3, 1.0), (-0.3, 1.0)])
def test_the_interval_score_is_lowest_on_average_for_the_true_band(shift, scale):
    actual = stats.norm.ppf(fine_levels())

    def score(shift, scale):
        lower, upper = (np.full(len(actual), end * scale + shift) for end in (-1.644854, 1.644854))
        return metrics.winkler(lower, upper, actual, 0.9).mean()

    assert score(0.0, 1.0) < score(shift, scale)


def test_a_band_without_width_around_what_came_has_no_interval_score():
    assert metrics.winkler(ACTUAL, ACTUAL, ACTUAL, 0.9).tolist() == [[0.0], [0.0], [0.0]]


def test_direction_accuracy_is_the_share_of_moves_called_right():
    last_close = np.array([[100.0]])
    median = np.array([[101.0, 99.0, 102.0, 98.0]])
    actual = np.array([[105.0, 99.5, 90.0, 97.0]])  # right, right, wrong, right
    assert metrics.direction_accuracy(median, actual, last_close) == 0.75


def test_direction_accuracy_leaves_out_days_when_median_or_price_stood_still():
    last_close = np.full((4, 1), 100.0)
    median = np.array([[101.0], [100.0], [99.0], [101.0]])
    actual = np.array([[102.0], [105.0], [100.0], [98.0]])  # right, none forecast, none happened, wrong
    assert metrics.direction_accuracy(median, actual, last_close) == 0.5


@pytest.mark.parametrize("ulps", [0, 1, -1])
def test_a_median_that_repeats_the_last_close_says_nothing_of_direction(ulps):
    last_close = np.array([[2345.67], [0.0123]])
    median = last_close + ulps * np.spacing(last_close)
    assert metrics.direction_accuracy(median, last_close * 1.01, last_close) is None


def test_a_move_of_a_millionth_still_has_a_direction():
    last_close = np.array([[2345.67]])
    assert metrics.direction_accuracy(last_close * (1 + 1e-6), last_close * 1.01, last_close) == 1.0
    assert metrics.direction_accuracy(last_close * (1 - 1e-6), last_close * 1.01, last_close) == 0.0


def test_a_perfect_median_knows_every_direction_and_its_mirror_none():
    last_close, moves = np.full((6, 1), 50.0), np.array([[1.0], [-2.0], [0.5], [3.0], [-1.0], [-0.1]])
    assert metrics.direction_accuracy(last_close + moves, last_close + moves, last_close) == 1.0
    assert metrics.direction_accuracy(last_close - moves, last_close + moves, last_close) == 0.0


def moves(predicted, actual):
    """Median, price and last close of 100, from moves in dollars."""
    return 100 + np.array([predicted], float), 100 + np.array([actual], float), np.array([[100.0]])


def test_balanced_direction_accuracy_is_the_mean_of_the_recalls():
    # Of four rises three are predicted, of two falls one: (3/4 + 1/2) / 2. Unbalanced it is 4 of 6.
    forecast = moves(predicted=[1, 2, 1, -1, -1, 1], actual=[1, 1, 5, 2, -3, -1])
    assert metrics.balanced_direction_accuracy(*forecast) == pytest.approx(0.625)
    assert metrics.direction_accuracy(*forecast) == pytest.approx(4 / 6)


@pytest.mark.parametrize("way", [1, -1])
def test_always_saying_the_same_way_has_balanced_accuracy_of_a_half_whatever_came(way):
    actual = [1, 2, 3, 1, 5, 2, 2, -1]
    assert metrics.balanced_direction_accuracy(*moves(predicted=[way] * 8, actual=actual)) == 0.5


def test_a_perfect_median_has_balanced_accuracy_one_and_its_mirror_zero():
    actual = np.array([1.0, -2.0, 0.5, 3.0, 0.1])
    assert metrics.balanced_direction_accuracy(*moves(actual, actual)) == 1.0
    assert metrics.balanced_direction_accuracy(*moves(-actual, actual)) == 0.0


def test_where_rises_and_falls_are_as_many_balancing_changes_nothing():
    forecast = moves(predicted=[1, -1, 1, 1, -1, 1], actual=[1, 1, 2, -2, -1, -1])
    assert metrics.balanced_direction_accuracy(*forecast) == pytest.approx(metrics.direction_accuracy(*forecast))


def test_balanced_accuracy_leaves_out_days_when_median_or_price_stood_still():
    # Left are a rise predicted and a fall predicted wrong: (1 + 0) / 2.
    forecast = moves(predicted=[1, 0, -1, 1, 0], actual=[2, -1, 0, -1, 3])
    assert metrics.balanced_direction_accuracy(*forecast) == 0.5


@pytest.mark.parametrize("way", [1, -1])
def test_prices_that_all_went_the_same_way_have_no_balance(way):
    assert metrics.balanced_direction_accuracy(*moves(predicted=[1, -1, 1], actual=[way, way, 0])) is None


@pytest.mark.parametrize("ulps", [0, 1, -1])
def test_a_median_that_repeats_the_last_close_has_no_balanced_accuracy(ulps):
    last_close = np.full((2, 1), 2345.67)
    median = last_close + ulps * np.spacing(last_close)
    assert metrics.balanced_direction_accuracy(median, last_close * [[1.01], [0.99]], last_close) is None


def test_prices_that_never_change_have_no_direction():
    assert metrics.balanced_direction_accuracy(*moves(predicted=[1, -1], actual=[0, 0])) is None
    assert metrics.direction_accuracy(*moves(predicted=[1, -1], actual=[0, 0])) is None
