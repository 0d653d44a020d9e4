import numpy as np
import pytest

from stockcast.evaluation.column_scores import compare_columns

DAYS = 60
CLOSE = 100 + np.arange(DAYS, dtype=float)
PRICES = {"High": CLOSE + 4.0, "Close": CLOSE}
ORIGINS = np.arange(30, 39)


def medians_with(error: float, *, horizon: int = 5) -> dict[str, np.ndarray]:
    """The truth and an error, of the highs upwards and of the closes downwards."""
    days = ORIGINS[:, None] + np.arange(1, horizon + 1)
    return {"High": PRICES["High"][days] + error, "Close": CLOSE[days] - 2 * error}


def test_each_column_is_scored_against_its_own_prices_at_the_reported_steps():
    compared = compare_columns(medians_with(3.0), PRICES, ORIGINS)
    assert list(compared) == ["High", "Close"]
    assert [list(steps) for steps in compared.values()] == [[1, 5], [1, 5]]
    assert {comparison.model.mae for comparison in compared["High"].values()} == {3.0}
    assert {comparison.model.rmse for comparison in compared["Close"].values()} == {6.0}


def test_the_last_step_is_reported_also_where_it_is_none_of_the_usual():
    assert list(compare_columns(medians_with(0.0, horizon=7), PRICES, ORIGINS)["High"]) == [1, 5, 7]


def test_the_mean_squared_error_weighs_a_large_miss_more():
    medians = medians_with(0.0)
    medians["High"][0, 0] += 6.0  # one of nine origins: mean 6/9, root mean square 6/3
    comparison = compare_columns(medians, PRICES, ORIGINS)["High"][1]
    assert (comparison.model.mae, comparison.model.rmse) == (pytest.approx(2 / 3), pytest.approx(2.0))


def test_the_random_walk_forecasts_the_columns_own_last_value():
    # Prices rise by 1 a day, so the last value misses by as many days as it looks ahead.
    compared = compare_columns(medians_with(0.5), PRICES, ORIGINS)
    assert compared["High"][5].baselines["random_walk"].mae == pytest.approx(5.0)
    assert compared["High"][5].skill["random_walk"] == pytest.approx(0.9)  # 1 - 0.5 / 5
    assert compared["Close"][1].skill["random_walk"] == pytest.approx(0.0)  # 1 - 1 / 1


def test_the_last_close_is_moved_by_what_the_column_was_above_the_close_before_it():
    # Highs twice the close of the day before, which doubles every other day: the last high itself is no guide.
    close = np.where(np.arange(DAYS) % 2, 200.0, 100.0)
    high = np.concatenate([[7.0], 2 * close[:-1]])
    medians = {"High": np.zeros((len(ORIGINS), 1)), "Close": np.zeros((len(ORIGINS), 1))}
    comparison = compare_columns(medians, {"High": high, "Close": close}, ORIGINS)["High"][1]
    assert comparison.baselines["last_close"].mae == pytest.approx(0.0)
    assert comparison.skill["last_close"] is None
    assert comparison.baselines["random_walk"].mae == 200.0


def test_no_baseline_knows_a_day_after_its_origin():
    medians, wild = medians_with(1.0, horizon=1), {name: values.copy() for name, values in PRICES.items()}
    for values in wild.values():
        values[ORIGINS[-1] + 2 :] = 1e9
    assert compare_columns(medians, wild, ORIGINS) == compare_columns(medians, PRICES, ORIGINS)


def test_the_mean_ratio_is_that_of_twenty_days():
    close, high = np.full(DAYS, 100.0), np.full(DAYS, 110.0)
    high[10] = 1110.0  # 1000 too high on one day: its mean over 20 days is 50 too high while it is among them
    origins = np.array([29, 30])
    comparison = compare_columns({"High": np.full((2, 1), 110.0)}, {"High": high, "Close": close}, origins)["High"][1]
    assert comparison.baselines["last_close"].mae == pytest.approx((50 + 0) / 2)
