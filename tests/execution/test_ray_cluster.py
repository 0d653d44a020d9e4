"""Tasks on a Ray cluster of three nodes, which do not see the caller's folder: the same files as without Ray."""

import os
import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import ray_nodes
from made import QUICK, REPOSITORY, make_bars
from ray_nodes import RayNodes
from test_resume import products

from stockcast.config.load import parse_config
from stockcast.errors import DataError, StockcastError
from stockcast.execution import ray_engine
from stockcast.execution.engines import run_tasks
from stockcast.execution.tasks import EngineName, Task, TaskEnd
from stockcast.runs import RunDirectory
from stockcast.runs.integrity import check_integrity

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(ray_nodes.ABSENT), reason=ray_nodes.ABSENT)]


@pytest.fixture(scope="module")
def caller(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the caller, which no node sees."""
    return tmp_path_factory.mktemp("caller")


@pytest.fixture(scope="module")
def cluster(caller: Path) -> Iterator[RayNodes]:
    with ray_nodes.ray_nodes(nodes=3, hidden=caller) as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def _importable_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes of this machine find made_tasks, and the cluster lets them in."""
    for name, value in ray_nodes.TOKEN.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "tests")]))


def make_task(folder: Path, function: str, *, inputs: tuple[Path, ...] = (), **arguments: Any) -> Task:
    return Task(folder.name, f"made_tasks:{function}", folder, arguments, inputs)


def ends_on(cluster: RayNodes, tasks: list[Task], **options: Any) -> dict[str, TaskEnd]:
    ends = run_tasks(tasks, engine="ray", address=cluster.address, **options)
    return {end.task.key: end for end in ends}


def trained(
    folder: Path, prices: Path, *, engine: EngineName, seeds: tuple[int, ...] = (1, 2), address: str | None = None
) -> list[RunDirectory]:
    """A run for each seed that an engine has trained in a folder."""
    text = parse_config(QUICK, source="task", folder=prices.parent).to_yaml()
    tasks = [
        make_task(
            folder / f"seed-{seed}", "train_one", config=text.replace("seed: 0", f"seed: {seed}"), inputs=(prices,)
        )
        for seed in seeds
    ]
    ends = list(run_tasks(tasks, engine=engine, address=address, cores=1 if address is None else None))
    assert [end.error for end in ends] == [None for _ in seeds]
    return [RunDirectory(task.folder / "run") for task in tasks]


def test_every_engine_trains_runs_of_the_same_bytes(cluster: RayNodes, caller: Path) -> None:
    prices = caller / "prices.csv"
    make_bars().to_csv(prices, index=False)
    on_ray = trained(caller / "ray", prices, engine="ray", address=cluster.address)
    others = [
        *trained(caller / "processes", prices, engine="processes"),
        *trained(caller / "in_process", prices, engine="in_process", seeds=(1,)),
    ]
    for run, other in zip([*on_ray, on_ray[0]], others, strict=True):
        assert products(run) == products(other)
        assert whole_files(run) == whole_files(other)
        assert run.manifest()["series"] == other.manifest()["series"]
        assert run.manifest()["files"].keys() == other.manifest()["files"].keys()
    assert products(on_ray[0]) != products(on_ray[1])
    assert on_ray[0].manifest()["series"][0]["path"] == str(prices)
    assert [check_integrity(run.path).state for run in on_ray] == ["whole", "whole"]


def whole_files(run: RunDirectory) -> dict[str, bytes]:
    """The files of a run that hold nothing of the clock."""
    names = ("config.yaml", "model.onnx", "sessions.json", "answers.npz", "closes.npz")
    return {name: (run.path / name).read_bytes() for name in names}


@dataclass(frozen=True)
class Done:
    """What came of some tasks: how each ended, and the messages."""

    ends: dict[str, TaskEnd]
    messages: list[tuple[str, str]]


@pytest.fixture(scope="module")
def done(cluster: RayNodes, caller: Path) -> Done:
    (caller / "there.txt").write_text("there")
    (caller / "count").mkdir()
    (caller / "count" / "round-0").write_text("of an earlier try")
    path = str(caller / "there.txt")
    tasks = [
        make_task(caller / "bad", "refuse"),
        make_task(caller / "good", "note", text="x"),
        make_task(caller / "count", "count", rounds=2, seconds=0),
        make_task(caller / "with", "copy", path=path, inputs=(caller / "there.txt",)),
        make_task(caller / "without", "copy", path=path),
    ]
    messages: list[tuple[str, str]] = []
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ray_nodes.TOKEN.items():
            patch.setenv(name, value)
        ends = list(run_tasks(
            tasks, engine="ray", address=cluster.address, on_message=lambda *message: messages.append(message)
        ))  # fmt: skip
    return Done({end.task.key: end for end in ends}, messages)


def test_errors_and_messages_are_those_of_the_caller(done: Done, caller: Path) -> None:
    error = done.ends["bad"].error
    assert type(error) is DataError
    assert (error.file, error.line) == (str(caller / "bad" / "prices.csv"), 3)
    assert done.ends["good"].error is None
    assert (caller / "good" / "notes" / "note.txt").read_text() == "x"
    assert sorted(done.messages) == [("count", "after 2"), ("good", "writes x")]


def test_a_task_goes_on_from_the_files_in_its_folder(done: Done, caller: Path) -> None:
    assert done.ends["count"].error is None
    assert (caller / "count" / "round-0").read_text() == "of an earlier try"
    assert (caller / "count" / "round-1").exists()


@pytest.mark.skipif(not ray_nodes.HIDES, reason="no process can be kept from seeing a folder here")
def test_inputs_go_where_nodes_share_no_disk(done: Done, caller: Path) -> None:
    assert isinstance(done.ends["without"].error, DataError), "the nodes see nothing of the caller's folder"
    assert done.ends["with"].error is None
    assert (caller / "with" / "copy.txt").read_text() == f"{caller}/there.txt: there"


def test_a_node_of_other_versions_is_refused(cluster: RayNodes, caller: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_engine, "versions_here", lambda names: {"keras": "0.1"})
    with pytest.raises(StockcastError) as raised:
        ends_on(cluster, [make_task(caller / "refused", "note", text="x")])
    assert "127.0.0." in str(raised.value)
    assert ", 0.1 here" in str(raised.value)
    assert not (caller / "refused").exists()


def test_a_task_that_needs_more_accelerators_than_a_node_has_is_an_error(cluster: RayNodes, caller: Path) -> None:
    task = replace(make_task(caller / "gpus", "note", text="x"), gpus=8)
    with pytest.raises(StockcastError, match="8 GPUs"):
        ends_on(cluster, [task])


def test_closing_the_iterator_ends_the_tasks_on_the_nodes(cluster: RayNodes, caller: Path) -> None:
    begun: list[str] = []
    ends = run_tasks(
        [make_task(caller / "first", "note", text="x"), make_task(caller / "long", "wait", seconds=600)],
        engine="ray",
        address=cluster.address,
        on_message=lambda key, text: begun.append(key),
    )
    assert next(ends).task.key == "first"
    time.sleep(1)
    ends.close()
    more = [make_task(caller / f"more-{number}", "note", text="x") for number in range(3)]
    assert len(ends_on(cluster, more)) == 3
    deadline = time.monotonic() + 20
    while processes_named("ray::do") and time.monotonic() < deadline:
        time.sleep(0.2)
    assert processes_named("ray::do") == []


def processes_named(name: str) -> list[str]:
    """Processes of this machine whose title has a name."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [path.parent.name] if name in path.read_bytes().decode(errors="replace") else []
        except OSError:
            continue
    return found


def test_all_tasks_end_when_a_node_is_lost_in_the_middle(cluster: RayNodes, caller: Path) -> None:
    tasks = [make_task(caller / f"task-{number}", "wait", seconds=0.3) for number in range(24)]
    ended, messages = [], list[tuple[str, str]]()
    for end in run_tasks(
        tasks, engine="ray", address=cluster.address, on_message=lambda *message: messages.append(message)
    ):
        ended.append(end)
        if len(ended) == 8:
            (*_, process) = (text for key, text in messages if key not in {end.task.key for end in ended})
            above = ray_nodes.processes_above(int(process.rpartition(" ")[2]))
            ray_nodes.kill(next(node for node in cluster.nodes if node.pid in above))
    assert sorted(end.task.key for end in ended) == sorted(task.key for task in tasks)
    assert [end.error for end in ended] == [None] * 24
    assert all((task.folder / "times.txt").exists() for task in tasks)
    assert [key for key, text in messages if "tried again" in text], "the node was at a task"


def test_an_address_that_does_not_answer_is_an_error_within_15_seconds(tmp_path: Path) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.2", 0))
        silent.listen()
        address = f"127.0.0.2:{silent.getsockname()[1]}"
        begun = time.monotonic()
        with pytest.raises(StockcastError) as raised:
            list(run_tasks([make_task(tmp_path / "a", "note", text="x")], engine="ray", address=address))
    assert time.monotonic() - begun < 15
    assert (raised.value.key, raised.value.value) == ("--address", address)


def test_a_cluster_of_this_machine_alone_ends_with_the_tasks(tmp_path: Path) -> None:
    before = processes_named("gcs_server")
    tasks = [make_task(tmp_path / name, "note", text=name) for name in ("a", "b")]
    assert [end.error for end in run_tasks(tasks, engine="ray", cores=1)] == [None, None]
    assert processes_named("gcs_server") == before
    shutil.rmtree(tmp_path / "a")
