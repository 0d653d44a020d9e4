"""A price file -> what was repaired, what looks odd, and whether it is long enough to train on; nothing is written."""

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.config import yaml
from stockcast.config.load import parse_config
from stockcast.config.schema import Config
from stockcast.config.starter import check_name, enough_bars, starter_sizes
from stockcast.data.calendar import calendar_mismatch
from stockcast.data.calendar_choice import propose_calendar
from stockcast.data.covariates import OtherColumn, join_all
from stockcast.data.csv.options import STDIN
from stockcast.data.csv.own_header import KNOWN, OWN
from stockcast.data.csv.table import PriceSource, Table
from stockcast.data.known_days import find_upcoming
from stockcast.data.lookahead import find_lookahead
from stockcast.data.prices import Prices, read_prices
from stockcast.data.quality import QualityReport, check_quality
from stockcast.data.split import PARTS, split_days
from stockcast.errors import ConfigError, DataError, NotEnoughDays
from stockcast.evaluation.calibration.conformal import check_origins
from stockcast.forecasting.reading import in_frequency, raise_together, read_bars, series_in
from stockcast.forecasting.training_data import outside_data
from stockcast.frequency import DAILY, FREQUENCIES, Frequency
from stockcast.text import percent_text, plural
from stockcast.typing import Dates

_MOST_DAYS = 20_000  # 80 years: a config that needs more gets no number


@dataclass(frozen=True)
class DataReport:
    """The result of `check` on a file that can be used.

    Attributes:
        prices: as training would read them.
        quality: what looks odd in them.
        calendar: the exchange whose sessions the dates were compared with.
        chosen: why that exchange, where the dates chose it, as a sentence without a full stop.
        shortage: why there are too few days to train on, as a sentence without a full stop; None for enough.
        columns: that are no bars, of the price file and of a file of covariates, which may be inputs.
        lookahead: which of them know the future as inputs of their own day, a sentence each.
    """

    prices: Prices
    quality: QualityReport
    calendar: str
    chosen: str | None
    shortage: str | None
    columns: tuple[OtherColumn, ...] = ()
    lookahead: tuple[str, ...] = ()

    @property
    def is_damaged(self) -> bool:
        """Whether no market can have made some of the prices, so that `train` asks for --accept-damage."""
        return any(finding.is_damage for finding in self.quality.findings)

    @property
    def warnings(self) -> int:
        """Number of repairs, odd findings and shortages."""
        found = (*self.prices.notes, *self.quality.findings, *self.lookahead)
        return len(found) + (self.shortage is not None)

    def summary(self) -> list[str]:
        """Return what the file holds, what was repaired, what looks odd, and the conclusion."""
        quality = self.quality
        columns = ", ".join(self.prices.bars.columns)
        return [
            f"{self.prices.label}: {self.span()}",
            f"Columns: {columns}" + ("; prices are adjusted by Adj Close" if self.prices.are_adjusted else ""),
            *([f"Calendar: {self.calendar}, chosen by the dates: {self.chosen}"] if self.chosen else []),
            *_bullets("While reading:", self.prices.notes),
            *_bullets("Looks odd:", [finding.sentence for finding in quality.findings]),
            *_bullets("Not judged:", [quality.unjudged] if quality.unjudged else []),
            *_bullets("Columns that are no bars:", list(map(_listed, self.columns))),
            *self._how_to_use_columns(),
            *_bullets("Know the future:", self.lookahead),
            self.conclusion(),
        ]

    def line(self) -> str:
        """Return the file, its span and the conclusion in one line, for one of many."""
        return f"{self.prices.label}: {self.span()}. {self.conclusion()}"

    def span(self) -> str:
        """Return the number of bars, with first and last; those of the file, where others are made of them, too."""
        quality, prices = self.quality, self.prices
        if quality.frequency is prices.frequency:
            return f"{prices.frequency.count(quality.rows)}, {quality.first} to {quality.last}"
        made = f"{prices.frequency.count(len(prices.dates))}, {prices.dates[0]} to {prices.dates[-1]}"
        return f"{quality.frequency.count(quality.rows)}, {quality.first} to {quality.last}, put together into {made}"

    def to_json(self) -> dict[str, Any]:
        """Return plain values for --json."""
        quality = self.quality
        return {
            "usable": True,
            "file": str(self.prices.source),
            "series": self.prices.name,
            "rows": quality.rows,
            "first": str(quality.first),
            "last": str(quality.last),
            "columns": list(self.prices.bars.columns),
            "adjusted": self.prices.are_adjusted,
            "frequency": self.prices.frequency.name,
            "calendar": self.calendar,
            "notes": list(self.prices.notes),
            "findings": [{**asdict(finding), "days": list(map(str, finding.days))} for finding in quality.findings],
            "unjudged": quality.unjudged,
            "damaged": self.is_damaged,
            "other_columns": list(map(asdict, self.columns)),
            "lookahead": list(self.lookahead),
            "shortage": self.shortage,
            "advised": self.advised,
            "warnings": self.warnings,
            "problems": [],
        }

    def _how_to_use_columns(self) -> list[str]:
        """Return the lines that make a column an input, and one that is known ahead."""
        usable = [OWN + column.name for column in self.columns if column.why_not is None]
        ahead = [KNOWN + column.name for column in self.columns if column.ahead]
        lines = []
        for features, how in (
            (usable, "To make one an input, add it to the config"),
            (ahead, "To make one an input that is announced ahead, as days of earnings are"),
        ):
            lines += [f"{how}: features: [..., {json.dumps(name, ensure_ascii=False)}]" for name in features[:1]]
        return lines

    @property
    def advised(self) -> int | None:
        """How many bars are a good start, where the file has fewer; else None."""
        enough = enough_bars(self.prices.frequency)
        return enough if len(self.prices.dates) < enough else None

    def conclusion(self) -> str:
        """Return whether it is fit to train on, a sentence."""
        if self.shortage:
            return f"Can be read, but is too short to train on: {self.shortage}."
        if self.is_damaged:
            return "Can be read, but looks damaged: correct it, or train on it as it stands with --accept-damage."
        warnings = f", with {plural(self.warnings, 'warning')}" if self.warnings else ""
        if self.advised:
            count, bars = self.prices.frequency.count, len(self.prices.dates)
            window, horizon = starter_sizes(self.prices.frequency, bars)
            return (
                f"Can be trained on{warnings}, but is short: {count(bars)} are enough for a window of {window} and a "
                f"horizon of {horizon}, and a good start is {count(self.advised)} or more."
            )
        return f"Fit to train on{warnings}."


def _listed(column: OtherColumn) -> str:
    if column.why_not is not None:
        how = f"it can be an input as {KNOWN}{column.name} alone" if column.ahead else "it cannot be an input"
        return f"{column.name}: {column.why_not}, so {how}"
    gaps = f"; {percent_text(column.missing)} of the rows have no value" if column.missing else ""
    return f"{column.name}: {column.first} to {column.last}{gaps}"


def check(path: Path, *, overrides: Collection[str] = (), covariates: Path | None = None) -> list[DataReport]:
    """Judge a price file as training on it would, with the config that `stockcast config init` makes.

    Args:
        path: the file.
        overrides: `data.date_format=%d/%m/%Y`, as in `load_config`.
        covariates: a file of covariates, whose columns are listed and compared with the prices, too. Of several series
            only the first is compared.

    Returns:
        One report, or where data.ticker is all one for each series.

    Raises:
        ConfigError: an override is wrong.
        DataError: the file cannot be used as it stands; names each line, column and value.
        NotEnoughDays: it has a single day.
    """
    check_name(path)
    config = _config(path, overrides, DAILY)
    reports: list[DataReport] = []
    errors: list[DataError] = []
    for source in series_in(config, path):
        try:
            report, bars = _check(config, source, overrides)
            reports.append(report if reports else _with_columns(report, bars, source, config, covariates))
        except DataError as error:
            errors.append(error)
    raise_together(errors, of=f"{len(errors) + len(reports)} series")
    return reports


def _with_columns(
    report: DataReport, bars: Prices, source: PriceSource, config: Config, covariates: Path | None
) -> DataReport:
    """Add what columns there are that are no bars, and which of them know the future."""
    options = config.csv_options
    if isinstance(source, Table):
        options = replace(options, tickers=(source.ticker,) if source.ticker else ())
    file = source.source.path if isinstance(source, Table) else source
    if bars.frequency is not DAILY:  # own columns are dated as the vendor dates these bars
        bars = read_prices(file, options=replace(options, frequency=bars.frequency), adjusted=False)
    upcoming = find_upcoming(bars.dates, calendar=report.calendar) if report.prices.frequency is DAILY else None
    columns, joined = join_all(bars, file, options=options, covariates=covariates, upcoming=upcoming)
    lookahead = tuple(found.sentence for found in find_lookahead(replace(joined, known_columns=None)))
    later = {found.feature for found in find_lookahead(replace(joined, own=None))}  # such as an index of volatility
    columns = [replace(column, ahead=column.ahead and KNOWN + column.name not in later) for column in columns]
    return replace(report, columns=tuple(columns), lookahead=lookahead)


def _check(config: Config, source: PriceSource, overrides: Collection[str]) -> tuple[DataReport, Prices]:
    """Judge one series; return the report, and the bars of the file."""
    try:
        bars = read_bars(config, source)
    except DataError as error:
        found = FREQUENCIES.get(str(error.value)) if error.key == "data.frequency" else None
        if found is None or "frequency" in config.data.model_fields_set or source == STDIN:
            raise
        (path,) = config.data.path
        config = _config(path, [*overrides, f"data.frequency={found.name}"], found)  # as config init does
        bars = read_bars(config, source)
    prices = in_frequency(config, bars)
    if len(prices.dates) < 2:
        raise NotEnoughDays(
            f"{prices.title}: it has one {prices.frequency.unit}, {prices.dates[0]}, so no move of a price to train on "
            f"or to forecast from. Use a longer file.",
            file=prices.source,
            value=1,
        )
    prices = replace(prices, notes=(*prices.notes, *outside_data(config, [prices])))
    calendar, chosen = config.data.calendar, None
    is_daily, is_stated = bars.frequency is DAILY, "calendar" in config.data.model_fields_set
    if is_daily and not is_stated and calendar_mismatch(bars.dates, calendar=calendar):
        proposal = propose_calendar(bars.dates)  # as config init does
        if proposal.name != calendar:
            calendar, chosen = proposal.name, proposal.reason
    report = DataReport(
        prices=prices,
        quality=check_quality(bars, calendar=calendar),
        calendar=calendar,
        chosen=chosen,
        shortage=_shortage(config, prices.dates),
    )
    return report, bars


def _config(path: Path, overrides: Collection[str], frequency: Frequency) -> Config:
    """Return the config to judge a file by: the shortest horizon that a made one has, which a file must be enough for.

    ConfigError if an override is wrong.
    """
    here, (window, horizon) = Path.cwd(), starter_sizes(frequency, 0)
    stated = yaml.dump({"name": "check", "data": {"path": str(here / path)}, "window": window, "horizon": horizon})
    config = parse_config(stated, source=f"config for {path}", folder=here, overrides=overrides)
    if config.data.path != ((here / path).resolve(),):
        raise ConfigError("--set data.path: the file to check is the argument of the command.", key="data.path")
    return config if config.data.bars is frequency else _config(path, overrides, config.data.bars)


def _bullets(title: str, sentences: Collection[str]) -> list[str]:
    return [title, *(f"- {sentence}" for sentence in sentences)] if sentences else []


def _shortage(config: Config, dates: Dates) -> str | None:
    """Return why there are too few days to train on, or None."""
    try:
        _check_parts(config, dates)
    except NotEnoughDays as error:
        borders = dict(config.split).values()
        if any(isinstance(border, date) for border in borders) or not (needed := _days_needed(config)):
            return str(error).removesuffix(".")
        return (
            f"{config.data.bars.count(len(dates))}; at least {needed} are needed to train with a window of "
            f"{config.window} and a horizon of {config.horizon}"
        )
    return None


def _days_needed(config: Config) -> int | None:
    """Return the fewest days whose every part holds a window and a horizon."""
    days = np.datetime64("2000-01-01") + np.arange(_MOST_DAYS)
    for count in range(config.window + config.horizon, _MOST_DAYS):
        try:
            _check_parts(config, days[:count])
        except NotEnoughDays:
            continue
        return count
    return None


def _check_parts(config: Config, dates: Dates) -> None:
    """Check what training checks of a single series; NotEnoughDays if a part has too few days."""
    split = split_days(dates, **dict(config.split))
    for part in PARTS:
        origins = split.origins(part, window=config.window, horizon=config.horizon)
        if part == "calibration" and config.calibration != "none":
            check_origins(len(origins))
