"""Conformal bands: ranks counted by hand, and their promise held in seeded simulations."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from stockcast.errors import NotEnoughDays, RunError
from stockcast.evaluation.calibration.conformal import (
    ConformalOffsets,
    ConformalScaling,
    calibration_from_json,
    check_origins,
    fit_offsets,
    fit_scaling,
    needed_factors,
)
from stockcast.forecast import LEVELS, Forecast

COVERAGES = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99)


def point_forecast(medians):
    """All quantiles at the median, all that a point head forecasts; medians have the shape (origins, horizon)."""
    medians = np.asarray(medians, float)
    origins, horizon = medians.shape
    dates = np.datetime64("2020-01-01") + np.arange(origins + horizon)
    return Forecast(
        origin_dates=dates[:origins],
        target_dates=dates[np.arange(origins)[:, None] + np.arange(1, horizon + 1)],
        levels=LEVELS,
        quantiles=np.broadcast_to(medians[:, :, None], (origins, horizon, len(LEVELS))),
        last_close=medians[:, 0],
    )


def strayed(errors, *, price=100.0):
    """A forecast of `price` on every day, and prices that came out off it by `errors` in log; (origins, horizon)."""
    errors = np.asarray(errors, float)
    return point_forecast(np.full(errors.shape, price)), price * np.exp(errors)


def ladder(origins=99, seed=0):
    """Absolute errors 0.001, 0.002, ..., in mixed order and of mixed sign; (origins, 1)."""
    rng = np.random.default_rng(seed)
    sizes = rng.permutation(np.arange(1, origins + 1) / 1000)
    return (sizes * rng.choice([-1, 1], origins))[:, None]


def wandering_calibration(*, origins=150, horizon=4):
    rng = np.random.default_rng(8)
    return fit_offsets(*strayed(rng.standard_t(4, size=(origins, horizon)) * 0.02))


@pytest.mark.parametrize(("coverage", "reach"), [(0.5, 0.050), (0.9, 0.090), (0.95, 0.095), (0.99, 0.099)])
def test_a_band_reaches_as_far_as_its_rank_among_the_errors(coverage, reach):
    # 99 errors 0.001 ... 0.099: the band of 90 % takes the ceil(100 x 0.9) = 90th smallest, 0.090.
    calibration = fit_offsets(*strayed(ladder()))
    lower, upper = calibration.apply(point_forecast([[200.0]])).band(coverage)
    assert lower[0, 0] == pytest.approx(200 * np.exp(-reach), rel=1e-12)
    assert upper[0, 0] == pytest.approx(200 * np.exp(reach), rel=1e-12)


def test_a_rank_between_two_errors_is_rounded_up_to_the_safe_side():
    # 100 errors: 101 x 0.9 = 90.9, so the 91st, 0.091.
    calibration = fit_offsets(*strayed(ladder(100)))
    _, upper = calibration.apply(point_forecast([[200.0]])).band(0.9)
    assert upper[0, 0] == pytest.approx(200 * np.exp(0.091), rel=1e-12)


def test_bands_reach_as_far_above_the_median_as_below_whichever_side_prices_strayed_to():
    always_above = fit_offsets(*strayed(np.abs(ladder(100))))
    assert always_above.offsets == pytest.approx(fit_offsets(*strayed(ladder(100))).offsets, abs=1e-12)
    assert always_above.offsets == pytest.approx(-always_above.offsets[:, ::-1], abs=1e-12)


@pytest.mark.parametrize("origins", [99, 199, 499])
def test_bands_reach_as_far_above_the_median_as_below_at_any_number_of_origins(origins):
    offsets = fit_offsets(*strayed(ladder(origins))).offsets
    assert offsets == pytest.approx(-offsets[:, ::-1], abs=1e-12)


@pytest.mark.parametrize("origins", [19, 99, 150, 199])
def test_bands_cover_at_least_what_they_promise_of_days_like_the_calibrations(origins):
    # Every step is a trial of its own: independent heavy-tailed, skewed errors, and one new day to cover.
    trials = 4000
    rng = np.random.default_rng(origins)
    errors = 0.01 * (rng.standard_t(3, size=(origins + 1, trials)) + rng.exponential(size=(origins + 1, trials)))
    calibration = fit_offsets(*strayed(errors[:-1]))
    today, came = strayed(errors[-1:])
    bands = calibration.apply(today)
    for coverage in COVERAGES:
        lower, upper = bands.band(coverage)
        covered = np.mean((lower <= came) & (came <= upper))
        tolerance = 4 * np.sqrt(coverage * (1 - coverage) / trials)  # four binomial standard errors
        # Lei et al. 2018, theorem 2.2: at least p, and at most p + 1 / (n + 1). No band outreaches the largest of n
        # errors, which a new one exceeds once in n + 1 times.
        promised = min(coverage, origins / (origins + 1))
        assert promised - tolerance <= covered <= coverage + 1 / (origins + 1) + tolerance


def test_bands_of_gaussian_errors_come_near_the_gaussian_quantiles():
    errors = np.random.default_rng(2).normal(0, 0.02, size=(20_000, 1))
    offsets = fit_offsets(*strayed(errors)).offsets[0]
    # The standard error of the 99.5 % quantile of 20 000 is sqrt(.005 x .995 / 20 000) / (density 0.0145 / 0.02).
    assert offsets == pytest.approx(stats.norm.ppf(LEVELS, scale=0.02), abs=4 * 0.0007)


def test_the_median_is_kept():
    forecast = point_forecast(np.random.default_rng(1).uniform(10, 3000, size=(50, 4)))
    calibration = wandering_calibration()
    assert calibration.apply(forecast).median == pytest.approx(forecast.median, rel=1e-14)
    assert calibration.offsets[:, len(LEVELS) // 2].tolist() == [0.0] * 4


def test_calibrated_quantiles_never_decrease_along_the_levels():
    forecast = point_forecast(np.random.default_rng(1).uniform(10, 3000, size=(50, 9)))
    assert (np.diff(wandering_calibration().apply(forecast).quantiles, axis=-1) >= 0).all()


def test_bands_of_other_levels_are_refused():
    few = replace(point_forecast([[100.0]]), levels=np.array([0.05, 0.5, 0.95]), quantiles=np.full((1, 1, 3), 100.0))
    with pytest.raises(RunError, match="levels") as error:
        wandering_calibration().apply(few)
    assert error.value.file == "calibration.json"


def test_only_the_quantiles_change_when_bands_are_put_on():
    forecast = point_forecast([[10.0, 11.0], [12.0, 13.0]])
    banded = wandering_calibration().apply(forecast)
    assert banded.origin_dates.tolist() == forecast.origin_dates.tolist()
    assert banded.target_dates.tolist() == forecast.target_dates.tolist()
    assert banded.last_close.tolist() == forecast.last_close.tolist()
    assert banded.quantiles.shape == (2, 2, len(LEVELS))


def test_each_step_has_the_bands_of_its_own_errors():
    errors = ladder()
    calibration = fit_offsets(*strayed(np.hstack([errors, 3 * errors])))
    assert calibration.offsets[1] == pytest.approx(3 * calibration.offsets[0])


def test_point_forecasts_that_were_always_right_get_bands_of_no_width():
    calibration = fit_offsets(*strayed(np.zeros((120, 3))))
    assert calibration.offsets.tolist() == np.zeros((3, len(LEVELS))).tolist()


def test_the_price_unit_does_not_move_the_bands():
    dollars, cents = fit_offsets(*strayed(ladder())), fit_offsets(*strayed(ladder(), price=10_000.0))
    assert cents.offsets == pytest.approx(dollars.offsets, abs=1e-12)


def test_beyond_the_calibrated_horizon_offsets_grow_with_the_root_of_the_days():
    calibration = wandering_calibration(horizon=4)
    offsets = np.log(calibration.apply(point_forecast(np.full((1, 36), 100.0))).quantiles[0] / 100)
    assert offsets[:4] == pytest.approx(calibration.offsets, abs=1e-12)
    assert offsets[15] == pytest.approx(2 * calibration.offsets[3], abs=1e-12)  # sqrt(16 / 4)
    assert offsets[35] == pytest.approx(3 * calibration.offsets[3], abs=1e-12)  # sqrt(36 / 4)


def test_a_shorter_forecast_takes_the_bands_of_the_first_steps():
    calibration = wandering_calibration(horizon=4)
    offsets = np.log(calibration.apply(point_forecast([[100.0, 100.0]])).quantiles[0] / 100)
    assert offsets == pytest.approx(calibration.offsets[:2], abs=1e-12)


def test_nineteen_origins_are_the_fewest():
    # The 95 % band takes the ceil(0.95 (n + 1))-th of n errors: of 19 the 19th; of 18 it would be the 19th too.
    assert fit_offsets(*strayed(ladder(19))).origins == 19
    check_origins(19)
    for refused in (lambda: fit_offsets(*strayed(ladder(18))), lambda: check_origins(18)):
        with pytest.raises(NotEnoughDays, match=r"\b19\b") as error:
            refused()
        assert (error.value.key, error.value.value) == ("split.calibration", 18)


@pytest.mark.parametrize(("origins", "coverage"), [(19, 0.98), (48, 0.98), (19, 0.99), (98, 0.99)])
def test_a_band_wider_than_the_errors_can_carry_ends_at_the_largest_error(origins, coverage):
    calibration = fit_offsets(*strayed(ladder(origins)))
    _, upper = calibration.apply(point_forecast([[200.0]])).band(coverage)
    assert upper[0, 0] == pytest.approx(200 * np.exp(origins / 1000), rel=1e-12)


def test_a_calibration_survives_json_bit_for_bit():
    calibration = wandering_calibration()
    back = calibration_from_json(json.loads(json.dumps(calibration.to_json())))
    assert back.levels.tobytes() == calibration.levels.tobytes()
    assert back.offsets.tobytes() == calibration.offsets.tobytes()
    assert back.offsets.shape == calibration.offsets.shape
    assert back.origins == calibration.origins
    forecast = point_forecast([[100.0, 101.0, 102.0, 103.0]])
    assert back.apply(forecast).quantiles.tobytes() == calibration.apply(forecast).quantiles.tobytes()


def damaged(**changes):
    return {"levels": [0.1, 0.5, 0.9], "offsets": [[-0.1, 0.0, 0.1], [-0.2, 0.0, 0.2]], "origins": 120, **changes}


def test_the_json_that_the_damages_start_from_is_sound():
    assert calibration_from_json(damaged()).offsets.shape == (2, 3)


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"levels": [0.1, 0.5, 0.9], "offsets": [[-0.1, 0.0, 0.1]]},
        [],
        None,
        "calibration",
        damaged(offsets=[]),
        damaged(offsets=[-0.1, 0.0, 0.1]),
        damaged(offsets=[[-0.1, 0.1]]),
        damaged(offsets=[[-0.1, 0.0, 0.1], [-0.2, 0.2]]),
        damaged(offsets=[[-0.1, None, 0.1]]),
        damaged(offsets=[[-0.1, "much", 0.1]]),
        damaged(offsets=[[-0.1, 0.0, float("nan")]]),
        damaged(offsets=[[-0.1, 0.0, float("inf")]]),
        damaged(levels=[0.1, 0.9]),
        damaged(levels=[[0.1, 0.5, 0.9]]),
        damaged(levels={}),
        damaged(origins=None),
        damaged(origins="many"),
        damaged(origins=float("nan")),
    ],
    ids=repr,
)
def test_a_damaged_calibration_is_refused_with_a_run_error(stored):
    with pytest.raises(RunError, match="damaged") as error:
        calibration_from_json(stored)
    assert error.value.file == "calibration.json"


@pytest.mark.parametrize(
    "stored",
    [
        damaged(origins=float("inf")),
        damaged(levels=None, offsets=[1.0, 2.0]),
        damaged(levels=[0.1, float("nan"), 0.9]),
        damaged(levels=[0.9, 0.5, 0.1]),
        damaged(offsets=[[0.1, 0.0, -0.1]]),
    ],
    ids=repr,
)
def test_a_calibration_whose_levels_or_order_are_damaged_is_refused_with_a_run_error(stored):
    with pytest.raises(RunError, match="damaged") as error:
        calibration_from_json(stored)
    assert error.value.file == "calibration.json"


# The scaling of density forecasts.


def density_forecast(below, above=None, *, medians=100.0):
    """Normal in log price to each side of the median, its 90 % band from -below to +above; (origins, horizon)."""
    below, medians = np.broadcast_arrays(np.asarray(below, float), medians)
    reach = stats.norm.ppf(LEVELS) / stats.norm.ppf(0.95)
    above = below if above is None else np.broadcast_to(np.asarray(above, float), below.shape)
    sides = np.where(reach < 0, below[:, :, None], above[:, :, None])
    return replace(point_forecast(medians), quantiles=medians[:, :, None] * np.exp(reach * sides))


def prices_at(errors, *, price=100.0):
    return price * np.exp(np.asarray(errors, float))


def sorted_everywhere(forecast):
    return bool((np.diff(forecast.quantiles, axis=-1) >= 0).all())


def covered(forecast, actual):
    lower, upper = forecast.band(0.9)
    return (lower <= actual) & (actual <= upper)


@pytest.mark.parametrize(("origins", "rank"), [(19, 18), (20, 19), (99, 90), (100, 91)])
def test_the_factor_is_the_rank_of_ninety_percent_among_the_factors_needed(origins, rank):
    # Bands from -0.02 to +0.04. The k-th day strays k / 10 of the way to the end on its side: odd days below.
    # ceil(20 x 0.9) = 18, ceil(21 x 0.9) = ceil(18.9) = 19, and so on.
    days = np.random.default_rng(origins).permutation(np.arange(1, origins + 1))
    errors = np.where(days % 2, -0.02, 0.04) * days / 10
    scaling = fit_scaling(
        [(density_forecast(np.full((origins, 1), 0.02), np.full((origins, 1), 0.04)), prices_at(errors[:, None]))]
    )
    assert scaling.factors == pytest.approx([rank / 10], rel=1e-9)
    assert scaling.origins == origins


def test_a_scaling_multiplies_log_distances_on_both_sides_of_the_median():
    forecast = density_forecast([[0.02, 0.03]], [[0.04, 0.05]], medians=50.0)
    lower, upper = ConformalScaling(np.array([2.0, 0.5]), 19).apply(forecast).band(0.9)
    assert lower[0] == pytest.approx([50 * np.exp(-0.04), 50 * np.exp(-0.015)], rel=1e-12)
    assert upper[0] == pytest.approx([50 * np.exp(0.08), 50 * np.exp(0.025)], rel=1e-12)


def test_all_bands_are_scaled_alike_and_keep_the_forecasts_shape():
    forecast = density_forecast([[0.02]], [[0.04]])
    wider = np.log(ConformalScaling(np.array([1.7]), 19).apply(forecast).quantiles / 100)
    assert wider == pytest.approx(1.7 * np.log(forecast.quantiles / 100), rel=1e-9, abs=1e-14)


def random_density(*, origins=60, horizon=4, seed=6):
    rng = np.random.default_rng(seed)
    widths = rng.uniform(0.001, 0.3, size=(2, origins, horizon))
    return density_forecast(*widths, medians=rng.uniform(1, 3000, size=(origins, horizon)))


@pytest.mark.parametrize("factor", [1e-6, 0.3, 1.0, 4.0])
def test_a_scaling_leaves_the_median_to_the_bit_and_the_quantiles_in_order(factor):
    forecast = random_density()
    after = ConformalScaling(np.full(4, factor), 60).apply(forecast)
    assert after.median.tobytes() == forecast.median.tobytes()
    assert sorted_everywhere(after)


def test_quantiles_that_coincide_are_scaled_to_one_price():
    forecast = density_forecast(np.full((1, 1), 0.02))
    forecast.quantiles[:, :, -5:] = forecast.quantiles[:, :, -5:-4]
    after = ConformalScaling(np.array([1.3]), 19).apply(forecast).quantiles[0, 0]
    assert len(set(after[-5:])) == 1
    assert after[-1] > after[-6]


def test_only_the_quantiles_change_when_bands_are_scaled():
    forecast = random_density()
    after = ConformalScaling(np.full(4, 2.0), 60).apply(forecast)
    assert replace(after, quantiles=forecast.quantiles) == forecast


def test_beyond_the_calibrated_horizon_the_last_factor_holds():
    factors = [2.0, 3.0]
    lower, _ = ConformalScaling(np.array(factors), 19).apply(density_forecast(np.full((1, 4), 0.01))).band(0.9)
    assert np.log(lower[0] / 100) == pytest.approx([-0.02, -0.03, -0.03, -0.03])


def test_a_shorter_forecast_takes_the_factors_of_the_first_steps():
    lower, _ = ConformalScaling(np.array([2.0, 3.0, 4.0]), 19).apply(density_forecast([[0.01, 0.01]])).band(0.9)
    assert np.log(lower[0] / 100) == pytest.approx([-0.02, -0.03])


def test_each_step_has_the_factor_of_its_own_days():
    errors = ladder()
    scaling = fit_scaling([(density_forecast(np.full((99, 2), 0.05)), prices_at(np.hstack([errors, 3 * errors])))])
    # The 90th of 99 errors is 0.090, and 0.270 where they are three times as large.
    assert scaling.factors == pytest.approx([1.8, 5.4])


@pytest.mark.parametrize("origins", [19, 20, 57, 300])
def test_scaled_bands_cover_at_least_ninety_percent_of_the_calibration_days(origins):
    rng = np.random.default_rng(origins)
    widths = rng.uniform(0.005, 0.1, size=(2, origins, 3))
    forecast, actual = density_forecast(*widths), prices_at(rng.standard_t(3, size=(origins, 3)) * 0.05)
    # A hair wider, for the price that sits on the very end of the band that it made.
    after = ConformalScaling(fit_scaling([(forecast, actual)]).factors * (1 + 1e-9), origins).apply(forecast)
    assert (covered(after, actual).mean(axis=0) >= 0.9).all()


@pytest.mark.parametrize("origins", [19, 20, 57])  # 150 would take 350 MB
def test_scaled_bands_cover_ninety_percent_of_days_like_the_calibrations(origins):
    # Every step is a trial of its own. Widths differ from day to day and have little to do with how prices stray.
    trials = 4000
    rng = np.random.default_rng(origins)
    below, above = rng.uniform(0.01, 0.05, size=(2, origins + 1, trials))
    errors = below * rng.standard_t(3, size=below.shape) + 0.01 * rng.exponential(size=below.shape)
    scaling = fit_scaling([(density_forecast(below[:-1], above[:-1]), prices_at(errors[:-1]))])
    came = covered(scaling.apply(density_forecast(below[-1:], above[-1:])), prices_at(errors[-1:])).mean()
    tolerance = 4 * np.sqrt(0.9 * 0.1 / trials)  # four binomial standard errors
    # Romano et al. 2019, theorem 1: at least p, and at most p + 1 / (n + 1).
    assert 0.9 - tolerance <= came <= 0.9 + 1 / (origins + 1) + tolerance


@pytest.mark.parametrize(("ratio", "factor"), [(0.5, 2.0), (1.0, 1.0), (3.0, 1 / 3)])
def test_normal_bands_of_a_wrong_sigma_are_scaled_to_the_right_one(ratio, factor):
    sigma = 0.02
    errors = np.random.default_rng(4).normal(0, sigma, size=(20_000, 1))
    scaling = fit_scaling(
        [(density_forecast(np.full((20_000, 1), ratio * sigma * stats.norm.ppf(0.95))), prices_at(errors))]
    )
    # |z| has density 2 phi(1.645) = 0.206 at its 90 % quantile: standard error sqrt(.09 / 20 000) / 0.206 / 1.645.
    assert scaling.factors == pytest.approx([factor], rel=4 * 0.0063)


def test_series_are_pooled_whatever_their_lengths():
    # Needed: 1 ... 14 in one series, 15 ... 29 in the other; of all 29 the ceil(30 x 0.9) = 27th is 27.
    # Were the series taken one by one, it would be 14 or 29, or their mean.
    needed = np.arange(1.0, 30.0)[:, None] / 10
    short = density_forecast(np.full((14, 1), 0.01)), prices_at(0.01 * needed[:14])
    long = density_forecast(np.full((15, 1), 0.03), medians=7.0), prices_at(-0.03 * needed[14:], price=7.0)
    for pairs in ([short, long], [long, short]):
        scaling = fit_scaling(pairs)
        assert scaling.factors == pytest.approx([2.7])
        assert scaling.origins == 29


def test_series_too_short_alone_are_enough_together():
    short = density_forecast(np.full((10, 1), 0.01)), prices_at(np.full((10, 1), 0.02))
    assert fit_scaling([short, short]).factors == pytest.approx([2.0])
    for pairs in ([], [short]):
        with pytest.raises(NotEnoughDays) as error:
            fit_scaling(pairs)
        assert error.value.value == 10 * len(pairs)


@pytest.mark.parametrize("bad_side", ["below", "above", "both"])
@pytest.mark.parametrize("width", [0.0, 1e-15])
def test_forecasts_without_a_band_are_left_out_of_the_factor(bad_side, width):
    # 19 days need 0.1 ... 1.9, of which the 18th is 1.8; 20 more have no band, and with them the rank would be 36.
    needed = np.arange(1.0, 20.0) / 10
    below, above = np.full((2, 39, 1), 0.02)
    if bad_side != "above":
        below[19:] = width
    if bad_side != "below":
        above[19:] = width
    errors = np.concatenate([0.02 * needed, np.linspace(-0.5, 0.5, 20)])[:, None]
    assert fit_scaling([(density_forecast(below, above), prices_at(errors))]).factors == pytest.approx([1.8])


def test_where_no_forecast_has_a_band_the_factor_is_one():
    widths = np.full((30, 2), 0.02)
    widths[:, 1] = 0
    scaling = fit_scaling([(density_forecast(widths), prices_at(np.full((30, 2), 0.01)))])
    assert scaling.factors == pytest.approx([0.5, 1.0])


def test_prices_that_always_came_out_at_the_median_leave_the_bands_as_they_are():
    assert fit_scaling([(density_forecast(np.full((30, 1), 0.02)), np.full((30, 1), 100.0))]).factors.tolist() == [1.0]


def test_days_that_have_not_come_are_left_out_of_the_factor():
    errors = 0.02 * np.arange(1.0, 22.0)[:, None] / 10
    actual = prices_at(np.hstack([errors, errors]))
    actual[-2:, 1] = np.nan  # 21 days: ceil(22 x 0.9) = 20th; of the 19 that came the 18th
    scaling = fit_scaling([(density_forecast(np.full((21, 2), 0.02)), actual)])
    assert scaling.factors == pytest.approx([2.0, 1.8])


@pytest.mark.parametrize("kept", [1, 5, 8])
def test_fewer_bands_than_nine_end_at_the_largest_factor(kept):
    # ceil((n + 1) 0.9) is n + 1 for n up to 8: no rank among n reaches it.
    widths = np.zeros((19, 1))
    widths[:kept] = 0.02
    errors = 0.02 * np.arange(1.0, 20.0)[:, None]
    assert fit_scaling([(density_forecast(widths), prices_at(errors))]).factors == pytest.approx([kept])


def test_the_factor_needed_is_zero_at_the_median_and_one_at_either_end_of_the_band():
    forecast = density_forecast(np.full((4, 1), 0.02), np.full((4, 1), 0.04))
    lower, upper = forecast.band(0.9)
    actual = np.vstack([forecast.median[0], lower[1], upper[2], 100 * np.exp([-0.05])])
    assert needed_factors(forecast, actual)[:3].tolist() == [[0.0], [1.0], [1.0]]
    assert needed_factors(forecast, actual)[3] == pytest.approx([2.5])


def test_the_price_unit_does_not_move_the_factor():
    forecast, actual = density_forecast(np.full((99, 1), 0.02)), prices_at(ladder())
    assert fit_scaling([(forecast.times(0.01), actual * 0.01)]).factors == pytest.approx(
        fit_scaling([(forecast, actual)]).factors
    )


# Both kinds in calibration.json.


def some_scaling():
    return ConformalScaling(np.random.default_rng(3).lognormal(size=7), 1234)


def test_a_scaling_survives_json_bit_for_bit():
    scaling = some_scaling()
    back = calibration_from_json(json.loads(json.dumps(scaling.to_json())))
    assert back.factors.tobytes() == scaling.factors.tobytes()
    assert back.factors.shape == scaling.factors.shape
    assert back.origins == scaling.origins


def test_calibration_json_tells_which_kind_it_holds():
    for scaling in (wandering_calibration(), some_scaling()):
        stored = json.loads(json.dumps(scaling.to_json()))
        assert stored["kind"] in stored  # "offsets" or "factors", after what it holds
        back = calibration_from_json(stored)
        assert type(back) is type(scaling)
        assert back.to_json() == stored


def test_a_calibration_stored_before_there_were_kinds_is_one_of_offsets():
    assert isinstance(calibration_from_json(damaged()), ConformalOffsets)


def test_one_kind_is_not_read_as_the_other():
    for stored in (damaged(kind="factors"), torn(kind="offsets")):
        with pytest.raises(RunError, match="damaged"):
            calibration_from_json(stored)


def test_another_kind_is_refused_by_its_name():
    with pytest.raises(RunError, match="damaged") as error:
        calibration_from_json(torn(kind="widths"))
    assert error.value.value == "widths"


def torn(**changes):
    return {"kind": "factors", "factors": [1.1, 0.9], "origins": 120, **changes}


def test_the_json_of_a_scaling_that_the_damages_start_from_is_sound():
    assert calibration_from_json(torn()).factors.tolist() == [1.1, 0.9]


NO_SCALING = [
    {},
    {"factors": [1.1, 0.9], "origins": 120},
    {"kind": "factors", "origins": 120},
    {"kind": "factors", "factors": [1.1, 0.9]},
    [],
    None,
    "calibration",
    torn(kind=None),
    torn(kind=["factors"]),
    torn(kind="factor"),
    torn(factors=[]),
    torn(factors=1.1),
    torn(factors=None),
    torn(factors=[[1.1, 0.9]]),
    torn(factors=[1.1, None]),
    torn(factors=[1.1, "much"]),
    torn(factors=[1.1, 0.0]),
    torn(factors=[1.1, -0.9]),
    torn(factors=[1.1, float("nan")]),
    torn(factors=[1.1, float("inf")]),
    torn(origins=None),
    torn(origins="many"),
    torn(origins=float("inf")),
]


@pytest.mark.parametrize("stored", NO_SCALING, ids=repr)
def test_a_damaged_scaling_is_refused_with_a_run_error(stored):
    with pytest.raises(RunError, match="damaged") as error:
        calibration_from_json(stored)
    assert error.value.file == "calibration.json"


def test_a_factor_from_as_many_forecasts_without_overlap_as_the_prior_weighs_is_shrunk_by_half():
    # 100 days hold 20 forecasts of 5 days without overlap, the weight of the prior: the root of the factor. One day
    # ahead there are 100 against 20: five sixths of the logarithm.
    measured = ConformalScaling(factors=np.full(5, 4.0), origins=96)
    shrunk = measured.shrunk(100)
    assert shrunk.factors[4] == pytest.approx(2.0)
    assert shrunk.factors[0] == pytest.approx(4.0 ** (5 / 6))
    assert shrunk.origins == 96


def test_a_factor_of_four_years_is_shrunk_as_much_as_one_of_a_year():
    measured = ConformalScaling(factors=np.full(50, 0.8), origins=96)
    of_four = measured.shrunk(4 * 252).factors
    assert of_four.tolist() == measured.shrunk(252).factors.tolist()
    # 252 days hold 5.04 forecasts of 50 days: 5.04 / 25.04 of the logarithm.
    assert of_four[49] == pytest.approx(np.exp(5.04 / 25.04 * np.log(0.8)))


def test_a_factor_of_one_stays_one_however_few_the_days():
    assert ConformalScaling(factors=np.ones(50), origins=1).shrunk(60).factors.tolist() == [1.0] * 50
