"""What safety costs: the share of `stockcast train` spent on checks, hashes, checkpoints and flushing to the disk.

    python benchmarks/overhead.py [--repeats 3] [--set KEY=VALUE ...]

Trains the default config in this process, with a clock around everything that a training without them would not do:
looking prices over (`check_quality`), copying and storing the state after each epoch, hashing files, flushing them and
their folders, taking the lock. Time spent inside another clocked function counts once.
"""

import argparse
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from stockcast.config.bundled import find_config
from stockcast.config.load import load_config
from stockcast.data.prices import Prices
from stockcast.execution import members
from stockcast.forecasting import reading
from stockcast.models import fit
from stockcast.pipeline.train import train
from stockcast.runs import checkpoints, directory, files
from stockcast.runs.checkpoints import Checkpoints

CLOCKED: dict[str, list[tuple[Any, str]]] = {
    "prices looked over": [(reading, "check_quality")],
    "state copied and stored after each epoch": [(fit, "_values"), (members, "_write_checkpoint")],
    "files and closes hashed": [(directory, "sha256"), (checkpoints, "sha256"), (Prices, "closes_sha256")],
    "files and folders flushed": [(files, "_flush")],
    "begun, locked, tidied": [(Checkpoints, "begin"), (Checkpoints, "tidy")],
}
"""What is measured -> the functions that do it, each as (where it is looked up, its name)."""


class Clock:
    """Adds up the seconds spent in functions, by what they are for."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._inside = False

    def around(self, what: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return the function, clocked."""

        @wraps(function)
        def clocked(*arguments: Any, **options: Any) -> Any:
            if self._inside:
                return function(*arguments, **options)
            self._inside, started = True, time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                self._inside = False
                self.seconds[what] += time.perf_counter() - started

        return clocked


def measure(overrides: list[str]) -> tuple[float, Counter[str]]:
    """Train once; return the seconds of it all, and of each thing that is clocked."""
    clock = Clock()
    kept = [(owner, name, getattr(owner, name)) for pairs in CLOCKED.values() for owner, name in pairs]
    for what, pairs in CLOCKED.items():
        for owner, name in pairs:
            setattr(owner, name, clock.around(what, getattr(owner, name)))
    try:
        with tempfile.TemporaryDirectory() as runs:
            started = time.perf_counter()
            train(load_config(find_config(None), overrides), runs=Path(runs))
            return time.perf_counter() - started, clock.seconds
    finally:
        for owner, name, function in kept:
            setattr(owner, name, function)


def main(repeats: int, overrides: list[str]) -> None:
    """Measure and print a Markdown table."""
    runs = [measure(overrides) for _ in range(repeats)]
    print(f"| of `stockcast train`, median of {repeats} | seconds | share |\n|---|---|---|")
    for what in CLOCKED:
        share = statistics.median(seconds[what] / whole for whole, seconds in runs)
        print(f"| {what} | {statistics.median(seconds[what] for _, seconds in runs):.2f} | {100 * share:.2f} % |")
    shares = [sum(seconds.values()) / whole for whole, seconds in runs]
    together = statistics.median(sum(seconds.values()) for _, seconds in runs)
    print(f"| together | {together:.2f} | {100 * statistics.median(shares):.2f} % |")
    print(f"| the whole training | {statistics.median(whole for whole, _ in runs):.1f} | 100 % |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], dest="overrides", metavar="KEY=VALUE")
    chosen = parser.parse_args()
    main(chosen.repeats, chosen.overrides)
