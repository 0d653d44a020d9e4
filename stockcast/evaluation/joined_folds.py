"""The scores of a series in folds that follow each other -> its scores over all of their days.

A fold's forecasts are of another network than the next one's, and its baselines of another estimate. What they have in
common is one loss for each origin, so the losses are put end to end: means and tests are over all origins.
"""

from collections.abc import Sequence

import numpy as np

from stockcast.evaluation.pool import Losses, SeriesScores, StepScores, join_regimes
from stockcast.evaluation.significance import diebold_mariano
from stockcast.typing import Dates, Floats


def join_folds(parts: Sequence[tuple[SeriesScores, Dates, Losses]]) -> tuple[SeriesScores, Dates, Losses]:
    """Return the scores, origins and losses of one series over all folds, as `pool_series` takes them.

    Args:
        parts: of each fold, at least one, oldest first, with the same days ahead; their origins do not overlap. A
            baseline that lacks a fold is left out.
    """
    every = [scores for scores, _, _ in parts]
    first, dates = every[0], np.concatenate([dates for _, dates, _ in parts])
    names = [name for name in first.overall.baselines if all(name in scores.overall.baselines for scores in every)]
    losses = {name: np.concatenate([losses[name] for _, _, losses in parts]) for name in ("model", *names)}
    weights = np.array([scores.origins for scores in every], dtype=float)

    def at(steps: Sequence[StepScores], column: int) -> StepScores:
        means = {name: float(values[:, column].mean()) for name, values in losses.items()}
        return StepScores(
            means.pop("model"),
            means,
            _mean([step.coverage_50 for step in steps], weights),
            _mean([step.coverage_90 for step in steps], weights),
            join_regimes([step.regimes for step in steps]),
        )

    horizons = {
        step: at([scores.horizons[step] for scores in every], column) for column, step in enumerate(first.horizons)
    }
    joined = SeriesScores(
        name=first.name,
        first_origin=first.first_origin,
        last_target=every[-1].last_target,
        origins=sum(scores.origins for scores in every),
        horizons=horizons,
        overall=at([scores.overall for scores in every], len(horizons)),
        tests={
            name: {
                step: diebold_mariano(losses["model"][:, column], losses[name][:, column], horizon=step)
                for column, step in enumerate(horizons)
            }
            for name in names
        },
    )
    return joined, dates, losses


def _mean(shares: Sequence[float | None], weights: Floats) -> float | None:
    known = [share for share in shares if share is not None]
    return float(np.average(known, weights=weights)) if len(known) == len(shares) else None
