"""One task for all baselines: every forecast whole, every failure reported, only costly forecasts stored."""

import numpy as np
import pytest

from stockcast.errors import BaselineError
from stockcast.evaluation.baselines import registry
from stockcast.evaluation.baselines.naive import random_walk
from stockcast.evaluation.baselines.registry import BASELINES, Baseline, forecast_baselines
from stockcast.evaluation.baselines.task import ForecastTask
from stockcast.forecast import LEVELS

CHEAP = ["random_walk", "drift", "volatility_20", "ewma"]
COSTLY = ["garch_t", "gjr_skewt"]


def make_task(*, days=400, origins=(300, 330, 380), volatility=0.01):
    dates = np.datetime64("2020-01-01") + np.arange(days)
    closes = 50 * np.exp(np.cumsum(volatility * np.random.default_rng(3).standard_t(5, days)))
    return ForecastTask(dates, closes, np.array(origins), horizon=6, training_days=300)


def forecasts_of(task, *, cache=lambda name, make: make(), on_progress=lambda name, done, of: None):
    return forecast_baselines(task, cache=cache, on_progress=on_progress)


def fail(task, on_estimate):
    raise BaselineError("it had a bad day")


def test_the_baselines_are_the_simplest_ones_first_and_the_garch_family_last():
    assert list(BASELINES) == [*CHEAP, *COSTLY]
    assert len({baseline.label for baseline in BASELINES.values()}) == len(BASELINES)


def test_every_baseline_forecasts_sorted_finite_prices_for_the_days_it_was_asked():
    task = make_task()
    result = forecasts_of(task)
    assert list(result.forecasts) == list(BASELINES)
    assert result.failures == {}
    for forecast in result.forecasts.values():
        assert forecast.quantiles.shape == (3, 6, len(LEVELS))
        assert np.isfinite(forecast.quantiles).all()
        assert (forecast.quantiles > 0).all()
        assert (np.diff(forecast.quantiles, axis=-1) > 0).all()
        assert forecast.last_close.tolist() == task.closes[[300, 330, 380]].tolist()
        assert forecast.origin_dates.tolist() == task.dates[[300, 330, 380]].tolist()
        assert forecast.target_dates[1].tolist() == task.dates[331:337].tolist()
        assert forecast.levels.tolist() == LEVELS.tolist()


def test_each_baseline_forecasts_in_its_own_way():
    forecasts = list(forecasts_of(make_task()).forecasts.values())
    for number, forecast in enumerate(forecasts):
        for other in forecasts[:number]:
            assert not np.allclose(forecast.quantiles, other.quantiles, rtol=1e-4)


def test_a_baseline_that_fails_is_listed_with_its_reason_and_the_others_still_forecast(monkeypatch):
    monkeypatch.setitem(registry.BASELINES, "drift", Baseline("drift", fail))
    result = forecasts_of(make_task(origins=(200,)))  # too early for the garch family
    assert list(result.forecasts) == ["random_walk", "volatility_20", "ewma"]
    assert result.failures.keys() == {"drift", *COSTLY}
    assert result.failures["drift"] == "it had a bad day"
    assert result.failures["garch_t"] == "it needs 250 returns before the first origin, and there are 200"


def test_of_prices_that_never_move_the_simple_baselines_forecast_and_the_garch_family_says_why_not():
    result = forecasts_of(make_task(volatility=0.0))
    assert list(result.forecasts) == CHEAP
    assert result.failures.keys() == set(COSTLY)
    assert all("never vary" in reason for reason in result.failures.values())


def test_a_failure_while_it_is_kept_is_a_failure_too():
    def cache(name, make):
        raise BaselineError(f"{name} was not kept")

    result = forecasts_of(make_task(), cache=cache)
    assert list(result.forecasts) == CHEAP
    assert result.failures == {name: f"{name} was not kept" for name in COSTLY}


def test_an_error_that_is_no_baselines_own_is_not_hidden(monkeypatch):
    def bug(task, on_estimate):
        raise ZeroDivisionError

    monkeypatch.setitem(registry.BASELINES, "drift", Baseline("drift", bug))
    with pytest.raises(ZeroDivisionError):
        forecasts_of(make_task())


def test_only_costly_forecasts_are_kept_and_what_was_kept_is_the_forecast():
    names, task = [], make_task()
    remembered = random_walk(task)

    def cache(name, make):
        names.append(name)
        return remembered

    result = forecasts_of(task, cache=cache)
    assert names == COSTLY
    assert [name for name, baseline in BASELINES.items() if baseline.costly] == COSTLY
    assert all(result.forecasts[name] is remembered for name in COSTLY)


def test_each_costly_baseline_makes_its_own_forecast_however_late_it_is_asked_to():
    makers = {}

    def cache(name, make):
        makers[name] = make
        return random_walk(task)

    task = make_task()
    forecasts_of(task, cache=cache)
    right = forecasts_of(task).forecasts
    for name in COSTLY:
        assert makers[name]().quantiles.tobytes() == right[name].quantiles.tobytes()


def test_progress_is_reported_under_the_baselines_name():
    progress = []
    forecasts_of(make_task(), on_progress=lambda name, done, of: progress.append((name, done, of)))
    assert progress == [("garch_t", 1, 1), ("gjr_skewt", 1, 1)]
