"""Tuning: scores as of ordinary runs, on folds that nothing after them touches; what it leaves, and what it refuses."""

import csv
import json
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made import QUICK, make_bars
from program import STOCKCAST, environment, stockcast
from test_workers import children, is_running

import stockcast as sc
from stockcast.errors import ConfigError, NotEnoughDays, RunError
from stockcast.forecasting.folds import FoldPlan, plan_folds
from stockcast.pipeline.fold_scores import FoldScorer, plan_tuning
from stockcast.pipeline.tuning import Tuning
from stockcast.plots import key_importance, tuning_history
from stockcast.tuning.space import config_with

SPACE = """\
training.learning_rate: {low: 1e-4, high: 3e-2, log: true}
model.layers: [[4], [8]]
calibration: [adaptive, none]
"""
PLAN = sc.TuningPlan(trials=3, folds=2, processes=1)
BORDER = "2011-11-21"  # of calibration: after 70 % of 700 weekdays from 2010-01-04 on


def write(folder: Path, bars: pd.DataFrame | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    (make_bars() if bars is None else bars).to_csv(folder / "prices.csv", index=False)
    (folder / "space.yaml").write_text(SPACE)
    (folder / "tiny.yaml").write_text(QUICK)
    return folder


def tune(folder: Path, plan: sc.TuningPlan = PLAN, **others) -> Tuning:
    plan = replace(plan, space=folder / "space.yaml") if plan.space is None else plan
    return sc.tune(sc.load_config(folder / "tiny.yaml"), plan, runs=folder / "runs", **others)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("tuned") / "home")


@pytest.fixture(scope="module")
def tuned(home: Path) -> Tuning:
    return tune(home)


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def what(tuning: Tuning) -> list[tuple[object, ...]]:
    """What the trials are, without how long they took."""
    return [(trial.number, trial.state, dict(trial.values), trial.scores) for trial in tuning.trials]


def shaken(bars: pd.DataFrame, *, since: str) -> pd.DataFrame:
    """The same bars up to a day; after it prices move six times as far a day."""
    later = bars["Date"] >= since
    first = int(np.argmax(later))
    factors = np.ones(len(bars))
    moves = np.diff(np.log(bars["Close"].to_numpy()), prepend=np.log(bars["Close"].iloc[0]))
    factors[first:] = np.exp(np.cumsum(5 * moves[first:]))
    prices = ["Open", "High", "Low", "Close", "Adj Close"]
    return bars.assign(**{name: bars[name] * factors for name in prices})


@pytest.mark.slow
def test_each_score_is_that_of_an_ordinary_run_of_the_fold(home: Path, tuned: Tuning, tmp_path: Path) -> None:
    days = plan_tuning(sc.load_config(home / "tiny.yaml"), folds=2)
    for trial in (tuned.trials[0], tuned.best):
        fold = days.folds[-1]
        config = config_with(days.config, trial.values).model_copy(
            update={"split": fold.config.split, "data": fold.config.data}
        )
        run = sc.train(config, runs=tmp_path, name=f"fold-of-{trial.number}")
        overall = sc.evaluate(run).metrics["overall"]
        assert trial.scores[-1] == pytest.approx(
            overall["model"]["crps"] / overall["baselines"]["random_walk"]["crps"], rel=1e-6
        )


def test_no_price_from_the_first_calibration_day_on_touches_a_trial(tuned: Tuning, tmp_path: Path) -> None:
    assert str(tuned.tuned.before) == BORDER
    other = tune(write(tmp_path / "home", shaken(make_bars(), since=BORDER)))
    assert what(other) == what(tuned), "bit by bit"
    assert other.best.number == tuned.best.number
    assert other.gain == tuned.gain


@pytest.mark.slow
def test_the_same_change_a_day_earlier_touches_them(tuned: Tuning, tmp_path: Path) -> None:
    dates = make_bars()["Date"]
    day_before = dates[dates < BORDER].iloc[-1]
    other = tune(write(tmp_path / "home", shaken(make_bars(), since=day_before)), replace(PLAN, trials=1))
    assert other.trials[0].scores[-1] != tuned.trials[0].scores[-1]


@pytest.mark.slow
def test_scored_on_test_days_the_same_prices_would_have_been_chosen_by(tmp_path: Path) -> None:
    """What the test above would find if folds reached beyond the border: scores and the choice follow the change."""
    choices, scores = [], []
    for name, bars in (("as", make_bars()), ("shaken", shaken(make_bars(), since="2012-05-01"))):
        config = plan_tuning(sc.load_config(write(tmp_path / name, bars) / "tiny.yaml"), folds=1).config
        dates = pd.to_datetime(bars["Date"]).to_numpy().astype("datetime64[D]")
        leaking = plan_folds(config, dates, FoldPlan(folds=1, first=config.split.test))
        scorer = FoldScorer(config, leaking, metric="crps")
        variants = [config_with(config, {"calibration": each}) for each in ("none", "adaptive")]
        scores.append([next(scorer.scores(variant)) for variant in variants])
        choices.append(int(np.argmin(scores[-1])))
    assert scores[0] != scores[1]
    assert choices[1] == 1, "bands that adapt win where prices begin to move more"
    assert choices[0] == 0


def test_what_is_left_is_whole(home: Path, tuned: Tuning) -> None:
    folder = home / "runs" / "tiny-tune"
    rows = table(folder / "trials.csv")
    assert [row["number"] for row in rows] == ["0", "1", "2"]
    assert list(rows[0]) == [
        *("number", "state", "training.learning_rate", "model.layers", "calibration"),
        *("fold_1", "fold_2", "mean", "seconds", "reason"),
    ]
    assert float(rows[0]["mean"]) == pytest.approx((float(rows[0]["fold_1"]) + float(rows[0]["fold_2"])) / 2)
    assert min(rows, key=lambda row: float(row["mean"]))["number"] == str(tuned.best.number)
    config = sc.load_config(folder / "best.yaml")
    assert config == tuned.config
    assert (config.name, config.tuned.trials, config.tuned.folds) == ("tiny-tuned", 3, 2)
    assert (
        (folder / "best.yaml").read_text().startswith(f"# Written by stockcast tune, from trial {tuned.best.number}.")
    )
    assert (folder / "plots" / "history.png").read_bytes()[:4] == b"\x89PNG"
    result = json.loads((folder / "result.json").read_text())
    assert result["gain"] == tuned.gain.observed >= 0
    assert result["sentences"] == list(tuned.sentences)


@pytest.mark.slow
def test_the_run_and_its_verdict_state_how_many_trials_stand_behind_it(home: Path, tuned: Tuning) -> None:
    assert tuned.run.manifest()["tuned"] == {"trials": 3, "folds": 2, "before": BORDER}
    evaluation = sc.evaluate(tuned.run)
    sentence = f"The config was chosen among 3 trials on folds before {BORDER}; the days that are scored here were not"
    assert evaluation.verdict[-2] == f"{sentence} read."
    assert evaluation.metrics["verdict"] == list(evaluation.verdict)
    assert evaluation.metrics["tuned"]["trials"] == 3
    pool = sc.evaluate_pool(tuned.run)
    assert pool.verdict[-2].startswith("The config was chosen among 3 trials")


@pytest.mark.slow
def test_days_that_chose_the_config_are_no_test_of_it(home: Path, tuned: Tuning) -> None:
    config = tuned.config.model_copy(update={"split": sc.load_config(home / "tiny.yaml", {"split.test": 0.5}).split})
    sentence = sc.evaluate(sc.train(config, runs=home / "others")).verdict[-2]
    assert sentence.endswith(f"those before {BORDER} chose it, so the scores are too good.")


def test_a_repeated_command_does_only_what_is_missing(home: Path, tuned: Tuning) -> None:
    trials: list[str] = []
    again = tune(home, callbacks=sc.Callbacks(on_trial=lambda name, done, of: trials.append(f"{name} {done}/{of}")))
    assert trials == []
    assert what(again) == what(tuned)
    assert again.run.path == tuned.run.path


@pytest.mark.slow
def test_the_starting_config_is_chosen_where_nothing_is_better(home: Path, tmp_path: Path) -> None:
    space = tmp_path / "space.yaml"
    space.write_text("model.output_l2: {low: 0.5, high: 1.0}\ntraining.learning_rate: {low: 1.0, high: 2.0}\n")
    (home / "good.yaml").write_text(QUICK.replace("epochs: 1", "epochs: 8, learning_rate: 3e-3"))
    config = sc.load_config(home / "good.yaml")
    plan = replace(PLAN, space=space, trials=2)
    messages: list[str] = []
    tuning = sc.tune(config, plan, runs=tmp_path, callbacks=sc.Callbacks(on_message=messages.append))
    assert tuning.best.is_start
    assert tuning.gain.observed == 0
    assert tuning.sentences[0].startswith("No trial is better than the starting config on 2 folds")
    assert tuning.config.model_copy(update={"name": config.name, "tuned": None, "split": config.split}) == config
    assert f"The starting config is outside of {space}; it is the first trial all the same." in messages


def test_a_study_of_another_space_metric_or_config_is_refused(home: Path, tuned: Tuning, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text("window: [4, 5]\n")
    with pytest.raises(
        RunError, match=r"space is .*space\.yaml \(\w{8}\), and .*other\.yaml \(\w{8}\) is given"
    ) as refused:
        tune(home, replace(PLAN, space=other))
    assert (refused.value.key, refused.value.file) == ("--name", str(home / "runs" / "tiny-tune"))
    with pytest.raises(RunError, match="its metric is crps, and mae is given"):
        tune(home, replace(PLAN, metric="mae"))
    with pytest.raises(RunError, match="it has 2 folds, and 3 are given"):
        tune(home, replace(PLAN, folds=3))
    with pytest.raises(RunError, match="its config is another: 'window: 5' there, 'window: 6' here"):
        sc.tune(sc.load_config(home / "tiny.yaml", {"window": 6}), replace(PLAN, space=home / "space.yaml"),
                runs=home / "runs")  # fmt: skip
    (home / "runs" / "mine").mkdir()
    (home / "runs" / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match=r"is no study; it holds notes\.txt"):
        tune(home, name="mine")


@pytest.mark.slow
def test_a_study_of_other_prices_is_refused(tmp_path: Path) -> None:
    home = write(tmp_path / "home")
    plan = replace(PLAN, trials=1)
    tune(home, plan)
    write(home, make_bars(seed=1))
    with pytest.raises(RunError, match=f"the prices before {BORDER} have changed since"):
        tune(home, plan)


def test_wrong_plans_are_errors_with_their_option(home: Path) -> None:
    for plan, key in (
        (replace(PLAN, trials=0), "--trials"),
        (replace(PLAN, folds=0), "--folds"),
        (replace(PLAN, folds=9000), "--folds"),
        (replace(PLAN, metric="brier"), "--metric"),
        (replace(PLAN, seconds=0), "--timeout"),
    ):
        with pytest.raises(ConfigError) as refused:
            tune(home, plan, name="wrong")
        assert refused.value.key == key
    with pytest.raises(
        NotEnoughDays, match=f"days before calibration, which begins on {BORDER}, are too few for folds"
    ):
        sc.tune(sc.load_config(home / "tiny.yaml", {"window": 200}), replace(PLAN, space=home / "space.yaml"),
                runs=home / "runs", name="wrong")  # fmt: skip
    assert not (home / "runs" / "wrong").exists()


def test_pictures_show_the_trials_and_the_keys() -> None:
    figure = tuning_history({0: 0.8, 2: 0.7, 3: 5.0}, {1: 0.9}, title="t", label="CRPS")
    (axes,) = figure.axes
    lines = {line.get_label(): line for line in axes.get_lines()}
    assert list(lines["best so far"].get_ydata()) == [0.8, 0.7, 0.7]
    assert list(lines["pruned, by its difference from the start on the folds that it has"].get_xdata()) == [1]
    assert axes.get_ylim()[1] < 5, "the worst trial does not press the others together"
    bars = key_importance({"window": 0.7, "model.dropout": 0.3}, title="t").axes[0]
    assert [label.get_text() for label in bars.get_yticklabels()] == ["model.dropout", "window"]
    assert [patch.get_width() for patch in bars.patches] == [0.3, 0.7]


def test_the_command_refuses_a_time_that_is_none(home: Path) -> None:
    for wrong in ("x", "0", "10d", "-5m"):
        assert stockcast("tune", "tiny.yaml", f"--timeout={wrong}", cwd=home).returncode == 2


def wait_until(holds: Callable[[], bool], *, seconds: float = 200) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.slow
def test_two_killed_commands_go_on_as_one_study(tmp_path: Path) -> None:
    home = write(tmp_path / "home")
    line = [*STOCKCAST, "tune", "tiny.yaml", "--space", "space.yaml", "--trials", "10", "--folds", "2", "--quiet"]
    journal = home / "runs" / "tiny-tune" / "journal.jsonl"
    command = subprocess.Popen(line, cwd=home, env=environment())
    wait_until(lambda: journal.exists() and journal.read_text().count('"scores"') > 2)
    workers = children(command.pid, "stockcast.pipeline.tune_worker")
    command.kill()
    command.wait()
    wait_until(lambda: not any(map(is_running, workers)))
    both = [subprocess.Popen(line, cwd=home, env=environment()) for _ in range(2)]
    wait_until(lambda: journal.read_text().count('"scores"') > 6)
    both[0].send_signal(signal.SIGINT)
    assert both[0].wait() == 130
    assert both[1].wait() == 0
    assert subprocess.run(line, cwd=home, env=environment(), check=False).returncode == 0
    rows = table(home / "runs" / "tiny-tune" / "trials.csv")
    assert len(rows) == 10
    assert len({(row["training.learning_rate"], row["model.layers"], row["calibration"]) for row in rows}) == 10
    assert {row["state"] for row in rows} <= {"finished", "pruned"}
    assert len(list((home / "runs").glob("tiny-tune-*"))) == 1


@pytest.mark.slow
def test_time_that_is_up_ends_it_with_what_is_done(tmp_path: Path) -> None:
    home = write(tmp_path / "home")
    began = time.monotonic()
    result = stockcast("tune", "tiny.yaml", "--space", "space.yaml", "--trials", "500", "--timeout", "20s", cwd=home)
    assert result.returncode == 0, result.stderr
    assert time.monotonic() - began < 300
    assert 1 <= len(table(home / "runs" / "tiny-tune" / "trials.csv")) < 500
