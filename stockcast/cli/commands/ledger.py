"""`stockcast ledger`.

Exit codes beside those of every command: 3, the ledger was changed or its end was cut; 4, forecasts were recorded, some
of them late.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stockcast.cli.options import Json, Printing, Quiet, RunName, Runs, Sources, takes, takes_sources
from stockcast.cli.output import message_callbacks, path_text, print_json, print_message
from stockcast.errors import DataError, StockcastError
from stockcast.text import plural, printable, printable_name

if TYPE_CHECKING:
    from stockcast.ledger.entries import RecordedForecast
    from stockcast.pipeline.ledger_record import Recording
    from stockcast.pipeline.ledger_score import LedgerScores

LATE = 4
"""Exit code where forecasts were recorded after their first session had closed."""

_SHOWN = 10  # series that a message names

app = typer.Typer(
    help="Record forecasts before their days come, and score them afterwards, in a file that shows every change.",
    no_args_is_help=True,
)

LedgerFile = Annotated[Path, typer.Option("--ledger", metavar="FILE", help="The ledger.")]
DEFAULT = Path("ledger.jsonl")


@app.command("record")
@takes_sources
@takes(printing=Printing)
def ledger_record(
    sources: Sources, printing: Printing, run: RunName = None, ledger: LedgerFile = DEFAULT, runs: Runs = Path("runs")
) -> None:
    """Forecast from the last row of each price file, and add the forecasts to the ledger; each is added once."""
    from stockcast.cli.progress import PoolProgress
    from stockcast.pipeline.ledger_record import record

    with PoolProgress(quiet=printing.quiet, doing="forecasting series", is_slow=False) as progress:
        callbacks = message_callbacks(printing.quiet, on_series=progress.on_series)
        done = record(ledger, run, sources.paths, runs=runs, overrides=sources.overrides, callbacks=callbacks)
    if printing.as_json:
        print_json(done.to_json())
    else:
        for line in _lines(done, ledger):
            print(printable(line))
    if done.failures:
        of = len(done.failures) + len(done.recorded) + len(done.known)
        raise _failed(done.failures, of=of, what="recorded")
    if done.late:
        raise typer.Exit(LATE)


def _lines(done: "Recording", ledger: Path) -> list[str]:
    """Return what was recorded, in sentences."""
    lines = []
    if done.recorded:
        first, last = done.recorded[0].line, done.recorded[-1].line
        where = f"line {first}" if first == last else f"lines {first} to {last}"
        lines.append(f"Recorded {plural(len(done.recorded), 'forecast')} by {done.run} in {ledger}, {where}.")
        lines += [f"  {_named(each)}" for each in done.recorded[:_SHOWN]]
        lines += [f"  and {more} more"] if (more := len(done.recorded) - _SHOWN) > 0 else []
    if done.late:
        lines.append(
            f"Late: {_series(done.late)}: the first session had closed when they were recorded, so they will not be "
            f"scored. Use newer price files, or record before that session closes."
        )
    if done.known:
        lines.append(
            f"Recorded before, so not again: {_series(done.known)}, by {done.run} from the same last row. "
            f"The first record stands."
        )
    if done.changed:
        lines.append(
            f"Price files that have changed since they were recorded, with the same last row: "
            f"{', '.join(done.changed[:_SHOWN])}."
        )
    lines.append(f"Head: {done.lines} {done.head}")
    return lines


def _named(each: "RecordedForecast") -> str:
    days = each.forecast.target_dates[0]
    return f"{each.series}: after {each.cutoff}, {len(days)} sessions, {days[0]} to {days[-1]}"


def _series(forecasts: "tuple[RecordedForecast, ...]") -> str:
    names = [each.series for each in forecasts]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{plural(len(names), 'forecast')} ({', '.join(names[:_SHOWN])}{more})"


def _failed(failures: Mapping[str, str], *, of: int, what: str) -> DataError:
    """Return the error of series that are left out; `what` was not done with them."""
    reasons = [f"  {name}: {reason.splitlines()[0]}" for name, reason in list(failures.items())[:_SHOWN]]
    more = [f"  and {len(failures) - _SHOWN} more"] if len(failures) > _SHOWN else []
    lines = [f"{len(failures)} of {of} series could not be {what}:", *reasons, *more]
    return DataError("\n".join(lines), key="--data", value=list(failures))


@app.command("score")
@takes_sources
@takes(printing=Printing)
def ledger_score(
    sources: Sources,
    printing: Printing,
    ledger: LedgerFile = DEFAULT,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print every sentence of the verdict.")] = False,
) -> None:
    """Add the closes that came to the ledger, by newer price files, and score the forecasts recorded before them."""
    from stockcast.cli.progress import BaselineProgress
    from stockcast.pipeline.ledger_score import score

    with BaselineProgress(quiet=printing.quiet) as progress:
        callbacks = message_callbacks(printing.quiet, on_baseline=progress.on_baseline)
        done = score(ledger, sources.paths, overrides=sources.overrides, callbacks=callbacks)
    if printing.as_json:
        print_json(done.to_json())
    else:
        _print_scores(done, ledger, verbose=verbose)
    if done.failures:
        raise _failed(done.failures, of=len({each.series for each in done.forecasts}), what="scored")


def _print_scores(done: "LedgerScores", ledger: Path, *, verbose: bool) -> None:
    """Print what came, the scores and the verdict."""
    from stockcast.cli.pool_tables import print_pooled
    from stockcast.cli.tables import print_scores, print_sentences

    days = sum(len(each.days) - 1 for each in done.outcomes)
    came = f"{plural(days, 'close')} of {len(done.outcomes)} series that came" if days else "No close that is new"
    print(printable(f"{came}, in {ledger}. Head: {done.lines} {done.head}"))
    for model in done.judgement.models if done.judgement else ():
        title = done.judgement.title(model) if done.judgement else ""
        if model.pool is None:
            print_scores(model.series[0].report, title=title, subject=printable_name(model.name))
        else:
            print_pooled(model.pool, title=title, subject=printable_name(model.name))
    verdict = done.verdict if verbose else dict.fromkeys((done.verdict[0], done.verdict[-1]))
    print_sentences([printable_name(sentence) for sentence in verdict])


@app.command("report")
@takes_sources
@takes(printing=Printing)
def ledger_report(
    sources: Sources,
    printing: Printing,
    ledger: LedgerFile = DEFAULT,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="File to write (default: beside the ledger).")
    ] = None,
) -> None:
    """Do what `score` does, and write verdict, scores and the newest forecasts as one HTML page."""
    from stockcast.cli.progress import BaselineProgress
    from stockcast.pipeline.ledger_report import ledger_page, save_ledger_page
    from stockcast.pipeline.ledger_score import score
    from stockcast.pipeline.report import check_page_path

    page = output or ledger.with_suffix(".html")
    check_page_path(page)
    with BaselineProgress(quiet=printing.quiet) as progress:
        callbacks = message_callbacks(printing.quiet, on_baseline=progress.on_baseline)
        done = score(ledger, sources.paths, overrides=sources.overrides, callbacks=callbacks)
    written = path_text(save_ledger_page(ledger_page(ledger, done), page))
    if printing.as_json:
        print_json({"file": written, **done.to_json()})
    else:
        print(printable(written))
    if done.failures:
        raise _failed(done.failures, of=len({each.series for each in done.forecasts}), what="scored")


@app.command("verify")
def ledger_verify(
    head: Annotated[
        str | None, typer.Option(metavar="HASH", help="What `head` printed earlier: all lines up to it must stand.")
    ] = None,
    ledger: LedgerFile = DEFAULT,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check that no line of the ledger was changed, moved or left out; with --head also that its end was not cut."""
    from stockcast.errors import DamagedLedger
    from stockcast.ledger.chain import read_chain

    if head is not None and re.fullmatch("[0-9a-f]{64}", head) is None:
        raise StockcastError("--head: 64 digits of 0-9 and a-f, as `stockcast ledger head` prints.", key="--head")
    chain = read_chain(ledger)
    place = None if head is None else chain.place_of(head)
    if head is not None and place is None:
        raise DamagedLedger(
            f"{ledger}: no line has the hash {head}. Its {plural(len(chain.lines), 'line')} fit each other, so lines "
            f"at its end were cut off, or it was written anew. Put back a copy from before.",
            file=ledger,
            line=len(chain.lines),
            key="--head",
            value=head,
        )
    if chain.unfinished:
        print_message(f"{ledger}: {chain.unfinished}", quiet=quiet)
    if as_json:
        print_json({"lines": len(chain.lines), "head": chain.head, "found": place, "unfinished": len(chain.rest)})
        return
    since = f"; the hash given is that of line {place}, all lines up to it stand" if place else ""
    print(printable(f"{ledger}: {plural(len(chain.lines), 'line')}, none changed{since}."))
    if head is None:
        print_message("A cut end shows only against a hash from before: --head HASH.", quiet=quiet)


@app.command("head")
def ledger_head(ledger: LedgerFile = DEFAULT, as_json: Json = False) -> None:
    """Print the number of lines and the hash of the last one, which stands for all: what to publish or sign."""
    from stockcast.ledger.chain import read_chain

    chain = read_chain(ledger)
    if as_json:
        print_json({"lines": len(chain.lines), "head": chain.head})
    else:
        print(len(chain.lines), chain.head)


@app.command("show")
def ledger_show(
    last: Annotated[int, typer.Option(min=1, metavar="N", help="Show the last N forecasts.")] = 20,
    ledger: LedgerFile = DEFAULT,
    as_json: Json = False,
) -> None:
    """List the forecasts of the ledger: when recorded, of what, known up to which day, and how many days have come."""
    from stockcast.cli.text_table import table, width
    from stockcast.ledger.chain import read_chain
    from stockcast.ledger.entries import Ledger

    chain = read_chain(ledger)
    found = Ledger.of(chain, path=ledger)
    came = {name: set(found.closes_of(name)) for name in {each.series for each in found.forecasts}}
    rows = [_row(each, came[each.series]) for each in found.forecasts[-last:]]
    if as_json:
        print_json({"lines": len(chain.lines), "head": chain.head, "forecasts": rows})
        return
    if rows:
        print(printable("\n".join(table(list(rows[0]), [list(map(str, row.values())) for row in rows], width=width()))))
    late = sum(each.is_late for each in found.forecasts)
    days = sum(len(each.days) - 1 for each in found.outcomes)
    print(
        f"{plural(len(found.forecasts), 'forecast')} of {len(came)} series, {late} of them late; {days} closes that "
        f"came; {plural(len(chain.lines), 'line')}."
    )
    if chain.unfinished:
        print_message(f"{ledger}: {chain.unfinished}")


def _row(each: "RecordedForecast", came: set[str]) -> dict[str, Any]:
    days = each.forecast.target_dates[0].astype(str).tolist()
    return {
        "line": each.line,
        "series": each.series,
        "run": each.run,
        "last day known": str(each.cutoff),
        "recorded (UTC)": each.recorded.removesuffix("+00:00"),
        "first day": days[0],
        "last day": days[-1],
        "came": f"{sum(day in came for day in days)} of {len(days)}",
        "remark": "; ".join([*(["late"] if each.is_late else []), *(["simulated"] if each.simulated else [])]),
    }
