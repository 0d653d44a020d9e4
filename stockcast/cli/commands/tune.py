"""`stockcast tune`."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from stockcast.cli.options import (
    ConfigName,
    Overrides,
    Printing,
    Runs,
    takes,
    takes_calendar,
    takes_covariates,
    takes_ticker,
)
from stockcast.cli.output import message_callbacks, next_command, path_text, print_json, print_message
from stockcast.cli.signals import Interrupted

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def parse_time(text: str) -> float:
    """Parse a time such as 600, 90s, 10m or 2h; return seconds."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
    if match is None or float(match[1]) == 0:
        raise typer.BadParameter(f"{text!r} is not a time like 600 (seconds), 10m or 2h.")
    return float(match[1]) * _UNITS[match[2]]


@dataclass(frozen=True)
class Search:
    """How much is tried, and by what it is compared."""

    trials: Annotated[
        int, typer.Option(min=1, help="Trials that the study is to have in all, the starting config among them.")
    ] = 40
    space: Annotated[
        Path | None, typer.Option(metavar="FILE", help="YAML of the keys to tune, with ranges or choices.")
    ] = None
    folds: Annotated[int, typer.Option(min=1, help="Folds of the days before calibration that score a trial.")] = 3
    metric: Annotated[
        str | None, typer.Option(help="crps or mae; of directions brier or log_loss (default: the first).")
    ] = None
    timeout: Annotated[
        float | None,
        typer.Option(metavar="TIME", parser=parse_time, help="Begin no trial after so long: 600 (seconds), 10m, 2h."),
    ] = None
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="Processes side by side (default: one a core); with 1, a seed repeats its trials."),
    ] = None


@takes_ticker
@takes_calendar
@takes_covariates
@takes(search=Search, printing=Printing)
def tune(
    search: Search,
    printing: Printing,
    config: ConfigName = None,
    overrides: Overrides = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the study's folder (default: the config's name and -tune).")
    ] = None,
    runs: Runs = Path("runs"),
) -> None:
    """Try variants of a config on folds before its calibration days, and train a run by the best one."""
    from stockcast.cli.progress import PoolProgress
    from stockcast.config.load import load_config
    from stockcast.pipeline.tune import TuningPlan
    from stockcast.pipeline.tune import tune as tune_config

    plan = TuningPlan(search.trials, search.space, search.folds, search.metric, search.timeout, search.processes)
    quiet = printing.quiet
    chosen = load_config(config, overrides or (), on_message=lambda message: print_message(message, quiet=quiet))
    try:
        with PoolProgress(quiet=quiet, doing="tuning:") as progress:
            callbacks = message_callbacks(quiet, on_trial=progress.on_series)
            tuning = tune_config(chosen, plan, runs=runs, name=name, callbacks=callbacks)
    except Interrupted as interrupted:
        raise Interrupted(interrupted.number, "Repeat the command to go on: trials that are done are kept.") from None
    if printing.as_json:
        print_json(tuning.to_json())
        return
    for sentence in tuning.sentences:
        print(sentence)
    print_message(f"Config, trials and plots: {path_text(tuning.folder)}", quiet=quiet)
    print_message(f"Next: {next_command('evaluate', tuning.run.name, runs)}", quiet=quiet)
