"""One series, ready for a network: the same whether it trains, is scored or forecasts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from stockcast.cache.features import cached_features, cached_volatility
from stockcast.config.schema import Config
from stockcast.data.features import needed_columns
from stockcast.data.known_days import is_known_column
from stockcast.data.market import Market
from stockcast.data.ohlc import RecursiveInput, as_bars
from stockcast.data.own_columns import check_varies, is_own
from stockcast.data.prices import Prices
from stockcast.data.scaler import Scaler, fit_scaler
from stockcast.data.split import Part, Split, split_at
from stockcast.data.target import TargetTransform, fit_target_transform
from stockcast.data.windows import WindowDataset
from stockcast.errors import DataError
from stockcast.evaluation.baselines.task import ForecastTask
from stockcast.models.heads import Classes, Head
from stockcast.models.inference import Network, predict_recursive
from stockcast.typing import Days, Floats, Labels


@dataclass(frozen=True)
class SeriesDataset:
    """One series as a network sees it.

    Attributes:
        prices: its bars.
        split: its days divided at the config's dates; a part that it does not reach is empty.
        target_prices: those that are forecast, shape (days,), of several columns (days, columns).
        volatility: of every day, the unit of log returns, shape (days,); None for the training days' own.
        scaled: features of all days, unitless, float32, shape (days, features).
        target: unit of the targets and outputs.
        head: what the network's outputs mean.
        window: days in.
        horizon: days ahead to forecast.
        recursive: whether the network forecasts one day ahead, which is fed back for the next.
        recursive_input: turns outputs of several columns into the next day's inputs; None where they are the same.
    """

    prices: Prices
    split: Split
    target_prices: Floats
    volatility: Floats | None
    scaled: Floats
    target: TargetTransform
    head: Head
    window: int
    horizon: int
    recursive: bool
    recursive_input: RecursiveInput | None = None

    @property
    def steps(self) -> int:
        """Days ahead that the network forecasts in one pass."""
        return 1 if self.recursive else self.horizon

    @property
    def closes(self) -> Floats:
        """The price that is forecast and scored, shape (days,)."""
        return self.target_prices if self.target_prices.ndim == 1 else self.target_prices[:, self.target.main]

    def origins(self, part: Part, *, required: bool = True) -> Days:
        """Return the origins with a whole window and a whole horizon in the part; NotEnoughDays if one is required."""
        return self.split.origins(part, window=self.window, horizon=self.horizon, required=required)

    def forecast_task(self, part: Part) -> ForecastTask:
        """Return what the network and the baselines forecast on a part; NotEnoughDays if it has no origin."""
        return ForecastTask(
            dates=self.prices.dates,
            closes=self.closes,
            origins=self.origins(part),
            horizon=self.horizon,
            training_days=self.split.part("training").stop,
            frequency=self.prices.frequency,
        )

    def windows(self, origins: Days) -> WindowDataset:
        """Return the windows that end at these days."""
        return WindowDataset(
            self.scaled,
            self.target_prices,
            origins,
            window=self.window,
            horizon=self.steps,
            target=self.target,
            volatility=self.volatility,
        )

    def outputs(self, network: Network, origins: Days, *, steps: int) -> Floats:
        """Run the network at these origins; return its outputs, shape (origins, steps, parameters of the head)."""
        return self.outputs_of(network, self.windows(origins).inputs(), steps=steps)

    def outputs_of(self, network: Network, inputs: Floats, *, steps: int) -> Floats:
        """Run the network on windows as they are given; return what `outputs` does."""
        if self.recursive:
            daily = predict_recursive(network, inputs, steps=steps, feed_back=self.recursive_input)
            return self.target.accumulate(daily)
        return network(inputs)[:, :steps]

    def quantiles(self, outputs: Floats, origins: Days, levels: Floats, *, at: Days | None = None) -> Floats:
        """Turn outputs of `outputs` into quantiles of the price that is scored.

        Args:
            outputs: shape (origins, steps, parameters).
            origins: day indices, shape (origins,).
            levels: shape (levels,).
            at: indices of some days ahead, 0 is the first; None for all.

        Returns:
            Shape (origins, steps or length of `at`, levels).

        Raises:
            TypeError: the head forecasts directions.
        """
        if self.head.quantiles is None:
            raise TypeError(f"the head {self.head.name} gives no prices")
        target, closes, volatility = self.target.of_main(), self.closes[origins], self._volatility_at(origins)
        if len(self.target.columns) > 1:  # a head of several columns has one number for each
            outputs = outputs[..., self.target.main, None]
        if at is None:
            return target.inverse_transform(self.head.quantiles(outputs, levels), closes, volatility)
        scaled = np.zeros((*outputs.shape[:2], len(levels)))  # the unit of a day ahead follows from its place
        scaled[:, at] = self.head.quantiles(outputs[:, at], levels)
        return target.inverse_transform(scaled, closes, volatility)[:, at]

    def other_columns(self, outputs: Floats, origins: Days, closes: Floats) -> dict[str, Floats]:
        """Turn outputs of `outputs` into the prices of the other columns.

        Args:
            outputs: shape (origins, steps, columns).
            origins: day indices, shape (origins,).
            closes: forecast of the Close, in price units, shape (origins, steps).

        Returns:
            By column, price units, (origins, steps): with Low <= Open, Close <= High. Empty where there is one column.
        """
        columns = self.target.columns
        if len(columns) == 1:
            return {}
        prices = self.target.inverse_transform(outputs, self.closes[origins], self._volatility_at(origins))
        prices[..., self.target.main] = closes
        bars = as_bars(prices, columns)
        return {name: bars[..., number] for number, name in enumerate(columns) if number != self.target.main}

    def labels(self, classes: Classes, origins: Days, *, steps: int) -> Labels:
        """Return the class of each of the days after these origins, shape (origins, steps)."""
        targets = self.target.transform(self.closes, origins, horizon=steps, volatility=self.volatility)
        return classes.labels(targets)

    def _volatility_at(self, origins: Days) -> Floats | None:
        return None if self.volatility is None else self.volatility[origins]


def make_dataset(
    config: Config, prices: Prices, market: Market | None, scaler: Scaler, target: TargetTransform
) -> SeriesDataset:
    """Scale a series for the network; `config.split` must hold dates, and `market` what market features need.

    Raises:
        MissingColumns: the file lacks a column that the features or the target need.
        DataError: a price that is forecast is missing on some day.
    """
    target_prices, unit = target_series(config, prices)
    recursive_input = None
    if config.strategy == "recursive" and len(target.columns) > 1:
        sources = [config.target.source(name) for name in config.features]
        recursive_input = RecursiveInput(target, scaler, tuple(name for name in sources if name))  # the config has each
    return SeriesDataset(
        prices=prices,
        split=split_at(prices.dates, **dict(config.split)),
        target_prices=target_prices,
        volatility=unit,
        # single precision, as the network takes them, and half the memory
        scaled=scaler.transform(cached_features(prices, config.features, market)).astype(np.float32),
        target=target,
        head=config.head,
        window=config.window,
        horizon=config.horizon,
        recursive=config.strategy == "recursive",
        recursive_input=recursive_input,
    )


def target_series(config: Config, prices: Prices) -> tuple[Floats, Floats | None]:
    """Return the prices that are forecast and the volatility that is their unit, as `SeriesDataset` holds them.

    Raises:
        MissingColumns: the file lacks a column that the features or the target need; names them all.
        DataError: a price that is forecast is missing on some day.
    """
    target_prices = prices_to_forecast(config, prices)
    unit = cached_volatility(prices) if config.target.scale == "volatility" else None
    return (target_prices if len(config.target.names) > 1 else target_prices[:, 0]), unit


def prices_to_forecast(config: Config, prices: Prices) -> Floats:
    """Return the prices that are forecast, shape (days, columns), of a file that has all that is asked for.

    Raises:
        MissingColumns, DataError: as `target_series`.
    """
    prices.require(sorted({*config.target.names, *needed_columns(config.features)}))
    return prices.complete(config.target.names)


def fit_scalers(
    config: Config,
    series: Sequence[Prices],
    market: Market | None,
    *,
    days: Sequence[Sequence[slice]],
    trained: Scaler | None = None,
) -> tuple[Scaler, TargetTransform]:
    """Fit the features' scaler and the targets' unit on these stretches of days of each series, and on no others.

    With the scaler that a network was `trained` with, columns that the series lack keep their scale in it.

    Raises:
        MissingColumns, DataError: as `make_dataset`; or a feature has no value on any of the days.
    """
    past_targets, volatilities = [], []
    for prices, past in zip(series, days, strict=True):
        target_prices, unit = target_series(config, prices)
        # In the layout that they have, which decides in what order a mean adds them up.
        past_targets += [target_prices[stretch].copy(order="K") for stretch in past]
        volatilities += [unit[stretch].copy() for stretch in past if unit is not None]
    try:
        scaler = _fit_features(config, _features_of(config, series, market, days=days), trained)
    except DataError as error:
        constant = all(
            np.ptp(prices.column(config.target.column)[past[0].start : past[-1].stop]) == 0
            for prices, past in zip(series, days, strict=True)
        )
        why = " Its closes never change on these days."
        if not constant:
            why = _first_value(error.column or "", series[0], days[0])
        names = ", ".join(prices.label for prices in series)
        raise type(error)(
            f"{names}: {error}{why}", file=names, column=error.column, key=error.key, value=error.value
        ) from None
    # What is fed back needs its input's unit; elsewhere returns are best scaled by their own deviation.
    own_unit = config.strategy == "direct" and config.target.transform == "log_return"
    target = fit_target_transform(
        past_targets,
        transform=config.target.transform,
        kind="standard" if own_unit else config.scaler,
        volatilities=volatilities if config.target.scale == "volatility" else None,
        columns=config.target.names,
        centred=config.head.classes is None,
    )
    return scaler, target


def _features_of(
    config: Config, series: Sequence[Prices], market: Market | None, *, days: Sequence[Sequence[slice]]
) -> Floats:
    """Return the features of some days of each series, end to end, shape (days, features), each in one piece.

    They are computed one series after the other, and once more for the network: all days of hundreds of series would be
    most of the memory that a training takes.
    """
    count = sum(stretch.stop - stretch.start for past in days for stretch in past)
    features, end = np.empty((count, len(config.features)), order="F"), 0
    for prices, past in zip(series, days, strict=True):
        values = cached_features(prices, config.features, market)
        for stretch in past:
            end += stretch.stop - stretch.start
            features[end - (stretch.stop - stretch.start) : end] = values[stretch]
    return features


def _fit_features(config: Config, features: Floats, trained: Scaler | None) -> Scaler:
    """Fit a scaler on features, shape (days, features); DataError where one has no value, or an own one is constant."""
    names = np.array(config.features)
    fitted = np.ones(len(names), dtype=bool)
    if trained is not None:
        fitted = np.array([_has_scale(name, values) for name, values in zip(names, features.T, strict=True)])
    chosen = features if fitted.all() else features[:, fitted]  # which is a copy
    check_varies(chosen, tuple(names[fitted]))
    scaler = fit_scaler(chosen, kind=config.scaler, names=tuple(names[fitted]))
    if trained is None or fitted.all():
        return scaler
    center, scale, fill = trained.center.copy(), trained.scale.copy(), trained.fill.copy()
    center[fitted], scale[fitted], fill[fitted] = scaler.center, scaler.scale, scaler.fill
    return Scaler(center, scale, fill)


def _has_scale(feature: str, values: Floats) -> bool:
    """Whether values of a day give a feature its scale: an own column needs some, and one known ahead different ones.

    In the file of another series nothing may be announced on any of its days.
    """
    known = values[~np.isnan(values)]
    if is_known_column(feature):
        return len(known) > 0 and bool(known.min() < known.max())
    return len(known) > 0 or not is_own(feature)


def _first_value(feature: str, prices: Prices, past: Sequence[slice]) -> str:
    """Return a sentence on when a column begins, as against the training days; empty for other features."""
    columns = prices.own if is_own(feature) else prices.known_columns if is_known_column(feature) else None
    name = feature.partition(":")[2]
    if columns is None or name not in columns.values:
        return ""
    days, last = columns.values[name].dropna().index, prices.dates[past[-1]][-1]
    if not len(days) or days[0] <= pd.Timestamp(last):
        return ""
    return f" Its first value is of {days[0]:%Y-%m-%d}, and the training days end on {last}."
