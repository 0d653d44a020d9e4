"""Where the data wing meets the models: one series, ready for a network."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

import numpy as np

from stockcast.data.bars import Feedback, as_bars
from stockcast.data.targets import Target
from stockcast.data.windows import Windows
from stockcast.forecast import Dates, Days, Floats, Labels
from stockcast.models.heads import Classes, Head
from stockcast.models.inference import Network, roll_forward


@dataclass(frozen=True)
class Material:
    """One series, ready for a network: the same whether it learns, is scored or forecasts.

    Attributes:
        prices: those that the network answers, shape (days,), of several columns (days, columns).
        scaled: features of all days, unitless, shape (days, features).
        target: what the network's answers are.
        unit: volatility of every day that log returns are answered in, shape (days,); None for the target's own.
        window: days in.
        steps: days ahead that the network answers in one pass.
        recursive: whether its answer is fed back for the next day.
        head: what its outputs mean.
        feedback: how answers of several columns become the next day's inputs; None where the answer is the input.
    """

    prices: Floats
    scaled: Floats
    target: Target
    unit: Floats | None
    window: int
    steps: int
    recursive: bool
    head: Head
    feedback: Feedback | None = None

    @property
    def closes(self) -> Floats:
        """The price that is forecast and judged, shape (days,)."""
        return self.prices if self.prices.ndim == 1 else self.prices[:, self.target.main]

    def windows(self, origins: Days) -> Windows:
        """Return the windows that end at these days."""
        return Windows(
            self.scaled,
            self.prices,
            origins,
            window=self.window,
            horizon=self.steps,
            target=self.target,
            unit=self.unit,
        )

    def outputs(self, network: Network, origins: Days, *, steps: int) -> Floats:
        """Run the network at these origins; return what it says, shape (origins, steps, parameters of the head)."""
        return self.answered(network, self.windows(origins).inputs(), steps=steps)

    def answered(self, network: Network, inputs: Floats, *, steps: int) -> Floats:
        """Run the network on windows as they are given; return what `outputs` does."""
        if self.recursive:
            return self.target.along(roll_forward(network, inputs, steps=steps, feed=self.feedback))
        return network(inputs)[:, :steps]

    def quantiles(self, outputs: Floats, origins: Days, levels: Floats, *, at: Days | None = None) -> Floats:
        """Turn outputs of `outputs` into quantiles of the price that is judged.

        Args:
            outputs: shape (origins, steps, parameters).
            origins: day indices, shape (origins,).
            levels: shape (levels,).
            at: indices of the days ahead that are wanted, 0 is the first; None for all.

        Returns:
            Shape (origins, steps or as many as `at` names, levels).

        Raises:
            TypeError: the head says the direction, and nothing about prices.
        """
        if self.head.quantiles is None:
            raise TypeError(f"the head {self.head.name} says no prices")
        target, closes, unit = self.target.of_main(), self.closes[origins], self._unit(origins)
        if len(self.target.columns) > 1:  # a head of several columns says one number for each
            outputs = outputs[..., self.target.main, None]
        if at is None:
            return target.prices(self.head.quantiles(outputs, levels), closes, unit)
        answers = np.zeros((*outputs.shape[:2], len(levels)))  # a target knows a day ahead by its place
        answers[:, at] = self.head.quantiles(outputs[:, at], levels)
        return target.prices(answers, closes, unit)[:, at]

    def others(self, outputs: Floats, origins: Days, closes: Floats) -> dict[str, Floats]:
        """Turn outputs of `outputs` into the prices of the other columns.

        Args:
            outputs: shape (origins, steps, columns); of one column, what its head says.
            origins: the days that they were made at.
            closes: what is said of the Close, in price units, shape (origins, steps).

        Returns:
            By column, price units, (origins, steps): with Low <= Open, Close <= High. Empty where there is one column.
        """
        columns = self.target.columns
        if len(columns) == 1:
            return {}
        prices = self.target.prices(outputs, self.closes[origins], self._unit(origins))
        prices[..., self.target.main] = closes
        bars = as_bars(prices, columns)
        return {name: bars[..., number] for number, name in enumerate(columns) if number != self.target.main}

    def labels(self, classes: Classes, origins: Days, *, steps: int) -> Labels:
        """Return which class each of the days after these origins came to, shape (origins, steps)."""
        return classes.labels(self.target.answers(self.closes, origins, horizon=steps, unit=self.unit))

    def _unit(self, origins: Days) -> Floats | None:
        return None if self.unit is None else self.unit[origins]


@dataclass(frozen=True)
class Answered:
    """What a network said of days past.

    Attributes:
        dates: consecutive days of one series, datetime64[D], shape (days,).
        inputs: scaled, of these days, shape (days, features).
        outputs: to every window within them, oldest first, shape (origins, steps, parameters).
    """

    dates: Dates
    inputs: Floats
    outputs: Floats

    def and_now(self, network: Network, material: Material, dates: Dates, origins: Days, *, steps: int) -> Floats:
        """Return what `material.outputs` does at consecutive origins; ask the network only where it was not asked.

        An answer of the past holds where its whole window was seen then as it is now, to the last bit.

        Args:
            network: the very one.
            material: the series, ready for it.
            dates: of all its days and perhaps some after them.
            origins: consecutive days, oldest first.
            steps: days ahead.
        """
        known = self._still_true(material, dates, origins, steps=steps)
        if len(known) == len(origins):
            return known
        now = material.outputs(network, origins[len(known) :], steps=steps)
        return np.concatenate([known, now]) if len(known) else now

    def _still_true(self, material: Material, dates: Dates, origins: Days, *, steps: int) -> Floats:
        start = int(np.searchsorted(dates, self.dates[0]))
        days = max(0, min(len(self.dates), len(material.scaled) - start))
        seen = slice(start, start + days)
        same = (dates[seen] == self.dates[:days]) & (material.scaled[seen] == self.inputs[:days]).all(axis=1)
        unchanged = days if same.all() else int(np.argmin(same))
        first = int(origins[0]) - (start + material.window - 1)  # the answer to the first origin, if there is one
        last = min(unchanged - material.window + 1, first + len(origins))
        if first < 0 or last <= first or self.outputs.shape[1] < steps:
            return self.outputs[:0]
        return self.outputs[first:last, :steps]


def end_to_end(materials: Sequence[Material]) -> tuple[Material, list[Material]]:
    """Lay the days of several series end to end, so that all are held in memory once.

    Args:
        materials: of one size, target and set of features each, at least one.

    Returns:
        All days as one, and each series as the part of these that are its own days.
    """
    units = [one.unit for one in materials if one.unit is not None]
    whole = replace(
        materials[0],
        prices=np.concatenate([one.prices for one in materials]),
        scaled=np.concatenate([one.scaled for one in materials]),
        unit=np.concatenate(units) if units else None,
    )
    borders = accumulate((len(one.prices) for one in materials), initial=0)
    days = [slice(start, end) for start, end in pairwise(borders)]
    return whole, [
        replace(
            whole,
            prices=whole.prices[own],
            scaled=whole.scaled[own],
            unit=None if whole.unit is None else whole.unit[own],
        )
        for own in days
    ]
