"""`stockcast data`."""

from pathlib import Path
from typing import Annotated

import typer

from stockcast.cli.options import Covariates, Json, Overrides, takes_calendar
from stockcast.cli.output import print_json
from stockcast.errors import StockcastError

app = typer.Typer(help="Check a price file.", no_args_is_help=True)


@app.callback()
def _data() -> None:
    """Make typer keep `check` a subcommand while it is the only one."""


@app.command("check")
@takes_calendar
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
        checked = check(data, overrides=overrides or (), covariates=covariates)
    except StockcastError as error:
        if as_json:
            print_json({"usable": False, "file": str(data), "problems": str(error).splitlines()})
        raise
    if as_json:
        print_json(checked.to_json())
    else:
        print_sentences(checked.summary())
