"""Tasks done in this process and by others: the same files, errors and messages, and what a killed process leaves."""

import os
import re
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import typer
from made import REPOSITORY
from typer.testing import CliRunner

from stockcast.cli.options import Engine, takes
from stockcast.errors import DataError, RunError, StockcastError
from stockcast.execution import ray_engine
from stockcast.execution.engines import run_tasks
from stockcast.execution.tasks import EngineName, Task

LOCAL: tuple[EngineName, ...] = ("in_process", "processes")


@pytest.fixture(autouse=True)
def _importable_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes find made_tasks, too."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(REPOSITORY / "tests"), str(REPOSITORY)]))


def make_task(folder: Path, function: str, *, cpus: int = 1, gpus: int = 0, **arguments: Any) -> Task:
    return Task(folder.name, f"made_tasks:{function}", folder, arguments, cpus=cpus, gpus=gpus)


def times_of(folder: Path) -> tuple[float, float]:
    begun, ended = map(float, (folder / "times.txt").read_text().split()[:2])
    return begun, ended


@pytest.mark.parametrize("engine", LOCAL)
def test_every_task_ends_with_its_files_and_its_messages(engine: EngineName, tmp_path: Path) -> None:
    tasks = [make_task(tmp_path / name, "note", text=name.upper()) for name in ("a", "b", "c")]
    messages: list[tuple[str, str]] = []
    ends = list(run_tasks(tasks, engine=engine, cores=2, on_message=lambda *message: messages.append(message)))
    assert sorted(end.task.key for end in ends) == ["a", "b", "c"]
    assert [end.error for end in ends] == [None] * 3
    assert [(tmp_path / name / "notes" / "note.txt").read_text() for name in ("a", "b", "c")] == ["A", "B", "C"]
    assert sorted(messages) == [("a", "writes A"), ("b", "writes B"), ("c", "writes C")]


@pytest.mark.parametrize("engine", LOCAL)
def test_an_error_of_a_task_keeps_its_kind_and_its_fields(engine: EngineName, tmp_path: Path) -> None:
    tasks = [make_task(tmp_path / "bad", "refuse"), make_task(tmp_path / "good", "note", text="x")]
    bad, good = sorted(run_tasks(tasks, engine=engine, cores=1), key=lambda end: end.task.key)
    error = bad.error
    assert type(error) is DataError
    assert str(error) == f"{tmp_path}/bad/prices.csv: no."
    assert (error.file, error.line, error.column, error.value) == (f"{tmp_path}/bad/prices.csv", 3, "Close", 1.5)
    assert good.error is None


@pytest.mark.parametrize("engine", LOCAL)
def test_a_bug_in_a_task_keeps_its_traceback(engine: EngineName, tmp_path: Path) -> None:
    with pytest.raises((ZeroDivisionError, RuntimeError), match="a bug") as raised:
        list(run_tasks([make_task(tmp_path / "a", "stumble")], engine=engine, cores=1))
    assert "in stumble" in str(raised.value) or raised.traceback[-1].name == "stumble"


def test_a_task_is_tried_again_once_after_its_process_was_killed(tmp_path: Path) -> None:
    tasks = [
        make_task(tmp_path / "once", "die", times=1),
        make_task(tmp_path / "always", "die", times=9),
        make_task(tmp_path / "good", "note", text="x"),
    ]
    messages: list[tuple[str, str]] = []
    ends = {
        end.task.key: end.error
        for end in run_tasks(tasks, engine="processes", cores=1, on_message=lambda *message: messages.append(message))
    }
    assert ends["once"] is None
    assert ends["good"] is None
    assert isinstance(ends["always"], RunError)
    assert all(word in str(ends["always"]) for word in ("always", "SIGKILL"))
    assert [key for key, text in messages if "tried again" in text] == ["once", "always"]
    assert [len(list((tmp_path / name).glob("try-*"))) for name in ("once", "always")] == [2, 2]


def test_tasks_share_the_cores_by_what_each_needs(tmp_path: Path) -> None:
    tasks = [
        make_task(tmp_path / "a", "wait", seconds=0.4),
        make_task(tmp_path / "b", "wait", seconds=0.4),
        make_task(tmp_path / "wide", "wait", seconds=0.2, cpus=2),
        make_task(tmp_path / "c", "wait", seconds=0.1),
    ]
    assert [end.error for end in run_tasks(tasks, engine="processes", cores=2)] == [None] * 4
    spans = {task.key: times_of(task.folder) for task in tasks}
    assert max(spans["a"][0], spans["b"][0]) < min(spans["a"][1], spans["b"][1])
    for before, after in pairwise([max(spans["a"][1], spans["b"][1]), *spans["wide"], spans["c"][0]]):
        assert before <= after
    words = {task.key: (task.folder / "times.txt").read_text().split() for task in tasks}
    assert [words[key][3] for key in ("a", "b", "wide", "c")] == ["1", "1", "2", "1"]


def test_an_accelerator_is_seen_by_the_tasks_that_need_it_one_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    needs = {"a": 1, "b": 1, "c": 0}
    tasks = [make_task(tmp_path / name, "wait", seconds=0.2, gpus=gpus) for name, gpus in needs.items()]
    assert [end.error for end in run_tasks(tasks, engine="processes", cores=3)] == [None] * 3
    assert times_of(tmp_path / "a")[1] <= times_of(tmp_path / "b")[0]
    seen = {task.key: (task.folder / "times.txt").read_text().split()[4] for task in tasks}
    assert seen == {"a": "'0'", "b": "'0'", "c": "''"}


def test_a_process_does_several_tasks(tmp_path: Path) -> None:
    tasks = [make_task(tmp_path / name, "wait", seconds=0) for name in ("a", "b", "c")]
    assert len(list(run_tasks(tasks, engine="processes", cores=1))) == 3
    assert len({(task.folder / "times.txt").read_text().split()[2] for task in tasks}) == 1


def test_closing_the_iterator_ends_the_processes(tmp_path: Path) -> None:
    tasks = [make_task(tmp_path / "a", "note", text="x"), make_task(tmp_path / "b", "wait", seconds=60)]
    with closing(run_tasks(tasks, engine="processes", cores=1)) as ends:
        assert next(ends).task.key == "a"
        children = child_processes()
        assert children
    assert not any(Path(f"/proc/{child}").exists() for child in children)


def child_processes() -> set[str]:
    """The processes that do tasks of this one."""
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return {child for task in tasks for child in task.read_text().split()}


@pytest.mark.parametrize("engine", ["in_process", "processes"])
def test_an_address_without_ray_is_an_error(engine: EngineName, tmp_path: Path) -> None:
    with pytest.raises(StockcastError) as raised:
        list(run_tasks([make_task(tmp_path / "a", "note", text="x")], engine=engine, address="head:6379"))
    assert (raised.value.key, raised.value.value) == ("--address", "head:6379")
    assert not (tmp_path / "a").exists()


def test_ray_that_is_not_installed_is_an_error_with_the_line_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_engine, "find_spec", lambda name: None)
    with pytest.raises(StockcastError, match=re.escape('python -m pip install -c constraints.txt -e ".[cluster]"')):
        list(run_tasks([make_task(tmp_path / "a", "note", text="x")], engine="ray"))


def test_an_address_of_ray_client_is_an_error_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_engine, "find_spec", lambda name: name)
    with pytest.raises(StockcastError, match="--num-cpus=0") as raised:
        list(run_tasks([make_task(tmp_path / "a", "note", text="x")], engine="ray", address="ray://head:10001"))
    assert raised.value.key == "--address"


def used(*arguments: str, **environment: str) -> Any:
    """What a command with the options of an engine prints."""
    app = typer.Typer()

    @app.command()
    @takes(engine=Engine)
    def show(engine: Engine) -> None:
        """Print the options."""
        print(engine.engine, engine.address, engine.cores)

    return CliRunner().invoke(app, list(arguments), env=environment)


def test_the_environment_names_the_engine_unless_an_option_does() -> None:
    assert used().output.split() == ["processes", "None", "None"]
    assert used(STOCKCAST_ENGINE="ray").output.split() == ["ray", "None", "None"]
    given = used("--engine", "in_process", "--cores", "3", STOCKCAST_ENGINE="ray")
    assert given.output.split() == ["in_process", "None", "3"]


def test_an_unknown_engine_is_an_error_that_names_where_it_stands() -> None:
    refused = used(STOCKCAST_ENGINE="dask")
    assert refused.exit_code == 2
    assert all(word in refused.output for word in ("STOCKCAST_ENGINE", "dask", "in_process", "processes", "ray"))
