"""The values that every network and every baseline produces, and that everything after it takes."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from stockcast.frequency import DAILY, Frequency
from stockcast.text import price_text
from stockcast.typing import Dates, Days, Flags, Floats

if TYPE_CHECKING:
    import pandas as pd

TAIL_LEVELS = (0.005, 0.01, 0.025)
LEVELS: Floats = np.array(
    [*TAIL_LEVELS, *(step / 20 for step in range(1, 20)), *(1 - level for level in reversed(TAIL_LEVELS))]
)
"""Quantile levels of every forecast: the tails and every 5 %, and so the central bands of 50, 80, 90, 95, 98, 99 %."""


TOTAL_RETURN = (
    "The past prices are adjusted by Adj Close, so this is a forecast of total return, dividends put back in."
)
"""What a forecast of adjusted prices is."""


@dataclass(frozen=True)
class _FromOrigins:
    """What all forecasts have: `origin_dates`, shape (origins,), and `target_dates`, shape (origins, horizon)."""

    origin_dates: Dates
    target_dates: Dates

    @property
    def horizon(self) -> int:
        """Bars forecast from each origin: trading days, weeks or months."""
        return int(self.target_dates.shape[1])

    @property
    def last_day(self) -> np.datetime64:
        """The last day that is forecast."""
        return np.datetime64(self.target_dates[-1, -1])


@dataclass(frozen=True)
class Forecast(_FromOrigins):
    """Forecasts of the days after each origin, in price units.

    Attributes:
        origin_dates: the last day known, datetime64[D], shape (origins,).
        target_dates: the days forecast, datetime64[D], shape (origins, horizon).
        levels: quantile levels, increasing, 0.5 among them, shape (levels,); of stockcast's own forecasts `LEVELS`.
        quantiles: prices, never decreasing along the levels, shape (origins, horizon, levels).
        last_close: price at the origin, shape (origins,).
        others: medians of other columns of the same days, by the column's name, each of shape (origins, horizon); with
            Low <= Open, median <= High.
        frequency: of the bars; each step of the horizon is one, dated on its last session.
    """

    levels: Floats
    quantiles: Floats
    last_close: Floats
    others: Mapping[str, Floats] = field(default_factory=dict)
    frequency: Frequency = DAILY

    @property
    def median(self) -> Floats:
        """The forecast's middle, in price units, shape (origins, horizon)."""
        return self.at(0.5)

    def has(self, level: float) -> bool:
        """Whether the quantile at this level is stored."""
        return bool(np.isclose(self.levels, level).any())

    def at(self, level: float) -> Floats:
        """Return the quantile at one stored level, in price units, shape (origins, horizon).

        Raises:
            ValueError: the level is not stored.
        """
        found = np.flatnonzero(np.isclose(self.levels, level))
        if not len(found):
            raise ValueError(f"level {level} is not stored; these are: {self.levels}")
        return np.asarray(self.quantiles[:, :, found[0]])

    def has_band(self, coverage: float) -> bool:
        """Whether both ends of the central band that promises `coverage` are stored."""
        return self.has((1 - coverage) / 2) and self.has((1 + coverage) / 2)

    def band(self, coverage: float) -> tuple[Floats, Floats]:
        """Lower and upper end of the central band that promises `coverage`, each in price units, (origins, horizon)."""
        return self.at((1 - coverage) / 2), self.at((1 + coverage) / 2)

    def log_returns(self) -> Floats:
        """Quantiles as cumulative log returns since the origin, unitless, shape (origins, horizon, levels)."""
        return np.asarray(np.log(self.quantiles / self.last_close[:, None, None]))

    def rows(self, chosen: slice | Days | Flags) -> "Forecast":
        """Return the forecasts of the chosen origins."""
        return replace(
            self,
            origin_dates=self.origin_dates[chosen],
            target_dates=self.target_dates[chosen],
            quantiles=self.quantiles[chosen],
            last_close=self.last_close[chosen],
            others={name: medians[chosen] for name, medians in self.others.items()},
        )

    def part(self, origins: Days, *, horizon: int, levels: Floats) -> "Forecast":
        """Return the forecasts of some origins, as far ahead as `horizon`, at some of the stored levels alone."""
        places = [int(np.argmin(np.abs(self.levels - level))) for level in levels]
        return replace(
            self,
            origin_dates=self.origin_dates[origins],
            target_dates=self.target_dates[origins, :horizon],
            levels=self.levels[places],
            # In the order of memory that a forecast is made in: sums over it have the same last digits.
            quantiles=np.ascontiguousarray(self.quantiles[origins, :horizon][..., places]),
            last_close=self.last_close[origins],
            others={name: medians[origins, :horizon] for name, medians in self.others.items()},
        )

    def times(self, factor: float) -> "Forecast":
        """Return the same forecast in another price unit: every price multiplied by `factor`."""
        return replace(
            self,
            quantiles=self.quantiles * factor,
            last_close=self.last_close * factor,
            others={name: medians * factor for name, medians in self.others.items()},
        )


@dataclass(frozen=True)
class Directions(_FromOrigins):
    """Forecasts at each origin of which way the price goes by the days after it.

    Attributes:
        origin_dates: the last day known, datetime64[D], shape (origins,).
        target_dates: the days forecast, datetime64[D], shape (origins, horizon).
        classes: names of the ways, lowest first, such as ("down", "flat", "up").
        probabilities: of each class, adding up to 1, shape (origins, horizon, classes).
        last_close: price at the origin, from which up and down are measured, shape (origins,).
        frequency: of the bars: daily, weekly or monthly.
    """

    classes: tuple[str, ...]
    probabilities: Floats
    last_close: Floats
    frequency: Frequency = DAILY

    def of(self, name: str) -> Floats:
        """Return the probability of one class, shape (origins, horizon)."""
        return np.asarray(self.probabilities[:, :, self.classes.index(name)])


@dataclass(frozen=True)
class Prediction:
    """A forecast of the sessions after a series' last row, in the price unit of that row.

    Attributes:
        run: name of the run that made it.
        series: name of the series.
        forecast: from the last row, one origin.
        history_dates: days of the series, datetime64[D], shape (days,).
        history: the price that is forecast on those days, shape (days,).
        outcome: of a forecast from an earlier day the prices that came, NaN where none did yet, shape (horizon,);
            None of one from the last row.
        adjusted: whether earlier prices of the history are adjusted for dividends and splits.
        variant: what tells the forecast from the run's own of the same day, such as `20-days` or `XLON`, for names of
            folders; empty for the run's own horizon and calendar.
        content: `Prices.content_sha256` of the series; empty if unknown.
    """

    run: str
    series: str
    forecast: Forecast
    history_dates: Dates
    history: Floats
    outcome: Floats | None = None
    adjusted: bool = False
    variant: str = ""
    content: str = ""

    def rows(self) -> list[dict[str, Any]]:
        """Return a row a session as forecast.csv has it: prices to six significant digits; other columns come last.

        With an outcome, `actual` is the last column, None where no price is known yet.
        """
        forecast = self.forecast
        (lower_50, upper_50), (lower_90, upper_90) = forecast.band(0.5), forecast.band(0.9)
        columns = {
            "median": forecast.median,
            "lower_50": lower_50,
            "upper_50": upper_50,
            "lower_90": lower_90,
            "upper_90": upper_90,
            **{column_key(name): medians for name, medians in forecast.others.items()},
        }
        return [
            {
                "date": str(day),
                "step": step + 1,
                **{name: _digits(values[0, step]) for name, values in columns.items()},
                **_actual(self.outcome, step),
            }
            for step, day in enumerate(forecast.target_dates[0])
        ]

    def to_frame(self) -> "pd.DataFrame":
        """Return `rows` as a pandas DataFrame, the dates as datetimes."""
        return _frame(self.rows())

    def sentence(self, step: int | None = None) -> str:
        """Read out the 90 % band so many bars ahead; None for the last day."""
        forecast, place = self.forecast, -1 if step is None else step - 1
        lower, upper = (price_text(_digits(end[0, place])) for end in forecast.band(0.9))
        day, origin = forecast.target_dates[0, place], forecast.origin_dates[0]
        return f"{self.series}, after {origin}: 90 % chance of closing at {lower} to {upper} on {day}."

    def came(self) -> list[str]:
        """Return a sentence on the prices that came after a forecast from an earlier day; none where none is known."""
        if self.outcome is None or not (known := np.flatnonzero(np.isfinite(self.outcome))).size:
            return []
        inside, step = {}, known[-1]
        for promise in (0.9, 0.5):
            lower, upper = (end[0] for end in self.forecast.band(promise))
            inside[promise] = (lower <= self.outcome) & (self.outcome <= upper)
        price, lower = self.outcome[step], self.forecast.band(0.9)[0][0, step]
        where = "in" if inside[0.9][step] else "below" if price < lower else "above"
        return [
            f"{self.series} closed at {price_text(_digits(price))} on {self.forecast.target_dates[0, step]}, {where} "
            f"its 90 % band. Of {len(known)} closes, {inside[0.9].sum()} were in their 90 % band and "
            f"{inside[0.5].sum()} in their 50 % band."
        ]


@dataclass(frozen=True)
class DirectionPrediction:
    """A forecast of the direction up to the sessions after a series' last row.

    Attributes:
        run: name of the run that made it.
        series: name of the series.
        forecast: from the last row, one origin.
        past_shares: how often each class came in the file's past, for comparison, shape (horizon, classes); None where
            the file is too short to tell.
        flat: the largest log return that is flat, shape (horizon,); None where there is no flat.
        outcome: as of `Prediction`.
        adjusted: as of `Prediction`.
        variant: as of `Prediction`.
        content: as of `Prediction`.
    """

    run: str
    series: str
    forecast: Directions
    past_shares: Floats | None
    flat: Floats | None
    outcome: Floats | None = None
    adjusted: bool = False
    variant: str = ""
    content: str = ""

    def rows(self) -> list[dict[str, Any]]:
        """Return a row a session as forecast.csv has it: probabilities to four digits."""
        return [
            {
                "date": str(day),
                "step": step + 1,
                **{f"p_{name}": float(f"{self.forecast.of(name)[0, step]:.4f}") for name in self.forecast.classes},
                **_actual(self.outcome, step),
            }
            for step, day in enumerate(self.forecast.target_dates[0])
        ]

    def to_frame(self) -> "pd.DataFrame":
        """Return `rows` as a pandas DataFrame, the dates as datetimes."""
        return _frame(self.rows())

    def came(self) -> list[str]:
        """Return nothing: the table has the direction that came."""
        return []

    def sentence(self, step: int | None = None) -> str:
        """Read out the chance of up so many bars ahead; None for the last day."""
        forecast, place = self.forecast, -1 if step is None else step - 1
        chance, last = 100 * forecast.of(forecast.classes[-1])[0, place], price_text(float(forecast.last_close[0]))
        move = f"closing above {last}" if self.flat is None else f"a rise from {last} that is more than flat"
        day, origin = forecast.target_dates[0, place], forecast.origin_dates[0]
        return f"{self.series}, after {origin}: {chance:.0f} % chance of {move} on {day}."


def outcome_on(targets: Dates, dates: Dates, prices: Floats) -> Floats:
    """Return the price on each of the days forecast, shape (horizon,); NaN on days that `dates` do not have.

    Args:
        targets: the days forecast, datetime64[D], shape (horizon,).
        dates: days with a price, rising, datetime64[D], shape (days,).
        prices: on these days, in the forecast's unit, shape (days,).
    """
    places = np.minimum(np.searchsorted(dates, targets), len(dates) - 1)
    return np.where(dates[places] == targets, prices[places], np.nan)


def _digits(price: float) -> float:
    """Return a price to six significant digits, as tables and sentences have it alike."""
    return float(f"{price:.6g}")


def _actual(outcome: Floats | None, step: int) -> dict[str, float | None]:
    if outcome is None:
        return {}
    return {"actual": None if np.isnan(outcome[step]) else _digits(outcome[step])}


def _frame(rows: list[dict[str, Any]]) -> "pd.DataFrame":
    import pandas as pd

    frame = pd.DataFrame(rows)
    return frame.assign(date=pd.to_datetime(frame["date"]))


def column_key(column: str) -> str:
    """Return a price column's name as tables and arrays have it: `adj_close` for Adj Close."""
    return column.lower().replace(" ", "_")
