"""The chances of single prices on single days, the value at risk, and further quantiles: of one prediction."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import numpy as np

from stockcast.distribution.paths import touch_probability
from stockcast.distribution.quantiles import PriceDistribution, price_forecast
from stockcast.errors import StockcastError
from stockcast.forecast import DirectionPrediction, Prediction
from stockcast.frequency import Frequency
from stockcast.text import price_text

TOUCH_PATHS = 100_000
"""Drawn for the chance of a touch: its standard error is at most 0.16 percentage points."""

RISK = 0.05
"""Probability of a close below the value at risk."""

By = int | str | date | np.datetime64
"""A day: a number of sessions after the last row, or a date (ISO, as text)."""


@dataclass(frozen=True)
class LevelChance:
    """The chances of one price by one day.

    Attributes:
        date, step: the day, and the sessions to it.
        side: of the level on which a close is counted.
        level: the price.
        close: probability of closing above it (or below) on that day.
        touch: probability of any close up to and including that day at the level or beyond it, seen from the last
            price: above for levels at or above that price, below for those below it.
    """

    date: np.datetime64
    step: int
    side: Literal["above", "below"]
    level: float
    close: float
    touch: float


@dataclass(frozen=True)
class RiskOfDay:
    """The low end of the forecast on one day.

    Attributes:
        date, step: the day, and the sessions to it.
        value_at_risk: the price that is undercut with the probability `RISK`.
        expected_shortfall: the mean price where it is undercut.
    """

    date: np.datetime64
    step: int
    value_at_risk: float
    expected_shortfall: float


@dataclass(frozen=True)
class Chances:
    """The chances of some prices, and the value at risk, on some days; in the price unit of the last row.

    Attributes:
        series: name of the series.
        origin, last_close: the last day known, and its price.
        frequency: of the bars; each session is one.
        levels: by day, then the levels above and the levels below.
        risks: by day.
    """

    series: str
    origin: np.datetime64
    last_close: float
    frequency: Frequency
    levels: tuple[LevelChance, ...]
    risks: tuple[RiskOfDay, ...]

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each level and day as plain values: probabilities to four digits."""
        return [
            {
                **self._key(chance.date, chance.step),
                "side": chance.side,
                "level": chance.level,
                "close": round(chance.close, 4),
                "touch": round(chance.touch, 4),
            }
            for chance in self.levels
        ]

    def risk_rows(self) -> list[dict[str, Any]]:
        """Return a row for each day: value at risk and expected shortfall, and each as a share of the last price."""
        return [
            {
                **self._key(risk.date, risk.step),
                "probability": RISK,
                "value_at_risk": _digits(risk.value_at_risk),
                "value_at_risk_return": round(risk.value_at_risk / self.last_close - 1, 4),
                "expected_shortfall": _digits(risk.expected_shortfall),
                "expected_shortfall_return": round(risk.expected_shortfall / self.last_close - 1, 4),
            }
            for risk in self.risks
        ]

    def sentences(self) -> list[str]:
        """Return a sentence for each level and day, and one for each day's value at risk."""
        return [*(self._level(chance) for chance in self.levels), *(self._risk(risk) for risk in self.risks)]

    def _level(self, chance: LevelChance) -> str:
        beyond = "above" if chance.level >= self.last_close else "below"
        level, bar = price_text(chance.level), f"{self.frequency.on} any {self.frequency.unit}"
        where = "" if chance.side == beyond else f" ({beyond} the last price)"
        return (
            f"{self.series}: a chance of {chance_text(chance.close)} of closing {chance.side} {level}{where} on "
            f"{chance.date}, and of {chance_text(chance.touch)} of a close at {level} or {beyond} {bar} up to then."
        )

    def _risk(self, risk: RiskOfDay) -> str:
        def moved(price: float) -> str:
            share = 100 * (price / self.last_close - 1)
            return f"{abs(share):.1f} % {'below' if share < 0 else 'above'} the last price"

        return (
            f"{self.series}: a chance of {chance_text(RISK)} of closing below {price_text(risk.value_at_risk)} "
            f"({moved(risk.value_at_risk)}) on {risk.date}; the mean of such closes is "
            f"{price_text(risk.expected_shortfall)} ({moved(risk.expected_shortfall)})."
        )

    def _key(self, day: np.datetime64, step: int) -> dict[str, Any]:
        return {"series": self.series, "origin": str(self.origin), "date": str(day), "step": step}


def chances(
    prediction: Prediction | DirectionPrediction,
    *,
    above: Iterable[float] = (),
    below: Iterable[float] = (),
    by: Iterable[By] | By = (),
) -> Chances:
    """Return the chances of closing above and below some prices, and of touching them, and the value at risk.

    Args:
        prediction: of one series.
        above: prices in the unit of the prediction.
        below: the same.
        by: days, each a number of sessions or a date; the last day of the forecast if there is none.

    Raises:
        StockcastError: a price is not above 0, or a day is not one of the forecast's; or it is of the direction.
    """
    forecast = price_forecast(prediction)
    sides: list[tuple[Literal["above", "below"], float]] = [
        *(("above", _price(level, "--above")) for level in dict.fromkeys(above)),
        *(("below", _price(level, "--below")) for level in dict.fromkeys(below)),
    ]
    wanted: Iterable[By] = (by,) if isinstance(by, int | str | date | np.datetime64) else by
    steps = tuple(sorted({step_of(prediction, day) for day in wanted})) or (forecast.horizon,)
    distribution = PriceDistribution.of(forecast)
    days = {step: np.datetime64(forecast.target_dates[0, step - 1]) for step in steps}
    found: list[LevelChance] = []
    if sides:
        levels = np.array([level for _, level in sides])
        prices = np.broadcast_to(levels, (1, len(steps), len(levels)))
        touches = touch_probability(distribution, prices, days=steps, paths=TOUCH_PATHS)[0]
        lower = distribution.cdf(levels[None, None])[0]
        for step, touched in zip(steps, touches, strict=True):
            for (side, level), under, touch in zip(sides, lower[step - 1].tolist(), touched.tolist(), strict=True):
                close = 1 - under if side == "above" else under
                found.append(LevelChance(days[step], step, side, level, close, touch))
    risk, shortfall = distribution.value_at_risk(RISK)[0], distribution.expected_shortfall(RISK)[0]
    return Chances(
        series=prediction.series,
        origin=np.datetime64(forecast.origin_dates[0]),
        last_close=float(forecast.last_close[0]),
        frequency=forecast.frequency,
        levels=tuple(found),
        risks=tuple(
            RiskOfDay(day, step, float(risk[step - 1]), float(shortfall[step - 1])) for step, day in days.items()
        ),
    )


def quantile_rows(prediction: Prediction | DirectionPrediction, levels: Iterable[float]) -> list[dict[str, Any]]:
    """Return the rows of forecast.csv with a column for each further quantile: `quantile_0.01`, to six digits.

    Raises:
        StockcastError: a level is not between 0 and 1; or the forecast is of the direction.
    """
    forecast = price_forecast(prediction)
    wanted = list(dict.fromkeys(levels))
    for level in wanted:
        if not 0 < level < 1:
            raise StockcastError(
                f"The level {level:g} is not that of a quantile: it must be above 0 and below 1, such as 0.01.",
                key="--levels",
                value=level,
            )
    prices = PriceDistribution.of(forecast).quantile(np.array(wanted, dtype=np.float64))[0]
    return [
        {**row, **{f"quantile_{level:g}": _digits(price) for level, price in zip(wanted, day.tolist(), strict=True)}}
        for row, day in zip(prediction.rows(), prices, strict=True)
    ]


def step_of(prediction: Prediction | DirectionPrediction, by: By) -> int:
    """Return the number of sessions to a day of a prediction.

    Raises:
        StockcastError: the forecast has no such day; the message names the nearest ones.
    """
    forecast = prediction.forecast
    days, origin = forecast.target_dates[0], forecast.origin_dates[0]
    count, span = forecast.frequency.count, f"from {days[0]} to {days[-1]}"
    if isinstance(by, int) or (isinstance(by, str) and by.strip().lstrip("-").isdigit()):
        step = int(by)
        if not 1 <= step <= forecast.horizon:
            raise _no_day(f"{count(step)} ahead: the forecast of {prediction.series} goes {span}, 1 to "
                          f"{count(forecast.horizon)} ahead", by)  # fmt: skip
        return step
    day = _date(by)
    if day <= origin:
        raise _no_day(
            f"{day}: it is not after {origin}, the last day of {prediction.series}. The forecast goes {span}", by
        )
    if day > days[-1]:
        raise _no_day(
            f"{day}: the forecast of {prediction.series} ends on {days[-1]}, {count(forecast.horizon)} ahead", by
        )
    place = int(np.searchsorted(days, day))
    if days[place] != day:
        near = f"{days[place - 1]} and {days[place]} are" if place else f"{days[place]} is the first"
        raise _no_day(f"{day}: it is not a day of the forecast of {prediction.series}; {near}", by)
    return place + 1


def chance_text(probability: float) -> str:
    """Write a probability in whole percent; none that is forecast is certain."""
    if probability < 0.01:
        return "less than 1 %"
    return "more than 99 %" if probability > 0.99 else f"{100 * probability:.0f} %"


def _no_day(reason: str, by: By) -> StockcastError:
    return StockcastError(f"There is no chance to give by {reason}.", key="--by", value=str(by))


def _date(by: str | date | np.datetime64) -> np.datetime64:
    if isinstance(by, np.datetime64):
        day: np.datetime64 = by.astype("datetime64[D]")
        return day
    try:
        found = datetime.fromisoformat(by.strip()) if isinstance(by, str) else by
    except ValueError:
        raise StockcastError(
            f"{by!r} is neither a date such as 2021-01-15 nor a number of sessions such as 10.", key="--by", value=by
        ) from None
    return np.datetime64(found.date() if isinstance(found, datetime) else found, "D")


def _price(level: float, key: str) -> float:
    if not (np.isfinite(level) and level > 0):
        raise StockcastError(f"{level:g} is not a price: it must be a number above 0.", key=key, value=level)
    return float(level)


def _digits(price: float) -> float:
    return float(f"{price:.6g}")
