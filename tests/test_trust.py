"""The few lines that tell how far to trust a forecast: what it promises, how it did, what failed, how old it is."""

import textwrap
from copy import deepcopy
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made import QUICK, make_bars

import stockcast as sc
from stockcast.config.load import load_config
from stockcast.evaluation.verdict.record import Record
from stockcast.forecast import Prediction
from stockcast.forecasting.predictor import Predictor
from stockcast.frequency import DAILY
from stockcast.pipeline.trust import stored_record, trust

BASELINES = ("random_walk", "drift", "volatility_20", "ewma", "garch_t", "gjr_skewt")


def at(
    coverage: float, *, better: tuple[str, ...] = (), worse: tuple[str, ...] = (), best: bool = True
) -> dict[str, Any]:
    """One number of days ahead, as metrics.json has it."""

    def test(name: str) -> dict[str, float]:
        sign = -1 if name in better else 1
        return {"statistic": sign * 6.0, "p_value": 1e-8 if name in (*better, *worse) else 0.9}

    regimes = {"calm": (500, 0.8), "middle": (300, 0.9), "storm": (10, 0.5)}
    return {
        "model": {"coverage_90": coverage},
        "tests": {name: test(name) for name in BASELINES},
        "confidence_set": {"names": ["model" if best else "ewma"]},
        "regimes": {name: {"origins": count, "coverage_90": share} for name, (count, share) in regimes.items()},
    }


METRICS: dict[str, Any] = {
    "score": "crps",
    "split": {"first_origin": "2014-12-31", "last_target": "2018-12-31"},
    "horizons": {
        "1": at(0.91, better=("random_walk", "drift")),
        "5": at(0.9, better=("random_walk", "drift"), worse=("gjr_skewt",)),
        "20": at(0.88),
    },
    "overall": {"baselines": dict.fromkeys(BASELINES)},
    "value_at_risk": {"model": []},
    "lag": {"warning": False},
}


def record(changed: dict[str, Any] | None = None) -> Record:
    return Record.of({**deepcopy(METRICS), **(changed or {})}, frequency=DAILY)


def test_a_record_names_what_is_beaten_and_what_is_not_with_the_days_ahead() -> None:
    assert record().skill(frequency=DAILY) == (
        "significantly better at 1 and 5 days than the random walk and drift; worse at 5 days than GJR-GARCH-skewt."
    )


def test_a_network_that_only_won_or_only_lost_is_told_so() -> None:
    best = record({"horizons": {"1": at(0.9, better=BASELINES)}}).skill(frequency=DAILY)
    assert best.startswith("significantly better at 1 day than the random walk, drift")
    assert best.endswith("GJR-GARCH-skewt; never worse.")
    worst = record({"horizons": {"1": at(0.9, worse=("ewma",))}}).skill(frequency=DAILY)
    assert worst.startswith("never significantly better; significantly worse at 1 day than EWMA volatility.")


def test_a_network_without_a_significant_difference_is_told_so() -> None:
    even = record({"horizons": {"1": at(0.9), "5": at(0.9)}})
    assert even.skill(frequency=DAILY) == "no significant difference to any baseline."


def test_coverage_is_that_of_the_nearest_days_ahead_and_of_days_like_the_last_one() -> None:
    held = record().sentence(4, "calm", frequency=DAILY)
    assert held.startswith("90 % of 90 % bands 5 days ahead, 2014-12-31 to 2018-12-31; 80 % at low volatility, as now.")
    assert "as now" not in record().sentence(4, "storm", frequency=DAILY)  # ten days of it tell nothing
    assert record().sentence(50, None, frequency=DAILY).startswith("88 % of 90 % bands 20 days ahead")


def breach(level: float, hits: int, *, kupiec: float) -> dict[str, Any]:
    of = {"level": level, "origins": 1957, "expected": 1957 * level}
    return {**of, "hits": hits, "kupiec": kupiec, "conditional": 0.001}


def test_every_fault_of_the_evaluation_is_named() -> None:
    faults = record(
        {
            "horizons": {"1": at(0.83), "5": at(0.97, best=False), "20": at(0.86)},
            "value_at_risk": {"model": [breach(0.01, 30, kupiec=0.001), breach(0.05, 99, kupiec=0.6)]},
            "lag": {"warning": True},
        }
    ).faults
    assert faults == (
        "90 % bands too narrow (1 day), too wide (5 days)",
        "not among the best (5 days)",
        "value at risk: in 1957 days 30 below 1 % (not 20), 99 below 5 % (in clusters)",
        "median = today's price",
    )
    assert record().faults == ()


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    home = tmp_path_factory.mktemp("trust")
    make_bars().to_csv(home / "prices.csv", index=False)
    (home / "tiny.yaml").write_text(QUICK)
    run = sc.train(load_config(home / "tiny.yaml"), runs=home / "runs", name="first")
    sc.save_evaluation(run, sc.evaluate(run), plot=False)
    return Predictor.load(run)


def columns(lines: tuple[str, ...]) -> int:
    return sum(len(textwrap.wrap(line, 100, subsequent_indent="  ")) for line in lines)


def test_the_lines_fit_eight_of_a_hundred_columns_and_state_promise_record_and_age(loaded: Predictor) -> None:
    prices = loaded.read_as_trained()
    forecast = loaded.predict(prices)
    lines = trust(
        loaded,
        prices,
        forecast,
        stored_record(loaded, prices, on_message=print),
        today=date(2012, 9, 17),
    )
    assert lines[0] == f"Forecast: {forecast.sentence()}"
    assert [line.partition(":")[0] for line in lines if not line.startswith("Fails")] == [
        "Forecast", "Held", "Skill", "Known",
    ]  # fmt: skip
    assert "prices to 2012-09-07 (10 days old); trained before 2012-02-27 on this series." in lines[-1]
    assert columns(lines) <= 8
    worst = record(
        {
            "horizons": {
                "1": at(0.83, better=BASELINES[:2], worse=BASELINES[4:]),
                "5": at(0.97, better=BASELINES[:1], worse=BASELINES[5:], best=False),
                "20": at(0.7, best=False),
            },
            "lag": {"warning": True},
            "value_at_risk": {"model": [breach(0.01, 30, kupiec=0.001), breach(0.05, 118, kupiec=0.001)]},
        }
    )
    assert isinstance(forecast, Prediction)
    quantiles = forecast.forecast.quantiles.copy()
    quantiles[:, 0] *= 0.8
    low = replace(forecast, forecast=replace(forecast.forecast, quantiles=quantiles))
    lines = trust(loaded, prices, low, worst, today=date(2026, 9, 17))
    assert [line.partition(":")[0] for line in lines] == ["Forecast", "Held", "Skill", "Fails", "Known", "Warning"]
    assert columns(lines) <= 8, lines  # everything that can be wrong, and a warning


def test_the_lines_are_of_the_day_in_question(loaded: Predictor) -> None:
    prices = loaded.read_as_trained()
    forecast = loaded.predict(prices)
    lines = trust(loaded, prices, forecast, stored_record(loaded, prices, on_message=print), step=1)
    day = str(forecast.forecast.target_dates[0, 0])
    lower, upper = (float(end[0, 0]) for end in forecast.forecast.band(0.9))
    assert lines[0].endswith(f"closing at {lower:.2f} to {upper:.2f} on {day}.")
    assert "of 90 % bands 1 day ahead" in lines[1]


def test_a_series_that_was_never_scored_has_no_record_and_one_that_is_not_of_the_training_is_named_so(
    loaded: Predictor, tmp_path: Path
) -> None:
    make_bars(seed=5).to_csv(tmp_path / "X.csv", index=False)
    prices = loaded.read(tmp_path / "X.csv")
    assert stored_record(loaded, prices, on_message=print) is None
    lines = trust(loaded, prices, loaded.predict(prices), None, today=date(2012, 9, 7))
    assert lines[1] == "Held: not known for X, which was not scored yet (stockcast evaluate)."
    assert lines[-1].endswith("prices to 2012-09-07; trained before 2012-02-27 on 1 series, not on it.")


def test_a_band_of_tomorrow_that_leaves_out_the_last_price_is_warned_of(loaded: Predictor) -> None:
    prices = loaded.read_as_trained()
    forecast = loaded.predict(prices)
    assert isinstance(forecast, Prediction)
    high = replace(forecast.forecast, quantiles=forecast.forecast.quantiles * 1.5)
    shifted = replace(forecast, forecast=high)
    (warning,) = [line for line in trust(loaded, prices, shifted, None) if line.startswith("Warning")]
    assert "leaves out the last price" in warning
    assert not [line for line in trust(loaded, prices, forecast, None) if line.startswith("Warning")]


def test_a_forecast_from_within_the_training_is_warned_of(loaded: Predictor) -> None:
    prices = loaded.read_as_trained()
    early = prices.dates[200].astype(object)
    lines = trust(loaded, prices, loaded.predict(prices, origin=early), None)
    assert "made by a network that knows days up to 2012-02-27" in lines[-1]
    assert lines[-1].startswith("Warning: ")


def test_a_median_that_rises_faster_than_any_series_of_the_training_did_is_warned_of(loaded: Predictor) -> None:
    prices = loaded.read_as_trained()
    forecast = loaded.predict(prices)
    assert isinstance(forecast, Prediction)
    training = prices.quoted[prices.dates < np.datetime64(loaded.test_border("validation"))]
    drift = abs(np.log(training[-1] / training[0])) / (len(training) - 1)  # a bar, by hand
    for beyond, is_warned in ((-1e-6, False), (1e-6, True)):
        rise = np.ones((1, 3, 1))
        rise[0, -1] = np.exp(3 * drift + beyond) * prices.quoted[-1] / forecast.forecast.median[0, -1]
        shifted = replace(forecast, forecast=replace(forecast.forecast, quantiles=forecast.forecast.quantiles * rise))
        lines = trust(loaded, prices, shifted, None)
        assert any("beyond any series of the training" in line for line in lines) is is_warned


def test_a_damaged_evaluation_is_named_and_the_forecast_stands(loaded: Predictor) -> None:
    path = loaded.run.path / "evaluation" / "metrics.json"
    whole = path.read_text()
    prices = loaded.read_as_trained()
    damaged = [
        whole.replace('"coverage_90": 0.', '"coverage_90": -7.'),
        whole.replace('"split": {', '"split": 3, "x": {'),
    ]
    try:
        for text in damaged:
            path.write_text(text)
            messages: list[str] = []
            assert stored_record(loaded, prices, on_message=messages.append) is None
            assert f"{path} is damaged" in messages[0]
            assert "`stockcast evaluate` writes it anew" in messages[0]
    finally:
        path.write_text(whole)


def test_another_file_of_the_same_name_has_not_its_record_and_a_copy_of_another_name_has(
    loaded: Predictor, tmp_path: Path
) -> None:
    make_bars(seed=7).to_csv(tmp_path / "prices.csv", index=False)
    assert stored_record(loaded, loaded.read(tmp_path / "prices.csv"), on_message=print) is None
    make_bars().to_csv(tmp_path / "copy.csv", index=False)
    assert stored_record(loaded, loaded.read(tmp_path / "copy.csv"), on_message=print) is not None
    bars = make_bars()
    later = bars[-5:].assign(Date=pd.bdate_range("2012-09-10", periods=5).strftime("%Y-%m-%d"))
    pd.concat([bars, later]).to_csv(tmp_path / "prices.csv", index=False)
    assert stored_record(loaded, loaded.read(tmp_path / "prices.csv"), on_message=print) is not None  # it has grown


def test_a_price_that_has_not_moved_is_warned_of(loaded: Predictor, tmp_path: Path) -> None:
    bars = make_bars(seed=8)
    bars.loc[bars.index[-12:], ["Open", "High", "Low", "Close", "Adj Close"]] = 100.0
    bars.to_csv(tmp_path / "still.csv", index=False)
    prices = loaded.read(tmp_path / "still.csv")
    assert "the last 12 prices are equal" in trust(loaded, prices, loaded.predict(prices), None)[-1]


def test_the_regime_of_a_forecast_is_that_of_its_own_origin(loaded: Predictor, tmp_path: Path) -> None:
    bars = make_bars(seed=6)
    bars.loc[bars.index[-15:], ["Open", "High", "Low", "Close", "Adj Close"]] *= np.linspace(1, 3, 15)[:, None]
    bars.to_csv(tmp_path / "wild.csv", index=False)
    prices = loaded.read(tmp_path / "wild.csv")
    calm_day = date.fromisoformat(str(bars["Date"].iloc[-30]))
    shares = {"calm": 0.71, "middle": 0.72, "storm": 0.73}
    regimes = {name: {"origins": 99, "coverage_90": share} for name, share in shares.items()}
    found = record({"horizons": {"1": {**at(0.9), "regimes": regimes}}})
    now = trust(loaded, prices, loaded.predict(prices), found)[1]
    then = trust(loaded, prices, loaded.predict(prices, origin=calm_day), found)[1]
    assert "73 % at high volatility" in now
    assert "73 %" not in then
