"""`stockcast evaluate`."""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from stockcast.cli.options import Json, Quiet, RunName, Runs, Sources, parse_day, takes_sources
from stockcast.cli.output import message_callbacks, next_command, path_text, print_json, print_message


class Part(StrEnum):
    """Parts of the split that `evaluate` scores."""

    test = "test"
    validation = "validation"


@takes_sources
def evaluate(
    sources: Sources,
    run: RunName = None,
    runs: Runs = Path("runs"),
    split: Annotated[Part, typer.Option(help="Days to score.")] = Part.test,
    start: Annotated[
        date | None,
        typer.Option("--from", metavar="DATE", parser=parse_day, help="First day to score (default: of the test)."),
    ] = None,
    insist: Annotated[
        bool, typer.Option("--insist", help="Allow days before the end of the run's training data.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score a run and its baselines on days that it was not trained on."""
    from stockcast.cli.progress import BaselineProgress
    from stockcast.cli.tables import print_evaluation
    from stockcast.pipeline.evaluate import evaluate, save_evaluation
    from stockcast.runs.directory import RunDirectory

    directory = RunDirectory.find(runs, run)
    with BaselineProgress(quiet=quiet) as progress:
        callbacks = message_callbacks(quiet, on_baseline=progress.on_baseline)
        evaluation = evaluate(
            directory,
            sources.data,
            part=split.value,
            start=start,
            insist=insist,
            covariates=sources.covariates,
            callbacks=callbacks,
        )
    folder = save_evaluation(directory, evaluation)
    if as_json:
        print_json(evaluation.metrics)
        return
    print_evaluation(evaluation)
    command = next_command("predict", directory.name, runs, sources=sources)
    print_message(f"Scores and plots: {path_text(folder)}\nNext: {command}", quiet=quiet)
