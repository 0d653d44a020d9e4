"""READ FIRST: train, evaluate and predict, each as the sentence that describes it.

    CSV -> Prices -> features -> split -> scaler -> windows -> network -> Forecast -> scores -> verdict -> plots -> run

The rooms behind the imports know nothing of each other or of the config; they meet here.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stockcast import plots
from stockcast.config import Config, load_config
from stockcast.data.calendar import check_calendar, misfit, sessions_after
from stockcast.data.csvfile import counted
from stockcast.data.features import make_features
from stockcast.data.prices import Prices, read_prices
from stockcast.data.scaling import Scaler, fit_scaler
from stockcast.data.splits import PARTS, Part, Split, split_days
from stockcast.data.targets import Target, fit_target
from stockcast.errors import MissingColumns, NotEnoughDays, RunError, StockcastError
from stockcast.evaluation.baselines import BASELINES, Question
from stockcast.evaluation.behaviour import Lag, Trend, lag_of, trend_of
from stockcast.evaluation.calibration import Calibration, calibrate, check_origins
from stockcast.evaluation.scores import Report, compare
from stockcast.evaluation.verdict import judge
from stockcast.forecast import LEVELS, Days, Floats, Forecast
from stockcast.material import Material
from stockcast.models.factory import build_network, versions
from stockcast.models.heads import HEADS
from stockcast.models.inference import export_onnx, load_onnx
from stockcast.models.training import Epoch, fit
from stockcast.runs import RunDirectory

Say = Callable[[str], None]


def _nobody(_: object) -> None:
    """Who is told when the caller names nobody."""


@dataclass(frozen=True)
class Trained:
    """What `train` leaves behind."""

    run: RunDirectory
    epochs: int
    best: Epoch
    seconds: float


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found; `metrics` is metrics.json."""

    report: Report
    trend: Trend
    lag: Lag
    verdict: tuple[str, ...]
    metrics: dict[str, Any]
    folder: Path


@dataclass(frozen=True)
class Prediction:
    """What `predict` says of the days after the last row, in the price unit of that row."""

    forecast: Forecast
    rows: list[dict[str, Any]]
    table: Path


def train(
    config: Config,
    *,
    runs: Path,
    name: str | None = None,
    say: Say = _nobody,
    report: Callable[[Epoch], None] = _nobody,
) -> Trained:
    """Train a network as the config says and leave a finished run under `runs`.

    Args:
        config: what to train on and how.
        runs: folder of the runs.
        name: of the run; None for the config's name and the time.
        say: told what was mended in the data, one sentence each.
        report: told of each epoch.

    Raises:
        StockcastError: data, config or disk do not allow it; the message says what to do.
    """
    prices = _read(config, say)
    split = _split(config, prices)
    _check_days(config, split)
    config = _with_dates(config, split, prices)  # rows that come later must not move a border
    run = RunDirectory.create(runs, config_name=config.name, name=name)
    try:
        return _train(config, prices, split, run, report)
    except BaseException:
        run.discard_if_empty()
        raise


def _train(config: Config, prices: Prices, split: Split, run: RunDirectory, report: Callable[[Epoch], None]) -> Trained:
    features = make_features(prices, config.features)
    closes = prices.complete(config.target.column)
    past = split.part("training")
    scaler = fit_scaler(features[past], kind=config.scaler, names=config.features)
    # What is fed back needs its input's unit; elsewhere returns are best answered in their own deviations.
    own_unit = config.strategy == "direct" and config.target.transform == "log_return"
    target = fit_target(closes[past], transform=config.target.transform, kind="standard" if own_unit else config.scaler)
    material = _material(config, closes, features, scaler, target)

    network = build_network(
        **config.model.model_dump(),
        window=config.window,
        features=len(config.features),
        horizon=config.steps,
        seed=config.training.seed,
    )
    history = fit(
        network,
        material.windows(_origins(config, split, "training")),
        material.windows(_origins(config, split, "validation")),
        head=config.model.head,
        **config.training.model_dump(),
        report=report,
    )

    run.write_config(config.to_yaml())
    run.write_scalers({"features": scaler.to_json(), "target": target.scaler.to_json()})
    run.write_history([asdict(epoch) for epoch in history])
    run.write_network(save_weights=network.save_weights, export=lambda path: export_onnx(network, path))
    run.write_plot("loss", plots.loss_curve(history, title=f"{config.name}: loss by epoch"))
    if not HEADS[config.model.head].has_density:
        question = _question(config, prices, split, "calibration")
        quantiles = material.forecast(load_onnx(run.onnx_path()), question.origins, steps=config.horizon)
        run.write_calibration(calibrate(question.forecast(quantiles), question.actual).to_json())
    best = min(history, key=lambda epoch: epoch.val_loss)
    run.finish(_manifest(config, prices, split, history, best, parameters=network.count_params()))
    return Trained(run, len(history), best, sum(epoch.seconds for epoch in history))


def evaluate(run: RunDirectory, *, part: Part = "test", say: Say = _nobody) -> Evaluation:
    """Score a run on every origin of its test days, beside the simplest rivals, and judge it.

    Args:
        run: a finished run.
        part: `test`, or `validation`, whose scores are too good because it stopped the training.
        say: told what looks odd in the data.

    Raises:
        StockcastError: the run is damaged, or its price file is not the one it was trained on.
    """
    config = load_config(run.config_path())
    trained_on = run.manifest()["data"]
    prices = _read(config, say)
    if prices.sha256 != trained_on["sha256"]:
        raise RunError(
            f"{config.data.path} has changed since {run.name} was trained, so its test days are not what they were. "
            f"Train again, or put the old file back."
        )
    split = _split(config, prices)
    material = _stored_material(run, config, prices)
    question = _question(config, prices, split, part)

    quantiles = material.forecast(load_onnx(run.onnx_path()), question.origins, steps=config.horizon)
    forecast = _calibrated(run, config, question.forecast(quantiles))
    rivals = {name: rival(question) for name, rival in BASELINES.items()}
    report = compare(forecast, rivals, question.actual)
    trend, lag = trend_of(forecast, question.actual), lag_of(forecast, question.actual)
    verdict = judge(report, trend, lag)

    span = {
        "part": part,
        "first_origin": str(forecast.origin_dates[0]),
        "last_target": str(forecast.target_dates[-1, -1]),
        "origins": len(question.origins),
    }
    metrics = {
        "data": {key: trained_on[key] for key in ("name", "sha256", "first", "last", "days")},
        "seed": config.training.seed,
        "split": span,
        "horizons": {str(step): comparison.to_json() for step, comparison in report.horizons.items()},
        "overall": report.overall.to_json(),
        "trend": asdict(trend),
        "lag": asdict(lag),
        "verdict": list(verdict),
    }
    folder = run.write_evaluation(
        part, scores=metrics, verdict="\n".join(verdict) + "\n", forecast=forecast, actual=question.actual
    )
    title = f"{run.name}, {part} days {span['first_origin']} to {span['last_target']}"
    pictures = f"{folder.name}/plots"
    unit = plots.price_label(config.data.calendar, adjusted=prices.are_adjusted)
    run.write_plot(
        "forecasts", plots.forecast_sequences(prices.dates, material.closes, forecast, title, unit), folder=pictures
    )
    run.write_plot("skill", plots.skill_by_horizon(report.skill_by_step, title), folder=pictures)
    run.write_plot("coverage", plots.coverage(forecast, rivals, question.actual, title), folder=pictures)
    return Evaluation(report, trend, lag, verdict, metrics, folder)


def predict(
    run: RunDirectory,
    *,
    data: Path | None = None,
    horizon: int | None = None,
    output: Path | None = None,
    say: Say = _nobody,
) -> Prediction:
    """Forecast the sessions after the last row, and write them as a table and a picture.

    Args:
        run: a finished run.
        data: a newer price file of the same columns; None for the one it was trained on.
        horizon: sessions ahead; None for the run's own.
        output: folder to write to; None for one inside the run.
        say: told what looks odd in the data.

    Raises:
        StockcastError: the data do not fit the run, or the horizon is longer than a direct network's.
    """
    config = load_config(run.config_path())
    steps = config.horizon if horizon is None else horizon
    if config.strategy == "direct" and steps > config.horizon:
        raise StockcastError(
            f"{run.name} answers {config.horizon} days ahead, all at once, and cannot say more: --horizon {steps} is "
            f"too far. Train with horizon: {steps}, or use strategy: recursive."
        )
    if data is not None:
        newer = config.data.model_copy(update={"path": data, "start": None, "end": None})
        config = config.model_copy(update={"data": newer})
    prices = _read(config, say)
    learnt = run.manifest()["data"]["name"]
    if data is not None and data.name != learnt:
        say(f"{run.name} was trained on {learnt}; this is a forecast of {data.name} by what it learnt there.")
    if len(prices.dates) < config.window:
        raise NotEnoughDays(
            f"{config.data.path} has {len(prices.dates)} trading days, but {run.name} looks back over "
            f"{config.window}. Use a longer file."
        )
    material = _stored_material(run, config, prices)
    origin = np.array([len(prices.dates) - 1])
    quantiles = material.forecast(load_onnx(run.onnx_path()), origin, steps=steps)
    forecast = Forecast(
        origin_dates=prices.dates[origin],
        target_dates=sessions_after(prices.dates[-1], steps, calendar=config.data.calendar)[None],
        levels=LEVELS,
        quantiles=quantiles,
        last_close=material.closes[origin],
    )
    forecast = _calibrated(run, config, forecast)
    # Adjusted prices differ from quoted ones by a factor; the reader knows the quoted one of the last day.
    factor = prices.quote_factor
    forecast, closes = forecast.times(factor), material.closes * factor

    rows = _rows(forecast)
    figure = plots.fan_chart(
        prices.dates,
        closes,
        forecast,
        title=f"{prices.name}: {counted(steps, 'session')} after {prices.dates[-1]}, by {run.name}",
        unit=plots.price_label(config.data.calendar, adjusted=False),
    )
    table = run.write_prediction(rows, figure, folder=(output or run.prediction_folder(prices.dates[-1])).resolve())
    return Prediction(forecast, rows, table)


def _read(config: Config, say: Say) -> Prices:
    check_calendar(config.data.calendar)
    settings = config.data
    prices = read_prices(
        settings.path,
        date_format=settings.date_format,
        start=settings.start,
        end=settings.end,
        adjusted=config.target.adjusted,
    )
    odd = misfit(prices.dates, calendar=settings.calendar)
    for note in (*prices.notes, *([odd] if odd else [])):
        say(f"{settings.path.name}: {note}.")
    return prices


def _split(config: Config, prices: Prices) -> Split:
    return split_days(prices.dates, **dict(config.split))


def _with_dates(config: Config, split: Split, prices: Prices) -> Config:
    """The same config with each part's first day in place of its share."""
    parts = PARTS[1:]
    firsts: dict[str, Any] = {part: prices.dates[split.part(part).start].astype(object) for part in parts}
    return config.model_copy(update={"split": config.split.model_copy(update=firsts)})


def _origins(config: Config, split: Split, part: Part) -> Days:
    """Origins of a part as the network sees them: a recursive one answers one day at a time."""
    return split.origins(part, window=config.window, horizon=config.steps)


def _check_days(config: Config, split: Split) -> None:
    """Refuse data too short for any part before anything is built or written."""
    origins = {part: split.origins(part, window=config.window, horizon=config.horizon) for part in PARTS}
    if not HEADS[config.model.head].has_density:
        check_origins(len(origins["calibration"]))


def _question(config: Config, prices: Prices, split: Split, part: Part) -> Question:
    """Every origin whose whole horizon lies in the part."""
    return Question(
        dates=prices.dates,
        closes=prices.complete(config.target.column),
        origins=split.origins(part, window=config.window, horizon=config.horizon),
        horizon=config.horizon,
        training_days=split.part("training").stop,
    )


def _material(config: Config, closes: Floats, features: Floats, scaler: Scaler, target: Target) -> Material:
    return Material(
        closes=closes,
        scaled=scaler.transform(features),
        target=target,
        window=config.window,
        steps=config.steps,
        recursive=config.strategy == "recursive",
        head=HEADS[config.model.head],
    )


def _stored_material(run: RunDirectory, config: Config, prices: Prices) -> Material:
    """These prices by the run's own scalers."""
    scalers = run.scalers()
    scaler = Scaler.from_json(scalers["features"])
    target = Target(config.target.transform, Scaler.from_json(scalers["target"]))
    try:
        features, closes = make_features(prices, config.features), prices.complete(config.target.column)
    except MissingColumns as error:
        raise MissingColumns(f"{run.name} needs inputs that this file cannot give. {error}") from None
    return _material(config, closes, features, scaler, target)


def _calibrated(run: RunDirectory, config: Config, forecast: Forecast) -> Forecast:
    if HEADS[config.model.head].has_density:
        return forecast
    return Calibration.from_json(run.calibration()).apply(forecast)


def _rows(forecast: Forecast) -> list[dict[str, Any]]:
    """forecast.csv: one row a session, prices to six significant places and no false ones."""
    (lower_50, upper_50), (lower_90, upper_90) = forecast.band(0.5), forecast.band(0.9)
    columns = {
        "median": forecast.median,
        "lower_50": lower_50,
        "upper_50": upper_50,
        "lower_90": lower_90,
        "upper_90": upper_90,
    }
    return [
        {
            "date": str(day),
            "step": step + 1,
            **{name: float(f"{values[0, step]:.6g}") for name, values in columns.items()},
        }
        for step, day in enumerate(forecast.target_dates[0])
    ]


def _manifest(
    config: Config, prices: Prices, split: Split, history: list[Epoch], best: Epoch, *, parameters: int
) -> dict[str, Any]:
    days = {part: split.part(part) for part in PARTS}
    return {
        "versions": versions(),
        "seed": config.training.seed,
        "data": {
            "name": config.data.path.name,
            "path": str(config.data.path),
            "sha256": prices.sha256,
            "first": str(prices.dates[0]),
            "last": str(prices.dates[-1]),
            "days": len(prices.dates),
            "notes": list(prices.notes),
        },
        "split": {
            part: {"first": str(prices.dates[span.start]), "last": str(prices.dates[span.stop - 1])}
            for part, span in days.items()
        },
        "training": {
            "windows": len(_origins(config, split, "training")),
            "parameters": parameters,
            "epochs": len(history),
            "best_epoch": best.epoch,
            "best_val_loss": best.val_loss,
            "seconds": round(sum(epoch.seconds for epoch in history), 2),
        },
    }
