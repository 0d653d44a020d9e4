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
    from stockcast.forecasting.predictor import Predictor
    from stockcast.pipeline.evaluate import evaluate_series, save_evaluation
    from stockcast.runs.shipped import choose_run

    on_message = message_callbacks(quiet).on_message
    directory = choose_run(runs, run, source=sources.data, on_message=on_message)
    predictor = Predictor.load(directory, overrides=sources.overrides, on_message=on_message)
    documents = []
    for series in predictor.series(sources.data, on_message=on_message):
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
    command = next_command("predict", directory.name, runs, data=sources.data, overrides=sources.overrides)
    print_message(f"Next: {command}", quiet=quiet)
