"""Prices and a config -> a trained network, stored as a run."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.config.schema import Config
from stockcast.data.prices import Prices
from stockcast.data.split import PARTS
from stockcast.errors import ExportError, StockcastError
from stockcast.evaluation.calibration.adaptive import ADAPTED_LEVELS
from stockcast.evaluation.calibration.conformal import ConformalOffsets, ConformalScaling, fit_offsets, fit_scaling
from stockcast.execution.members import count_workers, train_members
from stockcast.forecast import LEVELS, Forecast
from stockcast.forecasting.cache import write_cache
from stockcast.forecasting.dataset import SeriesDataset
from stockcast.forecasting.stored_closes import write_closes
from stockcast.forecasting.tasks import PriceTask
from stockcast.forecasting.training_data import TrainingData, build_training_data, read_training_prices
from stockcast.models.backend import machine, versions
from stockcast.models.build import average
from stockcast.models.callbacks import SILENT, Callbacks, EpochLog, best_epoch
from stockcast.models.inference import Network, keras_network
from stockcast.models.onnx.export import export_onnx
from stockcast.models.onnx.session import load_onnx
from stockcast.models.tensorboard import TensorBoardWriter
from stockcast.runs.directory import RefusedFile, RunDirectory, refused_of
from stockcast.runs.layout import BEGUN, CALIBRATION, HISTORY, ONNX, SCALER
from stockcast.typing import Floats

_MOST_CALIBRATED = 50_000
"""Forecasts that bands are fitted on: of hundreds of series, every few days of each. More take minutes and say no more,
as stocks move together, and forecasts of neighbouring days overlap."""

_ROOM_FOR_AN_ARRAY = 16_384
"""Bytes of a network's file for each array, besides the numbers; HDF5 takes up to 8 KB for name and shape."""


def train(
    config: Config,
    *,
    runs: Path | str = "runs",
    name: str | None = None,
    processes: int | None = None,
    tensorboard: bool = False,
    callbacks: Callbacks = SILENT,
) -> RunDirectory:
    """Train a network as the config says; return the finished run.

    Args:
        config: what to train on and how.
        runs: folder of the runs.
        name: of the run; None for the config's name and the time.
        processes: most members to train side by side; None for the number of cores.
        tensorboard: whether to write event files into the run.
        callbacks: all but `on_checkpoint` and `on_baseline` are called.

    Raises:
        DamagedPrices: prices are damaged, and `data.accept_damage` is not set.
        StockcastError: data, config or disk do not allow it; the message says what to do.
    """
    RunDirectory.check_name(name)
    read = read_training_prices(config, callbacks.on_message)
    config, prices = read.config, read.series
    workers = count_workers(config.networks, most=processes)
    data = build_training_data(config, prices, is_shared=workers > 1)
    # Loads Keras, which takes as much memory again: nothing is written yet.
    details = {
        "versions": versions(),
        "series": list(map(_described, prices)),
        **_covariates(prices),
        **_refused(read.refused),
    }
    callbacks.on_batch_end()
    run = RunDirectory.create(Path(runs), config_name=config.name, name=name)
    with run.checkpoints.locked():
        try:
            run.checkpoints.begin(config.to_yaml(), details)
        except BaseException:  # also a training that is interrupted here has nothing to resume
            run.checkpoints.discard_if_untrained()
            raise
        callbacks.on_run_begin(run.path)
        try:
            return train_to_end(config, data, run, workers=workers, tensorboard=tensorboard, callbacks=callbacks)
        except StockcastError:
            run.checkpoints.discard_if_untrained()
            raise


def train_to_end(
    config: Config, data: TrainingData, run: RunDirectory, *, workers: int, tensorboard: bool, callbacks: Callbacks
) -> RunDirectory:
    """Train from the run's last checkpoint on, or from the start where it has none, and finish the run."""
    if tensorboard:
        callbacks = _with_event_files(callbacks, TensorBoardWriter(run.events_folder()))
    members, history = train_members(config, data, run, workers=workers, callbacks=callbacks)
    network = average(members)

    callbacks.on_batch_end()
    run.write_json(SCALER, {"features": data.scaler.to_json(), "target": data.target.scaler.to_json()})
    run.write_table(HISTORY, [asdict(epoch) for epoch in history])
    inference = _store_network(run, network, callbacks)
    _draw_losses(run, config, history)
    callbacks.on_batch_end()
    if config.calibration != "none":
        run.write_json(CALIBRATION, calibrate(config, (data.datasets, data.without), inference).to_json())
    first = data.datasets[0]
    adapt_from = PriceTask(adapt_from=config.adapt_from).adaptation_start(first)
    write_cache(run, config, first, inference, adapt_from=adapt_from)
    write_closes(run, data.prices)
    refused = refused_of(run.checkpoints.begun(), run.path / BEGUN)
    run.finish({**_manifest(config, data, history, parameters=network.count_params()), **_refused(refused)})
    return run


def _with_event_files(callbacks: Callbacks, writer: TensorBoardWriter) -> Callbacks:
    def on_epoch_end(epoch: EpochLog) -> None:
        writer.write(epoch)
        callbacks.on_epoch_end(epoch)

    return replace(callbacks, on_epoch_end=on_epoch_end)


def _store_network(run: RunDirectory, network: Any, callbacks: Callbacks) -> Network:
    """Store a network; return what forecasts: the ONNX file, or Keras where the network has no ONNX form."""
    try:
        run.write_network(
            save_weights=network.save_weights,
            export=lambda path: export_onnx(network, path),
            room=4 * network.count_params() + _ROOM_FOR_AN_ARRAY * len(network.weights),
        )
        return load_onnx(run.onnx_path())
    except ExportError as error:
        callbacks.on_message(f"{run.name} has no {ONNX}, so it forecasts with Keras, seconds slower: {error}.")
    return keras_network(network, source=run.path)


def _draw_losses(run: RunDirectory, config: Config, history: list[EpochLog]) -> None:
    from stockcast import plots  # matplotlib: only for who draws

    title = f"{config.name}: loss by epoch"
    run.write_plot("loss", plots.loss_curve(history, monitor=config.training.monitor, title=title))


def calibrate(
    config: Config, groups: Sequence[Sequence[SeriesDataset]], network: Network
) -> ConformalOffsets | ConformalScaling:
    """Fit the bands on the calibration days of every series of all groups."""
    # Scaling uses one band; all quantiles of hundreds of series are gigabytes, and seconds to compute.
    levels = ADAPTED_LEVELS if config.head.has_bands else LEVELS
    task, days = PriceTask(), set[np.datetime64]()
    origins = [dataset.origins("calibration", required=False) for dataset in chain(*groups)]
    every = 1 + sum(map(len, origins)) // _MOST_CALIBRATED

    def pairs() -> Iterator[tuple[Forecast, Floats]]:
        for number, (dataset, own) in enumerate(zip(chain(*groups), origins, strict=True)):
            chosen = slice(number % every, None, every)  # other days of each series, or most days would be of none
            if not len(own[chosen]):
                continue
            dates = dataset.prices.dates
            forecast = task.forecast(network, dataset, dates, own[chosen], steps=config.horizon, levels=levels)
            days.update(np.unique(forecast.target_dates))
            yield forecast, dataset.forecast_task("calibration").actual[chosen]

    if config.head.has_bands:
        return fit_scaling(pairs()).shrunk(len(days))
    ((forecast, actual),) = pairs()  # a point head forecasts prices or in the training days' unit: one series
    return fit_offsets(forecast, actual)


def _manifest(config: Config, data: TrainingData, history: list[EpochLog], *, parameters: int) -> dict[str, Any]:
    """Return what run.json holds of the training."""
    prices = data.prices
    first, split = prices[0], data.datasets[0].split
    best = best_epoch(history, config.training.monitor)
    blocks = [[str(day) for day in block] for block in config.blocks]
    border, members = config.first_day("validation") or date.max, range(1, config.networks + 1)
    return {
        "versions": versions(),
        "machine": machine(),
        "seed": config.training.seed,
        "data": _described(first),
        "series": [
            {**_described(series), "training_sha256": series.closes_sha256(first=str(series.dates[0]), before=border)}
            for series in prices
        ],
        **_covariates(prices),
        "split": {
            part: {"first": str(first.dates[span.start]), "last": str(first.dates[span.stop - 1])}
            for part in PARTS
            if (span := split.part(part)).start < span.stop
        },
        **({"validation_blocks": blocks} if blocks else {}),
        **({} if config.tuned is None else {"tuned": config.tuned.model_dump(mode="json")}),
        "training": {
            "windows": len(data.training),
            "drift": drift_range(prices, before=border),
            "parameters": parameters,
            "epochs": len(history),
            "epochs_by_member": [len([epoch for epoch in history if epoch.member == member]) for member in members],
            "best_epoch": best.epoch,
            "best_member": best.member,
            "best_val_loss": best.val_loss,
            "seconds": round(sum(epoch.seconds for epoch in history), 2),
        },
    }


def _covariates(prices: Sequence[Prices]) -> dict[str, Any]:
    """Return what a run holds about its file of covariates; nothing where there is none."""
    own = prices[0].own
    if own is None or own.covariates is None:
        return {}
    return {"covariates": {"path": str(own.covariates), "sha256": own.sha256}}


def _refused(files: Sequence[RefusedFile]) -> dict[str, Any]:
    """Return what a run holds about price files that were left out; nothing where there are none."""
    return {"refused": list(map(asdict, files))} if files else {}


def drift_range(series: Sequence[Prices], *, before: date) -> dict[str, float]:
    """Return the least and the largest mean log return a bar that any of the series had on days before `before`."""
    drifts = []
    for prices in series:
        closes = prices.column("Close")[: np.searchsorted(prices.dates, np.datetime64(before))]
        if len(closes) > 1:
            drifts.append(float(np.log(closes[-1] / closes[0]) / (len(closes) - 1)))
    return {"least": min(drifts, default=0.0), "most": max(drifts, default=0.0)}


def _described(prices: Prices) -> dict[str, Any]:
    return {
        "name": prices.label,
        "path": str(prices.source),
        **({"ticker": prices.ticker} if prices.ticker else {}),
        "sha256": prices.sha256,
        "first": str(prices.dates[0]),
        "last": str(prices.dates[-1]),
        "days": len(prices.dates),
        "frequency": prices.frequency.name,
        "columns": list(prices.bars.columns),
        "adjusted": prices.are_adjusted,
        "notes": list(prices.notes),
    }
