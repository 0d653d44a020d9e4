"""What the commands have in common: options, and how a path, a next step and a JSON document are shown."""

import json
import os
import shlex
import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from stockcast.untrusted import printable

_RUNS = "STOCKCAST_RUNS"

Runs = Annotated[Path, typer.Option("--runs", metavar="DIR", envvar=_RUNS, help="Folder of the runs.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing along the way.")]
RunName = Annotated[str | None, typer.Argument(metavar="RUN", help="Name or path of a run (default: the newest).")]
ConfigName = Annotated[
    str | None,
    typer.Argument(
        metavar="CONFIG",
        help="A YAML file, a shipped one by name (sp500, many-stocks, sp500-lab, ge, quick, lessons/direction), or a "
        "CSV of prices (default: sp500).",
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a key: --set training.epochs=3. May be repeated."),
]


def load_chosen(config: str | None, overrides: list[str] | None) -> Any:
    """The config that a user means: a YAML file, a shipped one by name, or one made for a CSV on the spot."""
    from stockcast.bundle import find_config
    from stockcast.config import load_config, parse_config

    if config is not None and config.lower().endswith(".csv"):
        from stockcast.starter import starter_config

        text = starter_config(Path(config), folder=Path.cwd(), reading=stated_reading(overrides))
        return parse_config(text, source=f"config for {config}", folder=Path.cwd(), overrides=overrides or ())
    return load_config(find_config(config), overrides or ())


def stated_reading(overrides: list[str] | None) -> Any:
    """How a price file is to be read, by the overrides of `data` alone: there is no config to apply the others to."""
    from stockcast.config import parse_config

    of_data = [override for override in overrides or () if override.strip().startswith("data.")]
    smallest = parse_config("name: x\ndata: {path: x}\n", source="--set", folder=Path.cwd(), overrides=of_data)
    return smallest.data.reading


def next_line(command: str, run: str, runs: Path, *options: str) -> str:
    """The line to type next, for this very run."""
    return shlex.join(["stockcast", command, run, *options, *stated_runs(runs)])


def stated_runs(runs: Path) -> list[str]:
    """What the next line must say of the folder of the runs: nothing where it would be this one anyhow."""
    unsaid = Path(os.environ.get(_RUNS) or "runs")
    return [] if runs == unsaid else ["--runs", str(runs)]


def day(text: str) -> date:
    """A day as the command line takes it, 2018-12-31."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no day written like 2018-12-31.") from None


def shown(path: Path) -> str:
    """The path from where the user stands, if it lies below, else in full."""
    resolved = path.resolve()
    return str(resolved.relative_to(Path.cwd()) if resolved.is_relative_to(Path.cwd()) else resolved)


def print_json(value: dict[str, Any]) -> None:
    """Print one JSON document to standard output."""
    print(json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False))


def say(quiet: bool) -> Callable[[str], None]:
    """Return what tells a sentence on standard error, or keeps it when `quiet`."""

    def tell(sentence: str) -> None:
        if not quiet:
            print(printable(sentence), file=sys.stderr, flush=True)

    return tell
