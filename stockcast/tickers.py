"""Names that may be tickers, and how to get their prices: what errors on an unknown name advise."""

import re
from importlib.util import find_spec

INSTALL = 'python -m pip install -c constraints.txt -e ".[download]"'
"""Installs what `stockcast download` needs beside the package."""

_TICKER = re.compile(r"\^?[A-Z0-9][A-Z0-9.=/-]{0,14}")


def has_extra() -> bool:
    """Whether the libraries of the extra `download` are installed; none of them is loaded."""
    return all(find_spec(name) is not None for name in ("yfinance", "curl_cffi", "stamina"))


def how_to_get(name: str) -> str:
    """Return a sentence with the command that downloads a name's prices, and a space before it; empty for no ticker."""
    if not _TICKER.fullmatch(name):
        return ""
    first = "" if has_extra() else f"; it needs the extra download: {INSTALL}"
    return f" If {name} is a ticker, its prices come with `stockcast download {name}`{first}."
