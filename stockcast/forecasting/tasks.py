"""The two things that a network can forecast: prices with bands, or the direction (heads with classes).

Both tasks have the same three methods, whose arguments are

    network    windows to outputs
    dataset    the series, ready for the network
    dates      of all its days and of the `steps` sessions after the last, datetime64[D], shape (days + steps,)
    origins    days to forecast from, oldest first, shape (origins,)
    steps      days ahead
    sessions   the days after the last row to forecast, datetime64[D], shape (steps,)
    cached     the network's outputs on past days, where the run stores any
    task       the origins to score, with the actual prices
    baselines  makes the forecasts of costly baselines, or reads them from the run
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from stockcast.errors import RunError
from stockcast.evaluation.baselines.registry import forecast_baselines
from stockcast.evaluation.baselines.task import ForecastTask
from stockcast.evaluation.calibration.adaptive import ADAPTED_LEVELS, adapted_factors
from stockcast.evaluation.calibration.conformal import ConformalOffsets, ConformalScaling, scale_bands
from stockcast.evaluation.classification import class_shares
from stockcast.evaluation.column_scores import Columns, compare_columns
from stockcast.evaluation.diagnostics import lag_of, trend_of
from stockcast.evaluation.direction_scores import DirectionReport, compare_directions
from stockcast.evaluation.scores import Report, compare
from stockcast.evaluation.stated import stated_metrics
from stockcast.evaluation.verdict.directions import judge_directions
from stockcast.evaluation.verdict.prices import judge
from stockcast.forecast import LEVELS, DirectionPrediction, Directions, Forecast, Prediction, column_key
from stockcast.forecasting.cache import BaselineCache, CachedOutputs
from stockcast.forecasting.dataset import SeriesDataset
from stockcast.models.heads import Classes
from stockcast.models.inference import Network
from stockcast.runs.layout import SCALER
from stockcast.typing import Dates, Days, Floats

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Draw = Callable[[str], "dict[str, Figure]"]
"""Given the end of the titles, returns figures by the name of their file."""


@dataclass(frozen=True)
class TaskScores:
    """The scores of either task.

    Attributes:
        report: every score.
        verdict: sentences; the last one sums up.
        metrics: the report as metrics.json holds it.
        arrays: forecasts and targets, as forecasts.npz holds them.
        draw: makes the figures.
        columns: scores of each of several price columns; empty where one price or the direction is forecast.
    """

    report: Report | DirectionReport
    verdict: tuple[str, ...]
    metrics: dict[str, Any]
    arrays: dict[str, Any]
    draw: Draw
    columns: Columns

    def remarked(self, sentence: str) -> "TaskScores":
        """Return the same scores with a sentence more in the verdict, before the one that sums up."""
        verdict = (*self.verdict[:-1], sentence, self.verdict[-1])
        return replace(self, verdict=verdict, metrics={**self.metrics, "verdict": list(verdict)})


@dataclass(frozen=True)
class PriceTask:
    """Prices with bands.

    Attributes:
        calibration: fitted on the calibration days; None leaves the network's own bands.
        adapt_from: first day whose outcome bands adapt to, datetime64[D]; None for bands that do not adapt.
    """

    calibration: ConformalOffsets | ConformalScaling | None = None
    adapt_from: np.datetime64 | None = None

    def adaptation_start(self, dataset: SeriesDataset) -> int | None:
        """Return the index of the first day that bands adapt to, whatever the origin is."""
        if self.adapt_from is None:
            return None
        return int(np.searchsorted(dataset.prices.dates, self.adapt_from))

    def forecast(
        self,
        network: Network,
        dataset: SeriesDataset,
        dates: Dates,
        origins: Days,
        *,
        steps: int,
        levels: Floats = LEVELS,
        cached: CachedOutputs | None = None,
    ) -> Forecast:
        """Forecast the quantiles at these levels; no row uses a price after its own origin.

        The origins increase; where outputs are cached, they are consecutive.

        Raises:
            RunError: a forecast is not a finite price above 0, so the scalers or the calibration are damaged.
        """
        adapt_from = self.adaptation_start(dataset)
        days, wanted = origins, np.arange(len(origins))
        if adapt_from is not None:  # through every day since, of which `origins` are some
            adapt_from = max(dataset.window - 1, adapt_from)
            days = np.arange(min(origins[0], adapt_from), origins[-1] + 1)
            wanted = origins - days[0]
        targets = days[:, None] + np.arange(1, steps + 1)
        if cached is None:
            outputs = dataset.outputs(network, days, steps=steps)
        else:
            outputs = cached.complete(network, dataset, dates, days, steps=steps)

        def calibrated(rows: Days, levels: Floats) -> Forecast:
            forecast = Forecast(
                origin_dates=dates[days[rows]],
                target_dates=dates[targets[rows]],
                levels=levels,
                quantiles=dataset.quantiles(outputs[rows], days[rows], levels),
                last_close=dataset.closes[days[rows]],
                frequency=dataset.prices.frequency,
            )
            if self.calibration is not None:
                with np.errstate(over="ignore", invalid="ignore"):  # raised below
                    forecast = self.calibration.apply(forecast)
            if not (np.isfinite(forecast.quantiles) & (forecast.quantiles > 0)).all():
                raise RunError(
                    "The forecast is not a finite price above 0: scaler.json or calibration.json is damaged. Train "
                    "again.",
                    file=SCALER,
                )
            return forecast

        if adapt_from is None:
            final = calibrated(wanted, levels)
        else:
            # Adapting looks at one band: the quantiles of a Student-t take most of the time of a single forecast.
            band = levels if isinstance(self.calibration, ConformalOffsets) else ADAPTED_LEVELS
            known, factors = np.concatenate([dataset.closes, np.full(steps, np.nan)]), np.ones(targets.shape)
            if len(adapting := np.flatnonzero(days >= adapt_from)):  # outcomes of the days before are not adapted to
                factors[adapting] = adapted_factors(calibrated(adapting, band), known[targets[adapting]])
            final = scale_bands(calibrated(wanted, levels), factors[wanted])
        # Last, so that the day's range holds the very median that is written.
        return replace(final, others=dataset.other_columns(outputs[wanted], days[wanted], final.median))

    def predict(
        self, network: Network, dataset: SeriesDataset, sessions: Dates, *, run: str, cached: CachedOutputs | None
    ) -> Prediction:
        """Forecast the prices of the sessions after the last row, in that row's quoted unit."""
        prices = dataset.prices
        dates, last = np.concatenate([prices.dates, sessions]), np.array([len(prices.dates) - 1])
        forecast = self.forecast(network, dataset, dates, last, steps=len(sessions), cached=cached)
        factor = prices.quote_factor  # readers know the quoted price of the last day, not the adjusted one
        history = dataset.closes * factor
        return Prediction(run, prices.name, forecast.times(factor), prices.dates, history, adjusted=prices.are_adjusted)

    def evaluate(
        self, network: Network, dataset: SeriesDataset, task: ForecastTask, *, baselines: BaselineCache
    ) -> TaskScores:
        """Score the forecasts and those of the baselines from every origin of a task, and judge them."""
        prices = dataset.prices
        forecast = self.forecast(network, dataset, prices.dates, task.origins, steps=task.horizon)
        others = forecast_baselines(task, cache=baselines, on_progress=baselines.on_progress)
        report = compare(forecast, others.forecasts, task, failures=others.failures)
        trend, lag = trend_of(forecast, task.actual), lag_of(forecast, task.actual)
        verdict = judge(report, trend, lag)
        columns = _column_scores(dataset, forecast, task)
        metrics = stated_metrics(report, trend, lag, verdict)
        if columns:
            metrics["columns"] = {
                name: {str(step): scores.to_json() for step, scores in steps.items()} for name, steps in columns.items()
            }
        arrays = {
            **{name: array for name, array in vars(forecast).items() if name not in ("others", "frequency")},
            "actual": task.actual,
            **{f"median_{column_key(name)}": medians for name, medians in forecast.others.items()},
            **{f"actual_{column_key(name)}": prices.column(name)[task.targets] for name in forecast.others},
        }

        def draw(title: str) -> "dict[str, Figure]":
            from stockcast import plots  # matplotlib: only for who draws

            unit = plots.price_label(adjusted=prices.are_adjusted)
            return {
                "forecasts": plots.forecast_sequences(prices.dates, dataset.closes, forecast, title, unit),
                "skill": plots.skill_by_horizon(report, title),
                "coverage": plots.coverage(forecast, others.forecasts, task.actual, title),
                "levels": plots.level_reliability(report, len(task.origins), title),
                "pit": plots.pit_histograms(report, title),
            }

        return TaskScores(report, verdict, metrics, arrays, draw, columns)


@dataclass(frozen=True)
class DirectionTask:
    """The probability of each direction of the price.

    Attributes:
        classes: what the probabilities are of.
    """

    classes: Classes

    def forecast(
        self, network: Network, dataset: SeriesDataset, dates: Dates, origins: Days, *, steps: int
    ) -> Directions:
        """Forecast the probability of each class.

        Raises:
            RunError: the network's outputs are not probabilities.
        """
        return Directions(
            origin_dates=dates[origins],
            target_dates=dates[origins[:, None] + np.arange(1, steps + 1)],
            classes=self.classes.names,
            probabilities=self.classes.probabilities(dataset.outputs(network, origins, steps=steps)),
            last_close=dataset.closes[origins],
            frequency=dataset.prices.frequency,
        )

    def predict(
        self, network: Network, dataset: SeriesDataset, sessions: Dates, *, run: str, cached: CachedOutputs | None
    ) -> DirectionPrediction:
        """Forecast the direction up to the sessions after the last row."""
        steps, last = len(sessions), np.array([len(dataset.closes) - 1])
        dates = np.concatenate([dataset.prices.dates, sessions])
        forecast = self.forecast(network, dataset, dates, last, steps=steps)
        past = np.arange(dataset.window - 1, last[0] + 1 - steps)
        shares = self._shares(dataset, past, steps=steps) if len(past) else None
        flat = self._flat_within(dataset, last, steps=steps)
        return DirectionPrediction(
            run,
            dataset.prices.name,
            forecast,
            shares,
            None if flat is None else flat[0],
            adjusted=dataset.prices.are_adjusted,
        )

    def evaluate(
        self, network: Network, dataset: SeriesDataset, task: ForecastTask, *, baselines: BaselineCache
    ) -> TaskScores:
        """Score the forecasts and their own baselines from every origin of a task, and judge them."""
        forecast = self.forecast(network, dataset, dataset.prices.dates, task.origins, steps=task.horizon)
        actual = dataset.labels(self.classes, task.origins, steps=task.horizon)
        shares = self._shares(dataset, dataset.origins("training"), steps=task.horizon)
        report = compare_directions(forecast, actual, training_shares=shares)
        verdict = judge_directions(report)
        flat = self._flat_within(dataset, task.origins, steps=task.horizon)
        medians = None if flat is None else {str(step): float(np.median(flat[:, step - 1])) for step in report.horizons}
        metrics: dict[str, Any] = {
            "score": "brier",
            "classes": list(report.classes),
            "threshold": self.classes.threshold,
            "flat_within": medians,
            "training_shares": {
                str(step): dict(zip(report.classes, shares[step - 1].tolist(), strict=True)) for step in report.horizons
            },
            "horizons": {str(step): comparison.to_json() for step, comparison in report.horizons.items()},
            "overall": report.overall.to_json(),
            "verdict": list(verdict),
        }
        arrays = {name: array for name, array in vars(forecast).items() if name != "frequency"}
        arrays |= {"classes": np.array(forecast.classes), "came": actual}

        def draw(title: str) -> "dict[str, Figure]":
            from stockcast import plots  # matplotlib: only for who draws

            return {
                "confusion": plots.confusion_matrices(report, title),
                "reliability": plots.reliability_curves(report, title),
            }

        return TaskScores(report, verdict, metrics, arrays, draw, {})

    def _shares(self, dataset: SeriesDataset, origins: Days, *, steps: int) -> Floats:
        """Return the share of each class after these origins, shape (steps, classes)."""
        return class_shares(dataset.labels(self.classes, origins, steps=steps), classes=len(self.classes.names))

    def _flat_within(self, dataset: SeriesDataset, origins: Days, *, steps: int) -> Floats | None:
        """Return the largest log return that is flat, shape (origins, steps); None where there is no flat."""
        if not self.classes.threshold:
            return None
        unit = np.ones(len(origins)) if dataset.volatility is None else dataset.volatility[origins]
        scale = dataset.target.scaler.scale
        flat: Floats = self.classes.threshold * scale * unit[:, None] * np.sqrt(np.arange(1, steps + 1))
        return flat


Task = PriceTask | DirectionTask


def _column_scores(dataset: SeriesDataset, forecast: Forecast, task: ForecastTask) -> Columns:
    """Score each of several columns; nothing where one price is forecast."""
    if not forecast.others:
        return {}
    medians = {name: forecast.others.get(name, forecast.median) for name in dataset.target.columns}
    prices = {name: dataset.prices.column(name) for name in medians}
    return compare_columns(medians, prices, task.origins, frequency=task.frequency)
