"""Price files and bar tables, small enough to check by eye."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stockcast.data.prices import Prices, read_prices
from stockcast.errors import DataError

WriteFile = Callable[..., Path]
Refuse = Callable[..., DataError]
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
def refused(write_file: WriteFile) -> Refuse:
    """Read a text, bytes or a path with the options of `read_prices`, and return the error, which names the file."""

    def refuse(content: str | bytes | Path, name: str = "prices.csv", **options: object) -> DataError:
        path = content if isinstance(content, Path) else write_file(content, name=name)
        with pytest.raises(DataError) as error:
            read_prices(path, **options)
        assert error.value.file == str(path)
        assert str(path) in str(error.value)
        return error.value

    return refuse


@pytest.fixture
def make_prices() -> MakePrices:
    """Prices from columns of numbers, one business day a row."""

    def make(columns: dict[str, list[float]]) -> Prices:
        days = pd.bdate_range("2018-01-01", periods=len(next(iter(columns.values()))), name="Date")
        bars = pd.DataFrame(columns, index=days, dtype=np.float64)
        return Prices(source=Path("made.csv"), bars=bars, quoted=bars.iloc[:, 0].to_numpy(), sha256="")

    return make
