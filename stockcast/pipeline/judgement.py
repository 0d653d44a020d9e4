"""The result of `judge`: values, sentences, tables, and the files that hold them."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stockcast.evaluation.pool import Pool
from stockcast.evaluation.significance import ConfidenceSet
from stockcast.evaluation.stated import score_rows
from stockcast.evaluation.verdict.pool import pooled_results
from stockcast.evaluation.verdict.record import Record, held_by_series
from stockcast.judging.scoring import JudgedModel, JudgedSeries, model_key
from stockcast.judging.suspicions import Suspicion
from stockcast.pipeline.pool_evaluation import pooled_json
from stockcast.runs.files import RunFiles, make_folder, now
from stockcast.text import join_words, plural, printable_name

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN = (
    "Not known: whether the forecasts were made before the days that they are of; a file cannot show it.",
    "Not known: what a model was trained on, and chosen by. If days that are scored were among it, the scores are too "
    "good.",
)
"""What no look at a file of forecasts can tell."""

_GRAVE = ("foresight", "missing", "unit")
"""Suspicions that make every score worthless."""


@dataclass(frozen=True)
class Judgement:
    """The result of `judge`.

    Attributes:
        models: of each, its series and their scores.
        confidence_sets: by days ahead, the forecasts that may be the best, of all models and baselines; None: over all.
        notes: how the files were read, and what was left out, one sentence each.
        unscored: those of them about forecasts that could not be scored.
        quoted: whether the forecasts are of quoted prices.
    """

    models: tuple[JudgedModel, ...]
    confidence_sets: Mapping[int | None, ConfidenceSet | None]
    notes: tuple[str, ...]
    unscored: tuple[str, ...]
    quoted: bool = False

    @property
    def series(self) -> list[tuple[JudgedModel, JudgedSeries]]:
        """Every series of every model."""
        return [(model, series) for model in self.models for series in model.series]

    @property
    def suspicions(self) -> tuple[Suspicion, ...]:
        """What speaks against the submissions."""
        return tuple(found for _, series in self.series for found in series.suspicions)

    @property
    def verdict(self) -> tuple[str, ...]:
        """Sentences; the last one sums up."""
        sentences = []
        for model in self.models:
            mark = f"{printable_name(model.name)}: " if len(self.models) > 1 else ""
            own = model.verdict if len(self.models) > 1 else model.verdict[:-1]
            sentences += [f"{mark}{sentence}" for sentence in own]
        found = [f"Suspicious: {suspicion.sentence}" for suspicion in self.suspicions]
        return (*sentences, *self._best(), *found, *UNKNOWN, self._summary())

    def _best(self) -> list[str]:
        """Which of several models may be the best forecast of all."""
        if len(self.models) < 2:
            return []
        frequency = self.models[0].series[0].report.frequency
        inside = {
            model.name: [
                step
                for step, best in self.confidence_sets.items()
                if step is not None and best is not None and model_key(model.name) in best.names
            ]
            for model in self.models
        }
        if not any(best is not None for best in self.confidence_sets.values()):
            return []
        parts = [f"{printable_name(name)} at {frequency.steps(steps)} ahead" for name, steps in inside.items() if steps]
        return [
            f"In the model confidence set (90 %) of all models and baselines are {join_words(parts)}."
            if parts
            else "None of the models is in the model confidence set (90 %) of all models and baselines."
        ]

    def _summary(self) -> str:
        doubted = dict.fromkeys(each.model for each in self.suspicions if each.kind in _GRAVE)
        end = f" None of it counts for {_names(doubted)}, see what is suspicious." if doubted else ""
        if len(self.models) == 1:
            return f"{self.models[0].verdict[-1]}{end}"
        groups: dict[str, list[str]] = {}
        for model in self.models:
            groups.setdefault(_outcome(model), []).append(model.name)
        return f"In short: {'; '.join(f'{outcome}: {_names(names)}' for outcome, names in groups.items())}.{end}"

    def trust(self) -> dict[str, tuple[str, ...]]:
        """Return for each model the lines that tell how its forecasts held, as those of one's own runs do."""
        return {model.name: tuple(_trust(model)) for model in self.models}

    def title(self, model: JudgedModel, series: JudgedSeries | None = None) -> str:
        """Return model, series and days, for figures and tables; without a series, of all."""
        chosen = model.series if series is None else (series,)
        first, last = min(each.dates[0] for each in chosen), max(each.last_target for each in chosen)
        what = chosen[0].name if len(chosen) == 1 else f"{len(chosen)} series"
        origins = plural(sum(each.report.origins for each in chosen), "origin")
        return f"{what} by {printable_name(model.name)}: {origins}, {first} to {last}"

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each model, series, number of days ahead and forecast; the model's own is called `model`."""
        return [
            {"model": model.name, "series": series.name, **row}
            for model, series in self.series
            for row in score_rows(series.metrics, name="model")
        ]

    def to_frame(self) -> "pd.DataFrame":
        """Return `rows` as a pandas DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as judgement.json holds them."""
        lines = self.trust()
        return {
            "models": [
                {
                    "name": model.name,
                    "series": [_series_json(series) for series in model.series],
                    "pool": None if model.pool is None else _pool_json(model.pool),
                    "trust": list(lines[model.name]),
                    "verdict": list(model.verdict),
                }
                for model in self.models
            ],
            "confidence_sets": {
                "all" if step is None else str(step): _set_json(best, self.models)
                for step, best in self.confidence_sets.items()
            },
            "quoted": self.quoted,
            "suspicions": [found.to_json() for found in self.suspicions],
            "unknown": list(UNKNOWN),
            "unscored": list(self.unscored),
            "notes": list(self.notes),
            "verdict": list(self.verdict),
        }

    def name(self) -> str:
        """Return what names a folder of it: the models, and the first digits of a hash of the scores."""
        words = [(model.name, series.name, series.metrics["overall"]) for model, series in self.series]
        digest = hashlib.sha256(json.dumps(words).encode()).hexdigest()[:8]
        first = _file_name(self.models[0].name)
        return f"{first if len(self.models) == 1 else f'{len(self.models)}-models'}-{digest}"


def save_judgement(judgement: Judgement, folder: Path | str, *, plot: bool = True) -> Path:
    """Write scores.csv, verdict.txt, judgement.json and pictures into a folder of its own; return it.

    Args:
        judgement: the values.
        folder: in which the folder is made, named by the models.
        plot: whether to draw.

    Raises:
        RunError: the disk or the folder does not allow it.
    """
    output = Path(folder).resolve() / judgement.name()
    make_folder(output, advice="Choose another folder.")
    files = RunFiles(output)
    files.write_table("scores.csv", judgement.rows())
    files.write_text("verdict.txt", "".join(f"{printable_name(sentence)}\n" for sentence in judgement.verdict))
    if plot:
        _draw(judgement, files)
    files.write_json("judgement.json", {"created": now(), **judgement.to_json()})
    return output


def _draw(judgement: Judgement, files: RunFiles) -> None:
    from stockcast import plots  # matplotlib: only for who draws

    names: dict[str, int] = {}
    for model in judgement.models:
        name = _file_name(model.name)
        names[name] = names.get(name, 0) + 1
        mark = name if names[name] == 1 else f"{name}-{names[name]}"
        title = judgement.title(model)
        if model.pool is None:
            figure = plots.skill_by_horizon(model.series[0].report, title)
        else:
            figure = plots.pool_skill(model.pool, title)
        files.write_plot(f"skill-{mark}", figure)
        forecast, baselines, actual = model.stacked()
        if any(forecast.has_band(2 * level - 1) for level in forecast.levels if level > 0.5):
            subject, spacing = printable_name(model.name), model.spacing
            figure = plots.coverage(forecast, baselines, actual, title, subject=subject, spacing=spacing)
            files.write_plot(f"coverage-{mark}", figure)


def _file_name(name: str) -> str:
    """Return a name as a path has it: letters, digits, dashes and dots, short."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:40] or "model"


def _names(names: Iterable[str]) -> str:
    return join_words([printable_name(name) for name in names])


def _outcome(model: JudgedModel) -> str:
    """Return in a few words what the tests of a model prove."""
    results = pooled_results(model.pool) if model.pool is not None else _record(model.series[0]).results
    by_baseline = {name: {each.outcome for each in steps.values()} for name, steps in results.items()}
    better = any("better" in found for found in by_baseline.values())
    worse = any("worse" in found for found in by_baseline.values())
    if all(found <= {"untested"} for found in by_baseline.values()):
        return "too few days for a test"
    if better and worse:
        return "better than some baselines and worse than others"
    if better:
        return "better than some baseline and worse than none"
    return "worse than some baseline and better than none" if worse else "no skill beyond that of the baselines"


def _record(series: JudgedSeries) -> Record:
    return Record.of(
        {**series.metrics, "split": {"first_origin": str(series.dates[0]), "last_target": str(series.last_target)}},
        frequency=series.report.frequency,
    )


def _trust(model: JudgedModel) -> Iterable[str]:
    """Yield the lines of one model, in the words of `pipeline.trust`."""
    frequency, horizon = model.series[0].report.frequency, model.series[0].matched.forecast.horizon
    if model.pool is None:
        record = _record(model.series[0])
        if record.held:
            yield f"Held: {record.sentence(horizon, None, frequency=frequency)}"
        yield f"Skill: {record.skill(frequency=frequency)}"
        if record.faults:
            yield f"Fails: {'; '.join(record.faults)}."
    else:
        held = [share for each in model.series if (share := _record(each).held_at(horizon)) is not None]
        if held:
            yield f"Held: {held_by_series(held, horizon, frequency=frequency)}"
        yield f"Skill: {model.verdict[-1].removeprefix('In short: ')}"
    ends = sorted({str(each.matched.prices.dates[each.training_days - 1]) for each in model.series})
    span = ends[0] if len(ends) == 1 else f"{ends[0]} to {ends[-1]}"
    yield f"Known: baselines estimate constants on days up to {span}; what the model was trained on is not known."


def _series_json(series: JudgedSeries) -> dict[str, Any]:
    matched, report = series.matched, series.report
    return {
        "name": series.name,
        "data": {"name": matched.prices.label, "sha256": matched.prices.sha256},
        "source": matched.submitted.source,
        "kind": matched.submitted.kind,
        "levels": matched.forecast.levels.tolist(),
        "training_days": series.training_days,
        "split": {
            "first_origin": str(series.dates[0]),
            "last_target": str(series.last_target),
            "origins": report.origins,
            "forecasts": int(matched.known.sum()),
        },
        "unscored": {"beyond": matched.beyond.astype(str).tolist(), "no_price": matched.no_bar.astype(str).tolist()},
        **series.metrics,
    }


def _pool_json(pool: Pool) -> dict[str, Any]:
    results = pooled_results(pool)
    return {
        "horizons": {str(step): pooled_json(at, results, step) for step, at in pool.horizons.items()},
        "overall": pooled_json(pool.overall, results, None),
    }


def _set_json(best: ConfidenceSet | None, models: Iterable[JudgedModel]) -> dict[str, list[str]] | None:
    if best is None:
        return None
    own = {model_key(model.name): model.name for model in models}
    return {
        "models": [own[name] for name in best.names if name in own],
        "baselines": [name for name in best.names if name not in own],
    }
