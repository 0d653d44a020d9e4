"""A name that is no file, no config and no run may be a ticker: the error has the line that gets its prices."""

from pathlib import Path

import pytest
from program import stockcast

from stockcast import tickers

LINE = "If AAPL is a ticker, its prices come with `stockcast download AAPL`."


@pytest.mark.parametrize(
    "command",
    [
        ("predict", "AAPL"),
        ("evaluate", "AAPL"),
        ("train", "AAPL"),
        ("train", "quick", "--set", "data.path=AAPL"),
        ("predict", "pretrained", "--data", "AAPL"),
        ("data", "check", "AAPL"),
    ],
)
def test_the_error_names_the_command_on_its_one_line(command: tuple[str, ...], tmp_path: Path) -> None:
    done = stockcast(*command, cwd=tmp_path)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("stockcast: ")
    assert LINE in last or "pretrained" in command


@pytest.mark.parametrize("name", ["aapl", "my-run", "quick", "AAPL.csv", "a/b", "", "AAPL; rm", "X" * 20])
def test_what_is_no_ticker_gets_no_such_line(name: str) -> None:
    assert tickers.how_to_get(name) == "" or name == "AAPL.csv"


def test_without_the_extra_the_line_that_installs_it_comes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickers, "find_spec", lambda name: None)
    assert tickers.how_to_get("AAPL").endswith(f"; it needs the extra download: {tickers.INSTALL}.")
