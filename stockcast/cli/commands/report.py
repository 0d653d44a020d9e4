"""`stockcast report`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from stockcast.cli.options import Json, Quiet, RunName, Runs, Sources, takes_sources
from stockcast.cli.output import message_callbacks, path_text, print_json
from stockcast.errors import DataError
from stockcast.text import printable

_REASONS_SHOWN = 10  # why series could not be forecast


@takes_sources
def report(
    sources: Sources,
    run: RunName = None,
    runs: Runs = Path("runs"),
    horizon: Annotated[
        int | None, typer.Option(min=1, max=250, help="Sessions, weeks or months ahead (default: the run's).")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE.html", help="File to write (default: inside the run).")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write forecasts, scores and how they were made as one HTML page, which needs no other file and no network."""
    from stockcast.forecasting.predictor import Predictor
    from stockcast.pipeline.report import check_page_path, report_series, save_report
    from stockcast.runs.shipped import choose_run

    if output is not None:
        check_page_path(output)
    callbacks = message_callbacks(quiet)
    directory = choose_run(runs, run, source=sources.paths or None, on_message=callbacks.on_message)
    predictor = Predictor.load(directory, overrides=sources.overrides, on_message=callbacks.on_message)
    page = report_series(predictor, sources.paths, horizon=horizon, overrides=sources.overrides, callbacks=callbacks)
    path = path_text(save_report(directory, page, output))
    if as_json:
        series = [{"series": each.name, "origin": str(each.prediction.forecast.origin_dates[0]),
                   "scored": each.scores is not None} for each in page.series]  # fmt: skip
        print_json({"run": page.run, "file": path, "series": series, "failures": dict(page.failures)})
    else:
        print(printable(path))  # it may have a file's name in it
    if page.failures:
        raise _failed(page.failures, of=len(page.failures) + len(page.series))


def _failed(failures: Mapping[str, str], *, of: int) -> DataError:
    """Return the error of a page on which series are missing."""
    reasons = [f"  {name}: {reason.splitlines()[0]}" for name, reason in list(failures.items())[:_REASONS_SHOWN]]
    more = [f"  and {len(failures) - len(reasons)} more"] if len(failures) > len(reasons) else []
    lines = [f"{len(failures)} of {of} series could not be forecast:", *reasons, *more]
    return DataError("\n".join(lines), key="--data", value=list(failures))
