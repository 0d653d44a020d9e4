from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from market_server import KEY, Market, direct_to, make_series, serving
from program import stockcast

NOW = datetime(2024, 6, 14, 21, 0, tzinfo=UTC)
"""An hour after the close of New York on the last day of the made series."""


@pytest.fixture
def market() -> Iterator[Market]:
    """A server with two series, which both sources are led to, an hour after the close of their last day."""
    import stamina
    import yfinance

    with serving(Market({"AAPL": make_series(), "MSFT": make_series(seed=1)})) as served:
        with pytest.MonkeyPatch.context() as patch:
            direct_to(served.url, NOW, patch.setattr)
            patch.setenv("TIINGO_API_KEY", KEY)
            for manager in ("_TzCacheManager", "_CookieCacheManager"):  # each test has caches of its own
                name = "_tz_cache" if manager == "_TzCacheManager" else "_Cookie_cache"
                patch.setattr(getattr(yfinance.cache, manager), name, None)
            yield served
            yfinance.cache._TzDBManager.close_db()
        stamina.set_testing(False)


@pytest.fixture
def download(market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., CompletedProcess[str]]:
    """`stockcast download` in a folder of the test; its files are in prices."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def run(*arguments: str) -> CompletedProcess[str]:
        return stockcast("download", *arguments, cwd=tmp_path)

    return run
