"""`stockcast explain`: a look inside a trained network."""

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from stockcast.cli.options import Json, Quiet, RunName, Runs, day, print_json, say, shown


def explain(
    run: RunName = None,
    runs: Runs = Path("runs"),
    last_known: Annotated[
        date | None,
        typer.Option("--date", metavar="DATE", parser=day, help="Last day known, 2018-12-31 (default: of the data)."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="CSV", help="Another price file (default: the first that it learnt from)."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to write (default: inside the run).")
    ] = None,
    plot: Annotated[bool, typer.Option("--plot/--no-plot", help="Draw the pictures.")] = True,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show what moved a forecast, which units fired, how far gradients reach, and which features matter."""
    from stockcast import pipeline
    from stockcast.console import print_sentences
    from stockcast.runs import RunDirectory

    found = RunDirectory.find(runs, run)
    findings = pipeline.explain(found, day=last_known, data=data, output=output, picture=plot, say=say(quiet))
    if as_json:
        print_json({**findings.to_json(), "folder": shown(findings.folder)})
        return
    print_sentences(findings.summary())
    say(quiet)(f"{'Tables and pictures' if plot else 'Tables'}: {shown(findings.folder)}")
