"""A task on a machine that has neither its folder nor its inputs: as a node of a Ray cluster does it, without Ray."""

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from made import QUICK, make_bars

from stockcast.config.load import parse_config
from stockcast.data.csv.folder import files_of
from stockcast.errors import RunError
from stockcast.execution import ray_node
from stockcast.execution.process import error_of
from stockcast.execution.task_files import Changes, Input, changes_since, lay_out
from stockcast.execution.tasks import Task
from stockcast.forecasting.training_data import read_training_prices
from stockcast.inputs import BROUGHT_TO

CALLER = Path("/nowhere/of/the/caller")
NO_FILES = Changes({})
VERSIONS = ray_node.versions_here(["python", "stockcast", "numpy"])


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that a node's tasks are in."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


def brought(path: Path, content: bytes) -> Input:
    return Input(path, hashlib.sha256(content).hexdigest(), (content,))


def do(task: Task, *inputs: Input, files: Changes = NO_FILES) -> list[dict[str, Any]]:
    """What a node sends about a task; the content of an input is what it is fetched by."""
    return list(ray_node.do(task, files, inputs, VERSIONS, lambda content: content))


def test_a_task_reads_what_it_brought_under_the_path_of_the_caller(scratch: Path) -> None:
    path = CALLER / "prices.csv"
    task = Task("copy", "made_tasks:copy", CALLER / "copy", {"path": str(path)}, (path,))
    *_, files, done = do(task, brought(path, b"Date,Close"))
    assert files == {"files": Changes({"copy.txt": f"{path}: Date,Close".encode()})}
    assert done == {"done": None}
    assert BROUGHT_TO not in os.environ
    assert list((scratch / f"stockcast-{os.getuid()}" / "tasks").iterdir()) == []


def test_an_input_is_fetched_once_and_not_at_all_where_the_same_file_is(tmp_path: Path) -> None:
    own = tmp_path / "own.csv"
    own.write_bytes(b"same")
    other = tmp_path / "other.csv"
    other.write_bytes(b"other here")
    fetched: list[bytes] = []

    def fetch(content: bytes) -> bytes:
        fetched.append(content)
        return content

    inputs = brought(own, b"same"), brought(other, b"as the caller has it")
    for number in range(2):
        lay_out(inputs, tmp_path / str(number), fetch=fetch)
    assert fetched == [b"as the caller has it"]
    assert other.read_bytes() == b"other here"
    assert (tmp_path / "1" / str(other)[1:]).read_bytes() == b"as the caller has it"


def test_prices_that_were_brought_are_read_under_the_path_of_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = make_bars(300).to_csv(index=False).encode()
    lay_out((brought(CALLER / "prices.csv", content),), tmp_path / "inputs", fetch=lambda content: content)
    monkeypatch.setenv(BROUGHT_TO, str(tmp_path / "inputs"))
    (prices,) = read_training_prices(parse_config(QUICK, source="task", folder=CALLER), print).series
    assert prices.source == CALLER / "prices.csv"
    assert prices.sha256 == hashlib.sha256(content).hexdigest()


def test_a_folder_that_was_brought_holds_the_files_of_the_caller_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "stocks"
    folder.mkdir()
    for name in ("A", "B", "only-here"):
        (folder / f"{name}.csv").write_text(name)
    inputs = tuple(brought(folder / f"{name}.csv", name.encode()) for name in ("A", "B"))
    lay_out(inputs, tmp_path / "inputs", fetch=lambda content: content)
    monkeypatch.setenv(BROUGHT_TO, str(tmp_path / "inputs"))
    assert files_of([folder], key="data.path") == [folder / "A.csv", folder / "B.csv"]


def test_an_error_names_the_folder_of_the_caller() -> None:
    ((ended),) = do(Task("bad", "made_tasks:refuse", CALLER / "bad"))
    error = error_of(ended["done"])
    assert str(error) == f"{CALLER}/bad/prices.csv: no."
    assert error.file == f"{CALLER}/bad/prices.csv"


def test_what_a_task_has_written_comes_back_while_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_node, "BETWEEN_FILES", 0.05)
    task = Task("count", "made_tasks:count", CALLER / "count", {"rounds": 3, "seconds": 0.2})
    sent = do(task, files=Changes({"round-0": b"of the first try"}))
    files = [list(message["files"].written) for message in sent if "files" in message]
    assert files == [["round-1"], ["round-2"]]
    assert [message for message in sent if "files" not in message] == [{"message": "after 3"}, {"done": None}]


def test_files_come_back_in_the_order_they_were_written_and_what_is_gone_goes(tmp_path: Path) -> None:
    folder = tmp_path / "caller"
    (folder / "unfinished").mkdir(parents=True)
    (folder / "unfinished" / "part").write_text("part")
    before, _ = changes_since(folder, {})
    files, done = do(Task("tidy", "made_tasks:tidy", folder), files=before)
    assert done == {"done": None}
    assert list(files["files"].written) == ["result", "a-manifest"]
    files["files"].apply_to(folder)
    assert sorted(path.name for path in folder.rglob("*")) == ["a-manifest", "result"]


def test_locks_and_half_written_files_stay_where_they_are(tmp_path: Path) -> None:
    for name in (".lock", ".partial-7-run.json", "whole"):
        (tmp_path / name).write_text(name)
    changes, _ = changes_since(tmp_path, {})
    assert changes == Changes({"whole": b"whole"})


def test_other_versions_are_refused_with_both_named() -> None:
    task = Task("a", "made_tasks:note", CALLER / "a", {"text": "x"})
    (ended,) = ray_node.do(task, NO_FILES, (), {**VERSIONS, "numpy": "1.0", "absent": "2.0"})
    message = str(error_of(ended["done"]))
    assert f"numpy {VERSIONS['numpy']} there, 1.0 here; absent none there, 2.0 here" in message


def test_a_file_that_cannot_be_written_whole_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "result").write_text("old")

    def fail(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(RunError) as raised:
        Changes({"result": b"new"}).apply_to(tmp_path)
    assert raised.value.file == str(tmp_path / "result")
    assert {path.name: path.read_text() for path in tmp_path.glob("r*")} == {"result": "old"}
