"""What is wrong with a price file, all of it in one message."""

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from stockcast.errors import DataError

PROBLEMS_SHOWN = 10
_WORDS_OF_YAML = frozenset({"on", "off", "yes", "no", "y", "n", "true", "false", "null", "nan", "inf"})


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        line: in the file, from 1.
        column: its standard name; empty where the whole row is meant.
        value: what was found there.
        why: what is wrong with it.
        advice: what to do, a sentence; empty where `why` says so.
    """

    line: int
    column: str = ""
    value: object = ""
    why: str
    advice: str = ""

    def sentence(self, path: Path) -> str:
        """Say it: file, line, column, value, reason."""
        where = f"{path}, line {self.line}"
        cell = f", {self.column} {str(self.value)[:40]!r}" if self.column else ""
        return f"{where}{cell}: {self.why}. {self.advice}".rstrip()


def refuse(path: Path, problems: Iterable[Problem], *, closing: str | None = None) -> None:
    """Raise one DataError for all problems, if there are any.

    Args:
        path: the file.
        problems: in any order; the first `PROBLEMS_SHOWN` by line are told, the others counted.
        closing: a problem that has no line of its own; told last.

    Raises:
        DataError: there is a problem.
    """
    found = sorted(problems, key=lambda problem: problem.line)
    said = [problem.sentence(path) for problem in found[:PROBLEMS_SHOWN]]
    if len(found) > PROBLEMS_SHOWN:
        said.append(f"... and {len(found) - PROBLEMS_SHOWN} more.")
    if closing:
        said.append(closing)
    if said:
        raise DataError("\n".join(said))


def setting(key: str, value: str) -> str:
    """Return the option that sets a key of `data` to a text, to be copied into a shell."""
    looks_like_no_text = value.lower() in _WORDS_OF_YAML or not any(letter.isalpha() for letter in value)
    if key == "ticker" and (looks_like_no_text or value[0] in "&*!@`'\"#%?{}[]|>-"):
        value = f'"{value}"'  # or YAML would take it for a number, a yes or a no
    return f"--set {shlex.quote(f'data.{key}={value}')}"
