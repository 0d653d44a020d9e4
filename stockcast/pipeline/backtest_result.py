"""The result of `backtest`: tables, sentences, and the files that hold them."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stockcast.config.schema import Config
from stockcast.evaluation.pool import BEST, Pool
from stockcast.evaluation.verdict.pool import baseline_name, judge_pool, pooled_results
from stockcast.forecasting.folds import Fold, FoldPlan
from stockcast.pipeline.pool_evaluation import pooled_json
from stockcast.runs.files import RunFiles, make_folder
from stockcast.runs.layout import BACKTEST
from stockcast.text import capital, join_words, plural

if TYPE_CHECKING:
    import pandas as pd

_DIGITS = 8  # of a hash in the name of the folder


@dataclass(frozen=True)
class FoldScores:
    """A fold that is done.

    Attributes:
        fold: its cut-off and config.
        run: its run.
        pool: the scores of its series.
        labels: by series, the label of its evaluation in the run.
    """

    fold: Fold
    run: Path
    pool: Pool
    labels: Mapping[str, str]

    @property
    def span(self) -> tuple[str, str]:
        """The first day forecast from and the last day forecast, ISO."""
        series = self.pool.series
        return min(each.first_origin for each in series), max(each.last_target for each in series)


@dataclass(frozen=True)
class Backtest:
    """The result of `backtest`.

    Attributes:
        config: what each fold was trained by.
        plan: where the cut-offs lie.
        folds: those that are done, oldest first.
        pool: the scores of each series over all of them, and of all series together.
        failures: by fold that could not be done, the reason.
        unscored: by series that is not scored in every fold, the number of folds without it.
    """

    config: Config
    plan: FoldPlan
    folds: tuple[FoldScores, ...]
    pool: Pool
    failures: Mapping[str, str]
    unscored: Mapping[str, int]

    @property
    def name(self) -> str:
        """Names its folder: the number of folds, the first cut-off, and a hash of the folds and the series scored."""
        words = [fold.run.name for fold in self.folds]
        words += [f"{fold.run.name} {name} {label}" for fold in self.folds for name, label in fold.labels.items()]
        digest = hashlib.sha256("\n".join(words).encode()).hexdigest()[:_DIGITS]
        return f"{plural(len(self.folds), 'fold').replace(' ', '-')}-from-{self.folds[0].fold.cutoff}-{digest}"

    @property
    def folder(self) -> Path:
        """Where `save_backtest` writes it: beside the folder of the folds."""
        return self.folds[0].run.parents[1] / self.name

    @property
    def verdict(self) -> tuple[str, ...]:
        """Sentences; the last one sums up."""
        return (self._scope(), *self.missing, *judge_pool(self.pool)[1:])

    def _scope(self) -> str:
        series = self.pool.series
        origins, unit = sum(each.origins for each in series), self.pool.frequency.unit
        of = "" if len(series) == 1 else f" of {len(series)} series"
        past = f"the same number of {unit}s" if self.plan.rolling else f"all {unit}s"
        folds = len(self.folds)
        how = (
            f"One run, trained on {past} before {self.folds[0].fold.cutoff}, "
            if folds == 1
            else f"{folds} runs, each trained on {past} before its cut-off and on none after it, "
        )
        made = "1 forecast" if origins == 1 else f"{origins:,} forecasts"
        return f"{how}made {made}{of} between {self.span[0]} and {self.span[1]}."

    @property
    def missing(self) -> list[str]:
        """Sentences on folds that could not be done, series that are not in each, and baselines that are left out."""
        sentences = [f"The fold {name} is missing: {reason.splitlines()[0]}" for name, reason in self.failures.items()]
        if self.unscored:
            parts = [f"{name} in {plural(count, 'fold')}" for name, count in list(self.unscored.items())[:10]]
            more = f" and {len(self.unscored) - 10} more series" if len(self.unscored) > 10 else ""
            sentences.append(f"Not scored: {join_words(parts) if not more else ', '.join(parts) + more}.")
        for baseline, places in self._lacking().items():
            sentences.append(
                f"{capital(baseline_name(baseline, self.pool.frequency))} has no forecast of {join_words(places[:10])}"
                f"{f' and {len(places) - 10} more' if len(places) > 10 else ''}, and is left out of the scores of all "
                f"folds together there."
            )
        return sentences

    def _lacking(self) -> dict[str, list[str]]:
        """Return where a baseline that others have has no forecast, by baseline."""
        every = dict.fromkeys(name for scores in self.folds for each in scores.pool.series for name in each.tests)
        return {
            baseline: places
            for baseline in every
            if (
                places := [
                    f"fold {scores.fold.number}" + (f" of {each.name}" if len(self.pool.series) > 1 else "")
                    for scores in self.folds
                    for each in scores.pool.series
                    if baseline not in each.tests
                ]
            )
        }

    @property
    def span(self) -> tuple[str, str]:
        """The first day forecast from and the last day forecast, ISO."""
        spans = [fold.span for fold in self.folds]
        return spans[0][0], max(last for _, last in spans)

    def title(self) -> str:
        """Return series, config and days, for figures and tables."""
        series = self.pool.series
        names = series[0].name if len(series) == 1 else f"{len(series)} series"
        return f"{names} by {self.config.name}, {plural(len(self.folds), 'fold')}, {self.span[0]} to {self.span[1]}"

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a row for each fold, number of days ahead and baseline; last those of all folds together."""
        for scores in self.folds:
            fold = scores.fold
            days = {"first_day": str(fold.cutoff), "last_day": str(fold.last)}
            known = {"fold": fold.number, **days, "run": scores.run.name}
            yield from _rows(known, scores.pool)
        first, last = self.folds[0].fold.cutoff, self.folds[-1].fold.last
        yield from _rows({"fold": "all", "first_day": str(first), "last_day": str(last), "run": ""}, self.pool)

    def to_frame(self) -> "pd.DataFrame":
        """Return `rows` as a pandas DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as backtest.json holds them."""
        results = pooled_results(self.pool)
        return {
            "config": self.config.name,
            "name": self.name,
            "plan": {
                "folds": self.plan.folds,
                "refit_every": self.plan.refit_every,
                "from": None if self.plan.first is None else str(self.plan.first),
                "window": "rolling" if self.plan.rolling else "expanding",
            },
            "score": self.pool.score,
            "frequency": self.pool.frequency.name,
            "first_origin": self.span[0],
            "last_target": self.span[1],
            "horizons": {str(step): pooled_json(scores, results, step) for step, scores in self.pool.horizons.items()},
            "overall": pooled_json(self.pool.overall, results, None),
            "folds": [_fold_json(scores) for scores in self.folds],
            "failures": dict(self.failures),
            "unscored": dict(self.unscored),
            "verdict": list(self.verdict),
        }


def _rows(known: Mapping[str, Any], pool: Pool) -> Iterator[dict[str, Any]]:
    for step, scores in [*pool.horizons.items(), ("all", pool.overall)]:
        for name, against in scores.against.items():
            having = [each for each in pool.series if name == BEST or name in each.overall.baselines]
            yield {
                **known,
                "series": against.series,
                "origins": sum(each.origins for each in having),
                "days_ahead": step,
                "baseline": name,
                "skill": against.skill,
                "margin_95": against.margin,
                "p_value": None if against.test is None else against.test.p_value,
                "coverage_50": scores.coverage_50,
                "coverage_90": scores.coverage_90,
            }


def _fold_json(scores: FoldScores) -> dict[str, Any]:
    fold, split = scores.fold, scores.fold.config.split
    results = pooled_results(scores.pool)
    return {
        "number": fold.number,
        "cutoff": str(fold.cutoff),
        "last": str(fold.last),
        "run": scores.run.name,
        "calibration": str(split.calibration),
        "data": {"start": fold.config.data.start and str(fold.config.data.start), "end": str(fold.config.data.end)},
        "series": len(scores.pool.series),
        "origins": sum(each.origins for each in scores.pool.series),
        "horizons": {str(step): pooled_json(at, results, step) for step, at in scores.pool.horizons.items()},
        "overall": pooled_json(scores.pool.overall, results, None),
    }


def save_backtest(backtest: Backtest, *, plot: bool = True) -> Path:
    """Write backtest.json, folds.csv, verdict.txt and, unless left out, skill.png and coverage.png; return the folder.

    Raises:
        RunError: the disk or the folder does not allow it.
    """
    make_folder(backtest.folder, advice="Choose another --runs.")
    files = RunFiles(backtest.folder)
    files.write_table("folds.csv", backtest.rows())
    files.write_text("verdict.txt", "".join(f"{sentence}\n" for sentence in backtest.verdict))
    if plot:
        from stockcast import plots  # matplotlib: only for who draws

        spans = [(str(scores.fold.cutoff), str(scores.fold.last)) for scores in backtest.folds]
        pools = [scores.pool for scores in backtest.folds]
        files.write_plot("skill", plots.skill_through_time(spans, pools, backtest.pool, backtest.title()), folder="")
        if backtest.pool.overall.coverage_90 is not None:
            figure = plots.coverage_through_time(spans, pools, backtest.pool, backtest.title())
            files.write_plot("coverage", figure, folder="")
    files.write_json(BACKTEST, backtest.to_json())
    return backtest.folder
