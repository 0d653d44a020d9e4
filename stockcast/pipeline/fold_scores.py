"""A config -> its scores on folds of the days before calibration. Nothing later is read into them.

The prices end on the day before the first calibration day before anything is computed from them. On each fold the
network is trained, stopped, calibrated and scored as `train` and `evaluate` do with the fold's config, without a run.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from stockcast.config.schema import Config
from stockcast.data.prices import Prices
from stockcast.errors import ConfigError, ExportError, NotEnoughDays
from stockcast.evaluation import classification, metrics
from stockcast.evaluation.baselines.naive import random_walk
from stockcast.evaluation.baselines.task import ForecastTask
from stockcast.execution.members import train_in_memory
from stockcast.forecast import Forecast
from stockcast.forecasting.dataset import SeriesDataset
from stockcast.forecasting.folds import Fold, FoldPlan, plan_folds
from stockcast.forecasting.tasks import DirectionTask, PriceTask
from stockcast.forecasting.training_data import build_training_data, read_training_prices
from stockcast.forecasting.training_days import split_of
from stockcast.models.backend import forget_networks
from stockcast.models.callbacks import SILENT, Callbacks
from stockcast.models.heads import Classes
from stockcast.models.inference import Network, keras_network
from stockcast.models.onnx.export import export_onnx
from stockcast.models.onnx.session import load_onnx
from stockcast.pipeline.train import calibrate
from stockcast.typing import Floats, Labels


def _crps(forecast: Forecast, actual: Floats) -> Floats:
    """CRPS of log returns since the origin, as `evaluate` has it."""
    returns = np.log(actual / forecast.last_close[:, None])
    return metrics.crps(forecast.log_returns(), returns, forecast.levels)


_PRICE_METRICS: dict[str, Callable[[Forecast, Floats], Floats]] = {
    "crps": _crps,
    "mae": lambda forecast, actual: np.abs(forecast.median - actual),
}
_DIRECTION_METRICS: dict[str, Callable[[Floats, Labels], Floats]] = {
    "brier": classification.brier,
    "log_loss": classification.log_loss,
}
METRICS = (*_PRICE_METRICS, *_DIRECTION_METRICS)
"""What trials can be compared by; of prices and of directions the first of each is the default."""


def choose_metric(config: Config, metric: str | None) -> str:
    """Return the metric of this name, or the default of the config's head; ConfigError if it has no such score."""
    known = list(_PRICE_METRICS if config.head.classes is None else _DIRECTION_METRICS)
    if metric is None:
        return known[0]
    if metric not in known:
        raise ConfigError(
            f"--metric {metric}: model.head {config.head.name} is scored by {' or '.join(known)}.",
            key="--metric",
            value=metric,
        )
    return metric


@dataclass(frozen=True)
class TuningDays:
    """The days that trials are scored on.

    Attributes:
        config: the starting config, with dates for the parts.
        folds: of the days before the first calibration day, oldest first.
        before: the first calibration day; nothing from it on is read.
        content: a hash of the prices before it.
    """

    config: Config
    folds: tuple[Fold, ...]
    before: date
    content: str


def plan_tuning(config: Config, *, folds: int, callbacks: Callbacks = SILENT) -> TuningDays:
    """Read the prices, and divide the days before calibration into folds.

    Raises:
        ConfigError: there are fewer folds than one, or more than days.
        NotEnoughDays: the days before calibration are too few.
        StockcastError: the price files cannot be used.
    """
    if folds < 1:
        raise ConfigError(f"--folds {folds} must be at least 1.", key="--folds", value=folds)
    read = read_training_prices(config, callbacks.on_message)
    before = read.config.first_day("calibration")
    if before is None:
        raise TypeError("a config with dates has a first calibration day")
    dates = np.unique(np.concatenate([series.dates for series in read.series]))
    try:
        planned = plan_folds(read.config, dates, FoldPlan(folds=folds, before=before))
    except NotEnoughDays as error:
        raise NotEnoughDays(
            f"The days before calibration, which begins on {before}, are too few for folds: "
            f"{str(error).removesuffix(' (--from).')}",
            key="--folds",
            value=error.value,
        ) from None
    last = before - timedelta(days=1)
    content = [series.until(last).content_sha256() for series in read.series if series.dates[0] < np.datetime64(before)]
    return TuningDays(read.config, planned, before, "-".join(each[:16] for each in content[:4]))


class FoldScorer:
    """Scores configs on the same folds."""

    def __init__(self, config: Config, folds: tuple[Fold, ...], *, metric: str) -> None:
        """Read the prices up to the end of the last fold, and nothing after it.

        Args:
            config: the starting config.
            folds: oldest first.
            metric: one of `METRICS`.
        """
        self._folds, self._metric = folds, metric
        # Its data.end lies before calibration: reading leaves out what follows.
        self._prices = read_training_prices(folds[-1].config, lambda message: None).series

    def scores(self, config: Config, *, first: int = 0) -> Iterator[float]:
        """Train and score a config on one fold after the other.

        Args:
            config: a variant of the starting config, which differs neither in its data nor in its split.
            first: index of the first fold to do.

        Yields:
            The mean loss divided by that of the random walk, or of the training days' shares of each direction, on the
            same days; of several series the mean of their quotients.

        Raises:
            NotEnoughDays: the window does not fit in the fold.
            TrainingError: the loss is not a finite number.
        """
        for fold in self._folds[first:]:
            own = config.model_copy(update={"split": fold.config.split, "data": fold.config.data})
            yield self._score(own, [prices.until(fold.config.data.end or date.max) for prices in self._prices])
            forget_networks()

    def _score(self, config: Config, prices: list[Prices]) -> float:
        prices = [series for series in prices if _has(config, series, "training")]
        data = build_training_data(config, prices)
        with tempfile.TemporaryDirectory() as folder:
            network = _as_it_forecasts(train_in_memory(config, data), Path(folder) / "model.onnx")
        if config.head.classes is not None:
            ratios = [self._directions(config.head.classes, network, dataset) for dataset in _scored(data.datasets)]
        else:
            calibration = (
                None if config.calibration == "none" else calibrate(config, (data.datasets, data.without), network)
            )
            task = PriceTask(calibration, config.adapt_from)
            ratios = [self._prices_of(task, network, dataset) for dataset in _scored(data.datasets)]
        if not ratios:
            raise NotEnoughDays("No series has days to score in a fold.", key="--folds")
        return float(np.mean(ratios))

    def _prices_of(self, price_task: PriceTask, network: Network, dataset: SeriesDataset) -> float:
        task: ForecastTask = dataset.forecast_task("test")
        forecast = price_task.forecast(network, dataset, dataset.prices.dates, task.origins, steps=task.horizon)
        loss = _PRICE_METRICS[self._metric]
        return float(loss(forecast, task.actual).mean() / loss(random_walk(task), task.actual).mean())

    def _directions(self, classes: Classes, network: Network, dataset: SeriesDataset) -> float:
        origins, training, steps = dataset.origins("test"), dataset.origins("training"), dataset.horizon
        forecast = DirectionTask(classes).forecast(network, dataset, dataset.prices.dates, origins, steps=steps)
        actual = dataset.labels(classes, origins, steps=steps)
        past = dataset.labels(classes, training, steps=steps)
        shares = classification.class_shares(past, classes=len(classes.names))
        loss = _DIRECTION_METRICS[self._metric]
        baseline = np.broadcast_to(shares, forecast.probabilities.shape)
        return float(loss(forecast.probabilities, actual).mean() / loss(baseline, actual).mean())


def _has(config: Config, prices: Prices, part: str) -> bool:
    """Whether a series has an origin in a part."""
    split = split_of(config, prices)
    return len(split.origins(part, window=config.window, horizon=config.horizon, required=False)) > 0  # type: ignore[arg-type]


def _scored(datasets: Sequence[SeriesDataset]) -> list[SeriesDataset]:
    """Return the series that have an origin to score."""
    return [dataset for dataset in datasets if len(dataset.origins("test", required=False))]


def _as_it_forecasts(network: object, path: Path) -> Network:
    """Return the network as a run forecasts with it: by ONNX Runtime, or by Keras where it has no ONNX form."""
    try:
        export_onnx(network, path)
        return load_onnx(path)
    except ExportError:
        return keras_network(network, source=path)
