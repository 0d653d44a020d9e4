import numpy as np
import pytest

from stockcast.data.csv.names import COLUMNS
from stockcast.data.features import FEATURES, MARKET, SCALE_FREE, features_for, make_features
from stockcast.data.prices import Prices
from stockcast.data.volatility import daily_variance, volatility
from stockcast.errors import MissingColumns

NAN = float("nan")

OWN = [name for name in FEATURES if name not in MARKET]  # those of a market: test_market.py

FULL = {
    "Open": [10, 11, 12, 13],
    "High": [11, 12, 13, 14],
    "Low": [9, 10, 11, 12],
    "Close": [10.5, 11.5, 11.5, 13.5],
    "Adj Close": [10.5, 11.5, 11.5, 13.5],
    "Volume": [100, 200, 300, 400],
}

# Three days: up a tenth, then down by half; the third has no open.
THREE_DAYS = {
    "Open": [100, 100, NAN],
    "High": [110, 121, 100],
    "Low": [80, 88, 50],
    "Close": [100, 110, 55],
    "Adj Close": [50, 55, 27.5],
    "Volume": [100, 300, 200],
}

LN_11 = 0.0953101798043249  # log of 1.1
LN_HALF = -0.6931471805599453


@pytest.fixture
def three_days(make_prices) -> Prices:
    return make_prices(THREE_DAYS)


def feature(prices: Prices, name: str) -> list[float]:
    return make_features(prices, (name,))[:, 0].tolist()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # 110 / 100, then 55 / 110
        ("log_return", [NAN, LN_11, LN_HALF]),
        ("abs_return", [NAN, LN_11, -LN_HALF]),
        # day 2: the one return, ln 0.0953101798; day 3: variance (0.4804530139 + 0.94 x 0.0090840304) / 1.94
        # = 0.2520577328, deviation 0.5020535163, ln = -0.6890485588
        ("log_volatility", [NAN, -2.3506186555, -0.6890485588]),
        # 110 / 100; 110 / 100; no open
        ("open_to_close", [0.0, LN_11, NAN]),
        # high over the body's top: 110 / 100, 121 / 110
        ("upper_shadow", [LN_11, LN_11, NAN]),
        # the body's bottom over the low: 100 / 80 = 1.25, 100 / 88 = 1.13636
        ("lower_shadow", [0.2231435513, 0.1278333715, NAN]),
        # 100 / 100; 300 / mean(100, 300) = 1.5; 200 / mean(100, 300, 200) = 1
        ("volume_ratio", [0.0, 0.4054651081, 0.0]),
    ],
)
def test_a_feature_equals_its_value_by_hand(three_days, name, expected):
    assert feature(three_days, name) == pytest.approx(expected, abs=1e-10, nan_ok=True)


def test_the_log_range_is_parkinsons_volatility_of_the_day(make_prices):
    prices = make_prices({"High": [110, 121, 100], "Low": [100, 88, 50], "Close": [105, 100, 60]})

    # sqrt(ln(H/L)^2 / (4 ln 2)): 0.0953101798^2 / 2.7725887222 = 0.0032763714, its root 0.0572395964; the others alike
    assert np.exp(feature(prices, "log_range")) == pytest.approx([0.0572395964, 0.1912509563, 0.4162773056], rel=1e-9)


def test_volume_is_compared_with_the_mean_of_the_last_twenty_days(make_prices):
    volumes = [1000.0] + [100.0] * 20
    ratios = feature(make_prices({"Close": [10.0] * 21, "Volume": volumes}), "volume_ratio")

    # day 20 still sees the 1,000: mean (1000 + 19 x 100) / 20 = 145, ln(100 / 145); on day 21 it has left
    assert ratios[19] == pytest.approx(-0.3715635564, abs=1e-10)
    assert ratios[20] == pytest.approx(0.0, abs=1e-12)


def test_yesterdays_variance_weighs_94_hundredths_of_todays(make_prices):
    # one big move, then none: the variance falls by 0.94 a day once the start has faded
    closes = [100.0] * 400 + [110.0] * 300
    volatility = np.exp(feature(make_prices({"Close": closes}), "log_volatility"))

    assert (volatility[-1] / volatility[-2]) ** 2 == pytest.approx(0.94, rel=1e-9)


def test_a_feature_by_a_columns_name_is_that_column(three_days):
    for column in COLUMNS:
        assert feature(three_days, column) == pytest.approx(THREE_DAYS[column], nan_ok=True)


def test_a_day_without_an_open_lacks_the_features_of_the_open_and_no_other(three_days):
    last_day = dict(zip(OWN, make_features(three_days, tuple(OWN))[-1], strict=True))

    assert {name for name, value in last_day.items() if np.isnan(value)} == {
        "open_to_close",
        "upper_shadow",
        "lower_shadow",
        "open_to_close_in_volatility",
        "gap_in_volatility",
        "volatility_of_volatility",  # three days have no deviation of changes yet
        "Open",
    }


def test_a_day_without_range_has_no_log_range_rather_than_an_infinite_one(make_prices):
    prices = make_prices({"High": [10, 11], "Low": [10, 10], "Close": [10, 10]})

    assert np.isnan(feature(prices, "log_range")).tolist() == [True, False]


def test_days_that_never_moved_have_no_log_volatility_rather_than_an_infinite_one(make_prices):
    assert np.isnan(feature(make_prices({"Close": [10, 10, 10]}), "log_volatility")).all()


def test_columns_come_in_the_order_asked_for(three_days):
    both = make_features(three_days, ("abs_return", "Close"))

    assert both.shape == (3, 2)
    assert both.dtype == np.float64
    assert both[2].tolist() == [pytest.approx(-LN_HALF), 55.0]


def random_bars(days: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Bars with the holes that real files have."""
    closes = 100 * np.exp(np.cumsum(rng.normal(0, 0.02, days)))
    opens = closes * np.exp(rng.normal(0, 0.01, days))
    bars = {
        "Open": opens,
        "High": np.maximum(opens, closes) * np.exp(rng.exponential(0.01, days)),
        "Low": np.minimum(opens, closes) * np.exp(-rng.exponential(0.01, days)),
        "Close": closes,
        "Adj Close": closes / 2,
        "Volume": rng.integers(1, 1000, days).astype(np.float64),
    }
    for column in ("Open", "High", "Low", "Volume"):
        bars[column][rng.random(days) < 0.2] = NAN
    return bars


@pytest.mark.parametrize("name", OWN)
def test_no_feature_ever_uses_a_later_row(make_prices, name):
    rng = np.random.default_rng(7)
    bars = random_bars(120, rng)
    computed = make_features(make_prices(bars), (name,))
    for day in (0, 1, *rng.integers(2, 119, 10)):
        nonsense = {
            column: np.concatenate([values[: day + 1], rng.uniform(1, 1e9, 119 - day)])
            for column, values in bars.items()
        }
        known = {column: values[: day + 1] for column, values in bars.items()}

        expected = computed[: day + 1].tobytes()  # bit for bit, so that no rounding hides a leak
        assert make_features(make_prices(nonsense), (name,))[: day + 1].tobytes() == expected
        assert make_features(make_prices(known), (name,)).tobytes() == expected


def test_features_of_a_file_that_lacks_their_columns_are_refused_with_all_that_is_lacking(make_prices):
    with pytest.raises(MissingColumns) as error:
        make_features(make_prices({"Close": [10, 11]}), ("log_return", "log_range", "volume_ratio"))
    assert (error.value.column, error.value.value) == ("High", "High, Low, Volume")


def test_a_file_of_closes_allows_the_features_of_closes(make_prices):
    prices = make_prices({"Close": [10, 11, 12]})
    names = features_for(prices)

    assert {FEATURES[name].needs for name in names} == {("Close",)}
    assert make_features(prices, names).shape == (3, len(names))


def test_a_full_file_allows_every_scale_free_feature(make_prices):
    bars = random_bars(300, np.random.default_rng(3))
    assert set(features_for(make_prices(bars))) == set(SCALE_FREE)


def test_what_has_no_value_on_any_day_is_left_out(make_prices):
    still = make_prices({"Close": [10.0] * 300})
    assert not {"downside_5", "downside_17", "downside_67"} & set(features_for(still))  # no move, so no share of falls


def test_a_file_without_an_open_allows_no_feature_of_the_open(make_prices):
    prices = make_prices({name: FULL[name] for name in ("Close", "High", "Low")})
    assert not any("Open" in FEATURES[name].needs for name in features_for(prices))


@pytest.mark.parametrize("name", SCALE_FREE)
def test_a_scale_free_feature_does_not_change_with_the_price_level_or_the_currency(make_prices, name):
    bars = random_bars(150, np.random.default_rng(3))
    dearer = {column: values * (1 if column == "Volume" else 64.0) for column, values in bars.items()}

    expected = make_features(make_prices(bars), (name,))
    assert make_features(make_prices(dearer), (name,)) == pytest.approx(expected, nan_ok=True, abs=1e-9)


@pytest.mark.parametrize("name", sorted(set(SCALE_FREE) - {"volume_ratio", "volume_trend"}))
def test_a_scale_free_feature_is_the_same_for_a_calm_stock_and_a_wild_one(make_prices, name):
    rng = np.random.default_rng(4)
    returns, inside = rng.normal(0, 0.01, 300), np.sort(rng.normal(0, 0.004, (300, 3)), axis=1)

    def bars(size):
        closes = np.cumsum(size * returns)
        low, opened, high = (closes + size * inside[:, place] for place in range(3))
        low, high = np.minimum(low, closes), np.maximum(high, closes)
        return {key: 100 * np.exp(v) for key, v in (("Open", opened), ("High", high), ("Low", low), ("Close", closes))}

    calm, wild = (make_features(make_prices(bars(size)), (name,)) for size in (1, 3))
    assert wild == pytest.approx(calm, nan_ok=True, abs=1e-9)


def test_the_volatility_of_steady_moves_is_their_size(make_prices):
    # Up and down by one percent a day in log price, nothing known but closes: the deviation is 0.01 from the start.
    closes = 100 * np.exp(0.01 * (np.arange(60) % 2))
    assert volatility(daily_variance(make_prices({"Close": closes}).bars))[1:] == pytest.approx(0.01)


def test_momentum_is_the_return_in_deviations_of_so_many_days(make_prices):
    # 0.01 up every day: five days make 0.05, and five days' deviation is 0.01 x sqrt(5); their ratio is sqrt(5).
    closes = 100 * np.exp(0.01 * np.arange(60))
    assert feature(make_prices({"Close": closes}), "momentum_5")[-1] == pytest.approx(np.sqrt(5))


def test_half_of_the_variance_of_equal_rises_and_falls_is_downside(make_prices):
    closes = 100 * np.exp(0.01 * (np.arange(4000) % 2))
    # The long memory sees as many falls as rises, up to the last day's weight of 1/67.
    assert abs(feature(make_prices({"Close": closes}), "downside_67")[-1]) < 1 / 67


def test_a_series_of_squared_moves_has_no_ratio_to_itself(make_prices):
    # Only closes: the unit and the volatility of closes are one and the same measure.
    bars = make_prices({"Close": random_bars(100, np.random.default_rng(5))["Close"]})
    assert feature(bars, "volatility_ratio_closes")[1:] == pytest.approx([0.0] * 99, abs=1e-12)


def test_a_column_without_values_allows_no_feature_of_it(make_prices):
    assert "volume_ratio" not in features_for(make_prices({**FULL, "Volume": [NAN] * 4}))
