"""Columns of one's own through every command: trained on, evaluated, forecast with and without, explained, audited."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made import QUICK, REPOSITORY, make_bars
from program import stockcast

import stockcast as sc
from stockcast.cli.options import Sources
from stockcast.cli.output import next_command
from stockcast.config.load import load_config
from stockcast.data import covariates, own_columns
from stockcast.data.known_days import find_upcoming
from stockcast.errors import ConfigError, DataError, RunError
from stockcast.forecasting.predictor import Predictor
from stockcast.forecasting.training_data import build_training_data, check_unchanged, read_training_prices
from stockcast.models.callbacks import Callbacks
from stockcast.pipeline import rerunner
from stockcast.pipeline.perturbations import PERTURBATIONS, perturb
from stockcast.runs import RunDirectory

FEATURES = """\
features: [log_return, "own:VIX", "own:Rate", "known:weekday"]
covariates: {vix: {transform: log_change, carry: 2}}"""
CONFIG = QUICK.replace("{path: prices.csv}", "{path: prices.csv, covariates: vix.csv}").replace(
    "features: [log_return, log_range]", FEATURES
)
VIX, RATE = 1, 2


def bars_with_rate(days: int = 700, *, seed: int = 0) -> pd.DataFrame:
    bars = make_bars(days, seed=seed)
    random = np.random.default_rng(100 + seed)
    return bars.assign(Rate=random.standard_normal(days).cumsum().round(3), Note="a word")


def vix_of(bars: pd.DataFrame) -> pd.DataFrame:
    """A level above zero on every calendar day, with a column of another kind beside it."""
    days = pd.date_range(bars["Date"].iloc[0], bars["Date"].iloc[-1])
    level = np.exp(3 + 0.05 * np.random.default_rng(7).standard_normal(len(days)).cumsum())
    return pd.DataFrame({"Date": days.strftime("%Y-%m-%d"), "Vix ": level, "Remark": "none"})


@dataclass
class Home:
    folder: Path
    run: RunDirectory
    messages: list[str] = field(default_factory=list)

    @property
    def bars(self) -> pd.DataFrame:
        return pd.read_csv(self.folder / "prices.csv")

    @property
    def vix(self) -> pd.DataFrame:
        return pd.read_csv(self.folder / "vix.csv")

    def write(self, name: str, frame: pd.DataFrame) -> Path:
        frame.to_csv(self.folder / name, index=False)
        return self.folder / name

    def predict(self, source: Any = None, **options: Any) -> Any:
        self.messages.clear()
        return sc.predict(self.run, source, callbacks=Callbacks(on_message=self.messages.append), **options)


def fill(folder: Path, config: str = CONFIG) -> Path:
    folder.mkdir(exist_ok=True)
    bars = bars_with_rate()
    bars.to_csv(folder / "prices.csv", index=False)
    vix_of(bars).to_csv(folder / "vix.csv", index=False)
    (folder / "tiny.yaml").write_text(config)
    return folder / "tiny.yaml"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("own")
    config = load_config(fill(folder))
    messages: list[str] = []
    return Home(
        folder,
        sc.train(config, runs=folder / "runs", name="own", callbacks=Callbacks(on_message=messages.append)),
        messages,
    )


def scaled(home: Home, source: Any = None, **options: Any) -> np.ndarray:
    predictor = Predictor.load(home.run, **options)
    prices = predictor.read_as_trained() if source is None else predictor.read(source)
    return predictor.dataset(prices).scaled


# Training.


def test_the_network_is_given_the_transformed_values_in_deviations_of_the_training_days(home: Home) -> None:
    days = home.bars["Date"]
    level = home.vix.set_index("Date")["Vix "].loc[days]
    change = np.log(level).diff().to_numpy()
    last = json.loads((home.run.path / "run.json").read_text())["split"]["training"]["last"]
    training = change[: int((days <= last).sum())]
    expected = (change - np.nanmean(training)) / np.nanstd(training)
    found = scaled(home)[:, VIX]
    assert found[1:] == pytest.approx(expected[1:], abs=1e-5)
    assert found[0] == pytest.approx(0, abs=1e-6)  # no change is known on the first day: the mean stands in


def test_the_run_keeps_path_and_hash_of_the_file_of_covariates(home: Home) -> None:
    path = home.folder / "vix.csv"
    stated = home.run.manifest()["covariates"]
    assert stated == {"path": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


@pytest.mark.parametrize(
    ("change", "column"),
    [
        (lambda bars: bars.assign(Rate=bars["Rate"].where(bars.index > 600)), "own:Rate"),
        (lambda bars: bars.assign(Rate=np.where(bars.index > 600, bars["Rate"], 3.5)), "own:Rate"),
        (lambda bars: bars.assign(Rate=""), "own:Rate"),
        (lambda bars: bars.assign(Rate=np.where(bars.index == 9, "high", bars["Rate"].astype(str))), "Rate"),
        (lambda bars: bars.drop(columns="Rate"), "Rate"),
        (lambda bars: bars.assign(vix=1.0), "VIX"),
    ],
    ids=["begins after the training", "never changes", "no value", "a word", "is not there", "is in both files"],
)
def test_a_column_that_cannot_be_trained_on_is_refused_and_nothing_is_written(
    change: Callable[[pd.DataFrame], pd.DataFrame], column: str, tmp_path: Path
) -> None:
    config = fill(tmp_path)
    change(bars_with_rate()).to_csv(tmp_path / "prices.csv", index=False)
    with pytest.raises(DataError) as error:
        sc.train(load_config(config), runs=tmp_path / "runs")
    assert error.value.column == column
    assert not (tmp_path / "runs").exists()


def test_a_column_that_ends_before_the_last_day_is_trained_on_and_reported(tmp_path: Path) -> None:
    config = fill(tmp_path)
    bars = bars_with_rate()
    bars.assign(Rate=bars["Rate"].where(bars.index < 690)).to_csv(tmp_path / "prices.csv", index=False)
    messages: list[str] = []
    (prices,) = read_training_prices(load_config(config), messages.append).series
    first = bars["Date"].iloc[695]  # carried for five days
    expected = f"own:Rate has no value since {first} (5 days): the mean of the training days stands in for it"
    assert f"prices.csv: {expected}." in messages
    assert expected in prices.notes  # which the run keeps


def test_several_series_share_one_file_of_covariates(tmp_path: Path) -> None:
    config = CONFIG.replace("path: prices.csv", "path: [prices.csv, other.csv]").replace(
        "log_return", "return_in_volatility"
    )
    path = fill(tmp_path, config + "target: {scale: volatility}\n")
    bars_with_rate(seed=1).to_csv(tmp_path / "other.csv", index=False)
    read = read_training_prices(load_config(path), print)
    one, other = (dataset.scaled for dataset in build_training_data(read.config, read.series).datasets)
    assert np.array_equal(one[:, VIX], other[:, VIX])
    assert not np.array_equal(one[:, RATE], other[:, RATE])


def test_a_changed_file_of_covariates_is_none_to_resume_with(home: Home) -> None:
    stated = home.run.manifest()
    prices = read_training_prices(load_config(home.folder / "tiny.yaml"), print).series
    check_unchanged(home.run, stated, prices)
    for other in ({"path": str(home.folder / "vix.csv"), "sha256": "0"}, None):
        with pytest.raises(RunError) as error:
            check_unchanged(home.run, {**stated, "covariates": other}, prices)
        assert error.value.file == str(home.folder / "vix.csv")
    with pytest.raises(RunError, match="damaged"):
        check_unchanged(home.run, {**stated, "covariates": {"path": 3}}, prices)


@pytest.mark.slow
def test_a_training_is_not_resumed_with_another_file_of_covariates(tmp_path: Path) -> None:
    path = fill(tmp_path)

    class Stop(BaseException):
        pass

    def stop(_: Any) -> None:
        raise Stop

    with pytest.raises(Stop):
        sc.train(
            load_config(path),
            runs=tmp_path / "runs",
            name="stopped",
            processes=1,
            callbacks=Callbacks(on_epoch_end=stop),
        )
    run = RunDirectory(tmp_path / "runs" / "stopped")
    whole = (tmp_path / "vix.csv").read_bytes()
    (tmp_path / "vix.csv").write_bytes(whole + b"\n")
    with pytest.raises(RunError) as error:
        sc.resume(run, processes=1)
    assert error.value.file == str(tmp_path / "vix.csv")
    (tmp_path / "vix.csv").write_bytes(whole)
    assert sc.resume(run, processes=1).manifest()["covariates"]["path"] == str(tmp_path / "vix.csv")


# Forecasts.


def newer(home: Home, **columns: Any) -> Path:
    """The prices and thirty more days."""
    bars = bars_with_rate(730)
    bars.loc[: len(home.bars) - 1, list(home.bars)] = home.bars
    return home.write("newer.csv", bars.assign(**columns))


def test_a_newer_file_is_forecast_with_newer_covariates_and_their_last_value_counts(home: Home) -> None:
    path = newer(home)
    vix = vix_of(pd.read_csv(path))
    honest = home.predict(path, overrides={"data.covariates": home.write("newer-vix.csv", vix)})
    assert home.messages == []
    vix.loc[vix.index[-1], "Vix "] *= 2
    doubled = home.predict(path, overrides={"data.covariates": home.write("doubled.csv", vix)})
    assert not np.array_equal(honest.forecast.quantiles, doubled.forecast.quantiles)


def test_days_after_the_last_row_change_no_forecast(home: Home) -> None:
    before = home.predict()
    later = pd.DataFrame({"Date": ["2012-10-01", "2030-01-01"], "Vix ": [9e9, 1e-9]})
    last = home.bars["Date"].iloc[-1]
    later = later[later["Date"] > last]
    after = home.predict(overrides={"data.covariates": home.write("longer.csv", pd.concat([home.vix, later]))})
    assert np.array_equal(before.forecast.quantiles, after.forecast.quantiles)


def test_a_file_without_the_column_is_forecast_without_it_by_the_mean_of_the_training_days(home: Home) -> None:
    path = home.write("bare.csv", home.bars.drop(columns=["Rate", "Note"]))
    forecast = home.predict(path)
    assert np.isfinite(forecast.forecast.quantiles).all()
    assert home.messages == [
        "bare.csv has no column Rate: the forecast is made without it; own:Rate is its mean of the training days."
    ]
    assert scaled(home, path)[:, RATE] == pytest.approx(0, abs=1e-6)
    assert np.array_equal(scaled(home, path)[:, VIX], scaled(home)[:, VIX])


def test_another_series_without_the_column_is_scaled_by_its_own_past_and_by_the_runs_where_it_has_none(
    home: Home,
) -> None:
    path = home.write("other.csv", make_bars(seed=3))
    home.predict(path)
    assert any("other.csv has no column Rate" in message for message in home.messages)
    found = scaled(home, path)
    assert found[:, RATE] == pytest.approx(0, abs=1e-6)
    assert np.std(found[1:, 0]) == pytest.approx(1, abs=0.01)


def test_a_column_that_ended_is_named_with_the_day_since_when_and_the_number_of_days(home: Home) -> None:
    vix = home.vix
    dates = home.bars["Date"]
    ended = home.write("ended.csv", vix[vix["Date"] < dates.iloc[-6]])
    home.predict(overrides={"data.covariates": ended})
    # Six days have no value of their own, and two of them are carried.
    assert home.messages == [
        f"prices.csv: own:VIX has no value since {dates.iloc[-4]} (4 days): the forecast is made without it."
    ]
    assert scaled(home, overrides={"data.covariates": ended})[-4:, VIX] == pytest.approx(0, abs=1e-6)


def test_a_gap_that_no_window_reaches_is_not_reported(home: Home) -> None:
    gone = home.vix["Date"].between("2010-06-01", "2010-07-01")
    home.predict(overrides={"data.covariates": home.write("gap.csv", home.vix[~gone])})
    assert home.messages == []


def test_a_frame_with_the_column_is_forecast_as_its_file_is(home: Home) -> None:
    frame = home.bars.set_index("Date")
    frame.index = pd.to_datetime(frame.index)
    frame.attrs["name"] = "prices"
    assert np.array_equal(home.predict(frame).forecast.quantiles, home.predict().forecast.quantiles)


def test_covariates_for_a_run_that_has_no_own_column_are_refused(tmp_path: Path) -> None:
    config = load_config(fill(tmp_path, QUICK))
    run = sc.train(config, runs=tmp_path / "runs")
    with pytest.raises(ConfigError) as error:
        sc.predict(run, overrides={"data.covariates": tmp_path / "vix.csv"})
    assert error.value.key == "data.covariates"


# Scores.


def test_the_test_days_are_scored_with_the_file_of_the_training_alone(home: Home) -> None:
    scores = sc.evaluate(home.run).metrics
    shutil.copy(home.folder / "vix.csv", home.folder / "copy.csv")
    assert sc.evaluate(home.run, overrides={"data.covariates": home.folder / "copy.csv"}).metrics == scores
    other = home.write("other.csv", home.vix.iloc[:-1])
    with pytest.raises(RunError) as error:
        sc.evaluate(home.run, overrides={"data.covariates": other})
    assert (error.value.file, error.value.key) == (str(other), "data.covariates")
    whole = (home.folder / "vix.csv").read_bytes()
    home.write("vix.csv", home.vix.iloc[:-1])
    with pytest.raises(RunError):
        sc.evaluate(home.run)
    (home.folder / "vix.csv").write_bytes(whole)


def test_another_series_is_scored_with_its_own_covariates(home: Home) -> None:
    path, covariates = newer(home), home.write("newer-vix.csv", vix_of(bars_with_rate(730)))
    scores = sc.evaluate(home.run, path, overrides={"data.covariates": covariates})
    assert scores.metrics["data"]["name"] == "newer.csv"


def test_an_explanation_names_the_own_columns_and_draws_them(home: Home) -> None:
    explanation = sc.explain(home.run)
    assert explanation.features == ("log_return", "own:VIX", "own:Rate", "known:weekday")
    assert {row["feature"] for row in explanation.tables()["importance"]} == set(explanation.features)
    folder = sc.save_explanation(home.run, explanation)
    assert (folder / "importance.png").stat().st_size > 5000


# The future.


def leaky(tmp_path: Path) -> Path:
    """A config whose own column is tomorrow's close."""
    config = fill(tmp_path, CONFIG.replace('"own:Rate"', '"own:Tomorrow"'))
    bars = bars_with_rate()
    bars.assign(Tomorrow=bars["Close"].shift(-1)).to_csv(tmp_path / "prices.csv", index=False)
    return config


@pytest.mark.slow
def test_tomorrows_close_is_reported_by_training_and_scoring_and_fails_the_audit(
    tmp_path: Path, replay_trainings: None
) -> None:
    messages: list[str] = []
    told = Callbacks(on_message=messages.append)
    run = sc.train(load_config(leaky(tmp_path)), runs=tmp_path / "runs", callbacks=told)
    sentence = "own:Tomorrow knows the future: on 699 of 699 days"
    assert any(sentence in message for message in messages)
    assert any(sentence in note for note in run.manifest()["series"][0]["notes"])
    messages.clear()
    sc.evaluate(run, callbacks=told)
    assert any(sentence in message and message.endswith("The scores are too good.") for message in messages)
    report = sc.audit(run, cuts=1)
    assert not report.leaks  # by no fault of the program
    assert not report.passed
    assert sentence in (report.failure() or "")
    assert sentence in report.to_json()["lookahead"][0]


@pytest.mark.parametrize("cuts", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_an_audit_changes_later_rows_of_own_columns_and_finds_nothing(
    cuts: int, home: Home, monkeypatch: pytest.MonkeyPatch, replay_trainings: None
) -> None:
    train, copies = rerunner.train, []

    def seen(config: Any, **settings: Any) -> Any:
        files = (config.data.path[0], config.data.covariates)
        copies.append([pd.read_csv(file, dtype=str, keep_default_na=False).set_index("Date") for file in files])
        return train(config, **settings)

    monkeypatch.setattr(rerunner, "train", seen)
    report = sc.audit(home.run, cuts=cuts)
    assert report.failure() is None
    original, *altered = copies
    cuts = dict.fromkeys((check.cut, check.perturbation) for check in report.checks)
    for (cut, perturbation), changed in zip(cuts, altered, strict=True):
        for before, after, column in zip(original, changed, ("own:Rate", "own:VIX"), strict=True):
            pd.testing.assert_frame_equal(after[: str(cut)], before[: str(cut)])
            later, was = (frame.loc[frame.index > str(cut), column] for frame in (after, before))
            if perturbation == "deleted":
                assert len(later) < len(was)
            elif perturbation == "missing":
                assert (later == "").any()
            else:
                assert (later != was).all()


@pytest.mark.parametrize("file", ["file of covariates", pytest.param("price file", marks=pytest.mark.slow)])
def test_an_audit_finds_a_transform_of_tomorrows_value(
    file: str, home: Home, monkeypatch: pytest.MonkeyPatch, replay_trainings: None
) -> None:
    name = "zscore_250" if file == "price file" else "log_change"
    honest = own_columns.TRANSFORMS[name]  # type: ignore[index]
    monkeypatch.setitem(own_columns.TRANSFORMS, name, lambda values: honest(values).shift(-1))  # type: ignore[arg-type]
    report = sc.audit(home.run, cuts=1)
    assert "forecasts" in {check.what for check in report.leaks}


# Columns that are known ahead.

AHEAD = CONFIG.replace("covariates: vix.csv", "covariates: dates.csv").replace(
    FEATURES, 'features: [log_return, "own:VIX", "known:Earnings"]'
)
EARNINGS = 2


def dates_of(bars: pd.DataFrame) -> pd.DataFrame:
    """The volatility up to the last bar, and a number for every session up to the second one after it."""
    random = np.random.default_rng(5)
    days = pd.bdate_range(bars["Date"].iloc[0], periods=len(bars) + 2).strftime("%Y-%m-%d")
    vix = vix_of(bars).set_index("Date")["Vix "].reindex(days)
    return pd.DataFrame({"Date": days, "VIX": vix.to_numpy(), "Earnings": random.integers(0, 3, len(days))})


@pytest.fixture(scope="module")
def ahead(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A run that knows a column ahead; its bars are of weekdays, and the calendar has all of them."""
    folder = tmp_path_factory.mktemp("ahead")
    path = fill(folder, AHEAD.replace("{path: prices.csv,", "{path: prices.csv, calendar: 24/5,"))
    home = Home(folder, None)  # type: ignore[arg-type]
    home.write("dates.csv", dates_of(home.bars))
    told = Callbacks(on_message=home.messages.append)
    home.run = sc.train(load_config(path), runs=folder / "runs", name="ahead", callbacks=told)
    return home


def dated(home: Home, name: str, *, last: int = 0, **columns: Any) -> dict[str, Path]:
    """An override: the file of covariates without its `last` rows, with other columns."""
    frame = dates_of(home.bars).assign(**columns)
    return {"data.covariates": home.write(name, frame.iloc[: len(frame) - last])}


def test_the_network_is_given_the_next_sessions_value_in_deviations_of_the_training_days(ahead: Home) -> None:
    assert ahead.messages == []
    days, dates = ahead.bars["Date"], dates_of(ahead.bars)
    following = dates["Earnings"].to_numpy()[1 : len(days) + 1]  # the row after each day's, also after the last one's
    training = following[: int((days <= ahead.run.manifest()["split"]["training"]["last"]).sum())]
    expected = (following - training.mean()) / training.std()
    assert scaled(ahead)[:, EARNINGS] == pytest.approx(expected, abs=1e-5)


def test_the_run_keeps_the_file_of_a_column_that_is_known_ahead(tmp_path: Path, replay_trainings: None) -> None:
    path = fill(tmp_path, AHEAD.replace('"own:VIX", ', ""))  # no column of its own day
    dates_of(bars_with_rate()).to_csv(tmp_path / "dates.csv", index=False)
    run = sc.train(load_config(path), runs=tmp_path / "runs")
    sha256 = hashlib.sha256((tmp_path / "dates.csv").read_bytes()).hexdigest()
    assert run.manifest()["covariates"] == {"path": str(tmp_path / "dates.csv"), "sha256": sha256}
    assert sc.predict(run).forecast.quantiles.shape[1] == 3
    dates_of(bars_with_rate()).iloc[:-1].to_csv(tmp_path / "dates.csv", index=False)
    with pytest.raises(RunError) as error:
        sc.evaluate(run)
    assert error.value.key == "data.covariates"


def test_a_forecast_depends_on_the_next_session_and_on_none_after_it(ahead: Home) -> None:
    before = ahead.predict().forecast.quantiles
    assert ahead.messages == []
    values = dates_of(ahead.bars)["Earnings"].to_numpy()
    beyond, following = values.copy(), values.copy()
    beyond[-1] += 5
    following[-2] += 5
    same = ahead.predict(overrides=dated(ahead, "beyond.csv", Earnings=beyond)).forecast.quantiles
    assert np.array_equal(before, same)
    other = ahead.predict(overrides=dated(ahead, "following.csv", Earnings=following)).forecast.quantiles
    assert not np.array_equal(before, other)


def test_a_file_that_ends_before_the_next_session_is_named_with_its_last_date_and_what_to_do(ahead: Home) -> None:
    last, session = ahead.bars["Date"].iloc[-1], dates_of(ahead.bars)["Date"].iloc[-2]
    overrides = dated(ahead, "ended.csv", last=2)
    ahead.predict(overrides=overrides)
    assert ahead.messages == [
        f"prices.csv: known:Earnings has no value since {last} (1 day), as ended.csv has days from 2010-01-04 to "
        f"{last}, and the next session is {session}: the forecast is made without it. Add what is announced to "
        f"ended.csv, or name a newer file with --covariates."
    ]
    assert scaled(ahead, overrides=overrides)[-1, EARNINGS] == pytest.approx(0, abs=1e-6)


def test_a_newer_file_without_the_column_is_forecast_without_it(ahead: Home) -> None:
    bare = ahead.write("bare.csv", dates_of(ahead.bars).drop(columns="Earnings"))
    ahead.predict(overrides={"data.covariates": bare})
    assert ahead.messages == [
        "bare.csv has no column Earnings: the forecast is made without it; known:Earnings is its mean of the training "
        "days."
    ]
    assert scaled(ahead, overrides={"data.covariates": bare})[:, EARNINGS] == pytest.approx(0, abs=1e-6)


def test_another_series_with_nothing_announced_keeps_the_scale_of_the_training(ahead: Home) -> None:
    path = ahead.write("other.csv", make_bars(seed=3))
    overrides = dated(ahead, "none.csv", Earnings=0)
    ahead.predict(path, overrides=overrides)
    expected = scaled(ahead)[:, EARNINGS].min()  # zero is the least that is announced
    assert scaled(ahead, path, overrides=overrides)[:, EARNINGS] == pytest.approx(expected, abs=1e-6)


def test_every_series_is_given_what_the_file_dates_on_the_next_session(tmp_path: Path) -> None:
    config = AHEAD.replace("path: prices.csv", "path: [prices.csv, other.csv]").replace("log_return", "momentum_5")
    path = fill(tmp_path, config + "target: {scale: volatility}\n")
    bars = bars_with_rate(seed=1).iloc[30:]
    bars.to_csv(tmp_path / "other.csv", index=False)
    dates_of(bars_with_rate()).to_csv(tmp_path / "dates.csv", index=False)
    read = read_training_prices(load_config(path), print)
    one, other = (dataset.scaled for dataset in build_training_data(read.config, read.series).datasets)
    assert np.array_equal(one[30:, EARNINGS], other[:, EARNINGS])


def test_an_explanation_and_the_scores_have_the_column_that_is_known_ahead(ahead: Home) -> None:
    explanation = sc.explain(ahead.run)
    assert explanation.features == ("log_return", "own:VIX", "known:Earnings")
    assert {row["feature"] for row in explanation.tables()["importance"]} == set(explanation.features)
    assert sc.evaluate(ahead.run).metrics["split"]["part"] == "test"


@pytest.mark.parametrize("cuts", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_an_audit_keeps_what_is_announced_of_the_next_session_and_changes_all_after_it(
    cuts: int, ahead: Home, monkeypatch: pytest.MonkeyPatch, replay_trainings: None
) -> None:
    train, copies = rerunner.train, []

    def seen(config: Any, **settings: Any) -> Any:
        copies.append(pd.read_csv(config.data.covariates).set_index("Date"))
        return train(config, **settings)

    monkeypatch.setattr(rerunner, "train", seen)
    report = sc.audit(ahead.run, cuts=cuts)
    assert report.failure() is None
    original, *altered = copies
    tried = dict.fromkeys((check.cut, check.perturbation) for check in report.checks)
    for (cut, perturbation), changed in zip(tried, altered, strict=True):
        session = original.index[original.index > str(cut)][0]
        kept, was = changed["own:Earnings"], original["own:Earnings"]
        pd.testing.assert_series_equal(kept[:session], was[:session], check_dtype=False)
        assert not changed["own:VIX"][:session].equals(original["own:VIX"][:session]) or perturbation != "noise"
        assert changed.index[-1] == original.index[-1]  # up to which zeros are known
        later = kept.reindex(original.index)[session:].iloc[1:]
        if perturbation == "noise":
            assert (later != was[later.index]).all()
        elif perturbation == "times_1000":
            assert (later == 1000 * was[later.index]).all()
        else:
            assert later.isna().any()


@pytest.mark.parametrize("perturbation", PERTURBATIONS)
def test_no_change_of_a_list_of_events_after_the_next_session_reaches_a_day_up_to_the_cut_off(
    perturbation: str, ahead: Home, tmp_path: Path
) -> None:
    config = load_config(ahead.folder / "tiny.yaml")
    cut = date(2010, 3, 5)  # a Friday
    days = np.arange("2010-01-04", "2010-03-06", dtype="datetime64[D]")  # the last one is the cut-off
    rows = [
        ["2010-01-01", "", ""],
        ["2010-02-05", "30.0", "1.0"],
        ["2010-03-08", "31.0", "2.0"],
        ["2010-03-09", "", "3.0"],
    ]
    rows += [["2010-06-01", "33.0", "4.0"], ["2010-09-01", "34.0", "5.0"]]
    table = [["Date", "own:VIX", "own:Earnings"], *rows]

    def known(changed: list[list[str]]) -> np.ndarray:
        pd.DataFrame(changed[1:], columns=changed[0]).to_csv(tmp_path / "copy.csv", index=False)
        columns = covariates.read_covariates(tmp_path / "copy.csv", options=config.csv_options).ahead(
            ("Earnings",), find_upcoming(days, calendar="24/5")
        )
        return columns.feature("Earnings")

    expected, changes = known(table), []
    assert (expected[-1], expected[days < np.datetime64("2010-03-04")].max()) == (2, 1)
    for seed in range(20):
        random = np.random.default_rng(seed)
        changed = perturb(table, config=config, perturbation=perturbation, cut=cut, random=random)
        assert np.array_equal(known(changed), expected)
        changes.append(changed != table)
        assert [row[0] for row in changed][-1] == "2010-09-01"
    assert any(changes)


def test_an_audit_finds_a_column_that_is_known_two_sessions_ahead(
    ahead: Home, monkeypatch: pytest.MonkeyPatch, replay_trainings: None
) -> None:
    honest = covariates.join_ahead
    monkeypatch.setattr(
        covariates,
        "join_ahead",
        lambda values, upcoming: honest(values, replace(upcoming, following=upcoming.following + 1)),
    )
    report = sc.audit(ahead.run, cuts=1)
    assert "forecasts" in {check.what for check in report.leaks}


def test_a_column_filled_in_after_the_session_is_reported_and_fails_the_audit(
    tmp_path: Path, replay_trainings: None
) -> None:
    path = fill(tmp_path, AHEAD.replace("{path: prices.csv,", "{path: prices.csv, calendar: 24/5,"))
    bars = bars_with_rate()
    surprise = np.r_[np.diff(np.log(bars["Close"]), prepend=np.nan), 0, 0]
    dates_of(bars).assign(Earnings=surprise).to_csv(tmp_path / "dates.csv", index=False)
    messages: list[str] = []
    run = sc.train(load_config(path), runs=tmp_path / "runs", callbacks=Callbacks(on_message=messages.append))
    sentence = "known:Earnings knows the future: on 699 of 699 days"
    assert any(sentence in message for message in messages)
    report = sc.audit(run, cuts=1)
    assert not report.leaks
    assert sentence in (report.failure() or "")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"features": ["log_return", "known:Earning"]}, "It has VIX and Earnings; perhaps known:Earnings"),
        (
            {"features": ["log_return", "known:Rate"]},
            "Rate of prices.csv is known at the end of its day, and not ahead",
        ),
        ({"features": ["log_return", "known:Close"]}, "Close of prices.csv is known at the end of its day"),
    ],
    ids=["unknown", "only in the price file", "a bar"],
)
def test_a_column_that_the_file_of_covariates_lacks_cannot_be_known_ahead(
    change: dict[str, Any], words: str, tmp_path: Path
) -> None:
    path = fill(tmp_path, AHEAD)
    dates_of(bars_with_rate()).to_csv(tmp_path / "dates.csv", index=False)
    with pytest.raises(ConfigError) as error:
        sc.train(load_config(path, change), runs=tmp_path / "runs")
    assert words in str(error.value)
    assert (error.value.key, error.value.file) == ("features", str(tmp_path / "dates.csv"))
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("rows", "change", "words"),
    [
        (slice(650, None), {}, "Its first value is of "),
        (slice(None), {"Earnings": 0}, "never changes on the training days: it is 0 on each"),
        (slice(None), {"Earnings": "soon"}, "a column of text, and an input is a number. Leave known:Earnings out"),
    ],
    ids=["begins after the training", "nothing is announced", "text"],
)
def test_a_column_that_announces_nothing_to_train_on_is_refused(
    rows: slice, change: dict[str, Any], words: str, tmp_path: Path
) -> None:
    path = fill(tmp_path, AHEAD.replace('"own:VIX", ', ""))
    dates_of(bars_with_rate()).assign(**change).iloc[rows].to_csv(tmp_path / "dates.csv", index=False)
    with pytest.raises(DataError, match=words) as error:
        sc.train(load_config(path), runs=tmp_path / "runs")
    assert error.value.column in ("Earnings", "known:Earnings")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"data.covariates": None}, "data.covariates names no file"),
        ({"features": ["known:weekdy"], "data.covariates": None}, "perhaps known:weekday"),
        ({"features": ["known:Month End"]}, "is spelled known:month_end"),
        ({"features": ["known:"]}, "should be known:NAME"),
        ({"features": ["known:Earnings", "own:earnings"]}, "spell them alike"),
        ({"features": ["known:Earnings", "known:earnings"]}, "spell them alike"),
        ({"covariates": {"earnings": {"carry": 3}}}, "takes its values as they are"),
        ({"data.frequency": "weekly"}, "the bars are weekly"),
    ],
)
def test_what_does_not_go_with_a_column_that_is_known_ahead_is_refused_by_the_config(
    change: dict[str, Any], words: str, tmp_path: Path
) -> None:
    path = fill(tmp_path, AHEAD.replace('"own:VIX", ', ""))
    with pytest.raises(ConfigError, match=words):
        load_config(path, {"data.covariates": "dates.csv", **change})


# The command line.


def test_a_check_lists_what_is_no_bar_and_how_to_use_it(tmp_path: Path) -> None:
    fill(tmp_path)
    done = stockcast("data", "check", "prices.csv", "--covariates", "vix.csv", cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert "- Rate: 2010-01-04 to 2012-09-07" in lines
    assert "- Vix: 2010-01-04 to 2012-09-07" in lines
    assert "- Note: not numbers: line 2 has 'a word', so it cannot be an input" in lines
    assert 'To make one an input, add it to the config: features: [..., "own:Rate"]' in lines
    done = stockcast("data", "check", "prices.csv", "--json", cwd=tmp_path)
    assert [column["name"] for column in json.loads(done.stdout)["other_columns"]] == ["Rate", "Note"]


def test_a_check_shows_which_column_can_be_known_ahead(tmp_path: Path) -> None:
    fill(tmp_path)
    bars = bars_with_rate()
    moves = np.log(bars["Close"]).diff().fillna(0).round(6)  # of the day: no column that is known ahead
    bars.assign(Moved=moves)[["Date", "Moved"]].to_csv(tmp_path / "moved.csv", index=False)
    days = pd.DataFrame({"Date": bars["Date"].iloc[9::63], "Earnings": 1})
    frame = pd.read_csv(tmp_path / "moved.csv").merge(days, how="left", on="Date")
    frame.to_csv(tmp_path / "dates.csv", index=False)
    lines = stockcast("data", "check", "prices.csv", "--covariates", "dates.csv", cwd=tmp_path).stdout.splitlines()
    assert "- Earnings: always 1, so it can be an input as known:Earnings alone" in lines
    assert (
        'To make one an input that is announced ahead, as days of earnings are: features: [..., "known:Earnings"]'
        in lines
    )
    done = stockcast("data", "check", "prices.csv", "--covariates", "dates.csv", "--json", cwd=tmp_path)
    listed = {column["name"]: column["ahead"] for column in json.loads(done.stdout)["other_columns"]}
    assert listed == {"Rate": False, "Note": False, "Moved": False, "Earnings": True}


def test_a_check_reports_a_column_that_knows_the_future_and_counts_it(tmp_path: Path) -> None:
    leaky(tmp_path)
    done = stockcast("data", "check", "prices.csv", cwd=tmp_path)
    assert "- own:Tomorrow knows the future: on 699 of 699 days" in done.stdout
    assert "warning" in done.stdout.splitlines()[-1]


def test_the_command_to_type_next_is_for_the_same_files() -> None:
    given = ['data.covariates="vix.csv"', 'data.ticker="ON"', "data.decimal=,"]
    sources = Sources((Path("my prices.csv"),), tuple(given))
    command = next_command("predict", "own", Path("runs"), sources=sources)
    expected = "stockcast predict own --data 'my prices.csv' --covariates vix.csv --ticker ON --set data.decimal=,"
    assert command == expected
    assert next_command("predict", "own", Path("runs")) == "stockcast predict own"


@pytest.mark.slow
def test_from_training_to_forecast_on_the_command_line(tmp_path: Path) -> None:
    fill(tmp_path)

    def call(*arguments: str) -> Any:
        done = stockcast(*arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done

    chosen = ["--set", 'features=[return_in_volatility, "own:vix"]', "--set", "model={cell: last_day, layers: [4]}"]
    small = ["--set", "training.epochs=1", "--set", "ensemble.members=1", "--set", "horizon=5", "--name", "cli"]
    call("train", "prices.csv", "--covariates", "vix.csv", *chosen, *small)
    done = call("predict", "cli", "--data", "prices.csv", "--covariates", "vix.csv")
    assert "--data prices.csv --covariates vix.csv" in done.stderr  # the next command is for the same files


def test_the_list_of_events_on_the_page_on_price_files_is_known_ahead_as_it_stands(tmp_path: Path) -> None:
    chapter = (REPOSITORY / "docs" / "price-files.md").read_text().partition("### What is announced ahead")[2]
    lines = chapter.splitlines()
    events, config = (
        [line[4:] for line in lines[start : lines.index("", start)]]
        for start in (
            lines.index("    Date,Earnings,Dividend"),
            lines.index("    data: {path: GE.csv, covariates: dates.csv}"),
        )
    )
    (tmp_path / "dates.csv").write_text("\n".join(events))
    (tmp_path / "page.yaml").write_text("\n".join(["name: page", *config]))
    how = load_config(tmp_path / "page.yaml").csv_options
    days = ["2018-06-28", "2018-06-29", "2018-07-19", "2018-07-20", "2018-09-13", "2019-01-30", "2019-01-31"]
    columns = covariates.read_covariates(tmp_path / "dates.csv", options=how).ahead(
        how.known, find_upcoming(np.array(days, dtype="datetime64[D]"), calendar="XNYS")
    )
    assert columns.feature("Earnings") == pytest.approx([np.nan, 0, 1, 0, 0, 1, np.nan], nan_ok=True)
    assert columns.feature("Dividend") == pytest.approx([np.nan, 0, 0, 0, 0.12, 0, np.nan], nan_ok=True)


def test_the_config_of_the_page_on_price_files_is_read_as_it_stands(tmp_path: Path) -> None:
    chapter = (REPOSITORY / "docs" / "price-files.md").read_text().partition("## Columns of your own")[2]
    lines = chapter.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("    data: "))
    block = "\n".join(line[4:] for line in lines[start : lines.index("", start)])
    (tmp_path / "page.yaml").write_text("name: page\n" + block + "\n")
    config = load_config(tmp_path / "page.yaml")
    assert config.data.covariates == tmp_path / "vix.csv"
    own = [(column.name, column.transform, column.carry) for column in config.own_columns]
    assert own == [("VIX", "log_change", 5), ("Put Call", "zscore_250", 5)]  # the defaults that the page states
