"""Daily bars with one fault each, planted on a known day: what `data check` must find."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from stockcast.data.calendar import sessions_after
from stockcast.data.prices import Prices, read_prices
from stockcast.data.quality import check_quality

BAR = ["Open", "High", "Low", "Close"]
SPLITS = (1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 50)
DAYS = 1250


@dataclass(frozen=True)
class Planted:
    """Prices with a fault.

    Attributes:
        prices: with it.
        fault: what kind it is.
        day: its first day.
        kinds: the kinds of finding that name it.
    """

    prices: Prices
    fault: str
    day: np.datetime64
    kinds: tuple[str, ...]

    def is_found(self) -> bool:
        """Whether a finding of the right kind names the day."""
        findings = check_quality(self.prices, calendar="XNYS").findings
        return any(self.day.astype(object) in finding.days for finding in findings if finding.kind in self.kinds)


def random_walk(random: np.random.Generator, days: int = DAYS) -> Prices:
    """Bars of a made-up stock: heavy-tailed returns (Student's t, 4) whose volatility wanders from calm to wild."""
    daily = 0.015 * np.exp(random.normal(0, 0.5))
    wandering = np.zeros(days)
    for day in range(1, days):
        wandering[day] = 0.98 * wandering[day - 1] + random.normal(0, 0.08)
    returns = daily * np.exp(wandering) * random.standard_t(4, days) / np.sqrt(2)
    closes = 50 * np.exp(np.cumsum(returns))
    opens = closes * np.exp(-returns * random.uniform(0.2, 1, days))
    spread = np.exp(np.abs(random.normal(0, daily / 2, (2, days))))
    volume = 1e6 * np.exp(random.normal(0, 0.4, days))
    bars = {
        "Open": opens,
        "High": np.maximum(opens, closes) * spread[0],
        "Low": np.minimum(opens, closes) / spread[1],
        "Close": closes,
        "Volume": volume.round(),
    }
    dates = pd.DatetimeIndex(sessions_after(np.datetime64("2010-01-03"), days, calendar="XNYS"))
    return made(pd.DataFrame(bars, index=dates))


def real_series(random: np.random.Generator, files: list[Path], days: int = DAYS) -> Prices:
    """Five years of a real file, drawn by chance."""
    prices = _read(files[random.integers(len(files))])
    first = int(random.integers(max(1, len(prices.bars) - days)))
    return made(prices.bars.iloc[first : first + days].drop(columns="Adj Close"))


_read = functools.cache(read_prices)


def made(bars: pd.DataFrame) -> Prices:
    """Prices of these bars, not adjusted, to six digits as vendors give them."""
    names = [name for name in BAR if name in bars]
    values = bars[names].to_numpy(dtype=np.float64)
    digit = 10.0 ** (np.floor(np.log10(values, where=values > 0, out=np.zeros_like(values))) - 5)
    written = bars.copy()
    written[names] = np.round(values / digit) * digit
    return Prices(source=Path("planted.csv"), bars=written, quoted=written["Close"].to_numpy(), sha256="")


def plant(prices: Prices, fault: str, random: np.random.Generator) -> Planted:
    """Put a fault on a day drawn by chance, not among the first or last thirty."""
    bars = prices.bars.copy()
    if random.random() < 0.3:
        bars = bars[["Close"]]  # many a file has no more
    day = int(random.integers(30, len(bars) - 30))
    kinds = _FAULTS[fault](bars := bars.copy(), day, random)
    return Planted(made(bars), fault, prices.dates[day], kinds)


def _scale(bars: pd.DataFrame, rows: slice, factor: float, columns: list[str] = BAR) -> None:
    names = [name for name in columns if name in bars]
    bars.iloc[rows, [bars.columns.get_loc(name) for name in names]] *= factor


def _up_or_down(random: np.random.Generator, factor: float) -> float:
    return factor if random.random() < 0.5 else 1 / factor


def _spike(bars: pd.DataFrame, day: int, random: np.random.Generator) -> tuple[str, ...]:
    factor = _up_or_down(random, float(np.exp(random.uniform(np.log(3.5), np.log(10_000)))))
    _scale(bars, slice(day, day + int(random.integers(1, 4))), factor)
    return ("spike", "pence_block")


def _wrong_close(bars: pd.DataFrame, day: int, random: np.random.Generator) -> tuple[str, ...]:
    _scale(bars, slice(day, day + 1), _up_or_down(random, float(random.choice([10.0, 100.0]))), ["Close"])
    return ("spike", "pence_block")


def _wrong_low(bars: pd.DataFrame, day: int, random: np.random.Generator) -> tuple[str, ...]:
    if "Low" not in bars:
        return _wrong_close(bars, day, random)
    _scale(bars, slice(day, day + 1), 0.1, ["Low"])
    return ("spike",)


def _block(unit: float) -> Callable[[pd.DataFrame, int, np.random.Generator], tuple[str, ...]]:
    def plant_block(bars: pd.DataFrame, day: int, random: np.random.Generator) -> tuple[str, ...]:
        _scale(bars, slice(day, day + int(random.integers(2, 300))), _up_or_down(random, unit))
        return ("pence_block",)

    return plant_block


def _split(bars: pd.DataFrame, day: int, random: np.random.Generator) -> tuple[str, ...]:
    ratio = float(random.choice(SPLITS))
    _scale(bars, slice(day, None), 1 / ratio if random.random() < 0.7 else ratio)
    return ("split_like",)


def _stale(bars: pd.DataFrame, day: int, random: np.random.Generator) -> tuple[str, ...]:
    rows = slice(day, day + int(random.integers(5, 20)))
    bars.iloc[rows] = bars.iloc[day].to_numpy()
    return ("stale",)


_FAULTS: dict[str, Callable[[pd.DataFrame, int, np.random.Generator], tuple[str, ...]]] = {
    "spike": _spike,
    "wrong close": _wrong_close,
    "wrong low": _wrong_low,
    "block x100": _block(100),
    "block x1000": _block(1000),
    "split": _split,
    "stale": _stale,
}
FAULTS = tuple(_FAULTS)
