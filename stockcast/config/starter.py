"""A first config for a price file."""

import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from stockcast.config import yaml
from stockcast.data.calendar import check_calendar
from stockcast.data.calendar_choice import DEFAULT, propose_calendar
from stockcast.data.csv.folder import files_of
from stockcast.data.csv.options import STDIN, CsvOptions, series_name
from stockcast.data.csv.table import read_tables
from stockcast.data.features import features_for
from stockcast.data.periods import check_frequency, usual_frequency
from stockcast.data.prices import PLAIN, Prices, read_prices
from stockcast.errors import DataError
from stockcast.frequency import DAILY, RESAMPLED, Frequency
from stockcast.text import plural

_TEMPLATE = """\
# yaml-language-server: $schema=schema.json
# (completion in an editor needs the schema: stockcast config schema > schema.json)
# Made from {made_from}.
name: {name}
data:
  path: {path}
  calendar: {calendar:<15} # the exchange whose trading sessions date the forecasts
features:                   # in units of the series' own volatility; "own:NAME" adds a column that is no bar
{features}
target: {{column: Close, transform: log_return, scale: volatility, adjusted: true}}
split: {{validation: 0.1, calibration: 0.1, test: 0.2}}   # the days before them are for training
window: {window:<19} # {bar}s the network is given
horizon: {horizon:<19} # {bar}s that are forecast
strategy: direct
scaler: standard
calibration: adaptive       # bands adapt to the days before each forecast
model: {{cell: lstm, layers: [50, 100], dropout: 0.3, skip_connection: true, output_l2: 1e-3, head: {head}}}
training:
{training}
  optimizer: adam
  clip_norm: 1.0
  seed: 0
ensemble: {{members: 2}}     # networks whose outputs are averaged
"""

_TRAINING = {
    "one": """\
  epochs: 20
  batch_size: 256
  learning_rate: 5e-4
  patience: 4""",
    "many": """\
  epochs: 12
  batch_size: 256
  learning_rate: 3e-4
  patience: 3
  windows_per_epoch: 16000  # drawn anew for each epoch from the windows of all series""",
}


def starter_config(
    data: Path | Sequence[Path],
    *,
    folder: Path,
    options: CsvOptions = PLAIN,
    calendar: str | None = None,
    on_message: Callable[[str], None] = lambda message: None,
) -> str:
    """Return a config for price files, as YAML: every feature that their columns allow, the default network and split.

    Args:
        data: a price file, a folder of such files, or several of either; they are read and checked.
        folder: where the config will be; its path to the data is relative to that.
        options: how the files are read; what differs from the default is written into the config.
        calendar: the exchange; None for the one that the dates of the longest series contradict least.
        on_message: called with the calendar and the frequency that were chosen by the dates, and why; and with each of
            several files that cannot be read.

    Raises:
        DataError: a single file is not a price file, or none of several is; or the exchange is unknown.
    """
    paths = [data] if isinstance(data, Path) else list(data)
    if STDIN in paths:
        raise DataError(
            "-: a config names the file that it is for, and standard input cannot be read again later. Save it to a "
            "file first, such as prices.csv.",
            file=STDIN,
            key="data.path",
        )
    if calendar is not None:
        check_calendar(calendar)
    files = files_of(paths, key="--data")
    series = _read(files, options, on_message)
    prices = max(series, key=lambda prices: len(prices.dates))
    many = "many" if len(series) > 1 else "one"
    frequency = _frequency(prices, options, on_message)
    bars = len(frequency.last_of_each(prices.dates))
    window, horizon = starter_sizes(frequency, bars)
    relative = [_relative(path, folder) for path in paths]
    stated = _value(relative[0] if len(relative) == 1 else relative)
    for key, value in _stated(options).items():
        stated += f"\n  {key}: {_value(value)}"
    if frequency is not DAILY and not options.resample:
        stated += f"\n  frequency: {frequency.name}"
    if calendar is None:
        calendar, why = DEFAULT, f"as {frequency.name} dates do not tell the exchange"
        if frequency is DAILY or options.resample:
            proposal = propose_calendar(prices.dates)
            calendar, why = proposal.name, f"chosen by the dates: {proposal.reason}"
        on_message(f"{prices.source.name}: data.calendar is {calendar}, {why}. Set another with --calendar.")
    return _TEMPLATE.format(
        calendar=_value(calendar),
        made_from=_made_from(files, series, f"{plural(bars, frequency.bar)}, {prices.dates[0]} to {prices.dates[-1]}"),
        bar=frequency.bar,
        name=_value(config_name(paths[0])),
        path=stated,
        features="\n".join(f"  - {name}" for name in _features(series)),
        window=window,
        horizon=horizon,
        head="skewed_t" if many == "many" else "student_t",
        training=_TRAINING[many],
    )


def _relative(path: Path, folder: Path) -> str:
    """Return a path as a config in a folder states it; DataError if YAML cannot hold it."""
    relative = os.path.relpath(path.resolve(), folder.resolve())
    check_name(Path(relative))
    return f"./{relative}" if relative.startswith("~") else relative  # a bare ~ would be a home directory


def _made_from(files: list[Path], series: list[Prices], longest: str) -> str:
    """Write what a config was made from: the file, or how many series, with the span of the longest."""
    if len(series) > 1:
        return f"{len(series)} series in {plural(len(files), 'file')}; the longest: {longest}"
    name = series[0].source.name
    return f"{name if name.isprintable() else ascii(name)}: {longest}"


def _read(files: list[Path], options: CsvOptions, on_message: Callable[[str], None]) -> list[Prices]:
    """Read the series of files: the one that each holds, or all of them where the options say so.

    Of several files, those that cannot be read are left out, as training does.
    """
    series: list[Prices] = []
    for file in files:
        tables = read_tables(file, options=options) if options.takes_all else [file]
        try:
            series += [read_prices(source, options=options) for source in tables]
        except DataError as error:
            if len(files) == 1:
                raise
            on_message(f"Left out, as train would leave it out: {str(error).splitlines()[0]}")
    if not series:
        raise DataError(f"None of {len(files)} files can be read.", key="--data")
    return series


def _features(series: list[Prices]) -> list[str]:
    """Return the features that every series has, in their usual order."""
    first, *others = map(features_for, series)
    return [name for name in first if all(name in names for names in others)]


def _stated(options: CsvOptions) -> dict[str, Any]:
    """Return the keys of `data` that state how a file is read, where they differ from their defaults."""
    keys = {
        "date_format": options.date_format,
        "encoding": options.encoding,
        "separator": {"\t": "tab", ",": None}.get(options.separator, options.separator),
        "decimal": options.decimal,
        "ticker": options.tickers[0] if len(options.tickers) == 1 else list(options.tickers),
        "columns": dict(options.columns),
        "resample": options.resample,
        "bar_date": options.bar_date,
        "sheet": options.sheet,
    }
    return {key: value for key, value in keys.items() if value}


def check_name(path: Path) -> None:
    """Check that a path can be written into a config.

    Raises:
        DataError: its name is not UTF-8.
    """
    if any("\ud800" <= letter <= "\udfff" for letter in str(path)):
        raise DataError(f"{str(path)!a}: the name is not UTF-8, which a config needs. Rename the file.", file=path)


def _frequency(prices: Prices, options: CsvOptions, on_message: Callable[[str], None]) -> Frequency:
    """Return what data.resample or data.frequency states, or what the dates tell; DataError where they contradict."""
    found = usual_frequency(prices)
    if options.resample or options.frequency is not DAILY:
        stated = RESAMPLED[options.resample] if options.resample else options.frequency
        check_frequency(prices, stated, resample=options.resample)
        return stated
    if found is None or found[0] is DAILY:
        return DAILY
    frequency, usual = found
    on_message(
        f"{prices.source.name}: data.frequency is {frequency.name}, chosen by the dates: the usual distance from one "
        f"to the next is {usual} days."
    )
    return frequency


_SIZES = {"day": (50, 50, 10, 1000), "week": (52, 13, 4, 500), "month": (24, 12, 3, 300)}
"""By unit of a bar: window, horizon, the horizon of a short file, and how many bars are not short."""


def starter_sizes(frequency: Frequency, bars: int) -> tuple[int, int]:
    """Return window and horizon of a made config: each part, at least a tenth of the bars, must hold whole forecasts.

    Of few bars, the horizon is short.
    """
    window, horizon, short, enough = _SIZES[frequency.unit]
    return window, horizon if bars >= enough else short


def enough_bars(frequency: Frequency) -> int:
    """Return how many bars a file should have for a network worth having; with fewer, the horizon is short."""
    return _SIZES[frequency.unit][-1]


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else yaml.dump(value).strip()


def config_name(data: Path) -> str:
    """Return a name for a config: the file's without its ending, or the folder's, in letters, digits and `._-`."""
    name = data.resolve().name if data.is_dir() else series_name(data)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:64] or "prices"
