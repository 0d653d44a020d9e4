"""The econometric baselines: GARCH(1,1) with Student-t and GJR-GARCH with skewed-t innovations.

`arch` estimates the parameters on an expanding window; filtering the variance and simulating paths happen here, for all
origins together.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np

from stockcast.errors import BaselineError
from stockcast.evaluation.baselines.task import ForecastTask
from stockcast.forecast import LEVELS, Forecast
from stockcast.frequency import DAILY, Frequency
from stockcast.typing import Days, Floats

REFIT_DAYS = 125
"""Days after which the parameters are estimated again, on every return known by then: twice a year, also of weeks."""

PATHS = 2000
"""Simulated from each origin; the CRPS of a sample of n is too high by about one part in n."""

GENERATION = 2
"""Part of the name of a stored forecast: raise it when this file forecasts other prices, so that none is reused."""

MIN_RETURNS = 250
"""With fewer returns, a GARCH estimate is too uncertain to be a baseline."""

_PERCENT = 100.0  # arch's optimizer wants returns of the size of 1
_BACKCAST_DAYS, _BACKCAST_DECAY = 75, 0.94
_ROUNDING = 1e-9  # returns in percent that differ by less are the same
_EXPLOSIVE = 1e4  # no daily variance of a stock is ten thousand times its mean

OnEstimate = Callable[[int, int], None]
"""Given the number of estimates made, and of how many."""


@dataclass(frozen=True)
class Model:
    """Which GARCH model; with `leverage`, falls raise the variance more than rises do (Glosten et al. 1993)."""

    leverage: bool
    innovations: Literal["t", "skewt"]


@dataclass(frozen=True)
class _Parameters:
    """One estimate; `mu` and the square root of `omega` in percent a day."""

    mu: float
    omega: float
    alpha: float
    gamma: float
    beta: float
    innovations: Floats  # standardised, one for each of PATHS equal parts of the distribution, increasing
    ceiling: float  # upper bound of a simulated daily variance, in squared percent
    values: Floats  # every estimated value, as arch orders them


GARCH_T = Model(leverage=False, innovations="t")
"""Bollerslev 1987."""

GJR_SKEWT = Model(leverage=True, innovations="skewt")
"""Glosten, Jagannathan & Runkle 1993, with the skewed t of Hansen 1994."""


def garch(
    task: ForecastTask, model: Model, *, seed: int = 0, on_estimate: OnEstimate = lambda done, of: None
) -> Forecast:
    """Forecast by a GARCH model, many days ahead by simulation.

    Parameters are estimated every `REFIT_DAYS` days, from the returns up to it, never from later ones. An
    estimate that fails is repeated from the previous estimate's values, then from its own, then from those of a usual
    stock, then on returns of unit variance; if that fails too, there is no forecast: it would be of no GARCH model.

    Args:
        task: the origins, in order, and the horizon.
        model: which GARCH model.
        seed: of the paths, which depend on it and on the day of the origin alone.
        on_estimate: called after each estimate.

    Raises:
        BaselineError: too few returns, a failed estimate, or simulated prices too large or too small to be numbers.
    """
    returns = _PERCENT * np.diff(np.log(task.closes))
    known = task.origins[0]  # returns[:t] are those known at the end of day t
    if known < MIN_RETURNS:
        raise BaselineError(
            f"it needs {MIN_RETURNS} returns before the first origin, and there are {known}", value=int(known)
        )
    parameters = None
    refit = refit_bars(task.frequency)
    stretches = _stretches(task.origins, refit)
    quantiles = []
    for done, origins in enumerate(stretches, start=1):
        last_day = str(task.dates[origins[0]])
        parameters = _estimate(returns[: origins[0]], model, last_day=last_day, previous=parameters)
        variance = _filter(returns, parameters)[origins]
        orders = [np.random.default_rng((seed, origin)) for origin in origins]
        quantiles.append(_simulate(parameters, variance, task.horizon, orders, task.levels))
        on_estimate(done, len(stretches))
    with np.errstate(over="ignore", under="ignore"):  # reported below
        prices = task.closes[task.origins][:, None, None] * np.exp(np.concatenate(quantiles) / _PERCENT)
        stored = prices.astype(np.float32)  # as a run stores them; squares of such numbers are finite in float64
    is_price = (np.isfinite(stored) & (stored > 0)).all(axis=(1, 2))
    if not is_price.all():
        # Its returns are those of no stock, and a score of infinity compares nothing. Cutting the prices off would give
        # a forecast that no model made, so the baseline is missing, with this reason.
        day = str(task.dates[task.origins[np.argmin(is_price)]])
        raise BaselineError(
            f"its forecast from {day} is not a finite price above 0: the volatility explodes", value=day
        )
    return task.forecast(prices)


def _stretches(origins: Days, refit: int) -> list[Days]:
    """Part origins, rising day indices, into those of so many days each, which share an estimate."""
    firsts = [0]
    while (after := int(np.searchsorted(origins, origins[firsts[-1]] + refit))) < len(origins):
        firsts.append(after)
    return np.split(origins, firsts[1:])


def refit_bars(frequency: Frequency) -> int:
    """Return `REFIT_DAYS` as a number of bars."""
    return max(1, REFIT_DAYS * frequency.per_year // DAILY.per_year)


def _estimate(returns: Floats, model: Model, *, last_day: str, previous: _Parameters | None) -> _Parameters:
    """Fit by maximum likelihood to these returns, in percent."""
    from arch import arch_model

    if np.ptp(returns) <= _ROUNDING:
        raise BaselineError(f"the returns up to {last_day} never vary", value=last_day)

    def specify(returns: Floats) -> Any:
        return arch_model(
            returns, mean="Constant", p=1, o=int(model.leverage), q=1, dist=model.innovations, rescale=False
        )

    specification, unit = specify(returns), 1.0
    fitted, fault = _fit(specification, returns, start=None)
    if fault and previous is not None:
        fitted, fault = _fit(specification, returns, start=previous.values)
    if fault and fitted is not None:
        fitted, fault = _fit(specification, returns, start=fitted.params)  # on from where it stopped
    if fault:
        fitted, fault = _fit(specification, returns, start=_usual(returns, model))
    if fault:  # returns of hundredths of a percent are far from what the optimizer steps by
        unit = float(np.std(returns))
        fitted, fault = _fit(specify(returns / unit), returns / unit, start=None)
    if fault:
        raise BaselineError(f"its estimate on the days to {last_day} {fault}", value=last_day)
    values = fitted.params.copy()
    values["mu"], values["omega"] = values["mu"] * unit, values["omega"] * unit**2
    named = {name: float(value) for name, value in values.items()}
    shape = [value for name, value in named.items() if name in ("nu", "eta", "lambda")]
    return _Parameters(
        mu=named["mu"],
        omega=named["omega"],
        alpha=named["alpha[1]"],
        gamma=named.get("gamma[1]", 0.0),
        beta=named["beta[1]"],
        innovations=_even(lambda levels: np.asarray(specification.distribution.ppf(levels, shape))),
        ceiling=float(_EXPLOSIVE * np.var(returns)),
        values=np.asarray(values),
    )


def _usual(returns: Floats, model: Model) -> Floats:
    """Return the values of a usual stock of this variance, in the order of arch."""
    variance, gamma = float(np.var(returns)), 0.05 if model.leverage else 0.0
    alpha, beta = 0.05, 0.9
    omega = (1 - alpha - gamma / 2 - beta) * variance
    shape = [6.0] if model.innovations == "t" else [6.0, 0.0]  # degrees of freedom, skewness
    return np.array([np.median(returns), omega, alpha, *([gamma] if model.leverage else []), beta, *shape])


def _fit(specification: Any, returns: Floats, *, start: Floats | None) -> tuple[Any, str]:
    """Return arch's result, None if it has none, and what is wrong with it, empty if nothing is."""
    with warnings.catch_warnings(), _loaded_libraries().limit(limits=1):  # sums of several threads have other last bits
        warnings.simplefilter("ignore")  # the flag and the values show what went wrong, and it is reported once
        try:
            fitted = specification.fit(disp="off", show_warning=False, starting_values=start)
        except Exception as error:  # arch and the optimizer below it have no common family of errors
            return None, f"failed: {error}"
    if fitted.convergence_flag != 0 or not np.isfinite(fitted.params).all():
        return fitted, "did not converge"
    # The optimizer can leave the data and report success: on Nike's closes, whose first years are rounded to a
    # millionth, it stops at a mean of 2,415,077 % a day and a log-likelihood of -302,223, where starting from the
    # previous estimate reaches -19,182. No likelihood is highest at a mean above or below every return.
    if not returns.min() <= fitted.params["mu"] <= returns.max():
        return fitted, "did not converge: its mean return is outside the range of the returns"
    return fitted, ""


@cache
def _loaded_libraries() -> Any:
    from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

    return ThreadpoolController()


def _even(ppf: Callable[[Floats], Floats]) -> Floats:
    """Return a value for each of PATHS equally likely parts of a standardised distribution, of mean 0 and variance 1.

    The values are the parts' medians, except the two outermost. The median of a heavy tail is far below its root mean
    square: 2000 medians of a Student-t of 4 degrees lack 2 % of the variance, which over 50 days makes the bands too
    narrow. So the outermost two are set to give mean 0 and variance 1.
    """
    values = ppf((np.arange(PATHS) + 0.5) / PATHS)
    mean = -values[1:-1].sum() / 2
    spread = np.sqrt((PATHS - np.sum(values[1:-1] ** 2)) / 2 - mean**2)
    values[0], values[-1] = mean - spread, mean + spread
    return values


def _filter(returns: Floats, parameters: _Parameters) -> Floats:
    """Variance of the next day as known at the end of each day, in squared percent, shape (days,).

    It starts as `arch` does, from an exponentially weighted mean of the first squares.
    """
    from scipy.signal import lfilter

    shocks = returns - parameters.mu
    weights = _BACKCAST_DECAY ** np.arange(min(_BACKCAST_DAYS, len(shocks)))
    before = np.average(shocks[: len(weights)] ** 2, weights=weights)
    first = parameters.omega + (parameters.alpha + parameters.gamma / 2 + parameters.beta) * before
    news = parameters.omega + (parameters.alpha + parameters.gamma * (shocks < 0)) * shocks**2
    later, _ = lfilter([1.0], [1.0, -parameters.beta], news, zi=[parameters.beta * first])
    return np.concatenate([[first], later])


def _simulate(
    parameters: _Parameters,
    variance: Floats,
    horizon: int,
    orders: list[np.random.Generator],
    levels: Floats = LEVELS,
) -> Floats:
    """Quantiles of cumulative returns in percent, (origins, horizon, levels), from the variance of the next day.

    Every day, the paths of an origin get the same evenly spaced innovations in another order (Latin hypercube sampling,
    McKay, Beckman & Conover 1979): one day ahead is exact, and more days need fewer paths. Each origin has its own
    generator, so its forecast does not depend on the other origins.
    """
    paths_variance = np.repeat(variance[:, None], PATHS, axis=1)
    total = np.zeros_like(paths_variance)
    quantiles = np.empty((len(variance), horizon, len(levels)))
    for step in range(horizon):
        shocks = np.sqrt(paths_variance) * np.array([order.permutation(parameters.innovations) for order in orders])
        total += parameters.mu + shocks
        quantiles[:, step] = sample_quantiles(total, levels)
        response = parameters.alpha + parameters.gamma * (shocks < 0)
        paths_variance = parameters.omega + response * shocks**2 + parameters.beta * paths_variance
        np.minimum(paths_variance, parameters.ceiling, out=paths_variance)
    return quantiles


def sample_quantiles(samples: Floats, levels: Floats) -> Floats:
    """Return the quantiles of each row, shape (rows, levels), by Hazen's rule, which takes values for medians of parts.

    The same numbers as `numpy.quantile(..., method="hazen")`, to the last bit, in a third of its time: it parts each
    row once for every level, and a whole row is sorted faster.
    """
    count = samples.shape[1]
    places = np.clip(count * levels + 0.5 - 1, 0, count - 1)
    below = places.astype(np.intp)
    share = places - below
    ordered = np.sort(samples, axis=1)
    lower, upper = ordered[:, below], ordered[:, np.minimum(below + 1, count - 1)]
    step = upper - lower
    # From the nearer side, as numpy interpolates.
    quantiles: Floats = np.where(share < 0.5, lower + step * share, upper - step * (1 - share))
    return quantiles
