"""What a run stores to save time: sessions and network outputs for `predict`, baselines for `evaluate`.

Where it does not fit, because a library or the prices have changed, it is computed again; the newest forecast is always
the network's own.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version

import numpy as np

from stockcast.config.schema import Config
from stockcast.data.calendar import sessions_around
from stockcast.errors import RunError
from stockcast.evaluation.baselines.garch import GENERATION, PATHS, refit_bars
from stockcast.evaluation.baselines.task import ForecastTask
from stockcast.forecast import Forecast
from stockcast.forecasting.dataset import SeriesDataset
from stockcast.frequency import DAILY
from stockcast.models.inference import Network
from stockcast.runs.directory import RunDirectory
from stockcast.runs.layout import OUTPUTS, SESSIONS
from stockcast.runs.results import ResultFiles
from stockcast.runs.safe_io import damaged
from stockcast.typing import Dates, Days, Floats

_DAYS = 400
"""Days before the last row whose sessions are kept: `predict` compares a file's last year with them.

Bars of weeks and months are dated on sessions, so all since before the first bar are kept."""

_AHEAD = 800
"""Days after the last row whose sessions are kept: for 50 weeks, and files that are two years newer."""

_TWO_MONTHS = 70
"""Days from the first row of a file to the last session of its first whole month, at most, and a week."""

_MAX_NUMBERS = 2**25
"""Most numbers of the network's outputs that are stored, 128 MB; the default's are 260,000."""


@dataclass(frozen=True)
class CachedOutputs:
    """A network's outputs on past days.

    Attributes:
        dates: consecutive days of one series, datetime64[D], shape (days,).
        inputs: scaled, of these days, shape (days, features).
        outputs: for every window within them, oldest first, shape (origins, steps, parameters).
    """

    dates: Dates
    inputs: Floats
    outputs: Floats

    def complete(self, network: Network, dataset: SeriesDataset, dates: Dates, origins: Days, *, steps: int) -> Floats:
        """Return what `dataset.outputs` does at consecutive origins; run the network only where nothing is cached.

        A cached output is used where its whole window equals today's to the last bit. `dates` are of all days of the
        dataset, and perhaps some after them.
        """
        known = self._still_valid(dataset, dates, origins, steps=steps)
        if len(known) == len(origins):
            return known
        new = dataset.outputs(network, origins[len(known) :], steps=steps)
        return np.concatenate([known, new]) if len(known) else new

    def _still_valid(self, dataset: SeriesDataset, dates: Dates, origins: Days, *, steps: int) -> Floats:
        start = int(np.searchsorted(dates, self.dates[0]))
        days = max(0, min(len(self.dates), len(dataset.scaled) - start))
        seen = slice(start, start + days)
        same = (dates[seen] == self.dates[:days]) & (dataset.scaled[seen] == self.inputs[:days]).all(axis=1)
        unchanged = days if same.all() else int(np.argmin(same))
        first = int(origins[0]) - (start + dataset.window - 1)  # the output at the first origin, if there is one
        last = min(unchanged - dataset.window + 1, first + len(origins))
        if first < 0 or last <= first or self.outputs.shape[1] < steps:
            return self.outputs[:0]
        return self.outputs[first:last, :steps]


def write_cache(
    run: RunDirectory, config: Config, dataset: SeriesDataset, network: Network, *, adapt_from: int | None
) -> None:
    """Store what `predict` needs of the first series: sessions, and outputs of the past days that bands adapt to.

    `adapt_from` is the index of the first of these days, None where bands do not adapt.
    """
    first, last = dataset.prices.dates[[0, -1]]
    first = last - _DAYS if dataset.prices.frequency is DAILY else first - _TWO_MONTHS
    sessions = sessions_around(first, last + _AHEAD, calendar=config.data.calendar)
    if sessions.first <= last <= sessions.last:  # else the calendar does not reach these prices, which predict reports
        # No more: what else this process knows of the calendar depends on what it has done before.
        run.write_json(SESSIONS, sessions.part(first, last + _AHEAD).to_json())
    if adapt_from is None:
        return
    origins = np.arange(max(dataset.window - 1, adapt_from), len(dataset.closes) - 1)
    if not len(origins) or len(origins) * dataset.horizon * dataset.head.parameters > _MAX_NUMBERS:
        return
    days = slice(int(origins[0]) - dataset.window + 1, int(origins[-1]) + 1)
    run.write_outputs(
        dates=dataset.prices.dates[days],
        inputs=dataset.scaled[days],
        outputs=dataset.outputs(network, origins, steps=dataset.horizon),
    )


def cached_outputs(run: RunDirectory, config: Config) -> CachedOutputs | None:
    """Return the network's outputs on past days that a run stores; None of a run without.

    Raises:
        RunError: they are not what training wrote, or of another config.
    """
    arrays = run.outputs()
    if arrays is None:
        return None
    cached = CachedOutputs(**arrays)
    days, path = len(cached.dates), run.path / OUTPUTS
    shapes = (cached.dates.shape, cached.inputs.shape, cached.outputs.shape)
    outputs = (days - config.window + 1, config.horizon, config.head.parameters)
    expected = ((days,), (days, len(config.features)), outputs)
    if shapes != expected or days < config.window:
        raise RunError(
            f"{path} holds the outputs of another network: its arrays have the shapes {shapes}, but this run's config "
            f"needs {expected}. Train again.",
            file=path,
        )
    if not np.isfinite(cached.outputs).all() or (np.diff(cached.dates) <= np.timedelta64(0)).any():
        raise damaged(path, "its outputs are not finite, or its days out of order")
    return cached


@dataclass(frozen=True)
class BaselineCache:
    """Forecasts of costly baselines: read from a run where it stores them, else computed.

    Attributes:
        run: the folder that stores them; read, never written.
        task: what the baselines forecast.
        on_progress: given the baseline, the number of estimates made, and of how many.
        made: quantiles that the run lacks, by key; `RunDirectory.write_baseline` stores them.
    """

    run: ResultFiles
    task: ForecastTask
    on_progress: Callable[[str, int, int], None]
    made: dict[str, Floats] = field(default_factory=dict)

    def __call__(self, name: str, make: Callable[[], Forecast]) -> Forecast:
        """Return a baseline's forecast, in single precision as it is stored."""
        key = f"{name}-{self._fingerprint()}"
        quantiles = self.run.baseline(key)
        if quantiles is None or quantiles.shape != (*self.task.actual.shape, len(self.task.levels)):
            self.made[key] = make().quantiles.astype(np.float32)
            quantiles = self.made[key].astype(np.float64)
        return self.task.forecast(quantiles)

    def _fingerprint(self) -> str:
        """Return a hash of all that a baseline's forecast depends on."""
        task = self.task
        parts = [task.closes[: task.targets[-1, -1] + 1], task.origins, task.training_days, task.horizon]
        settings = f"{GENERATION} {version('arch')} {refit_bars(task.frequency)} {PATHS} {task.levels.tolist()}"
        content = b"".join(np.asarray(part).tobytes() for part in parts) + settings.encode()
        return hashlib.sha256(content).hexdigest()[:16]
