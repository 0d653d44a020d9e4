"""The oracles are scipy's distributions, of which a forecast stores 25 quantiles."""

import numpy as np
import pytest
from scipy import integrate, stats

from stockcast.distribution.quantiles import PriceDistribution
from stockcast.forecast import LEVELS

NORMAL = stats.norm(0.002, 0.03)
DISTRIBUTIONS = {
    "normal": NORMAL,
    "Student-t(3)": stats.t(3, scale=0.01),
    "Student-t(5)": stats.t(5, scale=0.01),
    "skewed": stats.skewnorm(-4, scale=0.02),
    "two humps": stats.laplace(scale=0.01),
}


def of(distribution, *, last_close=100.0):
    """One origin, one day."""
    return PriceDistribution(np.array([last_close]), LEVELS, distribution.ppf(LEVELS)[None, None])


def prices(returns, *, last_close=100.0):
    return last_close * np.exp(np.asarray(returns))[None, None]


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_every_stored_quantile_is_passed_exactly_in_both_directions(name):
    distribution = DISTRIBUTIONS[name]
    stored = prices(distribution.ppf(LEVELS))
    np.testing.assert_allclose(of(distribution).quantile(LEVELS), stored, rtol=1e-14)
    np.testing.assert_allclose(of(distribution).cdf(stored)[0, 0], LEVELS, atol=1e-9)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_between_stored_quantiles_probabilities_are_right_to_a_twentieth_of_a_percentage_point(name):
    levels = np.linspace(0.005, 0.995, 500)
    found = of(DISTRIBUTIONS[name]).cdf(prices(DISTRIBUTIONS[name].ppf(levels)))
    np.testing.assert_allclose(found[0, 0], levels, atol=5e-4)


def test_a_normal_forecast_is_normal_everywhere():
    levels = np.array([1e-8, 1e-4, 0.001, 0.037, 0.5, 0.77, 0.9999])
    np.testing.assert_allclose(of(NORMAL).quantile(levels), prices(NORMAL.ppf(levels)), rtol=1e-9)
    np.testing.assert_allclose(of(NORMAL).cdf(prices(NORMAL.ppf(levels)))[0, 0], levels, rtol=1e-6)


@pytest.mark.parametrize(
    ("degrees", "level", "error"), [(3, 0.001, 0.01), (3, 1e-4, 0.05), (5, 0.001, 0.005), (5, 1e-4, 0.03)]
)
def test_tails_of_a_student_t_go_on_as_heavy_as_they_are(degrees, level, error):
    distribution = stats.t(degrees, scale=0.01)
    for sought in (level, 1 - level):
        found = np.log(of(distribution).quantile(np.array([sought]))[0, 0, 0] / 100)
        assert found == pytest.approx(distribution.ppf(sought), rel=error)


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_probability_and_quantile_invert_each_other_and_rise(name):
    levels = np.concatenate([np.logspace(-9, -2, 50), np.linspace(0.02, 0.98, 200), 1 - np.logspace(-2, -9, 50)])
    distribution = of(DISTRIBUTIONS[name])
    at = distribution.quantile(levels)
    assert (np.diff(at[0, 0]) > 0).all()
    np.testing.assert_allclose(distribution.cdf(at)[0, 0], levels, rtol=1e-9)


@pytest.mark.parametrize("level", [0.001, 0.01, 0.05, 0.5])
def test_expected_shortfall_of_a_lognormal_price_is_that_of_the_closed_form(level):
    mean, deviation = NORMAL.mean(), NORMAL.std()
    truth = 100 * np.exp(mean + deviation**2 / 2) * stats.norm.cdf(stats.norm.ppf(level) - deviation) / level
    assert of(NORMAL).expected_shortfall(level)[0, 0] == pytest.approx(truth, rel=1e-5)
    assert of(NORMAL).value_at_risk(level)[0, 0] == pytest.approx(100 * np.exp(NORMAL.ppf(level)), rel=1e-9)


@pytest.mark.parametrize("degrees", [3, 5, 10])
def test_expected_shortfall_of_a_student_t_return_is_that_of_the_integral_over_its_density(degrees):
    distribution = stats.t(degrees, scale=0.01)
    worst = distribution.ppf(0.05)
    mean, _ = integrate.quad(lambda x: np.exp(x) * distribution.pdf(x), -np.inf, worst)
    assert of(distribution).expected_shortfall(0.05)[0, 0] == pytest.approx(100 * mean / 0.05, rel=2e-4)


def test_prices_in_cents_change_nothing_but_the_unit():
    np.testing.assert_allclose(
        of(NORMAL, last_close=1e4).cdf(prices([0.01], last_close=1e4)), of(NORMAL).cdf(prices([0.01]))
    )


def test_origins_and_days_have_their_own_distributions():
    deviations = np.array([[0.01, 0.02], [0.03, 0.04]])
    returns = deviations[..., None] * stats.norm.ppf(LEVELS)
    found = PriceDistribution(np.array([50.0, 80.0]), LEVELS, returns).cdf(np.array([[[49.0]], [[79.0]]]))[..., 0]
    moves = np.log([[49 / 50], [79 / 80]])
    np.testing.assert_allclose(found, stats.norm.cdf(moves / deviations), rtol=1e-9)


def test_quantiles_that_coincide_are_a_step_and_every_number_stays_finite():
    returns = np.round(NORMAL.ppf(LEVELS), 2)  # as of a band from few calibration days: -0.07 thrice, then -0.05 ...
    returns[:3] = returns[2]
    distribution = PriceDistribution(np.array([100.0]), LEVELS, returns[None, None])
    np.testing.assert_allclose(distribution.quantile(LEVELS), prices(returns), rtol=1e-12)
    assert distribution.quantile(np.array([0.001])) < distribution.quantile(LEVELS)[..., :1]
    levels = np.linspace(0.001, 0.999, 300)
    assert (np.diff(distribution.quantile(levels)[0, 0]) >= -1e-12).all()
    at = distribution.cdf(prices(np.linspace(-0.2, 0.2, 301)))[0, 0]
    assert np.isfinite(at).all()
    assert (np.diff(at) >= -1e-12).all()
    assert np.isfinite(distribution.expected_shortfall(0.01)).all()


def test_a_forecast_of_one_price_is_certain_of_it():
    distribution = PriceDistribution(np.array([100.0]), LEVELS, np.zeros((1, 1, len(LEVELS))))
    assert distribution.cdf(np.array([[[99.0, 101.0]]])).tolist() == [[[0.0, 1.0]]]
    assert distribution.expected_shortfall(0.05) == pytest.approx(100)
