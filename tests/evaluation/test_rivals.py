"""One question to all rivals: every answer whole, every failure told, only what is costly kept."""

import numpy as np
import pytest

from stockcast.errors import RivalError
from stockcast.evaluation import rivals
from stockcast.evaluation.baselines import Question, random_walk
from stockcast.evaluation.rivals import RIVALS, Rival, ask_rivals
from stockcast.forecast import LEVELS

CHEAP = ["random_walk", "drift", "volatility_20", "ewma"]
COSTLY = ["garch_t", "gjr_skewt"]


def ask(*, days=400, origins=(300, 330, 380), volatility=0.01):
    dates = np.datetime64("2020-01-01") + np.arange(days)
    closes = 50 * np.exp(np.cumsum(volatility * np.random.default_rng(3).standard_t(5, days)))
    return Question(dates, closes, np.array(origins), horizon=6, training_days=300)


def asked(question, *, keep=lambda name, make: make(), report=lambda name, done, of: None):
    return ask_rivals(question, keep=keep, report=report)


def fail(question, report):
    raise RivalError("it had a bad day")


def test_the_rivals_are_the_simplest_ones_first_and_the_garch_family_last():
    assert list(RIVALS) == [*CHEAP, *COSTLY]
    assert len({rival.label for rival in RIVALS.values()}) == len(RIVALS)


def test_every_rival_answers_with_sorted_finite_prices_for_the_days_it_was_asked():
    question = ask()
    answers = asked(question)
    assert list(answers.forecasts) == list(RIVALS)
    assert answers.failures == {}
    for forecast in answers.forecasts.values():
        assert forecast.quantiles.shape == (3, 6, len(LEVELS))
        assert np.isfinite(forecast.quantiles).all()
        assert (forecast.quantiles > 0).all()
        assert (np.diff(forecast.quantiles, axis=-1) > 0).all()
        assert forecast.last_close.tolist() == question.closes[[300, 330, 380]].tolist()
        assert forecast.origin_dates.tolist() == question.dates[[300, 330, 380]].tolist()
        assert forecast.target_dates[1].tolist() == question.dates[331:337].tolist()
        assert forecast.levels.tolist() == LEVELS.tolist()


def test_each_rival_answers_in_its_own_way():
    forecasts = list(asked(ask()).forecasts.values())
    for number, one in enumerate(forecasts):
        for other in forecasts[:number]:
            assert not np.allclose(one.quantiles, other.quantiles, rtol=1e-4)


def test_a_rival_that_fails_is_listed_with_its_reason_and_the_others_still_answer(monkeypatch):
    monkeypatch.setitem(rivals.RIVALS, "drift", Rival("drift", fail))
    answers = asked(ask(origins=(200,)))  # too early for the garch family
    assert list(answers.forecasts) == ["random_walk", "volatility_20", "ewma"]
    assert answers.failures.keys() == {"drift", *COSTLY}
    assert answers.failures["drift"] == "it had a bad day"
    assert answers.failures["garch_t"] == "it needs 250 returns before the first origin, and there are 200"


def test_of_prices_that_never_move_the_simple_rivals_answer_and_the_garch_family_says_why_not():
    answers = asked(ask(volatility=0.0))
    assert list(answers.forecasts) == CHEAP
    assert answers.failures.keys() == set(COSTLY)
    assert all("never vary" in reason for reason in answers.failures.values())


def test_a_failure_while_it_is_kept_is_a_failure_too():
    def keep(name, make):
        raise RivalError(f"{name} was not kept")

    answers = asked(ask(), keep=keep)
    assert list(answers.forecasts) == CHEAP
    assert answers.failures == {name: f"{name} was not kept" for name in COSTLY}


def test_an_error_that_is_no_rivals_own_is_not_hidden(monkeypatch):
    def bug(question, report):
        raise ZeroDivisionError

    monkeypatch.setitem(rivals.RIVALS, "drift", Rival("drift", bug))
    with pytest.raises(ZeroDivisionError):
        asked(ask())


def test_only_costly_forecasts_are_kept_and_what_was_kept_is_the_answer():
    names, question = [], ask()
    remembered = random_walk(question)

    def keep(name, make):
        names.append(name)
        return remembered

    answers = asked(question, keep=keep)
    assert names == COSTLY
    assert [name for name, rival in RIVALS.items() if rival.costly] == COSTLY
    assert all(answers.forecasts[name] is remembered for name in COSTLY)


def test_each_costly_rival_makes_its_own_forecast_however_late_it_is_asked_to():
    makers = {}

    def keep(name, make):
        makers[name] = make
        return random_walk(question)

    question = ask()
    asked(question, keep=keep)
    right = asked(question).forecasts
    for name in COSTLY:
        assert makers[name]().quantiles.tobytes() == right[name].quantiles.tobytes()


def test_progress_is_told_under_the_rivals_name():
    told = []
    asked(ask(), report=lambda name, done, of: told.append((name, done, of)))
    assert told == [("garch_t", 1, 1), ("gjr_skewt", 1, 1)]
