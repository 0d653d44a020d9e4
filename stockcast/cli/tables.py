"""The tables and sentences of evaluations and predictions, on standard output."""

import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable
from typing import Any

from rich.table import Table
from rich.text import Text

from stockcast.cli.fitted_table import console_of, new_table, print_table
from stockcast.evaluation.column_scores import Columns
from stockcast.evaluation.direction_scores import DirectionReport, DirectionScores
from stockcast.evaluation.forecast_scores import Scores
from stockcast.evaluation.scores import Report
from stockcast.evaluation.significance import SkillTest
from stockcast.evaluation.verdict.prices import score_name
from stockcast.forecast import TOTAL_RETURN, DirectionPrediction, Prediction, column_key
from stockcast.frequency import DAILY, Frequency
from stockcast.pipeline.evaluate import Evaluation
from stockcast.text import capital, price_text, printable_name

_SHOWN_STEPS = {1, 2, 3, 4, 5, 10, 15, 20, 30, 40, 50, 100, 150, 200, 250}
"""Days ahead that the table of a forecast shows, and the last one."""

_TRUST_WIDTH = 100

NETWORK = "network"
"""Who forecasts, where it is not somebody else's model."""

_LONGEST_SUBJECT = 16  # characters, in the header of a column


def print_evaluation(evaluation: Evaluation, *, with_verdict: bool) -> None:
    """Print the scores of network and baselines, and with it every sentence of the verdict."""
    span, unit = evaluation.metrics["split"], evaluation.report.frequency.unit
    title = (
        f"{evaluation.metrics['data']['name']} by {evaluation.run}, {span['part']} {unit}s: {span['origins']} origins, "
        f"{span['first_origin']} to {span['last_target']}"
    )
    report = evaluation.report
    if isinstance(report, DirectionReport):
        print_direction_scores(report, title=title)
    else:
        print_scores(report, title=title)
        if evaluation.columns:
            print_columns(evaluation.columns, frequency=evaluation.report.frequency)
    if with_verdict:
        print_sentences(evaluation.verdict)


def print_prediction(prediction: Prediction | DirectionPrediction) -> None:
    """Print the forecast of some of the sessions."""
    if isinstance(prediction, Prediction):
        print_forecast(prediction)
    else:
        print_directions(prediction)


def print_trust(lines: Iterable[str]) -> None:
    """Print the lines of `trust`, broken at 100 columns or at the terminal's width; what is broken is indented."""
    columns = min(_TRUST_WIDTH, shutil.get_terminal_size().columns) if sys.stdout.isatty() else _TRUST_WIDTH
    for line in lines:
        print(textwrap.fill(printable_name(line), columns, subsequent_indent="  ", break_on_hyphens=False))


def print_scores(report: Report, *, title: str, subject: str = NETWORK, file: str = "metrics.json") -> None:
    """Print CRPS, coverage and error of network and baselines, horizon by horizon.

    Args:
        report: the scores.
        title: of the table.
        subject: who forecasts.
        file: that holds what has no room.
    """
    score = score_name(report)
    has_band = report.overall.model.coverage_90 is not None
    bands = ("in 90 %",) if has_band else ()
    table = new_table(
        title,
        f"{capital(score)} of log returns x 10,000: lower is better. MAE of the median in price units. "
        "p: Diebold-Mariano, each test alone (the verdict corrects for their number)."
        + (" in 90 %: share of prices inside the 90 % band." if has_band else ""),
        f"{report.frequency.unit}s", "forecast", score, owners(subject), "p", *bands, "MAE",
    )  # fmt: skip
    _add_scores(table, report, _price_row, subject=subject)
    print_table(table, least=("MAE", score, "in 90 %", "p"), file=file)


def _price_row(scores: Scores, skill: str, p_value: str) -> list[str]:
    inside = [] if scores.coverage_90 is None else [f"{100 * scores.coverage_90:.0f} %"]
    return [f"{1e4 * scores.crps:.1f}", skill, p_value, *inside, price_text(scores.mae)]


def print_direction_scores(report: DirectionReport, *, title: str) -> None:
    """Print Brier score and accuracy of a classifier and its baselines, horizon by horizon."""
    table = new_table(
        title,
        "Brier score and log loss of the probabilities: lower is better. Right: share of "
        f"{report.frequency.unit}s whose likeliest class was the actual one; balanced: its mean over the classes. "
        "p: Diebold-Mariano, each test alone (the verdict corrects for their number); against training_shares by Brier "
        "score, against always_up by being right.",
        f"{report.frequency.unit}s", "forecast", "Brier", "network's is", "p", "log loss", "right", "balanced",
    )  # fmt: skip
    _add_scores(table, report, _direction_row)
    print_table(table, least=("log loss", "balanced", "Brier", "p", "right"), file="metrics.json")


def _direction_row(scores: DirectionScores, skill: str, p_value: str) -> list[str]:
    log_loss = "" if scores.log_loss is None else f"{scores.log_loss:.4f}"
    balanced = "" if scores.balanced_accuracy is None else f"{100 * scores.balanced_accuracy:.1f} %"
    return [f"{scores.brier:.4f}", skill, p_value, log_loss, f"{100 * scores.accuracy:.1f} %", balanced]


def _add_scores(
    table: Table, report: Any, row: Callable[[Any, str, str], list[str]], *, subject: str = NETWORK
) -> None:
    for label, comparison in (*report.horizons.items(), ("all", report.overall)):
        table.add_row(str(label), Text(subject), *row(comparison.model, "", ""))
        for baseline, scores in comparison.baselines.items():
            skill, p_value = skill_cell(comparison.skill.get(baseline)), p_value_cell(comparison.tests[baseline])
            table.add_row("", baseline, *row(scores, skill, p_value))
        table.add_section()


def print_columns(columns: Columns, *, frequency: Frequency = DAILY) -> None:
    """Print the error of each target column and of its baselines, by days ahead."""
    table = new_table(
        f"Every price of the {frequency.unit}, by its median",
        "MAE and RMSE in price units. last value: MAE of the same price of the last bar known. last close: MAE of the "
        f"last close times the mean ratio of this price to the close before it over 20 {frequency.unit}s.",
        f"{frequency.unit}s", "price", "MAE", "RMSE", "last value", "network's is", "last close", "network's is",
    )  # fmt: skip
    for step in next(iter(columns.values())):
        for name, comparisons in columns.items():
            comparison = comparisons[step]
            table.add_row(
                str(step) if name == next(iter(columns)) else "",
                name,
                price_text(comparison.model.mae),
                price_text(comparison.model.rmse),
                *(
                    text
                    for baseline in ("random_walk", "last_close")
                    for text in (price_text(comparison.baselines[baseline].mae), skill_cell(comparison.skill[baseline]))
                ),
            )
        table.add_section()
    print_table(table, least=("RMSE", "last value", "last close"), file="metrics.json")


def print_forecast(prediction: Prediction) -> None:
    """Print the median and the bands on some of the sessions."""
    others = [column_key(name) for name in prediction.forecast.others]
    bands = (90,) if others else (50, 90)  # a line has no room for more; forecast.csv has them all
    came = ("actual",) if prediction.outcome is not None else ()
    headers = ("date", "step", "median", *(f"{band} % band" for band in bands), *others, *came)
    table = new_table(_prediction_title(prediction), _unit_note(prediction), *headers)
    for row in _shown_rows(prediction):
        table.add_row(
            row["date"],
            str(row["step"]),
            price_text(row["median"]),
            *(f"{price_text(row[f'lower_{band}'])} to {price_text(row[f'upper_{band}'])}" for band in bands),
            *(price_text(row[name]) for name in others),
            *("" if row[name] is None else price_text(row[name]) for name in came),
        )
    print_table(table, least=("50 % band", "step", *reversed(others)), file="forecast.csv")


def print_directions(prediction: DirectionPrediction) -> None:
    """Print the probabilities of the direction on some of the sessions."""
    classes, shares = prediction.forecast.classes, prediction.past_shares
    caption = (
        None
        if shares is None
        else f"In brackets: its share of the file's past, over as many {prediction.forecast.frequency.unit}s."
    )
    notes = " ".join(note for note in (caption, _unit_note(prediction)) if note)
    table = new_table(_prediction_title(prediction), notes or None, "date", "step", *classes)
    for row in _shown_rows(prediction):
        past = (
            [""] * len(classes) if shares is None else [f" ({100 * share:.0f} %)" for share in shares[row["step"] - 1]]
        )
        cells = [f"{100 * row[f'p_{name}']:.0f} %{share}" for name, share in zip(classes, past, strict=True)]
        table.add_row(row["date"], str(row["step"]), *cells)
    print_table(table, least=("step",), file="forecast.csv")


def _shown_rows(prediction: Prediction | DirectionPrediction) -> list[dict[str, Any]]:
    rows = prediction.rows()
    return [row for row in rows if row["step"] in _SHOWN_STEPS or row["step"] == len(rows)]


def _unit_note(prediction: Prediction | DirectionPrediction) -> str | None:
    return TOTAL_RETURN if prediction.adjusted else None


def _prediction_title(prediction: Prediction | DirectionPrediction) -> str:
    forecast = prediction.forecast
    last = price_text(float(forecast.last_close[0]))
    return f"{prediction.series} by {prediction.run}: after {forecast.origin_dates[0]}, last price {last}"


def print_sentences(sentences: Iterable[str]) -> None:
    """Print each sentence on a line; on a terminal, broken between words."""
    for sentence in sentences:
        console_of().print(sentence, markup=False, highlight=False, soft_wrap=not sys.stdout.isatty())


def owners(subject: str) -> str:
    """Return the header of a column with a forecast's scores: `network's is`, `model's is` of a long name."""
    return f"{subject}'s is" if len(subject) <= _LONGEST_SUBJECT else "model's is"


def skill_cell(skill: float | None) -> str:
    """Write a skill as the share by which the score is lower or higher."""
    return "" if skill is None else f"{abs(100 * skill):.1f} % {'lower' if skill > 0 else 'higher'}"


def p_value_cell(test: SkillTest | None) -> str:
    """Write the p-value of a test; nothing without one."""
    if test is None:
        return ""
    return f"{test.p_value:.3f}" if test.p_value >= 0.001 else "< 0.001"
