"""The scores of a ledger -> one HTML page: the verdict, the scores, and the newest forecasts."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from stockcast.evaluation.significance import SkillTest
from stockcast.evaluation.verdict.outcomes import skill_text
from stockcast.judging.scoring import JudgedModel
from stockcast.ledger.chain import PROGRAM
from stockcast.ledger.entries import RecordedForecast
from stockcast.pipeline.judgement import Judgement
from stockcast.pipeline.ledger_score import LedgerScores
from stockcast.pipeline.report import check_page_path
from stockcast.reports.tables import PageTable, TablesPage
from stockcast.runs.files import replacing
from stockcast.text import p_value_text, plural, price_text

_NEWEST = 30
"""Forecasts that a page lists, the newest of each series and run first."""


def ledger_page(path: Path, found: LedgerScores) -> TablesPage:
    """Return the page of a ledger that was scored.

    Args:
        path: of the ledger.
        found: what `score` returned.
    """
    tables: list[PageTable] = []
    if found.judgement is not None:
        tables += [_scores(found.judgement, model) for model in found.judgement.models]
        tables += [_series(found.judgement)]
    summary = tuple(dict.fromkeys((found.verdict[0], *found.revised, found.verdict[-1])))
    return TablesPage(
        title=f"{plural(len(found.forecasts), 'recorded forecast')} in {path.name}",
        created=datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        summary=summary,
        details=found.verdict[1:-1],
        tables=(*tables, _newest(found.forecasts)),
        facts={
            "ledger": path.name,
            "lines": f"{found.lines:,}",
            "head": found.head,
            "verified": "every line, when this page was made",
            "program": PROGRAM,
        },
    )


def save_ledger_page(page: TablesPage, path: Path) -> Path:
    """Write a page; return where it is.

    Raises:
        StockcastError: jinja2 is not installed, the path is no name of a page, or the disk does not allow it.
    """
    check_page_path(path)
    html = page.html()
    with replacing(path) as partial:
        partial.write_text(html, encoding="utf-8", newline="")
    return path


def _scores(judgement: Judgement, model: JudgedModel) -> PageTable:
    """Return the scores of a model by days ahead, against each baseline."""
    return PageTable(
        title=judgement.title(model),
        headers=("days ahead", "against", "CRPS", "p", "in 50 %", "in 90 %"),
        rows=tuple(_pooled(model) if model.pool is not None else _alone(model)),
        caption="CRPS of log returns: by how much it is lower or higher than that of the baseline, which knew the same "
        "days. p: Diebold-Mariano, each test alone; the verdict corrects for their number. in 50 %, in 90 %: share of "
        "prices inside the band.",
        names=2,
    )


def _pooled(model: JudgedModel) -> Iterator[tuple[str, ...]]:
    """Yield a row for each number of days ahead and baseline, of several series."""
    if model.pool is None:
        return
    for step, scores in model.pool.horizons.items():
        bands = (_share(scores.coverage_50), _share(scores.coverage_90))
        for name, against in scores.against.items():
            yield str(step), name, skill_text(against.skill), _p_value(against.test), *bands
            bands = ("", "")


def _alone(model: JudgedModel) -> Iterator[tuple[str, ...]]:
    """Yield the same of a single series."""
    for step, at in model.series[0].report.horizons.items():
        bands = (_share(at.model.coverage_50), _share(at.model.coverage_90))
        for name, skill in at.skill.items():
            yield str(step), name, skill_text(skill), _p_value(at.tests[name]), *bands
            bands = ("", "")


def _series(judgement: Judgement) -> PageTable:
    """Return a row for each series of each model, over all days ahead."""
    rows = []
    for model, series in judgement.series:
        overall = series.report.overall
        best = min(overall.baselines, key=lambda name: overall.baselines[name].crps)
        span = f"{series.dates[0]} to {series.last_target}"
        cells = (f"{series.report.origins:,}", span, best, skill_text(overall.skill[best]))
        rows.append((series.name, model.name, *cells, _share(overall.model.coverage_90)))
    return PageTable(
        title="By series, all days ahead",
        headers=("series", "run", "forecasts", "days", "best baseline", "CRPS against it", "in 90 %"),
        rows=tuple(rows),
        caption="The best baseline of a series is chosen by these very days, so it has an advantage.",
        names=2,
    )


def _newest(forecasts: tuple[RecordedForecast, ...]) -> PageTable:
    """Return the newest forecast of each series and run."""
    newest = {(each.series, each.run): each for each in forecasts}
    shown = sorted(newest.values(), key=lambda each: -each.line)[:_NEWEST]
    return PageTable(
        title="The newest forecast of each series",
        headers=("series", "run", "line", "recorded (UTC)", "last day known", "last price", "last day", "median",
                 "90 % band", "remark"),
        rows=tuple(map(_row, shown)),
        caption=f"{len(newest) - len(shown)} more are in the ledger." if len(newest) > len(shown) else "",
        names=2,
    )  # fmt: skip


def _row(each: RecordedForecast) -> tuple[str, ...]:
    forecast = each.forecast
    lower, upper = (price_text(float(end[0, -1])) for end in forecast.band(0.9))
    remark = ", ".join([*(["late"] if each.is_late else []), *(["simulated"] if each.simulated else [])])
    return (
        each.series,
        each.run,
        str(each.line),
        each.recorded.removesuffix("+00:00").replace("T", " "),
        str(each.cutoff),
        price_text(each.last_close),
        str(forecast.last_day),
        price_text(float(forecast.median[0, -1])),
        f"{lower} to {upper}",
        remark,
    )


def _share(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


def _p_value(test: SkillTest | None) -> str:
    return "" if test is None else p_value_text(test.p_value).removeprefix("p = ").removeprefix("p ")
