"""Faults planted into made-up and real series are found on their day; what a market did is no fault."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from planted import FAULTS, plant, random_walk, real_series

from stockcast.data.prices import Prices
from stockcast.data.quality import check_quality

REPO = Path(__file__).parents[2]
STOCKS = REPO.parent / "shared" / "data"


def found_of(count: int, series: list[Prices], random: np.random.Generator) -> tuple[float, Counter[str]]:
    """Share of planted faults that are found, and the number of those that are missed by kind."""
    missed: Counter[str] = Counter()
    for number in range(count):
        fault = FAULTS[number % len(FAULTS)]
        missed[fault] += not plant(series[number * len(series) // count], fault, random).is_found()
    return 1 - missed.total() / count, missed


def test_of_500_faults_planted_into_made_up_series_98_per_cent_are_found_on_their_day():
    random = np.random.default_rng(0)
    share, missed = found_of(500, [random_walk(random) for _ in range(25)], random)
    assert share >= 0.98, missed


@pytest.mark.slow
def test_of_500_faults_planted_into_real_files_98_per_cent_are_found_on_their_day():
    if not STOCKS.is_dir():
        pytest.skip(f"the real stock files are not next to this checkout ({STOCKS})")
    random, files = np.random.default_rng(0), sorted(STOCKS.glob("*.csv"))
    share, missed = found_of(500, [real_series(random, files) for _ in range(25)], random)
    assert share >= 0.98, missed


def test_made_up_series_without_a_fault_are_hardly_ever_flagged():
    # 50 series of five years: at most one flag in ten years would be 25.
    random = np.random.default_rng(1)
    flags = [check_quality(random_walk(random), calendar="XNYS").findings for _ in range(50)]
    assert sum(map(len, flags)) <= 1, flags
