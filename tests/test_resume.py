"""Trainings that are stopped, killed or crossed, and what is left of them."""

import hashlib
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import commands
import h5py
import numpy as np
import pytest
from made import TINY, make_bars

from stockcast.config.load import load_config
from stockcast.config.schema import Config
from stockcast.errors import RunError, TrainingError
from stockcast.execution import members
from stockcast.models.callbacks import EpochLog, TrainingState
from stockcast.runs import RunDirectory
from stockcast.runs.checkpoints import Checkpoints

RECURRENT = TINY.replace("training: {epochs: 2,", "ensemble: {members: 2}\ntraining: {epochs: 3,")
# What is kept of a training, and when, asks for no recurrent network: this one has dropout too, and is soon built.
TWO_MEMBERS = RECURRENT.replace("{layers: [4, 3],", "{cell: last_day, layers: [16], head: point,")


class Killed(BaseException):
    """Stands for what ends a process between two batches."""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return config_in(tmp_path_factory.mktemp("resumed"), TWO_MEMBERS)


def config_in(folder: Path, text: str) -> Config:
    make_bars().to_csv(folder / "prices.csv", index=False)
    (folder / "tiny.yaml").write_text(text)
    return load_config(folder / "tiny.yaml")


@pytest.fixture(scope="module")
def kept_half(config: Config, tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    return stopped(config, tmp_path_factory.mktemp("half"), epochs=2)


@pytest.fixture
def half(kept_half: RunDirectory, tmp_path: Path) -> RunDirectory:
    """A run that was stopped in the third epoch of its first member, the test's own copy."""
    return RunDirectory(shutil.copytree(kept_half.path, tmp_path / "runs" / "stopped"))


@pytest.fixture(scope="module")
def whole(config: Config, tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    """A run of the same config that was never stopped."""
    return commands.train(config, runs=tmp_path_factory.mktemp("whole"), processes=1).run


@pytest.fixture(scope="module")
def recurrent(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return config_in(tmp_path_factory.mktemp("recurrent"), RECURRENT)


@pytest.fixture(scope="module")
def whole_recurrent(recurrent: Config, tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    return commands.train(recurrent, runs=tmp_path_factory.mktemp("whole-recurrent")).run


def stop_after(epochs: int, *, batches: int = 3) -> tuple[Callable[[EpochLog], None], Callable[[], None]]:
    """What `train` reports to and pauses for, such that it ends some batches after that many epochs."""
    seen, paused = 0, 0

    def report(_: EpochLog) -> None:
        nonlocal seen
        seen += 1

    def pause() -> None:
        nonlocal paused
        paused += seen == epochs
        if paused > batches:
            raise Killed

    return report, pause


def stopped(config: Config, root: Path, *, epochs: int) -> RunDirectory:
    report, pause = stop_after(epochs)
    with pytest.raises(Killed):
        commands.train(config, runs=root, name="stopped", processes=1, report=report, pause=pause)
    return RunDirectory(root / "stopped")


def weights(run: RunDirectory) -> bytes:
    """Every array of the stored network; the file itself also holds names that Keras counts up within a process."""
    found: list[bytes] = []
    with h5py.File(run.path / "model.weights.h5") as stored:
        stored.visititems(lambda _, item: found.append(item[()].tobytes()) if isinstance(item, h5py.Dataset) else None)
    return b"".join(sorted(found))


def products(run: RunDirectory) -> dict[str, bytes]:
    """All that training leaves but for what the clock says."""
    arrays = {name: (run.path / name).read_bytes() for name in ("scaler.json", "calibration.json")}
    losses = [line.rsplit(",", 2)[0] for line in (run.path / "history.csv").read_text().splitlines()]
    return {**arrays, "weights": weights(run), "losses": "\n".join(losses).encode()}


@pytest.mark.parametrize("epochs", [0, 5, *(pytest.param(epochs, marks=pytest.mark.slow) for epochs in (2, 3))])
def test_a_training_that_was_stopped_ends_as_if_it_had_not_been(
    epochs: int, config: Config, whole: RunDirectory, tmp_path: Path
) -> None:
    run = stopped(config, tmp_path, epochs=epochs)
    told: list[EpochLog] = []
    resumed = commands.resume(run, processes=1, report=told.append)
    assert products(run) == products(whole)
    assert len(told) == 6 - epochs, "no epoch that was finished is trained again"
    assert resumed.epochs == 6


@pytest.mark.slow
@pytest.mark.parametrize("epochs", [0, 2, 3, 5])
def test_a_recurrent_network_that_was_stopped_ends_as_if_it_had_not_been(
    epochs: int, recurrent: Config, whole_recurrent: RunDirectory, tmp_path: Path
) -> None:
    run = stopped(recurrent, tmp_path, epochs=epochs)
    commands.resume(run)
    assert products(run) == products(whole_recurrent)


@pytest.mark.slow
def test_a_training_can_be_stopped_again_and_again(half: RunDirectory, whole: RunDirectory) -> None:
    for _ in range(2):
        report, pause = stop_after(1)
        with pytest.raises(Killed):
            commands.resume(half, processes=1, report=report, pause=pause)
    commands.resume(half)
    assert products(half) == products(whole)


def test_patience_goes_on_counting_where_it_stood(config: Config, tmp_path: Path) -> None:
    impatient = config.model_copy(
        update={
            "training": config.training.model_copy(update={"epochs": 40, "patience": 2, "learning_rate": 0.05}),
            "ensemble": config.ensemble.model_copy(update={"members": 1}),
        }
    )
    never = commands.train(impatient, runs=tmp_path, name="never").run
    first = len((never.path / "history.csv").read_text().splitlines()) - 1
    assert first < 40, "patience must end this training, or the test shows nothing"
    run = stopped(impatient, tmp_path, epochs=first - 1)
    commands.resume(run)
    assert products(run) == products(never)


def test_a_finished_run_holds_nothing_of_the_way_there(whole: RunDirectory) -> None:
    assert {path.name for path in whole.path.iterdir()} == {
        "run.json", "config.yaml", "scaler.json", "calibration.json", "history.csv", "model.onnx", "model.weights.h5",
        "answers.npz", "closes.npz", "sessions.json", "plots",
    }  # fmt: skip


def test_an_unfinished_run_is_never_taken_for_a_finished_one(half: RunDirectory) -> None:
    with pytest.raises(RunError) as refused:
        RunDirectory.find(half.path.parent, None)
    assert (refused.value.file, refused.value.key) == (str(half.path.parent), "--runs")
    with pytest.raises(RunError, match="--resume") as refused:
        RunDirectory.find(half.path.parent, "stopped")
    assert refused.value.file == str(half.path)


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(half: RunDirectory, whole: RunDirectory) -> None:
    newest = sorted((half.path / "checkpoints").iterdir())[-1]
    newest.write_bytes(newest.read_bytes()[:-100])
    told: list[EpochLog] = []
    commands.resume(half, processes=1, report=told.append)
    assert (told[0].member, told[0].epoch) == (1, 2)
    assert products(half) == products(whole)


def test_no_more_than_two_checkpoints_of_a_member_are_kept(half: RunDirectory) -> None:
    report, pause = stop_after(3)  # the third of member 1, two of member 2
    with pytest.raises(Killed):
        commands.resume(half, processes=1, report=report, pause=pause)
    names = sorted(path.name.rpartition("-")[0] for path in (half.path / "checkpoints").iterdir())
    assert names == [
        "member-01-epoch-00002", "member-01-epoch-00003", "member-02-epoch-00001", "member-02-epoch-00002",
    ]  # fmt: skip


def test_a_checkpoint_of_another_network_is_refused_by_its_shapes(
    config: Config, half: RunDirectory, tmp_path: Path
) -> None:
    wider = config.model_copy(update={"model": config.model.model_copy(update={"layers": (20,)})})
    other = stopped(wider, tmp_path, epochs=1)
    shutil.rmtree(half.path / "checkpoints")
    shutil.copytree(other.path / "checkpoints", half.path / "checkpoints")
    with pytest.raises(RunError, match=r"another network: shapes .*\(2, 20\).*\(2, 16\)"):
        commands.resume(half)


@pytest.mark.slow
def test_resuming_with_another_config_lists_what_differs(
    config: Config, half: RunDirectory, whole: RunDirectory
) -> None:
    changed = config.model_copy(update={"training": config.training.model_copy(update={"epochs": 9}), "window": 6})
    with pytest.raises(RunError) as refused:
        commands.resume(half, config=changed)
    assert "training.epochs: 3 in the run, 9 now" in str(refused.value)
    assert "window: 5 in the run, 6 now" in str(refused.value)
    commands.resume(half, config=config)  # the same one is no obstacle
    assert products(half) == products(whole)


def test_resuming_with_other_prices_names_the_file(tmp_path: Path, write_tiny: Callable[..., Path]) -> None:
    config = load_config(write_tiny())
    run = stopped(config, tmp_path / "runs", epochs=1)
    write_tiny(make_bars(seed=1))
    with pytest.raises(RunError) as refused:
        commands.resume(run)
    assert refused.value.file == str(config.data.path[0])


def test_a_run_that_another_process_trains_is_refused(half: RunDirectory) -> None:
    with half.checkpoints.locked(), pytest.raises(RunError, match="another process") as refused:
        commands.resume(half)
    assert (refused.value.file, refused.value.key) == (str(half.path), "--name")


def test_a_changed_config_in_the_run_is_damage(half: RunDirectory) -> None:
    stored = half.path / "config.yaml"
    stored.write_text(stored.read_text().replace("window: 5", "window: 6"))
    with pytest.raises(RunError, match="damaged") as refused:
        commands.resume(half)
    assert refused.value.file == str(stored)


def test_what_a_killed_process_left_half_written_is_cleared_away(half: RunDirectory) -> None:
    (half.path / ".partial-1-model.onnx").write_bytes(b"half")
    (half.path / ".lock").touch()
    commands.resume(half)
    assert not list(half.path.rglob(".*"))
    assert not [name for name in half.manifest()["files"] if "partial" in name or "checkpoint" in name]


def test_a_run_whose_directory_vanishes_ends_by_its_name_and_is_not_made_anew(config: Config, tmp_path: Path) -> None:
    def remove(_: object) -> None:
        shutil.rmtree(tmp_path / "gone")

    with pytest.raises(RunError, match="vanished") as refused:
        commands.train(config, runs=tmp_path, name="gone", report=remove)
    assert str(refused.value.file).startswith(str(tmp_path / "gone"))
    assert not (tmp_path / "gone").exists()


def test_the_newest_unfinished_run_is_resumed_unless_one_is_named(
    half: RunDirectory, whole: RunDirectory, tmp_path: Path
) -> None:
    with pytest.raises(RunError) as refused:
        RunDirectory.find_unfinished(tmp_path, None)
    assert (refused.value.file, refused.value.key) == (str(tmp_path), "--runs")
    root = half.path.parent
    assert RunDirectory.find_unfinished(root, None) == half
    assert RunDirectory.find_unfinished(root, "stopped") == half
    with pytest.raises(RunError, match="finished") as refused:
        RunDirectory.find_unfinished(whole.path.parent, whole.name)
    assert refused.value.file == str(whole.path)
    with pytest.raises(RunError) as refused:
        RunDirectory.find_unfinished(root, "other")
    assert (refused.value.file, refused.value.value) == (str(root), "other")


def test_a_kill_between_run_json_and_the_clearing_leaves_a_whole_run(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(_: Checkpoints) -> None:
        raise Killed

    monkeypatch.setattr(Checkpoints, "tidy", killed)
    with pytest.raises(Killed):
        commands.train(config, runs=tmp_path, name="late")
    run = RunDirectory.find(tmp_path, None)
    assert (run.path / "begun.json").exists()
    assert len(commands.predict(run).rows) == 3


def test_the_manifest_says_what_machine_and_versions_made_the_run(whole: RunDirectory) -> None:
    manifest = json.loads((whole.path / "run.json").read_text())
    assert set(manifest["machine"]) == {"system", "processor", "threads"}
    assert {"python", "stockcast", "numpy", "keras"} <= set(manifest["versions"])
    assert np.all([len(one["sha256"]) == 64 for one in manifest["series"]])


def test_no_epoch_is_kept_whose_loss_is_no_number(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[TrainingState] = []
    monkeypatch.setattr(members, "_write_checkpoint", lambda run, state: kept.append(state))
    explosive = config.model_copy(
        update={"training": config.training.model_copy(
            update={"optimizer": "sgd", "learning_rate": 10.0, "clip_norm": None, "epochs": 30, "patience": 30}
        ), "model": config.model.model_copy(update={"output_l2": 1.0})}
    )  # fmt: skip
    with pytest.raises(TrainingError, match="finite") as refused:
        commands.train(explosive, runs=tmp_path)
    assert refused.value.key == "training.learning_rate"
    assert "learning_rate" in str(refused.value)
    assert all(np.isfinite(epoch.val_loss) for state in kept for epoch in state.history)


class Payload:
    """What unpickling it would do."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.canary,)


def hostile_checkpoint(kind: str, canary: Path) -> bytes:
    stream = io.BytesIO()
    if kind == "pickle":
        np.savez(stream, history=np.array([Payload(canary)], dtype=object))
    elif kind == "bomb":
        np.savez_compressed(stream, history=np.zeros(10**8))
    else:
        stream.write(b"PK" + bytes(range(256)))
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["pickle", "bomb", "noise"])
def test_a_checkpoint_that_is_no_plain_arrays_is_passed_over_whatever_its_name_says(
    kind: str, half: RunDirectory, tmp_path: Path
) -> None:
    content = hostile_checkpoint(kind, tmp_path / "canary")
    name = f"member-01-epoch-00009-{hashlib.sha256(content).hexdigest()}.npz"
    (half.path / "checkpoints" / name).write_bytes(content)
    newest = next(half.checkpoints.read(1))
    assert len(newest["history"]) == 2, "the last one of our own"
    assert not (tmp_path / "canary").exists()
