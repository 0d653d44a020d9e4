"""A run and a price file -> the sessions after its last row, as a value; and that value as files."""

from pathlib import Path

from stockcast.config.load import Overrides
from stockcast.data.csv.table import PriceSource
from stockcast.distribution.paths import SamplePaths
from stockcast.forecast import DirectionPrediction, Prediction
from stockcast.forecasting.predictor import Predictor
from stockcast.models.callbacks import SILENT, Callbacks
from stockcast.runs.directory import RunDirectory
from stockcast.runs.layout import prediction_folder
from stockcast.runs.shipped import choose_run


def predict(
    run: RunDirectory | Path | str | None = None,
    source: PriceSource | str | None = None,
    *,
    horizon: int | None = None,
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
        runs: folder of the runs.
        overrides: how the price file is read, which of its series, and a newer file of covariates, as in
            `Predictor.load`.
        callbacks: `on_message` is given each note on the data.

    Raises:
        StockcastError: the data do not fit the run, or the horizon is longer than a direct network's.
    """
    chosen = choose_run(Path(runs), run, source=source, on_message=callbacks.on_message)
    predictor = Predictor.load(chosen, overrides=overrides, on_message=callbacks.on_message)
    return predictor.predict(predictor.one_series(source), horizon=horizon, on_message=callbacks.on_message)


def save_prediction(
    run: RunDirectory, prediction: Prediction | DirectionPrediction, *, folder: Path | None = None, plot: bool = True
) -> Path:
    """Write a prediction as forecast.csv and, with `plot`, forecast.png; return the folder: by default one in the run.

    Raises:
        RunError: the disk or the folder does not allow it.
    """
    own = prediction_folder(prediction.series, prediction.forecast.origin_dates[0])
    folder = (folder or run.own_folder(own)).resolve()
    run.write_table(folder / "forecast.csv", [{**row, "series": prediction.series} for row in prediction.rows()])
    picture = folder / "forecast.png"
    if not plot:
        picture.unlink(missing_ok=True)  # else it would show another forecast than the table does
        return folder
    from stockcast import plots  # matplotlib: only for who draws

    figure = plots.fan_chart(prediction) if isinstance(prediction, Prediction) else plots.direction_chart(prediction)
    run.write_plot(picture.stem, figure, folder=folder)
    return folder


def save_paths(run: RunDirectory, paths: SamplePaths, *, folder: Path | None = None) -> Path:
    """Write sample paths as paths.csv and paths.npz; return the folder: by default that of the prediction.

    Raises:
        RunError: the disk or the folder does not allow it.
    """
    folder = (folder or run.own_folder(prediction_folder(paths.series, paths.origin))).resolve()
    run.write_paths(folder, paths.rows(), arrays=paths.arrays())
    return folder
