"""Prices and a config -> a trained network, kept as a run; also one that was stopped and is taken up again."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.config import Config
from stockcast.data.prices import Prices
from stockcast.data.splits import PARTS
from stockcast.errors import ExportError, StockcastError
from stockcast.evaluation.adaptive import LEARNT_FROM
from stockcast.evaluation.calibration import Calibration, Stretch, calibrate, stretch
from stockcast.forecast import LEVELS, Floats, Forecast
from stockcast.material import Material
from stockcast.models.events import EventFiles
from stockcast.models.factory import average, machine, versions
from stockcast.models.inference import Network, export_onnx, keras_network, load_onnx
from stockcast.models.training import Epoch, best_of
from stockcast.pipeline.beforehand import write_beforehand
from stockcast.pipeline.members import count_lanes, train_members
from stockcast.pipeline.preparation import Lessons, make_lessons, prepare
from stockcast.pipeline.series import Say, Series, issue, nobody
from stockcast.runs import RunDirectory
from stockcast.runs.names import ONNX

_BESIDE = 16_384
"""Bytes that a network's file needs for each array beside the numbers; HDF5 takes up to 8 KB for its name and shape."""


@dataclass(frozen=True)
class Trained:
    """What `train` leaves behind."""

    run: RunDirectory
    epochs: int
    best: Epoch
    seconds: float


def train(
    config: Config,
    *,
    runs: Path,
    name: str | None = None,
    processes: int | None = None,
    say: Say = nobody,
    report: Callable[[Epoch], None] = nobody,
    begun: Callable[[RunDirectory], None] = nobody,
    pause: Callable[[], None] = nobody,
    tensorboard: bool = False,
) -> Trained:
    """Train a network as the config says and leave a finished run under `runs`.

    Args:
        config: what to train on and how.
        runs: folder of the runs.
        name: of the run; None for the config's name and the time.
        processes: how many of its members are trained side by side, at the most; None for as many as there are cores.
        say: told what was mended and what looks odd in the data, one sentence each.
        report: told of each epoch.
        begun: told of the run once it stands on the disk, from where on it can be resumed.
        pause: called between batches and between stages; it may raise to end the training there.
        tensorboard: whether to write event files into the run, too.

    Raises:
        StockcastError: data, config or disk do not allow it; the message says what to do.
    """
    RunDirectory.check_name(name)
    config, series = prepare(config, say)
    lessons = make_lessons(config, series)  # before Keras is loaded, which takes as much memory again
    lanes = count_lanes(config.networks, most=processes)
    details = begin_details(series)  # loads Keras; nothing stands on the disk yet
    pause()
    run = RunDirectory.create(runs, config_name=config.name, name=name)
    with run.underway.locked():
        try:
            run.underway.begin(config.to_yaml(), details)
        except BaseException:  # also who is stopped here has nothing to go on with
            run.underway.discard_if_untrained()
            raise
        begun(run)
        try:
            return carry_on(
                config, series, lessons, run, lanes=lanes, say=say, report=report, pause=pause, tensorboard=tensorboard
            )
        except StockcastError:
            run.underway.discard_if_untrained()
            raise


def begin_details(series: list[Series]) -> dict[str, Any]:
    """Return what a training that is resumed must find as it was."""
    return {"versions": versions(), "series": [_described(one.prices) for one in series]}


def carry_on(
    config: Config,
    series: list[Series],
    lessons: Lessons,
    run: RunDirectory,
    *,
    lanes: int,
    say: Say,
    report: Callable[[Epoch], None],
    pause: Callable[[], None],
    tensorboard: bool,
) -> Trained:
    """Train from the run's last checkpoint on, or from the start where it has none, and finish the run."""
    events = EventFiles(run.events_folder()) if tensorboard else None

    def told(epoch: Epoch) -> None:
        if events is not None:
            events.write(epoch)
        report(epoch)

    members, history = train_members(config, lessons, run, lanes=lanes, report=told, pause=pause)
    network = average(members)

    from stockcast import plots  # matplotlib: only for who draws

    pause()
    run.write_scalers({"features": lessons.scaler.to_json(), "target": lessons.target.scaler.to_json()})
    run.write_history([asdict(epoch) for epoch in history])
    answers = _store(run, network, say)
    run.write_plot("loss", plots.loss_curve(history, title=f"{config.name}: loss by epoch"))
    pause()
    if config.calibration != "none":
        measured = _calibrate(config, series, lessons.materials, answers)
        run.write_calibration(measured.to_json())
    write_beforehand(run, config, series[0], lessons.materials[0], answers)
    best = best_of(history, config.training.monitor)
    seconds = sum(epoch.seconds for epoch in history)
    details = {
        "windows": len(lessons.training),
        "parameters": network.count_params(),
        "epochs": len(history),
        "best_epoch": best.epoch,
        "best_val_loss": best.val_loss,
        "seconds": round(seconds, 2),
    }
    run.finish(_manifest(config, series, details))
    return Trained(run, len(history), best, seconds)


def _store(run: RunDirectory, network: Any, say: Say) -> Network:
    """Store a network; return what forecasts: what was stored, or Keras itself where there is no ONNX form of it."""
    try:
        run.write_network(
            save_weights=network.save_weights,
            export=lambda path: export_onnx(network, path),
            room=4 * network.count_params() + _BESIDE * len(network.weights),
        )
        return load_onnx(run.onnx_path())
    except ExportError as error:
        say(f"{run.name} keeps no {ONNX}, so its forecasts take Keras and seconds longer: {error}.")
    return keras_network(network, source=run.path)


def _calibrate(
    config: Config, series: list[Series], materials: list[Material], network: Network
) -> Calibration | Stretch:
    """Measure the bands on the calibration days of every series."""
    # A stretch looks at one band; all quantiles of hundreds of series are gigabytes, and seconds to compute.
    levels = LEARNT_FROM if config.head.has_bands else LEVELS
    days: set[np.datetime64] = set()

    def pairs() -> Iterator[tuple[Forecast, Floats]]:
        for one, material in zip(series, materials, strict=True):
            origins = one.split.origins("calibration", window=config.window, horizon=config.horizon, required=False)
            if len(origins):
                question = one.question(config, "calibration")
                forecast = issue(
                    network,
                    material,
                    one.prices.dates,
                    origins,
                    steps=config.horizon,
                    calibration=None,
                    learn_from=None,
                    levels=levels,
                )
                days.update(np.unique(forecast.target_dates))
                yield forecast, question.actual

    if config.head.has_bands:
        return stretch(pairs()).tempered(len(days))
    ((forecast, actual),) = pairs()  # a point head answers prices or the training days' unit: one series
    return calibrate(forecast, actual)


def _manifest(config: Config, series: list[Series], details: dict[str, Any]) -> dict[str, Any]:
    first = series[0]
    return {
        "versions": versions(),
        "machine": machine(),
        "seed": config.training.seed,
        "data": _described(first.prices),
        "series": [_described(one.prices) for one in series],
        "split": {
            part: {
                "first": str(first.prices.dates[span.start]),
                "last": str(first.prices.dates[span.stop - 1]),
            }
            for part in PARTS
            if (span := first.split.part(part)).start < span.stop
        },
        "training": details,
    }


def _described(prices: Prices) -> dict[str, Any]:
    return {
        "name": prices.source.name,
        "path": str(prices.source),
        "sha256": prices.sha256,
        "first": str(prices.dates[0]),
        "last": str(prices.dates[-1]),
        "days": len(prices.dates),
        "columns": list(prices.bars.columns),
        "adjusted": prices.are_adjusted,
        "notes": list(prices.notes),
    }
