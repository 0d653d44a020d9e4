"""The series of a run: which it was trained on, and how these and others are read."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from pathlib import Path

from stockcast.cache.features import cached_features
from stockcast.config.schema import Config
from stockcast.data.calendar import Sessions
from stockcast.data.csv.options import ALL_TICKERS, series_name
from stockcast.data.csv.table import PriceSource, Table, read_tables
from stockcast.data.features import MARKET, make_market
from stockcast.data.market import MOST, Market
from stockcast.data.prices import Prices
from stockcast.errors import DataError, StockcastError
from stockcast.forecasting.reading import OnMessage, read_to_forecast, read_with, series_in
from stockcast.forecasting.stored_closes import SeriesCloses, stored_closes
from stockcast.inputs import located
from stockcast.models.callbacks import SILENT
from stockcast.runs.directory import RunDirectory, TrainedSeries
from stockcast.runs.layout import CONFIG, MANIFEST
from stockcast.runs.safe_io import damaged, sha256

QUIET: OnMessage = SILENT.on_message


@dataclass(frozen=True)
class RunSeries:
    """The series that a run was trained on, and how price files are read for it.

    Attributes:
        run: its directory.
        config: as it was trained.
        reading: the same, but for how a price file that is given is read.
        tickers: the series that `reading` names in place of the first of the training; `ALL_TICKERS` for every one.
    """

    run: RunDirectory
    config: Config
    reading: Config
    tickers: tuple[str, ...]

    @cached_property
    def trained_on(self) -> tuple[TrainedSeries, ...]:
        """The series that the run was trained on, the one that is forecast by default first."""
        return tuple(self.run.trained_on())

    @property
    def takes_all(self) -> bool:
        """Whether the overrides name every series, so that `series` may yield several."""
        return self.tickers == ALL_TICKERS

    def is_training_file(self, source: Prices | PriceSource) -> bool:
        """Whether a price file, or a series' file, is a training file: it has the path of one, or is a copy of one."""
        paths, hashes = ({getattr(series, name) for series in self.trained_on} for name in ("path", "sha256"))
        if isinstance(source, Prices):
            return str(source.source.resolve()) in paths or source.sha256 in hashes
        if isinstance(source, Table):
            return str(source.source.path.resolve()) in paths or source.sha256 in hashes
        return isinstance(source, Path) and (
            str(source.resolve()) in paths or (located(source).is_file() and sha256(located(source)) in hashes)
        )

    def was_trained_on(self, prices: Prices) -> bool:
        """Whether a series is one that the run was trained on, whatever the name of its file."""
        return self.trained_series(prices) is not None

    def trained_at(self, prices: Prices) -> TrainedSeries | None:
        """Return the series of the training that was read from this series' file; None if it is no training file."""
        path = str(prices.source.resolve())
        same_file = (series for series in self.trained_on if series.path == path)
        return next((series for series in same_file if series.ticker in ("", prices.ticker)), None)

    def changes(self, trained: TrainedSeries, prices: Prices) -> tuple[str, ...] | None:
        """Return how the rows of the training differ in a newer file of a series; none where it has only grown.

        None where the run does not store its closes, and the file is not the very same.
        """
        if prices.sha256 == trained.sha256:
            return ()
        return None if self._closes is None else self._closes[self.trained_on.index(trained)].changes(prices)

    @cached_property
    def _closes(self) -> tuple[SeriesCloses, ...] | None:
        return stored_closes(self.run)

    def series_name(self, prices: Prices) -> str:
        """Return the name of a series in paths and tables: its file's name without the ending.

        Where another series that the run was trained on has that name, the first digits of the file's SHA-256 follow,
        so that results of different series never share a folder.
        """
        own = self.trained_series(prices)
        is_taken = any(name == prices.name and series is not own for series, name in self._trained_names)
        return f"{prices.name}-{prices.sha256[:8]}" if is_taken else prices.name

    @cached_property
    def largest_drift(self) -> float:
        """The largest drift of a series of the training, up or down, log return a bar.

        Runs from before this was stored have no bound.
        """
        training = self.run.manifest().get("training")
        stated = training.get("drift") if isinstance(training, dict) else None
        if stated is None:
            return math.inf
        try:
            return max(abs(float(stated["least"])), abs(float(stated["most"])))
        except (KeyError, TypeError, ValueError) as error:
            raise damaged(self.run.path / MANIFEST, "training.drift is no pair of numbers") from error

    @cached_property
    def _trained_names(self) -> list[tuple[TrainedSeries, str]]:
        if self.run.apart is not None:  # of the run that ships: no results there are of the files of its training
            return []
        return [(series, series_name(Path(series.name))) for series in self.trained_on]

    def trained_series(self, prices: Prices) -> TrainedSeries | None:
        """Return the series of the training that this one is.

        Its closes up to the end of the training days decide: a newer file of the same series has the same. Runs that
        were trained before this was stored are decided by the file's name or content. RunError if run.json has the
        hash of the very file, but not that of its closes.
        """
        key = (prices.sha256, prices.ticker, len(prices.dates))
        if key not in self._identified:
            self._identified[key] = self._identify(prices)
        return self._identified[key]

    @cached_property
    def _identified(self) -> dict[tuple[str, str, int], TrainedSeries | None]:
        """Series of the training that were found, by what tells series apart: a forecast needs it several times."""
        return {}

    def _identify(self, prices: Prices) -> TrainedSeries | None:
        border, days = self.test_border("validation"), set(map(str, prices.dates))
        hashes = {
            first: prices.closes_sha256(first=first, before=border)
            for first in {series.first for series in self.trained_on if series.training_sha256 is not None}
            if not first or first in days  # a series without that day has other closes
        }
        for series in self.trained_on:
            if series.training_sha256 is None:
                if prices.sha256 == series.sha256 or prices.label == series.name:
                    return series
            elif hashes.get(series.first) == series.training_sha256:
                return series
            elif prices.sha256 == series.sha256 and series.ticker in ("", prices.ticker):
                if prices.dates[-1].astype(object) < border:  # cut before the closes that the hash is of end
                    return series
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
        for _, own in self.own_sources():
            yield self.read_own(own, on_message=on_message)

    def own_series(self) -> list[TrainedSeries]:
        """Return the series of the training that the overrides name, or all; DataError if there is none of the name."""
        takes_all = self.takes_all or not self.tickers
        wanted = [series for series in self.trained_on if takes_all or _ticker(series) in self.tickers]
        if not wanted:
            names = [_ticker(series) for series in self.trained_on]
            raise DataError(
                f"{self.run.name} was not trained on a series {', '.join(self.tickers)}, but on "
                f"{', '.join(names[:10])}{', ...' if len(names) > 10 else ''}. Choose one of them, or give its price "
                f"file with --data.",
                key="data.ticker",
                value=", ".join(self.tickers),
            )
        return wanted

    def own_sources(self) -> Iterator[tuple[TrainedSeries, PriceSource]]:
        """Yield what `own_series` returns, and what `read_own` reads each from.

        Raises:
            DataError: a file of several series cannot be read.
        """
        wanted = self.own_series()
        for trained, own in self._training_sources():
            if trained in wanted:
                yield trained, own

    def read_own(self, source: PriceSource, *, on_message: OnMessage = QUIET) -> Prices:
        """Read a series that `own_sources` yields as training read it; DataError if it cannot be used."""
        return read_to_forecast(self._own_reading, source, on_message=on_message, known=self.sessions)

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
                yield from ((trained, self.run.training_file(trained)) for trained in group)
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
        return read_to_forecast(config, _as_path(source), on_message=on_message, known=self.sessions)

    def read_as_trained(
        self, source: PriceSource | None = None, *, with_later: bool = False, on_message: OnMessage = QUIET
    ) -> Prices:
        """Read a training file as training read it, from data.start to data.end; None for the first series.

        Args:
            source: the file.
            with_later: whether days after data.end are read, too.
            on_message: given each note on the data.

        Raises:
            DataError: it cannot be used as it stands.
        """
        config = self.reading
        if source is None:
            config, source = self._own_reading, self.run.training_file(self.trained_on[0])
            if config.data.csv_options.takes_all:
                config = config.with_ticker(self.trained_on[0].ticker)
        if with_later:
            config = config.with_data_span(end=None)
        return read_to_forecast(config, source, on_message=on_message, known=self.sessions)

    def market(self, *, end: date | None, as_trained: bool = False, on_changed: OnMessage = QUIET) -> Market | None:
        """Read the market from the training files as they are today; None where no feature is of the market.

        Args:
            end: last day to read; None for each file's last.
            as_trained: whether each file is read up to the last day that it had at the training.
            on_changed: given every file that has other rows than at the training, not one that has only grown.

        Raises:
            DataError: one of the files cannot be read.
        """
        if not set(self.config.features) & set(MARKET):
            return None
        if (end, as_trained) not in self._markets:
            self._markets[end, as_trained] = self._read_market(end, as_trained=as_trained)
        market, changed = self._markets[end, as_trained]
        for path in changed:
            on_changed(path)
        return market

    @cached_property
    def _markets(self) -> dict[tuple[date | None, bool], tuple[Market | None, list[str]]]:
        """Markets that were read, and the files that have changed, by last day: one serves many series."""
        return {}

    def _read_market(self, end: date | None, *, as_trained: bool) -> tuple[Market | None, list[str]]:
        """Read the market up to a day; return it, and the files that have changed."""
        if len(self.trained_on) > MOST:
            raise damaged(self.run.path / MANIFEST, f"it lists {len(self.trained_on)} series, at most {MOST} are read")
        changed: dict[str, None] = {}

        def series() -> Iterator[Prices]:
            config = self.config.with_data_span(end=end)
            try:
                for trained, source in self._training_sources():
                    prices = read_with(config, source, known=self.sessions, trained=True, with_own=False)
                    if self.changes(trained, prices) != ():
                        changed[trained.path] = None
                    is_cut = as_trained and trained.last
                    yield prices.until(date.fromisoformat(trained.last)) if is_cut else prices
            except DataError as error:
                raise DataError(
                    f"{self.run.name} uses the market, the mean of the {len(self.trained_on)} series that it was "
                    f"trained on, and one cannot be read. {error} Put it back, or train again.",
                    file=error.file,
                ) from error

        return make_market(series(), self.config.features, make=cached_features), list(changed)

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
    def sessions(self) -> Sessions | None:
        """The sessions of the run's exchange around its last row, as it stores them; None for those of another one."""
        if self.reading.data.calendar != self.config.data.calendar:
            return None
        stored = self.run.sessions()
        return None if stored is None else Sessions.from_json(stored)


def _as_path(source: PriceSource | str) -> PriceSource:
    return Path(source) if isinstance(source, str) else source


def _ticker(series: TrainedSeries) -> str:
    """Return the name by which a series of the training is chosen: its own, or its file's."""
    return series.ticker or series_name(Path(series.name))
