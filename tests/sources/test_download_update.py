"""`stockcast download --update`: what is fetched again, and when a file is fetched anew."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from subprocess import CompletedProcess

import exchange_calendars
import numpy as np
import pandas as pd
import pytest
from market_server import CUT_JSON, Market, after_dividend, after_split, direct_to, make_series
from test_download_yahoo import entry_of, holds

Download = Callable[..., CompletedProcess[str]]

LATER = datetime(2024, 6, 21, 21, 0, tzinfo=UTC)
"""A week after the made series end, an hour after the close."""


@pytest.fixture
def week_later(download: Download, market: Market, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """AAPL is downloaded, a week passes, and the server has its days; return all bars."""
    whole = make_series(last="2024-06-21")
    market.series["AAPL"] = whole.loc[:"2024-06-14"]
    assert len(market.series["AAPL"]) == 365
    assert download("AAPL").returncode == 0
    market.requests.clear()
    direct_to(market.url, LATER, monkeypatch.setattr)
    market.series["AAPL"] = whole
    return whole


def file_of(folder: Path) -> Path:
    return folder / "prices" / "AAPL.csv"


def first_days(market: Market) -> list[str]:
    """The first day of each request for bars."""
    spans = [query for _, query in market.requests if "period1" in query]
    return [str(pd.Timestamp(int(query["period1"]), unit="s").date()) for query in spans]


def test_what_is_there_is_not_fetched_again_without_the_option(
    download: Download, market: Market, week_later: pd.DataFrame, tmp_path: Path
) -> None:
    before = file_of(tmp_path).read_bytes()
    done = download("AAPL")
    assert (done.returncode, market.requests) == (0, [])
    assert file_of(tmp_path).read_bytes() == before
    assert "unchanged" in done.stdout


def test_an_update_fetches_the_last_ten_sessions_and_what_came_since(
    download: Download, market: Market, week_later: pd.DataFrame, tmp_path: Path
) -> None:
    assert download("AAPL", "--update").returncode == 0
    assert first_days(market) == ["2024-06-03"]  # ten sessions: 3 to 7 and 10 to 14 June
    assert holds(file_of(tmp_path), week_later)
    assert entry_of(tmp_path, "AAPL")["last"] == "2024-06-21"
    assert not (tmp_path / "prices" / "replaced").exists()


def test_a_second_update_before_the_next_close_asks_for_nothing(
    download: Download, market: Market, week_later: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert download("AAPL", "--update").returncode == 0
    market.requests.clear()
    direct_to(market.url, datetime(2024, 6, 24, 20, 29, tzinfo=UTC), monkeypatch.setattr)  # due half an hour after
    assert download("AAPL", "--update").returncode == 0
    assert market.requests == []
    direct_to(market.url, datetime(2024, 6, 24, 20, 30, tzinfo=UTC), monkeypatch.setattr)
    assert download("AAPL", "--update").returncode == 0
    assert market.requests != []


def test_a_price_that_the_source_has_corrected_is_taken_over(
    download: Download, market: Market, week_later: pd.DataFrame, tmp_path: Path
) -> None:
    week_later.loc["2024-06-14", ["Close", "Adj Close"]] = 100.5
    assert download("AAPL", "--update").returncode == 0
    assert holds(file_of(tmp_path), week_later)
    assert first_days(market) == ["2024-06-03"]


def test_a_session_that_was_missing_is_filled_in_by_an_update_though_no_new_one_is_over(
    download: Download, market: Market, tmp_path: Path
) -> None:
    whole = market.series["AAPL"]
    market.series["AAPL"] = whole.drop(pd.Timestamp("2024-06-13"))
    assert download("AAPL").returncode == 0
    market.series["AAPL"] = whole
    assert download("AAPL", "--update").returncode == 0
    assert holds(file_of(tmp_path), whole)
    assert entry_of(tmp_path, "AAPL")["missing"] == []


def test_a_file_too_short_to_tell_its_exchange_finds_it_with_an_update(
    download: Download, market: Market, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = exchange_calendars.get_calendar("XLON", "2023-05-02", "2024-06-14").sessions
    market.series["VOD.L"] = london = make_series(last="2025-06-13").iloc[: len(days)].set_index(days)
    direct_to(market.url, datetime(2023, 5, 25, 21, tzinfo=UTC), monkeypatch.setattr)
    market.series["VOD.L"] = london.loc[:"2023-05-25"]
    assert download("VOD.L").returncode == 0
    assert entry_of(tmp_path, "VOD.L")["calendar"] == "XNYS"  # 17 days, which is what is taken for want of more
    direct_to(market.url, datetime(2024, 6, 14, 21, tzinfo=UTC), monkeypatch.setattr)
    market.series["VOD.L"] = london
    assert download("VOD.L", "--update").returncode == 0
    assert entry_of(tmp_path, "VOD.L")["calendar"] == "XLON"
    assert holds(tmp_path / "prices" / "VOD.L.csv", london)


def test_a_close_that_the_source_has_lost_stays(
    download: Download, market: Market, week_later: pd.DataFrame, tmp_path: Path
) -> None:
    market.series["AAPL"] = lost = week_later.copy()
    lost.loc["2024-06-12"] = np.nan
    assert download("AAPL", "--update").returncode == 0
    assert holds(file_of(tmp_path), week_later)


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (lambda table: after_split(table, 4), "is 0.25 times what the file has, as after a split"),
        (lambda table: after_dividend(table, "2024-06-18", 0.0003), "Adj Close of 2024-06-03 is 0.9997 times"),
        (lambda table: after_dividend(table, "2024-06-12", 0.0003), "Adj Close of 2024-06-03 is 0.9997 times"),
    ],
    ids=["split", "dividend", "dividend among the last ten"],
)
def test_after_a_split_or_a_dividend_all_is_fetched_anew_and_the_old_file_kept(
    event: Callable[[pd.DataFrame], pd.DataFrame],
    why: str,
    download: Download,
    market: Market,
    week_later: pd.DataFrame,
    tmp_path: Path,
) -> None:
    before = file_of(tmp_path).read_bytes()
    market.series["AAPL"] = now = event(week_later)
    done = download("AAPL", "--update")
    assert done.returncode == 0
    assert "fetched anew" in done.stderr
    assert why in done.stderr
    rows = pd.read_csv(file_of(tmp_path), index_col=0)
    for name in now:
        assert np.array_equal(rows[name].to_numpy(dtype=np.float32), now[name].to_numpy(dtype=np.float32))
    assert (tmp_path / "prices" / "replaced" / "AAPL.csv").read_bytes() == before
    assert len(first_days(market)) == 2


def test_the_old_file_stands_until_the_new_one_is_whole(
    download: Download, market: Market, week_later: pd.DataFrame, tmp_path: Path
) -> None:
    before = file_of(tmp_path).read_bytes()
    market.series["AAPL"] = after_split(week_later, 2)
    market.faults["AAPL"] = CUT_JSON
    assert download("AAPL", "--update").returncode == 1
    assert file_of(tmp_path).read_bytes() == before
    market.faults.clear()
    market.series["AAPL"] = market.series["AAPL"].loc["2024-01-02":]  # the source has lost a year
    done = download("AAPL", "--update")
    assert done.returncode == 1
    assert "The source now has 115 of the 365 days of the file" in done.stderr  # without the 250 of 2023
    assert file_of(tmp_path).read_bytes() == before


def test_another_first_day_or_source_fetches_all_and_keeps_the_old_file(
    download: Download, market: Market, tmp_path: Path
) -> None:
    assert download("AAPL", "--from", "2024-01-02").returncode == 0
    before = file_of(tmp_path).read_bytes()
    assert download("AAPL", "--from", "2023-06-01").returncode == 0
    assert holds(file_of(tmp_path), market.series["AAPL"].loc["2023-06-01":])
    assert (tmp_path / "prices" / "replaced" / "AAPL.csv").read_bytes() == before
    assert download("AAPL", "--source", "tiingo").returncode == 0
    assert (entry_of(tmp_path, "AAPL")["source"], entry_of(tmp_path, "AAPL")["first"]) == ("tiingo", "2023-06-01")


@pytest.mark.parametrize("option", [[], ["--update"]])
def test_a_file_of_the_user_is_never_replaced(
    option: list[str], download: Download, market: Market, tmp_path: Path
) -> None:
    file = file_of(tmp_path)
    file.parent.mkdir()
    file.write_text("Date,Close\n2024-01-02,1\n")
    done = download("AAPL", *option)
    assert done.returncode == 1
    assert "AAPL.csv was not written by `stockcast download`. Move it away" in done.stderr
    file.unlink()
    assert download("AAPL").returncode == 0
    changed = file.read_text() + "2024-06-17,1,1,1,1,1,1\n"
    file.write_text(changed)
    done = download("AAPL", *option)
    assert "AAPL.csv was changed since it was downloaded. Move it away" in done.stderr
    assert file.read_text() == changed


def test_a_file_that_was_removed_is_fetched_again(download: Download, market: Market, tmp_path: Path) -> None:
    assert download("AAPL").returncode == 0
    file_of(tmp_path).unlink()
    assert download("AAPL").returncode == 0
    assert holds(file_of(tmp_path), market.series["AAPL"])


def test_a_kill_between_entry_and_file_leaves_the_old_file_which_is_then_fetched_again(
    download: Download, market: Market, week_later: pd.DataFrame, tmp_path: Path
) -> None:
    before = file_of(tmp_path).read_bytes()
    assert download("AAPL", "--update").returncode == 0
    file_of(tmp_path).write_bytes(before)  # as it stands if the process ends before the last step
    assert download("AAPL", "--update").returncode == 0
    assert holds(file_of(tmp_path), week_later)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "JSONDecodeError"),
        (b"[]", "TypeError"),
        (b'{"version": 2, "tickers": {}}', "it is of version 2"),
        (b'{"version": 1, "tickers": {"AAPL": {"file": "../x.csv"}}}', "KeyError"),
    ],
)
def test_a_manifest_that_is_none_is_refused(
    content: bytes, why: str, download: Download, market: Market, tmp_path: Path
) -> None:
    (tmp_path / "prices").mkdir()
    (tmp_path / "prices" / "manifest.json").write_bytes(content)
    done = download("AAPL")
    assert done.returncode == 1
    assert f"manifest.json is no manifest of `stockcast download`: {why}" in done.stderr
    assert market.requests == []


@pytest.mark.parametrize(
    ("key", "value"), [("fetched", "yesterday"), ("start", "2024"), ("start", 5), ("sha256", None), ("missing", 3)]
)
def test_a_manifest_with_a_wrong_value_is_refused(
    key: str, value: object, download: Download, market: Market, tmp_path: Path
) -> None:
    assert download("AAPL").returncode == 0
    path = tmp_path / "prices" / "manifest.json"
    document = json.loads(path.read_text())
    document["tickers"]["AAPL"][key] = value
    path.write_text(json.dumps(document))
    done = download("AAPL", "--update")
    assert done.returncode == 1
    assert "manifest.json is no manifest of `stockcast download`" in done.stderr


@pytest.mark.parametrize("name", ["../x.csv", "/tmp/x.csv", "x/y.csv", "x.csv\n", ".x.csv", "X.txt"])
def test_a_manifest_never_leads_out_of_its_folder(
    name: str, download: Download, market: Market, tmp_path: Path
) -> None:
    assert download("AAPL").returncode == 0
    path = tmp_path / "prices" / "manifest.json"
    document = json.loads(path.read_text())
    document["tickers"]["AAPL"]["file"] = name
    path.write_text(json.dumps(document))
    done = download("AAPL", "--update")
    assert done.returncode == 1
    assert "is no manifest of `stockcast download`: ValueError" in done.stderr
