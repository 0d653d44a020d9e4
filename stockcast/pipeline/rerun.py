"""The pipeline once more, on copies of its price files, and what comes out of it as numbers that can be compared."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from stockcast.config import Config
from stockcast.evaluation.calibration import Calibration, Stretch
from stockcast.forecast import Days, Floats
from stockcast.models.inference import Network
from stockcast.pipeline.directions import issue_directions
from stockcast.pipeline.series import Series, first_lesson, issue, make_material, nobody, read
from stockcast.pipeline.stored import need, read_market, stored_calibration, stored_network, stored_scalers
from stockcast.pipeline.training import train
from stockcast.runs import RunDirectory
from stockcast.runs.names import CALIBRATION, HISTORY, SCALER, WEIGHTS

PLAIN = {"date_format": None, "encoding": None, "separator": ",", "decimal": ".", "ticker": None}
FORECASTS, RAW = "forecasts", "forecasts before calibration"

Numbers = dict[tuple[str, str], Floats]
"""Under (name, ISO date of the last day that the numbers may depend on, or "" if any cut-off lies later)."""


@dataclass(frozen=True)
class Bench:
    """Where reruns are made: a temporary folder, for every rerun a fresh one in it.

    Attributes:
        config: of the run.
        files: its price files.
        tables: their headers and rows in the plain spelling, whatever theirs is.
        folder: the temporary one.
    """

    config: Config
    files: list[Path]
    tables: list[list[list[str]]]
    folder: Path

    def rerun(self, change: Callable[[list[list[str]]], list[list[str]]]) -> dict[str, Numbers]:
        """Write changed copies of all files, train on them and forecast; return each product by its name."""
        with TemporaryDirectory(dir=self.folder) as fresh:
            copies = []
            for number, (path, rows) in enumerate(zip(self.files, self.tables, strict=True)):
                copy = Path(fresh) / str(number) / path.name  # files of different folders may share a name
                copy.parent.mkdir()
                with copy.open("w", encoding="utf-8", newline="") as stream:
                    csv.writer(stream).writerows(change(rows))
                copies.append(copy)
            data = self.config.data.model_copy(update={"path": tuple(copies), **PLAIN})
            config = self.config.model_copy(update={"data": data})
            return _products(train(config, runs=Path(fresh) / "runs").run, config, copies)


def _products(run: RunDirectory, config: Config, files: list[Path]) -> dict[str, Numbers]:
    """Read what a training left, and forecast every series with it."""
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
        if column != "seconds"  # the clock is no leak
    }
    products = {SCALER: _flat(run.scalers()), HISTORY: history, WEIGHTS: weights}
    if config.calibration != "none":
        products[CALIBRATION] = _flat(run.calibration())
    network, market = stored_network(run, config), read_market(run, config, end=config.data.end)
    for number, path in enumerate(files, start=1):
        series = need(run, config, read(config, path, nobody), market)
        prefix = f"{path.name} ({number}) " if len(files) > 1 else ""
        for kind, calibration in ((RAW, None), (FORECASTS, stored_calibration(run, config))):
            forecasts = _forecasts(run, config, series, network, calibration)
            products.setdefault(kind, {}).update(
                {(prefix + name, day): rows for (name, day), rows in forecasts.items()}
            )
    return products


def _forecasts(
    run: RunDirectory, config: Config, series: Series, network: Network, calibration: Calibration | Stretch | None
) -> Numbers:
    """Forecast as `evaluate` does from every origin of the calibration and of the test part.

    Unlike there, origins whose targets reach beyond the part or the file count too, for what is said from the cut-off
    itself must not change when later rows are gone.
    """
    days = series.prices.dates
    forecasts: Numbers = {}
    for part, origins in _origins(series, config).items():
        if not len(origins):
            continue
        material = make_material(config, series, *stored_scalers(run, config))
        # Only their number matters, so the days beyond the file need no exchange's calendar.
        dates = np.concatenate([days, days[-1] + np.arange(1, config.horizon + 1)])
        if material.head.classes is not None:
            said = {"": issue_directions(network, material, dates, origins, steps=config.horizon).probabilities}
        else:
            forecast = issue(
                network,
                material,
                dates,
                origins,
                steps=config.horizon,
                calibration=calibration,
                learn_from=first_lesson(config, series.prices),
            )
            said = {"": forecast.quantiles, **{f", {name},": medians for name, medians in forecast.others.items()}}
        for what, rows in said.items():
            for day, numbers in zip(days[origins], rows, strict=True):
                forecasts[f"the one from {day} ({part} part){what}", str(day)] = numbers
    return forecasts


def _origins(series: Series, config: Config) -> dict[str, Days]:
    """Every day from which the first target lies in the part, and for the test part the file's last day too."""
    _, _, calibration, test, end = series.split.days
    first = config.window - 1
    return {
        "calibration": np.arange(max(calibration - 1, first), test - 1),
        "test": np.arange(max(test - 1, first), end),
    }


def first_difference(before: Numbers, after: Numbers, *, until: str) -> str | None:
    """Name the first number that is not the same to the last bit, among those that know no day after `until`."""
    known, again = ({key: one[key] for key in one if key[1] <= until} for one in (before, after))
    for key in [*known, *(key for key in again if key not in known)]:
        name = key[0]
        if key not in again or key not in known:
            return f"{name} is there only {'before' if key in known else 'after'}"
        was, became = known[key], again[key]
        if was.shape != became.shape:
            return f"{name} had the shape {was.shape} and got {became.shape}"
        if was.tobytes() != became.tobytes():
            pairs = zip(np.ndindex(was.shape), was.ravel().tolist(), became.ravel().tolist(), strict=True)
            place, old, new = next(((at, x, y) for at, x, y in pairs if repr(x) != repr(y)), ((), "a NaN", "another"))
            return f"{name}{list(place) if place else ''} was {old} and became {new}"
    return None


def _flat(stored: dict[str, Any], prefix: str = "") -> Numbers:
    """The lists and numbers of a JSON document, each under its dotted name."""
    flat: Numbers = {}
    for name, value in stored.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}", ""] = np.array(value)
    return flat
