"""A ledger and newer price files -> the closes that came since, as entries of the ledger, and what was revised.

A newer file may have other closes of days that were recorded: divided by two after a split, lower by each dividend
where it is adjusted, or corrected. So nothing is compared in absolute terms: closes of one file are held against each
other, and a forecast against the file's close of its own last day. The ratio of the two files' closes of that day is
part of the entry.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stockcast.config.load import Overrides, check_reading, csv_options
from stockcast.data.csv.options import CsvOptions
from stockcast.data.csv.table import PriceSource, Table, read_tables, source_name
from stockcast.data.jumps import find_jumps
from stockcast.data.prices import Prices, read_prices
from stockcast.errors import LedgerError, StockcastError
from stockcast.ledger.entries import Ledger, RecordedForecast, RecordedOutcome
from stockcast.pipeline.ledger_record import closes_at
from stockcast.pipeline.pool_members import sources_of
from stockcast.text import join_words, plural, price_text, printable_name

_SAME = 1e-5
"""By how much closes may differ and count as the same: vendors differ in the sixth digit."""

_ONE_RATIO = 2e-3
"""By how much ratios may differ and be of one split: a price of some dollars, rounded to cents after it."""


@dataclass(frozen=True)
class PricesThen:
    """The price files of the series of a ledger.

    Attributes:
        prices: by series.
        missing: series of the ledger without a file.
        failures: by series whose file cannot be used, the reason.
    """

    prices: dict[str, Prices]
    missing: tuple[str, ...]
    failures: dict[str, str]


def read_newer(ledger: Ledger, sources: Sequence[PriceSource | str], *, overrides: Overrides = ()) -> PricesThen:
    """Read the files of the series that a ledger has forecasts of; others are not opened.

    A file belongs to the series of its name, or of its folder and name where those were recorded.

    Raises:
        LedgerError: two files are of one series, or forecasts of one series are of adjusted and of quoted prices.
        StockcastError: a folder holds no price file, or an override is wrong.
    """
    check_reading(overrides, advice="Outcomes are read from the price files alone.")
    options = csv_options(overrides)
    adjusted: dict[str, bool] = {}
    for each in ledger.forecasts:
        if adjusted.setdefault(each.series, each.adjusted) is not each.adjusted:
            raise LedgerError(
                f"{each.series}: line {each.line} is of {'adjusted' if each.adjusted else 'quoted'} prices, and lines "
                f"before it are not, so they have no common outcome. Keep them in two ledgers (--ledger).",
                line=each.line,
            )
    prices: dict[str, Prices] = {}
    failures: dict[str, str] = {}
    for source in sources_of(sources):
        for table in _series_in(source, options):
            name = next((name for name in _names(table) if name in adjusted), None)
            if name is None:
                continue
            if name in prices or name in failures:
                raise LedgerError(f"Two price files are of {name}. Give one of them.", key="--data", value=name)
            try:
                prices[name] = read_prices(table, options=options, adjusted=adjusted[name])
            except StockcastError as error:
                failures[name] = str(error)
    return PricesThen(prices, tuple(name for name in adjusted if name not in {*prices, *failures}), failures)


def _series_in(source: PriceSource, options: CsvOptions) -> Iterable[PriceSource]:
    if isinstance(source, Table) or not options.takes_all:
        return [source]
    return read_tables(source, options=options)


def _names(source: PriceSource) -> list[str]:
    names = [source_name(source)]
    if isinstance(source, Path):
        names.append(f"{source.resolve().parent.name}/{source.name}")
    return list(map(printable_name, names))


def find_outcome(
    ledger: Ledger, series: str, prices: Prices, *, recorded: str
) -> tuple[RecordedOutcome | None, list[str]]:
    """Return the closes that came since the last ones of a series in the ledger, and sentences on what was revised.

    Args:
        ledger: with at least one forecast of it.
        series: its name.
        prices: of its newer file.
        recorded: the time, UTC; sessions that close later are left out.

    Returns:
        None where there is no new close.

    Raises:
        LedgerError: the file lacks the last day of which a close was recorded.
    """
    forecasts = [each for each in ledger.forecasts if each.series == series]
    outcomes = [each for each in ledger.outcomes if each.series == series]
    base = outcomes[-1].days[-1] if outcomes else min(each.cutoff for each in forecasts)
    known, dates = ledger.closes_of(series), prices.dates
    place = int(np.searchsorted(dates, base))
    if place == len(dates) or dates[place] != base:
        where = f"ends on {dates[-1]}" if place == len(dates) else "lacks that day"
        raise LedgerError(
            f"the ledger has its close of {base}, and {prices.label} {where}. Use the file that it was recorded from, "
            f"updated.",
            file=prices.source,
            value=str(base),
        )
    messages = [*_revised(series, prices, known), *_looks_split(series, prices, base)]
    end = len(dates)
    while end > place + 1 and closes_at(dates[end - 1], calendar=forecasts[-1].calendar) > recorded:
        end -= 1  # the row of a session still open
    if end == place + 1:
        return None, messages
    ratio = float(prices.quoted[place] / known[str(base)])
    outcome = RecordedOutcome(
        recorded=recorded,
        series=series,
        days=dates[place:end],
        closes=prices.quoted[place:end],
        adjusted=prices.column("Close")[place:end],
        ratio=1.0 if abs(ratio - 1) < _SAME else float(f"{ratio:.8g}"),
        prices=prices.sha256,
    )
    return outcome, messages


def _revised(series: str, prices: Prices, known: dict[str, float]) -> list[str]:
    """Tell of closes that are others than those recorded: all by one ratio, or some of them."""
    quoted = dict(zip(prices.dates.astype(str).tolist(), prices.quoted.tolist(), strict=True))
    ratios = {day: quoted[day] / close for day, close in known.items() if day in quoted}
    other = {day: ratio for day, ratio in ratios.items() if abs(ratio - 1) > _SAME}
    messages = []
    if gone := [day for day in known if day not in quoted]:
        count = plural(len(gone), "day")
        messages.append(f"{series}: {prices.label} lacks {count} of which closes were recorded, the first {gone[0]}.")
    if not other:
        return messages
    day, ratio = max(other.items())
    shown = f"{price_text(known[day])} recorded for {day}, {price_text(quoted[day])} now"
    count = f"{len(other)} of {plural(len(ratios), 'close')} that were recorded"
    values = sorted(other.values())
    is_all = all(each in other for each in ratios if each <= day)
    if is_all and values[-1] / values[0] - 1 < _ONE_RATIO:
        messages.append(
            f"{series}: {count} are now {_times(ratio)} ({shown}), as after a split. Forecasts from these days are "
            f"scored in the file's unit, by that ratio."
        )
    else:
        messages.append(
            f"{series}: {count} are others in {prices.label}, {values[0]:.6g} to {values[-1]:.6g} times what they were "
            f"({shown}). Each forecast is scored in the file's unit, by the ratio of its own last day."
        )
    return messages


def _times(ratio: float) -> str:
    """Write a ratio as a split is named: divided by 4, or times 8."""
    whole = round(1 / ratio) if ratio < 1 else round(ratio)
    exact = abs((1 / ratio if ratio < 1 else ratio) / max(whole, 1) - 1) < _ONE_RATIO and whole > 1
    if not exact:
        return f"{ratio:.6g} times as high"
    return f"divided by {whole}" if ratio < 1 else f"{whole} times as high"


def _looks_split(series: str, prices: Prices, base: np.datetime64) -> list[str]:
    """Tell of jumps since the last recorded day that look like a split that the file does not adjust for."""
    recent = prices.with_rows(slice(max(0, int(np.searchsorted(prices.dates, base)) - 250), None))
    return [
        f"{series}: {found.sentence}. Scores take the prices as they stand."
        for found in find_jumps(recent)
        if any(np.datetime64(day) > base for day in found.days)
    ]


def ratio_of(forecast: RecordedForecast, prices: Prices) -> float | None:
    """Return the file's close of a forecast's last day over the recorded one; None where the file lacks that day."""
    place = int(np.searchsorted(prices.dates, forecast.cutoff))
    if place == len(prices.dates) or prices.dates[place] != forecast.cutoff:
        return None
    return float(prices.column("Close")[place] / forecast.last_close)


def names_text(names: Sequence[str], *, most: int = 10) -> str:
    """Write names, the first ten of many."""
    more = len(names) - most
    return f"{', '.join(names[:most])} and {more} more" if more > 0 else join_words(list(names))
