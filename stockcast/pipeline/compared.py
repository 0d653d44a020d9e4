"""What came of runs held against each other: values, and the sentences that sum them up."""

from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

from stockcast.data.csvfile import counted
from stockcast.evaluation.significance import SkillTest
from stockcast.evaluation.verdict import ALPHA
from stockcast.evaluation.wording import p_text
from stockcast.forecast import Floats
from stockcast.pipeline.findings import listed
from stockcast.runs.comparison import SideBySide


@dataclass(frozen=True)
class Shared:
    """The origins that all runs have, which every number of a comparison is over.

    Attributes:
        first: of them, a date.
        last: of them.
        last_target: the last day forecast from them, as far ahead as all runs look.
        count: how many they are.
        own: how many each run has, by run.
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
        p_value: of the test, corrected for the number of pairs and horizons (Holm); None without a test.
    """

    first: str
    second: str
    step: int
    lower: float
    test: SkillTest | None
    p_value: float | None = None

    @property
    def outcome(self) -> str:
        """Whether the first run is `better` or `worse`, or it is `open` (within luck) or `untested`."""
        if self.test is None or self.p_value is None:
            return "untested"
        if self.p_value >= ALPHA:
            return "open"
        return "better" if self.test.statistic < 0 else "worse"

    @property
    def is_sure(self) -> bool:
        """Whether one of them is better by more than luck."""
        return self.outcome in ("better", "worse")


@dataclass(frozen=True)
class Compared:
    """Runs side by side, and what their differences are worth.

    Attributes:
        scores: over the origins that all runs share; as each run's evaluation holds them, over its own, if a run keeps
            no forecasts.
        shared: those origins; None if a run keeps no forecasts.
        pairs: every two runs at every reported number of days ahead.
        losses: CRPS of log returns, or Brier score, by days ahead, over the origins that all runs share, shape (steps,)
            each, by run; empty if a run keeps no forecasts.
        hits: share of prices in the 90 % band, or of days whose likeliest direction came, the same way.
        plain: what `hits` is held against: the 90 %, or what saying up every day would have made of it, shape (steps,);
            empty as `losses`.
        lacking: runs that keep no forecasts, so that nothing is tested.
    """

    scores: SideBySide
    shared: Shared | None
    pairs: tuple[Pair, ...]
    losses: dict[str, Floats]
    hits: dict[str, Floats]
    plain: Floats
    lacking: tuple[str, ...]

    def title(self) -> str:
        """Say which series and which days the scores are of."""
        data, shared = self.scores.data, self.shared
        if shared is None:
            return f"{data['name']}, {data['first_origin']} to {data['last_target']}, each run over its own origins"
        return f"{data['name']}, {shared.first} to {shared.last_target}, {counted(shared.count, 'origin')}"

    def notes(self) -> list[str]:
        """Say of which origins the scores are, where runs have others too, and which rivals cannot be shown."""
        notes = []
        if self.shared is not None and self.shared.is_part:
            own = listed([f"{name} has {count}" for name, count in self.shared.own.items()])
            notes.append(f"All numbers are over the {self.shared.count} origins that these runs share; {own}.")
        if apart := self.scores.apart:
            shown = any(one.skill for each in self.scores.horizons.values() for one in each)
            whom = listed(list(apart)) if shown else "rivals"
            notes.append(
                f"No skill against {whom}: these runs met them on other origins or fitted on other training days, so "
                f"each met another one."
            )
        return notes

    def verdict(self) -> list[str]:
        """Say which run is better where, or that the differences are no more than luck."""
        if self.lacking:
            names = listed(list(self.lacking))
            return [f"Not tested: {names} keeps no forecasts. Next: stockcast evaluate {self.lacking[0]}"]
        sentences = [
            _against([pair for pair in self.pairs if (pair.first, pair.second) == two], score=self.scores.score)
            for two in combinations(self.scores.runs, 2)
            if self.pairs
        ]
        tested = sum(pair.test is not None for pair in self.pairs)
        if tested > 1:
            sentences.append(f"Each p is corrected for there being {tested} such tests (Diebold-Mariano, Holm).")
        return [*sentences, self._in_short()]

    def _in_short(self) -> str:
        better: dict[tuple[str, str], list[int]] = {}
        for pair in self.pairs:
            if pair.is_sure:
                two = (pair.first, pair.second) if pair.outcome == "better" else (pair.second, pair.first)
                better.setdefault(two, []).append(pair.step)
        if better:
            told = [f"{winner} is better than {loser} at {_days(steps)}" for (winner, loser), steps in better.items()]
            every = sum(len(steps) for steps in better.values()) == len(self.pairs)
            rest = "" if every else "; all else may be luck"
            return f"In short: {'; '.join(told)}{rest}. That is said of these networks; another seed makes others."
        if all(pair.outcome == "untested" for pair in self.pairs):
            return "In short: these days allow no test of how the runs differ."
        return "In short: on these days the runs differ by no more than luck would make them."

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
                "p_corrected": pair.p_value,
            }
            for pair in self.pairs
        ]
        return {
            **self.scores.to_json(),
            "origins": None if self.shared is None else asdict(self.shared),
            "tests": tests,
            "notes": self.notes(),
            "verdict": self.verdict(),
        }


def _against(pairs: list[Pair], *, score: str) -> str:
    """Say of two runs where the first is better, worse, or no different from the second."""
    words = {"better": "better", "worse": "worse", "open": "too close to call", "untested": "no test is possible"}

    def told(pair: Pair) -> str:
        size = f"{score} {abs(100 * pair.lower):.1f} % {'lower' if pair.lower >= 0 else 'higher'}"
        return size if pair.p_value is None else f"{size}, {p_text(pair.p_value)}"

    parts = []
    for outcome, word in words.items():
        chosen = [pair for pair in pairs if pair.outcome == outcome]
        if chosen:
            parts.append(f"{word} at {_days([pair.step for pair in chosen])} ({'; '.join(map(told, chosen))})")
    return f"{pairs[0].first} against {pairs[0].second}: {'; '.join(parts)}."


def _days(steps: list[int]) -> str:
    return f"{listed([str(step) for step in steps])} {'day' if steps == [1] else 'days'}"
