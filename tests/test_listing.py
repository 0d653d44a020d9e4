"""What `stockcast runs` knows of runs, without a network: the files of a made-up run say enough."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from program import stockcast

from stockcast.cli.text_table import table
from stockcast.errors import RunError
from stockcast.runs import RunDirectory
from stockcast.runs.integrity import check_integrity
from stockcast.runs.listing import detail, list_runs, locate
from stockcast.runs.score_table import compare_runs

SERIES = [{"name": f"{name}.csv", "path": f"/{name}.csv", "sha256": "0"} for name in ("SP500", "GE", "IBM")]


def make_run(root: Path, name: str, *, metrics: dict | None = None, verdict: str = "") -> Path:
    run = RunDirectory.create(root, config_name="sp500", name=name)
    run.checkpoints.begin("name: sp500\nwindow: 5\n", {})
    run.write_json("scaler.json", {"features": {"center": [0.1]}})
    run.write_network(
        save_weights=lambda path: path.write_bytes(b"w"), export=lambda path: path.write_bytes(b"onnx"), room=1
    )
    run.finish({"seed": 0, "series": SERIES, "training": {"epochs": 7}})
    if metrics is not None:
        (run.path / "evaluation").mkdir()
        (run.path / "evaluation" / "metrics.json").write_text(json.dumps(metrics))
        (run.path / "evaluation" / "verdict.txt").write_text(verdict)
    return run.path


def metrics(crps: float = 0.005, *, sha256: str = "aa", first: str = "2015-01-02", steps: tuple = (1, 5)) -> dict:
    one = {
        "model": {"crps": crps, "coverage_90": 0.91},
        "skill": {"random_walk": 0.02, "ewma": -0.01, "broken": "no number"},
    }
    return {
        "data": {"name": "SP500.csv", "sha256": sha256},
        "split": {"first_origin": first, "last_target": "2018-12-31"},
        "horizons": {str(step): one for step in steps},
        "overall": one,
    }


def test_a_run_is_whole_if_every_file_is_the_one_that_training_wrote(tmp_path: Path) -> None:
    assert check_integrity(make_run(tmp_path, "mine")).state == "whole"


def change(path: Path) -> None:
    (path / "scaler.json").write_text("{}")


def lose(path: Path) -> None:
    (path / "model.onnx").unlink()


def add(path: Path) -> None:
    (path / "payload.pkl").write_text("")


def lead_out(path: Path) -> None:
    (path / "plots").symlink_to("/usr")


def lead_out_of_the_evaluation(path: Path) -> None:
    (path / "evaluation").symlink_to("/usr")


def list_less(name: str):
    def harm(path: Path) -> None:
        manifest = json.loads((path / "run.json").read_text())
        del manifest["files"][name]
        (path / "run.json").write_text(json.dumps(manifest))

    return harm


def test_a_run_whose_network_has_no_onnx_form_is_whole_without_it(tmp_path: Path) -> None:
    path = make_run(tmp_path, "mine")
    list_less("model.onnx")(path)
    (path / "model.onnx").unlink()
    assert check_integrity(path).state == "whole"


@pytest.mark.parametrize(
    ("harm", "fault"),
    [
        (change, "scaler.json: it is not the file that training wrote"),
        (lose, "model.onnx: it is missing"),
        (add, "payload.pkl: it does not belong to the run"),
        (lead_out, "plots: it is a link that leads out"),
        (lead_out_of_the_evaluation, "evaluation: it is a link that leads out"),
        (list_less("model.weights.h5"), "model.weights.h5: run.json does not list it"),
        (list_less("model.onnx"), "model.onnx: it does not belong to the run"),
    ],
)
def test_a_damaged_run_names_the_file(harm, fault: str, tmp_path: Path) -> None:
    path = make_run(tmp_path, "mine")
    harm(path)
    found = check_integrity(path)
    assert found.state == "damaged"
    assert any(one.startswith(fault) for one in found.faults), found.faults


def test_what_evaluate_and_predict_wrote_belongs_to_the_run(tmp_path: Path) -> None:
    path = make_run(tmp_path, "mine", metrics=metrics())
    for folder in ("rivals", "predictions/SP500-2018-12-31", "evaluation-test-GE/plots"):
        (path / folder).mkdir(parents=True)
        (path / folder / "file").write_text("")
    assert check_integrity(path).faults == ()


def test_a_run_without_its_manifest_is_unfinished_and_no_fault(tmp_path: Path) -> None:
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "begun.json").write_text('{"created": "2026-01-02T03:04:05+00:00", "series": [{"name": "a"}]}')
    (found,) = list_runs(tmp_path)
    assert (found.condition.state, found.condition.faults) == ("unfinished", ())
    assert (found.created, found.series) == ("2026-01-02 03:04", "a")


def begin(root: Path, name: str, *, created: str, epochs: dict[int, int]) -> RunDirectory:
    """A training that was begun, with checkpoints of so many epochs of each member."""
    run = RunDirectory.create(root, config_name="sp500", name=name)
    run.checkpoints.begin("name: sp500\n", {})
    begun = json.loads((run.path / "begun.json").read_text())
    (run.path / "begun.json").write_text(json.dumps({**begun, "created": created}))
    for member, last in epochs.items():
        for epoch in range(1, last + 1):
            run.checkpoints.write(member, epoch, {"network": np.zeros(1)})
    return run


def test_what_is_being_trained_comes_first_and_what_was_interrupted_by_its_last_checkpoint(tmp_path: Path) -> None:
    done = make_run(tmp_path, "done")
    manifest = json.loads((done / "run.json").read_text())
    (done / "run.json").write_text(json.dumps({**manifest, "created": "2026-03-01T12:00:00+00:00"}))
    running = begin(tmp_path, "running", created="2026-01-01T00:00:00+00:00", epochs={1: 3, 2: 2})
    stopped = begin(tmp_path, "stopped", created="2026-01-02T00:00:00+00:00", epochs={1: 4})
    untrained = begin(tmp_path, "untrained", created="2026-02-01T00:00:00+00:00", epochs={})
    for file in (stopped.path / "checkpoints").iterdir():
        os.utime(file, (1772400000, 1772400000))  # date -u -d @1772400000: 2026-03-01 21:20
    (untrained.path / ".lock").write_text("")  # what a killed process leaves
    with running.checkpoints.locked():
        found = list_runs(tmp_path)
    assert [(run.name, run.is_training, run.to_json()["ended"], run.epochs_by_member) for run in found] == [
        ("running", True, None, (3, 2)),
        ("stopped", False, "2026-03-01 21:20", (4,)),
        ("done", False, "2026-03-01 12:00", ()),
        ("untrained", False, "2026-02-01 00:00", ()),
    ]
    assert [run.condition.state for run in found] == ["unfinished", "unfinished", "whole", "unfinished"]
    assert found[0].epochs == 5


def test_the_table_of_runs_names_the_state_and_the_epochs_of_each_member(tmp_path: Path) -> None:
    running = begin(tmp_path / "runs", "running", created="2026-01-01T00:00:00+00:00", epochs={1: 3, 2: 2})
    begin(tmp_path / "runs", "stopped", created="2026-01-02T00:00:00+00:00", epochs={1: 2, 2: 2})
    with running.checkpoints.locked():
        _, first, second = stockcast("runs", "list", cwd=tmp_path).stdout.splitlines()
    assert first.split("  ")[:2] == ["running", "being trained since 2026-01-01 00:00"]
    assert first.endswith("3 + 2")
    assert "interrupted" in second
    assert second.endswith("2 x 2")


def test_a_run_is_shown_in_a_screenful_and_in_full_where_asked_for(tmp_path: Path) -> None:
    path = make_run(tmp_path / "runs", "mine", verdict="", metrics=metrics())
    manifest = json.loads((path / "run.json").read_text())
    long = {f"key{number}": {"inner": list(range(30))} for number in range(80)}
    (path / "run.json").write_text(json.dumps({**manifest, **long}))
    (path / "evaluation" / "verdict.txt").write_text("One.\nIn short: two.\n")
    for columns in ("40", "80", "120"):
        shown = stockcast("runs", "show", "mine", cwd=tmp_path, COLUMNS=columns).stdout.splitlines()
        assert len(shown) <= 60
        assert max(map(len, shown)) <= int(columns)
        assert shown[-1] == "All of it: --verbose, or --json."
    full = stockcast("runs", "show", "mine", "--verbose", cwd=tmp_path).stdout
    assert "key79" in full
    assert "One." in full
    assert "key79" in stockcast("runs", "show", "mine", "--json", cwd=tmp_path).stdout


def test_runs_are_listed_newest_first_and_damaged_ones_do_not_stand_in_the_way(tmp_path: Path) -> None:
    older, newer = make_run(tmp_path, "older"), make_run(tmp_path, "newer", metrics=metrics())
    manifest = json.loads((older / "run.json").read_text())
    (older / "run.json").write_text(json.dumps({**manifest, "created": "2020-01-01T00:00:00+01:00"}))
    (make_run(tmp_path, "damaged") / "run.json").write_text("{")
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "no-run").mkdir()
    found = list_runs(tmp_path)
    assert [(one.name, one.condition.state) for one in found] == [
        ("newer", "whole"),
        ("older", "whole"),
        ("damaged", "damaged"),
    ]
    assert found[1].created == "2019-12-31 23:00"
    assert (found[0].series, found[0].epochs) == ("SP500 and 2 more", 7)
    assert (found[0].baseline, found[0].to_json()["rival"], found[0].skill) == ("ewma", "ewma", -0.01)
    assert newer.name == found[0].name


@pytest.mark.parametrize(
    "manifest",
    [
        {"created": "not a time", "series": 3, "training": [], "files": {}},
        {"created": "9999-12-31T23:59:59-23:59", "series": [None], "training": {"epochs": "x"}, "files": {"a": [1]}},
        {"created": "0001-01-01T00:00:00+23:59", "series": [{"name": 5}], "training": {"epochs": 10**400}, "files": {}},
        {"created": "x" * 100_000, "series": [{"name": "\x1b]0;owned\x07"}], "files": {"../x": "y"}},
    ],
)
def test_values_of_the_wrong_kind_count_as_not_there(manifest: dict, tmp_path: Path) -> None:
    path = make_run(tmp_path, "mine")
    (path / "run.json").write_text(json.dumps(manifest))
    (found,) = list_runs(tmp_path)
    assert found.condition.state == "damaged"
    shown = json.dumps([found.to_json(), detail(path).to_json()], allow_nan=False, ensure_ascii=False)
    assert "\x1b" not in shown


def test_a_link_out_of_the_folder_is_told_and_not_entered(tmp_path: Path) -> None:
    make_run(tmp_path / "elsewhere", "mine")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "link").symlink_to(tmp_path / "elsewhere" / "mine")
    (found,) = list_runs(tmp_path / "runs")
    assert (found.condition.state, found.epochs) == ("damaged", None)
    with pytest.raises(RunError, match="leads out") as refused:
        locate(tmp_path / "runs", "link")
    assert refused.value.file == str(tmp_path / "runs" / "link")
    assert locate(tmp_path / "runs", str(tmp_path / "elsewhere" / "mine"))


def test_the_details_of_a_run_leave_no_hash_list_and_keep_the_config(tmp_path: Path) -> None:
    path = make_run(tmp_path, "mine", metrics=metrics(), verdict="One.\nIn short: two.\n")
    found = detail(path)
    assert found.config == "name: sp500\nwindow: 5\n"
    assert found.verdict == ["One.", "In short: two."]
    assert found.to_json()["config"] == {"name": "sp500", "window": 5}
    assert "files" not in found.made
    (path / "config.yaml").write_text("name: other\n")
    assert detail(path).config is None


def test_scores_stand_side_by_side(tmp_path: Path) -> None:
    better = metrics(0.004)  # four fifths of 0.005: against the same walk, 1 - 0.98 x 4/5
    better["overall"]["skill"] = {"random_walk": 0.216, "ewma": 0.192}
    found = compare_runs([make_run(tmp_path, "a", metrics=metrics()), make_run(tmp_path, "b", metrics=better)])
    assert found.runs == ("a", "b")
    assert list(found.horizons) == ["1", "5", "all"]
    assert [one.crps for one in found.horizons["5"]] == [0.005, 0.004]
    assert found.horizons["all"][0].skill == {"random_walk": 0.02, "ewma": -0.01}
    assert found.to_json()["horizons"]["1"]["b"]["coverage_90"] == 0.91


def test_a_rival_whose_score_is_another_in_each_run_is_left_out(tmp_path: Path) -> None:
    other = metrics(0.004)
    other["overall"]["skill"] = {"random_walk": 0.02, "ewma": 0.192}  # that walk scored less, and was another one
    found = compare_runs([make_run(tmp_path, "a", metrics=metrics()), make_run(tmp_path, "b", metrics=other)])
    assert found.apart == ("random_walk",)
    assert [list(one.skill) for each in found.horizons.values() for one in each] == 6 * [["ewma"]]
    assert found.to_json()["rivals_apart"] == ["random_walk"]
    lacking = metrics(0.004)
    lacking["overall"]["skill"] = {"ewma": 0.192}
    found = compare_runs([make_run(tmp_path, "c", metrics=metrics()), make_run(tmp_path, "d", metrics=lacking)])
    assert found.apart == ("random_walk",)


def test_runs_that_look_as_far_as_each_other_only_in_part_are_not_compared_over_all_steps(tmp_path: Path) -> None:
    paths = [
        make_run(tmp_path, "a", metrics=metrics(steps=(1, 5))),
        make_run(tmp_path, "b", metrics=metrics(steps=(1, 20))),
    ]
    assert list(compare_runs(paths).horizons) == ["1"]


@pytest.mark.parametrize(
    ("other", "key", "values"),
    [
        (metrics(sha256="bb"), "data.sha256", ["aa", "bb"]),
        (metrics(first="2016-01-04"), "split.first_origin", ["2015-01-02", "2016-01-04"]),
        ({}, "data.sha256", None),
    ],
)
def test_runs_scored_on_other_days_or_prices_are_not_compared(
    other: dict, key: str, values: list[str] | None, tmp_path: Path
) -> None:
    paths = [make_run(tmp_path, "a", metrics=metrics()), make_run(tmp_path, "b", metrics=other)]
    with pytest.raises(RunError) as refused:
        compare_runs(paths)
    assert (refused.value.key, refused.value.value) == (key, values)


def test_a_run_without_scores_a_damaged_one_and_one_alone_are_not_compared(tmp_path: Path) -> None:
    scored, bare = make_run(tmp_path, "a", metrics=metrics()), make_run(tmp_path, "b")
    with pytest.raises(RunError, match="stockcast evaluate b") as refused:
        compare_runs([scored, bare])
    assert refused.value.file == str(bare / "evaluation" / "metrics.json")
    with pytest.raises(RunError) as refused:
        compare_runs([scored, scored])
    assert refused.value.value == ["a", "a"]
    change(bare)
    with pytest.raises(RunError) as refused:
        compare_runs([scored, bare])
    assert (refused.value.file, refused.value.value) == (str(bare), "damaged")


def test_a_table_that_is_too_wide_becomes_blocks_and_cuts_no_word() -> None:
    rows = [("first", "whole", "CRPS skill +1.2 % vs ewma"), ("second", "", "")]
    wide = table(("run", "state", "on its test days"), rows, width=None)
    assert wide[1] == "first   whole  CRPS skill +1.2 % vs ewma"
    narrow = table(("run", "state", "on its test days"), rows, width=30)
    assert narrow == ["first", "  state: whole", "  on its test days: CRPS skill", "    +1.2 % vs ewma", "second"]
    assert max(map(len, narrow)) <= 30


def pool(*, members: object = 3, created: str = "2026-01-02", start: object = None, skill: object = 0.04) -> dict:
    return {
        "created": created,
        "split": {"part": "test", "start": start, "insist": False},
        "members": members,
        "overall": {"against": {"ewma": {"skill": skill}, "drift": {"skill": 0.2}, "best": {"skill": -0.1}}},
        "verdict": ["One.", f"In short: {members}."],
    }


def add_pool(path: Path, name: str, stated: dict) -> Path:
    folder = path / "evaluation" / f"pool-{name}"
    folder.mkdir(parents=True)
    (folder / "pool.json").write_text(json.dumps(stated))
    return folder


def test_the_newest_pool_of_the_test_days_stands_for_the_run(tmp_path: Path) -> None:
    path = make_run(tmp_path, "mine", metrics=metrics(), verdict="In short: of the first series.\n")
    add_pool(path, "a", pool(members=5, created="2026-03-01"))
    add_pool(path, "b", pool(members=4, created="2026-02-01"))
    add_pool(path, "c", pool(members=9, created="2026-05-01", start="2018-01-02"))  # of chosen days
    (found,) = list_runs(tmp_path)
    assert (found.members, found.baseline, found.skill, found.score) == (5, "ewma", 0.04, "CRPS")
    assert found.verdict == "In short: 5."
    shown = detail(path)
    assert shown.verdict == ["In short: of the first series."]
    assert shown.pool is not None
    assert (shown.pool.folder, shown.pool.verdict) == ("evaluation/pool-a", ("One.", "In short: 5."))


@pytest.mark.parametrize(
    "stated",
    [
        pool(members="many"),
        pool(members=None),
        {"members": 3, "split": ["test"]},
        {**pool(), "overall": {"against": [1]}, "verdict": {"a": 1}},
        {**pool(skill="x"), "created": 5, "verdict": [None, "\x1b]0;owned\x07"]},
    ],
)
def test_a_pool_of_the_wrong_kinds_breaks_nothing(stated: dict, tmp_path: Path) -> None:
    path = make_run(tmp_path, "mine", metrics=metrics())
    add_pool(path, "a", stated)
    shown = json.dumps([list_runs(tmp_path)[0].to_json(), detail(path).to_json()], allow_nan=False, ensure_ascii=False)
    assert "\x1b" not in shown


def test_a_pool_outside_of_the_run_is_not_read(tmp_path: Path) -> None:
    path = make_run(tmp_path / "runs", "mine", metrics=metrics())
    outside = add_pool(tmp_path / "elsewhere", "a", pool())
    (path / "evaluation" / "pool-a").symlink_to(outside)
    (found,) = list_runs(tmp_path / "runs")
    assert (found.members, found.condition.state) == (None, "damaged")
