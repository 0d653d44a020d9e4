"""What the commands print: messages, JSON documents, paths, and the command to type next."""

import json
import os
import shlex
import sys
from functools import partial
from pathlib import Path
from typing import Any

from stockcast.cli.options import NO_SOURCES, RUNS_VARIABLE, Sources
from stockcast.text import printable


def print_message(message: str, *, quiet: bool = False) -> None:
    """Print a message on standard error, unless `quiet`."""
    if not quiet:
        print(printable(message), file=sys.stderr, flush=True)


def message_callbacks(quiet: bool, **others: Any) -> Any:
    """Return `Callbacks` that print messages, and the other callbacks."""
    from stockcast.models.callbacks import Callbacks

    return Callbacks(on_message=partial(print_message, quiet=quiet), **others)


def print_json(value: dict[str, Any]) -> None:
    """Print one JSON document on standard output."""
    print(json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False))


def path_text(path: Path) -> str:
    """Return a path relative to the working directory, if it is inside it, else in full."""
    resolved = path.resolve()
    return str(resolved.relative_to(Path.cwd()) if resolved.is_relative_to(Path.cwd()) else resolved)


def next_command(command: str, run: str, runs: Path, *, sources: Sources = NO_SOURCES) -> str:
    """Return the command to type next for a run, for the price files and their reading that were given."""
    given = [word for path in sources.paths for word in ("--data", str(path))]
    settings = [word for override in sources.overrides for word in _option(override)]
    return shlex.join(["stockcast", command, run, *given, *settings, *runs_option(runs)])


def _option(override: str) -> list[str]:
    """Return the option that sets an override: the short one, where it was made of one."""
    key, _, value = override.partition("=")
    option = {"data.ticker": "--ticker", "data.covariates": "--covariates"}.get(key)
    return [option, json.loads(value)] if option and value.startswith('"') else ["--set", override]


def runs_option(runs: Path) -> list[str]:
    """Return the --runs option of the next command; empty where the folder is the default."""
    default = Path(os.environ.get(RUNS_VARIABLE) or "runs")
    return [] if runs == default else ["--runs", str(runs)]
