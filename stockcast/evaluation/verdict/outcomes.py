"""What significance tests prove once they are corrected for their number, and the parts of sentences that report it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

from stockcast.evaluation.significance import SkillTest, holm
from stockcast.frequency import Frequency
from stockcast.text import capital, p_value_text

ALPHA = 0.05
"""Chance of one false claim in a whole verdict, after correction for the number of tests."""

Outcome = Literal["better", "worse", "open", "untested", "same"]
"""Of the first of two forecasts, as a sentence orders them; open: no significant difference, same: equal forecasts."""

_UNDECIDED: dict[Outcome, str] = {"open": "no significant difference", "untested": "no test is possible"}

Key = TypeVar("Key")


def opening(subject: str) -> str:
    """Return who forecasts as a sentence begins with it; a model's name stays as it is."""
    return capital(subject) if subject.startswith("the ") else subject


def words_of(subject: str) -> dict[Outcome, str]:
    """Return how a sentence calls the outcomes of a forecast: `the network is better`."""
    return {"better": f"{subject} is better", "worse": f"{subject} is worse"}


@dataclass(frozen=True)
class CorrectedTest:
    """A Diebold-Mariano test that is one of several.

    Attributes:
        outcome: what it proves.
        p_value: corrected for the number of tests (Holm 1979); None without a test.
    """

    outcome: Outcome
    p_value: float | None


Results = dict[Key, dict[int, CorrectedTest]]
"""By what is compared, then by days ahead."""


def correct(tests: Mapping[Key, Mapping[int, SkillTest | None]]) -> Results[Key]:
    """Correct all tests for their number; None is a test that was not possible."""
    made = [test.p_value for by_step in tests.values() for test in by_step.values() if test is not None]
    p_values = iter(holm(made))

    def corrected(test: SkillTest | None) -> CorrectedTest:
        if test is None:
            return CorrectedTest("untested", None)
        p_value = next(p_values)
        significant: Outcome = "better" if test.statistic < 0 else "worse"
        return CorrectedTest(significant if p_value < ALPHA else "open", p_value)

    return {key: {step: corrected(test) for step, test in by_step.items()} for key, by_step in tests.items()}


def steps_with(results: Mapping[int, CorrectedTest], outcome: Outcome) -> list[int]:
    """Return the days ahead with this outcome."""
    return [step for step, result in results.items() if result.outcome == outcome]


def describe(
    results: Mapping[int, CorrectedTest],
    words: Mapping[Outcome, str],
    *,
    score: str,
    detail: Callable[[int], str],
    frequency: Frequency,
) -> str:
    """Write "better at 1 and 5 days (CRPS 3.2 % lower, p = 0.021; ...); no significant difference at 20 days (...)".

    Args:
        results: by days ahead.
        words: for "better", "worse", and "same" where it can occur.
        score: what the details are of.
        detail: days ahead -> the figures behind the test.
        frequency: days, weeks or months; a day ahead is one of these.
    """
    phrases = {**words, **_UNDECIDED}

    def with_p_value(step: int) -> str:
        p_value = results[step].p_value
        return detail(step) if p_value is None else f"{detail(step)}, {p_value_text(p_value)}"

    return "; ".join(
        f"{phrases[outcome]} at {frequency.steps(steps)} ({score} {'; '.join(map(with_p_value, steps))})"
        for outcome in get_args(Outcome)
        if (steps := steps_with(results, outcome))
    )


def skill_text(skill: float | None) -> str:
    """Write a skill as the share by which the score is lower or higher; None is against a score of 0."""
    if skill is None:
        return "0 for the baseline"
    return f"{abs(100 * skill):.1f} % {'lower' if skill >= 0 else 'higher'}"


def correction_note(results: Iterable[Mapping[int, CorrectedTest]]) -> list[str]:
    """Return the sentence on what the p-values of a verdict are; none for fewer than two tests."""
    count = sum(result.p_value is not None for by_step in results for result in by_step.values())
    return [f"Each p is corrected for {count} such tests (Diebold-Mariano, Holm)."] if count > 1 else []
