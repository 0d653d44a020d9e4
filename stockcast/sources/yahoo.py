"""Yahoo Finance, read through yfinance.

yfinance reports most failures as a ticker without time zone or without prices, "possibly delisted". So the session
that it makes its requests with keeps the last response of the chart, and the cause is read from that.
"""

import logging
import warnings
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import peewee
import platformdirs
import yfinance
from curl_cffi import requests
from curl_cffi.requests.exceptions import (
    ConnectionError,
    DNSError,
    HTTPError,
    ProxyError,
    RequestException,
    SSLError,
    Timeout,
)
from yfinance.data import YfData
from yfinance.exceptions import YFRateLimitError

from stockcast.errors import SourceError
from stockcast.sources.source import (
    COLUMNS,
    Bars,
    failed,
    in_order,
    no_json,
    shown,
    too_many_requests,
    unknown,
    unreachable,
)

NAME = "Yahoo"
_CHART = "/finance/chart/"
_TIMEOUT = 30  # seconds


class _Session(requests.Session[Any]):
    """A browser's session that keeps the last response of the chart.

    Attributes:
        chart: the response; None before the first, and where the last request had none.
    """

    chart: Any = None

    def request(self, method: Any, url: str, *args: Any, **kwargs: Any) -> Any:
        if _CHART not in url:  # cookies, which yfinance can do without
            return super().request(method, url, *args, **kwargs)
        self.chart = None
        self.chart = super().request(method, url, *args, **kwargs)
        return self.chart


class Yahoo:
    """Daily bars from Yahoo Finance; prices are adjusted for splits, Adj Close for dividends as well."""

    name = "yahoo"
    library = f"yfinance {yfinance.__version__}"

    def __init__(self) -> None:
        """Prepare yfinance, with a cache of time zones and cookies that no other program locks."""
        logging.getLogger("yfinance").setLevel(logging.CRITICAL)  # every cause becomes a message of our own
        yfinance.config.debug.hide_exceptions = False  # raise_errors=True leaves out the request for the time zone
        self._cache = Path(platformdirs.user_cache_dir("stockcast")) / "yfinance"
        yfinance.set_tz_cache_location(str(self._cache))
        yfinance.base._tz_info_fetch_ctr = 2  # without a time zone it would ask other pages, and fail with their error
        self._session = _Session(impersonate="chrome")

    def fetch(self, ticker: str, *, start: date | None) -> Bars:
        """Return the bars from `start` on; see `Source.fetch`."""
        YfData.cache_get.cache_clear()  # it would repeat a damaged response for as long as the process lasts
        if yfinance.utils.is_isin(ticker):
            raise SourceError(f"{ticker} is an ISIN. Give the ticker that {NAME} lists it under.", value=ticker)
        span = {"period": "max"} if start is None else {"start": start}
        self._session.chart = None
        try:
            series = yfinance.Ticker(quote(ticker, safe="^=.-"), session=self._session)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # of pandas, about yfinance's own code
                found = series.history(**span, interval="1d", auto_adjust=False, actions=False, timeout=_TIMEOUT)
        except RequestException as error:
            raise _of_network(error) from error
        except peewee.PeeweeException as error:
            message = (
                f"yfinance cannot use its cache: {shown(str(error))}. Remove the folder {self._cache}, or make room."
            )
            raise SourceError(message, file=self._cache, again=True, stops_after=1) from error
        except YFRateLimitError as error:
            raise too_many_requests(NAME) from error
        except Exception as error:  # yfinance raises KeyError, TypeError and others on what it does not expect
            if self._session.chart is None:
                raise
            raise _of_response(ticker, start, self._session.chart, error) from error
        if not len(found):
            raise _no_bars(ticker, start)
        found.index = pd.DatetimeIndex(found.index).tz_localize(None).normalize()
        return Bars(_in_written_digits(in_order(found)))


def _in_written_digits(table: pd.DataFrame) -> pd.DataFrame:
    """Return prices as a person would write them.

    Yahoo's are of single precision, so that 187.15 is 187.14999389648438, but for that of a day that has just ended.
    """
    names = list(COLUMNS[:-1])
    prices = table[names].to_numpy()
    single = prices.astype(np.float32)
    shortest = single.astype(str).astype(np.float64)  # the fewest digits that give the number back
    written = np.where(single.astype(np.float64) == prices, shortest, prices)
    return table.assign(**dict(zip(names, written.T, strict=True)))


def _of_network(error: RequestException) -> SourceError:
    """Return the error of a request that had no whole response."""
    stated = shown(str(error).partition(" See https://curl.se")[0].removeprefix("Failed to perform, "))
    if isinstance(error, Timeout):
        return unreachable(NAME, f"no response within {_TIMEOUT} s ({stated})")
    if isinstance(error, HTTPError):
        return SourceError(f"{NAME}: the response is cut off ({stated}).", again=True)
    for kind, name in ((DNSError, "DNS"), (SSLError, "TLS"), (ProxyError, "proxy"), (ConnectionError, "connection")):
        if isinstance(error, kind):
            return unreachable(NAME, f"{name}: {stated}")
    return unreachable(NAME, stated)


def _of_response(ticker: str, start: date | None, response: Any, error: Exception) -> SourceError:
    """Return the error of a response that yfinance could not make bars of."""
    status = response.status_code
    try:
        document = response.json()
    except ValueError:
        return no_json(NAME, response.content) if status < 400 else failed(NAME, ticker, status, response.reason)
    chart = (document.get("chart") or document.get("finance") or {}) if isinstance(document, dict) else {}
    stated = chart.get("error") or {}
    reason = str(stated.get("description") or "") if isinstance(stated, dict) else str(stated)
    if status == 429:
        return too_many_requests(NAME)
    if status == 404:
        return unknown(NAME, ticker, reason)
    if status >= 400:
        return failed(NAME, ticker, status, reason or response.reason)
    if stated:
        return SourceError(f"{NAME} gives no prices of {ticker}: {shown(reason)}.", value=ticker)
    results = chart.get("result")
    if not results:
        return unknown(NAME, ticker, "its response is empty")
    if isinstance(results[0], dict) and not results[0].get("timestamp"):
        return _no_bars(ticker, start)
    cause = f"{type(error).__name__}: {shown(str(error))}"
    return SourceError(f"{NAME}: {Yahoo.library} cannot read the response ({cause}).", again=True)


def _no_bars(ticker: str, start: date | None) -> SourceError:
    since = f" from {start} on" if start else ""
    return SourceError(f"{NAME} knows {ticker}, but has no bars of it{since}.", value=ticker)
