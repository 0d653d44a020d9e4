"""`stockcast evaluate`."""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from stockcast.cli.options import (
    Data,
    FileOverrides,
    Json,
    Quiet,
    RunName,
    Runs,
    one_file,
    parse_day,
    takes_covariates,
    takes_ticker,
)
from stockcast.cli.output import message_callbacks, next_command, path_text, print_json, print_message


class Part(StrEnum):
    """Parts of the split that `evaluate` scores."""

    test = "test"
    validation = "validation"


@takes_ticker
@takes_covariates
def evaluate(
    run: RunName = None,
    runs: Runs = Path("runs"),
    split: Annotated[Part, typer.Option(help="Days to score.")] = Part.test,
    data: Data = None,
    start: Annotated[
        date | None,
        typer.Option("--from", metavar="DATE", parser=parse_day, help="First day to score (default: of the test)."),
    ] = None,
    insist: Annotated[
        bool, typer.Option("--insist", help="Allow days before the end of the run's training data.")
    ] = False,
    overrides: FileOverrides = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score a run and its baselines on days that it was not trained on."""
    from stockcast.cli.progress import BaselineProgress
    from stockcast.cli.tables import print_evaluation
    from stockcast.forecasting.predictor import Predictor
    from stockcast.pipeline.evaluate import evaluate_series, save_evaluation
    from stockcast.runs.directory import RunDirectory

    source, on_message = one_file(data), message_callbacks(quiet).on_message
    directory = RunDirectory.find(runs, run)
    predictor = Predictor.load(directory, overrides=overrides or (), on_message=on_message)
    documents = []
    for series in predictor.series(source, on_message=on_message):
        with BaselineProgress(quiet=quiet) as progress:
            callbacks = message_callbacks(quiet, on_baseline=progress.on_baseline)
            evaluation = evaluate_series(
                predictor, series, part=split.value, start=start, insist=insist, callbacks=callbacks
            )
        folder = save_evaluation(directory, evaluation)
        if as_json:
            documents.append(evaluation.metrics)
            continue
        print_evaluation(evaluation)
        print_message(f"Scores and plots: {path_text(folder)}", quiet=quiet)
    if as_json:
        print_json({"series": documents} if predictor.takes_all else documents[0])
        return
    command = next_command("predict", directory.name, runs, data=source, overrides=overrides)
    print_message(f"Next: {command}", quiet=quiet)
