"""The commands: parse, call the pipeline, print, exit code. Nothing heavy is imported before a command needs it.

Results go to standard output, everything said along the way to standard error. Exit codes: 0 done, 1 a failure that
the message explains, 2 wrong usage, 130 interrupted, 143 terminated.
"""

import contextlib
import errno
import gc
import os
import signal
import sys
from typing import Annotated

import typer

from stockcast import __version__
from stockcast.cli import config, data, explain, runs, train, use
from stockcast.cli.signals import Stopped, listen
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
app.command()(explain.explain)
app.command()(use.audit)
app.add_typer(runs.app, name="runs")
app.add_typer(config.app, name="config")
app.add_typer(data.app, name="data")


@app.callback(invoke_without_command=True)
def _start(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        print(f"stockcast {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; the one place that turns errors into messages and exit codes."""
    _occupy_closed_streams()
    listen()
    gc.set_threshold(100_000)  # imports make a million objects that stay; a fifth of `predict` went into counting them
    if hasattr(signal, "SIGPIPE"):  # `stockcast predict | head -1`: the reader has what it wanted, end in silence
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # here it can still be told
            gc.freeze()  # what imports left need not be looked through before it ends: a tenth of `predict`
    except StockcastError as error:
        _tell(f"stockcast: {printable(str(error))}")  # it may quote what a file said
        sys.exit(1)
    except OSError as error:
        if error.filename is not None or error.errno not in _UNWRITABLE:
            raise
        _silence(1)
        _tell(f"stockcast: Cannot write standard output or error: {error.strerror}. Send them somewhere else.")
        sys.exit(1)
    except Stopped as stopped:
        said = "interrupted" if stopped.number == signal.SIGINT else "terminated"
        _tell(f"stockcast: {said}. {stopped.advice}".rstrip())
        sys.exit(128 + stopped.number)


_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


def _occupy_closed_streams() -> None:
    """Open nothing in the place of a closed stream, or the next file that is opened would take it."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            with contextlib.suppress(OSError):
                _silence(number)
            setattr(sys, name, open(os.devnull, "w" if number else "r", encoding="utf-8"))  # noqa: SIM115


def _silence(number: int) -> None:
    """Let what is still written to a standard stream vanish: it has nowhere to go."""
    nothing = os.open(os.devnull, os.O_RDWR)
    if nothing != number:
        os.dup2(nothing, number)
        os.close(nothing)


def _tell(said: str) -> None:
    try:
        print(said, file=sys.stderr, flush=True)
    except OSError:
        _silence(2)
