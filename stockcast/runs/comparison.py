"""Runs side by side, as far as they were scored on the same days of the same prices."""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from stockcast.errors import RunError
from stockcast.runs.condition import condition_of
from stockcast.runs.overview import mapping, metrics_of, number, score_of, skills_of, word
from stockcast.untrusted import printable_name

_DATA = {"prices (SHA-256)": ("data", "sha256"), "first origin": ("split", "first_origin"),
         "last target": ("split", "last_target")}  # fmt: skip


@dataclass(frozen=True)
class Scored:
    """How one run did at one horizon, or over all steps.

    Attributes:
        crps: of log returns, lower is better; None if metrics.json does not say.
        coverage_90: share of prices inside the 90 % band.
        brier: of the probabilities of the direction, lower is better; None for a run that says prices.
        accuracy: share of days whose likeliest direction came.
        skill: for each rival, 1 - score / score of the rival, of CRPS or Brier, over the run's own origins.
    """

    crps: float | None
    coverage_90: float | None
    brier: float | None
    accuracy: float | None
    skill: dict[str, float]

    @property
    def loss(self) -> float | None:
        """Brier score of a run that says the direction, CRPS of one that says prices; None if neither is stated."""
        return self.crps if self.brier is None else self.brier

    def met(self, rival: str) -> float | None:
        """Score of a rival, by what the skill against it says; None if that says none."""
        skill = self.skill.get(rival)
        return None if self.loss is None or skill is None or skill >= 1 else self.loss / (1 - skill)


@dataclass(frozen=True)
class SideBySide:
    """Runs that were scored on the same days.

    Attributes:
        runs: their names.
        data: what they have in common: file, first origin and last target.
        score: CRPS, or Brier where all of them say the direction.
        horizons: days ahead, or "all" where all runs look equally far -> the scores of each run, in their order; with
            skill against those rivals only that have the same score in all runs.
        apart: the other rivals; those were fitted on other training days, or asked from other origins.
    """

    runs: tuple[str, ...]
    data: dict[str, str]
    score: str
    horizons: dict[str, tuple[Scored, ...]]
    apart: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain values for --json."""
        by_name = {
            step: dict(zip(self.runs, (asdict(one) for one in scores), strict=True))
            for step, scores in self.horizons.items()
        }
        return {
            "runs": list(self.runs),
            "data": self.data,
            "score": self.score,
            "horizons": by_name,
            "rivals_apart": list(self.apart),
        }


def compare_runs(paths: list[Path]) -> SideBySide:
    """Put the scores of runs side by side.

    Raises:
        RunError: fewer than two, one is not whole or not evaluated, or their test days or prices differ.
    """
    names = [path.resolve().name for path in paths]
    if len(set(names)) < 2 or len(set(names)) < len(names):
        raise RunError("It takes two different runs to compare. See: stockcast runs list")
    for name, path in zip(names, paths, strict=True):
        if (state := condition_of(path).state) != "whole":
            raise RunError(f"{name} is {state}, so its numbers prove nothing. See: stockcast runs verify {name}")
    found = [metrics_of(path) for path in paths]
    for what, (section, key) in _DATA.items():
        stated = [word(mapping(one.get(section)).get(key), most=64) for one in found]
        if None in stated:
            name = names[stated.index(None)]
            raise RunError(f"{name}: metrics.json does not state the {what}. Next: stockcast evaluate {name}")
        if len(set(stated)) > 1:
            told = ", ".join(f"{str(one)[:12]} ({name})" for name, one in zip(names, stated, strict=True))
            raise RunError(
                f"These runs were not scored on the same days of the same prices, so their scores say nothing of each "
                f"other: {what} {told}. Compare runs of one data file and one split."
            )
    scores = [score_of(one) for one in found]
    if len(set(scores)) > 1:
        told = ", ".join(f"{score} ({name})" for name, score in zip(names, scores, strict=True))
        raise RunError(
            f"Some of these runs forecast prices and some the direction, and their scores cannot be laid side by side: "
            f"{told}. Compare runs of one kind."
        )
    steps = [{step for step in mapping(one.get("horizons")) if step.isdecimal() and len(step) < 4} for one in found]
    common = sorted(set.intersection(*steps), key=int)
    horizons = {
        step: tuple(_scored(mapping(mapping(one.get("horizons")).get(step))) for one in found) for step in common
    }
    if all(one == steps[0] for one in steps):
        horizons["all"] = tuple(_scored(mapping(one.get("overall"))) for one in found)
    shared = {"name": ("data", "name"), **{key: (section, key) for section, key in list(_DATA.values())[1:]}}
    data = {key: word(mapping(found[0].get(section)).get(inner)) or "" for key, (section, inner) in shared.items()}
    met = dict.fromkeys(rival for each in horizons.values() for one in each for rival in one.skill)
    apart = tuple(rival for rival in met if not all(_is_one(rival, each) for each in horizons.values()))
    horizons = {step: tuple(map(_without(apart), each)) for step, each in horizons.items()}
    return SideBySide(tuple(map(printable_name, names)), data, scores[0], horizons, apart)


def _is_one(rival: str, each: Sequence[Scored]) -> bool:
    """Whether all runs were held against the same score of a rival, or none was."""
    if not any(rival in one.skill for one in each):
        return True
    met = [one.met(rival) for one in each]
    return all(score is not None and math.isclose(score, met[0] or 0.0, rel_tol=1e-6) for score in met)


def _without(rivals: Collection[str]) -> Callable[[Scored], Scored]:
    """Return what leaves some rivals out."""
    return lambda one: replace(one, skill={name: share for name, share in one.skill.items() if name not in rivals})


def _scored(comparison: dict[str, Any]) -> Scored:
    own = mapping(comparison.get("model"))
    return Scored(
        crps=number(own.get("crps")),
        coverage_90=number(own.get("coverage_90")),
        brier=number(own.get("brier")),
        accuracy=number(own.get("accuracy")),
        skill=skills_of(comparison),
    )
