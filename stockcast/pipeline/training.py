"""Prices and a config -> a trained network, kept as a run; also one that was stopped and is taken up again."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from stockcast.config import Config
from stockcast.data.prices import Prices
from stockcast.data.splits import PARTS, Part, split_days
from stockcast.data.windows import Windows
from stockcast.errors import DataError, NotEnoughDays, StockcastError
from stockcast.evaluation.calibration import Calibration, Stretch, calibrate, check_origins, stretch
from stockcast.forecast import Floats, Forecast
from stockcast.material import Material
from stockcast.models.factory import average, build_network, machine, versions
from stockcast.models.heads import HEADS
from stockcast.models.inference import Network, export_onnx, load_onnx
from stockcast.models.training import Epoch, State, best_of, fit
from stockcast.pipeline.series import (
    Say,
    Series,
    fit_scalers,
    issue,
    make_material,
    make_series,
    nobody,
    price_files,
    read_closely,
)
from stockcast.runs import RunDirectory

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
    say: Say = nobody,
    report: Callable[[Epoch], None] = nobody,
    begun: Callable[[RunDirectory], None] = nobody,
    pause: Callable[[], None] = nobody,
) -> Trained:
    """Train a network as the config says and leave a finished run under `runs`.

    Args:
        config: what to train on and how.
        runs: folder of the runs.
        name: of the run; None for the config's name and the time.
        say: told what was mended and what looks odd in the data, one sentence each.
        report: told of each epoch.
        begun: told of the run once it stands on the disk, from where on it can be resumed.
        pause: called between batches and between stages; it may raise to end the training there.

    Raises:
        StockcastError: data, config or disk do not allow it; the message says what to do.
    """
    RunDirectory.check_name(name)
    config, series = prepare(config, say)
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
            return carry_on(config, series, run, report=report, pause=pause)
        except StockcastError:
            run.underway.discard_if_untrained()
            raise


def prepare(config: Config, say: Say) -> tuple[Config, list[Series]]:
    """Read the prices; return the config with dates for the parts, and every series as numbers."""
    prices = [read_closely(config, path, say) for path in price_files(config)]
    try:
        config = _with_dates(config, prices)  # rows that come later must not move a border
        series = [make_series(config, one) for one in prices]
        _check_days(config, series)
    except NotEnoughDays as error:
        if len(prices) > 1:
            raise
        raise NotEnoughDays(f"{prices[0].source}: {error}") from error
    return config, series


def begin_details(series: list[Series]) -> dict[str, Any]:
    """Return what a training that is resumed must find as it was."""
    return {"versions": versions(), "series": [_described(one.prices) for one in series]}


def carry_on(
    config: Config,
    series: list[Series],
    run: RunDirectory,
    *,
    report: Callable[[Epoch], None],
    pause: Callable[[], None],
) -> Trained:
    """Train from the run's last checkpoint on, or from the start where it has none, and finish the run."""
    scaler, target = fit_scalers(config, series, days=[one.split.part("training") for one in series])
    materials = [make_material(config, one, scaler, target) for one in series]
    training, validation = (_windows(config, series, materials, part) for part in ("training", "validation"))
    settings = config.training.model_dump(exclude={"seed", "members"})
    history: list[Epoch] = []
    members = []
    for member in range(1, config.training.members + 1):
        seed = config.training.seed + member - 1
        network = build_network(
            **config.model.model_dump(),
            window=config.window,
            features=len(config.features),
            horizon=config.steps,
            columns=len(config.target.names),
            seed=seed,
        )
        history += fit(
            network,
            training,
            validation,
            head=config.model.head,
            **settings,
            seed=seed,
            member=member,
            state=checkpoint(run, member),
            keep=partial(_keep, run),
            pause=pause,
            report=report,
        )
        members.append(network)
    network = average(members)

    from stockcast import plots  # matplotlib: only for who draws

    pause()
    run.write_scalers({"features": scaler.to_json(), "target": target.scaler.to_json()})
    run.write_history([asdict(epoch) for epoch in history])
    run.write_network(
        save_weights=network.save_weights,
        export=lambda path: export_onnx(network, path),
        room=4 * network.count_params() + _BESIDE * len(network.weights),
    )
    run.write_plot("loss", plots.loss_curve(history, title=f"{config.name}: loss by epoch"))
    pause()
    if config.calibration != "none":
        measured = _calibrate(config, series, materials, load_onnx(run.onnx_path()))
        run.write_calibration(measured.to_json())
    best = best_of(history)
    seconds = sum(epoch.seconds for epoch in history)
    details = {
        "windows": len(training),
        "parameters": network.count_params(),
        "epochs": len(history),
        "best_epoch": best.epoch,
        "best_val_loss": best.val_loss,
        "seconds": round(seconds, 2),
    }
    run.finish(_manifest(config, series, details))
    return Trained(run, len(history), best, seconds)


def checkpoint(run: RunDirectory, member: int) -> State | None:
    """Return where the training of a member stands, or None before its first epoch."""
    stored = next(run.underway.checkpoints(member), None)
    return None if stored is None else State.from_arrays(stored, member=member)


def _keep(run: RunDirectory, state: State) -> None:
    last = state.history[-1]
    run.underway.write_checkpoint(last.member, last.epoch, state.to_arrays())


def _calibrate(
    config: Config, series: list[Series], materials: list[Material], network: Network
) -> Calibration | Stretch:
    """Measure the bands on the calibration days of every series."""
    pairs: list[tuple[Forecast, Floats]] = []
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
            )
            pairs.append((forecast, question.actual))
    if HEADS[config.model.head].has_density:
        dates = np.unique(np.concatenate([forecast.target_dates.ravel() for forecast, _ in pairs]))
        return stretch(pairs).tempered(len(dates))
    ((forecast, actual),) = pairs  # a point head answers prices or the training days' unit: one series
    return calibrate(forecast, actual)


def _with_dates(config: Config, prices: list[Prices]) -> Config:
    """The same config with each part's first day in place of its share of all days of all series."""
    dates = np.unique(np.concatenate([one.dates for one in prices]))
    split = split_days(dates, **dict(config.split))
    firsts: dict[str, Any] = {part: dates[split.part(part).start].astype(object) for part in PARTS[1:]}
    return config.model_copy(update={"split": config.split.model_copy(update=firsts)})


def _windows(config: Config, series: list[Series], materials: list[Material], part: Part) -> Windows:
    """The windows of a part of every series; a recursive network answers one day at a time."""
    return Windows.joined(
        [
            material.windows(one.split.origins(part, window=config.window, horizon=config.steps, required=False))
            for one, material in zip(series, materials, strict=True)
        ]
    )


def _check_days(config: Config, series: list[Series]) -> None:
    """Refuse data too short for any part before anything is built or written."""
    for part in PARTS:
        only = len(series) == 1
        counts = [
            len(one.split.origins(part, window=config.window, horizon=config.horizon, required=only)) for one in series
        ]
        if not sum(counts):
            raise NotEnoughDays(
                f"None of the {len(series)} series has the days for a window of {config.window} and a horizon of "
                f"{config.horizon} in the {part} part. Use longer files, or give the part more days (split)."
            )
        if part == "training":
            late = [one.prices.source.name for one, count in zip(series, counts, strict=True) if not count]
            if late:
                raise DataError(
                    f"{', '.join(late)} begins too late to be learnt from: no window of {config.window} days with the "
                    f"{config.horizon} after it before {config.split.validation}. Leave it out of data.path; "
                    f"`stockcast evaluate --data` scores it."
                )
        if part == "calibration" and config.calibration != "none":
            check_origins(sum(counts))


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
