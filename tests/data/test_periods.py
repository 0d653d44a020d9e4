"""Bars of weeks and months: which sessions date them, how they are made of days, and how vendors date theirs."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from proposed import proposed_settings

from stockcast.config.load import parse_config
from stockcast.config.schema import Config
from stockcast.data.bar_dates import date_on_sessions
from stockcast.data.calendar import compare_dates, sessions_after
from stockcast.data.periods import put_together, sessions_of
from stockcast.data.prices import Prices, read_prices
from stockcast.data.quality import check_quality
from stockcast.errors import DataError
from stockcast.forecasting.reading import read_with
from stockcast.frequency import DAILY, MONTHLY, WEEKLY, Frequency

SUNDAY_BEGINS = pd.Timedelta(days=7)
TOGETHER = {"Open": "first", "High": "max", "Low": "min", "Close": "last", "Volume": "sum"}


def after(day: str, count: int, frequency: Frequency, calendar: str = "XNYS") -> list[str]:
    return [
        str(last) for last in sessions_after(np.datetime64(day), count, calendar=calendar, frequency=frequency).tolist()
    ]


def session_bars(first: str = "1999-12-31", count: int = 1000, *, calendar: str = "XNYS") -> pd.DataFrame:
    """Bars of the sessions after a day, indexed by them."""
    dates = sessions_after(np.datetime64(first), count, calendar=calendar)
    random = np.random.default_rng(0)
    close = 100 * np.exp(np.cumsum(0.01 * random.standard_normal(count)))
    opened = close * np.exp(0.005 * random.standard_normal(count))
    return pd.DataFrame(
        {
            "Open": opened,
            "High": np.maximum(opened, close) * np.exp(0.01 * random.random(count)),
            "Low": np.minimum(opened, close) / np.exp(0.01 * random.random(count)),
            "Close": close,
            "Volume": random.integers(1_000, 2_000, count).astype(float),
        },
        index=pd.DatetimeIndex(dates, name="Date"),
    )


def prices_of(bars: pd.DataFrame) -> Prices:
    return Prices(Path("made.csv"), bars, bars["Close"].to_numpy(), "")


def weeks_of(prices: Prices, frequency: Frequency = WEEKLY, calendar: str = "XNYS") -> Prices:
    return put_together(prices, frequency, sessions_of(prices, frequency, calendar=calendar, known=None))


def config_of(path: Path, *settings: str) -> Config:
    return parse_config(f"name: x\ndata: {{path: {path}}}\n", source="x", folder=Path(), overrides=settings)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(bars: pd.DataFrame) -> Path:
        bars.to_csv(tmp_path / "bars.csv", index_label="Date")
        return tmp_path / "bars.csv"

    return write


GOOD_FRIDAY = ["2018-02-28", "2018-03-29", "2018-04-30"]
ON_WEEKENDS = ["2018-06-29", "2018-07-31", "2018-08-31", "2018-09-28"]


def test_weeks_and_months_are_numbered_in_order_and_monday_begins_a_week():
    days = np.array(["1969-12-28", "1969-12-29", "1970-01-01", "1970-01-04", "1970-01-05"], dtype="datetime64[D]")
    assert WEEKLY.periods(days).tolist() == [-1, 0, 0, 0, 1]  # Sunday; Monday, Thursday, Sunday; Monday
    assert MONTHLY.periods(days).tolist() == [-1, -1, 0, 0, 0]
    assert DAILY.periods(days).tolist() == [-4, -3, 0, 3, 4]
    assert list(map(str, WEEKLY.span(np.datetime64("1970-01-01")))) == ["1969-12-29", "1970-01-04"]
    assert list(map(str, MONTHLY.span(np.datetime64("2020-02-10")))) == ["2020-02-01", "2020-02-29"]


@pytest.mark.parametrize(
    ("day", "frequency", "calendar", "expected"),
    [
        pytest.param("2018-03-23", WEEKLY, "XNYS", ["2018-03-29", "2018-04-06"], id="Good Friday"),
        pytest.param("2018-03-21", WEEKLY, "XNYS", ["2018-03-29"], id="from a Wednesday"),
        pytest.param(
            "2020-12-18", WEEKLY, "XNYS", ["2020-12-24", "2020-12-31"], id="Christmas and New Year on Fridays"
        ),
        pytest.param("2001-09-07", WEEKLY, "XNYS", ["2001-09-10", "2001-09-21"], id="closed from a Tuesday on"),
        pytest.param("2019-09-27", WEEKLY, "XSHG", ["2019-09-30", "2019-10-11"], id="closed but for a Monday"),
        pytest.param("2019-04-26", WEEKLY, "XTKS", ["2019-05-10"], id="a week without a session"),
        pytest.param(
            "2018-01-31", MONTHLY, "XNYS", ["2018-02-28", "2018-03-29", "2018-04-30"], id="Good Friday 30 March"
        ),
        pytest.param(
            "2018-05-15", MONTHLY, "XNYS", ["2018-06-29", "2018-07-31", "2018-08-31", "2018-09-28"], id="weekends"
        ),
        pytest.param("2021-01-01", WEEKLY, "24/7", ["2021-01-10"], id="every day"),
    ],
)
def test_the_bars_ahead_are_dated_on_the_last_session_of_each_week_or_month(day, frequency, calendar, expected):
    assert after(day, len(expected), frequency, calendar) == expected


def test_a_calendar_that_ends_within_a_week_does_not_date_that_week():
    with pytest.raises(DataError) as error:
        sessions_after(np.datetime64("2200-12-12"), 5, calendar="XNYS", frequency=WEEKLY)
    assert (error.value.key, error.value.value) == ("--horizon", 5)
    assert "2 weeks after 2200-12-12 are known" in str(error.value)  # to 2200-12-19 and 12-26; 12-31 is a Wednesday


@pytest.mark.parametrize(("frequency", "rule"), [(WEEKLY, "W-SUN"), (MONTHLY, "ME")])
def test_days_put_together_are_what_pandas_makes_of_them(frequency, rule):
    bars = session_bars("1999-12-31", 1000)  # ends on 2003-12-23, a Tuesday
    made = weeks_of(prices_of(bars), frequency)
    expected = bars.resample(rule).agg(TOGETHER).iloc[:-1]
    np.testing.assert_array_equal(made.bars.to_numpy(), expected[list(made.bars.columns)].to_numpy())
    lasts = bars.index.to_series().resample(rule).last().iloc[:-1]
    assert made.dates.tolist() == lasts.dt.date.tolist()
    np.testing.assert_array_equal(made.quoted, expected["Close"])
    assert made.frequency is frequency


def test_a_week_with_a_split_and_a_dividend_is_put_together_of_adjusted_days(write):
    """Monday to Friday; 2:1 before Wednesday, a dividend of 1 % before Friday: by hand in the last day's unit."""
    bars = pd.DataFrame(
        {
            "Open": [100, 102, 52, 50, 51],
            "High": [104, 106, 53, 52, 52],
            "Low": [98, 101, 49, 48, 50],
            "Close": [102.0, 104, 50, 51, 51],
            "Adj Close": [102 * 0.495, 104 * 0.495, 50 * 0.99, 51 * 0.99, 51],
        },
        index=pd.DatetimeIndex(pd.bdate_range("2018-06-04", periods=5), name="Date"),
    )
    made = read_with(config_of(write(bars), "data.resample=1w"), write(bars))
    assert made.dates.astype(str).tolist() == ["2018-06-08"]
    row = made.bars.iloc[0]
    assert row["Open"] == pytest.approx(49.5)  # 100 x 0.495
    assert row["High"] == pytest.approx(52.47)  # of Tuesday 106 x 0.495 and Wednesday 53 x 0.99, both 52.47
    assert row["Low"] == pytest.approx(47.52)  # of Thursday, 48 x 0.99
    assert row["Close"] == 51
    assert made.quoted.tolist() == [51]


def test_a_missing_cell_is_left_out_of_its_week_and_a_missing_first_open_is_none():
    bars = session_bars("2017-12-31", 10)
    bars.loc["2018-01-02", "Open"] = np.nan  # the first session of its week
    bars.loc["2018-01-03", ["High", "Low", "Volume"]] = np.nan
    bars.loc["2018-01-08":"2018-01-12", "Volume"] = np.nan
    made = weeks_of(prices_of(bars)).bars
    first = bars[:"2018-01-05"]
    assert np.isnan(made["Open"].iloc[0])
    assert made["High"].iloc[0] == first["High"].max()
    assert made["Low"].iloc[0] == first["Low"].min()
    assert made["Volume"].iloc[0] == first["Volume"].sum()
    assert np.isnan(made["Volume"].iloc[1])


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        pytest.param("1999-01-04", "1999-01-15", ["1999-01-08", "1999-01-15"], id="whole weeks"),
        pytest.param("1999-01-05", "1999-01-21", ["1999-01-15"], id="Monday and Friday are missing"),
        pytest.param("2018-04-02", "2018-04-13", ["2018-04-06", "2018-04-13"], id="whole weeks again"),
        pytest.param("2018-03-19", "2018-03-29", ["2018-03-23", "2018-03-29"], id="no session after Thursday"),
        pytest.param("2018-01-02", "2018-01-11", ["2018-01-05"], id="no session before Tuesday"),
    ],
)
def test_a_week_whose_sessions_the_file_lacks_at_either_end_is_left_out(first, last, expected):
    bars = session_bars(str(np.datetime64(first) - 1), 30)[:last]
    made = weeks_of(prices_of(bars))
    assert made.dates.astype(str).tolist() == expected
    (note,) = made.notes
    assert f"put together into {len(bars.resample('W').size())} weeks" in note
    assert note.count("left out") == len(bars.resample("W").size()) - len(expected)


def test_a_file_of_less_than_a_week_is_refused(write):
    path = write(session_bars("2018-06-04", 3))  # Tuesday to Thursday
    with pytest.raises(DataError) as error:
        read_with(config_of(path, "data.resample=1w"), path)
    assert (error.value.file, error.value.key) == (str(path), "data.resample")


def test_bars_within_the_day_become_weeks_by_way_of_days(write):
    hours = pd.DataFrame(
        {"Close": np.arange(40.0) + 1},
        index=[
            f"{day:%Y-%m-%d} {hour}:00" for day in pd.bdate_range("2018-06-04", periods=10) for hour in range(10, 14)
        ],
    )
    made = read_with(config_of(write(hours), "data.resample=1w"), write(hours))
    assert made.quoted.tolist() == [20, 40]


# --- bars that a vendor made

CONVENTIONS = {
    "Yahoo: Monday": ("W-SUN", lambda weeks, lasts: weeks - pd.Timedelta(days=6), ()),
    "Stooq: last session": ("W-SUN", lambda weeks, lasts: lasts, ()),
    "pandas W-FRI": ("W-FRI", lambda weeks, lasts: weeks, ()),
    "pandas W": ("W-SUN", lambda weeks, lasts: weeks, ("data.bar_date=end",)),
    "Investing.com": ("W-SUN", lambda weeks, lasts: weeks - SUNDAY_BEGINS, ("data.bar_date=start",)),
    "first of the month": ("ME", lambda months, lasts: months.to_period("M").to_timestamp(), ()),
    "last of the month": ("ME", lambda months, lasts: months, ()),
    "last session of the month": ("ME", lambda months, lasts: lasts, ()),
}


def vendor_bars(convention: str, bars: pd.DataFrame) -> pd.DataFrame:
    """Bars put together by pandas, without the last, dated as a vendor does."""
    rule, dated, _ = CONVENTIONS[convention]
    made = bars.resample(rule).agg(TOGETHER).iloc[:-1]
    lasts = pd.DatetimeIndex(bars.index.to_series().resample(rule).last().iloc[:-1])
    return made.set_axis(dated(made.index, lasts), axis="index")


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_a_vendors_bars_are_the_same_bars_on_the_same_dates_whatever_it_dates_them_on(convention, write):
    bars = session_bars("1999-12-31", 1000)
    frequency = MONTHLY if "month" in convention else WEEKLY
    path = write(vendor_bars(convention, bars))
    settings = CONVENTIONS[convention][2] or (f"data.frequency={frequency.name}",)
    read = read_with(config_of(path, *settings), path)
    expected = weeks_of(prices_of(bars), frequency)
    assert read.dates.tolist() == expected.dates.tolist()
    np.testing.assert_allclose(read.bars.to_numpy(), expected.bars.to_numpy(), rtol=1e-12)
    assert read.frequency is frequency


def test_start_and_end_cut_by_the_dates_that_bars_have_in_the_program(write):
    path = write(vendor_bars("Yahoo: Monday", session_bars()))  # the week of 2000-12-25 ends on the 29th
    read = read_with(config_of(path, "data.frequency=weekly", "data.start=2000-02-02", "data.end=2000-12-28"), path)
    assert (str(read.dates[0]), str(read.dates[-1])) == ("2000-02-04", "2000-12-22")
    full = read_with(config_of(path, "data.frequency=weekly"), path)
    assert read.later == len(full.dates) - int(np.searchsorted(full.dates, np.datetime64("2000-12-22"))) - 1


def test_sundays_may_begin_or_end_a_week_and_each_printed_setting_reads_the_file_so(write):
    bars = session_bars()
    path = write(vendor_bars("pandas W", bars))
    with pytest.raises(DataError) as error:
        read_with(config_of(path, "data.frequency=weekly"), path)
    assert (error.value.key, error.value.value) == ("data.bar_date", "2000-01-09")
    start, end = proposed_settings(str(error.value))
    assert read_with(config_of(path, end), path).dates.tolist() == weeks_of(prices_of(bars)).dates.tolist()
    assert str(read_with(config_of(path, start), path).dates[0]) == "2000-01-14"  # the week after 2000-01-09


@pytest.mark.parametrize("convention", ["pandas W", "Investing.com"])
def test_a_week_without_a_session_shows_what_sundays_are(convention, write):
    bars = session_bars("2019-01-06", 203, calendar="XTKS")  # none from 2019-04-29 to 05-03
    made = vendor_bars(convention, bars).dropna()
    path = write(made)
    read = read_with(config_of(path, "data.frequency=weekly", "data.calendar=XTKS"), path)
    assert read.dates.tolist() == weeks_of(prices_of(bars), calendar="XTKS").dates.tolist()


def test_sundays_that_begin_weeks_are_refused_where_the_exchange_trades_on_them(write):
    path = write(vendor_bars("Investing.com", session_bars("2017-12-31", 200, calendar="24/7")))
    with pytest.raises(DataError) as error:
        read_with(config_of(path, "data.bar_date=start", "data.calendar=24/7"), path)
    assert (error.value.key, error.value.value) == ("data.bar_date", "start")


def test_a_session_on_a_sunday_now_and_then_does_not_keep_sundays_from_beginning_weeks(write):
    bars = session_bars("2001-01-08", 800, calendar="XMOS")
    assert (bars.index.day_of_week == 6).any()  # 2001-03-11, a working weekend
    path = write(vendor_bars("Investing.com", bars).dropna())
    read = read_with(config_of(path, "data.bar_date=start", "data.calendar=XMOS"), path)
    whole = weeks_of(prices_of(bars), calendar="XMOS").dates.tolist()
    assert read.dates.tolist() == whole[: len(read.dates)]


def test_dates_within_weeks_are_refused(write):
    made = vendor_bars("Yahoo: Monday", session_bars())
    path = write(made.set_axis(made.index + pd.Timedelta(days=2), axis="index"))
    with pytest.raises(DataError, match="neither begin nor end their week") as error:
        read_with(config_of(path, "data.frequency=weekly"), path)
    assert (error.value.column, error.value.key) == ("Date", "data.frequency")


def test_the_row_that_yahoo_adds_to_the_last_week_is_no_bar(write):
    bars = session_bars()
    made = vendor_bars("Yahoo: Monday", bars)
    extra = bars.loc[[weeks_of(prices_of(bars)).bars.index[-1]]]  # the last session of that week, with its close
    read = read_with(config_of(write(made), "data.frequency=weekly"), write(made))
    path = write(pd.concat([made, extra]))
    again = read_with(config_of(path, "data.frequency=weekly"), path)
    pd.testing.assert_frame_equal(again.bars, read.bars)
    assert any("occurs twice with the same close" in note for note in again.notes)


def test_the_row_that_yahoo_adds_within_the_last_week_shows_that_it_was_not_over(write):
    bars = session_bars()
    made = vendor_bars("Yahoo: Monday", bars)
    wednesday = made.iloc[[-1]].set_axis(made.index[[-1]] + pd.Timedelta(days=2))
    read = read_with(config_of(write(made), "data.frequency=weekly"), write(made))
    path = write(pd.concat([made, wednesday]))
    again = read_with(config_of(path, "data.frequency=weekly"), path)
    pd.testing.assert_frame_equal(again.bars, read.bars.iloc[:-1])


def test_two_bars_of_a_week_are_refused(write):
    made = vendor_bars("Yahoo: Monday", session_bars())
    path = write(pd.concat([made, made.iloc[[20]].set_axis(made.index[[20]] + pd.Timedelta(days=4))]))
    with pytest.raises(DataError) as error:
        read_with(config_of(path, "data.frequency=weekly"), path)
    assert (error.value.key, error.value.value) == ("data.frequency", str((made.index[20]).date() + timedelta(days=4)))


@pytest.mark.parametrize(
    ("moment", "is_over"),
    [("2018-06-06 15:00", False), ("2018-06-08 19:59", False), ("2018-06-08 20:00", True), ("2018-06-20 12:00", True)],
)
def test_the_running_week_is_left_out_until_its_last_session_closes(moment, is_over):
    """The week from 2018-06-04 has its last session on Friday, to 16:00 in New York, 20:00 UTC."""
    mondays = pd.date_range("2018-01-01", "2018-06-04", freq="7D", name="Date")
    prices = prices_of(pd.DataFrame({"Close": np.arange(len(mondays)) + 100.0}, index=mondays))
    sessions = sessions_of(prices, WEEKLY, calendar="XNYS", known=None)
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    read = date_on_sessions(prices, WEEKLY, sessions, bar_date=None, calendar="XNYS", now=now)
    assert str(read.dates[-1]) == ("2018-06-08" if is_over else "2018-06-01")
    assert any("it is not over: the bar of 2018-06-04" in note for note in read.notes) is not is_over
    assert len(read.quoted) == len(read.bars)


def test_of_bars_on_last_sessions_one_before_its_last_session_is_of_a_week_that_was_not_over(write):
    made = vendor_bars("Stooq: last session", session_bars())
    last = made.index[-1]
    path = write(made.set_axis([*made.index[:-1], last - pd.Timedelta(days=2)], axis="index"))
    read = read_with(config_of(path, "data.frequency=weekly"), path)
    assert read.dates[-1] == np.datetime64(made.index[-2], "D")


def test_a_running_week_may_be_dated_on_its_sunday_to_come_and_no_other_bar_on_a_later_day(write):
    sunday = date.today() + timedelta(days=6 - date.today().weekday())
    dates = pd.date_range(end=sunday, periods=30, freq="7D")
    bars = pd.DataFrame({"Close": np.arange(30.0) + 100}, index=dates)
    path = write(bars)
    read = read_with(config_of(path, "data.bar_date=end"), path)
    assert len(read.dates) in (29, 30)  # 30 once Friday's session has closed
    path = write(bars.set_axis(dates + pd.Timedelta(days=7), axis="index"))
    with pytest.raises(DataError, match="lies in the future"):
        read_with(config_of(path, "data.bar_date=end"), path)


def test_a_running_month_that_is_read_as_days_is_refused_with_the_key_that_takes_it(write):
    ends = pd.date_range(end=MONTHLY.span(np.datetime64(date.today()))[1], periods=30, freq="ME")
    path = write(pd.DataFrame({"Close": np.arange(30.0) + 100}, index=ends))
    if ends[-1].date() > date.today():  # not on the last day of a month
        with pytest.raises(DataError, match=r"set data\.frequency"):
            read_with(config_of(path), path)
    read = read_with(config_of(path, "data.frequency=monthly"), path)
    assert len(read.dates) in (29, 30)  # 30 once the last session has closed


# --- what the dates are against what is stated

STATED = {
    "daily": ("data.frequency=weekly", "data.frequency=monthly"),
    "weekly": ("data.frequency=daily", "data.frequency=monthly", "data.resample=1w", "data.resample=1mo"),
    "monthly": ("data.frequency=daily", "data.frequency=weekly", "data.resample=1w"),
}


@pytest.mark.parametrize(("kind", "stated"), [(kind, stated) for kind, all_of in STATED.items() for stated in all_of])
def test_a_frequency_that_contradicts_the_dates_is_refused_with_settings_that_read_the_file(kind, stated, write):
    bars = session_bars()
    files = {
        "daily": lambda: bars,
        "weekly": lambda: vendor_bars("Yahoo: Monday", bars),
        "monthly": lambda: vendor_bars("first of the month", bars),
    }
    path = write(files[kind]())
    with pytest.raises(DataError) as error:
        read_with(config_of(path, stated), path)
    key = "data.frequency" if kind != "daily" and "frequency" in stated else "data.resample"
    assert (error.value.file, error.value.column, error.value.key, error.value.value) == (str(path), "Date", key, kind)
    settings = proposed_settings(str(error.value))
    assert settings
    read = read_with(config_of(path, *settings), path)
    made_of = {"data.frequency=weekly": WEEKLY, "data.frequency=monthly": MONTHLY}
    assert read.frequency is (made_of[stated] if kind == "daily" else {"weekly": WEEKLY, "monthly": MONTHLY}[kind])


def test_bars_of_every_ten_days_are_refused(write):
    bars = pd.DataFrame({"Close": np.arange(30.0) + 1}, index=pd.date_range("2018-01-01", periods=30, freq="10D"))
    with pytest.raises(DataError) as error:
        read_with(config_of(write(bars)), write(bars))
    assert (error.value.column, error.value.value) == ("Date", 10)


# --- what looks odd


def test_missing_weeks_are_reported_by_the_dates_that_their_bars_would_have():
    weeks = weeks_of(prices_of(session_bars()))
    gone = weeks.dates[[10, 20]]
    kept = np.delete(np.arange(len(weeks.dates)), [10, 20])
    lacking = Prices(Path("made.csv"), weeks.bars.iloc[kept], weeks.quoted[kept], "", frequency=WEEKLY)
    (finding,) = check_quality(lacking, calendar="XNYS").findings
    assert finding.kind == "sessions_missing"
    assert finding.sentence == f"2 weeks of XNYS are missing: {gone[0]}, {gone[1]}"
    assert check_quality(weeks, calendar="XNYS").findings == ()


def test_monthly_dates_are_compared_with_the_last_sessions_of_months():
    months = weeks_of(prices_of(session_bars()), MONTHLY)
    compared = compare_dates(months.dates, calendar="XNYS", frequency=MONTHLY)
    assert (len(compared.extra), len(compared.missing)) == (0, 0)


def test_stale_weeks_are_counted_in_weeks():
    weeks = weeks_of(prices_of(session_bars()))
    bars = weeks.bars.copy()
    bars.iloc[50:57] = bars.iloc[50].to_numpy()
    stale = Prices(Path("made.csv"), bars, bars["Close"].to_numpy(), "", frequency=WEEKLY)
    (finding,) = check_quality(stale, calendar="XNYS").findings
    assert finding.sentence == f"1 run of 5 or more weeks with the same prices: from {weeks.dates[50]} (7 weeks)"


def test_a_daily_file_is_read_as_it_was(write):
    bars = session_bars()
    path = write(bars)
    read, plain = read_with(config_of(path), path), read_prices(path)
    pd.testing.assert_frame_equal(read.bars, plain.bars)
    assert (read.frequency, read.notes) == (DAILY, plain.notes)
