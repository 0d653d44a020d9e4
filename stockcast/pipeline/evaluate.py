"""A run and days that it was not trained on -> scores next to the baselines', and a verdict."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stockcast.config.load import Overrides
from stockcast.data.csv.options import series_name
from stockcast.data.csv.table import PriceSource
from stockcast.data.prices import Prices
from stockcast.data.split import Part
from stockcast.evaluation.column_scores import Columns
from stockcast.evaluation.direction_scores import DirectionReport
from stockcast.evaluation.scores import Report
from stockcast.evaluation.stated import score_rows
from stockcast.evaluation.verdict.tuned import tuned_sentence
from stockcast.forecasting.cache import BaselineCache
from stockcast.forecasting.predictor import Predictor
from stockcast.forecasting.tasks import TaskScores
from stockcast.models.callbacks import SILENT, Callbacks
from stockcast.pipeline.evaluation_labels import content_of
from stockcast.pipeline.scored_series import ScoredDays, ScoredSeries, read_scored
from stockcast.runs.directory import RunDirectory
from stockcast.runs.shipped import choose_run
from stockcast.typing import Floats

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Evaluation:
    """The result of `evaluate`.

    Attributes:
        run: name of the run.
        label: names the folder: the part, the series if it is another one, the first day if chosen.
        metrics: metrics.json: every score of network and baselines.
        scores: the same as values, with the verdict and what draws the figures.
        baselines: quantiles of costly baselines that the run does not store yet, by key.
    """

    run: str
    label: str
    metrics: dict[str, Any]
    scores: TaskScores
    baselines: dict[str, Floats]

    @property
    def report(self) -> Report | DirectionReport:
        """Every score of network and baselines, by days ahead."""
        return self.scores.report

    @property
    def verdict(self) -> tuple[str, ...]:
        """Sentences; the last one sums up."""
        return self.scores.verdict

    @property
    def columns(self) -> Columns:
        """Scores of each of several price columns; empty where one price or the direction is forecast."""
        return self.scores.columns

    def title(self) -> str:
        """Return series, run, part and days, for figures and tables."""
        span = self.metrics["split"]
        series = series_name(Path(self.metrics["data"]["name"]))
        part = f"{span['part']} {self.report.frequency.unit}s"
        return f"{series} by {self.run}, {part} {span['first_origin']} to {span['last_target']}"

    def to_frame(self) -> "pd.DataFrame":
        """Return the scores as a pandas DataFrame, a row for each number of days ahead and forecast."""
        import pandas as pd

        return pd.DataFrame(score_rows(self.metrics, name="network"))


def evaluate(
    run: RunDirectory | Path | str | None = None,
    source: PriceSource | str | None = None,
    *,
    part: Part = "test",
    start: date | str | None = None,
    insist: bool = False,
    runs: Path | str = "runs",
    overrides: Overrides = (),
    callbacks: Callbacks = SILENT,
) -> Evaluation:
    """Score a run and the baselines on every origin of its test days, and judge it; nothing is written.

    Args:
        run: a finished run, its path, or its name under `runs`; None for the newest one there; where there is none,
            a source is taken by the one that ships, `pretrained`.
        source: another series than the first that the run was trained on: a price file or a DataFrame.
        part: `test`, or `validation`, whose scores are too good because it stopped the training.
        start: first day to be scored, a date or ISO text; None for the first of the run's test days.
        insist: score days that the run was trained on, too.
        runs: folder of the runs.
        overrides: how the price file is read, which of its series, and a newer file of covariates, as in
            `Predictor.load`.
        callbacks: `on_message` is given what looks odd in the data, `on_baseline` the costly baselines' progress.

    Raises:
        StockcastError: the run is damaged, its price file is not the one it was trained on, or too few days are left.
    """
    chosen = choose_run(Path(runs), run, source=source, on_message=callbacks.on_message)
    predictor = Predictor.load(chosen, overrides=overrides, on_message=callbacks.on_message)
    series = predictor.one_series(source)
    return evaluate_series(predictor, series, ScoredDays.of(part, start, insist), callbacks=callbacks)


def evaluate_series(
    predictor: Predictor, series: Prices | PriceSource | None, days: ScoredDays, *, callbacks: Callbacks = SILENT
) -> Evaluation:
    """Score a loaded run and the baselines on a series that `Predictor.series` yields, as `evaluate` does."""
    return score(predictor, read_scored(predictor, series, days, callbacks=callbacks), callbacks=callbacks)


def score(predictor: Predictor, scored: ScoredSeries, *, callbacks: Callbacks = SILENT) -> Evaluation:
    """Score a loaded run and the baselines on a series that `read_scored` returned."""
    prices, task = scored.prices, scored.task
    baselines = BaselineCache(predictor.run, task, callbacks.on_baseline)
    scores = predictor.task.evaluate(predictor.network, scored.dataset, task, baselines=baselines)
    dates, tuned = prices.dates, predictor.config.tuned
    if tuned is not None:
        first = dates[task.targets[0, 0]].astype(object)
        scores = scores.remarked(tuned_sentence(trials=tuned.trials, before=tuned.before, first=first))
    metrics = {
        "data": {"name": prices.label, "sha256": prices.sha256, **content_of(prices),
                 "days": len(dates), "frequency": prices.frequency.name},
        "seed": predictor.config.training.seed,
        "fingerprint": scored.fingerprint,
        **({} if tuned is None else {"tuned": tuned.model_dump(mode="json")}),
        "split": {
            "part": scored.part,
            "first_origin": str(dates[task.origins[0]]),
            "last_target": str(dates[task.targets[-1, -1]]),
            "origins": len(task.origins),
        },
        **scores.metrics,
    }  # fmt: skip
    return Evaluation(predictor.run.name, scored.label, metrics, scores, baselines.made)


def save_evaluation(run: RunDirectory, evaluation: Evaluation, *, plot: bool = True) -> Path:
    """Write an evaluation into its run: metrics.json, verdict.txt, two files of arrays, figures; return the folder.

    Raises:
        RunError: the disk or the folder does not allow it.
    """
    for key, quantiles in evaluation.baselines.items():
        run.write_baseline(key, quantiles)
    scores = evaluation.scores
    losses = {"origin_dates": scores.arrays["origin_dates"], "losses": np.stack([*scores.report.losses.values()])}
    folder = run.write_evaluation(
        evaluation.label, evaluation.metrics, verdict=scores.verdict, forecasts=scores.arrays, losses=losses
    )
    if plot:
        for name, figure in scores.draw(evaluation.title()).items():
            run.write_plot(name, figure, folder=f"{folder.name}/plots")
    return folder
