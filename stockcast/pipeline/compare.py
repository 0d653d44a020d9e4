"""Runs scored on the same days -> their scores side by side, and whether they differ by more than luck."""

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np

from stockcast.errors import RunError
from stockcast.evaluation.significance import diebold_mariano
from stockcast.evaluation.verdict.outcomes import correct
from stockcast.pipeline.comparison import ComparisonReport, Pair, Shared
from stockcast.pipeline.run_losses import RunLosses, direction_losses, price_losses
from stockcast.runs.files import write_picture
from stockcast.runs.layout import PRETRAINED
from stockcast.runs.score_table import Scored, ScoreTable, compare_runs
from stockcast.runs.shipped import refuse_pretrained
from stockcast.text import join_words
from stockcast.typing import Floats

_LOSSES = {"CRPS": price_losses, "Brier": direction_losses}
"""What reads a run's losses, by the score that they are."""

_OTHER_TARGETS = {
    "CRPS": "do not forecast the same prices (target.column, target.adjusted)",
    "Brier": "do not mean the same by up and down (model.classes, model.threshold, target)",
}


def compare(paths: list[Path]) -> ComparisonReport:
    """Score runs, and test every two of them, over the origins that all of them have.

    Args:
        paths: directories of at least two runs, each evaluated on the same test days.

    Raises:
        RunError: they cannot be compared, or the files of an evaluation do not fit together.
    """
    for path in paths:
        refuse_pretrained(
            path,
            f"it has no scores on their test days to compare. For its scores beside the baselines': stockcast evaluate "
            f"{PRETRAINED} --data FILE.csv",
        )
    stated = compare_runs(paths)
    own = {name: _LOSSES[stated.score](path.resolve()) for name, path in zip(stated.runs, paths, strict=True)}
    for place, (name, losses) in enumerate(own.items()):
        _check_stated(stated, place, name, losses)
    shared = _shared(own, score=stated.score)
    first = next(iter(shared.values()))
    return ComparisonReport(
        _rescored(stated, shared),
        Shared(
            first=str(first.origin_dates[0]),
            last=str(first.origin_dates[-1]),
            last_target=str(first.target_dates.max()),
            count=len(first.origin_dates),
            own={name: len(losses.origin_dates) for name, losses in own.items()},
        ),
        _pairs(stated, shared),
        {name: losses.losses.mean(axis=0) for name, losses in shared.items()},
        {name: losses.hits.mean(axis=0) for name, losses in shared.items()},
        first.plain.mean(axis=0),
    )


def draw_comparison(report: ComparisonReport, folder: Path) -> Path:
    """Draw the runs side by side into a folder; return the picture's path."""
    from stockcast import plots  # matplotlib: only for who draws

    first = report.scores.runs[0]
    marks = {
        name: [pair.step for pair in report.pairs if (pair.first, pair.second) == (first, name) and pair.is_significant]
        for name in report.scores.runs
    }
    path = folder / "comparison.png"
    figure = plots.side_by_side(
        report.losses,
        report.hits,
        report.plain,
        marks,
        score=report.scores.score,
        title=report.title(),
        frequency=report.frequency,
    )
    write_picture(path, figure)
    return path


def _check_stated(stated: ScoreTable, place: int, name: str, losses: RunLosses) -> None:
    """Check that the stored forecasts of a run have the scores that it states, at every reported day ahead."""
    means = losses.losses.mean(axis=0)
    for step in _steps(stated):
        score = stated.horizons[str(step)][place].loss
        if not (
            score is not None and 1 <= step <= len(means) and np.isclose(means[step - 1], score, rtol=1e-6, atol=1e-12)
        ):
            raise RunError(
                f"{name}: metrics.json and forecasts.npz are not of one evaluation (step {step}). Next: "
                f"stockcast evaluate {name}",
                key=f"horizons.{step}",
                value=score,
            )


def _shared(own: dict[str, RunLosses], *, score: str) -> dict[str, RunLosses]:
    """Return the losses from the origins, and as far ahead, as all runs have.

    Raises:
        RunError: there are none, or the runs have other prices or directions as targets on the same days.
    """
    horizon = min(losses.horizon for losses in own.values())
    name, first = next(iter(own.items()))
    dates = first.origin_dates
    for losses in own.values():
        dates = np.intersect1d(dates, losses.origin_dates)
    if not len(dates):
        raise RunError(
            f"{join_words(list(own))} have no origin in common. Compare runs of one data file and one split.",
            value=list(own),
        )
    shared = {name: losses.part(dates, horizon=horizon) for name, losses in own.items()}
    for other, losses in shared.items():
        if not losses.has_same_targets(shared[name]):
            raise RunError(
                f"{name} and {other} {_OTHER_TARGETS[score]}, so their scores cannot be compared.", value=[name, other]
            )
    return shared


def _rescored(stated: ScoreTable, shared: dict[str, RunLosses]) -> ScoreTable:
    """Return the same runs, each scored on the shared origins alone."""

    def rescored(step: str, name: str, score: Scored) -> Scored:
        steps = slice(None) if step == "all" else int(step) - 1
        loss, hits = (float(values[:, steps].mean()) for values in (shared[name].losses, shared[name].hits))
        if stated.score == "CRPS":
            return replace(score, crps=loss, coverage_90=hits)
        return replace(score, brier=loss, accuracy=hits)

    horizons = {
        step: tuple(rescored(step, name, score) for name, score in zip(stated.runs, scores, strict=True))
        for step, scores in stated.horizons.items()
    }
    return replace(stated, horizons=horizons)


def _pairs(stated: ScoreTable, shared: dict[str, RunLosses]) -> tuple[Pair, ...]:
    """Test every two runs at every reported number of days ahead; p-values are corrected for the number of tests."""
    at = {name: {step: losses.losses[:, step - 1] for step in _steps(stated)} for name, losses in shared.items()}
    tests = {
        (first, second): {step: diebold_mariano(at[first][step], at[second][step], horizon=step) for step in at[first]}
        for first, second in combinations(stated.runs, 2)
    }
    return tuple(
        Pair(*two, step, _lower_by(at[two[0]][step], at[two[1]][step]), tests[two][step], result)
        for two, by_step in correct(tests).items()
        for step, result in by_step.items()
    )


def _lower_by(losses: Floats, others: Floats) -> float:
    """Share by which the mean loss is lower than the other; 0 where the other is 0, the least there is."""
    return float(1 - losses.mean() / others.mean()) if others.mean() > 0 else 0.0


def _steps(scores: ScoreTable) -> list[int]:
    """The days ahead that all runs report."""
    return [int(step) for step in scores.horizons if step != "all"]
