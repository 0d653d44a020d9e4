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
        (0.9, 8.0, 1.8),  # 10 came, 2 above the quantile: 0.9 x 2
        (0.9, 12.0, 0.2),  # 2 below: 0.1 x 2
        (0.1, 8.0, 0.2),
        (0.1, 12.0, 1.8),
        (0.5, 7.0, 1.5),  # half the distance at the median, on both sides
        (0.5, 13.0, 1.5),
        (0.3, 10.0, 0.0),
    ],
)
def test_pinball_weighs_a_miss_above_by_the_level_and_below_by_the_rest(level, quantile, loss):
    found = metrics.pinball(np.array([[quantile]]), np.array([10.0]), np.array([level]))
    assert found == pytest.approx(np.array([[loss]]))


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
    # Quantiles 1, 2, 3 at 25, 50, 75 %, and 2 came: losses 0.25, 0, 0.25; two trapezoids of
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
    found = metrics.crps(stats.norm.ppf(levels, 100, 2), np.array(actual), levels)
    assert found == pytest.approx(normal_crps(100, 2, actual), rel=1e-4)


@pytest.mark.parametrize("actual", [95.0, 99.0, 100.0, 103.5, 106.0])
def test_crps_of_a_normal_is_its_closed_form_to_one_percent_on_the_stored_levels(actual):
    found = metrics.crps(stats.norm.ppf(LEVELS, 100, 2), np.array(actual), LEVELS)
    assert found == pytest.approx(normal_crps(100, 2, actual), rel=0.01)


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
    found = metrics.crps(np.full((2, 2, len(LEVELS)), 100.0), actual, LEVELS)
    assert found == pytest.approx(np.array([[0.99, 1.98], [0.0, 3.96]]))


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


def test_direction_accuracy_is_the_share_of_moves_called_right():
    last_close = np.array([[100.0]])
    median = np.array([[101.0, 99.0, 102.0, 98.0]])
    actual = np.array([[105.0, 99.5, 90.0, 97.0]])  # right, right, wrong, right
    assert metrics.direction_accuracy(median, actual, last_close) == 0.75


def test_direction_accuracy_leaves_out_days_when_median_or_price_stood_still():
    last_close = np.full((4, 1), 100.0)
    median = np.array([[101.0], [100.0], [99.0], [101.0]])
    actual = np.array([[102.0], [105.0], [100.0], [98.0]])  # right, nothing said, nothing came, wrong
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
