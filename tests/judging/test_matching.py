"""Forecasts find their origins and prices by date; what cannot be scored is listed, and another unit refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from submissions import hubverse

from stockcast.data.prices import read_prices
from stockcast.errors import DataError
from stockcast.judging.matching import match, task_of, training_days
from stockcast.judging.rows import read_rows
from stockcast.judging.tables import read_table


def submitted(frame):
    (found,) = read_rows(read_table(frame), model="m").forecasts
    return found


@pytest.fixture(scope="module")
def theirs(forecast):
    return submitted(hubverse(forecast))


def test_forecasts_are_arranged_by_origin_and_days_ahead_in_any_order_of_rows(forecast, prices):
    shuffled = hubverse(forecast).sample(frac=1, random_state=1)
    matched = match(submitted(shuffled), prices, quoted=False)
    assert matched.known.all()
    assert np.array_equal(matched.origins, np.arange(300, 360))
    assert np.array_equal(matched.forecast.quantiles, forecast.quantiles)
    assert np.array_equal(matched.forecast.last_close, forecast.last_close)
    assert (matched.notes, len(matched.beyond), len(matched.no_bar)) == ((), 0, 0)


def test_days_beyond_the_prices_are_listed_and_the_others_scored(theirs, prices):
    short = prices.until(pd.Timestamp(prices.dates[362]).date())
    matched = match(theirs, short, quoted=False)
    # From day 358 on, forecasts reach beyond day 362: one, two, ... of their five days.
    assert matched.known.sum(axis=1).tolist() == [5] * 58 + [4, 3]
    assert matched.beyond.tolist() == prices.dates[363:365].tolist()


def test_forecasts_that_are_all_after_the_last_price_have_no_match(theirs, prices):
    assert match(theirs, prices.until(pd.Timestamp(prices.dates[299]).date()), quoted=False) is None


def test_a_day_without_a_price_within_the_prices_is_listed(theirs, prices):
    without = prices.with_rows(np.delete(np.arange(len(prices.dates)), 320))
    matched = match(theirs, without, quoted=False)
    assert matched.no_bar.tolist() == [prices.dates[320]]


def test_a_cutoff_on_a_week_end_knows_the_friday_before(theirs, prices):
    is_friday = (theirs.cutoffs.astype(int) + 3) % 7 == 4
    moved = replace(theirs, cutoffs=np.where(is_friday, theirs.cutoffs + np.timedelta64(2, "D"), theirs.cutoffs))
    matched = match(moved, prices, quoted=False)
    assert np.array_equal(matched.forecast.quantiles, match(theirs, prices, quoted=False).forecast.quantiles)
    assert any("12 cutoffs without a price" in note for note in matched.notes)


def test_of_two_cutoffs_between_the_same_sessions_the_later_one_is_scored(theirs, prices):
    saturday = theirs.cutoffs == np.datetime64("2011-03-04")
    rows = np.flatnonzero(saturday)
    twice = replace(
        theirs,
        cutoffs=np.concatenate([theirs.cutoffs[rows] + 1, theirs.cutoffs]),
        targets=np.concatenate([theirs.targets[rows], theirs.targets]),
        steps=np.concatenate([theirs.steps[rows], theirs.steps]),
        quantiles=np.concatenate([1.01 * theirs.quantiles[rows], theirs.quantiles]),
    )
    matched = match(twice, prices, quoted=False)
    first = np.flatnonzero(matched.forecast.origin_dates == np.datetime64("2011-03-04"))
    expected = 1.01 * match(theirs, prices, quoted=False).forecast.quantiles[first]
    assert np.allclose(matched.forecast.quantiles[first], expected)


def test_forecasts_of_days_that_the_cutoff_knew_are_left_out(theirs, prices):
    early = replace(theirs, targets=np.where(theirs.steps == 1, theirs.cutoffs, theirs.targets))
    matched = match(early, prices, quoted=False)
    assert not matched.known[:, 0].any()
    assert any("60 forecasts are of days that their cutoff knew" in note for note in matched.notes)


@pytest.mark.parametrize(
    ("horizon", "note"),
    [
        (lambda theirs: (theirs.targets - theirs.cutoffs).astype(int), "counts calendar days"),
        (lambda theirs: -(-(theirs.targets - theirs.cutoffs).astype(int) // 7), "counts weeks"),
        (lambda theirs: theirs.steps + 1, "neither"),
    ],
    ids=["calendar", "weeks", "wrong"],
)
def test_what_a_horizon_counts_is_found_by_the_dates(horizon, note, theirs, prices):
    matched = match(replace(theirs, steps=horizon(theirs)), prices, quoted=False)
    assert matched.known.all()
    assert [note in each for each in matched.notes] == [True]


def test_steps_alone_say_what_was_known(theirs, prices):
    without = replace(theirs, cutoffs=np.full(len(theirs.cutoffs), np.datetime64("NaT", "D")))
    matched = match(without, prices, quoted=False)
    assert np.array_equal(matched.forecast.quantiles, match(theirs, prices, quoted=False).forecast.quantiles)


def test_quantiles_that_cross_are_put_in_order_and_counted(theirs, prices):
    crossed = theirs.quantiles.copy()
    crossed[:3] = crossed[:3, ::-1]
    matched = match(replace(theirs, quantiles=crossed), prices, quoted=False)
    assert matched.crossing == 3 / 300
    assert np.array_equal(matched.forecast.quantiles, match(theirs, prices, quoted=False).forecast.quantiles)


def test_a_quantile_below_zero_is_scored_as_a_hundredth_of_the_last_close(theirs, prices):
    below = theirs.quantiles.copy()
    below[0, 0] = -3
    matched = match(replace(theirs, quantiles=below), prices, quoted=False)
    first = np.flatnonzero(theirs.cutoffs[0] == matched.forecast.origin_dates)[0]
    assert matched.forecast.quantiles[first, theirs.steps[0] - 1, 0] == 0.01 * matched.forecast.last_close[first]


@pytest.mark.parametrize(
    ("values", "hint"),
    [
        (lambda theirs: np.log(theirs.quantiles / 100), "return"),
        (lambda theirs: 100 * theirs.quantiles, "currency"),
        (lambda theirs: theirs.quantiles / 100, "currency"),
    ],
    ids=["returns", "cents", "hundreds"],
)
def test_another_unit_is_known_by_its_size_and_refused(values, hint, theirs, prices):
    with pytest.raises(DataError, match=hint) as refused:
        match(replace(theirs, quantiles=values(theirs)), prices, quoted=False)
    assert refused.value.key == "FORECASTS"


def test_some_returns_among_prices_are_refused_too(theirs, prices):
    mixed = theirs.quantiles.copy()
    mixed[100:110] = 0.001
    with pytest.raises(DataError, match="10 of 300 medians"):
        match(replace(theirs, quantiles=mixed), prices, quoted=False)


def test_quoted_forecasts_are_brought_to_the_adjusted_prices_of_their_cutoff(theirs, bars, prices):
    # Half the price is paid out on day 340: adjusted closes before it are half of the quoted ones.
    paid = bars.copy()
    paid["Adj Close"] = np.where(np.arange(len(bars)) < 340, 0.5, 1.0) * paid["Close"]
    adjusted = read_prices(paid)
    matched = match(theirs, adjusted, quoted=True)
    plain = match(theirs, prices, quoted=False)
    factor = np.where(matched.origins < 340, 0.5, 1.0)
    assert np.allclose(matched.forecast.quantiles, factor[:, None, None] * plain.forecast.quantiles)


def test_quoted_forecasts_that_are_taken_as_adjusted_are_refused_with_the_way_out(theirs, bars):
    paid = bars.copy()
    paid["Adj Close"] = 0.1 * paid["Close"]
    with pytest.raises(DataError, match="--quoted"):
        match(theirs, read_prices(paid), quoted=False)


def test_baselines_may_know_the_days_up_to_the_first_cutoff_or_a_chosen_one(prices):
    assert training_days(prices, 300, None) == 301
    assert training_days(prices, 300, prices.dates[99]) == 100
    with pytest.raises(DataError) as refused:
        training_days(prices, 1, None)
    assert refused.value.key == "--data"


def test_days_after_the_last_price_have_no_actual_price(prices):
    task = task_of(prices, np.array([377]), horizon=5, training_days=300)
    assert np.isnan(task.actual[0]).tolist() == [False, False, True, True, True]
