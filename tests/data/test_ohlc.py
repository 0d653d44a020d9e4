import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stockcast.data.ohlc import RecursiveInput, as_bars
from stockcast.data.scaler import Scaler
from stockcast.data.target import TargetTransform

OHLC = ("Open", "High", "Low", "Close")


def scaler(center: list[float], scale: list[float]) -> Scaler:
    return Scaler(np.array(center), np.array(scale), np.array(center))


def test_a_day_that_could_have_been_is_left_as_it_is():
    assert as_bars(np.array([[10.0, 12.0, 9.0, 11.0]]), OHLC).tolist() == [[10, 12, 9, 11]]


def test_where_forecasts_cross_the_range_gives_way_and_the_open_and_the_close_stay():
    crossed = np.array([[10.0, 9.0, 11.0, 12.0], [10.0, 8.0, 9.0, 8.5]])
    # The high below all others becomes the highest of them, the low above some the lowest: also the high is one.
    assert as_bars(crossed, OHLC).tolist() == [[10, 12, 9, 12], [10, 10, 8, 8.5]]
    assert crossed.tolist() == [[10, 9, 11, 12], [10, 8, 9, 8.5]]


def test_a_price_that_is_no_part_of_the_days_range_neither_moves_nor_moves_it():
    assert as_bars(np.array([99.0, 10.0, 11.0]), ("Adj Close", "High", "Close")).tolist() == [99, 11, 11]


def test_without_a_high_and_a_low_nothing_is_changed():
    assert as_bars(np.array([5.0, 1.0]), ("Open", "Close")).tolist() == [5, 1]


@pytest.mark.parametrize("columns", [OHLC, ("Close", "Low", "High"), ("Low", "Adj Close", "Close", "High", "Open")])
@given(data=st.data())
def test_whatever_is_forecast_the_low_is_lowest_and_the_high_is_highest(columns, data):
    prices = data.draw(
        arrays(np.float64, (3, 2, len(columns)), elements=st.floats(1e-300, 1e300) | st.sampled_from([1.0, 2.0]))
    )
    named = dict(zip(columns, np.moveaxis(as_bars(prices, columns), -1, 0), strict=True))
    before = dict(zip(columns, np.moveaxis(prices, -1, 0), strict=True))
    for inside in set(columns) & {"Open", "Close"}:
        assert (named["Low"] <= named[inside]).all()
        assert (named[inside] <= named["High"]).all()
    for kept in set(columns) - {"High", "Low"}:
        assert (named[kept] == before[kept]).all()


def test_every_input_is_fed_with_its_own_columns_forecast_in_the_inputs_own_unit():
    target = TargetTransform("price", scaler([100, 1000, 10, 500], [1, 10, 2, 5]), OHLC)
    feed = RecursiveInput(target, scaler([0, 500, 0], [1, 100, 2]), ("Close", "High", "Open"))
    # Outputs 1, 2, 3, -90 are an open of 101, a high of 1020, a low of 16, a close of 50.
    assert feed(np.array([[1.0, 2.0, 3.0, -90.0]])).tolist() == [[50, 5.2, 50.5]]


def test_what_is_fed_back_is_a_day_that_could_have_been():
    target = TargetTransform("price", scaler([0] * 4, [1] * 4), OHLC)
    feed = RecursiveInput(target, scaler([0] * 4, [1] * 4), OHLC)
    assert feed(np.array([[10.0, 9.0, 11.0, 12.0]])).tolist() == [[10, 12, 9, 12]]


def test_an_input_may_be_fed_from_the_close_that_it_is_the_same_as():
    target = TargetTransform("price", scaler([0, 0], [1, 1]), ("Open", "Close"))
    feed = RecursiveInput(target, scaler([0, 0, 0], [1, 1, 1]), ("Open", "Close", "Close"))
    assert feed(np.array([[3.0, 4.0]])).tolist() == [[3, 4, 4]]
