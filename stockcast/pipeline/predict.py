"""A run and a price file -> the sessions after its last row, as a value; and that value as files."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stockcast.config.load import Overrides
from stockcast.data.csv.table import PriceSource
from stockcast.distribution.chances import quantile_rows
from stockcast.errors import StockcastError
from stockcast.forecast import DirectionPrediction, Prediction
from stockcast.forecasting.predictor import Predictor
from stockcast.models.callbacks import SILENT, Callbacks
from stockcast.runs.directory import RunDirectory
from stockcast.runs.layout import prediction_folder
from stockcast.runs.sheets import save_table
from stockcast.runs.shipped import choose_run
from stockcast.text import join_words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FILES = (".csv", ".xlsx", ".png")
_OTHER_FILES = (".html", ".htm", ".pdf", ".json", ".txt", ".parquet", ".svg", ".jpg", ".jpeg", ".xls", ".npz", ".yaml")
"""Endings of files that no forecast is written as: a folder of that name is hardly meant."""


def predict(
    run: RunDirectory | Path | str | None = None,
    source: PriceSource | str | None = None,
    *,
    horizon: int | None = None,
    origin: date | None = None,
    runs: Path | str = "runs",
    overrides: Overrides = (),
    callbacks: Callbacks = SILENT,
) -> Prediction | DirectionPrediction:
    """Forecast the sessions after a series' last row; nothing is written.

    Args:
        run: a finished run, its path, or its name under `runs`; None for the newest one there; where there is none,
            a source is taken by the one that ships, `pretrained`.
        source: a price file or a DataFrame, as `Predictor.predict` takes it.
        horizon: sessions ahead; None for the run's own.
        origin: the last day that the forecast may know; None for the last row.
        runs: folder of the runs.
        overrides: how the price file is read, which of its series, and a newer file of covariates, as in
            `Predictor.load`.
        callbacks: `on_message` is given each note on the data.

    Raises:
        StockcastError: the data do not fit the run, or the horizon is longer than a direct network's.
    """
    chosen = choose_run(Path(runs), run, source=source, on_message=callbacks.on_message)
    predictor = Predictor.load(chosen, overrides=overrides, on_message=callbacks.on_message)
    series = predictor.one_series(source)
    return predictor.predict(series, horizon=horizon, origin=origin, on_message=callbacks.on_message)


def save_prediction(
    run: RunDirectory,
    prediction: Prediction | DirectionPrediction,
    *,
    folder: Path | None = None,
    plot: bool = True,
    levels: Sequence[float] = (),
) -> Path:
    """Write a prediction as forecast.csv and, with `plot`, forecast.png; return the folder: by default one in the run.

    A `folder` that ends in .csv, .xlsx or .png is that file alone: the table or the picture. The table has a column for
    each further quantile at `levels`.

    Raises:
        RunError: the disk or the folder does not allow it.
        StockcastError: `folder` ends as another kind of file does, or a level is not between 0 and 1.
    """
    own = prediction_folder(prediction.series, prediction.forecast.origin_dates[0], prediction.variant)
    rows = quantile_rows(prediction, levels) if levels else prediction.rows()
    rows = [{**row, "series": prediction.series} for row in rows]

    def draw() -> "Figure":
        from stockcast import plots  # matplotlib: only for who draws

        is_of_prices = isinstance(prediction, Prediction)
        figure: Figure = plots.fan_chart(prediction) if is_of_prices else plots.direction_chart(prediction)
        return figure

    output = folder or run.folder_for(own, prediction.content)
    return write_forecast(run, output, name="forecast", rows=rows, draw=draw if plot else None)


def names_file(output: Path) -> bool:
    """Whether a path ends as a file does, and is no folder that is there."""
    return output.suffix.lower() in (*_FILES, *_OTHER_FILES) and not output.is_dir()


def write_forecast(
    run: RunDirectory, output: Path, *, name: str, rows: list[dict[str, Any]], draw: "Callable[[], Figure] | None"
) -> Path:
    """Write a table and a picture of this name into a folder, or one of both as the file that `output` names.

    Without `draw`, a picture that is there is removed: it would show another forecast than the table does.

    Returns:
        The folder, or the file.

    Raises:
        RunError, StockcastError: as `save_prediction`.
    """
    output = output.resolve()
    kind = output.suffix.lower()
    if not names_file(output):
        run.write_table(output / f"{name}.csv", rows)
        if draw is None:
            (output / f"{name}.png").unlink(missing_ok=True)
        else:
            run.write_plot(name, draw(), folder=output)
        return output
    if kind in _OTHER_FILES:
        raise StockcastError(
            f"--output {output.name}: a forecast is written as {join_words(_FILES, last='or')}, or into a folder. "
            f"Change the ending, or leave it out.",
            key="--output",
            value=str(output),
        )
    if kind == ".csv":
        run.write_table(output, rows)
    elif kind == ".xlsx":
        save_table(output, rows, dates=("date", "ds", "cutoff"))
    elif draw is not None:
        run.write_plot(output.stem, draw(), folder=output.parent)
    return output
