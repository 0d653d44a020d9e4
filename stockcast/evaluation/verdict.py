"""Significance tests -> plain words, also when the network loses."""

from collections.abc import Iterable

from stockcast.evaluation.behaviour import Lag, Trend
from stockcast.evaluation.scores import Report
from stockcast.evaluation.significance import holm
from stockcast.forecast import price_text

ALPHA = 0.05
"""Chance of one false claim in the whole verdict, after correction for the number of rivals and horizons."""

BAND_TOLERANCE = 0.05
"""A band holds if its coverage is no further than this from its promise."""

RIVAL_NAMES = {
    "random_walk": "the random walk",
    "drift": "drift",
    "ewma": "EWMA volatility",
}


def judge(report: Report, trend: Trend, lag: Lag) -> tuple[str, ...]:
    """Say in a few sentences what the scores carry, and no more.

    Args:
        report: network and rivals at each reported horizon.
        trend: direction of the whole forecast.
        lag: of the one-day median behind the price.

    Returns:
        One sentence each, the last one for somebody who reads only that.
    """
    outcomes = _outcomes(report)
    sentences = [_against(rival, outcomes, report) for rival in report.overall.baselines]
    sentences += [_bands(report), _median(report), _direction(trend)]
    if lag.warning:
        sentences.append(
            f"The one-day median trails the price by {_days([lag.peak or 0])} (its changes follow the price's own, "
            f"correlation {lag.correlation:.2f}) and comes no nearer to what follows than the last price does."
        )
    return (*sentences, _in_short(outcomes))


Outcomes = dict[str, dict[int, str]]
"""Rival -> horizon -> better, worse, open (tested, and within luck) or untested."""


def _outcomes(report: Report) -> Outcomes:
    tested = [
        (rival, step, test)
        for step, comparison in report.horizons.items()
        for rival, test in comparison.tests.items()
        if test is not None
    ]
    corrected = holm([test.p_value for _, _, test in tested])
    outcomes: Outcomes = {rival: dict.fromkeys(report.horizons, "untested") for rival in report.overall.baselines}
    for (rival, step, test), p_value in zip(tested, corrected, strict=True):
        carried = "better" if test.statistic < 0 else "worse"
        outcomes[rival][step] = carried if p_value < ALPHA else "open"
    return outcomes


def _against(rival: str, outcomes: Outcomes, report: Report) -> str:
    by_outcome = {
        outcome: [step for step, found in outcomes[rival].items() if found == outcome]
        for outcome in ("better", "worse", "open", "untested")
    }
    words = {
        "better": "the network is better",
        "worse": "the network is worse",
        "open": "too close to call",
        "untested": "too few days to tell",
    }
    parts = [
        f"{words[outcome]} at {_days(steps)} (CRPS {_skills(rival, steps, report)})"
        for outcome, steps in by_outcome.items()
        if steps
    ]
    return f"Against {RIVAL_NAMES[rival]}: {'; '.join(parts)}."


def _skills(rival: str, steps: list[int], report: Report) -> str:
    """Say by how much the network's CRPS is lower or higher, step by step."""
    skills = [report.horizons[step].skill[rival] for step in steps]
    return ", ".join(
        "not to compare" if skill is None else f"{abs(100 * skill):.1f} % {'lower' if skill >= 0 else 'higher'}"
        for skill in skills
    )


def _bands(report: Report) -> str:
    covered = {step: comparison.model.coverage_90 for step, comparison in report.horizons.items()}
    narrow = [step for step, share in covered.items() if share < 0.9 - BAND_TOLERANCE]
    wide = [step for step, share in covered.items() if share > 0.9 + BAND_TOLERANCE]
    faults = [f"too {how} at {_days(steps)}" for how, steps in (("narrow", narrow), ("wide", wide)) if steps]
    points = f"{100 * BAND_TOLERANCE:.0f} points"
    verdict = f"They are {' and '.join(faults)}, by more than {points}." if faults else f"They hold to within {points}."
    return (
        f"The 90 % bands covered {', '.join(f'{100 * share:.1f} %' for share in covered.values())} of the "
        f"prices {_days(covered)} ahead. {verdict}"
    )


def _median(report: Report) -> str:
    step = min(report.horizons)
    comparison = report.horizons[step]
    own, rival = comparison.model.mae, comparison.baselines["random_walk"].mae
    return (
        f"The median misses the price {_days([step])} ahead by {price_text(own)} on average; "
        f"saying today's price misses it by {price_text(rival)}."
    )


def _direction(trend: Trend) -> str:
    return (
        f"The direction of the whole forecast (up, down, or flat within {100 * trend.threshold:.0f} %) was right for "
        f"{100 * trend.accuracy:.0f} % of the origins; always saying up would have been right for "
        f"{100 * trend.always_up:.0f} %."
    )


def _in_short(outcomes: Outcomes) -> str:
    found = [outcome for by_step in outcomes.values() for outcome in by_step.values()]
    beaten = [rival for rival, by_step in outcomes.items() if "better" in by_step.values()]
    if "worse" in found and not beaten:
        return "In short: on these days the network did worse than rivals that cost nothing. Do not use it."
    if set(found) == {"untested"}:
        return "In short: the days scored are too few to tell whether the network knows anything. Bring more."
    if not beaten:
        return "In short: on these days the network showed no skill beyond rivals that cost nothing."
    names = _list([RIVAL_NAMES[rival] for rival in beaten])
    if "worse" in found:
        return f"In short: a mixed result; better than {names} at some horizons, and worse than a rival at others."
    unbeaten = [RIVAL_NAMES[rival] for rival in outcomes if rival not in beaten]
    rest = f", but not than {_list(unbeaten)}" if unbeaten else ""
    everywhere = all(outcome == "better" for rival in beaten for outcome in outcomes[rival].values())
    where = "" if everywhere else ", at some of the horizons"
    return (
        f"In short: on these days the network knew better than {names} how far the price might move{where}{rest}. "
        f"That is a statement about risk, not a tip to buy or sell."
    )


def _days(steps: Iterable[int]) -> str:
    steps = list(steps)
    return f"{_list([str(step) for step in steps])} {'day' if steps == [1] else 'days'}"


def _list(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
