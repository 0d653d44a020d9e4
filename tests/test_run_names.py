"""How a run is named: in full, or by the beginning of a name that no other has."""

from pathlib import Path

import pytest
from program import stockcast

from stockcast.errors import RunError
from stockcast.runs import RunDirectory, layout
from stockcast.runs.listing import list_runs, locate


def make_run(root: Path, name: str, *, finished: bool = True) -> RunDirectory:
    run = RunDirectory.create(root, config_name="sp500", name=name)
    run.checkpoints.begin("name: sp500\n", {})
    if finished:
        run.write_json("scaler.json", {})
        run.write_network(
            save_weights=lambda path: path.write_bytes(b"w"), export=lambda path: path.write_bytes(b"onnx"), room=1
        )
        run.finish({"seed": 0, "series": [], "training": {"epochs": 7}})
    return run


def test_the_beginning_of_one_name_means_that_run_to_every_way_of_finding_one(tmp_path: Path) -> None:
    run = make_run(tmp_path, "quick-20260101T000000Z")
    make_run(tmp_path, "slow-20260102T000000Z")
    assert RunDirectory.find(tmp_path, "quick") == run
    assert locate(tmp_path, "q") == run.path
    half = make_run(tmp_path, "half-1", finished=False)
    assert RunDirectory.find_unfinished(tmp_path, "ha") == half
    with pytest.raises(RunError, match="No run named 'uick'"):
        RunDirectory.find(tmp_path, "uick")


def test_a_beginning_of_several_names_is_refused_with_the_names(tmp_path: Path) -> None:
    for name in ("quick-1", "quick-2", "slow"):
        make_run(tmp_path, name)
    with pytest.raises(RunError, match="quick-1 and quick-2") as refused:
        RunDirectory.find(tmp_path, "quick")
    assert (refused.value.file, refused.value.value) == (str(tmp_path), "quick")
    assert "slow" not in str(refused.value)


def test_a_name_in_full_wins_over_longer_names(tmp_path: Path) -> None:
    exact = make_run(tmp_path, "quick")
    make_run(tmp_path, "quick-2")
    assert RunDirectory.find(tmp_path, "quick") == exact
    assert locate(tmp_path, "quick") == exact.path


def test_an_abbreviation_means_runs_of_the_kind_that_is_needed(tmp_path: Path) -> None:
    done, half = make_run(tmp_path, "quick-1"), make_run(tmp_path, "quick-2", finished=False)
    assert RunDirectory.find(tmp_path, "quick") == done
    assert RunDirectory.find_unfinished(tmp_path, "quick") == half
    with pytest.raises(RunError, match="quick-1 and quick-2"):
        locate(tmp_path, "quick")  # either may be shown
    only = make_run(tmp_path, "slow-1", finished=False)
    with pytest.raises(RunError, match=f"{only.path} is unfinished"):
        RunDirectory.find(tmp_path, "slow")


def test_pretrained_is_the_name_of_one_run_and_the_beginning_of_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(tmp_path / "runs", "pretrained-2")
    with pytest.raises(RunError, match="No run named 'pretrained'"):
        RunDirectory.find(tmp_path / "runs", "pretrained")
    shipped = make_run(tmp_path / "package", "shipped")
    monkeypatch.setattr(layout, "pretrained_folder", lambda: shipped.path)
    assert RunDirectory.find(tmp_path / "runs", "pretrained").path == shipped.path


def test_a_folder_that_happens_to_have_the_abbreviation_as_its_name_is_not_taken_for_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run(tmp_path / "runs", "quick-1")
    (tmp_path / "quick").mkdir()
    monkeypatch.chdir(tmp_path)
    assert RunDirectory.find(Path("runs"), "quick").path.resolve() == run.path


def test_a_link_out_of_the_folder_is_never_what_an_abbreviation_means(tmp_path: Path) -> None:
    elsewhere = make_run(tmp_path / "elsewhere", "mine")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "link-1").symlink_to(elsewhere.path)
    with pytest.raises(RunError, match="No run named 'link'"):
        RunDirectory.find(tmp_path / "runs", "link")


def test_what_is_hidden_is_no_run(tmp_path: Path) -> None:
    make_run(tmp_path, "mine").path.rename(tmp_path / ".removed-1-mine")
    assert list_runs(tmp_path) == []
    with pytest.raises(RunError, match="No finished run"):
        RunDirectory.find(tmp_path, None)
    with pytest.raises(RunError, match="No run named"):
        RunDirectory.find(tmp_path, ".removed")


def test_show_takes_the_newest_run_or_the_beginning_of_a_name(tmp_path: Path) -> None:
    make_run(tmp_path / "runs", "older")
    make_run(tmp_path / "runs", "newer")
    assert stockcast("runs", "show", cwd=tmp_path).stdout.splitlines()[0] == "newer: whole"
    assert stockcast("runs", "show", "old", cwd=tmp_path).stdout.splitlines()[0] == "older: whole"
