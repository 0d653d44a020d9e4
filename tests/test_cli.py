"""The program as a user meets it: its streams and exit codes, where signals and closed streams matter in a process."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made import QUICK, REPOSITORY, TINY, make_bars
from program import STOCKCAST, environment, in_a_process, stockcast
from test_architecture import loaded_by


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder with a price file, a config, and one run that has been trained there."""
    folder = tmp_path_factory.mktemp("home")
    make_bars().to_csv(folder / "prices.csv", index=False)
    (folder / "tiny.yaml").write_text(QUICK)
    (folder / "long.yaml").write_text(TINY)
    trained = in_a_process("train", "tiny.yaml", "--name", "first", cwd=folder)
    assert trained.returncode == 0, trained.stderr
    assert trained.stdout == "runs/first\n"
    return folder


def test_training_tells_its_progress_on_standard_error_and_the_next_step(home: Path) -> None:
    done = in_a_process("train", "tiny.yaml", "--json", "--set", "training.epochs=2", cwd=home)
    result = json.loads(done.stdout)
    assert set(result) == {"run", "epochs", "best_epoch", "val_loss", "seconds"}
    assert "epoch 2/2" in done.stderr
    assert "WARNING" not in done.stderr
    assert "oneDNN" not in done.stderr


def test_help_says_what_is_taken_if_nothing_is_given(home: Path) -> None:
    assert "the newest" in stockcast("predict", "--help", cwd=home).stdout
    assert "sp500" in stockcast("train", "--help", cwd=home).stdout


def test_a_forecast_comes_with_the_verdict_on_its_network(home: Path) -> None:
    stockcast("evaluate", "first", cwd=home)
    done = stockcast("predict", "first", cwd=home)
    for begin in (
        "Forecast: prices, after 2012-09-07: 90 % chance of closing at",
        "Held: ",
        "Skill: ",
        "Known: prices to",
    ):
        assert begin in done.stdout
    assert "Not evaluated" not in done.stderr


def test_a_forecast_of_another_series_comes_with_the_verdict_on_that_one_or_the_line_to_it(home: Path) -> None:
    stockcast("evaluate", "first", "--no-plot", cwd=home)
    make_bars(seed=5).to_csv(home / "other.csv", index=False)
    before = stockcast("predict", "first", "--data", "other.csv", cwd=home)
    assert "Not evaluated on other yet. Next: stockcast evaluate first --data other.csv\n" in before.stderr
    assert "Held: not known for other, which was not scored yet" in before.stdout
    told = stockcast("evaluate", "first", "--data", "other.csv", "--no-plot", cwd=home).stderr
    assert told.endswith("Next: stockcast predict first --data other.csv\n")
    after = stockcast("predict", "first", "--data", "other.csv", cwd=home).stdout
    assert "not known" not in after
    assert "Skill: " in after


def test_questions_on_a_forecast_are_told_by_its_own_quantiles(home: Path) -> None:
    options = ("--no-plot", "--output", "asked", "--levels", "0.05,0.5", "--paths", "500", "--by", "2", "--by", "3")
    lower = pd.DataFrame(json.loads(stockcast("predict", "first", "--json", cwd=home).stdout)["forecast"])["lower_90"]
    done = stockcast("predict", "first", *options, "--below", str(lower[1]), "--above", str(lower[2]), cwd=home)
    assert done.returncode == 0, done.stderr
    table, chances, risk, paths = (
        pd.read_csv(home / "asked" / f"{name}.csv") for name in ("forecast", "chances", "risk", "paths")
    )
    assert table["quantile_0.05"].tolist() == table["lower_90"].tolist() == lower.tolist()
    assert table["quantile_0.5"].tolist() == table["median"].tolist()
    close = chances.set_index(["step", "side"])["close"]
    assert close[2, "below"] == pytest.approx(0.05, abs=1e-3)
    assert close[3, "above"] == pytest.approx(0.95, abs=1e-3)
    assert risk["value_at_risk"].tolist() == lower[1:].tolist()
    assert (paths.groupby("step")["price"].apply(lambda prices: (prices < lower[prices.name - 1]).mean()) < 0.1).all()
    assert "prices: a chance of 5 % of closing below" in done.stdout
    for option in ("--below", "--paths", "--levels"):
        many = stockcast("predict", "first", "--data", "prices.csv", "--data", ".", option, "1", "--no-plot", cwd=home)
        assert f"{option} is for one series at a time" in many.stderr


def test_evaluate_prints_the_scores_beside_every_rival_and_the_trust_lines_of_predict(home: Path) -> None:
    done = stockcast("evaluate", "first", cwd=home)
    assert done.returncode == 0, done.stderr
    for word in ("network", "random_walk", "drift", "ewma"):
        assert word in done.stdout
    lines = done.stdout[done.stdout.index("Forecast:") :]
    assert lines == stockcast("predict", "first", cwd=home).stdout.partition("\nForecast:")[2].join(["Forecast:", ""])
    assert "Against the random walk:" not in done.stdout
    assert "verdict.txt, or --verbose" in done.stderr


def test_the_whole_verdict_is_printed_where_it_is_wanted(home: Path) -> None:
    done = stockcast("evaluate", "first", "--verbose", "--no-plot", cwd=home)
    assert "Against the random walk:" in done.stdout
    assert "In short:" in done.stdout


def test_json_output_is_one_document_and_nothing_else(home: Path) -> None:
    metrics = json.loads(stockcast("evaluate", "first", "--json", "--no-plot", cwd=home).stdout)
    assert metrics["split"]["origins"] == 138
    forecast = json.loads(stockcast("predict", "first", "--json", cwd=home).stdout)["forecast"]
    assert [row["step"] for row in forecast] == [1, 2, 3]


def test_the_validation_days_can_be_scored_without_plots_and_are_kept_apart(home: Path) -> None:
    metrics = json.loads(
        stockcast("evaluate", "first", "--split", "validation", "--json", "--no-plot", cwd=home).stdout
    )
    assert metrics["split"]["part"] == "validation"
    folder = home / "runs" / "first" / "evaluation-validation"
    assert {path.name for path in folder.iterdir()} == {"metrics.json", "verdict.txt", "forecasts.npz", "losses.npz"}


def test_predict_and_evaluate_load_no_deep_learning_library(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    monkeypatch.delenv("STOCKCAST_RUNS", raising=False)
    for command in ("predict", "evaluate"):
        assert loaded_by(command, "first").isdisjoint({"tensorflow", "keras", "torch", "jax", "sklearn"})


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["train", "nowhere.yaml"], 1, ["nowhere.yaml", "no such config", "quick"]),
        (["train", "tiny.yaml", "--set", "windw=3"], 1, ["windw", "window"]),
        (["train", "tiny.yaml", "--set", "training.epochs=0"], 1, ["--set: training.epochs", "1"]),
        (["train", "tiny.yaml", "--set", "epochs=3"], 1, ["--set: unknown key epochs", "training.epochs"]),
        (["train", "tiny.yaml", "--set", "trainnig.epochs=3"], 1, ["--set: unknown key trainnig", "training"]),
        (["train", "tiny.yaml", "--name", "first"], 1, ["first", "exists"]),
        (["train", "tiny.yaml", "--name", "../x"], 1, ["plain name"]),
        (["predict", "other"], 1, ["other", "first"]),
        (["predict", "first", "--data", "nowhere.csv"], 1, ["nowhere.csv", "no such file"]),
        (["predict", "first", "--data", "prices.csv", "--data", "-"], 1, ["Standard input", "Save it as a file"]),
        (["predict", "first", "--data", "nowhere.csv", "--data", "no.csv"], 1, ["None of 2 series", "no such file"]),
        (["predict", "first", "--top", "3"], 1, ["--top is for many series", "--data"]),
        (["predict", "first", "--date", "2030-01-02"], 1, ["prices.csv runs from 2010-01-04 to", "after its last row"]),
        (["predict", "first", "--date", "2010-01-05"], 1, ["2 trading days up to 2010-01-05", "a later --date"]),
        (["predict", "first", "--output", "x.html"], 1, ["--output x.html", ".csv, .xlsx or .png"]),
        (
            ["evaluate", "first", "--data", "nowhere.csv", "--data", "-"],
            1,
            ["Standard input", "Save it as a file"],
        ),
        (
            ["explain", "first", "--data", "nowhere.csv", "--data", "no.csv"],
            1,
            ["2 of 2 files could not be explained", "nowhere.csv: ", "no such file"],
        ),
        (["predict", "first", "--horizon", "0"], 2, ["--horizon"]),
        (["evaluate", "--split", "training"], 2, ["training"]),
        (["evaluate", "first", "--from", "31.12.2018"], 2, ["--from", "31.12.2018", "like 2018-12-31"]),
        (["explain", "first", "--date", "2018-02-30"], 2, ["--date", "2018-02-30", "like 2018-12-31"]),
        (["bogus"], 2, ["bogus"]),
        (["config", "init", "--data", "tiny.yaml"], 1, ["tiny.yaml, line 1", "CSV of prices"]),
    ],
)
def test_a_wrong_input_gets_a_message_an_exit_code_and_no_traceback(
    arguments: list[str], code: int, words: list[str], home: Path
) -> None:
    done = stockcast(*arguments, cwd=home)
    assert done.returncode == code
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_a_folder_that_cannot_be_written_is_refused_before_training(home: Path) -> None:
    (home / "a-file").write_text("")
    done = stockcast("train", "tiny.yaml", "--runs", "a-file/runs", cwd=home)
    assert done.returncode == 1
    assert "a-file" in done.stderr
    assert "epoch" not in done.stderr


@pytest.mark.slow
def test_ones_own_csv_goes_from_init_to_a_forecast(home: Path) -> None:
    made = stockcast("config", "init", "--data", "prices.csv", cwd=home)
    assert made.stdout == "prices.yaml\n"
    small = ["--set", "training.epochs=1", "--set", "model.layers=[4]", "--set", "window=5"]
    trained = stockcast("train", "prices.yaml", "--name", "own", "--quiet", *small, cwd=home)
    assert (trained.stdout, trained.stderr) == ("runs/own\n", "")
    assert stockcast("evaluate", "own", "--no-plot", cwd=home).returncode == 0
    assert stockcast("predict", "own", cwd=home).returncode == 0
    again = stockcast("config", "init", "--data", "prices.csv", cwd=home)
    assert again.returncode == 1
    assert "prices.yaml exists" in again.stderr


@pytest.mark.slow
def test_training_on_a_csv_says_the_calendar_of_its_dates_and_takes_another(home: Path) -> None:
    small = ["--set", "training.epochs=1", "--set", "model={cell: last_day, layers: [4]}", "--set", "window=5"]
    chosen = stockcast("train", "prices.csv", "--name", "chosen", *small, cwd=home)
    assert "prices.csv: data.calendar is 24/5" in chosen.stderr  # every day from Monday to Friday
    assert "calendar: 24/5\n" in (home / "runs" / "chosen" / "config.yaml").read_text()
    stated = stockcast("train", "prices.csv", "--name", "stated", "--calendar", "XLON", *small, cwd=home)
    assert "data.calendar is" not in stated.stderr
    assert "calendar: XLON\n" in (home / "runs" / "stated" / "config.yaml").read_text()


def test_the_horizon_that_a_calendar_near_its_end_allows_is_the_one_that_its_refusal_names(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the prices end on Friday 2012-09-07
    monkeypatch.setattr("stockcast.data.calendar._KNOWN", {})
    monkeypatch.setattr("stockcast.data.calendar.HOLIDAYS_TO", np.datetime64("2012-09-12"))
    shutil.copy(home / "prices.csv", tmp_path)
    near = QUICK.replace("prices.csv", "prices.csv, calendar: 24/5").replace("horizon: 3", "horizon: 5")
    (tmp_path / "near.yaml").write_text(near)
    assert stockcast("train", "near.yaml", "--name", "near", cwd=tmp_path).returncode == 0
    refused = stockcast("predict", "near", "--no-plot", cwd=tmp_path)
    assert (refused.returncode, "24/5 ends on 2012-09-12" in refused.stderr) == (1, True)
    (option,) = re.findall(r"--horizon \d+", refused.stderr)
    assert stockcast("predict", "near", "--no-plot", *option.split(), cwd=tmp_path).returncode == 0
    (table,) = (tmp_path / "runs" / "near" / "predictions").glob("*/forecast.csv")
    assert [line[:10] for line in table.read_text().splitlines()[1:]] == ["2012-09-10", "2012-09-11", "2012-09-12"]


def test_a_csv_in_place_of_a_config_stands_for_the_config_that_init_would_make(home: Path) -> None:
    shown = stockcast("config", "show", "prices.csv", cwd=home)
    assert shown.returncode == 0, shown.stderr
    assert "name: prices\n" in shown.stdout
    assert "- volume_ratio\n" in shown.stdout


def test_the_folder_of_runs_can_be_set_for_good(home: Path) -> None:
    done = stockcast("predict", cwd=home, STOCKCAST_RUNS="elsewhere")
    assert done.returncode == 1
    assert f"No finished run in {home / 'elsewhere'}. Name the folder of your runs with --runs" in done.stderr


def test_the_next_step_names_a_folder_of_runs_only_where_it_would_not_be_this_one(home: Path) -> None:
    forecast = ("predict", "first", "--runs", "runs", "--no-plot", "--output", "out")
    shutil.rmtree(home / "runs" / "first" / "evaluation", ignore_errors=True)
    plain = stockcast(*forecast, cwd=home)
    assert "Next: stockcast evaluate first\n" in plain.stderr
    by_variable = stockcast(*forecast, cwd=home, STOCKCAST_RUNS="runs")
    assert "Next: stockcast evaluate first\n" in by_variable.stderr
    against_it = stockcast(*forecast, cwd=home, STOCKCAST_RUNS="elsewhere")
    assert "Next: stockcast evaluate first --runs runs\n" in against_it.stderr


def test_a_run_that_is_not_there_is_missed_in_the_folder_in_full(home: Path) -> None:
    for arguments in (["runs", "show", "other"], ["runs", "list", "--runs", "elsewhere"], ["predict", "other"]):
        told = stockcast(*arguments, cwd=home).stderr
        assert str(home / ("elsewhere" if "elsewhere" in arguments else "runs")) in told
        assert "--runs" in told


def test_config_show_prints_what_train_would_use(home: Path) -> None:
    done = stockcast("config", "show", "tiny.yaml", "--set", "window=7", cwd=home)
    assert "window: 7\n" in done.stdout
    assert f"path: {home / 'prices.csv'}\n" in done.stdout


def test_the_schema_beside_the_shipped_configs_is_the_programs_own(home: Path) -> None:
    printed = json.loads(stockcast("config", "schema", cwd=home).stdout)
    assert printed == json.loads((REPOSITORY / "configs" / "schema.json").read_text())


def test_a_reader_that_stops_early_ends_predict_quietly(home: Path) -> None:
    command = f"{sys.executable} -m stockcast predict first | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=home, capture_output=True, text=True, timeout=60, env=environment()
    )
    assert done.returncode in (0, 128 + signal.SIGPIPE)
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def interrupted(home: Path, name: str, *numbers: int) -> tuple[int, str]:
    """Train, send these signals in the second epoch; return the exit code and what was said."""
    long = ["--set", "training.epochs=60", "--set", "training.patience=60", "--name", name]
    process = subprocess.Popen(
        [*STOCKCAST, "train", "long.yaml", *long],
        cwd=home,
        env=environment(),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("epoch 1/"):
            break
    for number in numbers:
        process.send_signal(number)
        time.sleep(0.02)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_training_says_how_to_go_on_and_goes_on(number: int, code: int, home: Path) -> None:
    ended, said = interrupted(home, f"stopped-{code}", number)
    assert ended == code
    assert "Traceback" not in said
    way_on = f"stockcast train --resume --name stopped-{code}"
    word = {130: "interrupted", 143: "terminated"}[code]
    assert said.splitlines()[-1] == f"stockcast: {word}. Resume with: {way_on}"
    resumed = stockcast(*way_on.split()[1:], cwd=home)
    assert resumed.returncode == 0, resumed.stderr
    assert resumed.stdout == f"runs/stopped-{code}\n"
    assert "resuming after epoch" in resumed.stderr
    assert stockcast("predict", f"stopped-{code}", cwd=home).returncode == 0


@pytest.mark.slow
def test_a_second_interruption_ends_at_once_and_loses_nothing_either(home: Path) -> None:
    ended, said = interrupted(home, "twice", signal.SIGINT, signal.SIGINT)
    assert ended == 130
    assert "Traceback" not in said
    assert list((home / "runs" / "twice" / "checkpoints").glob("*.npz"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--resume", "--name", "first"), "is finished"),
        (("--resume", "--name", "none-such"), "No run named"),
        (("--resume", "--runs", "nowhere"), "No unfinished run in /"),
    ],
)
def test_resuming_what_is_not_there_is_refused(arguments: tuple[str, ...], said: str, home: Path) -> None:
    done = stockcast("train", *arguments, cwd=home)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
