"""`runs delete`: all of a run goes or nothing, never what is another's, and never without a yes."""

import io
import json
import os
import sys
from pathlib import Path

import pytest
from program import stockcast
from test_run_names import make_run

from stockcast.errors import RunError
from stockcast.runs import RunDirectory, layout, removal
from stockcast.runs.removal import check_removable, remove


class Terminal(io.StringIO):
    """Standard input where somebody types."""

    def isatty(self) -> bool:
        return True


def bytes_in(path: Path) -> int:
    return sum(len(file.read_bytes()) for file in path.rglob("*") if file.is_file())


def test_a_yes_removes_the_runs_and_tells_what_was_freed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = tmp_path / "runs"
    first, kept = make_run(runs, "first-2026"), make_run(runs, "kept")
    (first.path / "evaluation").mkdir()
    (first.path / "evaluation" / "losses.npz").write_bytes(b"x" * 5_000)
    size = bytes_in(first.path)
    monkeypatch.setattr(sys, "stdin", Terminal("y\n"))
    done = stockcast("runs", "delete", "first", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.lstrip() == f"first-2026: deleted, {size / 1000:.1f} kB freed\n"
    assert f"first-2026: whole, {size / 1000:.1f} kB" in done.stderr
    assert [path.name for path in runs.iterdir()] == ["kept"]
    assert RunDirectory.find(runs, "kept") == kept


def test_a_no_and_a_script_without_yes_remove_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path / "runs", "mine")
    monkeypatch.setattr(sys, "stdin", Terminal("n\n"))
    refused = stockcast("runs", "delete", "mine", cwd=tmp_path)
    assert (refused.returncode, refused.stdout.strip()) == (1, "")
    assert "Nothing was deleted." in refused.stderr
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    refused = stockcast("runs", "delete", "mine", cwd=tmp_path)
    assert refused.returncode == 1
    assert "Repeat with --yes." in refused.stderr
    assert run.manifest()["seed"] == 0
    done = stockcast("runs", "delete", "mine", "mine", "--yes", "--json", cwd=tmp_path)
    (deleted,) = json.loads(done.stdout)["deleted"]
    assert deleted["name"] == "mine"
    assert not run.path.exists()


def test_a_script_gives_names_in_full(tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs", "mine-2026")
    refused = stockcast("runs", "delete", "mi", "--yes", cwd=tmp_path)
    assert refused.returncode == 1
    assert "'mi' is short for mine-2026" in refused.stderr
    assert run.manifest()["seed"] == 0
    assert stockcast("runs", "delete", "runs/mine-2026", "--yes", cwd=tmp_path).returncode == 0


def test_one_run_that_cannot_be_deleted_keeps_the_others_from_it(tmp_path: Path) -> None:
    run, outside = make_run(tmp_path / "runs", "mine"), make_run(tmp_path / "elsewhere", "other")
    (tmp_path / "runs" / "link").symlink_to(outside.path)
    refused = stockcast("runs", "delete", "mine", "link", "--yes", cwd=tmp_path)
    assert refused.returncode == 1
    assert "leads out" in refused.stderr
    assert run.path.is_dir()
    assert outside.path.is_dir()


def test_a_link_is_not_removed_by_its_own_path_either(tmp_path: Path) -> None:
    outside = make_run(tmp_path / "elsewhere", "other")
    (tmp_path / "link").symlink_to(outside.path)
    with pytest.raises(RunError, match="is a link to") as refused:
        check_removable(tmp_path / "link")
    assert refused.value.file == str(tmp_path / "link")


def test_what_a_link_inside_of_a_run_leads_to_stays(tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs", "mine")
    (tmp_path / "prices").mkdir()
    (tmp_path / "prices" / "GE.csv").write_text("Date,Close\n" * 1000)
    (run.path / "prices").symlink_to(tmp_path / "prices")
    (run.path / "GE.csv").symlink_to(tmp_path / "prices" / "GE.csv")
    assert remove(run.path) < 11_000  # what stays is not counted
    assert not run.path.exists()
    assert (tmp_path / "prices" / "GE.csv").is_file()


def test_the_run_that_ships_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = make_run(tmp_path / "package", "shipped")
    monkeypatch.setattr(layout, "pretrained_folder", lambda: shipped.path)
    for name in ("pretrained", str(shipped.path)):
        refused = stockcast("runs", "delete", name, "--yes", cwd=tmp_path)
        assert refused.returncode == 1
        assert "ships with stockcast" in refused.stderr
    assert shipped.path.is_dir()


def test_a_run_that_is_being_trained_stays(tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs", "mine", finished=False)
    with run.checkpoints.locked():
        refused = stockcast("runs", "delete", "mine", "--yes", cwd=tmp_path)
        assert (refused.returncode, run.path.is_dir()) == (1, True)
        assert "is being trained" in refused.stderr
    assert stockcast("runs", "delete", "mine", "--yes", cwd=tmp_path).returncode == 0
    assert not run.path.exists()


def test_a_folder_of_something_else_stays(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "config.yaml").write_text("name: another program's\n")
    refused = stockcast("runs", "delete", str(tmp_path / "project"), "--yes", cwd=tmp_path)
    assert refused.returncode == 1
    assert (tmp_path / "project" / "config.yaml").is_file()


def test_no_command_finds_half_a_run_that_is_being_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path, "mine")

    def stop(path: Path) -> None:
        os.unlink(path / "scaler.json")
        raise OSError(16, os.strerror(16))

    monkeypatch.setattr(removal.shutil, "rmtree", stop)
    with pytest.raises(RunError, match="by hand") as refused:
        remove(run.path)
    assert Path(str(refused.value.file)).is_dir()
    with pytest.raises(RunError, match="No finished run"):
        RunDirectory.find(tmp_path, None)
    with pytest.raises(RunError, match="No run named"):
        RunDirectory.find(tmp_path, "mine")
