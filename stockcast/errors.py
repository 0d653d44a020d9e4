"""The errors stockcast raises on purpose, each a message a user can act on.

    StockcastError             printed as one message, exit code 1, no traceback
    ├── ConfigError            a key of a config file or an override is wrong
    ├── DataError              a price file cannot be used as it stands
    │   ├── MissingColumns     ... a column that the config asks for is not in it
    │   ├── NotEnoughDays      ... it is too short for the window, the horizon and the splits
    │   └── DamagedPrices      ... it has prices that no market can have made, and they are not accepted
    ├── TrainingError          the loss is not a finite number
    ├── ExportError            a network has no ONNX form; it forecasts with Keras
    ├── BaselineError          a baseline has no forecast; the others are scored without it
    ├── SourceError            a source of prices gave no bars of a ticker, or none that can be used
    ├── RunError               a run is missing, unfinished, damaged, or cannot be written
    │   └── NoOnnx             ... it has no model.onnx that ONNX Runtime opens; it forecasts with Keras
    └── LedgerError            a ledger is none, of another version, or cannot be written
        └── DamagedLedger      ... its lines are not what was written, or its end was cut; exit code 3

Every message says what was found, what is needed and what to do. Anything else that is raised is a bug of ours and
keeps its traceback. The facts of a message are also fields of the error, see `StockcastError`.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class StockcastError(Exception):
    """What a user can correct; the message explains how.

    Attributes:
        exit_code: of a command that ends with it.
        file: the file or directory it is about; None where there is none.
        line: in that file, from 1; None where no line is meant.
        column: of a price file, under its standard name; None where no column is meant.
        key: of the config, dotted, such as `training.epochs`; or an option, such as `--horizon`; None where none is.
        value: what was found there; None where nothing was.
    """

    exit_code = 1

    def __init__(
        self,
        message: str,
        *,
        file: str | os.PathLike[str] | None = None,
        line: int | None = None,
        column: str | None = None,
        key: str | None = None,
        value: object = None,
    ) -> None:
        super().__init__(message)
        self.file = None if file is None else os.fspath(file)
        self.line = line
        self.column = column
        self.key = key
        self.value = value


@dataclass(frozen=True)
class ConfigProblem:
    """One thing that is wrong with a config; None for a fact that there is not.

    Attributes:
        sentence: where it is, what was found, and what is needed.
        file: the config file; None for an override.
        line: in that file, from 1.
        key: dotted, such as `training.epochs`.
        value: what was found there.
    """

    sentence: str
    file: str | None = None
    line: int | None = None
    key: str | None = None
    value: object = None


class ConfigError(StockcastError):
    """A config file or an override is wrong.

    Attributes:
        problems: all that is wrong; the other fields are those of the first.
    """

    def __init__(self, message: str, *, problems: Sequence[ConfigProblem] = (), **fields: Any) -> None:
        super().__init__(message, **fields)
        self.problems = tuple(problems) or (ConfigProblem(message, self.file, self.line, self.key, self.value),)

    @classmethod
    def of(cls, problems: Sequence[ConfigProblem]) -> "ConfigError":
        """Return one error for all problems, a line each."""
        first = problems[0]
        message = "\n".join(problem.sentence for problem in problems)
        return cls(message, file=first.file, line=first.line, key=first.key, value=first.value, problems=problems)


class DataError(StockcastError):
    """A price file cannot be used as it stands; the message names file, line, column and value.

    Attributes:
        problems: every wrong cell and row of the file, in the order of its lines; the fields are those of the first.
    """

    problems: tuple[Any, ...] = ()


class MissingColumns(DataError):
    """The price file lacks a column that the config asks for."""


class NotEnoughDays(DataError):
    """The price file is too short for what the config asks for."""


class DamagedPrices(DataError):
    """Prices can be read, but no market can have made them; `value` is the first day, ISO, `key` what accepts them."""


class TrainingError(StockcastError):
    """Training cannot go on; the message says what to lower."""


class ExportError(StockcastError):
    """A network cannot be written as ONNX; the message is a reason. It forecasts with Keras then."""


class RunError(StockcastError):
    """A run is missing, unfinished or damaged, or its directory cannot be written."""


class NoOnnx(RunError):
    """A run has no `model.onnx` that ONNX Runtime can open; the message is a reason. It forecasts with Keras then."""


class BaselineError(StockcastError):
    """A baseline has no forecast; the message is a reason. It is reported, and the others are scored without it."""


class SourceError(StockcastError):
    """A source of prices gave no bars of a ticker, or none that can be used; the message states the cause.

    Attributes:
        again: whether another try may end better.
        stops_after: how many tickers in a row may fail so before the others are not tried; None where it is about
            this ticker alone.
    """

    def __init__(self, message: str, *, again: bool = False, stops_after: int | None = None, **fields: Any) -> None:
        super().__init__(message, **fields)
        self.again = again
        self.stops_after = stops_after


class LedgerError(StockcastError):
    """A file is no ledger, or of another version, or it cannot be read or written; `line` is where."""


class DamagedLedger(LedgerError):
    """A line of a ledger is not what was written, or its last lines are gone; `line` is the first that is wrong."""

    exit_code = 3
