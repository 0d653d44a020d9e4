import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from made import TINY, make_bars

os.environ.pop("STOCKCAST_RUNS", None)  # a folder that somebody set for real work is none of the tests' business


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
