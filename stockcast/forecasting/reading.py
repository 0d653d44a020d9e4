"""The price files that a config names: how they are read, and what is reported about them."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from stockcast.config.schema import Config
from stockcast.data.calendar import Sessions, calendar_mismatch, check_calendar
from stockcast.data.covariates import Covariates, check_present, read_covariates
from stockcast.data.csv.options import FILE_ENDINGS, is_price_file, series_name
from stockcast.data.known_days import is_known, make_known
from stockcast.data.lookahead import find_lookahead
from stockcast.data.prices import Prices, PriceSource, read_prices
from stockcast.data.quality import check_quality
from stockcast.errors import DamagedPrices, DataError

OnMessage = Callable[[str], None]

_DAYS_OF_A_WEEK = 7
_FEWEST_GAPS = 10  # of dates, to tell what they are


def price_files(config: Config) -> list[Path]:
    """Return the price files that the config names, those of a folder in the order of their names."""
    files: list[Path] = []
    for path in config.data.path:
        inside = _files_in(path) if path.is_dir() else [path]
        files += [file for file in inside if file not in files]
    return files


def _files_in(folder: Path) -> list[Path]:
    """Return a folder's price files in the order of their names; DataError if there is none, or one series twice."""
    files = sorted(file for file in folder.glob("*") if is_price_file(file.name))
    if not files:
        raise DataError(
            f"{folder}: no price file in this folder ({', '.join(FILE_ENDINGS)}). Put price files there, or change "
            f"data.path.",
            file=folder,
            key="data.path",
        )
    kinds: dict[str, Path] = {}
    for file in files:
        other = kinds.setdefault(series_name(file), file)
        if file != other:
            raise DataError(
                f"{folder}: {other.name} and {file.name} are of one name, and a network would be trained on the series "
                f"twice. Keep one of them there.",
                file=folder,
                key="data.path",
                value=file.name,
            )
    return files


def read_with(
    config: Config,
    source: PriceSource,
    *,
    with_own: bool = True,
    known: Sessions | None = None,
    covariates: Covariates | None = None,
) -> Prices:
    """Read one series as the config describes it.

    Args:
        config: describes it.
        source: of the series.
        with_own: read own columns, and what is known of the next session, as far as features need them.
        known: the exchange's sessions, stored earlier.
        covariates: the config's file of covariates; None to read it.

    Raises:
        DataError: a file cannot be read, or the bars are of weeks or months.
    """
    data, adjusted = config.data, config.target.adjusted
    options = config.csv_options if with_own else data.csv_options
    prices = read_prices(source, options=options, start=data.start, end=data.end, adjusted=adjusted)
    _check_daily(prices)
    if with_own and (names := [name for name in config.features if is_known(name)]):
        prices = replace(prices, known=make_known(prices.dates, names, calendar=data.calendar, known=known))
    if prices.own is None or (covariates := covariates or stated_covariates(config)) is None:
        return prices
    notes = tuple(f"{covariates.path.name}: {note}" for note in covariates.notes)
    return replace(covariates.join(prices), notes=(*prices.notes, *notes))


def _check_daily(prices: Prices) -> None:
    """Check that bars are of days: a forecast is dated on the sessions that follow, one for each step."""
    gaps = np.diff(prices.dates).astype(int)
    if len(gaps) < _FEWEST_GAPS or (usual := int(np.median(gaps))) < _DAYS_OF_A_WEEK:
        return
    kind = "weekly" if usual == _DAYS_OF_A_WEEK else "monthly" if 28 <= usual <= 31 else f"of every {usual} days"
    raise DataError(
        f"{prices.source}: the bars are {kind} (the usual distance from one date to the next is {usual} days), and "
        f"a forecast would date them on the sessions of the next days. Use daily bars.",
        file=prices.source,
        column="Date",
        value=usual,
    )


def read_to_forecast(
    config: Config, source: PriceSource, *, on_message: OnMessage, known: Sessions | None = None
) -> Prices:
    """Read one series to forecast; report its notes, and whether its last year fits the exchange's calendar.

    `known` are the exchange's sessions as the run stored them.
    """
    if known is None:
        check_calendar(config.data.calendar)
    prices = read_with(config, source, known=known)
    mismatch = calendar_mismatch(prices.dates, calendar=config.data.calendar, known=known)
    _report(prices.label, (*prices.notes, *([mismatch] if mismatch else [])), on_message)
    return prices


def stated_covariates(config: Config) -> Covariates | None:
    """Read the file of covariates that a config names, None for none; DataError if it cannot be read."""
    file = config.data.covariates
    return None if file is None else read_covariates(file, options=config.csv_options)


def read_to_train(
    config: Config, source: PriceSource, *, on_message: OnMessage, covariates: Covariates | None = None
) -> Prices:
    """Read one series to train on; report what was repaired and what looks odd in it, and keep both as notes.

    `covariates` is what `stated_covariates` returned; None to read the file.

    Raises:
        DataError: the file cannot be read; DamagedPrices where no market can have made its prices, unless
            `data.accept_damage` is set.
    """
    check_calendar(config.data.calendar)
    prices = read_with(config, source, covariates=covariates)
    check_present(prices)
    report = check_quality(prices, calendar=config.data.calendar)
    if not config.data.accept_damage and (damage := [finding for finding in report.findings if finding.is_damage]):
        raise DamagedPrices(
            f"{prices.source}: prices look damaged: {'; '.join(finding.sentence for finding in damage)}. Correct the "
            f"file, or leave these days out with data.start and data.end; --accept-damage trains on them as they stand "
            f"(data.accept_damage: true in a config).",
            file=prices.source,
            column="Close",
            key="data.accept_damage",
            value=str(damage[0].days[0]),
        )
    found = [*(finding.sentence for finding in report.findings), *_about_own_columns(prices)]
    noted = replace(prices, notes=(*prices.notes, *found))
    _report(noted.label, noted.notes, on_message)
    return noted


def report_gaps(prices: Prices, days: slice, on_message: OnMessage) -> None:
    """Report which own columns have no value on some of the days that a forecast is made from."""
    if prices.own is None:
        return
    for name in prices.own.missing:
        on_message(
            f"{prices.label} has no column {name}: the forecast is made without it; own:{name} is its mean of the "
            f"training days."
        )
    for gap in prices.own.gaps(days):
        effect = (
            "the forecast is made without it" if gap.at_the_end else "its mean of the training days stands in for it"
        )
        on_message(f"{prices.label}: {gap.sentence}: {effect}.")


def _about_own_columns(prices: Prices) -> list[str]:
    """Return which own columns know the future, and which have no value on some days."""
    if prices.own is None:
        return []
    gaps = [f"{gap.sentence}: the mean of the training days stands in for it" for gap in prices.own.gaps(slice(None))]
    return [*(found.sentence for found in find_lookahead(prices)), *gaps]


def _report(name: str, notes: tuple[str, ...], on_message: OnMessage) -> None:
    for note in notes:
        on_message(f"{name}: {note}.")
