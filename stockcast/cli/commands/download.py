"""`stockcast download`."""

from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stockcast.cli.options import Printing, parse_day, takes
from stockcast.cli.output import path_text, print_json, print_message
from stockcast.cli.signals import Interrupted
from stockcast.errors import StockcastError
from stockcast.sources.choice import SourceName, open_source

if TYPE_CHECKING:
    from stockcast.sources.download import Outcome

_NAMES_SHOWN = 10


@dataclass(frozen=True)
class Request:
    """What is downloaded, and from where."""

    source: Annotated[SourceName, typer.Option(help="Where the prices come from; tiingo needs TIINGO_API_KEY.")] = (
        SourceName.yahoo
    )
    first: Annotated[
        date | None,
        typer.Option("--from", metavar="DATE", parser=parse_day, help="First day (default: all there are)."),
    ] = None
    update: Annotated[bool, typer.Option("--update", help="Bring files that are there up to date.")] = False


@takes(request=Request, printing=Printing)
def download(
    tickers: Annotated[list[str], typer.Argument(metavar="TICKER", help="As the source writes them: AAPL, ^GSPC.")],
    request: Request,
    printing: Printing,
    folder: Annotated[Path, typer.Option("--to", metavar="FOLDER", help="Folder of the price files.")] = Path("prices"),
) -> None:
    """Download daily prices into FOLDER/TICKER.csv, with a manifest; what is there is not fetched again."""
    source = open_source(request.source)
    from stockcast.sources.download import Wanted
    from stockcast.sources.download import download as download_all

    on_message = partial(print_message, quiet=printing.quiet)
    try:
        wanted = Wanted(first=request.first, update=request.update)
        outcomes = download_all(tickers, folder, source, wanted, on_message=on_message)
    except Interrupted as interrupted:
        interrupted.advice = "What is done is whole; the same command goes on from there."
        raise
    if printing.as_json:
        print_json({"folder": str(folder), "tickers": [outcome.to_json() for outcome in outcomes]})
    else:
        _print(outcomes, folder)
    failures = [outcome.ticker for outcome in outcomes if not outcome.is_done]
    if failures:
        names = f"{', '.join(failures[:_NAMES_SHOWN])}{', ...' if len(failures) > _NAMES_SHOWN else ''}"
        message = f"{len(failures)} of {len(outcomes)} tickers could not be downloaded: {names}. The same command"
        raise StockcastError(f"{message} tries these alone.", key="TICKER", value=failures)


def _print(outcomes: "list[Outcome]", folder: Path) -> None:
    """Print a row for each file, and one with the reason for each ticker without."""
    from rich.text import Text

    from stockcast.cli.fitted_table import new_table, print_table, print_wrapped
    from stockcast.text import printable

    done = [outcome for outcome in outcomes if outcome.is_done and outcome.entry]
    if done:
        table = new_table(f"Price files in {path_text(folder)}", None, "series", "days", "first", "last", "state")
        for outcome in done:
            entry = outcome.entry
            if entry:
                table.add_row(entry.file, f"{entry.rows:,}", entry.first, entry.last, str(outcome.state))
        print_table(table, least=("first", "days"), file="manifest.json")
    failures = [outcome for outcome in outcomes if not outcome.is_done]
    if failures:
        table = new_table("Without a new file", None, "series", "state", "reason")
        for outcome in failures:
            table.add_row(Text(outcome.ticker), str(outcome.state), Text(printable(outcome.reason)))
        print_wrapped(table)
