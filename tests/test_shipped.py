"""The network that ships inside the package: a stand-in for it, made by benchmarks/pretrain.py as the real one is."""

import hashlib
import json
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from made import REPOSITORY, make_bars
from program import environment, stockcast

import stockcast as sc
from stockcast.config.load import load_config
from stockcast.errors import RunError
from stockcast.runs import RunDirectory, layout
from stockcast.runs.integrity import check_integrity

STAND_IN = """\
name: pretrained
data: {path: first.csv, calendar: XNYS}
features: [return_in_volatility, volatility_ratio_33, momentum_20]
target: {scale: volatility}
window: 5
horizon: 3
model: {cell: last_day, layers: [4], head: student_t}
training: {epochs: 1, batch_size: 256}
"""
FILES = {"run.json", "config.yaml", "scaler.json", "calibration.json", "history.csv", "model.onnx", "model.weights.h5"}

pretrain = SimpleNamespace(**runpy.run_path(str(REPOSITORY / "benchmarks" / "pretrain.py")))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A run as benchmarks/pretrain.py trains it, and its folder of price files, one of them of a stock held out."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "stocks").mkdir()
    for seed, name in enumerate(("AAPL", "ABT", "KO")):
        make_bars(seed=seed).to_csv(folder / "stocks" / f"{name}.csv", index=False)
    (folder / "pretrained.yaml").write_text(STAND_IN)
    pretrain.train.__globals__["CONFIG"] = folder / "pretrained.yaml"
    (folder / "scratch").mkdir()
    return pretrain.train(folder / "stocks", folder / "scratch")


@pytest.fixture
def package(trained: RunDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the package with the stand-in, which no test may change; a test that damages it says so."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STOCKCAST_RUNS", raising=False)
    folder = tmp_path / "site-packages" / "pretrained"
    folder.parent.mkdir()
    pretrain.install(trained, folder)
    monkeypatch.setattr(layout, "pretrained_folder", lambda: folder)
    make_bars(seed=9).to_csv(tmp_path / "X.csv", index=False)
    before = hashes(folder)
    yield folder
    assert hashes(folder) == before or (folder / "damaged by the test").exists()


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in folder.rglob("*")
    }


@pytest.fixture
def home(package: Path) -> Path:
    """A user's folder, with X.csv and no run."""
    return package.parents[1]


def test_a_price_file_is_forecast_without_a_training_as_the_stored_run_forecasts_it(
    home: Path, trained: RunDirectory
) -> None:
    done = stockcast("predict", "--data", "X.csv", "--no-plot", cwd=home)
    assert done.returncode == 0, done.stderr
    table = pd.read_csv(home / "runs" / "pretrained" / "predictions" / "X-2012-09-07" / "forecast.csv")
    by_the_run = sc.predict(trained, home / "X.csv").to_frame()
    np.testing.assert_allclose(table["median"], by_the_run["median"], rtol=1e-5)
    np.testing.assert_allclose(table["lower_90"], by_the_run["lower_90"], rtol=1e-5)
    assert done.stderr.startswith(
        "No finished run under runs, so the network that ships with stockcast forecasts: trained on 2 series up to "
    )
    assert "`stockcast train` makes one of your own.\n" in done.stderr
    assert "Next: stockcast evaluate pretrained --data X.csv\n" in done.stderr


def test_a_price_file_of_another_exchange_is_dated_on_its_sessions(home: Path) -> None:
    def dates(*options: str) -> list[str]:
        done = stockcast("predict", "--data", "X.csv", "--no-plot", "--json", *options, cwd=home)
        assert done.returncode == 0, done.stderr
        return [day["date"] for day in json.loads(done.stdout)["forecast"]]

    # X.csv ends on Friday, 7 September 2012.
    assert dates() == ["2012-09-10", "2012-09-11", "2012-09-12"]
    assert dates("--calendar", "24/7") == ["2012-09-08", "2012-09-09", "2012-09-10"]
    # Tel Aviv is closed on Fridays and Saturdays.
    assert dates("--calendar", "XTAE") == ["2012-09-09", "2012-09-10", "2012-09-11"]


def test_a_file_that_ends_before_the_training_did_is_forecast_with_a_warning_and_cannot_be_scored(home: Path) -> None:
    bars = pd.read_csv(home / "X.csv")
    bars[bars["Date"] < "2011-06-01"].to_csv(home / "OLD.csv", index=False)
    border = load_config(RunDirectory.pretrained(home / "runs").config_path()).split.test
    last = bars["Date"][bars["Date"] < "2011-06-01"].iloc[-1]
    done = stockcast("predict", "--data", "OLD.csv", "--no-plot", cwd=home)
    assert f"OLD.csv ends on {last}, and pretrained was trained on days before {border}" in done.stderr
    assert "Next:" not in done.stderr
    assert "trained on days before" not in stockcast("predict", "--data", "X.csv", "--no-plot", cwd=home).stderr
    scored = stockcast("evaluate", "pretrained", "--data", "OLD.csv", "--no-plot", cwd=home)
    assert scored.returncode == 1
    assert f"OLD.csv ends on {last}, and pretrained is scored from {border} on. Use a newer file.\n" in scored.stderr


def test_a_price_file_or_a_folder_in_the_wrong_place_is_told_where_it_goes(home: Path) -> None:
    named = stockcast("predict", "X.csv", cwd=home)
    assert named.returncode == 1
    assert "X.csv is a file, not a run. If it has prices, give it with --data: --data X.csv" in named.stderr
    (home / "folder").mkdir()
    folder = stockcast("predict", "--data", "folder", cwd=home)
    assert folder.returncode == 1
    assert "folder: no price file in this folder" in folder.stderr


def test_scores_from_a_chosen_day_on_are_named_by_predict(home: Path) -> None:
    day = "2012-06-01"
    assert "Not evaluated on X yet" in stockcast("predict", "--data", "X.csv", "--no-plot", cwd=home).stderr
    for start in (day, np.datetime64(day).astype(object)):
        evaluation = sc.evaluate("pretrained", home / "X.csv", start=start)
        assert evaluation.metrics["split"]["first_origin"] == "2012-05-31"
    with pytest.raises(sc.StockcastError, match="start '2012-31-01' is not a day such as"):
        sc.evaluate("pretrained", home / "X.csv", start="2012-31-01")
    sc.save_evaluation(RunDirectory.find(home / "runs", "pretrained"), evaluation)
    again = stockcast("predict", "--data", "X.csv", "--no-plot", cwd=home)
    assert ", 2012-05-31 to " in again.stdout
    assert "Not evaluated" not in again.stderr


def test_an_exchange_that_nobody_knows_is_refused_with_names_of_some(home: Path) -> None:
    done = stockcast("predict", "--data", "X.csv", "--calendar", "XXXX", cwd=home)
    assert done.returncode == 1
    assert "data.calendar 'XXXX' is not an exchange" in done.stderr
    assert "London XLON" in done.stderr


def test_quiet_says_nothing_and_a_name_needs_no_notice(home: Path) -> None:
    assert stockcast("predict", "--data", "X.csv", "--no-plot", "--quiet", cwd=home).stderr == ""
    named = stockcast("predict", "pretrained", "--data", "X.csv", "--no-plot", cwd=home)
    assert named.returncode == 0
    assert "No finished run" not in named.stderr


def test_its_name_may_be_abbreviated_too(home: Path) -> None:
    done = stockcast("predict", "pre", "--data", "X.csv", "--no-plot", cwd=home)
    assert done.returncode == 0, done.stderr
    assert "X by pretrained" in done.stdout
    assert sc.RunDirectory.find("runs", "pretr").name == "pretrained"
    refused = stockcast("predict", "prx", "--data", "X.csv", "--no-plot", cwd=home)
    assert "No run named 'prx'" in refused.stderr


def test_python_takes_it_by_its_name_or_without_a_run(home: Path) -> None:
    messages: list[str] = []
    frame = make_bars(seed=9)
    named = sc.predict("pretrained", frame)
    unnamed = sc.predict(None, frame, callbacks=sc.Callbacks(on_message=messages.append))
    pd.testing.assert_frame_equal(named.to_frame(), unnamed.to_frame())
    assert named.run == "pretrained"
    assert messages[0].startswith("No finished run under runs")
    predictor = sc.Predictor.load("pretrained", runs="mine")
    folder = sc.save_prediction(predictor.run, predictor.predict("X.csv"), plot=False)
    assert folder == home / "mine" / "pretrained" / "predictions" / "X-2012-09-07"


@pytest.mark.slow
def test_several_series_are_scored_by_it_where_there_is_no_run(home: Path) -> None:
    messages: list[str] = []
    callbacks = sc.Callbacks(on_message=messages.append)
    (home / "stocks").mkdir()
    for seed, name in enumerate(("AA", "BB")):
        make_bars(seed=20 + seed).to_csv(home / "stocks" / f"{name}.csv", index=False)
    pool = sc.evaluate_pool(None, home / "stocks", callbacks=callbacks)
    assert (pool.run, len(pool.pool.series)) == ("pretrained", 2)
    assert messages[0].startswith("No finished run under runs")


def test_all_that_is_written_lies_under_the_users_runs(home: Path) -> None:
    for command in ("predict", "evaluate", "explain"):
        done = stockcast(command, "--data", "X.csv", cwd=home)
        assert done.returncode == 0, done.stderr
    results = home / "runs" / "pretrained"
    assert {path.name for path in results.iterdir()} == {
        "predictions",
        "evaluation-test-X",
        "rivals",
        "explanations",
    }
    assert (results / "evaluation-test-X" / "plots").is_dir()
    assert "Skill: " in stockcast("predict", "--data", "X.csv", "--no-plot", cwd=home).stdout
    assert stockcast("predict", "runs/pretrained", "--data", "X.csv", "--no-plot", cwd=home).returncode == 0


def test_nothing_is_written_into_the_package_even_through_its_path(home: Path, package: Path) -> None:
    for run in (RunDirectory.find(home / "runs", str(package)), RunDirectory.find(home / "runs", package)):
        assert run.own_folder("predictions") == home / "runs" / "pretrained" / "predictions"
    with pytest.raises(RunError, match="inside the package"):
        RunDirectory(package).write_json("x.json", {})
    done = stockcast("predict", "--data", "X.csv", "--no-plot", "--output", str(package), cwd=home)
    assert done.returncode == 1
    assert "inside the package" in done.stderr


def test_a_run_of_ones_own_is_taken_before_it(home: Path, trained: RunDirectory) -> None:
    shutil.copytree(trained.path, home / "runs" / "mine")
    done = stockcast("predict", "--data", "X.csv", "--no-plot", cwd=home)
    assert "X by mine" in done.stdout
    assert "ships with stockcast" not in done.stderr


def test_without_a_price_file_the_message_names_the_way_to_give_one(home: Path) -> None:
    unnamed = stockcast("predict", cwd=home)
    assert unnamed.returncode == 1
    assert "No finished run in" in unnamed.stderr
    assert "stockcast predict pretrained --data FILE.csv" in unnamed.stderr
    for command in ("predict", "evaluate", "explain"):
        named = stockcast(command, "pretrained", cwd=home)
        assert named.returncode == 1
        assert "without the price files that it was trained on. Name a price file: --data FILE.csv" in named.stderr
    (home / "AAPL.csv").write_bytes((home / "X.csv").read_bytes())  # the name that run.json has is no path
    assert stockcast("predict", "pretrained", cwd=home).returncode == 1


def test_scores_begin_at_the_border_of_the_training_and_not_before(home: Path, package: Path) -> None:
    border = str(load_config(package / "config.yaml").first_day("test"))
    metrics = json.loads(stockcast("evaluate", "pretrained", "--data", "X.csv", "--json", "--no-plot", cwd=home).stdout)
    assert metrics["split"]["first_origin"] >= str(np.datetime64(border) - 4)  # the last session before it
    assert metrics["split"]["first_origin"] < border
    earlier = stockcast("evaluate", "pretrained", "--data", "X.csv", "--from", "2011-01-03", cwd=home)
    assert earlier.returncode == 1
    assert f"and its test days begin on {border}" in earlier.stderr


def test_a_series_of_the_training_is_recognised_by_its_prices_alone(home: Path, trained: RunDirectory) -> None:
    (home / "renamed.csv").write_bytes((trained.path.parents[2] / "stocks" / "KO.csv").read_bytes())
    predictor = sc.Predictor.load("pretrained")
    assert predictor.was_trained_on(predictor.read("renamed.csv"))
    assert not predictor.was_trained_on(predictor.read("X.csv"))
    (home / "KO.csv").write_bytes((home / "renamed.csv").read_bytes())
    early = predictor.read("KO.csv").dates[120].astype(object)  # before the closes end that tell series apart
    assert predictor.predict("KO.csv", origin=early).forecast.origin_dates[0] == np.datetime64(early)
    make_bars(720, seed=2).to_csv("newer.csv", index=False)
    assert predictor.was_trained_on(predictor.read("newer.csv"))


def test_what_ships_holds_names_of_files_and_no_path(package: Path, trained: RunDirectory) -> None:
    assert {path.name for path in package.iterdir()} == {*FILES, "sessions.json"}
    stated = json.loads((package / "run.json").read_text())
    assert [series["path"] for series in stated["series"]] == ["AAPL.csv", "KO.csv"]  # ABT is held out
    assert stated["command"] == "stockcast train pretrained --set data.path=FOLDER"
    for name in ("run.json", "config.yaml"):
        assert str(trained.path.parents[2]) not in (package / name).read_text()
        assert "/tmp" not in (package / name).read_text()
    assert check_integrity(package).state == "whole"


def test_runs_show_it_last_with_its_training_and_its_scores(home: Path, package: Path, trained: RunDirectory) -> None:
    border = load_config(package / "config.yaml").first_day("test")
    listed = stockcast("runs", "list", cwd=home)
    assert "No runs of your own in" in listed.stderr
    shutil.copytree(trained.path, home / "runs" / "zulu")
    last = stockcast("runs", "list", cwd=home).stdout.splitlines()[-1]
    assert last.startswith("pretrained  whole, ships with stockcast")
    documents = json.loads(stockcast("runs", "list", "--json", cwd=home).stdout)["runs"]
    assert [(each["name"], each["shipped"]) for each in documents] == [("zulu", False), ("pretrained", True)]
    shown = stockcast("runs", "show", "pretrained", cwd=home).stdout
    assert f"trained on: 2 series, from 2010-01-04 to the day before {border}\n" in shown
    assert "command: stockcast train pretrained --set data.path=FOLDER\n" in shown
    assert "scores" not in shown
    (package / "scores.json").write_text('{"1 day ahead": "CRPS 3 % lower than the random walk"}')
    try:
        shown = stockcast("runs", "show", "pretrained", cwd=home).stdout
        assert "scores:\n  1 day ahead: CRPS 3 % lower than the random walk\n" in shown
        assert shown.startswith("pretrained: whole, ships with stockcast\n")
        assert stockcast("runs", "verify", cwd=home).stdout == "zulu: whole\npretrained: whole\n"
    finally:
        (package / "scores.json").unlink()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["audit", "pretrained"], "so it cannot be audited"),
        (["runs", "compare", "pretrained", "mine"], "it has no scores on their test days to compare"),
        (["train", "--resume", "--name", "pretrained"], "there is nothing to resume"),
        (["train", "quick", "--name", "pretrained"], "Choose another --name"),
    ],
)
def test_what_needs_its_price_files_or_its_name_is_refused(
    home: Path, trained: RunDirectory, arguments: list[str], message: str
) -> None:
    shutil.copytree(trained.path, home / "runs" / "mine")
    done = stockcast(*arguments, cwd=home)
    assert done.returncode == 1
    assert message in done.stderr
    assert {path.name for path in (home / "runs").iterdir()} == {"mine"}


def test_a_run_of_ones_own_that_was_given_its_name_must_be_renamed(home: Path, trained: RunDirectory) -> None:
    shutil.copytree(trained.path, home / "runs" / "pretrained")
    done = stockcast("predict", "pretrained", "--data", "X.csv", cwd=home)
    assert done.returncode == 1
    assert "Rename that folder." in done.stderr


@pytest.mark.parametrize("name", ["run.json", "config.yaml", "scaler.json", "calibration.json", "model.onnx"])
def test_a_damaged_file_is_named_with_the_way_to_install_it_again(home: Path, package: Path, name: str) -> None:
    (package / "damaged by the test").touch()
    (package / name).write_bytes(b"{" + (package / name).read_bytes())
    done = stockcast("predict", "--data", "X.csv", "--no-plot", cwd=home)
    assert done.returncode == 1
    assert f"{package / name} is damaged" in done.stderr
    assert "pip install --force-reinstall stockcast" in done.stderr
    assert "Train again" not in done.stderr
    verified = stockcast("runs", "verify", cwd=home)
    assert verified.returncode == 1
    assert "pip install --force-reinstall stockcast" in verified.stderr


def test_without_it_everything_is_as_before(home: Path, package: Path) -> None:
    (package / "damaged by the test").touch()
    (package / "run.json").unlink()
    for arguments in (["predict", "--data", "X.csv"], ["predict"], ["audit"]):
        done = stockcast(*arguments, cwd=home)
        assert done.stderr == (
            f"stockcast: No finished run in {home / 'runs'}. Name the folder of your runs with --runs, or make one "
            f"with: stockcast train\n"
        )
    assert "No run named 'pretrained'" in stockcast("predict", "pretrained", "--data", "X.csv", cwd=home).stderr
    assert stockcast("runs", "list", cwd=home).stdout == ""


def test_its_forecast_loads_neither_keras_nor_matplotlib_nor_a_calendar(home: Path, package: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom stockcast.runs import layout\n"
        f"layout.pretrained_folder = lambda: Path({str(package)!r})\n"
        "from stockcast.cli import main\n"
        "sys.argv = ['stockcast', 'predict', '--data', 'X.csv', '--no-plot']\n"
        "try:\n    main()\n"
        "finally:\n    print('loaded:', *{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=home, env=environment()
    )
    loaded = set(done.stderr.rpartition("loaded:")[2].split())
    assert "onnxruntime" in loaded
    assert loaded.isdisjoint({"tensorflow", "keras", "matplotlib", "sklearn", "exchange_calendars"})


@pytest.mark.parametrize(
    "override", ["features=[return_in_volatility, market_volatility_ratio_5]", "target.scale=training"]
)
def test_a_run_that_needs_its_price_files_is_not_put_into_the_package(
    package: Path, trained: RunDirectory, override: str
) -> None:
    run = RunDirectory(package.parent / "other")
    shutil.copytree(trained.path, run.path)
    (run.path / "config.yaml").write_text(load_config(run.path / "config.yaml", [override]).to_yaml())
    stated = run.manifest()
    (run.path / "run.json").unlink()
    run.finish(stated)  # with the hash of the new config
    with pytest.raises(sc.StockcastError, match="needs the files that it was trained on"):
        pretrain.install(run, package)


def test_the_one_that_ships_stays_until_the_new_one_is_whole(
    package: Path, trained: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(pretrain.check.__globals__, "MOST_BYTES", 10_000)
    with pytest.raises(sc.StockcastError, match="Train a smaller network"):
        pretrain.install(trained, package)
    assert [path.name for path in package.parent.iterdir()] == ["pretrained"]


def test_a_call_that_ended_between_two_renames_loses_nothing(
    package: Path, trained: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    package.rename(package.with_name(".pretrained-old"))
    monkeypatch.setitem(pretrain.check.__globals__, "MOST_BYTES", 10_000)
    with pytest.raises(sc.StockcastError, match="Train a smaller network"):
        pretrain.install(trained, package)
    assert check_integrity(package).state == "whole"


def test_messages_in_the_manifest_lose_their_folders_too() -> None:
    reason = "/home/me/stocks/A.csv, line 3: no date (in /home/me/stocks)"
    stated = {"refused": [{"path": "/home/me/stocks/A.csv", "reason": reason}]}
    assert pretrain.without_paths(stated, {Path("/home/me/stocks")}) == {
        "refused": [{"path": "A.csv", "reason": "A.csv, line 3: no date (in stocks)"}]
    }


def test_the_one_in_this_tree_is_whole_and_small() -> None:
    folder = REPOSITORY / "stockcast" / "pretrained"
    if not (folder / "run.json").is_file():
        pytest.skip("no network ships with this tree")
    assert check_integrity(folder).state == "whole"
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 3_000_000
    assert not {series.name.removesuffix(".csv") for series in RunDirectory(folder).trained_on()} & pretrain.HELD_OUT


def test_a_file_of_the_name_of_a_training_series_keeps_its_name_and_another_content_has_its_own_folder(
    home: Path, trained: RunDirectory
) -> None:
    name = trained.trained_on()[0].name
    folders = []
    for seed in (31, 32):
        make_bars(seed=seed).to_csv(home / name, index=False)
        done = stockcast("predict", "--data", name, "--no-plot", cwd=home)
        assert f"Forecast: {Path(name).stem}, after " in done.stdout
        folders.append(done.stderr.partition("Table: ")[2].splitlines()[0])
    assert folders[0] == f"runs/pretrained/predictions/{Path(name).stem}-2012-09-07"
    assert folders[1].startswith(f"{folders[0]}-")
