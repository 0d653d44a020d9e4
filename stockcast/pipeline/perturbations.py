"""How an audit changes the rows of a price file after its cut-off."""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from stockcast.config.schema import Config
from stockcast.data.csv.own_header import KNOWN, OWN
from stockcast.data.known_days import find_upcoming, is_known
from stockcast.forecasting.reading import days_of_bars
from stockcast.typing import Floats


def unchanged(rows: list[list[str]]) -> list[list[str]]:
    """Return the rows as they are."""
    return rows


def perturb(
    rows: list[list[str]], *, config: Config, perturbation: str, cut: date, random: np.random.Generator
) -> list[list[str]]:
    """Change the rows after the cut-off and leave the text of every other row alone; rows are `plain_rows`.

    What a column that is known ahead dates up to the session after the cut-off stays, as an origin may depend on it. So
    does the last date of its file, up to which zeros are known.
    """
    header = rows[0]
    days = [date.fromisoformat(row[header.index("Date")]) for row in rows[1:]]
    later = _rows_after(days, cut, config)
    if not later:
        return rows
    ahead = {f"{OWN}{name}": f"{KNOWN}{name}" for name in config.known_columns}
    places = {ahead.get(name, name): place for place, name in enumerate(header) if name != "Date"}
    announced = [row for row in later if days[row - 1] <= _next_session(cut, config)] if _known(places) else []
    bars = pd.DataFrame(
        {name: [_number(rows[row][place]) for row in later] for name, place in places.items()}, index=later
    )
    # A day that stands twice stays the same twice, or the reader would refuse it.
    days_once, which = np.unique([days[row - 1] for row in later], return_inverse=True)
    changed = PERTURBATIONS[perturbation].apply(
        bars.copy(), lambda: random.random(len(days_once))[which], config.target.names
    )
    if _known(places):  # these rows lose cells in place of being deleted
        changed = changed.reindex(sorted({*changed.index, *announced, days.index(max(days)) + 1}))
        changed.loc[announced, _known(places)] = bars.loc[announced, _known(places)]
    cells = [list(row) for row in rows]
    for name, place in places.items():
        before, after = (table[name].to_numpy(dtype=np.float64) for table in (bars.loc[changed.index], changed))
        for row, was, became in zip(changed.index, before, after, strict=True):
            if became != was and not np.isnan(was):
                cells[row][place] = "" if np.isnan(became) else repr(float(became))
    gone = set(later) - set(changed.index)
    return [row for number, row in enumerate(cells) if number not in gone]


def _rows_after(days: list[date], cut: date, config: Config) -> list[int]:
    """Return the numbers of the rows, from 1, whose bars are of later days, weeks or months than the cut-off."""
    frequency, dates = config.data.bars, np.array(days, dtype="datetime64[D]")
    inside = days_of_bars(config, dates, source=config.data.path[0])
    after = frequency.periods(inside) > frequency.periods(np.array([cut], dtype="datetime64[D]"))
    return [int(row) + 1 for row in np.flatnonzero(after)]


def _next_session(day: date, config: Config) -> date:
    """Return the session after a day, by the exchange's calendar; the day itself where that does not reach it."""
    cut = np.array([day], dtype="datetime64[D]")
    session = find_upcoming(cut, calendar=config.data.calendar).after()
    following: date = np.where(np.isnat(session), cut, session)[0].astype(object)
    return following


def _number(cell: str) -> float:
    """Return the number in a cell, NaN where it holds none."""
    try:
        return float(cell)
    except ValueError:
        return float("nan")


Draw = Callable[[], Floats]
"""Random numbers from 0 to 1, one a row, the same for rows of the same day."""


@dataclass(frozen=True)
class Perturbation:
    """A change of the later rows that the reader accepts.

    Attributes:
        done: what happened to the rows, in words.
        apply: bars of the later rows, random numbers and the columns that are forecast -> the rows that are left, NaN
            where a cell is emptied.
    """

    done: str
    apply: Callable[[pd.DataFrame, Draw, tuple[str, ...]], pd.DataFrame]


def _own(bars: pd.DataFrame) -> list[str]:
    """Names of the own columns."""
    return [name for name in map(str, bars) if name.startswith(OWN)]


def _known(names: Iterable[Hashable]) -> list[str]:
    """Those of the columns that are known ahead."""
    return [name for name in map(str, names) if is_known(name)]


def _noise(bars: pd.DataFrame, draw: Draw, forecast: tuple[str, ...]) -> pd.DataFrame:
    level = np.exp(4 * draw() - 2)  # from a seventh of the price to seven times it
    for name in {"Open", "High", "Low", "Close"} & set(bars.columns):
        bars[name] *= level
    # The day's shape changes too, or inputs that are ratios within a day would not notice.
    inside = {"Open": -0.1 + 0.2 * draw(), "High": 0.1 + 0.1 * draw(), "Low": -0.1 - 0.1 * draw()}
    for name, shift in inside.items():
        if name in bars:
            bars[name] *= np.exp(shift)  # a zero, which stands for a missing price, stays zero
    # The high stays the highest: open and close may lie beyond it by rounding, or by its shift.
    if {"High", "Low"} <= set(bars.columns):
        prices = bars[[name for name in ("Open", "High", "Low", "Close") if name in bars]]
        known = prices.where(prices > 0)
        bars["High"] = bars["High"].where(~(bars["High"] > 0), known.max(axis=1))
        bars["Low"] = bars["Low"].where(~(bars["Low"] > 0), known.min(axis=1))
    for name in ("Adj Close", "Volume"):  # a factor of their own, so that the adjustment changes too
        if name in bars:
            bars[name] *= np.exp(4 * draw() - 2)
    for name in _own(bars):
        bars[name] *= np.exp(4 * draw() - 2)
    for name in _known(bars):  # most are zero, which no factor changes
        bars[name] += draw()
    return bars


def _times_1000(bars: pd.DataFrame, draw: Draw, forecast: tuple[str, ...]) -> pd.DataFrame:
    return bars * 1000


def _missing(bars: pd.DataFrame, draw: Draw, forecast: tuple[str, ...]) -> pd.DataFrame:
    """Empty half of the cells that may be empty, and a quarter of the closes, whose rows the reader then drops."""
    for name in ("Open", "High", "Low", "Volume"):
        emptied = draw() < 0.5
        if name in bars and name not in forecast:  # a gap in a price that is forecast is refused
            bars[name] = bars[name].mask(emptied & (bars[name] > 0))
    if "Close" in bars:  # as a file of covariates has not
        bars["Close"] = bars["Close"].mask(draw() < 0.25)
    for name in (*_own(bars), *_known(bars)):
        bars[name] = bars[name].mask(draw() < 0.5)
    return bars


def _deleted(bars: pd.DataFrame, draw: Draw, forecast: tuple[str, ...]) -> pd.DataFrame:
    return bars[draw() < 0.5]


PERTURBATIONS: dict[str, Perturbation] = {
    "noise": Perturbation("were multiplied by random factors", _noise),
    "times_1000": Perturbation("were multiplied by 1000", _times_1000),
    "missing": Perturbation("lost cells at random", _missing),
    "deleted": Perturbation("were deleted, each with probability one half", _deleted),
}
