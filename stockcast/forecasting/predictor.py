"""A finished run, loaded: its network, and what it forecasts of its series and others."""

import shlex
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Self

import numpy as np

from stockcast.config.load import Overrides, check_reading, csv_options, load_config
from stockcast.data.calendar import check_calendar, sessions_after
from stockcast.data.csv.table import PriceSource
from stockcast.data.market import Market
from stockcast.data.prices import Prices
from stockcast.data.scaler import Scaler
from stockcast.data.split import split_at
from stockcast.data.target import TargetTransform
from stockcast.errors import ConfigError, DataError, MissingColumns, NotEnoughDays, StockcastError
from stockcast.forecast import DirectionPrediction, Prediction, outcome_on
from stockcast.forecasting.cache import CachedOutputs, cached_outputs
from stockcast.forecasting.dataset import SeriesDataset, fit_scalers, make_dataset
from stockcast.forecasting.loading import load_network, load_scalers, load_task
from stockcast.forecasting.reading import OnMessage, report_gaps
from stockcast.forecasting.run_series import QUIET, RunSeries
from stockcast.forecasting.stored_closes import changes_text
from stockcast.forecasting.tasks import Task
from stockcast.models.inference import Network
from stockcast.runs.directory import RunDirectory
from stockcast.text import plural


@dataclass(frozen=True)
class Predictor(RunSeries):
    """A loaded run: its series, and the network that forecasts them.

    Attributes:
        scaler: of the features.
        target: unit of the targets.
        network: windows to outputs.
        task: what the network forecasts: prices or directions.
    """

    scaler: Scaler
    target: TargetTransform
    network: Network
    task: Task

    @classmethod
    def load(
        cls,
        run: RunDirectory | Path | str | None = None,
        *,
        runs: Path | str = "runs",
        overrides: Overrides = (),
        on_message: OnMessage = QUIET,
    ) -> Self:
        """Load a finished run.

        Args:
            run: the run, its path, or its name under `runs`; None for the newest one there.
            runs: folder of the runs.
            overrides: how price files are read that are not written as those of the training were, as in `load_config`:
                `{"data.ticker": "GE"}`; of which exchange they are, `{"data.calendar": "XLON"}`; and a newer file of
                covariates, `{"data.covariates": "vix.csv"}`.
            on_message: called where the network has no ONNX file that opens, and Keras is loaded instead.

        Raises:
            RunError: there is no such run, it is unfinished, damaged, or its files are not of one training.
            ConfigError: an override is wrong, or is of something else.
            DataError: no exchange of that name is known.
        """
        run = RunDirectory.find(Path(runs), run)
        check_reading(overrides, advice="A run keeps its other keys.")
        config = load_config(run.config_path())
        reading, tickers = config, csv_options(overrides).tickers
        if overrides:
            reading = load_config(run.config_path(), overrides)
            check_calendar(reading.data.calendar)
            if reading.data.bars is not config.data.bars:
                bars = config.data.bars.name
                raise ConfigError(
                    f"{run.name} was trained on {bars} bars, and data.frequency is {reading.data.frequency}. Give it "
                    f"{bars} bars, or train another run.",
                    key="data.frequency",
                    value=reading.data.frequency,
                )
        if config.data.csv_options.takes_all and not tickers:  # a file that is given may hold a single series
            reading = reading.with_ticker(None)
        scaler, target = load_scalers(run, config)
        network = load_network(run, config, on_message)
        return cls(run, config, reading, tickers, scaler, target, network, load_task(run, config))

    def dataset(
        self,
        prices: Prices,
        *,
        market: Market | None = None,
        scored_from: date | None = None,
        on_message: OnMessage = QUIET,
    ) -> SeriesDataset:
        """Scale a series for the network; by its own past where the run was not trained on it (target.scale: training).

        Args:
            prices: the series.
            market: what `market` returned.
            scored_from: first day to score: scalers and baselines are fitted on the days before it alone; None to keep
                the run's own split, and to scale an unknown series by all its days.
            on_message: called where few of the market's files have the last day.

        Raises:
            MissingColumns: the file lacks what the network needs.
            DataError: the market does not have the last day.
            NotEnoughDays: too few days precede `scored_from`.
        """
        if market is not None:
            self._check_market(prices, market, on_message)
        before, count = len(prices.dates), prices.frequency.count
        if scored_from is not None:
            before = int(np.searchsorted(prices.dates, np.datetime64(scored_from)))
            if before < self.config.window + 2:
                raise NotEnoughDays(
                    f"{prices.title} has {count(before)} before {scored_from}, but {self.run.name} needs a window of "
                    f"{count(self.config.window)} and some more to scale by. Use a longer file, or a later --from.",
                    file=prices.source,
                    value=before,
                )
        scaler, target = self.scaler, self.target
        try:
            if self.config.target.scale == "training" and not self.was_trained_on(prices):
                days = [[slice(0, before)]]
                scaler, target = fit_scalers(self.config, [prices], market, days=days, trained=self.scaler)
            dataset = make_dataset(self.config, prices, market, scaler, target)
        except MissingColumns as error:
            raise MissingColumns(
                f"{self.run.name} needs inputs that this file cannot give. {error}",
                file=prices.source,
                column=error.column,
            ) from None
        if scored_from is None:
            return dataset
        split = split_at(prices.dates, validation=scored_from, calibration=scored_from, test=scored_from)
        return replace(dataset, split=split)

    def predict(
        self,
        source: Prices | PriceSource | str | None = None,
        *,
        horizon: int | None = None,
        origin: date | None = None,
        on_message: OnMessage = QUIET,
    ) -> Prediction | DirectionPrediction:
        """Forecast the sessions, weeks or months after a series' last row, or after an earlier day.

        Args:
            source: a price file (`-` is standard input) or a DataFrame of bars: a newer one of a series that the run
                was trained on, or any other series; what `series` yields; None for the first one that the run was
                trained on.
            horizon: sessions, weeks or months ahead; None for the run's own.
            origin: the last day that the forecast may know, or the row before it; None for the last row.
            on_message: given each note on the data.

        Raises:
            StockcastError: the data do not fit the run, they do not have the origin, or the horizon is longer than a
                direct network's.
        """
        self._check_horizon(horizon)
        prices, market = self.series_and_market(source, on_message=on_message)
        return self.predict_series(prices, market, horizon=horizon, origin=origin, on_message=on_message)

    def predict_series(
        self,
        prices: Prices,
        market: Market | None,
        *,
        horizon: int | None = None,
        origin: date | None = None,
        on_message: OnMessage = QUIET,
    ) -> Prediction | DirectionPrediction:
        """Forecast a series that `series_and_market` returned, as `predict` does."""
        steps, bars, calendar = self._check_horizon(horizon), self.config.data.bars, self.reading.data.calendar
        if prices.later:
            on_message(
                f"{prices.label}: {plural(prices.later, 'row')} after data.end {self.config.data.end} left out; "
                f"--data {shlex.quote(str(prices.source))} forecasts from its last row."
            )
        whole = prices
        if origin is not None:
            prices = self._until(prices, origin)
        if len(prices.dates) < self.config.window:
            raise NotEnoughDays(
                f"{prices.title} has {plural(len(prices.dates), bars.bar)}{f' up to {origin}' if origin else ''}, but "
                f"{self.run.name} looks back over {self.config.window}. Use a longer file"
                f"{', or a later --date' if origin else ''}.",
                file=prices.source,
                value=len(prices.dates),
            )
        dataset = self.dataset(prices, market=market, on_message=on_message)
        self._report_series(prices, on_message)
        if prices.dates[-1] < np.datetime64(self.test_border()):
            on_message(
                f"{prices.label} {'is forecast from' if origin else 'ends on'} {prices.dates[-1]}, and {self.run.name} "
                f"was trained on days before {self.test_border()}: it knows more than could be known on that day. This "
                f"is no forecast to judge it by."
            )
        report_gaps(prices, slice(len(prices.dates) - self.config.window, None), on_message)
        sessions = sessions_after(prices.dates[-1], steps, calendar=calendar, known=self.sessions, frequency=bars)
        prediction = self.task.predict(self.network, dataset, sessions, run=self.run.name, cached=self._cached_outputs)
        prediction = replace(
            prediction,
            series=self.series_name(whole),
            variant=self._variant(steps),
            content=prices.content_sha256(),
        )
        if origin is None:
            return prediction
        closes = whole.column(self.config.target.column) * prices.quote_factor
        return replace(prediction, outcome=outcome_on(prediction.forecast.target_dates[0], whole.dates, closes))

    def _until(self, prices: Prices, origin: date) -> Prices:
        """Return a series without the rows after `origin`; DataError if it has no such row, or ends before."""
        first, last = prices.dates[[0, -1]]
        if not first <= np.datetime64(origin) <= last:
            where = "before its first row" if np.datetime64(origin) < first else "after its last row"
            raise DataError(
                f"{prices.title} runs from {first} to {last}, and {origin} is {where}. Choose a day between them.",
                file=prices.source,
                key="--date",
                value=str(origin),
            )
        return prices.until(origin)

    def _variant(self, steps: int) -> str:
        """Return by what a forecast differs from the run's own: the horizon, the calendar; see `Prediction`."""
        config, calendar = self.config, self.reading.data.calendar
        horizon = [] if steps == config.horizon else [f"{steps}-{config.data.bars.unit}{'s' if steps > 1 else ''}"]
        other = [] if calendar == config.data.calendar else [calendar.replace("/", "-")]
        return "-".join([*horizon, *other])

    @cached_property
    def _cached_outputs(self) -> CachedOutputs | None:
        return cached_outputs(self.run, self.config)

    def _check_horizon(self, horizon: int | None) -> int:
        """Return the days ahead to forecast: the horizon if the network can forecast so many, or the run's own."""
        if horizon is None:
            return self.config.horizon
        if horizon < 1:
            raise StockcastError(f"The horizon must be at least 1, not {horizon}.", key="--horizon", value=horizon)
        if self.config.strategy == "direct" and horizon > self.config.horizon:
            raise StockcastError(
                f"{self.run.name} forecasts {self.config.data.bars.count(self.config.horizon)} ahead at once and no "
                "further: --horizon "
                f"{horizon} is too far. Train with horizon: {horizon}, or use strategy: recursive.",
                key="--horizon",
                value=horizon,
            )
        return horizon

    def _report_series(self, prices: Prices, on_message: OnMessage) -> None:
        """Report what a series that the run was not trained on is scaled by."""
        if self.was_trained_on(prices):
            return
        own = self.trained_at(prices)
        if own is not None and (changes := self.changes(own, prices)):
            on_message(
                f"{prices.source} has changed since {self.run.name} was trained, so it is taken for another series: "
                f"{changes_text(changes)}."
            )
        names = self.trained_on[0].name if len(self.trained_on) == 1 else f"{len(self.trained_on)} series"
        scale = "its own past" if self.config.target.scale == "training" else "the volatility of its own past"
        on_message(f"{self.run.name} was trained on {names}; {prices.label} is scaled by {scale}.")

    def _check_market(self, prices: Prices, market: Market, on_message: OnMessage) -> None:
        """Check that the market has the last day; report that few of its series have it."""
        last, (market_first, market_last) = prices.dates[-1], market.dates[[0, -1]]
        name, calendar = prices.label, self.config.data.calendar
        which = f"the market of {self.run.name}, the mean of the series that it was trained on,"
        present, why = market.present_on(last), None
        if last < market_first:
            why = f"{name} ends on {last}, before {which} begins on {market_first}. Use a newer file."
        elif (
            market_last < last
            and sessions_after(market_last, 1, calendar=calendar, known=self.sessions, frequency=prices.frequency)[0]
            <= last
        ) or not present:
            lacking = f"{which} lacks that {prices.frequency.unit}; its last is {market_last}"
            why = f"{name} runs to {last}, and {lacking}. Update these files."
        if why:
            raise DataError(why, file=prices.source, value=str(last))
        if 2 * present < market.series:
            on_message(
                f"Only {present} of the {market.series} series of the market of {self.run.name} have prices of "
                f"{last}. Bring their files up to date (run.json lists them)."
            )
