"""Columns of one's own through every command: trained on, evaluated, forecast with and without, explained, audited."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made import QUICK, REPOSITORY, make_bars
from program import stockcast

import stockcast as sc
from stockcast.cli.output import next_command
from stockcast.config.load import load_config
from stockcast.data import own_columns
from stockcast.errors import ConfigError, DataError, RunError
from stockcast.forecasting.predictor import Predictor
from stockcast.forecasting.training_data import build_training_data, check_unchanged, read_training_prices
from stockcast.models.callbacks import Callbacks
from stockcast.pipeline import rerunner
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


def test_a_check_reports_a_column_that_knows_the_future_and_counts_it(tmp_path: Path) -> None:
    leaky(tmp_path)
    done = stockcast("data", "check", "prices.csv", cwd=tmp_path)
    assert "- own:Tomorrow knows the future: on 699 of 699 days" in done.stdout
    assert "warning" in done.stdout.splitlines()[-1]


def test_the_command_to_type_next_is_for_the_same_files() -> None:
    given = ['data.covariates="vix.csv"', 'data.ticker="ON"', "data.decimal=,"]
    command = next_command("predict", "own", Path("runs"), data=Path("my prices.csv"), overrides=given)
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
