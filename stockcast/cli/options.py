"""The arguments and options that several commands share."""

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from stockcast.execution.tasks import EngineName

RUNS_VARIABLE = "STOCKCAST_RUNS"
ENGINE_VARIABLE = "STOCKCAST_ENGINE"


def parse_day(text: str) -> date:
    """Parse a day such as 2018-12-31."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a date like 2018-12-31.") from None


Runs = Annotated[Path, typer.Option("--runs", metavar="DIR", envvar=RUNS_VARIABLE, help="Folder of the runs.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document to standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print results and errors only.")]
Plot = Annotated[bool, typer.Option("--plot/--no-plot", help="Draw the plots.")]
Output = Annotated[Path | None, typer.Option(metavar="DIR", help="Folder to write to (default: inside the run).")]
RunName = Annotated[
    str | None, typer.Argument(metavar="RUN", help="Name, its beginning, or path (default: the newest).")
]
ConfigName = Annotated[
    str | None,
    typer.Argument(
        metavar="CONFIG",
        help="YAML file, price file, or name: sp500 (default), sp500-weekly, many-stocks, quick, lessons/direction.",
    ),
]
Data = Annotated[
    list[Path] | None,
    typer.Option(
        "--data",
        metavar="PATH",
        help="Price file, - for standard input, or folder of price files; may be repeated (default: of the training).",
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a key: --set training.epochs=3. May be repeated."),
]
FileOverrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="How the price file is read: --set data.decimal=, (keys of data only)."
    ),
]

Calendar = Annotated[
    str | None,
    typer.Option(help="Exchange whose trading sessions date the prices: XNYS, XLON, FX, crypto. Sets data.calendar."),
]


AcceptDamage = Annotated[
    bool,
    typer.Option(
        "--accept-damage", help="Train on prices that no market can have made, as they stand. Sets data.accept_damage."
    ),
]


Covariates = Annotated[
    Path | None,
    typer.Option(
        "--covariates",
        metavar="FILE",
        help="File with a date and columns of numbers, joined by date: the own:NAME and known:NAME among features.",
    ),
]

Ticker = Annotated[
    str | None,
    typer.Option(
        "--ticker",
        metavar="NAME",
        help="Series to take from a file of several, or all: each by itself. Sets data.ticker.",
    ),
]


Strict = Annotated[
    bool,
    typer.Option("--strict", help="Leave out no price file of a folder. Sets data.refuse_at_most to 0."),
]


def _short_for(
    key: str, annotation: Any, *, default: Any, option: str = "", sets: Any = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a decorator that adds an option to a command with overrides: short for --set data.KEY, which still wins.

    The option is called as the key and sets its own value, unless `option` and `sets` state others.
    """
    name = option or key

    def add(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command)

        @wraps(command)
        def with_option(*args: Any, **kwargs: Any) -> None:
            value = kwargs.pop(name, default)
            given = signature.bind_partial(*args, **kwargs)
            if value != default:
                overrides = given.arguments.get("overrides") or []
                given.arguments["overrides"] = [f"data.{key}={_yaml(value if sets is None else sets)}", *overrides]
            command(*given.args, **given.kwargs)

        added = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        parameters = [*signature.parameters.values(), added]
        with_option.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        with_option.__annotations__ = {**command.__annotations__, name: annotation}
        return with_option

    return add


def _yaml(value: object) -> str:
    """Write a value of an option as YAML, text in quotes, whatever is in it."""
    return json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)


takes_calendar = _short_for("calendar", Calendar, default=None)
takes_covariates = _short_for("covariates", Covariates, default=None)
takes_ticker = _short_for("ticker", Ticker, default=None)
takes_accept_damage = _short_for("accept_damage", AcceptDamage, default=False)
takes_strict = _short_for("refuse_at_most", Strict, default=False, option="strict", sets=0)


@dataclass(frozen=True)
class Sources:
    """What --data names, and how it is read.

    Attributes:
        paths: price files, and folders of them; none for what the run was trained on.
        overrides: `data.ticker="GE"` and others, as of --set.
    """

    paths: tuple[Path, ...] = ()
    overrides: tuple[str, ...] = ()

    @property
    def are_many(self) -> bool:
        """Whether the paths are several files, or a folder."""
        return len(self.paths) > 1 or any(path.is_dir() for path in self.paths)

    @property
    def data(self) -> Path | None:
        """The price file where they are not many; None for that of the training."""
        return self.paths[0] if self.paths else None


NO_SOURCES = Sources()


@dataclass(frozen=True)
class Printing:
    """What is printed."""

    as_json: Json = False
    quiet: Quiet = False


@dataclass(frozen=True)
class Engine:
    """What does the tasks of a command, see `run_tasks`."""

    engine: Annotated[
        EngineName,
        typer.Option(
            "--engine",
            envvar=ENGINE_VARIABLE,
            help="What does the work: this process alone, processes of this machine, or a Ray cluster.",
        ),
    ] = "processes"
    address: Annotated[
        str | None,
        typer.Option(
            "--address",
            metavar="HOST:PORT",
            help="Ray cluster that this machine is a node of (default: one of this machine alone).",
        ),
    ] = None
    cores: Annotated[
        int | None, typer.Option("--cores", min=1, metavar="N", help="Cores of this machine to use (default: all).")
    ] = None


def takes(**groups: type) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a decorator that gives a command the fields of dataclasses as options, each in place of one parameter.

    A field is annotated as a parameter of a command is. So commands with many options keep few parameters.
    """
    options = {name: field for kind in groups.values() for name, field in _options(kind).items()}

    def add(command: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(command)

        @wraps(command)
        def with_groups(**given: Any) -> None:
            made = {name: kind(**{key: given.pop(key) for key in _options(kind)}) for name, kind in groups.items()}
            command(**given, **made)

        kept = [each for name, each in signature.parameters.items() if name not in groups]
        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = [each.replace(kind=keyword) for each in kept] + list(options.values())
        with_groups.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        annotations = {name: kind for name, kind in command.__annotations__.items() if name not in groups}
        with_groups.__annotations__ = {**annotations, **{name: each.annotation for name, each in options.items()}}
        return with_groups

    return add


def _options(kind: type) -> dict[str, inspect.Parameter]:
    """Return a parameter for each field of a dataclass."""
    hints = get_type_hints(kind, include_extras=True)
    keyword = inspect.Parameter.KEYWORD_ONLY
    return {
        field.name: inspect.Parameter(field.name, keyword, default=field.default, annotation=hints[field.name])
        for field in fields(kind)
    }


def takes_sources(command: Callable[..., None]) -> Callable[..., None]:
    """Add --data, --set, --covariates, --ticker and --calendar to a command in place of its parameter `sources`."""
    signature = inspect.signature(command)
    added = {"data": Data, "overrides": FileOverrides}

    @wraps(command)
    def with_sources(*, data: list[Path] | None = None, overrides: list[str] | None = None, **kwargs: Any) -> None:
        command(sources=Sources(tuple(data or ()), tuple(overrides or ())), **kwargs)

    keyword = inspect.Parameter.KEYWORD_ONLY
    kept = [each.replace(kind=keyword) for name, each in signature.parameters.items() if name != "sources"]
    new = [inspect.Parameter(name, keyword, default=None, annotation=kind) for name, kind in added.items()]
    with_sources.__signature__ = signature.replace(parameters=[*kept, *new])  # type: ignore[attr-defined]
    annotations = {name: kind for name, kind in command.__annotations__.items() if name != "sources"}
    with_sources.__annotations__ = {**annotations, **added}
    return takes_calendar(takes_ticker(takes_covariates(with_sources)))
