"""Prices at a level that no trade is likely to have brought them to: spikes, blocks in another unit, splits.

Thresholds were chosen on the 240 real files that `benchmarks/damage.py` reads. There no close moves threefold in a day
and comes back, and none moves sixteenfold and stays.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from stockcast.data.findings import Finding, first_ten, make_finding
from stockcast.data.prices import Prices
from stockcast.frequency import DAILY
from stockcast.text import plural
from stockcast.typing import Dates, Floats

_DAMAGING_SPIKE = 3.0  # times the price before, or a third of it
_DAMAGING_JUMP = 20.0

_LEAST_JUMP = np.log(1.35)
_SPIKE_TIMES_USUAL = 15  # how many times the usual day's move a spike below threefold must be
_LONGEST_SPIKE = 10  # days; two weeks, and a single month
_SPIKE_FIT = 0.25  # share of a spike, log, by which the price that comes back may differ from the one before
_OFF_THE_BAR = np.log(5)  # of an open, high or low from that day's close and the one before; quotes of pennies reach 3

_UNITS = {100: ("100 times", "a hundredth of"), 1000: ("1,000 times", "a thousandth of")}
"""Pence for pounds, fils for dinars: by what they multiply a price, and how that reads, up and down."""
_UNIT_FIT = 0.25  # log: the day's own move comes on top, and pounds are often quoted with two decimals only

_FRACTIONS = {"3:2": 1.5, "5:2": 2.5}
"""Splits that are not into whole shares, by what they divide a price by; all n:1 count as well. A fall by a fifth, a
quarter or two fifths (5:4, 4:3, 5:3) is news more often than a split."""
# How near a jump must be to a split's ratio (log), by the stock's usual move, and how many times that move it must be:
# more where no volume tells a day of news. Profit warnings take a third off a price now and then; three quarters go in
# a day hardly ever, and seven eighths never.
_FIT, _WIDEST_FIT, _FIT_IN_USUAL = 0.02, 0.08, 4
_TIMES_USUAL, _TIMES_USUAL_IN_CLOSES, _WIDE_TIMES_USUAL = 15, 20, 10  # the last for 4:1 and more
_BEYOND_NEWS = np.log(8)
_HECTIC = 4  # times the volume usual before, and of that usual after: a day of news, which no split is
_AROUND, _AFTERMATH = 60, 10  # days around a jump, and after it, whose median move is the usual one
_LONGEST_WAIT = 10  # days from a price to the next; over a longer gap a price may have doubled


@dataclass(frozen=True)
class _Excursion:
    """Closes away from their level.

    Attributes:
        start: index of the first day.
        end: of the day on which they are back; None if they stay away.
        factor: close of the first day over the close before.
        unit: 100 or 1000 where the factor is near; else None.
    """

    start: int
    end: int | None
    factor: float
    unit: int | None

    def sentence(self, dates: Dates) -> str:
        """Describe days and factor."""
        if self.unit:
            times = _UNITS[self.unit][self.factor < 1]
            span = "on" if self.end is None else f"to {dates[self.end - 1]}"
            return f"from {dates[self.start]} {span}, {times} the price before"
        last = (self.end or 0) - 1
        span = f"{dates[self.start]} to {dates[last]}" if last > self.start else f"{dates[self.start]}"
        return f"{span} ({_times(self.factor)} the price before)"


def find_jumps(prices: Prices) -> Iterator[Finding]:
    """Yield what looks like spikes, blocks in another unit and splits, each kind in one finding."""
    dates, levels = prices.dates, np.log(prices.column("Close"))
    moves = np.diff(levels)
    jumps = [int(index) + 1 for index in np.flatnonzero(np.abs(moves) >= _LEAST_JUMP)]
    longest = max(1, round(_LONGEST_SPIKE * prices.frequency.per_year / DAILY.per_year))
    excursions, explained = [], set[int]()
    for day in jumps:
        if day not in explained and (excursion := _excursion(levels, moves, jumps, day, longest=longest)):
            excursions.append(excursion)
            explained |= set(range(day, (excursion.end or day) + 1))
    yield from _split_like(prices, moves, [day for day in jumps if day not in explained])
    yield from _unit_blocks(dates, [excursion for excursion in excursions if excursion.unit])
    spikes = {excursion.start: excursion for excursion in excursions if not excursion.unit}
    yield from _spikes(dates, spikes, _off_the_bar(prices))


def _excursion(levels: Floats, moves: Floats, jumps: list[int], day: int, *, longest: int) -> _Excursion | None:
    """Return what begins with the jump of this day, unless the close stays where a market may have brought it."""
    move, factor = float(moves[day - 1]), float(np.exp(moves[day - 1]))
    unit = _unit(move)
    back = [later for later in jumps if later > day and moves[later - 1] * move < 0]
    if unit:
        end = next((later for later in back if _unit(moves[later - 1]) == unit), None)
        return _Excursion(day, end, factor, unit)
    fit = min(_SPIKE_FIT * abs(move), np.log(2))
    is_sure = abs(move) >= np.log(_DAMAGING_SPIKE)  # less, for days, is what news and its denial make
    longest = longest if is_sure else 1
    for end in (later for later in back if later <= day + longest and abs(moves[later - 1]) >= abs(move) / 2):
        is_sudden = is_sure or abs(move) >= _SPIKE_TIMES_USUAL * _usual_move(np.delete(moves, end - 1), day)
        if is_sudden and abs(levels[end] - levels[day - 1]) <= fit:
            return _Excursion(day, end, factor, None)
    return None


def _unit(move: float) -> int | None:
    """Return 100 or 1000 where a log return is near a change of unit by it."""
    return next((unit for unit in _UNITS if abs(abs(move) - np.log(unit)) <= _UNIT_FIT), None)


def _usual_move(moves: Floats, day: int) -> float:
    """Median absolute log return around a jump, or after it if that is more: a crash has an aftermath, a split none."""
    before, after = np.abs(moves[max(0, day - 1 - _AROUND) : day - 1]), np.abs(moves[day : day + _AROUND])
    around = np.concatenate([before, after])
    # Quotes of pennies rest on a tick and then move by half: their median is zero, their mean is not. Prices that
    # stand still otherwise have no usual move.
    usual = [float(np.median(around)), float(np.mean(around)) / 2] if len(around) else []
    return max([*usual, float(np.median(after[:_AFTERMATH])) if len(after) else 0, 1e-6])


def _off_the_bar(prices: Prices) -> dict[int, tuple[str, float]]:
    """Days whose open, high or low is far from their own close and from the one before: column, times the close."""
    levels = np.log(prices.column("Close"))
    before = np.concatenate([levels[:1], levels[:-1]])
    found: dict[int, tuple[str, float]] = {}
    for name in ("Open", "High", "Low"):
        if name in prices.bars.columns:
            values = np.log(prices.column(name))
            off = np.minimum(np.abs(values - levels), np.abs(values - before))  # a crash begins at the close before
            for day in map(int, np.flatnonzero(off > _OFF_THE_BAR)):
                found.setdefault(day, (name, float(np.exp(values[day] - levels[day]))))
    return found


def _spikes(dates: Dates, closes: dict[int, _Excursion], others: dict[int, tuple[str, float]]) -> Iterator[Finding]:
    days = sorted({*closes, *others})
    if not days:
        return
    listed, factors = [], []
    for day in days:
        if day in closes:
            listed.append(closes[day].sentence(dates))
            factors.append(closes[day].factor)
        else:
            column, factor = others[day]
            listed.append(f"{dates[day]} ({column}, {_times(factor)} the close)")
            factors.append(factor)
    sentence = f"{plural(len(days), 'spike')}, after which prices come back: {first_ten(listed)}"
    yield make_finding("spike", dates[days], sentence, factors=np.array(factors), limit=_DAMAGING_SPIKE)


def _unit_blocks(dates: Dates, blocks: list[_Excursion]) -> Iterator[Finding]:
    """Days between a jump by about 100 or 1000 and the jump back; the last jump may have none."""
    if blocks:
        listed = first_ten(block.sentence(dates) for block in blocks)
        sentence = f"{plural(len(blocks), 'block')} of prices in another unit, such as pence for pounds: {listed}"
        factors = np.array([block.factor for block in blocks])
        days = dates[[block.start for block in blocks]]
        yield make_finding("pence_block", days, sentence, factors=factors, limit=_DAMAGING_JUMP)


def _split_like(prices: Prices, moves: Floats, jumps: list[int]) -> Iterator[Finding]:
    """Jumps by a split's ratio on an ordinary day, with the whole bar on the new level, and all beyond twentyfold."""
    splits = {day: ratio for day in jumps if (ratio := _ratio(prices, moves, day))}
    if splits:
        dates, days = prices.dates, list(splits)
        listed = first_ten(f"{dates[day]} ({ratio})" for day, ratio in splits.items())
        noun = "jump looks like a split" if len(splits) == 1 else "jumps look like splits"
        sentence = f"{len(splits)} {noun} that the prices are not adjusted for: {listed}"
        factors = np.exp(moves[np.array(days) - 1])
        yield make_finding("split_like", dates[days], sentence, factors=factors, limit=_DAMAGING_JUMP)


def _ratio(prices: Prices, moves: Floats, day: int) -> str | None:
    """Return the ratio of the split that a jump looks like, `4:1` or `1:4`; None where a market may have made it."""
    dates, closes, move = prices.dates, prices.column("Close"), float(moves[day - 1])
    if abs(move) >= np.log(_DAMAGING_JUMP):
        return _split_ratio(-move, fit=np.inf)
    activity = _activity(prices, day)
    is_news = activity is not None and activity > _HECTIC and abs(move) < _BEYOND_NEWS
    if is_news or dates[day] - dates[day - 1] > np.timedelta64(_LONGEST_WAIT, "D"):
        return None
    # A crash of the day itself leaves its open, or its high, near the price of the day before.
    before = closes[day - 1]
    bar = {name: prices.column(name)[day] for name in ("Open", "High", "Low") if name in prices.bars.columns}
    if any(np.log(value / before) / move < 0.5 for value in bar.values() if not np.isnan(value)):
        return None
    usual = _usual_move(moves, day)
    fit = np.clip(_FIT_IN_USUAL * usual, _FIT, _WIDEST_FIT)
    least = _TIMES_USUAL_IN_CLOSES if activity is None else _TIMES_USUAL
    for fall in (np.log(before / level) for level in (closes[day], bar.get("Open", np.nan)) if not np.isnan(level)):
        is_large = abs(fall) >= np.log(4) - _WIDEST_FIT
        is_sudden = abs(move) >= usual * (_WIDE_TIMES_USUAL if is_large else least)
        ratio = _split_ratio(fall, fit=_WIDEST_FIT if is_large else float(fit))
        if is_sudden and ratio:
            return ratio
    return None


def _activity(prices: Prices, day: int) -> float | None:
    """Volume of a day over that usual in the months before and the weeks after, the lesser; None where not known."""
    if "Volume" not in prices.bars.columns:
        return None
    volume = prices.column("Volume")
    around = [part[~np.isnan(part)] for part in (volume[max(0, day - _AROUND) : day], volume[day + 1 : day + 21])]
    if np.isnan(volume[day]) or not all(map(len, around)):
        return None
    return min(float(volume[day] / np.median(part)) for part in around)


def _split_ratio(fall: float, *, fit: float) -> str | None:
    """The split whose ratio a log fall has within `fit`, `4:1`, or of a reverse split, `1:4`."""
    size = float(np.exp(abs(fall)))
    whole, fives = max(2, round(size)), 5 * round(size / 5)
    if fives > 10 and abs(np.log(fives / size)) <= _WIDEST_FIT:
        whole = fives  # the day's own move lies between 50:1 and 49:1
    for name, ratio in {f"{whole}:1": float(whole), **_FRACTIONS}.items():
        if abs(abs(fall) - np.log(ratio)) <= fit:
            return name if fall > 0 else ":".join(reversed(name.split(":")))
    return None


def _times(factor: float) -> str:
    """Write a factor: `40 times`, `1/40 of`."""
    size = max(factor, 1 / factor)
    digits = f"{size:,.0f}" if size >= 100 else f"{size:.3g}"
    return f"{digits} times" if factor >= 1 else f"1/{digits} of"
