"""What is wrong with a price file or a DataFrame, all of it in one error."""

import json
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from stockcast.errors import DataError

PROBLEMS_SHOWN = 10

Row = tuple[int, list[str]]
"""A line's number and its cells."""

_YAML_WORDS = frozenset({"on", "off", "yes", "no", "y", "n", "true", "false", "null", "nan", "inf"})
_CONVERT = {
    "data.date_format": "Convert the dates with pandas.to_datetime first.",
    "data.decimal": "Convert the prices to numbers first.",
}


@dataclass(frozen=True)
class Source:
    """What prices are read from, as messages name it.

    Attributes:
        path: of the file; of a DataFrame its name.
        is_frame: a DataFrame, whose rows are numbered from 0 and whose column names are row -1; the lines of a file are
            numbered from 1.
        kind: of the file: `plain` text; `unpacked`, text that is not in the file as it stands, or came by standard
            input; `rows`, a worksheet or a Parquet table.
        series: the one of its series that is meant, where all are read; else empty.
    """

    path: Path
    is_frame: bool = False
    kind: Literal["plain", "unpacked", "rows"] = "plain"
    series: str = ""

    @property
    def title(self) -> str:
        """The file, and the series if it is one of several: `all.csv (GE)`."""
        return f"{self.path} ({self.series})" if self.series else str(self.path)

    @property
    def unit(self) -> str:
        """What a line is called."""
        return "row" if self.is_frame or self.kind == "rows" else "line"

    @property
    def is_plain(self) -> bool:
        """Whether it is a file of text that `pandas.read_csv` opens."""
        return not self.is_frame and self.kind == "plain"

    def place(self, line: int) -> str:
        """Name a line: `GE.csv, line 5`, `DataFrame, row 3` or `DataFrame, columns`."""
        return f"{self.title}, columns" if line < 0 else f"{self.title}, {self.unit} {line}"

    def error(
        self,
        message: str,
        *,
        line: int | None = None,
        column: str | None = None,
        key: str | None = None,
        value: object = None,
        kind: type[DataError] = DataError,
    ) -> DataError:
        """Build an error about the source, or about one of its lines."""
        where = self.title if line is None else self.place(line)
        if line is not None and line < 0:
            line = None
        return kind(f"{where}: {message}", file=self.path, line=line, column=column, key=key, value=value)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """A wrong cell or row.

    Attributes:
        line: of the source.
        column: its standard name; None where the whole row is wrong.
        value: of the cell.
        why: what is wrong with it.
        advice: what to do, in a sentence.
        key: of the config that sets how the cell is read, such as `data.decimal`; None where there is none.
        readings: what the cell may mean -> the value of `key` that reads it so.
    """

    line: int
    column: str | None = None
    value: object = None
    why: str = ""
    advice: str = ""
    key: str | None = None
    readings: Mapping[str, str] = field(default_factory=dict)

    def sentence(self, source: Source) -> str:
        """Describe the problem: source, line, column, value, reason, advice."""
        cell = f", {self.column} {str(self.value)[:40]!r}" if self.column else ""
        why, advice = self.why, self.advice
        if self.key and source.is_frame:
            why, advice = why or f"may be {' or '.join(self.readings)}", _CONVERT[self.key]
        elif self.readings:
            ways = [f"{reading} ({setting(self.key or '', value)})" for reading, value in self.readings.items()]
            why, advice = f"may be {' or '.join(ways)}", "Choose one."
        return f"{source.place(self.line)}{cell}: {why}. {advice}".rstrip()


def refuse(source: Source, problems: Iterable[Problem]) -> None:
    """Raise one DataError for all problems, if there are any, with the fields of the first; describe ten of them."""
    problems = sorted(problems, key=lambda problem: problem.line)
    if not problems:
        return
    sentences = [problem.sentence(source) for problem in problems[:PROBLEMS_SHOWN]]
    if len(problems) > PROBLEMS_SHOWN:
        sentences.append(f"... and {len(problems) - PROBLEMS_SHOWN} more.")
    first = problems[0]
    error = DataError(
        "\n".join(sentences), file=source.path, line=first.line, column=first.column, key=first.key, value=first.value
    )
    error.problems = tuple(problems)
    raise error


def setting(key: str, value: str | Sequence[str] | Mapping[str, str | int]) -> str:
    """Return the option that sets a key of the config to a text, a list or a mapping, to be copied into a shell."""
    if not isinstance(value, str):
        return f"--set {shlex.quote(f'{key}={json.dumps(value, ensure_ascii=False)}')}"
    is_no_text = value.lower() in _YAML_WORDS or not any(letter.isalpha() for letter in value)
    if key == "data.ticker" and (is_no_text or value[0] in "&*!@`'\"#%?{}[]|>-"):
        value = f'"{value}"'  # or YAML would take it for a number, a yes or a no
    if key == "data.sheet" and (is_no_text or not re.fullmatch(r"\w[\w .()/-]*", value)):
        value = json.dumps(value, ensure_ascii=False)
    return f"--set {shlex.quote(f'{key}={value}')}"
