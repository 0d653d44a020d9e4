"""The price files that a config names: how they are read, and what is reported about them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from stockcast.cache.prices import cached_prices
from stockcast.config.schema import Config
from stockcast.data.bar_dates import date_on_sessions, days_inside
from stockcast.data.calendar import Sessions, calendar_mismatch, check_calendar, sessions_around
from stockcast.data.covariates import Covariates, check_present, not_known_ahead, read_covariates
from stockcast.data.csv.folder import files_in
from stockcast.data.csv.options import series_name
from stockcast.data.csv.own_header import KNOWN, OWN
from stockcast.data.csv.problems import PROBLEMS_SHOWN
from stockcast.data.csv.table import PriceSource, Table, read_table, read_tables
from stockcast.data.known_days import KNOWN_DAYS, find_upcoming, is_known_column, make_known
from stockcast.data.lookahead import find_lookahead
from stockcast.data.own_columns import Gap
from stockcast.data.periods import check_frequency, put_together, sessions_of
from stockcast.data.prices import Prices
from stockcast.data.quality import check_quality
from stockcast.errors import DamagedPrices, DataError
from stockcast.frequency import DAILY
from stockcast.inputs import located
from stockcast.text import join_words, plural
from stockcast.typing import Dates

OnMessage = Callable[[str], None]

_NOTES_REPEATED = 3
"""Notes on a file that every command prints; the others are few people's concern twice."""

_MONTH = np.timedelta64(31, "D")
_A_BAR = timedelta(days=31)  # a bar of a month may be dated so long before or after its last session


def price_files(config: Config) -> list[Path]:
    """Return the price files that the config names, those of a folder in the order of their names."""
    files: list[Path] = []
    for path in config.data.path:
        inside = _training_files_in(path) if located(path).is_dir() else [path]
        files += [file for file in inside if file not in files]
    return files


def _training_files_in(folder: Path) -> list[Path]:
    """Return a folder's price files in the order of their names; DataError if there is none, or one series twice."""
    files = files_in(folder, key="data.path")
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


def series_in(config: Config, source: PriceSource) -> Iterator[PriceSource]:
    """Return the series in a file, read once: the file itself, or where data.ticker is all each of those in it."""
    if not config.data.csv_options.takes_all or isinstance(source, Table):
        return iter([source])
    return read_tables(source, options=config.csv_options)


def read_with(
    config: Config,
    source: PriceSource,
    *,
    known: Sessions | None = None,
    trained: bool = False,
    with_own: bool = True,
) -> Prices:
    """Read one series as the config describes it, in bars of data.frequency, with what its features need.

    Arguments are those of `read_bars`.
    """
    bars = read_bars(config, source, known=known, trained=trained, with_own=with_own)
    prices = in_frequency(config, bars, known=known)
    return with_columns(config, prices, known=known) if with_own else prices


def read_bars(
    config: Config,
    source: PriceSource,
    *,
    known: Sessions | None = None,
    trained: bool = False,
    with_own: bool = True,
) -> Prices:
    """Read one series as the config describes it, in the bars of its file.

    Weekly and monthly bars are dated on the last session of each.

    Args:
        config: how the file is written, and which days of it are used.
        source: a price file or a DataFrame.
        known: the exchange's sessions as the run stored them.
        trained: whether the config is of a run, so that another setting takes another training.
        with_own: whether to read own columns, and what is known of the next session, as far as features need them.

    Raises:
        DataError: it cannot be read, or its dates contradict data.frequency or data.resample.
    """
    data, adjusted, options = config.data, config.target.adjusted, config.csv_options
    if not with_own:
        options = data.csv_options
    if isinstance(source, Table):
        source = source.with_frequency(data.file_bars)
    if data.file_bars is DAILY:
        prices = cached_prices(source, options=options, start=data.start, end=data.end, adjusted=adjusted)
        check_frequency(prices, data.bars, resample=data.resample, trained=trained)
        return prices
    # By the dates that the file has, a bar may begin before data.start or data.end and end after it.
    start, end = data.start and data.start - _A_BAR, data.end and data.end + _A_BAR
    prices = cached_prices(source, options=options, start=start, end=end, adjusted=adjusted)
    check_frequency(prices, data.bars, resample=data.resample, trained=trained)
    sessions = sessions_of(prices, data.bars, calendar=data.calendar, known=known)
    prices = date_on_sessions(prices, data.bars, sessions, bar_date=data.bar_date, calendar=data.calendar)
    return prices.between(data.start, data.end)


def with_columns(
    config: Config, prices: Prices, *, known: Sessions | None = None, covariates: Covariates | None = None
) -> Prices:
    """Add what features need besides the file's bars: covariates, the next session's, and columns that it may lack.

    Args:
        config: names both.
        prices: in bars of data.frequency.
        known: the exchange's sessions as the run stored them.
        covariates: the config's file of covariates; None to read it.
    """
    may_lack = config.data.may_lack
    if lacking := [name for name in may_lack if name not in prices.bars.columns]:
        note = (
            f"it has no {join_words(lacking, last='or')}: taken as a file without {join_words([*may_lack])}, as the "
            f"network was trained to (data.may_lack)"
        )
        prices = replace(prices.without(may_lack), notes=(*prices.notes, note))
    calendar, columns = config.data.calendar, config.known_columns
    if names := [name for name in config.features if name in KNOWN_DAYS]:
        prices = replace(prices, known=make_known(prices.dates, names, calendar=calendar, known=known))
    if not (columns or prices.own) or (covariates := covariates or stated_covariates(config)) is None:
        return prices
    notes = tuple(f"{covariates.path.name}: {note}" for note in covariates.notes)
    prices = replace(covariates.join(prices), notes=(*prices.notes, *notes))
    if not columns:
        return prices
    upcoming = find_upcoming(prices.dates, calendar=calendar, known=known)
    return replace(prices, known_columns=covariates.ahead(columns, upcoming))


def in_frequency(config: Config, prices: Prices, *, known: Sessions | None = None) -> Prices:
    """Return the bars of a file, put together into weeks or months where data.resample asks for it."""
    data = config.data
    if data.bars is prices.frequency:
        return prices
    return put_together(prices, data.bars, sessions_of(prices, data.bars, calendar=data.calendar, known=known))


def days_of_bars(config: Config, dates: Dates, *, source: Path) -> Dates:
    """Return a day inside the day, week or month of each bar, by the dates of a file's rows."""
    data = config.data
    if data.file_bars is DAILY:
        return dates
    sessions = sessions_around(dates.min() - _MONTH, dates.max() + _MONTH, calendar=data.calendar)
    return days_inside(dates, data.bars, sessions, bar_date=data.bar_date, source=source)


def read_to_forecast(
    config: Config, source: PriceSource, *, on_message: OnMessage, known: Sessions | None = None
) -> Prices:
    """Read one series to forecast; report its first notes, and whether its last year fits the exchange's calendar.

    `known` are the exchange's sessions as the run stored them.
    """
    if known is None:
        check_calendar(config.data.calendar)
    bars = read_bars(config, source, known=known, trained=True)
    calendar = config.data.calendar
    mismatch = calendar_mismatch(bars.dates, calendar=calendar, known=known, frequency=bars.frequency)
    prices = with_columns(config, in_frequency(config, bars, known=known), known=known)
    notes = prices.notes[:_NOTES_REPEATED]
    if more := len(prices.notes) - len(notes):
        notes = (*notes, f"{plural(more, 'more note')} on how it was read, which `stockcast data check` lists")
    _report(prices.label, (*notes, *([mismatch] if mismatch else [])), on_message)
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
    prices = read_bars(config, source)
    report = check_quality(prices, calendar=config.data.calendar)
    if not config.data.accept_damage and (damage := [finding for finding in report.findings if finding.is_damage]):
        raise DamagedPrices(
            f"{prices.title}: prices look damaged: {'; '.join(finding.sentence for finding in damage)}. Correct the "
            f"file, or leave these days out with data.start and data.end; --accept-damage trains on them as they stand "
            f"(data.accept_damage: true in a config).",
            file=prices.source,
            column="Close",
            key="data.accept_damage",
            value=str(damage[0].days[0]),
        )
    prices = with_columns(config, in_frequency(config, prices), covariates=covariates)
    check_present(prices)
    if prices.known_columns is not None and prices.known_columns.missing:
        table = source if isinstance(source, Table) else read_table(source, options=config.csv_options)
        raise not_known_ahead(prices.known_columns, prices, table.other_names)
    found = [*(finding.sentence for finding in report.findings), *_about_columns(prices)]
    noted = replace(prices, notes=(*prices.notes, *found))
    _report(noted.label, noted.notes, on_message)
    return noted


def raise_together(errors: Sequence[DataError], *, of: str, advice: str = "") -> None:
    """Raise one error for all series that cannot be used, if there are any, with the fields of the first.

    Args:
        errors: of each.
        of: how many there are in all, and what: `3 price files`.
        advice: the last line where there are several.
    """
    if not errors:
        return
    first, shown = errors[0], [str(error) for error in errors[:PROBLEMS_SHOWN]]
    if len(errors) == 1:
        raise first
    more = [f"... and {len(errors) - len(shown)} more."] if len(errors) > len(shown) else []
    kind = type(first) if len({type(error) for error in errors}) == 1 else DataError
    facts = {name: getattr(first, name) for name in ("file", "line", "column", "key", "value")}
    lines = [f"{len(errors)} of {of} cannot be used:", *shown, *more, *([advice] if advice else [])]
    together = kind("\n".join(lines), **facts)
    together.problems = tuple(problem for error in errors for problem in error.problems)
    raise together from first


def report_gaps(prices: Prices, days: slice, on_message: OnMessage) -> None:
    """Report which columns have no value on some of the days that a forecast is made from."""
    own, known = prices.own, prices.known_columns
    lacking = [(prices.label, OWN, name) for name in own.missing] if own else []
    if known:
        lacking += [(known.file.name, KNOWN, name) for name in known.missing]
    for file, kind, name in lacking:
        on_message(
            f"{file} has no column {name}: the forecast is made without it; {kind}{name} is its mean of the training "
            f"days."
        )
    for gap in _gaps(prices, days):
        effect = (
            "the forecast is made without it" if gap.at_the_end else "its mean of the training days stands in for it"
        )
        advice = ""
        if known and gap.at_the_end and is_known_column(gap.feature):
            advice = f" Add what is announced to {known.file.name}, or name a newer file with --covariates."
        on_message(f"{prices.label}: {gap.sentence}: {effect}.{advice}")


def _about_columns(prices: Prices) -> list[str]:
    """Return which columns know the future, and which have no value on some days."""
    gaps = [f"{gap.sentence}: the mean of the training days stands in for it" for gap in _gaps(prices, slice(None))]
    return [*(found.sentence for found in find_lookahead(prices)), *gaps]


def _gaps(prices: Prices, days: slice) -> Iterator[Gap]:
    """Yield where own columns, and columns that are known ahead, have no value on some days."""
    for columns in (prices.own, prices.known_columns):
        if columns is not None:
            yield from columns.gaps(days)


def _report(name: str, notes: tuple[str, ...], on_message: OnMessage) -> None:
    for note in notes:
        on_message(f"{name}: {note}.")
