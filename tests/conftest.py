import gc
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
from made import TINY, make_bars

from stockcast.models.backend import forget_networks

os.environ.pop("STOCKCAST_RUNS", None)  # a folder that somebody set for real work is none of the tests' business


@pytest.fixture(scope="module", autouse=True)
def _forget_networks() -> Iterator[None]:
    """Keras keeps the graph of every network that was ever built: hundreds of them are gigabytes."""
    yield
    if "keras" in sys.modules:
        forget_networks()
        gc.collect()


@pytest.fixture
def write_tiny(tmp_path: Path) -> Callable[..., Path]:
    """Write prices.csv and tiny.yaml side by side into a folder; return the config's path."""

    def write(bars: pd.DataFrame | None = None, *, folder: str = "made", config: str = TINY) -> Path:
        target = tmp_path / folder
        target.mkdir(exist_ok=True)
        (make_bars() if bars is None else bars).to_csv(target / "prices.csv", index=False)
        (target / "tiny.yaml").write_text(config)
        return target / "tiny.yaml"

    return write
