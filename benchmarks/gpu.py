"""How fast the house network trains on this machine's accelerator, by backend, on windows and on sequences.

    python benchmarks/gpu.py [--batches 256,2048,8192] [--seconds 5] [--backends tensorflow,torch,jax] [--json FILE]

Each backend that is installed runs in a process of its own, by `KERAS_BACKEND`, with the program's own `fit`: LSTM(50)
-> LSTM(100) -> Dense, windows of 50 days of 27 features, 50 days ahead, sequences of 200 days. Beside it stands a loop
over PyTorch's `nn.LSTM` written by hand, with the same loss and its batches on the device already. Without an
accelerator it runs on the CPU; take small batches there. Markdown goes to standard output.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # works without an installation, as on a lent machine

FEATURES, WINDOW, HORIZON, LENGTH, LAYERS, DROPOUT = 27, 50, 50, 200, (50, 100), 0.3
TARGETS = {"windows": 1, "sequences": LENGTH - WINDOW + 1}
"""Days with targets in one example of each kind."""
BY_HAND = "nn.LSTM"


class Made:
    """Made-up windows or sequences: as many as a batch are kept, and returned over and over."""

    step_interval = 1

    def __init__(self, kind: str, batch: int, batches: int) -> None:
        random = np.random.default_rng(0)
        days = (batch, WINDOW if kind == "windows" else LENGTH, FEATURES)
        targets = (batch, HORIZON) if kind == "windows" else (batch, TARGETS[kind], HORIZON)
        self._count = self.origin_count = batch * batches
        self._arrays = [random.standard_normal(shape, dtype=np.float32) for shape in (days, targets)]
        if kind == "sequences":
            self._arrays.append(np.ones(targets[:2], dtype=np.float32))

    def __len__(self) -> int:
        return self._count

    def draw(self, generator: np.random.Generator, most: int | None = None) -> "Made":
        """Return themselves: made-up days need no order."""
        return self

    def batch(self, rows: slice) -> tuple[Any, ...]:
        """Return the batch."""
        return tuple(self._arrays)


def stockcast(kind: str, batch: int, seconds: float) -> float:
    """Targets per second of the program's own `fit`."""
    from stockcast.models.build import build_network
    from stockcast.models.fit import fit
    from stockcast.models.heads import make_head
    from stockcast.models.settings import FitSettings, NetworkSettings

    def epochs(count: int, batches: int) -> list[float]:
        network = build_network(
            NetworkSettings(cell="lstm", layers=LAYERS, dropout=DROPOUT, skip_connection=True),
            head=make_head("student_t"),
            window=WINDOW,
            features=FEATURES,
            horizon=HORIZON,
            sequence_length=LENGTH if kind == "sequences" else None,
        )
        settings = FitSettings(epochs=count, patience=count, batch_size=batch, learning_rate=1e-3, clip_norm=1.0)
        examples, held = Made(kind, batch, batches), Made(kind, batch, 1)
        history = fit(network, examples, held, head=make_head("student_t"), settings=settings)
        return [epoch.seconds for epoch in history[1:]]

    (few,) = epochs(2, 3)
    batches = max(3, min(500, int(3 * seconds / few)))  # the first epoch traces, so its seconds are of the second
    (measured,) = epochs(2, batches)
    return batch * batches * TARGETS[kind] / measured


def by_hand(kind: str, batch: int, seconds: float) -> float:
    """Targets per second of a loop over `nn.LSTM`."""
    import torch
    from torch import nn

    device = "cuda" if torch.cuda.is_available() else "cpu"
    inputs, targets = (torch.from_numpy(array).to(device) for array in Made(kind, batch, 1).batch(slice(None))[:2])
    first, second = nn.LSTM(FEATURES, LAYERS[0], batch_first=True), nn.LSTM(LAYERS[0], LAYERS[1], batch_first=True)
    dropout, dense = nn.Dropout(DROPOUT), nn.Linear(LAYERS[1] + FEATURES, 3 * HORIZON)
    parts = nn.ModuleList([first, second, dense]).to(device)
    optimizer = torch.optim.Adam(parts.parameters(), lr=1e-3)
    last = slice(-1, None) if kind == "windows" else slice(WINDOW - 1, None)

    def step() -> None:
        hidden = dropout(second(dropout(first(inputs)[0]))[0][:, last])
        outputs = dense(torch.cat([hidden, inputs[:, last]], dim=-1)).unflatten(-1, (HORIZON, 3))
        degrees = nn.functional.softplus(outputs[..., 2]) + 2.1
        density = torch.distributions.StudentT(degrees, 0.1 * outputs[..., 0], outputs[..., 1].exp())
        loss = -density.log_prob(targets if kind == "sequences" else targets[:, None]).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(parts.parameters(), 1.0)
        optimizer.step()

    def wait() -> None:
        if device == "cuda":
            torch.cuda.synchronize()

    return batch * TARGETS[kind] / per_call(step, wait, seconds)


def per_call(step: Callable[[], None], wait: Callable[[], None], seconds: float) -> float:
    """Seconds of a call, after three that warm up."""
    for _ in range(3):
        step()
    wait()
    started, calls = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        step()
        calls += 1
        if calls % 10 == 0:
            wait()  # or hundreds of steps would be queued before the clock is read
    wait()
    return (time.perf_counter() - started) / calls


def measure(contender: str, batches: list[int], seconds: float) -> dict[str, Any]:
    """Measure one contender in this process."""
    found: dict[str, Any] = {"versions": versions(contender), "speeds": {}}
    for kind in TARGETS:
        for batch in batches:
            try:
                speed = (by_hand if contender == BY_HAND else stockcast)(kind, batch, seconds)
            except Exception as error:  # out of memory, say: the others still count
                found["speeds"][f"{kind} {batch}"] = f"{type(error).__name__}: {str(error)[:80]}"
                continue
            found["speeds"][f"{kind} {batch}"] = speed
    return found


def versions(contender: str) -> dict[str, str]:
    """Return the versions and the device that a contender runs on."""
    if contender == BY_HAND or os.environ.get("KERAS_BACKEND") == "torch":
        import torch

        device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
        return {"torch": torch.__version__, "device": device}
    if contender == "jax":
        import jax

        return {"jax": jax.__version__, "device": jax.devices()[0].device_kind}
    import tensorflow

    gpus = tensorflow.config.list_physical_devices("GPU")
    return {"tensorflow": tensorflow.__version__, "device": gpus[0].name if gpus else "CPU"}


def main() -> None:
    """Measure each contender in a process of its own, then print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", default="256,2048,8192")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--backends", default="tensorflow,torch,jax")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    options = parser.parse_args()
    batches = [int(batch) for batch in options.batches.split(",")]
    if options.contender:
        print(json.dumps(measure(options.contender, batches, options.seconds)))
        return
    found: dict[str, Any] = {}
    for contender in [*options.backends.split(","), BY_HAND]:
        keras = {} if contender == BY_HAND else {"KERAS_BACKEND": contender}
        done = subprocess.run(
            [sys.executable, __file__, *sys.argv[1:], "--contender", contender],
            capture_output=True,
            text=True,
            env={**os.environ, **keras, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )
        error = "not installed" if "ModuleNotFoundError" in done.stderr else done.stderr[-300:]
        found[contender] = json.loads(done.stdout.splitlines()[-1]) if not done.returncode else {"error": error}
    if options.json:
        options.json.write_text(json.dumps(found, indent=1), encoding="utf-8")
    print_table(found)


def print_table(found: dict[str, Any]) -> None:
    """Print targets per second, a row for each batch and a column for each contender."""
    print(f"{date.today()}, {platform.machine()}, Python {platform.python_version()}")
    for contender, one in found.items():
        print(f"- {contender}: {one.get('error') or ', '.join(f'{k} {v}' for k, v in one['versions'].items())}")
    measured = {contender: one["speeds"] for contender, one in found.items() if "speeds" in one}
    print(f"\n| targets/s | {' | '.join(measured)} |\n|---|{'---|' * len(measured)}")
    for row in next(iter(measured.values()), {}):
        cells = [speeds[row] for speeds in measured.values()]
        print(f"| {row} | {' | '.join(f'{c:,.0f}' if isinstance(c, float) else c for c in cells)} |")


if __name__ == "__main__":
    main()
