"""`stockcast predict`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stockcast.cli.options import Json, Output, Plot, Quiet, RunName, Runs, Sources, takes_sources
from stockcast.cli.output import message_callbacks, next_command, path_text, print_json, print_message

if TYPE_CHECKING:
    from stockcast.runs.directory import RunDirectory


@takes_sources
def predict(
    sources: Sources,
    run: RunName = None,
    runs: Runs = Path("runs"),
    horizon: Annotated[
        int | None, typer.Option(min=1, max=250, help="Sessions, weeks or months ahead (default: the run's).")
    ] = None,
    output: Output = None,
    plot: Plot = True,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Forecast the trading sessions, weeks or months after the last row, with bands."""
    import numpy as np

    from stockcast.forecasting.predictor import Predictor
    from stockcast.pipeline.predict import save_prediction
    from stockcast.runs.shipped import choose_run

    callbacks = message_callbacks(quiet)
    directory = choose_run(runs, run, source=sources.data, on_message=callbacks.on_message)
    predictor = Predictor.load(directory, overrides=sources.overrides, on_message=callbacks.on_message)
    several = predictor.takes_all
    to_evaluate = next_command("evaluate", directory.name, runs, data=sources.data, overrides=sources.overrides)
    documents = []
    for series in predictor.series(sources.data, on_message=callbacks.on_message):
        prediction = predictor.predict(series, horizon=horizon, on_message=callbacks.on_message)
        own = output / prediction.series if output and several else output
        folder = save_prediction(directory, prediction, folder=own, plot=plot)
        forecast = prediction.forecast
        if as_json:
            documents.append({"run": directory.name, "series": prediction.series,
                              "origin": str(forecast.origin_dates[0]), "last_close": float(forecast.last_close[0]),
                              "frequency": forecast.frequency.name, "forecast": prediction.rows()})  # fmt: skip
            continue
        from stockcast.cli.tables import print_prediction  # rich: only for a table

        print_prediction(prediction)
        files = f"Table and plot: {path_text(folder)}" if plot else f"Table: {path_text(folder / 'forecast.csv')}"
        lines = [files, *_evaluated(directory, sources.data, prediction.series)]
        if len(lines) == 1 and forecast.origin_dates[0] >= np.datetime64(predictor.test_border()):
            lines.append(f"Not evaluated on {prediction.series} yet. Next: {to_evaluate}")
        print_message("\n".join(lines), quiet=quiet)
    if as_json:
        print_json({"run": directory.name, "series": documents} if several else documents[0])


def _evaluated(run: "RunDirectory", source: Path | None, series: str) -> list[str]:
    """Return the last sentence of the verdict on the series that is forecast, and on which days; empty without one."""
    from stockcast.data.csv.options import series_name

    labels: list[str | None] = [series]
    if series_name(Path(run.trained_on()[0].name)) == series:  # the run's own, and perhaps another file of that name
        labels.insert(0 if source is None else 1, None)
    for label in labels:
        if verdict := run.verdict(label):
            return [f"Evaluated on {series}. {verdict[-1]}"]
    for label in labels:
        for day, verdict in run.later_verdicts(label).items():
            return [f"Evaluated on {series} from {day} on. {verdict[-1]}"]
    return []
