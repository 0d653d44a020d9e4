"""What a classifier's scores carry, in plain words, also when the network loses."""

from stockcast.evaluation.directions import ALWAYS_UP, SHARES, DirectionReport
from stockcast.evaluation.significance import holm
from stockcast.evaluation.verdict import ALPHA
from stockcast.evaluation.wording import days, listed, p_text

Corrected = dict[tuple[str, int], float]
"""Rival and horizon -> p-value after correction for the number of tests made."""

Outcomes = dict[str, dict[int, str]]
"""Rival -> horizon -> better, worse, open (tested, and within luck), same (the same answers) or untested."""


def judge_directions(report: DirectionReport) -> tuple[str, ...]:
    """Say in a few sentences what the scores carry, and no more.

    Returns:
        One sentence each, the last one for somebody who reads only that.
    """
    tested = {
        (rival, step): test.p_value
        for step, comparison in report.horizons.items()
        for rival, test in comparison.tests.items()
        if test is not None
    }
    corrected = dict(zip(tested, holm(list(tested.values())), strict=True))
    outcomes = _outcomes(report, corrected)
    sentences = [
        _against_shares(outcomes[SHARES], report, corrected),
        _against_up(outcomes[ALWAYS_UP], report, corrected),
    ]
    if len(corrected) > 1:
        sentences.append(
            f"Each p above is corrected for there being {len(corrected)} such tests (Diebold-Mariano, Holm)."
        )
    return (*sentences, _by_class(report), *_moves(report), _reliability(report), _in_short(outcomes, report))


def _outcomes(report: DirectionReport, corrected: Corrected) -> Outcomes:
    outcomes: Outcomes = {rival: dict.fromkeys(report.horizons, "untested") for rival in (SHARES, ALWAYS_UP)}
    for step, comparison in report.horizons.items():
        if comparison.model.confusion == comparison.baselines[ALWAYS_UP].confusion:
            outcomes[ALWAYS_UP][step] = "same"
    for (rival, step), p_value in corrected.items():
        test = report.horizons[step].tests[rival]
        carried = "better" if test is not None and test.statistic < 0 else "worse"
        outcomes[rival][step] = carried if p_value < ALPHA else "open"
    return outcomes


def _against_shares(outcomes: dict[int, str], report: DirectionReport, corrected: Corrected) -> str:
    words = {
        "better": "its probabilities are better",
        "worse": "its probabilities are worse",
        "open": "too close to call",
        "untested": "no test is possible",
    }

    def told(step: int) -> str:
        skill = report.horizons[step].skill[SHARES]
        if skill is None:
            return "0 for the rival"
        return f"{abs(100 * skill):.1f} % {'lower' if skill >= 0 else 'higher'}{_p(corrected, SHARES, step)}"

    parts = [
        f"{how} at {days(steps)} (Brier score {'; '.join(told(step) for step in steps)})"
        for outcome, how in words.items()
        if (steps := _at(outcomes, outcome))
    ]
    return f"Against the class shares of the training days, which need no network: {'; '.join(parts)}."


def _against_up(outcomes: dict[int, str], report: DirectionReport, corrected: Corrected) -> str:
    words = {
        "better": "it is right more often",
        "worse": "it is right less often",
        "open": "too close to call",
        "untested": "no test is possible",
        "same": "it says up every day too",
    }

    def told(step: int) -> str:
        comparison = report.horizons[step]
        own, rival = (f"{100 * one.accuracy:.1f} %" for one in (comparison.model, comparison.baselines[ALWAYS_UP]))
        return f"{own}{'' if outcomes[step] == 'same' else f' against {rival}'}{_p(corrected, ALWAYS_UP, step)}"

    parts = [
        f"{how} at {days(steps)} (right on {'; '.join(told(step) for step in steps)})"
        for outcome, how in words.items()
        if (steps := _at(outcomes, outcome))
    ]
    return f"Against always saying up: {'; '.join(parts)}."


def _at(outcomes: dict[int, str], outcome: str) -> list[int]:
    return [step for step, found in outcomes.items() if found == outcome]


def _p(corrected: Corrected, rival: str, step: int) -> str:
    return f", {p_text(corrected[rival, step])}" if (rival, step) in corrected else ""


def _by_class(report: DirectionReport) -> str:
    """Say on which share of each class's days the network said that class, at the first horizon."""
    step = min(report.horizons)
    comparison = report.horizons[step]
    came = [f"{name} on {100 * share:.0f} %" for name, share in comparison.came.items()]
    right = [
        f"{100 * share:.0f} % of the days that were {name}"
        for name, share in comparison.model.accuracy_by_class.items()
        if share is not None
    ]
    told = f"After {days([step])} the price was {listed(came)} of the days. The network had said so on {listed(right)}"
    balanced = comparison.model.balanced_accuracy
    if balanced is None:
        return f"{told}."
    same = 100 / len(report.classes)
    return f"{told}: {100 * balanced:.1f} % on average, where saying the same every day has {same:.0f} %."


def _moves(report: DirectionReport) -> list[str]:
    """Say how the network did on the way alone, where flat is a class."""
    step = min(report.horizons)
    moves = report.horizons[step].moves
    if moves is None or moves.right is None or moves.up is None:
        return []
    return [
        f"Of the {moves.count} days that were not flat after {days([step])}, it had thought the way that came the "
        f"likelier one on {100 * moves.right:.0f} %; always up was right on {100 * moves.up:.0f} %."
    ]


def _reliability(report: DirectionReport) -> str:
    """Say what came of the lowest and of the highest probabilities of up, at the first horizon."""
    step = min(report.horizons)
    points = report.horizons[step].reliability[report.classes[-1]]
    lowest, highest = points[0], points[-1]
    if lowest is highest:
        return (
            f"Its probability of up after {days([step])} is {lowest.probability:.2f} on all days; the price rose on "
            f"{100 * lowest.share:.0f} % of them."
        )
    return (
        f"On the {lowest.count} days with its lowest probabilities of up after {days([step])} "
        f"({lowest.probability:.2f} on average) the price was up on {100 * lowest.share:.0f} %, on the {highest.count} "
        f"with its highest ({highest.probability:.2f}) on {100 * highest.share:.0f} %."
    )


def _in_short(outcomes: Outcomes, report: DirectionReport) -> str:
    better, worse = _at(outcomes[SHARES], "better"), _at(outcomes[SHARES], "worse")
    said = f"the network's probabilities of {listed(list(report.classes))}"
    shares = "the class shares of the training days"
    if set(outcomes[SHARES].values()) == {"untested"}:
        return "In short: these days allow no test of whether the network knows anything of the direction. Bring more."
    if worse and not better:
        return f"In short: on these days {said} were worse than {shares} at {days(worse)} ahead. Do not use it."
    if not better:
        return f"In short: on these days {said} were no better than {shares}, which need no network."
    if worse:
        return (
            f"In short: a mixed result; {said} were better than {shares} at {days(better)} ahead, and worse at "
            f"{days(worse)}."
        )
    of_size = " That may be knowledge of how far prices move, and not which way." if len(report.classes) == 3 else ""
    more = _at(outcomes[ALWAYS_UP], "better")
    right = (
        f"It was also right more often than always saying up, at {days(more)}"
        if more
        else "It was not shown to be right more often than always saying up"
    )
    return (
        f"In short: on these days {said} were better than {shares} at {days(better)} ahead.{of_size} {right}. That is "
        f"no tip to buy or sell."
    )
