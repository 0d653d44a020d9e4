"""Is a backtest what its runs are by hand, and does it end the same however often it is killed?

    python benchmarks/backtest.py [--config quick] [--folds 8] [--kills 20]

Runs a backtest undisturbed, then again in another folder and kills it at random moments before it may end, and makes
the run of each fold by hand with `data.end` and the dates of the split. Compares them byte by byte, without the times
of day and the seconds that run.json and history.csv hold.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import stockcast as sc
from stockcast.runs.layout import CALIBRATION, ONNX, SCALER

FILES = (SCALER, CALIBRATION, ONNX, "config.yaml", "evaluation/losses.npz", "evaluation/verdict.txt")
SCORES = ("backtest.json", "folds.csv", "verdict.txt", "forecasts.csv")


def differing(one: Path, other: Path, names: tuple[str, ...]) -> list[str]:
    """The files of these names that are not the same bytes."""
    return [name for name in names if (one / name).read_bytes() != (other / name).read_bytes()]


def main() -> None:
    """Run it, kill it, make it by hand, and print what differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="quick")
    parser.add_argument("--folds", type=int, default=8)
    parser.add_argument("--kills", type=int, default=20)
    options = parser.parse_args()
    command = [sys.executable, "-m", "stockcast", "backtest", options.config, "--folds", str(options.folds),
               "--forecasts", "csv", "--quiet", "--runs"]  # fmt: skip
    random.seed(0)
    with tempfile.TemporaryDirectory() as scratch:
        whole, killed, by_hand = (Path(scratch) / name for name in ("whole", "killed", "by-hand"))
        begun = time.monotonic()
        subprocess.run([*command, str(whole)], stdout=subprocess.DEVNULL, check=True)
        seconds = time.monotonic() - begun
        print(f"undisturbed: {seconds:.0f} s")
        kills = 0
        while kills < options.kills:
            process = subprocess.Popen([*command, str(killed)], stdout=subprocess.DEVNULL)
            time.sleep(3 + random.random() * seconds / 8)
            kills += process.poll() is None
            process.kill()
            if process.wait() == 0:
                break
        subprocess.run([*command, str(killed)], stdout=subprocess.DEVNULL, check=True)
        (folder,) = (path for path in (whole / "backtests" / options.config).iterdir() if path.name != "folds")
        found = differing(folder, killed / "backtests" / options.config / folder.name, SCORES)
        print(f"killed {kills} times: {'other ' + ', '.join(found) if found else 'the same scores and forecasts'}")
        for fold in sorted((folder.parent / "folds").iterdir()):
            config = sc.load_config(fold / "config.yaml")
            split = config.split
            dates = {f"split.{part}": str(getattr(split, part)) for part in ("validation", "calibration", "test")}
            dates["data.end"] = str(config.data.end)
            run = sc.train(sc.load_config(options.config, dates), runs=by_hand, name=fold.name)
            sc.save_evaluation(run, sc.evaluate(run), plot=False)
            other = killed / "backtests" / options.config / "folds" / fold.name
            found = differing(fold, other, FILES) + differing(fold, run.path, FILES)
            print(f"{fold.name}: {'other ' + ', '.join(found) if found else 'killed and by hand, the same bytes'}")


if __name__ == "__main__":
    main()
