"""Network and rivals through one scoring: a forecast of a single price has a CRPS that can be worked out by hand."""

import json

import numpy as np
import pytest
from scipy import stats

from stockcast.evaluation.scores import compare
from stockcast.forecast import LEVELS, Forecast

LAST_CLOSE = 100.0


def forecast(medians, *, spread=0.0):
    """Lognormal around the medians, (origins, horizon); `spread` is the deviation in log, 0 for a single price."""
    medians = np.asarray(medians, float)
    origins, horizon = medians.shape
    dates = np.datetime64("2020-01-01") + np.arange(origins + horizon)
    return Forecast(
        origin_dates=dates[:origins],
        target_dates=dates[np.arange(origins)[:, None] + np.arange(1, horizon + 1)],
        levels=LEVELS,
        quantiles=medians[:, :, None] * np.exp(spread * stats.norm.ppf(LEVELS)),
        last_close=np.full(origins, LAST_CLOSE),
    )


def market(origins=60, horizon=12, seed=0):
    """Prices that came after a close of 100; (origins, horizon)."""
    steps = np.random.default_rng(seed).normal(0, 0.01, size=(origins, horizon))
    return LAST_CLOSE * np.exp(np.cumsum(steps, axis=1))


def walk(actual, *, spread=0.03):
    return forecast(np.full(actual.shape, LAST_CLOSE), spread=spread)


@pytest.mark.parametrize(
    ("horizon", "reported"),
    [(1, [1]), (4, [1, 4]), (5, [1, 5]), (12, [1, 5, 10, 12]), (50, [1, 5, 10, 20, 50]), (60, [1, 5, 10, 20, 50, 60])],
)
def test_every_usual_horizon_and_the_last_day_of_the_forecast_are_reported(horizon, reported):
    actual = market(origins=20, horizon=horizon)
    report = compare(walk(actual), {"random_walk": walk(actual)}, actual)
    assert list(report.horizons) == reported


def test_a_perfect_forecast_scores_best_in_everything():
    actual = market()
    report = compare(forecast(actual), {"random_walk": walk(actual)}, actual)
    for comparison in (*report.horizons.values(), report.overall):
        scores = comparison.model
        assert scores.crps == pytest.approx(0, abs=1e-15)
        assert (scores.mae, scores.rmse, scores.mape, scores.width_90) == (0, 0, 0, 0)
        assert (scores.coverage_50, scores.coverage_90, scores.direction_accuracy) == (1, 1, 1)
        assert comparison.skill["random_walk"] == pytest.approx(1)
        assert comparison.tests["random_walk"].statistic < 0
    assert report.skill_by_step["random_walk"] == pytest.approx(np.ones(12))


def test_nobody_has_skill_beside_a_perfect_rival():
    actual = np.full((20, 2), LAST_CLOSE)
    report = compare(walk(actual), {"random_walk": walk(actual, spread=0.0)}, actual)
    assert report.horizons[1].skill == {"random_walk": None}
    assert report.overall.skill == {"random_walk": None}


def test_a_rival_that_says_the_same_is_neither_better_nor_worse():
    actual = market()
    report = compare(walk(actual), {"random_walk": walk(actual)}, actual)
    assert report.horizons[1].model == report.horizons[1].baselines["random_walk"]
    assert report.horizons[1].skill == {"random_walk": 0.0}
    assert report.horizons[1].tests == {"random_walk": None}
    assert report.skill_by_step["random_walk"].tolist() == [0.0] * 12


def test_half_the_miss_in_log_price_is_a_skill_of_one_half():
    # Single prices, so CRPS is 0.99 of the miss in log: 0.0099 against 0.0198, on every day.
    actual = market(origins=20, horizon=1)
    near, far = forecast(actual * np.exp(0.01)), forecast(actual * np.exp(0.02))
    comparison = compare(near, {"drift": far}, actual).horizons[1]
    assert comparison.model.crps == pytest.approx(0.0099)
    assert comparison.baselines["drift"].crps == pytest.approx(0.0198)
    assert comparison.skill == {"drift": pytest.approx(0.5)}
    assert compare(far, {"drift": near}, actual).horizons[1].skill == {"drift": pytest.approx(-1.0)}


def test_scores_at_a_horizon_look_at_that_day_only_and_overall_at_all():
    # 1 % off on days 1 to 4 and 6 to 9, 5 % off on day 5: 0.99 x 0.01, 0.99 x 0.05, and their mean over 9 days,
    # 0.99 x (8 x 0.01 + 0.05) / 9 = 0.0143.
    actual = market(origins=20, horizon=9)
    misses = np.full(9, 0.01)
    misses[4] = 0.05
    report = compare(forecast(actual * np.exp(misses)), {"drift": forecast(actual * np.exp(-0.02))}, actual)
    assert report.horizons[1].model.crps == pytest.approx(0.0099)
    assert report.horizons[5].model.crps == pytest.approx(0.0495)
    assert report.overall.model.crps == pytest.approx(0.0143)
    # Beside the rival's 2 %: 1 - 1/2, 1 - 5/2, and overall 1 - (0.13 / 9) / 0.02.
    assert report.skill_by_step["drift"] == pytest.approx([0.5, 0.5, 0.5, 0.5, -1.5, 0.5, 0.5, 0.5, 0.5])
    assert report.overall.skill["drift"] == pytest.approx(1 - 0.13 / 0.18)


def test_point_errors_and_direction_are_those_worked_by_hand():
    # Medians 102 and 99 from a close of 100; 104 and 103 came: misses 2 and 4, up called right, down called wrong.
    model, actual = forecast([[102.0], [99.0]]), np.array([[104.0], [103.0]])
    scores = compare(model, {"random_walk": walk(actual)}, actual).horizons[1].model
    assert scores.mae == pytest.approx(3)
    assert scores.rmse == pytest.approx(10**0.5)  # (4 + 16) / 2
    assert scores.mape == pytest.approx(100 * (2 / 104 + 4 / 103) / 2)
    assert scores.direction_accuracy == 0.5


def test_coverage_and_width_are_those_of_the_bands_of_50_and_90_percent():
    # In deviations of 0.1 in log, the bands end at 0.6745 and 1.6449; the prices came at 0, 0.7, 1.6 and 1.7 of them.
    actual = LAST_CLOSE * np.exp(0.1 * np.array([[0.0], [0.7], [-1.6], [1.7]]))
    scores = compare(walk(actual, spread=0.1), {}, actual).horizons[1].model
    assert scores.coverage_50 == 0.25
    assert scores.coverage_90 == 0.75
    assert scores.width_90 == pytest.approx(100 * (np.exp(0.164485) - np.exp(-0.164485)), rel=1e-5)


def test_a_walk_without_drift_is_not_scored_on_direction():
    actual = market()
    report = compare(forecast(actual), {"random_walk": walk(actual)}, actual)
    assert report.overall.baselines["random_walk"].direction_accuracy is None


def test_crps_skill_and_tests_are_the_same_in_cents_as_in_dollars():
    actual = market()
    model, rival = walk(actual, spread=0.02), walk(actual, spread=0.05)
    dollars = compare(model, {"ewma": rival}, actual)
    cents = compare(model.times(100), {"ewma": rival.times(100)}, 100 * actual)
    for step in dollars.horizons:
        before, after = dollars.horizons[step], cents.horizons[step]
        for unitless in ("crps", "mape", "coverage_50", "coverage_90"):
            assert getattr(after.model, unitless) == pytest.approx(getattr(before.model, unitless))
        for in_price_units in ("mae", "rmse", "width_90"):
            assert getattr(after.model, in_price_units) == pytest.approx(100 * getattr(before.model, in_price_units))
        assert after.skill["ewma"] == pytest.approx(before.skill["ewma"])
        assert after.tests["ewma"].p_value == pytest.approx(before.tests["ewma"].p_value)


def test_the_sharper_of_two_right_forecasts_wins_and_the_test_says_so():
    actual = market(origins=300, horizon=5)
    honest = forecast(np.full(actual.shape, LAST_CLOSE), spread=0.01)  # the market's own at one day
    timid = forecast(np.full(actual.shape, LAST_CLOSE), spread=0.04)
    won = compare(honest, {"random_walk": timid}, actual).horizons[1]
    assert won.skill["random_walk"] > 0
    assert won.tests["random_walk"].statistic < 0
    assert won.tests["random_walk"].p_value < 0.001
    lost = compare(timid, {"random_walk": honest}, actual).horizons[1]
    assert lost.tests["random_walk"].statistic == -won.tests["random_walk"].statistic


def test_too_few_origins_for_a_horizon_are_scored_but_not_tested():
    actual = market(origins=18, horizon=10)  # two horizons of 10 days would be 20
    report = compare(walk(actual), {"ewma": walk(actual, spread=0.01)}, actual)
    assert report.horizons[5].tests["ewma"] is not None
    assert report.horizons[10].tests == {"ewma": None}
    assert report.overall.tests == {"ewma": None}
    assert report.horizons[10].skill["ewma"] is not None


def test_longer_horizons_are_tested_with_their_own_overlap():
    # The network is the better one by luck of the sample; at 10 days ahead 10 neighbours share what made it so.
    rng = np.random.default_rng(12)
    sums = np.convolve(rng.normal(size=129), np.ones(10), mode="valid")[:, None] / 100
    actual = LAST_CLOSE * np.exp(np.repeat(sums, 10, axis=1))  # the same prices at every step
    model, rival = walk(actual, spread=0.03), walk(actual, spread=0.05)
    horizons = compare(model, {"ewma": rival}, actual).horizons
    assert horizons[1].skill == pytest.approx(horizons[10].skill)
    assert abs(horizons[10].tests["ewma"].statistic) < abs(horizons[1].tests["ewma"].statistic)


def test_a_comparison_is_json_under_the_names_that_scripts_read():
    actual = market(origins=18, horizon=10)
    report = compare(walk(actual), {"random_walk": walk(actual, spread=0.01)}, actual)
    scores = {"crps", "mae", "rmse", "mape", "coverage_50", "coverage_90", "width_90", "direction_accuracy"}
    for comparison in (*report.horizons.values(), report.overall):
        stored = comparison.to_json()
        assert json.loads(json.dumps(stored, allow_nan=False)) == stored
        assert stored.keys() == {"model", "baselines", "skill", "tests"}
        assert stored["model"].keys() == scores
        assert stored["baselines"]["random_walk"].keys() == scores
    assert report.horizons[1].to_json()["tests"]["random_walk"].keys() == {"statistic", "p_value"}
    assert report.horizons[10].to_json()["tests"]["random_walk"] is None
