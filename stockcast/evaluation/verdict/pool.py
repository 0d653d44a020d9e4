"""Scores of a pool of series -> a verdict in sentences."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from stockcast.evaluation.baselines.registry import BASELINES
from stockcast.evaluation.direction_scores import SHARES
from stockcast.evaluation.pool import BEST, Pool, PooledSkill
from stockcast.evaluation.verdict import outcomes
from stockcast.evaluation.verdict.prices import BAND_TOLERANCE, VOLATILITY
from stockcast.frequency import Frequency
from stockcast.text import join_words

SCORES = {"crps": "CRPS", "brier": "Brier score", "absolute_error": "absolute error"}
"""What the losses of a pool are called."""


_WHAT = {"crps": "the distribution of the price", "brier": "the direction", "absolute_error": "the price"}


def baseline_name(baseline: str, frequency: Frequency) -> str:
    """Return the name of a baseline of prices or directions, or of the best one, in a sentence."""
    if baseline == BEST:
        return "the best baseline of each series"
    if baseline == SHARES:
        return f"the class shares of the training {frequency.unit}s"
    return BASELINES[baseline].name(frequency)


def pooled_results(pool: Pool) -> outcomes.Results[str]:
    """Return what the pooled tests prove, corrected for their number, by baseline and days ahead.

    Where the mean over the days has another sign than the mean over the series, as it may if series have different
    days, nothing is proven.
    """
    baselines = dict.fromkeys(name for scores in pool.horizons.values() for name in scores.against)
    against: dict[str, dict[int, PooledSkill]] = {
        name: {step: scores.against[name] for step, scores in pool.horizons.items() if name in scores.against}
        for name in baselines
    }
    results = outcomes.correct(
        {name: {step: pooled.test for step, pooled in by_step.items()} for name, by_step in against.items()}
    )
    for name, by_step in results.items():
        for step, result in by_step.items():
            if (result.outcome, against[name][step].skill > 0) in (("better", False), ("worse", True)):
                by_step[step] = replace(result, outcome="open")
    return results


def _name(baseline: str, pool: Pool) -> str:
    """Return the name of a baseline in a sentence about a pool, which may have a single series."""
    if baseline == BEST and len(pool.series) == 1:
        return f"the best baseline of each number of {pool.frequency.unit}s ahead"
    return baseline_name(baseline, pool.frequency)


def judge_pool(pool: Pool, *, unscored: int = 0, subject: str = "the network") -> tuple[str, ...]:
    """Sum up what the scores prove, and no more: one sentence for each aspect, the last one the summary.

    Args:
        pool: at least one series.
        unscored: number of series that could not be scored.
        subject: who forecasts.
    """
    results = pooled_results(pool)
    return (
        _scope(pool, unscored),
        *(_against(baseline, by_step, pool, subject) for baseline, by_step in results.items()),
        *outcomes.correction_note(results.values()),
        *_multiplicity(pool),
        *_coverage(pool),
        _summary(results, pool, subject),
    )


def _scope(pool: Pool, unscored: int) -> str:
    first, last = min(one.first_origin for one in pool.series), max(one.last_target for one in pool.series)
    dates = max((pooled.dates for pooled in pool.overall.against.values()), default=0)
    unit, left_out = pool.frequency.unit, f"; {unscored} more could not be scored" if unscored else ""
    if len(pool.series) == 1:
        return f"{pool.series[0].name} was scored between {first} and {last}, on {pool.frequency.count(dates)}."
    return (
        f"{len(pool.series)} series were scored between {first} and {last}{left_out}. Their tests are over "
        f"{pool.frequency.count(dates)}, each {unit} the mean of the series, which rise and fall together."
    )


def _against(baseline: str, results: Mapping[int, outcomes.CorrectedTest], pool: Pool, subject: str) -> str:
    pooled = {step: pool.horizons[step].against[baseline] for step in results}
    score, frequency = SCORES[pool.score], pool.frequency
    text = outcomes.describe(
        results,
        outcomes.words_of(subject),
        score=score if len(pool.series) == 1 else f"mean {score}",
        detail=lambda step: outcomes.skill_text(pooled[step].skill),
        frequency=frequency,
    )

    def counts(of: Callable[[PooledSkill], int]) -> str:
        numbers = [of(one) for one in pooled.values()]
        return join_words([str(number) for number in numbers]) if any(numbers) else "none"

    ahead, series = frequency.steps(pooled), max(one.series for one in pooled.values())
    against = f"Against {_name(baseline, pool)}: {text}."
    if len(pool.series) == 1:
        return against
    return (
        f"{against} By series, at {ahead}: lower on "
        f"{counts(lambda one: one.won)} of {series} (significantly on {counts(lambda one: one.better)}), higher on "
        f"{counts(lambda one: one.lost)} (significantly on {counts(lambda one: one.worse)})."
    )


def _multiplicity(pool: Pool) -> list[str]:
    """What the counts of significant series are worth; nothing for a single series."""
    count, tests = len(pool.series), max(_tests_of_each(pool))
    if count < 2 or not tests:
        return []
    return [
        f"The tests of one series are corrected for their own number ({tests}), not for the {count} series: without "
        f"any difference, up to one series in {1 / outcomes.ALPHA:.0f} ({outcomes.ALPHA * count:.1f} of {count}) would "
        f"show one by chance."
    ]


def _tests_of_each(pool: Pool) -> Iterable[int]:
    return (
        sum(result.p_value is not None for by_step in one.results.values() for result in by_step.values())
        for one in pool.series
    )


def _coverage(pool: Pool) -> list[str]:
    """How many prices the bands hold; nothing for directions."""
    halves = [scores.coverage_50 for scores in pool.horizons.values() if scores.coverage_50 is not None]
    nineties = _nineties(pool)
    if not nineties:
        return []
    ahead = pool.frequency.steps(nineties)
    off = {step: count for step in nineties if (count := _series_off(pool, step))}
    places = [f"{count} of them at {pool.frequency.steps([step])}" for step, count in off.items()]
    fifty, ninety = (join_words([f"{100 * share:.1f} %" for share in shares]) for shares in (halves, nineties.values()))
    if len(pool.series) == 1:
        return [
            f"The 50 % bands cover {fifty} of the prices {ahead} ahead, the 90 % bands {ninety}. The coverage of the "
            f"90 % band is {_judgement(pool)}.{_regimes(pool)}"
        ]
    single = f"; of single series it is not for {join_words(places)}" if places else ", and so for every single series"
    return [
        f"On average of the series, the 50 % bands cover {fifty} of the prices {ahead} ahead, the 90 % bands {ninety}. "
        f"The mean coverage of the 90 % band is {_judgement(pool)}{single}.{_regimes(pool)}"
    ]


def _regimes(pool: Pool) -> str:
    """How many prices the bands hold after days of low, medium and high volatility; empty for one of them alone."""
    count, unit = pool.frequency.count, pool.frequency.unit
    parts = [
        f"{100 * coverage:.0f} % after {count(origins)} of {VOLATILITY[name]} volatility"
        for name, (origins, coverage) in pool.overall.regimes.items()
    ]
    if len(parts) < 2:
        return ""
    of, whose = ("all series and", "each series'") if len(pool.series) > 1 else ("all", "the")
    return (
        f" Of the prices of {of} {unit}s ahead together they cover {join_words(parts)}; low, medium and high are the "
        f"thirds of {whose} training {unit}s."
    )


def _nineties(pool: Pool) -> dict[int, float]:
    covered = {step: scores.coverage_90 for step, scores in pool.horizons.items()}
    return {step: share for step, share in covered.items() if share is not None}


def _series_off(pool: Pool, step: int) -> int:
    """Return on how many series the 90 % band is off by more than the tolerance."""
    shares = [one.horizons[step].coverage_90 for one in pool.series if step in one.horizons]
    return sum(share is not None and abs(share - 0.9) > BAND_TOLERANCE for share in shares)


def _judgement(pool: Pool) -> str:
    covered, count = _nineties(pool), pool.frequency.steps
    narrow = [step for step, share in covered.items() if share < 0.9 - BAND_TOLERANCE]
    wide = [step for step, share in covered.items() if share > 0.9 + BAND_TOLERANCE]
    faults = [f"too {how} at {count(steps)}" for how, steps in (("low", narrow), ("high", wide)) if steps]
    points = f"{100 * BAND_TOLERANCE:.0f} percentage points"
    return f"{' and '.join(faults)}, by more than {points}" if faults else f"right to within {points}"


def _summary(results: outcomes.Results[str], pool: Pool, subject: str) -> str:
    frequency, count = pool.frequency, len(pool.series)
    then = f"In short: {f'{frequency.on} these {frequency.unit}s' if count == 1 else f'over these {count} series'}"
    found = {name: {result.outcome for result in by_step.values()} for name, by_step in results.items() if name != BEST}
    beaten = [name for name, outcome in found.items() if "better" in outcome]
    winners = [name for name, outcome in found.items() if "worse" in outcome]
    unbeaten = [name for name in found if name not in beaten]
    end = f"{_best(results, pool)}{_bands(pool)}"
    if all(outcome <= {"untested"} for outcome in found.values()):
        return f"{then}, the {frequency.unit}s allow no test of whether {subject} has skill.{end}"
    if winners and not beaten:
        return f"{then}, {subject} is worse than {_labels(winners, frequency)}, and beats no baseline.{end}"
    if not beaten:
        return f"{then}, no skill of {subject} beyond that of the baselines is shown.{end}"
    if winners:
        return (
            f"{then}, a mixed result: {subject} is better than {_labels(beaten, frequency)} at some horizons, and "
            f"worse than {_labels(winners, frequency)} at some.{end}"
        )
    where = "" if all(found[name] == {"better"} for name in beaten) else " at some horizons"
    rest = f", and not shown to be better than {_labels(unbeaten, frequency, last='or')}" if unbeaten else ""
    return (
        f"{then}, {subject} forecasts {_WHAT[pool.score]} better than {_labels(beaten, frequency)}{where}{rest}.{end}"
    )


def _best(results: outcomes.Results[str], pool: Pool) -> str:
    """Whether the network beats each series' best baseline; nothing where there is one baseline, or no test."""
    by_step = results.get(BEST, {})
    if all(result.outcome == "untested" for result in by_step.values()):
        return ""
    name, frequency = _name(BEST, pool), pool.frequency
    better, worse = (outcomes.steps_with(by_step, outcome) for outcome in ("better", "worse"))
    claims = (("better", better), ("worse", worse))
    parts = [f"{how} than {name} at {frequency.steps(steps)} ahead" for how, steps in claims if steps]
    return f" It is {join_words(parts)}." if parts else f" It is not shown to be better than {name} anywhere."


def _bands(pool: Pool) -> str:
    return f" The coverage of its 90 % bands is {_judgement(pool)}." if _nineties(pool) else ""


def _labels(baselines: list[str], frequency: Frequency, *, last: str = "and") -> str:
    return join_words([baseline_name(name, frequency) for name in baselines], last=last)
