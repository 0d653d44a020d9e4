"""Prices whose volatility is known because their returns were chosen, and a future that must not matter."""

import numpy as np
import pytest

from stockcast.evaluation.regimes import CALM, MIDDLE, REGIME_NAMES, STORM, VOLATILITY_DAYS, regimes_of


def prices(returns):
    """Closes with these log returns; the first is 100."""
    return 100 * np.exp(np.concatenate([[0.0], np.cumsum(returns)]))


def swings(*spans):
    """Returns that change their sign every day; (days, size) for each span."""
    sizes = np.concatenate([np.full(days, size) for days, size in spans])
    return sizes * (-1.0) ** np.arange(len(sizes))


def wandering(days=900, seed=0):
    rng = np.random.default_rng(seed)
    return prices(0.01 * np.exp(np.sin(np.arange(days - 1) / 50)) * rng.normal(size=days - 1))


def regimes_after(last_returns, *, training):
    """Regime of the last day, after the training returns and the given ones."""
    closes = prices(np.concatenate([training, last_returns]))
    return regimes_of(closes, np.array([len(closes) - 1]), training_days=len(training) + 1)[0]


def test_the_names_stand_in_the_order_of_their_numbers():
    assert (CALM, MIDDLE, STORM) == (0, 1, 2)
    assert [REGIME_NAMES[regime] for regime in (CALM, MIDDLE, STORM)] == ["calm", "middle", "storm"]


def test_three_training_days_of_rising_volatility_are_one_of_each():
    # Returns 1, -2, 3 %: volatilities 1 %, sqrt(5/2) = 1.58 %, sqrt(14/3) = 2.16 %. The thirds lie between them, at
    # two thirds of the way to the next: 1 + 2/3 x 0.58 = 1.39 % and 1.58 + 1/3 x 0.58 = 1.77 %.
    closes = prices([0.01, -0.02, 0.03])
    assert regimes_of(closes, np.array([1, 2, 3]), training_days=4).tolist() == [CALM, MIDDLE, STORM]


@pytest.mark.parametrize(("size", "regime"), [(0.0138, CALM), (0.0140, MIDDLE), (0.0176, MIDDLE), (0.0178, STORM)])
def test_later_origins_are_measured_by_the_thirds_of_the_training_days(size, regime):
    # The thirds are those of the example above, 1.387 % and 1.774 %; a day that ends 20 swings has their volatility.
    # (1, sqrt 2.5 = 1.58114, sqrt 4.66667 = 2.16025: 1 + 0.58114 x 2/3 = 1.38743; 1.58114 + 0.57911 / 3 = 1.77418.)
    assert regimes_after(swings((20, size)), training=np.array([0.01, -0.02, 0.03])) == regime


@pytest.mark.parametrize(("days_ago", "regime"), [(19, STORM), (20, CALM)])
def test_a_crash_counts_for_twenty_days_its_own_included(days_ago, regime):
    training = swings((100, 0.01), (100, 0.02), (100, 0.03))
    quiet = np.full(days_ago, 1e-4)
    assert VOLATILITY_DAYS == 20
    assert regimes_after(np.concatenate([[-0.5], quiet]), training=training) == regime


def test_a_steady_fall_is_as_stormy_as_swings_of_its_size():
    # The mean is not taken off: twenty days of -3 % are no calm.
    training = swings((100, 0.01), (100, 0.02), (100, 0.03))
    fall = regimes_after(np.full(20, -0.031), training=training)
    assert fall == regimes_after(swings((20, 0.031)), training=training) == STORM


def test_each_regime_has_a_third_of_the_training_days():
    counts = np.bincount(regimes_of(wandering(901), np.arange(1, 901), training_days=901), minlength=3)
    assert counts.tolist() == [300, 300, 300]


@pytest.mark.parametrize("last", [600, 700, 850])
def test_closes_after_the_origin_never_move_its_regime(last):
    closes, origins = wandering(), np.arange(1, last + 1)
    other = closes.copy()
    other[last + 1 :] *= np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.2, len(closes) - last - 1)))
    regimes = regimes_of(closes, origins, training_days=500)
    assert regimes.tolist() == regimes_of(other, origins, training_days=500).tolist()
    assert regimes.tolist() == regimes_of(closes[: last + 1], origins, training_days=500).tolist()


def test_closes_after_the_training_days_never_move_the_thresholds():
    # The days between training days and origins are ten times as volatile; 21 closes before the origins are as before.
    closes = wandering()
    returns = np.diff(np.log(closes))
    returns[499:700] *= 10
    wild, origins = prices(returns), np.arange(725, 900)
    assert (
        regimes_of(wild, origins, training_days=500).tolist() == regimes_of(closes, origins, training_days=500).tolist()
    )


def test_the_first_close_after_the_training_days_is_no_training_day():
    # Two training returns, 1 and 2 %: volatilities 1 and 1.58 %. With the crash after them the thirds would rise.
    closes = prices([0.01, -0.02, -0.5])
    assert regimes_of(closes, np.array([2]), training_days=3).tolist() == [STORM]


def test_the_last_training_day_has_its_say():
    # With 3 %, thirds at 1.39 and 1.77 % (see above), so 1.58 % is in the middle; without it, it would be the highest.
    assert regimes_of(prices([0.01, -0.02, 0.03]), np.array([2]), training_days=4).tolist() == [MIDDLE]


def test_prices_that_never_change_are_calm():
    closes = np.full(300, 42.0)
    assert set(regimes_of(closes, np.arange(1, 300), training_days=200).tolist()) == {CALM}


def test_prices_that_never_change_after_a_storm_are_calm_twenty_days_later():
    # The training days have no volatility at all, so whatever a storm left behind would be one.
    storm = np.random.default_rng(2).normal(0, 0.1, 100)
    closes = prices(np.concatenate([np.zeros(200), storm, np.zeros(80)]))
    regimes = regimes_of(closes, np.arange(200, 381), training_days=150)
    assert regimes.tolist() == [CALM] + [STORM] * 119 + [CALM] * 61


def test_steady_growth_is_one_regime_whatever_its_rounding():
    closes = 100 * 1.01 ** np.arange(300)
    assert set(regimes_of(closes, np.arange(1, 300), training_days=200).tolist()) == {CALM}


@pytest.mark.parametrize("factor", [137.5, 1e-4])
def test_the_currency_makes_no_regime(factor):
    closes, origins = wandering(), np.arange(1, 900)
    regimes = regimes_of(closes, origins, training_days=500)
    assert regimes.tolist() == regimes_of(closes * factor, origins, training_days=500).tolist()


def test_origins_may_come_in_any_order_or_not_at_all():
    closes, origins = wandering(), np.array([700, 30, 5])
    regimes = regimes_of(closes, origins, training_days=500)
    assert regimes.tolist() == regimes_of(closes, origins[::-1], training_days=500)[::-1].tolist()
    assert regimes_of(closes, np.array([], int), training_days=500).tolist() == []


@pytest.mark.parametrize(("origin", "training_days"), [(0, 100), (50, 1)])
def test_an_origin_or_training_without_a_return_is_refused(origin, training_days):
    with pytest.raises(ValueError, match="returns"):
        regimes_of(wandering(), np.array([origin, 60]), training_days=training_days)
