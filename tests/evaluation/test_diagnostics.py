"""Direction on tables small enough to count, and lags built into the forecast on purpose."""

import numpy as np
import pytest

from stockcast.evaluation.diagnostics import FLAT, TREND_LABELS, lag_of, trend_of
from stockcast.forecast import LEVELS, Forecast


def forecast(medians, *, last_close=100.0):
    """A forecast of single prices; medians (origins, horizon)."""
    medians = np.asarray(medians, float)
    origins, horizon = medians.shape
    dates = np.datetime64("2020-01-01") + np.arange(origins + horizon)
    return Forecast(
        origin_dates=dates[:origins],
        target_dates=dates[np.arange(origins)[:, None] + np.arange(1, horizon + 1)],
        levels=LEVELS,
        quantiles=np.broadcast_to(medians[:, :, None], (origins, horizon, len(LEVELS))),
        last_close=np.broadcast_to(np.asarray(last_close, float), (origins,)),
    )


def one_day(medians, *, last_close=100.0):
    return forecast(np.asarray(medians, float)[:, None], last_close=last_close)


def wandering(days=300, seed=0):
    return 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.01, days)))


def behind(price, *, lag, origins=200):
    """One-day forecasts that repeat the price of `lag` days before the day they are for, and the actual prices."""
    targets = np.arange(20, 20 + origins)
    return one_day(price[targets - lag], last_close=price[targets - 1]), price[targets][:, None]


def test_the_confusion_of_four_origins_agrees_with_the_count_by_hand():
    # From 100, two days ahead. Forecast: up, up, flat, down. Actual: up, down, flat, flat.
    predicted = forecast([[90.0, 105.0], [100.0, 103.0], [100.0, 101.0], [100.0, 97.0]])
    actual = np.array([[100.0, 110.0], [100.0, 95.0], [100.0, 99.0], [100.0, 100.0]])
    trend = trend_of(predicted, actual)
    assert trend.labels == TREND_LABELS == ("down", "flat", "up")
    assert trend.confusion == [
        [0, 0, 1],  # down: forecast up once
        [1, 1, 0],  # flat: forecast down once, flat once
        [0, 0, 1],  # up: forecast up
    ]
    assert trend.accuracy == 0.5  # the first and the third
    assert trend.always_up == 0.25  # one of four went up
    assert trend.threshold == FLAT == 0.02


@pytest.mark.parametrize(("price", "label"), [(97.9, 0), (98.0, 1), (100.0, 1), (102.0, 1), (102.1, 2)])
def test_a_move_of_two_percent_is_still_flat(price, label):
    trend = trend_of(forecast([[price]]), np.array([[price]]))
    assert trend.confusion[label][label] == 1


def test_a_forecast_that_knows_where_prices_end_is_always_right():
    price = np.random.default_rng(0).uniform(90, 110, size=(50, 5))
    trend = trend_of(forecast(price), price)
    assert trend.accuracy == 1
    assert sum(trend.confusion[label][label] for label in range(3)) == 50


def test_only_the_last_step_makes_the_direction_of_the_whole():
    actual = np.array([[80.0, 120.0], [120.0, 80.0]])
    assert trend_of(forecast([[70.0, 110.0], [130.0, 90.0]]), actual).accuracy == 1


def test_each_move_is_measured_from_its_own_close():
    trend = trend_of(forecast([[11.0], [1100.0]], last_close=[10.0, 1200.0]), np.array([[11.0], [1100.0]]))
    assert trend.confusion == [[1, 0, 0], [0, 0, 0], [0, 0, 1]]


def test_a_forecast_of_yesterdays_price_is_one_day_behind_and_warned_of():
    lag = lag_of(*behind(wandering(), lag=1))
    assert lag.peak == 1
    assert lag.correlation == pytest.approx(1)
    assert lag.warning


def test_a_forecast_that_knows_tomorrow_is_not_warned_of():
    lag = lag_of(*behind(wandering(), lag=0))
    assert lag.peak == 0
    assert lag.correlation == pytest.approx(1)
    assert not lag.warning


@pytest.mark.parametrize("days", [2, 3, 5])
def test_a_forecast_several_days_behind_is_warned_of_with_the_days(days):
    lag = lag_of(*behind(wandering(), lag=days))
    assert (lag.peak, lag.warning) == (days, True)
    assert lag.correlation == pytest.approx(1)


@pytest.mark.parametrize(("noise", "warned"), [(0.003, True), (0.1, False)])
def test_yesterdays_price_is_recognised_under_a_little_noise_and_not_under_much(noise, warned):
    # Changes of the price are 0.01, those of the noise sqrt(2) times its size: correlation 0.01 / hypot(0.01, noise
    # x sqrt(2)) = 0.92 and 0.07.
    model, actual = behind(wandering(), lag=1)
    disturbed = model.median[:, 0] * np.exp(np.random.default_rng(1).normal(0, noise, len(actual)))
    assert lag_of(one_day(disturbed, last_close=model.last_close), actual).warning is warned


def test_a_forecast_that_knows_a_third_of_tomorrows_move_is_not_warned_of():
    price = wandering()
    last, actual = price[99:299], price[100:300]
    lag = lag_of(one_day(last * (actual / last) ** 0.3, last_close=last), actual[:, None])
    assert lag.peak == 1  # its changes still follow the price's own, as any forecast's near the price do
    assert not lag.warning


def test_two_prices_that_only_drift_together_are_not_called_alike():
    trend = np.exp(0.01 * np.arange(200))
    model, actual = one_day(trend * wandering(200, seed=1)), (trend * wandering(200, seed=2))[:, None]
    assert np.corrcoef(model.median[:, 0], actual[:, 0])[0, 1] > 0.9
    lag = lag_of(model, actual)
    assert not lag.warning
    # 200 independent changes: the largest of six correlations stays below four standard errors, 4 / sqrt(195).
    assert abs(lag.correlation) < 0.29


def share_of_noise_warned_of(*, origins, trials=400):
    """Forecasts and prices that know nothing of each other."""
    rng = np.random.default_rng(origins)
    walks = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, size=(trials, 2, origins)), axis=-1))
    return np.mean([lag_of(one_day(predicted), actual[:, None]).warning for predicted, actual in walks])


def test_over_a_year_of_days_noise_is_hardly_ever_taken_for_a_lag():
    assert share_of_noise_warned_of(origins=250) < 0.05


@pytest.mark.parametrize("origins", [21, 60])
def test_over_few_days_noise_is_hardly_ever_taken_for_a_lag(origins):
    assert share_of_noise_warned_of(origins=origins) < 0.05


def test_a_forecast_that_never_changes_has_no_lag():
    lag = lag_of(one_day(np.full(200, 100.0)), wandering(200)[:, None])
    assert (lag.peak, lag.correlation, lag.warning) == (None, None, False)


def test_a_price_that_never_changes_shows_no_lag():
    lag = lag_of(one_day(wandering(200)), np.full((200, 1), 100.0))
    assert (lag.peak, lag.correlation, lag.warning) == (None, None, False)


def test_a_forecast_that_changed_on_its_first_day_only_gives_no_nan():
    medians = np.full(200, 100.0)
    medians[0] = 90.0
    lag = lag_of(one_day(medians), wandering(200)[:, None])
    assert not lag.warning
    assert lag.correlation is None or np.isfinite(lag.correlation)


def test_twenty_one_origins_are_the_fewest_that_show_a_lag():
    # Five lags, four changes for each of them: 20 changes between 21 origins.
    model, actual = behind(wandering(), lag=1, origins=21)
    assert lag_of(model, actual).peak == 1
    model, actual = behind(wandering(), lag=1, origins=20)
    assert lag_of(model, actual).peak is None


def test_only_the_one_day_median_is_looked_at():
    price = wandering()
    targets = np.arange(20, 220)
    medians = np.stack([price[targets - 1], price[targets + 1]], axis=1)  # the second step knows the future
    actual = np.stack([price[targets], price[targets + 1]], axis=1)
    lag = lag_of(forecast(medians), actual)
    assert lag.peak == 1
    assert lag.correlation == pytest.approx(1)


def test_the_price_unit_does_not_change_the_lag():
    model, actual = behind(wandering(), lag=1)
    in_cents = lag_of(model.times(100), 100 * actual)
    assert in_cents.peak == 1
    assert in_cents.correlation == pytest.approx(lag_of(model, actual).correlation)
