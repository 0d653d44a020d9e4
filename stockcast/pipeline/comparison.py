"""The comparison of several runs: values, and the sentences that sum them up."""

from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

from stockcast.evaluation.significance import SkillTest
from stockcast.evaluation.verdict import outcomes
from stockcast.frequency import DAILY, FREQUENCIES, Frequency
from stockcast.runs.score_table import ScoreTable
from stockcast.text import join_words, plural
from stockcast.typing import Floats


@dataclass(frozen=True)
class Shared:
    """The origins that all runs have, which every number of a comparison is over.

    Attributes:
        first: date of the first origin.
        last: date of the last origin.
        last_target: the last day forecast from them, as far ahead as all runs look.
        count: number of shared origins.
        own: number of origins of each run, by run.
    """

    first: str
    last: str
    last_target: str
    count: int
    own: dict[str, int]

    @property
    def is_part(self) -> bool:
        """Whether some run has more."""
        return any(count > self.count for count in self.own.values())


@dataclass(frozen=True)
class Pair:
    """Two runs at one number of days ahead.

    Attributes:
        first, second: names of the runs.
        step: days ahead.
        lower: by what share the first one's score is lower than the second's; below 0 where it is higher.
        test: Diebold-Mariano on CRPS or Brier scores, statistic below 0 if the first is better; None where none is
            possible.
        result: what the test proves, corrected for the number of pairs and horizons.
    """

    first: str
    second: str
    step: int
    lower: float
    test: SkillTest | None
    result: outcomes.CorrectedTest

    @property
    def is_significant(self) -> bool:
        """Whether one of them is better by more than chance."""
        return self.result.outcome in ("better", "worse")


@dataclass(frozen=True)
class ComparisonReport:
    """Runs side by side, over the origins that all of them have.

    Attributes:
        scores: of each run.
        shared: the origins.
        pairs: every two runs at every reported number of days ahead.
        losses: CRPS of log returns, or Brier score, by days ahead, shape (steps,) each, by run.
        hits: share of prices in the 90 % band, or of days whose likeliest direction was the actual one, the same way.
        plain: what `hits` is compared with: the nominal 90 %, or the share of up, shape (steps,).
    """

    scores: ScoreTable
    shared: Shared
    pairs: tuple[Pair, ...]
    losses: dict[str, Floats]
    hits: dict[str, Floats]
    plain: Floats

    @property
    def frequency(self) -> Frequency:
        """Of the bars; days ahead are bars ahead."""
        return FREQUENCIES.get(self.scores.data["frequency"], DAILY)

    def title(self) -> str:
        """Return which series and which days the scores are of."""
        shared = self.shared
        return f"{self.scores.data['name']}, {shared.first} to {shared.last_target}, {plural(shared.count, 'origin')}"

    def notes(self) -> list[str]:
        """Return which origins the scores are of, where runs have others too, and which baselines cannot be shown."""
        notes = []
        if self.shared.is_part:
            own = join_words([f"{name} has {count}" for name, count in self.shared.own.items()])
            notes.append(f"All numbers are over the {self.shared.count} origins that these runs share; {own}.")
        if apart := self.scores.apart:
            shown = any(score.skill for scores in self.scores.horizons.values() for score in scores)
            baselines = join_words(list(apart)) if shown else "baselines"
            notes.append(
                f"No skill against {baselines} is shown: their forecasts differ between these runs, which have other "
                f"origins or other training days."
            )
        return notes

    def verdict(self) -> list[str]:
        """Return where each run is better, or that no difference is significant."""
        pairs = [
            {pair.step: pair for pair in self.pairs if (pair.first, pair.second) == two}
            for two in combinations(self.scores.runs, 2)
            if self.pairs
        ]
        note = outcomes.correction_note({step: pair.result for step, pair in by_step.items()} for by_step in pairs)
        return [
            *(_against(by_step, score=self.scores.score, frequency=self.frequency) for by_step in pairs),
            *note,
            self._summary(),
        ]

    def _summary(self) -> str:
        better: dict[tuple[str, str], list[int]] = {}
        for pair in self.pairs:
            if pair.is_significant:
                two = (pair.first, pair.second) if pair.result.outcome == "better" else (pair.second, pair.first)
                better.setdefault(two, []).append(pair.step)
        if better:
            wins = [
                f"{winner} is better than {loser} at {self.frequency.steps(steps)}"
                for (winner, loser), steps in better.items()
            ]
            every = sum(len(steps) for steps in better.values()) == len(self.pairs)
            rest = "" if every else "; no other difference is significant"
            return f"In short: {'; '.join(wins)}{rest}. That holds for these networks; other seeds give other networks."
        if all(pair.result.outcome == "untested" for pair in self.pairs):
            return f"In short: these {self.frequency.unit}s allow no test of how the runs differ."
        return (
            f"In short: {self.frequency.on} these {self.frequency.unit}s no difference between the runs is significant."
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values for --json."""
        tests = [
            {
                "first": pair.first,
                "second": pair.second,
                "days_ahead": pair.step,
                f"{self.scores.score.lower()}_lower_by": pair.lower,
                "statistic": pair.test.statistic if pair.test else None,
                "p_value": pair.test.p_value if pair.test else None,
                "p_corrected": pair.result.p_value,
            }
            for pair in self.pairs
        ]
        return {
            **self.scores.to_json(),
            "origins": asdict(self.shared),
            "tests": tests,
            "notes": self.notes(),
            "verdict": self.verdict(),
        }


_WORDS: dict[outcomes.Outcome, str] = {"better": "better", "worse": "worse"}


def _against(pairs: dict[int, Pair], *, score: str, frequency: Frequency) -> str:
    """Say of two runs, by days ahead, where the first is better, worse, or not significantly different."""
    pair = next(iter(pairs.values()))
    results = {step: pair.result for step, pair in pairs.items()}
    clauses = outcomes.describe(
        results,
        _WORDS,
        score=score,
        detail=lambda step: outcomes.skill_text(pairs[step].lower),
        frequency=frequency,
    )
    return f"{pair.first} against {pair.second}: {clauses}."
