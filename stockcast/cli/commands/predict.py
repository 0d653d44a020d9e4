"""`stockcast predict`."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stockcast.cli.options import Json, Output, Plot, Quiet, RunName, Runs, Sources, parse_day, takes_many_sources
from stockcast.cli.output import message_callbacks, next_command, path_text, print_json, print_message
from stockcast.errors import DataError, StockcastError

if TYPE_CHECKING:
    from stockcast.forecasting.predictor import Predictor


class Order(StrEnum):
    """What many forecasts are ordered by, the largest first."""

    width = "width"
    median = "median"
    fall = "fall"


@dataclass(frozen=True)
class _Wanted:
    """What is to be forecast, and where it goes."""

    horizon: int | None
    origin: date | None
    output: Path | None
    plot: bool


@takes_many_sources
def predict(
    sources: Sources,
    run: RunName = None,
    runs: Runs = Path("runs"),
    horizon: Annotated[
        int | None, typer.Option(min=1, max=250, help="Sessions, weeks or months ahead (default: the run's).")
    ] = None,
    origin: Annotated[
        date | None,
        typer.Option("--date", metavar="DATE", parser=parse_day, help="Forecast as at the end of this day."),
    ] = None,
    output: Output = None,
    top: Annotated[int | None, typer.Option(min=1, metavar="N", help="Of many series the first N by --by.")] = None,
    by: Annotated[
        Order | None, typer.Option(help="Order of many: width of the 90 % band, median, chance of a fall of 10 %.")
    ] = None,
    plot: Plot = True,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Forecast the trading sessions, weeks or months after the last row, with bands; of one series or of many."""
    from stockcast.forecasting.predictor import Predictor
    from stockcast.runs.shipped import choose_run

    wanted = _Wanted(horizon, origin, output, plot)
    on_message = message_callbacks(quiet).on_message
    directory = choose_run(runs, run, source=sources.paths or None, on_message=on_message)
    predictor = Predictor.load(directory, overrides=sources.overrides, on_message=on_message)
    if sources.are_many or predictor.takes_all:
        _predict_many(predictor, sources, wanted, runs=runs, top=top, by=by, as_json=as_json, quiet=quiet)
        return
    if top is not None or by is not None:
        option = "--top" if by is None else "--by"
        raise StockcastError(f"{option} is for many series: give several --data, or a folder.", key=option)
    document = _predict_one(predictor, sources, wanted, runs=runs, as_json=as_json, quiet=quiet)
    if as_json:
        print_json(document)


def _predict_one(
    predictor: "Predictor", sources: Sources, wanted: _Wanted, *, runs: Path, as_json: bool, quiet: bool
) -> dict[str, Any]:
    """Forecast one series, write it, and print it unless a JSON document is wanted; return that."""
    import numpy as np

    from stockcast.pipeline.predict import save_prediction
    from stockcast.pipeline.trust import stored_record, trust

    on_message = message_callbacks(quiet).on_message
    prices, market = predictor.series_and_market(predictor.one_series(sources.data), on_message=on_message)
    prediction = predictor.predict_series(
        prices, market, horizon=wanted.horizon, origin=wanted.origin, on_message=on_message
    )
    written = save_prediction(predictor.run, prediction, folder=wanted.output, plot=wanted.plot)
    record = stored_record(predictor, prices, prediction.series)
    forecast, lines = prediction.forecast, trust(predictor, prices, prediction, record)
    if not as_json:
        from stockcast.cli.tables import print_prediction, print_trust  # rich: only for a table

        print_prediction(prediction)
        print_trust(lines)
        print_message(_written(written, has_plot=wanted.plot), quiet=quiet)
        if record is None and prices.dates[-1] >= np.datetime64(predictor.test_border()):
            command = next_command("evaluate", predictor.run.name, runs, sources=sources)
            print_message(f"Not evaluated on {prediction.series} yet. Next: {command}", quiet=quiet)
    return {
        "run": predictor.run.name,
        "series": prediction.series,
        "origin": str(forecast.origin_dates[0]),
        "last_close": float(f"{forecast.last_close[0]:.6g}"),
        "frequency": forecast.frequency.name,
        "is_total_return": prices.are_adjusted,
        "forecast": prediction.rows(),
        "trust": list(lines),
    }


def _predict_many(
    predictor: "Predictor",
    sources: Sources,
    wanted: _Wanted,
    *,
    runs: Path,
    top: int | None,
    by: Order | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Forecast many series; those that failed are an error once the others are printed."""
    from stockcast.cli.pool_tables import print_pool_prediction
    from stockcast.cli.progress import PoolProgress
    from stockcast.cli.tables import print_trust
    from stockcast.pipeline.predict_pool import forecast_pool, save_pool_prediction
    from stockcast.pipeline.trust import trust_pool

    with PoolProgress(quiet=quiet, doing="forecasting", is_slow=False) as progress:
        callbacks = message_callbacks(quiet, on_series=progress.on_series)
        found = forecast_pool(
            predictor, sources.paths, horizon=wanted.horizon, origin=wanted.origin, callbacks=callbacks
        ).top(top, by)
    written = save_pool_prediction(predictor.run, found, folder=wanted.output, plot=wanted.plot)
    lines = trust_pool(predictor, found.predictions)
    if as_json:
        print_json({**found.to_json(), "trust": list(lines)})
    else:
        print_pool_prediction(found)
        print_trust(lines)
    command = next_command("evaluate", predictor.run.name, runs, sources=sources)
    print_message(f"{_written(written, has_plot=wanted.plot)}\nHow good is it? {command}", quiet=quiet)
    if found.failures:
        count = f"{len(found.failures)} of {len(found.failures) + len(found.predictions)} series"
        raise DataError(
            f"{count} could not be forecast: the reason is in the row of each.",
            key="--data",
            value=list(found.failures),
        )


def _written(path: Path, *, has_plot: bool) -> str:
    what = "Written" if path.is_file() else "Table and plot" if has_plot else "Table"
    return f"{what}: {path_text(path)}"
