"""The baseline of record, held against `arch` itself, against plain loops, and against formulas it does not use."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from arch import arch_model
from arch.univariate import SkewStudent, StudentsT
from arch.univariate.base import ARCHModel
from scipy import stats
from threadpoolctl import ThreadpoolController

from stockcast.data.prices import read_prices
from stockcast.errors import BaselineError
from stockcast.evaluation.baselines import garch as module
from stockcast.evaluation.baselines.garch import GARCH_T, GJR_SKEWT, MIN_RETURNS, Model, garch, sample_quantiles
from stockcast.evaluation.baselines.task import ForecastTask
from stockcast.forecast import LEVELS

# In percent a day, the size of the S&P 500's: mu, omega, alpha, (gamma,) beta, then degrees (and skew).
T_TRUTH = (0.05, 0.02, 0.10, 0.88, 6.0)
SKEWT_TRUTH = (0.03, 0.02, 0.02, 0.14, 0.88, 7.0, -0.15)
CHAIN = 12  # days ahead in most tests

NKE = Path(__file__).resolve().parents[2].parent / "shared" / "cases" / "NKE.csv"

both = pytest.mark.parametrize("model", [GARCH_T, GJR_SKEWT], ids=["t", "gjr_skewt"])


def simulate(days, truth=T_TRUTH, *, seed=0):
    """Returns in percent by the definition, day after day, burnt in; Student-t drawn by numpy, skewed t by scipy."""
    rng = np.random.default_rng(seed)
    if len(truth) == 5:
        mu, omega, alpha, beta, degrees = truth
        gamma = 0.0
        z = rng.standard_t(degrees, days + 500) * np.sqrt((degrees - 2) / degrees)
    else:
        mu, omega, alpha, gamma, beta, degrees, skew = truth
        z = SkewStudent().ppf(rng.uniform(size=days + 500), [degrees, skew])
    variance, returns = 1.0, np.empty(days + 500)
    for day, shock in enumerate(z):
        e = np.sqrt(variance) * shock
        returns[day] = mu + e
        variance = omega + alpha * e**2 + gamma * e**2 * (e < 0) + beta * variance
    return returns[500:]


def make_task(returns, *, origins, horizon=CHAIN):
    """The task whose daily log returns, in percent, are these; day 0 closes at 100."""
    closes = 100 * np.exp(np.append(0, np.cumsum(returns)) / 100)
    dates = np.datetime64("2000-01-01") + np.arange(len(closes))
    return ForecastTask(dates, closes, np.asarray(origins), horizon, training_days=int(np.min(origins)))


def parameters(truth):
    if len(truth) == 5:
        mu, omega, alpha, beta, *shape = truth
        gamma, distribution = 0.0, StudentsT()
    else:
        mu, omega, alpha, gamma, beta, *shape = truth
        distribution = SkewStudent()
    innovations = module._even(lambda levels: np.asarray(distribution.ppf(levels, shape)))
    return module._Parameters(mu, omega, alpha, gamma, beta, innovations, ceiling=1e6, values=np.array(truth))


def fixed(returns, truth):
    """What arch makes of the same parameters."""
    leverage = len(truth) == 7
    specification = arch_model(
        returns, mean="Constant", p=1, o=int(leverage), q=1, dist="skewt" if leverage else "t", rescale=False
    )
    return specification.fix(np.array(truth))


def paths(truth, variance, *, horizon=CHAIN, origins=400):
    """Quantiles of cumulative returns from one variance, repeated `origins` times with other orders."""
    orders = [np.random.default_rng((9, origin)) for origin in range(origins)]
    return module._simulate(parameters(truth), np.full(origins, variance), horizon, orders)


def counted_fits(monkeypatch, flags, *, means=()):
    """Let arch's fits end with these flags (and means) in turn, 0 when there are no more; return their starts."""
    started, fit, flags, means = [], ARCHModel.fit, list(flags), list(means)

    def flagged(self, *arguments, starting_values=None, **options):
        started.append(None if starting_values is None else np.asarray(starting_values))
        result = fit(self, *arguments, starting_values=starting_values, **options)
        result._optim_output.status = flags.pop(0) if flags else 0
        if means and (mean := means.pop(0)) is not None:
            result._params = np.array([mean, *result._params[1:]])
        return result

    monkeypatch.setattr(ARCHModel, "fit", flagged)
    return started


# The variance known at the end of each day.


@pytest.mark.parametrize("truth", [T_TRUTH, SKEWT_TRUTH], ids=["t", "gjr_skewt"])
def test_the_variance_known_each_day_is_archs_own_for_the_same_parameters(truth):
    returns = simulate(600, truth, seed=1)
    truth = (float(returns.mean()), *truth[1:])  # arch starts from the spread around the plain mean
    ours = module._filter(returns, parameters(truth))
    np.testing.assert_allclose(ours[:-1], fixed(returns, truth).conditional_volatility ** 2, rtol=1e-10)
    np.testing.assert_allclose(
        ours[-1], fixed(returns, truth).forecast(horizon=1).variance.to_numpy()[-1, 0], rtol=1e-10
    )


def test_the_variance_known_each_day_is_that_of_a_plain_loop():
    mu, omega, alpha, gamma, beta, *_ = SKEWT_TRUTH
    returns = simulate(300, SKEWT_TRUTH, seed=2)
    weights = [0.94**day for day in range(75)]
    before = sum(w * (r - mu) ** 2 for w, r in zip(weights, returns[:75], strict=True)) / sum(weights)
    variance = [omega + (alpha + 0.5 * gamma + beta) * before]  # half of all days fall
    for r in returns:
        news = (r - mu) ** 2
        variance.append(omega + alpha * news + (gamma * news if r < mu else 0.0) + beta * variance[-1])
    np.testing.assert_allclose(module._filter(returns, parameters(SKEWT_TRUTH)), variance, rtol=1e-12)


def test_a_fall_raises_the_next_days_variance_by_the_leverage_more_than_a_rise():
    # 2 % around a mu of 0.03 %: gamma x shock squared = 0.14 x 4 = 0.56 apart.
    fall, rise = (
        module._filter(np.append(simulate(300, seed=3), 0.03 + shock), parameters(SKEWT_TRUTH))[-1]
        for shock in (-2.0, 2.0)
    )
    assert fall - rise == pytest.approx(0.56)


# One day ahead.


def test_the_innovations_have_mean_zero_and_variance_one_however_heavy_their_tails():
    for truth in (T_TRUTH, (*T_TRUTH[:4], 2.2), (*T_TRUTH[:4], 300.0), SKEWT_TRUTH):
        innovations = parameters(truth).innovations
        assert innovations.mean() == pytest.approx(0, abs=1e-12)
        assert innovations.var() == pytest.approx(1, rel=1e-12)
        assert (np.diff(innovations) > 0).all()


def test_one_day_ahead_the_quantiles_are_those_of_the_students_t():
    mu, *_, degrees = T_TRUTH
    expected = mu + 1.7 * stats.t.ppf(LEVELS, degrees) / np.sqrt(degrees / (degrees - 2))
    computed = paths(T_TRUTH, 1.7**2, horizon=1, origins=2)
    np.testing.assert_allclose(computed[:, 0], np.tile(expected, (2, 1)), rtol=5e-4)


def test_one_day_ahead_the_quantiles_are_those_of_hansens_skewed_t():
    # Hansen (1994), eq. 10-13: the density, integrated up to each quantile, gives back its level.
    mu, *_, eta, skew = SKEWT_TRUTH
    c = stats.t.pdf(0, eta) * np.sqrt(eta / (eta - 2))
    a = 4 * skew * c * (eta - 2) / (eta - 1)
    b = np.sqrt(1 + 3 * skew**2 - a**2)
    grid = np.linspace(-60, 60, 1_200_001)
    side = np.where(grid < -a / b, 1 - skew, 1 + skew)
    density = b * c * (1 + ((b * grid + a) / side) ** 2 / (eta - 2)) ** (-(eta + 1) / 2)
    reached = np.cumsum(density) * (grid[1] - grid[0])
    computed = (paths(SKEWT_TRUTH, 1.7**2, horizon=1, origins=1)[0, 0] - mu) / 1.7
    np.testing.assert_allclose(np.interp(computed, grid, reached), LEVELS, rtol=2e-3)
    assert computed[0] < -computed[-1]  # the tail of falls is the longer one


@both
def test_a_forecast_of_one_day_is_archs_own_variance_and_quantiles(model):
    returns = simulate(900, seed=4)
    task = make_task(returns, origins=[700], horizon=1)
    fitted = arch_model(
        returns[:700], mean="Constant", o=int(model.leverage), dist=model.innovations, rescale=False
    ).fit(disp="off")
    sigma = np.sqrt(fitted.forecast(horizon=1).variance.to_numpy()[-1, 0])
    shape = fitted.params[fitted.params.index.isin(["nu", "eta", "lambda"])]
    z = fitted.model.distribution.ppf(LEVELS, shape.to_numpy())
    computed = 100 * garch(task, model).log_returns()[0, 0]
    np.testing.assert_allclose(computed, fitted.params["mu"] + sigma * z, rtol=1e-3, atol=1e-4)


# Many days ahead.


def expected_variances(truth, variance, share):
    """Variance of the cumulative return after 1, 2, ... days, by mean reversion.

    `share` is E[z**2 where z < 0]. Shocks of different days do not correlate, so daily variances add up.
    """
    _, omega, alpha, *rest = truth
    gamma, beta = (rest[0], rest[1]) if len(truth) == 7 else (0.0, rest[0])
    persistence = alpha + beta + gamma * share
    level = omega / (1 - persistence)
    daily = [level + persistence**day * (variance - level) for day in range(50)]
    return np.cumsum(daily)


def total_variance(truth, variance, *, horizon):
    """Variance of the simulated cumulative return itself, from all of its paths."""
    kept = []

    def keep(total, levels):
        kept.append(total.var())
        return np.zeros((len(total), len(levels)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "sample_quantiles", keep)
        paths(truth, variance, horizon=horizon)
    return np.array(kept)


@pytest.mark.parametrize("variance", [0.3, 6.0], ids=["calm", "storm"])
def test_over_many_days_the_variance_returns_to_its_mean_as_the_formula_says(variance):
    computed = total_variance(T_TRUTH, variance, horizon=50)
    np.testing.assert_allclose(computed, expected_variances(T_TRUTH, variance, 0.0), rtol=0.015)


@pytest.mark.slow
@pytest.mark.parametrize("variance", [0.3, 6.0], ids=["calm", "storm"])
def test_with_leverage_and_skew_too_the_variance_returns_to_its_mean_as_the_formula_says(variance):
    # More than half of the variance lies in the falls, by the midpoint rule over the distribution's levels.
    levels = (np.arange(2_000_000) + 0.5) / 2_000_000
    z = SkewStudent().ppf(levels, SKEWT_TRUTH[-2:])
    share = float(np.mean(np.where(z < 0, z**2, 0)))
    assert 0.5 < share < 0.65
    computed = total_variance(SKEWT_TRUTH, variance, horizon=50)
    np.testing.assert_allclose(computed, expected_variances(SKEWT_TRUTH, variance, share), rtol=0.02)


@pytest.mark.parametrize("count", [1, 2, 7, 100, 2000])
def test_quantiles_of_samples_are_numpys_to_the_last_bit(count):
    random = np.random.default_rng(count)
    samples = random.standard_t(3, size=(40, count))
    samples[:5] = np.round(samples[:5])  # equal values, too
    levels = np.sort(np.concatenate([LEVELS, [0.0, 1.0], random.random(20)]))

    theirs = np.quantile(samples, levels, axis=1, method="hazen").T
    assert np.array_equal(sample_quantiles(samples, levels), theirs)


@pytest.mark.parametrize("truth", [T_TRUTH, SKEWT_TRUTH], ids=["t", "gjr_skewt"])
def test_over_many_days_the_quantiles_are_those_of_archs_own_simulation(truth):
    returns = simulate(800, truth, seed=6)
    result = fixed(returns, truth)
    result.model.distribution._generator = np.random.default_rng(7)
    simulations = 60_000
    ahead = result.forecast(horizon=20, method="simulation", simulations=simulations, reindex=False)
    theirs = np.quantile(np.cumsum(ahead.simulations.values[-1], axis=1), LEVELS, axis=0).T
    variance = ahead.variance.to_numpy()[-1, 0]
    ours = paths(truth, variance, horizon=20, origins=100).mean(axis=0)  # 200,000 paths
    # The standard error of a quantile is sqrt(p (1 - p) / n) over the density there; of the normal at 0.5 % that is
    # 0.02 deviations for 60,000, of heavier tails about twice that. Four of those for the outermost, less within.
    deviation = np.sqrt(variance * np.arange(1, 21))[:, None]
    error = np.sqrt(LEVELS * (1 - LEVELS) / simulations) / stats.norm.pdf(stats.norm.ppf(LEVELS))
    assert (np.abs(ours - theirs) / deviation < 8 * error + 0.002).all()
    assert np.mean(np.abs(ours - theirs) / deviation / error) < 2


# What is known when.


@both
def test_prices_after_an_origin_change_neither_its_forecast_nor_any_earlier_one(model, monkeypatch):
    monkeypatch.setattr(module, "REFIT_DAYS", 10)
    returns = simulate(500, seed=8)
    origins = np.arange(400, 425)
    honest = garch(make_task(returns, origins=origins), model)
    for last in (403, 409, 410, 417):
        changed = returns.copy()
        changed[last:] = simulate(500, seed=9)[last:] * 5  # returns[last] is that of day last + 1
        blind = garch(make_task(changed, origins=origins), model)
        known = slice(0, last - 400 + 1)
        assert blind.quantiles[known].tobytes() == honest.quantiles[known].tobytes()
        assert not np.array_equal(blind.quantiles[last - 400 + 1], honest.quantiles[last - 400 + 1])


@pytest.mark.parametrize("nonsense", [np.nan, 1e9, -1e9], ids=str)
def test_not_even_a_price_that_is_none_reaches_back(nonsense):
    origins = [400, 401] if np.isnan(nonsense) else [400, 401, 402]  # from a day without a price there is no forecast
    returns = simulate(500, seed=8)
    honest = garch(make_task(returns, origins=origins), GARCH_T)
    task = make_task(returns, origins=origins)
    task.closes[402:] = abs(nonsense) if nonsense > 0 or np.isnan(nonsense) else 1e-9
    blind = garch(task, GARCH_T)
    assert blind.quantiles[:2].tobytes() == honest.quantiles[:2].tobytes()


def test_parameters_come_from_the_returns_up_to_the_first_origin_they_serve(monkeypatch):
    monkeypatch.setattr(module, "REFIT_DAYS", 10)
    seen, estimate = [], module._estimate

    def watch(returns, *arguments, **options):
        seen.append(returns.copy())
        return estimate(returns, *arguments, **options)

    monkeypatch.setattr(module, "_estimate", watch)
    returns = simulate(500, seed=8)
    progress = []
    garch(
        make_task(returns, origins=np.arange(400, 425)),
        GARCH_T,
        on_estimate=lambda done, of: progress.append((done, of)),
    )
    assert [len(known) for known in seen] == [400, 410, 420]
    for known in seen:
        np.testing.assert_allclose(known, returns[: len(known)], atol=1e-10)
    assert progress == [(1, 3), (2, 3), (3, 3)]


def test_the_forecast_of_an_origin_does_not_depend_on_the_origins_after_it():
    returns = simulate(500, seed=8)
    few = garch(make_task(returns, origins=[400, 401]), GJR_SKEWT)
    many = garch(make_task(returns, origins=np.arange(400, 440)), GJR_SKEWT)
    assert few.quantiles.tobytes() == many.quantiles[:2].tobytes()


def test_each_origin_has_the_variance_of_its_own_day():
    # A crash of 9 % on the last day known widens that day's forecast, and no earlier one's.
    returns = simulate(500, seed=8)
    returns[410] = -9.0  # the return of day 411
    forecast = garch(make_task(returns, origins=[409, 410, 411]), GARCH_T)
    before, eve, after = np.ptp(forecast.log_returns()[:, 0], axis=-1)
    assert eve == pytest.approx(before, rel=0.3)
    assert after > 2 * eve


def test_the_same_seed_gives_the_same_forecast_and_another_seed_another():
    task = make_task(simulate(400, seed=10), origins=[300, 320])
    first, same, other = (garch(task, GARCH_T, seed=seed).quantiles for seed in (3, 3, 4))
    assert first.tobytes() == same.tobytes()
    assert not np.array_equal(first, other)
    np.testing.assert_allclose(first[:, 0], other[:, 0], rtol=1e-12)  # one day ahead nothing is left to luck
    np.testing.assert_allclose(first[..., 3:-3], other[..., 3:-3], rtol=0.02)  # and later little, but in the tails


# Does it find what is there?


@pytest.mark.parametrize(("model", "truth"), [(GARCH_T, T_TRUTH), (GJR_SKEWT, SKEWT_TRUTH)], ids=["t", "gjr_skewt"])
def test_on_a_long_series_of_its_own_kind_it_finds_the_parameters(model, truth):
    computed = module._estimate(simulate(12_000, truth, seed=11), model, last_day="the last", previous=None).values
    # Standard errors on 12,000 days, after those that arch gives: times four.
    errors = {GARCH_T: [0.01, 0.004, 0.01, 0.011, 0.4], GJR_SKEWT: [0.01, 0.003, 0.006, 0.015, 0.009, 0.5, 0.013]}
    assert (np.abs(computed - truth) < 4 * np.array(errors[model])).all()


@pytest.mark.slow
def test_of_prices_of_its_own_kind_the_bands_cover_what_they_promise():
    returns = simulate(5000, seed=12)
    task = make_task(returns, origins=np.arange(2000, 4990), horizon=5)
    forecast = garch(task, GARCH_T)
    # 2990 days: standard error sqrt(0.9 x 0.1 / 2990) = 0.0055 one day ahead, 2.2 times as much for overlaps of five;
    # the estimates add about half of that. Three of all.
    for promise, step, error in ((0.9, 0, 0.02), (0.9, 4, 0.04), (0.5, 0, 0.03), (0.98, 0, 0.01)):
        lower, upper = (end[:, step] for end in forecast.band(promise))
        inside = np.mean((lower <= task.actual[:, step]) & (task.actual[:, step] <= upper))
        assert inside == pytest.approx(promise, abs=error)


# When it cannot.


def test_fewer_returns_than_it_needs_are_refused_with_both_numbers():
    returns = simulate(400)
    with pytest.raises(BaselineError, match=str(MIN_RETURNS)) as error:
        garch(make_task(returns, origins=[249, 300]), GARCH_T)
    assert error.value.value == 249
    assert np.isfinite(garch(make_task(returns, origins=[250]), GARCH_T).quantiles).all()


@both
@pytest.mark.parametrize("growth", [0.0, 0.1], ids=["constant", "steady"])
def test_prices_that_never_move_or_move_alike_every_day_are_refused(model, growth):
    with pytest.raises(BaselineError, match="never vary") as error:
        garch(make_task(np.full(400, growth), origins=[300]), model)
    assert error.value.value == "2000-10-27"  # day 300 of a leap year


def test_an_estimate_that_does_not_converge_is_tried_again_from_where_it_stopped(monkeypatch):
    task = make_task(simulate(400, seed=13), origins=[300])
    honest = garch(task, GARCH_T)
    started = counted_fits(monkeypatch, [8])
    again = garch(task, GARCH_T)
    assert started[0] is None
    assert len(started) == 2
    assert len(started[1]) == 5  # mu, omega, alpha, beta, degrees
    np.testing.assert_allclose(again.log_returns(), honest.log_returns(), rtol=0.02, atol=1e-4)


def test_a_later_estimate_is_tried_again_from_the_one_before_it_first(monkeypatch):
    monkeypatch.setattr(module, "REFIT_DAYS", 10)
    task = make_task(simulate(400, seed=13), origins=np.arange(300, 320))
    returns = 100 * np.diff(np.log(task.closes[:301]))
    with ThreadpoolController().limit(limits=1):
        first = arch_model(returns, mean="Constant", dist="t", rescale=False).fit(disp="off")
    started = counted_fits(monkeypatch, [0, 8, 0])
    assert np.isfinite(garch(task, GARCH_T).quantiles).all()
    assert [start is None for start in started] == [True, True, False]
    np.testing.assert_allclose(started[2], first.params)


@both
def test_a_model_that_does_not_converge_is_refused_by_the_day_it_failed_on(model, monkeypatch):
    counted_fits(monkeypatch, [8] * 9)
    with pytest.raises(BaselineError, match="converge") as error:
        garch(make_task(simulate(400), origins=[300]), model)
    assert error.value.value == "2000-10-27"


def test_a_later_estimate_that_never_converges_gives_the_model_up_and_says_when(monkeypatch):
    monkeypatch.setattr(module, "REFIT_DAYS", 10)
    started = counted_fits(monkeypatch, [0, 8, 8, 8, 8, 8])
    with pytest.raises(BaselineError, match="converge") as error:
        garch(make_task(simulate(400), origins=np.arange(300, 320)), GARCH_T)
    assert error.value.value == "2000-11-06"  # ten days later
    assert len(started) == 6


@both
def test_an_estimate_that_fails_from_every_start_is_repeated_on_returns_of_unit_variance(model, monkeypatch):
    task = make_task(simulate(400, seed=13), origins=[300])
    honest = garch(task, model).log_returns()
    started = counted_fits(monkeypatch, [8, 8, 8, 0])
    again = garch(task, model).log_returns()
    assert len(started) == 4
    assert started[3] is None
    np.testing.assert_allclose(again, honest, rtol=0.02, atol=1e-4)


@pytest.mark.parametrize(("model", "values"), [(GARCH_T, (0.05, 0.9, 6)), (GJR_SKEWT, (0.05, 0.05, 0.9, 6, 0))])
def test_an_estimate_that_fails_from_every_other_start_is_repeated_from_the_values_of_a_usual_stock(
    model, values, monkeypatch
):
    task = make_task(simulate(400, seed=13), origins=[300])
    honest = garch(task, model)
    returns = 100 * np.diff(np.log(task.closes[:301]))
    started = counted_fits(monkeypatch, [8, 0], means=[None, 2_415_077.0, None])
    again = garch(task, model)

    assert [start is None for start in started] == [True, False, False]
    mean, omega, *rest = started[-1]
    assert mean == pytest.approx(np.median(returns))
    assert tuple(rest) == values
    # Half of the days are falls, so the variance that it returns to is omega / (1 - alpha - gamma / 2 - beta).
    assert omega / (0.05 if model is GARCH_T else 0.025) == pytest.approx(returns.var())
    np.testing.assert_allclose(again.log_returns(), honest.log_returns(), rtol=0.05, atol=2e-4)


def test_an_estimate_whose_mean_is_outside_all_returns_is_repeated_from_the_one_before_it(monkeypatch):
    monkeypatch.setattr(module, "REFIT_DAYS", 10)
    task = make_task(simulate(400, seed=13), origins=np.arange(300, 320))
    honest = garch(task, GARCH_T)
    started = counted_fits(monkeypatch, [0, 0, 0], means=[None, 2_415_077.0, None])
    again = garch(task, GARCH_T)
    assert [start is None for start in started] == [True, True, False]
    np.testing.assert_allclose(again.log_returns(), honest.log_returns(), rtol=0.02, atol=1e-4)


def rounded_closes(seed, *, days=1200):
    """Closes of four millionths, rounded to a millionth as a vendor rounds adjusted ones, so that they jump by 22 %."""
    rng = np.random.default_rng(seed)
    steps = 0.001 + 0.02 * rng.standard_t(4, days) / np.sqrt(2)
    return np.maximum(np.round(4e-6 * np.exp(np.cumsum(steps)), 6), 1e-6)


@pytest.mark.parametrize("seed", [15, 17, 30, 54])
def test_where_the_optimizer_leaves_the_data_and_calls_it_converged_there_is_no_absurd_forecast(seed):
    # With arch 8.0, seeds 17 and 30 gave infinite prices, 15 a billionth and 54 a trillion times the last price.
    closes = np.append(rounded_closes(seed), np.ones(CHAIN))
    dates = np.datetime64("2000-01-01") + np.arange(len(closes))
    task = ForecastTask(dates, closes, np.array([1199]), CHAIN, training_days=1000)
    failed_on, ratio = "2003-04-14", np.ones(1)
    try:
        ratio = garch(task, GARCH_T).quantiles / closes[1199]
    except BaselineError as error:
        failed_on = error.value
    assert failed_on == "2003-04-14"
    assert 0.05 < ratio.min() <= ratio.max() < 20


@pytest.mark.skipif(not NKE.exists(), reason=f"{NKE} is not here")
def test_nikes_closes_whose_first_years_are_rounded_to_a_millionth_have_a_finite_forecast():
    prices = read_prices(NKE)
    first = int(np.searchsorted(prices.dates, np.datetime64("2017-06-26")))  # 125 days on, arch's mean is 2,415,077 %
    origins = np.arange(first, first + 126)
    task = ForecastTask(prices.dates, prices.bars["Close"].to_numpy(), origins, horizon=50, training_days=first)
    quantiles = garch(task, GARCH_T).quantiles
    assert quantiles.min() > 1
    assert quantiles.max() < 1000  # the price is about 60


@pytest.mark.parametrize("mean", [1e6, -1e6], ids=["infinite", "zero"])
def test_a_forecast_that_no_price_can_have_is_no_forecast_and_the_reason_names_its_day(mean, monkeypatch):
    monkeypatch.setattr(module, "REFIT_DAYS", 10)
    estimate = module._estimate

    def explode(returns, *arguments, **options):
        computed = estimate(returns, *arguments, **options)
        return computed if len(returns) < 310 else replace(computed, mu=mean)

    monkeypatch.setattr(module, "_estimate", explode)
    with pytest.raises(BaselineError, match="finite") as error:
        garch(make_task(simulate(400, seed=13), origins=np.arange(300, 320)), GARCH_T)
    assert error.value.value == "2000-11-06"


def test_an_error_inside_arch_is_reported_as_a_failed_estimate(monkeypatch):
    def burst(*arguments, **options):
        raise np.linalg.LinAlgError("singular matrix")

    monkeypatch.setattr(ARCHModel, "fit", burst)
    with pytest.raises(BaselineError, match="singular matrix") as error:
        garch(make_task(simulate(400), origins=[300]), GARCH_T)
    assert error.value.value == "2000-10-27"


@pytest.mark.parametrize("persistence", [0.9999, 1.0, 1.3], ids=str)
def test_shocks_that_never_fade_leave_the_forecast_finite(persistence):
    endless = replace(parameters(T_TRUTH), alpha=0.3, beta=persistence - 0.3, ceiling=1e4)
    quantiles = module._simulate(endless, np.array([1.0, 50.0]), 250, [np.random.default_rng(s) for s in (0, 1)])
    assert np.isfinite(quantiles).all()
    assert np.isfinite(np.exp(quantiles / 100)).all()


@both
def test_a_crash_after_years_of_calm_leaves_the_forecast_finite_and_positive(model):
    returns = 0.01 * simulate(400, seed=14)
    returns[300:] = np.array([-40.0, 60.0] * 50)
    forecast = garch(make_task(returns, origins=np.arange(295, 380), horizon=20), model)
    assert np.isfinite(forecast.quantiles).all()
    assert (forecast.quantiles > 0).all()


@both
def test_quantiles_rise_with_the_levels_and_a_forecast_in_cents_is_a_hundred_times_that_in_dollars(model: Model):
    task = make_task(simulate(400, seed=15), origins=[300, 350])
    dollars, cents = garch(task, model), garch(replace(task, closes=100 * task.closes), model)
    assert (np.diff(dollars.quantiles, axis=-1) > 0).all()
    np.testing.assert_allclose(cents.quantiles, 100 * dollars.quantiles, rtol=1e-4)


def test_origins_that_are_apart_share_an_estimate_by_days_not_by_their_number():
    consecutive = module._stretches(np.arange(300, 560), 125)
    assert [part[0] for part in consecutive] == [300, 425, 550]
    apart = module._stretches(np.arange(300, 700, 10), 125)
    assert [part.tolist() for part in apart][1][0] == 430  # the first origin 125 days after 300
    assert np.array_equal(np.concatenate(apart), np.arange(300, 700, 10))
    assert [part.tolist() for part in module._stretches(np.array([300, 1000]), 125)] == [[300], [1000]]


@pytest.mark.skipif(os.cpu_count() == 1, reason="two threads need two cores")
def test_an_estimate_is_the_same_to_the_last_bit_whatever_the_number_of_threads():
    task = make_task(simulate(3000), origins=[2990], horizon=2)
    forecasts = []
    for threads in (1, 2):
        with ThreadpoolController().limit(limits=threads):
            forecasts.append(garch(task, GJR_SKEWT, seed=0).quantiles)
    assert forecasts[0].tobytes() == forecasts[1].tobytes()
