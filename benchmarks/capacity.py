"""What 10,000 series a day would take: nodes, hours and bytes, simulated from what one series costs here.

    python benchmarks/capacity.py measure FOLDER [--series 20] > benchmarks/capacity.json
    python benchmarks/capacity.py plan benchmarks/capacity.json [--series 10000] [--nodes 1,2,4,8]

`measure` times each kind of work on some price files of FOLDER in one process, one piece after the other: each piece is
a task that would go to a core of its own. `plan` draws the seconds of every task from those that were measured, so that
slow ones are as frequent as they were, and puts the tasks into a queue: each goes to the core that is free first, a
node dies now and then and its tasks begin again, and what a node needs it gets over its network card. Markdown goes to
standard output.
"""

import argparse
import heapq
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

CORES = 16
"""Of a node."""

CARD = 1.25e9
"""Bytes a second of a node's network card, 10 Gbit/s."""

START = 45.0
"""Seconds until a node that was just asked for takes its first task: image, Python, TensorFlow."""

LOSS = 0.01
"""Chance that a node dies within an hour, as spot instances do."""

DRAWS = 20
"""Days that are simulated."""

POOL_TARGETS = 100_000
"""Days with targets that the training of several series is timed on."""

EPOCHS, TARGETS, MEMBERS = 5, 200_000, 4
"""Of the network over all series: as in configs/pretrained.yaml."""


@dataclass(frozen=True)
class Stage:
    """Tasks that may run side by side, once those of the stage before have ended.

    Attributes:
        name: of the stage.
        tasks: how many.
        seconds: draws the seconds of so many tasks, each on `cores` of a node.
        cores: of a node for each task.
        moved: bytes that each task gets from elsewhere and sends back.
        shared: bytes that each node gets once before its first task.
    """

    name: str
    tasks: int
    seconds: Callable[[np.random.Generator, int], np.ndarray]
    cores: int = 1
    moved: float = 0.0
    shared: float = 0.0


def simulate(stage: Stage, *, nodes: int, generator: np.random.Generator) -> tuple[float, float]:
    """Return the seconds that a stage takes on so many nodes, and the bytes that are moved.

    A task goes to the slot that is free first. A node that dies comes back after `START` seconds without what was
    shared, and its tasks that had not ended begin again.
    """
    slots = [(0.0, node) for node in range(nodes) for _ in range(max(1, CORES // stage.cores))]
    used = set(range(min(nodes, stage.tasks)))
    arrival = {node: stage.shared / CARD for node in range(nodes)}
    deaths = {node: _next_death(generator, 0.0) for node in range(nodes)}
    moved = stage.shared * len(used)
    heapq.heapify(slots)
    queue = list(stage.seconds(generator, stage.tasks))
    end = 0.0
    while queue:
        free, node = heapq.heappop(slots)
        begin = max(free, arrival[node])
        transfer = stage.moved / (CARD / max(1, CORES // stage.cores))  # the card is shared by the node's tasks
        finish = begin + transfer + queue[-1]
        if begin >= deaths[node] or finish > deaths[node]:
            back = max(begin, deaths[node]) + START
            arrival[node] = back + stage.shared / CARD
            deaths[node] = _next_death(generator, back)
            moved += stage.shared + stage.moved
            heapq.heappush(slots, (back, node))
            continue
        queue.pop()
        moved += stage.moved
        end = max(end, finish)
        heapq.heappush(slots, (finish, node))
    return end, moved


def _next_death(generator: np.random.Generator, after: float) -> float:
    return after + float(generator.exponential(3600 / LOSS))


def drawn(seconds: Sequence[float], *, times: float = 1.0) -> Callable[[np.random.Generator, int], np.ndarray]:
    """Return what draws tasks as long as those that were measured, `times` over."""
    return lambda generator, count: times * generator.choice(np.asarray(seconds), size=count)


def stages(costs: dict[str, Any], *, series: int) -> dict[str, list[Stage]]:
    """Return the day's work by plan: one network over all series, or one for each."""
    seconds, held = costs["seconds"], costs["bytes"]
    targets = EPOCHS * TARGETS / costs["targets_of_a_pass"]
    arrays = held["arrays"] * series
    preparing = Stage("read and compute features", series, drawn(seconds["read"]), moved=held["file"] + held["cache"])
    forecasting = Stage("forecast", series, drawn(seconds["forecast"]), moved=held["cache"] + held["forecast"])
    scoring = Stage("score the last year", series, drawn(seconds["evaluate"]), moved=held["cache"] + held["evaluation"])
    together = Stage(
        "train one network over all series", MEMBERS, drawn(seconds["targets"], times=targets), shared=arrays
    )
    gathering = Stage(
        "gather all series for it", 1, drawn(seconds["prepare"], times=series), shared=held["cache"] * series
    )
    single = Stage(
        "train a network for each series", series, drawn(seconds["train"]), moved=held["cache"] + held["run"]
    )
    return {
        "one network": [preparing, gathering, together, forecasting],
        "one network, scored": [preparing, gathering, together, forecasting, scoring],
        "a network for each series": [preparing, single, forecasting],
    }


def plan(costs: dict[str, Any], *, series: int, nodes: Sequence[int]) -> None:
    """Print what a day takes."""
    generator = np.random.default_rng(0)
    print(f"| {series:,} series, a day | nodes of {CORES} cores | hours: median (most) | GB moved | node-hours |")
    print("|---|---|---|---|---|")
    for name, work in stages(costs, series=series).items():
        for count in nodes:
            days = []
            for _ in range(DRAWS):
                each = [simulate(stage, nodes=count, generator=generator) for stage in work]
                days.append((START + sum(seconds for seconds, _ in each), sum(moved for _, moved in each)))
            hours = np.array([seconds for seconds, _ in days]) / 3600
            moved = statistics.median(moved for _, moved in days) / 1e9
            median, most = np.median(hours), hours.max()
            print(f"| {name} | {count} | {median:.2f} ({most:.2f}) | {moved:,.0f} | {count * median:.1f} |")
    print("\n| work | one task, seconds: median (least to most) | tasks | core-hours |\n|---|---|---|---|")
    seen: dict[str, Stage] = {stage.name: stage for work in stages(costs, series=series).values() for stage in work}
    for stage in seen.values():
        sample = stage.seconds(generator, 20_000)
        total = stage.tasks * sample.mean() * stage.cores / 3600
        print(
            f"| {stage.name} | {np.median(sample):.3g} ({sample.min():.3g} to {sample.max():.3g}) | {stage.tasks:,} | "
            f"{total:,.2f} |"
        )


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the processor seconds of this process that a piece of work takes, and its result."""
    started = time.process_time()
    result = work()
    return time.process_time() - started, result


def measure(folder: Path, *, series: int) -> dict[str, Any]:
    """Return what each kind of work costs on some files of a folder, spread over the order of their names."""
    os.environ["TF_NUM_INTRAOP_THREADS"] = os.environ["TF_NUM_INTEROP_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"
    files = sorted(folder.glob("*.csv"))
    files = files[:: max(1, len(files) // series)][:series]
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["STOCKCAST_CACHE"] = f"{scratch}/cache"
        return _measure(files, Path(scratch))


def _measure(files: list[Path], scratch: Path) -> dict[str, Any]:
    import stockcast as sc
    from stockcast.cache.features import cached_features, cached_volatility
    from stockcast.cache.prices import cached_prices
    from stockcast.data.features import SCALE_FREE
    from stockcast.forecasting.training_data import build_training_data, read_training_prices
    from stockcast.models.callbacks import Callbacks

    def read(file: Path) -> Any:
        prices = cached_prices(file)
        return cached_volatility(prices), cached_features(prices, tuple(SCALE_FREE))

    def size(path: Path) -> int:
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())

    seconds: dict[str, list[float]] = {}
    seconds["read"] = [timed(lambda file=file: read(file))[0] for file in files]
    seconds["read_again"] = [timed(lambda file=file: read(file))[0] for file in files]
    cache = size(scratch / "cache") / len(files)
    days = [len(read(file)[0]) for file in files]

    pool = {
        "data.path": [str(file) for file in files],
        "split.validation": 0.1,
        "training.epochs": 2,
        "training.windows_per_epoch": POOL_TARGETS,
        "ensemble.members": 1,
    }
    config = sc.load_config("pretrained", pool)

    def prepare() -> None:
        prices = read_training_prices(config, lambda _: None)
        build_training_data(prices.config, prices.series)

    prepare()
    seconds["prepare"] = [timed(prepare)[0] / len(files) for _ in range(3)]
    ends: list[float] = []
    callbacks = Callbacks(on_epoch_end=lambda _: ends.append(time.process_time()))
    run = sc.train(config, runs=scratch / "runs", name="pool", processes=1, callbacks=callbacks)
    seconds["targets"] = [ends[1] - ends[0]]  # the first epoch also traces the network

    def predict(file: Path) -> Any:
        return sc.predict_pool(run, [file])

    predict(files[0])  # loads the libraries
    seconds["forecast"] = [timed(lambda file=file: predict(file))[0] for file in files]
    forecast = len(json.dumps(predict(files[0]).to_json()))
    evaluated = files[::2]

    def score(file: Path) -> Any:
        prices = cached_prices(file)
        return sc.evaluate(run, file, start=str(prices.dates[-300]))

    score(evaluated[0])
    seconds["evaluate"] = [timed(lambda file=file: score(file))[0] for file in evaluated]
    own = {"data.calendar": "XNYS", "data.start": "2009-01-01"}
    alone: list[Any] = []

    def train(file: Path) -> None:
        config = sc.load_config("quick", {**own, "data.path": str(file)})
        alone.append(sc.train(config, runs=scratch / "runs", name=f"own-{len(alone)}", processes=1))

    train(evaluated[0])
    seconds["train"] = [timed(lambda file=file: train(file))[0] for file in evaluated]
    return {
        "seconds": {name: [round(one, 4) for one in each] for name, each in seconds.items()},
        "targets_of_a_pass": POOL_TARGETS,
        "days": statistics.mean(days),
        "bytes": {
            "file": statistics.mean(file.stat().st_size for file in files),
            "cache": cache,
            "arrays": statistics.mean(days) * (len(SCALE_FREE) * 4 + 16) * 0.8,
            "forecast": forecast,
            "evaluation": 2_000_000,
            "run": size(alone[0].path),
        },
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    measuring = commands.add_parser("measure")
    measuring.add_argument("folder", type=Path)
    measuring.add_argument("--series", type=int, default=20)
    planning = commands.add_parser("plan")
    planning.add_argument("costs", type=Path)
    planning.add_argument("--series", type=int, default=10_000)
    planning.add_argument("--nodes", default="1,2,4,8")
    chosen = parser.parse_args()
    if chosen.command == "measure":
        json.dump(measure(chosen.folder, series=chosen.series), sys.stdout, indent=1)
        print()
    else:
        counts = [int(count) for count in chosen.nodes.split(",")]
        plan(json.loads(chosen.costs.read_text()), series=chosen.series, nodes=counts)
