"""Hand-made series with something suspicious, and real ones with nothing."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stockcast.data.calendar import sessions_around
from stockcast.data.prices import Prices, read_prices
from stockcast.data.quality import Finding, check_quality
from stockcast.errors import DataError

REPO = Path(__file__).parents[2]
STOCKS = REPO.parent / "shared" / "data"


def sessions(first: str, last: str, calendar: str = "XNYS") -> np.ndarray:
    span = np.datetime64(first), np.datetime64(last)
    return sessions_around(*span, calendar=calendar).between(*span)


def quiet_closes(days: int) -> np.ndarray:
    """A calm stock near 100: up and down by half a per cent in turn, rising a little so that no two are equal."""
    return 100 * (1 + 0.0025 * (-1.0) ** np.arange(days)) + 0.001 * np.arange(days)


def made(closes: np.ndarray, *, dates: np.ndarray | None = None, notes: tuple[str, ...] = (), **columns) -> Prices:
    """Prices of the sessions from 2018-01-02 on."""
    if dates is None:
        dates = sessions("2018-01-02", "2020-12-31")[: len(closes)]
    bars = pd.DataFrame({"Close": closes, **columns}, index=pd.DatetimeIndex(dates), dtype=np.float64)
    return Prices(source=Path("made.csv"), bars=bars, quoted=bars["Close"].to_numpy(), sha256="", notes=notes)


def with_bars(closes: np.ndarray, **options) -> Prices:
    """The same with open, high and low: every day opens at its close and moves half a per cent about it."""
    return made(closes, Open=closes, High=closes * 1.005, Low=closes * 0.995, **options)


def findings(prices: Prices, calendar: str = "XNYS") -> list[Finding]:
    return list(check_quality(prices, calendar=calendar).findings)


def only_finding(prices: Prices, calendar: str = "XNYS") -> Finding:
    (finding,) = findings(prices, calendar)
    return finding


# --- What is in order -------------------------------------------------------------------------------------------------


def test_a_file_in_order_has_its_rows_and_days_and_no_finding():
    report = check_quality(with_bars(quiet_closes(251)), calendar="XNYS")

    assert (report.rows, report.first, report.last) == (251, date(2018, 1, 2), date(2018, 12, 31))
    assert (report.findings, report.unjudged) == ((), None)


def test_a_single_day_is_judged_too():
    assert findings(made(np.array([100.0]))) == []


@pytest.mark.parametrize(
    ("stock", "expected"),
    [
        # Yahoo's old prices of McDonald's miss its splits of 1968 and 1969: whole bars at half the day before's.
        ("MCD", [("split_like", [date(1968, 5, 21), date(1969, 6, 13)])]),
        *((stock, []) for stock in ("BA", "CAT", "DIS", "GE", "IBM", "INTC", "JNJ", "KO", "MMM", "PG", "XOM")),
    ],
)
def test_sixty_years_of_a_real_stock_raise_no_false_alarm(stock, expected):
    if not STOCKS.is_dir():
        pytest.skip(f"the real stock files are not next to this checkout ({STOCKS})")

    assert [
        (finding.kind, list(finding.days)) for finding in findings(read_prices(STOCKS / f"{stock}.csv"))
    ] == expected


@pytest.mark.parametrize("path", sorted((REPO / "data").rglob("*.csv")), ids=lambda path: path.stem)
def test_the_series_that_ship_raise_no_false_alarm(path):
    # Range Resources was a stock for pennies in 1990: quoted the same for weeks, and once at a third.
    expected = ["split_like", "stale"] if path.stem == "RRC" else []

    assert [finding.kind for finding in findings(read_prices(path))] == expected


# --- The exchange's calendar ------------------------------------------------------------------------------------------


def test_ten_missing_sessions_are_listed_by_date():
    days = sessions("2018-01-02", "2018-12-31")
    gone = days[100:110]  # 2018-05-25 to 2018-06-08, without Memorial Day, 28 May

    finding = only_finding(made(quiet_closes(241), dates=np.delete(days, range(100, 110))))

    assert (finding.kind, finding.count) == ("sessions_missing", 10)
    assert finding.days == tuple(gone.tolist())
    assert finding.sentence == (
        "10 sessions of XNYS are missing: 2018-05-25, 2018-05-29, 2018-05-30, 2018-05-31, 2018-06-01, 2018-06-04, "
        "2018-06-05, 2018-06-06, 2018-06-07, 2018-06-08"
    )


def test_of_many_missing_sessions_the_first_ten_are_listed_and_the_rest_counted():
    days = sessions("2018-01-02", "2019-12-31")

    finding = only_finding(made(quiet_closes(len(days) - 12), dates=np.delete(days, range(100, 112))))

    assert (finding.count, len(finding.days)) == (12, 10)
    assert finding.sentence.endswith("2018-06-08 and 2 more")


def test_a_single_missing_session_is_in_the_singular():
    days = sessions("2018-01-02", "2018-12-31")

    assert only_finding(made(quiet_closes(250), dates=np.delete(days, 1))).sentence == (
        "1 session of XNYS is missing: 2018-01-03"
    )


def test_weekends_and_holidays_with_a_price_are_no_sessions():
    days = np.append(sessions("2018-01-02", "2018-07-31"), np.array(["2018-01-06", "2018-07-04"], "datetime64[D]"))

    finding = only_finding(made(quiet_closes(len(days)), dates=np.sort(days)))

    assert (finding.kind, finding.count) == ("no_session", 2)
    assert finding.sentence == "2 dates are not XNYS trading sessions: 2018-01-06, 2018-07-04"


def test_a_single_date_off_the_calendar_is_in_the_singular():
    days = np.append(sessions("2018-01-02", "2018-07-31"), np.datetime64("2018-07-04"))

    finding = only_finding(made(quiet_closes(len(days)), dates=np.sort(days)))

    assert (finding.kind, finding.count) == ("no_session", 1)
    assert finding.sentence == "1 date is not a trading session of XNYS: 2018-07-04"


def test_weekly_bars_put_the_exchange_in_doubt():
    finding = only_finding(
        made(quiet_closes(40), dates=np.arange("2018-01-04", "2018-10-12", 7, dtype="datetime64[D]")[:40])
    )

    assert finding.kind == "sessions_missing"
    assert finding.sentence.endswith("; check data.calendar, and that these are daily bars")


def test_another_exchange_has_other_holidays():
    prices = made(quiet_closes(250), dates=sessions("2018-01-02", "2018-12-28"))

    kinds = {finding.kind: finding.days for finding in findings(prices, "XLON")}

    assert date(2018, 5, 28) not in kinds["sessions_missing"]  # a holiday in both places
    assert date(2018, 7, 4) in kinds["sessions_missing"]
    assert date(2018, 12, 26) in kinds["no_session"]


def test_days_before_the_calendar_knows_holidays_are_not_judged_and_listed():
    # For exchange_calendars 1969-12-25 is a session: its holidays begin in 1970.
    days = np.array(["1969-12-24", "1969-12-26", "1970-01-02", "1970-01-05"], dtype="datetime64[D]")

    report = check_quality(made(quiet_closes(4), dates=days), calendar="XNYS")

    assert report.findings == ()
    assert report.unjudged == "dates before 1970-01-01, which the calendar of XNYS does not cover reliably"


def test_days_all_before_the_calendar_are_not_judged():
    days = np.array(["1990-01-04", "1990-01-06"], dtype="datetime64[D]")

    report = check_quality(made(quiet_closes(2), dates=days), calendar="XTKS")  # known from 1997 on

    assert report.findings == ()
    assert "from 1990-01-04 to 1990-01-06" in (report.unjudged or "")


def test_an_unknown_exchange_is_refused():
    with pytest.raises(DataError) as error:
        check_quality(made(quiet_closes(10)), calendar="XNYX")
    assert (error.value.key, error.value.value) == ("data.calendar", "XNYX")


# --- Splits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("factor", "ratio"),
    [(2, "2:1"), (3, "3:1"), (4, "4:1"), (1.5, "3:2"), (7, "7:1"), (20, "20:1"), (0.5, "1:2"), (0.1, "1:10")],
)
@pytest.mark.parametrize("make", [made, with_bars])
def test_a_split_that_prices_are_not_adjusted_for_is_named_with_its_day(make, factor, ratio):
    closes = quiet_closes(200)
    closes[120:] /= factor

    finding = only_finding(make(closes))

    assert (finding.kind, finding.count, finding.days) == ("split_like", 1, (date(2018, 6, 25),))
    assert finding.sentence == (f"1 jump looks like a split that the prices are not adjusted for: 2018-06-25 ({ratio})")


@pytest.mark.parametrize("factor", [6, 12, 25, 30, 50])
def test_a_split_of_any_whole_ratio_is_named_and_beyond_twenty_is_damage(factor):
    closes = quiet_closes(200)
    closes[120:] /= factor

    finding = only_finding(with_bars(closes))

    assert (finding.kind, finding.days) == ("split_like", (date(2018, 6, 25),))
    assert f"2018-06-25 ({factor}:1)" in finding.sentence
    assert finding.factors == pytest.approx([1 / factor], rel=0.01)
    assert finding.is_damage == (factor > 20)


@pytest.mark.parametrize("left", [0.8, 0.6, 0.3])
def test_a_crash_that_stays_is_no_split_where_no_ratio_fits(left):
    closes = quiet_closes(200)
    closes[120:] *= left

    assert findings(with_bars(closes, Volume=np.full(200, 1e6))) == []


def test_a_halving_on_ten_times_the_volume_is_news():
    closes = quiet_closes(200)
    closes[120:] /= 2
    volume = np.where(np.arange(200) == 120, 1e7, 1e6)

    assert findings(with_bars(closes, Volume=volume)) == []
    assert only_finding(with_bars(closes, Volume=np.full(200, 1e6))).kind == "split_like"


def test_a_split_in_the_quoted_prices_that_the_adjusted_ones_explain_is_none():
    closes = quiet_closes(200)
    quoted = closes * np.where(np.arange(200) < 120, 4, 1)

    assert findings(replace(made(closes), quoted=quoted)) == []


def test_a_crash_of_a_fifth_is_no_split():
    closes = quiet_closes(200)
    closes[120:] *= 0.8

    assert findings(made(closes)) == []


def test_a_fall_of_two_fifths_has_no_splits_ratio():
    closes = quiet_closes(200)
    closes[120:] *= 0.6

    assert findings(made(closes)) == []


def test_a_halving_with_an_aftermath_is_a_crash():
    closes = quiet_closes(200)
    closes[120:] /= 2
    closes[121:140] *= 1 + 0.05 * (-1.0) ** np.arange(19)

    assert findings(made(closes)) == []


def test_a_day_that_opens_at_the_old_level_and_halves_is_a_crash():
    closes = quiet_closes(200)
    closes[120:] /= 2
    prices = with_bars(closes)
    prices.bars.iloc[120, prices.bars.columns.get_loc("Open")] = 99.0
    prices.bars.iloc[120, prices.bars.columns.get_loc("High")] = 99.5

    assert findings(prices) == []


def test_a_price_that_doubled_over_a_long_gap_is_no_split():
    days = np.append(sessions("2015-01-02", "2015-06-30"), sessions("2018-01-02", "2018-06-29"))
    closes = quiet_closes(len(days))
    closes[124:] *= 2

    assert [finding.kind for finding in findings(made(closes, dates=days))] == ["sessions_missing"]


# --- Pounds and pence -------------------------------------------------------------------------------------------------


def test_a_block_in_pence_runs_from_its_first_day_to_the_jump_back():
    closes = quiet_closes(100)
    closes[20:25] *= 100

    finding = only_finding(made(closes))

    assert (finding.kind, finding.count, finding.days) == ("pence_block", 1, (date(2018, 1, 31),))
    assert finding.sentence == (
        "1 block of prices in another unit, such as pence for pounds: from 2018-01-31 to 2018-02-06, 100 times the "
        "price before"
    )


def test_a_block_in_pounds_is_a_hundredth():
    closes = quiet_closes(100)
    closes[20:25] /= 100

    assert "from 2018-01-31 to 2018-02-06, a hundredth of the price before" in only_finding(made(closes)).sentence


def test_two_blocks_are_two():
    closes = quiet_closes(100)
    closes[20:25] *= 100
    closes[60] *= 100

    assert only_finding(made(closes)).days == (date(2018, 1, 31), date(2018, 3, 29))


def test_a_change_of_unit_for_good_runs_on():
    closes = quiet_closes(100)
    closes[20:] *= 100

    assert only_finding(made(closes)).sentence.endswith("from 2018-01-31 on, 100 times the price before")


@pytest.mark.parametrize(("unit", "words"), [(1000, "1,000 times"), (0.001, "a thousandth of")])
def test_a_block_in_fils_is_found_with_its_factor(unit, words):
    closes = quiet_closes(100)
    closes[20:60] *= unit

    finding = only_finding(with_bars(closes))

    assert (finding.kind, finding.days, finding.is_damage) == ("pence_block", (date(2018, 1, 31),), True)
    assert finding.factors == pytest.approx([unit], rel=0.01)
    assert f"from 2018-01-31 to 2018-03-28, {words} the price before" in finding.sentence


# --- Spikes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [3.2, 10, 10_000, 1 / 3.2, 1 / 40])
@pytest.mark.parametrize("days", [1, 3])
def test_a_spike_that_comes_back_is_damage_with_day_and_factor(factor, days):
    closes = quiet_closes(100)
    closes[20 : 20 + days] *= factor

    finding = only_finding(with_bars(closes))

    assert (finding.kind, finding.count, finding.days) == ("spike", 1, (date(2018, 1, 31),))
    assert finding.factors == pytest.approx([factor], rel=0.01)
    assert finding.is_damage


def test_the_sentence_of_a_spike_has_its_days_and_factor():
    closes = quiet_closes(100)
    closes[20] *= 40
    closes[50:52] /= 40

    assert only_finding(made(closes)).sentence == (
        "2 spikes, after which prices come back: 2018-01-31 (40.2 times the price before), 2018-03-15 to 2018-03-16 "
        "(1/39.8 of the price before)"
    )


def test_a_low_far_off_its_bar_is_a_spike_of_that_column():
    prices = with_bars(quiet_closes(100))
    prices.bars.iloc[20, prices.bars.columns.get_loc("Low")] /= 100

    finding = only_finding(prices)

    assert (finding.kind, finding.days) == ("spike", (date(2018, 1, 31),))
    assert "2018-01-31 (Low, 1/101 of the close)" in finding.sentence  # a low half a per cent below: 0.995 / 100


def test_a_stock_that_doubles_on_news_and_gives_it_back_over_days_is_no_spike():
    closes = quiet_closes(100)
    closes[20:24] *= [2.1, 1.7, 1.4, 1.2]

    assert findings(with_bars(closes, Volume=np.where(np.arange(100) == 20, 2e7, 1e6))) == []


# --- The last day -----------------------------------------------------------------------------------------------------


def test_a_last_day_whose_session_is_open_is_reported_until_it_closes():
    prices = made(quiet_closes(100))  # to 2018-05-24, a Thursday: New York closes at 20:00 UTC in summer
    before, after = datetime(2018, 5, 24, 19, 59, tzinfo=UTC), datetime(2018, 5, 24, 20, 1, tzinfo=UTC)

    (finding,) = check_quality(prices, calendar="XNYS", now=before).findings

    assert (finding.kind, finding.days, finding.is_damage) == ("open_session", (date(2018, 5, 24),), False)
    assert "2018-05-24 20:00 UTC" in finding.sentence
    assert check_quality(prices, calendar="XNYS", now=after).findings == ()


# --- Repeats ----------------------------------------------------------------------------------------------------------


def test_five_equal_closes_are_stale_where_no_other_day_repeats():
    closes = quiet_closes(100)
    closes[20:25] = closes[20]

    finding = only_finding(made(closes))

    assert (finding.kind, finding.count, finding.days) == ("stale", 1, (date(2018, 1, 31),))
    assert finding.sentence == "1 run of 5 or more days with the same prices: from 2018-01-31 (5 days)"


def test_four_equal_closes_are_not_stale():
    closes = quiet_closes(100)
    closes[20:24] = closes[20]

    assert findings(made(closes)) == []


def test_equal_closes_within_bars_that_move_are_not_stale():
    closes = quiet_closes(100)
    closes[20:30] = closes[20]
    highs = closes * 1.005 + 0.01 * np.arange(100)

    assert findings(made(closes, High=highs)) == []


def test_bars_that_are_equal_are_stale():
    closes = quiet_closes(100)
    closes[20:26] = closes[20]

    assert "2018-01-31 (6 days)" in only_finding(with_bars(closes)).sentence


def test_five_equal_closes_are_chance_where_prices_move_in_eighths():
    closes = quiet_closes(200)
    closes[1::2] = closes[::2]  # every second day repeats the one before
    closes[20:25] = closes[20]

    assert findings(made(closes)) == []


def test_a_close_that_never_changes_is_constant_and_not_stale_too():
    finding = only_finding(made(np.full(50, 10.0)))

    assert (finding.kind, finding.count) == ("constant", 50)
    assert finding.sentence == "every close is 10, from 2018-01-02 to 2018-03-14"


# --- Missing cells ----------------------------------------------------------------------------------------------------


def test_missing_volumes_are_counted_and_dated():
    volume = np.full(100, 1000.0)
    volume[[1, 3]] = np.nan

    finding = only_finding(made(quiet_closes(100), Volume=volume))

    assert (finding.kind, finding.count) == ("missing", 2)
    assert finding.sentence == "Volume is missing on 2 days: 2018-01-03, 2018-01-05"


def test_volumes_of_zero_that_are_among_the_notes_are_no_finding():
    volume = np.full(100, 1000.0)
    volume[[1, 3]] = np.nan
    note = "2 rows with Volume of zero or less, counted as missing"

    assert findings(made(quiet_closes(100), Volume=volume, notes=(note,))) == []


def test_a_column_without_a_single_value_is_missing_on_every_day():
    finding = only_finding(made(quiet_closes(100), Volume=np.full(100, np.nan)))

    assert finding.sentence == "Volume is missing on every day"


def test_a_note_on_cells_that_are_not_missing_hides_no_finding():
    volume = np.full(100, 1000.0)
    volume[3] = np.nan
    note = "the last line left out: '7 Volume figures are estimates'"

    finding = only_finding(made(quiet_closes(100), Volume=volume, notes=(note,)))
    assert (finding.kind, finding.count) == ("missing", 1)
