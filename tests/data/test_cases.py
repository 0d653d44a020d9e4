"""Files of shared/cases that are about reading, each as its README has it: the series, or a way to it."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from proposed import proposed_settings

from stockcast.config.load import csv_options
from stockcast.data.csv.table import read_tables
from stockcast.data.prices import Prices, read_prices
from stockcast.data.quality import check_quality
from stockcast.errors import DataError

CASES = Path(__file__).parents[2].parent / "shared" / "cases"

# First and last closes of the series that recur in the files, as their README gives them.
A = (100.42, 101.41, 66.42, 67.54)
B = (1503.41, 1494.01, 1260.62, 1294.63)
I = (112727.0, 109323.0, 126384.0, 126841.0)  # noqa: E741 (the README's name)


@pytest.fixture
def case():
    """The path of a file by its name."""

    def find(name: str) -> Path:
        if not CASES.is_dir():
            pytest.skip(f"the files are not next to this checkout ({CASES})")
        return CASES / f"{name}.csv"

    return find


def check_series(prices: Prices, closes: tuple[float, ...], *, days: int = 320) -> None:
    """Check the rows, the first and the last day, and the first two and last two closes."""
    assert (len(prices.dates), str(prices.dates[0]), str(prices.dates[-1])) == (days, "2022-10-10", "2023-12-29")
    assert (*prices.quoted[:2], *prices.quoted[-2:]) == closes


def refusal(path: Path, settings: list[str] | None = None) -> DataError:
    with pytest.raises(DataError) as error:
        read_prices(path, options=csv_options(settings or []))
    return error.value


@pytest.mark.parametrize(
    ("name", "closes", "columns"),
    [
        ("mixed_iso_time", A, 5),
        ("nasdaq_old_first_row_time", A, 5),
        ("pandas_unnamed_index", A, 5),
        ("yf_reset_index", A, 5),
        ("metastock_dtyyyymmdd", A, 5),
        ("binance_open_time", A, 5),
        ("dukascopy", A, 5),
        ("akshare", A, 5),
        ("ticker_setting_ignored", A, 5),
        ("footer_without_spaces", B, 4),
    ],
)
def test_a_file_with_one_meaning_is_read(case, name, closes, columns):
    prices = read_prices(case(name))

    check_series(prices, closes)
    assert len(prices.bars.columns) == columns
    assert prices.bars.notna().all(axis=None)


@pytest.mark.parametrize(
    ("name", "closes", "columns"),
    [
        ("point_thousands_comma_separated", I, {"Open", "High", "Low", "Close"}),
        ("point_thousands_with_comma_volume", I, {"Open", "High", "Low", "Close", "Volume"}),
        ("investing_portuguese", I, {"Open", "High", "Low", "Close", "Volume"}),
        ("investing_french_open_lost", B, {"Open", "High", "Low", "Close", "Volume"}),
    ],
)
def test_a_decimal_mark_that_may_be_either_is_asked_for_and_its_setting_gives_the_series(case, name, closes, columns):
    error = refusal(case(name))

    assert error.key == "data.decimal"
    assert "data.decimal=," in proposed_settings(str(error))
    prices = read_prices(case(name), options=csv_options(["data.decimal=,"]))
    check_series(prices, closes)
    assert set(prices.bars.columns) == columns


def test_the_first_row_with_a_time_in_place_of_a_day_is_left_out_and_noted(case):
    notes = read_prices(case("nasdaq_old_first_row_time")).notes
    assert "line 2 left out: a quote of 16:00, without a day" in notes


def test_a_remark_without_spaces_at_the_end_is_left_out_and_noted(case):
    notes = read_prices(case("footer_without_spaces")).notes
    assert "the last line left out: 'この資料の無断転載はできません。'" in notes


def test_a_day_whose_value_is_a_point_is_left_out_and_counted(case):
    prices = read_prices(case("fred_dot"))

    lines = case("fred_dot").read_text().splitlines()[1:]
    missing = sum(line.endswith(",.") for line in lines)
    assert missing > 5
    check_series(prices, B, days=320 - missing)
    assert 25 not in {day.day for day in prices.dates.tolist()}
    assert f"{missing} rows without Close dropped" in prices.notes


def test_a_japanese_file_is_read_in_one_of_the_encodings_that_its_message_proposes(case):
    error = refusal(case("nikkei_cp932_footer"))

    first = proposed_settings(str(error))[0]  # the likeliest
    assert first == "data.encoding=cp932"
    assert "データ日付" in str(error)
    prices = read_prices(case("nikkei_cp932_footer"), options=csv_options([first]))
    check_series(prices, B)
    assert set(prices.bars.columns) == {"Open", "High", "Low", "Close"}


def test_several_stocks_in_one_file_are_asked_about_by_their_names(case):
    error = refusal(case("long_format_Name"))

    assert (error.key, error.value) == ("data.ticker", "T1, T2, T3")
    assert proposed_settings(str(error)) == ["data.ticker=T1", "data.ticker=all"]
    every = [
        read_prices(table) for table in read_tables(case("long_format_Name"), options=csv_options(["data.ticker=all"]))
    ]
    assert [prices.name for prices in every] == ["T1", "T2", "T3"]
    lines = [line.split(",") for line in case("long_format_Name").read_text().splitlines()]
    for ticker, among in zip(("T1", "T2", "T3"), every, strict=True):
        expected = [float(cells[4]) for cells in lines if cells[-1] == ticker]
        assert among.quoted.tolist() == expected
        prices = read_prices(case("long_format_Name"), options=csv_options([f"data.ticker={ticker}"]))
        assert len(expected) == 300
        assert prices.quoted.tolist() == expected


def test_a_ticker_that_the_file_lacks_is_refused_with_the_one_it_has(case):
    error = refusal(case("ticker_setting_ignored"), ["data.ticker=XYZ"])
    assert (error.key, error.value) == ("data.ticker", "XYZ")
    assert "AAL" in str(error)


def test_a_stock_that_changed_its_symbol_is_joined_by_the_setting_that_the_message_prints(case):
    error = refusal(case("symbol_renamed"))

    first, _, joined = proposed_settings(str(error))
    assert (first, joined) == ("data.ticker=OLDNAME", 'data.ticker=["OLDNAME", "NEWNAME"]')
    read_prices(case("symbol_renamed"), options=csv_options([first]))
    check_series(read_prices(case("symbol_renamed"), options=csv_options([joined])), A)


def test_bars_within_the_day_become_daily_by_the_setting_that_the_message_prints(case):
    error = refusal(case("intraday_timestamp_lower"))

    (setting,) = proposed_settings(str(error))
    prices = read_prices(case("intraday_timestamp_lower"), options=csv_options([setting]))
    lines = [line.split(",") for line in case("intraday_timestamp_lower").read_text().splitlines()[1:]]
    last = {cells[0][:10]: float(cells[4]) for cells in lines}  # the later bar replaces the earlier
    assert len(last) == 200
    assert [str(day) for day in prices.dates] == list(last)
    assert prices.quoted.tolist() == list(last.values())


def test_of_a_last_day_that_occurs_twice_the_fuller_row_is_kept_and_noted(case):
    prices = read_prices(case("last_day_twice_other_volume"))

    assert (len(prices.dates), str(prices.dates[-1]), prices.quoted[-1]) == (340, "2024-12-31", 97.66)
    assert prices.column("Volume")[-1] == 4_363_888
    assert any(re.search("2024-12-31, occurs twice", note) for note in prices.notes)


@pytest.mark.parametrize("name", ["split_50to1_unflagged", "block_1000x_unflagged", "one_day_10000x_unflagged"])
def test_a_jump_that_no_market_makes_is_found_on_each_of_its_days(case, name):
    prices = read_prices(case(name))

    closes = prices.quoted
    factors = [max(after / before, before / after) for before, after in pairwise(closes.tolist())]
    jumps = [str(day) for day, factor in zip(prices.dates[1:], factors, strict=True) if factor > 20]
    assert 1 <= len(jumps) <= 4
    (finding,) = check_quality(prices, calendar="XNYS").findings
    assert finding.is_damage
    assert str(finding.days[0]) == jumps[0]
    assert f"{jumps[0]} (" in finding.sentence or f"from {jumps[0]} " in finding.sentence
