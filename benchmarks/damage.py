"""Plant faults into price series and count those that are found; count what is flagged in real files.

    python benchmarks/damage.py FOLDER [--faults 500] [--seed 0]

FOLDER holds CSVs of real daily bars, which are only read. Faults are those of `tests/planted.py`, half of them in
made-up series and half in the real ones. Each flag in the real files is printed, for a look by hand. Markdown goes to
standard output.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from planted import FAULTS, plant, random_walk, real_series

from stockcast.data.prices import read_prices
from stockcast.data.quality import check_quality
from stockcast.errors import DataError

JUDGED = ("split_like", "pence_block", "spike", "stale", "constant")
YEAR = 252  # trading days


def measure_recall(files: list[Path], *, faults: int, seed: int) -> None:
    """Print how many planted faults of each kind are found on their day."""
    random = np.random.default_rng(seed)
    print("| planted | made-up series | real series |\n|---|---|---|")
    found: Counter[tuple[str, bool]] = Counter()
    planted: Counter[tuple[str, bool]] = Counter()
    for number in range(faults):
        fault, is_real = FAULTS[number // 2 % len(FAULTS)], number % 2 == 1
        prices = real_series(random, files) if is_real else random_walk(random)
        planted[fault, is_real] += 1
        found[fault, is_real] += plant(prices, fault, random).is_found()
    for fault in FAULTS:
        cells = [f"{found[fault, is_real]} of {planted[fault, is_real]}" for is_real in (False, True)]
        print(f"| {fault} | {' | '.join(cells)} |")
    print(f"\n{found.total()} of {faults} found: {found.total() / faults:.1%}, seed {seed}.\n")


def list_flags(files: list[Path]) -> None:
    """Print every flag in real files, and how many there are in ten years of data."""
    flags: Counter[str] = Counter()
    days = damaged = 0
    for path in files:
        try:
            prices = read_prices(path)
        except DataError as error:
            print(f"- {path.name}: refused: {error}")
            continue
        days += len(prices.dates)
        findings = check_quality(prices, calendar="XNYS").findings
        damaged += any(finding.is_damage for finding in findings)
        for finding in findings:
            if finding.kind in JUDGED:
                flags[finding.kind] += finding.count
                print(f"- {path.name}: {finding.sentence}")
    years = days / YEAR
    print(f"\n{flags.total()} flags in {years:,.0f} years of {len(files)} files: {dict(flags)}.")
    print(f"{10 * flags.total() / years:.2f} in ten years; {damaged} files are too damaged to train on.")


def main() -> None:
    """Run both measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--faults", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    files = sorted(given.folder.glob("*.csv"))
    measure_recall(files, faults=given.faults, seed=given.seed)
    list_flags(files)


if __name__ == "__main__":
    main()
