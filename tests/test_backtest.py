"""Backtests: each fold is the run that one would make by hand, and all folds are scored as one."""

import contextlib
import json
import random
import shutil
import subprocess
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from filelock import FileLock
from made import QUICK, make_bars
from program import STOCKCAST, environment, stockcast
from replayed import anew

import stockcast as sc
from stockcast.errors import DataError, NotEnoughDays, RunError
from stockcast.evaluation.metrics import crps
from stockcast.forecasting import training_data
from stockcast.forecasting.folds import FoldPlan
from stockcast.pipeline.audit_backtest import audit_backtest
from stockcast.pipeline.backtest import backtest
from stockcast.pipeline.backtest_result import Backtest, save_backtest
from stockcast.pipeline.long_forecasts import write_forecasts
from stockcast.runs.layout import CALIBRATION, HISTORY, ONNX, SCALER

DATES = pd.bdate_range("2010-01-04", periods=360)
FIRST: date = DATES[300].date()
pytestmark = pytest.mark.usefixtures("replay_trainings")

PLAN = FoldPlan(folds=3, first=FIRST)
TWO = FoldPlan(folds=2, first=FIRST)


def walk(days: int) -> pd.DataFrame:
    """The first days of one walk, whatever their number."""
    return make_bars(400).head(days)


def run_backtest(home: Path, plan: FoldPlan = PLAN, **given: object) -> Backtest:
    given = {"config": sc.load_config(home / "tiny.yaml"), "runs": home / "runs", "engine": "in_process", **given}
    return backtest(given.pop("config"), plan, **given)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("backtest")
    walk(360).to_csv(home / "prices.csv", index=False)
    (home / "tiny.yaml").write_text(QUICK)
    return home


@pytest.fixture(scope="module")
def done(home: Path) -> Backtest:
    return run_backtest(home)


def stored(run: Path) -> dict[str, np.ndarray]:
    return dict(np.load(run / "evaluation" / "forecasts.npz"))


def test_each_fold_is_bit_by_bit_the_run_that_is_made_by_hand(home: Path, done: Backtest) -> None:
    for scores in done.folds:
        split = scores.fold.config.split
        by_hand = [
            f"data.end={scores.fold.config.data.end}",
            f"split.validation={split.validation}",
            f"split.calibration={split.calibration}",
            f"split.test={split.test}",
        ]
        with anew():
            run = sc.train(sc.load_config(home / "tiny.yaml", by_hand), runs=home / "by-hand")
        sc.save_evaluation(run, sc.evaluate(run), plot=False)
        for name in (SCALER, CALIBRATION, ONNX, "config.yaml", "evaluation/losses.npz", "evaluation/verdict.txt"):
            assert (scores.run / name).read_bytes() == (run.path / name).read_bytes(), name
        for name, array in stored(run.path).items():
            assert array.tobytes() == stored(scores.run)[name].tobytes(), name
        seconds = ["epoch", "loss", "val_loss"]
        pd.testing.assert_frame_equal(
            pd.read_csv(scores.run / HISTORY)[seconds], pd.read_csv(run.path / HISTORY)[seconds], check_exact=True
        )


def test_the_scores_of_all_folds_are_those_of_all_their_forecasts(done: Backtest) -> None:
    losses, inside, origins = [], [], 0
    for scores in done.folds:
        arrays = stored(scores.run)
        last = arrays["last_close"][:, None]
        ahead = np.log(arrays["quantiles"] / last[..., None])
        losses.append(crps(ahead, np.log(arrays["actual"] / last), arrays["levels"]))
        low, high = (np.flatnonzero(np.isclose(arrays["levels"], level))[0] for level in (0.05, 0.95))
        inside.append(
            (arrays["quantiles"][..., low] <= arrays["actual"]) & (arrays["actual"] <= arrays["quantiles"][..., high])
        )
        origins += len(last)
    (series,) = done.pool.series
    assert series.origins == origins == 360 - 3 - 300 + 1
    assert series.horizons[1].loss == pytest.approx(np.concatenate(losses)[:, 0].mean(), rel=1e-12)
    assert series.overall.loss == pytest.approx(np.concatenate(losses).mean(), rel=1e-12)
    assert series.horizons[3].coverage_90 == pytest.approx(np.concatenate(inside)[:, 2].mean(), rel=1e-12)
    random_walk = [json.loads((each.run / "evaluation/metrics.json").read_text()) for each in done.folds]
    weights = [each["split"]["origins"] for each in random_walk]
    means = [each["horizons"]["1"]["baselines"]["random_walk"]["crps"] for each in random_walk]
    against = np.average(means, weights=weights)
    assert done.pool.horizons[1].against["random_walk"].skill == pytest.approx(1 - series.horizons[1].loss / against)
    assert done.pool.horizons[1].against["random_walk"].dates == origins


def test_folds_follow_each_other_without_a_gap(done: Backtest) -> None:
    dates = np.concatenate([stored(scores.run)["origin_dates"] for scores in done.folds])
    expected = DATES.to_numpy().astype("datetime64[D]")[299:357]
    assert dates.tolist() == expected.tolist()


def test_what_is_done_is_not_done_again(home: Path, done: Backtest) -> None:
    def state() -> dict[str, int]:
        return {
            str(path): path.stat().st_mtime_ns
            for path in (home / "runs/backtests/tiny/folds").rglob("*")
            if path.is_file()
        }

    before = state()
    again = run_backtest(home)
    assert state() == before
    assert again.to_json() == done.to_json()


def test_files_of_the_scores_are_the_same_again(home: Path, done: Backtest) -> None:
    folder = save_backtest(done, plot=False)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert set(before) == {"backtest.json", "folds.csv", "verdict.txt"}
    shutil.rmtree(folder)
    assert save_backtest(run_backtest(home), plot=False) == folder
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.slow
def test_earlier_folds_of_the_same_length_and_later_rows_leave_those_that_are_done(home: Path) -> None:
    few = run_backtest(home, FoldPlan(folds=2, refit_every=15))
    more = run_backtest(home, FoldPlan(folds=3, refit_every=15))
    assert [scores.run for scores in more.folds[1:]] == [scores.run for scores in few.folds]
    dated = ["split.validation=2010-09-01", "split.calibration=2010-11-01", "split.test=2011-01-03"]
    plan = FoldPlan(refit_every=20, first=FIRST)
    before = run_backtest(home, plan, config=sc.load_config(home / "tiny.yaml", dated)).folds[0].run
    written = (before / "run.json").stat().st_mtime_ns
    kept = (home / "prices.csv").read_text()
    walk(380).to_csv(home / "prices.csv", index=False)  # the same walk, twenty days longer
    try:
        after = run_backtest(home, plan, config=sc.load_config(home / "tiny.yaml", dated)).folds
    finally:
        (home / "prices.csv").write_text(kept)
    assert after[0].run == before
    assert (before / "run.json").stat().st_mtime_ns == written
    assert len(after) == 3 + 1


@pytest.mark.slow
def test_prices_after_a_cut_off_never_change_what_its_fold_is_trained_to(
    home: Path, done: Backtest, tmp_path: Path
) -> None:
    fold = done.folds[1]
    bars = walk(360)
    later = pd.to_datetime(bars["Date"]) >= pd.Timestamp(fold.fold.cutoff)
    bars.loc[later, ["Open", "High", "Low", "Close", "Adj Close"]] *= 3
    changed = tmp_path / "changed"
    changed.mkdir()
    bars.to_csv(changed / "prices.csv", index=False)
    (changed / "tiny.yaml").write_text(QUICK + "\n")
    config = sc.load_config(changed / "tiny.yaml", {"data.accept_damage": True})
    other = run_backtest(changed, config=config).folds[1]
    for name in (SCALER, CALIBRATION, ONNX):
        assert (other.run / name).read_bytes() == (fold.run / name).read_bytes(), name
    before, after = stored(fold.run), stored(other.run)
    assert before["quantiles"][0].tobytes() == after["quantiles"][0].tobytes()  # from the day before the cut-off
    assert before["quantiles"][1].tobytes() != after["quantiles"][1].tobytes()


@pytest.mark.slow
def test_a_scaler_that_is_fitted_on_all_folds_is_found(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copy(home / "prices.csv", tmp_path)
    shutil.copy(home / "tiny.yaml", tmp_path)
    fit = training_data.fit_scalers

    def fit_on_all(config, prices, market, *, days, **given):  # type: ignore[no-untyped-def]
        return fit(config, prices, market, days=[[slice(0, len(each.dates))] for each in prices], **given)

    with monkeypatch.context() as patch:
        patch.setattr(training_data, "fit_scalers", fit_on_all)
        leaky = save_backtest(run_backtest(tmp_path), plot=False)
    report = audit_backtest(leaky, cuts=1)
    assert report.failure() is not None
    assert "Leak found in the scalers" in str(report.failure())
    honest = audit_backtest(save_backtest(run_backtest(home), plot=False), cuts=1)
    assert honest.failure() is None


@pytest.mark.slow
def test_a_fold_that_was_trained_past_its_cut_off_is_found(home: Path, done: Backtest, tmp_path: Path) -> None:
    shutil.copytree(home / "runs/backtests/tiny", tmp_path / "tiny")
    folder = tmp_path / "tiny" / save_backtest(done, plot=False).name
    stated = json.loads((folder / "backtest.json").read_text())
    stated["folds"] = stated["folds"][:1]
    stated["folds"][0]["cutoff"] = "2010-06-01"
    (folder / "backtest.json").write_text(json.dumps(stated))
    report = audit_backtest(folder, cuts=1)
    assert "its cut-off is 2010-06-01, but its training days end after it" in str(report.failure())


@pytest.mark.slow
def test_a_series_that_ends_early_is_named_and_the_others_are_scored(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for seed, (name, days) in enumerate({"AA": 360, "BB": 360, "CUT": 325}.items()):
        make_bars(days, seed=seed).to_csv(tmp_path / "folder" / f"{name}.csv", index=False)
    text = QUICK.replace("prices.csv", "folder") + "target: {scale: volatility}\n"
    (tmp_path / "tiny.yaml").write_text(text.replace("[log_return, log_range]", "[return_in_volatility]"))
    result = run_backtest(tmp_path, TWO)
    assert [series.name for series in result.pool.series] == ["AA", "BB", "CUT"]
    assert result.unscored == {"CUT": 1}
    assert "Not scored: CUT in 1 fold." in result.verdict
    assert [len(scores.pool.series) for scores in result.folds] == [3, 2]
    alone = run_backtest(tmp_path, TWO, series=["BB"])
    assert alone.name != result.name
    assert [series.name for series in alone.pool.series] == ["BB"]
    assert alone.pool.series[0].overall == result.pool.series[1].overall
    with pytest.raises(DataError, match="There are: AA, BB, CUT") as refused:
        run_backtest(tmp_path, TWO, series=["XX"])
    assert refused.value.key == "--series"


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_the_long_table_holds_every_forecast(done: Backtest, kind: str) -> None:
    path = write_forecasts(done, format=kind)
    table = pq.read_table(path).to_pandas() if kind == "parquet" else pd.read_csv(path)
    assert list(table.columns) == ["unique_id", "cutoff", "ds", "step", "level", "value", "y", "fold"]
    arrays = [stored(scores.run) for scores in done.folds]
    assert len(table) == sum(each["quantiles"].size for each in arrays)
    third = arrays[2]
    row = table[(table["fold"] == 3) & (table["step"] == 2) & np.isclose(table["level"], 0.95)].iloc[4]
    assert str(row["cutoff"])[:10] == str(third["origin_dates"][4])
    assert str(row["ds"])[:10] == str(third["target_dates"][4, 1])
    level = int(np.flatnonzero(np.isclose(third["levels"], 0.95))[0])
    assert row["value"] == third["quantiles"][4, 1, level]
    assert row["y"] == third["actual"][4, 1]
    assert set(table["unique_id"]) == {"prices"}


@pytest.mark.slow
def test_directions_are_backtested_too(tmp_path: Path) -> None:
    walk(360).to_csv(tmp_path / "prices.csv", index=False)
    head = "layers: [4], head: direction, classes: 3, threshold: 0.3,"
    (tmp_path / "tiny.yaml").write_text(QUICK.replace("layers: [4],", head))
    result = run_backtest(tmp_path, TWO)
    assert result.pool.score == "brier"
    table = pd.read_csv(write_forecasts(result, format="csv"))
    shares = table.groupby(["cutoff", "step"])
    assert shares["value"].sum().to_numpy() == pytest.approx(1)
    assert set(shares["y"].sum()) == {1}


def test_one_fold_is_a_network_that_is_trained_once(home: Path) -> None:
    result = run_backtest(home, FoldPlan(folds=1, first=FIRST))
    assert len(result.folds) == 1
    assert result.verdict[0].startswith("One run, trained on all days before 2011-02-28, made 58 forecasts")


def test_the_command_prints_a_row_for_each_fold_and_where_the_files_are(home: Path) -> None:
    done = stockcast(*COMMAND, "--no-plot", "--engine", "in_process", cwd=home)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert ["1", "2011-02-28"] in [line.split()[:2] for line in lines]
    assert "3 runs, each trained on all days before its cut-off and on none after it" in done.stdout
    folder = home / done.stderr.rpartition("Scores: ")[2].partition(";")[0]
    assert (folder / "forecasts.parquet").is_file()
    as_json = stockcast(*COMMAND, "--no-plot", "--json", "--engine", "in_process", cwd=home)
    assert json.loads(as_json.stdout) == json.loads((folder / "backtest.json").read_text())


COMMAND = ("backtest", "tiny.yaml", "--folds", "3", "--from", str(FIRST))


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--refit-every", "0"], 2, "'0' is not a number of bars from 1 on, or none"),
        (["--refit-every", "none", "--folds", "2"], 2, "--refit-every none is one fold"),
        (["--folds", "0"], 2, "should be greater than or equal to 1"),
        (["--from", "2010-01-20"], 1, "The first cut-off can be 2010-"),
        (["--from", "2030-01-01"], 1, "0 bars from 2030-01-01 on"),
        (["--folds", "4", "--refit-every", "10", "--from", "2011-01-03"], 1, "leave --from out"),
        (["--series", "GE"], 1, "No series GE is trained on. There are: prices"),
    ],
)
def test_what_cannot_be_backtested_is_refused(home: Path, arguments: list[str], code: int, words: str) -> None:
    done = stockcast("backtest", "tiny.yaml", *arguments, cwd=home)
    assert (done.returncode, done.stdout) == (code, "")
    assert words in " ".join(done.stderr.replace("│", " ").split())


@pytest.mark.slow
def test_a_fold_that_fails_is_named_and_the_others_stand(home: Path, done: Backtest, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(home, copy)
    broken = copy / "runs/backtests/tiny/folds" / done.folds[1].run.name / "run.json"
    broken.write_text("{}")
    result = run_backtest(copy, config=sc.load_config(home / "tiny.yaml"))
    assert list(result.failures) == [done.folds[1].fold.name]
    assert len(result.folds) == 2
    assert any(sentence.startswith(f"The fold {done.folds[1].fold.name} is missing: ") for sentence in result.verdict)
    command = [*COMMAND[:1], str(home / "tiny.yaml"), *COMMAND[2:], "--no-plot", "--runs", str(copy / "runs")]
    printed = stockcast(*command, "--engine", "in_process", cwd=home)
    assert printed.returncode == 1
    assert "1 of 3 folds could not be done:" in printed.stderr
    assert f"remove {broken.parent} and repeat" in printed.stderr
    assert f"The fold {done.folds[1].fold.name} is missing" in " ".join(printed.stdout.split())


def test_a_baseline_without_a_forecast_in_a_fold_is_named(tmp_path: Path) -> None:
    walk(360).to_csv(tmp_path / "prices.csv", index=False)
    (tmp_path / "tiny.yaml").write_text(QUICK)
    result = run_backtest(tmp_path, FoldPlan(folds=2, first=DATES[240].date()))
    assert "garch_t" not in result.pool.overall.against
    assert "garch_t" in result.folds[1].pool.overall.against
    (sentence,) = [each for each in result.missing if each.startswith("GARCH(1,1)-t")]
    assert sentence.startswith("GARCH(1,1)-t has no forecast of fold 1, and is left out")
    rows = result.to_frame()
    assert rows[rows["baseline"] == "garch_t"]["fold"].unique().tolist() == [2]


def test_two_backtests_of_one_config_do_not_work_at_the_same_time(home: Path, done: Backtest) -> None:
    root = done.folder.parent
    with FileLock(root / ".lock"), pytest.raises(RunError, match="Another backtest works in"):
        run_backtest(home)
    assert run_backtest(home).name == done.name


def test_the_folder_of_a_backtest_is_no_run_and_its_folds_are_named(home: Path, done: Backtest) -> None:
    folder = save_backtest(done, plot=False)
    with pytest.raises(RunError, match="is a backtest, and each fold of it a run") as refused:
        sc.evaluate(folder)
    assert str(folder.parent / "folds") in str(refused.value)


def test_a_config_whose_past_is_too_short_is_refused_before_anything_is_trained(home: Path) -> None:
    with pytest.raises(NotEnoughDays):
        run_backtest(home, FoldPlan(folds=1, first=date(2010, 2, 1)))


@pytest.mark.slow
def test_a_backtest_that_is_killed_again_and_again_ends_with_the_same_bytes(home: Path, done: Backtest) -> None:
    killed = home / "killed"
    command = [*STOCKCAST, *COMMAND, "--no-plot", "--quiet", "--forecasts", "csv", "--runs", str(killed)]
    random.seed(0)
    for _ in range(3):
        process = subprocess.Popen(command, cwd=home, stdout=subprocess.DEVNULL, env=environment())
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=4 + 8 * random.random())
        process.kill()
        process.wait()
    assert subprocess.run(command, cwd=home, stdout=subprocess.DEVNULL, env=environment(), check=False).returncode == 0
    folder = save_backtest(done, plot=False)
    write_forecasts(done, format="csv")
    again = killed / "backtests" / "tiny" / folder.name
    for name in ("backtest.json", "folds.csv", "verdict.txt", "forecasts.csv"):
        assert (again / name).read_bytes() == (folder / name).read_bytes(), name
    for scores in done.folds:
        other = again.parent / "folds" / scores.run.name
        for name in (SCALER, CALIBRATION, ONNX, "evaluation/losses.npz"):
            assert (other / name).read_bytes() == (scores.run / name).read_bytes(), name
