"""A column that knows the future is found; one that is known at its day's end is not."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made import REPOSITORY

from stockcast.data.csv.options import OwnColumn
from stockcast.data.known_columns import KnownColumns
from stockcast.data.known_days import find_upcoming
from stockcast.data.lookahead import Lookahead, find_lookahead
from stockcast.data.own_columns import OwnColumns
from stockcast.data.prices import Prices, read_prices

Column = Callable[[Prices], pd.Series]


@pytest.fixture(scope="module")
def sp500() -> Prices:
    return read_prices(REPOSITORY / "data" / "SP500.csv").until(pd.Timestamp("2010-12-31").date())


@pytest.fixture(scope="module")
def other() -> Prices:
    return read_prices(REPOSITORY / "data" / "GE.csv")


def find(prices: Prices, values: pd.Series) -> list[Lookahead]:
    own = OwnColumns((OwnColumn("X"),), values.reindex(prices.bars.index).to_frame("X"))
    return find_lookahead(replace(prices, own=own))


def returns(prices: Prices) -> pd.Series:
    return np.log(prices.bars["Close"]).diff()


def noise(prices: Prices, times: float) -> pd.Series:
    draws = np.random.default_rng(0).standard_normal(len(prices.bars))
    return pd.Series(times * returns(prices).std() * draws, index=prices.bars.index)


@pytest.mark.parametrize("ahead", [1, 5, 50])
def test_later_closes_are_found_by_how_much_later_with_their_days(ahead: int, sp500: Prices) -> None:
    (found,) = find(sp500, sp500.bars["Close"].shift(-ahead))
    assert (found.feature, found.ahead, found.correlation) == ("own:X", ahead, None)
    assert found.days > 0.95 * (len(sp500.dates) - ahead)
    assert (str(found.first), str(found.last)) == (str(sp500.dates[0]), str(sp500.dates[-1 - ahead]))


def test_forty_days_of_tomorrows_closes_among_todays_are_found(sp500: Prices) -> None:
    close = sp500.bars["Close"]
    values = close.where(np.arange(len(close)) < 2000, close.shift(-1))
    (found,) = find(sp500, values.where(np.arange(len(close)) < 2040, close))
    assert (found.ahead, found.days) == (1, 40)


LEAKS: dict[str, tuple[Column, int]] = {
    "tomorrow's return": (lambda prices: returns(prices).shift(-1), 1),
    "tomorrow's high": (lambda prices: prices.bars["High"].shift(-1), 1),
    "tomorrow's return with as much noise": (lambda prices: returns(prices).shift(-1) + noise(prices, 1), 1),
    "tomorrow's return with twice the noise": (lambda prices: returns(prices).shift(-1) + noise(prices, 2), 1),
    "whether tomorrow rises": (lambda prices: (returns(prices).shift(-1) > 0).astype(float), 1),
    "the return of the next ten days": (lambda prices: returns(prices).rolling(10).sum().shift(-10), 10),
    "a mean centred on the day": (lambda prices: prices.bars["Close"].rolling(21, center=True).mean(), 10),
    "the volatility of the next twenty days": (lambda prices: returns(prices).rolling(20).std().shift(-20), 20),
    "tomorrow's close, once a week": (lambda prices: prices.bars["Close"].shift(-1).iloc[::5], 1),
    "minus tomorrow's close": (lambda prices: -prices.bars["Close"].shift(-1), 1),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_what_later_prices_made_is_found(leak: str, sp500: Prices) -> None:
    make, ahead = LEAKS[leak]
    (found,) = find(sp500, make(sp500))
    assert found.ahead == ahead
    assert found.correlation is None or abs(found.correlation) > 0.3


KNOWN: dict[str, Column] = {
    "today's close": lambda prices: prices.bars["Close"],
    "today's return": returns,
    "today's high": lambda prices: prices.bars["High"],
    "volume": lambda prices: prices.bars["Volume"],
    "volatility of twenty days": lambda prices: returns(prices).rolling(20).std(),
    "a decaying volatility": lambda prices: (returns(prices) ** 2).ewm(alpha=0.06).mean() ** 0.5,
    "range of the day": lambda prices: np.log(prices.bars["High"] / prices.bars["Low"]),
    "mean of twenty days": lambda prices: prices.bars["Close"].rolling(20).mean(),
    "yesterday's close": lambda prices: prices.bars["Close"].shift(1),
    "noise": lambda prices: noise(prices, 1),
    "weekday": lambda prices: pd.Series(prices.bars.index.day_of_week.astype(float), index=prices.bars.index),
    "a step": lambda prices: pd.Series(np.arange(len(prices.bars)) > 500, index=prices.bars.index, dtype=float),
}


@pytest.mark.parametrize("days", [None, 1000, 300, 60])
@pytest.mark.parametrize("column", KNOWN)
def test_what_is_known_at_a_days_end_is_not_found(column: str, days: int | None, sp500: Prices) -> None:
    bars = sp500.bars.iloc[-(days or len(sp500.bars)) :]
    recent = replace(sp500, bars=bars, quoted=sp500.quoted[-len(bars) :])
    assert find(recent, KNOWN[column](recent)) == []


def test_what_chance_makes_of_half_a_year_is_not_found(sp500: Prices) -> None:
    recent = replace(sp500, bars=sp500.bars.iloc[-130:], quoted=sp500.quoted[-130:])
    random = np.random.default_rng(0)
    for _ in range(10):
        assert find(recent, pd.Series(random.standard_normal(130), index=recent.bars.index)) == []


def test_another_stock_of_the_same_days_does_not_know_the_future(sp500: Prices, other: Prices) -> None:
    assert find(sp500, other.bars["Close"]) == []
    assert find(sp500, returns(other)) == []


def test_a_copy_of_a_move_that_bounces_back_is_not_taken_for_tomorrows() -> None:
    """Prices that swing about a mean: today's move tells tomorrow's, to whoever knows today's."""
    days = pd.bdate_range("2010-01-04", periods=800)
    close = pd.Series(np.exp(0.02 * np.random.default_rng(0).standard_normal(800)) * 100, index=days)
    prices = Prices(source=REPOSITORY, bars=close.to_frame("Close"), quoted=close.to_numpy(), sha256="")
    moves = returns(prices)
    assert moves.corr(moves.shift(-1), method="spearman") < -0.4
    assert find(prices, moves) == []


@pytest.mark.parametrize("values", [[], [1.0] * 700, [np.nan] * 700])
def test_a_column_of_few_or_equal_values_knows_nothing(values: list[float], sp500: Prices) -> None:
    assert find(sp500, pd.Series(values, index=sp500.bars.index[: len(values)], dtype=float)) == []


def test_prices_without_own_columns_have_none_that_knows(sp500: Prices) -> None:
    assert find_lookahead(sp500) == []


# Columns that are known ahead.


def find_ahead(prices: Prices, values: pd.Series) -> list[Lookahead]:
    """What is found of a column by the values that its file dates on each day."""
    sessions = find_upcoming(prices.dates, calendar="XNYS").after()
    given = values.reindex(pd.DatetimeIndex(sessions)).set_axis(prices.bars.index).to_frame("X")
    return find_lookahead(
        replace(prices, known_columns=KnownColumns(("X",), given, sessions, Path("x.csv"), None, None))
    )


def is_set_where_it_moves_most(prices: Prices, *, one_in: int) -> pd.Series:
    """One on the day of the largest move of each so many days, as if nothing but this event moved the price."""
    size, groups = returns(prices).abs().fillna(0), np.arange(len(prices.bars)) // one_in
    return (size == size.groupby(groups).transform("max")).astype(float)


def test_a_schedule_of_large_moves_is_known_ahead_and_dated_on_its_session(sp500: Prices) -> None:
    assert find_ahead(sp500, is_set_where_it_moves_most(sp500, one_in=21)) == []
    assert find_ahead(sp500, pd.Series(sp500.bars.index.day_of_week == 2, index=sp500.bars.index).astype(float)) == []


def test_a_dividend_that_lowers_the_price_of_its_day_is_known_ahead(sp500: Prices) -> None:
    events = np.arange(len(sp500.bars)) % 63 == 0
    dividend = pd.Series(np.where(events, 0.005, 0.0), index=sp500.bars.index)
    close = sp500.bars["Close"] * np.exp(-dividend.cumsum())
    assert find_ahead(replace(sp500, bars=sp500.bars.assign(Close=close)), dividend) == []


@pytest.mark.parametrize("leak", ["close", "return", "direction", "surprise", "size"])
def test_what_the_price_of_the_session_itself_makes_was_not_announced(leak: str, sp500: Prices) -> None:
    moved = returns(sp500)
    values = {
        "close": sp500.bars["Close"],
        "return": moved,
        "direction": np.sign(moved),
        "surprise": moved + noise(sp500, 1),
        "size": moved.abs(),
    }[leak]
    (found,) = find_ahead(sp500, values)
    assert (found.feature, found.ahead) == ("known:X", 1)
    assert "own:X takes values as known at the end of the day" in found.sentence


def test_a_later_return_is_found_in_a_column_that_is_known_ahead(sp500: Prices) -> None:
    (found,) = find_ahead(sp500, returns(sp500).shift(-4))
    assert found.ahead == 5  # four sessions after the one that it is dated on
