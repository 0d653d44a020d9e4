"""Bars of weeks and months through the whole program: what is forecast, for when, and in which words."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import commands
import numpy as np
import pandas as pd
import pytest
from commands import check
from made import QUICK
from proposed import proposed_settings

from stockcast.config.load import load_config
from stockcast.config.starter import starter_config
from stockcast.data.calendar import sessions_after
from stockcast.errors import ConfigError, DataError, RunError, StockcastError
from stockcast.evaluation.baselines.garch import refit_bars
from stockcast.evaluation.baselines.registry import BASELINES
from stockcast.evaluation.scores import reported_steps
from stockcast.forecasting.predictor import Predictor
from stockcast.frequency import DAILY, MONTHLY, WEEKLY
from stockcast.runs import RunDirectory
from stockcast.runs.listing import detail

pytestmark = pytest.mark.usefixtures("replay_trainings")

WEEKS = QUICK.replace("{path: prices.csv}", "{path: prices.csv, resample: 1w}")


def daily_bars(count: int = 2000) -> pd.DataFrame:
    """Bars of New York's sessions from 2010-01-04 to 2017-12-11, a Monday."""
    random = np.random.default_rng(0)
    close = 100 * np.exp(np.cumsum(0.01 * random.standard_normal(count)))
    opened = close * np.exp(0.005 * random.standard_normal(count))
    dates = sessions_after(np.datetime64("2010-01-03"), count, calendar="XNYS")
    spread = np.exp(0.01 * random.random(count))
    columns = {"Open": opened, "High": np.maximum(opened, close) * spread, "Low": np.minimum(opened, close) / spread}
    return pd.DataFrame({"Date": dates.astype(str), **columns, "Close": close, "Volume": 1000 + np.arange(count)})


def weekly_bars() -> pd.DataFrame:
    """The same in whole weeks, dated on Mondays."""
    bars = daily_bars()
    together = {"Open": "first", "High": "max", "Low": "min", "Close": "last", "Volume": "sum"}
    weeks = bars.set_index(pd.DatetimeIndex(bars["Date"])).resample("W").agg(together).iloc[:-1]
    return weeks.set_axis(weeks.index - pd.Timedelta(days=6), axis="index").rename_axis("Date").reset_index()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weeks")
    daily_bars().to_csv(folder / "prices.csv", index=False)
    weekly_bars().to_csv(folder / "weeks.csv", index=False)
    (folder / "weeks.yaml").write_text(WEEKS)
    return folder


@pytest.fixture(scope="module")
def run(folder: Path, replay_trainings: None) -> RunDirectory:
    return commands.train(load_config(folder / "weeks.yaml"), runs=folder / "runs").run


@pytest.fixture(scope="module")
def daily_run(folder: Path, replay_trainings: None) -> RunDirectory:
    (folder / "days.yaml").write_text(QUICK)
    return commands.train(load_config(folder / "days.yaml"), runs=folder / "runs", name="days").run


@pytest.fixture(scope="module")
def evaluated(run: RunDirectory) -> commands.Evaluated:
    return commands.evaluate(run)


def speaks_of_days(*texts: str) -> list[str]:
    """The texts that name days or sessions."""
    return [text for text in texts if re.search(r"\b(days?|daily|today|sessions?)\b", text)]


def test_a_run_on_weeks_records_them_and_every_date_is_the_last_session_of_a_week(run: RunDirectory) -> None:
    manifest = run.manifest()
    (series,) = manifest["series"]
    assert (series["frequency"], series["first"], series["last"]) == ("weekly", "2010-01-08", "2017-12-08")
    assert any("2000 days put together into 415 weeks" in note for note in series["notes"])
    assert series["days"] == 414  # the week from 2017-12-11 is not whole
    config = load_config(run.config_path())
    assert (config.data.resample, config.data.frequency) == ("1w", "weekly")
    fridays = pd.DatetimeIndex([config.split.validation, config.split.calibration, config.split.test])
    assert set(fridays.day_of_week) <= {3, 4}


def test_a_forecast_of_weeks_is_dated_on_their_last_sessions(run: RunDirectory) -> None:
    predicted = commands.predict(run, horizon=3)
    assert [row["date"] for row in predicted.rows] == ["2017-12-15", "2017-12-22", "2017-12-29"]
    assert str(predicted.forecast.origin_dates[0]) == "2017-12-08"
    assert predicted.forecast.frequency is WEEKLY
    closes = daily_bars().set_index("Date")["Close"]
    assert predicted.forecast.last_close[0] == pytest.approx(closes["2017-12-08"])


def test_predicting_weeks_needs_no_library_of_calendars(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("built a calendar")

    monkeypatch.setattr("stockcast.data.calendar._build", refuse)
    monkeypatch.setattr("stockcast.data.calendar._KNOWN", {})
    assert len(commands.predict(run).rows) == 3


def test_an_evaluation_of_weeks_speaks_of_weeks(evaluated: commands.Evaluated) -> None:
    assert speaks_of_days(*evaluated.verdict, evaluated.value.title()) == []
    assert any("20-week volatility" in sentence for sentence in evaluated.verdict)
    assert "in these weeks" in evaluated.verdict[-1]
    assert evaluated.metrics["data"]["frequency"] == "weekly"
    stored = json.loads((evaluated.folder / "metrics.json").read_text())
    assert list(stored["horizons"]) == ["1", "3"]


def test_the_tables_and_figures_of_weeks_speak_of_weeks(
    evaluated: commands.Evaluated, run: RunDirectory, capsys: pytest.CaptureFixture[str]
) -> None:
    from stockcast import plots
    from stockcast.cli.tables import print_evaluation, print_prediction

    prediction = commands.predict(run).value
    print_evaluation(evaluated.value, with_verdict=True)
    print_prediction(prediction)
    printed = capsys.readouterr().out
    assert "test weeks: " in printed
    assert " weeks   forecast" in printed
    assert speaks_of_days(*printed.splitlines()) == []
    figures = [*evaluated.value.scores.draw(evaluated.value.title()).values(), plots.fan_chart(prediction)]
    assert speaks_of_days(*(text for figure in figures for text in texts_of(figure))) == []
    drawn = [text for figure in figures for text in texts_of(figure)]
    for expected in ("weeks ahead", "one forecast every 3 weeks", "3 weeks ahead", "against 20-week volatility"):
        assert expected in drawn
    assert any("3 weeks after 2017-12-08" in text for text in drawn)


def texts_of(figure: Any) -> list[str]:
    """Every text in a figure."""
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text)]


def test_an_explanation_of_weeks_speaks_of_weeks(run: RunDirectory) -> None:
    explained = commands.explain(run)
    assert speaks_of_days(*explained.value.summary()) == []
    assert "The 90 % band 1 week ahead" in "\n".join(explained.value.summary())


def test_a_daily_file_is_put_together_as_the_run_was_trained(run: RunDirectory, tmp_path: Path) -> None:
    path = tmp_path / "newer.csv"
    bars = daily_bars(2010)  # to 2017-12-26, a Tuesday
    bars.to_csv(path, index=False)
    predictor = Predictor.load(run)
    prices = predictor.read(path)
    assert str(prices.dates[-1]) == "2017-12-22"
    assert predictor.was_trained_on(prices)
    assert str(predictor.predict(path).forecast.target_dates[0, 0]) == "2017-12-29"


def test_weekly_bars_and_bars_put_together_into_weeks_are_forecast_alike(run: RunDirectory, folder: Path) -> None:
    (folder / "vendor.yaml").write_text(WEEKS.replace("prices.csv, resample: 1w", "weeks.csv, frequency: weekly"))
    vendor = commands.train(load_config(folder / "vendor.yaml"), runs=folder / "runs", name="vendor").run
    own, other = commands.predict(run).forecast, commands.predict(vendor).forecast
    np.testing.assert_array_equal(own.target_dates, other.target_dates)
    np.testing.assert_allclose(own.quantiles, other.quantiles, rtol=1e-5)


def test_a_run_on_weeks_refuses_weekly_bars_where_it_makes_them_itself_and_a_daily_run_refuses_them_too(
    run: RunDirectory, daily_run: RunDirectory, folder: Path
) -> None:
    with pytest.raises(DataError) as error:
        commands.predict(run, data=folder / "weeks.csv")
    assert (error.value.key, error.value.value) == ("data.resample", "weekly")
    assert "Use daily bars with this run" in str(error.value)
    assert proposed_settings(str(error.value)) == ["data.resample=null", "data.frequency=weekly"]
    with pytest.raises(DataError) as error:
        commands.predict(daily_run, data=folder / "weeks.csv")
    assert (error.value.key, error.value.value) == ("data.frequency", "weekly")
    settings = proposed_settings(str(error.value))
    assert load_config(folder / "days.yaml", [*settings, f"data.path={folder / 'weeks.csv'}"]).data.bars is WEEKLY


def test_a_horizon_beyond_the_run_is_refused_in_weeks(run: RunDirectory) -> None:
    with pytest.raises(StockcastError, match="forecasts 3 weeks ahead at once") as error:
        commands.predict(run, horizon=4)
    assert (error.value.key, error.value.value) == ("--horizon", 4)


def test_runs_on_days_and_on_weeks_are_not_compared(
    evaluated: commands.Evaluated, run: RunDirectory, daily_run: RunDirectory
) -> None:
    commands.evaluate(daily_run)
    with pytest.raises(RunError) as error:
        commands.compare([run.path, daily_run.path])
    assert (error.value.key, error.value.value) == ("data.frequency", ["weekly", "daily"])


def test_runs_on_weeks_are_compared_in_weeks(evaluated: commands.Evaluated, run: RunDirectory) -> None:
    config = load_config(run.path.parent.parent / "weeks.yaml", ["training.seed=1"])
    other = commands.train(config, runs=run.path.parent, name="seed1").run
    commands.evaluate(other)
    report = commands.compare([run.path, other.path])
    assert report.frequency is WEEKLY
    assert speaks_of_days(*report.verdict(), report.title()) == []


def test_a_run_that_is_shown_states_its_frequency(run: RunDirectory) -> None:
    assert detail(run.path).made["series"][0]["frequency"] == "weekly"


def test_no_later_row_changes_a_forecast_of_weeks(run: RunDirectory) -> None:
    report = commands.audit(run, cuts=2)
    assert report.passed
    assert {check.what for check in report.checks} >= {"scaler.json", "model.weights.h5", "forecasts"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setting", "days"), [("data.bar_date=end", 6), ("data.bar_date=start", -1), ("data.frequency=weekly", 0)]
)
def test_no_later_row_changes_a_forecast_of_a_vendors_weeks(setting: str, days: int, tmp_path: Path) -> None:
    """Bars dated on the Sundays that end or begin their weeks, and on Mondays."""
    bars = weekly_bars()
    bars["Date"] = bars["Date"] + pd.Timedelta(days=days)
    bars.to_csv(tmp_path / "prices.csv", index=False)
    (tmp_path / "weeks.yaml").write_text(QUICK)
    run = commands.train(load_config(tmp_path / "weeks.yaml", [setting]), runs=tmp_path / "runs").run
    assert commands.audit(run, cuts=8).passed


def test_monthly_bars_are_forecast_by_the_month(tmp_path: Path) -> None:
    bars = daily_bars(4000)  # to 2025-11-25
    bars.to_csv(tmp_path / "prices.csv", index=False)
    (tmp_path / "months.yaml").write_text(WEEKS.replace("resample: 1w", "resample: 1mo, end: 2025-08-29"))
    config = load_config(tmp_path / "months.yaml", ["split.calibration=0.2"])
    run = commands.train(config, runs=tmp_path / "runs").run
    predicted = commands.predict(run)
    assert [row["date"] for row in predicted.rows] == ["2025-09-30", "2025-10-31", "2025-11-28"]
    assert predicted.forecast.frequency is MONTHLY
    evaluated = commands.evaluate(run)
    assert speaks_of_days(*evaluated.verdict) == []
    assert any("20-month volatility" in sentence for sentence in evaluated.verdict)


# --- a config for a file


@pytest.mark.parametrize(
    ("settings", "frequency", "window"),
    [((), "weekly", 52), (("data.frequency=weekly",), "weekly", 52), (("data.resample=1w",), "weekly", 52)],
)
def test_a_config_that_is_made_for_weeks_counts_them(
    settings: tuple[str, ...], frequency: str, window: int, folder: Path
) -> None:
    told: list[str] = []
    path = folder / ("prices.csv" if "data.resample=1w" in settings else "weeks.csv")
    config = load_config(path, settings, on_message=told.append)
    assert (config.data.frequency, config.window, config.horizon) == (frequency, window, 4)
    chosen = [text for text in told if "data.frequency is weekly, chosen by the dates" in text]
    assert len(chosen) == (1 if settings == () else 0)


def test_a_config_that_is_made_for_a_weekly_file_reads_it_and_says_what_it_counts(folder: Path) -> None:
    text = starter_config(folder / "weeks.csv", folder=folder)
    assert "frequency: weekly" in text
    assert "# weeks the network is given" in text
    assert "414 weeks, 2010-01-04 to 2017-12-04" in text
    (folder / "made.yaml").write_text(text)
    assert load_config(folder / "made.yaml").data.bars is WEEKLY


def test_a_check_of_a_weekly_file_counts_weeks(folder: Path) -> None:
    found = check(folder / "weeks.csv")
    assert found.summary()[0] == "weeks.csv: 414 weeks, 2010-01-08 to 2017-12-08"
    assert found.shortage is None
    assert found.to_json()["frequency"] == "weekly"


def test_a_check_of_days_that_become_weeks_judges_the_days_and_counts_both(folder: Path) -> None:
    found = check(folder / "prices.csv", overrides=["data.resample=1w"])
    assert found.summary()[0] == (
        "prices.csv: 2000 days, 2010-01-04 to 2017-12-11, put together into 414 weeks, 2010-01-08 to 2017-12-08"
    )


def test_a_weekly_file_too_short_to_train_on_needs_more_weeks(tmp_path: Path) -> None:
    weekly_bars().iloc[:100].to_csv(tmp_path / "short.csv", index=False)
    shortage = check(tmp_path / "short.csv").shortage
    assert shortage is not None
    needed = int(re.search(r"100 weeks; at least (\d+) are needed", shortage)[1])  # type: ignore[index]
    weekly_bars().iloc[:needed].to_csv(tmp_path / "enough.csv", index=False)
    assert check(tmp_path / "enough.csv").shortage is None


# --- the config


def test_the_frequency_follows_from_what_is_resampled(folder: Path) -> None:
    def frequency(*settings: str) -> str:
        return load_config(folder / "days-of.yaml", settings).data.frequency

    (folder / "days-of.yaml").write_text(QUICK)
    assert frequency() == "daily"
    assert frequency("data.resample=1d") == "daily"
    assert frequency("data.resample=1w") == "weekly"
    assert frequency("data.resample=1mo") == "monthly"
    assert frequency("data.bar_date=end") == "weekly"
    assert frequency("data.frequency=monthly") == "monthly"


@pytest.mark.parametrize(
    "settings",
    [
        ["data.resample=1w", "data.frequency=daily"],
        ["data.resample=1d", "data.frequency=weekly"],
        ["data.resample=1mo", "data.frequency=weekly"],
        ["data.resample=1w", "data.bar_date=start"],
        ["data.frequency=monthly", "data.bar_date=start"],
        ["data.frequency=daily", "data.bar_date=end"],
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: list[str], folder: Path) -> None:
    (folder / "days-of.yaml").write_text(QUICK)
    with pytest.raises(ConfigError, match=r"data\.(resample|bar_date)"):
        load_config(folder / "days-of.yaml", settings)


# --- what is counted in bars


def test_the_reported_steps_of_weeks_and_months_are_months_quarters_and_years() -> None:
    assert reported_steps(50, DAILY) == [1, 5, 10, 20, 50]
    assert reported_steps(30, WEEKLY) == [1, 4, 13, 26, 30]
    assert reported_steps(12, MONTHLY) == [1, 3, 6, 12]


def test_garch_is_estimated_twice_a_year_whatever_the_bars() -> None:
    assert [refit_bars(frequency) for frequency in (DAILY, WEEKLY, MONTHLY)] == [125, 26, 6]


def test_a_baseline_counts_the_bars_that_it_is_given() -> None:
    names = [BASELINES["volatility_20"].name(frequency) for frequency in (DAILY, WEEKLY, MONTHLY)]
    assert names == ["20-day volatility", "20-week volatility", "20-month volatility"]
    assert BASELINES["garch_t"].name(WEEKLY) == "GARCH(1,1)-t"


def test_a_direction_run_on_weeks_speaks_of_weeks(folder: Path) -> None:
    text = WEEKS.replace("layers: [4], dropout: 0.1}", "layers: [4], dropout: 0.1, head: direction, classes: 3}")
    (folder / "direction.yaml").write_text(text)
    run = commands.train(load_config(folder / "direction.yaml"), runs=folder / "runs", name="direction").run
    evaluated = commands.evaluate(run)
    assert speaks_of_days(*evaluated.verdict) == []
    prediction = commands.predict(run).value
    from stockcast import plots

    drawn = [*evaluated.value.scores.draw("title").values(), plots.direction_chart(replace(prediction))]
    assert speaks_of_days(*(text for figure in drawn for text in texts_of(figure))) == []
