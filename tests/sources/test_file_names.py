"""Tickers that are no names of files get safe ones, inside the folder, one for each."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from market_server import Market, make_series
from test_download_yahoo import Download, entry_of, holds

from stockcast.errors import StockcastError
from stockcast.sources.file_names import file_name, ticker_of
from stockcast.sources.manifest import _FILE


@pytest.mark.parametrize(
    ("ticker", "name"),
    [
        ("AAPL", "AAPL.csv"),
        ("BRK-B", "BRK-B.csv"),
        ("VOD.L", "VOD.L.csv"),
        ("EURUSD=X", "EURUSD=X.csv"),
        ("^GSPC", "GSPC.csv"),
        ("BRK/B", "BRK-B.csv"),
        ("../X", "X.csv"),
        ("..\\X", "X.csv"),
        ("CON", "_CON.csv"),
        ("COM1.L", "_COM1.L.csv"),
        ("CON-B", "CON-B.csv"),
        ("..", "TICKER.csv"),
        ("A:B", "A-B.csv"),
    ],
)
def test_the_name_of_a_file_is_safe_on_every_system(ticker: str, name: str) -> None:
    assert file_name(ticker, {}) == name


@given(st.lists(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40), unique=True))
def test_no_two_tickers_have_one_file_and_none_leads_out_of_the_folder(tickers: list[str]) -> None:
    taken: dict[str, str] = {}
    for ticker in dict.fromkeys(map(ticker_of, tickers)):
        name = file_name(ticker, taken)
        assert name not in taken
        assert Path(name).name == name
        assert _FILE.fullmatch(name)  # what the manifest takes back
        taken[name] = ticker


@pytest.mark.parametrize("text", ["", "  ", "A" * 41, "A B", "A\nB", "ÄÖ", "A\x1b[2J"])
def test_what_can_be_no_ticker_is_refused(text: str) -> None:
    with pytest.raises(StockcastError) as refused:
        ticker_of(text)
    assert (refused.value.key, refused.value.value) == ("TICKER", text)


def test_each_gets_its_own_file_and_the_name_is_told(download: Download, market: Market, tmp_path: Path) -> None:
    tickers = ("^GSPC", "GSPC", "BRK/B", "BRK-B", "../X", "CON")
    market.series |= {ticker: make_series(first="2024-01-02", seed=seed) for seed, ticker in enumerate(tickers)}
    done = download(*tickers)
    assert done.returncode == 0, done.stderr
    assert "its file is GSPC.csv" in done.stderr
    files = {ticker: entry_of(tmp_path, ticker)["file"] for ticker in tickers}
    assert (files["^GSPC"], files["BRK/B"], files["../X"], files["CON"]) == (
        "GSPC.csv", "BRK-B.csv", "X.csv", "_CON.csv"
    )  # fmt: skip
    assert len({*files.values()}) == len(tickers)
    for ticker in tickers:
        assert holds(tmp_path / "prices" / files[ticker], market.series[ticker])
    assert {path.name for path in tmp_path.iterdir()} == {"prices", "cache"}
    again = download(*reversed(tickers))  # names do not depend on the order once they are given
    assert {ticker: entry_of(tmp_path, ticker)["file"] for ticker in tickers} == files
    assert again.returncode == 0


def test_a_ticker_that_comes_twice_is_fetched_once(download: Download, market: Market) -> None:
    assert download("AAPL", "aapl", " AAPL").returncode == 0
    assert len(market.requests) == 2
