"""A series and the days of it that are scored, read and checked before anything is forecast."""

import hashlib
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import version

import numpy as np

from stockcast import __version__
from stockcast.data.csv.table import PriceSource
from stockcast.data.lookahead import find_lookahead
from stockcast.data.market import Market
from stockcast.data.prices import Prices
from stockcast.data.split import Part
from stockcast.errors import NotEnoughDays, RunError, StockcastError
from stockcast.evaluation.baselines.garch import GENERATION
from stockcast.evaluation.baselines.task import ForecastTask
from stockcast.forecasting.dataset import SeriesDataset
from stockcast.forecasting.predictor import Predictor
from stockcast.forecasting.reading import report_gaps
from stockcast.forecasting.stored_closes import changes_text
from stockcast.models.callbacks import Callbacks
from stockcast.pipeline.evaluation_labels import label_of
from stockcast.runs.directory import TrainedSeries
from stockcast.runs.layout import MANIFEST
from stockcast.runs.safe_io import sha256


@dataclass(frozen=True)
class ScoredDays:
    """Which days of a series are scored.

    Attributes:
        part: `test`, or `validation`, whose scores are too good because it stopped the training.
        start: first day; None for the first of the run's test days.
        insist: whether days may be scored that the run was trained on, too.
    """

    part: Part = "test"
    start: date | None = None
    insist: bool = False

    @classmethod
    def of(cls, part: Part, start: date | str | None, insist: bool) -> "ScoredDays":
        """Return these days; `start` may be ISO text, or have a time. StockcastError if it is no day."""
        if isinstance(start, str):
            try:
                start = datetime.fromisoformat(start)
            except ValueError:
                message = f"start {start!r} is not a day such as '2015-01-02'."
                raise StockcastError(message, key="start", value=start) from None
        return cls(part, start.date() if isinstance(start, datetime) else start, insist)


@dataclass(frozen=True)
class ScoredSeries:
    """One series, ready to be scored.

    Attributes:
        name: of the series in tables.
        prices: all of its days.
        dataset: the same, ready for the network.
        task: the origins and the prices that came.
        part: the part of the split that they are of.
        label: names the evaluation's folder, so that no other series, part or first day is overwritten.
        fingerprint: a hash of all that the scores depend on: run, file, days, inputs and the program.
    """

    name: str
    prices: Prices
    dataset: SeriesDataset
    task: ForecastTask
    part: Part
    label: str
    fingerprint: str


def read_scored(
    predictor: Predictor,
    series: Prices | PriceSource | None,
    days: ScoredDays,
    *,
    by_hash: bool = False,
    callbacks: Callbacks,
) -> ScoredSeries:
    """Read a series that `Predictor.series` yields, and report what looks odd in it.

    Args:
        predictor: the loaded run.
        series: what is scored.
        days: which days of it.
        by_hash: whether its name has the first digits of the file's SHA-256, where other series share it.
        callbacks: `on_message` is given the notes.

    Raises:
        StockcastError: the file cannot be read, it has changed since the training, or too few days are left.
    """
    if days.part == "validation" and predictor.config.blocks:
        raise RunError(
            f"The validation days of {predictor.run.name} are blocks within its training days, which are not scored: "
            f"forecasts from one to the next would be of the training. Leave --split out to score the test days.",
            key="split.validation",
        )
    prices, market = _read(predictor, series, days, callbacks)
    first = _first_scored(predictor, prices, days, callbacks=callbacks)
    keeps_split = first == predictor.test_border() and predictor.was_trained_on(prices)
    scored_from = None if keeps_split else first
    dataset = predictor.dataset(prices, market=market, scored_from=scored_from, on_message=callbacks.on_message)
    try:
        task = dataset.forecast_task(days.part)
    except NotEnoughDays as error:
        day = prices.dates[min(dataset.split.part(days.part).start, len(prices.dates) - 1)]
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
    name = f"{prices.name}-{prices.sha256[:8]}" if by_hash else predictor.series_name(prices)
    label = label_of(predictor, prices, task, name=name, part=days.part, first=first)
    fingerprint = _fingerprint(predictor, prices, dataset, task, label)
    return ScoredSeries(name, prices, dataset, task, days.part, label, fingerprint)


def _read(
    predictor: Predictor, source: Prices | PriceSource | None, days: ScoredDays, callbacks: Callbacks
) -> tuple[Prices, Market | None]:
    """Read the series and the market, both up to the last day that both have.

    A training file may have grown since: its test days are those of the training unless a first day is chosen.

    Raises:
        RunError: rows of a training file that is scored, or of the market of it, are not what they were.
    """
    run, on_message = predictor.run, callbacks.on_message
    if source is None and len(predictor.trained_on) > 1:
        on_message(
            f"Scoring {predictor.trained_on[0].name}, the first of {len(predictor.trained_on)} series that {run.name} "
            f"was trained on; --ticker or --data for another, --ticker all for each."
        )
    is_own = source is None or predictor.is_training_file(source)
    later_too = days.start is not None
    if isinstance(source, Prices):
        prices = source
    elif source is None or is_own:
        prices = predictor.read_as_trained(source, with_later=later_too, on_message=on_message)
    else:
        prices = predictor.read(source, on_message=on_message)
    if own := predictor.trained_at(prices):
        _check_rows(predictor, own, prices)
    if not later_too:
        prices = _as_long_as_trained(predictor, prices, callbacks)
    trained = run.trained_covariates()
    if is_own and prices.own is not None and prices.own.sha256 != (trained and trained.sha256):
        raise RunError(
            f"{prices.own.covariates} is not the file of covariates that {run.name} was trained with, so its test days "
            f"are not what they were. Put the old file back, or train again; predict takes a newer one.",
            file=prices.own.covariates,
            key="data.covariates",
        )
    changed: list[str] = []
    end = predictor.config.data.end if is_own and not later_too else None
    market = predictor.market(end=end, as_trained=is_own and not later_too, on_changed=changed.append)
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


def _check_rows(predictor: Predictor, trained: TrainedSeries, prices: Prices) -> None:
    """Refuse a training file whose rows of the training are not what they were; one that has only grown passes."""
    changes = predictor.changes(trained, prices)
    if changes == ():
        return
    which = "" if changes is None else f": {changes_text(changes)}"
    raise RunError(
        f"{prices.source} has changed since {predictor.run.name} was trained{which}. So its test days are not what "
        f"they were. Put the old rows back, or train again.",
        file=prices.source,
        value=changes and list(changes),
    )


def _as_long_as_trained(predictor: Predictor, prices: Prices, callbacks: Callbacks) -> Prices:
    """Return a series of the training without the days that came since, and report these; another one as it is."""
    trained = predictor.trained_at(prices) or predictor.trained_series(prices)
    if trained is None or not trained.last or prices.dates[-1] <= np.datetime64(trained.last):
        return prices
    until = prices.until(date.fromisoformat(trained.last))
    later = prices.dates[len(until.dates) :]
    callbacks.on_message(
        f"{prices.label} has grown since {predictor.run.name} was trained: {prices.frequency.count(len(later))}, "
        f"{later[0]} to {later[-1]}, are not among its test days. --from {later[0]} scores them."
    )
    return until


def _first_scored(predictor: Predictor, prices: Prices, days: ScoredDays, *, callbacks: Callbacks) -> date:
    """Return the first day to score: the run's first test day, or a chosen one; without a bar, the next one.

    Raises:
        RunError: the training used the chosen day, and `insist` is not set.
        NotEnoughDays: the series ends before that day.
    """
    border, name, dates = predictor.test_border(), predictor.run.name, prices.dates
    wanted = days.start or border
    place = int(np.searchsorted(dates, np.datetime64(wanted)))
    test = int(np.searchsorted(dates, np.datetime64(border)))
    if place == len(dates):
        last, unit = dates[-1], prices.frequency.bar
        reason = f"{prices.label} ends on {last}, and {name} is scored from {border} on"
        if days.start:
            reason = f"--from {wanted} is after the last {unit} of {prices.label}, {last}"
        raise NotEnoughDays(
            f"{reason}. Use a newer file{', or an earlier --from' if wanted > border else ''}.",
            file=prices.source,
            key="--from",
            value=str(dates[-1]),
        )
    if place == test:  # no bar lies between them
        return border
    first: date = dates[place].astype(object)
    if place > test:
        return first
    before, begins = dates[test - 1], dates[test] if test < len(dates) else border
    if not days.insist:
        raise RunError(
            f"{name} was trained on days up to {before}, and its test days begin on {begins}, so scores from {wanted} "
            f"on would include days that it was trained on. Give --from {begins} or later, or --insist.",
            key="--from",
            value=wanted,
        )
    callbacks.on_message(f"{name} was trained on days up to {before}: the scores of these are too good.")
    return first


def _fingerprint(predictor: Predictor, prices: Prices, dataset: SeriesDataset, task: ForecastTask, label: str) -> str:
    run = sha256(predictor.run.path / MANIFEST)
    words = [run, prices.sha256, prices.ticker, label, __version__, version("arch"), GENERATION, task.training_days]
    arrays = (prices.dates, task.closes, task.origins, dataset.scaled)
    content = b"".join([repr(words).encode(), *(np.asarray(array).tobytes() for array in arrays)])
    return hashlib.sha256(content).hexdigest()
