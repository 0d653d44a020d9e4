"""Windows that several processes train on lie in a file without a name."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from stockcast.data import array_file
from stockcast.data.scaler import Scaler
from stockcast.data.shared_windows import SharedWindows, map_windows
from stockcast.data.target import TargetTransform
from stockcast.data.windows import WindowDataset
from stockcast.errors import RunError


def made(*, volatility: bool) -> tuple[WindowDataset, WindowDataset]:
    random = np.random.default_rng(1)
    target = TargetTransform("log_return", Scaler(np.array([0.1]), np.array([2.0]), np.array([0.1])))

    def windows(origins: range) -> WindowDataset:
        return WindowDataset(scaled, prices, np.array(origins), window=4, horizon=3, target=target, volatility=unit)

    scaled, prices = random.random((30, 2)).astype(np.float32), random.random(30) + 1
    unit = random.random(30) + 0.1 if volatility else None
    return windows(range(5, 15)), windows(range(20, 27))


@pytest.mark.parametrize("volatility", [False, True])
def test_another_process_has_the_same_windows(volatility: bool) -> None:
    own = made(volatility=volatility)
    shared = SharedWindows(*own)
    script = (
        "import json, sys, numpy as np\n"
        "from stockcast.data.shared_windows import map_windows\n"
        "for windows in map_windows(int(sys.argv[1]), json.loads(sys.argv[2])):\n"
        "    print(json.dumps([part.tolist() for part in windows.batch(slice(None))]))\n"
    )
    command = [sys.executable, "-c", script, str(shared.descriptor), json.dumps(shared.order())]
    printed = subprocess.run(command, pass_fds=[shared.descriptor], capture_output=True, check=True, text=True).stdout
    for line, mapped, windows in zip(printed.splitlines(), (shared.training, shared.validation), own, strict=True):
        expected = [part.tolist() for part in windows.batch(slice(None))]
        assert json.loads(line) == expected == [part.tolist() for part in mapped.batch(slice(None))]


def test_no_file_is_left_and_nothing_can_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    shared = SharedWindows(*made(volatility=True))
    assert list(tmp_path.iterdir()) == []
    assert not shared.training.scaled.flags.writeable
    descriptor = shared.descriptor
    training, _ = map_windows(descriptor, shared.order())
    expected = training.scaled.copy()
    del shared
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        os.fstat(descriptor)
    np.testing.assert_array_equal(training.scaled, expected)


def test_a_full_disk_is_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    full = open("/dev/full", "w+b", buffering=0)  # noqa: SIM115 (`SharedWindows` closes it)
    monkeypatch.setattr(array_file, "TemporaryFile", lambda **_: full)
    with pytest.raises(RunError, match=r"No space left on device.*Make room there, or set TMPDIR"):
        SharedWindows(*made(volatility=True))
