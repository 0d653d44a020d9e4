"""A run and days that it was not trained on -> scores next to the baselines', and a verdict."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stockcast.config.load import Overrides
from stockcast.data.csv.options import series_name
from stockcast.data.csv.table import PriceSource
from stockcast.data.lookahead import find_lookahead
from stockcast.data.market import Market
from stockcast.data.prices import Prices
from stockcast.data.split import Part
from stockcast.errors import NotEnoughDays, RunError
from stockcast.evaluation.column_scores import Columns
from stockcast.evaluation.direction_scores import DirectionReport
from stockcast.evaluation.scores import Report
from stockcast.forecasting.cache import BaselineCache
from stockcast.forecasting.predictor import Predictor
from stockcast.forecasting.reading import report_gaps
from stockcast.forecasting.tasks import TaskScores
from stockcast.models.callbacks import SILENT, Callbacks
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

        rows = [
            {"days_ahead": int(step), "forecast": name, **scores}
            for step, comparison in self.metrics["horizons"].items()
            for name, scores in {"network": comparison["model"], **comparison["baselines"]}.items()
        ]
        frame = pd.DataFrame(rows)
        nested = [name for name in frame.columns if frame[name].map(lambda cell: isinstance(cell, dict | list)).any()]
        return frame.drop(columns=nested)


def evaluate(
    run: RunDirectory | Path | str | None = None,
    source: PriceSource | str | None = None,
    *,
    part: Part = "test",
    start: date | None = None,
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
        start: first day to be scored; None for the first of the run's test days.
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
    return evaluate_series(predictor, series, part=part, start=start, insist=insist, callbacks=callbacks)


def evaluate_series(
    predictor: Predictor,
    series: Prices | PriceSource | None,
    *,
    part: Part = "test",
    start: date | None = None,
    insist: bool = False,
    callbacks: Callbacks = SILENT,
) -> Evaluation:
    """Score a loaded run and the baselines on a series that `Predictor.series` yields, as `evaluate` does."""
    if part == "validation" and predictor.config.blocks:
        raise RunError(
            f"The validation days of {predictor.run.name} are blocks within its training days, which are not scored: "
            f"forecasts from one to the next would be of the training. Leave --split out to score the test days.",
            key="split.validation",
        )
    prices, market = _read(predictor, series, callbacks)
    first = _first_scored(predictor, start, insist=insist, callbacks=callbacks)
    keeps_split = first == predictor.test_border() and predictor.was_trained_on(prices)
    scored_from = None if keeps_split else first
    dataset = predictor.dataset(prices, market=market, scored_from=scored_from, on_message=callbacks.on_message)
    try:
        task = dataset.forecast_task(part)
    except NotEnoughDays as error:
        day = prices.dates[min(dataset.split.part(part).start, len(prices.dates) - 1)]
        raise NotEnoughDays(
            f"{prices.label}, scored from {day} to {prices.dates[-1]}: {error}",
            file=prices.source,
            key=error.key,
            value=error.value,
        ) from None
    scored = slice(max(0, int(task.origins[0]) - predictor.config.window + 1), int(task.origins[-1]) + 1)
    report_gaps(prices, scored, callbacks.on_message)
    for found in find_lookahead(prices):
        callbacks.on_message(f"{prices.label}: {found.sentence}. The scores are too good.")
    baselines = BaselineCache(predictor.run, task, callbacks.on_baseline)
    scores = predictor.task.evaluate(predictor.network, dataset, task, baselines=baselines)
    dates = prices.dates
    metrics = {
        "data": {"name": prices.label, "sha256": prices.sha256, "first": str(dates[0]), "last": str(dates[-1]),
                 "days": len(dates), "frequency": prices.frequency.name},
        "seed": predictor.config.training.seed,
        "split": {
            "part": part,
            "first_origin": str(dates[task.origins[0]]),
            "last_target": str(dates[task.targets[-1, -1]]),
            "origins": len(task.origins),
        },
        **scores.metrics,
    }  # fmt: skip
    label = _label(predictor, prices, part, first)
    return Evaluation(predictor.run.name, label, metrics, scores, baselines.made)


def save_evaluation(run: RunDirectory, evaluation: Evaluation, *, plot: bool = True) -> Path:
    """Write an evaluation into its run: metrics.json, verdict.txt, forecasts.npz and figures; return the folder.

    Raises:
        RunError: the disk or the folder does not allow it.
    """
    for key, quantiles in evaluation.baselines.items():
        run.write_baseline(key, quantiles)
    scores = evaluation.scores
    folder = run.write_evaluation(
        evaluation.label, metrics=evaluation.metrics, verdict=scores.verdict, arrays=scores.arrays
    )
    if plot:
        for name, figure in scores.draw(evaluation.title()).items():
            run.write_plot(name, figure, folder=f"{folder.name}/plots")
    return folder


def _read(
    predictor: Predictor, source: Prices | PriceSource | None, callbacks: Callbacks
) -> tuple[Prices, Market | None]:
    """Read the series and the market, both up to the last day that both have.

    Raises:
        RunError: a training file that is scored, or the market of it, is not what it was at the training.
    """
    run, on_message = predictor.run, callbacks.on_message
    if source is None and len(predictor.trained_on) > 1:
        on_message(
            f"Scoring {predictor.trained_on[0].name}, the first of {len(predictor.trained_on)} series that {run.name} "
            f"was trained on; --ticker or --data for another, --ticker all for each."
        )
    is_own = source is None or predictor.is_training_file(source)
    if isinstance(source, Prices):
        prices = source
    elif source is None or is_own:
        prices = predictor.read_as_trained(source, on_message=on_message)
    else:
        prices = predictor.read(source, on_message=on_message)
    stored = {series.path: series.sha256 for series in predictor.trained_on}
    path = str(prices.source.resolve())
    if prices.sha256 != stored.get(path, prices.sha256):
        raise RunError(
            f"{path} has changed since {run.name} was trained, so its test days are not what they were. Train again, "
            f"or put the old file back.",
            file=path,
        )
    trained = run.trained_covariates()
    if is_own and prices.own is not None and prices.own.sha256 != (trained and trained.sha256):
        raise RunError(
            f"{prices.own.covariates} is not the file of covariates that {run.name} was trained with, so its test days "
            f"are not what they were. Put the old file back, or train again; predict takes a newer one.",
            file=prices.own.covariates,
            key="data.covariates",
        )
    changed: list[str] = []
    market = predictor.market(end=predictor.config.data.end if is_own else None, on_changed=changed.append)
    if changed and is_own:
        raise RunError(
            f"{', '.join(changed)} changed since {run.name} was trained, and its features contain the market, so its "
            f"test days are not what they were. Train again, or put the old files back.",
            file=changed[0],
        )
    if changed:
        on_message(f"The market of {run.name} has changed since its training: {', '.join(changed)}.")
    if market is not None and market.dates[-1] < prices.dates[-1]:
        last: date = market.dates[-1].astype(object)
        on_message(f"{prices.label} is scored up to {last}, the last day of the market of {run.name}.")
        prices = prices.until(last)
    return prices, market


def _first_scored(predictor: Predictor, start: date | None, *, insist: bool, callbacks: Callbacks) -> date:
    """Return the first day to score: the run's first test day, or a chosen one.

    Raises:
        RunError: the training used the chosen day, and `insist` is not set.
    """
    border, name = predictor.test_border(), predictor.run.name
    if start is None or start >= border:
        return start or border
    if not insist:
        raise RunError(
            f"{name} was trained on days up to {border}, so scores from {start} on would include days that it was "
            f"trained on. Give --from {border} or later, or --insist.",
            key="--from",
            value=start,
        )
    callbacks.on_message(f"{name} was trained on days up to {border}: the scores of the days before it are too good.")
    return start


def _label(predictor: Predictor, prices: Prices, part: Part, first: date) -> str:
    """Name the evaluation's folder, so that no other series, part or first day is overwritten."""
    border, own = predictor.test_border(), predictor.trained_on[0]
    is_own = (prices.sha256, prices.label) == (own.sha256, own.name)
    label = part if is_own else f"{part}-{predictor.series_name(prices)}"
    if first != border:
        label += f"-from-{first}"
    return f"{label}-insisted" if first < border else label  # too good to stand where the test scores do
