"""A first config for somebody's own price file."""

import os
import re
from pathlib import Path

import yaml

from stockcast.data.features import features_for
from stockcast.data.prices import read_prices

_TEMPLATE = """\
# yaml-language-server: $schema=schema.json
# (for completion in an editor: stockcast config schema > schema.json)
# Made from {file}: {days} trading days, {first} to {last}.
name: {name}
data:
  path: {path}
  calendar: XNYS            # the exchange whose sessions date the forecasts
features: [{features}]
target: {{column: Close, transform: log_return, adjusted: true}}
split: {{validation: 0.1, calibration: 0.1, test: 0.2}}   # the rest, before them, is for training
window: 50                  # trading days the network sees
horizon: {horizon:<19} # trading days it forecasts
strategy: direct
scaler: standard
model: {{cell: lstm, layers: [50, 100], dropout: 0.2, head: student_t}}
training: {{epochs: 40, batch_size: 256, learning_rate: 5e-4, optimizer: adam, clip_norm: 1.0, patience: 5, seed: 0}}
"""


def starter_config(data: Path, *, folder: Path, date_format: str | None = None) -> str:
    """Write a config for a price file: every input that its columns allow, the house network, the default split.

    Args:
        data: a price file; it is read and checked.
        folder: where the config will stand; its path to the data is relative to that.
        date_format: strptime format of its dates, if they are not 2018-12-31.

    Returns:
        YAML.

    Raises:
        DataError: the file is no price file.
    """
    prices = read_prices(data, date_format=date_format)
    days = len(prices.dates)
    path = yaml.safe_dump(os.path.relpath(data.resolve(), folder.resolve()), width=1000).removesuffix("...\n").strip()
    if date_format:
        path += f"\n  date_format: {yaml.safe_dump(date_format).removesuffix('...' + chr(10)).strip()}"
    return _TEMPLATE.format(
        file=data.name,
        days=days,
        first=prices.dates[0],
        last=prices.dates[-1],
        name=yaml.safe_dump(config_name(data)).removesuffix("...\n").strip(),
        path=path,
        features=", ".join(features_for(list(prices.bars.columns))),
        horizon=50 if days >= 1000 else 10,  # each part must hold whole forecasts: a tenth of the days, and more
    )


def config_name(data: Path) -> str:
    """Return the file's stem as a config may be named: letters, digits, dot, dash and underscore."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", data.stem).strip("-._")[:64] or "prices"
