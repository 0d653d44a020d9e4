"""Every number here is worked out by hand, or comes from scipy.stats instead of the code's own quantile function."""

import numpy as np
import pytest
from scipy import stats

from stockcast.evaluation.baselines.naive import drift, ewma, historical_volatility, random_walk
from stockcast.evaluation.baselines.task import ForecastTask
from stockcast.forecast import LEVELS

TRAINING_DAYS = 120


def make_task(closes, *, origins, horizon=5, training_days=TRAINING_DAYS):
    dates = np.datetime64("2020-01-01") + np.arange(len(closes))
    return ForecastTask(dates, np.asarray(closes, float), np.asarray(origins), horizon, training_days)


def wandering_prices(days=200, seed=3):
    rng = np.random.default_rng(seed)
    return 50 * np.exp(np.cumsum(rng.normal(0.001, 0.02, days)))


def zigzag(days, *, size, start=100.0):
    """Log returns +size, -size, +size, ..."""
    return start * np.exp(size * (np.arange(days) % 2))


every_baseline = pytest.mark.parametrize("baseline", [random_walk, drift, historical_volatility, ewma])


def test_what_came_is_the_closes_of_the_days_after_each_origin():
    task = make_task(np.arange(10, 20), origins=[2, 5], horizon=3, training_days=3)
    assert task.actual.tolist() == [[13, 14, 15], [16, 17, 18]]


@every_baseline
def test_a_baseline_forecasts_the_days_and_origins_it_was_asked(baseline):
    closes = wandering_prices()
    forecast = baseline(make_task(closes, origins=[130, 150], horizon=3))
    assert forecast.origin_dates.tolist() == make_task(closes, origins=[130, 150]).dates[[130, 150]].tolist()
    # 2020-01-01 is day 0, so day 131 is 2020-05-11 (31 + 29 + 31 + 30 = 121 days to May 1).
    assert forecast.target_dates[0].astype(str).tolist() == ["2020-05-11", "2020-05-12", "2020-05-13"]
    assert forecast.last_close.tolist() == closes[[130, 150]].tolist()
    assert forecast.levels.tolist() == LEVELS.tolist()
    assert forecast.quantiles.shape == (2, 3, len(LEVELS))


@every_baseline
def test_a_baselines_quantiles_never_decrease_along_the_levels(baseline):
    forecast = baseline(make_task(wandering_prices(), origins=np.arange(120, 190)))
    assert (np.diff(forecast.quantiles, axis=-1) > 0).all()


@pytest.mark.parametrize("baseline", [random_walk, historical_volatility, ewma])
def test_the_median_of_a_walk_without_drift_is_todays_price_at_every_step(baseline):
    forecast = baseline(make_task(wandering_prices(), origins=[125, 160, 180]))
    assert forecast.median == pytest.approx(np.repeat(forecast.last_close[:, None], 5, axis=1), rel=1e-14)


def test_the_drift_goes_on_as_the_training_days_went_on_average():
    # 100 -> 110 -> 99 is -1 % in two days; two more days at that pace take 200 to 198, four take it to 196.02.
    task = make_task([100, 110, 99, 200, 1, 1, 1, 1], origins=[3], horizon=4, training_days=3)
    assert drift(task).median[0, [1, 3]] == pytest.approx([198.0, 196.02])


@pytest.mark.parametrize("baseline", [random_walk, drift])
def test_the_spread_of_the_walks_is_the_training_days_volatility(baseline):
    # Returns +1 %, -1 %, +1 %, -1 %: mean 0, standard deviation 1 %; 97.5 % of a Normal lie below 1.959964 of them.
    task = make_task(zigzag(10, size=0.01), origins=[6], horizon=1, training_days=5)
    assert baseline(task).at(0.975)[0, 0] == pytest.approx(100 * np.exp(0.01 * 1.959964), rel=1e-8)


@every_baseline
def test_over_h_days_the_spread_is_root_h_times_that_of_one_day(baseline):
    forecast = baseline(make_task(wandering_prices(), origins=[125, 160], horizon=9))
    centred = forecast.log_returns() - np.log(forecast.median / forecast.last_close[:, None])[:, :, None]
    assert centred[:, 3] == pytest.approx(2 * centred[:, 0])
    assert centred[:, 8] == pytest.approx(3 * centred[:, 0])


def test_the_drift_is_the_lognormal_of_its_training_days():
    closes = wandering_prices()
    returns = np.diff(np.log(closes[:TRAINING_DAYS]))
    mean, deviation = returns.mean(), returns.std()
    expected = stats.lognorm.ppf(LEVELS, s=deviation * np.sqrt(5), scale=closes[140] * np.exp(5 * mean))
    assert drift(make_task(closes, origins=[140])).quantiles[0, 4] == pytest.approx(expected)


def test_the_random_walks_bands_cover_what_they_promise_of_a_random_walk():
    rng = np.random.default_rng(11)
    closes = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, 6000)))
    task = make_task(closes, origins=np.arange(3000, 5999), horizon=1, training_days=3000)
    lower, upper = random_walk(task).band(0.9)
    inside = np.mean((lower <= task.actual) & (task.actual <= upper))
    # 2999 independent days: standard error sqrt(0.9 x 0.1 / 2999) = 0.0055, and the volatility's own is 1.3 %,
    # which moves the coverage by 0.0044; four of both together are 0.028.
    assert inside == pytest.approx(0.9, abs=0.028)


@every_baseline
@pytest.mark.parametrize("nonsense", [np.nan, 1e9], ids=["nan", "huge"])
@pytest.mark.parametrize("origin", [120, 151, 189])
def test_prices_after_the_origin_never_change_a_baselines_forecast(baseline, nonsense, origin):
    closes = wandering_prices()
    honest = baseline(make_task(closes, origins=np.arange(120, 190)))
    closes[origin + 1 :] = nonsense
    blind = baseline(make_task(closes, origins=[origin]))
    assert blind.quantiles[0].tobytes() == honest.quantiles[origin - 120].tobytes()
    assert blind.last_close[0] == honest.last_close[origin - 120]


@pytest.mark.parametrize("baseline", [random_walk, drift])
def test_the_walks_estimate_their_constants_from_training_days_only(baseline):
    closes = wandering_prices()
    before = baseline(make_task(closes, origins=[160]))
    later = closes.copy()
    later[TRAINING_DAYS:160] *= 1e6
    assert baseline(make_task(later, origins=[160])).quantiles.tobytes() == before.quantiles.tobytes()


@pytest.mark.parametrize("baseline", [random_walk, drift])
def test_the_last_training_day_counts(baseline):
    closes = wandering_prices()
    before = baseline(make_task(closes, origins=[160]))
    closes[TRAINING_DAYS - 1] *= 2
    assert not np.allclose(baseline(make_task(closes, origins=[160])).quantiles, before.quantiles, rtol=1e-3)


def test_ewma_of_returns_of_one_size_has_exactly_that_size_every_day():
    forecast = ewma(make_task(zigzag(60, size=0.02), origins=np.arange(1, 50), horizon=1))
    assert forecast.log_returns()[:, 0] == pytest.approx(np.tile(stats.norm.ppf(LEVELS, scale=0.02), (49, 1)), abs=1e-9)


@pytest.mark.parametrize(
    ("decay", "variance"),
    [
        (0.94, 0.000994 / 1.94),  # returns 1 % then 3 %: (0.94 x 0.0001 + 0.0009) / (0.94 + 1)
        (0.5, 0.00095 / 1.5),  # (0.5 x 0.0001 + 0.0009) / (0.5 + 1)
    ],
)
def test_ewma_weighs_each_day_back_by_the_decay(decay, variance):
    closes = 100 * np.exp(np.cumsum([0, 0.01, 0.03, 0.5]))
    forecast = ewma(make_task(closes, origins=[2], horizon=1), decay=decay)
    assert forecast.log_returns()[0, 0] == pytest.approx(stats.norm.ppf(LEVELS, scale=np.sqrt(variance)), abs=1e-9)


def test_ewma_without_being_told_forgets_six_percent_a_day():
    closes = wandering_prices()
    task = make_task(closes, origins=[140, 150], horizon=1)
    assert ewma(task).quantiles.tolist() == ewma(task, decay=0.94).quantiles.tolist()
    returns = [np.log(closes[day] / closes[day - 1]) for day in range(1, 141)]
    weights = [0.94 ** (140 - day) for day in range(1, 141)]
    weighted = sum(w * r**2 for w, r in zip(weights, returns, strict=True)) / sum(weights)
    assert ewma(task).log_returns()[0, 0] == pytest.approx(stats.norm.ppf(LEVELS, scale=np.sqrt(weighted)))


def test_ewma_widens_after_a_storm_and_the_random_walk_does_not():
    closes = zigzag(130, size=0.01)
    stormy = np.concatenate([closes, closes[-1] * zigzag(20, size=0.05, start=1.0)])
    task = make_task(stormy, origins=[125, 148], horizon=1, training_days=100)
    calm, storm = ewma(task).log_returns()[:, 0, -1]
    assert storm > 3 * calm
    assert random_walk(task).log_returns()[1] == pytest.approx(random_walk(task).log_returns()[0])


def test_historical_volatility_is_the_root_mean_square_of_the_last_twenty_returns():
    # Forty returns of 5 %, then twenty of 1 %: at the end of the fifth of those, 15 x 0.0025 + 5 x 0.0001 = 0.038,
    # over 20 is 0.0019; at the end of the twentieth only 1 % is left.
    closes = 100 * np.exp(np.cumsum([0.0, *[0.05] * 40, *[0.01] * 20, 3.0]))
    forecast = historical_volatility(make_task(closes, origins=[45, 60], horizon=1, training_days=3))
    deviations = np.sqrt([[0.0019], [0.0001]])
    assert forecast.log_returns()[:, 0] == pytest.approx(deviations * stats.norm.ppf(LEVELS), abs=1e-12)


def test_historical_volatility_uses_what_returns_there_are_when_twenty_are_not():
    # Returns of 1 % and 7 %: (0.0001 + 0.0049) / 2 = 0.0025, a deviation of 5 %.
    closes = 100 * np.exp(np.cumsum([0.0, 0.01, 0.07, 0.5, 0.5]))
    forecast = historical_volatility(make_task(closes, origins=[2], horizon=1, training_days=3))
    assert forecast.log_returns()[0, 0] == pytest.approx(stats.norm.ppf(LEVELS, scale=0.05), abs=1e-12)


@pytest.mark.parametrize(("origins", "training_days"), [([0, 5], 120), ([5], 2)])
def test_a_task_that_leaves_no_return_to_go_by_is_refused(origins, training_days):
    with pytest.raises(ValueError, match="returns"):
        make_task(wandering_prices(), origins=origins, training_days=training_days)


def test_a_steady_climb_goes_on_with_the_drift_and_without_a_doubt():
    # 1 % every training day: mean 1 %, deviation 0, so 200 becomes 202 and 204.02 at every level.
    closes = np.append(100 * 1.01 ** np.arange(10), [200.0, 1.0, 1.0])
    forecast = drift(make_task(closes, origins=[10], horizon=2, training_days=10))
    assert forecast.quantiles[0] == pytest.approx(np.repeat([[202.0], [204.02]], len(LEVELS), axis=1))


@every_baseline
def test_a_price_that_never_moved_is_forecast_to_stay(baseline):
    forecast = baseline(make_task(np.full(50, 42.0), origins=[30, 40], horizon=5, training_days=20))
    assert forecast.quantiles == pytest.approx(np.full((2, 5, len(LEVELS)), 42.0), rel=1e-14)


@every_baseline
def test_a_baselines_forecast_in_cents_is_a_hundred_times_that_in_dollars(baseline):
    closes = wandering_prices()
    dollars, cents = (
        baseline(make_task(closes, origins=[130, 170])),
        baseline(make_task(100 * closes, origins=[130, 170])),
    )
    assert cents.quantiles == pytest.approx(dollars.times(100).quantiles)
    assert cents.log_returns() == pytest.approx(dollars.log_returns(), abs=1e-12)
