"""`stockcast judge`."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stockcast.cli.options import Overrides, Plot, Printing, parse_day, takes, takes_calendar, takes_ticker
from stockcast.cli.output import message_callbacks, path_text, print_json, print_message
from stockcast.text import printable_name

if TYPE_CHECKING:
    from stockcast.pipeline.judgement import Judgement

_CACHE = "baselines"


@dataclass(frozen=True)
class Scoring:
    """What the forecasts are of, and what the baselines may know."""

    train_end: Annotated[
        date | None,
        typer.Option(
            "--train-end",
            metavar="DATE",
            parser=parse_day,
            help="Last day that baselines may estimate constants from (default: the first cutoff).",
        ),
    ] = None
    quoted: Annotated[
        bool, typer.Option("--quoted", help="Forecasts are of prices as quoted on their cutoff, not of adjusted ones.")
    ] = False


@takes_calendar
@takes_ticker
@takes(printing=Printing, scoring=Scoring)
def judge(
    forecasts: Annotated[
        list[Path],
        typer.Argument(metavar="FORECASTS", help="CSV or Parquet files, or forecasts.npz; see docs/judge.md."),
    ],
    data: Annotated[
        list[Path],
        typer.Option("--data", metavar="PATH", help="Price file, or folder of price files; may be repeated."),
    ],
    printing: Printing,
    scoring: Scoring,
    overrides: Overrides = None,
    output: Annotated[
        Path, typer.Option("--output", metavar="DIR", help="Folder for the results, each in a folder of its own.")
    ] = Path("judgements"),
    plot: Plot = True,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print every sentence of the verdict.")] = False,
) -> None:
    """Score anybody's forecasts next to the baselines, and tell whether they are worth anything."""
    from stockcast.cli.progress import BaselineProgress
    from stockcast.pipeline.judge import judge as judge_forecasts
    from stockcast.pipeline.judgement import save_judgement

    with BaselineProgress(quiet=printing.quiet) as progress:
        judgement = judge_forecasts(
            forecasts,
            data,
            train_end=scoring.train_end,
            quoted=scoring.quoted,
            cache=output / _CACHE,
            overrides=overrides or [],
            callbacks=message_callbacks(printing.quiet, on_baseline=progress.on_baseline),
        )
    folder = save_judgement(judgement, output, plot=plot)
    if printing.as_json:
        print_json(judgement.to_json())
    else:
        _print(judgement, verbose=verbose)
    more = "" if verbose else f"; the whole verdict: {path_text(folder / 'verdict.txt')}, or --verbose"
    print_message(f"Scores and plots: {path_text(folder)}{more}", quiet=printing.quiet or printing.as_json)


def _print(judgement: "Judgement", *, verbose: bool) -> None:
    from stockcast.cli.pool_tables import print_pooled
    from stockcast.cli.tables import print_scores, print_sentences, print_trust

    lines = judgement.trust()
    for model in judgement.models:
        title, subject = judgement.title(model), printable_name(model.name)
        if model.pool is None:
            print_scores(model.series[0].report, title=title, subject=subject, file="judgement.json")
        else:
            print_pooled(model.pool, title=title, subject=subject, file="judgement.json")
        print_trust(lines[model.name])
        print_sentences([""])
    verdict = [printable_name(sentence) for sentence in judgement.verdict]
    if verbose:
        print_sentences(verdict)
        return
    print_sentences([printable_name(f"Suspicious: {found.sentence}") for found in judgement.suspicions])
    print_sentences(verdict[-1:])
