"""Price files -> what every member of an ensemble is trained on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.config.schema import Config
from stockcast.data.features import MARKET, make_market
from stockcast.data.market import MOST
from stockcast.data.prices import Prices
from stockcast.data.scaler import Scaler
from stockcast.data.split import PARTS, Part, Split, split_at, split_days
from stockcast.data.target import TargetTransform
from stockcast.data.windows import WindowDataset
from stockcast.errors import ConfigError, DataError, NotEnoughDays, RunError
from stockcast.evaluation.calibration.conformal import check_origins
from stockcast.forecasting.dataset import SeriesDataset, fit_scalers, make_dataset
from stockcast.forecasting.reading import (
    OnMessage,
    price_files,
    raise_together,
    read_to_train,
    series_in,
    stated_covariates,
)
from stockcast.runs.directory import RunDirectory, covariates_of
from stockcast.runs.layout import BEGUN
from stockcast.runs.safe_io import damaged
from stockcast.text import plural
from stockcast.typing import Floats

_NAMES_SHOWN = 20
_MONTH = 31
"""Days: a file may well begin or end a holiday or a download later than a config says."""


@dataclass(frozen=True)
class TrainingData:
    """Every series, ready for a network.

    Attributes:
        scaler: of the features, fitted on the training days.
        target: unit of the targets, likewise.
        datasets: one for each series.
        training: windows to train on, of all series.
        validation: windows that stop training, of all series. Both and the datasets share one memory.
    """

    scaler: Scaler
    target: TargetTransform
    datasets: list[SeriesDataset]
    training: WindowDataset
    validation: WindowDataset


def read_training_prices(config: Config, on_message: OnMessage) -> tuple[Config, list[Prices]]:
    """Read the price files; return the config with dates for the parts, and every series.

    Args:
        config: names the files.
        on_message: called with what was repaired and what looks odd.

    Raises:
        ConfigError: the head or a feature does not go with so many series.
        DataError: files cannot be trained on; names all of them.
    """
    files = price_files(config)
    _check_number(config, len(files))
    prices = _read_all(config, files, on_message)
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
        config = _with_dates(config, prices)  # rows that come later must not move a border
        if config.data.csv_options.takes_all:
            prices = _long_enough(config, prices, on_message)
        _check_days(config, prices)
    except NotEnoughDays as error:
        if len(prices) > 1:
            raise
        raise NotEnoughDays(f"{prices[0].title}: {error}", file=prices[0].source) from error
    return config, prices


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


def _read_all(config: Config, files: Sequence[Path], on_message: OnMessage) -> list[Prices]:
    """Read every series; a DataError describes all that cannot be trained on, with the fields of the first."""
    prices: list[Prices] = []
    errors: list[DataError] = []
    covariates = stated_covariates(config)
    for path in files:
        try:
            for source in series_in(config, path):
                try:
                    prices.append(read_to_train(config, source, on_message=on_message, covariates=covariates))
                except DataError as error:
                    if error.file is None:
                        raise
                    errors.append(error)
        except DataError as error:
            if error.file is None:  # about the config, so about every file
                raise
            errors.append(error)
    what = "series" if config.data.csv_options.takes_all else "price files"
    raise_together(errors, of=f"{len(errors) + len(prices)} {what}")
    return prices


def build_training_data(config: Config, prices: Sequence[Prices]) -> TrainingData:
    """Scale every series by the training days of all, and window it.

    Raises:
        DataError: a series lacks a column or a price that the config asks for.
    """
    market = make_market(prices, config.features)
    training_days = [_split(config, series).training_stretches() for series in prices]
    scaler, target = fit_scalers(config, prices, market, days=training_days)
    datasets = [make_dataset(config, series, market, scaler, target) for series in prices]
    return _share_memory(scaler, target, datasets)


def _share_memory(scaler: Scaler, target: TargetTransform, datasets: list[SeriesDataset]) -> TrainingData:
    """Join the days of several series end to end, so that all are held in memory once, and window them."""
    units = [dataset.volatility for dataset in datasets if dataset.volatility is not None]
    target_prices = np.concatenate([dataset.target_prices for dataset in datasets])
    scaled = np.concatenate([dataset.scaled for dataset in datasets])
    volatility: Floats | None = np.concatenate(units) if units else None
    borders = list(accumulate((len(dataset.scaled) for dataset in datasets), initial=0))
    shared = [
        replace(
            dataset,
            target_prices=target_prices[start:end],
            scaled=scaled[start:end],
            volatility=None if volatility is None else volatility[start:end],
        )
        for dataset, (start, end) in zip(datasets, pairwise(borders), strict=True)
    ]
    first = datasets[0]

    def windows(part: Part) -> WindowDataset:
        """The windows of a part of every series: whole windows and horizons within it, so none spans a seam."""
        origins = [
            start + dataset.split.origins(part, window=first.window, horizon=first.steps, required=False)
            for dataset, start in zip(datasets, borders, strict=False)
        ]
        return WindowDataset(
            scaled,
            target_prices,
            np.concatenate(origins),
            window=first.window,
            horizon=first.steps,
            target=target,
            volatility=volatility,
        )

    return TrainingData(scaler, target, shared, windows("training"), windows("validation"))


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


def _with_dates(config: Config, prices: list[Prices]) -> Config:
    """Return the config with each part's first day in place of its share of all days of all series."""
    dates = np.unique(np.concatenate([series.dates for series in prices]))
    split = split_days(dates, **dict(config.split))
    firsts: dict[str, Any] = {
        part: dates[split.part(part).start].astype(object)
        for part in PARTS[1:]
        if not isinstance(getattr(config.split, part), tuple)  # blocks are dates already
    }
    return config.model_copy(update={"split": config.split.model_copy(update=firsts)})


def _split(config: Config, prices: Prices) -> Split:
    return split_at(prices.dates, **dict(config.split))


def _long_enough(config: Config, prices: list[Prices], on_message: OnMessage) -> list[Prices]:
    """Leave out series that begin too late to train on, as new stocks in a file of a whole market do; report them."""
    counts = [_origins(config, series, "training") for series in prices]
    late = [series.name for series, count in zip(prices, counts, strict=True) if not count]
    if late and len(late) < len(prices):
        on_message(
            f"{len(late)} of {len(prices)} series left out, which begin too late to train on (no window of "
            f"{config.data.bars.count(config.window)} with the {config.horizon} after it before "
            f"{config.first_day('validation')}): "
            f"{', '.join(late[:_NAMES_SHOWN])}{', ...' if len(late) > _NAMES_SHOWN else ''}."
        )
        return [series for series, count in zip(prices, counts, strict=True) if count]
    return prices


def _origins(config: Config, prices: Prices, part: Part, *, required: bool = False) -> int:
    """Count the origins with a whole window and horizon in a part."""
    split = _split(config, prices)
    return len(split.origins(part, window=config.window, horizon=config.horizon, required=required))


def _check_days(config: Config, prices: list[Prices]) -> None:
    """Check that every part has enough origins, and the training part some of every series."""
    bars = config.data.bars
    window, horizon, alone = config.window, config.horizon, len(prices) == 1
    for part in PARTS:
        counts = [_origins(config, series, part, required=alone) for series in prices]
        if not sum(counts):
            raise NotEnoughDays(
                f"None of the {len(prices)} series has the bars for a window of {window} and a horizon of {horizon} in "
                f"the {part} part. Use longer files, or give the part more bars (split).",
                key=f"split.{part}",
            )
        late = [series for series, count in zip(prices, counts, strict=True) if not count]
        if part == "training" and late:
            raise DataError(
                f"{', '.join(series.label for series in late)} begins too late to train on: no window of "
                f"{bars.count(window)} with the {horizon} after it before {config.first_day('validation')}. Leave it "
                f"out of data.path; `stockcast evaluate --data` scores it.",
                file=late[0].source,
                key="data.path",
            )
        if part == "calibration" and config.calibration != "none":
            check_origins(sum(counts))


def _time_between(earlier: date, later: date) -> str:
    """Return how long it is from one day to another, in round months or years."""
    months = round((later - earlier).days / 30.44)
    return plural(months, "month") if months < 24 else plural(round(months / 12), "year")
