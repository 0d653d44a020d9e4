"""The dates that divide the days of all series of a training, and the series that they leave enough days."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from stockcast.config.schema import Config
from stockcast.data.prices import Prices
from stockcast.data.split import PARTS, Split, split_at, split_days
from stockcast.data.stored_prices import StoredPrices
from stockcast.errors import DataError, NotEnoughDays
from stockcast.evaluation.calibration.conformal import check_origins
from stockcast.forecasting.reading import OnMessage
from stockcast.forecasting.refused import Refusals

_NAMES_SHOWN = 20


def with_dates(config: Config, prices: Sequence[Prices]) -> Config:
    """Return the config with each part's first day in place of its share of all days of all series."""
    dates = prices[0].dates
    for series in prices:
        dates = np.union1d(dates, series.dates)
    split = split_days(dates, **dict(config.split))
    firsts: dict[str, Any] = {
        part: dates[split.part(part).start].astype(object)
        for part in PARTS[1:]
        if not isinstance(getattr(config.split, part), tuple)  # blocks are dates already
    }
    return config.model_copy(update={"split": config.split.model_copy(update=firsts)})


def split_of(config: Config, prices: Prices) -> Split:
    """Return where the parts of a series begin, by a config with dates for them."""
    return split_at(prices.dates, **dict(config.split))


def without_late(config: Config, prices: StoredPrices, on_message: OnMessage) -> StoredPrices:
    """Leave out series that begin too late to train on, as new stocks in a file of a whole market do; report them."""
    kept, late = _by_training(config, prices)
    if not late or not kept:
        return prices
    names = [series.name for series in late]
    on_message(
        f"{len(late)} of {len(prices)} series left out, which begin too late to train on ({_lacking(config)}): "
        f"{', '.join(names[:_NAMES_SHOWN])}{', ...' if len(names) > _NAMES_SHOWN else ''}."
    )
    return kept


def refuse_late(config: Config, prices: StoredPrices, refusals: Refusals) -> StoredPrices:
    """Refuse files that begin too late to train on, unless all do; return the others."""
    kept, late = _by_training(config, prices)
    if not kept:
        return prices
    for series in late:
        message = (
            f"{series.label} begins too late to train on: {_lacking(config)}. Leave it out of data.path; `stockcast "
            f"evaluate --data` scores it."
        )
        refusals.add(series.source, DataError(message, file=series.source, key="data.path"))
    refusals.check(of="price files", others=len(kept))
    return kept


def _by_training(config: Config, prices: StoredPrices) -> tuple[StoredPrices, StoredPrices]:
    """Return the series that have an origin in the training part, and those that have none."""
    window, horizon = config.window, config.horizon
    counts = [
        len(split_of(config, series).origins("training", window=window, horizon=horizon, required=False))
        for series in prices
    ]
    kept, late = ([number for number, count in enumerate(counts) if bool(count) is has] for has in (True, False))
    return prices.only(kept), prices.only(late)


def _lacking(config: Config) -> str:
    return (
        f"no window of {config.data.bars.count(config.window)} with the {config.horizon} after it before "
        f"{config.first_day('validation')}"
    )


def check_days(config: Config, prices: Sequence[Prices]) -> None:
    """Check that every part has enough origins."""
    window, horizon, alone = config.window, config.horizon, len(prices) == 1
    splits = [split_of(config, series) for series in prices]
    for part in PARTS:
        counts = [len(split.origins(part, window=window, horizon=horizon, required=alone)) for split in splits]
        if not sum(counts):
            raise NotEnoughDays(
                f"None of the {len(prices)} series has the bars for a window of {window} and a horizon of {horizon} in "
                f"the {part} part. Use longer files, or give the part more bars (split).",
                key=f"split.{part}",
            )
        if part == "calibration" and config.calibration != "none":
            check_origins(sum(counts))
