"""The tables of a pool of series, on standard output."""

from collections.abc import Iterator
from typing import Any

from rich.text import Text

from stockcast.cli.fitted_table import new_table, print_table
from stockcast.cli.tables import NETWORK, owners, p_value_cell, print_sentences, skill_cell
from stockcast.evaluation.pool import Pool, PooledScores, PooledSkill
from stockcast.evaluation.verdict.pool import SCORES
from stockcast.forecast import Directions, Forecast
from stockcast.pipeline.pool_evaluation import PoolEvaluation
from stockcast.pipeline.predict_pool import FALL, PoolPrediction
from stockcast.text import join_words, price_text, printable, printable_name

_SERIES_SHOWN = 30
_NAMES_SHOWN = 10  # that share a remark


def print_pool(evaluation: PoolEvaluation) -> None:
    """Print the scores by series, those of all together, and the verdict."""
    _print_series(evaluation)
    print_pooled(evaluation.pool, title=evaluation.title())
    print_sentences(evaluation.verdict)


def print_pool_prediction(prediction: PoolPrediction, *, order: str | None = None) -> None:
    """Print a row for each series, its forecast of the last day ahead; then what is remarkable, or why it has none.

    Args:
        prediction: the series that are shown.
        order: what they are ordered by, of `predict_pool.ORDERS`, which is shown on a narrow terminal, too.
    """
    forecasts = [each.forecast for each in prediction.predictions.values()]
    first, days = forecasts[0], {str(forecast.last_day) for forecast in forecasts}
    ahead = f"{first.frequency.steps([first.horizon])} ahead"
    count = len(forecasts) if len(forecasts) == prediction.total else f"{len(forecasts)} of {prediction.total}"
    title = f"{count} series by {prediction.run}, {ahead}{f' ({days.pop()})' if len(days) == 1 else ''}"
    begin = ("series", "last day", "last price", *(("forecast day",) if days else ()))
    if isinstance(first, Directions):
        table = new_table(title, None, *begin, *first.classes)
    else:
        table = new_table(title, _caption(prediction), *begin, "median", "90 % band", "volatility", "fall")
    for row in prediction.rows():
        if row["series"] in prediction.failures:
            cells = ["", "not forecast", *[""] * (len(table.columns) - 3)]
        else:
            cells = [row["origin"], price_text(row["last_close"]), *([row["date"]] if days else [])]
            cells += _forecast_cells(row, first)
        table.add_row(Text(printable_name(row["series"])), *cells)
    least = [header for header in ("volatility", "fall", "median", "last day") if header != order]
    print_table(table, least=least, file="--json")
    if order == "median":
        print_sentences([_NO_DIRECTION])
    print_sentences(_remarks(prediction))


_NO_DIRECTION = "Ordered by the median, which repeats the drift of the past: no skill in the direction was found."


def _remarks(prediction: PoolPrediction) -> Iterator[str]:
    """Yield each remark with the series that it is about, and why others have no forecast."""
    series_of: dict[str, list[str]] = {}
    for name in prediction.predictions:
        if remark := prediction.remarks[name]:
            series_of.setdefault(remark, []).append(name)
    for remark, names in series_of.items():
        more = [f"{len(names) - _NAMES_SHOWN} more"] if len(names) > _NAMES_SHOWN else []
        yield printable(f"{join_words([*map(printable_name, names[:_NAMES_SHOWN]), *more])}: {remark.rstrip('.')}.")
    for name, reason in prediction.failures.items():
        yield printable_name(f"{name}: {reason.splitlines()[0].rstrip('.')}.")


def _caption(prediction: PoolPrediction) -> str:
    """Explain the columns, and of adjusted prices what their forecast is."""
    are_adjusted = any(each.adjusted for each in prediction.predictions.values())
    return (
        "volatility: deviation of log returns up to that day, a year. fall: chance of a close on that day at least "
        f"{100 * FALL:.0f} % below the last price.{' With Adj Close: total return.' if are_adjusted else ''} Every "
        "series and day ahead is in forecasts.csv."
    )


def _forecast_cells(row: dict[str, Any], first: Forecast | Directions) -> list[str]:
    if isinstance(first, Directions):
        return [f"{100 * row[f'p_{name}']:.0f} %" for name in first.classes]
    band = f"{price_text(row['lower_90'])} to {price_text(row['upper_90'])}"
    return [price_text(row["median"]), band, f"{100 * row['volatility']:.0f} %", _chance(row["p_fall"])]


def _chance(share: float) -> str:
    return "< 1 %" if share < 0.01 else "> 99 %" if share > 0.99 else f"{100 * share:.0f} %"


def _print_series(evaluation: PoolEvaluation) -> None:
    steps = list(evaluation.pool.horizons)
    rows = evaluation.rows()
    left_out = f" {len(rows) - _SERIES_SHOWN} more are in series.csv." if len(rows) > _SERIES_SHOWN else ""
    table = new_table(
        evaluation.title(),
        f"By how much the network's {SCORES[evaluation.pool.score]} is lower (+) or higher (-) than that of the best "
        f"baseline of each series, by {evaluation.pool.frequency.unit}s ahead.{left_out}",
        "series", "origins", *map(str, steps),
    )  # fmt: skip
    for row in rows[:_SERIES_SHOWN]:
        if row["failure"] is not None:
            table.add_row(row["series"], "not scored", *("" for _ in steps))
            continue
        table.add_row(row["series"], str(row["origins"]), *(signed_skill(row[f"skill_{step}"]) for step in steps))
    print_table(table, least=("origins",), file="series.csv")
    print_sentences(f"{name}: {reason}" for name, reason in evaluation.failures.items())


def print_pooled(pool: Pool, *, title: str, subject: str = NETWORK, file: str = "pool.json") -> None:
    """Print the scores of all series together, horizon by horizon; arguments as of `print_scores`."""
    bands = ("in 50 %", "in 90 %") if pool.overall.coverage_90 is not None else ()
    counts = ("won", "lost") if len(pool.series) > 1 else ()
    test = "each test alone (the verdict corrects for their number)"
    caption = (
        f"{SCORES[pool.score]}: mean over the series. best: of each series the best baseline there. p: Diebold-Mariano "
        f"over the days, each the mean of the series, {test}. won, lost: series on which the "
        f"{'network' if subject == NETWORK else 'model'} is better and worse, in brackets significantly."
        if counts
        else f"best: the best baseline there. p: Diebold-Mariano over the {pool.frequency.unit}s, {test}."
    )
    table = new_table(
        f"All together: {title}",
        caption + (" in 50 %, in 90 %: share of prices inside the band." if bands else ""),
        f"{pool.frequency.unit}s", "against", owners(subject), "p", *counts, *bands,
    )  # fmt: skip
    for label, scores in (*pool.horizons.items(), ("all", pool.overall)):
        for place, (name, pooled) in enumerate(scores.against.items()):
            first, shares = (str(label), _covers(scores)) if place == 0 else ("", [])
            cells = _cells(pooled, with_tests=label != "all")[: 2 + len(counts)]
            table.add_row(first, name, *cells, *shares)
        table.add_section()
    print_table(table, least=(*bands, *reversed(counts)), file=file)


def _cells(pooled: PooledSkill, *, with_tests: bool) -> tuple[str, ...]:
    won, lost = (
        f"{count} ({significant})" if with_tests else str(count)
        for count, significant in ((pooled.won, pooled.better), (pooled.lost, pooled.worse))
    )
    return skill_cell(pooled.skill), p_value_cell(pooled.test), won, lost


def _covers(scores: PooledScores) -> list[str]:
    return [f"{100 * share:.0f} %" for share in (scores.coverage_50, scores.coverage_90) if share is not None]


def signed_skill(skill: float | None) -> str:
    """Write by how much a loss is lower (+) or higher (-) than a baseline's."""
    return "" if skill is None else f"{100 * skill:+.1f} %"
