"""A forecast whose distribution is known: normal log returns of 1 % a day from a close of 100, on weekdays."""

from datetime import date
from typing import Any

import numpy as np
import pytest
from scipy import stats

from stockcast.distribution.chances import chance_text, chances, quantile_rows
from stockcast.distribution.paths import sample_paths
from stockcast.errors import StockcastError
from stockcast.forecast import LEVELS, DirectionPrediction, Directions, Forecast, Prediction

DATES = np.array(
    ["2021-01-11", "2021-01-12", "2021-01-13", "2021-01-14", "2021-01-15", "2021-01-19", "2021-01-20"], "datetime64[D]"
)  # Friday the 8th is the last day known, Monday the 18th a holiday
ORIGIN = np.array(["2021-01-08"], "datetime64[D]")
DEVIATION = 0.01 * np.sqrt(np.arange(1, 8))


@pytest.fixture
def prediction() -> Prediction:
    quantiles = 100 * np.exp(DEVIATION[:, None] * stats.norm.ppf(LEVELS))
    forecast = Forecast(ORIGIN, DATES[None], LEVELS, quantiles[None], np.array([100.0]))
    return Prediction("run", "KO", forecast, ORIGIN, np.array([100.0]))


def test_the_chance_of_closing_beyond_a_level_is_that_of_the_distribution(prediction: Prediction) -> None:
    rows = chances(prediction, above=(102, 97), below=(99,), by="2021-01-15").rows()
    above_102, above_97, below_99 = rows
    deviation = DEVIATION[4]
    assert above_102["close"] == pytest.approx(stats.norm.sf(np.log(1.02) / deviation), abs=1e-4)
    assert above_97["close"] == pytest.approx(stats.norm.sf(np.log(0.97) / deviation), abs=1e-4)
    assert below_99["close"] == pytest.approx(stats.norm.cdf(np.log(0.99) / deviation), abs=1e-4)
    assert [(row["series"], row["origin"], row["date"], row["step"]) for row in rows] == 3 * [
        ("KO", "2021-01-08", "2021-01-15", 5)
    ]
    assert [(row["side"], row["level"]) for row in rows] == [("above", 102.0), ("above", 97.0), ("below", 99.0)]


def test_a_touch_is_seen_from_the_last_price_whichever_side_is_counted(prediction: Prediction) -> None:
    found = chances(prediction, above=(97,), below=(97, 103)).rows()
    above_97, below_97, below_103 = found
    assert above_97["touch"] == below_97["touch"]  # of falling to 97
    assert below_97["close"] < below_97["touch"] < 2 * below_97["close"]  # reflection: twice, were the steps short
    assert below_103["touch"] < 1 - below_103["close"] + 0.12
    assert below_103["touch"] > 1 - below_103["close"]


def test_value_at_risk_and_the_mean_beyond_it_are_those_of_the_distribution(prediction: Prediction) -> None:
    (row,) = chances(prediction, by=3).risk_rows()
    deviation, z = DEVIATION[2], stats.norm.ppf(0.05)
    shortfall = 100 * np.exp(deviation**2 / 2) * stats.norm.cdf(z - deviation) / 0.05
    assert row["value_at_risk"] == pytest.approx(100 * np.exp(z * deviation), rel=1e-5)
    assert row["expected_shortfall"] == pytest.approx(shortfall, rel=1e-5)
    assert row["value_at_risk_return"] == pytest.approx(row["value_at_risk"] / 100 - 1, abs=1e-4)
    assert (row["date"], row["step"], row["probability"]) == ("2021-01-13", 3, 0.05)


def test_without_a_day_it_is_the_last_one_and_without_a_level_there_is_the_value_at_risk(
    prediction: Prediction,
) -> None:
    found = chances(prediction)
    assert found.rows() == []
    assert [row["date"] for row in found.risk_rows()] == ["2021-01-20"]
    assert len(found.sentences()) == 1


@pytest.mark.parametrize(
    "by", [5, "5", " 5 ", "2021-01-15", date(2021, 1, 15), np.datetime64("2021-01-15"), ["2021-01-15", 5]], ids=str
)
def test_a_day_is_a_number_of_sessions_or_a_date(by: Any, prediction: Prediction) -> None:
    assert [row["step"] for row in chances(prediction, by=by).risk_rows()] == [5]


def test_several_days_come_in_order_each_with_every_level(prediction: Prediction) -> None:
    found = chances(prediction, above=(101, 102), below=(99,), by=("2021-01-19", 1))
    assert [(row["step"], row["side"], row["level"]) for row in found.rows()] == [
        (1, "above", 101.0), (1, "above", 102.0), (1, "below", 99.0),
        (6, "above", 101.0), (6, "above", 102.0), (6, "below", 99.0),
    ]  # fmt: skip
    assert len(found.sentences()) == 8


def test_sentences_name_series_price_day_and_percent(prediction: Prediction) -> None:
    level, risk = chances(prediction, above=(101.5,), by=5).sentences()
    assert level == (
        "KO: a chance of 25 % of closing above 101.50 on 2021-01-15, and of 37 % of a close at 101.50 or above on any "
        "day up to then."
    )
    assert risk == (
        "KO: a chance of 5 % of closing below 96.39 (3.6 % below the last price) on 2021-01-15; the mean of such "
        "closes is 95.50 (4.5 % below the last price)."
    )


def test_nothing_forecast_is_certain(prediction: Prediction) -> None:
    (far, _) = chances(prediction, above=(1000,)).sentences()
    assert "less than 1 % of closing above 1,000.00" in far
    (near, _) = chances(prediction, above=(1,)).sentences()
    assert "more than 99 % of closing above 1.00" in near
    assert [chance_text(p) for p in (0.0, 0.0099, 0.01, 0.99, 0.991, 1.0)] == [
        "less than 1 %", "less than 1 %", "1 %", "99 %", "more than 99 %", "more than 99 %",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("by", "named"),
    [
        ("2021-01-18", ["2021-01-15", "2021-01-19"]),  # the holiday
        ("2021-01-09", ["2021-01-11"]),
        ("2021-01-21", ["2021-01-20", "7 days"]),
        ("2021-01-08", ["2021-01-08", "2021-01-11", "2021-01-20"]),
        ("2020-12-31", ["2021-01-08", "2021-01-11", "2021-01-20"]),
        ("8", ["2021-01-11", "2021-01-20", "7 days"]),
        ("0", ["2021-01-11", "2021-01-20", "7 days"]),
        ("-1", ["2021-01-11", "2021-01-20", "7 days"]),
        ("soon", ["soon"]),
        ("", []),
    ],
)
def test_a_day_that_is_not_forecast_is_refused_and_the_nearest_are_named(by, named, prediction: Prediction) -> None:
    with pytest.raises(StockcastError) as refused:
        chances(prediction, above=(101,), by=by)
    assert (refused.value.key, refused.value.value) == ("--by", by)
    assert [name for name in named if name not in str(refused.value)] == []


@pytest.mark.parametrize("level", [0, -1.5, float("nan"), float("inf")])
@pytest.mark.parametrize("side", ["above", "below"])
def test_a_level_that_is_no_price_is_refused(level: float, side: str, prediction: Prediction) -> None:
    with pytest.raises(StockcastError) as refused:
        chances(prediction, **{side: (level,)})
    assert refused.value.key == f"--{side}"
    assert refused.value.value is level


def test_further_quantiles_are_columns_of_the_forecasts_own_rows(prediction: Prediction) -> None:
    rows = quantile_rows(prediction, (0.001, 0.05, 0.33))
    assert [list(row)[-3:] for row in rows] == 7 * [["quantile_0.001", "quantile_0.05", "quantile_0.33"]]
    for row, own, deviation in zip(rows, prediction.rows(), DEVIATION, strict=True):
        assert {name: row[name] for name in own} == own
        assert row["quantile_0.05"] == own["lower_90"]
        assert row["quantile_0.33"] == pytest.approx(100 * np.exp(deviation * stats.norm.ppf(0.33)), rel=1e-5)
        assert row["quantile_0.001"] == pytest.approx(100 * np.exp(deviation * stats.norm.ppf(0.001)), rel=1e-5)


@pytest.mark.parametrize("level", [0, 1, -0.1, 1.5, float("nan")])
def test_a_level_of_no_quantile_is_refused(level: float, prediction: Prediction) -> None:
    with pytest.raises(StockcastError) as refused:
        quantile_rows(prediction, (0.5, level))
    assert refused.value.key == "--levels"


def test_a_forecast_of_the_direction_has_no_chances_of_levels() -> None:
    directions = Directions(ORIGIN, DATES[None], ("down", "up"), np.full((1, 7, 2), 0.5), np.array([100.0]))
    made: Any = DirectionPrediction("run", "KO", directions, None, None)
    for use in (chances, lambda it: quantile_rows(it, (0.1,)), lambda it: sample_paths(it, 3)):
        with pytest.raises(StockcastError) as refused:
            use(made)
        assert refused.value.key == "model.head"
