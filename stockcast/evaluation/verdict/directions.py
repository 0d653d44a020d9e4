"""Scores of direction forecasts -> a verdict in sentences."""

from dataclasses import replace

from stockcast.evaluation.direction_scores import ALWAYS_UP, SHARES, DirectionComparison, DirectionReport
from stockcast.evaluation.verdict import outcomes
from stockcast.frequency import Frequency
from stockcast.text import join_words

_SHARES_WORDS: dict[outcomes.Outcome, str] = {
    "better": "the network's probabilities are better",
    "worse": "the network's probabilities are worse",
}
_UP_WORDS: dict[outcomes.Outcome, str] = {
    "better": "the network is right more often",
    "worse": "the network is right less often",
    "same": "the network always forecasts up too",
}


def judge_directions(report: DirectionReport) -> tuple[str, ...]:
    """Sum up what the scores prove, and no more: one sentence for each aspect, the last one the summary."""
    horizons, frequency = report.horizons, report.frequency
    results = outcomes.correct(
        {
            baseline: {step: comparison.tests[baseline] for step, comparison in horizons.items()}
            for baseline in (SHARES, ALWAYS_UP)
        }
    )
    for step, comparison in horizons.items():
        if comparison.model.confusion == comparison.baselines[ALWAYS_UP].confusion:
            results[ALWAYS_UP][step] = replace(results[ALWAYS_UP][step], outcome="same")

    def up_detail(step: int) -> str:
        own = f"{100 * horizons[step].model.accuracy:.1f} %"
        if results[ALWAYS_UP][step].outcome == "same":
            return own
        return f"{own} against {100 * horizons[step].baselines[ALWAYS_UP].accuracy:.1f} %"

    against_shares = outcomes.describe(
        results[SHARES],
        _SHARES_WORDS,
        score="Brier score",
        detail=lambda step: outcomes.skill_text(horizons[step].skill[SHARES]),
        frequency=frequency,
    )
    against_up = outcomes.describe(
        results[ALWAYS_UP], _UP_WORDS, score=f"right {frequency.on}", detail=up_detail, frequency=frequency
    )
    first = min(horizons)
    return (
        f"Against the class shares of the training {frequency.unit}s, which need no network: {against_shares}.",
        f"Against always forecasting up: {against_up}.",
        *outcomes.correction_note(results.values()),
        _by_class(horizons[first], first, frequency),
        *_moves(horizons[first], first, frequency),
        _reliability(horizons[first], first, frequency, up=report.classes[-1]),
        _summary(results, report.classes, frequency),
    )


def _by_class(comparison: DirectionComparison, step: int, frequency: Frequency) -> str:
    """On which share of each class's days the network forecast that class."""
    unit, on = frequency.unit, frequency.on
    shares = [f"{name} {on} {100 * share:.0f} %" for name, share in comparison.came.items()]
    recalls = [
        f"{100 * share:.0f} % of the {name} {unit}s"
        for name, share in comparison.model.accuracy_by_class.items()
        if share is not None
    ]
    sentences = (
        f"After {frequency.steps([step])} the price was {join_words(shares)} of the {unit}s. The network was right "
        f"{on} {join_words(recalls)}"
    )
    balanced = comparison.model.balanced_accuracy
    if balanced is None:
        return f"{sentences}."
    constant = 100 / len(comparison.came)
    return f"{sentences}: {100 * balanced:.1f} % on average, where always forecasting one class has {constant:.0f} %."


def _moves(comparison: DirectionComparison, step: int, frequency: Frequency) -> list[str]:
    """Which of down and up was likelier, where flat is a class."""
    moves = comparison.moves
    if moves is None or moves.right is None or moves.up is None:
        return []
    on = frequency.on
    return [
        f"Of the {frequency.count(moves.count)} that were not flat after {frequency.steps([step])}, the network gave "
        f"the actual direction the larger probability {on} {100 * moves.right:.0f} %; always up was right {on} "
        f"{100 * moves.up:.0f} %."
    ]


def _reliability(comparison: DirectionComparison, step: int, frequency: Frequency, *, up: str) -> str:
    """How often the price rose after the lowest and after the highest probabilities of up."""
    points = comparison.reliability[up]
    lowest, highest = points[0], points[-1]
    after, unit, on = frequency.steps([step]), frequency.unit, frequency.on
    if lowest is highest:
        return (
            f"The probability of up after {after} is {lowest.probability:.2f} {on} all {unit}s; the price was "
            f"up {on} {100 * lowest.share:.0f} % of them."
        )
    return (
        f"{on.title()} the {lowest.count} {unit}s with the lowest probabilities of up after {after} "
        f"({lowest.probability:.2f} on average) the price was up {on} {100 * lowest.share:.0f} %, {on} the "
        f"{highest.count} with the highest ({highest.probability:.2f}) {on} {100 * highest.share:.0f} %."
    )


def _summary(results: outcomes.Results[str], classes: tuple[str, ...], frequency: Frequency) -> str:
    unit, count, then = frequency.unit, frequency.steps, f"{frequency.on} these {frequency.unit}s"
    better, worse = (outcomes.steps_with(results[SHARES], outcome) for outcome in ("better", "worse"))
    network, shares = (
        f"the network's probabilities of {join_words(list(classes))}",
        f"the class shares of the training {unit}s",
    )
    if all(result.outcome == "untested" for result in results[SHARES].values()):
        return (
            f"In short: these {unit}s allow no test of whether the network can forecast the direction. Evaluate more "
            f"{unit}s."
        )
    if worse and not better:
        return f"In short: {then} {network} are worse than {shares} at {count(worse)} ahead. Do not use it."
    if not better:
        return f"In short: {then} {network} are no better than {shares}, which need no network."
    if worse:
        return (
            f"In short: a mixed result. {then.capitalize()} {network} are better than {shares} at {count(better)} "
            f"ahead, and worse at {count(worse)}."
        )
    size = " That may come from knowing how far prices move, not which way." if len(classes) == 3 else ""
    more = outcomes.steps_with(results[ALWAYS_UP], "better")
    right = f"It is also right more often than always forecasting up, at {count(more)}"
    if not more:
        right = "It is not significantly more often right than always forecasting up"
    return (
        f"In short: {then} {network} are better than {shares} at {count(better)} ahead.{size} {right}. That "
        f"is no tip to buy or sell."
    )
