"""`stockcast evaluate`, `predict` and `audit`: what is done with a run."""

from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stockcast.cli.options import Json, Quiet, RunName, Runs, day, next_line, print_json, say, shown
from stockcast.errors import StockcastError

if TYPE_CHECKING:
    from stockcast.runs import RunDirectory


class SplitName(StrEnum):
    """Parts that `evaluate` can score."""

    test = "test"
    validation = "validation"


def evaluate(
    run: RunName = None,
    runs: Runs = Path("runs"),
    split: Annotated[SplitName, typer.Option(help="Days to score.")] = SplitName.test,
    data: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="Another series, seen or never seen (default: the first it learnt from)."),
    ] = None,
    start: Annotated[
        date | None,
        typer.Option(
            "--from", metavar="DATE", parser=day, help="First day to score, 2015-01-02 (default: of the test)."
        ),
    ] = None,
    insist: Annotated[
        bool, typer.Option("--insist", help="Score days from before the end of what the run learnt from.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score a run on days it has never seen, beside its rivals."""
    from stockcast import pipeline
    from stockcast.console import (
        RivalProgress,
        print_columns,
        print_direction_scores,
        print_scores,
        print_verdict,
    )
    from stockcast.runs import RunDirectory

    found = RunDirectory.find(runs, run)
    with RivalProgress(quiet=quiet) as progress:
        evaluation = pipeline.evaluate(
            found,
            part=split.value,
            data=data,
            start=start,
            insist=insist,
            say=say(quiet),
            report=progress.report,
        )
    if as_json:
        print_json(evaluation.metrics)
        return
    series = evaluation.metrics["data"]["name"]
    title, span = f"{series} by {found.name}, {split.value} days", evaluation.metrics["split"]
    if isinstance(evaluation, pipeline.DirectionEvaluation):
        print_direction_scores(evaluation.report, title=title, span=span)
    else:
        print_scores(evaluation.report, title=title, span=span)
        if evaluation.columns:
            print_columns(evaluation.columns)
    print_verdict(evaluation.verdict)
    line = next_line("predict", found.name, runs, *_of(data))
    say(quiet)(f"Numbers and pictures: {shown(evaluation.folder)}\nNext: {line}")


def predict(
    run: RunName = None,
    runs: Runs = Path("runs"),
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV", help="A newer price file, or of another series (default: the first it learnt from)."
        ),
    ] = None,
    horizon: Annotated[int | None, typer.Option(min=1, max=250, help="Sessions ahead (default: the run's).")] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to write (default: inside the run).")
    ] = None,
    plot: Annotated[bool, typer.Option("--plot/--no-plot", help="Draw the picture.")] = True,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Forecast the sessions after the last row, with dates and bands."""
    from stockcast import pipeline
    from stockcast.runs import RunDirectory

    found = RunDirectory.find(runs, run)
    prediction = pipeline.predict(found, data=data, horizon=horizon, output=output, picture=plot, say=say(quiet))
    if as_json:
        forecast = prediction.forecast
        print_json({"run": found.name, "origin": str(forecast.origin_dates[0]),
                     "last_close": float(forecast.last_close[0]), "forecast": prediction.rows})  # fmt: skip
        return
    from stockcast.console import print_directions, print_forecast

    if isinstance(prediction, pipeline.Prediction):
        print_forecast(prediction.rows, prediction.forecast, run=found.name)
    else:
        print_directions(prediction.rows, prediction, run=found.name)
    kept = f"Table and picture: {shown(prediction.table.parent)}" if plot else f"Table: {shown(prediction.table)}"
    say(quiet)(f"{kept}\n{_judged(found, runs, data)}")


def _judged(run: "RunDirectory", runs: Path, data: Path | None) -> str:
    """What the verdict on the series that is forecast comes to, or the line that gives it one."""
    own = run.learnt_from()[0]["name"]
    name = own if data is None else data.name
    series = Path(name).stem
    verdicts = [run.verdict(series)]
    if name == own:  # it has one by itself, and perhaps one as a file that was named
        verdicts.insert(0 if data is None else 1, run.verdict())
    verdict = next(filter(None, verdicts), None)
    if verdict:
        return f"Evaluated on {series}. {verdict[-1]}"
    return f"Not evaluated on {series} yet. Next: {next_line('evaluate', run.name, runs, *_of(data))}"


def _of(data: Path | None) -> list[str]:
    """The options that name the series again."""
    return [] if data is None else ["--data", str(data)]


def audit(
    run: RunName = None,
    runs: Runs = Path("runs"),
    cuts: Annotated[int, typer.Option(min=1, max=1000, help="Cut-offs to try, each with a training of its own.")] = 8,
    epochs: Annotated[int, typer.Option(min=1, max=10_000, help="Passes of each training.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Of the cut-offs and of what is done to the rows after them.")] = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Change the days after a cut-off, run everything again, and check that nothing before it moved."""
    from stockcast import pipeline
    from stockcast.runs import RunDirectory

    found = pipeline.audit(RunDirectory.find(runs, run), cuts=cuts, epochs=epochs, seed=seed, say=say(quiet))
    if as_json:
        print_json(found.to_json())
    else:
        print("\n".join(found.summary()))
    if failure := found.failure():
        raise StockcastError(failure)
