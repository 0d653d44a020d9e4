"""Many series at once: how memory and time grow with them.

    python benchmarks/scale.py memory [--series 1000] [--days 5000] [--repeats 3]
    python benchmarks/scale.py epochs
    python benchmarks/scale.py commands FOLDER [--counts 30,100,300] [--evaluate]

`memory` trains one epoch on a sample of windows of one made-up series and of a folder of them with `stockcast train`,
and compares the memory of the command and of what it starts. `epochs` times an epoch over all windows of 1, 10 and 100
series. `commands` runs `train`, `predict` and `evaluate` over the first files of FOLDER, with an empty cache and once
more, in seconds of the processor, which other work on the machine changes less than those of the clock; beside them
stand those of reading and features alone. Markdown goes to standard output.
"""

import argparse
import os
import resource
import shutil
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


def measure_memory(*, series: int, days: int, repeats: int) -> None:
    """Print the most memory of a training on many series, above that of one."""
    arrays = series * days * len(FEATURES) * 4 / 2**20
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["STOCKCAST_CACHE"] = f"{scratch}/cache"
        folders = {count: Path(scratch) / f"made-{count}" for count in (1, series)}
        most: dict[int, list[float]] = {count: [] for count in folders}
        for count, folder in folders.items():
            write_prices(folder, series=count, days=days)
        for _ in range(repeats):
            for count, folder in folders.items():
                most[count].append(train(folder, layers="[50, 100]", epochs=1, windows="5000")[2])
    one, many = (statistics.median(each) for each in most.values())
    print(f"| {days:,} days x {len(FEATURES)} features, 5,000 windows | most memory, MB: median of {repeats} |")
    print("|---|---|")
    for count, each in most.items():
        print(f"| {count:,} series | {statistics.median(each):,.0f} ({min(each):,.0f} to {max(each):,.0f}) |")
    print(f"| the feature arrays of {series:,} series, single precision | {arrays:,.0f} |")
    kept = many - one <= 1.5 * arrays
    print(f"| {series:,} series above one | {many - one:,.0f}; bar 1.5 x the arrays = {1.5 * arrays:,.0f}: "
          f"{'kept' if kept else 'MISSED'} |")  # fmt: skip


def processor_seconds(line: list[str]) -> float:
    """Run a command; return the processor seconds that it and what it started took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(line)} ended with {done.returncode}: {done.stderr[-500:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def reading_seconds(folder: Path) -> float:
    """Return the processor seconds of what every command does with each file: read it, compute its features."""
    from stockcast.cache.features import cached_features, cached_volatility
    from stockcast.cache.prices import cached_prices
    from stockcast.data.features import SCALE_FREE

    started = time.process_time()
    for file in sorted(folder.iterdir()):
        prices = cached_prices(file)
        cached_features(prices, tuple(SCALE_FREE))
        cached_volatility(prices)
    return time.process_time() - started


def measure_commands(folder: Path, *, counts: list[int], evaluate: bool) -> None:
    """Print what the commands take over some files with an empty cache, and once more."""
    files = sorted(folder.glob("*.csv"))
    print("| series | work | first, s | second, s | first / second | first, ms a series | second |")
    print("|---|---|---|---|---|---|---|")
    for count in counts:
        with tempfile.TemporaryDirectory() as scratch:
            some, cache = Path(scratch) / "some", Path(scratch) / "cache"
            some.mkdir()
            for file in files[:count]:
                shutil.copy(file, some)
            os.environ["STOCKCAST_CACHE"] = str(cache)
            last = files[0].read_text().splitlines()[-150].split(",")[0]
            config = Path(scratch) / "scale.yaml"
            config.write_text(
                CONFIG.format(folder=some, features=", ".join(FEATURES), layers="[4]", epochs=1, windows="256")
            )
            program, quiet = [sys.executable, "-m", "stockcast"], ["--no-plot", "--runs", f"{scratch}/runs"]
            works = {
                "read, features": None,
                "predict": ["predict", "pretrained", "--data", str(some), *quiet, "--output", f"{scratch}/out"],
                "train, one batch": ["train", str(config), "-q", "--runs", f"{scratch}/runs"],
            }
            if evaluate:
                works["evaluate"] = ["evaluate", "pretrained", "--data", str(some), *quiet, "--from", last]
            for work, arguments in works.items():
                shutil.rmtree(cache, ignore_errors=True)
                folder_of_cache()
                first, second = (
                    reading_seconds(some) if arguments is None else processor_seconds([*program, *arguments])
                    for _ in range(2)
                )
                print(
                    f"| {count} | {work} | {first:.1f} | {second:.1f} | {first / second:.1f} "
                    f"| {1e3 * first / count:.0f} | {1e3 * second / count:.0f} |",
                    flush=True,
                )


def folder_of_cache() -> None:
    """Let this process make the folder of the cache anew."""
    from stockcast.cache import folder

    folder._folder.cache_clear()


def measure_epochs() -> None:
    """Print what an epoch over all windows takes."""
    with tempfile.TemporaryDirectory() as scratch:
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
    commands = parser.add_subparsers(dest="command", required=True)
    of_memory = commands.add_parser("memory")
    of_memory.add_argument("--series", type=int, default=1000)
    of_memory.add_argument("--days", type=int, default=5000)
    of_memory.add_argument("--repeats", type=int, default=3)
    commands.add_parser("epochs")
    of_commands = commands.add_parser("commands")
    of_commands.add_argument("folder", type=Path)
    of_commands.add_argument("--counts", default="30,100,300")
    of_commands.add_argument("--evaluate", action="store_true")
    chosen = parser.parse_args()
    if chosen.command == "memory":
        measure_memory(series=chosen.series, days=chosen.days, repeats=chosen.repeats)
    elif chosen.command == "epochs":
        measure_epochs()
    else:
        counts = [int(count) for count in chosen.counts.split(",")]
        measure_commands(chosen.folder, counts=counts, evaluate=chosen.evaluate)
