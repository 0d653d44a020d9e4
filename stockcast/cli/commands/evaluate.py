"""`stockcast evaluate`."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stockcast.cli.options import Plot, Printing, RunName, Runs, Sources, parse_day, takes, takes_sources
from stockcast.cli.output import message_callbacks, next_command, path_text, print_json, print_message
from stockcast.cli.signals import Interrupted

if TYPE_CHECKING:
    from stockcast.forecasting.predictor import Predictor
    from stockcast.pipeline.scored_series import ScoredDays


_REASONS_SHOWN = 10  # why series could not be scored


class Part(StrEnum):
    """Parts of the split that `evaluate` scores."""

    test = "test"
    validation = "validation"


@dataclass(frozen=True)
class Scored:
    """Which days are scored."""

    split: Annotated[Part, typer.Option(help="Days to score.")] = Part.test
    start: Annotated[
        date | None,
        typer.Option("--from", metavar="DATE", parser=parse_day, help="First day to score (default: of the test)."),
    ] = None
    insist: Annotated[bool, typer.Option("--insist", help="Allow days before the end of the run's training data.")] = (
        False
    )


@takes_sources
@takes(scored=Scored, printing=Printing)
def evaluate(
    sources: Sources,
    scored: Scored,
    printing: Printing,
    run: RunName = None,
    runs: Runs = Path("runs"),
    plot: Plot = True,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print every sentence of the verdict.")] = False,
) -> None:
    """Score a run and its baselines on days that it was not trained on, of one series or of many together."""
    from stockcast.forecasting.predictor import Predictor
    from stockcast.pipeline.scored_series import ScoredDays
    from stockcast.runs.shipped import choose_run

    days = ScoredDays(scored.split.value, scored.start, scored.insist)
    on_message = message_callbacks(printing.quiet).on_message
    directory = choose_run(runs, run, source=sources.paths or None, on_message=on_message)
    predictor = Predictor.load(directory, overrides=sources.overrides, on_message=on_message)
    if sources.are_many or predictor.takes_all:
        _evaluate_pool(predictor, sources, days, printing, plot=plot)
        return
    _evaluate_one(predictor, sources, days, printing, plot=plot, verbose=verbose)
    is_there = directory.results.resolve().parent == runs.resolve()
    name = directory.name if is_there else path_text(directory.path)
    command = next_command("predict", name, runs, sources=sources)
    if not printing.as_json:
        print_message(f"Next: {command}", quiet=printing.quiet)


def _evaluate_one(
    predictor: "Predictor", sources: Sources, days: "ScoredDays", printing: Printing, *, plot: bool, verbose: bool
) -> None:
    from stockcast.cli.progress import BaselineProgress
    from stockcast.cli.tables import print_evaluation, print_sentences, print_trust
    from stockcast.evaluation.verdict.record import Record
    from stockcast.pipeline.evaluate import save_evaluation, score
    from stockcast.pipeline.scored_series import read_scored
    from stockcast.pipeline.trust import trust

    series = predictor.one_series(sources.data)
    with BaselineProgress(quiet=printing.quiet) as progress:
        callbacks = message_callbacks(printing.quiet, on_baseline=progress.on_baseline)
        scored = read_scored(predictor, series, days, callbacks=callbacks)
        evaluation = score(predictor, scored, callbacks=callbacks)
    folder = save_evaluation(predictor.run, evaluation, plot=plot)
    forecast = predictor.predict(scored.prices)
    record = Record.of(evaluation.metrics, frequency=scored.prices.frequency)
    lines = trust(predictor, scored.prices, forecast, record)
    if printing.as_json:
        print_json({**evaluation.metrics, "trust": list(lines)})
        return
    print_evaluation(evaluation, with_verdict=verbose)
    print_trust(lines)
    if "tuned" in evaluation.metrics and not verbose:
        print_sentences(evaluation.verdict[-2:-1])  # how the config was chosen
    verdict = "" if verbose else f"; the whole verdict: {path_text(folder / 'verdict.txt')}, or --verbose"
    print_message(f"{'Scores and plots' if plot else 'Scores'}: {path_text(folder)}{verdict}", quiet=printing.quiet)


def _evaluate_pool(
    predictor: "Predictor", sources: Sources, days: "ScoredDays", printing: Printing, *, plot: bool
) -> None:
    """Score many series; those that failed are an error once the others are printed."""
    from stockcast.cli.pool_tables import print_pool
    from stockcast.cli.progress import PoolProgress
    from stockcast.errors import DataError
    from stockcast.pipeline.evaluate_pool import save_pool_evaluation, score_pool

    try:
        with PoolProgress(quiet=printing.quiet) as progress:
            callbacks = message_callbacks(printing.quiet, on_series=progress.on_series)
            evaluation = score_pool(predictor, sources.paths, days, overrides=sources.overrides, callbacks=callbacks)
    except Interrupted as interrupted:
        advice = "Repeat the command to go on: series that are scored are kept."
        raise Interrupted(interrupted.number, advice) from None
    folder = save_pool_evaluation(predictor.run, evaluation, plot=plot)
    if printing.as_json:
        print_json(evaluation.to_json())
    else:
        print_pool(evaluation)
    print_message(f"{'Scores and plot' if plot else 'Scores'}: {path_text(folder)}", quiet=printing.quiet)
    if failures := evaluation.failures:
        reasons = [f"  {name}: {reason.splitlines()[0]}" for name, reason in list(failures.items())[:_REASONS_SHOWN]]
        more = len(failures) - len(reasons)
        raise DataError(
            "\n".join(
                [
                    f"{len(failures)} of {len(failures) + len(evaluation.labels)} series could not be scored:",
                    *reasons,
                    *([f"  and {more} more"] if more else []),
                    f"All reasons are in {path_text(folder / 'series.csv')}.",
                ]
            ),
            key="--data",
            value=list(failures),
        )
