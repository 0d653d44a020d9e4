import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from stockcast.errors import RunError
from stockcast.forecasting.predictor import Predictor
from stockcast.runs import RunDirectory


def make_run(root: Path, name: str | None = None) -> RunDirectory:
    run = RunDirectory.create(root, config_name="sp500", name=name)
    run.checkpoints.begin("name: sp500\n", {"series": []})
    run.write_json("scaler.json", {"features": {"center": [0.1]}})
    run.write_network(
        save_weights=lambda path: path.write_bytes(b"w"), export=lambda path: path.write_bytes(b"onnx"), room=1
    )
    run.finish({"seed": 0})
    return run


def test_a_run_is_named_after_its_config_and_the_time_in_utc(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path, config_name="sp500", name=None)
    assert re.fullmatch(r"sp500-\d{8}T\d{6}Z", run.name)


def test_two_runs_of_the_same_second_get_two_directories(tmp_path: Path) -> None:
    assert len({RunDirectory.create(tmp_path, config_name="sp500", name=None).path for _ in range(3)}) == 3


def test_a_name_that_is_taken_is_refused_and_nothing_is_touched(tmp_path: Path) -> None:
    make_run(tmp_path, "mine")
    before = sorted(path.name for path in (tmp_path / "mine").iterdir())
    with pytest.raises(RunError) as refused:
        RunDirectory.create(tmp_path, config_name="sp500", name="mine")
    assert (refused.value.file, refused.value.key, refused.value.value) == (str(tmp_path / "mine"), "--name", "mine")
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == before


@pytest.mark.parametrize("name", ["../escape", "/absolute", "a/b", "..", ".", ".hidden", "nul\0", ""])
def test_a_name_that_leads_elsewhere_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(RunError) as refused:
        RunDirectory.create(tmp_path / "runs", config_name="sp500", name=name)
    assert (refused.value.key, refused.value.value) == ("--name", name)
    assert not list(tmp_path.iterdir())


def test_the_newest_finished_run_is_found_and_an_unfinished_one_is_not(tmp_path: Path) -> None:
    make_run(tmp_path, "zzz-older")
    newer = make_run(tmp_path, "aaa-newer")
    RunDirectory.create(tmp_path, config_name="sp500", name="unfinished")
    assert RunDirectory.find(tmp_path, None) == newer


def test_a_damaged_run_does_not_stand_in_the_way_of_the_others(tmp_path: Path) -> None:
    whole = make_run(tmp_path, "whole")
    (make_run(tmp_path, "damaged").path / "run.json").write_text("{")
    assert RunDirectory.find(tmp_path, None) == whole


def test_a_folder_that_cannot_be_written_to_is_told_by_its_name(tmp_path: Path) -> None:
    run = make_run(tmp_path, "mine")
    (tmp_path / "a-file").write_text("")
    with pytest.raises(RunError) as refused:
        run.write_table(tmp_path / "a-file" / "forecast.csv", [{"date": 1}])
    assert refused.value.file == str(tmp_path / "a-file")


def test_an_unfinished_run_is_refused(tmp_path: Path) -> None:
    RunDirectory.create(tmp_path, config_name="sp500", name="half")
    with pytest.raises(RunError, match="unfinished") as refused:
        RunDirectory.find(tmp_path, "half")
    assert refused.value.file == str(tmp_path / "half")


def test_a_run_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    make_run(tmp_path, "mine")
    with pytest.raises(RunError, match="mine") as refused:
        RunDirectory.find(tmp_path, "yours")
    assert (refused.value.file, refused.value.value) == (str(tmp_path), "yours")
    with pytest.raises(RunError, match="stockcast train") as refused:
        RunDirectory.find(tmp_path / "empty", None)
    assert (refused.value.file, refused.value.key) == (str(tmp_path / "empty"), "--runs")


@pytest.mark.parametrize("kind", [str, Path, RunDirectory])
@pytest.mark.parametrize(
    ("name", "word"), [("nowhere", "No run named"), ("file", "is a file, not a run"), ("bare", "run.json")]
)
def test_a_path_that_is_no_run_is_refused_from_python_as_by_the_command(
    name: str, word: str, kind: Callable[[Path], str | Path | RunDirectory], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "bare").mkdir()
    path = tmp_path / name
    with pytest.raises(RunError, match=word) as refused:
        Predictor.load(kind(path), runs=tmp_path / "runs")
    assert str(path) in (refused.value.file, refused.value.value)


def test_a_run_is_found_by_its_path_too(tmp_path: Path) -> None:
    run = make_run(tmp_path, "mine")
    assert RunDirectory.find(tmp_path / "elsewhere", str(run.path)).name == "mine"


def test_the_manifest_lists_every_file_and_comes_last(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    manifest = run.manifest()
    assert manifest["status"] == "finished"
    assert set(manifest["files"]) == {"config.yaml", "scaler.json", "model.weights.h5", "model.onnx"}
    # sha256 of the four bytes "onnx", as `printf onnx | sha256sum` prints it
    assert manifest["files"]["model.onnx"] == "87e93f89f2be0db364e8be052f79f389e6c2da239831922e24513288af522a43"


@pytest.mark.parametrize(
    ("file", "read"),
    [
        ("config.yaml", RunDirectory.config_path),
        ("scaler.json", RunDirectory.scalers),
        ("model.onnx", RunDirectory.onnx_path),
    ],
)
def test_one_changed_bit_in_a_file_is_found_out_before_it_is_used(
    file: str, read: Callable[[RunDirectory], object], tmp_path: Path
) -> None:
    run = make_run(tmp_path)
    content = bytearray((run.path / file).read_bytes())
    content[-1] ^= 1
    (run.path / file).write_bytes(content)
    with pytest.raises(RunError, match="damaged") as refused:
        read(run)
    assert refused.value.file == str(run.path / file)


def test_a_damaged_manifest_is_told_by_name(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    (run.path / "run.json").write_text("{")
    with pytest.raises(RunError, match="damaged") as refused:
        run.manifest()
    assert refused.value.file == str(run.path / "run.json")


def test_a_write_that_fails_leaves_what_stood_before(tmp_path: Path) -> None:
    run = make_run(tmp_path)

    def fail(path: Path) -> None:
        path.write_bytes(b"half of")
        raise OSError(28, os.strerror(28))

    with pytest.raises(RunError, match="No space left") as refused:
        run.write_network(save_weights=lambda path: path.write_bytes(b"w"), export=fail, room=1)
    assert refused.value.file == str(run.path / "model.onnx")
    assert (run.path / "model.onnx").read_bytes() == b"onnx"
    assert not [path for path in run.path.iterdir() if "partial" in path.name]


def test_nothing_is_written_through_a_link_that_leads_out_of_the_run(tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs", "mine")
    outside = tmp_path / "outside"
    outside.mkdir()
    (run.path / "plots").symlink_to(outside)
    with pytest.raises(RunError) as refused:
        run.write_table("plots/history.csv", [{"date": 1}])
    assert refused.value.file == str(run.path / "plots")
    (outside / "secret").write_text("secret")
    (run.path / f".partial-{os.getpid()}-history.csv").symlink_to(outside / "secret")
    run.write_table("history.csv", [{"epoch": 1}])
    assert (outside / "secret").read_text() == "secret"
    assert (run.path / "history.csv").read_text() == "epoch\n1\n"
    assert [path.name for path in outside.iterdir()] == ["secret"]


def test_the_newest_run_is_never_one_that_a_link_leads_to(tmp_path: Path) -> None:
    older = make_run(tmp_path / "runs", "older")
    elsewhere = make_run(tmp_path / "elsewhere", "newer")
    (tmp_path / "runs" / "newer").symlink_to(elsewhere.path)
    assert RunDirectory.find(tmp_path / "runs", None) == older
    for name in ("newer", str(tmp_path / "runs" / "newer")):
        with pytest.raises(RunError, match="leads out") as refused:
            RunDirectory.find(tmp_path / "runs", name)
        assert refused.value.file == str(tmp_path / "runs" / "newer")
    assert RunDirectory.find(tmp_path / "runs", str(elsewhere.path)) == elsewhere
