"""Measure what the README promises: wall time, peak memory and skill of the default run, each beside its bar.

    python benchmarks/main_job.py [--repeats 3] [--seeds 5]

Every command runs as a user runs it, in a process of its own, from an empty folder. The table goes to standard output.
"""

import argparse
import contextlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STOCKCAST = [sys.executable, "-m", "stockcast"]
BARS = {
    "--help": (0.3, None),
    "train": (120.0, 1500),
    "evaluate": (60.0, 1500),
    "predict": (None, 1500),
}
"""Command -> most seconds of wall time, most megabytes of peak memory; None where nothing is promised."""


def measure(arguments: list[str], folder: Path) -> tuple[float, float]:
    """Run one command; return its wall time in seconds and its peak memory in megabytes."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [*STOCKCAST, *arguments], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    most = memory(process)
    seconds = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"stockcast {' '.join(arguments)} ended with {process.returncode}")
    return seconds, most


def memory(process: "subprocess.Popen[bytes]") -> float:
    """Wait for a process; return the most megabytes that it and what it started held together.

    Pages that they share count once (proportional set size); looked at ten times a second, on Linux.
    """
    most = 0.0
    while True:
        most = max(most, sum(_held(one) for one in _family(process.pid)))
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.1)
            return most


def _family(process: int) -> list[int]:
    found = [process]
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            found += [one for child in (task / "children").read_text().split() for one in _family(int(child))]
    return found


def _held(process: int) -> float:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def said(kept: bool) -> str:
    """Say whether a bar is kept."""
    return "kept" if kept else "MISSED"


def verdict(value: float, bar: float | None) -> str:
    """Say the bar and whether the value keeps it."""
    return "" if bar is None else f"{said(value <= bar)} (at most {bar:g})"


def costs(folder: Path, repeats: int) -> None:
    """Print wall time and peak memory of each command."""
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"{platform.system()}; median of {repeats} (least to most)\n"
    )
    print("| command | seconds | bar | peak memory, MB | bar |\n|---|---|---|---|---|")
    for command, (most_seconds, most_megabytes) in BARS.items():
        runs = [measure([command], folder) for _ in range(repeats)]
        seconds, megabytes = ([run[which] for run in runs] for which in (0, 1))
        middle = statistics.median(seconds)
        print(
            f"| `stockcast {command}` | {middle:.2f} ({min(seconds):.2f} to {max(seconds):.2f}) "
            f"| {verdict(middle, most_seconds)} | {max(megabytes):,.0f} | {verdict(max(megabytes), most_megabytes)} |"
        )


def skill(folder: Path) -> None:
    """Print the default network's CRPS on the test days beside every rival's."""
    found = subprocess.run([*STOCKCAST, "evaluate", "--json", "-q"], cwd=folder, capture_output=True, check=True)
    metrics = json.loads(found.stdout)
    rivals = list(metrics["overall"]["baselines"])
    span = metrics["split"]
    period = f"{span['first_origin']} to {span['last_target']}"
    print(f"\nCRPS of log returns x 10,000, {span['origins']} origins, {period}\n")
    print(f"| days ahead | network | {' | '.join(rivals)} | 90 % band covers |\n|{'---|' * (len(rivals) + 3)}")
    for step, scores in {**metrics["horizons"], "all": metrics["overall"]}.items():
        cells = [
            f"{1e4 * scores['baselines'][rival]['crps']:.1f} ({100 * scores['skill'][rival]:+.1f} %)"
            for rival in rivals
        ]
        model = scores["model"]
        print(f"| {step} | {1e4 * model['crps']:.1f} | {' | '.join(cells)} | {100 * model['coverage_90']:.0f} % |")
    print("\nIn brackets: by how much the network's CRPS is lower than that rival's.")
    steps = {int(step): scores["skill"] for step, scores in metrics["horizons"].items()}
    kept = all(skill["random_walk"] >= 0.05 for skill in steps.values())
    kept &= all(skill["ewma"] > 0 for step, skill in steps.items() if step >= 5)
    print(f"Bar: 5 % lower than random_walk's at every horizon, lower than ewma's from 5 days on: {said(kept)}.")


def seeds(folder: Path, count: int) -> None:
    """Print how much the default network's skill depends on its seed."""
    print("\nCRPS lower than random_walk's / ewma's, in %, by seed:\n")
    for seed in range(count):
        name = f"seed-{seed}"
        train = ["train", "--set", f"training.seed={seed}", "--name", name, "-q"]
        subprocess.run([*STOCKCAST, *train], cwd=folder, capture_output=True, check=True)
        found = subprocess.run(
            [*STOCKCAST, "evaluate", name, "--json", "-q"], cwd=folder, capture_output=True, check=True
        )
        horizons = json.loads(found.stdout)["horizons"]
        if seed == 0:
            print(f"| seed | {' | '.join(f'{step} days' for step in horizons)} |\n|{'---|' * (len(horizons) + 1)}")
        cells = [
            f"{100 * scores['skill']['random_walk']:+.1f} / {100 * scores['skill']['ewma']:+.1f}"
            for scores in horizons.values()
        ]
        print(f"| {seed} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seeds", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        costs(Path(scratch), chosen.repeats)
        skill(Path(scratch))
        seeds(Path(scratch), chosen.seeds)
