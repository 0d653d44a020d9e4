"""A server on the loopback that plays Yahoo and Tiingo, with what is known to go wrong at them as scenes."""

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import exchange_calendars
import numpy as np
import pandas as pd

KEY = "k123"
OPENS = 14 * 3600 + 1800  # seconds after midnight UTC at which a bar of New York is dated

HTML = (200, "text/html", b"<!doctype html><html><body>Will you accept cookies?</body></html>")
BUSY = (429, "text/html", b"Too Many Requests")
DOWN = (503, "text/html", b"<html>Service Unavailable</html>")
NOTHING = (200, "application/json", b"")
CUT_JSON = "cut JSON"
CUT_CONNECTION = "cut connection"
EMPTY = "empty"

Fault = tuple[int, str, bytes] | str


def sessions(first: str, last: str) -> pd.DatetimeIndex:
    """Sessions of New York by exchange_calendars."""
    return exchange_calendars.get_calendar("XNYS", first, last).sessions


def make_series(first: str = "2023-01-03", last: str = "2024-06-14", *, seed: int = 0) -> pd.DataFrame:
    """Bars of a random walk in cents, on the sessions of New York."""
    days = sessions(first, last)
    random = np.random.default_rng(seed)
    close = np.round(100 * np.exp(np.cumsum(0.01 * random.standard_normal(len(days)))), 2)
    opened = np.round(close * np.exp(0.004 * random.standard_normal(len(days))), 2)
    table = pd.DataFrame({"Open": opened, "High": opened, "Low": opened, "Close": close}, index=days)
    table["High"] = np.round(table[["Open", "Close"]].max(axis=1) + 0.25, 2)
    table["Low"] = np.round(table[["Open", "Close"]].min(axis=1) - 0.25, 2)
    return table.assign(**{"Adj Close": close, "Volume": random.integers(1_000_000, 2_000_000, len(days))})


def after_split(table: pd.DataFrame, factor: float) -> pd.DataFrame:
    """The same bars as Yahoo gives them after a split on the day after the last."""
    prices = ["Open", "High", "Low", "Close", "Adj Close"]
    return table.assign(**{name: table[name] / factor for name in prices}, Volume=table["Volume"] * factor)


def after_dividend(table: pd.DataFrame, day: str, share: float) -> pd.DataFrame:
    """The same bars as Yahoo gives them after a dividend of this share of the price, whose ex-date is `day`."""
    before = table.index < pd.Timestamp(day)
    return table.assign(**{"Adj Close": np.where(before, table["Adj Close"] * (1 - share), table["Adj Close"])})


@dataclass
class Market:
    """What the server has, and what was asked of it.

    Attributes:
        series: bars by ticker; a NaN is a null in the JSON.
        splits: for Tiingo, factors by ticker and day; its prices are then as traded.
        faults: by ticker, what each next request gets in place of bars, each once; one that is no list for ever.
        missing_in_long: by ticker, days that a response over more than 60 days lacks.
        requests: path and query of each, in order.
        tokens: what each brought as its key; None for nothing.
    """

    series: dict[str, pd.DataFrame] = field(default_factory=dict)
    splits: dict[str, dict[str, float]] = field(default_factory=dict)
    faults: dict[str, list[Fault] | Fault] = field(default_factory=dict)
    missing_in_long: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    on_request: Callable[[str], Fault | None] = lambda ticker: None
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    url: str = ""

    def tickers(self) -> list[str]:
        """The ticker of each request, in order."""
        return [path for path, _ in self.requests]

    def bars(self, ticker: str, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
        table = self.series[ticker]
        if (min(last, table.index[-1]) - first).days > 60:
            table = table.drop(pd.DatetimeIndex(self.missing_in_long[ticker]))
        return table[(table.index >= first.normalize()) & (table.index <= last)]

    def fault(self, ticker: str) -> Fault | None:
        fault = self.faults.get(ticker)
        if isinstance(fault, list):
            return fault.pop(0) if fault else self.on_request(ticker)
        return fault or self.on_request(ticker)


def chart(market: Market, ticker: str, query: dict[str, str]) -> tuple[int, Any]:
    """Yahoo's response to a request for bars: status and JSON."""
    if ticker not in market.series:
        error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
        return 404, {"chart": {"result": None, "error": error}}
    if "period1" in query:
        first, last = (pd.Timestamp(int(query[name]), unit="s") for name in ("period1", "period2"))
    else:
        first = last = market.series[ticker].index[-1]
    table = market.bars(ticker, first, last)
    meta = {
        "currency": "USD",
        "symbol": ticker,
        "instrumentType": "EQUITY",
        "exchangeTimezoneName": "America/New_York",
        "firstTradeDate": 0,
        "priceHint": 2,
        "validRanges": ["1d", "5d", "max"],
    }
    result: dict[str, Any] = {"meta": meta, "indicators": {"quote": [{}]}}
    if len(table):
        result["timestamp"] = [int(day.timestamp()) + OPENS for day in table.index]
        names = {"open": "Open", "high": "High", "low": "Low", "close": "Close", "volume": "Volume"}
        result["indicators"] = {
            "quote": [{name: numbers(table[column]) for name, column in names.items()}],
            "adjclose": [{"adjclose": numbers(table["Adj Close"])}],
        }
    return 200, {"chart": {"result": [result], "error": None}}


def numbers(values: pd.Series) -> list[float | None]:
    """Numbers as Yahoo's JSON has them: of single precision, null for none."""
    return [None if np.isnan(value) else float(np.float32(value)) for value in values]


def end_of_day(market: Market, ticker: str, query: dict[str, str], token: str | None) -> tuple[int, Any]:
    """Tiingo's response: status and JSON."""
    if token != f"Token {KEY}":
        return 401, {"detail": "Invalid token."}
    if ticker not in market.series:
        return 404, {"detail": "Not found."}
    whole = market.series[ticker]
    table = market.bars(ticker, pd.Timestamp(query.get("startDate", str(whole.index[-1]))), whole.index[-1])
    splits = market.splits.get(ticker, {})
    rows = []
    for day, row in table.iterrows():
        later = np.prod([factor for stated, factor in splits.items() if pd.Timestamp(stated) > day])
        raw = {name: row[name.capitalize()] * later for name in ("open", "high", "low", "close")}
        found = {**raw, "adjClose": row["Adj Close"], "adjVolume": row["Volume"], "volume": row["Volume"] / later}
        stated = {name: None if np.isnan(value) else float(value) for name, value in found.items()}
        split = splits.get(str(day.date()), 1.0)
        rows.append({"date": f"{day.date()}T00:00:00.000Z", **stated, "divCash": 0.0, "splitFactor": split})
    return 200, rows


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    market: Market

    def do_GET(self) -> None:
        split = urlsplit(self.path)
        parts = [unquote(part) for part in split.path.split("/")]
        is_yahoo = "chart" in parts
        ticker = parts[4 if is_yahoo else 3]
        query = {name: values[0] for name, values in parse_qs(split.query).items()}
        self.market.requests.append((ticker, query))
        self.market.tokens.append(self.headers.get("Authorization"))
        fault = self.market.fault(ticker)
        if isinstance(fault, tuple):
            return self.send(*fault)
        if is_yahoo:
            status, document = chart(self.market, ticker, query)
        else:
            status, document = end_of_day(self.market, ticker, query, self.headers.get("Authorization"))
        if fault == EMPTY:
            status, document = 200, {"chart": {"result": [], "error": None}} if is_yahoo else []
        body = json.dumps(document).encode()
        if fault == CUT_JSON:
            body = body[: len(body) // 2]
        self.send(status, "application/json", body, is_cut=fault == CUT_CONNECTION)

    def send(self, status: int, kind: str, body: bytes, *, is_cut: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if status == 302:
            self.send_header("Location", body.decode())
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if is_cut else body)
        self.close_connection = is_cut

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(market: Market) -> Iterator[Market]:
    """Serve a market within the block; `market.url` is its address."""
    handler = type("Handler", (_Handler,), {"market": market})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    market.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield market
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def direct_to(url: str, now: datetime | None, patch: Callable[[Any, str, Any], None]) -> None:
    """Lead both sources to a server, with no waits between tries; `patch` is `setattr` or one that is undone."""
    import stamina
    import yfinance

    from stockcast.sources import retries, sessions, tiingo

    patch(yfinance.base, "_BASE_URL_", url)
    patch(yfinance.scrapers.history, "_BASE_URL_", url)
    patch(yfinance.data.YfData, "_get_cookie_and_crumb", lambda self, *_: (None, "basic"))
    patch(tiingo, "BASE", url)
    stamina.set_testing(True, attempts=retries.TRIES)
    if now is not None:
        patch(sessions, "utc_now", lambda: now)
