"""Reruns the pipeline on copies of a run's price files, and returns the products as numbers that can be compared."""

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from stockcast.config.schema import Config
from stockcast.forecast import Forecast
from stockcast.forecasting.dataset import SeriesDataset
from stockcast.forecasting.predictor import Predictor
from stockcast.forecasting.tasks import PriceTask, Task
from stockcast.models.inference import Network
from stockcast.pipeline.train import train
from stockcast.runs import RunDirectory
from stockcast.runs.layout import CALIBRATION, HISTORY, SCALER, WEIGHTS
from stockcast.typing import Days, Floats

PLAIN = {
    **dict.fromkeys(("date_format", "encoding", "ticker", "columns", "sheet")),
    "separator": ",",
    "decimal": ".",
    "accept_damage": True,  # days after a cut-off are changed beyond what a market can do
}
FORECASTS, RAW = "forecasts", "forecasts before calibration"

Numbers = dict[tuple[str, str], Floats]
"""By (name, ISO date of the last day that the numbers may depend on, or "" where any cut-off lies later)."""


@dataclass(frozen=True)
class Rerunner:
    """Trains and forecasts on changed copies of price files.

    Attributes:
        config: of the run.
        names: of its series, as of their files.
        tables: their headers and rows, in plain spelling.
        covariates: likewise of the file of covariates; None where the run has none.
        folder: a temporary one, in which every rerun has its own.
    """

    config: Config
    names: list[str]
    tables: list[list[list[str]]]
    covariates: list[list[str]] | None
    folder: Path

    def rerun(self, change: Callable[[list[list[str]]], list[list[str]]]) -> dict[str, Numbers]:
        """Write changed copies of all files, train on them and forecast; return each product by its name."""
        with TemporaryDirectory(dir=self.folder) as fresh:
            copies = []
            for number, (name, rows) in enumerate(zip(self.names, self.tables, strict=True)):
                copies.append(_write(change(rows), Path(fresh) / str(number) / name))  # folders may share a name
            covariates = self.covariates and _write(change(self.covariates), Path(fresh) / "joined" / "covariates.csv")
            made = {"resample": None} if self.config.data.resample == "1d" else {}  # the copies are of days
            changed = {"path": tuple(copies), "covariates": covariates, **PLAIN, **made}
            data = self.config.data.model_copy(update=changed)
            config = self.config.model_copy(update={"data": data})
            return _products(train(config, runs=Path(fresh) / "runs"), config, copies)


def _write(rows: list[list[str]], path: Path) -> Path:
    path.parent.mkdir()
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return path


def _products(run: RunDirectory, config: Config, files: list[Path]) -> dict[str, Numbers]:
    """Read what a training wrote, and forecast every series with it."""
    import h5py  # type: ignore[import-untyped]

    weights: Numbers = {}

    def collect(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            weights[name, ""] = item[()]

    # Arrays and not bytes: HDF5 files are not the same twice within a process, they hold names that Keras counts up.
    with h5py.File(run.path / WEIGHTS) as stored:
        stored.visititems(collect)
    with (run.path / HISTORY).open(encoding="utf-8", newline="") as stream:
        epochs = list(csv.DictReader(stream))
    history = {
        (f"{column} of row {number}", ""): np.array(float(value))
        for number, epoch in enumerate(epochs, start=1)
        for column, value in epoch.items()
        if column != "seconds"
    }
    products = {SCALER: flat(run.scalers()), HISTORY: history, WEIGHTS: weights}
    if config.calibration != "none":
        products[CALIBRATION] = flat(run.calibration())
    predictor = Predictor.load(run)
    market = predictor.market(end=config.data.end)
    for number, path in enumerate(files, start=1):
        dataset = predictor.dataset(predictor.read_as_trained(path), market=market)
        prefix = f"{path.name} ({number}) " if len(files) > 1 else ""
        for kind, task in ((RAW, _uncalibrated(predictor.task)), (FORECASTS, predictor.task)):
            forecasts = _forecasts(predictor.network, dataset, task)
            products.setdefault(kind, {}).update(
                {(prefix + name, day): rows for (name, day), rows in forecasts.items()}
            )
    return products


def _uncalibrated(task: Task) -> Task:
    return replace(task, calibration=None) if isinstance(task, PriceTask) else task


def _forecasts(network: Network, dataset: SeriesDataset, task: Task) -> Numbers:
    """Forecast from every origin of the calibration and of the test part, also where targets reach beyond it.

    What is forecast from the cut-off itself must not change when later rows are gone.
    """
    days, horizon = dataset.prices.dates, dataset.horizon
    # Only their number matters, so the days beyond the file need no exchange's calendar.
    dates = np.concatenate([days, days[-1] + np.arange(1, horizon + 1)])
    forecasts: Numbers = {}
    for part, origins in _origins(dataset).items():
        if not len(origins):
            continue
        forecast = task.forecast(network, dataset, dates, origins, steps=horizon)
        arrays = {"": forecast.quantiles if isinstance(forecast, Forecast) else forecast.probabilities}
        if isinstance(forecast, Forecast):
            arrays |= {f", {name},": medians for name, medians in forecast.others.items()}
        for what, rows in arrays.items():
            for day, numbers in zip(days[origins], rows, strict=True):
                forecasts[f"the one from {day} ({part} part){what}", str(day)] = numbers
    return forecasts


def _origins(dataset: SeriesDataset) -> dict[str, Days]:
    """Return the days whose first target lies in the part; the file's last day counts for the test part."""
    _, _, calibration, test, end = dataset.split.days
    first = dataset.window - 1
    return {
        "calibration": np.arange(max(calibration - 1, first), test - 1),
        "test": np.arange(max(test - 1, first), end),
    }


def first_difference(before: Numbers, after: Numbers, *, until: str) -> str | None:
    """Return the first number that is not the same to the last bit, among those that depend on no day after `until`."""
    for key in {**before, **after}:
        name, day = key
        if day > until:
            continue
        if key not in after or key not in before:
            return f"{name} is there only {'before' if key in before else 'after'}"
        was, became = before[key], after[key]
        if was.shape != became.shape:
            return f"{name} had the shape {was.shape} and got {became.shape}"
        if was.tobytes() != became.tobytes():
            pairs = zip(np.ndindex(was.shape), was.ravel().tolist(), became.ravel().tolist(), strict=True)
            place, old, new = next(((at, x, y) for at, x, y in pairs if repr(x) != repr(y)), ((), "a NaN", "another"))
            return f"{name}{list(place) if place else ''} was {old} and became {new}"
    return None


def flat(stored: dict[str, Any], prefix: str = "") -> Numbers:
    """Return the lists and numbers of a JSON document by dotted name."""
    numbers: Numbers = {}
    for name, value in stored.items():
        if isinstance(value, dict):
            numbers |= flat(value, f"{prefix}{name}.")
        else:
            numbers[f"{prefix}{name}", ""] = np.array(value)
    return numbers
