"""The scores of many series together: what `sc.evaluate_pool` returns and the command prints and stores."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from stockcast.evaluation.pool import BEST, Pool, PooledScores
from stockcast.evaluation.verdict.outcomes import Results
from stockcast.evaluation.verdict.pool import judge_pool, pooled_results
from stockcast.pipeline.scored_series import ScoredDays
from stockcast.runs.layout import evaluation_folder

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class PoolEvaluation:
    """The result of `evaluate_pool`.

    Attributes:
        run: name of the run.
        name: of its folder: the price files, the first day, and the first digits of a hash of all series.
        days: which days of each series were scored.
        pool: the scores.
        labels: by series, the label of its evaluation in the run.
        failures: by series that could not be scored, the reason.
        tuned: how the run's config was chosen, a sentence of the verdict; empty where `tune` did not choose it.
    """

    run: str
    name: str
    days: ScoredDays
    pool: Pool
    labels: Mapping[str, str]
    failures: Mapping[str, str]
    tuned: str = ""

    @property
    def verdict(self) -> tuple[str, ...]:
        """Sentences; the last one sums up."""
        *sentences, last = judge_pool(self.pool, unscored=len(self.failures))
        return (*sentences, *filter(None, [self.tuned]), last)

    def title(self) -> str:
        """Return the number of series, run, part and days, for figures and tables."""
        series = self.pool.series
        first, last = min(one.first_origin for one in series), max(one.last_target for one in series)
        return f"{len(series)} series by {self.run}, {self.days.part} {self.pool.frequency.unit}s {first} to {last}"

    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each series, by name, with its skill against its best baseline at each horizon."""
        return sorted(self._scored_rows() + self._failed_rows(), key=lambda row: str(row["series"]))

    def _scored_rows(self) -> list[dict[str, Any]]:
        return [
            {
                "series": one.name,
                "origins": one.origins,
                "first_origin": one.first_origin,
                "last_target": one.last_target,
                **{
                    f"{what}_{step}": value
                    for step, at in one.horizons.items()
                    for what, value in (("skill", at.skill(BEST)), ("best", at.best), ("coverage_90", at.coverage_90))
                },
                "folder": evaluation_folder(self.labels[one.name]),
                "failure": None,
            }
            for one in self.pool.series
        ]

    def _failed_rows(self) -> list[dict[str, Any]]:
        empty = dict.fromkeys(self._scored_rows()[0])
        return [{**empty, "series": name, "failure": reason} for name, reason in self.failures.items()]

    def to_json(self) -> dict[str, Any]:
        """Return plain values, as pool.json holds them."""
        results = pooled_results(self.pool)
        return {
            "run": self.run,
            "name": self.name,
            "split": {
                "part": self.days.part,
                "start": None if self.days.start is None else str(self.days.start),
                "insist": self.days.insist,
                "first_origin": min(one.first_origin for one in self.pool.series),
                "last_target": max(one.last_target for one in self.pool.series),
            },
            "score": self.pool.score,
            "frequency": self.pool.frequency.name,
            "members": len(self.pool.series),
            "horizons": {str(step): pooled_json(scores, results, step) for step, scores in self.pool.horizons.items()},
            "overall": pooled_json(self.pool.overall, results, None),
            "verdict": list(self.verdict),
            "series": self.rows(),
        }

    def to_frame(self) -> "pd.DataFrame":
        """Return the scores as a pandas DataFrame, a row for each series, number of days ahead and baseline."""
        import pandas as pd

        return pd.DataFrame(
            {
                "series": one.name,
                "days_ahead": step,
                "baseline": baseline,
                "loss": at.loss,
                "baseline_loss": at.baselines[baseline],
                "skill": at.skill(baseline),
                "is_best": baseline == at.best,
                "coverage_50": at.coverage_50,
                "coverage_90": at.coverage_90,
            }
            for one in self.pool.series
            for step, at in one.horizons.items()
            for baseline in at.baselines
        )


def pooled_json(scores: PooledScores, results: Results[str], step: int | None) -> dict[str, Any]:
    """Return the pooled scores of a horizon as pool.json holds them."""
    against = {}
    for name, pooled in scores.against.items():
        against[name] = asdict(pooled)
        if step is not None:
            against[name]["corrected"] = asdict(results[name][step])
    return {
        "against": against,
        "coverage_50": scores.coverage_50,
        "coverage_90": scores.coverage_90,
        "regimes": {
            name: {"origins": origins, "coverage_90": coverage} for name, (origins, coverage) in scores.regimes.items()
        },
    }
