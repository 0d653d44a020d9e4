"""`stockcast explain`."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from stockcast.cli.options import Json, Output, Plot, Quiet, RunName, Runs, Sources, parse_day, takes_sources
from stockcast.cli.output import message_callbacks, path_text, print_json, print_message
from stockcast.errors import DataError, StockcastError


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
    """Show what one forecast depends on, of one series or of many: inputs, hidden units, gradients and features."""
    from stockcast.cli.tables import print_sentences
    from stockcast.data.csv.folder import files_of
    from stockcast.forecasting.predictor import Predictor
    from stockcast.pipeline.explain import explain_series, save_explanation
    from stockcast.runs.shipped import choose_run

    callbacks = message_callbacks(quiet)
    directory = choose_run(runs, run, source=sources.paths or None, on_message=callbacks.on_message)
    predictor = Predictor.load(directory, overrides=sources.overrides, on_message=callbacks.on_message)
    are_many = predictor.takes_all or sources.are_many
    files = files_of(sources.paths, key="--data")
    documents: list[dict[str, Any]] = []
    failures: dict[str, str] = {}
    for file in files or (None,):
        try:
            for series in predictor.series(file, on_message=callbacks.on_message):
                explanation = explain_series(predictor, series, day=last_known, callbacks=callbacks)
                own = output / _apart(explanation.series, documents) if output and are_many else output
                folder = save_explanation(directory, explanation, folder=own, plot=plot)
                documents.append({**explanation.to_json(), "folder": path_text(folder)})
                if not as_json:
                    print_sentences(explanation.summary())
                    print_message(f"{'Tables and plots' if plot else 'Tables'}: {path_text(folder)}", quiet=quiet)
        except StockcastError as error:
            if not are_many:
                raise
            failures[str(file)] = str(error)
    if as_json:
        print_json({"series": documents, "failures": failures} if are_many else documents[0])
    if failures:
        reasons = [f"  {file}: {reason.splitlines()[0]}" for file, reason in failures.items()]
        message = "\n".join([f"{len(failures)} of {len(files)} files could not be explained:", *reasons])
        raise DataError(message, key="--data", value=list(failures))


def _apart(series: str, documents: list[dict[str, Any]]) -> str:
    """Return a folder's name for a series, with a number where another one has its name."""
    name = Path(series).stem
    number = 1 + sum(Path(document["series"]).stem == name for document in documents)
    return name if number == 1 else f"{name}-{number}"
