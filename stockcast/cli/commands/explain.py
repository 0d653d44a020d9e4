"""`stockcast explain`."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from stockcast.cli.options import Json, Output, Plot, Quiet, RunName, Runs, Sources, parse_day, takes_sources
from stockcast.cli.output import message_callbacks, path_text, print_json, print_message


@takes_sources
def explain(
    sources: Sources,
    run: RunName = None,
    runs: Runs = Path("runs"),
    last_known: Annotated[
        date | None,
        typer.Option("--date", metavar="DATE", parser=parse_day, help="Last day known (default: of the data)."),
    ] = None,
    output: Output = None,
    plot: Plot = True,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show what one forecast depends on: inputs, hidden units, gradients and features."""
    from stockcast.cli.tables import print_sentences
    from stockcast.forecasting.predictor import Predictor
    from stockcast.pipeline.explain import explain_series, save_explanation
    from stockcast.runs.shipped import choose_run

    callbacks = message_callbacks(quiet)
    directory = choose_run(runs, run, source=sources.data, on_message=callbacks.on_message)
    predictor = Predictor.load(directory, overrides=sources.overrides, on_message=callbacks.on_message)
    documents = []
    for series in predictor.series(sources.data, on_message=callbacks.on_message):
        explanation = explain_series(predictor, series, day=last_known, callbacks=callbacks)
        own = output / Path(explanation.series).stem if output and predictor.takes_all else output
        folder = save_explanation(directory, explanation, folder=own, plot=plot)
        if as_json:
            documents.append({**explanation.to_json(), "folder": path_text(folder)})
            continue
        print_sentences(explanation.summary())
        print_message(f"{'Tables and plots' if plot else 'Tables'}: {path_text(folder)}", quiet=quiet)
    if as_json:
        print_json({"series": documents} if predictor.takes_all else documents[0])
