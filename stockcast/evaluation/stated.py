"""The scores of price forecasts as plain values: what metrics.json holds, and `verdict.record` reads."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from stockcast.evaluation.diagnostics import Lag, Trend
from stockcast.evaluation.scores import Report


def stated_metrics(report: Report, trend: Trend, lag: Lag, verdict: Sequence[str]) -> dict[str, Any]:
    """Return every score of a forecast and the baselines, and the verdict, as JSON has them."""
    return {
        "score": "crps",
        "horizons": {str(step): comparison.to_json() for step, comparison in report.horizons.items()},
        "overall": report.overall.to_json(),
        "value_at_risk": {name: [asdict(test) for test in tests] for name, tests in report.value_at_risk.items()},
        "chances": {
            str(step): {name: asdict(chances) for name, chances in by_name.items()}
            for step, by_name in report.chances.items()
        },
        "failures": dict(report.failures),
        "trend": asdict(trend),
        "lag": asdict(lag),
        "verdict": list(verdict),
    }


def score_rows(metrics: Mapping[str, Any], *, name: str) -> list[dict[str, Any]]:
    """Return a row for each number of days ahead and forecast, with the scores that are single numbers.

    Args:
        metrics: as `stated_metrics` returns them, or metrics.json has them.
        name: of the forecast that is no baseline.
    """
    rows = [
        {"days_ahead": int(step), "forecast": forecast, **scores}
        for step, comparison in metrics["horizons"].items()
        for forecast, scores in {name: comparison["model"], **comparison["baselines"]}.items()
    ]
    nested = {key for row in rows for key, cell in row.items() if isinstance(cell, dict | list)}
    return [{key: cell for key, cell in row.items() if key not in nested} for row in rows]
