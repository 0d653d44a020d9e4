"""The baselines that a network is compared with, by their name in metrics.json."""

from collections.abc import Callable
from dataclasses import dataclass

from stockcast.errors import BaselineError
from stockcast.evaluation.baselines.garch import GARCH_T, GJR_SKEWT, OnEstimate, garch
from stockcast.evaluation.baselines.naive import drift, ewma, historical_volatility, random_walk
from stockcast.evaluation.baselines.task import ForecastTask
from stockcast.forecast import Forecast
from stockcast.frequency import Frequency


@dataclass(frozen=True)
class Baseline:
    """A baseline.

    Attributes:
        label: its name in a sentence, with a place for the unit of time.
        forecast: task -> forecast; raises BaselineError where it has none.
        costly: whether it takes seconds, so that a run stores its forecast.
    """

    label: str
    forecast: Callable[[ForecastTask, OnEstimate], Forecast]
    costly: bool = False

    def name(self, frequency: Frequency) -> str:
        """Return its name in a sentence about bars of days, weeks or months."""
        return self.label.format(unit=frequency.unit)


BASELINES: dict[str, Baseline] = {
    "random_walk": Baseline("the random walk", lambda task, on_estimate: random_walk(task)),
    "drift": Baseline("drift", lambda task, on_estimate: drift(task)),
    "volatility_20": Baseline("20-{unit} volatility", lambda task, on_estimate: historical_volatility(task)),
    "ewma": Baseline("EWMA volatility", lambda task, on_estimate: ewma(task)),
    "garch_t": Baseline(
        "GARCH(1,1)-t", lambda task, on_estimate: garch(task, GARCH_T, on_estimate=on_estimate), costly=True
    ),
    "gjr_skewt": Baseline(
        "GJR-GARCH-skewt", lambda task, on_estimate: garch(task, GJR_SKEWT, on_estimate=on_estimate), costly=True
    ),
}


@dataclass(frozen=True)
class BaselineForecasts:
    """Forecasts by baseline, and for baselines without a forecast the reason."""

    forecasts: dict[str, Forecast]
    failures: dict[str, str]


Cache = Callable[[str, Callable[[], Forecast]], Forecast]
"""Given a baseline's name and how to compute its forecast, returns the forecast: computed, or read from a run."""


def forecast_baselines(
    task: ForecastTask, *, cache: Cache, on_progress: Callable[[str, int, int], None]
) -> BaselineForecasts:
    """Let every baseline forecast a task.

    Args:
        task: the network's own.
        cache: computes or reads the forecast of a costly baseline.
        on_progress: given the baseline, the number of estimates made, and of how many.
    """
    forecasts, failures = {}, {}
    for name, baseline in BASELINES.items():

        def make(name: str = name, baseline: Baseline = baseline) -> Forecast:
            return baseline.forecast(task, lambda done, of: on_progress(name, done, of))

        try:
            forecasts[name] = cache(name, make) if baseline.costly else make()
        except BaselineError as error:
            failures[name] = str(error)
    return BaselineForecasts(forecasts, failures)
