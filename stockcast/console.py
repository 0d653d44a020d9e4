"""What a person sees: progress on standard error, tables on standard output."""

import shutil
import sys
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Self

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from stockcast.evaluation.columns import Columns
from stockcast.evaluation.directions import DirectionComparison, DirectionReport, DirectionScores
from stockcast.evaluation.scores import Comparison, Report
from stockcast.evaluation.significance import SkillTest
from stockcast.forecast import Forecast, column_key, price_text
from stockcast.models.training import Epoch
from stockcast.pipeline.directions import DirectionPrediction

_SHOWN_STEPS = {1, 2, 3, 4, 5, 10, 15, 20, 30, 40, 50, 100, 150, 200, 250}
"""Days ahead that a forecast's table has on the screen, and beside them the last one."""


class Progress:
    """Training's progress: a bar on a terminal, a plain line an epoch elsewhere."""

    def __init__(self, *, epochs: int, lanes: Sequence[Sequence[int]], quiet: bool) -> None:
        self._epochs = epochs
        self._lanes = lanes  # of each, the members that it trains one after the other
        self._members = sum(map(len, lanes))
        self._quiet = quiet
        self._last: dict[int, Epoch] = {}  # of each member
        self._console = Console(stderr=True)
        self._bar: Bar | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal and not self._console.is_dumb_terminal and not self._quiet:
            self._bar = Bar(
                TextColumn("{task.description}"),
                BarColumn(bar_width=20),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                console=self._console,
            )
            self._bar.start()
            self._bar.add_task("loading Keras", total=self._epochs * self._members)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def report(self, epoch: Epoch) -> None:
        """Show one epoch."""
        losses = f"loss {epoch.loss:.4f}  val_loss {epoch.val_loss:.4f}"
        self._last[epoch.member] = epoch
        member = f"member {epoch.member}/{self._members}  " if self._members > 1 else ""
        if self._bar is not None:
            first = min(self._last)  # of a training that is taken up again; those before it are through
            done = sum(last.epoch for last in self._last.values()) + (first - 1) * self._epochs
            description = f"{member}epoch {epoch.epoch}  {losses}"
            self._bar.update(self._bar.task_ids[0], completed=done, description=description)
        elif not self._quiet:
            left = f"at most {self._left():.0f} s left"
            print(f"{member}epoch {epoch.epoch}/{self._epochs}  {losses}  {left}", file=sys.stderr, flush=True)

    def _left(self) -> float:
        """Seconds until the longest lane is through, if no member stops early and none is slower than it was."""
        slowest = max(last.seconds for last in self._last.values())  # small networks are faster by far

        def left(members: Sequence[int]) -> float:
            begun = [self._last[member] for member in members if member in self._last]
            under_way = (self._epochs - begun[-1].epoch) * begun[-1].seconds if begun else 0.0
            to_come = [member for member in members if not begun or member > begun[-1].member]
            return under_way + len(to_come) * self._epochs * slowest

        return max(map(left, self._lanes))


class RivalProgress:
    """The costly rivals' progress: a bar each on a terminal, nothing elsewhere; gone when they are done."""

    def __init__(self, *, quiet: bool) -> None:
        console = Console(stderr=True)
        shown = console.is_terminal and not console.is_dumb_terminal and not quiet
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            console=console,
            transient=True,
            disable=not shown,
        )
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def report(self, rival: str, done: int, of: int) -> None:
        """Show that so many of a rival's estimates are made."""
        if rival not in self._tasks:
            self._tasks[rival] = self._bar.add_task(f"estimating {rival}", total=of)
        self._bar.update(self._tasks[rival], completed=done)


def print_scores(report: Report, *, title: str, span: dict[str, Any]) -> None:
    """Print CRPS, coverage and error of network and rivals, horizon by horizon."""
    rivals = list(report.overall.baselines)
    table = Table(
        title=f"{title}: {span['origins']} origins, {span['first_origin']} to {span['last_target']}",
        caption="CRPS of log returns x 10,000: lower is better. MAE of the median in price units. "
        "p: Diebold-Mariano, each test alone (the verdict corrects for their number). "
        "in 90 %: share of prices inside the 90 % band.",
        box=box.SIMPLE_HEAD,
    )
    for column in ("days", "forecast", "CRPS", "network's is", "p", "in 90 %", "MAE"):
        table.add_column(column, justify="left" if column == "forecast" else "right")
    rows: list[tuple[str, Comparison]] = [(str(step), comparison) for step, comparison in report.horizons.items()]
    for label, comparison in [*rows, ("all", report.overall)]:
        own = comparison.model
        table.add_row(label, "network", f"{1e4 * own.crps:.1f}", "", "", _percent(own.coverage_90), price_text(own.mae))
        for rival in rivals:
            scores, skill, test = comparison.baselines[rival], comparison.skill[rival], comparison.tests[rival]
            table.add_row(
                "",
                rival,
                f"{1e4 * scores.crps:.1f}",
                _skill(skill),
                _p_value(test),
                _percent(scores.coverage_90),
                price_text(scores.mae),
                end_section=rival == rivals[-1],
            )
    _wide().print(table)


def print_direction_scores(report: DirectionReport, *, title: str, span: dict[str, Any]) -> None:
    """Print Brier score and accuracy of a classifier and its rivals, horizon by horizon."""
    table = Table(
        title=f"{title}: {span['origins']} origins, {span['first_origin']} to {span['last_target']}",
        caption="Brier score and log loss of the probabilities: lower is better. Right: share of days whose likeliest "
        "class came; balanced: the mean of that over the classes. p: Diebold-Mariano, each test alone (the verdict "
        "corrects for their number); against training_shares on the Brier score, against always_up on being right.",
        box=box.SIMPLE_HEAD,
    )
    for column in ("days", "forecast", "Brier", "network's is", "p", "log loss", "right", "balanced"):
        table.add_column(column, justify="left" if column == "forecast" else "right")
    rows: list[tuple[str, DirectionComparison]] = [(str(step), one) for step, one in report.horizons.items()]
    for label, comparison in [*rows, ("all", report.overall)]:
        table.add_row(label, "network", *_direction_row(comparison.model, "", ""))
        for rival, scores in comparison.baselines.items():
            skill = comparison.skill.get(rival)
            row = _direction_row(scores, _skill(skill), _p_value(comparison.tests[rival]))
            table.add_row("", rival, *row, end_section=rival == list(comparison.baselines)[-1])
    _wide().print(table)


def _direction_row(scores: DirectionScores, skill: str, p_value: str) -> list[str]:
    log_loss = "" if scores.log_loss is None else f"{scores.log_loss:.4f}"
    balanced = "" if scores.balanced_accuracy is None else f"{100 * scores.balanced_accuracy:.1f} %"
    return [f"{scores.brier:.4f}", skill, p_value, log_loss, f"{100 * scores.accuracy:.1f} %", balanced]


def print_directions(rows: list[dict[str, Any]], prediction: DirectionPrediction, *, run: str) -> None:
    """Print the probabilities of the direction, at most a dozen sessions of them."""
    forecast, shares = prediction.forecast, prediction.past_shares
    table = Table(
        title=f"{run}: from {forecast.origin_dates[0]} on, last price {price_text(forecast.last_close[0])}",
        caption=None if shares is None else "In brackets: how often it came so many days later, in the file's past.",
        box=box.SIMPLE_HEAD,
    )
    for column in ("date", "step", *forecast.classes):
        table.add_column(column, justify="right")
    for row in rows:
        if row["step"] in _SHOWN_STEPS or row["step"] == len(rows):
            said = [f"{100 * row[f'p_{name}']:.0f} %" for name in forecast.classes]
            past = [""] * len(said) if shares is None else [f" ({100 * one:.0f} %)" for one in shares[row["step"] - 1]]
            table.add_row(row["date"], str(row["step"]), *(f"{a}{b}" for a, b in zip(said, past, strict=True)))
    _wide().print(table)


def print_columns(columns: Columns) -> None:
    """Print the error of each column that was forecast beside what its past says, days ahead by days ahead."""
    table = Table(
        title="Every price of the day, by its median",
        caption="MAE and RMSE in price units. last value: MAE of the same price of the last day known. last close: MAE "
        "of the last close times the mean ratio of this price to the close before it over 20 days.",
        box=box.SIMPLE_HEAD,
    )
    for column in ("days", "price", "MAE", "RMSE", "last value", "network's is", "last close", "network's is"):
        table.add_column(column, justify="left" if column == "price" else "right")
    for step in next(iter(columns.values())):
        for name, comparisons in columns.items():
            one = comparisons[step]
            against = [
                text
                for rival in ("random_walk", "last_close")
                for text in (price_text(one.baselines[rival].mae), _skill(one.skill[rival]))
            ]
            table.add_row(
                str(step) if name == next(iter(columns)) else "",
                name,
                price_text(one.model.mae),
                price_text(one.model.rmse),
                *against,
                end_section=name == list(columns)[-1],
            )
    _wide().print(table)


def print_verdict(verdict: tuple[str, ...]) -> None:
    """Print the verdict, a sentence a line; on a terminal, broken between words."""
    print_sentences(verdict)


def print_sentences(sentences: Iterable[str]) -> None:
    """Print a sentence a line; on a terminal, broken between words."""
    for sentence in sentences:
        _output().print(sentence, markup=False, highlight=False, soft_wrap=not sys.stdout.isatty())


def print_forecast(rows: list[dict[str, Any]], forecast: Forecast, *, run: str) -> None:
    """Print the forecast, at most a dozen sessions of it."""
    table = Table(
        title=f"{run}: after {forecast.origin_dates[0]}, last price {price_text(forecast.last_close[0])}",
        box=box.SIMPLE_HEAD,
    )
    others = [column_key(name) for name in forecast.others]
    bands = (90,) if others else (50, 90)  # a line has room for so many; forecast.csv has them all
    for column in ("date", "step", "median", *(f"{band} % band" for band in bands), *others):
        table.add_column(column, justify="right")
    for row in rows:
        if row["step"] in _SHOWN_STEPS or row["step"] == len(rows):
            table.add_row(
                row["date"],
                str(row["step"]),
                price_text(row["median"]),
                *(f"{price_text(row[f'lower_{band}'])} to {price_text(row[f'upper_{band}'])}" for band in bands),
                *(price_text(row[name]) for name in others),
            )
    _wide().print(table)


def _wide() -> Console:
    """Standard output, wide enough for a table: on a narrow terminal its lines break, its words do not."""
    return _output(at_least=90) if sys.stdout.isatty() else Console(width=110)


def _output(*, at_least: int = 1) -> Console:
    """Standard output in the terminal's own size; rich takes a dumb one for 80 columns unless both are given."""
    size = shutil.get_terminal_size()
    return Console(width=max(size.columns, at_least), height=size.lines)


def _skill(skill: float | None) -> str:
    return "" if skill is None else f"{abs(100 * skill):.1f} % {'lower' if skill > 0 else 'higher'}"


def _p_value(test: SkillTest | None) -> str:
    if test is None:
        return ""
    return f"{test.p_value:.3f}" if test.p_value >= 0.001 else "< 0.001"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
