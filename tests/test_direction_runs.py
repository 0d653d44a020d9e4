"""A run that says the direction, and one that says a histogram, from training to forecast, through the command line."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import commands
import numpy as np
import pandas as pd
import pytest
from made import QUICK, make_bars
from program import stockcast

import stockcast as sc
from stockcast.config.load import load_config
from stockcast.errors import RunError
from stockcast.forecast import DirectionPrediction
from stockcast.forecasting import loading
from stockcast.runs import RunDirectory
from stockcast.runs.listing import list_runs
from stockcast.runs.score_table import compare_runs

HEADS = {
    "two": "head: direction",
    "three": "head: direction, classes: 3, threshold: 0.5",
    "histogram": "head: histogram",
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder with a run of each kind in it, all of them evaluated."""
    folder = tmp_path_factory.mktemp("home")
    make_bars().to_csv(folder / "prices.csv", index=False)
    make_bars(400, seed=5).to_csv(folder / "other.csv", index=False)
    for name, head in HEADS.items():
        (folder / f"{name}.yaml").write_text(QUICK.replace("dropout: 0.1", f"dropout: 0.1, {head}"))
        if name == "two":  # the command itself; the others take its way without a process of their own
            trained = stockcast("train", "two.yaml", "--name", "two", cwd=folder)
            assert trained.stdout == "runs/two\n", trained.stderr
        else:
            commands.train(load_config(folder / f"{name}.yaml"), runs=folder / "runs", name=name)
        commands.evaluate(RunDirectory.find(folder / "runs", name), picture=True)
    return folder


def run_of(home: Path, name: str) -> RunDirectory:
    return RunDirectory.find(home / "runs", name)


def metrics_of(home: Path, name: str) -> dict:
    return json.loads((home / "runs" / name / "evaluation" / "metrics.json").read_text())


@pytest.mark.parametrize(("name", "classes"), [("two", ["down", "up"]), ("three", ["down", "flat", "up"])])
def test_a_direction_goes_from_the_command_line_to_a_verdict_and_a_forecast(
    name: str, classes: list[str], home: Path
) -> None:
    evaluated = stockcast("evaluate", name, "--verbose", "--no-plot", cwd=home)
    assert evaluated.returncode == 0, evaluated.stderr
    for word in ("Brier", "training_shares", "always_up", "Against always forecasting up", "In short:"):
        assert word in evaluated.stdout
    folder = home / "runs" / name / "evaluation"
    for picture in ("confusion", "reliability"):
        assert (folder / "plots" / f"{picture}.png").read_bytes().startswith(b"\x89PNG")
    assert (folder / "verdict.txt").read_text().splitlines()[-1].startswith("In short: ")

    predicted = stockcast("predict", name, "--json", "--output", "out", cwd=home)
    assert predicted.returncode == 0, predicted.stderr
    rows = json.loads(predicted.stdout)["forecast"]
    table = pd.read_csv(home / "out" / "forecast.csv")
    assert list(table.columns) == ["date", "step", *(f"p_{one}" for one in classes), "series"]
    assert set(table.pop("series")) == {"prices"}
    assert table.to_dict("records") == rows
    np.testing.assert_allclose(table.iloc[:, 2:].sum(axis=1), 1, atol=1.1e-4)
    assert list(table["step"]) == [1, 2, 3]
    assert (home / "out" / "forecast.png").read_bytes().startswith(b"\x89PNG")
    assert "%" in stockcast("predict", name, "--no-plot", cwd=home).stdout


def test_metrics_hold_a_classifiers_scores_at_every_horizon_beside_both_rivals(home: Path) -> None:
    metrics = metrics_of(home, "three")
    assert (metrics["score"], metrics["classes"], metrics["threshold"]) == ("brier", ["down", "flat", "up"], 0.5)
    assert set(metrics["horizons"]) == {"1", "3"}
    for one in (*metrics["horizons"].values(), metrics["overall"]):
        assert set(one["baselines"]) == {"training_shares", "always_up"}
        assert np.sum(one["model"]["confusion"]) == 138 * (3 if one is metrics["overall"] else 1)
    printed = json.loads(stockcast("evaluate", "three", "--json", "--no-plot", cwd=home).stdout)
    assert printed.pop("trust")[0].startswith("Forecast: ")
    assert printed == metrics


def test_a_pool_of_directions_has_the_mean_brier_skill_and_no_bands(home: Path) -> None:
    make_bars(seed=1).to_csv(home / "unseen.csv", index=False)
    pool = sc.evaluate_pool("two", [home / "prices.csv", home / "unseen.csv"], runs=home / "runs")
    stored = [RunDirectory.find(home / "runs", "two").path / name for name in ("evaluation", "evaluation-test-unseen")]
    skills = [json.loads((path / "metrics.json").read_text())["overall"]["skill"]["training_shares"] for path in stored]
    assert [*pool.pool.overall.against] == ["training_shares"]
    assert pool.pool.overall.against["training_shares"].skill == pytest.approx(sum(skills) / 2)
    assert pool.pool.overall.coverage_90 is None
    assert pool.to_json()["score"] == "brier"
    assert any("the class shares of the training days" in sentence for sentence in pool.verdict)
    assert not any("band" in sentence for sentence in pool.verdict)


def test_what_came_and_the_training_shares_are_told_from_the_closes_of_the_file(home: Path) -> None:
    closes = make_bars()["Close"].to_numpy()
    with np.load(home / "runs" / "two" / "evaluation" / "forecasts.npz") as stored:
        assert list(stored["classes"]) == ["down", "up"]
        assert stored["probabilities"].shape == (138, 3, 2)
        for row in (0, 137):
            for step in (1, 2, 3):
                assert stored["came"][row, step - 1] == (closes[559 + row + step] > closes[559 + row])
    # 700 days: the last 60 % ... 490 are training; windows of 5 days end on day 4 at the first, targets on day 419
    training = json.loads((home / "runs" / "two" / "run.json").read_text())["split"]["training"]
    last = list(make_bars()["Date"]).index(training["last"])
    for step in ("1", "3"):
        origins = np.arange(4, last - 2)
        ups = np.mean(closes[origins + int(step)] > closes[origins])
        assert metrics_of(home, "two")["training_shares"][step]["up"] == pytest.approx(ups)


def test_flat_is_half_a_deviation_of_the_training_days_times_the_root_of_the_days_ahead(home: Path) -> None:
    closes = make_bars()["Close"].to_numpy()
    training = json.loads((home / "runs" / "three" / "run.json").read_text())["split"]["training"]
    last = list(make_bars()["Date"]).index(training["last"])
    deviation = np.diff(np.log(closes[: last + 1])).std()
    with np.load(home / "runs" / "three" / "evaluation" / "forecasts.npz") as stored:
        for step in (1, 3):
            moves = np.log(closes[559 + step : 697 + step] / closes[559:697]) / (deviation * np.sqrt(step))
            np.testing.assert_array_equal(stored["came"][:, step - 1], np.digitize(moves, [-0.5, 0.5]))
    flat = metrics_of(home, "three")["flat_within"]
    assert flat["3"] == pytest.approx(0.5 * deviation * np.sqrt(3))


@pytest.mark.parametrize("name", ["two", "three"])
def test_a_series_never_seen_is_scored_and_forecast_too(name: str, home: Path) -> None:
    start = make_bars(400)["Date"][200]
    found = commands.evaluate(
        run_of(home, name), data=home / "other.csv", start=pd.Timestamp(start).date(), insist=True
    )
    assert found.folder.name == f"evaluation-test-other-from-{start}-insisted"
    assert found.verdict[-1].startswith("In short: ")
    predicted = commands.predict(run_of(home, name), data=home / "other.csv", output=home / "out")
    assert predicted.forecast.origin_dates[0] == np.datetime64(make_bars(400)["Date"][399])


def test_a_file_as_short_as_the_window_is_forecast_without_a_past_to_compare(home: Path) -> None:
    make_bars(5).to_csv(home / "short.csv", index=False)
    predicted = commands.predict(run_of(home, "two"), data=home / "short.csv", output=home / "short-out")
    assert isinstance(predicted.value, DirectionPrediction)
    assert predicted.past_shares is None
    assert len(predicted.rows) == 3


def test_days_after_the_origin_never_change_its_probabilities(home: Path, tmp_path: Path) -> None:
    bars = make_bars()
    bars.iloc[:600].to_csv(tmp_path / "prices.csv", index=False)
    predicted = commands.predict(run_of(home, "two"), data=tmp_path / "prices.csv", output=tmp_path)
    with np.load(home / "runs" / "two" / "evaluation" / "forecasts.npz") as stored:
        expected = stored["probabilities"][list(stored["origin_dates"]).index(np.datetime64(bars["Date"][599]))]
    assert isinstance(predicted.value, DirectionPrediction)
    np.testing.assert_allclose(predicted.forecast.probabilities[0], expected, rtol=1e-6)


def test_runs_are_listed_and_shown_with_the_score_they_have(home: Path) -> None:
    found = {one.name: one for one in list_runs(home / "runs")}
    assert (found["two"].score, found["two"].baseline) == ("Brier", "training_shares")
    assert found["histogram"].score == "CRPS"
    listed = stockcast("runs", "list", cwd=home)
    assert "Brier skill" in listed.stdout
    assert "CRPS skill" in listed.stdout
    shown = stockcast("runs", "show", "two", "--verbose", cwd=home)
    assert shown.returncode == 0
    assert "always forecasting up" in shown.stdout


def test_two_directions_are_compared_and_other_classes_or_prices_are_refused(home: Path) -> None:
    shutil.copytree(home / "runs" / "two", home / "runs" / "again")
    done = stockcast("runs", "compare", "two", "again", cwd=home)
    shutil.rmtree(home / "runs" / "again")
    assert done.returncode == 0, done.stderr
    assert "Brier" in done.stdout
    assert "training_shares" in done.stdout
    assert "two against again: no test is possible at 1 and 3 days (Brier 0.0 % lower" in done.stdout
    with pytest.raises(RunError, match="threshold") as refused:
        commands.compare([home / "runs" / name for name in ("two", "three")])
    assert refused.value.value == ["two", "three"]
    with pytest.raises(RunError) as refused:
        compare_runs([home / "runs" / name for name in ("two", "histogram")])
    assert (refused.value.key, refused.value.value) == ("score", ["Brier", "CRPS"])


@pytest.mark.slow
def test_a_direction_is_audited_by_its_probabilities(home: Path) -> None:
    found = commands.audit(run_of(home, "two"), cuts=2, epochs=1)
    assert found.passed
    assert {check.what for check in found.checks} >= {"forecasts", "scaler.json", "model.weights.h5"}


def test_a_histogram_is_a_whole_forecast(home: Path) -> None:
    metrics = metrics_of(home, "histogram")
    assert metrics["score"] == "crps"
    assert 0 < metrics["overall"]["model"]["crps"] < 1
    rows = commands.predict(run_of(home, "histogram"), output=home / "out-histogram").rows
    assert [row["lower_90"] < row["lower_50"] < row["median"] < row["upper_50"] < row["upper_90"] for row in rows] == [
        True
    ] * 3


@pytest.mark.parametrize(
    ("head", "calibration"),
    [
        ("skewed_t", "adaptive"),
        ("quantile", "adaptive"),
        ("quantile", "none"),
        ("histogram", "conformal"),
        ("histogram", "none"),
    ],
)
def test_the_bands_of_a_head_that_has_its_own_are_stretched_or_left_as_they_are(
    head: str, calibration: str, write_tiny: Callable[..., Path], tmp_path: Path
) -> None:
    config = load_config(
        write_tiny(config=QUICK), [f"model.head={head}", f"calibration={calibration}", "model.layers=[3]"]
    )
    run = commands.train(config, runs=tmp_path / "runs").run
    assert (run.path / "calibration.json").exists() == (calibration != "none")
    if calibration != "none":
        assert run.calibration()["kind"] == "factors"
    (row, *_) = commands.predict(run, output=tmp_path / "out").rows
    assert 0 < row["lower_90"] < row["lower_50"] < row["upper_50"] < row["upper_90"]


def test_quantiles_of_prices_work_from_training_to_forecast(write_tiny: Callable[..., Path], tmp_path: Path) -> None:
    overrides = ["model.head=quantile", "target.transform=price", "features=[Close]", "training.epochs=1"]
    run = commands.train(load_config(write_tiny(config=QUICK), overrides), runs=tmp_path / "runs").run
    rows = commands.predict(run, output=tmp_path / "out").rows
    assert all(0 < row["lower_90"] < row["median"] < row["upper_90"] for row in rows)


def test_a_network_whose_answers_are_no_probabilities_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "load_onnx", lambda *_, **__: lambda inputs: np.full((len(inputs), 3, 1), 1.5))
    with pytest.raises(RunError, match="no probabilities"):
        commands.predict(run_of(home, "two"), output=home / "never")
    assert not os.path.exists(home / "never")
