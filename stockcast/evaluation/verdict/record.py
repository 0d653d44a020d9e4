"""What an evaluation showed, in three sentences: how often bands held, which baselines were beaten, what failed.

All of it comes from metrics.json, so that a forecast and the evaluation before it say the same.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stockcast.evaluation.baselines.registry import BASELINES
from stockcast.evaluation.significance import SkillTest
from stockcast.evaluation.verdict import outcomes
from stockcast.evaluation.verdict.prices import BAND_TOLERANCE, VOLATILITY
from stockcast.frequency import Frequency
from stockcast.text import join_words

_FEWEST_ORIGINS = 20  # of a regime, or its coverage is chance
_ALPHA = 0.05
_DIRECTION_BASELINES = {"training_shares": "the shares of up and down before the test", "always_up": '"always up"'}


@dataclass(frozen=True)
class Record:
    """What the test days of a series showed.

    Attributes:
        first: first origin, ISO.
        last: last day that was forecast, ISO.
        held: by bars ahead, the share of prices in the 90 % band; empty where the direction is forecast, or no band.
        held_in: the same after days of each regime that had enough of them.
        right: by bars ahead, the share of directions that were right, and of "always up"; empty where prices are.
        results: by baseline, what the tests prove at each number of bars ahead.
        faults: what failed, parts of a sentence.
    """

    first: str
    last: str
    held: Mapping[int, float]
    held_in: Mapping[str, Mapping[int, float]]
    right: Mapping[int, tuple[float, float]]
    results: outcomes.Results[str]
    faults: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, metrics: Mapping[str, Any], *, frequency: Frequency) -> "Record":
        """Read metrics.json of an evaluation; KeyError, TypeError, ValueError or AttributeError if it is damaged."""
        horizons = {int(step): comparison for step, comparison in metrics["horizons"].items()}
        names = metrics["overall"]["baselines"]
        tests = {name: {step: _test(at["tests"][name]) for step, at in horizons.items()} for name in names}
        span = metrics["split"]
        is_of_prices = metrics["score"] == "crps"
        return cls(
            first=str(span["first_origin"]),
            last=str(span["last_target"]),
            held=_held(horizons) if is_of_prices else {},
            held_in={regime: _held_in(horizons, regime) for regime in VOLATILITY} if is_of_prices else {},
            right={}
            if is_of_prices
            else {step: (_right(at["model"]), _right(at["baselines"]["always_up"])) for step, at in horizons.items()},
            results=outcomes.correct(tests),
            faults=tuple(_faults(metrics, horizons, frequency)) if is_of_prices else (),
        )

    def held_at(self, steps: int) -> float | None:
        """Return the share of prices in the 90 % band about as far ahead as `steps`; None where directions are."""
        return self.held[self._nearest(steps)] if self.held else None

    def _nearest(self, steps: int) -> int:
        return min(self.held or self.right, key=lambda each: (abs(each - steps), each))

    def sentence(self, steps: int, regime: str | None, *, frequency: Frequency) -> str:
        """Write how often forecasts about as far ahead as `steps` held, and how often after days like the last one."""
        step = self._nearest(steps)
        ahead, days = f"{frequency.steps([step])} ahead", f"{self.first} to {self.last}"
        if not self.held:
            right, always_up = (100 * share for share in self.right[step])
            return f'{right:.0f} % of directions {ahead} were right, by "always up" {always_up:.0f} % ({days}).'
        text = f"{_percent(self.held[step])} of 90 % bands {ahead}, {days}"
        if regime is not None and step in (there := self.held_in.get(regime, {})):
            text += f"; {_percent(there[step])} at {VOLATILITY[regime]} volatility, as now"
        return f"{text}."

    def skill(self, *, frequency: Frequency) -> str:
        """Write which baselines it was significantly better and worse than, and how far ahead."""
        found = {result.outcome for by_step in self.results.values() for result in by_step.values()}
        if found <= {"untested"}:
            return f"too few {frequency.unit}s were scored to test whether it is better than any baseline."
        if not found & {"better", "worse"}:
            return "no significant difference to any baseline."
        better, worse = (self._with(outcome, frequency) for outcome in ("better", "worse"))
        if better and worse:
            return f"significantly better {better}; worse {worse}."
        if better:
            beaten = {name for name, by_step in self.results.items() if _holds(by_step, "better")}
            rest = "no significant difference to the others" if len(beaten) < len(self.results) else "never worse"
            return f"significantly better {better}; {rest}."
        return f"never significantly better; significantly worse {worse}."

    def _with(self, outcome: str, frequency: Frequency) -> str:
        """Write at which steps there is this outcome and against which baselines, `at 1 day than drift`; or nothing."""
        names: dict[tuple[int, ...], list[str]] = defaultdict(list)
        for name, by_step in self.results.items():
            if steps := tuple(step for step, result in by_step.items() if result.outcome == outcome):
                names[steps].append(_label(name, frequency))
        groups = [f"at {frequency.steps(steps)} than {join_words(each)}" for steps, each in names.items()]
        return ", ".join(groups)


def held_by_series(shares: Sequence[float], step: int, *, frequency: Frequency) -> str:
    """Write how often the 90 % bands of several series held about so far ahead."""
    low, mean, high = (f"{100 * share:.0f}" for share in (min(shares), sum(shares) / len(shares), max(shares)))
    each = f"{mean} %" if low == high else f"{low} to {high} % (mean {mean} %)"
    return f"{each} of 90 % bands about {frequency.steps([step])} ahead, {len(shares)} series scored."


def _holds(by_step: Mapping[int, outcomes.CorrectedTest], outcome: str) -> bool:
    return any(result.outcome == outcome for result in by_step.values())


def _label(name: str, frequency: Frequency) -> str:
    return BASELINES[name].name(frequency) if name in BASELINES else _DIRECTION_BASELINES[name]


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _right(scores: Mapping[str, Any]) -> float:
    return _share(scores["accuracy"])


def _share(stated: Any) -> float:
    share = float(stated)
    if not 0 <= share <= 1:
        raise ValueError(f"a share of {stated}")
    return share


def _test(stated: Mapping[str, Any] | None) -> SkillTest | None:
    return None if stated is None else SkillTest(float(stated["statistic"]), float(stated["p_value"]))


def _held(horizons: Mapping[int, Mapping[str, Any]]) -> dict[int, float]:
    shares = {step: at["model"]["coverage_90"] for step, at in horizons.items()}
    return {step: _share(share) for step, share in shares.items() if share is not None}


def _held_in(horizons: Mapping[int, Mapping[str, Any]], regime: str) -> dict[int, float]:
    found = {step: at["regimes"][regime] for step, at in horizons.items()}
    shares = {step: at["coverage_90"] for step, at in found.items() if at["origins"] >= _FEWEST_ORIGINS}
    return {step: _share(share) for step, share in shares.items() if share is not None}


def _is_broken(test: Mapping[str, Any]) -> bool:
    return any(p_value is not None and p_value < _ALPHA for p_value in (test["kupiec"], test["conditional"]))


def _breach(test: Mapping[str, Any]) -> str:
    """Write how often a price was below it: `30 below 1 % (not 20)`; where as often as it should be, in clusters."""
    how = "in clusters" if test["kupiec"] is None or test["kupiec"] >= _ALPHA else f"not {test['expected']:.0f}"
    return f"{test['hits']} below {100 * test['level']:g} % ({how})"


def _faults(
    metrics: Mapping[str, Any], horizons: Mapping[int, Mapping[str, Any]], frequency: Frequency
) -> Iterable[str]:
    """Yield what failed: bands that are off, a network that is not among the best, value at risk, a lagging median."""
    off = {step: share - 0.9 for step, share in _held(horizons).items()}
    sides = {how: [step for step, difference in off.items() if sign * difference > BAND_TOLERANCE]
             for how, sign in (("narrow", -1), ("wide", 1))}  # fmt: skip
    if found := [f"too {how} ({frequency.steps(steps)})" for how, steps in sides.items() if steps]:
        yield f"90 % bands {', '.join(found)}"
    sets = {step: at["confidence_set"] for step, at in horizons.items()}
    if outside := [step for step, best in sets.items() if best is not None and "model" not in best["names"]]:
        yield f"not among the best ({frequency.steps(outside)})"
    if broken := [test for test in metrics["value_at_risk"]["model"] if _is_broken(test)]:
        breaches = ", ".join(map(_breach, broken))
        yield f"value at risk: in {broken[0]['origins']} {frequency.unit}s {breaches}"
    if metrics["lag"]["warning"]:
        yield "median = today's price"
