"""Origins -> batches of windows; indices into one array, never copies of it."""

from dataclasses import dataclass, replace

import numpy as np

from stockcast.data.target import TargetTransform
from stockcast.typing import Days, Floats


@dataclass(frozen=True)
class WindowDataset:
    """The windows that end at the given origins; memory grows with days, not with days x window.

    Attributes:
        scaled: features of all days, unitless, shape (days, features).
        target_prices: prices of all days, shape (days,), of several columns (days, columns).
        origins: last day of each window, shape (origins,), each at least window - 1.
        window: days in.
        horizon: days out.
        target: unit of the targets.
        volatility: of every day, the unit of log returns, shape (days,); None for the target's own.

    Raises:
        ValueError: an origin has fewer than `window` days; reading on from the end of the array would be the future.
    """

    scaled: Floats
    target_prices: Floats
    origins: Days
    window: int
    horizon: int
    target: TargetTransform
    volatility: Floats | None = None

    def __post_init__(self) -> None:
        if len(self.origins) and self.origins.min() < self.window - 1:
            raise ValueError(f"origin {self.origins.min()} has fewer than {self.window} days up to it")

    def __len__(self) -> int:
        return len(self.origins)

    @property
    def origin_count(self) -> int:
        """Origins, one of each window."""
        return len(self.origins)

    @property
    def step_interval(self) -> int:
        """Days ahead from one that has targets to the next: every one has."""
        return 1

    def inputs(self, rows: Days | slice = slice(None)) -> Floats:
        """Return the windows of the chosen origins, float32, shape (rows, window, features)."""
        days = self.origins[rows][:, None] + np.arange(1 - self.window, 1)
        inputs: Floats = self.scaled[days].astype(np.float32, copy=False)
        return inputs

    def targets(self, rows: Days | slice = slice(None)) -> Floats:
        """Return their targets, float32, shape (rows, horizon), of several columns (rows, horizon, columns)."""
        targets = self.target.transform(
            self.target_prices, self.origins[rows], horizon=self.horizon, volatility=self.volatility
        )
        return targets.astype(np.float32)

    def draw(self, generator: np.random.Generator, most: int | None = None) -> "WindowDataset":
        """Return the windows of one epoch, shuffled; at most `most` of them, drawn without repeats."""
        return replace(self, origins=self.origins[generator.permutation(len(self))[:most]])

    def batch(self, rows: slice) -> tuple[Floats, Floats]:
        """Return the inputs and targets of these rows."""
        return self.inputs(rows), self.targets(rows)
