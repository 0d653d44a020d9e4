"""`stockcast download --source tiingo` from a server that plays it: the file of every scene, or the true cause."""

import json
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from urllib.error import URLError

import numpy as np
import pytest
from market_server import BUSY, CUT_CONNECTION, CUT_JSON, DOWN, EMPTY, HTML, KEY, Market, after_split, serving
from program import stockcast
from test_download_yahoo import entry_of, holds

from stockcast.sources import tiingo
from stockcast.sources.retries import TRIES

Download = Callable[..., CompletedProcess[str]]

PASSING = {
    "busy": (BUSY, "Tiingo refuses more requests for now (HTTP 429)"),
    "down": (DOWN, "Tiingo responds with HTTP 503"),
    "html": (HTML, "a web page in place of prices (HTTP 200)"),
    "cut JSON": (CUT_JSON, "the response is cut off or damaged"),
    "cut connection": (CUT_CONNECTION, "the response is cut off"),
    "another shape": ((200, "application/json", b'[{"date": "2024-06-14"}]'), "not a list of bars (KeyError"),
}


@pytest.fixture
def fetch(download: Download) -> Download:
    return lambda *arguments: download(*arguments, "--source", "tiingo")


def test_a_ticker_becomes_the_file_that_yahoo_would_give(fetch: Download, market: Market, tmp_path: Path) -> None:
    assert fetch("AAPL").returncode == 0
    assert holds(tmp_path / "prices" / "AAPL.csv", market.series["AAPL"])
    entry = entry_of(tmp_path, "AAPL")
    assert (entry["source"], entry["calendar"], entry["rows"]) == ("tiingo", "XNYS", 365)
    checked = stockcast("data", "check", "prices/AAPL.csv", "--json", cwd=tmp_path)
    assert json.loads(checked.stdout)["warnings"] == 0


def test_prices_as_traded_are_divided_by_the_splits_that_came_after_them(
    fetch: Download, market: Market, tmp_path: Path
) -> None:
    market.series["AAPL"] = table = after_split(market.series["AAPL"], 8)
    market.splits["AAPL"] = {"2023-08-31": 4.0, "2024-06-10": 2.0}
    assert fetch("AAPL").returncode == 0
    rows = (tmp_path / "prices" / "AAPL.csv").read_text().splitlines()[1:]
    for name, place in (("Open", 1), ("Close", 4), ("Adj Close", 5), ("Volume", 6)):
        written = np.array([float(row.split(",")[place]) for row in rows])
        assert np.allclose(written, table[name], rtol=1e-9)


def test_an_update_fetches_the_last_ten_sessions(fetch: Download, market: Market, tmp_path: Path) -> None:
    whole = market.series["AAPL"]
    market.series["AAPL"] = whole.drop(whole.index[-2])
    assert fetch("AAPL").returncode == 0
    market.series["AAPL"] = whole
    assert fetch("AAPL", "--update").returncode == 0
    assert holds(tmp_path / "prices" / "AAPL.csv", whole)
    assert market.requests[-1][1]["startDate"] == "2024-05-31"  # the tenth of the days that were there


@pytest.mark.parametrize("scene", PASSING)
def test_what_passes_ends_in_the_file_and_what_does_not_with_its_cause(
    scene: str, fetch: Download, market: Market, tmp_path: Path
) -> None:
    fault, cause = PASSING[scene]
    market.faults = {"AAPL": [fault] * (TRIES - 1), "MSFT": fault}
    done = fetch("MSFT", "AAPL")
    assert done.returncode == 1
    assert cause in done.stderr
    assert holds(tmp_path / "prices" / "AAPL.csv", market.series["AAPL"])
    assert not (tmp_path / "prices" / "MSFT.csv").exists()
    assert market.tickers() == ["MSFT"] * TRIES + ["AAPL"] * TRIES


def test_an_unknown_ticker_and_one_without_bars_are_not_tried_again(fetch: Download, market: Market) -> None:
    market.faults["AAPL"] = EMPTY
    done = fetch("NOPE", "AAPL", "--from", "2024-06-01")
    assert 'Tiingo has no prices of NOPE ("Not found").' in done.stderr
    assert "Tiingo knows AAPL, but has no bars of it from 2024-06-01 on." in done.stderr
    assert market.tickers() == ["NOPE", "AAPL"]


def test_a_key_that_is_not_set_is_told_before_any_request(
    fetch: Download, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TIINGO_API_KEY")
    done = fetch("AAPL")
    assert (done.returncode, market.requests) == (1, [])
    assert "Tiingo needs a key, and TIINGO_API_KEY is not set." in done.stderr


def test_a_key_that_is_refused_ends_the_command_after_one_request_and_is_never_printed(
    fetch: Download, market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIINGO_API_KEY", "wrong-key")
    done = fetch("AAPL", "MSFT")
    assert done.returncode == 1
    assert "Tiingo refuses the key in TIINGO_API_KEY (HTTP 401: Invalid token)" in done.stderr
    assert market.tickers() == ["AAPL"]
    assert "wrong-key" not in done.stdout + done.stderr
    assert all("wrong-key" not in str(request) for request in market.requests)


def test_the_key_is_sent_to_no_other_host(fetch: Download, market: Market) -> None:
    with serving(Market(dict(market.series))) as other:
        market.faults["AAPL"] = (302, "text/plain", f"{other.url}/tiingo/daily/AAPL/prices".encode())
        assert fetch("AAPL").returncode == 1
    assert market.tokens == [f"Token {KEY}"]
    assert other.tokens == [None]


def test_no_way_to_the_source_is_named(fetch: Download, market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiingo, "BASE", "http://127.0.0.1:9")
    assert "Tiingo cannot be reached: connection: " in fetch("AAPL").stderr
    monkeypatch.setattr(tiingo, "BASE", market.url.replace("http:", "https:"))
    assert "Tiingo cannot be reached: TLS: " in fetch("AAPL").stderr


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        (socket.gaierror(-2, "Name or service not known"), "DNS: "),
        (ssl.SSLCertVerificationError("expired"), "TLS: "),
        (TimeoutError("timed out"), "no response: "),
    ],
)
def test_each_failure_of_the_network_has_its_name(
    reason: Exception, cause: str, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise URLError(reason)

    monkeypatch.setattr(tiingo, "urlopen", fail)
    with pytest.raises(tiingo.SourceError, match=f"Tiingo cannot be reached: {cause}"):
        tiingo.Tiingo().fetch("AAPL", start=None)
