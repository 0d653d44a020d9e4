"""What `explain` found: values, the sentences that sum them up, and the rows of its tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from stockcast.data.csvfile import counted
from stockcast.evaluation.importance import Importance
from stockcast.evaluation.wording import share_text
from stockcast.forecast import Dates, Floats
from stockcast.models.firing import Firing
from stockcast.models.insight import Saliency

Rows = list[dict[str, Any]]
What = Literal["spread", "middle", "up"]
Score = Literal["CRPS", "Brier"]

_TOLD: dict[Score, str] = {"CRPS": "CRPS", "Brier": "Brier score"}

TOLD = 3
"""Features that a sentence names; the tables and pictures have all."""


@dataclass(frozen=True)
class Moved:
    """What moved one number of the forecast.

    Attributes:
        what: `spread` is the log of the width of the 90 % band of log returns, `middle` the median return in percent,
            `up` the chance of up in percent.
        days_ahead: trading days from the origin.
        saliency: how much each day and each feature moved it.
    """

    what: What
    days_ahead: int
    saliency: Saliency

    def by_feature(self) -> Floats:
        """Integrated gradients summed over the days, in the number's unit, shape (features,)."""
        sums: Floats = self.saliency.integrated.sum(axis=0)
        return sums

    def last_days(self, share: float = 0.9) -> int:
        """Return how many of the window's last days hold this share of all that was moved, up or down."""
        by_day = np.abs(self.saliency.integrated).sum(axis=1)[::-1]
        return int(np.searchsorted(np.cumsum(by_day), share * by_day.sum())) + 1

    def sentence(self, features: Sequence[str]) -> str:
        """Say what this window made of the number, and by which features."""
        sums = self.by_feature()
        most = [f"{features[i]} {self._size(sums[i])}" for i in np.argsort(-np.abs(sums))[:TOLD]]
        days = f"{self.days_ahead} {'day' if self.days_ahead == 1 else 'days'} ahead"
        now, before = self.saliency.value, self.saliency.baseline_value
        told = {
            "spread": f"The 90 % band {days} is {_wider(float(np.expm1(self.saliency.change)))}",
            "middle": f"The median {days} is {now:+.2f} %, and {before:+.2f} %",
            "up": f"The chance of up {days} is {now:.2f} %, and {before:.2f} %",
        }[self.what]
        reach = counted(self.last_days(), "day")
        return (
            f"{told} after a window of average days: most by {listed(most)}. Nine tenths of what moved it stand in the "
            f"last {reach}."
        )

    def _size(self, moved: float) -> str:
        return f"{100 * np.expm1(moved):+.0f} %" if self.what == "spread" else f"{moved:+.2f} points"


@dataclass(frozen=True)
class Curve:
    """How much of the loss's gradient reaches each day back, in one network.

    Attributes:
        network: which one, in words.
        norms: norm of d loss / d h over the units, oldest day first, shape (windows, window).
    """

    network: str
    norms: Floats

    def median(self) -> Floats:
        """Median over the windows, the last day first, shape (window,)."""
        median: Floats = np.median(self.norms, axis=0)[::-1]
        return median

    def share_left(self) -> Floats:
        """The same as shares of what reaches the last day; 0 where nothing reaches even that."""
        median = self.median()
        return median / median[0] if median[0] > 0 else median


@dataclass(frozen=True)
class Findings:
    """All that `explain` found.

    Attributes:
        run: name of the run.
        series: name of the price file.
        dates: days of the window that is explained, oldest first, shape (window,).
        features: names of what the network sees of each day.
        inputs: in their own unit, NaN where there is none, shape (window, features).
        scaled: the same as the network sees them, shape (window, features).
        moved: what moved the forecast's numbers.
        firings: what the hidden units did, layer by layer.
        curves: how far back gradients reach; none where the network has no recurrence or no validation day.
        score: which one importance is measured by.
        importance: of each feature on the validation days, in CRPS of log returns or in the Brier score of the
            direction's probabilities; None without such days.
        origins: how many validation origins that was measured on.
        notes: what is not shown and why, and what is explained where that is not plain.
        folder: where tables and pictures are.
    """

    run: str
    series: str
    dates: Dates
    features: tuple[str, ...]
    inputs: Floats
    scaled: Floats
    moved: tuple[Moved, ...]
    firings: tuple[Firing, ...]
    curves: tuple[Curve, ...]
    score: Score
    importance: Importance | None
    origins: int
    notes: tuple[str, ...]
    folder: Path

    def summary(self) -> list[str]:
        """Say in a few sentences what mattered."""
        return [
            f"{self.series} by {self.run}: the forecast from {self.dates[-1]}, which looks back to {self.dates[0]}.",
            *(one.sentence(self.features) for one in self.moved),
            *self._reach(),
            *self._costs(),
            *self.notes,
        ]

    def _reach(self) -> list[str]:
        if not self.curves:
            return []
        first, *others = self.curves
        back = counted(len(self.dates) - 1, "day")
        beside = "; ".join(f"{one.network}: {share_text(one.share_left()[-1])}" for one in others)
        return [
            f"Of the gradient at the last day, {share_text(first.share_left()[-1])} reaches the first day of the "
            f"window, {back} back, in {first.network} ({beside})."
        ]

    def _costs(self) -> list[str]:
        if self.importance is None:
            return []
        told = _missed(self.importance, self.features, score=_TOLD[self.score])
        return [f"Shuffled among {counted(self.origins, 'validation origin')}, {told}."]

    def to_json(self) -> dict[str, Any]:
        """Return plain values for --json."""
        return {
            "run": self.run,
            "series": self.series,
            "origin": str(self.dates[-1]),
            "first_day": str(self.dates[0]),
            "moved": [
                {
                    "what": one.what,
                    "days_ahead": one.days_ahead,
                    "value": one.saliency.value,
                    "baseline_value": one.saliency.baseline_value,
                    "gap": one.saliency.gap,
                    "features": dict(zip(self.features, one.by_feature().tolist(), strict=True)),
                    "last_days_with_nine_tenths": one.last_days(),
                }
                for one in self.moved
            ],
            "gradient_left_at_first_day": {one.network: float(one.share_left()[-1]) for one in self.curves},
            "importance": None
            if self.importance is None
            else {
                self.score.lower(): self.importance.loss,
                "origins": self.origins,
                "features": {
                    name: {"increase": float(mean), "spread": float(spread)}
                    for name, mean, spread in zip(
                        self.features, self.importance.means, self.importance.spreads, strict=True
                    )
                },
            },
            "notes": list(self.notes),
        }

    def saliency_rows(self) -> Rows:
        """One row for each number that is explained, day and feature."""
        return [
            {
                "what": one.what,
                "days_ahead": one.days_ahead,
                "date": str(date),
                "feature": feature,
                "input": "" if np.isnan(self.inputs[day, column]) else float(self.inputs[day, column]),
                "scaled": float(self.scaled[day, column]),
                "gradient_x_input": float(one.saliency.gradient_x_input[day, column]),
                "integrated_gradients": float(one.saliency.integrated[day, column]),
            }
            for one in self.moved
            for day, date in enumerate(self.dates)
            for column, feature in enumerate(self.features)
        ]

    def unit_rows(self, firing: Firing) -> Rows:
        """One row for each day, one column for each unit, in the picture's order."""
        states = firing.states if firing.states is not None else np.empty((0, 0))
        return [
            {"date": str(date), **{f"unit_{unit}": round(float(states[day, unit]), 6) for unit in firing.order}}
            for day, date in enumerate(self.dates[: len(states)])
        ]

    def gate_rows(self) -> Rows:
        """One row for each layer, gate and day: mean and quartiles over the units."""
        return [
            {
                "layer": firing.layer,
                "gate": gate,
                "date": str(date),
                "mean": float(opened[day].mean()),
                "lower_quartile": float(np.quantile(opened[day], 0.25)),
                "upper_quartile": float(np.quantile(opened[day], 0.75)),
            }
            for firing in self.firings
            for gate, opened in firing.gates.items()
            for day, date in enumerate(self.dates)
        ]

    def gradient_rows(self) -> Rows:
        """One row for each network and day back: median and quartiles of the norm over the windows."""
        return [
            {
                "network": curve.network,
                "days_back": back,
                "norm": float(np.median(norms)),
                "lower_quartile": float(np.quantile(norms, 0.25)),
                "upper_quartile": float(np.quantile(norms, 0.75)),
                "share_of_last_day": float(curve.share_left()[back]),
            }
            for curve in self.curves
            for back, norms in enumerate(curve.norms.T[::-1])
        ]

    def importance_rows(self) -> Rows:
        """One row for each feature: how much the score rises without it, over all shuffles and in each."""
        if self.importance is None:
            return []
        found = self.importance
        return [
            {
                "feature": name,
                f"{self.score.lower()}_increase": float(found.means[i]),
                "spread_of_shuffles": float(found.spreads[i]),
                "relative_increase": float(found.means[i] / found.loss) if found.loss > 0 else "",
                **{f"shuffle_{number}": float(one) for number, one in enumerate(found.increases[i], start=1)},
            }
            for i, name in enumerate(self.features)
        ]


def _missed(found: Importance, features: Sequence[str], *, score: str) -> str:
    """Say which features are missed, which mislead, and how dear the dearest is of those that do not stand out."""
    means, clear, dearest = found.means, found.stands_out, np.argsort(-found.means)

    def named(places: Sequence[int], most: int = TOLD) -> str:
        more = [f"{len(places) - most} more"] if len(places) > most else []
        return listed([*(f"{features[i]} ({100 * means[i] / found.loss:+.1f} %)" for i in places[:most]), *more])

    missed = [i for i in dearest if clear[i] and means[i] > 0]
    misleading = [i for i in dearest[::-1] if clear[i] and means[i] < 0]
    rest = [i for i in dearest if not clear[i]]
    noise = "the noise of the shuffles"
    told = [
        f"{score} rises beyond {noise} without {named(missed)}" if missed else f"no feature is missed beyond {noise}"
    ]
    if misleading:
        told.append(f"{score} falls without {named(misleading)}")
    if rest:
        whose = "the other" if missed or misleading else "all"
        stay = "one stays" if len(rest) == 1 else f"{len(rest)} stay"
        told.append(f"{whose} {stay} within it, at most {named(rest[:1])}")
    return "; ".join(told)


def _wider(change: float) -> str:
    if abs(change) < 0.005:
        return "as wide as"
    return f"{100 * abs(change):.0f} % {'wider' if change > 0 else 'narrower'} than"


def listed(words: list[str]) -> str:
    """Write words as a list in a sentence: `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
