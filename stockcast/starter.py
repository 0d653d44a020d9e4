"""A first config for somebody's own price file."""

import os
import re
from dataclasses import asdict
from pathlib import Path

from stockcast import yamlfile
from stockcast.data.features import features_for
from stockcast.data.prices import PLAIN, read_prices
from stockcast.data.reading import Reading
from stockcast.errors import DataError

_TEMPLATE = """\
# yaml-language-server: $schema=schema.json
# (for completion in an editor: stockcast config schema > schema.json)
# Made from {file}: {days} trading days, {first} to {last}.
name: {name}
data:
  path: {path}
  calendar: XNYS            # the exchange whose sessions date the forecasts
features:                   # in units of the series' own volatility
{features}
target: {{column: Close, transform: log_return, scale: volatility, adjusted: true}}
split: {{validation: 0.1, calibration: 0.1, test: 0.2}}   # the rest, before them, is for training
window: 50                  # trading days the network sees
horizon: {horizon:<19} # trading days it forecasts
strategy: direct
scaler: standard
calibration: adaptive       # bands learn from the days before each forecast
model: {{cell: lstm, layers: [50, 100], dropout: 0.3, shortcut: true, shrinkage: 1e-3, head: student_t}}
training:
  epochs: 20
  batch_size: 256
  learning_rate: 5e-4
  optimizer: adam
  clip_norm: 1.0
  patience: 4
  members: 2                # networks whose answers are averaged
  seed: 0
"""


def starter_config(data: Path, *, folder: Path, reading: Reading = PLAIN) -> str:
    """Write a config for a price file: every input that its columns allow, the house network, the default split.

    Args:
        data: a price file; it is read and checked.
        folder: where the config will stand; its path to the data is relative to that.
        reading: what is said about the way it is written; what differs from the default stands in the config.

    Returns:
        YAML.

    Raises:
        DataError: the file is no price file.
    """
    prices = read_prices(data, reading=reading)
    days = len(prices.dates)
    path = os.path.relpath(data.resolve(), folder.resolve())
    check_name(Path(path))
    stated = _value(f"./{path}" if path.startswith("~") else path)  # a bare ~ would be somebody's home
    for key, value in asdict(reading).items():
        if value != getattr(PLAIN, key):
            stated += f"\n  {key}: {_value('tab' if value == chr(9) else value)}"
    return _TEMPLATE.format(
        file=data.name if data.name.isprintable() else ascii(data.name),
        days=days,
        first=prices.dates[0],
        last=prices.dates[-1],
        name=_value(config_name(data)),
        path=stated,
        features="\n".join(f"  - {name}" for name in features_for(prices)),
        horizon=starter_horizon(days),
    )


def check_name(path: Path) -> None:
    """Check that a path can stand in a config.

    Raises:
        DataError: its name is not UTF-8.
    """
    if any("\ud800" <= letter <= "\udfff" for letter in str(path)):
        raise DataError(f"{str(path)!a}: a name that is not UTF-8 cannot stand in a config. Rename the file.")


def starter_horizon(days: int) -> int:
    """Return how far a made config looks ahead: each part, a tenth of the days and more, must hold whole forecasts."""
    return 50 if days >= 1000 else 10


def _value(text: str) -> str:
    return yamlfile.dump(text).strip()


def config_name(data: Path) -> str:
    """Return the file's stem as a config may be named: letters, digits, dot, dash and underscore."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", data.stem).strip("-._")[:64] or "prices"
