"""`stockcast data`."""

from pathlib import Path
from typing import Annotated

import typer

from stockcast.cli.options import Covariates, Json, Overrides, takes_calendar, takes_ticker
from stockcast.cli.output import print_json
from stockcast.errors import StockcastError

app = typer.Typer(help="Check a price file.", no_args_is_help=True)


@app.callback()
def _data() -> None:
    """Make typer keep `check` a subcommand while it is the only one."""


@app.command("check")
@takes_calendar
@takes_ticker
def data_check(
    data: Annotated[Path, typer.Argument(metavar="FILE", help="Price file, - for standard input.")],
    overrides: Overrides = None,
    covariates: Covariates = None,
    as_json: Json = False,
) -> None:
    """Report whether a price file can be used, what was repaired and what looks wrong."""
    from stockcast.cli.tables import print_sentences
    from stockcast.pipeline.check import check

    try:
        reports = check(data, overrides=overrides or (), covariates=covariates)
    except StockcastError as error:
        if as_json:
            print_json({"usable": False, "file": str(data), "problems": str(error).splitlines()})
        raise
    if as_json:
        documents = [report.to_json() for report in reports]
        print_json(documents[0] if len(documents) == 1 else {"usable": True, "file": str(data), "series": documents})
        return
    for number, report in enumerate(reports):
        print_sentences([*([""] if number else []), *report.summary()])
