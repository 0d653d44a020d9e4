"""A price file -> what was mended in it, what looks odd, and whether it is long enough to train on; nothing is kept."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from stockcast import yamlfile
from stockcast.config import Config, parse_config
from stockcast.data.csvfile import counted
from stockcast.data.health import Health, examine
from stockcast.data.prices import Prices
from stockcast.data.splits import PARTS, split_days
from stockcast.errors import ConfigError, NotEnoughDays
from stockcast.evaluation.calibration import check_origins
from stockcast.forecast import Dates
from stockcast.pipeline.preparation import unreached
from stockcast.pipeline.series import open_prices
from stockcast.starter import check_name, starter_horizon

_MOST_DAYS = 20_000  # 80 years: who needs more is told so without a number


@dataclass(frozen=True)
class Checked:
    """What `check` found in a file that can be used.

    Attributes:
        prices: as training would read them.
        health: what looks odd in them.
        shortage: why there are too few days to train on, as a sentence without a full stop; None for enough.
    """

    prices: Prices
    health: Health
    shortage: str | None

    @property
    def warnings(self) -> int:
        """How many things were mended, look odd, or lack."""
        return len(self.prices.notes) + len(self.health.findings) + (self.shortage is not None)

    def summary(self) -> list[str]:
        """Say what the file holds, what was mended, what looks odd, and what follows."""
        health, odd = self.health, [finding.sentence for finding in self.health.findings]
        columns = ", ".join(self.prices.bars.columns)
        return [
            f"{self.prices.source.name}: {counted(health.rows, 'day')}, {health.first} to {health.last}",
            f"Columns: {columns}" + ("; prices are adjusted by Adj Close" if self.prices.are_adjusted else ""),
            *_bullets("While reading:", self.prices.notes),
            *_bullets("Looks odd:", odd),
            *_bullets("Not judged:", [health.unjudged] if health.unjudged else []),
            self._conclusion(),
        ]

    def to_json(self) -> dict[str, Any]:
        """Return plain values for --json."""
        health = self.health
        return {
            "usable": True,
            "file": str(self.prices.source),
            "rows": health.rows,
            "first": str(health.first),
            "last": str(health.last),
            "columns": list(self.prices.bars.columns),
            "adjusted": self.prices.are_adjusted,
            "notes": list(self.prices.notes),
            "findings": [{**asdict(one), "days": [str(day) for day in one.days]} for one in health.findings],
            "unjudged": health.unjudged,
            "shortage": self.shortage,
            "warnings": self.warnings,
            "problems": [],
        }

    def _conclusion(self) -> str:
        if self.shortage:
            return f"Can be read, but is too short to train on: {self.shortage}."
        return f"Fit to train on, with {counted(self.warnings, 'warning')}." if self.warnings else "Fit to train on."


def check(path: Path, *, overrides: Collection[str] = ()) -> Checked:
    """Judge a price file as training on it would, with the config that `stockcast config init` makes.

    Args:
        path: the file.
        overrides: `data.date_format=%d/%m/%Y`, as in `load_config`.

    Raises:
        ConfigError: an override is wrong.
        DataError: the file cannot be used as it stands; names each line, column and value.
    """
    here = Path.cwd()
    check_name(path)
    # The shortest horizon that a made config has: a file too short even for that is too short.
    stated = yamlfile.dump({"name": "check", "data": {"path": str(here / path)}, "horizon": starter_horizon(0)})
    config = parse_config(stated, source=f"config for {path}", folder=here, overrides=overrides)
    if config.data.path != ((here / path).resolve(),):
        raise ConfigError("--set data.path: the file to check is the one named on the line, and no other.")
    prices = open_prices(config, path)
    prices = replace(prices, notes=(*prices.notes, *unreached(config, [prices])))
    return Checked(prices, examine(prices, calendar=config.data.calendar), _shortage(config, prices.dates))


def _bullets(title: str, sentences: Collection[str]) -> list[str]:
    return [title, *(f"- {sentence}" for sentence in sentences)] if sentences else []


def _shortage(config: Config, dates: Dates) -> str | None:
    """Say how many days are lacking for training, or None."""
    try:
        _check_parts(config, dates)
    except NotEnoughDays as error:
        borders = dict(config.split).values()
        if any(isinstance(border, date) for border in borders) or not (needed := _days_needed(config)):
            return str(error).removesuffix(".")
        return (
            f"{counted(len(dates), 'day')}; at least {needed} are needed to train with a window of {config.window} "
            f"and a horizon of {config.horizon}"
        )
    return None


def _days_needed(config: Config) -> int | None:
    """The fewest days whose every part holds a window and a horizon."""
    days = np.datetime64("2000-01-01") + np.arange(_MOST_DAYS)
    for count in range(config.window + config.horizon, _MOST_DAYS):
        try:
            _check_parts(config, days[:count])
        except NotEnoughDays:
            continue
        return count
    return None


def _check_parts(config: Config, dates: Dates) -> None:
    """Check what training checks of a single series.

    Raises:
        NotEnoughDays: a part has too few days.
    """
    split = split_days(dates, **dict(config.split))
    for part in PARTS:
        origins = split.origins(part, window=config.window, horizon=config.horizon)
        if part == "calibration" and config.calibration != "none":
            check_origins(len(origins))
