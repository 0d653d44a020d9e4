"""Where the data wing meets the models: one series, ready for a network."""

from dataclasses import dataclass

import numpy as np

from stockcast.data.targets import Target
from stockcast.data.windows import Windows
from stockcast.forecast import Days, Floats, Labels
from stockcast.models.heads import Classes, Head
from stockcast.models.inference import Network, roll_forward


@dataclass(frozen=True)
class Material:
    """One series, ready for a network: the same whether it learns, is scored or forecasts.

    Attributes:
        closes: the price that is forecast, shape (days,).
        scaled: features of all days, unitless, shape (days, features).
        target: what the network's answers are.
        unit: volatility of every day that log returns are answered in, shape (days,); None for the target's own.
        window: days in.
        steps: days ahead that the network answers in one pass.
        recursive: whether its answer is fed back for the next day.
        head: what its outputs mean.
    """

    closes: Floats
    scaled: Floats
    target: Target
    unit: Floats | None
    window: int
    steps: int
    recursive: bool
    head: Head

    def windows(self, origins: Days) -> Windows:
        """Return the windows that end at these days."""
        return Windows(
            self.scaled,
            self.closes,
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
            return self.target.along(roll_forward(network, inputs, steps=steps))[:, :, None]
        return network(inputs)[:, :steps]

    def quantiles(self, outputs: Floats, origins: Days, levels: Floats, *, at: Days | None = None) -> Floats:
        """Turn outputs of `outputs` into quantiles of price.

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
        unit = None if self.unit is None else self.unit[origins]
        if at is None:
            return self.target.prices(self.head.quantiles(outputs, levels), self.closes[origins], unit)
        answers = np.zeros((*outputs.shape[:2], len(levels)))  # a target knows a day ahead by its place
        answers[:, at] = self.head.quantiles(outputs[:, at], levels)
        return self.target.prices(answers, self.closes[origins], unit)[:, at]

    def labels(self, classes: Classes, origins: Days, *, steps: int) -> Labels:
        """Return which class each of the days after these origins came to, shape (origins, steps)."""
        return classes.labels(self.target.answers(self.closes, origins, horizon=steps, unit=self.unit))
