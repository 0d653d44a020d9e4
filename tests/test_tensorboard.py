"""Event files beside a run: written while it trains, and no part of what makes it whole."""

from collections.abc import Callable
from pathlib import Path

import commands
import pytest
from made import QUICK
from program import stockcast
from test_resume import Killed, stop_after

from stockcast.config.load import load_config
from stockcast.runs import RunDirectory
from stockcast.runs.integrity import check_integrity

WriteTiny = Callable[..., Path]


def files(run: RunDirectory) -> list[str]:
    return sorted(path.parent.name for path in (run.path / "tensorboard").rglob("events.out.tfevents.*"))


def test_a_run_with_event_files_is_whole_and_stays_so_whatever_becomes_of_them(
    write_tiny: WriteTiny, tmp_path: Path
) -> None:
    config = write_tiny(config=QUICK)
    asked = ["train", config.name, "--runs", str(tmp_path), "--name", "mine", "--tensorboard"]
    done = stockcast(*asked, cwd=config.parent)
    assert done.returncode == 0, done.stderr
    assert "tensorboard --logdir" in done.stderr
    run = RunDirectory(tmp_path / "mine")
    assert files(run) == ["training", "validation"]
    assert not [name for name in run.manifest()["files"] if "tensorboard" in name]
    assert check_integrity(run.path).state == "whole"
    events = next((run.path / "tensorboard").rglob("events.out.tfevents.*"))
    events.write_bytes(events.read_bytes() + b"more")
    (events.parent / "another").write_bytes(b"")
    assert check_integrity(run.path).state == "whole"


def test_a_training_taken_up_again_writes_the_epochs_to_come_beside_the_others(
    write_tiny: WriteTiny, tmp_path: Path
) -> None:
    config = load_config(write_tiny(config=QUICK), ["training.epochs=2", "training.batch_size=64"])
    report, pause = stop_after(1)
    with pytest.raises(Killed):
        commands.train(config, runs=tmp_path, name="mine", report=report, pause=pause, tensorboard=True)
    run = RunDirectory(tmp_path / "mine")
    assert files(run) == ["training", "validation"]
    assert check_integrity(run.path).state == "unfinished"
    commands.resume(run, tensorboard=True)
    assert files(run) == ["training", "training", "validation", "validation"]
    assert check_integrity(run.path).state == "whole"


def test_nothing_is_written_unless_somebody_asks(write_tiny: WriteTiny, tmp_path: Path) -> None:
    run = commands.train(load_config(write_tiny(config=QUICK)), runs=tmp_path).run
    assert not (run.path / "tensorboard").exists()
