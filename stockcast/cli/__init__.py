"""The commands: parse, call the pipeline, print, exit code. Nothing heavy is imported before a command needs it.

Results go to standard output, everything said along the way to standard error. Exit codes: 0 done, 1 a failure that
the message explains, 2 wrong usage, 130 interrupted, 143 terminated.
"""

import signal
import sys
from typing import Annotated, Any

import typer

from stockcast import __version__
from stockcast.cli import config, runs, train, use
from stockcast.errors import StockcastError
from stockcast.untrusted import printable

app = typer.Typer(
    name="stockcast",
    help="Honest stock forecasts: a recurrent network, bands, and a verdict beside the random walk's.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(train.train)
app.command()(use.evaluate)
app.command()(use.predict)
app.command()(use.audit)
app.add_typer(runs.app, name="runs")
app.add_typer(config.app, name="config")


@app.callback(invoke_without_command=True)
def _start(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        print(f"stockcast {__version__}")
        raise typer.Exit


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
        print(f"stockcast: {printable(str(error))}", file=sys.stderr)  # it may quote what a file said
        sys.exit(1)
    except _Stopped as stopped:
        (number,) = stopped.args
        print(f"stockcast: {'interrupted' if number == signal.SIGINT else 'terminated'}.", file=sys.stderr)
        sys.exit(128 + number)
