"""`stockcast predict`."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stockcast.cli.options import Plot, Printing, RunName, Runs, Sources, parse_day, takes, takes_sources
from stockcast.cli.output import message_callbacks, next_command, path_text, print_json, print_message
from stockcast.errors import DataError, StockcastError
from stockcast.text import file_number

if TYPE_CHECKING:
    from stockcast.forecasting.predictor import Predictor


_NAMES_SHOWN = 10  # of series that could not be forecast


class Sort(StrEnum):
    """What many forecasts are ordered by, the largest first."""

    width = "width"
    median = "median"
    fall = "fall"


@dataclass(frozen=True)
class Wanted:
    """What is forecast, and where it goes."""

    horizon: Annotated[
        int | None, typer.Option(min=1, max=250, help="Sessions, weeks or months ahead (default: the run's).")
    ] = None
    origin: Annotated[
        date | None,
        typer.Option("--date", metavar="DATE", parser=parse_day, help="Forecast as at the end of this day."),
    ] = None
    output: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Folder, or a file x.csv, x.xlsx, x.png (default: inside the run)."),
    ] = None
    plot: Plot = True


@dataclass(frozen=True)
class Order:
    """Which of many series are shown, and in which order."""

    top: Annotated[int | None, typer.Option(min=1, metavar="N", help="Of many series the first N by --sort.")] = None
    sort: Annotated[
        Sort | None, typer.Option(help="Order of many: width of the 90 % band, median, chance of a fall of 10 %.")
    ] = None

    def refuse(self) -> None:
        """Raise StockcastError where any is set."""
        for option, value in (("--sort", self.sort), ("--top", self.top)):
            if value is not None:
                raise StockcastError(f"{option} is for many series: give several --data, or a folder.", key=option)


@dataclass(frozen=True)
class Questions:
    """Questions on one forecast."""

    above: Annotated[
        list[float] | None, typer.Option(metavar="PRICE", help="Chance of closing above it, and of touching it.")
    ] = None
    below: Annotated[list[float] | None, typer.Option(metavar="PRICE", help="The same of closing below it.")] = None
    by: Annotated[
        list[str] | None,
        typer.Option(metavar="DAY", help="Date or number of sessions of these, and of a value at risk."),
    ] = None
    levels: Annotated[
        str | None, typer.Option(metavar="LEVELS", help="Further quantiles in forecast.csv: 0.01,0.1.")
    ] = None
    paths: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Write N sample paths: paths.csv and paths.npz.")
    ] = None

    def refuse(self) -> None:
        """Raise StockcastError where any is set."""
        for field in fields(self):
            if getattr(self, field.name):
                message = f"--{field.name} is for one series at a time. Give a single --data."
                raise StockcastError(message, key=f"--{field.name}")

    def of_prices(self) -> dict[str, Any]:
        """Return what `find_chances` takes."""
        return {"above": self.above or (), "below": self.below or (), "by": self.by or (), "paths": self.paths}

    def quantiles(self) -> list[float]:
        """Return the levels of further quantiles; StockcastError if one is no number."""
        try:
            return [float(level) for level in (self.levels or "").split(",") if level.strip()]
        except ValueError:
            message = f"--levels {self.levels}: numbers between 0 and 1 with commas between them, such as 0.01,0.1."
            raise StockcastError(message, key="--levels", value=self.levels) from None


@takes_sources
@takes(wanted=Wanted, order=Order, questions=Questions, printing=Printing)
def predict(
    sources: Sources,
    wanted: Wanted,
    order: Order,
    questions: Questions,
    printing: Printing,
    run: RunName = None,
    runs: Runs = Path("runs"),
) -> None:
    """Forecast the trading sessions, weeks or months after the last row, with bands; of one series or of many."""
    from stockcast.forecasting.predictor import Predictor
    from stockcast.runs.shipped import choose_run

    on_message = message_callbacks(printing.quiet).on_message
    directory = choose_run(runs, run, source=sources.paths or None, on_message=on_message)
    predictor = Predictor.load(directory, overrides=sources.overrides, on_message=on_message)
    to_evaluate = next_command("evaluate", directory.name, runs, sources=sources)
    if sources.are_many or predictor.takes_all:
        questions.refuse()
        _predict_many(predictor, sources, wanted, order, printing, to_evaluate=to_evaluate)
    else:
        order.refuse()
        _predict_one(predictor, sources, wanted, questions, printing, to_evaluate=to_evaluate)


def _predict_one(
    predictor: "Predictor",
    sources: Sources,
    wanted: Wanted,
    questions: Questions,
    printing: Printing,
    *,
    to_evaluate: str,
) -> None:
    """Forecast one series, write the forecast and what it tells about the questions, and print it."""
    import numpy as np

    from stockcast.pipeline.chances import find_chances, save_chances
    from stockcast.pipeline.predict import names_file, save_prediction
    from stockcast.pipeline.trust import stored_record, trust

    on_message = message_callbacks(printing.quiet).on_message
    prices, market = predictor.series_and_market(predictor.one_series(sources.data), on_message=on_message)
    prediction = predictor.predict_series(
        prices, market, horizon=wanted.horizon, origin=wanted.origin, on_message=on_message
    )
    report = find_chances(prediction, **questions.of_prices())
    output, quantiles = wanted.output, questions.quantiles()
    _refuse_input(output, [prices.source])
    if report.chances is not None and output is not None and names_file(output):
        on_message(f"{output} has the forecast alone; with a folder as --output, chances.csv and risk.csv are written.")
    if report.paths is not None and output is not None and names_file(output):
        raise StockcastError("--paths needs a folder: leave --output out, or name a folder with it.", key="--output")
    written = save_prediction(predictor.run, prediction, folder=output, plot=wanted.plot, levels=quantiles)
    if written.is_dir():
        save_chances(predictor.run, report, written)
    record = stored_record(predictor, prices, on_message=on_message)
    lines = trust(predictor, prices, prediction, record, step=report.step)
    if printing.as_json:
        forecast = prediction.forecast
        print_json(
            {
                "run": predictor.run.name,
                "series": prediction.series,
                "origin": str(forecast.origin_dates[0]),
                "last_close": file_number(float(forecast.last_close[0])),
                "frequency": forecast.frequency.name,
                "is_total_return": prices.are_adjusted,
                "forecast": prediction.rows(),
                **report.to_json(),
                "trust": list(lines),
            }
        )
        return
    from stockcast.cli.tables import print_prediction, print_sentences, print_trust  # rich: only for a table

    print_prediction(prediction)
    print_sentences([*prediction.came(), *report.sentences()])
    print_trust(lines)
    print_message(_written(written, has_plot=wanted.plot), quiet=printing.quiet)
    if record is None and prices.dates[-1] >= np.datetime64(predictor.test_border()):
        message = f"Not evaluated on {prediction.series} yet. Next: {to_evaluate}"
        print_message(message, quiet=printing.quiet)


def _predict_many(
    predictor: "Predictor", sources: Sources, wanted: Wanted, order: Order, printing: Printing, *, to_evaluate: str
) -> None:
    """Forecast many series; those that failed are an error once the others are printed."""
    from stockcast.cli.pool_tables import print_pool_prediction
    from stockcast.cli.progress import PoolProgress
    from stockcast.cli.tables import print_trust
    from stockcast.data.csv.folder import files_of
    from stockcast.pipeline.predict_pool import forecast_pool, save_pool_prediction
    from stockcast.pipeline.trust import trust_pool

    if wanted.output is not None:
        _refuse_input(wanted.output, files_of(sources.paths, key="--data"))
    with PoolProgress(quiet=printing.quiet, doing="forecasting series", is_slow=False) as progress:
        callbacks = message_callbacks(printing.quiet, on_series=progress.on_series)
        found = forecast_pool(
            predictor, sources.paths, horizon=wanted.horizon, origin=wanted.origin, callbacks=callbacks
        )
    shown = found.top(order.top, order.sort)
    saved = shown if wanted.output else found  # the folder of these files has all, whatever is shown
    written = save_pool_prediction(predictor.run, saved, folder=wanted.output, plot=wanted.plot)
    lines = trust_pool(predictor, shown.predictions, shown.records)
    if printing.as_json:
        print_json({**shown.to_json(), "trust": list(lines)})
    else:
        print_pool_prediction(shown, order=order.sort)
        print_trust(lines)
    message = f"{_written(written, has_plot=wanted.plot)}\nHow good is it? {to_evaluate}"
    print_message(message, quiet=printing.quiet)
    if found.failures:
        count = f"{len(found.failures)} of {len(found.failures) + len(found.predictions)} series"
        names = list(found.failures)
        listed = f"{', '.join(names[:_NAMES_SHOWN])}{', ...' if len(names) > _NAMES_SHOWN else ''}"
        raise DataError(f"{count} could not be forecast: {listed}.", key="--data", value=names)


def _refuse_input(output: Path | None, files: Sequence[Path]) -> None:
    """Raise StockcastError where the file to write is one of the price files."""
    if output is not None and output.resolve() in [file.resolve() for file in files]:
        message = f"--output {output} is the price file itself. Choose another name."
        raise StockcastError(message, key="--output", file=output)


def _written(path: Path, *, has_plot: bool) -> str:
    what = "Written" if path.is_file() else "Table and plot" if has_plot else "Table"
    return f"{what}: {path_text(path)}"
