"""How fast stockcast is, beside what a tutorial writes, PyTorch by hand, and what the machine can do.

    python benchmarks/speed.py [--repeats 3] [--json FILE] [--only training,loss,commands,evaluate]

Who is measured, and at what, is in `contenders.py`. Every contender runs in a process of its own, in turns, so that a
noisy minute hits all of them; figures are medians of the turns with the least and the most. PyTorch and neuralforecast
take part where they are installed (`pip install torch==2.13.0 neuralforecast`). Markdown goes to standard output.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contenders import HERE

PYTORCH_BATCHES = (32, 64, 128, 256)
ORIGINS = 1000


@dataclass
class Measured:
    """What the turns of one contender at one task gave, or why it did not take part."""

    values: list[float] = field(default_factory=list)
    why_not: str = ""

    @property
    def middle(self) -> float:
        """The median; no number without a turn."""
        return statistics.median(self.values) if self.values else float("nan")

    def __str__(self) -> str:
        if not self.values:
            return self.why_not
        digits = 0 if self.middle >= 100 else 2
        low, high = min(self.values), max(self.values)
        return f"{self.middle:,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


@dataclass(frozen=True)
class Bar:
    """A ratio of two contenders and what it must keep."""

    what: str
    ratio: float
    at_least: float | None = None
    at_most: float | None = None

    def __str__(self) -> str:
        if self.ratio != self.ratio:
            return f"| {self.what} | not measured | |"
        kept = self.ratio >= self.at_least if self.at_least is not None else self.ratio <= (self.at_most or 0)
        bar = f"at least {self.at_least:g}" if self.at_least is not None else f"at most {self.at_most:g}"
        return f"| {self.what} | {self.ratio:.2f} | {bar}: {'kept' if kept else 'MISSED'} |"


def call(code: str, scratch: Path) -> Any:
    """Return what a contender, given as Python, returns in a process of its own, or why it cannot as text."""
    done = subprocess.run(
        [sys.executable, "-c", f"import json, contenders; print(json.dumps(contenders.{code}))"],
        capture_output=True,
        text=True,
        cwd=HERE,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "SCRATCH": str(scratch)},
    )
    if done.returncode:
        return "not installed" if "ModuleNotFoundError" in done.stderr else done.stderr[-300:]
    return json.loads(done.stdout.splitlines()[-1])


def in_turns(contenders: dict[str, Callable[[], Any]], repeats: int) -> dict[str, Measured]:
    """Let each contender have its turn, `repeats` times over; each returns a number, several, or why it cannot."""
    found = {name: Measured() for name in contenders}
    for _ in range(repeats):
        for name, turn in contenders.items():
            told = turn()
            if isinstance(told, str):
                found[name].why_not = told
            else:
                found[name].values.append(statistics.median(told) if isinstance(told, list) else told)
    return found


def table(title: str, found: dict[str, Measured], bars: list[Bar]) -> dict[str, Any]:
    """Print a table and its bars; return both as plain values."""
    print(f"\n| {title} | median (least to most) |\n|---|---|")
    for name, measured in found.items():
        print(f"| {name} | {measured} |")
    if bars:
        print("\n| ratio | measured | bar |\n|---|---|---|")
        print("\n".join(map(str, bars)), flush=True)
    return {
        "measured": {name: one.values or one.why_not for name, one in found.items()},
        "ratios": {bar.what: bar.ratio for bar in bars},
    }


def training(scratch: Path, repeats: int, epochs: int) -> dict[str, Any]:
    """Windows per second while training."""
    ours, both, script = (
        "stockcast, one network",
        "stockcast, two members side by side",
        "a tutorial's script, batch 32",
    )
    pytorch = [f"PyTorch by hand, batch {batch}" for batch in PYTORCH_BATCHES]
    numpy, tensorflow = "matrix products alone, numpy's", "matrix products alone, TensorFlow's"
    calls = {
        ours: f"stockcast({epochs})",
        both: f"stockcast_members({epochs})",
        script: f"tutorial({epochs})",
        **{name: f"pytorch({epochs}, {batch})" for name, batch in zip(pytorch, PYTORCH_BATCHES, strict=True)},
        "neuralforecast's LSTM, batch 256": f"neuralforecast({epochs})",
        numpy: f"products({epochs}, 'numpy')",
        tensorflow: f"two_of({epochs}, 'products({epochs}, \"tensorflow\")')",
    }
    found = in_turns({name: lambda code=code: call(code, scratch) for name, code in calls.items()}, repeats)
    best = max((found[name].middle for name in pytorch if found[name].values), default=float("nan"))
    bars = []
    for name, against_script, against_pytorch, against_ceiling in ((ours, 2.0, 0.95, 0.75), (both, 2.6, 1.1, 0.9)):
        speed = found[name].middle
        bars += [
            Bar(f"{name} / the tutorial's script", speed / found[script].middle, against_script),
            Bar(f"{name} / PyTorch at its best batch", speed / best, against_pytorch),
            Bar(f"{name} / numpy's products", speed / found[numpy].middle, against_ceiling),
            Bar(f"{name} / TensorFlow's products", speed / found[tensorflow].middle, against_ceiling),
        ]
    return table("windows/s, training the house network", found, bars)


def loss(scratch: Path, repeats: int, epochs: int) -> dict[str, Any]:
    """Seconds until the tutorial's best validation loss."""
    script, ours = Measured(), Measured()
    for _ in range(repeats):
        target, seconds = call(f"tutorial_until_best({3 * epochs})", scratch)
        script.values.append(seconds)
        ours.values.append(call(f"stockcast_until({target!r}, 200)", scratch)[1])
    found = {"a tutorial's script, until its best": script, "stockcast, until the same": ours}
    ratio = statistics.median(mine / its for mine, its in zip(ours.values, script.values, strict=True))
    title = "seconds to the tutorial's best validation loss (mean squared error of scaled prices, S&P 500)"
    return table(title, found, [Bar("stockcast / the tutorial's script", ratio, at_most=0.5)])


def commands(scratch: Path, repeats: int) -> dict[str, Any]:
    """Seconds from the start of a command to its end, on the default run."""
    stockcast = [sys.executable, "-m", "stockcast"]
    subprocess.run([*stockcast, "train", "-q", "--runs", scratch, "--name", "default"], check=True, capture_output=True)
    call(f"tutorial_store(contenders.Path({str(scratch)!r}))", scratch)
    predict = ["predict", "default", "--runs", str(scratch)]
    code = f"import contenders; contenders.tutorial_predict(contenders.Path({str(scratch)!r}))"
    lines = {
        "predict, table and picture": [*stockcast, *predict],
        "predict --json --no-plot": [*stockcast, *predict, "--json", "--no-plot"],
        "--help": [*stockcast, "--help"],
        "runs list": [*stockcast, "runs", "list", "--runs", str(scratch)],
        "a tutorial's script, load and predict": [sys.executable, "-c", code],
        "bare imports of predict": [sys.executable, "-c", "import pandas, exchange_calendars, onnxruntime"],
    }

    # As it is where a package was installed: its modules are compiled already.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def seconds(line: list[str]) -> float:
        started = time.perf_counter()
        subprocess.run(line, check=True, capture_output=True, cwd=HERE, env=environment)
        return time.perf_counter() - started

    for line in lines.values():
        seconds(line)
    found = in_turns({name: lambda line=line: seconds(line) for name, line in lines.items()}, 2 * repeats + 1)
    whole, bare, asked, _, script, _ = (one.middle for one in found.values())
    bars = [
        Bar("predict, seconds", whole, at_most=2.0),
        Bar("predict / the tutorial's script", whole / script, at_most=0.25),
        Bar("predict --json --no-plot, seconds", bare, at_most=1.0),
        Bar("--help, seconds", asked, at_most=0.25),
    ]
    return table("seconds, from start to end", found, bars)


def evaluate(scratch: Path, repeats: int) -> dict[str, Any]:
    """Seconds of the network's part of an evaluation."""
    turns = [call(f"evaluation({ORIGINS})", scratch) for _ in range(repeats)]
    found = {name: Measured([turn[name] for turn in turns]) for name in ("direct", "recursive", "loop")}
    bars = [
        Bar("direct, seconds", found["direct"].middle, at_most=2),
        Bar("recursive, seconds", found["recursive"].middle, at_most=15),
        Bar("loop / recursive", found["loop"].middle / found["recursive"].middle, at_least=200),
    ]
    return table(f"seconds, the network's part of an evaluation, {ORIGINS:,} origins x 50 steps", found, bars)


SECTIONS = {"training": training, "loss": loss, "commands": commands, "evaluate": evaluate}


def main(*, repeats: int, epochs: int, only: list[str], kept: Path | None) -> None:
    """Measure, print, and keep as JSON where asked."""
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in only:
            more = {"epochs": epochs} if name in ("training", "loss") else {}
            found[name] = SECTIONS[name](Path(scratch), repeats, **more)
            if kept:
                kept.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=4, help="of each turn; the first is not counted")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections, separated by commas")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to keep every figure")
    chosen = parser.parse_args()
    main(repeats=chosen.repeats, epochs=chosen.epochs, only=chosen.only.split(","), kept=chosen.json)
