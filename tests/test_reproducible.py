"""The same config, data and machine: the same bits, in every process and over one thread or two."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from made import REPOSITORY

STOCKCAST = [sys.executable, "-m", "stockcast"]
HOUSE_NETWORK = [
    f"data.path={REPOSITORY / 'data' / 'SP500.csv'}", "data.start=2008-01-01", "training.epochs=1",
    "training.windows_per_epoch=600",
    "split.validation=0.15", "split.calibration=0.15", "split.test=0.2",
]  # fmt: skip


def fingerprint(root: Path, name: str, *, cores: set[int]) -> dict[str, str]:
    """Train and evaluate the default network on a part of its data in processes that may use these cores only."""
    sets = [part for override in HOUSE_NETWORK for part in ("--set", override)]
    for arguments in (["train", "sp500", "--name", name, *sets], ["evaluate", name, "--no-plot"]):
        subprocess.run(
            [*STOCKCAST, *arguments, "--runs", str(root), "-q"],
            check=True,
            capture_output=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
    files = ("model.weights.h5", "model.onnx", "scaler.json", "calibration.json", "evaluation/forecasts.npz")
    return {file: hashlib.sha256((root / name / file).read_bytes()).hexdigest() for file in files}


@pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2,
    reason="to compare one core with two it takes two, and a system that can hold a process to one",
)
@pytest.mark.slow
def test_three_processes_over_one_core_and_two_end_in_the_same_bits(tmp_path: Path) -> None:
    first, second, *_ = sorted(os.sched_getaffinity(0))
    both = fingerprint(tmp_path, "both", cores={first, second})
    assert fingerprint(tmp_path, "again", cores={first, second}) == both
    assert fingerprint(tmp_path, "one", cores={first}) == both
