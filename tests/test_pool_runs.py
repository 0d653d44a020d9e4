"""Many series scored in one go: the numbers of each alone, a row for each that fails, and nothing done twice."""

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made import QUICK, make_bars
from program import STOCKCAST, environment, in_a_process, stockcast
from test_workers import children, eventually, is_running

import stockcast as sc
from stockcast.errors import DataError, RunError
from stockcast.pipeline.pool_members import stored_scores
from stockcast.runs.evaluations import stored_evaluation
from stockcast.runs.listing import detail, summarize
from stockcast.runs.pools import newest_pool

WORKER = "stockcast.pipeline.pool_worker"


def write_bars(path: Path, seed: int, days: int = 700) -> None:
    path.parent.mkdir(exist_ok=True)
    make_bars(days, seed=seed).to_csv(path, index=False)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run that was trained on prices.csv, and price files that it has not seen."""
    home = tmp_path_factory.mktemp("trained")
    write_bars(home / "prices.csv", 0)
    for seed, name in enumerate(("AA", "BB", "CC"), start=1):
        write_bars(home / "folder" / f"{name}.csv", seed)
    write_bars(home / "folder" / "SHORT.csv", 9, days=60)
    (home / "folder" / "BAD.csv").write_text("Date,Close\n2010-01-04,1\n2010-01-05,x\n")
    (home / "tiny.yaml").write_text(QUICK + "target: {scale: volatility}\nsplit: {test: 0.3}\n")
    sc.train(sc.load_config(home / "tiny.yaml"), runs=home / "runs", name="mine", processes=1)
    return home


@pytest.fixture(scope="module")
def home(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same folder, for runs that are scored."""
    home = tmp_path_factory.mktemp("pool") / "home"
    shutil.copytree(trained, home)
    return home


@pytest.fixture(scope="module")
def scored(home: Path) -> subprocess.CompletedProcess[str]:
    """The folder scored once, by the command."""
    return stockcast("evaluate", "mine", "--data", "folder", cwd=home)


@pytest.fixture(scope="module")
def folder(home: Path, scored: subprocess.CompletedProcess[str]) -> Path:
    """Where the pool is."""
    (folder,) = (home / "runs" / "mine" / "evaluation").glob("pool-*")
    return folder


def evaluations(run: Path) -> dict[str, int]:
    """When each evaluation of a series was written."""
    return {path.parent.name: path.stat().st_mtime_ns for path in run.glob("evaluation-*/metrics.json")}


def test_files_that_cannot_be_scored_cost_their_own_rows_and_the_exit_code(
    scored: subprocess.CompletedProcess[str], folder: Path
) -> None:
    assert scored.returncode == 1
    said = scored.stderr[scored.stderr.index("stockcast: 2 of 5 series could not be scored:") :].splitlines()
    assert "BAD.csv, line 3, Close 'x'" in said[1]
    assert said[2].startswith("  SHORT: ")
    assert said[3] == f"All reasons are in runs/mine/evaluation/{folder.name}/series.csv."
    table = pd.read_csv(folder / "series.csv", keep_default_na=False)
    assert table["series"].tolist() == ["AA", "BAD", "BB", "CC", "SHORT"]
    reasons = dict(zip(table["series"], table["failure"], strict=True))
    assert "BAD.csv, line 3, Close 'x'" in reasons["BAD"]
    assert "SHORT.csv" in reasons["SHORT"]
    assert reasons["AA"] == reasons["BB"] == reasons["CC"] == ""


def test_each_series_has_the_scores_that_it_has_alone(home: Path, folder: Path) -> None:
    stated = json.loads((folder / "pool.json").read_text())
    rows = {row["series"]: row for row in stated["series"]}
    alone = sc.evaluate("mine", home / "folder" / "BB.csv", runs=home / "runs")
    stored = json.loads((home / "runs" / "mine" / rows["BB"]["folder"] / "metrics.json").read_text())
    assert stored == json.loads(json.dumps(alone.metrics))
    for step, comparison in alone.metrics["horizons"].items():
        best = min(comparison["baselines"], key=lambda name: comparison["baselines"][name]["crps"])
        assert rows["BB"][f"best_{step}"] == best
        assert rows["BB"][f"skill_{step}"] == pytest.approx(comparison["skill"][best], rel=1e-12)


def test_the_pooled_skill_is_the_mean_of_what_metrics_json_has(home: Path, folder: Path) -> None:
    stated = json.loads((folder / "pool.json").read_text())
    run = home / "runs" / "mine"
    metrics = [
        json.loads((run / f"evaluation-test-{name}" / "metrics.json").read_text()) for name in ("AA", "BB", "CC")
    ]
    for step, pooled in stated["horizons"].items():
        for name in ("ewma", "gjr_skewt"):
            skills = [one["horizons"][step]["skill"][name] for one in metrics]
            assert pooled["against"][name]["skill"] == pytest.approx(sum(skills) / 3)
            assert pooled["against"][name]["won"] == sum(skill > 0 for skill in skills)
        coverage = [one["horizons"][step]["model"]["coverage_50"] for one in metrics]
        assert pooled["coverage_50"] == pytest.approx(sum(coverage) / 3)
        storms = [one["horizons"][step]["regimes"]["storm"] for one in metrics]
        inside = sum(storm["origins"] * (storm["coverage_90"] or 0) for storm in storms)
        count = sum(storm["origins"] for storm in storms)
        assert pooled["regimes"].get("storm") == ({"origins": count, "coverage_90": pytest.approx(inside / count)}
                                                  if count else None)  # fmt: skip
    assert stated["overall"]["against"]["drift"]["skill"] == pytest.approx(
        sum(one["overall"]["skill"]["drift"] for one in metrics) / 3
    )


def test_the_pooled_test_is_that_of_the_stored_losses(home: Path, folder: Path) -> None:
    # All three series have the same days, so the differences of a day are the plain mean over the series.
    from stockcast.evaluation.significance import diebold_mariano

    run = home / "runs" / "mine"
    own, other = [], []
    for name in ("AA", "BB", "CC"):
        with np.load(run / f"evaluation-test-{name}" / "losses.npz") as arrays:
            losses = arrays["losses"]  # the network first, then the random walk
        own.append(losses[0, :, 0] / losses[1, :, 0].mean())
        other.append(losses[1, :, 0] / losses[1, :, 0].mean())
    expected = diebold_mariano(np.mean(own, axis=0), np.mean(other, axis=0), horizon=1)
    stated = json.loads((folder / "pool.json").read_text())["horizons"]["1"]["against"]["random_walk"]
    assert expected is not None
    assert stated["test"]["statistic"] == pytest.approx(expected.statistic, rel=1e-6)
    assert stated["dates"] == len(own[0])


def test_a_pool_has_its_table_verdict_and_figure(scored: subprocess.CompletedProcess[str], folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {"pool.json", "series.csv", "verdict.txt", "skill.png"}
    verdict = (folder / "verdict.txt").read_text().splitlines()
    assert verdict[-1].startswith("In short: over these 3 series")
    assert verdict[-1] in scored.stdout
    assert (folder / "skill.png").read_bytes().startswith(b"\x89PNG")
    assert "All together: 3 series by mine" in scored.stdout


def test_what_is_done_is_not_done_again(home: Path, folder: Path) -> None:
    run, before = home / "runs" / "mine", (folder / "pool.json").read_text()
    written = evaluations(run)
    again = stockcast("evaluate", "mine", "--data", "folder", "--no-plot", "--json", cwd=home)
    assert "3 of 5 series were scored before" in again.stderr
    assert evaluations(run) == written
    assert json.loads(again.stdout).items() <= json.loads(before).items()  # all but the time of its making


@pytest.mark.slow
def test_a_file_that_changed_is_scored_again_and_a_damaged_evaluation_too(trained: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(trained, home)
    stockcast("evaluate", "mine", "--data", "folder", "--no-plot", cwd=home)
    run = home / "runs" / "mine"
    written = evaluations(run)
    bars = pd.read_csv(home / "folder" / "AA.csv")
    bars.loc[len(bars) - 1, ["Close", "High"]] *= 1.01
    bars.to_csv(home / "folder" / "AA.csv", index=False)
    losses = run / "evaluation-test-BB" / "losses.npz"
    losses.write_bytes(losses.read_bytes()[:-100])
    again = stockcast("evaluate", "mine", "--data", "folder", "--no-plot", "--json", cwd=home)
    assert "1 of 5 series were scored before" in again.stderr
    now = evaluations(run)
    kept = [name for name in now if now[name] == written.get(name)]
    assert sorted(kept) == ["evaluation-test-AA", "evaluation-test-CC"]  # the new content of AA has a folder of its own
    assert len(list((run / "evaluation").glob("pool-*"))) == 2  # of other prices: neither overwrites the other


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("origins", 0.5), ("origins", -7), ("origins", 10**9), ("origins", 1e999), ("coverage_90", 7.0),
        ("coverage_90", float("inf")), ("coverage_90", None),
    ],
)  # fmt: skip
def test_regimes_that_cannot_be_are_called_damaged(home: Path, folder: Path, where: str, value: object) -> None:
    run = home / "runs" / "mine"
    stored = stored_evaluation(run, "test-AA")
    assert stored is not None
    stored.metrics["overall"]["regimes"]["storm"] = {"origins": 5, "coverage_90": 0.8, where: value}
    with pytest.raises(RunError, match="damaged"):
        stored_scores(run, "test-AA", "AA", stored)


def test_runs_list_has_the_score_of_the_pool(home: Path, folder: Path) -> None:
    run = home / "runs" / "mine"
    stated = json.loads((folder / "pool.json").read_text())["overall"]["against"]
    worst = min((name for name in stated if name != "best"), key=lambda name: stated[name]["skill"])
    summary = summarize(run)
    assert (summary.baseline, summary.members) == (worst, 3)
    assert summary.skill == pytest.approx(stated[worst]["skill"])
    assert f"vs {worst}, mean of 3 series" in stockcast("runs", "list", cwd=home).stdout
    shown = stockcast("runs", "show", "mine", cwd=home).stdout
    assert f"verdict on 3 series, evaluation/{folder.name}:" in shown
    assert detail(run).to_json()["pool"]["members"] == 3
    assert summary.condition.state == "whole"


@pytest.mark.slow
def test_a_pool_of_chosen_days_stands_in_for_none_of_the_test_days(home: Path, folder: Path) -> None:
    late = stockcast("evaluate", "mine", "--data", "folder/AA.csv", "--data", "folder/BB.csv", "--from", "2012-04-02",
                     "-q", cwd=home)  # fmt: skip
    assert late.returncode == 0, late.stderr
    pools = sorted(path.name for path in folder.parent.glob("pool-*"))
    assert len(pools) == 2
    assert any(name.startswith("pool-2-sources-2012-04-02-") for name in pools)
    newest = newest_pool(home / "runs" / "mine")
    assert newest is not None
    assert (newest.folder, newest.members) == (f"evaluation/{folder.name}", 3)


def test_from_python_a_pool_is_a_value_with_a_frame(home: Path, folder: Path) -> None:
    done: list[tuple[str, int, int | None]] = []
    callbacks = sc.Callbacks(on_series=lambda *progress: done.append(progress))
    pool = sc.evaluate_pool("mine", home / "folder", runs=home / "runs", callbacks=callbacks)
    assert sorted(name for name, _, _ in done) == ["AA", "BAD", "BB", "CC", "SHORT"]
    assert [progress[1:] for progress in done] == [(number, 5) for number in range(1, 6)]
    frame = pool.to_frame()
    assert [*frame.columns[:3]] == ["series", "days_ahead", "baseline"]
    assert len(frame) == 3 * 2 * 6  # series, days ahead, baselines
    np.testing.assert_allclose(frame["skill"], 1 - frame["loss"] / frame["baseline_loss"])
    assert frame.groupby(["series", "days_ahead"])["is_best"].sum().eq(1).all()
    assert set(pool.failures) == {"BAD", "SHORT"}
    assert pool.name in folder.name


@pytest.mark.slow
def test_series_of_one_name_and_copies_never_share_a_folder(trained: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(trained, home)
    write_bars(home / "other" / "AA.csv", 5)
    shutil.copy(home / "folder" / "BB.csv", home / "other" / "COPY.csv")
    sources = [home / "folder" / "AA.csv", home / "folder" / "BB.csv", home / "other"]
    pool = sc.evaluate_pool("mine", sources, runs=home / "runs")
    names = [one.name for one in pool.pool.series]
    assert len(names) == 3
    assert [name.partition("-")[0] for name in names] == ["AA", "AA", "BB"]
    assert len(set(pool.labels.values())) == 3
    assert pool.failures == {"COPY": "It is the same series as BB, which is scored already."}


def test_standard_input_takes_no_part_in_a_pool(home: Path) -> None:
    with pytest.raises(DataError) as refused:
        sc.evaluate_pool("mine", ["-", home / "folder" / "AA.csv"], runs=home / "runs")
    assert (refused.value.key, refused.value.value) == ("--data", "-")


def test_a_dataframe_takes_no_part_in_a_pool(home: Path) -> None:
    with pytest.raises(DataError, match="not a DataFrame") as refused:
        sc.evaluate_pool("mine", [make_bars()], runs=home / "runs")  # type: ignore[list-item]
    assert refused.value.value == "DataFrame"


def test_a_folder_without_a_price_file_is_refused(home: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("none")
    with pytest.raises(DataError) as refused:
        sc.evaluate_pool("mine", tmp_path, runs=home / "runs")
    assert (refused.value.key, refused.value.file) == ("--data", str(tmp_path))


def test_a_pool_of_which_nothing_can_be_scored_is_an_error_with_the_reasons(home: Path, tmp_path: Path) -> None:
    (tmp_path / "BAD.csv").write_text("Date,Close\n2010-01-04,x\n")
    with pytest.raises(DataError, match=r"BAD: .*line 2"):
        sc.evaluate_pool("mine", tmp_path, runs=home / "runs")


@pytest.mark.slow
def test_an_interrupted_pool_leaves_no_process_and_goes_on_where_it_was(trained: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(trained, home)
    command = [*STOCKCAST, "evaluate", "mine", "--data", "folder"]
    with subprocess.Popen(command, cwd=home, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        next(line for line in process.stderr if " of 5  " in line and "BAD" not in line)
        workers = children(process.pid, WORKER)
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert "Repeat the command to go on" in rest
    assert workers
    assert eventually(lambda: not any(map(is_running, workers)))
    before = evaluations(home / "runs" / "mine")
    again = in_a_process("evaluate", "mine", "--data", "folder", "--json", cwd=home)
    assert f"{len(before)} of 5 series were scored before" in again.stderr
    assert evaluations(home / "runs" / "mine").items() >= before.items()
    undisturbed = stockcast("evaluate", "mine", "--data", "folder", "--json", cwd=home)
    assert json.loads(again.stdout) == json.loads(undisturbed.stdout)


@pytest.mark.slow
def test_a_worker_that_dies_costs_the_series_that_it_was_at(trained: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(trained, home)
    killed: list[int] = []

    def kill(name: str, done: int, of: int | None) -> None:
        if done == 1:
            time.sleep(0.5)  # so that the others are at a series
            killed.extend(children(os.getpid(), WORKER)[:1])
            os.kill(killed[0], signal.SIGKILL)

    pool = sc.evaluate_pool("mine", home / "folder", runs=home / "runs", callbacks=sc.Callbacks(on_series=kill))
    lost = [name for name, reason in pool.failures.items() if "SIGKILL" in reason]
    assert len(killed) == 1
    assert len(lost) <= 1  # it may just have been between two series
    assert len(pool.pool.series) + len(pool.failures) == 5
