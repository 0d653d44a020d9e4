"""Cut-offs in the days of a config, and for each an ordinary config of the past up to it.

    fold 1   training ... | validation | calibration | test          |
    fold 2   training ................ | validation | calibration | test          |
                                                                  ^ cut-off

A fold's test begins at its cut-off, and everything else ends before it. Each origin from the first cut-off on is of one
fold: its first target day lies between the fold's cut-off and the next. So a fold's days end `horizon` - 1 bars after
the last one before the next cut-off; only its test reaches there. The past is divided as the config divides it.
"""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

import numpy as np

from stockcast.config.schema import Config
from stockcast.data.split import PARTS, split_at, split_days
from stockcast.errors import ConfigError, NotEnoughDays
from stockcast.evaluation.calibration.conformal import check_origins
from stockcast.text import plural
from stockcast.typing import Dates, Days


@dataclass(frozen=True)
class Fold:
    """One cut-off.

    Attributes:
        number: from 1, oldest first.
        cutoff: first day of the test.
        last: last bar before the next cut-off, or of all days.
        config: of a run that is trained on the days before the cut-off and tested on those after it.
        since: first day of a rolling window; None for all days.
    """

    number: int
    cutoff: date
    last: date
    config: Config
    since: date | None = None

    @property
    def name(self) -> str:
        """Names its run: the days whose forecasts begin in it; with the first day of a rolling window."""
        return f"{self.cutoff}_{self.last}" + ("" if self.since is None else f"_since_{self.since}")


@dataclass(frozen=True)
class FoldPlan:
    """Where the cut-offs lie.

    Attributes:
        folds: their number, of the same length but for a bar; None for as many as `refit_every` makes, or one.
        refit_every: bars from one cut-off to the next, from the first one on; of so many folds, back from the end.
        first: the first cut-off; None for the middle of all bars, or where so many folds begin.
        rolling: whether each fold's past has as many bars as the first one's; else it begins with the first bar.
        before: no bar from this day on is in any fold; None for all bars.
    """

    folds: int | None = None
    refit_every: int | None = None
    first: date | None = None
    rolling: bool = False
    before: date | None = None


class _Shares(NamedTuple):
    """The shares of the bars before the test that two parts take; 0 for validation in blocks."""

    validation: float
    calibration: float


def plan_folds(config: Config, dates: Dates, plan: FoldPlan) -> tuple[Fold, ...]:
    """Return the folds, oldest first.

    Args:
        config: what each fold is trained by.
        dates: all bars of all series together, rising, datetime64[D], shape (days,).
        plan: where the cut-offs lie.

    Raises:
        ConfigError: the plan has no cut-off, or one before the first bar.
        NotEnoughDays: the first fold has too few bars before its cut-off, or none of its origins has `horizon` bars
            after it. The message states which first cut-off would do.
    """
    shares = _shares(config, dates)
    if plan.before is not None:
        dates = dates[dates < np.datetime64(plan.before)]
    cuts = _cuts(config, dates, plan, shares)
    most = int(cuts[0]) if plan.rolling else None  # bars of each past
    try:
        configs = [_config_at(config, dates, int(cut), shares, past=most) for cut in cuts]
    except NotEnoughDays as error:
        raise NotEnoughDays(f"{error}{_advice(config, dates, shares)}", key="--from", value=error.value) from None
    ends = [*(int(cut) for cut in cuts[1:]), len(dates)]
    return tuple(
        Fold(
            number,
            cutoff=_day(dates, int(cut)),
            last=_day(dates, end - 1),
            since=own.data.start if plan.rolling else None,
            config=own.with_data_span(
                start=own.data.start, end=_day(dates, min(end + config.horizon, len(dates) + 1) - 2)
            ),
        )
        for number, (cut, end, own) in enumerate(zip(cuts, ends, configs, strict=True), start=1)
    )


def _shares(config: Config, dates: Dates) -> _Shares:
    """Return how a config's own split divides the bars before its test."""
    _, validation, calibration, test, _ = split_days(dates, **dict(config.split)).days
    return _Shares((calibration - validation) / test, (test - calibration) / test)


def _cuts(config: Config, dates: Dates, plan: FoldPlan, shares: _Shares) -> Days:
    """Return the index of the first bar of each test."""
    for key, given in (("--folds", plan.folds), ("--refit-every", plan.refit_every)):
        if given is not None and given < 1:
            raise ConfigError(f"{key} {given} must be at least 1.", key=key, value=given)
    after = len(dates) - config.horizon  # the last origin is the bar before it
    first = len(dates) // 2 if plan.first is None else int(np.searchsorted(dates, np.datetime64(plan.first)))
    if plan.folds is not None and plan.refit_every is not None:
        if plan.first is not None:
            message = "--folds and --refit-every count back from the last day; leave --from out, or one of them."
            raise ConfigError(message, key="--from", value=str(plan.first))
        first = after + 1 - plan.folds * plan.refit_every
        if first < 1:
            raise ConfigError(
                f"--folds {plan.folds} of {plan.refit_every} bars each need {plan.folds * plan.refit_every} forecasts, "
                f"and there are {after}. Lower one of them.",
                key="--folds",
                value=plan.folds,
            )
    if first > after:
        raise NotEnoughDays(
            f"{plural(max(len(dates) - first, 0), 'bar')} from {plan.first or dates[first]} on, but a horizon of "
            f"{config.horizon} needs as many to be scored; the data run from {dates[0]} to {dates[-1]}."
            f"{_advice(config, dates, shares)}",
            key="--from",
            value=str(plan.first),
        )
    if plan.refit_every is not None:
        return np.arange(first, after + 1, plan.refit_every)
    folds = plan.folds or 1
    if folds > after + 1 - first:
        raise ConfigError(
            f"--folds {folds}: only {plural(after + 1 - first, 'forecast')} from {dates[first]} on can be scored, and "
            f"each fold needs one.",
            key="--folds",
            value=folds,
        )
    # The last fold has its last `horizon` - 1 bars for the targets alone.
    return np.asarray(first + np.round(np.arange(folds) * (after + 1 - first) / folds).astype(np.intp))


def _config_at(config: Config, dates: Dates, cut: int, shares: _Shares, *, past: int | None = None) -> Config:
    """Return the config with the bars before an index, the last `past` of them or all, divided by these shares.

    NotEnoughDays if a part is then too short.
    """
    start = 0 if past is None else cut - past
    calibration = cut - max(1, round((cut - start) * shares.calibration))
    blocks = tuple(
        block
        for block in config.blocks
        if dates[start] <= np.datetime64(block[0]) and block[1] < _day(dates, calibration)
    )
    if config.blocks and not blocks:
        raise NotEnoughDays(
            f"No block of split.validation lies between {dates[start]} and {dates[calibration]}, where the calibration "
            f"for {dates[cut]} begins.",
            key="split.validation",
            value=str(dates[cut]),
        )
    validation = calibration - max(1, round((cut - start) * shares.validation))
    borders = {
        "validation": blocks or _day(dates, validation),
        "calibration": _day(dates, calibration),
        "test": _day(dates, cut),
    }
    split = split_at(dates[start : cut + config.horizon], **borders)  # type: ignore[arg-type]
    for part in PARTS:
        origins = split.origins(part, window=config.window, horizon=config.horizon)
        if part == "calibration" and config.calibration != "none":
            check_origins(len(origins))
    own = config.model_copy(update={"split": config.split.model_copy(update=borders)})
    return own if past is None else own.with_data_span(start=_day(dates, start))


def _advice(config: Config, dates: Dates, shares: _Shares) -> str:
    """Return a sentence with the first cut-off that leaves every part enough bars."""
    low, high = 1, len(dates) - config.horizon
    while low < high:  # more bars before a cut-off leave each part more
        middle = (low + high) // 2
        try:
            _config_at(config, dates, middle, shares)
        except NotEnoughDays:
            low = middle + 1
        else:
            high = middle
    try:
        _config_at(config, dates, low, shares)
    except NotEnoughDays:
        return (
            f" No cut-off from {dates[0]} to {dates[-1]} leaves bars enough for a window of {config.window} and a "
            f"horizon of {config.horizon}: use a longer file, or lower them."
        )
    return f" The first cut-off can be {dates[low]} (--from)."


def _day(dates: Dates, index: int) -> date:
    day: date = dates[index].astype(object)
    return day
