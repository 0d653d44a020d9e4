"""Who the network is held against: one list, from the simplest to the best that econometrics has."""

from collections.abc import Callable
from dataclasses import dataclass

from stockcast.errors import RivalError
from stockcast.evaluation.baselines import Question, drift, ewma, historical_volatility, random_walk
from stockcast.evaluation.garch import GARCH_T, GJR_SKEWT, Report, garch
from stockcast.forecast import Forecast


@dataclass(frozen=True)
class Rival:
    """One rival.

    Attributes:
        label: its name in a sentence.
        answer: a question to its forecast; raises RivalError where it has none.
        costly: whether it takes seconds, so that its answer is worth keeping.
    """

    label: str
    answer: Callable[[Question, Report], Forecast]
    costly: bool = False


RIVALS: dict[str, Rival] = {
    "random_walk": Rival("the random walk", lambda question, report: random_walk(question)),
    "drift": Rival("drift", lambda question, report: drift(question)),
    "volatility_20": Rival("20-day volatility", lambda question, report: historical_volatility(question)),
    "ewma": Rival("EWMA volatility", lambda question, report: ewma(question)),
    "garch_t": Rival("GARCH(1,1)-t", lambda question, report: garch(question, GARCH_T, report=report), costly=True),
    "gjr_skewt": Rival(
        "GJR-GARCH-skewt", lambda question, report: garch(question, GJR_SKEWT, report=report), costly=True
    ),
}


@dataclass(frozen=True)
class Answers:
    """What the rivals said: forecasts by name, and for those without one the reason."""

    forecasts: dict[str, Forecast]
    failures: dict[str, str]


Keep = Callable[[str, Callable[[], Forecast]], Forecast]
"""Given a rival's name and how to make its forecast, returns the forecast: made, or kept from an earlier time."""


def ask_rivals(question: Question, *, keep: Keep, report: Callable[[str, int, int], None]) -> Answers:
    """Put the question to every rival.

    Args:
        question: what the network was asked.
        keep: who makes or remembers a costly forecast.
        report: told of progress: the rival, estimates made, of so many.
    """
    forecasts, failures = {}, {}
    for name, rival in RIVALS.items():

        def make(name: str = name, rival: Rival = rival) -> Forecast:
            return rival.answer(question, lambda done, of: report(name, done, of))

        try:
            forecasts[name] = keep(name, make) if rival.costly else make()
        except RivalError as error:
            failures[name] = str(error)
    return Answers(forecasts, failures)
