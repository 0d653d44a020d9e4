"""Where the data wing meets the models: one series, ready for a network."""

from dataclasses import dataclass

from stockcast.data.bars import Feedback, as_bars
from stockcast.data.targets import Target
from stockcast.data.windows import Windows
from stockcast.forecast import Days, Floats
from stockcast.models.heads import Head
from stockcast.models.inference import Network, roll_forward


@dataclass(frozen=True)
class Material:
    """One series, ready for a network: the same whether it learns, is scored or forecasts.

    Attributes:
        closes: the price that is forecast and judged, shape (days,).
        answered: prices that the network answers: the closes, or where several columns are forecast (days, columns).
        scaled: features of all days, unitless, shape (days, features).
        target: what the network's answers are.
        unit: volatility of every day that log returns are answered in, shape (days,); None for the target's own.
        window: days in.
        steps: days ahead that the network answers in one pass.
        recursive: whether its answer is fed back for the next day.
        head: what its outputs mean.
        feedback: how answers of several columns become the next day's inputs; None where the answer is the input.
    """

    closes: Floats
    answered: Floats
    scaled: Floats
    target: Target
    unit: Floats | None
    window: int
    steps: int
    recursive: bool
    head: Head
    feedback: Feedback | None = None

    def windows(self, origins: Days) -> Windows:
        """Return the windows that end at these days."""
        return Windows(
            self.scaled,
            self.answered,
            origins,
            window=self.window,
            horizon=self.steps,
            target=self.target,
            unit=self.unit,
        )

    def outputs(self, network: Network, origins: Days, *, steps: int) -> Floats:
        """Run the network at these origins; return what it says, shape (origins, steps, parameters of the head).

        Of several columns, the parameters of each after those of the one before it.
        """
        inputs = self.windows(origins).inputs()
        if self.recursive:
            return self.target.along(roll_forward(network, inputs, steps=steps, feed=self.feedback))
        return network(inputs)[:, :steps]

    def quantiles(self, outputs: Floats, origins: Days, levels: Floats) -> Floats:
        """Turn outputs of `outputs` into quantiles of the price that is judged, shape (origins, steps, levels)."""
        first = self.target.main * self.head.parameters
        own = outputs[..., first : first + self.head.parameters]
        return self.target.of_main().prices(self.head.quantiles(own, levels), self.closes[origins], self._unit(origins))

    def others(self, outputs: Floats, origins: Days, closes: Floats) -> dict[str, Floats]:
        """Turn outputs of a head that says one number into the prices of the other columns.

        Args:
            outputs: of `outputs`.
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

    def _unit(self, origins: Days) -> Floats | None:
        return None if self.unit is None else self.unit[origins]
