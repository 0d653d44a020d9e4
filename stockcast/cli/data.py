"""`stockcast data`: look at price files before anything is trained on them."""

from pathlib import Path
from typing import Annotated

import typer

from stockcast.cli.options import Json, Overrides, print_json
from stockcast.errors import StockcastError

app = typer.Typer(help="Look at price files.", no_args_is_help=True)


@app.callback()
def _data() -> None:
    """Keep `check` a command of its own while it is the only one."""


@app.command("check")
def data_check(
    data: Annotated[Path, typer.Argument(metavar="CSV", help="Your price file.")],
    calendar: Annotated[
        str | None, typer.Option(help="Exchange that its days are held against: XNYS (default), XLON, 24/7.")
    ] = None,
    overrides: Overrides = None,
    as_json: Json = False,
) -> None:
    """Say whether a price file can be used, what was mended in it and what looks odd; exit code 1 if it cannot."""
    from stockcast import pipeline
    from stockcast.console import print_sentences

    chosen = [*([f"data.calendar={calendar}"] if calendar is not None else []), *(overrides or [])]
    try:
        checked = pipeline.check(data, overrides=chosen)
    except StockcastError as error:
        if as_json:
            print_json({"usable": False, "file": str(data), "problems": str(error).splitlines()})
        raise
    if as_json:
        print_json(checked.to_json())
    else:
        print_sentences(checked.summary())
