"""What the lines of a ledger hold, as values: forecasts, and the closes that came."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from stockcast.errors import LedgerError
from stockcast.forecast import Forecast
from stockcast.frequency import FREQUENCIES
from stockcast.ledger.chain import PROGRAM, Chain, Line
from stockcast.text import file_number
from stockcast.typing import Dates, Floats

_DIGITS = 8  # of a quantile: a hundredth of a cent of any price below a million

Key = tuple[str, str, str, str]
"""What tells forecasts apart: series, run, SHA-256 of the run, last day known."""


@dataclass(frozen=True)
class RecordedForecast:
    """A forecast, as it stands in a ledger.

    Attributes:
        recorded: when, in UTC.
        due: when the first session that it forecasts closes, in UTC; where the calendar does not know, midnight before
            that day.
        series: its name.
        run: the name of the run that made it.
        forecast: from one origin, the last day known; prices in the unit of `last_close`.
        calendar: the exchange whose sessions date it.
        adjusted: whether prices are adjusted by Adj Close where the file has it, so that it is of total return.
        hashes: SHA-256, of the price file (`prices`), and of the run's run.json (`run`), config and model.
        simulated: whether the time of recording was set, and is not that of the clock.
        program: that recorded it.
        line: in the ledger; 0 where it is not recorded yet.
    """

    recorded: str
    due: str
    series: str
    run: str
    forecast: Forecast
    calendar: str
    adjusted: bool
    hashes: Mapping[str, str]
    simulated: bool = False
    program: str = PROGRAM
    line: int = 0

    @property
    def is_late(self) -> bool:
        """Whether its first session had closed when it was recorded."""
        return self.recorded >= self.due

    @property
    def cutoff(self) -> np.datetime64:
        """The last day that it knows."""
        return np.datetime64(self.forecast.origin_dates[0], "D")

    @property
    def last_close(self) -> float:
        """The quoted close of that day, as the file had it."""
        return float(self.forecast.last_close[0])

    @property
    def key(self) -> Key:
        """What tells it from other forecasts."""
        return self.series, self.run, self.hashes.get("run", ""), str(self.cutoff)

    def to_fields(self) -> dict[str, Any]:
        """Return it as a line has it."""
        forecast = self.forecast
        return {
            "kind": "forecast",
            "recorded": self.recorded,
            "series": self.series,
            "run": self.run,
            "cutoff": str(self.cutoff),
            "due": self.due,
            "late": self.is_late,
            **({"simulated": True} if self.simulated else {}),
            "last_close": file_number(self.last_close),
            "adjusted": self.adjusted,
            "calendar": self.calendar,
            "frequency": forecast.frequency.name,
            "hashes": dict(self.hashes),
            "by": self.program,
            "levels": [float(f"{level:.6g}") for level in forecast.levels],
            "days": forecast.target_dates[0].astype(str).tolist(),
            "quantiles": [[float(f"{price:.{_DIGITS}g}") for price in row] for row in forecast.quantiles[0]],
        }

    @classmethod
    def of(cls, line: Line) -> Self:
        """Return what a line holds; ValueError, KeyError or TypeError if it does not hold a forecast."""
        fields = line.fields()
        days = np.array(fields["days"], dtype="datetime64[D]")
        forecast = Forecast(
            origin_dates=np.array([fields["cutoff"]], dtype="datetime64[D]"),
            target_dates=days[None, :],
            levels=np.array(fields["levels"], dtype=float),
            quantiles=np.array(fields["quantiles"], dtype=float)[None, :, :],
            last_close=np.array([fields["last_close"]], dtype=float),
            frequency=FREQUENCIES[fields["frequency"]],
        )
        if forecast.quantiles.shape[1:] != (len(days), len(forecast.levels)):
            raise ValueError("its quantiles do not fit its days and levels")
        found = cls(
            recorded=str(fields["recorded"]),
            due=str(fields["due"]),
            series=str(fields["series"]),
            run=str(fields["run"]),
            forecast=forecast,
            calendar=str(fields["calendar"]),
            adjusted=bool(fields["adjusted"]),
            hashes=dict(fields["hashes"]),
            simulated=bool(fields.get("simulated", False)),
            program=str(fields["by"]),
            line=line.number,
        )
        if found.is_late is not fields["late"]:
            raise ValueError("late does not fit recorded and due")
        return found


@dataclass(frozen=True)
class RecordedOutcome:
    """Closes of a series that came, as they stand in a ledger; each day is recorded once.

    Attributes:
        recorded: when, in UTC.
        series: its name.
        days: datetime64[D], rising, shape (days,); the first is the last day of which a close was recorded before.
        closes: quoted, as the file had them, shape (days,).
        adjusted: the same, adjusted by Adj Close where the file has it, shape (days,).
        ratio: the file's close of the first day over the one that was recorded before: 0.5 after a split of two for
            one; 1 where it is the same to six digits.
        prices: SHA-256 of the price file.
        line: in the ledger; 0 where it is not recorded yet.
    """

    recorded: str
    series: str
    days: Dates
    closes: Floats
    adjusted: Floats
    ratio: float
    prices: str
    line: int = 0

    def to_fields(self) -> dict[str, Any]:
        """Return it as a line has it."""
        return {
            "kind": "outcome",
            "recorded": self.recorded,
            "series": self.series,
            "ratio": self.ratio,
            "hashes": {"prices": self.prices},
            "days": self.days.astype(str).tolist(),
            "closes": list(map(file_number, self.closes)),
            "adjusted": list(map(file_number, self.adjusted)),
        }

    @classmethod
    def of(cls, line: Line) -> Self:
        """Return what a line holds; ValueError, KeyError or TypeError if it does not hold an outcome."""
        fields = line.fields()
        days = np.array(fields["days"], dtype="datetime64[D]")
        closes, adjusted = (np.array(fields[name], dtype=float) for name in ("closes", "adjusted"))
        if not len(days) == len(closes) == len(adjusted) > 0:
            raise ValueError("its closes do not fit its days")
        return cls(
            recorded=str(fields["recorded"]),
            series=str(fields["series"]),
            days=days,
            closes=closes,
            adjusted=adjusted,
            ratio=float(fields["ratio"]),
            prices=str(fields["hashes"]["prices"]),
            line=line.number,
        )


@dataclass(frozen=True)
class Ledger:
    """The forecasts and outcomes of a chain, in the order of its lines."""

    forecasts: tuple[RecordedForecast, ...]
    outcomes: tuple[RecordedOutcome, ...]

    @classmethod
    def of(cls, chain: Chain, *, path: Path) -> Self:
        """Read every line of the chain in the file `path`; lines of other kinds are skipped.

        Raises:
            LedgerError: a line does not hold what its kind does; its hash is right, so another program wrote it.
        """
        forecasts, outcomes = [], []
        for line in chain.lines:
            try:
                if line.kind == "forecast":
                    forecasts.append(RecordedForecast.of(line))
                elif line.kind == "outcome":
                    outcomes.append(RecordedOutcome.of(line))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise LedgerError(
                    f"{path}, line {line.number}: it is no {line.kind} as stockcast writes one "
                    f"({type(error).__name__}: {str(error)[:100]}).",
                    file=path,
                    line=line.number,
                ) from error
        return cls(tuple(forecasts), tuple(outcomes))

    def closes_of(self, series: str) -> dict[str, float]:
        """Return the quoted closes that are recorded of a series, by day, ISO, in the unit of the last outcome.

        They are those of outcomes and, of days before these, the last closes of forecasts.
        """
        known: dict[str, float] = {}
        entries: list[RecordedForecast | RecordedOutcome] = [*self.forecasts, *self.outcomes]
        for entry in sorted((each for each in entries if each.series == series), key=lambda each: each.line):
            if isinstance(entry, RecordedForecast):
                known[str(entry.cutoff)] = entry.last_close
            else:
                known = {day: close * entry.ratio for day, close in known.items()}
                known.update(zip(entry.days.astype(str).tolist(), entry.closes.tolist(), strict=True))
        return known
