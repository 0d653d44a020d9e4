"""`make_features` and `volatility`, whose results are kept for the next command.

The key is of the very numbers that they are computed from, so it matters not how prices came to be: cut, without
columns, or put together into weeks.
"""

from typing import Any

import numpy as np

from stockcast.cache.entries import key_of, load_entry, store_entry
from stockcast.cache.folder import cache_folder
from stockcast.data.features import FEATURES, MARKET, make_features, needed_columns
from stockcast.data.market import Market
from stockcast.data.prices import Prices
from stockcast.data.volatility import daily_variance, volatility
from stockcast.typing import Floats

_KINDS = {"values": "f"}
_CACHED = {name: feature for name, feature in FEATURES.items() if name not in MARKET}
"""Features of a series' own bars, as this package has them; one that was put in since is computed."""

_UNIT_NEEDS = ("Open", "High", "Low", "Close")


def cached_features(prices: Prices, names: tuple[str, ...], market: Market | None = None) -> Floats:
    """Return what `make_features` does, to the last bit; features of the bars are not computed twice.

    Columns of one's own, what is known ahead, and the market rest on more than the bars: they are computed each time.

    Raises:
        MissingColumns: as `make_features`.
    """
    folder = cache_folder()
    chosen = tuple(name for name in names if name in _CACHED and FEATURES.get(name) is _CACHED[name])
    if folder is None or not chosen:
        return make_features(prices, names, market)
    prices.require(needed_columns(names))
    key = key_of("features", chosen, *_columns(prices, needed_columns(chosen)))
    shape = (len(prices.bars), len(chosen))
    values = _stored(folder, key, shape)
    if values is None:
        values = make_features(prices, chosen, market)
        store_entry(folder, key, {"values": values}, {})
    if len(chosen) == len(names):
        return values
    features = np.empty((len(values), len(names)))
    others = [name for name in names if name not in chosen]
    for places, part in ((chosen, values), (others, make_features(prices, tuple(others), market))):
        features[:, [names.index(name) for name in places]] = part
    return features


def cached_volatility(prices: Prices) -> Floats:
    """Return the volatility of each day, the unit of returns, see `data.volatility`, shape (days,)."""
    folder = cache_folder()
    if folder is None:
        return volatility(daily_variance(prices.bars))
    used = [name for name in _UNIT_NEEDS if name in prices.bars.columns]
    key = key_of("volatility", *_columns(prices, used))
    values = _stored(folder, key, (len(prices.bars),))
    if values is None:
        values = volatility(daily_variance(prices.bars))
        store_entry(folder, key, {"values": values}, {})
    return values


def _columns(prices: Prices, names: list[str]) -> list[Any]:
    """Return names and numbers of columns, for a key."""
    return [names, *(prices.column(name) for name in names)]


def _stored(folder: Any, key: str, shape: tuple[int, ...]) -> Floats | None:
    entry = load_entry(folder, key, _KINDS)
    if entry is None or entry[0]["values"].shape != shape:
        return None
    values: Floats = entry[0]["values"]
    return values
