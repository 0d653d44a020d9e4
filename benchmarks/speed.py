"""How fast the house network trains, beside what a tutorial writes, PyTorch by hand, and what the machine can do.

    python benchmarks/speed.py [--repeats 3]

Same sizes for all: LSTM(50) -> dropout -> LSTM(100) -> dropout -> Dense, windows of 50 days of 9 features, 50 days
ahead, single precision, both cores. Every contender runs in a process of its own, in turns, so that a noisy minute hits
all of them; a first epoch, which builds and traces, is not counted. PyTorch takes part where it is installed
(`pip install torch==2.13.0`). Markdown goes to standard output.

The ceiling is the machine's own matrix product at the shapes that occur: a forward pass of a window multiplies
(batch, inputs + units) x (inputs + units, 4 units) once a day and layer, and training does about three times that.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from typing import Any

import numpy as np

WINDOW, HORIZON, FEATURES, LAYERS = 50, 50, 9, (50, 100)
WINDOWS = 6144
PYTORCH_BATCHES = (32, 64, 128, 256)


def examples() -> tuple[Any, Any]:
    """Made-up inputs and answers, float32."""
    random = np.random.default_rng(0)
    inputs = random.standard_normal((WINDOWS, WINDOW, FEATURES)).astype(np.float32)
    return inputs, random.standard_normal((WINDOWS, HORIZON)).astype(np.float32)


def stockcast(epochs: int) -> list[float]:
    """Windows per second of each epoch: the program's own `fit`, its default head and batch."""
    from stockcast.data.scaling import Scaler
    from stockcast.data.targets import Target
    from stockcast.data.windows import Windows
    from stockcast.models.factory import build_network
    from stockcast.models.heads import make_head
    from stockcast.models.training import fit

    random = np.random.default_rng(0)
    days = WINDOWS + WINDOW + HORIZON
    windows = Windows(
        random.standard_normal((days, FEATURES)),
        np.exp(0.01 * random.standard_normal(days)),
        np.arange(WINDOW - 1, WINDOW - 1 + WINDOWS),
        window=WINDOW,
        horizon=HORIZON,
        target=Target("log_return", Scaler(center=np.zeros(1), scale=np.ones(1), fill=np.zeros(1))),
    )
    few = Windows(windows.scaled, windows.closes, windows.origins[:64], WINDOW, HORIZON, windows.target)
    head = make_head("student_t")
    network = build_network(
        cell="lstm", layers=LAYERS, dropout=0.2, shortcut=False, shrinkage=0.0, head=head, window=WINDOW,
        features=FEATURES, horizon=HORIZON,
    )  # fmt: skip
    history = fit(
        network, windows, few, head=head, epochs=epochs, batch_size=256, learning_rate=1e-3, optimizer="adam",
        clip_norm=1.0, patience=epochs, windows_per_epoch=None, seed=0,
    )  # fmt: skip
    return [WINDOWS / epoch.seconds for epoch in history[1:]]


def tutorial(epochs: int) -> list[float]:
    """The same of a script as tutorials write it: everything that `compile` and `fit` decide is left to them."""
    import keras

    inputs, answers = examples()
    network = keras.Sequential(
        [
            keras.Input((WINDOW, FEATURES)),
            keras.layers.LSTM(LAYERS[0], return_sequences=True),
            keras.layers.Dropout(0.2),
            keras.layers.LSTM(LAYERS[1]),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(HORIZON),
        ]
    )
    network.compile("adam", "mse")
    speeds = []
    for _ in range(epochs):
        started = time.perf_counter()
        network.fit(inputs, answers, batch_size=32, epochs=1, verbose=0)
        speeds.append(WINDOWS / (time.perf_counter() - started))
    return speeds[1:]


def pytorch(epochs: int, batch: int) -> list[float]:
    """The same of a loop over `nn.LSTM` written by hand."""
    import torch
    from torch import nn

    inputs, answers = (torch.from_numpy(one) for one in examples())
    first, second = nn.LSTM(FEATURES, LAYERS[0], batch_first=True), nn.LSTM(LAYERS[0], LAYERS[1], batch_first=True)
    dropout, dense = nn.Dropout(0.2), nn.Linear(LAYERS[1], HORIZON)
    parts = nn.ModuleList([first, second, dense])
    optimizer = torch.optim.Adam(parts.parameters(), lr=1e-3)
    speeds = []
    for _ in range(epochs):
        started = time.perf_counter()
        order = torch.randperm(WINDOWS)
        for start in range(0, WINDOWS, batch):
            rows = order[start : start + batch]
            hidden = dropout(first(inputs[rows])[0])
            hidden = dropout(second(hidden)[0][:, -1])
            loss = nn.functional.mse_loss(dense(hidden), answers[rows])
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(parts.parameters(), 1.0)
            optimizer.step()
        speeds.append(WINDOWS / (time.perf_counter() - started))
    return speeds[1:]


def ceiling(epochs: int, batch: int = 256) -> list[float]:
    """Windows per second if training were nothing but its matrix products, as fast as numpy makes them."""
    shapes = [(inputs + units, 4 * units) for inputs, units in zip((FEATURES, LAYERS[0]), LAYERS, strict=True)]
    random = np.random.default_rng(0)
    speeds = []
    for _ in range(epochs):
        seconds = 0.0
        for rows, columns in shapes:
            left = random.standard_normal((batch, rows)).astype(np.float32)
            right = random.standard_normal((rows, columns)).astype(np.float32)
            product = left @ right
            started = time.perf_counter()
            for _ in range(1000):
                np.matmul(left, right, out=product)
            seconds += 3 * WINDOW * (time.perf_counter() - started) / 1000
        speeds.append(batch / seconds)
    return speeds


CONTENDERS = {
    "stockcast, one network": ("stockcast", {}),
    "a tutorial's Keras script, batch 32": ("tutorial", {}),
    **{f"PyTorch by hand, batch {batch}": ("pytorch", {"batch": batch}) for batch in PYTORCH_BATCHES},
    "the matrix products alone": ("ceiling", {}),
}


def run(name: str, options: dict[str, int], *, epochs: int) -> float | str:
    """Windows per second of a contender in a process of its own, or why it does not take part."""
    code = f"import json, speed; print(json.dumps(speed.{name}({epochs}, **{options!r})))"  # ours: no word of a user's
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=os.path.dirname(os.path.abspath(__file__)),
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    if done.returncode:
        return "not installed" if "ModuleNotFoundError" in done.stderr else done.stderr[-200:]
    return statistics.median(json.loads(done.stdout.splitlines()[-1]))


def main(repeats: int, epochs: int) -> None:
    """Run all contenders in turns and print the table."""
    found: dict[str, list[float | str]] = {label: [] for label in CONTENDERS}
    for _ in range(repeats):
        for label, (name, options) in CONTENDERS.items():
            found[label].append(run(name, options, epochs=epochs))
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print(f"| training the house network | windows/s, median of {repeats} (least to most) | stockcast is |")
    print("|---|---|---|")
    own = statistics.median(speed for speed in found["stockcast, one network"] if isinstance(speed, float))
    for label, speeds in found.items():
        numbers = [speed for speed in speeds if isinstance(speed, float)]
        if not numbers:
            print(f"| {label} | {speeds[0]} | |")
            continue
        middle = statistics.median(numbers)
        ratio = "" if middle == own else f"{own / middle:.2f} x"
        print(f"| {label} | {middle:,.0f} ({min(numbers):,.0f} to {max(numbers):,.0f}) | {ratio} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=4, help="of each turn; the first is not counted")
    chosen = parser.parse_args()
    main(chosen.repeats, chosen.epochs)
