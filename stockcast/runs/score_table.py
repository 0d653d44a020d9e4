"""The scores of several runs, as far as they were evaluated on the same days of the same prices."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from stockcast.errors import RunError
from stockcast.runs.integrity import check_integrity
from stockcast.runs.listing import metrics_of
from stockcast.runs.values import mapping, number, score_of, skills_of, word
from stockcast.text import printable_name

_DATA = {"prices (SHA-256)": ("data", "sha256"), "frequency": ("data", "frequency"),
         "first origin": ("split", "first_origin"), "last target": ("split", "last_target")}  # fmt: skip


@dataclass(frozen=True)
class Scored:
    """The scores of one run at one horizon, or over all steps; None where metrics.json does not hold one.

    Attributes:
        crps: of log returns, lower is better.
        coverage_90: share of prices inside the 90 % band.
        brier: of the probabilities of the direction, lower is better; None for a run that forecasts prices.
        accuracy: share of days whose likeliest direction was the actual one.
        skill: by baseline, 1 - score / score of the baseline, of CRPS or Brier, over the run's own origins.
    """

    crps: float | None
    coverage_90: float | None
    brier: float | None
    accuracy: float | None
    skill: dict[str, float]

    @property
    def loss(self) -> float | None:
        """Brier score of a run that forecasts the direction, else CRPS."""
        return self.crps if self.brier is None else self.brier

    def baseline_score(self, baseline: str) -> float | None:
        """Return the score of a baseline, from the skill against it; None if that gives none."""
        skill = self.skill.get(baseline)
        return None if self.loss is None or skill is None or skill >= 1 else self.loss / (1 - skill)


@dataclass(frozen=True)
class ScoreTable:
    """Runs that were scored on the same days.

    Attributes:
        runs: their names.
        data: what they have in common: file, first origin and last target.
        score: CRPS, or Brier where all of them forecast the direction.
        horizons: days ahead, or "all" where all runs look equally far -> the scores of each run, in their order; with
            skill against those baselines only that have the same score in all runs.
        apart: the other baselines; those were fitted on other training days, or scored on other origins.
    """

    runs: tuple[str, ...]
    data: dict[str, str]
    score: str
    horizons: dict[str, tuple[Scored, ...]]
    apart: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain values for --json."""
        horizons = {
            step: {name: asdict(score) for name, score in zip(self.runs, scores, strict=True)}
            for step, scores in self.horizons.items()
        }
        return {"runs": list(self.runs), "data": self.data, "score": self.score, "horizons": horizons,
                "rivals_apart": list(self.apart)}  # fmt: skip


def compare_runs(paths: list[Path]) -> ScoreTable:
    """Return the scores of several runs, as their evaluations state them.

    Raises:
        RunError: fewer than two, one is not whole or not evaluated, or their test days or prices differ.
    """
    names = [path.resolve().name for path in paths]
    if len(set(names)) < 2 or len(set(names)) < len(names):
        raise RunError("It takes two different runs to compare. See: stockcast runs list", value=names)
    for name, path in zip(names, paths, strict=True):
        if (state := check_integrity(path).state) != "whole":
            raise RunError(f"{name} is {state}, so its scores prove nothing. See: stockcast runs verify {name}",
                           file=path, value=state)  # fmt: skip
    evaluations = [metrics_of(path) for path in paths]
    _check_same_days(dict(zip(names, evaluations, strict=True)))
    steps = [
        {step for step in mapping(metrics.get("horizons")) if step.isdecimal() and len(step) < 4}
        for metrics in evaluations
    ]
    horizons = {
        step: tuple(_scored(mapping(metrics.get("horizons")).get(step)) for metrics in evaluations)
        for step in sorted(set.intersection(*steps), key=int)
    }
    if all(own == steps[0] for own in steps):
        horizons["all"] = tuple(_scored(metrics.get("overall")) for metrics in evaluations)
    shared = {"name": ("data", "name"), **{key: (section, key) for section, key in list(_DATA.values())[1:]}}
    data = {key: _stated(evaluations[0], section, own) or "" for key, (section, own) in shared.items()}
    baselines = dict.fromkeys(name for scores in horizons.values() for score in scores for name in score.skill)
    apart = tuple(name for name in baselines if not all(_is_same(name, scores) for scores in horizons.values()))
    horizons = {step: tuple(_without(score, apart) for score in scores) for step, scores in horizons.items()}
    return ScoreTable(tuple(map(printable_name, names)), data, score_of(evaluations[0]), horizons, apart)


def _stated(metrics: dict[str, Any], section: str, key: str) -> str | None:
    """Return what metrics.json states; one without a frequency is of daily bars."""
    stated = mapping(metrics.get(section))
    return word({"frequency": "daily", **stated}.get(key) if section == "data" else stated.get(key), most=64)


def _check_same_days(evaluations: dict[str, dict[str, Any]]) -> None:
    """Check that runs were scored on the same days of the same prices, and by the same score.

    Raises:
        RunError: they were not, or do not state it.
    """
    for what, (section, key) in _DATA.items():
        stated = {name: _stated(metrics, section, key) for name, metrics in evaluations.items()}
        if lacking := [name for name, value in stated.items() if value is None]:
            name = lacking[0]
            raise RunError(
                f"{name}: metrics.json does not hold the {what}. Next: stockcast evaluate {name}",
                key=f"{section}.{key}",
            )
        if len(set(stated.values())) > 1:
            values = ", ".join(f"{str(value)[:12]} ({name})" for name, value in stated.items())
            raise RunError(
                f"These runs were not scored on the same days of the same prices, so their scores cannot be compared: "
                f"{what} {values}. Compare runs of one data file and one split.",
                key=f"{section}.{key}",
                value=list(stated.values()),
            )
    scores = {name: score_of(metrics) for name, metrics in evaluations.items()}
    if len(set(scores.values())) > 1:
        values = ", ".join(f"{score} ({name})" for name, score in scores.items())
        raise RunError(
            f"Some of these runs forecast prices and some the direction, whose scores cannot be compared: {values}. "
            f"Compare runs of one kind.",
            key="score",
            value=list(scores.values()),
        )


def _scored(comparison: Any) -> Scored:
    scores = mapping(mapping(comparison).get("model"))
    measures = {name: number(scores.get(name)) for name in ("crps", "coverage_90", "brier", "accuracy")}
    return Scored(**measures, skill=skills_of(mapping(comparison)))


def _is_same(baseline: str, scores: Sequence[Scored]) -> bool:
    """Whether a baseline has the same score in all runs, or in none."""
    if not any(baseline in score.skill for score in scores):
        return True
    values = [score.baseline_score(baseline) for score in scores]
    return all(value is not None and math.isclose(value, values[0] or 0.0, rel_tol=1e-6) for value in values)


def _without(score: Scored, baselines: Sequence[str]) -> Scored:
    return replace(score, skill={name: share for name, share in score.skill.items() if name not in baselines})
