"""`stockcast audit`."""

from pathlib import Path
from typing import Annotated

import typer

from stockcast.cli.options import Json, Quiet, RunName, Runs
from stockcast.cli.output import message_callbacks, print_json
from stockcast.errors import StockcastError


def audit(
    run: RunName = None,
    runs: Runs = Path("runs"),
    cuts: Annotated[int, typer.Option(min=1, max=1000, help="Number of cut-offs; each is one training.")] = 8,
    epochs: Annotated[int, typer.Option(min=1, max=10_000, help="Epochs of each training.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the cut-offs and of the changes after them.")] = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check for look-ahead: change all days after a cut-off, retrain, and compare all results before it.

    RUN may also be the folder of a backtest: then each fold is checked.
    """
    from stockcast.pipeline.audit import AuditReport, audit
    from stockcast.pipeline.audit_backtest import BacktestAudit, audit_backtest, is_backtest
    from stockcast.runs.directory import RunDirectory

    callbacks = message_callbacks(quiet)
    report: AuditReport | BacktestAudit
    if run is not None and is_backtest(Path(run)):
        report = audit_backtest(Path(run), cuts=cuts, epochs=epochs, seed=seed, callbacks=callbacks)
    else:
        report = audit(RunDirectory.find(runs, run), cuts=cuts, epochs=epochs, seed=seed, callbacks=callbacks)
    if as_json:
        print_json(report.to_json())
    else:
        print("\n".join(report.summary()))
    if failure := report.failure():
        raise StockcastError(failure)
