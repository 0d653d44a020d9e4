"""Significance tests -> plain words, also when the network loses."""

from collections.abc import Iterable

from stockcast.evaluation.behaviour import Lag, Trend
from stockcast.evaluation.risk import ValueAtRisk
from stockcast.evaluation.rivals import RIVALS
from stockcast.evaluation.scores import Report
from stockcast.evaluation.significance import holm
from stockcast.evaluation.wording import days, listed, p_text
from stockcast.forecast import price_text

ALPHA = 0.05
"""Chance of one false claim in the whole verdict, after correction for the number of rivals and horizons."""

BAND_TOLERANCE = 0.05
"""A band holds if its coverage is no further than this from its promise."""


def judge(report: Report, trend: Trend, lag: Lag) -> tuple[str, ...]:
    """Say in a few sentences what the scores carry, and no more.

    Args:
        report: network and rivals at each reported horizon.
        trend: direction of the whole forecast.
        lag: of the one-day median behind the price.

    Returns:
        One sentence each, the last one for somebody who reads only that.
    """
    corrected = _corrected(report)
    outcomes = _outcomes(report, corrected)
    sentences = [_against(rival, outcomes, report, corrected) for rival in report.overall.baselines]
    sentences += [*_correction(corrected), *_failures(report), *_best(report)]
    sentences += [_bands(report), *_storms(report), *_value_at_risk(report)]
    sentences += [_median(report), _direction(trend)]
    if lag.warning:
        sentences.append(
            f"The one-day median trails the price by {days([lag.peak or 0])} (its changes follow the price's own, "
            f"correlation {lag.correlation:.2f}) and comes no nearer to what follows than the last price does."
        )
    return (*sentences, _in_short(outcomes, report))


Outcomes = dict[str, dict[int, str]]
"""Rival -> horizon -> better, worse, open (tested, and within luck) or untested."""

Corrected = dict[tuple[str, int], float]
"""Rival and horizon -> p-value after correction for the number of tests made."""


def _corrected(report: Report) -> Corrected:
    tested = {
        (rival, step): test.p_value
        for step, comparison in report.horizons.items()
        for rival, test in comparison.tests.items()
        if test is not None
    }
    return dict(zip(tested, holm(list(tested.values())), strict=True))


def _outcomes(report: Report, corrected: Corrected) -> Outcomes:
    outcomes: Outcomes = {rival: dict.fromkeys(report.horizons, "untested") for rival in report.overall.baselines}
    for (rival, step), p_value in corrected.items():
        test = report.horizons[step].tests[rival]
        carried = "better" if test is not None and test.statistic < 0 else "worse"
        outcomes[rival][step] = carried if p_value < ALPHA else "open"
    return outcomes


def _against(rival: str, outcomes: Outcomes, report: Report, corrected: Corrected) -> str:
    by_outcome = {
        outcome: [step for step, found in outcomes[rival].items() if found == outcome]
        for outcome in ("better", "worse", "open", "untested")
    }
    words = {
        "better": "the network is better",
        "worse": "the network is worse",
        "open": "too close to call",
        "untested": "no test is possible",
    }
    parts = [
        f"{words[outcome]} at {days(steps)} (CRPS {_skills(rival, steps, report, corrected)})"
        for outcome, steps in by_outcome.items()
        if steps
    ]
    return f"Against {RIVALS[rival].label}: {'; '.join(parts)}."


def _skills(rival: str, steps: list[int], report: Report, corrected: Corrected) -> str:
    """Say by how much the network's CRPS is lower or higher, step by step, and how sure that is."""

    def one(step: int) -> str:
        skill = report.horizons[step].skill[rival]
        if skill is None:
            return "0 for the rival"
        size = f"{abs(100 * skill):.1f} % {'lower' if skill >= 0 else 'higher'}"
        p_value = corrected.get((rival, step))
        return size if p_value is None else f"{size}, {p_text(p_value)}"

    return "; ".join(one(step) for step in steps)


def _correction(corrected: Corrected) -> list[str]:
    """Say what the p-values of the sentences before are."""
    if len(corrected) < 2:
        return []
    return [f"Each p above is corrected for there being {len(corrected)} such tests (Diebold-Mariano, Holm)."]


def _failures(report: Report) -> list[str]:
    """Say which rivals are missing, and why."""
    return [
        _sentence(f"{RIVALS[name].label} gave no forecast and is missing here: {reason.rstrip('.')}.")
        for name, reason in report.failures.items()
    ]


def _best(report: Report) -> list[str]:
    """Say where the network is among those that may be the best of all compared."""
    tested = {step: one.confidence_set for step, one in report.horizons.items() if one.confidence_set is not None}
    if not tested:
        return []
    inside = [step for step, found in tested.items() if "model" in found.names]
    outside = [step for step in tested if step not in inside]
    told = f"include the network at {days(inside)} ahead" if inside else ""
    if outside:
        told = (
            f"{told}, but not at {days(outside)}" if inside else f"do not include the network at {days(outside)} ahead"
        )
    return [f"The forecasts that may be the best of all compared (model confidence set, 90 %) {told}."]


def _storms(report: Report) -> list[str]:
    """Say how the bands held when the market was calm and when it was wild."""
    words = {"calm": "calm", "middle": "middling", "storm": "stormy"}
    regimes = {words[name]: one for name, one in report.overall.regimes.items() if one["origins"]}
    if len(regimes) < 2:
        return []

    def told(word: str, origins: int, share: float) -> str:
        return f"{100 * share:.0f} % of those forecast on the {origins} {word} {'day' if origins == 1 else 'days'}"

    parts = [told(word, one["origins"], one["coverage_90"]) for word, one in regimes.items()]
    return [
        f"Of the prices at all days ahead together they covered {listed(parts)}; calm and stormy are the outer thirds "
        f"of the training days, by volatility."
    ]


def _value_at_risk(report: Report) -> list[str]:
    """Say whether one-day falls below the value at risk were as many as they should be, and apart from each other."""
    tests = [test for test in report.value_at_risk.get("model", []) if test.kupiec is not None]
    if not tests:
        return []

    def told(test: ValueAtRisk) -> str:
        by_name = {"Kupiec": test.kupiec, "Christoffersen": test.independence}
        p_values = [f"{name} {p_text(p_value)}" for name, p_value in by_name.items() if p_value is not None]
        return (
            f"below its {100 * test.level:g} % value at risk on {test.hits} of {test.origins} days, where "
            f"{test.expected:.3g} are to be expected ({', '.join(p_values)})"
        )

    return [f"One day ahead the price fell {listed([told(test) for test in tests])}."]


def _bands(report: Report) -> str:
    covered = {step: comparison.model.coverage_90 for step, comparison in report.horizons.items()}
    narrow = [step for step, share in covered.items() if share < 0.9 - BAND_TOLERANCE]
    wide = [step for step, share in covered.items() if share > 0.9 + BAND_TOLERANCE]
    faults = [f"too {how} at {days(steps)}" for how, steps in (("narrow", narrow), ("wide", wide)) if steps]
    points = f"{100 * BAND_TOLERANCE:.0f} points"
    verdict = f"They are {' and '.join(faults)}, by more than {points}." if faults else f"They hold to within {points}."
    return (
        f"The 90 % bands covered {listed([f'{100 * share:.1f} %' for share in covered.values()])} of the "
        f"prices {days(covered)} ahead. {verdict}"
    )


def _median(report: Report) -> str:
    step = min(report.horizons)
    comparison = report.horizons[step]
    own, rival = comparison.model.mae, comparison.baselines["random_walk"].mae
    return (
        f"The median misses the price {days([step])} ahead by {price_text(own)} on average; "
        f"saying today's price misses it by {price_text(rival)}."
    )


def _direction(trend: Trend) -> str:
    return (
        f"The direction of the whole forecast (up, down, or flat within {100 * trend.threshold:.0f} %) was right for "
        f"{100 * trend.accuracy:.0f} % of the origins; always saying up would have been right for "
        f"{100 * trend.always_up:.0f} %."
    )


def _in_short(outcomes: Outcomes, report: Report) -> str:
    found = {outcome for by_step in outcomes.values() for outcome in by_step.values()}
    beaten = [rival for rival, by_step in outcomes.items() if "better" in by_step.values()]
    losers = _labels(beaten)
    winners = _labels(rival for rival, by_step in outcomes.items() if "worse" in by_step.values())
    if winners and not beaten:
        return f"In short: on these days the network did worse than {winners}, and beat no rival. Do not use it."
    if found == {"untested"}:
        return "In short: these days allow no test of whether the network knows anything. Bring more."
    if not beaten:
        return "In short: on these days the network showed no skill beyond that of its rivals, which need no training."
    missing = f" ({_labels(report.failures)} gave no forecast)" if report.failures else ""
    if winners:
        return (
            f"In short: a mixed result; the network was better than {losers} at some horizons, and worse than "
            f"{winners} at some{missing}."
        )
    unbeaten = _labels((rival for rival in outcomes if rival not in beaten), last="or")
    rest = f", but not than {unbeaten}" if unbeaten else ""
    everywhere = all(outcome == "better" for rival in beaten for outcome in outcomes[rival].values())
    where = "" if everywhere else ", at some of the horizons"
    return (
        f"In short: on these days the network knew better than {losers} how far the price might move{where}{rest}"
        f"{missing}. That is a statement about risk, not a tip to buy or sell."
    )


def _labels(rivals: Iterable[str], *, last: str = "and") -> str:
    labels = [RIVALS[rival].label for rival in rivals]
    return listed(labels, last=last) if labels else ""


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:]
