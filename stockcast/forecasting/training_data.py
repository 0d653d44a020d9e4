"""Price files -> what every member of an ensemble is trained on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.config.schema import Config
from stockcast.data.csv.problems import PROBLEMS_SHOWN
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
from stockcast.forecasting.reading import OnMessage, price_files, read_to_train, stated_covariates
from stockcast.runs.directory import RunDirectory, covariates_of
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
    files, head = price_files(config), config.head
    if len(files) > 1 and not head.has_bands and head.classes is None:
        raise ConfigError(
            f"model.head {head.name} takes its bands from the errors on one series' calibration days, and data.path "
            f"names {len(files)} series, whose bands differ. Use one file, or a head with bands of its own: student_t, "
            f"skewed_t, quantile or histogram.",
            key="model.head",
            value=head.name,
        )
    if len(files) > MOST and set(config.features) & set(MARKET):
        raise ConfigError(
            f"features contain the market (market_...), the mean of {len(files)} price files; at most {MOST} are "
            f"possible. Leave these features out, or give data.path fewer files.",
            key="features",
            value=len(files),
        )
    prices = _read_all(config, files, on_message)
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
        on_message(f"{files[0].name if len(files) == 1 else f'{len(files)} price files'}: {remark}.")
    if len(files) == 1:
        prices = [replace(prices[0], notes=(*prices[0].notes, *remarks))]
    try:
        config = _with_dates(config, prices)  # rows that come later must not move a border
        _check_days(config, prices)
    except NotEnoughDays as error:
        if len(prices) > 1:
            raise
        raise NotEnoughDays(f"{prices[0].source}: {error}", file=prices[0].source) from error
    return config, prices


def _read_all(config: Config, files: list[Path], on_message: OnMessage) -> list[Prices]:
    """Read every file; a DataError describes all that cannot be trained on, with the fields of the first."""
    prices: list[Prices] = []
    errors: list[DataError] = []
    covariates = stated_covariates(config)
    for path in files:
        try:
            prices.append(read_to_train(config, path, on_message=on_message, covariates=covariates))
        except DataError as error:
            if error.file is None:  # about the config, so about every file
                raise
            errors.append(error)
    if len(errors) > 1:
        first, shown = errors[0], [str(error) for error in errors[:PROBLEMS_SHOWN]]
        more = [f"... and {plural(len(errors) - len(shown), 'more file')}."] if len(errors) > len(shown) else []
        kind = type(first) if len({type(error) for error in errors}) == 1 else DataError
        facts = {name: getattr(first, name) for name in ("file", "line", "column", "key", "value")}
        together = kind(
            "\n".join([f"{len(errors)} of {len(files)} price files cannot be used:", *shown, *more]), **facts
        )
        together.problems = tuple(problem for each in errors for problem in each.problems)
        raise together from first
    if errors:
        raise errors[0]
    return prices


def build_training_data(config: Config, prices: Sequence[Prices]) -> TrainingData:
    """Scale every series by the training days of all, and window it.

    Raises:
        DataError: a series lacks a column or a price that the config asks for.
    """
    market = make_market(prices, config.features)
    training_days = [_split(config, series).part("training") for series in prices]
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
    firsts: dict[str, Any] = {part: dates[split.part(part).start].astype(object) for part in PARTS[1:]}
    return config.model_copy(update={"split": config.split.model_copy(update=firsts)})


def _split(config: Config, prices: Prices) -> Split:
    return split_at(prices.dates, **dict(config.split))


def _check_days(config: Config, prices: list[Prices]) -> None:
    """Check that every part has enough origins, and the training part some of every series."""
    window, horizon, alone = config.window, config.horizon, len(prices) == 1
    splits = [_split(config, series) for series in prices]
    for part in PARTS:
        counts = [len(split.origins(part, window=window, horizon=horizon, required=alone)) for split in splits]
        if not sum(counts):
            raise NotEnoughDays(
                f"None of the {len(prices)} series has the days for a window of {window} and a horizon of {horizon} in "
                f"the {part} part. Use longer files, or give the part more days (split).",
                key=f"split.{part}",
            )
        late = [series.source for series, count in zip(prices, counts, strict=True) if not count]
        if part == "training" and late:
            raise DataError(
                f"{', '.join(path.name for path in late)} begins too late to train on: no window of {window} days with "
                f"the {horizon} after it before {config.split.validation}. Leave it out of data.path; "
                f"`stockcast evaluate --data` scores it.",
                file=late[0],
                key="data.path",
            )
        if part == "calibration" and config.calibration != "none":
            check_origins(sum(counts))


def _time_between(earlier: date, later: date) -> str:
    """Return how long it is from one day to another, in round months or years."""
    months = round((later - earlier).days / 30.44)
    return plural(months, "month") if months < 24 else plural(round(months / 12), "year")
