"""The commands: parse, call the pipeline, print, exit code. Nothing heavy is imported before a command needs it.

Results go to standard output, messages and progress to standard error. Exit codes: 0 done, 1 a failure that
the message explains, 2 wrong usage, 130 interrupted, 143 terminated; those of `ledger` stand there.
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
from stockcast.cli.commands import (
    audit,
    backtest,
    config,
    data,
    download,
    evaluate,
    explain,
    judge,
    ledger,
    predict,
    report,
    runs,
    train,
    tune,
)
from stockcast.cli.signals import Interrupted, handle_signals
from stockcast.errors import StockcastError
from stockcast.text import printable

app = typer.Typer(
    name="stockcast",
    help="Forecast stock prices with recurrent networks, with bands and a verdict against simple baselines.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(download.download)
app.command()(train.train)
app.command()(tune.tune)
app.command()(evaluate.evaluate)
app.command()(backtest.backtest)
app.command()(predict.predict)
app.command()(report.report)
app.command()(explain.explain)
app.command()(audit.audit)
app.command()(judge.judge)
app.add_typer(runs.app, name="runs")
app.add_typer(config.app, name="config")
app.add_typer(data.app, name="data")
app.add_typer(ledger.app, name="ledger")


@app.callback(invoke_without_command=True)
def _start(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:
    if version:
        print(f"stockcast {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; the only place that turns errors into messages and exit codes."""
    _occupy_closed_streams()
    handle_signals()
    gc.set_threshold(100_000)  # imports make a million objects that stay; counting them took a fifth of `predict`
    if hasattr(signal, "SIGPIPE"):  # `stockcast predict | head -1`: the reader needs no more, end silently
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # a failure here is still reported
            gc.freeze()  # spares a last collection of what imports made: a tenth of `predict`
    except StockcastError as error:
        _print_error(str(error))
        sys.exit(error.exit_code)
    except OSError as error:
        if error.filename is not None or error.errno not in _UNWRITABLE:
            raise
        _silence(1)
        _print_error(f"Cannot write standard output or error: {error.strerror}. Redirect them to another place.")
        sys.exit(1)
    except Interrupted as interrupted:
        word = "interrupted" if interrupted.number == signal.SIGINT else "terminated"
        _print_error(f"{word}. {interrupted.advice}".rstrip())
        sys.exit(128 + interrupted.number)


_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


def _occupy_closed_streams() -> None:
    """Open the null device in place of a closed stream, or the next file that is opened would get its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            with contextlib.suppress(OSError):
                _silence(number)
            setattr(sys, name, open(os.devnull, "w" if number else "r", encoding="utf-8"))  # noqa: SIM115


def _silence(number: int) -> None:
    """Redirect a standard stream to the null device."""
    nothing = os.open(os.devnull, os.O_RDWR)
    if nothing != number:
        os.dup2(nothing, number)
        os.close(nothing)


def _print_error(message: str) -> None:
    try:
        print(printable(f"stockcast: {message}"), file=sys.stderr, flush=True)  # it may quote a file
    except OSError:
        _silence(2)
