"""A run and many series -> the forecast of each, side by side, as a value; and that value as files."""

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stockcast.config.load import Overrides
from stockcast.data.csv.table import PriceSource, source_name
from stockcast.errors import DataError, StockcastError
from stockcast.evaluation.verdict.record import Record
from stockcast.forecast import DirectionPrediction, Prediction
from stockcast.forecasting.predictor import Predictor
from stockcast.models.callbacks import SILENT, Callbacks
from stockcast.pipeline.pool_members import Member, members_of, sources_of
from stockcast.pipeline.predict import write_forecast
from stockcast.pipeline.trust import remarks, stored_record
from stockcast.runs.directory import RunDirectory
from stockcast.runs.evaluations import EvaluationIndex
from stockcast.runs.layout import prediction_folder
from stockcast.runs.shipped import choose_run
from stockcast.text import file_number
from stockcast.typing import Floats

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

FALL = 0.1
"""A fall of which the chance is stated for every series, as a share of the last price."""

_STALE = np.timedelta64(5, "D")  # more than a holiday behind the newest of them

_SUMMARY = ("volatility", "median_return", "width_90", "p_fall")

ORDERS = {"width": "width_90", "median": "median_return", "fall": "p_fall"}
"""What series can be ordered by, and the column that has it: the largest value first."""


@dataclass(frozen=True)
class PoolPrediction:
    """The result of `predict_pool`.

    Attributes:
        run: name of the run.
        predictions: by series, in the order in which they were given.
        remarks: by series, what a reader of its row must know; empty where there is nothing.
        failures: by series that could not be forecast, the reason.
        total: number of series that could be forecast, of which `top` keeps some.
        name: of the folder: how many series, their newest last day, and the first digits of a hash of them all.
        files: by series, the SHA-256 of its price file.
        records: by series, what the evaluation that the run stores of it shows; None where there is none.
    """

    run: str
    predictions: Mapping[str, Prediction | DirectionPrediction]
    remarks: Mapping[str, str]
    failures: Mapping[str, str]
    total: int
    name: str
    files: Mapping[str, str] = field(default_factory=dict)
    records: Mapping[str, Record | None] = field(default_factory=dict)

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each series with the forecast of its last day ahead; those that failed have a remark alone.

        Of prices: last price, median and ends of the 50 % and 90 % bands in the file's unit; `volatility`, the
        deviation of log returns up to that day by the forecast, a year; `median_return` and `width_90`, shares of the
        last price; `p_fall`, the chance of a price at least a tenth below it.
        """
        rows = [
            {
                "series": name,
                "origin": str(prediction.forecast.origin_dates[0]),
                "last_close": file_number(float(prediction.forecast.last_close[0])),
                **{key: value for key, value in prediction.rows()[-1].items() if key != "actual"},
                **(_summary(prediction) if isinstance(prediction, Prediction) else {}),
                "remark": self.remarks[name],
            }
            for name, prediction in self.predictions.items()
        ]
        empty = dict.fromkeys(rows[0]) if rows else {}
        return rows + [{**empty, "series": name, "remark": reason} for name, reason in self.failures.items()]

    def long_rows(self) -> list[dict[str, Any]]:
        """Return a row for each series and day ahead, as forecasts.csv has it: `unique_id, cutoff, ds, step, ...`."""
        return [
            {"unique_id": name, "cutoff": str(prediction.forecast.origin_dates[0]), "ds": row.pop("date"), **row}
            for name, prediction in self.predictions.items()
            for row in prediction.rows()
        ]

    def to_frame(self) -> "pd.DataFrame":
        """Return `long_rows` as a pandas DataFrame, the dates as datetimes."""
        import pandas as pd

        frame = pd.DataFrame(self.long_rows())
        return frame.assign(cutoff=pd.to_datetime(frame["cutoff"]), ds=pd.to_datetime(frame["ds"]))

    def to_json(self) -> dict[str, Any]:
        """Return plain values: a forecast of every day ahead for each series, its row, and the failures."""
        rows = {row["series"]: row for row in self.rows()}
        series = [
            {**{key: rows[name][key] for key in ("series", "origin", "last_close", "remark")},
             "summary": {key: value for key, value in rows[name].items() if key in _SUMMARY},
             "frequency": prediction.forecast.frequency.name, "forecast": prediction.rows()}
            for name, prediction in self.predictions.items()
        ]  # fmt: skip
        return {"run": self.run, "series": series, "failures": dict(self.failures)}

    def top(self, most: int | None, by: str | None) -> "PoolPrediction":
        """Return the same with at most so many series, those of the largest `width`, `median` or `fall` first.

        Raises:
            StockcastError: the network forecasts directions, which have none of these.
        """
        order = list(self.predictions)
        if by is not None:
            summaries = {
                name: _summary(prediction)
                for name, prediction in self.predictions.items()
                if isinstance(prediction, Prediction)
            }
            if len(summaries) < len(order):
                message = f"{self.run} forecasts the direction, which has no {by}. Leave --sort out."
                raise StockcastError(message, key="--sort", value=by)
            order.sort(key=lambda name: -summaries[name][ORDERS[by]])
        kept = {name: self.predictions[name] for name in order[:most]}
        return replace(self, predictions=kept)


def predict_pool(
    run: RunDirectory | Path | str | None = None,
    sources: Sequence[PriceSource | str] | Path | str | None = None,
    *,
    horizon: int | None = None,
    origin: date | None = None,
    runs: Path | str = "runs",
    overrides: Overrides = (),
    callbacks: Callbacks = SILENT,
) -> PoolPrediction:
    """Forecast many series, one after the other; each as `predict` does, to the last digit; nothing is written.

    Args:
        run: a finished run, its path, or its name under `runs`; None for the newest one there; where there is none,
            sources are taken by the one that ships, `pretrained`.
        sources: price files, folders of them, and DataFrames; None for the series that the run was trained on.
        horizon: sessions ahead; None for the run's own.
        origin: the last day that the forecasts may know; None for the last row of each series.
        runs: folder of the runs.
        overrides: how price files are read, as in `Predictor.load`; `{"data.ticker": "all"}` takes every series of
            each.
        callbacks: `on_series` is given the progress.

    Raises:
        StockcastError: the run is damaged, a folder holds no price file, or no series could be forecast. One that could
            not is among the failures.
    """
    given = [sources] if isinstance(sources, Path | str) else [] if sources is None else list(sources)
    chosen = choose_run(Path(runs), run, source=given or None, on_message=callbacks.on_message)
    predictor = Predictor.load(chosen, overrides=overrides, on_message=callbacks.on_message)
    return forecast_pool(predictor, given, horizon=horizon, origin=origin, callbacks=callbacks)


def forecast_pool(
    predictor: Predictor,
    sources: Sequence[PriceSource | str],
    *,
    horizon: int | None = None,
    origin: date | None = None,
    callbacks: Callbacks,
) -> PoolPrediction:
    """Forecast many series by a loaded run, as `predict_pool` does."""
    given = sources_of(sources)
    known = None if predictor.takes_all else len(given or predictor.own_series())  # only files tell how many they hold
    shared = {name for name, times in Counter(map(source_name, given)).items() if times > 1}
    predictions: dict[str, Prediction | DirectionPrediction] = {}
    noted: dict[str, list[str]] = {}
    failures: dict[str, str] = {}
    contents: dict[str, str] = {}
    records: dict[str, Record | None] = {}
    index = EvaluationIndex.of(predictor.run.results)
    for done, member in enumerate(members_of(predictor, given), 1):
        name = _name(member, shared, {*predictions, *failures})
        try:
            prices, market = predictor.series_and_market(member.open(), on_message=_ignore)
            prediction = predictor.predict_series(prices, market, horizon=horizon, origin=origin, on_message=_ignore)
            noted[name] = remarks(predictor, prediction)
            predictions[name] = replace(prediction, series=name)
            contents[name] = prices.sha256
            records[name] = stored_record(predictor, prices, index, on_message=noted[name].append)
        except StockcastError as error:
            failures[name] = str(error)
        callbacks.on_series(name, done, known)
    if not predictions:
        reasons = "\n".join(f"{name}: {reason}" for name, reason in list(failures.items())[:10])
        raise DataError(f"None of {len(failures)} series could be forecast:\n{reasons}", key="--data")
    forecasts = [prediction.forecast for prediction in predictions.values()]
    newest = max(forecast.origin_dates[0] for forecast in forecasts)
    words = [sorted(contents.items()), sorted(failures), str(origin), max(forecast.horizon for forecast in forecasts)]
    digest = hashlib.sha256(repr(words).encode()).hexdigest()[:8]
    name = prediction_folder(f"{len(predictions)}-series-{digest}", newest)
    for series, prediction in predictions.items():
        last = prediction.forecast.origin_dates[0]
        if last + _STALE < newest:
            noted[series].insert(0, f"{(newest - last).astype(int):,} days older than others")
    words_of = {series: "; ".join(notes) for series, notes in noted.items()}
    run, total = predictor.run.name, len(predictions)
    return PoolPrediction(run, predictions, words_of, failures, total, name, contents, records)


def save_pool_prediction(
    run: RunDirectory, prediction: PoolPrediction, *, folder: Path | None = None, plot: bool = True
) -> Path:
    """Write the forecasts as forecasts.csv and, with `plot`, forecasts.png; `folder` and result as `save_prediction`.

    Raises:
        RunError, StockcastError: as `save_prediction`.
    """
    of_prices = [each for each in prediction.predictions.values() if isinstance(each, Prediction)]

    def draw() -> "Figure":
        from stockcast import plots  # matplotlib: only for who draws

        figure: Figure = plots.fan_charts(of_prices)
        return figure

    output = folder or run.own_folder(prediction.name)
    rows = prediction.long_rows()
    return write_forecast(run, output, name="forecasts", rows=rows, draw=draw if plot and of_prices else None)


def _name(member: Member, shared: Collection[str], taken: Collection[str]) -> str:
    """Return a name that no other series has: its own, and where files share it that of its folder and file."""
    name = member.name
    if name in shared and member.path is not None:
        name = f"{member.path.resolve().parent.name}/{member.path.name}"
    elif name in taken and member.path is not None:  # of one file of several series, beside another such file
        name = f"{member.path.name}/{name}"
    number = 1 + sum(known.partition(" (")[0] == name for known in taken)
    return name if number == 1 else f"{name} ({number})"


def _summary(prediction: Prediction) -> dict[str, float]:
    """Return what a reader compares series by, see `PoolPrediction.rows`; to six digits."""
    forecast = prediction.forecast
    returns: Floats = forecast.log_returns()[0, -1]
    at = dict(zip(np.round(forecast.levels, 6), returns, strict=True))
    years = forecast.horizon / forecast.frequency.per_year
    values = {
        "volatility": (at[0.85] - at[0.15]) / (2 * _NORMAL_85) / np.sqrt(years),
        "median_return": np.expm1(at[0.5]),
        "width_90": np.exp(at[0.95]) - np.exp(at[0.05]),
        "p_fall": float(np.interp(np.log1p(-FALL), returns, forecast.levels, left=0.0, right=1.0)),
    }
    return {name: float(f"{value:.6g}") for name, value in values.items()}


_NORMAL_85 = 1.0364334  # the standard normal's quantile at 0.85: from there to 0.15 is the middle of the distribution


def _ignore(_: str) -> None:
    """Leave a note on one of many series out: what matters of it is its remark."""
