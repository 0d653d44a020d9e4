"""Scores of price forecasts -> a verdict in sentences."""

from collections.abc import Iterable, Mapping

from stockcast.evaluation.baselines.registry import BASELINES
from stockcast.evaluation.chances import EventReliability
from stockcast.evaluation.diagnostics import Lag, Trend
from stockcast.evaluation.scores import Report
from stockcast.evaluation.value_at_risk import ValueAtRisk
from stockcast.evaluation.verdict import outcomes
from stockcast.frequency import Frequency
from stockcast.text import capital, join_words, p_value_text, price_text

BAND_TOLERANCE = 0.05
"""Largest difference between coverage and nominal coverage at which a band counts as right."""

CHANCE_TOLERANCE = 0.03
"""Largest difference between promised and observed share of events at price levels at which chances count as right."""

VOLATILITY = {"calm": "low", "middle": "medium", "storm": "high"}
"""What days of each regime have, in a sentence."""


def judge(report: Report, trend: Trend, lag: Lag, *, subject: str = "the network") -> tuple[str, ...]:
    """Sum up what the scores prove, and no more: one sentence for each aspect, the last one the summary.

    `subject` is who forecasts.
    """
    results = outcomes.correct(
        {
            baseline: {step: comparison.tests[baseline] for step, comparison in report.horizons.items()}
            for baseline in report.overall.baselines
        }
    )
    return (
        *(_against(baseline, by_step, report, subject) for baseline, by_step in results.items()),
        *outcomes.correction_note(results.values()),
        *_failures(report),
        *_confidence_set(report, subject),
        *_bands(report),
        *_regimes(report),
        *_chances(report),
        *_value_at_risk(report),
        _median(report),
        f"The direction over the whole horizon (up, down, or flat within {100 * trend.threshold:.0f} %) is right for "
        f"{100 * trend.accuracy:.0f} % of the origins; always forecasting up would be right for "
        f"{100 * trend.always_up:.0f} %.",
        *_lag(lag, report.frequency),
        _summary(results, report, subject),
    )


def _against(baseline: str, results: Mapping[int, outcomes.CorrectedTest], report: Report, subject: str) -> str:
    def detail(step: int) -> str:
        return outcomes.skill_text(report.horizons[step].skill[baseline])

    frequency = report.frequency
    words = outcomes.words_of(subject)
    results_text = outcomes.describe(results, words, score=score_name(report), detail=detail, frequency=frequency)
    return f"Against {BASELINES[baseline].name(frequency)}: {results_text}."


def _failures(report: Report) -> list[str]:
    sentences = [
        f"{BASELINES[name].name(report.frequency)} has no forecast and is left out: {reason.rstrip('.')}."
        for name, reason in report.failures.items()
    ]
    return list(map(capital, sentences))


def _confidence_set(report: Report, subject: str) -> list[str]:
    sets = {step: comparison.confidence_set for step, comparison in report.horizons.items()}
    inside = [step for step, best in sets.items() if best is not None and "model" in best.names]
    outside = [step for step, best in sets.items() if best is not None and "model" not in best.names]
    if not inside and not outside:
        return []
    count = report.frequency.steps
    where = f"at {count(inside or outside)} ahead"
    if inside and outside:
        where = f"{where}, but not at {count(outside)}"
    return [
        f"{outcomes.opening(subject)} is {'' if inside else 'not '}in the model confidence set (90 %), the forecasts "
        f"that may be the best, {where}."
    ]


def _bands(report: Report) -> list[str]:
    covered = {
        step: comparison.model.coverage_90
        for step, comparison in report.horizons.items()
        if comparison.model.coverage_90 is not None
    }
    if not covered:
        return []
    narrow = [step for step, share in covered.items() if share < 0.9 - BAND_TOLERANCE]
    wide = [step for step, share in covered.items() if share > 0.9 + BAND_TOLERANCE]
    count = report.frequency.steps
    faults = [f"too {how} at {count(steps)}" for how, steps in (("narrow", narrow), ("wide", wide)) if steps]
    points = f"{100 * BAND_TOLERANCE:.0f} percentage points"
    judgement = f"{' and '.join(faults)}, by more than {points}" if faults else f"right to within {points}"
    return [
        f"The 90 % bands cover {join_words([f'{100 * share:.1f} %' for share in covered.values()])} of the prices "
        f"{count(covered)} ahead. They are {judgement}."
    ]


def _regimes(report: Report) -> list[str]:
    found = report.overall.regimes.items()
    regimes = [(VOLATILITY[name], regime) for name, regime in found if regime["coverage_90"] is not None]
    if len(regimes) < 2:
        return []
    count, unit = report.frequency.count, report.frequency.unit
    parts = [
        f"{100 * regime['coverage_90']:.0f} % after the {count(regime['origins'])} of {volatility} volatility"
        for volatility, regime in regimes
    ]
    return [
        f"Of the prices at all {unit}s ahead together they cover {join_words(parts)}; low, medium and high are the "
        f"thirds of the training {unit}s."
    ]


def _chances(report: Report) -> list[str]:
    chances = {step: by_name["model"] for step, by_name in report.chances.items()}
    events = {
        "a close beyond a level": {step: found.close for step, found in chances.items()},
        "a touch": {step: found.touch for step, found in chances.items()},
    }
    faults = [text for name, by_step in events.items() if (text := _wrong(name, by_step, report.frequency))]
    if not faults:
        return []
    points = f"{100 * CHANCE_TOLERANCE:.0f} percentage points"
    return [
        f"Chances of price levels are wrong by more than {points}, as the mean over ten levels: {'; '.join(faults)}."
    ]


def _wrong(event: str, by_step: Mapping[int, EventReliability], frequency: Frequency) -> str:
    wrong = {step: found for step, found in by_step.items() if abs(found.gap) > CHANCE_TOLERANCE}
    if not wrong:
        return ""
    promised, came = (
        join_words([f"{100 * getattr(found, name):.1f} %" for found in wrong.values()]) for name in ("promised", "came")
    )
    return f"{event} within {frequency.steps(wrong)} was promised with {promised}, and {came} came"


def _value_at_risk(report: Report) -> list[str]:
    unit, on = report.frequency.unit, report.frequency.on
    tests = [test for test in report.value_at_risk.get("model", []) if test.kupiec is not None]

    def result(test: ValueAtRisk) -> str:
        by_name = {"Kupiec": test.kupiec, "Christoffersen": test.independence}
        p_values = [f"{name} {p_value_text(p_value)}" for name, p_value in by_name.items() if p_value is not None]
        return (
            f"below its {100 * test.level:g} % value at risk {on} {test.hits} of {test.origins} {unit}s, where "
            f"{test.expected:.3g} are expected ({', '.join(p_values)})"
        )

    return [f"One {unit} ahead the price fell {join_words([result(test) for test in tests])}."] if tests else []


def _median(report: Report) -> str:
    step = min(report.horizons)
    comparison, frequency = report.horizons[step], report.frequency
    return (
        f"The median misses the price {frequency.steps([step])} ahead by {price_text(comparison.model.mae)} on "
        "average; "
        f"{frequency.now}'s price, the random walk, misses it by "
        f"{price_text(comparison.baselines['random_walk'].mae)}."
    )


def _lag(lag: Lag, frequency: Frequency) -> list[str]:
    if not lag.warning:
        return []
    return [
        f"The one-{frequency.unit} median lags the price by {frequency.steps([lag.peak or 0])} (correlation of their "
        "changes "
        f"{lag.correlation:.2f}) and is no closer to the next price than the last price is."
    ]


def _summary(results: outcomes.Results[str], report: Report, subject: str) -> str:
    by_baseline = {baseline: {result.outcome for result in by_step.values()} for baseline, by_step in results.items()}
    beaten = [baseline for baseline in by_baseline if "better" in by_baseline[baseline]]
    frequency = report.frequency
    unit, then = frequency.unit, f"{frequency.on} these {frequency.unit}s"
    winners = _labels((baseline for baseline in by_baseline if "worse" in by_baseline[baseline]), frequency)
    if winners and not beaten:
        return f"In short: {then} {subject} is worse than {winners}, and beats no baseline. Do not use it."
    if by_baseline and all(by_baseline[baseline] == {"untested"} for baseline in by_baseline):
        return f"In short: these {unit}s allow no test of whether {subject} has skill. Evaluate more {unit}s."
    if not beaten:
        return f"In short: {then} {subject} shows no skill beyond that of the baselines, which need no network."
    missing = f" (no forecast from {_labels(report.failures, frequency)})" if report.failures else ""
    if winners:
        return (
            f"In short: a mixed result. {outcomes.opening(subject)} is better than {_labels(beaten, frequency)} at "
            f"some horizons, and worse than {winners} at some{missing}."
        )
    unbeaten = _labels((baseline for baseline in by_baseline if baseline not in beaten), frequency, last="or")
    rest = f", but not than {unbeaten}" if unbeaten else ""
    where = "" if all(by_baseline[baseline] == {"better"} for baseline in beaten) else " at some horizons"
    return (
        f"In short: {then} {subject} forecasts {_what(report)} better than {_labels(beaten, frequency)}"
        f"{where}{rest}{missing}. That is a statement about risk, not a tip to buy or sell."
    )


def score_name(report: Report) -> str:
    """Return what the losses are called: of a point forecast, the CRPS is the absolute error."""
    return "absolute error" if _is_of_points(report) else "CRPS"


def _is_of_points(report: Report) -> bool:
    return len(report.overall.model.pinball) == 1


def _what(report: Report) -> str:
    return "the price" if _is_of_points(report) else "the distribution of the price"


def _labels(baselines: Iterable[str], frequency: Frequency, *, last: str = "and") -> str:
    labels = [BASELINES[baseline].name(frequency) for baseline in baselines]
    return join_words(labels, last=last) if labels else ""
