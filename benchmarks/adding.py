"""The adding problem (Hochreiter & Schmidhuber 1997): which cell carries two numbers over fifty days?

    python benchmarks/adding.py [--cells gru lstm] [--steps 3000] [--output docs/adding.png]

Every day of a window shows a uniform number and a marker; two of the days are marked, and the answer is the sum of
their two numbers. Who always says 1 has a mean squared error of 2/12 = 0.167, and so has a network that forgets what it
saw. Every cell gets the same layers, optimizer, seed and sequences, fresh ones in every batch; the error is that of a
thousand sequences that none of them learns from. The picture shows it by step, the table goes to standard output.
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.models.backend import load_keras
from stockcast.models.layers import CELLS, stack_layers
from stockcast.typing import Floats

LENGTH, LAYERS, BATCH, EVERY = 50, (32, 32), 64, 100
CONSTANT, SOLVED, LEARNT_BY_HEART = 2 / 12, 0.05, 0.005
MUST = ("gru", "lstm", "peephole_lstm", "conv")


def sequences(count: int, seed: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Inputs of shape (count, 50, 2), numbers and markers, and answers of shape (count, 1)."""
    random = np.random.default_rng(seed)
    numbers, markers = random.random((count, LENGTH)), np.zeros((count, LENGTH))
    first = random.integers(0, LENGTH // 2, count)  # one in each half, so that no two are the same
    second = random.integers(LENGTH // 2, LENGTH, count)
    rows = np.arange(count)
    markers[rows, first] = markers[rows, second] = 1
    answers = numbers[rows, first] + numbers[rows, second]
    return np.stack([numbers, markers], axis=-1).astype(np.float32), answers[:, None].astype(np.float32)


def learn(cell: str, steps: int) -> tuple[list[int], list[float], float]:
    """Train one cell; return the steps at which it was asked, the errors then, and seconds."""
    keras: Any = load_keras()
    keras.utils.set_random_seed(0)
    inputs = keras.Input((LENGTH, 2))
    hidden = stack_layers(inputs, cell, () if cell == "linear" else LAYERS, window=LENGTH, dropout=0.0)
    network = keras.Model(inputs, keras.layers.Dense(1)(hidden))
    network.compile(keras.optimizers.Adam(3e-3, clipnorm=1.0), "mse", jit_compile=False)
    asked, right = sequences(1000, (1,))
    at, errors, started = [0], [float(np.mean((network.predict(asked, verbose=0) - right) ** 2))], time.perf_counter()
    while at[-1] < steps and errors[-1] > LEARNT_BY_HEART:
        network.fit(*sequences(BATCH * EVERY, (0, at[-1])), batch_size=BATCH, shuffle=False, verbose=0)
        at.append(at[-1] + EVERY)
        errors.append(float(np.mean((network.predict(asked, verbose=0, batch_size=1000) - right) ** 2)))
    return at, errors, time.perf_counter() - started


def draw(curves: dict[str, tuple[list[int], list[float]]], path: Path) -> None:
    """Draw every cell's error by step."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for cell, (at, errors) in curves.items():
        axes.plot(at, errors, label=cell, linewidth=1.5)
    for level, name in ((CONSTANT, "always 1"), (SOLVED, "solved")):
        axes.axhline(level, color="grey", linewidth=0.8, linestyle="--")
        axes.annotate(name, (1, level), xycoords=("axes fraction", "data"), xytext=(-4, 3), textcoords="offset points",
                      ha="right", color="grey", fontsize=8)  # fmt: skip
    axes.set(title=f"The adding problem over {LENGTH} days", xlabel=f"steps of {BATCH} fresh sequences",
             ylabel="mean squared error", yscale="log")  # fmt: skip
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120)


def main(cells: list[str], steps: int, output: Path | None) -> None:
    """Train every cell, print a row for each, draw them all."""
    print(f"| cell | error after {steps} steps or less | steps to {SOLVED} | seconds | |\n|{'---|' * 5}")
    curves = {}
    for cell in cells:
        at, errors, seconds = learn(cell, steps)
        curves[cell] = (at, errors)
        solved = next((step for step, error in zip(at, errors, strict=True) if error < SOLVED), None)
        bar = "" if cell not in MUST else "kept" if solved is not None else "MISSED"
        print(f"| {cell} | {errors[-1]:.4f} | {solved or 'never'} | {seconds:.0f} | {bar} |", flush=True)
    print(f"\nBar: {', '.join(MUST)} come below {SOLVED}, where the constant guess gets {CONSTANT:.3f}.")
    if output is not None:
        draw(curves, output)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", nargs="+", choices=list(CELLS), default=list(CELLS))
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--output", type=Path, default=None)
    chosen = parser.parse_args()
    main(chosen.cells, chosen.steps, chosen.output)
