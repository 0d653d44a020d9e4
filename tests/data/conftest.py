"""Price files and bar tables, small enough to check by eye."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stockcast.data.prices import Prices

WriteFile = Callable[..., Path]
MakePrices = Callable[[dict[str, list[float]]], Prices]


@pytest.fixture
def write_file(tmp_path: Path) -> WriteFile:
    """Write text (or bytes as they are) to a file of its own and return its path."""

    def write(content: str | bytes, name: str = "prices.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def make_prices() -> MakePrices:
    """Prices from columns of numbers, one business day a row."""

    def make(columns: dict[str, list[float]]) -> Prices:
        days = pd.bdate_range("2018-01-01", periods=len(next(iter(columns.values()))), name="Date")
        bars = pd.DataFrame(columns, index=days, dtype=np.float64)
        return Prices(source=Path("made.csv"), bars=bars, quoted=bars.iloc[:, 0].to_numpy(), sha256="")

    return make
