"""The econometric rivals: GARCH(1,1) with Student-t and GJR-GARCH with skewed-t innovations.

Parameters are estimated by `arch` on an expanding window; volatility is filtered and paths are drawn here, for all
origins together.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from stockcast.errors import RivalError
from stockcast.evaluation.baselines import Question
from stockcast.forecast import LEVELS, Floats, Forecast

REFIT_DAYS = 125
"""Parameters are estimated anew after so many origins, on every return known by then: twice a year."""

PATHS = 2000
"""Drawn from each origin; the CRPS of a sample of n is too high by about one part in n."""

GENERATION = 1
"""Raised whenever this file comes to say something else, so that no evaluation takes what an older one kept."""

MIN_RETURNS = 250
"""Fewer returns carry no GARCH estimate worth the name."""

_PERCENT = 100.0  # arch's optimizer wants returns of the size of 1
_BACKCAST_DAYS, _BACKCAST_DECAY = 75, 0.94
_ROUNDING = 1e-9  # returns in percent that differ by less are the same
_EXPLOSIVE = 1e4  # no daily variance of a stock is ten thousand times its mean

Report = Callable[[int, int], None]
"""Told of progress: estimates made, of so many."""


@dataclass(frozen=True)
class Model:
    """A member of the family: `leverage` lets falls raise volatility more than rises do (Glosten et al. 1993)."""

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
    ceiling: float  # no daily variance goes higher, in squared percent
    found: Floats  # all that was estimated, as arch orders it


GARCH_T = Model(leverage=False, innovations="t")
"""Bollerslev 1987."""

GJR_SKEWT = Model(leverage=True, innovations="skewt")
"""Glosten, Jagannathan & Runkle 1993, with the skewed t of Hansen 1994."""


def garch(question: Question, model: Model, *, seed: int = 0, report: Report = lambda done, of: None) -> Forecast:
    """Forecast by a GARCH model, many days ahead by simulation.

    The parameters that serve an origin are estimated from returns up to the first origin of its stretch of
    `REFIT_DAYS`, never from later ones. An estimate that does not converge is tried again from the one before it and
    from where it stopped; if neither helps, the model is given up, and says so: its forecast would be no GARCH
    model's.

    Args:
        question: what is asked; its origins are in order.
        model: which member of the family.
        seed: of the paths, which depend on it and the origin's day alone.
        report: told of each estimate.

    Raises:
        RivalError: too few returns, or an estimate does not converge; says which.
    """
    returns = _PERCENT * np.diff(np.log(question.closes))
    known = question.origins[0]  # returns[:t] are those known at the end of day t
    if known < MIN_RETURNS:
        raise RivalError(f"it needs {MIN_RETURNS} returns before the first origin, and there are {known}")
    parameters = None
    starts = range(0, len(question.origins), REFIT_DAYS)
    quantiles = []
    for done, start in enumerate(starts):
        origins = question.origins[start : start + REFIT_DAYS]
        last_day = str(question.dates[origins[0]])
        parameters = _estimate(returns[: origins[0]], model, last_day=last_day, previous=parameters)
        variance = _filter(returns, parameters)[origins]
        orders = [np.random.default_rng((seed, origin)) for origin in origins]
        quantiles.append(_simulate(parameters, variance, question.horizon, orders))
        report(done + 1, len(starts))
    ahead = np.concatenate(quantiles) / _PERCENT
    return question.forecast(question.closes[question.origins][:, None, None] * np.exp(ahead))


def _estimate(returns: Floats, model: Model, *, last_day: str, previous: _Parameters | None) -> _Parameters:
    """Fit by maximum likelihood on these returns, in percent."""
    from arch import arch_model

    if np.ptp(returns) <= _ROUNDING:
        raise RivalError(f"the returns up to {last_day} never vary")
    specification: Any = arch_model(
        returns, mean="Constant", p=1, o=int(model.leverage), q=1, dist=model.innovations, rescale=False
    )
    fitted, fault = _fit(specification, start=None)
    if fault and previous is not None:
        fitted, fault = _fit(specification, start=previous.found)
    if fault and fitted is not None:
        fitted, fault = _fit(specification, start=fitted.params)  # on from where it stopped
    if fault:
        raise RivalError(f"its estimate on the days to {last_day} {fault}")
    found = {name: float(value) for name, value in fitted.params.items()}
    shape = [value for name, value in found.items() if name in ("nu", "eta", "lambda")]
    return _Parameters(
        mu=found["mu"],
        omega=found["omega"],
        alpha=found["alpha[1]"],
        gamma=found.get("gamma[1]", 0.0),
        beta=found["beta[1]"],
        innovations=_even(lambda levels: np.asarray(specification.distribution.ppf(levels, shape))),
        ceiling=float(_EXPLOSIVE * np.var(returns)),
        found=np.asarray(fitted.params),
    )


def _fit(specification: Any, *, start: Floats | None) -> tuple[Any, str]:
    """Return arch's result, None if it has none, and what is wrong with it, empty if nothing is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what goes wrong shows in the flag and the figures, and is told once
        try:
            fitted = specification.fit(disp="off", show_warning=False, starting_values=start)
        except Exception as error:  # arch and the optimizer below it have no common family of errors
            return None, f"failed: {error}"
    converged = fitted.convergence_flag == 0 and bool(np.isfinite(fitted.params).all())
    return fitted, "" if converged else "did not converge"


def _even(ppf: Callable[[Floats], Floats]) -> Floats:
    """Cut a standardised distribution into PATHS equal parts; return a value for each, of mean 0 and variance 1.

    The values are the parts' medians, but for the two outermost. The median of a heavy tail is far below its root mean
    square, and 2000 medians of a Student-t of 4 degrees lack 2 % of the variance: compounded day after day, the bands
    of 50 days would be too narrow. So the outermost two take what mean and variance the others leave.
    """
    values = ppf((np.arange(PATHS) + 0.5) / PATHS)
    mean = -values[1:-1].sum() / 2
    spread = np.sqrt((PATHS - np.sum(values[1:-1] ** 2)) / 2 - mean**2)
    values[0], values[-1] = mean - spread, mean + spread
    return values


def _filter(returns: Floats, parameters: _Parameters) -> Floats:
    """Variance of the next day as known at the end of each day, in squared percent, shape (days,).

    Before the first day there is an exponentially weighted mean of the first squares, as `arch` starts.
    """
    from scipy.signal import lfilter

    shocks = returns - parameters.mu
    weights = _BACKCAST_DECAY ** np.arange(min(_BACKCAST_DAYS, len(shocks)))
    before = np.average(shocks[: len(weights)] ** 2, weights=weights)
    first = parameters.omega + (parameters.alpha + parameters.gamma / 2 + parameters.beta) * before
    news = parameters.omega + (parameters.alpha + parameters.gamma * (shocks < 0)) * shocks**2
    later, _ = lfilter([1.0], [1.0, -parameters.beta], news, zi=[parameters.beta * first])
    return np.concatenate([[first], later])


def _simulate(parameters: _Parameters, variance: Floats, horizon: int, orders: list[np.random.Generator]) -> Floats:
    """Quantiles of cumulative returns in percent, (origins, horizon, levels), from the variance of the next day.

    Every day each origin's paths receive the same evenly spaced innovations in another order (Latin hypercube sampling,
    McKay, Beckman & Conover 1979), so that one day ahead is exact and more days need fewer paths. Each origin has a
    generator of its own: what it is told does not depend on which others are asked.
    """
    paths_variance = np.repeat(variance[:, None], PATHS, axis=1)
    total = np.zeros_like(paths_variance)
    quantiles = np.empty((len(variance), horizon, len(LEVELS)))
    for step in range(horizon):
        shocks = np.sqrt(paths_variance) * np.array([order.permutation(parameters.innovations) for order in orders])
        total += parameters.mu + shocks
        # Hazen's rule: the sample's values are the medians of equal parts, as the innovations are.
        quantiles[:, step] = np.quantile(total, LEVELS, axis=1, method="hazen").T
        response = parameters.alpha + parameters.gamma * (shocks < 0)
        paths_variance = parameters.omega + response * shocks**2 + parameters.beta * paths_variance
        np.minimum(paths_variance, parameters.ceiling, out=paths_variance)
    return quantiles
