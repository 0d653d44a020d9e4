"""Columns of one's own that know the future: values that later prices made, dated on days before.

No change of the rows can show this, as an audit does for the program: the leak is in the file. So every column is
compared with the bars of the next fifty days. On 132 real files nothing that was known at a day's end came near the
bound, see docs/price-files.md.

A column that is known ahead is compared as the network is given it: on each day the value of the next session, whose
bar is the first of the fifty. That its value is dated on that session is no leak by itself. But what was announced by
the evening before does not tell whether the price will rise, so the bound on the return is the same. It may tell on
which days the price moves far, as earnings do: the changes of a flag that is set on a share p of the days have a rank
correlation with the size of the moves of at most sqrt(1.5 p), where no other day moves as far. That is 0.27 for one day
a month; for the bound of 0.5 it would take one day in six.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from stockcast.data.csv.own_header import KNOWN, OWN
from stockcast.data.prices import Prices
from stockcast.data.volatility import log_series
from stockcast.text import plural
from stockcast.typing import Days, Floats

BOUNDS = {"return": 0.3, "size of the return": 0.5}
"""Least rank correlation with a later day's return, and with its absolute value, that is reported."""

_AHEAD = 50  # days
_IN_A_ROW = 20  # days that equal a later bar: chance makes two or three, where prices move by few ticks
_FEWEST = 100  # days, whose correlations mean something
_STANDARD_ERRORS = 6  # of a correlation over so many days, which fifty days and five pairs of columns allow for
_KNOWN = 3  # moves, today's and those before, that may themselves foretell the next
_EQUAL = 2e-6  # share: seven digits


@dataclass(frozen=True)
class Lookahead:
    """A column that knows the future.

    Attributes:
        feature: the input, such as own:VIX.
        ahead: days after each of its dates whose bars it knows.
        days: that show it.
        first: the first of them.
        last: likewise.
        correlation: of ranks, with the later day's move; None where values equal later bars.
        sentence: with all of these, without a full stop.
    """

    feature: str
    ahead: int
    days: int
    first: date
    last: date
    correlation: float | None
    sentence: str


def find_lookahead(prices: Prices) -> list[Lookahead]:
    """Return the columns of a series that know its future, own ones and those known ahead, by what shows it best."""
    found = []
    for feature, values in _columns(prices):
        if values.notna().sum() > _IN_A_ROW:
            found += [(_equal(prices, feature, values) or _correlated(prices, feature, values))]
    return [each for each in found if each is not None]


def _columns(prices: Prices) -> Iterator[tuple[str, pd.Series]]:
    """Yield the input that each column is, and its values by the day that is given them."""
    for kind, columns in ((OWN, prices.own), (KNOWN, prices.known_columns)):
        if columns is not None:
            yield from ((f"{kind}{name}", columns.values[name]) for name in columns.values)


def _equal(prices: Prices, feature: str, values: pd.Series) -> Lookahead | None:
    """Whether values equal a bar, or a return, of some days later, for 20 days in a row on which it changes."""
    close = prices.bars["Close"]
    quoted = pd.Series(prices.quoted, index=close.index)
    bars = {  # no open: where vendors have none, they write the close of the day before
        "close": quoted,
        "adjusted close": close,
        **{name.lower(): prices.bars[name] for name in ("High", "Low", "Volume") if name in prices.bars},
        "log return": log_series(close).diff(),
        "return": close.pct_change(fill_method=None),
    }
    own: Floats = values.to_numpy(dtype=np.float64)
    for ahead in range(1, min(_AHEAD, len(own) - 1) + 1):
        best: Lookahead | None = None
        for what, bar in bars.items():
            later, today = bar.to_numpy(dtype=np.float64)[ahead:], bar.to_numpy(dtype=np.float64)[:-ahead]
            compared = np.flatnonzero(~np.isnan(own[:-ahead]) & ~np.isnan(later) & (later != today))
            equal = np.abs(own[compared] - later[compared]) <= _EQUAL * np.abs(later[compared])
            if equal.sum() <= (best.days if best else 0) or _longest_run(equal) < _IN_A_ROW:
                continue
            rows = compared[equal]
            days = close.index[rows]
            sentence = (
                f"{feature} knows the future: on {len(rows)} of {plural(len(compared), 'day')}, "
                f"{days[0]:%Y-%m-%d} to {days[-1]:%Y-%m-%d}, it equals the {what} {_later(ahead)} "
                f"(on {days[0]:%Y-%m-%d} it is {own[rows[0]]:.6g}, the {what} of "
                f"{close.index[rows[0] + ahead]:%Y-%m-%d}). {_advice(feature)}"
            )
            best = Lookahead(feature, ahead, len(rows), days[0].date(), days[-1].date(), None, sentence)
        if best:
            return best
    return None


def _correlated(prices: Prices, feature: str, values: pd.Series) -> Lookahead | None:
    """The strongest correlation of ranks with the move of a later day, less what known moves explain."""
    found: list[tuple[float, int, str, Days]] = []
    returns = log_series(prices.bars["Close"]).diff()
    for what, own, move, moved in _pairs(values, returns):
        left, origins = _unexplained(own, moved)
        for ahead in range(1, _AHEAD + 1):
            correlation, rows = _correlation(left, origins, moved, ahead)
            if len(rows) >= _FEWEST and abs(correlation) >= max(BOUNDS[move], _STANDARD_ERRORS / np.sqrt(len(rows))):
                words = f"its {what} has a rank correlation of {correlation:.2f} with the {move} {_later(ahead)}"
                found.append((correlation, ahead, f"{words} (real columns stay below {BOUNDS[move]})", rows))
    if not found:
        return None
    correlation, ahead, words, rows = max(found, key=lambda each: abs(each[0]))
    first, last = prices.bars.index[rows[[0, -1]]]
    sentence = (
        f"{feature} knows the future: over {plural(len(rows), 'day')}, {first:%Y-%m-%d} to {last:%Y-%m-%d}, {words}. "
        f"{_advice(feature)}"
    )
    return Lookahead(feature, ahead, len(rows), first.date(), last.date(), correlation, sentence)


def _advice(feature: str) -> str:
    if feature.startswith(KNOWN):
        name = feature.removeprefix(KNOWN)
        return (
            f"Take for {feature} what was announced by the evening before alone; {OWN}{name} takes values as known at "
            f"the end of the day that they are dated"
        )
    return (
        "Date its values on the day at whose end they are known (those of a market that closes later, on the next "
        "day), or leave it out of features"
    )


def _later(ahead: int) -> str:
    return "of the next day" if ahead == 1 else f"of {ahead} days later"


def _pairs(values: pd.Series, returns: pd.Series) -> Iterator[tuple[str, Floats, str, Floats]]:
    """Yield what of a column is compared with which move: ranks of all days, NaN where a day has none."""
    change = values.dropna().diff()
    forms = {"value": values, "change": change, "change of the change": change.diff()}
    signed, size = _ranks(returns), _ranks(returns.abs())
    for what, form in forms.items():
        own = _ranks(form.reindex(values.index))
        yield what, own, "return", signed
        if what != "value":  # the level of a volatility is known to go with the size of the next moves
            yield what, own, "size of the return", size


def _ranks(values: pd.Series) -> Floats:
    """Ranks, so that no single day decides, around zero."""
    ranks = values.rank()
    centred: Floats = (ranks - ranks.mean()).to_numpy(dtype=np.float64)
    return centred


def _unexplained(own: Floats, moved: Floats) -> tuple[Floats, Days]:
    """What moves up to its day leave of a column, shape (rows,), and these rows.

    Where prices bounce, today's move foretells some of tomorrow's, and a column that repeats it does so, too.
    """
    known = np.stack([np.concatenate([np.full(days, np.nan), moved[: len(moved) - days]]) for days in range(_KNOWN)])
    rows = np.flatnonzero(~np.isnan(own + known.sum(axis=0)))
    if len(rows) < _FEWEST:
        return own[:0], rows[:0]
    values = own[rows] - own[rows].mean()
    explained = known[:, rows].T - known[:, rows].mean(axis=1)
    left = values - explained @ (np.linalg.pinv(explained.T @ explained) @ (explained.T @ values))
    if left.std() < 1e-3 * values.std() + 1e-9:  # a copy of what is known
        return own[:0], rows[:0]
    return left, rows


def _correlation(left: Floats, rows: Days, moved: Floats, ahead: int) -> tuple[float, Days]:
    """Correlation of what is left of a column with the move of a later day, and the rows that have both."""
    inside = rows < len(moved) - ahead
    later = moved[rows[inside] + ahead]
    has_both = ~np.isnan(later)
    own, later, both = left[inside][has_both], later[has_both], rows[inside][has_both]
    if len(both) < _FEWEST or own.std() == 0 or later.std() == 0:
        return 0.0, both
    return float(np.corrcoef(own, later)[0, 1]), both


def _longest_run(hits: Floats) -> int:
    """Length of the longest run of true values."""
    padded = np.concatenate([[0], hits.astype(np.int8), [0]])
    edges = np.flatnonzero(np.diff(padded))
    return int((edges[1::2] - edges[::2]).max(initial=0))
