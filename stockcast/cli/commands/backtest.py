"""`stockcast backtest`."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stockcast.cli.options import (
    ConfigName,
    Engine,
    Overrides,
    Plot,
    Printing,
    Runs,
    parse_day,
    takes,
    takes_accept_damage,
    takes_calendar,
    takes_covariates,
    takes_ticker,
)
from stockcast.cli.output import message_callbacks, path_text, print_json, print_message
from stockcast.cli.signals import Interrupted

if TYPE_CHECKING:
    from stockcast.forecasting.folds import FoldPlan

_FOLDS = 8


class Forecasts(StrEnum):
    """How every forecast is stored in one table."""

    parquet = "parquet"
    csv = "csv"
    none = "none"


class Window(StrEnum):
    """How many days a fold is trained on."""

    expanding = "expanding"
    rolling = "rolling"


def parse_refit(text: str) -> int:
    """Parse a number of bars, or `none`, which is 0."""
    if text == "none":
        return 0
    if not text.isdecimal() or int(text) < 1:
        raise typer.BadParameter(f"{text!r} is not a number of bars from 1 on, or none.")
    return int(text)


@dataclass(frozen=True)
class CutOffs:
    """Where the cut-offs lie, and which series are scored."""

    folds: Annotated[
        int | None, typer.Option("--folds", min=1, max=1000, help=f"Number of cut-offs (default: {_FOLDS}).")
    ] = None
    refit_every: Annotated[
        int | None,
        typer.Option(
            "--refit-every",
            metavar="BARS|none",
            parser=parse_refit,
            help="Bars from one cut-off to the next; none trains once. With --folds, so many back from the last day.",
        ),
    ] = None
    series: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Series of the training to score; may be repeated (default: all)."),
    ] = None
    first: Annotated[
        date | None,
        typer.Option("--from", metavar="DATE", parser=parse_day, help="The first cut-off (default: the middle)."),
    ] = None
    window: Annotated[
        Window, typer.Option(help="Train on all days before a cut-off, or on as many as before the first.")
    ] = Window.expanding

    def plan(self) -> "FoldPlan":
        """Return the plan of the folds."""
        from stockcast.forecasting.folds import FoldPlan

        rolling = self.window == Window.rolling
        if self.refit_every == 0:
            if self.folds not in (None, 1):
                raise typer.BadParameter("--refit-every none is one fold; leave --folds out.")
            return FoldPlan(folds=1, first=self.first, rolling=rolling)
        folds = _FOLDS if self.folds is None and self.refit_every is None else self.folds
        return FoldPlan(folds=folds, refit_every=self.refit_every, first=self.first, rolling=rolling)


@dataclass(frozen=True)
class Stored:
    """What is written and printed besides the scores."""

    plot: Plot = True
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print every sentence of the verdict.")] = False
    forecasts: Annotated[
        Forecasts | None,
        typer.Option(help="Table of every forecast, a row for each level (default: parquet, where pyarrow is there)."),
    ] = None

    def format(self) -> str | None:
        """Return the format of the table; None for no table."""
        if self.forecasts is None:
            return "parquet" if find_spec("pyarrow") else None
        return None if self.forecasts == Forecasts.none else self.forecasts.value


@takes_accept_damage
@takes_ticker
@takes_calendar
@takes_covariates
@takes(cut_offs=CutOffs, stored=Stored, engine=Engine, printing=Printing)
def backtest(
    cut_offs: CutOffs,
    stored: Stored,
    engine: Engine,
    printing: Printing,
    config: ConfigName = None,
    overrides: Overrides = None,
    runs: Runs = Path("runs"),
) -> None:
    """Train again at each of several cut-offs, on the days before it alone, and score all forecasts as one."""
    from stockcast.cli.backtest_tables import print_backtest
    from stockcast.cli.progress import PoolProgress
    from stockcast.config.load import load_config
    from stockcast.errors import DataError
    from stockcast.pipeline.backtest import backtest as run_backtest
    from stockcast.pipeline.backtest_result import save_backtest
    from stockcast.pipeline.long_forecasts import write_forecasts

    plan = cut_offs.plan()
    on_message = message_callbacks(printing.quiet).on_message
    chosen = load_config(config, overrides or (), on_message=on_message)
    try:
        with PoolProgress(quiet=printing.quiet, doing="training folds") as progress:
            callbacks = message_callbacks(printing.quiet, on_series=progress.on_series)
            result = run_backtest(
                chosen,
                plan,
                series=cut_offs.series or (),
                runs=runs,
                engine=engine.engine,
                address=engine.address,
                cores=engine.cores,
                callbacks=callbacks,
            )
    except Interrupted as interrupted:
        advice = "Repeat the command to go on: folds that are done are kept, and trainings go on."
        raise Interrupted(interrupted.number, advice) from None
    folder = save_backtest(result, plot=stored.plot)
    if printing.as_json:
        print_json(result.to_json())
    else:
        print_backtest(result, verbose=stored.verbose)
    more = "" if stored.verbose else f"; the whole verdict: {path_text(folder / 'verdict.txt')}, or --verbose"
    if stored.format():
        write_forecasts(result, format=str(stored.format()))
    print_message(f"Scores{' and plots' if stored.plot else ''}: {path_text(folder)}{more}", quiet=printing.quiet)
    if failures := result.failures:
        count = len(failures) + len(result.folds)
        reasons = [f"  {name}: {reason}" for name, reason in failures.items()]
        raise DataError(
            "\n".join([f"{len(failures)} of {count} folds could not be done:", *reasons]), value=[*failures]
        )
