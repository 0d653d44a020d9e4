"""How much longer tasks take on Ray than by processes of this machine.

    python benchmarks/engines.py [--tasks 6] [--seconds 20] [--repeats 1]

Each task loads TensorFlow, if its process has not, and then multiplies matrices for so many seconds. All of them are
done on two cores by each contender in turn; markdown goes to standard output.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from stockcast.execution.engines import run_tasks
from stockcast.execution.tasks import EngineName, Task

HERE = Path(__file__).parent
CORES = 2
BAR = 1.1
CLUSTER = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789abcdef" * 4, "RAY_USAGE_STATS_ENABLED": "0"}


def work(folder: Path, *, seconds: float, on_message: Callable[[str], None]) -> None:
    """Load TensorFlow, multiply matrices for so many seconds, and write a file of 1 MB."""
    from stockcast.models.backend import load_keras

    matrix = load_keras().ops.ones((256, 256))
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        matrix = matrix @ matrix / 256
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "result").write_bytes(bytes(2**20))


def seconds_of(engine: EngineName, tasks: int, seconds: float, *, address: str | None = None) -> float:
    """Return how long an engine takes for the tasks, from nothing to the last file."""
    with tempfile.TemporaryDirectory() as scratch:
        given = [Task(str(n), "engines:work", Path(scratch) / str(n), {"seconds": seconds}) for n in range(tasks)]
        begun = time.monotonic()
        ends = list(run_tasks(given, engine=engine, address=address, cores=CORES))
        took = time.monotonic() - begun
        if any(end.error for end in ends) or not all((task.folder / "result").exists() for task in given):
            raise SystemExit(f"{engine}: a task has not ended well: {ends}")
    return took


@contextmanager
def running_cluster() -> Iterator[str]:
    """Start a cluster of one node with two cores; yield its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.2", 0))
        address = f"127.0.0.2:{free.getsockname()[1]}"
    options = ["--head", "--block", f"--port={address.rpartition(':')[2]}", "--node-ip-address=127.0.0.2"]
    head = subprocess.Popen(
        [sys.executable, "-m", "ray.scripts.scripts", "start", *options, f"--num-cpus={CORES}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        next(line for line in head.stdout or () if "Ray runtime started" in line)
        yield address
    finally:
        head.terminate()
        head.wait()


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--repeats", type=int, default=1)
    given = parser.parse_args()
    os.environ.update(CLUSTER)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE.parent), str(HERE)])
    measured: dict[str, list[float]] = {}
    with running_cluster() as address:
        contenders: dict[str, Callable[[], float]] = {
            "processes": lambda: seconds_of("processes", given.tasks, given.seconds),
            "ray, on a running cluster": lambda: seconds_of("ray", given.tasks, given.seconds, address=address),
            "ray, on a cluster of its own": lambda: seconds_of("ray", given.tasks, given.seconds),
        }
        for _ in range(given.repeats):
            for name, contender in contenders.items():
                measured.setdefault(name, []).append(contender())
    print(f"{given.tasks} tasks of {given.seconds:g} s on {CORES} cores; median of {given.repeats}\n")
    print("| engine | seconds | of processes | bar |\n|---|---|---|---|")
    least = statistics.median(measured["processes"])
    for name, values in measured.items():
        share = statistics.median(values) / least
        bar = "" if name == "processes" else f"{'kept' if share <= BAR else 'MISSED'} (at most {BAR})"
        print(f"| {name} | {statistics.median(values):.1f} | {share:.3f} | {bar} |")


if __name__ == "__main__":
    main()
