"""Price files -> what every member of an ensemble is trained on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.cache.features import cached_features
from stockcast.config.schema import Config
from stockcast.data.features import MARKET, make_market
from stockcast.data.market import MOST
from stockcast.data.prices import Prices
from stockcast.data.scaler import Scaler
from stockcast.data.shared_windows import SharedWindows
from stockcast.data.split import Part
from stockcast.data.target import TargetTransform
from stockcast.data.windows import WindowDataset
from stockcast.errors import ConfigError, DataError, NotEnoughDays, RunError
from stockcast.forecasting.dataset import SeriesDataset, fit_scalers, make_dataset, prices_to_forecast
from stockcast.forecasting.reading import (
    OnMessage,
    price_files,
    read_to_train,
    series_in,
    stated_covariates,
)
from stockcast.forecasting.refused import Refusals, report_refused
from stockcast.forecasting.training_days import check_days, refuse_late, split_of, with_dates, without_late
from stockcast.runs.directory import RefusedFile, RunDirectory, covariates_of
from stockcast.runs.layout import BEGUN
from stockcast.runs.safe_io import damaged
from stockcast.text import plural
from stockcast.typing import Floats

_MONTH = 31
"""Days: a file may well begin or end a holiday or a download later than a config says."""


@dataclass(frozen=True)
class TrainingData:
    """Every series, ready for a network.

    Attributes:
        scaler: of the features, fitted on the training days.
        target: unit of the targets, likewise.
        datasets: one for each series.
        without: of each series once more, without the columns that a file may lack; empty where it may lack none.
        training: windows to train on, of all series.
        validation: windows that stop training, of all series. Both and the datasets share one memory.
        shared: the file that holds it for other processes; None where it is this process's own.
    """

    scaler: Scaler
    target: TargetTransform
    datasets: list[SeriesDataset]
    without: list[SeriesDataset]
    training: WindowDataset
    validation: WindowDataset
    shared: SharedWindows | None = None


@dataclass(frozen=True)
class TrainingPrices:
    """The price files of a training.

    Attributes:
        config: with dates for the parts.
        series: every one that is trained on.
        refused: files that are left out.
    """

    config: Config
    series: list[Prices]
    refused: list[RefusedFile]


def read_training_prices(
    config: Config, on_message: OnMessage, *, already_refused: Sequence[RefusedFile] | None = None
) -> TrainingPrices:
    """Read the price files.

    Args:
        config: names the files.
        on_message: called with what was repaired, what looks odd, and which files are left out.
        already_refused: of a training that has begun, the files that were left out then, and no others are; None for a
            new one.

    Raises:
        ConfigError: the head or a feature does not go with so many series.
        DataError: more files cannot be trained on than may be left out; names all of them.
    """
    files = price_files(config)
    if already_refused is not None:
        before = {refused.path for refused in already_refused}
        files = [file for file in files if str(file) not in before]
    _check_number(config, len(files))
    refusals = Refusals(config, may_grow=already_refused is None)
    prices = _read_all(config, files, refusals, on_message)
    _check_number(config, len(prices))  # a file may hold several
    first, market = prices[0], [name for name in config.features if name in MARKET]
    remarks = outside_data(config, prices)
    if first.later:
        rows = plural(first.later, "row") + (f" of the first, {first.label}," if len(prices) > 1 else "")
        remarks.append(
            f"{rows} after data.end {config.data.end} left out, so that forecasts begin after that day; data.end: null "
            f"takes all"
        )
    if market and len(prices) == 1:
        remarks.append(f"{', '.join(market)}: data.path names one series, so the market is this series itself")
    for remark in remarks:
        on_message(f"{first.label if len(prices) == 1 else f'{len(prices)} series'}: {remark}.")
    if len(prices) == 1:
        prices = [replace(prices[0], notes=(*prices[0].notes, *remarks))]
    try:
        config = with_dates(config, prices)  # rows that come later must not move a border
        if config.data.csv_options.takes_all:
            prices = without_late(config, prices, on_message)
        else:
            prices = refuse_late(config, prices, refusals)
        check_days(config, prices)
    except NotEnoughDays as error:
        refusals.check(of="price files", others=len(prices))  # with these there may be days enough
        if len(prices) > 1:
            raise
        raise NotEnoughDays(f"{prices[0].title}: {error}", file=prices[0].source) from error
    refused = [*(already_refused or ()), *refusals.files]
    report_refused(refused, files=len(refused) + len(prices), on_message=on_message)
    return TrainingPrices(config, prices, refused)


def _check_number(config: Config, series: int) -> None:
    """Check that the head and the features go with so many series; ConfigError if not."""
    head = config.head
    if series > 1 and not head.has_bands and head.classes is None:
        raise ConfigError(
            f"model.head {head.name} takes its bands from the errors on one series' calibration days, and data.path "
            f"names {series} series, whose bands differ. Use one series, or a head with bands of its own: student_t, "
            f"skewed_t, quantile or histogram.",
            key="model.head",
            value=head.name,
        )
    if series > MOST and set(config.features) & set(MARKET):
        raise ConfigError(
            f"features contain the market (market_...), the mean of {series} series; at most {MOST} are possible. "
            f"Leave these features out, or give data.path fewer series.",
            key="features",
            value=series,
        )


def _read_all(config: Config, files: Sequence[Path], refusals: Refusals, on_message: OnMessage) -> list[Prices]:
    """Read every series; refuse files that cannot be used, and those of a series that another file has."""
    prices: list[Prices] = []
    covariates = stated_covariates(config)
    for path in files:
        try:
            for source in series_in(config, path):
                try:
                    series = read_to_train(config, source, on_message=on_message, covariates=covariates)
                    prices_to_forecast(config, series)
                    prices.append(series)
                except DataError as error:
                    if error.file is None:
                        raise
                    refusals.add(path, error)
        except DataError as error:
            if error.file is None:  # about the config, so about every file
                raise
            refusals.add(path, error)
    takes_all = config.data.csv_options.takes_all
    if takes_all:
        refusals.check(of="series", others=len(prices))
        return prices
    prices = refusals.add_repeated(prices)
    if not prices:  # else some may begin too late besides
        refusals.check(of="price files", others=0)
    return prices


def build_training_data(config: Config, prices: Sequence[Prices], *, is_shared: bool = False) -> TrainingData:
    """Scale every series by the training days of all, and window it.

    Args:
        config: with dates for the parts.
        prices: of every series.
        is_shared: whether other processes are to train on it too.

    Raises:
        DataError: a series lacks a column or a price that the config asks for.
        RunError: there is no room for the file that other processes read.
    """
    market = make_market(prices, config.features, make=cached_features)
    training_days = [split_of(config, series).training_stretches() for series in prices]
    scaler, target = fit_scalers(config, prices, market, days=training_days)
    columns = config.data.may_lack
    every = [*prices, *(series.without(columns) for series in prices if columns)]
    memory = _Memory(sum(len(series.dates) for series in every))
    datasets = [memory.hold(make_dataset(config, series, market, scaler, target)) for series in every]
    training, validation = (memory.windows(datasets, part) for part in ("training", "validation"))
    shared = None
    if is_shared:
        shared = SharedWindows(training, validation)
        training, validation = shared.training, shared.validation
        datasets = _placed(datasets, training)  # the memory that was filled is free
    return TrainingData(scaler, target, datasets[: len(prices)], datasets[len(prices) :], training, validation, shared)


def _placed(datasets: Sequence[SeriesDataset], windows: WindowDataset) -> list[SeriesDataset]:
    """Return the datasets with their days in the arrays of `windows`, where they lie end to end."""
    placed, start = [], 0
    for dataset in datasets:
        days = slice(start, start + len(dataset.scaled))
        placed.append(
            replace(
                dataset,
                target_prices=windows.target_prices[days],
                scaled=windows.scaled[days],
                volatility=None if windows.volatility is None else windows.volatility[days],
            )
        )
        start = days.stop
    return placed


class _Memory:
    """The days of several series end to end, so that all are held once, and no more than one series twice."""

    def __init__(self, days: int) -> None:
        self._days, self._held = days, 0
        self._arrays: dict[str, Floats] = {}

    def hold(self, dataset: SeriesDataset) -> SeriesDataset:
        """Return the dataset with its days in the memory of all."""
        days = slice(self._held, self._held + len(dataset.scaled))
        self._held = days.stop

        def held(name: str, values: Floats) -> Floats:
            if name not in self._arrays:
                self._arrays[name] = np.empty((self._days, *values.shape[1:]), dtype=values.dtype)
            self._arrays[name][days] = values
            return self._arrays[name][days]

        return replace(
            dataset,
            target_prices=held("target_prices", dataset.target_prices),
            scaled=held("scaled", dataset.scaled),
            volatility=None if dataset.volatility is None else held("volatility", dataset.volatility),
        )

    def windows(self, datasets: Sequence[SeriesDataset], part: Part) -> WindowDataset:
        """Return the windows of a part of all datasets: whole windows and horizons within it, so none spans a seam."""
        first, start, origins = datasets[0], 0, []
        for dataset in datasets:
            own = dataset.split.origins(part, window=first.window, horizon=first.steps, required=False)
            origins.append(start + own)
            start += len(dataset.scaled)
        return WindowDataset(
            self._arrays["scaled"],
            self._arrays["target_prices"],
            np.concatenate(origins),
            window=first.window,
            horizon=first.steps,
            target=first.target,
            volatility=self._arrays.get("volatility"),
        )


def outside_data(config: Config, prices: Sequence[Prices]) -> list[str]:
    """Return where data.start or data.end lies more than a month outside the days of all series together."""
    first = min(series.dates[0].astype(object) for series in prices)
    last = max(series.dates[-1].astype(object) for series in prices)
    start, end = config.data.start, config.data.end
    remarks = []
    if start is not None and (first - start).days > _MONTH:
        remarks.append(f"the first day is {first}, {_time_between(start, first)} after data.start {start}")
    if end is not None and (end - last).days > _MONTH:
        remarks.append(f"the last day is {last}, {_time_between(last, end)} before data.end {end}")
    return remarks


def check_unchanged(run: RunDirectory, stated: dict[str, Any], prices: Sequence[Prices]) -> None:
    """Check that the price files are those of begun.json, `stated`; a RunError names those that have changed."""
    try:
        before = {series["path"]: series["sha256"] for series in stated["series"]}
    except (KeyError, TypeError) as error:
        raise damaged(run.path / BEGUN, f"it lists no series ({error})") from error
    now = {str(series.source): series.sha256 for series in prices}
    own, trained = prices[0].own, covariates_of(stated, run.path / BEGUN)
    if own is not None and own.covariates is not None:
        now[str(own.covariates)] = str(own.sha256)
    if trained is not None:
        before[trained.path] = trained.sha256
    if changed := [path for path in {**before, **now} if before.get(path) != now.get(path)]:
        raise RunError(
            f"{run.name} cannot be resumed: {', '.join(changed)} changed since its training began (SHA-256). "
            f"Put the old data back, or train a new run.",
            file=changed[0],
        )


def _time_between(earlier: date, later: date) -> str:
    """Return how long it is from one day to another, in round months or years."""
    months = round((later - earlier).days / 30.44)
    return plural(months, "month") if months < 24 else plural(round(months / 12), "year")
