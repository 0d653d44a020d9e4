"""The commands: parse, call the pipeline, print, exit code. Nothing heavy is imported before a command needs it.

Results go to standard output, everything said along the way to standard error. Exit codes: 0 done, 1 a failure that
the message explains, 2 wrong usage, 130 interrupted, 143 terminated.
"""

import json
import shlex
import signal
import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from stockcast import __version__
from stockcast.errors import StockcastError

app = typer.Typer(
    name="stockcast",
    help="Honest stock forecasts: a recurrent network, bands, and a verdict beside the random walk's.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
config_app = typer.Typer(help="Show, describe or make config files.", no_args_is_help=True)
app.add_typer(config_app, name="config")


class SplitName(StrEnum):
    """Parts that `evaluate` can score."""

    test = "test"
    validation = "validation"


Runs = Annotated[Path, typer.Option("--runs", metavar="DIR", envvar="STOCKCAST_RUNS", help="Folder of the runs.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing along the way.")]
RunName = Annotated[str | None, typer.Argument(metavar="RUN", help="Name or path of a run (default: the newest).")]
ConfigName = Annotated[
    str | None,
    typer.Argument(
        metavar="CONFIG",
        help="A YAML file, a shipped one by name (sp500, sp500-lab, ge, quick), or a CSV of prices (default: sp500).",
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a key: --set training.epochs=3. May be repeated."),
]


@app.callback(invoke_without_command=True)
def _start(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        print(f"stockcast {__version__}")
        raise typer.Exit


@app.command()
def train(
    config: ConfigName = None,
    overrides: Overrides = None,
    name: Annotated[str | None, typer.Option(help="Name of the run (default: the config's name and the time).")] = None,
    runs: Runs = Path("runs"),
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a network and keep it as a run."""
    from stockcast import pipeline
    from stockcast.console import Progress, say

    chosen = _load(config, overrides)
    with Progress(epochs=chosen.training.epochs, members=chosen.training.members, quiet=quiet) as progress:
        trained = pipeline.train(chosen, runs=runs, name=name, say=say(quiet), report=progress.report)
    path = _shown(trained.run.path)
    if as_json:
        _print_json({"run": path, "epochs": trained.epochs, "best_epoch": trained.best.epoch,
                     "val_loss": trained.best.val_loss, "seconds": trained.seconds})  # fmt: skip
        return
    print(path)
    say(quiet)(
        f"Kept epoch {trained.best.epoch} of {trained.epochs} (validation loss {trained.best.val_loss:.4f}).\n"
        f"Next: {_next('evaluate', trained.run.name, runs)}"
    )


@app.command()
def evaluate(
    run: RunName = None,
    runs: Runs = Path("runs"),
    split: Annotated[SplitName, typer.Option(help="Days to score.")] = SplitName.test,
    data: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="Another series, seen or never seen (default: the first it learnt from)."),
    ] = None,
    start: Annotated[
        datetime | None,
        typer.Option("--from", metavar="DATE", formats=["%Y-%m-%d"], help="First day to score (default: of the test)."),
    ] = None,
    insist: Annotated[
        bool, typer.Option("--insist", help="Score days from before the end of what the run learnt from.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score a run on days it has never seen, beside its rivals."""
    from stockcast import pipeline
    from stockcast.console import RivalProgress, print_scores, print_verdict, say
    from stockcast.runs import RunDirectory

    found = RunDirectory.find(runs, run)
    with RivalProgress(quiet=quiet) as progress:
        evaluation = pipeline.evaluate(
            found,
            part=split.value,
            data=data,
            start=start.date() if start else None,
            insist=insist,
            say=say(quiet),
            report=progress.report,
        )
    if as_json:
        _print_json(evaluation.metrics)
        return
    series = evaluation.metrics["data"]["name"]
    print_scores(
        evaluation.report, title=f"{series} by {found.name}, {split.value} days", span=evaluation.metrics["split"]
    )
    print_verdict(evaluation.verdict)
    say(quiet)(f"Numbers and pictures: {_shown(evaluation.folder)}\nNext: {_next('predict', found.name, runs)}")


@app.command()
def predict(
    run: RunName = None,
    runs: Runs = Path("runs"),
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV", help="A newer price file, or of another series (default: the first it learnt from)."
        ),
    ] = None,
    horizon: Annotated[int | None, typer.Option(min=1, max=250, help="Sessions ahead (default: the run's).")] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to write (default: inside the run).")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Forecast the sessions after the last row, with dates and bands."""
    from stockcast import pipeline
    from stockcast.console import print_forecast, say
    from stockcast.runs import RunDirectory

    found = RunDirectory.find(runs, run)
    prediction = pipeline.predict(found, data=data, horizon=horizon, output=output, say=say(quiet))
    if as_json:
        forecast = prediction.forecast
        _print_json({"run": found.name, "origin": str(forecast.origin_dates[0]),
                     "last_close": float(forecast.last_close[0]), "forecast": prediction.rows})  # fmt: skip
        return
    print_forecast(prediction.rows, prediction.forecast, run=found.name)
    judged = found.verdict()
    last = judged[-1] if judged else f"Not judged yet. Next: {_next('evaluate', found.name, runs)}"
    say(quiet)(f"Table and picture: {_shown(prediction.table.parent)}\n{last}")


@app.command()
def audit(
    run: RunName = None,
    runs: Runs = Path("runs"),
    cuts: Annotated[int, typer.Option(min=1, max=1000, help="Cut-offs to try, each with a training of its own.")] = 8,
    epochs: Annotated[int, typer.Option(min=1, max=10_000, help="Passes of each training.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Of the cut-offs and of what is done to the rows after them.")] = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Change the days after a cut-off, run everything again, and check that nothing before it moved."""
    from stockcast import pipeline
    from stockcast.console import say
    from stockcast.runs import RunDirectory

    found = pipeline.audit(RunDirectory.find(runs, run), cuts=cuts, epochs=epochs, seed=seed, say=say(quiet))
    if as_json:
        _print_json(found.to_json())
    else:
        print("\n".join(found.summary()))
    if failure := found.failure():
        raise StockcastError(failure)


@config_app.command("show")
def config_show(config: ConfigName = None, overrides: Overrides = None) -> None:
    """Print a config as it will be used, every default filled in."""
    print(_load(config, overrides).to_yaml(), end="")


@config_app.command("schema")
def config_schema() -> None:
    """Print the JSON Schema of the config, for editors."""
    from stockcast.config import Config

    _print_json(Config.model_json_schema())


@config_app.command("init")
def config_init(
    data: Annotated[Path, typer.Option("--data", metavar="CSV", help="Your price file.")],
    output: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write (default: NAME.yaml).")] = None,
    date_format: Annotated[str | None, typer.Option(help="Format of its dates, '%d/%m/%Y' (default: ISO).")] = None,
) -> None:
    """Write a config for your own prices."""
    from stockcast.starter import config_name, starter_config

    path = output or Path(f"{config_name(data)}.yaml")
    text = starter_config(data, folder=path.parent, date_format=date_format)
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise StockcastError(f"{path} exists. Remove it, or choose another with --output.") from None
    except OSError as error:
        raise StockcastError(f"Cannot write {path}: {error.strerror}. Choose another place with --output.") from error
    print(path)
    print(f"Next: stockcast train {path}", file=sys.stderr)


def _load(config: str | None, overrides: list[str] | None) -> Any:
    """The config that a user means: a YAML file, a shipped one by name, or one made for a CSV on the spot."""
    from stockcast.bundle import find_config
    from stockcast.config import load_config, parse_config

    if config is not None and config.lower().endswith(".csv"):
        from stockcast.starter import starter_config

        formats = [
            override.partition("=")[2] for override in overrides or () if override.startswith("data.date_format=")
        ]
        text = starter_config(Path(config), folder=Path.cwd(), date_format=formats[-1] if formats else None)
        return parse_config(text, source=f"config for {config}", folder=Path.cwd(), overrides=overrides or ())
    return load_config(find_config(config), overrides or ())


def _next(command: str, run: str, runs: Path) -> str:
    """The line to type next, for this very run."""
    return shlex.join(["stockcast", command, run, *([] if runs == Path("runs") else ["--runs", str(runs)])])


def _shown(path: Path) -> str:
    """The path from where the user stands, if it lies below, else in full."""
    resolved = path.resolve()
    return str(resolved.relative_to(Path.cwd()) if resolved.is_relative_to(Path.cwd()) else resolved)


def _print_json(value: dict[str, Any]) -> None:
    print(json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False))


class _Stopped(BaseException):
    """Ctrl-C or a request to end; passes through every handler of ordinary errors."""


def _stop(number: int, frame: Any) -> None:
    raise _Stopped(number)


def main() -> None:
    """Run the command line; the one place that turns errors into messages and exit codes."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    if hasattr(signal, "SIGPIPE"):  # `stockcast predict | head -1`: the reader has what it wanted, end in silence
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        app()
    except StockcastError as error:
        print(f"stockcast: {error}", file=sys.stderr)
        sys.exit(1)
    except _Stopped as stopped:
        (number,) = stopped.args
        print(f"stockcast: {'interrupted' if number == signal.SIGINT else 'terminated'}.", file=sys.stderr)
        sys.exit(128 + number)
