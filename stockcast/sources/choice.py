"""The sources by name; the library of one is loaded when it is opened."""

import sys
from enum import StrEnum
from typing import TYPE_CHECKING

from stockcast.errors import SourceError
from stockcast.tickers import INSTALL, has_extra

if TYPE_CHECKING:
    from stockcast.sources.source import Source  # loads pandas


class SourceName(StrEnum):
    """What --source takes."""

    yahoo = "yahoo"
    tiingo = "tiingo"


def open_source(name: str) -> "Source":
    """Return a source, ready to fetch.

    Raises:
        SourceError: its libraries are not installed or cannot work in this process, or its key is not set.
    """
    if not has_extra():
        message = f"A download needs yfinance and stamina, which are not installed. Install the extra: {INSTALL}"
        raise SourceError(message, value="yfinance")
    if name == SourceName.tiingo:
        from stockcast.sources.tiingo import Tiingo

        return Tiingo()
    if "curl_cffi" not in sys.modules and {"tensorflow", "keras"} & sys.modules.keys():
        # curl_cffi then finds TensorFlow's library for TLS in place of its own, and every request fails.
        message = "TensorFlow is loaded in this process, and nothing can be fetched from Yahoo after it."
        raise SourceError(f"{message} Use the command: stockcast download", value="tensorflow")
    from stockcast.sources.yahoo import Yahoo

    return Yahoo()
