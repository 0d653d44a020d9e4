"""Touches are compared with simulated walks and with the reflection principle, marginals with the forecast."""

import numpy as np
import pytest
from scipy import stats

from stockcast.distribution.copula import WalkCopula
from stockcast.distribution.paths import MOST_PATHS, sample_paths, touch_probability
from stockcast.distribution.quantiles import PriceDistribution
from stockcast.errors import StockcastError
from stockcast.forecast import LEVELS, Forecast, Prediction

DAYS = np.arange(1, 21)


def walk(*, distribution=stats.norm, origins=1, days=DAYS, scale=0.01):
    """Of cumulative returns that grow as the square root of time, each with the same shape."""
    returns = scale * np.sqrt(days)[:, None] * distribution.ppf(LEVELS)
    return PriceDistribution(np.full(origins, 100.0), LEVELS, np.tile(returns, (origins, 1, 1)))


HEAVY = stats.t(4)


def predicted(*, distribution=HEAVY, days=DAYS):
    quantiles = 100 * np.exp(walk(distribution=distribution, days=days).returns)
    dates = np.datetime64("2021-01-01") + days
    forecast = Forecast(np.array([np.datetime64("2021-01-01")]), dates[None], LEVELS, quantiles, np.array([100.0]))
    return Prediction("run", "KO", forecast, dates, np.full(len(dates), 100.0))


def counted(returns, marks):
    """Share of simulated paths that touch each log return, in percent."""
    return [100 * np.mean((returns >= mark if mark > 0 else returns <= mark).any(axis=1)) for mark in marks]


@pytest.mark.parametrize("shape", ["normal", "Student-t"])
def test_touches_agree_with_a_count_of_200000_walks_to_half_a_point(shape):
    random = np.random.default_rng(5)
    steps = 0.01 * random.standard_normal((200_000, len(DAYS)))
    if shape == "Student-t":  # of a scale that all steps of a path share, so that every day is a Student-t of 4 degrees
        steps *= np.sqrt(4 / random.chisquare(4, (200_000, 1)))
    marks = [-0.12, -0.05, -0.02, 0.01, 0.04, 0.1]
    distribution = walk(distribution=stats.norm if shape == "normal" else stats.t(4))
    prices = 100 * np.exp(np.array(marks))
    found = touch_probability(distribution, prices[None, None], days=(20,), paths=60_000)[0, 0]
    np.testing.assert_allclose(100 * found, counted(np.cumsum(steps, axis=1), marks), atol=0.5)


def test_a_walk_of_many_short_steps_touches_twice_as_often_as_it_ends_beyond():
    days = np.arange(
        1, 2001
    )  # the reflection principle, with the correction for steps of Broadie, Glasserman & Kou 1997
    distribution = walk(days=days, scale=1e-3)
    mark = 0.03
    corrected = mark + 0.5826 * 1e-3
    found = touch_probability(distribution, np.array([[[100 * np.exp(mark)]]]), days=(2000,), paths=20_000)
    assert found[0, 0, 0] == pytest.approx(2 * stats.norm.sf(corrected / (1e-3 * np.sqrt(2000))), abs=0.01)


def test_time_runs_by_the_variance_of_the_forecast():
    # All of the variance comes on the third day, as that of a series before its earnings: a touch is a close beyond.
    returns = np.array([1e-4, 1.1e-4, 0.05, 0.05])[:, None] * stats.norm.ppf(LEVELS)
    distribution = PriceDistribution(np.array([100.0]), LEVELS, returns[None])
    level = np.array([[[104.0]]])
    touch = touch_probability(distribution, level, days=(4,), paths=20_000)[0, 0, 0]
    assert touch == pytest.approx(1 - distribution.cdf(level)[0, 3, 0], abs=0.003)


def test_one_day_ahead_a_touch_is_a_close_and_more_days_touch_more_often():
    distribution = walk(origins=3)
    levels = np.tile([95.0, 99.0, 101.0, 104.0], (3, 3, 1))
    found = touch_probability(distribution, levels, days=(1, 5, 20), paths=2000)
    below = distribution.cdf(levels[:, :1])[:, 0]
    np.testing.assert_allclose(found[:, 0], np.where(levels[:, 0] > 100, 1 - below, below), rtol=1e-12)
    assert (np.diff(found, axis=1) > 0).all()


def test_the_chance_of_a_touch_does_not_depend_on_what_else_is_looked_up():
    distribution = walk(origins=2)
    many = np.tile([95.0, 99.0, 101.0, 104.0], (2, 2, 1))
    together = touch_probability(distribution, many, days=(5, 20), paths=40_000)
    alone = touch_probability(distribution, many[:, 1:, 2:3], days=(20,), paths=40_000)
    np.testing.assert_array_equal(together[:, 1, 2], alone[:, 0, 0])


def test_paths_are_distributed_as_the_forecast_on_every_day():
    prediction = predicted()
    paths = sample_paths(prediction, 40_000, seed=3)
    assert paths.prices.shape == (40_000, 20)
    for level in (0.05, 0.25, 0.5, 0.75, 0.95):
        below = np.mean(paths.prices < prediction.forecast.at(level)[0], axis=0)
        np.testing.assert_allclose(below, level, atol=0.01)


def test_days_of_a_path_hang_together_as_those_of_a_walk():
    returns = np.log(sample_paths(predicted(distribution=stats.norm), 20_000).prices / 100)
    found = np.corrcoef(returns.T)
    earlier, later = np.minimum.outer(DAYS, DAYS), np.maximum.outer(DAYS, DAYS)
    np.testing.assert_allclose(found, np.sqrt(earlier / later), atol=0.03)


def test_a_heavy_tailed_path_is_calm_or_wild_as_a_whole():
    def clustering(distribution):
        returns = np.log(sample_paths(predicted(distribution=distribution), 20_000).prices / 100)
        first, second = np.abs(returns[:, 9]), np.abs(returns[:, 19] - returns[:, 9])
        return stats.spearmanr(first, second).statistic

    assert abs(clustering(stats.norm)) < 0.03
    assert clustering(stats.t(4)) > 0.1


def test_the_same_seed_draws_the_same_paths():
    first, again, other = (sample_paths(predicted(), 10, seed=seed).prices for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_table_of_paths_has_a_row_for_each_path_and_day():
    paths = sample_paths(predicted(), 3)
    rows = list(paths.rows())
    assert len(rows) == 3 * 20
    assert list(rows[0]) == ["unique_id", "cutoff", "path", "ds", "step", "price"]
    assert (rows[20]["unique_id"], rows[20]["cutoff"], rows[20]["path"], rows[20]["ds"], rows[20]["step"]) == (
        "KO", "2021-01-01", 1, "2021-01-02", 1,
    )  # fmt: skip
    frame = paths.to_frame()
    assert [f"{price:.6g}" for price in frame["price"]] == [f"{row['price']:.6g}" for row in rows]
    assert frame[["unique_id", "path", "step"]].to_dict("list") == {
        name: [row[name] for row in rows] for name in ("unique_id", "path", "step")
    }


def test_stored_paths_need_no_pickle(tmp_path):
    paths = sample_paths(predicted(), 3)
    np.savez(tmp_path / "paths.npz", **paths.arrays())
    with np.load(tmp_path / "paths.npz", allow_pickle=False) as stored:
        assert str(stored["unique_id"]) == "KO"
        assert np.array_equal(stored["prices"], paths.prices)
        assert np.array_equal(stored["dates"], paths.dates)


@pytest.mark.parametrize("count", [0, -1, MOST_PATHS + 1])
def test_a_number_of_paths_that_cannot_be_drawn_is_refused(count):
    with pytest.raises(StockcastError) as refused:
        sample_paths(predicted(), count)
    assert (refused.value.key, refused.value.value) == ("--paths", count)


def test_a_forecast_without_spread_has_paths_and_touches_all_the_same():
    distribution = PriceDistribution(np.array([100.0]), LEVELS, np.zeros((1, 3, len(LEVELS))))
    found = touch_probability(distribution, np.array([[[99.0, 101.0]]]), days=(3,), paths=100)
    assert found.tolist() == [[[0.0, 0.0]]]


def test_heaviness_is_that_of_the_tails():
    def heaviness(distribution):
        return int(WalkCopula.of(walk(distribution=distribution)).heaviness[0])

    assert heaviness(stats.norm) == 0
    assert heaviness(stats.t(10)) == 10  # steps of a hundredth of 1 / degrees
    assert heaviness(stats.t(4)) == 25
