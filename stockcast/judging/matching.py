"""Submitted forecasts and the prices of their series -> what can be scored, and what cannot."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from stockcast.data.prices import Prices
from stockcast.errors import DataError
from stockcast.evaluation.baselines.task import ForecastTask
from stockcast.forecast import LEVELS, Forecast
from stockcast.judging.submitted import SubmittedForecasts
from stockcast.text import plural, price_text, printable_name
from stockcast.typing import Dates, Days, Flags, Floats

MOST_STEPS = 250
"""Bars ahead that are scored."""

LEAST_PRICE = 0.01
"""Of the last close: what a quantile at or below zero is scored as, which has no return."""

_LARGEST_RETURN = 0.3
"""A median below is a return and no price, where prices are none."""

_MOST_RATIO = 5.0
"""Of a median to the last close, or the inverse: beyond, the two are not in one unit."""


@dataclass(frozen=True)
class MatchedForecasts:
    """Forecasts of one series by one model, arranged by origin and days ahead.

    Attributes:
        model: its name.
        submitted: what they were.
        prices: of the series.
        origins: day indices, rising, shape (origins,).
        forecast: of these; NaN where there is none.
        known: which of them are scored, shape (origins, horizon).
        crossing: share of the scored forecasts whose quantiles cross; they are put in order.
        beyond: target dates after the last price, each once.
        no_bar: target dates within the prices that have none, each once.
        notes: how dates were matched, and what was left out, one sentence each.
        quoted: whether the forecasts were taken as ones of quoted prices.
    """

    model: str
    submitted: SubmittedForecasts
    prices: Prices
    origins: Days
    forecast: Forecast
    known: Flags
    crossing: float
    beyond: Dates
    no_bar: Dates
    notes: tuple[str, ...]
    quoted: bool = False

    @property
    def actual(self) -> Floats:
        """The prices that came, shape (origins, horizon); NaN where none is known."""
        return task_of(self.prices, self.origins, horizon=self.forecast.horizon, training_days=3).actual

    @property
    def title(self) -> str:
        """Model and series, for messages."""
        return f"{printable_name(self.model)} of {printable_name(self.prices.name)}"


def task_of(
    prices: Prices, origins: Days, *, horizon: int, training_days: int, levels: Floats = LEVELS
) -> ForecastTask:
    """Return what baselines forecast; days after the last price have none."""
    last = prices.dates[-1]
    return ForecastTask(
        dates=np.concatenate([prices.dates, last + np.arange(1, horizon + 1)]),
        closes=np.concatenate([prices.column("Close"), np.full(horizon, np.nan)]),
        origins=origins,
        horizon=horizon,
        training_days=training_days,
        frequency=prices.frequency,
        levels=levels,
    )


def match(submitted: SubmittedForecasts, prices: Prices, *, quoted: bool) -> MatchedForecasts | None:
    """Match forecasts with the prices of their series; None where none of them can be scored.

    Args:
        submitted: of one model and series.
        prices: of the series, adjusted where the file allows it.
        quoted: whether the forecasts are of prices as quoted on the cutoff, and not of adjusted ones.

    Raises:
        DataError: values are in another unit than the prices.
    """
    place, frequency = f"{printable_name(submitted.model)} of {printable_name(prices.name)}", prices.frequency
    bars = frequency.periods(prices.dates)
    notes: list[str] = []
    targets = frequency.periods(submitted.targets)
    goals = np.minimum(np.searchsorted(bars, targets), len(bars) - 1)
    is_bar = bars[goals] == targets
    beyond, within = targets > bars[-1], targets >= bars[0]
    origins = _origins(submitted, bars, goals, notes, prices, place)
    steps = goals - origins
    late = is_bar & (steps < 1)
    if late.any():
        notes.append(f"{place}: {late.sum():,} forecasts are of days that their cutoff knew, and are left out.")
    early = is_bar & (origins < 1)
    if early.any():
        notes.append(f"{place}: {early.sum():,} forecasts are from before the prices, and are left out.")
    if (far := is_bar & (steps > MOST_STEPS)).any():
        notes.append(f"{place}: {far.sum():,} forecasts are more than {MOST_STEPS} bars ahead, and are left out.")
    scored = is_bar & ~late & ~early & ~far
    no_bar = np.unique(submitted.targets[~is_bar & ~beyond & within])
    after = np.unique(submitted.targets[beyond])
    if not scored.any():
        return None
    rows, columns = origins[scored], steps[scored] - 1
    distinct, places = np.unique(rows, return_inverse=True)
    horizon = int(columns.max()) + 1
    known = np.zeros((len(distinct), horizon), np.bool_)
    quantiles = np.full((*known.shape, len(submitted.levels)), np.nan)
    values = submitted.quantiles[scored]
    latest = np.argsort(
        np.where(np.isnat(submitted.cutoffs[scored]), 0, submitted.cutoffs[scored].astype(int)), kind="stable"
    )
    known[places, columns] = True
    quantiles[places[latest], columns[latest]] = values[latest]  # of two cutoffs between sessions, the later one stands
    if known.sum() < len(rows):
        count = len(rows) - int(known.sum())
        notes.append(f"{place}: {count:,} forecasts have another one of the same session, made later, which is scored.")
    notes += _count_of_steps(submitted, steps, scored, place, frequency.unit)
    closes = prices.column("Close")[distinct]
    factor = closes / prices.quoted[distinct] if quoted else np.ones(len(distinct))
    quantiles *= factor[:, None, None]
    _check_unit(submitted, prices, quantiles, known, distinct, quoted=quoted)
    crossing = (np.diff(quantiles, axis=-1) < -1e-9 * closes[:, None, None]).any(axis=-1) & known
    quantiles.sort(axis=-1)
    least = LEAST_PRICE * closes[:, None, None]
    if below := int((quantiles <= 0).any(axis=-1).sum()):
        notes.append(
            f"{place}: {below:,} forecasts have quantiles at or below 0, which no price can be; they are scored as "
            f"{100 * LEAST_PRICE:g} % of the last close."
        )
        quantiles = np.where(quantiles <= 0, least, quantiles)
    task = task_of(prices, distinct, horizon=horizon, training_days=3, levels=submitted.levels)
    forecast = task.forecast(quantiles)
    return MatchedForecasts(
        model=submitted.model,
        submitted=submitted,
        prices=prices,
        origins=distinct,
        forecast=forecast,
        known=known,
        crossing=float(crossing.sum() / known.sum()),
        beyond=after,
        no_bar=no_bar,
        notes=tuple(notes),
        quoted=quoted,
    )


def _origins(
    submitted: SubmittedForecasts, bars: Days, goals: Days, notes: list[str], prices: Prices, place: str
) -> Days:
    """Return the day index of each cutoff: of the last bar up to it; -1 before the first one."""
    no_cutoff = np.isnat(submitted.cutoffs)
    cutoffs = np.where(no_cutoff, prices.dates[0], submitted.cutoffs)
    # A week counts as known from its last session on, a day from its own.
    origins = np.searchsorted(prices.dates, cutoffs, side="right") - 1
    exact = prices.dates[np.maximum(origins, 0)] == cutoffs
    between = ~exact & (cutoffs < prices.dates[-1]) & (origins >= 0) & ~no_cutoff
    if between.any() and not submitted.starts:
        count = len(np.unique(cutoffs[between]))
        notes.append(
            f"{place}: {plural(count, 'cutoff')} without a price, the first {cutoffs[between].min()}; each knows the "
            f"prices up to the bar before it."
        )
    return np.where(no_cutoff, goals - submitted.steps, origins)


def _count_of_steps(submitted: SubmittedForecasts, steps: Days, scored: Flags, place: str, unit: str) -> Iterator[str]:
    """Tell what the file's own count of days ahead is of, where it is not of bars."""
    stated = submitted.steps[scored]
    if not stated.any() or np.array_equal(stated, steps[scored]):
        return
    if not np.isnat(submitted.cutoffs[scored]).any():
        days = (submitted.targets - submitted.cutoffs)[scored].astype(int)
        if np.array_equal(stated, days):
            yield f"{place}: its horizon counts calendar days; scores are by {unit}s with a price."
            return
        if np.array_equal(stated, -(-days // 7)) or np.array_equal(stated, days // 7):
            yield f"{place}: its horizon counts weeks; scores are by {unit}s with a price."
            return
    differ = stated != steps[scored]
    yield (
        f"{place}: its horizon is neither the number of {unit}s with a price nor of calendar days in {differ.sum():,} "
        f"of {len(stated):,} forecasts; the dates count."
    )


def _check_unit(
    submitted: SubmittedForecasts, prices: Prices, quantiles: Floats, known: Flags, origins: Days, *, quoted: bool
) -> None:
    """Refuse forecasts in another unit than the prices: a return in place of a price, cents, adjusted for quoted."""
    closes = prices.column("Close")[origins]
    medians = quantiles[..., int(np.argmin(np.abs(submitted.levels - 0.5)))]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(known, medians / closes[:, None], 1.0)
    wrong = ~((ratios > 1 / _MOST_RATIO) & (ratios < _MOST_RATIO))
    if not wrong.any():
        return
    origin, step = (int(place) for place in np.argwhere(wrong)[0])
    value, close = float(medians[origin, step]), float(closes[origin])
    day = prices.dates[origins[origin]]
    share = f"{wrong.sum():,} of {known.sum():,} medians"
    raise DataError(
        f"{submitted.source}: {share} of {printable_name(submitted.model)} for {printable_name(prices.name)} are no "
        f"prices in the unit of {prices.label}: {value:.4g} from {day}, when the last close was {price_text(close)}. "
        f"{_advice(medians[wrong], value / close, quoted=quoted, prices=prices, origin=int(origins[origin]))}",
        file=submitted.source,
        column="value",
        key="FORECASTS",
        value=value,
    )


def _advice(values: Floats, ratio: float, *, quoted: bool, prices: Prices, origin: int) -> str:
    """Return what to do about medians in another unit, of which the first is `ratio` times the last close."""
    factor = float(prices.quoted[origin] / prices.column("Close")[origin])
    if prices.are_adjusted and not quoted and 0.5 < ratio / factor < 2:
        return "They fit the quoted prices of the cutoff: give --quoted."
    if np.median(np.abs(values)) < _LARGEST_RETURN:
        return "It looks like a return: give prices, the last close x exp(log return) or x (1 + return)."
    return "Give prices in its currency, adjusted as it is."


def training_days(prices: Prices, first: int, train_end: np.datetime64 | None) -> int:
    """Return how many of the first days baselines may estimate constants from.

    Args:
        prices: of the series.
        first: the first origin of all models.
        train_end: the last of these days; None for the first origin.

    Raises:
        DataError: they are too few.
    """
    last = prices.dates[first] if train_end is None else train_end
    days = int(np.searchsorted(prices.dates, last, side="right"))
    if days < 3:
        raise DataError(
            f"{prices.label} has {plural(days, 'day')} up to {last}, and the baselines need at least 3 before the "
            f"first cutoff, GARCH 250. Give prices that begin earlier.",
            file=prices.source,
            key="--data" if train_end is None else "--train-end",
            value=str(last),
        )
    return days
