"""Price files -> what every member of an ensemble learns from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from stockcast.config import Config
from stockcast.data.csvfile import counted
from stockcast.data.features import MARKET, make_market
from stockcast.data.market import MOST
from stockcast.data.prices import Prices
from stockcast.data.scaling import Scaler
from stockcast.data.splits import PARTS, Part, split_days
from stockcast.data.targets import Target
from stockcast.data.windows import Windows
from stockcast.errors import ConfigError, DataError, NotEnoughDays
from stockcast.evaluation.calibration import check_origins
from stockcast.material import Material, end_to_end
from stockcast.pipeline.series import (
    Say,
    Series,
    fit_scalers,
    make_material,
    make_series,
    price_files,
    read_closely,
)

_MONTH = 31
"""Days: a file may well begin or end a holiday or a download later than a config says."""


@dataclass(frozen=True)
class Lessons:
    """Every series as a network sees it.

    Attributes:
        scaler: of the inputs, fitted on the training days.
        target: the unit of the answers, likewise.
        materials: one for each series.
        training: windows to learn from, of all series.
        validation: windows that stop training, of all series. Both and the materials share one memory.
    """

    scaler: Scaler
    target: Target
    materials: list[Material]
    training: Windows
    validation: Windows


def prepare(config: Config, say: Say) -> tuple[Config, list[Series]]:
    """Read the prices; return the config with dates for the parts, and every series as numbers."""
    files, head = price_files(config), config.head
    if len(files) > 1 and not head.has_bands and head.classes is None:
        raise ConfigError(
            f"model.head {head.name} takes its bands from how far prices strayed on one series' calibration days, and "
            f"data.path names {len(files)}, whose bands differ. Use one file, or a head that says how sure it is: "
            f"student_t, skewed_t, quantile or histogram."
        )
    if len(files) > MOST and set(config.features) & set(MARKET):
        raise ConfigError(
            f"features look at the market (market_...), the mean of {len(files)} price files, and {MOST} are the most. "
            f"Leave these features out, or give data.path fewer files."
        )
    prices = [read_closely(config, path, say) for path in files]
    for remark in (remarks := [*unreached(config, prices), *_cut_short(config, prices), *_lonely(config, prices)]):
        say(f"{files[0].name if len(files) == 1 else f'{len(files)} price files'}: {remark}.")
    if len(files) == 1:
        prices = [replace(prices[0], notes=(*prices[0].notes, *remarks))]
    try:
        config = _with_dates(config, prices)  # rows that come later must not move a border
        market = make_market(prices, config.features)
        series = [make_series(config, one, market) for one in prices]
        _check_days(config, series)
    except NotEnoughDays as error:
        if len(prices) > 1:
            raise
        raise NotEnoughDays(f"{prices[0].source}: {error}") from error
    return config, series


def unreached(config: Config, prices: Sequence[Prices]) -> list[str]:
    """Say where data.start or data.end lies outside all that was read, by more than a month.

    Of several series one listed late or gone early is nothing to wonder at, as long as another is there.
    """
    first = min(one.dates[0].astype(object) for one in prices)
    last = max(one.dates[-1].astype(object) for one in prices)
    start, end = config.data.start, config.data.end
    remarks = []
    if start is not None and (first - start).days > _MONTH:
        remarks.append(f"the first day is {first}, {_apart(start, first)} after data.start {start}")
    if end is not None and (end - last).days > _MONTH:
        remarks.append(f"the last day is {last}, {_apart(last, end)} before data.end {end}")
    return remarks


def _cut_short(config: Config, prices: Sequence[Prices]) -> list[str]:
    """Say where data.end leaves out rows of the series that evaluate and predict take: the forecast is of days past."""
    first = prices[0]
    if not first.later:
        return []
    rows = counted(first.later, "row") + (f" of the first, {first.source.name}," if len(prices) > 1 else "")
    return [
        f"{rows} after data.end {config.data.end} left out, so that forecasts begin after that day; "
        f"data.end: null takes all"
    ]


def _lonely(config: Config, prices: Sequence[Prices]) -> list[str]:
    """Say where a market is no more than the one series itself."""
    names = [name for name in config.features if name in MARKET]
    if not names or len(prices) > 1:
        return []
    return [f"{', '.join(names)}: the mean over all series of data.path is this series itself, for it is the only one"]


def make_lessons(config: Config, series: list[Series]) -> Lessons:
    """Scale every series by what the training days of all show, and window it."""
    scaler, target = fit_scalers(config, series, days=[one.split.part("training") for one in series])
    whole, materials = end_to_end([make_material(config, one, scaler, target) for one in series])
    training, validation = (_windows(config, series, whole, part) for part in ("training", "validation"))
    return Lessons(scaler, target, materials, training, validation)


def _with_dates(config: Config, prices: list[Prices]) -> Config:
    """The same config with each part's first day in place of its share of all days of all series."""
    dates = np.unique(np.concatenate([one.dates for one in prices]))
    split = split_days(dates, **dict(config.split))
    firsts: dict[str, Any] = {part: dates[split.part(part).start].astype(object) for part in PARTS[1:]}
    return config.model_copy(update={"split": config.split.model_copy(update=firsts)})


def _windows(config: Config, series: list[Series], whole: Material, part: Part) -> Windows:
    """The windows of a part of every series; a recursive network answers one day at a time.

    A series' origins have a whole window and horizon within it, so none spans a seam.
    """
    lengths = [len(one.closes) for one in series]
    origins = [
        start + one.split.origins(part, window=config.window, horizon=config.steps, required=False)
        for one, start in zip(series, np.cumsum([0, *lengths[:-1]]), strict=True)
    ]
    return whole.windows(np.concatenate(origins))


def _check_days(config: Config, series: list[Series]) -> None:
    """Refuse data too short for any part before anything is built or written."""
    for part in PARTS:
        only = len(series) == 1
        counts = [
            len(one.split.origins(part, window=config.window, horizon=config.horizon, required=only)) for one in series
        ]
        if not sum(counts):
            raise NotEnoughDays(
                f"None of the {len(series)} series has the days for a window of {config.window} and a horizon of "
                f"{config.horizon} in the {part} part. Use longer files, or give the part more days (split)."
            )
        if part == "training":
            late = [one.prices.source.name for one, count in zip(series, counts, strict=True) if not count]
            if late:
                raise DataError(
                    f"{', '.join(late)} begins too late to be learnt from: no window of {config.window} days with the "
                    f"{config.horizon} after it before {config.split.validation}. Leave it out of data.path; "
                    f"`stockcast evaluate --data` scores it."
                )
        if part == "calibration" and config.calibration != "none":
            check_origins(sum(counts))


def _apart(earlier: date, later: date) -> str:
    """How long it is from one day to another, in round months or years."""
    months = round((later - earlier).days / 30.44)
    return counted(months, "month") if months < 24 else counted(round(months / 12), "year")
