"""Something suspicious in prices, as it is reported."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from stockcast.typing import Dates, Floats

DAYS_SHOWN = 10


@dataclass(frozen=True)
class Finding:
    """Something suspicious.

    Attributes:
        kind: sessions_missing, no_session, open_session, split_like, pence_block, spike, stale, constant or missing.
        count: of days; of runs for stale, of blocks for pence_block.
        days: the first of them, oldest first, at most `DAYS_SHOWN`; the first day of each run or block.
        sentence: with count and dates, without a full stop.
        factors: for split_like, pence_block and spike: of each of `days`, its price over the price before; else empty.
        is_damage: whether no market makes such prices, so that training stops unless damage is accepted.
    """

    kind: str
    count: int
    days: tuple[date, ...]
    sentence: str
    factors: tuple[float, ...] = ()
    is_damage: bool = False


def make_finding(kind: str, days: Dates, sentence: str, *, factors: Floats | None = None, limit: float = 0) -> Finding:
    """Build a finding of all its days; with a `limit` a factor of at least that much, up or down, is damage."""
    shown = tuple(day.astype(object) for day in days[:DAYS_SHOWN])
    if factors is None:
        return Finding(kind, len(days), shown, sentence)
    is_damage = any(max(factor, 1 / factor) >= limit for factor in factors)
    return Finding(kind, len(days), shown, sentence, tuple(map(float, factors[:DAYS_SHOWN])), is_damage)


def first_ten(items: Iterable[object]) -> str:
    """Join the first `DAYS_SHOWN` items by commas, and count the rest."""
    words = [str(item) for item in items]
    more = len(words) - DAYS_SHOWN
    return ", ".join(words[:DAYS_SHOWN]) + (f" and {more} more" if more > 0 else "")
