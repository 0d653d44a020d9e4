"""Several series in one file, all of them taken: the same numbers as files of one, each under its own name."""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made import TINY, make_bars

import stockcast as sc
from stockcast.cli import main
from stockcast.config.load import load_config
from stockcast.errors import ConfigError, DataError, StockcastError
from stockcast.runs import RunDirectory

SERIES = {name: make_bars(700, seed=seed) for seed, name in enumerate(("AA", "BRK/B", "CC"))}
SHORT = make_bars(700, seed=9).tail(60)
CONFIG = TINY.replace("epochs: 2", "epochs: 1") + "target: {scale: volatility}\nsplit: {test: 0.3}\n"


def together(series: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """One table of all, by the column Ticker, the rows of a day together."""
    rows = pd.concat([bars.assign(Ticker=name) for name, bars in series.items()])
    return rows.sort_values("Date", kind="stable")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of all.csv by data.ticker: all, and one of the same series as files of a folder."""
    home = tmp_path_factory.mktemp("home")
    together({**SERIES, "NEW": SHORT}).to_csv(home / "all.csv", index=False)
    (home / "folder").mkdir()
    for name, bars in SERIES.items():
        bars.to_csv(home / "folder" / f"{name.replace('/', '-')}.csv", index=False)
    (home / "tiny.yaml").write_text(CONFIG)
    for name, overrides in (
        ("all", {"data.path": str(home / "all.csv"), "data.ticker": "all"}),
        ("folder", {"data.path": str(home / "folder")}),
    ):
        messages: list[str] = []
        config = load_config(home / "tiny.yaml", overrides)
        callbacks = sc.Callbacks(on_message=messages.append)
        sc.train(config, runs=home / "runs", name=name, processes=1, callbacks=callbacks)
        (home / f"{name}.txt").write_text("\n".join(messages))
    return home


def command(home: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        patch.setattr(sys, "argv", ["stockcast", *arguments])
        patch.delenv("STOCKCAST_RUNS", raising=False)
        with pytest.raises(SystemExit) as ended:
            main()
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out, printed.err


def test_a_file_of_all_series_trains_the_network_that_files_of_one_train(home: Path) -> None:
    of_all, of_folder = (RunDirectory.find(home / "runs", name) for name in ("all", "folder"))
    for name in ("scaler.json", "calibration.json"):
        assert (of_all.path / name).read_bytes() == (of_folder.path / name).read_bytes()
    assert (of_all.path / "model.onnx").read_bytes() == (of_folder.path / "model.onnx").read_bytes()
    assert [series.ticker for series in of_all.trained_on()] == ["AA", "BRK/B", "CC"]


def test_a_series_too_short_to_train_on_is_left_out_and_named(home: Path) -> None:
    lines = (home / "all.txt").read_text().splitlines()
    assert [line for line in lines if "1 of 4 series left out" in line and line.endswith(": NEW.")]


@pytest.mark.parametrize("ticker", ["AA", "BRK/B", "CC"])
def test_each_series_is_forecast_and_scored_as_its_own_file_is(home: Path, ticker: str) -> None:
    path = home / "folder" / f"{ticker.replace('/', '-')}.csv"
    of_all = sc.Predictor.load("all", runs=home / "runs", overrides={"data.ticker": ticker})
    alone = sc.Predictor.load("folder", runs=home / "runs").predict(path)
    for source in (None, home / "all.csv"):
        forecast = of_all.predict(of_all.one_series(source))
        np.testing.assert_array_equal(forecast.forecast.quantiles, alone.forecast.quantiles)
        assert forecast.series == alone.series == path.stem
    scored = sc.evaluate("all", runs=home / "runs", overrides={"data.ticker": ticker})
    assert scored.metrics["horizons"] == sc.evaluate("folder", path, runs=home / "runs").metrics["horizons"]


def test_a_newer_file_of_one_of_the_series_is_that_series(home: Path) -> None:
    predictor = sc.Predictor.load("all", runs=home / "runs")
    prices = predictor.read(home / "folder" / "CC.csv")
    assert predictor.was_trained_on(prices)
    assert not predictor.was_trained_on(sc.read_prices(make_bars(700, seed=77)))


@pytest.mark.slow
def test_all_series_have_folders_of_their_own(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = command(home, capsys, "predict", "all", "--ticker", "all", "--no-plot")
    assert code == 0, err
    assert "3 series by all, 3 days ahead" in out
    (folder,) = (home / "runs" / "all" / "predictions").glob("3-series-*-2012-09-07")
    table = pd.read_csv(folder / "forecasts.csv")
    assert table["unique_id"].unique().tolist() == ["AA", "BRK-B", "CC"]
    assert "--ticker all" in err.splitlines()[-1]  # the command that evaluates the same series

    code, out, _ = command(home, capsys, "predict", "all", "--data", "all.csv", "--ticker", "all", "--json", "-q")
    forecasts = json.loads(out)["series"]
    assert [forecast["series"] for forecast in forecasts] == ["AA", "BRK-B", "CC", "NEW"]  # the short one, too

    code, _, err = command(home, capsys, "evaluate", "all", "--ticker", "all", "-q", "--no-plot")
    assert code == 0, err
    folders = sorted(path.name for path in (home / "runs" / "all").glob("evaluation*"))
    assert folders == ["evaluation", "evaluation-test-BRK-B", "evaluation-test-CC"]
    (pool,) = (home / "runs" / "all" / "evaluation").glob("pool-training-*")
    assert pd.read_csv(pool / "series.csv")["series"].tolist() == ["AA", "BRK-B", "CC"]

    code, out, err = command(
        home, capsys, "evaluate", "all", "--data", "all.csv", "--ticker", "all", "--json", "-q", "--no-plot"
    )
    assert code == 1  # NEW has too few days
    of_file = json.loads(out)
    assert [(row["series"], row["failure"] is None) for row in of_file["series"]] == [
        ("AA", True),
        ("BRK-B", True),
        ("CC", True),
        ("NEW", False),
    ]
    assert of_file["horizons"] == json.loads((pool / "pool.json").read_text())["horizons"]


def test_the_first_series_is_the_default_and_a_file_of_several_is_asked_about(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sc.predict("all", runs=home / "runs").series == "AA"
    code, _, err = command(home, capsys, "predict", "all", "--data", "all.csv")
    assert code == 1
    assert "--set data.ticker=all" in err
    code, _, err = command(home, capsys, "predict", "all", "--data", "all.csv", "--set", "data.ticker=all", "-q")
    assert code == 0, err


def test_a_name_that_the_training_had_not_is_refused_with_those_it_had(home: Path) -> None:
    with pytest.raises(DataError) as error:
        sc.predict("all", runs=home / "runs", overrides={"data.ticker": "DD"})
    assert (error.value.key, error.value.value) == ("data.ticker", "DD")
    assert "AA, BRK/B, CC" in str(error.value)
    with pytest.raises(StockcastError) as several:
        sc.predict("all", runs=home / "runs", overrides={"data.ticker": "all"})
    assert several.value.key == "data.ticker"


def test_a_series_of_a_folder_is_chosen_by_the_name_of_its_file(home: Path) -> None:
    assert sc.predict("folder", runs=home / "runs", overrides={"data.ticker": "CC"}).series == "CC"


def test_a_run_takes_no_other_override_than_how_a_file_is_read(home: Path) -> None:
    with pytest.raises(ConfigError) as error:
        sc.predict("all", runs=home / "runs", overrides=["window=9"])
    assert error.value.key == "window"


def test_an_evaluation_of_a_file_by_its_decimal_comma_is_that_of_the_file(home: Path) -> None:
    bars = SERIES["AA"].round(4)
    bars.to_csv(home / "point.csv", index=False)
    bars.to_csv(home / "comma.csv", index=False, sep=";", decimal=",")
    settings = ["data.decimal=,", "data.separator=;"]
    scored = sc.evaluate("folder", home / "comma.csv", runs=home / "runs", overrides=settings)
    expected = sc.evaluate("folder", home / "point.csv", runs=home / "runs")
    assert scored.metrics["horizons"] == expected.metrics["horizons"]


def test_a_config_is_made_and_every_series_checked(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = command(home, capsys, "config", "init", "--data", "all.csv", "--ticker", "all")
    assert code == 0, err
    config = load_config(home / out.strip())
    assert config.data.csv_options.takes_all
    code, out, _ = command(home, capsys, "data", "check", "all.csv", "--ticker", "all", "--json")
    reports = json.loads(out)["series"]
    assert [(report["series"], report["rows"], bool(report["shortage"])) for report in reports] == [
        ("AA", 700, False),
        ("BRK-B", 700, False),
        ("CC", 700, False),
        ("NEW", 60, True),
    ]


@pytest.mark.slow
def test_a_market_of_all_series_is_that_of_their_files(home: Path) -> None:
    markets = []
    for name, overrides in (
        ("market-all", {"data.path": str(home / "all.csv"), "data.ticker": "all"}),
        ("market-folder", {"data.path": str(home / "folder")}),
    ):
        features = {"features": ["log_return", "market_day_volatility_ratio"]}
        config = load_config(home / "tiny.yaml", {**overrides, **features})
        run = sc.train(config, runs=home / "runs", name=name, processes=1)
        markets.append(sc.Predictor.load(run).market(end=None))
    assert markets[0] is not None
    assert markets[1] is not None
    np.testing.assert_array_equal(markets[0].means["day_volatility_ratio"], markets[1].means["day_volatility_ratio"])
    assert markets[0].series == 3


def test_every_bad_series_is_named_in_one_message(home: Path, tmp_path: Path) -> None:
    bad = {name: bars.copy() for name, bars in SERIES.items()}
    bad["AA"].loc[3, "Close"] = -1
    bad["CC"].loc[5, "High"] = 0.01
    together(bad).to_csv(tmp_path / "all.csv", index=False)
    config = load_config(home / "tiny.yaml", {"data.path": str(tmp_path / "all.csv"), "data.ticker": "all"})
    with pytest.raises(DataError) as error:
        sc.train(config, runs=tmp_path / "runs")
    message = str(error.value)
    assert message.startswith("2 of 3 series cannot be used")
    assert "all.csv (AA), line 11" in message  # three series a day: the fourth day of the first
    assert "all.csv (CC), line 19" in message
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_an_audit_of_all_series_finds_no_leak(home: Path) -> None:
    report = sc.audit(RunDirectory.find(home / "runs", "all"), cuts=2)
    assert report.passed
    assert {check.result for check in report.checks} == {"identical"}
