"""Runs scored on the same days -> their scores side by side, and whether they differ by more than luck."""

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np

from stockcast.errors import RunError
from stockcast.evaluation.significance import diebold_mariano, holm
from stockcast.forecast import Floats
from stockcast.pipeline.compared import Compared, Pair, Shared
from stockcast.pipeline.findings import listed
from stockcast.pipeline.kept import Kept, kept_directions, kept_prices
from stockcast.runs.comparison import Scored, SideBySide, compare_runs
from stockcast.runs.files import write_picture

_KEPT = {"CRPS": kept_prices, "Brier": kept_directions}
"""What reads a run's forecasts, by the score that they have."""

_OTHERWISE = {
    "CRPS": "do not forecast the same prices (target.column, target.adjusted)",
    "Brier": "do not mean the same by up and down (model.classes, model.threshold, target)",
}


def compare(paths: list[Path]) -> Compared:
    """Put the scores of runs side by side and test every two of them, both over the origins that all of them have.

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
        return Compared(scores, None, (), {}, {}, np.empty(0), lacking)
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
        _over(scores, shared),
        _origins(kept, shared),
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

    first = compared.scores.runs[0]
    marks = {
        name: [pair.step for pair in compared.pairs if (pair.first, pair.second) == (first, name) and pair.is_sure]
        for name in compared.scores.runs
    }
    path = folder / "comparison.png"
    figure = plots_compare.side_by_side(
        compared.losses, compared.hits, compared.plain, marks, score=compared.scores.score, title=compared.title()
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


def _over(scores: SideBySide, shared: dict[str, Kept]) -> SideBySide:
    """The same runs, each scored on the shared origins alone."""

    def again(step: str, name: str, stated: Scored) -> Scored:
        steps = slice(None) if step == "all" else int(step) - 1
        loss, hits = (float(values[:, steps].mean()) for values in (shared[name].losses, shared[name].hits))
        if scores.score == "CRPS":
            return replace(stated, crps=loss, coverage_90=hits)
        return replace(stated, brier=loss, accuracy=hits)

    horizons = {
        step: tuple(again(step, name, one) for name, one in zip(scores.runs, each, strict=True))
        for step, each in scores.horizons.items()
    }
    return replace(scores, horizons=horizons)


def _origins(kept: dict[str, Kept], shared: dict[str, Kept]) -> Shared:
    one = next(iter(shared.values()))
    return Shared(
        first=str(one.origin_dates[0]),
        last=str(one.origin_dates[-1]),
        last_target=str(one.target_dates.max()),
        count=len(one.origin_dates),
        own={name: len(each.origin_dates) for name, each in kept.items()},
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
        RunError: there are none, or the same days came out at other prices, or in other directions.
    """
    horizon = min(one.horizon for one in kept.values())
    name, first = next(iter(kept.items()))
    dates = first.origin_dates
    for one in kept.values():
        dates = np.intersect1d(dates, one.origin_dates)
    if not len(dates):
        raise RunError(f"{listed(list(kept))} have no origin in common. Compare runs of one data file and one split.")
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
