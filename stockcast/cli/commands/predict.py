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
    horizon: Annotated[int | None, typer.Option(min=1, max=250, help="Sessions ahead (default: the run's).")] = None,
    output: Output = None,
    plot: Plot = True,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Forecast the trading sessions after the last row, with bands."""
    from stockcast.pipeline.predict import predict, save_prediction
    from stockcast.runs.directory import RunDirectory

    directory = RunDirectory.find(runs, run)
    prediction = predict(
        directory,
        sources.data,
        horizon=horizon,
        covariates=sources.covariates,
        callbacks=message_callbacks(quiet),
    )
    folder = save_prediction(directory, prediction, folder=output, plot=plot)
    forecast = prediction.forecast
    if as_json:
        print_json({"run": directory.name, "series": prediction.series, "origin": str(forecast.origin_dates[0]),
                     "last_close": float(forecast.last_close[0]), "forecast": prediction.rows()})  # fmt: skip
        return
    from stockcast.cli.tables import print_prediction  # rich: only for a table

    print_prediction(prediction)
    files = f"Table and plot: {path_text(folder)}" if plot else f"Table: {path_text(folder / 'forecast.csv')}"
    print_message(f"{files}\n{_verdict_line(directory, runs, sources, prediction.series)}", quiet=quiet)


def _verdict_line(run: "RunDirectory", runs: Path, sources: Sources, series: str) -> str:
    """Return the last sentence of the verdict on the series that is forecast, or the command that gives one."""
    from stockcast.data.csv.options import series_name

    own = run.trained_on()[0].name
    verdicts = [run.verdict(series)]
    if series_name(Path(own)) == series:  # the run's own verdict, and perhaps one of another file of that name
        verdicts.insert(0 if sources.data is None else 1, run.verdict())
    verdict = next(filter(None, verdicts), None)
    if verdict:
        return f"Evaluated on {series}. {verdict[-1]}"
    return f"Not evaluated on {series} yet. Next: {next_command('evaluate', run.name, runs, sources=sources)}"
