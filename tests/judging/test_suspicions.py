"""Planted cheats are named, and honest forecasts are not."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from submissions import hubverse

from stockcast.data.prices import read_prices
from stockcast.evaluation.diagnostics import lag_of
from stockcast.judging.matching import match
from stockcast.judging.rows import read_rows
from stockcast.judging.suspicions import find_suspicions
from stockcast.judging.tables import read_table


def kinds(frame, prices, *, calendar="24/5", quoted=False):
    (submitted,) = read_rows(read_table(frame), model="m").forecasts
    matched = match(submitted, prices, quoted=quoted)
    whole = matched.known[:, 0]
    found = find_suspicions(matched, lag_of(matched.forecast.rows(whole), matched.actual[whole]), calendar=calendar)
    return {each.kind: each for each in found}


def around(forecast, centre):
    """The same widths around other medians, shape (origins, horizon)."""
    return replace(forecast, quantiles=forecast.quantiles * (centre / forecast.median)[..., None])


@pytest.fixture(scope="module")
def actual(forecast, prices):
    return prices.column("Close")[np.arange(300, 360)[:, None] + np.arange(1, 6)]


@pytest.fixture(scope="module")
def closes(forecast, prices):
    """The close so many days before the first day forecast -> medians, the same for every day ahead."""
    return lambda lag: np.repeat(prices.column("Close")[np.arange(301, 361) - lag][:, None], 5, axis=1)


def test_an_honest_forecast_is_not_suspicious(forecast, prices):
    assert kinds(hubverse(forecast), prices) == {}


def test_tomorrows_close_as_a_forecast_knew_the_outcome(forecast, prices, actual):
    assert kinds(hubverse(around(forecast, actual)), prices)["foresight"].value == 1


def test_some_outcomes_among_honest_forecasts_are_enough(forecast, prices, actual):
    some = np.where(np.arange(60)[:, None] % 10 == 0, actual, forecast.median)
    assert kinds(hubverse(around(forecast, some)), prices)["foresight"].value == pytest.approx(0.1)


def test_a_forecast_half_way_to_the_outcome_is_too_good(forecast, prices, actual):
    half = np.sqrt(actual * forecast.last_close[:, None])
    # Half of every move: the median misses by half of what the last close misses by.
    assert kinds(hubverse(around(forecast, half)), prices)["foresight"].value == pytest.approx(0.5)


def test_a_price_that_does_not_move_is_met_without_foresight(forecast, bars):
    still = bars.copy()
    still.loc[290:, ["Open", "High", "Low", "Close", "Adj Close"]] = 50.0
    medians = around(forecast, np.full((60, 5), 50.0))
    assert "foresight" not in kinds(hubverse(medians), read_prices(still))


@pytest.mark.parametrize("lag", [1, 2, 3])
def test_an_earlier_close_as_a_forecast_is_a_copy_of_that_day(lag, forecast, prices, closes):
    found = kinds(hubverse(around(forecast, closes(lag))), prices)
    assert found["copy"].value == lag
    assert ("lag" in found) == (lag > 1)


def test_a_noisy_copy_of_an_earlier_close_lags(forecast, prices, closes):
    noise = np.exp(np.random.default_rng(0).normal(0, 0.001, (60, 5)))
    found = kinds(hubverse(around(forecast, closes(2) * noise)), prices)
    assert found["lag"].value == 2
    assert "copy" not in found


def test_points_that_trail_the_price_by_a_day_lag(forecast, prices, closes):
    frame = hubverse(around(forecast, closes(1)))
    points = frame[frame["output_type_id"] == "0.5"].assign(output_type="median")
    assert kinds(points, prices)["lag"].value == 1


def test_days_left_out_on_which_prices_fell_are_missing(forecast, prices, actual):
    frame = hubverse(forecast)
    falls = actual[:, 0] / forecast.last_close
    worst = forecast.target_dates[np.argsort(falls)[:10], 0]
    assert kinds(frame[~frame["target_end_date"].isin(worst)], prices)["missing"].value >= 10


def test_origins_left_out_before_large_moves_are_missing(forecast, prices, actual):
    frame = hubverse(forecast)
    moves = np.abs(np.log(actual[:, 0] / forecast.last_close))
    moves[[0, -1]] = 0  # the first and the last origin stay: what is before and after them is not known
    worst = forecast.origin_dates[np.argsort(moves)[-10:]]
    assert kinds(frame[~frame["reference_date"].isin(worst)], prices)["missing"].value == 10


def test_days_left_out_at_random_are_not_suspicious(forecast, prices):
    frame = hubverse(forecast)
    some = np.random.default_rng(3).choice(forecast.origin_dates[1:-1], 10, replace=False)
    assert kinds(frame[~frame["reference_date"].isin(some)], prices) == {}


def test_origins_every_week_leave_no_days_out(forecast, prices):
    frame = hubverse(forecast)
    weekly = forecast.origin_dates[::5]
    assert kinds(frame[frame["reference_date"].isin(weekly)], prices) == {}


def test_quantiles_that_cross_are_named_with_their_share(forecast, prices):
    crossed = forecast.quantiles.copy()
    crossed[:30] = crossed[:30, :, ::-1]
    assert kinds(hubverse(replace(forecast, quantiles=crossed)), prices)["crossing"].value == 0.5


def test_target_dates_that_are_no_session_are_named(forecast, prices):
    frame = hubverse(forecast)
    frame["target_end_date"] += pd.Timedelta(days=1)  # of every Friday the Saturday
    found = kinds(frame, prices)["no_session"]
    saturdays = {str(day) for day in pd.DatetimeIndex(frame["target_end_date"]) if day.weekday() == 5}
    assert found.value == len(saturdays)


def test_a_holiday_of_the_exchange_is_no_session_of_it(forecast, prices):
    # Made-up prices of every weekday have one on Good Friday, and so no fault is found in a forecast of it.
    without = prices.with_rows(np.flatnonzero(prices.dates != np.datetime64("2011-04-22")))
    assert "no_session" in kinds(hubverse(forecast), without, calendar="XNYS")


def test_quoted_prices_taken_for_adjusted_ones_are_named_and_so_is_the_opposite(forecast, prices, bars):
    paid = read_prices(bars.assign(**{"Adj Close": 0.97 * bars["Close"]}))  # as dividends of a year make it
    frame = hubverse(forecast)
    assert "unit" in kinds(frame, paid)
    assert kinds(frame, paid, quoted=True) == {}
    assert "unit" in kinds(frame.assign(value=0.97 * frame["value"]), paid, quoted=True)
    assert kinds(frame.assign(value=0.97 * frame["value"]), paid) == {}
