"""Bars as the bytes of a price file, and back."""

import io
from typing import Any

import numpy as np
import pandas as pd

from stockcast.sources.source import COLUMNS
from stockcast.typing import Floats

_DIGITS = 10  # what computing with a price leaves behind them is not of the source


def to_bytes(table: pd.DataFrame) -> bytes:
    """Return the CSV of bars: Date, Open, High, Low, Close, Adj Close and, where there is any, Volume."""
    cells: dict[str, Any] = {"Date": pd.DatetimeIndex(table.index).strftime("%Y-%m-%d")}
    cells |= {name: [_price_text(price) for price in table[name].to_numpy()] for name in COLUMNS[:-1]}
    volume = table["Volume"].to_numpy()
    if (volume > 0).any():  # of currencies and many indices it is zero on every day, for "unknown"
        cells["Volume"] = ["" if np.isnan(shares) else f"{shares:.0f}" for shares in volume]
    text: str = pd.DataFrame(cells).to_csv(index=False, lineterminator="\n")
    return text.encode()


def from_bytes(content: bytes) -> pd.DataFrame:
    """Return the bars of a file that `to_bytes` wrote, as `Bars` has them; its hash shows that it did."""
    cells = pd.read_csv(io.BytesIO(content), index_col="Date", dtype=str, keep_default_na=False)
    found = cells.apply(_numbers)
    found.index = pd.DatetimeIndex(pd.to_datetime(cells.index, format="%Y-%m-%d"), name="Date").as_unit("s")
    return found.reindex(columns=list(COLUMNS))


def _price_text(price: float) -> str:
    return "" if np.isnan(price) else np.format_float_positional(float(f"{price:.{_DIGITS}g}"), trim="-")


def _numbers(column: pd.Series) -> Floats:
    # Not by read_csv, whose numbers may differ from Python's in the last digit.
    return column.replace("", "nan").to_numpy(dtype=str).astype(np.float64)
