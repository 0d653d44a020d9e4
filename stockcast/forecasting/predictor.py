"""A finished run, loaded: what it was trained on, its network, and the series that it forecasts."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Self

import numpy as np

from stockcast.config.load import Overrides, check_reading, csv_options, load_config
from stockcast.config.schema import Config
from stockcast.data.calendar import Sessions, sessions_after
from stockcast.data.csv.options import ALL_TICKERS, series_name
from stockcast.data.csv.table import PriceSource, Table, read_tables
from stockcast.data.features import MARKET, make_market
from stockcast.data.market import MOST, Market
from stockcast.data.prices import Prices
from stockcast.data.scaler import Scaler
from stockcast.data.split import split_at
from stockcast.data.target import TargetTransform
from stockcast.errors import ConfigError, DataError, MissingColumns, NotEnoughDays, StockcastError
from stockcast.forecast import DirectionPrediction, Prediction
from stockcast.forecasting.cache import CachedOutputs, cached_outputs
from stockcast.forecasting.dataset import SeriesDataset, fit_scalers, make_dataset
from stockcast.forecasting.loading import load_network, load_scalers, load_task
from stockcast.forecasting.reading import OnMessage, read_to_forecast, read_with, report_gaps, series_in
from stockcast.forecasting.tasks import Task
from stockcast.models.callbacks import SILENT
from stockcast.models.inference import Network
from stockcast.runs.directory import RunDirectory, TrainedSeries
from stockcast.runs.layout import CONFIG, MANIFEST
from stockcast.runs.safe_io import damaged, sha256
from stockcast.text import plural

QUIET: OnMessage = SILENT.on_message


@dataclass(frozen=True)
class Predictor:
    """A loaded run.

    Attributes:
        run: its directory.
        config: as it was trained.
        reading: the same, but for how a price file that is given is read.
        tickers: the series that `reading` names in place of the first of the training; `ALL_TICKERS` for every one.
        scaler: of the features.
        target: unit of the targets.
        network: windows to outputs.
        task: what the network forecasts: prices or directions.
    """

    run: RunDirectory
    config: Config
    reading: Config
    tickers: tuple[str, ...]
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
                `{"data.ticker": "GE"}`; and a newer file of covariates, `{"data.covariates": "vix.csv"}`.
            on_message: called where the network has no ONNX file that opens, and Keras is loaded instead.

        Raises:
            RunError: there is no such run, it is unfinished, damaged, or its files are not of one training.
            ConfigError: an override is wrong, or is of something else.
        """
        run = RunDirectory.find(Path(runs), run)
        check_reading(overrides, advice="A run keeps its other keys.")
        config = load_config(run.config_path())
        reading, tickers = config, csv_options(overrides).tickers
        if overrides:
            reading = load_config(run.config_path(), overrides)
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

    @cached_property
    def trained_on(self) -> tuple[TrainedSeries, ...]:
        """The series that the run was trained on, the one that is forecast by default first."""
        return tuple(self.run.trained_on())

    @property
    def takes_all(self) -> bool:
        """Whether the overrides name every series, so that `series` may yield several."""
        return self.tickers == ALL_TICKERS

    @property
    def own_path(self) -> Path:
        """The first price file of the training, forecast by default; a folder of data.path may hold others by now."""
        return Path(self.trained_on[0].path)

    def is_training_file(self, source: Prices | PriceSource) -> bool:
        """Whether a price file, or a series' file, is a training file: it has the path of one, or is a copy of one."""
        paths, hashes = ({getattr(series, name) for series in self.trained_on} for name in ("path", "sha256"))
        if isinstance(source, Prices):
            return str(source.source.resolve()) in paths or source.sha256 in hashes
        if isinstance(source, Table):
            return str(source.source.path.resolve()) in paths or source.sha256 in hashes
        return isinstance(source, Path) and (
            str(source.resolve()) in paths or (source.is_file() and sha256(source) in hashes)
        )

    def was_trained_on(self, prices: Prices) -> bool:
        """Whether a series is one that the run was trained on, whatever the name of its file."""
        return self._trained_series(prices) is not None

    def series_name(self, prices: Prices) -> str:
        """Return the name of a series in paths and tables: its file's name without the ending.

        Where another series that the run was trained on has that name, the first digits of the file's SHA-256 follow,
        so that results of different series never share a folder.
        """
        own = self._trained_series(prices)
        others = [series_name(Path(series.name)) for series in self.trained_on if series is not own]
        return f"{prices.name}-{prices.sha256[:8]}" if prices.name in others else prices.name

    def _trained_series(self, prices: Prices) -> TrainedSeries | None:
        """Return the series of the training that this one is.

        Its closes up to the end of the training days decide: a newer file of the same series has the same. Runs that
        were trained before this was stored are decided by the file's name or content. RunError if run.json has the
        hash of the very file, but not that of its closes.
        """
        border = self.test_border("validation")
        hashes = {
            first: prices.closes_sha256(first=first, before=border)
            for first in {series.first for series in self.trained_on if series.training_sha256 is not None}
        }
        for series in self.trained_on:
            if series.training_sha256 is None:
                if prices.sha256 == series.sha256 or prices.label == series.name:
                    return series
            elif hashes[series.first] == series.training_sha256:
                return series
            elif prices.sha256 == series.sha256 and series.ticker in ("", prices.ticker):
                raise damaged(self.run.path / MANIFEST, f"the closes of {series.name} are not those it states")
        return None

    def test_border(self, part: str = "test") -> date:
        """Return the first day of a part; the days before that of the test were all used by the training."""
        border = self.config.first_day(part)
        if border is None:
            raise damaged(self.run.path / CONFIG, f"it has no date for split.{part}")
        return border

    def series(
        self, source: PriceSource | str | None = None, *, on_message: OnMessage = QUIET
    ) -> Iterator[Prices | PriceSource | None]:
        """Yield what `predict` and others take: each series that the overrides name, or the source as it is.

        Args:
            source: a price file or a DataFrame; None for the series that the run was trained on.
            on_message: given each note on series of the training.

        Raises:
            DataError: the training had no series of that name, or the file cannot be read.
        """
        if source is not None or not self.tickers:
            yield from [None] if source is None else series_in(self.reading, _as_path(source))
            return
        wanted = [series for series in self.trained_on if self.takes_all or _ticker(series) in self.tickers]
        if not wanted:
            names = [_ticker(series) for series in self.trained_on]
            raise DataError(
                f"{self.run.name} was not trained on a series {', '.join(self.tickers)}, but on "
                f"{', '.join(names[:10])}{', ...' if len(names) > 10 else ''}. Choose one of them, or give its price "
                f"file with --data.",
                key="data.ticker",
                value=", ".join(self.tickers),
            )
        for trained, own in self._training_sources():
            if trained in wanted:
                yield read_to_forecast(self._own_reading, own, on_message=on_message, known=self._sessions)

    def one_series(self, source: PriceSource | str | None = None) -> Prices | PriceSource | None:
        """Return the one series that the overrides name, see `series`; StockcastError if they name several."""
        first, *others = self.series(source)
        if others:
            raise StockcastError(
                f"data.ticker: all names {len(others) + 1} series, and this takes one: choose one, or take what "
                f"Predictor.series yields, one after the other.",
                key="data.ticker",
                value="all",
            )
        return first

    @cached_property
    def _own_reading(self) -> Config:
        """How the series of the training are read: as they were, beside the covariates that the overrides name."""
        data = self.config.data.model_copy(update={"covariates": self.reading.data.covariates})
        return self.config.model_copy(update={"data": data})

    def _training_sources(self) -> Iterator[tuple[TrainedSeries, PriceSource]]:
        """Yield each series of the training with what it is read from, each file once; DataError if one is gone."""
        options = self.config.csv_options
        for path, group in groupby(self.trained_on, key=attrgetter("path")):
            if not options.takes_all:
                yield from ((trained, Path(path)) for trained in group)
                continue
            wanted = {trained.ticker: trained for trained in group}
            for table in read_tables(path, options=options):
                if table.ticker in wanted:
                    yield wanted.pop(table.ticker), table
            if wanted:
                names = ", ".join(wanted)
                raise DataError(f"{path}: no series {names} any more.", file=path, key="data.ticker", value=names)

    def read(self, source: PriceSource | str, *, on_message: OnMessage = QUIET) -> Prices:
        """Read a series, all of its days; DataError if it cannot be used as it stands."""
        config = self.reading.with_data_span(start=None, end=None)
        return read_to_forecast(config, _as_path(source), on_message=on_message, known=self._sessions)

    def read_as_trained(self, source: PriceSource | None = None, *, on_message: OnMessage = QUIET) -> Prices:
        """Read a training file as training read it, from data.start to data.end; None for the first series."""
        if source is not None:
            return read_to_forecast(self.reading, source, on_message=on_message, known=self._sessions)
        first, config = self.trained_on[0], self._own_reading
        if config.data.csv_options.takes_all:
            config = config.with_ticker(first.ticker)
        return read_to_forecast(config, Path(first.path), on_message=on_message, known=self._sessions)

    def market(self, *, end: date | None, on_changed: OnMessage = QUIET) -> Market | None:
        """Read the market from the training files as they are today; None where no feature is of the market.

        Args:
            end: last day to read; None for each file's last.
            on_changed: given every file that is not what it was at the training.

        Raises:
            DataError: one of the files cannot be read.
        """
        if not set(self.config.features) & set(MARKET):
            return None
        if len(self.trained_on) > MOST:
            raise damaged(self.run.path / MANIFEST, f"it lists {len(self.trained_on)} series, at most {MOST} are read")

        def series() -> Iterator[Prices]:
            changed: set[str] = set()
            try:
                for trained, source in self._training_sources():
                    config = self.config.with_data_span(end=end)
                    prices = read_with(config, source, known=self._sessions, trained=True, with_own=False)
                    if prices.sha256 != trained.sha256 and trained.path not in changed:
                        changed.add(trained.path)
                        on_changed(trained.path)
                    yield prices
            except DataError as error:
                raise DataError(
                    f"{self.run.name} uses the market, the mean of the {len(self.trained_on)} series that it was "
                    f"trained on, and one cannot be read. {error} Put it back, or train again.",
                    file=error.file,
                ) from error

        return make_market(series(), self.config.features)

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
                days = [slice(0, before)]
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
        on_message: OnMessage = QUIET,
    ) -> Prediction | DirectionPrediction:
        """Forecast the sessions, weeks or months after a series' last row.

        Args:
            source: a price file (`-` is standard input) or a DataFrame of bars: a newer one of a series that the run
                was trained on, or any other series; what `series` yields; None for the first one that the run was
                trained on.
            horizon: sessions, weeks or months ahead; None for the run's own.
            on_message: given each note on the data.

        Raises:
            StockcastError: the data do not fit the run, or the horizon is longer than a direct network's.
        """
        steps, bars, calendar = self._check_horizon(horizon), self.config.data.bars, self.config.data.calendar
        prices, market = self.series_and_market(source, on_message=on_message)
        if prices.later:
            on_message(
                f"{prices.label}: {plural(prices.later, 'row')} after data.end {self.config.data.end} left out; "
                f"--data {shlex.quote(str(prices.source))} forecasts from its last row."
            )
        if len(prices.dates) < self.config.window:
            raise NotEnoughDays(
                f"{prices.title} has {plural(len(prices.dates), bars.bar)}, but {self.run.name} looks back over "
                f"{self.config.window}. Use a longer file.",
                file=prices.source,
                value=len(prices.dates),
            )
        dataset = self.dataset(prices, market=market, on_message=on_message)
        self._report_series(prices, on_message)
        report_gaps(prices, slice(len(prices.dates) - self.config.window, None), on_message)
        sessions = sessions_after(prices.dates[-1], steps, calendar=calendar, known=self._sessions, frequency=bars)
        prediction = self.task.predict(self.network, dataset, sessions, run=self.run.name, cached=self._cached_outputs)
        return replace(prediction, series=self.series_name(prices))

    def series_and_market(
        self, source: Prices | PriceSource | str | None, *, on_message: OnMessage
    ) -> tuple[Prices, Market | None]:
        """Read the series to forecast and the market; of the run's own file (None) no row after data.end."""
        if isinstance(source, Prices):
            return source, self.market(end=self.config.data.end)
        if source is None:
            return self.read_as_trained(on_message=on_message), self.market(end=self.config.data.end)
        return self.read(source, on_message=on_message), self.market(end=None)

    @cached_property
    def _sessions(self) -> Sessions | None:
        """The exchange's sessions around the run's last row, as it stores them; used for this run alone."""
        stored = self.run.sessions()
        return None if stored is None else Sessions.from_json(stored)

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
            and sessions_after(market_last, 1, calendar=calendar, known=self._sessions, frequency=prices.frequency)[0]
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


def _as_path(source: PriceSource | str) -> PriceSource:
    return Path(source) if isinstance(source, str) else source


def _ticker(series: TrainedSeries) -> str:
    """Return the name by which a series of the training is chosen: its own, or its file's."""
    return series.ticker or series_name(Path(series.name))
