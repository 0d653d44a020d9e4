"""Measure how often the significance tests cry skill where there is none, and how often they find it where there is.

    python benchmarks/size.py [--trials 2000] [--sets 300]
    python benchmarks/size.py --pool [--trials 2000]

Pairs of equally good forecasts are simulated, and a test at 5 % should reject 5 % of them. `waves` is what
`diebold_mariano` uses, `0.4 n^(2/3)` its number of waves as Lazarus, Lewis, Stock & Watson (2018) recommend it, one at
most per horizon. Power is the share of pairs found when one forecast is better by three standard errors at 5 %, and by
five at 0.33 %, which is what Holm's correction asks of the first of 15 tests. The second table does the same for sets
of four equally good forecasts, beside the plain bootstrap of `arch`. Takes about a quarter of an hour.

`--pool` simulates pools of series of one market instead: volatility is common to all, half of the variance of a day's
returns too, and half of that of the errors of each of two equally good forecasts. The test over days is what
`stockcast evaluate` uses for a pool; beside it stands the same test on the differences of all series end to end, which
takes every series for new days.
"""

import argparse
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt
from scipy import fft, signal, special

from stockcast.evaluation.pool import DailyLosses
from stockcast.evaluation.significance import diebold_mariano, model_confidence_set, superior_predictive_ability
from stockcast.typing import Floats

BAR = (0.03, 0.08)
"""Least and most rejections of equal skill at 5 %, at 1 and 20 days ahead."""

HORIZONS = (1, 5, 20, 50)
COUNTS = (250, 957, 1500)

Case = Callable[[np.random.Generator, int, int, int, int], Floats]
"""(rng, trials, forecasts, count, horizon) -> losses of equal skill, shape (trials, forecasts, count)."""


def autoregressive(rng: np.random.Generator, shape: tuple[int, ...], memory: float) -> Floats:
    """Series with mean 0 and standard deviation 1, along the last axis."""
    shocks = rng.normal(size=shape) * np.sqrt(1 - memory**2)
    shocks[..., 0] /= np.sqrt(1 - memory**2)
    return np.asarray(signal.lfilter([1], [1, -memory], shocks))


def ahead(returns: Floats, horizon: int) -> Floats:
    """Sum of each `horizon` days in a row, along the last axis, which gets shorter by horizon - 1."""
    return np.asarray(signal.lfilter(np.ones(horizon), [1], returns)[..., horizon - 1 :])


def normal_crps(deviation: Floats, actual: Floats) -> Floats:
    """CRPS of the normal distribution around 0 (Gneiting & Raftery 2007), in the unit of `actual`; 0 is perfect."""
    z = actual / deviation
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return np.asarray(deviation * (z * (2 * special.ndtr(z) - 1) + 2 * density - 1 / np.sqrt(np.pi)))


def garch(rng: np.random.Generator, trials: int, days: int) -> tuple[Floats, Floats]:
    """Volatility and returns of a GARCH(1, 1) with 0.08 and 0.9, in days of mean variance 1."""
    volatility, returns = np.empty((trials, days)), np.empty((trials, days))
    variance = np.ones(trials)
    for day in range(days):
        volatility[:, day] = np.sqrt(variance)
        returns[:, day] = volatility[:, day] * rng.normal(size=trials)
        variance = 0.02 + 0.08 * returns[:, day] ** 2 + 0.9 * variance
    return volatility, returns


def stochastic(rng: np.random.Generator, trials: int, days: int) -> tuple[Floats, Floats]:
    """Volatility whose logarithm is autoregressive (0.97 a day, standard deviation 0.41), and returns."""
    volatility = np.exp(0.41 * autoregressive(rng, (trials, days), 0.97))
    return volatility, volatility * rng.normal(size=(trials, days))


def independent(rng: np.random.Generator, trials: int, forecasts: int, count: int, horizon: int) -> Floats:
    """Normal losses, at more than one day ahead summed over the horizon, so that neighbours overlap."""
    return ahead(rng.normal(size=(trials, forecasts, count + horizon - 1)), horizon)


def persistent(memory: float, share: float) -> Case:
    """Losses of which a share of the variance is autoregressive and the rest independent, at one day ahead."""

    def losses(rng: np.random.Generator, trials: int, forecasts: int, count: int, horizon: int) -> Floats:
        shape = (trials, forecasts, count)
        moods = autoregressive(rng, shape, memory)
        return np.asarray(np.sqrt(share) * moods + np.sqrt(1 - share) * rng.normal(size=shape))

    return losses


def twins(world: Callable[..., tuple[Floats, Floats]], memory: float) -> Case:
    """CRPS of forecasts that know the volatility but for an autoregressive error of 30 %, each its own."""

    def losses(rng: np.random.Generator, trials: int, forecasts: int, count: int, horizon: int) -> Floats:
        volatility, returns = (days[:, None, 300:] for days in world(rng, trials, 300 + count + horizon - 1))
        errors = np.exp(0.3 * autoregressive(rng, (trials, forecasts, count), memory))
        return normal_crps(np.sqrt(horizon) * volatility[..., :count] * errors, ahead(returns, horizon))

    return losses


def noisy_ewma(world: Callable[..., tuple[Floats, Floats]], decay: float) -> Case:
    """CRPS of exponentially weighted volatilities, each from its own noisy measure of every day's variance."""

    def losses(rng: np.random.Generator, trials: int, forecasts: int, count: int, horizon: int) -> Floats:
        _, returns = world(rng, trials, 300 + count + horizon - 1)
        noise = np.exp(0.7 * rng.normal(size=(trials, forecasts, returns.shape[1])) - 0.7**2)
        variance = signal.lfilter([1 - decay], [1, -decay], (returns[:, None] * noise) ** 2)
        known = np.sqrt(horizon * variance[..., 299 : 299 + count])  # the last day known is the one before
        return normal_crps(known, ahead(returns[:, None, 300:], horizon))

    return losses


def noisy_medians(world: Callable[..., tuple[Floats, Floats]], memory: float) -> Case:
    """Squared error of medians that are off by a fifth of the volatility, each by its own autoregressive error."""

    def losses(rng: np.random.Generator, trials: int, forecasts: int, count: int, horizon: int) -> Floats:
        volatility, returns = (days[:, None, 300:] for days in world(rng, trials, 300 + count + horizon - 1))
        errors = 0.2 * autoregressive(rng, (trials, forecasts, count), memory)
        return np.asarray((ahead(returns, horizon) - np.sqrt(horizon) * volatility[..., :count] * errors) ** 2)

    return losses


def fast_and_slow(rng: np.random.Generator, trials: int, forecasts: int, count: int, horizon: int) -> Floats:
    """CRPS of a fast and a slow exponential volatility, the fast one blurred until both have the same mean."""
    _, returns = stochastic(rng, trials, 300 + count + horizon - 1)
    fast, slow = (
        np.sqrt(horizon * signal.lfilter([1 - decay], [1, -decay], returns**2)[:, 299 : 299 + count])
        for decay in (0.94, 0.985)
    )
    actual, blur = ahead(returns[:, 300:], horizon), rng.normal(size=fast.shape)
    least, most = 0.0, 2.0
    for _ in range(20):
        amount = (least + most) / 2
        blurred = normal_crps(fast * np.exp(amount * blur - amount**2 / 2), actual)
        least, most = (amount, most) if blurred.mean() < normal_crps(slow, actual).mean() else (least, amount)
    return np.stack([blurred, normal_crps(slow, actual)], axis=1)


def narrow_and_wide(rng: np.random.Generator, trials: int, forecasts: int, count: int, horizon: int) -> Floats:
    """CRPS of two constant bands, one made for calm and one for storm, with the same mean over all markets."""
    _, returns = stochastic(rng, trials, 300 + count + horizon - 1)
    actual = ahead(returns[:, 300:], horizon)
    narrow = 0.7 * np.sqrt(np.mean(actual**2)) * np.ones_like(actual)
    least, most = 1.1, 4.0
    for _ in range(20):
        amount = (least + most) / 2
        wide = normal_crps(amount * narrow, actual)
        least, most = (amount, most) if wide.mean() < normal_crps(narrow, actual).mean() else (least, amount)
    return np.stack([normal_crps(narrow, actual), wide], axis=1)


PAIRS: dict[str, tuple[Case, tuple[int, ...]]] = {
    "independent, overlapping": (independent, HORIZONS),
    "autoregressive 0.9": (persistent(0.9, 1.0), (1,)),
    "autoregressive 0.97": (persistent(0.97, 1.0), (1,)),
    "a fifth autoregressive 0.97": (persistent(0.97, 0.2), (1,)),
    "CRPS, GARCH, errors 0.95": (twins(garch, 0.95), HORIZONS),
    "CRPS, GARCH, errors 0.97": (twins(garch, 0.97), HORIZONS),
    "CRPS, GARCH, errors 0.99": (twins(garch, 0.99), HORIZONS),
    "CRPS, stochastic volatility, errors 0.97": (twins(stochastic, 0.97), HORIZONS),
    "CRPS, stochastic volatility, noisy EWMA": (noisy_ewma(stochastic, 0.97), HORIZONS),
    "squared error, GARCH, errors 0.97": (noisy_medians(garch, 0.97), HORIZONS),
    "CRPS, fast and blurred, or slow": (fast_and_slow, HORIZONS),
    "CRPS, always narrow, or always wide": (narrow_and_wide, HORIZONS),
}
"""Case -> its losses and the horizons it makes sense for. The last two are of equal skill only over all markets."""

SETS: dict[str, Case] = {
    "independent, overlapping": independent,
    "CRPS, GARCH, errors 0.97": twins(garch, 0.97),
    "CRPS, stochastic volatility, noisy EWMA": noisy_ewma(stochastic, 0.97),
}


def p_values(differences: Floats, horizon: int) -> Floats:
    """P-value of each trial's differences, shape (trials,)."""
    tests = [diebold_mariano(row, np.zeros_like(row), horizon=horizon) for row in differences]
    return np.array([np.nan if test is None else test.p_value for test in tests])


def p_values_of_lazarus(differences: Floats, horizon: int) -> Floats:
    """P-values with the variance of 0.4 n^(2/3) cosine waves instead, one at most per horizon, shape (trials,)."""
    count = differences.shape[1]
    waves = max(4, int(min(0.4 * count ** (2 / 3), count / horizon)))
    variance = np.mean(fft.dct(differences, norm="ortho")[:, 1 : waves + 1] ** 2, axis=1)
    correction = (count + 1 - 2 * horizon + horizon * (horizon - 1) / count) / count
    statistics = differences.mean(axis=1) / np.sqrt(variance / count) * np.sqrt(correction)
    return np.asarray(2 * special.stdtr(waves, -np.abs(statistics)))


def percent(found: npt.NDArray[np.bool_]) -> str:
    """Write a share as a percentage."""
    return f"{100 * np.mean(found):.1f}"


def pair_rows(trials: int) -> Iterator[str]:
    """Size and power of `diebold_mariano`, a row per case, count and horizon."""
    yield "| pair of equal skill | days ahead | origins | size at 5 %: waves | 0.4 n^(2/3) | power at 5 %: waves "
    yield "| 0.4 n^(2/3) | power at 0.33 %: waves | 0.4 n^(2/3) |\n|" + "---|" * 9 + "\n"
    for name, (case, horizons) in PAIRS.items():
        for horizon in horizons:
            for count in COUNTS:
                losses = case(np.random.default_rng([count, horizon]), trials, 2, count, horizon)
                differences = losses[:, 0] - losses[:, 1]
                edge = differences.mean(axis=1).std()  # one standard error, over the trials
                cells = []
                for shift, alpha in ((0, 0.05), (3, 0.05), (5, 0.05 / 15)):
                    for test in (p_values, p_values_of_lazarus):
                        cells.append(percent(test(differences - shift * edge, horizon) < alpha))
                kept = "" if BAR[0] <= float(cells[0]) / 100 <= BAR[1] else " (!)"
                yield f"| {name} | {horizon} | {count} | {cells[0]}{kept} | {' | '.join(cells[1:])} |\n"


def plain_bootstrap(losses: npt.NDArray[np.float64], block: int, seed: int) -> tuple[float, bool]:
    """Let `arch` test one set by itself: its SPA p-value, and whether its confidence set lost a name at 10 %."""
    from arch.bootstrap import MCS, SPA

    superior = SPA(losses[0], losses[1:].T, block_size=block, reps=500, seed=seed)
    confidence = MCS(losses.T, size=0.1, block_size=block, reps=500, seed=seed)
    superior.compute()
    confidence.compute()
    return float(superior.pvalues["consistent"]), len(confidence.included) < len(losses)


def pool_losses(rng: np.random.Generator, series: int, count: int, horizon: int) -> Floats:
    """CRPS of two equally good forecasts of several series of one market, shape (2, series, count)."""
    days = count + horizon - 1
    volatility = np.exp(0.41 * autoregressive(rng, (days,), 0.97))
    returns = volatility * half_common(rng.normal(size=days), rng.normal(size=(series, days)))
    common, own = (autoregressive(rng, shape, 0.97) for shape in ((2, 1, count), (2, series, count)))
    errors = np.exp(0.3 * half_common(common, own))
    return normal_crps(np.sqrt(horizon) * volatility[:count] * errors, ahead(returns, horizon))


def half_common(common: Floats, own: Floats) -> Floats:
    """Variables of which half of the variance is common."""
    return np.asarray(np.sqrt(0.5) * common + np.sqrt(0.5) * own)


POOLS = [
    *((series, horizon, count, False) for series in (12, 50) for horizon in (1, 5, 10, 20) for count in (250, 957)),
    *((12, horizon, 957, True) for horizon in (1, 5, 10, 20)),
]
"""Series, days ahead, days, and whether half of the series have only the second half of the days."""


def pool_row(series: int, horizon: int, count: int, has_late: bool, trials: int) -> str:
    """Size of the pooled test, and of the same test on all series end to end."""
    rng, found = np.random.default_rng([series, horizon, count]), []
    for _ in range(trials):
        losses = pool_losses(rng, series, count, horizon)
        sums, rows = DailyLosses.none(), []
        for number in range(series):
            first = count // 2 if has_late and number % 2 else 0
            pair = losses[:, number, first:] / losses[1, number, first:].mean()
            sums = sums.plus(np.arange(first, count), pair)
            rows.append(pair)
        own, other = np.concatenate(rows, axis=1)
        tests = sums.test(horizon=horizon), diebold_mariano(own, other, horizon=horizon)
        found.append([test is not None and test.p_value < 0.05 for test in tests])
    cells = [percent(column) for column in np.array(found).T]
    kept = "" if BAR[0] <= float(cells[0]) / 100 <= BAR[1] else " (!)"
    late = ", half of them late" if has_late else ""
    return f"| {series}{late} | {horizon} | {count} | {cells[0]}{kept} | {cells[1]} |"


def set_rows(sets: int) -> Iterator[str]:
    """Size of the tests of several forecasts, and power when the first of four is better or worse."""
    yield "\n| four of equal skill | days ahead | origins | SPA at 5 % | arch's | a name lost from the 90 % set "
    yield "| arch's | SPA finds a better rival | the better one is alone in the set |\n|" + "---|" * 9 + "\n"
    for name, case in SETS.items():
        for horizon, count in ((1, 957), (20, 957), (50, 250), (50, 957)):
            losses = case(np.random.default_rng([count, horizon]), sets, 4, count, horizon)
            edge = 4 * (losses[:, 0] - losses[:, 1]).mean(axis=1).std()
            found = []
            for seed, rows in enumerate(losses):
                rivals = dict(zip("bcd", rows[1:], strict=True))
                superior = superior_predictive_ability(rows[0], rivals, horizon=horizon, seed=seed)
                behind = superior_predictive_ability(rows[0] + edge, rivals, horizon=horizon, seed=seed)
                level = model_confidence_set({"a": rows[0], **rivals}, horizon=horizon, seed=seed)
                best = model_confidence_set({"a": rows[0] - edge, **rivals}, horizon=horizon, seed=seed)
                if superior is None or behind is None or level is None or best is None:
                    raise SystemExit(f"{name}, {count} origins, {horizon} days: nothing to test")
                plain, lost = plain_bootstrap(rows, max(horizon, int(np.cbrt(count))), seed)
                found.append(
                    (superior < 0.05, plain < 0.05, len(level.names) < 4, lost, behind < 0.05, best.names == ("a",))
                )
            yield f"| {name} | {horizon} | {count} | {' | '.join(percent(column) for column in np.array(found).T)} |\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--sets", type=int, default=300)
    parser.add_argument("--pool", action="store_true", help="simulate pools of series only")
    chosen = parser.parse_args()
    if chosen.pool:
        print("| series | days ahead | days | size at 5 %: over days | all series end to end |\n|" + "---|" * 5)
        for pool in POOLS:
            print(pool_row(*pool, chosen.trials), flush=True)
        print(f"\n(!): outside {100 * BAR[0]:.0f} to {100 * BAR[1]:.0f} %. {chosen.trials} pools a row, in %.")
        raise SystemExit
    for row in pair_rows(chosen.trials):
        print(row, end="", flush=True)
    print(f"\n(!): outside {100 * BAR[0]:.0f} to {100 * BAR[1]:.0f} %. {chosen.trials} pairs a row, in %.")
    for row in set_rows(chosen.sets):
        print(row, end="", flush=True)
    print(f"\n{chosen.sets} sets a row, in %; the edge is four standard errors of a difference.")
