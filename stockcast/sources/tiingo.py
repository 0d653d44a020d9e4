"""Tiingo's end-of-day prices of American stocks, ETFs and funds, by its documented JSON."""

import http.client
import json
import os
import socket
import ssl
from datetime import date
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

import numpy as np
import pandas as pd

from stockcast.errors import SourceError
from stockcast.sources.source import (
    Bars,
    failed,
    in_order,
    no_json,
    shown,
    too_many_requests,
    unknown,
    unreachable,
)

NAME = "Tiingo"
KEY = "TIINGO_API_KEY"
"""The variable of the environment that holds the key."""

BASE = "https://api.tiingo.com"
_FIRST = date(1900, 1, 1)  # without a first day Tiingo gives the last bar alone
_TIMEOUT = 30  # seconds
_MOST_BYTES = 64_000_000  # a century of bars is a tenth of it


class Tiingo:
    """Daily bars from Tiingo: its prices as traded, divided by the splits since, as those of Yahoo are."""

    name = "tiingo"
    library = "Tiingo end-of-day API"

    def __init__(self) -> None:
        """Take the key from the environment; SourceError if there is none."""
        self._key = os.environ.get(KEY, "").strip()
        if not self._key:
            message = f"{NAME} needs a key, and {KEY} is not set. Get one at https://www.tiingo.com, then: export"
            raise SourceError(f"{message} {KEY}=YOUR_KEY", key=KEY, stops_after=1)

    def fetch(self, ticker: str, *, start: date | None) -> Bars:
        """Return the bars from `start` on; see `Source.fetch`."""
        query = urlencode({"startDate": str(start or _FIRST), "format": "json"})
        request = Request(f"{BASE}/tiingo/daily/{quote(ticker, safe='')}/prices?{query}")
        request.add_unredirected_header("Authorization", f"Token {self._key}")  # to no other host, in no log
        rows = _rows(ticker, _read(request, ticker))
        if not rows:
            since = f" from {start} on" if start else ""
            raise SourceError(f"{NAME} knows {ticker}, but has no bars of it{since}.", value=ticker)
        return Bars(_table(rows))


def _read(request: Request, ticker: str) -> bytes:
    """Return the body of a response with status 200; SourceError with the cause of any other end."""
    try:
        with urlopen(request, timeout=_TIMEOUT) as response:
            content: bytes = response.read(_MOST_BYTES)
            return content
    except HTTPError as error:
        raise _of_status(error, ticker) from error
    except http.client.IncompleteRead as error:
        raise SourceError(f"{NAME}: the response is cut off ({len(error.partial):,} bytes).", again=True) from error
    except (OSError, http.client.HTTPException) as error:  # URLError is one
        reason = error.reason if isinstance(error, URLError) else error
        raise unreachable(NAME, _network_cause(reason)) from error


def _of_status(error: HTTPError, ticker: str) -> SourceError:
    """Return the error of a status of 400 or more."""
    reason = _detail(error.read(10_000)) or str(error.reason)
    if error.code in (401, 403):
        return SourceError(
            f"{NAME} refuses the key in {KEY} (HTTP {error.code}: {shown(reason)}). Check it at https://www.tiingo.com.",
            key=KEY,
            stops_after=1,
        )
    if error.code == 429:
        return too_many_requests(NAME)
    return unknown(NAME, ticker, reason) if error.code == 404 else failed(NAME, ticker, error.code, reason)


def _network_cause(reason: object) -> str:
    kinds = ((socket.gaierror, "DNS"), (ssl.SSLError, "TLS"), (TimeoutError, "no response"), (OSError, "connection"))
    name = next((name for kind, name in kinds if isinstance(reason, kind)), "connection")
    return f"{name}: {shown(str(reason))}"


def _detail(content: bytes) -> str:
    """Return the reason in the JSON of a refusal; empty if it has none."""
    try:
        document = json.loads(content)
    except ValueError:
        return ""
    return str(document.get("detail") or "") if isinstance(document, dict) else ""


def _rows(ticker: str, content: bytes) -> list[dict[str, Any]]:
    """Return the bars of a response as its JSON has them."""
    try:
        document = json.loads(content)
    except ValueError:
        raise no_json(NAME, content) from None
    if isinstance(document, dict):
        raise SourceError(f"{NAME} gives no prices of {ticker}: {shown(_detail(content) or str(document))}.")
    if not isinstance(document, list) or not all(isinstance(row, dict) for row in document):
        raise SourceError(f"{NAME}: the response is not a list of bars.", again=True)
    return document


def _table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Return bars divided by the splits that came after each: Tiingo's own are as traded."""
    try:
        days = pd.to_datetime([str(row["date"])[:10] for row in rows], format="%Y-%m-%d")
        names = ("open", "high", "low", "close", "adjClose", "adjVolume", "splitFactor")
        found = pd.DataFrame({name: [row[name] for row in rows] for name in names}, index=days, dtype="float64")
    except (KeyError, TypeError, ValueError) as error:
        cause = f"{type(error).__name__}: {shown(str(error))}"
        raise SourceError(f"{NAME}: the response is not a list of bars ({cause}).", again=True) from error
    found = found.sort_index()
    splits = found["splitFactor"].fillna(1).to_numpy()  # stated on the first day after the split
    later = np.append(np.cumprod(splits[::-1])[::-1][1:], 1.0)
    table = found[["open", "high", "low", "close"]].div(later, axis=0)
    table.columns = pd.Index(["Open", "High", "Low", "Close"])
    return in_order(table.assign(**{"Adj Close": found["adjClose"], "Volume": found["adjVolume"]}))
