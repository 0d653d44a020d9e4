"""Bands that adapt: a sequence worked by hand, nothing known too early, and coverage in the long run."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from stockcast.evaluation.calibration.adaptive import RATE, adapted_factors
from stockcast.evaluation.calibration.conformal import scale_bands
from stockcast.forecast import LEVELS, Forecast

PRICE = 100.0
NORMAL = stats.norm.ppf(LEVELS) / stats.norm.ppf(0.95)
"""Quantiles of a normal distribution whose 90 % band reaches from -1 to 1."""


def bands(widths, *, price=PRICE):
    """Consecutive origins, each with a 90 % band of `widths` in log to both sides of the median; (origins, horizon)."""
    widths = np.asarray(widths, float)
    origins, horizon = widths.shape
    days = np.datetime64("2020-01-01") + np.arange(origins + horizon)
    medians = np.broadcast_to(np.asarray(price, float), widths.shape)
    return Forecast(
        origin_dates=days[:origins],
        target_dates=days[np.arange(origins)[:, None] + np.arange(1, horizon + 1)],
        levels=LEVELS,
        quantiles=medians[:, :, None] * np.exp(NORMAL * widths[:, :, None]),
        last_close=medians[:, 0],
    )


def adapted(forecast, actual, *, rate=RATE):
    """The forecasts as `predict` and `evaluate` issue them."""
    return scale_bands(forecast, adapted_factors(forecast, actual, rate=rate))


def prices_at(errors):
    return PRICE * np.exp(np.asarray(errors, float))


def covered(forecast, actual):
    lower, upper = forecast.band(0.9)
    return (lower <= actual) & (actual <= upper)


def test_a_sequence_worked_by_hand():
    # Bands of 0.1 to both sides, rate 0.5: one day ahead a miss moves the log factor by 0.5 x 0.9 = 0.45, a hit by
    # -0.05. Two days ahead adapt to the outcomes of one, too: 1 - ln 2 / ln 3 = 0.369070 next to 1, so 0.269577 and
    # 0.730423 of the sum. With 0.5 / sqrt(2) = 0.353553, one day's miss moves them by 0.085779, its hit by -0.009531,
    # their own by 0.232418 and -0.025824.
    #   one day ahead                                     two days ahead
    #   row 0: nothing known              0               0
    #   row 1: row 0 strayed 0.20, miss   0.45            its own first outcome comes at row 2        0.085779
    #   row 2: row 1, 0.12: the band was
    #          0.1 e^0.45 = 0.157, hit    0.40            row 0 strayed -0.09: hit                    0.050424
    #   row 3: row 2, -0.16: the band was                 row 1, 0.107: the band was 0.1 e^0.0858
    #          0.1 e^0.40 = 0.149, miss   0.85            = 0.109 (row 2's would be 0.105), hit       0.110379
    #   row 4: row 3 is not known         0.85            row 2, 0.107: the band was 0.105
    #                                                     (row 3's would be 0.112), miss              0.342797
    errors = [[0.20, -0.09], [0.12, 0.107], [-0.16, 0.107], [np.nan, 9.0], [9.0, 9.0]]
    log_factors = [[0, 0], [0.45, 0.085779], [0.40, 0.050424], [0.85, 0.110379], [0.85, 0.342797]]
    forecast, actual = bands(np.full((5, 2), 0.1)), prices_at(errors)
    assert np.log(adapted_factors(forecast, actual, rate=0.5)) == pytest.approx(np.array(log_factors), abs=1e-6)
    lower, upper = adapted(forecast, actual, rate=0.5).band(0.9)
    assert upper[3, 0] == pytest.approx(100 * np.exp(0.1 * np.exp(0.85)), rel=1e-12)
    assert lower[4, 1] == pytest.approx(100 * np.exp(-0.1 * np.exp(0.342797)), rel=1e-6)


def test_days_ahead_adapt_to_those_down_to_a_third_and_to_none_longer():
    forecast = bands(np.full((60, 50), 0.1))
    calm = prices_at(np.zeros((60, 50)))
    before = adapted_factors(forecast, calm)
    for changed, adapting in ((1, [1, 2]), (2, [2, 3, 4, 5]), (10, range(10, 30)), (49, [49, 50]), (50, [50])):
        wild = calm.copy()
        wild[5, changed - 1] = 1e6
        moved = np.log(adapted_factors(forecast, wild)[-1] / before[-1])
        assert (np.flatnonzero(moved > 1e-12) + 1).tolist() == list(adapting)


def test_four_days_ahead_adapt_by_shares_worked_by_hand():
    # 1 - ln(4 / 3) / ln 3 = 0.738140 of three days, 1 - ln 2 / ln 3 = 0.369070 of two, none of one; next to 1 of four.
    forecast, calm = bands(np.full((12, 4), 0.1)), prices_at(np.zeros((12, 4)))
    before = adapted_factors(forecast, calm, rate=2.0)
    for changed, share in ((1, 0), (2, 0.369070 / 2.107210), (3, 0.738140 / 2.107210), (4, 1 / 2.107210)):
        wild = calm.copy()
        wild[5, changed - 1] = 1e6  # a miss instead of a hit: 0.9 for -0.1, times 2 / sqrt(4)
        moved = np.log(adapted_factors(forecast, wild, rate=2.0)[-1, 3] / before[-1, 3])
        assert moved == pytest.approx(share, abs=1e-6)


def test_an_error_of_one_day_ahead_alone_is_corrected_too():
    horizon = 3
    errors = random_walk(np.full(9000, 0.01), horizon=horizon)
    right = 0.01 * np.sqrt(np.arange(1, horizon + 1)) * stats.norm.ppf(0.95)
    forecast = bands(np.broadcast_to(right * [1, 1, 0.5], errors.shape))
    after = adapted(forecast, prices_at(errors), rate=0.02)
    assert covered(after, prices_at(errors))[3000:].mean(axis=0) == pytest.approx([0.9] * horizon, abs=0.01)


def test_a_shorter_forecast_is_the_longer_one_cut_off():
    forecast, actual = wandering(origins=200, horizon=30)
    short = replace(forecast, target_dates=forecast.target_dates[:, :10], quantiles=forecast.quantiles[:, :10])
    longer = adapted_factors(forecast, actual)[:, :10]
    assert adapted_factors(short, actual[:, :10]) == pytest.approx(longer, rel=1e-12)


def test_outcomes_on_the_very_ends_of_the_band_are_hits():
    forecast = bands(np.full((3, 1), 0.1))
    lower, upper = forecast.band(0.9)
    for actual in (lower, upper):
        assert np.log(adapted_factors(forecast, actual, rate=0.001))[1] == pytest.approx([-0.0001], rel=1e-9)


def test_the_ends_of_a_lopsided_band_count_each_for_itself():
    forecast = bands(np.full((2, 1), 0.1))
    forecast.quantiles[:, :, LEVELS > 0.5] = PRICE * np.exp(3 * 0.1 * NORMAL[LEVELS > 0.5])
    for error, move in ((0.25, -0.1), (0.35, 0.9), (-0.05, -0.1), (-0.15, 0.9)):
        factors = adapted_factors(forecast, prices_at([[error], [0]]), rate=1.0)
        assert np.log(factors[1]) == pytest.approx([move])


def wandering(*, origins=40, horizon=5, seed=3):
    """Bands of changing width and medians, and heavy-tailed prices around them, some unknown."""
    rng = np.random.default_rng(seed)
    forecast = bands(rng.uniform(0.01, 0.05, size=(origins, horizon)), price=rng.uniform(50, 200, (origins, horizon)))
    actual = forecast.median * np.exp(rng.standard_t(3, size=(origins, horizon)) * 0.02)
    actual[rng.random(actual.shape) < 0.1] = np.nan
    return forecast, actual


@pytest.mark.parametrize("change", [np.nan, 1e-3, 1e6])
def test_a_price_changes_no_forecast_issued_before_its_day(change):
    forecast, actual = wandering(origins=25, horizon=4)
    before = adapted(forecast, actual, rate=0.1).quantiles
    for row, step in np.ndindex(actual.shape):
        changed = actual.copy()
        changed[row, step] = change
        after = adapted(forecast, changed, rate=0.1).quantiles
        day = row + step + 1  # the origin that is this outcome's target day
        assert after[:day].tobytes() == before[:day].tobytes()
        assert after[:, :step].tobytes() == before[:, :step].tobytes()


@pytest.mark.parametrize("today", range(25))
def test_all_prices_to_come_together_change_no_forecast(today):
    forecast, actual = wandering(origins=25, horizon=4)
    before = adapted(forecast, actual, rate=0.1).quantiles
    to_come = forecast.target_dates > forecast.origin_dates[today]
    for change in (np.nan, 1e-3, 1e6):
        after = adapted(forecast, np.where(to_come, change, actual), rate=0.1).quantiles
        assert after[: today + 1].tobytes() == before[: today + 1].tobytes()


def test_a_price_moves_the_forecast_of_the_very_day_that_it_comes():
    forecast = bands(np.full((12, 4), 0.02))
    calm = prices_at(np.zeros((12, 4)))
    before = adapted_factors(forecast, calm)
    for row, step in np.ndindex(12, 4):
        wild = calm.copy()
        wild[row, step] = 1e6
        moved = np.argwhere(adapted_factors(forecast, wild) != before)
        adapting = ([0, 1], [1, 2, 3], [2, 3], [3])[step]
        assert moved.tolist() == [[day, ahead] for day in range(row + step + 1, 12) for ahead in adapting]


def test_a_forecast_made_later_changes_none_made_before():
    forecast, actual = wandering()
    whole = adapted(forecast, actual)
    part = replace(
        forecast,
        origin_dates=forecast.origin_dates[:17],
        target_dates=forecast.target_dates[:17],
        quantiles=forecast.quantiles[:17],
        last_close=forecast.last_close[:17],
    )
    assert adapted(part, actual[:17]).quantiles == pytest.approx(whole.quantiles[:17], rel=1e-14)


def test_outcomes_that_have_not_come_move_nothing():
    forecast, actual = wandering()
    assert adapted_factors(forecast, np.full_like(actual, np.nan)).tolist() == np.ones((40, 5)).tolist()


def test_forecasts_without_a_band_move_nothing():
    widths = np.full((30, 3), 0.02)
    widths[:, 0] = 0
    factors = adapted_factors(bands(widths), prices_at(np.full((30, 3), 0.01)))
    assert factors[:, 0].tolist() == [1.0] * 30
    assert (np.diff(factors[2:, 1:], axis=0) < 0).all()


def test_the_first_forecast_stays_as_it_is():
    forecast, actual = wandering()
    assert adapted(forecast, actual).quantiles[0] == pytest.approx(forecast.quantiles[0], rel=1e-14)


def test_a_rate_of_zero_changes_nothing():
    forecast, actual = wandering()
    assert adapted(forecast, actual, rate=0).quantiles == pytest.approx(forecast.quantiles, rel=1e-14)


def test_one_miss_widens_as_much_as_nine_hits_narrow():
    errors = np.zeros((11, 1))
    errors[4] = 0.5
    factors = adapted_factors(bands(np.full((11, 1), 0.1)), prices_at(errors), rate=0.2)
    assert factors[10] == pytest.approx([1.0])
    assert factors[5] / factors[4] == pytest.approx([np.exp(0.18)])


@pytest.mark.parametrize("rate", [RATE, 0.5])
def test_the_median_stays_to_the_bit_and_the_quantiles_in_order(rate):
    forecast, actual = wandering(origins=300)
    after = adapted(forecast, actual, rate=rate)
    assert after.median.tobytes() == forecast.median.tobytes()
    assert (np.diff(after.quantiles, axis=-1) >= 0).all()
    assert np.isfinite(after.quantiles).all()


def test_only_the_quantiles_change_when_bands_adapt():
    forecast, actual = wandering()
    assert replace(adapted(forecast, actual), quantiles=forecast.quantiles) == forecast


def test_the_price_unit_does_not_move_the_factors():
    forecast, actual = wandering()
    cents = adapted_factors(forecast.times(100), actual * 100)
    assert cents == pytest.approx(adapted_factors(forecast, actual))


def random_walk(sigma, *, horizon):
    """What comes 1 ... horizon days after each origin, in log off it, of a walk with a sigma each day."""
    path = np.concatenate([[0], np.cumsum(np.random.default_rng(7).normal(0, sigma))])
    origins = len(path) - horizon
    return path[np.arange(origins)[:, None] + np.arange(1, horizon + 1)] - path[:origins, None]


@pytest.mark.parametrize("ratio", [0.25, 1.0, 4.0])
def test_bands_that_are_far_too_narrow_or_wide_come_to_cover_ninety_percent(ratio):
    sigma, horizon = 0.01, 5
    errors = random_walk(np.full(6000, sigma), horizon=horizon)
    right = sigma * np.sqrt(np.arange(1, horizon + 1)) * stats.norm.ppf(0.95)
    forecast, actual = bands(np.broadcast_to(ratio * right, errors.shape)), prices_at(errors)
    rate = 0.02
    after = adapted(forecast, actual, rate=rate)
    hits = covered(after, actual)[2000:]
    # Overlapping horizons make the share over 4000 days no better than over 4000 / 5 independent ones, but the steps
    # telescope: the log factor stays within 0.4 of its place, and 0.4 / (0.02 x 4000) = 0.005.
    assert hits.mean(axis=0) == pytest.approx([0.9] * horizon, abs=0.01)
    factors = adapted_factors(forecast, actual, rate=rate)[2000:]
    assert np.exp(np.log(factors).mean(axis=0)) == pytest.approx([1 / ratio] * horizon, rel=0.15)


def test_the_share_of_misses_strays_by_no_more_than_the_factor_moved():
    # The steps telescope: their sum is the last log factor, whatever came. One day ahead, all but the last row counts.
    forecast, actual = wandering(origins=500, horizon=1)
    actual[np.isnan(actual)] = PRICE
    factors = adapted_factors(forecast, actual, rate=0.01)
    misses = 1 - covered(adapted(forecast, actual, rate=0.01), actual)[:-1].mean()
    assert misses - 0.1 == pytest.approx(np.log(factors[-1, 0]) / (0.01 * 499))


def test_bands_follow_a_variance_that_changes_its_regime():
    days, horizon = 9000, 3
    sigma = np.where(np.arange(days) // 1500 % 2, 0.03, 0.01)
    errors = random_walk(sigma, horizon=horizon)
    calm = 0.01 * np.sqrt(np.arange(1, horizon + 1)) * stats.norm.ppf(0.95)
    forecast, actual = bands(np.broadcast_to(calm, errors.shape)), prices_at(errors)
    # Bands of the calm sigma cover 2 Phi(1.645 / 3) - 1 = 0.416 of the wild days, (0.9 + 0.416) / 2 = 0.66 of all.
    assert covered(forecast, actual).mean() == pytest.approx(0.66, abs=0.02)
    after = adapted(forecast, actual, rate=0.03)
    assert covered(after, actual).mean(axis=0) == pytest.approx([0.9] * horizon, abs=0.01)
    factors = adapted_factors(forecast, actual, rate=0.03)
    for regime, right in ((slice(2500, 3000), 3.0), (slice(4000, 4500), 1.0)):
        assert np.exp(np.log(factors[regime]).mean(axis=0)) == pytest.approx([right] * horizon, rel=0.25)


@pytest.mark.parametrize(
    "rows",
    [slice(None, None, -1), slice(None, None, 2), [0, 1, 1, 2], [0, 2, 1, 3]],
    ids=["back", "gaps", "twice", "mixed"],
)
def test_origins_that_do_not_follow_each_other_are_refused(rows):
    forecast, actual = wandering()
    shuffled = replace(
        forecast,
        origin_dates=forecast.origin_dates[rows],
        target_dates=forecast.target_dates[rows],
        quantiles=forecast.quantiles[rows],
        last_close=forecast.last_close[rows],
    )
    with pytest.raises(ValueError, match="consecutive"):
        adapted_factors(shuffled, actual[rows])


def test_one_origin_is_left_as_it_is():
    forecast, actual = bands([[0.02, 0.03]]), prices_at([[0.5, np.nan]])
    assert adapted(forecast, actual).quantiles == pytest.approx(forecast.quantiles, rel=1e-14)
