"""Kill trainings, fill the disk under them, and see what is left.

    python benchmarks/faults.py [--kills 100] [--chains 20] [--limits 20] [--seed 0]

A training that checkpoints often is killed (SIGKILL) at a random moment, resumed, killed again, and so on, and at last
let finish; its weights and its forecasts are then compared, by SHA-256, with those of a training that nobody killed.
After each kill every finished run beside it must still be whole, and no epoch that was reported may be lost. Then the
same training meets a limit on the size of a file, as a full disk would, at points from its first byte to its last.
Markdown goes to standard output.
"""

import argparse
import hashlib
import json
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

STOCKCAST = [sys.executable, "-m", "stockcast"]
EPOCHS = 40
CONFIG = f"""\
name: faults
data: {{path: {Path(__file__).resolve().parents[1] / "data" / "SP500.csv"}, start: 2014-01-01}}
features: [log_return, log_range]
window: 10
horizon: 5
model: {{layers: [8, 8], dropout: 0.2}}
training: {{epochs: {EPOCHS}, patience: {EPOCHS}, batch_size: 64}}
ensemble: {{members: 2}}
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit code (negative for a signal), what it said, and the epochs that it reported."""

    code: int
    said: str

    @property
    def epochs(self) -> list[tuple[int, int]]:
        """(member, epoch) of every line that reports one."""
        return [(int(member), int(epoch)) for member, epoch in re.findall(r"member (\d+)/\d+  epoch (\d+)/", self.said)]


def command(*arguments: str, root: Path, kill_after: float | None = None, limit: int | None = None) -> Ended:
    """Run a command; `kill_after` that many seconds from its first epoch on (or its beginning, if negative)."""

    def restrict() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    process = subprocess.Popen(
        [*STOCKCAST, *arguments, "--runs", str(root)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=restrict,
    )
    said = []
    if kill_after is not None:
        if kill_after < 0:
            time.sleep(-kill_after)
        else:
            for line in process.stderr or ():
                said.append(line)
                if "epoch " in line and "loss" in line:
                    break
            time.sleep(kill_after)
        process.send_signal(signal.SIGKILL)
    said.append(process.communicate(timeout=300)[1])
    return Ended(process.returncode, "".join(said))


def fingerprint(run: Path) -> str:
    """SHA-256 over the weights and the forecasts of a finished run."""
    ended = command("evaluate", run.name, "-q", root=run.parent)
    if ended.code:
        raise SystemExit(f"evaluate {run} ended with {ended.code}: {ended.said}")
    parts = [(run / name).read_bytes() for name in ("model.weights.h5", "evaluation/forecasts.npz")]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def is_whole(run: Path) -> bool:
    """Whether every file of a finished run is the one that training wrote."""
    hashes = json.loads((run / "run.json").read_text())["files"]
    return all(hashlib.sha256((run / name).read_bytes()).hexdigest() == one for name, one in hashes.items())


def standing(run: Path) -> set[tuple[int, int]]:
    """(member, epoch) of every checkpoint that stands."""
    names = (path.name for path in (run / "checkpoints").glob("member-*.npz"))
    found = (re.match(r"member-(\d+)-epoch-(\d+)", name) for name in names)
    return {(int(one[1]), int(one[2])) for one in found if one}


def kills(root: Path, config: Path, *, count: int, chains: int, duration: float, draw: random.Random) -> None:
    """Kill `count` times in `chains` trainings, and print what came of it."""
    whole = fingerprint(root / "whole")
    killed = resumed = lost = damaged = same = early = 0
    surprises = []
    for chain in range(chains):
        name = f"chain-{chain}"
        begun: tuple[str, ...] = ("train", str(config), "--name", name)
        for _ in range(count // chains):
            from_start = draw.random() < 0.15  # while libraries load, or the data are read
            pause = -draw.uniform(0.0, 6.0) if from_start else draw.uniform(0.0, 1.3 * duration / (count / chains))
            ended = command(*begun, root=root, kill_after=pause)
            run = root / name
            if ended.code != -signal.SIGKILL:  # it was faster than the kill
                surprises.append(f"{name}: ended with {ended.code} before the kill: {ended.said.splitlines()[-1:]}")
            killed += ended.code == -signal.SIGKILL
            kept = standing(run)
            if not (run / "run.json").exists():
                gone = [told for told in ended.epochs if not any(one >= told and one[0] == told[0] for one in kept)]
                lost += bool(gone)
                surprises += [f"{name}: reported {gone}, kept {kept}"] if gone else []
            damaged += not is_whole(root / "whole")
            if (run / "run.json").exists():
                break
            if (run / "begun.json").exists():
                begun = ("train", "--resume", "--name", name)
            else:
                early += 1
                if run.exists():  # between making the directory and begun.json: nothing was begun
                    for left in run.iterdir():
                        left.unlink()
                    run.rmdir()
        run = root / name
        if not (run / "run.json").exists():
            ended = command(*begun, root=root)
            if ended.code:
                surprises.append(f"{name}: resume ended with {ended.code}: {ended.said[-300:]}")
                continue
        resumed += 1
        same += fingerprint(run) == whole
    print(f"| SIGKILL at a random moment | {killed} kills in {chains} trainings ({early} before anything was begun) |")
    print(f"| trainings that finished after it | {resumed} of {chains} |")
    print(f"| ... with the same bits as one that nobody killed (weights and forecasts) | {same} of {resumed} |")
    print(f"| kills that lost an epoch that had been reported | {lost} |")
    print(f"| finished runs damaged | {damaged} |")
    for surprise in surprises:
        print(f"\n{surprise}")


def limits(root: Path, config: Path, *, count: int) -> None:
    """Let the training meet a limit on the size of its files at `count` points, and print what came of it."""
    whole = fingerprint(root / "whole")
    largest = max(path.stat().st_size for path in (root / "whole").rglob("*") if path.is_file())
    told = resumed = damaged = same = met = 0
    surprises = []
    for point in range(count):
        limit = 1 + round((point / count) ** 2 * (largest - 2))  # closer together where the small files are
        name = f"limit-{limit}"
        ended = command("train", str(config), "--name", name, "-q", root=root, limit=limit)
        if ended.code == 0:
            continue
        met += 1
        one_line = ended.code == 1 and "Traceback" not in ended.said and str(root / name) in ended.said
        told += one_line and "Cannot write" in ended.said
        if not one_line:
            surprises.append(f"{name}: ended with {ended.code}: {ended.said[-600:]}")
        damaged += not is_whole(root / "whole")
        run = root / name
        resumable = (run / "begun.json").exists()
        again = command(
            *(("train", "--resume", "--name", name) if resumable else ("train", str(config), "--name", name)),
            "-q",
            root=root,
        )
        if again.code:
            surprises.append(f"{name}: went on with {again.code}: {again.said[-300:]}")
            continue
        resumed += 1
        same += fingerprint(run) == whole
    print(f"| disk full at points of the training | {met} |")
    print(f"| ... told in one message that names the path, exit code 1 | {told} of {met} |")
    print(f"| ... trainings that finished once there was room | {resumed} of {met}, {same} with the same bits |")
    print(f"| finished runs damaged | {damaged} |")
    for surprise in surprises:
        print(f"\n{surprise}")


def main(*, count: int, chains: int, points: int, seed: int) -> None:
    """Train once undisturbed, then disturb."""
    parts: list[Callable[[Path, Path], None]] = []
    with tempfile.TemporaryDirectory() as scratch:
        root, config = Path(scratch) / "runs", Path(scratch) / "faults.yaml"
        config.write_text(CONFIG)
        ended = command("train", str(config), "--name", "whole", root=root)
        if ended.code:
            raise SystemExit(ended.said)
        with (root / "whole" / "history.csv").open() as history:
            seconds = [float(line.split(",")[3]) for line in history.readlines()[1:]]  # of two members side by side
        print("| fault | what came of it |\n|---|---|")
        if count:
            parts.append(
                lambda root, config: kills(
                    root, config, count=count, chains=chains, duration=sum(seconds) / 2, draw=random.Random(seed)
                )
            )
        if points:
            parts.append(lambda root, config: limits(root, config, count=points))
        for part in parts:
            part(root, config)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--chains", type=int, default=20, help="trainings that the kills are spread over")
    parser.add_argument("--limits", type=int, default=20, help="sizes at which the disk is full")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    main(count=chosen.kills, chains=chosen.chains, points=chosen.limits, seed=chosen.seed)
