"""Network and baselines through one scoring: a forecast of a single price has a CRPS that can be worked out by hand."""

import json
from dataclasses import asdict, replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats

from stockcast.evaluation.baselines.naive import drift, ewma, historical_volatility, random_walk
from stockcast.evaluation.baselines.task import ForecastTask
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


def task_of(actual, *, closes=None, unit=1.0):
    """A task with these actual prices: after 120 training days, whatever the closes say."""
    steps = np.random.default_rng(1).normal(0, 0.01, 120 + len(actual))
    closes = LAST_CLOSE * np.exp(np.cumsum(steps)) if closes is None else np.asarray(closes, float)
    origins = np.arange(len(closes) - len(actual), len(closes))
    return SimpleNamespace(actual=actual, closes=unit * closes, origins=origins, training_days=origins[0])


def walk(actual, *, spread=0.03):
    return forecast(np.full(actual.shape, LAST_CLOSE), spread=spread)


@pytest.mark.parametrize(
    ("horizon", "reported"),
    [(1, [1]), (4, [1, 4]), (5, [1, 5]), (12, [1, 5, 10, 12]), (50, [1, 5, 10, 20, 50]), (60, [1, 5, 10, 20, 50, 60])],
)
def test_every_usual_horizon_and_the_last_day_of_the_forecast_are_reported(horizon, reported):
    actual = market(origins=20, horizon=horizon)
    report = compare(walk(actual), {"random_walk": walk(actual)}, task_of(actual))
    assert list(report.horizons) == reported


def test_a_perfect_forecast_scores_best_in_everything():
    actual = market()
    report = compare(forecast(actual), {"random_walk": walk(actual)}, task_of(actual))
    for comparison in (*report.horizons.values(), report.overall):
        scores = comparison.model
        assert scores.crps == pytest.approx(0, abs=1e-15)
        assert (scores.mae, scores.rmse, scores.mape, scores.width_90) == (0, 0, 0, 0)
        assert (scores.mase, scores.width_50, scores.width_80, scores.width_95, scores.winkler_90) == (0, 0, 0, 0, 0)
        assert (scores.coverage_50, scores.coverage_80, scores.coverage_90, scores.coverage_95) == (1, 1, 1, 1)
        assert (scores.direction_accuracy, scores.balanced_direction_accuracy) == (1, 1)
        assert scores.log_score == pytest.approx(-np.log(1e6))  # the density that a single price is given
        assert comparison.skill["random_walk"] == pytest.approx(1)
        assert comparison.tests["random_walk"].statistic < 0
    assert report.skill_by_step["random_walk"] == pytest.approx(np.ones(12))


def test_no_network_has_skill_against_a_perfect_baseline():
    actual = np.full((20, 2), LAST_CLOSE)
    report = compare(walk(actual), {"random_walk": walk(actual, spread=0.0)}, task_of(actual))
    assert report.horizons[1].skill == {"random_walk": None}
    assert report.overall.skill == {"random_walk": None}


def test_a_baseline_that_says_the_same_is_neither_better_nor_worse():
    actual = market()
    report = compare(walk(actual), {"random_walk": walk(actual)}, task_of(actual))
    assert report.horizons[1].model == report.horizons[1].baselines["random_walk"]
    assert report.horizons[1].skill == {"random_walk": 0.0}
    assert report.horizons[1].tests == {"random_walk": None}
    assert report.skill_by_step["random_walk"].tolist() == [0.0] * 12


def test_half_the_miss_in_log_price_is_a_skill_of_one_half():
    # Single prices, so CRPS is 0.99 of the miss in log: 0.0099 against 0.0198, on every day.
    actual = market(origins=20, horizon=1)
    near, far = forecast(actual * np.exp(0.01)), forecast(actual * np.exp(0.02))
    comparison = compare(near, {"drift": far}, task_of(actual)).horizons[1]
    assert comparison.model.crps == pytest.approx(0.0099)
    assert comparison.baselines["drift"].crps == pytest.approx(0.0198)
    assert comparison.skill == {"drift": pytest.approx(0.5)}
    assert compare(far, {"drift": near}, task_of(actual)).horizons[1].skill == {"drift": pytest.approx(-1.0)}


def test_scores_at_a_horizon_look_at_that_day_only_and_overall_at_all():
    # 1 % off on days 1 to 4 and 6 to 9, 5 % off on day 5: 0.99 x 0.01, 0.99 x 0.05, and their mean over 9 days,
    # 0.99 x (8 x 0.01 + 0.05) / 9 = 0.0143.
    actual = market(origins=20, horizon=9)
    misses = np.full(9, 0.01)
    misses[4] = 0.05
    report = compare(forecast(actual * np.exp(misses)), {"drift": forecast(actual * np.exp(-0.02))}, task_of(actual))
    assert report.horizons[1].model.crps == pytest.approx(0.0099)
    assert report.horizons[5].model.crps == pytest.approx(0.0495)
    assert report.overall.model.crps == pytest.approx(0.0143)
    # Against the baseline's 2 %: 1 - 1/2, 1 - 5/2, and overall 1 - (0.13 / 9) / 0.02.
    assert report.skill_by_step["drift"] == pytest.approx([0.5, 0.5, 0.5, 0.5, -1.5, 0.5, 0.5, 0.5, 0.5])
    assert report.overall.skill["drift"] == pytest.approx(1 - 0.13 / 0.18)


def test_point_errors_and_direction_are_those_worked_by_hand():
    # Medians 102 and 99 from a close of 100; 104 and 103 came: misses 2 and 4, up called right, down called wrong.
    model, actual = forecast([[102.0], [99.0]]), np.array([[104.0], [103.0]])
    scores = compare(model, {"random_walk": walk(actual)}, task_of(actual)).horizons[1].model
    assert scores.mae == pytest.approx(3)
    assert scores.rmse == pytest.approx(10**0.5)  # (4 + 16) / 2
    assert scores.mape == pytest.approx(100 * (2 / 104 + 4 / 103) / 2)
    assert scores.direction_accuracy == 0.5


def test_coverage_and_width_are_those_of_the_bands_of_50_80_90_and_95_percent():
    # In deviations of 0.1 in log, the bands end at 0.6745, 1.2816, 1.6449 and 1.9600.
    actual = LAST_CLOSE * np.exp(0.1 * np.array([[0.0], [0.7], [-1.6], [1.7], [-2.0]]))
    scores = compare(walk(actual, spread=0.1), {}, task_of(actual)).horizons[1].model
    assert (scores.coverage_50, scores.coverage_80, scores.coverage_90, scores.coverage_95) == (0.2, 0.4, 0.6, 0.8)
    for width, end in (
        (scores.width_50, 0.0674490),
        (scores.width_80, 0.1281552),
        (scores.width_90, 0.1644854),
        (scores.width_95, 0.1959964),
    ):
        assert width == pytest.approx(100 * (np.exp(end) - np.exp(-end)), rel=1e-5)


def test_the_pinball_loss_is_reported_level_by_level():
    # Single prices 1 % too low in log: 5 % of the miss at the level of 5 %, 95 % of it at that of 95 %.
    actual = market(origins=20, horizon=2)
    pinball = compare(forecast(actual * np.exp(-0.01)), {}, task_of(actual)).overall.model.pinball
    assert list(pinball) == [f"{level:g}" for level in LEVELS]
    assert pinball["0.05"] == pytest.approx(0.0005)
    assert pinball["0.5"] == pytest.approx(0.005)
    assert pinball["0.995"] == pytest.approx(0.00995)


def test_the_scaled_error_is_in_daily_moves_of_the_training_days():
    # Training days alternate between 100 and 102, so 2 a day; later ones move by 50 and do not count. The misses are 1
    # and 5.
    closes = [*[100.0, 102.0] * 10, 150.0, 100.0]
    actual = np.array([[104.0], [104.0]])
    scores = compare(forecast([[103.0], [99.0]]), {}, task_of(actual, closes=closes)).horizons[1].model
    assert scores.mase == pytest.approx(1.5)


def test_a_single_price_that_misses_by_three_dollars_has_an_interval_score_of_sixty():
    # No width, and 2 / (1 - 0.9) = 20 for every dollar outside.
    actual = market(origins=20, horizon=1)
    assert compare(forecast(actual + 3), {}, task_of(actual)).horizons[1].model.winkler_90 == pytest.approx(60)


def test_always_saying_up_is_right_as_often_as_prices_rise_and_half_right_when_balanced():
    actual = np.array([[101.0], [102.0], [103.0], [99.0]])
    scores = compare(forecast(np.full((4, 1), 105.0)), {}, task_of(actual)).horizons[1].model
    assert scores.direction_accuracy == 0.75
    assert scores.balanced_direction_accuracy == 0.5


def test_a_walk_without_drift_is_not_scored_on_direction():
    actual = market()
    report = compare(forecast(actual), {"random_walk": walk(actual)}, task_of(actual))
    assert report.overall.baselines["random_walk"].direction_accuracy is None


def test_crps_skill_and_tests_are_the_same_in_cents_as_in_dollars():
    actual = market()
    model, baseline = walk(actual, spread=0.02), walk(actual, spread=0.05)
    dollars = compare(model, {"ewma": baseline}, task_of(actual))
    cents = compare(model.times(100), {"ewma": baseline.times(100)}, task_of(100 * actual, unit=100))
    for step in dollars.horizons:
        before, after = dollars.horizons[step], cents.horizons[step]
        for unitless in ("crps", "log_score", "mape", "mase", "coverage_50", "coverage_90"):
            assert getattr(after.model, unitless) == pytest.approx(getattr(before.model, unitless))
        for in_price_units in ("mae", "rmse", "width_90", "winkler_90"):
            assert getattr(after.model, in_price_units) == pytest.approx(100 * getattr(before.model, in_price_units))
        assert after.skill["ewma"] == pytest.approx(before.skill["ewma"])
        assert after.tests["ewma"].p_value == pytest.approx(before.tests["ewma"].p_value)
        assert after.confidence_set.names == before.confidence_set.names
        assert after.pit["histogram"] == pytest.approx(before.pit["histogram"])
        assert after.regimes == before.regimes
    assert cents.value_at_risk == dollars.value_at_risk


def test_the_sharper_of_two_right_forecasts_wins_and_the_test_says_so():
    actual = market(origins=300, horizon=5)
    honest = forecast(np.full(actual.shape, LAST_CLOSE), spread=0.01)  # the market's own at one day
    timid = forecast(np.full(actual.shape, LAST_CLOSE), spread=0.04)
    won = compare(honest, {"random_walk": timid}, task_of(actual)).horizons[1]
    assert won.skill["random_walk"] > 0
    assert won.tests["random_walk"].statistic < 0
    assert won.tests["random_walk"].p_value < 0.001
    lost = compare(timid, {"random_walk": honest}, task_of(actual)).horizons[1]
    assert lost.tests["random_walk"].statistic == -won.tests["random_walk"].statistic


def test_too_few_origins_for_a_horizon_are_scored_but_not_tested():
    actual = market(origins=18, horizon=10)  # two horizons of 10 days would be 20
    report = compare(walk(actual), {"ewma": walk(actual, spread=0.01)}, task_of(actual))
    assert report.horizons[5].tests["ewma"] is not None
    assert report.horizons[10].tests == {"ewma": None}
    assert report.overall.tests == {"ewma": None}
    assert report.horizons[10].skill["ewma"] is not None


def test_longer_horizons_are_tested_with_their_own_overlap():
    # The network is the better one by luck of the sample; at 10 days ahead 10 neighbours share what made it so.
    rng = np.random.default_rng(12)
    sums = np.convolve(rng.normal(size=129), np.ones(10), mode="valid")[:, None] / 100
    actual = LAST_CLOSE * np.exp(np.repeat(sums, 10, axis=1))  # the same prices at every step
    model, baseline = walk(actual, spread=0.03), walk(actual, spread=0.05)
    horizons = compare(model, {"ewma": baseline}, task_of(actual)).horizons
    assert horizons[1].skill == pytest.approx(horizons[10].skill)
    assert abs(horizons[10].tests["ewma"].statistic) < abs(horizons[1].tests["ewma"].statistic)


def test_of_a_right_forecast_and_a_timid_one_only_the_right_one_may_be_the_best():
    actual = market(origins=300, horizon=5)
    honest, timid = walk(actual, spread=0.01), walk(actual, spread=0.04)
    won = compare(honest, {"random_walk": timid, "drift": timid}, task_of(actual)).horizons[1]
    assert won.confidence_set.names == ("model",)
    assert won.superior_predictive_ability == 1
    lost = compare(timid, {"random_walk": honest, "drift": timid}, task_of(actual)).horizons[1]
    assert lost.confidence_set.names == ("random_walk",)
    assert lost.superior_predictive_ability < 0.01


def test_too_few_origins_leave_the_best_open():
    actual = market(origins=12, horizon=2)
    comparison = compare(walk(actual), {"ewma": walk(actual, spread=0.01)}, task_of(actual)).horizons[1]
    assert comparison.confidence_set is None
    assert comparison.superior_predictive_ability is None


def test_prices_always_below_the_forecast_fall_into_the_lowest_tenth_of_its_spread():
    actual = np.full((60, 5), LAST_CLOSE)
    report = compare(forecast(np.full((60, 5), 110.0), spread=0.01), {}, task_of(actual))
    for comparison in (*report.horizons.values(), report.overall):
        assert comparison.pit["histogram"] == [1.0, *[0.0] * 9]
    assert report.horizons[1].pit["p_value"] < 1e-6
    assert report.overall.pit["p_value"] is None  # steps of one origin are no independent draws


def test_transforms_are_tested_on_forecasts_that_do_not_overlap():
    # 40 origins: forty of them one day ahead, eight five days ahead, too few.
    actual = market(origins=40, horizon=5)
    report = compare(walk(actual, spread=0.01), {}, task_of(actual))
    assert report.horizons[1].pit["p_value"] > 0.01
    assert report.horizons[5].pit["p_value"] is None


def test_bands_are_scored_for_calm_and_stormy_origins_apart():
    # Training days of 1, 2 and 3 %, forty each, so that the thirds lie at 1 and at 2 to 3 %; then 60 origins that end
    # days of 0.5 %, and 60 that end days of 8 %. From the 20th to the 60th only calm days are remembered, from the
    # 3rd of the others on the storm is: sqrt(3 x 0.0064 / 20) = 3.1 %.
    sizes = np.repeat([0.01, 0.02, 0.03, 0.005, 0.08], [40, 40, 40, 60, 60])
    closes = 100 * np.exp(np.append(0, np.cumsum(sizes * (-1) ** np.arange(240))))
    actual = np.full((120, 1), LAST_CLOSE)
    actual[[30, 31]] = 200.0  # calm origins, outside of the band
    actual[70:110] = 200.0  # stormy ones
    task = task_of(actual, closes=closes)
    regimes = compare(walk(actual, spread=0.03), {}, task).horizons[1].regimes
    assert list(regimes) == ["calm", "middle", "storm"]
    assert sum(regime["origins"] for regime in regimes.values()) == 120
    calm, storm = regimes["calm"], regimes["storm"]
    assert calm["origins"] >= 41
    assert storm["origins"] >= 58
    assert calm["coverage_90"] == pytest.approx(1 - 2 / calm["origins"])
    assert storm["coverage_90"] == pytest.approx(1 - 40 / storm["origins"])


def test_a_regime_without_an_origin_has_no_coverage():
    closes = 100 * np.exp(np.append(0, np.cumsum(np.repeat([0.01, 0.02, 0.03, 0.2], [40, 40, 40, 25]))))
    actual = np.full((5, 1), LAST_CLOSE)
    regimes = compare(walk(actual), {}, task_of(actual, closes=closes)).overall.regimes
    assert regimes["storm"] == {"origins": 5, "coverage_90": 1.0}
    assert regimes["calm"] == {"origins": 0, "coverage_90": None}


def test_falls_below_the_value_at_risk_are_counted_one_day_ahead_for_network_and_baselines():
    # Of 60 origins 6 end 2 deviations low (below the 5 % value at risk, 1.645) and 2 end 3 low (below the 1 % one too,
    # 2.326). The second day ahead is below both every time, and does not count.
    deviations = np.zeros((60, 2))
    deviations[[3, 11, 20, 33, 41, 52], 0], deviations[[8, 29], 0], deviations[:, 1] = -2, -3, -9
    actual = LAST_CLOSE * np.exp(0.03 * deviations)
    report = compare(walk(actual), {"ewma": walk(actual, spread=1.0)}, task_of(actual))
    one_percent, five_percent = report.value_at_risk["model"]
    assert (one_percent.level, one_percent.hits, one_percent.origins) == (0.01, 2, 60)
    assert one_percent.expected == pytest.approx(0.6)
    assert (five_percent.level, five_percent.hits, five_percent.origins) == (0.05, 8, 60)
    assert five_percent.expected == pytest.approx(3)
    assert [test.hits for test in report.value_at_risk["ewma"]] == [0, 0]


def test_baselines_without_a_forecast_reach_the_report_with_their_reason():
    actual = market(origins=20, horizon=1)
    report = compare(walk(actual), {}, task_of(actual), failures={"garch_t": "it did not converge"})
    assert report.failures == {"garch_t": "it did not converge"}
    assert compare(walk(actual), {}, task_of(actual)).failures == {}


def stored(comparison):
    """The comparison as it comes back from metrics.json; a NaN or an infinity in it is refused."""
    return json.loads(json.dumps(comparison.to_json(), allow_nan=False))


def test_a_comparison_is_json_under_the_names_that_scripts_read():
    actual = market(origins=18, horizon=10)
    baselines = {"random_walk": walk(actual, spread=0.01), "drift": walk(actual, spread=0.05)}
    report = compare(walk(actual), baselines, task_of(actual))
    scores = {
        *("crps", "log_score", "pinball", "mae", "rmse", "mape", "mase", "winkler_90"),
        *(f"{name}_{promise}" for name in ("coverage", "width") for promise in (50, 80, 90, 95)),
        *("direction_accuracy", "balanced_direction_accuracy"),
    }
    for comparison in (*report.horizons.values(), report.overall):
        document = stored(comparison)
        assert document.keys() == {
            *("model", "baselines", "skill", "tests"),
            *("superior_predictive_ability", "confidence_set", "pit", "always_up", "regimes"),
        }
        assert document["model"].keys() == scores
        assert document["baselines"]["random_walk"].keys() == scores
    first = stored(report.horizons[1])
    assert first["tests"]["random_walk"].keys() == {"statistic", "p_value"}
    assert first["confidence_set"].keys() == {"names", "p_values"}
    assert first["confidence_set"]["p_values"].keys() == {"model", "random_walk", "drift"}
    assert first["pit"].keys() == {"histogram", "p_value"}
    assert stored(report.horizons[10])["tests"]["random_walk"] is None


SIMPLE = {"random_walk": random_walk, "drift": drift, "volatility_20": historical_volatility, "ewma": ewma}


@pytest.mark.parametrize("constant", [False, True], ids=["moving", "constant"])
@pytest.mark.parametrize("zero_width", [False, True], ids=["wide", "zero_width"])
@pytest.mark.parametrize("days", [8, 150], ids=["few", "many"])
def test_no_number_is_missing_from_metrics_json_however_odd_the_prices_and_the_forecast(constant, zero_width, days):
    steps = np.random.default_rng(2).normal(0, 0.0 if constant else 0.01, 100 + days)
    closes = 20 * np.exp(np.cumsum(steps))
    dates = np.datetime64("2020-01-01") + np.arange(len(closes))
    task = ForecastTask(dates, closes, np.arange(99, len(closes) - 5), horizon=5, training_days=100)
    baselines = {name: baseline(task) for name, baseline in SIMPLE.items()}
    model = baselines["ewma"]
    if zero_width:
        model = replace(model, quantiles=np.repeat(model.quantiles[..., :1], len(LEVELS), axis=-1))
    report = compare(model, baselines, task)
    for comparison in (*report.horizons.values(), report.overall):
        stored(comparison)
    tests = {name: [asdict(test) for test in levels] for name, levels in report.value_at_risk.items()}
    json.dumps(tests, allow_nan=False)
    assert report.overall.model.mase is None if constant else report.overall.model.mase > 0


def test_always_up_is_right_as_often_as_prices_rise():
    actual = np.array([[101.0, 99.0], [102.0, 98.0], [103.0, 101.0], [99.0, 100.0]])  # 100 is no rise
    report = compare(walk(actual), {"random_walk": walk(actual)}, task_of(actual))
    assert [report.horizons[step].always_up for step in (1, 2)] == [0.75, 0.25]
    assert report.overall.always_up == 0.5


def test_the_interval_of_a_skill_excludes_zero_where_its_test_rejects():
    # Twice too wide against right, at up to 12 days ahead: better by more and by less than chance.
    actual = market(origins=80)
    report = compare(walk(actual, spread=0.02), {"random_walk": walk(actual, spread=0.03)}, task_of(actual))
    skill, margin = report.skill_by_step["random_walk"], report.skill_margins["random_walk"]
    outcomes = {step: report.horizons[step].tests["random_walk"].p_value < 0.05 for step in report.horizons}
    assert {step: bool(abs(skill[step - 1]) > margin[step - 1]) for step in outcomes} == outcomes
    assert set(outcomes.values()) == {True, False}
    assert report.origins == 80


def test_a_skill_without_a_test_has_no_interval():
    actual = market(origins=20)  # fewer than two forecasts without overlap from 11 days ahead on
    report = compare(walk(actual, spread=0.02), {"random_walk": walk(actual)}, task_of(actual))
    margins = report.skill_margins["random_walk"]
    assert np.isnan(margins).tolist() == [False] * 10 + [True] * 2
    assert [report.horizons[step].tests["random_walk"] is None for step in (10, 12)] == [False, True]


def test_scores_of_the_days_that_are_known_are_those_of_these_days_alone():
    actual = market(origins=60, horizon=5)
    known = np.random.default_rng(0).random(actual.shape) < 0.7
    known[:, 0] = True
    broken = np.where(known, actual, np.nan)
    partial = compare(forecast(1.01 * broken), {"random_walk": walk(actual)}, task_of(broken), known=known)
    rows = known[:, 4]
    whole = compare(forecast(1.01 * actual[rows]), {"random_walk": walk(actual[rows])}, task_of(actual[rows]))
    assert partial.horizons[5].model.crps == pytest.approx(whole.horizons[5].model.crps, rel=1e-12)
    assert partial.horizons[5].model.mae == pytest.approx(whole.horizons[5].model.mae, rel=1e-12)
    # All days together: the mean over the known ones, of |log 1.01| each.
    span = LEVELS[-1] - LEVELS[0]
    one = 2 * np.trapezoid(np.maximum(-LEVELS, 1 - LEVELS) * np.log(1.01), LEVELS)
    assert partial.overall.model.crps == pytest.approx(one, rel=1e-9)
    assert 0 < one < np.log(1.01) / span
    assert partial.origins == 60


def test_a_day_ahead_that_no_origin_has_is_not_reported():
    actual = market(origins=30, horizon=12)
    known = np.ones(actual.shape, bool)
    known[:, 4] = False
    report = compare(walk(actual), {"random_walk": walk(actual, spread=0.02)}, task_of(actual), known=known)
    assert list(report.horizons) == [1, 10, 12]
    assert np.isnan(report.skill_by_step["random_walk"]).tolist() == [step == 5 for step in range(1, 13)]


def test_the_median_alone_is_scored_by_its_absolute_error():
    actual = market(origins=40, horizon=3)
    point = replace(walk(actual), levels=np.array([0.5]), quantiles=np.full((40, 3, 1), LAST_CLOSE))
    report = compare(point, {"random_walk": point}, task_of(actual))
    assert report.overall.model.crps == pytest.approx(np.abs(np.log(actual / LAST_CLOSE)).mean(), rel=1e-12)
    assert (report.overall.model.coverage_90, report.overall.model.log_score, report.overall.pit["histogram"]) == (
        None, None, []
    )  # fmt: skip
    assert report.value_at_risk == {"model": [], "random_walk": []}


def test_origins_every_fifth_day_are_tested_as_forecasts_that_overlap_by_a_fifth():
    actual = market(origins=60, horizon=5)
    better, worse = forecast(1.001 * actual, spread=0.01), walk(actual)
    apart = task_of(actual)
    apart.origins = 120 + 5 * np.arange(60)
    apart.closes = LAST_CLOSE * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.01, 500)))
    spaced = compare(better, {"random_walk": worse}, apart)
    next_day = {"random_walk": replace(worse, quantiles=worse.quantiles[:, 4:], target_dates=worse.target_dates[:, 4:])}
    alone = replace(better, quantiles=better.quantiles[:, 4:], target_dates=better.target_dates[:, 4:])
    single = compare(alone, next_day, task_of(actual[:, 4:]))
    assert spaced.horizons[5].tests["random_walk"] == single.horizons[1].tests["random_walk"]
