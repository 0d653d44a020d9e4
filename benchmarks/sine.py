"""Ask the classroom lab for what it must know: a sine without noise, fed back fifty times.

    python benchmarks/sine.py [--days 8000] [--set KEY=VALUE ...]

Trains `configs/sp500-lab.yaml` on a made file whose Close is 100 + 10 sin(2 pi t / 40): 50 days in, the 51st out, fed
back 50 times. A network that has learnt the wave, and a recursion and a scaling that are right, go on along it. The
error is that of the forecasts of all test days as `evaluate` writes them: of the whole way from file to price and back.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

AMPLITUDE, PERIOD = 10.0, 40
MOST_SECONDS, MOST_ERROR = 60.0, 0.05 * AMPLITUDE
STOCKCAST = [sys.executable, "-m", "stockcast"]


def write_wave(path: Path, days: int) -> None:
    """Write a price file with a Date and a Close on every weekday."""
    dates = pd.bdate_range("1990-01-01", periods=days).strftime("%Y-%m-%d")
    closes = 100 + AMPLITUDE * np.sin(2 * np.pi * np.arange(days) / PERIOD)
    pd.DataFrame({"Date": dates, "Close": closes}).to_csv(path, index=False)


def run(folder: Path, *arguments: str) -> None:
    """Run a command of stockcast in a process of its own."""
    subprocess.run(
        [*STOCKCAST, *arguments, "--runs", str(folder / "runs"), "-q"], check=True, stdout=subprocess.DEVNULL
    )


def main(days: int, overrides: list[str]) -> bool:
    """Train, score, print; return whether the bar is kept."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        write_wave(folder / "sine.csv", days)
        changes = [part for one in (f"data.path={folder / 'sine.csv'}", *overrides) for part in ("--set", one)]
        run(folder, "train", "sp500-lab", "--name", "sine", *changes)
        run(folder, "evaluate", "sine")
        training = json.loads((folder / "runs" / "sine" / "run.json").read_text())["training"]
        with np.load(folder / "runs" / "sine" / "evaluation" / "forecasts.npz") as stored:
            middle = int(np.flatnonzero(np.isclose(stored["levels"], 0.5))[0])
            errors = stored["quantiles"][:, :, middle] - stored["actual"]
    by_step = np.sqrt(np.mean(errors**2, axis=0))
    error = float(np.sqrt(np.mean(errors**2)))
    print(f"{days} days, {training['windows']} windows, {training['epochs']} epochs in {training['seconds']:.0f} s\n")
    steps = [step for step in (1, 5, 10, 20, 50) if step <= len(by_step)]
    print(f"| days ahead | {' | '.join(map(str, steps))} | all |\n|{'---|' * (len(steps) + 2)}")
    cells = [f"{100 * by_step[step - 1] / AMPLITUDE:.1f} %" for step in steps]
    print(f"| RMSE of {len(errors)} forecasts, of the amplitude | {' | '.join(cells)} | {10 * error:.1f} % |\n")
    kept = error < MOST_ERROR and training["seconds"] <= MOST_SECONDS
    said = "kept" if kept else "MISSED"
    print(f"Bar: under 5 % of the amplitude after at most {MOST_SECONDS:.0f} s of training: {said}.")
    return kept


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=8000)
    parser.add_argument("--set", action="append", default=[], dest="overrides", metavar="KEY=VALUE")
    chosen = parser.parse_args()
    sys.exit(0 if main(chosen.days, chosen.overrides) else 1)
