"""`stockcast data`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from stockcast.cli.options import Covariates, Json, Overrides, takes_calendar, takes_ticker
from stockcast.cli.output import print_json
from stockcast.errors import DataError, StockcastError
from stockcast.text import printable_name

app = typer.Typer(help="Check price files.", no_args_is_help=True)


@app.callback()
def _data() -> None:
    """Make typer keep `check` a subcommand while it is the only one."""


@app.command("check")
@takes_calendar
@takes_ticker
def data_check(
    data: Annotated[list[Path], typer.Argument(metavar="PATH", help="Price files, - for standard input, or folders.")],
    overrides: Overrides = None,
    covariates: Covariates = None,
    as_json: Json = False,
) -> None:
    """Report whether price files can be used, what was repaired and what looks wrong; of several a line each."""
    from stockcast.data.csv.folder import files_of

    settings = overrides or []
    if len(data) == 1 and not data[0].is_dir():
        _check_one(data[0], settings, covariates, as_json=as_json)
        return
    _check_many(files_of(data, key="PATH"), settings, covariates, as_json=as_json)


def _check_one(file: Path, overrides: list[str], covariates: Path | None, *, as_json: bool) -> None:
    from stockcast.cli.tables import print_sentences
    from stockcast.pipeline.check import check

    try:
        reports = check(file, overrides=overrides, covariates=covariates)
    except StockcastError as error:
        if as_json:
            print_json(_unusable(file, error))
        raise
    if as_json:
        documents = [report.to_json() for report in reports]
        print_json(documents[0] if len(documents) == 1 else {"usable": True, "file": str(file), "series": documents})
        return
    for number, report in enumerate(reports):
        print_sentences([*([""] if number else []), *report.summary()])


def _check_many(files: list[Path], overrides: list[str], covariates: Path | None, *, as_json: bool) -> None:
    """Check each file; those that cannot be used are an error once the others are printed."""
    from stockcast.cli.tables import print_sentences
    from stockcast.pipeline.check import check

    documents: list[dict[str, Any]] = []
    failures: list[str] = []
    for file in files:
        try:
            reports = check(file, overrides=overrides, covariates=covariates)
        except StockcastError as error:
            failures.append(str(file))
            documents.append(_unusable(file, error))
            lines = [f"{file.name}: cannot be used. {str(error).splitlines()[0]}"]
        else:
            documents += [report.to_json() for report in reports]
            lines = [report.line() for report in reports]
        if not as_json:
            print_sentences(map(printable_name, lines))
    if as_json:
        print_json({"usable": not failures, "files": documents})
    if failures:
        count = f"{len(failures)} of {len(files)} files"
        message = f"{count} cannot be used. `stockcast data check FILE` lists all problems of one."
        raise DataError(message, key="PATH", value=failures)


def _unusable(file: Path, error: StockcastError) -> dict[str, Any]:
    return {"usable": False, "file": str(file), "problems": str(error).splitlines()}
