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
from stockcast.data.split import Part, Split
from stockcast.data.stored_prices import StoredPrices
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
from stockcast.forecasting.stored_datasets import StoredDatasets
from stockcast.forecasting.training_days import check_days, refuse_late, split_of, with_dates, without_late
from stockcast.runs.directory import RefusedFile, RunDirectory, covariates_of
from stockcast.runs.layout import BEGUN
from stockcast.runs.safe_io import damaged
from stockcast.text import plural
from stockcast.typing import Days, Floats

_MONTH = 31
"""Days: a file may well begin or end a holiday or a download later than a config says."""


@dataclass(frozen=True)
class TrainingData:
    """Every series, ready for a network.

    Attributes:
        scaler: of the features, fitted on the training days.
        target: unit of the targets, likewise.
        prices: of each series.
        datasets: one for each series, each read from a file when it is taken.
        without: of each series once more, without the columns that a file may lack; empty where it may lack none.
        training: windows to train on, of all series.
        validation: windows that stop training, of all series. Both share one memory, of the days up to calibration.
        shared: the file that holds it for other processes; None where it is this process's own.
    """

    scaler: Scaler
    target: TargetTransform
    prices: Sequence[Prices]
    datasets: Sequence[SeriesDataset]
    without: Sequence[SeriesDataset]
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
    series: Sequence[Prices]
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
        prices = StoredPrices([replace(first, notes=(*first.notes, *remarks))])
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


def _read_all(config: Config, files: Sequence[Path], refusals: Refusals, on_message: OnMessage) -> StoredPrices:
    """Read every series; refuse files that cannot be used, and those of a series that another file has."""
    prices = StoredPrices()
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
    splits = [split_of(config, series) for series in prices]
    training_days = [split.training_stretches() for split in splits]
    scaler, target = fit_scalers(config, prices, market, days=training_days)
    columns = config.data.may_lack
    datasets = StoredDatasets(prices.__getitem__)
    without = StoredDatasets(lambda number: prices[number].without(columns))
    days = sum(map(_trained_days, splits)) * (2 if columns else 1)
    memory = _Memory(days, window=config.window, horizon=config.steps, target=target)
    for stored, lacking in ((datasets, ()), *([(without, columns)] if columns else [])):
        for series in prices:
            dataset = make_dataset(config, series.without(lacking), market, scaler, target)
            memory.hold(dataset)
            stored.append(dataset)
    training, validation = (memory.windows(part) for part in ("training", "validation"))
    shared = None
    if is_shared:
        shared = SharedWindows(training, validation)
        training, validation = shared.training, shared.validation  # the memory that was filled is free
    return TrainingData(scaler, target, prices, datasets, without, training, validation, shared)


def _trained_days(split: Split) -> int:
    """Return how many days of a series are those of training and validation, which come first."""
    return int(split.part("calibration").start)


class _Memory:
    """The days of several series that a network is trained on, end to end: all that is held of hundreds of series."""

    def __init__(self, days: int, *, window: int, horizon: int, target: TargetTransform) -> None:
        self._days, self._held = days, 0
        self._window, self._horizon, self._target = window, horizon, target
        self._arrays: dict[str, Floats] = {}
        self._origins: dict[Part, list[Days]] = {"training": [], "validation": []}

    def hold(self, dataset: SeriesDataset) -> None:
        """Add the days of a dataset, and its origins: whole windows and horizons in a part, so none spans a seam."""
        own = slice(_trained_days(dataset.split))
        days = slice(self._held, self._held + own.stop)
        for part, origins in self._origins.items():
            its = dataset.split.origins(part, window=self._window, horizon=self._horizon, required=False)
            origins.append(days.start + its)
        for name in ("target_prices", "scaled", "volatility"):
            if (values := getattr(dataset, name)) is None:
                continue
            if name not in self._arrays:
                self._arrays[name] = np.empty((self._days, *values.shape[1:]), dtype=values.dtype)
            self._arrays[name][days] = values[own]
        self._held = days.stop

    def windows(self, part: Part) -> WindowDataset:
        """Return the windows of a part of all series."""
        return WindowDataset(
            self._arrays["scaled"],
            self._arrays["target_prices"],
            np.concatenate(self._origins[part]),
            window=self._window,
            horizon=self._horizon,
            target=self._target,
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
