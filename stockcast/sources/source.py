"""What a source of prices gives, and the errors that every source can have."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Protocol

import pandas as pd

from stockcast.errors import SourceError

COLUMNS = ("Open", "High", "Low", "Close", "Adj Close", "Volume")

ADJUSTMENT = "Open, High, Low, Close and Volume: splits; Adj Close: splits and dividends"
"""What the prices of every source are adjusted for once they are `Bars`."""

_SHOWN = 200  # characters of what a source states


@dataclass(frozen=True)
class Bars:
    """Daily bars of one ticker, as a source has them.

    Attributes:
        table: `COLUMNS`, float64, by date, oldest first, each date once; a price that the source lacks is NaN.
    """

    table: pd.DataFrame


class Source(Protocol):
    """A source of prices.

    Attributes:
        name: as --source takes it.
        library: what reads the source, with its version.
    """

    name: str
    library: str

    def fetch(self, ticker: str, *, start: date | None) -> Bars:
        """Return the bars from `start` on, with that of today; all there are without.

        Raises:
            SourceError: it has none of this ticker, cannot be reached, or responds with none.
        """
        ...


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Return bars by date, oldest first; of a date that comes twice the later row."""
    table = table[list(COLUMNS)].astype("float64")
    table = table[~table.index.duplicated("last")].sort_index()
    table.index = pd.DatetimeIndex(table.index, name="Date").as_unit("s")
    return table


def unreachable(source: str, reason: str) -> SourceError:
    """Return the error of a source that no request arrives at; of the next ticker it would be the same."""
    advice = "Check the network (address, proxy, certificates)"
    return SourceError(f"{source} cannot be reached: {reason}. {advice}.", again=True, stops_after=1)


def too_many_requests(source: str) -> SourceError:
    """Return the error of a source that wants fewer requests (HTTP 429)."""
    return SourceError(f"{source} refuses more requests for now (HTTP 429).", again=True, stops_after=3)


def unknown(source: str, ticker: str, reason: str) -> SourceError:
    """Return the error of a ticker that a source has no prices of."""
    stated = f' ("{shown(reason)}")' if reason else ""
    advice = ""
    if "/" in ticker:
        advice = f" Classes of shares are written with a hyphen there: {ticker.replace('/', '-')}."
    return SourceError(f"{source} has no prices of {ticker}{stated}.{advice}", value=ticker)


def no_json(source: str, content: bytes) -> SourceError:
    """Return the error of a response with status 200 that is not the JSON that was asked for."""
    if re.match(rb"\s*<", content):
        message = f"{source} responds with a web page in place of prices (HTTP 200)."
    elif not content.strip():
        message = f"{source} responds with nothing in place of prices (HTTP 200)."
    else:
        message = f"{source}: the response is cut off or damaged ({len(content):,} bytes that are no JSON)."
    return SourceError(message, again=True)


def failed(source: str, ticker: str, status: int, reason: str) -> SourceError:
    """Return the error of an HTTP status of 400 or more that has no other meaning; 5xx may pass."""
    stated = f' ("{shown(reason)}")' if reason else ""
    of_all = 3 if status >= 500 else 1 if status in (401, 403) else None  # another may be about the ticker alone
    return SourceError(
        f"{source} responds with HTTP {status} in place of prices of {ticker}{stated}.",
        again=status >= 500,
        stops_after=of_all,
        value=status,
    )


def shown(reason: str) -> str:
    """Return what a source states, on one line, shortened, and without its last stop."""
    return " ".join(reason.split())[:_SHOWN].rstrip(".")
