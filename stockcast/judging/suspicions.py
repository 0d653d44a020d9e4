"""What can be seen in forecasts beside the prices that came: traces of the future, copies, days that are missing."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from stockcast.data.calendar import sessions_around
from stockcast.evaluation.diagnostics import Lag
from stockcast.evaluation.significance import diebold_mariano, overlap
from stockcast.judging.matching import MatchedForecasts, task_of
from stockcast.text import join_words, p_value_text, percent_text, plural
from stockcast.typing import Dates, Days, Flags

SuspicionKind = Literal["foresight", "copy", "lag", "missing", "crossing", "no_session", "unit"]

_LEAST_GAIN = 0.2
"""By how much the median's error may be below that of the last close: no forecast of a traded price gains a tenth."""

_EQUAL = 1e-6  # of a price: what two numbers of six digits differ by
_FEWEST_EQUAL = 0.05  # of the forecasts: by chance, one price in some hundred is met to a cent
_FEWEST_COPIED = 0.5
_MOST_LAG = 5
_ALPHA = 0.01
_FEWEST_APART = 20  # forecasts that do not overlap, for a test of foresight
_LEAST_FACTOR = 0.01  # between quoted and adjusted prices, in log: less would be a usual move of a day
_MUCH_NEARER = 2.0
_FEWEST_MISSING = 5
_SHOWN = 5


@dataclass(frozen=True)
class Suspicion:
    """Something that speaks against a submission.

    Attributes:
        kind: `foresight`: it equals the outcome too well; `copy`: it is an earlier close; `lag`: it trails the price;
            `missing`: days are left out on which forecasts did worse; `crossing`: quantiles out of order; `no_session`:
            target dates without trading; `unit`: quoted prices taken for adjusted ones, or the other way round.
        model, series: of the forecasts.
        sentence: what was found, with the numbers.
        value: the share or number in it.
    """

    kind: SuspicionKind
    model: str
    series: str
    sentence: str
    value: float

    def to_json(self) -> dict[str, Any]:
        """Return the suspicion as judgement.json holds it."""
        return dict(vars(self))


def find_suspicions(matched: MatchedForecasts, lag: Lag, *, calendar: str | None) -> list[Suspicion]:
    """Look through the forecasts of one series by one model.

    Args:
        matched: the forecasts.
        lag: of their one-day median, see `diagnostics.lag_of`.
        calendar: the exchange whose sessions the prices follow; None where every day forecast has a price.
    """
    finders = (_foresight(matched), _copies(matched), _lag(matched, lag), _missing(matched), _crossing(matched),
               _no_session(matched, calendar), _unit(matched))  # fmt: skip
    return [
        Suspicion(kind, matched.model, matched.prices.name, f"{matched.title}: {sentence}", value)
        for found in finders
        for kind, sentence, value in found
    ]


Found = Iterator[tuple[SuspicionKind, str, float]]


def _foresight(matched: MatchedForecasts) -> Found:
    """Find medians that are nearer to the outcome than any forecast can be, or are the outcome itself."""
    forecast, count = matched.forecast, matched.prices.frequency.steps
    median, actual = forecast.median, matched.actual
    for step in range(1, forecast.horizon + 1):
        known = matched.known[:, step - 1]
        if not known.any():
            continue
        last, came, medians = forecast.last_close[known], actual[known, step - 1], median[known, step - 1]
        same = np.abs(medians / came - 1) < _EQUAL
        unmoved = np.abs(last / came - 1) < _EQUAL  # a price that did not move is met by everybody
        share = float(np.mean(same & ~unmoved))
        if same.sum() >= 3 and share > _FEWEST_EQUAL:
            yield (
                "foresight",
                f"{(same & ~unmoved).sum():,} of {len(came):,} medians {count([step])} ahead are the very price that "
                f"came, to six digits: the forecast knew the outcome.",
                share,
            )
            return
        errors, naive = np.abs(np.log(medians / came)), np.abs(np.log(last / came))
        test = diebold_mariano(errors, naive, horizon=overlap(matched.origins[known], step))
        gain = 1 - float(errors.mean() / naive.mean()) if naive.mean() > 0 else 0.0
        # Of fifty days ahead one is lucky, and a trend of half a year is few observations of what is a month ahead.
        are_enough = known.sum() >= _FEWEST_APART * step
        if are_enough and test is not None and gain > _LEAST_GAIN and test.p_value < _ALPHA / forecast.horizon:
            yield (
                "foresight",
                f"the median misses the price {count([step])} ahead by {100 * gain:.0f} % less than the last close "
                f"does ({p_value_text(test.p_value)}). No forecast of a traded price does that: it looks as if it knew "
                f"the outcome.",
                gain,
            )
            return


def _copies(matched: MatchedForecasts) -> Found:
    """Find medians that are the close of some days before the day forecast."""
    closes, median = matched.prices.column("Close"), matched.forecast.median
    known = matched.known[:, 0]
    if known.sum() < _FEWEST_MISSING:
        return
    for lag in range(1, _MOST_LAG + 1):
        days = matched.origins[known] + 1 - lag
        if days.min() < 0:
            return
        share = float(np.mean(np.abs(median[known, 0] / closes[days] - 1) < _EQUAL))
        if share > _FEWEST_COPIED:
            unit = matched.prices.frequency
            which = "the last close" if lag == 1 else f"the close {unit.count(lag)} before the day forecast"
            is_walk = lag == 1 and matched.submitted.kind != "points"
            what = "a random walk with bands of its own" if is_walk else "the price shifted, not a forecast of it"
            yield (
                "copy",
                f"{100 * share:.0f} % of the one-{unit.unit} medians are {which}, to six digits: {what}.",
                float(lag),
            )
            return


def _lag(matched: MatchedForecasts, lag: Lag) -> Found:
    """Find a median that trails the price by more than the day that every honest median trails it by.

    Of a point forecast, which has nothing else to offer, that day counts, too.
    """
    if lag.warning and lag.peak and (lag.peak > 1 or matched.submitted.kind == "points"):
        frequency = matched.prices.frequency
        yield (
            "lag",
            f"the one-{frequency.unit} median lags the price by {frequency.steps([lag.peak])} (correlation of their "
            f"changes {lag.correlation:.2f}) and is no closer to the next price than the last price is.",
            float(lag.peak),
        )


def _missing(matched: MatchedForecasts) -> Found:
    """Find days without a forecast on which prices moved more, or more one way, than on the others."""
    from scipy.stats import mannwhitneyu

    origins, known = _on_a_grid(matched)
    task = task_of(matched.prices, origins, horizon=known.shape[1], training_days=3)
    returns = np.log(task.actual / task.closes[origins][:, None])
    usual = known.mean(axis=0) >= 0.5  # steps that are forecast at all
    gaps = ~known & usual & np.isfinite(returns)
    if not gaps.any():
        return
    step = int(np.argmax(gaps.sum(axis=0)))
    left_out, there = returns[gaps[:, step], step], returns[known[:, step], step]
    if len(left_out) < _FEWEST_MISSING or len(there) < _FEWEST_MISSING:
        return
    larger = float(mannwhitneyu(np.abs(left_out), np.abs(there), alternative="greater").pvalue)
    other = float(mannwhitneyu(left_out, there, alternative="two-sided").pvalue)
    if min(larger, other) * 2 >= _ALPHA:
        return
    count = matched.prices.frequency.steps([step + 1])
    mean, usually = (100 * float(np.mean(np.abs(part))) for part in (left_out, there))
    falls = 100 * float(np.mean(left_out < 0))
    yield (
        "missing",
        f"{len(left_out):,} of {len(left_out) + len(there):,} forecasts {count} ahead are missing where others stand "
        f"before and after, and prices moved {mean:.1f} % there on average, against {usually:.1f} % where forecasts "
        f"are ({p_value_text(min(1.0, 2 * min(larger, other)))}); {falls:.0f} % of them were falls. Days are missing "
        f"on which it would have lost: {_listed(task.dates[task.targets[gaps[:, step], step]])}.",
        float(len(left_out)),
    )


def _on_a_grid(matched: MatchedForecasts) -> tuple[Days, Flags]:
    """Return the origins with those that their usual distance leaves out, and which days ahead of each are forecast."""
    origins, known = matched.origins, matched.known
    if len(origins) < 2:
        return origins, known
    distances = np.diff(origins)
    usual = int(np.argmax(np.bincount(distances)))
    inside = [
        np.arange(first, first + distance, usual)
        for first, distance in zip(origins[:-1], distances, strict=True)
        if distance % usual == 0
    ]
    every = np.unique(np.concatenate([origins, *inside]))
    placed: Flags = np.zeros((len(every), known.shape[1]), np.bool_)
    placed[np.searchsorted(every, origins)] = known
    return every, placed


def _crossing(matched: MatchedForecasts) -> Found:
    if matched.crossing > 0:
        yield (
            "crossing",
            f"the quantiles of {percent_text(matched.crossing)} of its forecasts cross: a higher level has a lower "
            f"price. They are scored in order, which is better for it than as they stand.",
            matched.crossing,
        )


def _no_session(matched: MatchedForecasts, calendar: str | None) -> Found:
    """Find target dates on which the exchange did not trade, within the prices and after them."""
    days = np.union1d(matched.no_bar, matched.beyond)
    if calendar is None or not len(days) or matched.prices.frequency.unit != "day":
        return
    built = sessions_around(days[0], days[-1], calendar=calendar)
    closed = days[(days >= built.earliest) & (days <= built.latest) & ~np.isin(days, built.days)]
    if len(closed):
        yield (
            "no_session",
            f"{plural(len(closed), 'target date')} {'is' if len(closed) == 1 else 'are'} no session of {calendar}: "
            f"{_listed(closed)}.",
            float(len(closed)),
        )


def _unit(matched: MatchedForecasts) -> Found:
    """Find medians that are nearer to the last close in the other unit: as quoted, or adjusted."""
    prices, known = matched.prices, matched.known[:, 0]
    closes = matched.forecast.last_close[known]
    factor = prices.quoted[matched.origins[known]] / prices.column("Close")[matched.origins[known]]
    if not known.any() or np.median(np.abs(np.log(factor))) < _LEAST_FACTOR:
        return
    away = np.log(matched.forecast.median[known, 0] / closes)
    other = away + np.log(factor) if matched.quoted else away - np.log(factor)
    here, there = (float(np.median(np.abs(each))) for each in (away, other))
    if there * _MUCH_NEARER > here:
        return
    fits, advice = ("adjusted", "Leave --quoted out") if matched.quoted else ("quoted", "Give --quoted")
    yield (
        "unit",
        f"the one-{prices.frequency.unit} medians are {100 * here:.1f} % from the last close, and {100 * there:.1f} % "
        f"from the {fits} one. {advice}.",
        here,
    )


def _listed(days: Dates) -> str:
    shown = [str(day) for day in np.unique(days)[:_SHOWN]]
    more = len(np.unique(days)) - len(shown)
    return join_words([*shown, *([f"{more:,} more"] if more else [])])
