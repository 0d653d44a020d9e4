"""`read_prices`, whose result is kept for the next command."""

import hashlib
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stockcast.cache.entries import key_of, load_entry, store_entry
from stockcast.cache.folder import cache_folder
from stockcast.data.csv.options import STDIN, CsvOptions, ticker_name
from stockcast.data.csv.reader import find_source, read_bytes
from stockcast.data.csv.table import PriceSource
from stockcast.data.own_columns import OwnColumns
from stockcast.data.prices import PLAIN, Prices, read_prices

_KINDS = {"dates": "i", "bars": "f", "quoted": "f", "own": "f"}


def cached_prices(
    source: PriceSource,
    *,
    options: CsvOptions = PLAIN,
    start: date | None = None,
    end: date | None = None,
    adjusted: bool = True,
) -> Prices:
    """Return what `read_prices` does, to the last bit and the last note; a price file is not read twice.

    Its bytes are hashed every time, so a changed file is another one. A file that cannot be used is read again, for its
    errors; so are DataFrames, and files of several series that are taken one by one.
    """
    folder = cache_folder()
    if folder is None or not isinstance(source, Path) or source == STDIN or options.takes_all:
        return read_prices(source, options=options, start=start, end=end, adjusted=adjusted)
    sha256 = hashlib.sha256(read_bytes(find_source(source))).hexdigest()
    key = key_of("prices", sha256, options, start, end, adjusted)
    if (entry := load_entry(folder, key, _KINDS)) and (prices := _from_entry(source, options, sha256, *entry)):
        return prices
    prices = read_prices(source, options=options, start=start, end=end, adjusted=adjusted)
    if prices.sha256 == sha256:  # else it was written to between the two
        store_entry(folder, key, *_to_entry(prices))
    return prices


def _to_entry(prices: Prices) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arrays and the words of prices."""
    index = prices.bars.index.to_numpy()
    own = pd.DataFrame(index=prices.bars.index) if prices.own is None else prices.own.values
    arrays = {
        "dates": index.astype(np.int64),
        "bars": _by_column(prices.bars),
        "quoted": prices.quoted,
        "own": _by_column(own),
    }
    words = {
        "unit": np.datetime_data(index.dtype)[0],
        "columns": list(prices.bars.columns),
        "notes": prices.notes,
        "later": prices.later,
        "ticker": prices.ticker,
        "own": list(own.columns),
        "others": () if prices.own is None else prices.own.others,
    }
    return arrays, words


def _by_column(table: pd.DataFrame) -> Any:
    """Return columns end to end, as pandas holds them, shape (columns, days)."""
    return np.ascontiguousarray(table.to_numpy(dtype=np.float64).T)


def _from_entry(
    source: Path, options: CsvOptions, sha256: str, arrays: dict[str, Any], words: dict[str, Any]
) -> Prices | None:
    """Return the prices of an entry; None where its parts do not fit each other."""
    bars, own, days = arrays["bars"], arrays["own"], len(arrays["dates"])
    try:
        shapes = ((len(words["columns"]), days), (len(words["own"]), days), (days,))
        if (bars.shape, own.shape, arrays["quoted"].shape) != shapes:
            return None
        index = pd.DatetimeIndex(arrays["dates"].view(f"datetime64[{words['unit']}]"), name="Date")
        columns = None
        if options.own:
            values = pd.DataFrame(dict(zip(words["own"], own, strict=True)), index=index, columns=words["own"])
            columns = OwnColumns(options.own, values.astype(np.float64), tuple(words["others"]))
        return Prices(
            source=source,
            bars=pd.DataFrame(bars.T, index=index, columns=words["columns"], copy=False),
            quoted=arrays["quoted"],
            sha256=sha256,
            notes=tuple(words["notes"]),
            later=int(words["later"]),
            name=ticker_name(words["ticker"]),
            ticker=words["ticker"],
            own=columns,
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
