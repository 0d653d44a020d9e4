"""Which column of a table of forecasts is what, by the names that other tools give them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

CUTOFFS = ("cutoff", "reference_date", "origin_date", "forecast_date", "origin")
"""Names of the last day known, first choice first; of other columns likewise."""
STARTS = ("forecast_start", "start_date", "start")
"""Names of the first day forecast."""
TARGETS = ("ds", "target_end_date", "target_date", "date", "timestamp", "time", "datetime")
SERIES = ("unique_id", "item_id", "series_id", "series", "ticker", "symbol", "location")
STEPS = ("horizon", "step")
MODELS = ("model_id", "model")

_IGNORED = ("y", "actual", "index", "fold", "unnamed:_0", "last_close", "frequency", "remark")
"""Columns that say nothing about a forecast: the outcome, and what pandas adds."""


@dataclass(frozen=True)
class IdColumns:
    """The columns that say what a row is of; None for one that a table does not have.

    Attributes:
        cutoff: the last day known.
        start: the first day forecast, of which the cutoff is the session before.
        target: the day forecast.
        series: id of the series.
        step: days ahead.
        model: name of the model.
    """

    cutoff: str | None
    start: str | None
    target: str | None
    series: str | None
    step: str | None
    model: str | None

    @classmethod
    def among(cls, names: Sequence[str]) -> "IdColumns":
        """Find them by their names, whatever the case, spaces for underscores."""
        known = {_plain(name): name for name in reversed(names)}
        found = [next((known[name] for name in wanted if name in known), None) for wanted in _ROLES]
        return cls(*found)

    def names(self) -> list[str]:
        """Return those that there are."""
        return [name for name in vars(self).values() if name is not None]

    def values_among(self, names: Iterable[str]) -> list[str]:
        """Return the other columns, without those that say nothing about a forecast."""
        ids = self.names()
        return [name for name in names if name not in ids and _plain(name) not in _IGNORED]


_ROLES = (CUTOFFS, STARTS, TARGETS, SERIES, STEPS, MODELS)


def _plain(name: str) -> str:
    return re.sub(r"[\s\-]+", "_", name.strip().lower())
