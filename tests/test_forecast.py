import numpy as np
import pytest

from stockcast.forecast import LEVELS, Forecast
from stockcast.text import price_text


@pytest.fixture
def forecast() -> Forecast:
    """One origin at 50 dollars, two days ahead; the quantile of level p is 100 p dollars, then 200 p."""
    quantiles = np.stack([100 * LEVELS, 200 * LEVELS])[None]
    days = np.array(["2018-12-31", "2019-01-02", "2019-01-03"], dtype="datetime64[D]")
    return Forecast(days[:1], days[None, 1:], LEVELS, quantiles, last_close=np.array([50.0]))


def test_a_band_of_90_percent_lies_between_the_5_and_the_95_percent_quantile(forecast: Forecast) -> None:
    lower, upper = forecast.band(0.9)
    np.testing.assert_allclose((lower[0], upper[0]), ([5, 10], [95, 190]))


def test_the_median_is_the_middle_quantile(forecast: Forecast) -> None:
    np.testing.assert_allclose(forecast.median, [[50, 100]])


def test_a_level_that_is_not_stored_is_refused(forecast: Forecast) -> None:
    with pytest.raises(ValueError, match="not stored"):
        forecast.at(0.33)


def test_log_returns_are_counted_from_the_last_close(forecast: Forecast) -> None:
    middle = len(LEVELS) // 2
    np.testing.assert_allclose(forecast.log_returns()[0, :, middle], [0, np.log(2)], atol=1e-12)


def test_another_price_unit_changes_prices_and_leaves_returns(forecast: Forecast) -> None:
    cents = forecast.times(100)
    assert cents.last_close[0] == 5000
    np.testing.assert_allclose(cents.median, [[5000, 10000]])
    np.testing.assert_allclose(cents.log_returns(), forecast.log_returns(), atol=1e-12)


def test_the_bands_that_are_shown_and_scored_have_their_levels_stored() -> None:
    for coverage in (0.5, 0.8, 0.9, 0.95, 0.98, 0.99):
        for end in ((1 - coverage) / 2, (1 + coverage) / 2):
            assert np.isclose(LEVELS, end).sum() == 1
    np.testing.assert_allclose(LEVELS + LEVELS[::-1], 1)


@pytest.mark.parametrize(
    ("price", "text"),
    [(2506.85, "2,506.85"), (9.2374, "9.24"), (0.18127, "0.1813"), (0.0012345, "0.001234"), (1, "1.00")],
)
def test_prices_are_written_with_the_digits_that_count(price: float, text: str) -> None:
    assert price_text(price) == text
