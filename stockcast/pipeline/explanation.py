"""The result of `explain`: values, the sentences that sum them up, and the rows of its tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from stockcast.evaluation.importance import Importance
from stockcast.frequency import DAILY, Frequency
from stockcast.models.explain.activations import LayerActivations
from stockcast.models.explain.attribution import Saliency
from stockcast.text import join_words, percent_text, plural
from stockcast.typing import Dates, Floats

Rows = list[dict[str, Any]]
What = Literal["spread", "middle", "up"]
Score = Literal["CRPS", "Brier"]

_SCORE_TEXT: dict[Score, str] = {"CRPS": "CRPS", "Brier": "Brier score"}

FEATURES_NAMED = 3
"""Features that a sentence names; tables and figures have all."""


@dataclass(frozen=True)
class Attribution:
    """The effect of each input on one number of the forecast.

    Attributes:
        what: `spread` is the log of the width of the 90 % band of log returns, `middle` the median return in percent,
            `up` the chance of up in percent.
        days_ahead: trading days from the origin.
        saliency: the effect of each day and each feature.
        frequency: of the bars, each of which is called a day here.
    """

    what: What
    days_ahead: int
    saliency: Saliency
    frequency: Frequency = DAILY

    def by_feature(self) -> Floats:
        """Integrated gradients summed over the days, in the number's unit, shape (features,)."""
        sums: Floats = self.saliency.integrated.sum(axis=0)
        return sums

    def last_days(self, share: float = 0.9) -> int:
        """Return how many of the window's last days have this share of the whole effect, up or down."""
        by_day = np.abs(self.saliency.integrated).sum(axis=1)[::-1]
        return int(np.searchsorted(np.cumsum(by_day), share * by_day.sum())) + 1

    def sentence(self, features: Sequence[str]) -> str:
        """Return the effect of this window on the number, and of which features."""
        sums = self.by_feature()
        most = [f"{features[i]} {self._size(sums[i])}" for i in np.argsort(-np.abs(sums))[:FEATURES_NAMED]]
        days = f"{self.frequency.count(self.days_ahead)} ahead"
        now, before = self.saliency.value, self.saliency.baseline_value
        effect = {
            "spread": f"The 90 % band {days} is {_wider(float(np.expm1(self.saliency.change)))}",
            "middle": f"The median {days} is {now:+.2f} %, and {before:+.2f} %",
            "up": f"The chance of up {days} is {now:.2f} %, and {before:.2f} %",
        }[self.what]
        reach, unit = self.frequency.count(self.last_days()), self.frequency.unit
        return (
            f"{effect} after a window of average {unit}s, mostly by {join_words(most)}. Nine tenths of the effect come "
            f"from the last {reach}."
        )

    def _size(self, effect: float) -> str:
        return f"{100 * np.expm1(effect):+.0f} %" if self.what == "spread" else f"{effect:+.2f} points"


@dataclass(frozen=True)
class GradientCurve:
    """How much of the loss's gradient reaches each day back, in one network.

    Attributes:
        network: which one, in words.
        norms: norm of d loss / d h over the units, oldest day first, shape (windows, window).
    """

    network: str
    norms: Floats

    def share_left(self) -> Floats:
        """Median over the windows, as a share of the last day's, which is the first here; 0 where that is 0."""
        median: Floats = np.median(self.norms, axis=0)[::-1]
        return median / median[0] if median[0] > 0 else median


@dataclass(frozen=True)
class Explanation:
    """The result of `explain`.

    Attributes:
        run: name of the run.
        series: name of the price file.
        dates: days of the window that is explained, oldest first, shape (window,).
        features: names of the network's inputs.
        inputs: in their own unit, NaN where there is none, shape (window, features).
        scaled: the same as the network is given them, shape (window, features).
        attributions: the effect of the inputs on the forecast's numbers.
        activations: of the hidden units, layer by layer.
        gradients: how far back gradients reach; none where the network has no recurrence or no validation day.
        score: what importance is measured by: CRPS of log returns, or Brier score of the direction's probabilities.
        importance: of each feature on the validation days; None without such days.
        origins: validation origins that importance is measured on.
        notes: what is not shown and why, and what is explained where that is not obvious.
        frequency: of the bars, each of which is called a day here.
        content: `Prices.content_sha256` of the series up to the last of these days; empty if unknown.
    """

    run: str
    series: str
    dates: Dates
    features: tuple[str, ...]
    inputs: Floats
    scaled: Floats
    attributions: tuple[Attribution, ...]
    activations: tuple[LayerActivations, ...]
    gradients: tuple[GradientCurve, ...]
    score: Score
    importance: Importance | None
    origins: int
    notes: tuple[str, ...]
    frequency: Frequency = DAILY
    content: str = ""

    def summary(self) -> list[str]:
        """Return the explanation in a few sentences."""
        sentences = [
            f"{self.series} by {self.run}: the forecast from {self.dates[-1]}, which looks back to {self.dates[0]}.",
            *(attribution.sentence(self.features) for attribution in self.attributions),
        ]
        if self.gradients:
            first, *others = self.gradients
            frequency = self.frequency
            back = frequency.count(len(self.dates) - 1)
            rest = "; ".join(f"{curve.network}: {percent_text(curve.share_left()[-1])}" for curve in others)
            sentences.append(
                f"Of the gradient at the last {frequency.unit}, {percent_text(first.share_left()[-1])} reaches the "
                "first "
                f"{frequency.unit} of the window, {back} back, in {first.network} ({rest})."
            )
        if self.importance is not None:
            effects = _shuffling_effects(self.importance, self.features, score=_SCORE_TEXT[self.score])
            sentences.append(f"Shuffled among {plural(self.origins, 'validation origin')}, {effects}.")
        return [*sentences, *self.notes]

    def to_json(self) -> dict[str, Any]:
        """Return plain values for --json."""
        importance = self.importance
        return {
            "run": self.run,
            "series": self.series,
            "origin": str(self.dates[-1]),
            "first_day": str(self.dates[0]),
            "moved": [
                {
                    "what": attribution.what,
                    "days_ahead": attribution.days_ahead,
                    "value": attribution.saliency.value,
                    "baseline_value": attribution.saliency.baseline_value,
                    "gap": attribution.saliency.gap,
                    "features": dict(zip(self.features, attribution.by_feature().tolist(), strict=True)),
                    "last_days_with_nine_tenths": attribution.last_days(),
                }
                for attribution in self.attributions
            ],
            "gradient_left_at_first_day": {curve.network: float(curve.share_left()[-1]) for curve in self.gradients},
            "importance": importance
            and {
                self.score.lower(): importance.loss,
                "origins": self.origins,
                "features": {
                    name: {"increase": float(importance.means[i]), "spread": float(importance.spreads[i])}
                    for i, name in enumerate(self.features)
                },
            },
            "notes": list(self.notes),
        }

    def tables(self) -> dict[str, Rows]:
        """Return the rows of each table by its name; a table without rows is left out."""
        tables = {
            "saliency": self._saliency_rows(),
            **{f"units-{layer.layer}": self._unit_rows(layer) for layer in self.activations},
            "gates": self._gate_rows(),
            "gradient": self._gradient_rows(),
            "importance": self._importance_rows(),
        }
        return {name: rows for name, rows in tables.items() if rows}

    def _saliency_rows(self) -> Rows:
        """One row for each number that is explained, day and feature."""
        return [
            {
                "what": attribution.what,
                "days_ahead": attribution.days_ahead,
                "date": str(date),
                "feature": feature,
                "input": "" if np.isnan(self.inputs[day, column]) else float(self.inputs[day, column]),
                "scaled": float(self.scaled[day, column]),
                "gradient_x_input": float(attribution.saliency.gradient_x_input[day, column]),
                "integrated_gradients": float(attribution.saliency.integrated[day, column]),
            }
            for attribution in self.attributions
            for day, date in enumerate(self.dates)
            for column, feature in enumerate(self.features)
        ]

    def _unit_rows(self, layer: LayerActivations) -> Rows:
        """One row for each day, one column for each unit, in the order of the figure."""
        if layer.states is None:
            return []
        return [
            {"date": str(date), **{f"unit_{unit}": round(float(states[unit]), 6) for unit in layer.order}}
            for date, states in zip(self.dates, layer.states, strict=True)
        ]

    def _gate_rows(self) -> Rows:
        """One row for each layer, gate and day: mean and quartiles over the units."""
        return [
            {"layer": layer.layer, "gate": gate, "date": str(date), "mean": float(opened[day].mean()),
             **_quartiles(opened[day])}
            for layer in self.activations
            for gate, opened in layer.gates.items()
            for day, date in enumerate(self.dates)
        ]  # fmt: skip

    def _gradient_rows(self) -> Rows:
        """One row for each network and day back: median and quartiles of the norm over the windows."""
        return [
            {"network": curve.network, "days_back": back, "norm": float(np.median(norms)), **_quartiles(norms),
             "share_of_last_day": float(curve.share_left()[back])}
            for curve in self.gradients
            for back, norms in enumerate(curve.norms.T[::-1])
        ]  # fmt: skip

    def _importance_rows(self) -> Rows:
        """One row for each feature: how much the score rises without it, over all shuffles and in each."""
        if self.importance is None:
            return []
        importance = self.importance
        return [
            {
                "feature": name,
                f"{self.score.lower()}_increase": float(importance.means[i]),
                "spread_of_shuffles": float(importance.spreads[i]),
                "relative_increase": float(importance.means[i] / importance.loss) if importance.loss > 0 else "",
                **{f"shuffle_{number}": float(rise) for number, rise in enumerate(importance.increases[i], start=1)},
            }
            for i, name in enumerate(self.features)
        ]


def _quartiles(values: Floats) -> dict[str, float]:
    return {"lower_quartile": float(np.quantile(values, 0.25)), "upper_quartile": float(np.quantile(values, 0.75))}


def _shuffling_effects(importance: Importance, features: Sequence[str], *, score: str) -> str:
    """Return without which features the score rises or falls, and the largest effect within the noise."""
    means, clear, order = importance.means, importance.stands_out, np.argsort(-importance.means)

    def named(places: Sequence[int], most: int = FEATURES_NAMED) -> str:
        more = [f"{len(places) - most} more"] if len(places) > most else []
        changes = (f"{features[i]} ({100 * means[i] / importance.loss:+.1f} %)" for i in places[:most])
        return join_words([*changes, *more])

    needed = [i for i in order if clear[i] and means[i] > 0]
    harmful = [i for i in order[::-1] if clear[i] and means[i] < 0]
    rest = [i for i in order if not clear[i]]
    noise = "the noise of the shuffles"
    effects = [
        f"{score} rises beyond {noise} without {named(needed)}" if needed else f"no feature matters beyond {noise}"
    ]
    if harmful:
        effects.append(f"{score} falls without {named(harmful)}")
    if rest:
        which = "the other" if needed or harmful else "all"
        stay = "one stays" if len(rest) == 1 else f"{len(rest)} stay"
        effects.append(f"{which} {stay} within it, at most {named(rest[:1])}")
    return "; ".join(effects)


def _wider(change: float) -> str:
    if abs(change) < 0.005:
        return "as wide as"
    return f"{100 * abs(change):.0f} % {'wider' if change > 0 else 'narrower'} than"
