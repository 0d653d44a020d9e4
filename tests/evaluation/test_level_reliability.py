"""Chances of price levels on days whose truth is known: walks of 1 % a day, and closes that can be counted by hand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from stockcast.evaluation.baselines.naive import random_walk
from stockcast.evaluation.baselines.task import ForecastTask
from stockcast.evaluation.chances import LEVELS_AT, chance_reliability
from stockcast.evaluation.diagnostics import lag_of, trend_of
from stockcast.evaluation.scores import compare
from stockcast.evaluation.verdict.prices import judge
from stockcast.forecast import LEVELS, Forecast


def market(*, days=2600, horizon=5, seed=0) -> ForecastTask:
    closes = 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.01, days)))
    dates = np.datetime64("2010-01-01") + np.arange(days)
    return ForecastTask(dates, closes, np.arange(600, days - horizon), horizon=horizon, training_days=600)


def scaled(forecast: Forecast, factor: float) -> Forecast:
    """The same with bands `factor` times as wide."""
    last = forecast.last_close[:, None, None]
    return replace(forecast, quantiles=last * (forecast.quantiles / last) ** factor)


def test_a_forecast_that_knows_the_distribution_keeps_its_promises() -> None:
    task = market()
    walk = random_walk(task)
    found = chance_reliability({"model": walk}, task, walk, steps=[1, 5])
    for step in (1, 5):
        chance = found[step]["model"]
        assert chance.close.promised == pytest.approx(0.25, abs=1e-6)  # the mean of 5, 15, 25, 35 and 45 %
        assert abs(chance.close.gap) < 0.02
        assert abs(chance.touch.gap) < 0.02
        assert len(chance.touch.levels) == 10
    assert found[1]["model"].touch == found[1]["model"].close
    assert found[5]["model"].touch.came > found[5]["model"].close.came + 0.05


@pytest.mark.parametrize(("factor", "sign"), [(0.5, -1), (2.0, 1)])
def test_bands_too_narrow_promise_too_little_beyond_and_too_wide_ones_too_much(factor: float, sign: int) -> None:
    task = market()
    walk = random_walk(task)
    chance = chance_reliability({"model": scaled(walk, factor)}, task, walk, steps=[5])[5]["model"]
    assert sign * chance.close.gap > 0.05
    assert sign * chance.touch.gap > 0.05


def test_levels_are_a_fixed_move_from_every_origins_last_close() -> None:
    task = market()
    volatility = np.sqrt(np.mean(np.diff(np.log(task.closes[:600])) ** 2))
    walk = random_walk(task)
    levels = chance_reliability({"model": walk}, task, walk, steps=[5])[5]["model"].close.levels
    expected = np.expm1(volatility * np.sqrt(5) * stats.norm.ppf(LEVELS_AT))
    np.testing.assert_allclose([level.move for level in levels], expected, rtol=1e-9)
    np.testing.assert_allclose([level.promised for level in levels[:5]], LEVELS_AT[:5], atol=1e-9)


def test_what_came_is_what_can_be_counted_by_hand() -> None:
    # Three origins with a close of 100: one touches 104 and comes back, one ends at 96, one stays.
    after = np.array([[104.0, 100.5], [98.0, 96.0], [100.2, 99.9]])
    dates = np.datetime64("2020-01-01") + np.arange(5)
    targets = dates[np.arange(3)[:, None] + np.arange(1, 3)]
    quantiles = 100 * np.exp(0.02 * stats.norm.ppf(LEVELS)) * np.ones((3, 2, 1))
    forecast = Forecast(dates[:3], targets, LEVELS, quantiles, np.full(3, 100.0))

    class Task:
        actual = after

    chance = chance_reliability({"model": forecast}, Task(), forecast, steps=[2])[2]["model"]  # type: ignore[arg-type]
    prices = 100 * np.exp(0.02 * stats.norm.ppf(LEVELS_AT))
    closed = [sum(last < price for last in (100.5, 96.0, 99.9)) / 3 for price in prices[:5]]
    closed += [sum(last > price for last in (100.5, 96.0, 99.9)) / 3 for price in prices[5:]]
    touched = [sum(low <= price for low in (100.5, 96.0, 99.9)) / 3 for price in prices[:5]]
    touched += [sum(high >= price for high in (104.0, 98.0, 100.2)) / 3 for price in prices[5:]]
    assert [level.came for level in chance.close.levels] == pytest.approx(closed)
    assert [level.came for level in chance.touch.levels] == pytest.approx(touched)
    assert chance.touch.came > chance.close.came


def verdict_of(factor: float) -> list[str]:
    task = market()
    walk = random_walk(task)
    model = scaled(walk, factor)
    report = compare(model, {"random_walk": walk}, task)
    assert list(report.chances[5]) == ["model", "random_walk"]
    sentences = judge(report, trend_of(model, task.actual), lag_of(model, task.actual))
    return [sentence for sentence in sentences if sentence.startswith("Chances of price levels")]


def test_the_verdict_has_a_sentence_only_where_chances_are_wrong() -> None:
    assert verdict_of(1.0) == []
    (sentence,) = verdict_of(2.0)
    assert "a close beyond a level within 1 and 5 days" in sentence
    assert "a touch within 1 and 5 days" in sentence
