"""`stockcast download` from a server that plays Yahoo: every scene ends in the right file or with the true cause."""

import csv
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pandas as pd
import pytest
from curl_cffi.requests.exceptions import CertificateVerifyError, DNSError, IncompleteRead, ProxyError, ReadTimeout
from market_server import (
    BUSY,
    CUT_CONNECTION,
    CUT_JSON,
    DOWN,
    EMPTY,
    HTML,
    NOTHING,
    Fault,
    Market,
    direct_to,
    make_series,
)
from program import stockcast

from stockcast.sources import yahoo
from stockcast.sources.retries import TRIES
from stockcast.sources.source import COLUMNS

Download = Callable[..., CompletedProcess[str]]

PASSING = {
    "busy": (BUSY, "Yahoo refuses more requests for now (HTTP 429)"),
    "down": (DOWN, "Yahoo responds with HTTP 503"),
    "html": (HTML, "a web page in place of prices (HTTP 200)"),
    "nothing": (NOTHING, "nothing in place of prices (HTTP 200)"),
    "cut JSON": (CUT_JSON, "the response is cut off or damaged"),
    "cut connection": (CUT_CONNECTION, "the response is cut off"),
}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def holds(path: Path, table: pd.DataFrame) -> bool:
    """Whether a file holds these bars, each number as the table has it."""
    rows = rows_of(path)
    return [row["Date"] for row in rows] == [str(day.date()) for day in table.index] and all(
        float(row[name]) == value for name in table for row, value in zip(rows, table[name], strict=True)
    )


def entry_of(folder: Path, ticker: str) -> dict:
    return json.loads((folder / "prices" / "manifest.json").read_text())["tickers"][ticker]


def test_a_ticker_becomes_a_file_in_cents_that_is_read_without_a_remark(
    download: Download, market: Market, tmp_path: Path
) -> None:
    market.series["AAPL"] = after = make_series(first="2016-01-04")
    done = download("aapl", "--json")
    assert done.returncode == 0, done.stderr
    file = tmp_path / "prices" / "AAPL.csv"
    assert holds(file, after)
    assert file.read_text().splitlines()[0] == "Date,Open,High,Low,Close,Adj Close,Volume"
    assert rows_of(file)[-1]["Close"] == f"{after['Close'].iloc[-1]:.2f}".rstrip("0").rstrip(".")
    entry = entry_of(tmp_path, "AAPL")
    assert entry["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (entry["source"], entry["library"][:9], entry["calendar"]) == ("yahoo", "yfinance ", "XNYS")
    assert (entry["first"], entry["last"], entry["rows"]) == ("2016-01-04", "2024-06-14", len(after))
    assert entry["fetched"] == "2024-06-14T21:00:00+00:00"
    assert json.loads(done.stdout)["tickers"][0]["entry"] == entry
    checked = json.loads(stockcast("data", "check", str(file), "--json", cwd=tmp_path).stdout)
    assert (checked["notes"], checked["findings"], checked["warnings"]) == ([], [], 0)


def test_adjusted_closes_are_kept_beside_the_quoted_ones(download: Download, market: Market, tmp_path: Path) -> None:
    table = market.series["AAPL"]
    market.series["AAPL"] = table.assign(**{"Adj Close": table["Close"] * 0.97})
    assert download("AAPL").returncode == 0
    rows = rows_of(tmp_path / "prices" / "AAPL.csv")
    for name in ("Close", "Adj Close"):
        single = market.series["AAPL"][name].to_numpy(dtype=np.float32)
        assert np.array_equal(np.array([row[name] for row in rows], dtype=np.float32), single)


def test_a_volume_that_is_zero_on_every_day_is_left_out(download: Download, market: Market, tmp_path: Path) -> None:
    market.series |= {"EURUSD=X": make_series(first="2016-01-04").assign(Volume=0)}
    assert download("EURUSD=X").returncode == 0
    file = tmp_path / "prices" / "EURUSD=X.csv"
    assert file.read_text().startswith("Date,Open,High,Low,Close,Adj Close\n")
    checked = json.loads(stockcast("data", "check", str(file), "--json", cwd=tmp_path).stdout)
    assert checked["warnings"] == 0
    market.series["EURUSD=X"] = make_series(first="2016-01-04", last="2024-06-21").assign(Volume=0)
    assert download("EURUSD=X", "--update").returncode == 0


def test_prices_of_single_and_of_double_precision_have_the_digits_that_were_meant() -> None:
    # 187.15 as the nearest number of 24 bits; Yahoo has the price of a day that has just ended in 53.
    table = pd.DataFrame({name: [187.14999389648438, 229.87, 0.0001234567890123, np.nan, 187.5] for name in COLUMNS})
    written = yahoo._in_written_digits(table)
    assert written["Close"].tolist()[:3] == [187.15, 229.87, 0.0001234567890123]
    assert np.isnan(written["Close"].iloc[3])
    assert written["Close"].iloc[4] == 187.5


@pytest.mark.parametrize("scene", PASSING)
def test_what_passes_ends_in_the_whole_file(scene: str, download: Download, market: Market, tmp_path: Path) -> None:
    market.faults["AAPL"] = [PASSING[scene][0]] * 3
    done = download("AAPL")
    assert done.returncode == 0, done.stderr
    assert holds(tmp_path / "prices" / "AAPL.csv", market.series["AAPL"])
    assert PASSING[scene][1] in done.stderr  # each wait is announced with its cause
    assert f"Try 2 of {TRIES} in " in done.stderr


@pytest.mark.parametrize("scene", PASSING)
def test_what_does_not_pass_ends_with_its_cause_and_the_others_are_done(
    scene: str, download: Download, market: Market, tmp_path: Path
) -> None:
    fault, cause = PASSING[scene]
    market.faults["AAPL"] = fault
    done = download("AAPL", "MSFT")
    assert done.returncode == 1
    assert cause in " ".join(done.stdout.split())
    assert "delisted" not in done.stdout + done.stderr
    assert done.stderr.endswith("1 of 2 tickers could not be downloaded: AAPL. The same command tries these alone.\n")
    assert holds(tmp_path / "prices" / "MSFT.csv", market.series["MSFT"])
    assert not (tmp_path / "prices" / "AAPL.csv").exists()
    # yfinance repeats a request that was refused at once, with other cookies.
    assert market.tickers().count("AAPL") <= 2 * TRIES
    assert done.stderr.count(" Try ") == TRIES - 1


def test_after_three_tickers_are_refused_for_too_many_requests_the_others_are_not_tried(
    download: Download, market: Market
) -> None:
    market.on_request = lambda ticker: BUSY
    done = download("A", "B", "C", "D", "E")
    assert done.returncode == 1
    assert set(market.tickers()) == {"A", "B", "C"}
    assert done.stdout.count("not tried") == 2


def test_an_unknown_ticker_is_not_tried_again(download: Download, market: Market) -> None:
    done = download("NOPE", "BRK/B")
    assert 'Yahoo has no prices of NOPE ("No data found, symbol may be delisted")' in done.stderr
    assert "Classes of shares are written with a hyphen there: BRK-B." in done.stderr
    assert " Try " not in done.stderr
    assert market.tickers() == ["NOPE", "NOPE", "BRK/B", "BRK/B"]  # yfinance repeats each with other cookies


def test_an_empty_result_is_a_ticker_without_prices(download: Download, market: Market) -> None:
    market.faults["AAPL"] = EMPTY
    done = download("AAPL")
    assert done.returncode == 1
    assert 'Yahoo has no prices of AAPL ("its response is empty")' in done.stderr


def test_a_ticker_without_bars_in_the_span_is_told_apart_from_an_unknown_one(
    download: Download, market: Market
) -> None:
    market.series["AAPL"] = market.series["AAPL"].loc[:"2023-06-30"]
    done = download("AAPL", "--from", "2024-01-01")
    assert done.returncode == 1
    assert "Yahoo knows AAPL, but has no bars of it from 2024-01-01 on." in done.stderr


def test_the_first_day_can_be_chosen(download: Download, market: Market, tmp_path: Path) -> None:
    assert download("AAPL", "--from", "2024-01-02").returncode == 0
    assert holds(tmp_path / "prices" / "AAPL.csv", market.series["AAPL"].loc["2024-01-02":])


def test_a_bar_of_a_session_that_is_open_is_left_out(
    download: Download, market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    during = datetime(2024, 6, 14, 19, 59, tzinfo=UTC)  # New York closes at 20:00
    direct_to(market.url, during, monkeypatch.setattr)
    done = download("AAPL")
    assert done.returncode == 0
    assert holds(tmp_path / "prices" / "AAPL.csv", market.series["AAPL"].loc[:"2024-06-13"])
    assert "the bar of 2024-06-14 is left out: it is final half an hour after its session ends" in done.stderr


def test_sessions_that_a_long_response_lacks_are_fetched_again(
    download: Download, market: Market, tmp_path: Path
) -> None:
    market.missing_in_long["AAPL"] = ["2024-06-12", "2024-06-13"]
    done = download("AAPL")
    assert holds(tmp_path / "prices" / "AAPL.csv", market.series["AAPL"])
    assert len(market.requests) == 3  # the time zone, all bars, the last ones again
    assert "no close" not in done.stderr


@pytest.mark.parametrize("how", ["NaN", "no row"])
def test_sessions_that_stay_missing_are_named_and_not_made_up(
    how: str, download: Download, market: Market, tmp_path: Path
) -> None:
    table, gone = market.series["AAPL"].copy(), pd.DatetimeIndex(["2024-06-11", "2024-06-14"])
    whole = table.drop(gone)
    if how == "NaN":
        table.loc[gone] = np.nan
    market.series["AAPL"] = table if how == "NaN" else whole
    done = download("AAPL")
    assert done.returncode == 0
    assert "it has no close of 2 sessions of XNYS: 2024-06-11 and 2024-06-14" in done.stderr
    assert holds(tmp_path / "prices" / "AAPL.csv", whole)
    assert entry_of(tmp_path, "AAPL")["missing"] == ["2024-06-11", "2024-06-14"]


def test_a_holiday_is_no_missing_session(download: Download, market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    market.series["AAPL"] = make_series(last="2024-06-20")  # the 19th is Juneteenth
    direct_to(market.url, datetime(2024, 6, 20, 22, tzinfo=UTC), monkeypatch.setattr)
    assert "no close" not in download("AAPL").stderr


@pytest.mark.parametrize(
    ("where", "cause"),
    [("http://127.0.0.1:9", "connection: curl: (7)"), ("https://{port}", "TLS: curl: (35)")],
    ids=["refused", "TLS"],
)
def test_no_way_to_the_source_is_named_and_ends_the_command(
    where: str, cause: str, download: Download, market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = where.format(port=market.url.removeprefix("http://"))
    direct_to(url, None, monkeypatch.setattr)
    done = download("AAPL", "MSFT")
    assert done.returncode == 1
    assert f"AAPL: failed. Yahoo cannot be reached: {cause}" in done.stderr
    assert "AAPL failed for a reason that holds for every ticker" in done.stdout
    assert "delisted" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (DNSError("curl: (6) Could not resolve host: x. See https://curl.se/y", 6), "DNS: curl: (6) Could not resolve"),
        (CertificateVerifyError("curl: (60) SSL certificate problem", 60), "TLS: curl: (60)"),
        (ProxyError("curl: (97) proxy refused", 97), "proxy: curl: (97)"),
        (ReadTimeout("curl: (28) timed out", 28), "no response within 30 s"),
        (IncompleteRead("curl: (18) end of response with 5 bytes missing", 18), "the response is cut off"),
    ],
)
def test_each_failure_of_the_network_has_its_name(error: Exception, cause: str) -> None:
    named = yahoo._of_network(error)
    assert cause in str(named)
    assert "curl.se" not in str(named)
    assert named.again


def test_a_response_that_yfinance_cannot_read_keeps_its_own_cause(download: Download, market: Market) -> None:
    strange: Fault = (
        200,
        "application/json",
        b'{"chart": {"result": [{"timestamp": [1], "meta": {}}], "error": null}}',
    )
    market.faults["AAPL"] = strange
    done = download("AAPL")
    assert done.returncode == 1
    assert "cannot read the response (KeyError" in done.stderr


def test_a_status_that_is_about_one_ticker_leaves_the_others(
    download: Download, market: Market, tmp_path: Path
) -> None:
    reason = "Data doesn't exist for startDate = 1, endDate = 2"
    error = {"chart": {"result": None, "error": {"code": "Bad Request", "description": reason}}}
    market.faults["AAPL"] = (400, "application/json", json.dumps(error).encode())
    done = download("AAPL", "MSFT")
    assert done.returncode == 1
    assert f'Yahoo responds with HTTP 400 in place of prices of AAPL ("{reason}").' in done.stderr
    assert holds(tmp_path / "prices" / "MSFT.csv", market.series["MSFT"])


def test_a_refusal_of_the_client_ends_the_command(download: Download, market: Market) -> None:
    market.on_request = lambda ticker: (403, "text/html", b"<html>Forbidden</html>")
    done = download("AAPL", "MSFT")
    assert 'Yahoo responds with HTTP 403 in place of prices of AAPL ("Forbidden").' in done.stderr
    assert set(market.tickers()) == {"AAPL"}


def test_an_isin_is_refused_without_a_request(download: Download, market: Market) -> None:
    assert "is an ISIN. Give the ticker" in download("US0378331005").stderr
    assert market.requests == []


def test_a_cache_that_is_damaged_is_named(download: Download, market: Market, tmp_path: Path) -> None:
    cache = tmp_path / "cache" / "stockcast" / "yfinance"
    cache.mkdir(parents=True)
    (cache / "tkr-tz.db").write_bytes(b"no database" * 100)
    done = download("AAPL")
    assert done.returncode == 1
    assert f"yfinance cannot use its cache: file is not a database. Remove the folder {cache}" in done.stderr
    assert "Traceback" not in done.stderr
