"""Many series at once: how memory and time grow with them.

    python benchmarks/scale.py [--series 500] [--days 5000]

Trains one epoch on a sample of windows of a folder of made-up prices with `stockcast train`, and watches the memory
of the command and of what it starts; then times an epoch over all windows of 1, 10 and 100 series. Markdown goes to
standard output.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from main_job import memory

FEATURES = [
    "return_in_volatility", "abs_return_in_volatility", "day_volatility_ratio", "volatility_ratio_5",
    "volatility_ratio_33", "volatility_ratio_133", "downside_17", "momentum_60", "drawdown",
]  # fmt: skip
CONFIG = """\
name: scale
data: {{path: {folder}, calendar: XNYS}}
features: [{features}]
target: {{scale: volatility}}
window: 50
horizon: 50
model: {{layers: {layers}}}
training: {{epochs: {epochs}, patience: {epochs}, batch_size: 256, windows_per_epoch: {windows}}}
"""


def write_prices(folder: Path, *, series: int, days: int) -> None:
    """Write made-up price files: random walks with an open, a high and a low around each close."""
    folder.mkdir()
    dates = pd.bdate_range(end="2020-12-31", periods=days).strftime("%Y-%m-%d")
    for number in range(series):
        random = np.random.default_rng(number)
        close = 100 * np.exp(np.cumsum(0.01 * random.standard_normal(days)))
        opened = close * np.exp(0.004 * random.standard_normal(days))
        spread = np.exp(0.006 * random.random(days))
        table = pd.DataFrame(
            {
                "Date": dates,
                "Open": opened,
                "High": np.maximum(opened, close) * spread,
                "Low": np.minimum(opened, close) / spread,
                "Close": close,
            }
        )
        table.round(4).to_csv(folder / f"made-{number:03d}.csv", index=False)


def train(folder: Path, *, layers: str, epochs: int, windows: str) -> tuple[Path, float, float]:
    """Train as a user does; return the run, the seconds and the most megabytes."""
    config = folder.parent / "scale.yaml"
    config.write_text(
        CONFIG.format(folder=folder, features=", ".join(FEATURES), layers=layers, epochs=epochs, windows=windows)
    )
    runs, name = folder.parent / "runs", f"{folder.name}-{time.time_ns()}"
    line = [sys.executable, "-m", "stockcast", "train", str(config), "-q", "--runs", str(runs), "--name", name]
    started = time.perf_counter()
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL)
    most = memory(process)
    if process.returncode:
        raise SystemExit(f"{' '.join(line)} ended with {process.returncode}")
    return runs / name, time.perf_counter() - started, most


def main(*, series: int, days: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as scratch:
        many = Path(scratch) / "many"
        write_prices(many, series=series, days=days)
        _, seconds, most = train(many, layers="[50, 100]", epochs=1, windows="5000")
        arrays = series * days * len(FEATURES) * 4 / 2**20
        bar = 1.5 * arrays + 700
        print(
            f"| {series} series x {days:,} days x {len(FEATURES)} features, one epoch of 5,000 windows | |\n|---|---|"
        )
        print(f"| the feature arrays, single precision | {arrays:,.0f} MB |")
        print(f"| most memory | {most:,.0f} MB; bar 1.5 x the arrays + 700 MB = {bar:,.0f} MB: "
              f"{'kept' if most <= bar else 'MISSED'} |")  # fmt: skip
        print(f"| the whole command, reading {series} files included | {seconds:.0f} s |\n")

        print("| series | windows of an epoch | seconds of an epoch | microseconds a window |\n|---|---|---|---|")
        each = []
        for count in (1, 10, 100):
            some = Path(scratch) / f"some-{count}"
            write_prices(some, series=count, days=1500)
            run, _, _ = train(some, layers="[50, 100]", epochs=5 if count < 100 else 3, windows="null")
            history = pd.read_csv(run / "history.csv")
            epoch = statistics.median(history["seconds"][1:])
            windows = count * (round(1500 * 0.6) - 50 - 50 + 1)  # of the training part; validation adds a sixth
            each.append(1e6 * epoch / windows)
            print(f"| {count} | {windows:,} | {epoch:.2f} | {each[-1]:.0f} |", flush=True)
        far = max(abs(one / each[1] - 1) for one in each)
        print(f"\nFurthest from linear: {100 * far:.0f} %; bar 10 %: {'kept' if far <= 0.1 else 'MISSED'}.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=500)
    parser.add_argument("--days", type=int, default=5000)
    chosen = parser.parse_args()
    main(series=chosen.series, days=chosen.days)
