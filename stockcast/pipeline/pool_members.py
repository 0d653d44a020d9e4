"""The series of a pool: found one after the other, unread, and their scores read back from the run."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.data.csv.folder import files_of
from stockcast.data.csv.options import series_name, ticker_name
from stockcast.data.csv.table import PriceSource, source_name
from stockcast.data.prices import Prices
from stockcast.errors import StockcastError
from stockcast.evaluation.pool import Losses, SeriesScores, StepScores
from stockcast.evaluation.significance import SkillTest
from stockcast.forecasting.predictor import Predictor
from stockcast.forecasting.reading import series_in
from stockcast.runs.evaluations import StoredEvaluation
from stockcast.runs.layout import evaluation_folder
from stockcast.runs.safe_io import damaged
from stockcast.typing import Dates


@dataclass(frozen=True)
class Member:
    """A series that is to be scored.

    Attributes:
        name: as far as it is known before the file is read.
        open: returns what `read_scored` takes; raises StockcastError if it cannot.
        path: of its price file; None where it is of the training or no file.
    """

    name: str
    open: Callable[[], Prices | PriceSource]
    path: Path | None = None


def sources_of(sources: Sequence[PriceSource | str]) -> list[PriceSource]:
    """Return price files, those in folders, and after them DataFrames, each file once."""
    paths = [Path(source) for source in sources if isinstance(source, Path | str)]
    return [*files_of(paths, key="--data"), *(each for each in sources if not isinstance(each, Path | str))]


def members_of(predictor: Predictor, sources: Sequence[PriceSource]) -> Iterator[Member]:
    """Yield the series of these, or without any those of the training; one that cannot be read raises later."""
    if not sources:
        for trained, own in predictor.own_sources():
            name = ticker_name(trained.ticker) or series_name(Path(trained.name))
            yield Member(name, lambda own=own: predictor.read_own(own))  # type: ignore[misc]
    for given in sources:
        path = given if isinstance(given, Path) else None
        try:
            for source in series_in(predictor.reading, given):
                yield Member(source_name(source), lambda source=source: source, path)  # type: ignore[misc]
        except StockcastError as error:
            yield Member(source_name(given), _raising(error), path)


def _raising(error: StockcastError) -> Callable[[], Prices | PriceSource]:
    def open_file() -> Prices | PriceSource:
        raise error

    return open_file


def stored_scores(run: Path, label: str, name: str, stored: StoredEvaluation) -> tuple[SeriesScores, Dates, Losses]:
    """Return the scores and losses of a stored evaluation as a pool takes them.

    Raises:
        RunError: its files are damaged, or not of one evaluation.
    """
    try:
        return _scores(name, stored)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        path = run / evaluation_folder(label) / "metrics.json"
        raise damaged(path, f"it does not fit losses.npz ({type(error).__name__}: {error})") from error


def _scores(name: str, stored: StoredEvaluation) -> tuple[SeriesScores, Dates, Losses]:
    metrics = stored.metrics
    score = metrics["score"]
    origins = len(stored.origin_dates)
    horizons = {int(step): _step(comparison, score, origins) for step, comparison in metrics["horizons"].items()}
    overall = _step(metrics["overall"], score, origins)
    names = ("model", *overall.baselines)
    if stored.losses.shape != (len(names), len(stored.origin_dates), len(horizons) + 1):
        raise ValueError(f"shape {stored.losses.shape}")
    means = [(at.loss, *at.baselines.values()) for at in (*horizons.values(), overall)]
    if not np.allclose(stored.losses.mean(axis=1).T, means, rtol=1e-6, atol=1e-12):
        raise ValueError("other scores")
    tests = {baseline: {step: _test(metrics["horizons"][str(step)]["tests"][baseline]) for step in horizons}
             for baseline in overall.baselines}  # fmt: skip
    split = metrics["split"]
    scores = SeriesScores(
        name, str(split["first_origin"]), str(split["last_target"]), len(stored.origin_dates), horizons, overall, tests
    )
    return scores, stored.origin_dates, dict(zip(names, stored.losses, strict=True))


def _step(comparison: dict[str, Any], score: str, origins: int) -> StepScores:
    """Return the scores of a comparison of metrics.json, with the baselines that it has a skill against."""
    model = comparison["model"]
    bands = {name: _share(model[name]) for name in ("coverage_50", "coverage_90") if name in model}
    losses = {name: float(comparison["baselines"][name][score]) for name in comparison["skill"]}
    regimes = {
        name: (_count(regime["origins"], origins), _share(regime["coverage_90"]))
        for name, regime in comparison.get("regimes", {}).items()
        if regime["origins"]
    }
    return StepScores(float(model[score]), losses, **bands, regimes=regimes)


def _share(stated: Any) -> float:
    share = float(stated)
    if not 0 <= share <= 1:
        raise ValueError(f"a share of {stated}")
    return share


def _count(stated: Any, most: int) -> int:
    if not isinstance(stated, int) or not 0 < stated <= most:
        raise ValueError(f"{stated} origins")
    return stated


def _test(stated: dict[str, float] | None) -> SkillTest | None:
    return None if stated is None else SkillTest(float(stated["statistic"]), float(stated["p_value"]))
