"""Names of files for tickers, which may be any text: inside the folder on every system, and never one for two."""

import hashlib
import re
from collections.abc import Mapping

from stockcast.errors import StockcastError

_DEVICES = {"CON", "PRN", "AUX", "NUL", *(f"{port}{number}" for port in ("COM", "LPT") for number in range(10))}
"""Names that Windows takes for devices, whatever their ending."""

_LONGEST = 40  # letters of a ticker; the longest of Yahoo's, of options, have 21


def ticker_of(text: str) -> str:
    """Return a ticker as sources write it, in capitals; StockcastError if it can be none."""
    ticker = text.strip().upper()
    if not ticker or len(ticker) > _LONGEST or not ticker.isascii() or not ticker.isprintable() or " " in ticker:
        message = f"{text[:80]!r} is no ticker: at most {_LONGEST} letters, digits and signs, as in AAPL or ^GSPC."
        raise StockcastError(message, key="TICKER", value=text)
    return ticker


def file_name(ticker: str, taken: Mapping[str, str]) -> str:
    """Return the name of a ticker's file.

    Args:
        ticker: as `ticker_of` returns it.
        taken: names of files -> the tickers that have them.
    """
    stem = re.sub(r"[^A-Z0-9.=-]+", "-", ticker).strip("-.") or "TICKER"
    if stem.partition(".")[0] in _DEVICES:
        stem = f"_{stem}"
    name = f"{stem}.csv"
    if taken.get(name, ticker) != ticker:
        name = f"{stem}_{hashlib.sha256(ticker.encode()).hexdigest()[:8].upper()}.csv"
    return name
