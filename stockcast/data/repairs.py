"""What is repaired in the bars of a file, what is left out, and what no exchange can have printed."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from stockcast.data.csv.dates import times_of_day
from stockcast.data.csv.problems import PROBLEMS_SHOWN, Problem, Source
from stockcast.data.csv.table import make_daily
from stockcast.text import plural
from stockcast.typing import Flags

_SAME_PRICE = 1e-6  # share: a price written with seven digits and with more
_ROUNDING = 1e-4  # vendors round each column on its own, so a close may leave the range by this much


def leave_out(bars: pd.DataFrame, dates: pd.Series, *, adjusting: bool) -> tuple[pd.DataFrame, list[str]]:
    """Leave out rows in which a vendor states nothing, and early days that cannot be adjusted; return notes on them.

    A dividend that was never divided by later splits brings the adjusted price of every day before it to zero or
    below. A file with a few such days further on has wrong cells instead.
    """
    notes = []
    prices = [column for column in ("Open", "High", "Low", "Close") if column in bars]
    zero = (bars["Close"].to_numpy() == 0) & (len(prices) > 1)
    if zero.any():
        zero = (bars[prices] == 0).all(axis=1).to_numpy()
        if "Adj Close" in bars:
            zero = zero & (bars["Adj Close"].fillna(0) == 0).to_numpy()
    if zero.any():
        notes.append(f"{plural(zero.sum(), 'row')} with zero for every price dropped")
        bars = bars[~zero]
    if adjusting and (bad := (bars["Adj Close"].to_numpy() <= 0) & (bars["Close"].to_numpy() > 0)).any():
        last = dates[bars.index[bad]].max()
        early = dates[bars.index] <= last
        if 0 < early.sum() <= 2 * bad.sum() and 2 * early.sum() <= len(bars):
            notes.append(
                f"{plural(early.sum(), 'row')} to {last:%Y-%m-%d} left out, as Adj Close is zero or less there; "
                f"target.adjusted: false keeps them"
            )
            bars = bars[~early]
    return bars, notes


def impossible(bars: pd.DataFrame, *, adjusting: bool) -> Iterator[Problem]:
    """What no exchange can have printed."""
    for column in ("Close", "Adj Close") if adjusting else ("Close",):
        if column in bars and (bars[column].to_numpy() <= 0).any():
            why, advice = "a close must be above zero", "Correct it, or empty the cell to leave the day out."
            if column == "Adj Close":
                advice += " Or use prices as they were quoted (target.adjusted: false)."
            wrong = bars[bars[column] <= 0]
            for line, value in zip(wrong.index, wrong[column], strict=True):
                yield Problem(line=line, column=column, value=value, why=why, advice=advice)
    if {"High", "Low"} <= set(bars.columns) and (inverted := _inverted(bars)).any():
        # Vendors write zero for a missing value, and old bars without an open often have no true range: both repaired.
        wrong = bars[inverted & (bars["High"] > 0) & ~_without_open(bars)]
        for line, high, low in zip(wrong.index, wrong["High"], wrong["Low"], strict=True):
            why, advice = f"below the low of {low}", "Correct one of them, or empty both."
            yield Problem(line=line, column="High", value=high, why=why, advice=advice)


def repair(bars: pd.DataFrame) -> list[str]:
    """Turn vendors' stand-ins for "unknown" into NaN, in place; return what was repaired or is suspicious."""
    counts: dict[str, float] = {}
    has_range = {"High", "Low"} <= set(bars.columns)
    if has_range and (inverted := _inverted(bars) & _without_open(bars)).any():
        bars.loc[inverted, ["High", "Low"]] = np.nan
        counts["without Open and with High below Low, both counted as missing"] = inverted.sum()
    for column in ("Open", "High", "Low", "Adj Close", "Volume"):  # a wrong Adj Close is refused where it is used
        if column in bars and (zero := bars[column].to_numpy() <= 0).any():
            bars.loc[zero, column] = np.nan  # assigning nowhere, too, would keep a second copy of the column
            counts[f"with {column} of zero or less, counted as missing"] = zero.sum()
    if has_range:
        highest, lowest = bars["High"].to_numpy() * (1 + _ROUNDING), bars["Low"].to_numpy() * (1 - _ROUNDING)
        for column in {"Open", "Close"} & set(bars.columns):
            prices = bars[column].to_numpy()
            counts[f"with {column} outside its Low to High, kept"] = ((prices > highest) | (prices < lowest)).sum()
    return sorted(f"{plural(number, 'row')} {what}" for what, number in counts.items() if number)


def _inverted(bars: pd.DataFrame) -> Flags:
    """Days whose high is below their low by more than rounding."""
    return bars["High"].to_numpy() < bars["Low"].to_numpy() * (1 - _ROUNDING)


def _without_open(bars: pd.DataFrame) -> Flags:
    """Days for which the vendor wrote an open of zero: bars of before 1982, put together from closes."""
    return bars["Open"].to_numpy() == 0 if "Open" in bars else np.zeros(len(bars), dtype=bool)


def merge_last_day(bars: pd.DataFrame, dates: pd.Series) -> tuple[pd.DataFrame, pd.Series, list[str]]:
    """Keep the fuller row of a last day that a vendor gives twice, if the prices agree; return a note on it."""
    is_last = dates == dates.max()
    if is_last.sum() != 2 or (rows := bars[is_last]).iloc[0].equals(rows.iloc[1]):
        return bars, dates, []
    spread = rows.drop(columns="Volume", errors="ignore").max() / rows.drop(columns="Volume", errors="ignore").min()
    if (spread > 1 + _SAME_PRICE).any():
        return bars, dates, []
    volume = rows["Volume"].fillna(0) if "Volume" in rows else pd.Series(0.0, index=rows.index)
    fuller, other = sorted(rows.index, key=lambda line: (rows.loc[line].count(), volume[line]), reverse=True)
    traded = f" (volume {volume[fuller]:.0f}, not {volume[other]:.0f})" if volume[fuller] != volume[other] else ""
    note = f"the last day, {dates.max():%Y-%m-%d}, occurs twice with the same prices; the fuller row{traded} is kept"
    kept = bars.index != other
    return bars[kept], dates[kept], [note]


def differing_repeats(source: Source, bars: pd.DataFrame, dates: pd.Series, text: pd.Series) -> Iterator[Problem]:
    """The days that occur more than once with different values, in one problem; `text` is of the dates, as written."""
    again = dates.duplicated()
    if not again.any():
        return
    repeated = dates[dates.isin(dates[again])]
    differing = bars.loc[repeated.index].groupby(repeated).nunique(dropna=False).gt(1).any(axis=1)
    days = [f"{day:%Y-%m-%d}" for day in differing.index[differing]]
    if not days:
        return
    lines = sorted(repeated.index[repeated.isin(differing.index[differing])])
    listed = ", ".join(map(str, lines[:PROBLEMS_SHOWN]))
    advice = f"Keep one row a day ({source.unit}s {listed})."
    if len(bars) > 1.5 * dates.nunique():  # bars within the day, or several series, which must not be mixed
        if times_of_day(text[lines]) is None:
            advice += " If a column tells several series apart, name it as Ticker in data.columns."
        advice += f" {make_daily(source)}"
    yield Problem(
        line=lines[0],
        value=days[0],
        why=f"{plural(len(days), 'day')} more than once with different values: {', '.join(days[:PROBLEMS_SHOWN])}",
        advice=advice,
    )
