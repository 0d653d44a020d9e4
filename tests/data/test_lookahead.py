"""A column that knows the future is found; one that is known at its day's end is not."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from made import REPOSITORY

from stockcast.data.csv.options import OwnColumn
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
    assert (found.name, found.ahead, found.correlation) == ("X", ahead, None)
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
