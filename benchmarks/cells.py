"""Every cell on the S&P 500: the same head, protocol and seeds, and what the seeds alone make of the difference.

    python benchmarks/cells.py [--seeds 5] [--runs DIR]

Trains `lessons/gru` with each cell and seed, and scores its test days; what GARCH says of them is worked out once.
A line for each cell and seed goes to standard error as it is done, the table in Markdown to standard output: five
seeds of seven cells take minutes on two cores. A run that stands under DIR already is scored again, not trained again.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

from skill import STEPS, skills, stockcast

CELLS = ("linear", "conv", "simple_rnn", "gru", "lstm", "peephole_lstm", "bidirectional_lstm")


def main(*, seeds: int, runs: Path) -> None:
    """Train, score and print."""
    found: dict[str, list[list[float]]] = {}
    seconds, weights = {}, {}
    for cell in CELLS:
        layers = {"linear": "[]", "conv": "[32, 32, 32]"}.get(cell, "[32]")
        for seed in range(seeds):
            name = f"{cell}-{seed}"
            if not (runs / name / "run.json").exists():
                sets = [f"model.cell={cell}", f"model.layers={layers}", f"training.seed={seed}"]
                overrides = [part for one in sets for part in ("--set", one)]
                stockcast("train", "lessons/gru", *overrides, "--runs", str(runs), "--name", name, "-q")
            if found and not (runs / name / "rivals").exists():
                shutil.copytree(runs / f"{CELLS[0]}-0" / "rivals", runs / name / "rivals")
            metrics = json.loads(stockcast("evaluate", name, "--runs", str(runs), "--json", "-q"))
            found.setdefault(cell, []).append(skills(metrics, "ewma"))
            training = json.loads((runs / name / "run.json").read_text())["training"]
            seconds.setdefault(cell, []).append(training["seconds"] / training["epochs"])
            weights[cell] = training["parameters"]
            told = ", ".join(
                f"{value:+.1f} % at {_days(step)}" for step, value in zip(STEPS, found[cell][-1], strict=True)
            )
            print(f"{name}: {training['seconds']:.0f} s of training; {told}", file=sys.stderr, flush=True)
    print(f"CRPS lower than EWMA's, in %, mean of {seeds} seeds (least to most)\n")
    print(f"| cell | weights | s an epoch | {' | '.join(map(_days, STEPS))} | mean |")
    print(f"|{'---|' * (len(STEPS) + 4)}")
    for cell, by_seed in found.items():
        columns = [*zip(*by_seed, strict=True), tuple(statistics.mean(one) for one in by_seed)]
        cells = [f"{statistics.mean(one):+.1f} ({min(one):+.1f} to {max(one):+.1f})" for one in columns]
        print(f"| {cell} | {weights[cell]:,} | {statistics.median(seconds[cell]):.1f} | {' | '.join(cells)} |")


def _days(step: str) -> str:
    return f"{step} day{'' if step == '1' else 's'}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--runs", type=Path, help="where runs are kept (default: a temporary folder)")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        main(seeds=chosen.seeds, runs=chosen.runs or Path(scratch))
