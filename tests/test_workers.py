"""Members trained side by side, each worker but the first a process of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import commands
import pytest
from made import TINY, make_bars
from test_resume import Killed, products

from stockcast.config.load import load_config
from stockcast.config.schema import Config
from stockcast.errors import RunError, TrainingError
from stockcast.execution.members import count_workers
from stockcast.execution.process import WorkerProcess
from stockcast.forecasting.training_data import build_training_data, read_training_prices
from stockcast.models.callbacks import EpochLog
from stockcast.runs import RunDirectory

RECURRENT = TINY.replace("training: {epochs: 2,", "ensemble: {members: 3}\ntraining: {epochs: 3,")
THREE_MEMBERS = RECURRENT.replace("{layers: [4, 3],", "{cell: last_day, layers: [4], head: point,")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workers")
    make_bars().to_csv(folder / "prices.csv", index=False)
    (folder / "tiny.yaml").write_text(THREE_MEMBERS)
    return folder


@pytest.fixture(scope="module")
def config(folder: Path) -> Config:
    return load_config(folder / "tiny.yaml")


@pytest.fixture(scope="module")
def alone(config: Config, tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A run whose members were trained one after the other in this process."""
    return commands.train(config, runs=tmp_path_factory.mktemp("alone"), processes=1).run


def test_members_trained_side_by_side_end_in_the_same_bits(config: Config, alone: RunDirectory, tmp_path: Path) -> None:
    told: list[EpochLog] = []
    trained = commands.train(config, runs=tmp_path, processes=2, report=told.append)
    assert products(trained.run) == products(alone)
    assert sorted((epoch.member, epoch.epoch) for epoch in told) == [(m, e) for m in (1, 2, 3) for e in (1, 2, 3)]


@pytest.mark.slow
def test_recurrent_members_trained_side_by_side_end_in_the_same_bits(folder: Path, tmp_path: Path) -> None:
    (folder / "recurrent.yaml").write_text(RECURRENT)
    config = load_config(folder / "recurrent.yaml")
    one, two = (commands.train(config, runs=tmp_path / str(processes), processes=processes).run for processes in (1, 2))
    assert products(one) == products(two)


@pytest.mark.slow
def test_a_training_stopped_on_two_workers_is_resumed_on_one(
    config: Config, alone: RunDirectory, tmp_path: Path
) -> None:
    def stop(epoch: EpochLog) -> None:
        if (epoch.member, epoch.epoch) == (2, 1):  # a word of the other worker
            raise Killed

    with pytest.raises(Killed):
        commands.train(config, runs=tmp_path, name="stopped", processes=2, report=stop)
    run = RunDirectory(tmp_path / "stopped")
    said: list[str] = []
    commands.resume(run, processes=1, say=said.append)
    assert "of its members" in said[-1]
    assert products(run) == products(alone)


@pytest.mark.slow
def test_a_worker_that_is_killed_ends_the_training_by_its_member_and_loses_nothing(
    config: Config, alone: RunDirectory, tmp_path: Path
) -> None:
    def kill(epoch: EpochLog) -> None:
        if (epoch.member, epoch.epoch) == (2, 1):
            (child,) = children(os.getpid(), "stockcast.execution.worker")
            os.kill(child, signal.SIGKILL)

    with pytest.raises(RunError, match="member 2") as refused:
        commands.train(config, runs=tmp_path, name="killed", processes=2, report=kill)
    assert (refused.value.file, refused.value.value) == (str(tmp_path / "killed"), -signal.SIGKILL)
    run = RunDirectory(tmp_path / "killed")
    commands.resume(run, processes=2)
    assert products(run) == products(alone)


def test_what_a_worker_cannot_do_is_told_as_if_it_had_been_done_here(config: Config, tmp_path: Path) -> None:
    def remove(run: RunDirectory) -> None:
        (run.path / "checkpoints").write_text("no folder")

    with pytest.raises(RunError) as blocked:
        commands.train(config, runs=tmp_path, processes=2, begun=remove)
    assert "checkpoints" in Path(blocked.value.file).parts
    with pytest.raises(TrainingError, match="finite") as refused:
        commands.train(explosive(config), runs=tmp_path, processes=2)
    assert refused.value.key == "training.learning_rate"


@pytest.mark.slow
def test_an_error_of_a_worker_comes_with_its_fields(config: Config, tmp_path: Path) -> None:
    def stop(_: RunDirectory) -> None:
        raise Killed

    with pytest.raises(Killed):
        commands.train(explosive(config), runs=tmp_path, name="begun", processes=1, begun=stop)
    run = RunDirectory(tmp_path / "begun")
    stored = load_config(run.config_path())
    data = build_training_data(stored, read_training_prices(stored, lambda _: None).series, is_shared=True)
    assert data.shared is not None
    worker = WorkerProcess(run, range(2, 3), data.shared)
    try:
        while worker.is_running():
            pass
        with pytest.raises(TrainingError) as refused:
            list(worker.epochs())
    finally:
        worker.end()
    assert (refused.value.key, refused.value.value) == ("training.learning_rate", 10.0)


def explosive(config: Config) -> Config:
    """The same with steps that no loss survives."""
    return config.model_copy(
        update={"training": config.training.model_copy(
            update={"optimizer": "sgd", "learning_rate": 10.0, "clip_norm": None, "epochs": 30, "patience": 30}
        ), "model": config.model.model_copy(update={"output_l2": 1.0})}
    )  # fmt: skip


@pytest.mark.slow
def test_a_training_that_is_killed_leaves_no_worker_running(folder: Path) -> None:
    arguments = ["train", str(folder / "tiny.yaml"), "--name", "long", "--runs", str(folder / "runs")]
    more = ["--set", "training.epochs=9999", "--set", "training.patience=9999"]
    with subprocess.Popen(
        [sys.executable, "-m", "stockcast", *arguments, *more], stderr=subprocess.PIPE, text=True
    ) as training:
        assert training.stderr is not None
        next(line for line in training.stderr if line.startswith("member 2/3"))
        workers = children(training.pid, "stockcast.execution.worker")
        training.kill()
    assert len(workers) == count_workers(3) - 1
    assert eventually(lambda: not any(is_running(worker) for worker in workers))


def test_there_are_no_more_workers_than_members_or_cores() -> None:
    assert count_workers(1) == 1
    assert count_workers(5, most=3) == 3
    assert count_workers(2, most=8) == 2


def children(parent: int, module: str) -> list[int]:
    """Processes that this one has started with this module, as /proc knows them."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            command = (stat.parent / "cmdline").read_bytes().decode()
        except (OSError, UnicodeDecodeError):
            continue
        if int(fields[1]) == parent and module in command:
            found.append(int(stat.parent.name))
    return found


def is_running(process: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def eventually(holds: Callable[[], bool]) -> bool:
    for _ in range(100):
        if holds():
            return True
        time.sleep(0.1)
    return False
