"""The scores of many series -> means over the series, and tests over the days on which they were forecast.

A loss is the CRPS of log returns, or the Brier score of a run that forecasts the direction. Series of one market rise
and fall on the same days, so a hundred of them are not a hundred times as many observations. A test therefore sees one
number a day: the mean difference of the series that were forecast from that day. Each series' losses are divided by the
mean loss of its baseline first. Then no wild stock drowns the calm ones, and what is tested is the mean skill: over the
days of one series the mean difference is minus the skill.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from stockcast.evaluation.regimes import REGIME_NAMES
from stockcast.evaluation.scores import Comparison, Report, skill
from stockcast.evaluation.significance import MeanDifference, SkillTest, mean_difference
from stockcast.evaluation.verdict.outcomes import Results, correct
from stockcast.frequency import DAILY, Frequency
from stockcast.typing import Dates, Days, Floats

BEST = "best"
"""In place of a baseline: of each series and horizon the one with the lowest loss there, chosen once all are known."""

Losses = Mapping[str, Floats]
"""By forecast, "model" first: the losses of one series as `scores.by_reported_step` arranges them."""


@dataclass(frozen=True)
class StepScores:
    """One series at one number of days ahead, or over all of them.

    Attributes:
        loss: mean of the network.
        baselines: the same of each baseline.
        coverage_50, coverage_90: share of prices inside the network's band; None where the direction is forecast, or no
            such band.
        regimes: by name of `regimes.REGIME_NAMES`: origins of that volatility, and the coverage_90 of theirs; without
            those of no origins, and empty where the direction is forecast.
    """

    loss: float
    baselines: Mapping[str, float]
    coverage_50: float | None = None
    coverage_90: float | None = None
    regimes: Mapping[str, tuple[int, float]] = field(default_factory=dict)

    @property
    def best(self) -> str:
        """The baseline with the lowest loss."""
        return min(self.baselines, key=lambda name: self.baselines[name])

    def baseline_loss(self, baseline: str) -> float | None:
        """Return the mean loss of a baseline, or of the best; None where this series has none of it."""
        return self.baselines.get(self.best if baseline == BEST else baseline)

    def skill(self, baseline: str) -> float | None:
        """Return 1 - loss / loss of the baseline; None where there is none, or it is 0."""
        loss = self.baseline_loss(baseline)
        return None if loss is None else skill(self.loss, loss)

    @classmethod
    def of(cls, comparison: Comparison) -> "StepScores":
        """Return what a pool needs of a series' scores."""
        return cls(
            comparison.model.crps,
            {name: scores.crps for name, scores in comparison.baselines.items()},
            comparison.model.coverage_50,
            comparison.model.coverage_90,
            {
                name: (regime["origins"], regime["coverage_90"])
                for name, regime in comparison.regimes.items()
                if regime["coverage_90"] is not None
            },
        )


@dataclass(frozen=True)
class SeriesScores:
    """The scores of one series.

    Attributes:
        name: of the series.
        first_origin, last_target: the first day forecast from and the last one forecast, ISO.
        origins: number of days forecast from.
        horizons: by days ahead, the last one the run's horizon.
        overall: over all steps.
        tests: by baseline, then by days ahead, the series' own Diebold-Mariano tests.
    """

    name: str
    first_origin: str
    last_target: str
    origins: int
    horizons: Mapping[int, StepScores]
    overall: StepScores
    tests: Mapping[str, Mapping[int, SkillTest | None]]

    @classmethod
    def of(cls, report: Report, *, name: str, first_origin: str, last_target: str) -> "SeriesScores":
        """Return what a pool needs of the scores of a series."""
        return cls(
            name=name,
            first_origin=first_origin,
            last_target=last_target,
            origins=report.origins,
            horizons={step: StepScores.of(comparison) for step, comparison in report.horizons.items()},
            overall=StepScores.of(report.overall),
            tests={
                baseline: {step: comparison.tests[baseline] for step, comparison in report.horizons.items()}
                for baseline in report.overall.baselines
            },
        )

    @cached_property
    def results(self) -> Results[str]:
        """What these tests prove, corrected for their number as in the series' own verdict."""
        return correct(self.tests)


@dataclass(frozen=True)
class PooledSkill:
    """The network against one baseline, or the best, over the series that have a forecast of it.

    Attributes:
        skill: mean over the series of their skills; > 0 if the network is better.
        series: their number.
        won, lost: on how many of them the network's mean loss is lower, and higher.
        better, worse: on how many it is so significantly, by each series' own corrected tests.
        dates: days with an origin of any of them.
        test: over these days; statistic < 0 if the network is better; None where there are too few.
        margin: half the width of the 95 % confidence interval of the skill, from the same days; None without a test.
    """

    skill: float
    series: int
    won: int
    lost: int
    better: int
    worse: int
    dates: int
    test: SkillTest | None
    margin: float | None = None


@dataclass(frozen=True)
class PooledScores:
    """All series at one number of days ahead, or over all of them.

    Attributes:
        against: by baseline, and `BEST` where there are several.
        coverage_50, coverage_90: mean over the series; None where the direction is forecast.
        regimes: as of `StepScores`, of the origins of all series together, each by the thirds of its own past.
    """

    against: Mapping[str, PooledSkill]
    coverage_50: float | None
    coverage_90: float | None
    regimes: Mapping[str, tuple[int, float]]

    @property
    def hardest(self) -> str:
        """The baseline that the mean skill is lowest against; `BEST`, which is another one for each series, is none."""
        return min((name for name in self.against if name != BEST), key=lambda name: self.against[name].skill)


@dataclass(frozen=True)
class Pool:
    """The scores of many series.

    Attributes:
        series: by name.
        horizons: by days ahead.
        overall: over all steps.
        score: `crps`, `brier`, or of points `absolute_error`, which is their CRPS.
        frequency: of the bars; days ahead are bars ahead.
    """

    series: tuple[SeriesScores, ...]
    horizons: Mapping[int, PooledScores]
    overall: PooledScores
    score: str = "crps"
    frequency: Frequency = DAILY


@dataclass(frozen=True)
class DailyLosses:
    """Losses by origin, summed over the series that have it.

    Attributes:
        periods: numbers of the days, weeks or months of the origins, rising, shape (origins,): weeks of two exchanges
            may end on other days.
        sums: of the network and of the baseline, shape (2, origins).
        counts: of the series, shape (origins,).
    """

    periods: Days
    sums: Floats
    counts: Days

    @classmethod
    def none(cls) -> "DailyLosses":
        """Return the sums over no series."""
        return cls(np.empty(0, np.intp), np.empty((2, 0)), np.empty(0, np.intp))

    def plus(self, periods: Days, losses: Floats) -> "DailyLosses":
        """Add a series: the numbers of its origins, rising, and its losses, shape (2, origins)."""
        union = np.union1d(self.periods, periods)
        sums, counts = np.zeros((2, len(union))), np.zeros(len(union), np.intp)
        for own, values, count in ((self.periods, self.sums, self.counts), (periods, losses, 1)):
            places = np.searchsorted(union, own)
            sums[:, places] += values
            counts[places] += count
        return DailyLosses(union, sums, counts)

    def difference(self, *, horizon: int) -> MeanDifference | None:
        """Compare the network's mean loss of a day with the baseline's; None where there are too few days."""
        own, other = self.sums / self.counts
        return mean_difference(own, other, horizon=horizon)

    def test(self, *, horizon: int) -> SkillTest | None:
        """Test whether they differ."""
        difference = self.difference(horizon=horizon)
        return None if difference is None else difference.test()


def pool_series(
    members: Iterable[tuple[SeriesScores, Dates, Losses]],
    *,
    score: str = "crps",
    frequency: Frequency = DAILY,
    overlapping: Callable[[int], int] = lambda step: step,
) -> Pool:
    """Pool series of one run; each one's losses are added up and let go.

    Args:
        members: of each series, at least one, by name: scores, dates of the origins (origins,), and losses, NaN where
            there is none.
        score: what the losses are.
        frequency: of the bars.
        overlapping: days ahead -> the number of origins of all series whose forecasts overlap, see
            `significance.overlap`.
    """
    series: list[SeriesScores] = []
    sums: dict[tuple[int | None, str], DailyLosses] = {}
    for scores, dates, losses in members:
        series.append(scores)
        periods = frequency.periods(dates)
        for column, step in enumerate((*scores.horizons, None)):
            at = _at(scores, step)
            for baseline in (*at.baselines, BEST):
                scale = at.baseline_loss(baseline)
                if scale:
                    pair = np.array([losses["model"], losses[at.best if baseline == BEST else baseline]])[..., column]
                    known = np.isfinite(pair[0])
                    added = sums.get((step, baseline), DailyLosses.none())
                    sums[step, baseline] = added.plus(periods[known], pair[:, known] / scale)
    steps = sorted({step for scores in series for step in scores.horizons})

    def pooled(step: int | None) -> PooledScores:
        having = [scores for scores in series if step is None or step in scores.horizons]
        names = dict.fromkeys(name for scores in having for name in _at(scores, step).baselines)
        against = (*names, BEST) if len(names) > 1 else tuple(names)
        return PooledScores(
            {
                name: _against(name, having, step, sums[step, name], horizon=overlapping(step or steps[-1]))
                for name in against
                if (step, name) in sums
            },
            _mean([_at(scores, step).coverage_50 for scores in having]),
            _mean([_at(scores, step).coverage_90 for scores in having]),
            join_regimes([_at(scores, step).regimes for scores in having]),
        )

    return Pool(tuple(series), {step: pooled(step) for step in steps}, pooled(None), score, frequency)


def _against(
    baseline: str, series: list[SeriesScores], step: int | None, sums: DailyLosses, *, horizon: int
) -> PooledSkill:
    skills = [value for scores in series if (value := _at(scores, step).skill(baseline)) is not None]
    outcomes = [] if step is None else [_outcome(scores, baseline, step) for scores in series]
    difference = sums.difference(horizon=horizon)
    return PooledSkill(
        skill=float(np.mean(skills)),
        series=len(skills),
        won=sum(value > 0 for value in skills),
        lost=sum(value < 0 for value in skills),
        better=outcomes.count("better"),
        worse=outcomes.count("worse"),
        dates=len(sums.periods),
        test=None if difference is None else difference.test(),
        margin=None if difference is None else difference.margin,
    )


def _outcome(scores: SeriesScores, baseline: str, step: int) -> str | None:
    """Return what a series' own test proves; None where it has none of this baseline."""
    name = scores.horizons[step].best if baseline == BEST else baseline
    result = scores.results.get(name, {}).get(step)
    return None if result is None else result.outcome


def _at(scores: SeriesScores, step: int | None) -> StepScores:
    return scores.overall if step is None else scores.horizons[step]


def join_regimes(parts: Sequence[Mapping[str, tuple[int, float]]]) -> dict[str, tuple[int, float]]:
    """Return the origins of each volatility and their coverage, of parts that have origins of their own."""
    pooled = {}
    for name in REGIME_NAMES:
        if own := [regimes[name] for regimes in parts if name in regimes]:
            origins = sum(count for count, _ in own)
            pooled[name] = origins, sum(count * coverage for count, coverage in own) / origins
    return pooled


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
