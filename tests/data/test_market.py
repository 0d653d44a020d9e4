import numpy as np
import pytest

from stockcast.data.features import FEATURES, MARKET, make_features, make_market
from stockcast.data.market import Market, average

NAN = float("nan")


def days(*numbers: int) -> np.ndarray:
    """Days of January 2020."""
    return np.array([f"2020-01-{number:02d}" for number in numbers], dtype="datetime64[D]")


# Three series; the second lacks the 3rd, the third begins on the 3rd and has no value on the 6th.
SERIES = [
    (days(2, 3, 6), np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])),
    (days(2, 6), np.array([[5.0, 50.0], [7.0, 70.0]])),
    (days(3, 6), np.array([[4.0, NAN], [NAN, NAN]])),
]


@pytest.fixture
def market() -> Market:
    return average(("a", "b"), SERIES)


def test_the_mean_of_a_day_is_over_the_series_that_have_a_value_on_it(market):
    assert market.dates.tolist() == days(2, 3, 6).tolist()
    # (1 + 5) / 2, (2 + 4) / 2, (3 + 7) / 2
    assert market.on(days(2, 3, 6), "a").tolist() == [3.0, 3.0, 5.0]
    # (10 + 50) / 2, 20 alone, (30 + 70) / 2
    assert market.on(days(2, 3, 6), "b").tolist() == [30.0, 20.0, 50.0]
    assert (market.present.tolist(), market.series) == ([2, 2, 3], 3)


def test_a_holiday_has_the_value_of_the_day_before_for_a_week_and_no_longer(market):
    dates = days(1, 4, 5, 13, 14)
    assert market.on(dates, "a").tolist() == pytest.approx([NAN, 3.0, 3.0, 5.0, NAN], nan_ok=True)
    assert [market.present_on(day) for day in dates] == [0, 2, 2, 3, 0]


def test_a_day_on_which_no_series_has_a_value_has_none():
    market = average(("a",), [(days(2, 3), np.array([[NAN], [1.0]])), (days(2), np.array([[NAN]]))])
    assert market.on(days(2, 3), "a").tolist() == pytest.approx([NAN, 1.0], nan_ok=True)


def test_a_market_feature_is_the_mean_of_each_series_own_feature(make_prices):
    first, second = (make_prices({"Close": closes}) for closes in ([100, 110, 99, 99], [50, 50, 60, 45]))
    names = ("market_return_in_volatility", "volatility_ratio_5", "market_volatility_ratio_5")
    market = make_market([first, second], names)
    seen = make_features(first, names, market)

    own = [make_features(prices, ("return_in_volatility", "volatility_ratio_5")) for prices in (first, second)]
    assert seen[1:, 0] == pytest.approx(((own[0] + own[1]) / 2)[1:, 0])
    assert seen[:, 1] == pytest.approx(own[0][:, 1], nan_ok=True)
    assert seen[:, 2] == pytest.approx(((own[0] + own[1]) / 2)[:, 1], nan_ok=True)


@pytest.mark.parametrize("name", MARKET)
def test_the_market_of_one_series_is_that_series(make_prices, name):
    prices = make_prices({"Close": 100 * np.exp(np.cumsum(np.random.default_rng(5).normal(0, 0.01, 300)))})
    alone = make_features(prices, (name,), make_market([prices], (name,)))
    assert alone == pytest.approx(make_features(prices, (name.removeprefix("market_"),)), nan_ok=True)


def test_rows_that_come_later_change_no_bit_of_the_market_before(make_prices):
    random = np.random.default_rng(6)
    closes = [100 * np.exp(np.cumsum(random.normal(0, 0.01, 120))) for _ in range(3)]
    names = tuple(MARKET)
    whole = make_market([make_prices({"Close": series}) for series in closes], names)
    dates = make_prices({"Close": closes[0]}).dates
    for day in (1, 40, 118):
        wild = [np.concatenate([series[: day + 1], random.uniform(1, 1e6, 119 - day)]) for series in closes]
        for others in (wild, [series[: day + 1] for series in closes]):
            again = make_market([make_prices({"Close": series}) for series in others], names)
            for name in whole.means:
                known = dates[: day + 1]
                assert again.on(known, name).tobytes() == whole.on(known, name).tobytes()


def test_only_what_is_asked_for_is_averaged_and_nothing_where_nothing_is(make_prices):
    prices = make_prices({"Close": [10.0, 11.0, 12.0]})
    assert make_market([prices], ("log_return", "momentum_5")) is None
    assert list(make_market([prices], ("market_momentum_5", "momentum_20")).means) == ["momentum_5"]


def test_a_market_feature_without_a_market_is_a_mistake_of_the_caller(make_prices):
    with pytest.raises(ValueError, match="market_momentum_5"):
        make_features(make_prices({"Close": [10.0, 11.0]}), ("market_momentum_5",))


def test_any_price_file_allows_every_market_feature():
    assert {FEATURES[name].needs for name in MARKET} == {("Close",)}
