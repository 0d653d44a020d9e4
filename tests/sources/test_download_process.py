"""`stockcast download` as a process: what it loads, killed in the middle, on a full disk, beside another."""

import hashlib
import json
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made import REPOSITORY
from market_server import BUSY, CUT_CONNECTION, CUT_JSON, DOWN, HTML, Market, make_series, serving
from program import environment
from test_download_yahoo import holds

from stockcast.forecasting.reading import files_in
from stockcast.sources import choice
from stockcast.sources.folder import LOCK
from stockcast.tickers import INSTALL

NOW = "2024-06-14T21:00:00+00:00"
COMMAND = [sys.executable, str(REPOSITORY / "tests" / "downloading.py")]


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start `stockcast download` in a process of its own, with a market's address and the arguments."""

    def run(market: Market, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*COMMAND, market.url, NOW, "download", *arguments],
            cwd=tmp_path,
            env={**environment(), "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": str(REPOSITORY)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    return run


def test_the_process_never_loads_tensorflow_or_keras(start) -> None:
    with serving(Market({"AAPL": make_series()})) as market:
        child = start(market, "AAPL")
        out, err = child.communicate(timeout=120)
    assert child.returncode == 0, err
    loaded = set(err.rpartition("loaded:")[2].split())
    assert {"yfinance", "curl_cffi", "stamina", "stockcast"} <= loaded
    assert loaded.isdisjoint({"tensorflow", "keras", "jax", "sklearn", "onnxruntime", "matplotlib"})
    assert "AAPL.csv" in out
    assert "Warning" not in err


def test_a_process_that_has_loaded_tensorflow_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "curl_cffi")
    monkeypatch.setitem(sys.modules, "tensorflow", sys)
    with pytest.raises(choice.SourceError, match="TensorFlow is loaded in this process"):
        choice.open_source("yahoo")


def test_without_the_extra_the_error_has_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "has_extra", lambda: False)
    with pytest.raises(choice.SourceError) as refused:
        choice.open_source("yahoo")
    assert INSTALL in str(refused.value)


@pytest.mark.slow
def test_two_hundred_tickers_with_errors_and_a_kill_are_resumed_and_nothing_is_torn_or_asked_twice(
    start, tmp_path: Path
) -> None:
    tickers = [f"T{number:03d}" for number in range(200)]
    random = np.random.default_rng(20)
    faults = (BUSY, DOWN, HTML, CUT_JSON, CUT_CONNECTION)
    market = Market({ticker: make_series("2024-04-01", seed=number) for number, ticker in enumerate(tickers)})
    market.on_request = lambda ticker: faults[random.integers(5)] if random.random() < 0.05 else None
    with serving(market):
        child = start(market, *tickers)
        deadline = time.monotonic() + 120
        while len(market.requests) < 220 and time.monotonic() < deadline:
            time.sleep(0.005)
        child.send_signal(signal.SIGKILL)
        child.communicate()
        folder = tmp_path / "prices"
        entries = json.loads((folder / "manifest.json").read_text())["tickers"]
        assert 50 < len(entries) < 200
        done = {
            ticker
            for ticker, entry in entries.items()
            if (file := folder / entry["file"]).exists()
            and hashlib.sha256(file.read_bytes()).hexdigest() == entry["sha256"]
        }
        assert len(entries) - len(done) <= 1  # the one that the kill came upon
        for file in files_in(folder, key="--data"):  # what every command reads of a folder
            assert holds(file, market.series[file.stem])
        market.requests.clear()
        child = start(market, *tickers)
        _, err = child.communicate(timeout=240)
    assert child.returncode == 0, err
    assert done.isdisjoint(market.tickers())
    assert set(market.tickers()) == set(tickers) - done
    for ticker in tickers:
        assert holds(folder / f"{ticker}.csv", market.series[ticker])
    assert {path.name for path in folder.iterdir()} == {*(f"{name}.csv" for name in tickers), "manifest.json", LOCK}


def test_a_full_disk_is_named_and_the_old_files_stand(start, tmp_path: Path) -> None:
    def at_most_100_kb() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    short = make_series(first="2024-03-01")
    with serving(Market({"AAPL": short, "MSFT": make_series(first="2006-01-03"), "IBM": short})) as market:
        child = start(market, "AAPL", "MSFT", "IBM", preexec_fn=at_most_100_kb)
        out, err = child.communicate(timeout=120)
    assert child.returncode == 1
    assert "Traceback" not in err
    assert "MSFT: failed. Cannot write prices/MSFT.csv: File too large." in err
    assert "MSFT failed for a reason that holds for every ticker" in " ".join(out.split())
    assert sorted(path.name for path in (tmp_path / "prices").iterdir()) == [LOCK, "AAPL.csv", "manifest.json"]
    assert holds(tmp_path / "prices" / "AAPL.csv", short)


def test_a_second_download_into_the_folder_is_refused(start) -> None:
    with serving(Market({"AAPL": make_series()})) as market:
        market.on_request = lambda ticker: time.sleep(3)
        first = start(market, "AAPL")
        while not market.requests:
            time.sleep(0.01)
        second = start(market, "AAPL")
        _, err = second.communicate(timeout=60)
        assert second.returncode == 1
        assert "Another download writes into prices. Wait for it" in err
        assert first.communicate(timeout=60)[1].startswith("AAPL: downloaded")


def test_an_interrupted_download_tells_how_it_goes_on(start) -> None:
    with serving(Market({"AAPL": make_series(), "MSFT": make_series()})) as market:
        market.on_request = lambda ticker: time.sleep(2) if ticker == "MSFT" else None
        child = start(market, "AAPL", "MSFT")
        while "MSFT" not in market.tickers():
            time.sleep(0.01)
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "interrupted. What is done is whole; the same command goes on from there." in err
    assert "Traceback" not in err
