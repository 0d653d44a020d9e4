"""Split conformal bands: ranks counted by hand, and their promise held in seeded simulations."""

import json

import numpy as np
import pytest
from scipy import stats

from stockcast.errors import NotEnoughDays, RunError
from stockcast.evaluation.calibration import Calibration, calibrate, check_origins
from stockcast.forecast import LEVELS, Forecast

COVERAGES = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99)


def point_forecast(medians):
    """All quantiles at the median, which is all that a network without a density says; medians (origins, horizon)."""
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
    return calibrate(*strayed(rng.standard_t(4, size=(origins, horizon)) * 0.02))


@pytest.mark.parametrize(("coverage", "reach"), [(0.5, 0.050), (0.9, 0.090), (0.95, 0.095), (0.99, 0.099)])
def test_a_band_reaches_as_far_as_its_rank_among_the_errors(coverage, reach):
    # 99 errors 0.001 ... 0.099: the band of 90 % takes the ceil(100 x 0.9) = 90th smallest, 0.090.
    calibration = calibrate(*strayed(ladder()))
    lower, upper = calibration.apply(point_forecast([[200.0]])).band(coverage)
    assert lower[0, 0] == pytest.approx(200 * np.exp(-reach), rel=1e-12)
    assert upper[0, 0] == pytest.approx(200 * np.exp(reach), rel=1e-12)


def test_a_rank_between_two_errors_is_rounded_up_to_the_safe_side():
    # 100 errors: 101 x 0.9 = 90.9, so the 91st, 0.091.
    calibration = calibrate(*strayed(ladder(100)))
    _, upper = calibration.apply(point_forecast([[200.0]])).band(0.9)
    assert upper[0, 0] == pytest.approx(200 * np.exp(0.091), rel=1e-12)


def test_bands_reach_as_far_above_the_median_as_below_whichever_side_prices_strayed_to():
    always_above = calibrate(*strayed(np.abs(ladder(100))))
    assert always_above.offsets == pytest.approx(calibrate(*strayed(ladder(100))).offsets, abs=1e-12)
    assert always_above.offsets == pytest.approx(-always_above.offsets[:, ::-1], abs=1e-12)


@pytest.mark.parametrize("origins", [99, 199, 499])
def test_bands_reach_as_far_above_the_median_as_below_at_any_number_of_origins(origins):
    offsets = calibrate(*strayed(ladder(origins))).offsets
    assert offsets == pytest.approx(-offsets[:, ::-1], abs=1e-12)


@pytest.mark.parametrize("origins", [19, 99, 150, 199])
def test_bands_cover_at_least_what_they_promise_of_days_like_the_calibrations(origins):
    # Every step is a trial of its own: independent heavy-tailed, skewed errors, and one new day to cover.
    trials = 4000
    rng = np.random.default_rng(origins)
    errors = 0.01 * (rng.standard_t(3, size=(origins + 1, trials)) + rng.exponential(size=(origins + 1, trials)))
    calibration = calibrate(*strayed(errors[:-1]))
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
    offsets = calibrate(*strayed(errors)).offsets[0]
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


def test_only_the_quantiles_change_when_bands_are_put_on():
    forecast = point_forecast([[10.0, 11.0], [12.0, 13.0]])
    banded = wandering_calibration().apply(forecast)
    assert banded.origin_dates.tolist() == forecast.origin_dates.tolist()
    assert banded.target_dates.tolist() == forecast.target_dates.tolist()
    assert banded.last_close.tolist() == forecast.last_close.tolist()
    assert banded.quantiles.shape == (2, 2, len(LEVELS))


def test_each_step_has_the_bands_of_its_own_errors():
    errors = ladder()
    calibration = calibrate(*strayed(np.hstack([errors, 3 * errors])))
    assert calibration.offsets[1] == pytest.approx(3 * calibration.offsets[0])


def test_point_forecasts_that_were_always_right_get_bands_of_no_width():
    calibration = calibrate(*strayed(np.zeros((120, 3))))
    assert calibration.offsets.tolist() == np.zeros((3, len(LEVELS))).tolist()


def test_the_price_unit_does_not_move_the_bands():
    dollars, cents = calibrate(*strayed(ladder())), calibrate(*strayed(ladder(), price=10_000.0))
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
    assert calibrate(*strayed(ladder(19))).origins == 19
    check_origins(19)
    with pytest.raises(NotEnoughDays, match=r"18 calibration origins.* at least 19"):
        calibrate(*strayed(ladder(18)))
    with pytest.raises(NotEnoughDays, match=r"18 calibration origins.* at least 19"):
        check_origins(18)


@pytest.mark.parametrize(("origins", "coverage"), [(19, 0.98), (48, 0.98), (19, 0.99), (98, 0.99)])
def test_a_band_wider_than_the_errors_can_carry_ends_at_the_largest_error(origins, coverage):
    calibration = calibrate(*strayed(ladder(origins)))
    _, upper = calibration.apply(point_forecast([[200.0]])).band(coverage)
    assert upper[0, 0] == pytest.approx(200 * np.exp(origins / 1000), rel=1e-12)


def test_a_calibration_survives_json_bit_for_bit():
    calibration = wandering_calibration()
    back = Calibration.from_json(json.loads(json.dumps(calibration.to_json())))
    assert back.levels.tobytes() == calibration.levels.tobytes()
    assert back.offsets.tobytes() == calibration.offsets.tobytes()
    assert back.offsets.shape == calibration.offsets.shape
    assert back.origins == calibration.origins
    forecast = point_forecast([[100.0, 101.0, 102.0, 103.0]])
    assert back.apply(forecast).quantiles.tobytes() == calibration.apply(forecast).quantiles.tobytes()


def damaged(**changes):
    return {"levels": [0.1, 0.5, 0.9], "offsets": [[-0.1, 0.0, 0.1], [-0.2, 0.0, 0.2]], "origins": 120, **changes}


def test_the_json_that_the_damages_start_from_is_sound():
    assert Calibration.from_json(damaged()).offsets.shape == (2, 3)


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
    with pytest.raises(RunError, match=r"calibration\.json is damaged"):
        Calibration.from_json(stored)


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
    with pytest.raises(RunError, match=r"calibration\.json is damaged"):
        Calibration.from_json(stored)
