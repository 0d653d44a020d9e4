"""Does a network trained on many series beat the classics? Every series, every horizon, also where it loses.

    python benchmarks/skill.py FOLDER [--unseen FOLDER] [--runs DIR] [--set KEY=VALUE ...]
    python benchmarks/skill.py --default --unseen FOLDER

Trains `many-stocks` on the S&P 500 that ships and on every CSV of FOLDER (or, with `--default`, the default config on
what ships), with the seeds of the config, and scores the test days of each series against the best of six rivals: the
last fifth of the days since 1990, wherever the files begin, with validation and calibration in the two tenths before.
Series of `--unseen` that the network did not learn from are scored on the same days. Markdown tables go to standard
output. A run that stands under DIR already is scored again, not trained again.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

STOCKCAST = [sys.executable, "-m", "stockcast"]
SP500 = Path(__file__).parents[1] / "data" / "SP500.csv"
STEPS = ("1", "5", "10", "20", "50")
REGIMES = ("calm", "middle", "storm")
SHARES = {"validation": 0.6, "calibration": 0.7, "test": 0.8}


def stockcast(*arguments: str) -> str:
    """Run one command as a user does; return its standard output."""
    done = subprocess.run([*STOCKCAST, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"stockcast {' '.join(arguments)} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def skills(metrics: dict[str, Any], rival: str | None = None) -> list[float]:
    """CRPS lower than a rival's, in percent, at each horizon; than the best of all rivals if none is named."""
    found = []
    for step in STEPS:
        comparison = metrics["horizons"][step]
        rivals = {name: scores["crps"] for name, scores in comparison["baselines"].items()}
        crps = min(rivals.values()) if rival is None else rivals[rival]
        found.append(100 * (1 - comparison["model"]["crps"] / crps))
    return found


def significant(metrics: dict[str, Any], rival: str) -> tuple[bool, bool]:
    """Whether Diebold-Mariano (5 %, each test alone) calls the network better, or worse, at some horizon."""
    tests = [metrics["horizons"][step]["tests"][rival] for step in STEPS]
    told = [test["statistic"] for test in tests if test and test["p_value"] < 0.05]
    return any(statistic < 0 for statistic in told), any(statistic > 0 for statistic in told)


def row(label: str, values: list[float], digits: int = 1) -> str:
    """One line of a table of percentages."""
    return f"| {label} | " + " | ".join(f"{value:+.{digits}f}" for value in values) + " |"


def report(found: dict[str, dict[str, Any]], title: str) -> None:
    """Print the tables of one group of series."""
    print(f"\n### {title}\n\nCRPS lower than the best rival's of that series and horizon, in % (which rival)\n")
    print(f"| series | {' | '.join(f'{step} days' for step in STEPS)} |\n|---|{'---|' * len(STEPS)}")
    for name, metrics in found.items():
        cells = []
        for step, skill in zip(STEPS, skills(metrics), strict=True):
            rivals = {rival: s["crps"] for rival, s in metrics["horizons"][step]["baselines"].items()}
            cells.append(f"{skill:+.1f} ({min(rivals, key=lambda rival: rivals[rival])})")
        print(f"| {name} | {' | '.join(cells)} |")
    means = np.mean([skills(metrics) for metrics in found.values()], axis=0)
    print(row(f"**mean of {len(found)}**", list(means), 2))
    print(f"\nMean over the horizons: {means.mean():+.2f} %.\n")

    print("Against single rivals: mean CRPS lower in %; series with a significant difference at some horizon (5 %)\n")
    print(f"| rival | {' | '.join(f'{step} days' for step in STEPS)} | 5 to 50 days | better | worse |")
    print(f"|---|{'---|' * (len(STEPS) + 3)}")
    for rival in ("random_walk", "drift", "volatility_20", "ewma", "garch_t", "gjr_skewt"):
        told = [metrics for metrics in found.values() if rival in metrics["overall"]["baselines"]]
        values = np.mean([skills(metrics, rival) for metrics in told], axis=0)
        marks = [significant(metrics, rival) for metrics in told]
        better, worse = (sum(mark[which] for mark in marks) for which in (0, 1))
        print(f"{row(rival, list(values), 2)} {values[1:].mean():+.2f} | {better} of {len(told)} | {worse} |")

    print("\nShare of prices in the 90 % band, in %, pooled over the series, by how the days were at the origin\n")
    print(f"| days | {' | '.join(f'{step} days' for step in STEPS)} |\n|---|{'---|' * len(STEPS)}")
    pooled = {step: [m["horizons"][step]["regimes"] for m in found.values()] for step in STEPS}
    for regime in (*REGIMES, "all"):
        names = REGIMES if regime == "all" else (regime,)
        shares = []
        for step in STEPS:
            parts = [one[name] for one in pooled[step] for name in names if one[name]["origins"]]
            origins = sum(part["origins"] for part in parts)
            shares.append(100 * sum(part["coverage_90"] * part["origins"] for part in parts) / origins)
        print(f"| {regime} | {' | '.join(f'{share:.1f}' for share in shares)} |")
    for name, metrics in found.items():
        for rival, reason in metrics["failures"].items():
            print(f"\n{name}: {rival} gave no forecast: {reason}")


def split_dates(files: list[Path]) -> list[str]:
    """The overrides that put validation, calibration and test at the same shares of the days since 1990."""
    days = np.unique(np.concatenate([pd.read_csv(path, usecols=[0]).iloc[:, 0].to_numpy(str) for path in files]))
    days = days[days >= "1990"]
    firsts = {part: days[int(share * len(days))] for part, share in SHARES.items()}
    return [f"split.{part}={first}" for part, first in firsts.items()]


def main(folder: Path | None, unseen: Path | None, runs: Path, overrides: list[str]) -> None:
    """Train once, score everything."""
    files = [SP500, *(sorted(folder.glob("*.csv")) if folder else [])]
    config, name = ("many-stocks", "many-stocks-benchmark") if folder else ("sp500", "default-benchmark")
    started = time.perf_counter()
    if not (runs / name / "run.json").exists():
        paths = f"data.path={json.dumps([str(path.resolve()) for path in files])}"
        sets = [paths, *split_dates(files)] if folder else []
        chosen = [part for override in [*sets, *overrides] for part in ("--set", override)]
        stockcast("train", config, "--name", name, "--runs", str(runs), "-q", *chosen)
    trained = time.perf_counter()
    learnt = {Path(series["name"]).stem for series in json.loads((runs / name / "run.json").read_text())["series"]}

    def score(paths: list[Path]) -> dict[str, dict[str, Any]]:
        arguments = ("evaluate", name, "--runs", str(runs), "--json", "-q", "--data")
        return {path.stem: json.loads(stockcast(*arguments, str(path))) for path in paths}

    report(score(files), "Series that the network learnt from, on test days")
    if unseen is not None:
        strangers = [path for path in sorted(unseen.glob("*.csv")) if path.stem not in learnt]
        report(score(strangers), "Series that the network never saw, on the same days and later")
    print(f"\nTraining {trained - started:.0f} s, scoring {time.perf_counter() - trained:.0f} s.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="OHLCV files to learn from and score")
    parser.add_argument("--default", action="store_true", help="the default config, on what ships")
    parser.add_argument("--unseen", type=Path, help="files to score only")
    parser.add_argument("--runs", type=Path, help="where to keep the run (default: a temporary folder)")
    parser.add_argument("--set", action="append", default=[], dest="overrides", metavar="KEY=VALUE")
    chosen = parser.parse_args()
    if chosen.default == bool(chosen.folder):
        parser.error("give FOLDER or --default")
    with tempfile.TemporaryDirectory() as scratch:
        main(chosen.folder, chosen.unseen, chosen.runs or Path(scratch), chosen.overrides)
