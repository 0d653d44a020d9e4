"""A run and a price file -> the sessions after its last row."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stockcast.config import Config, load_config
from stockcast.data.calendar import sessions_after
from stockcast.data.csvfile import counted
from stockcast.errors import NotEnoughDays, StockcastError
from stockcast.forecast import Forecast, column_key
from stockcast.pipeline.beforehand import recall
from stockcast.pipeline.series import Say, first_lesson, fit_scalers, issue, make_material, nobody, read
from stockcast.pipeline.stored import need, own_file, read_market, stored_calibration, stored_network, stored_scalers
from stockcast.runs import RunDirectory

if TYPE_CHECKING:
    from stockcast.pipeline.directions import DirectionPrediction


@dataclass(frozen=True)
class Prediction:
    """What `predict` says of the days after the last row, in the price unit of that row."""

    forecast: Forecast
    rows: list[dict[str, Any]]
    table: Path


def predict(
    run: RunDirectory,
    *,
    data: Path | None = None,
    horizon: int | None = None,
    output: Path | None = None,
    picture: bool = True,
    say: Say = nobody,
) -> "Prediction | DirectionPrediction":
    """Forecast the sessions after the last row, and write them as a table and a picture.

    Args:
        run: a finished run.
        data: another price file: a newer one of a series that the run learnt from, or of a series it has never seen,
            scaled by its own past; None for the first one that the run learnt from.
        horizon: sessions ahead; None for the run's own.
        output: folder to write to; None for one inside the run.
        picture: whether to draw one; that takes longer than the forecast.
        say: told what looks odd in the data.

    Raises:
        StockcastError: the data do not fit the run, or the horizon is longer than a direct network's.
    """
    config = load_config(run.config_path())
    stored, steps = config, _steps(run, config, horizon)
    if data is not None:
        config = config.over(start=None, end=None)
    path = data or own_file(run)
    answered = recall(run, config)
    prices = read(config, path, say)
    if prices.later:
        left_out = f"{counted(prices.later, 'row')} after data.end {config.data.end} left out"
        say(f"{path.name}: {left_out}; --data {shlex.quote(str(path))} forecasts from its last row.")
    if len(prices.dates) < config.window:
        raise NotEnoughDays(
            f"{path} has {len(prices.dates)} trading days, but {run.name} looks back over "
            f"{config.window}. Use a longer file."
        )
    series = need(run, config, prices, read_market(run, stored, end=config.data.end), say)
    scaler, target = stored_scalers(run, config)
    learnt = [one["name"] for one in run.learnt_from()]
    if path.name not in learnt:
        whose = "the volatility of its own past"
        if config.target.scale == "training":
            scaler, target = fit_scalers(config, [series], days=[slice(0, len(prices.dates))])
            whose = "its own past"
        say(f"{run.name} learnt from {_names(learnt)}; this is a forecast of {path.name}, scaled by {whose}.")

    material, network = make_material(config, series, scaler, target), stored_network(run, config, say)
    dates = np.concatenate([prices.dates, sessions_after(prices.dates[-1], steps, calendar=config.data.calendar)])
    folder = (output or run.prediction_folder(prices.dates[-1])).resolve()
    if material.head.classes is not None:
        from stockcast.pipeline.directions import predict_directions

        return predict_directions(run, series, material, network, dates, steps=steps, folder=folder, picture=picture)
    forecast = issue(
        network,
        material,
        dates,
        np.array([len(prices.dates) - 1]),
        steps=steps,
        calibration=stored_calibration(run, config),
        learn_from=first_lesson(config, prices),
        answered=answered,
    )
    # Adjusted prices differ from quoted ones by a factor; the reader knows the quoted one of the last day.
    factor = prices.quote_factor
    forecast, closes = forecast.times(factor), series.closes * factor

    rows = _rows(forecast)
    table = run.write_prediction(rows, folder=folder)
    if picture:
        from stockcast import plots  # matplotlib: only for who draws

        figure = plots.fan_chart(
            prices.dates,
            closes,
            forecast,
            title=f"{prices.name}: {counted(steps, 'session')} after {prices.dates[-1]}, by {run.name}",
            unit=plots.price_label(adjusted=False),
        )
        run.draw_prediction(figure, folder=folder)
    return Prediction(forecast, rows, table)


def _steps(run: RunDirectory, config: Config, horizon: int | None) -> int:
    """Days ahead, no more than the network can answer."""
    if horizon is not None and config.strategy == "direct" and horizon > config.horizon:
        raise StockcastError(
            f"{run.name} answers {config.horizon} days ahead, all at once, and cannot say more: --horizon {horizon} is "
            f"too far. Train with horizon: {horizon}, or use strategy: recursive."
        )
    return config.horizon if horizon is None else horizon


def _names(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{len(names)} series"


def _rows(forecast: Forecast) -> list[dict[str, Any]]:
    """forecast.csv: one row a session, prices to six significant places and no false ones; other columns come last."""
    (lower_50, upper_50), (lower_90, upper_90) = forecast.band(0.5), forecast.band(0.9)
    columns = {
        "median": forecast.median,
        "lower_50": lower_50,
        "upper_50": upper_50,
        "lower_90": lower_90,
        "upper_90": upper_90,
        **{column_key(name): medians for name, medians in forecast.others.items()},
    }
    return [
        {
            "date": str(day),
            "step": step + 1,
            **{name: float(f"{values[0, step]:.6g}") for name, values in columns.items()},
        }
        for step, day in enumerate(forecast.target_dates[0])
    ]
