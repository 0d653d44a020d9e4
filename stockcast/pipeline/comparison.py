"""Runs scored on the same days -> their scores side by side, and whether they differ by more than luck."""

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.errors import RunError
from stockcast.evaluation.significance import SkillTest, diebold_mariano, holm
from stockcast.evaluation.verdict import ALPHA
from stockcast.evaluation.wording import p_text
from stockcast.forecast import Floats
from stockcast.pipeline.findings import listed
from stockcast.pipeline.kept import Kept, kept_directions, kept_prices
from stockcast.runs.comparison import SideBySide, compare_runs
from stockcast.runs.files import write_picture

_KEPT = {"CRPS": kept_prices, "Brier": kept_directions}
"""What reads a run's forecasts, by the score that they have."""

_OTHERWISE = {
    "CRPS": "do not forecast the same prices (target.column, target.adjusted)",
    "Brier": "do not mean the same by up and down (model.classes, model.threshold, target)",
}


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
        scores: as each run's evaluation holds them.
        pairs: every two runs at every reported number of days ahead.
        losses: CRPS of log returns, or Brier score, by days ahead, over the origins that all runs share, shape (steps,)
            each, by run; empty if a run keeps no forecasts.
        hits: share of prices in the 90 % band, or of days whose likeliest direction came, the same way.
        plain: what `hits` is held against: the 90 %, or what saying up every day would have made of it, shape (steps,);
            empty as `losses`.
        lacking: runs that keep no forecasts, so that nothing is tested.
    """

    scores: SideBySide
    pairs: tuple[Pair, ...]
    losses: dict[str, Floats]
    hits: dict[str, Floats]
    plain: Floats
    lacking: tuple[str, ...]

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
        return {**self.scores.to_json(), "tests": tests, "verdict": self.verdict()}


def compare(paths: list[Path]) -> Compared:
    """Put the scores of runs side by side and test every two of them against each other.

    Args:
        paths: directories of at least two runs, each evaluated on the same test days.

    Raises:
        RunError: they cannot be compared, or what a run keeps does not fit together.
    """
    scores = compare_runs(paths)
    found = {name: _KEPT[scores.score](path.resolve()) for name, path in zip(scores.runs, paths, strict=True)}
    lacking = tuple(name for name, one in found.items() if one is None)
    kept = {name: one for name, one in found.items() if one is not None}
    if lacking:
        return Compared(scores, (), {}, {}, np.empty(0), lacking)
    for place, (name, one) in enumerate(kept.items()):
        _check_stated(scores, place, name, one)
    shared = _shared(kept, score=scores.score)
    losses = {name: one.losses for name, one in shared.items()}
    pairs = [
        Pair(
            first,
            second,
            step,
            _lower(losses[first][:, step - 1], losses[second][:, step - 1]),
            diebold_mariano(losses[first][:, step - 1], losses[second][:, step - 1], horizon=step),
        )
        for first, second in combinations(scores.runs, 2)
        for step in _steps(scores)
    ]
    return Compared(
        scores,
        _corrected(pairs),
        {name: one.mean(axis=0) for name, one in losses.items()},
        {name: one.hits.mean(axis=0) for name, one in shared.items()},
        next(iter(shared.values())).plain.mean(axis=0),
        (),
    )


def draw_comparison(compared: Compared, folder: Path) -> Path | None:
    """Draw the runs side by side into a folder; return the picture's path, None where there is nothing to draw.

    Raises:
        RunError: the disk or the folder does not allow it.
    """
    if not compared.losses:
        return None
    from stockcast import plots_compare  # matplotlib: only for who draws

    first, data = compared.scores.runs[0], compared.scores.data
    marks = {
        name: [pair.step for pair in compared.pairs if (pair.first, pair.second) == (first, name) and pair.is_sure]
        for name in compared.scores.runs
    }
    title = f"{data['name']}, {data['first_origin']} to {data['last_target']}"
    path = folder / "comparison.png"
    figure = plots_compare.side_by_side(
        compared.losses, compared.hits, compared.plain, marks, score=compared.scores.score, title=title
    )
    write_picture(path, figure)
    return path


def _check_stated(scores: SideBySide, place: int, name: str, kept: Kept) -> None:
    """Check that forecasts give the scores that their run states.

    Raises:
        RunError: they do not, or the file lacks a day ahead.
    """
    losses = kept.losses.mean(axis=0)
    for step in _steps(scores):
        stated = scores.horizons[str(step)][place].loss
        if not (
            stated is not None
            and 1 <= step <= len(losses)
            and np.isclose(losses[step - 1], stated, rtol=1e-6, atol=1e-12)
        ):
            raise RunError(
                f"{name}: metrics.json and forecasts.npz are not of one evaluation ({step} days ahead). Next: "
                f"stockcast evaluate {name}"
            )


def _steps(scores: SideBySide) -> list[int]:
    """The days ahead that all runs report."""
    return [int(step) for step in scores.horizons if step != "all"]


def _lower(losses: Floats, others: Floats) -> float:
    """Share by which the mean loss is lower than the other; 0 where that has none to undercut."""
    return float(1 - losses.mean() / others.mean()) if others.mean() > 0 else 0.0


def _shared(kept: dict[str, Kept], *, score: str) -> dict[str, Kept]:
    """Return the forecasts from the origins, and as far ahead, as all runs have.

    Raises:
        RunError: the same days came out at other prices, or in other directions.
    """
    horizon = min(one.horizon for one in kept.values())
    name, first = next(iter(kept.items()))
    dates = first.origin_dates
    for one in kept.values():
        dates = np.intersect1d(dates, one.origin_dates)
    shared = {name: one.part(dates, horizon=horizon) for name, one in kept.items()}
    for other, one in shared.items():
        if not one.answers_as(shared[name]):
            raise RunError(f"{name} and {other} {_OTHERWISE[score]}, so their scores say nothing of each other.")
    return shared


def _corrected(pairs: list[Pair]) -> tuple[Pair, ...]:
    """The same pairs with their p-values corrected for being as many as they are."""
    tested = {place: pair.test.p_value for place, pair in enumerate(pairs) if pair.test is not None}
    by_place = dict(zip(tested, holm(list(tested.values())), strict=True))
    return tuple(
        Pair(pair.first, pair.second, pair.step, pair.lower, pair.test, by_place.get(place))
        for place, pair in enumerate(pairs)
    )


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
