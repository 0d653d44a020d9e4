"""`stockcast runs`."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from stockcast.cli.options import Json, RunName, Runs
from stockcast.cli.output import path_text, print_json, print_message

app = typer.Typer(help="List, show, compare, verify or delete runs.", no_args_is_help=True)

RunNames = Annotated[list[str], typer.Argument(metavar="RUN RUN ...", help="Names or paths of the runs.")]
AnyRuns = Annotated[list[str] | None, typer.Argument(metavar="[RUN ...]", help="Names or paths (default: all).")]


@app.command("list")
def runs_list(runs: Runs = Path("runs"), as_json: Json = False) -> None:
    """List the runs, by the end of their training, with their scores on the test days; last the one that ships."""
    from stockcast.cli.run_details import state
    from stockcast.cli.text_table import table, width
    from stockcast.runs.listing import list_runs

    summaries = list_runs(runs)
    if as_json:
        print_json({"runs": [summary.to_json() for summary in summaries]})
        return
    if not any(not summary.shipped for summary in summaries):
        print(_no_runs(runs), file=sys.stderr)
    if not summaries:
        return
    headers = ("run", "state", "ended (UTC)", "series", "epochs", "on its test days")
    rows = [
        (
            summary.name,
            state(summary),
            summary.to_json()["ended"] or "",
            summary.series or "",
            _epochs(summary),
            _result(summary),
        )
        for summary in summaries
    ]
    print("\n".join(table(headers, rows, width=width())))


@app.command("show")
def runs_show(
    run: RunName = None,
    runs: Runs = Path("runs"),
    verbose: Annotated[bool, typer.Option("--verbose", help="All of it, not a screenful.")] = False,
    as_json: Json = False,
) -> None:
    """Show how a run was made: config, data, split, versions, seed, training; and its verdict."""
    from stockcast.cli.run_details import full, short
    from stockcast.runs.directory import RunDirectory
    from stockcast.runs.listing import detail, locate

    details = detail(RunDirectory.find(runs, None).path if run is None else locate(runs, run))
    if as_json:
        print_json(details.to_json())
    else:
        print("\n".join(full(details) if verbose else short(details)))


@app.command("compare")
def runs_compare(
    names: RunNames,
    runs: Runs = Path("runs"),
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder to draw comparison.png into (default: no plot).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare the scores of runs on the origins that they share, and test whether they differ."""
    from stockcast.cli.tables import print_sentences
    from stockcast.cli.text_table import table, width
    from stockcast.pipeline.compare import compare, draw_comparison
    from stockcast.runs.listing import locate

    report = compare([locate(runs, name) for name in names])
    plot = None if output is None else draw_comparison(report, output)
    if as_json:
        print_json({**report.to_json(), "picture": path_text(plot) if plot else None})
        return
    horizons = report.scores.horizons
    baselines = list(dict.fromkeys(name for scores in horizons.values() for score in scores for name in score.skill))
    of_prices = report.scores.score == "CRPS"
    measures = ("CRPS", "in 90 %") if of_prices else ("Brier", "right")
    headers = (f"{report.frequency.unit}s", "run", *measures, *(f"skill vs {baseline}" for baseline in baselines))
    rows = [
        (
            step,
            name,
            _number(score.crps, "{:.1f}", times=1e4) if of_prices else _number(score.brier, "{:.4f}"),
            _number(score.coverage_90, "{:.0f} %", times=100)
            if of_prices
            else _number(score.accuracy, "{:.1f} %", times=100),
            *(_skill(score.skill.get(baseline)) for baseline in baselines),
        )
        for step, scores in horizons.items()
        for name, score in zip(report.scores.runs, scores, strict=True)
    ]
    print(report.title())
    print("\n".join(table(headers, rows, width=width())))
    print_sentences([*report.notes(), *report.verdict()])
    unit = "CRPS of log returns x 10,000" if of_prices else "Brier score of the direction's probabilities"
    print_message(
        f"{unit}: lower is better."
        + (" Skill above 0: better than the baseline." if baselines else "")
        + (f"\nPlot: {path_text(plot)}" if plot else "")
    )


@app.command("verify")
def runs_verify(names: AnyRuns = None, runs: Runs = Path("runs"), as_json: Json = False) -> None:
    """Check the files of runs by their hashes: which are missing, changed or unknown."""
    from stockcast.cli.run_details import fault_lines
    from stockcast.errors import RunError
    from stockcast.runs.layout import PRETRAINED, is_in_package
    from stockcast.runs.listing import check, locate, run_paths, shipped_paths
    from stockcast.runs.safe_io import REINSTALL
    from stockcast.text import plural, printable_name

    paths = [locate(runs, name) for name in names] if names else [*run_paths(runs), *shipped_paths()]
    checked = [(printable_name(path.name or str(path)), check(path)) for path in paths]
    if as_json:
        print_json({"runs": [{"name": name, "state": run.state, "faults": list(run.faults)} for name, run in checked]})
    elif not checked:
        print(_no_runs(runs), file=sys.stderr)
    else:
        for name, run in checked:
            print(f"{name}: {run.state}")
            for line in fault_lines(run.faults):
                print(line)
    damaged = [name for name, run in checked if run.state == "damaged"]
    if damaged:
        shipped = [
            path
            for path, (_, run) in zip(paths, checked, strict=True)
            if run.state == "damaged" and is_in_package(path)
        ]
        advice = ["Train again, or remove them."] if len(damaged) > len(shipped) else []
        advice += [REINSTALL.replace("It ", f"{PRETRAINED} ")] if shipped else []
        raise RunError(
            f"{len(damaged)} of {plural(len(checked), 'run')} damaged: {', '.join(damaged)}. {' '.join(advice)}",
            value=damaged,
        )


@app.command("delete")
def runs_delete(
    names: RunNames,
    runs: Runs = Path("runs"),
    yes: Annotated[bool, typer.Option("--yes", help="Delete without asking first, as a script must.")] = False,
    as_json: Json = False,
) -> None:
    """Delete runs with all that is in them."""
    from stockcast.errors import RunError
    from stockcast.runs.listing import check, locate
    from stockcast.runs.removal import check_removable, remove, size_of
    from stockcast.text import bytes_text, plural, printable_name

    paths = list(dict.fromkeys(locate(runs, name) for name in names))
    for name in names:
        path = locate(runs, name)
        check_removable(path)
        if yes and Path(name).name != path.name:
            raise RunError(f"--yes takes names in full: {name!r} is short for {path.name}.", key="--yes", value=name)
    if not yes:
        if not sys.stdin.isatty():
            raise RunError(
                f"Deleting {plural(len(paths), 'run')} takes a yes, and standard input is no terminal. Repeat with "
                f"--yes.",
                key="--yes",
            )
        for path in paths:
            print_message(f"{printable_name(path.name)}: {check(path).state}, {bytes_text(size_of(path))}")
        if not typer.confirm(f"Delete {plural(len(paths), 'run')} with all results?", err=True):
            print_message("Nothing was deleted.")
            raise typer.Exit(1)
    freed = {printable_name(path.name): remove(path) for path in paths}
    if as_json:
        print_json({"deleted": [{"name": name, "bytes": size} for name, size in freed.items()]})
        return
    for name, size in freed.items():
        print(f"{name}: deleted, {bytes_text(size)} freed")


def _no_runs(runs: Path) -> str:
    return (
        f"No runs of your own in {runs.absolute()}. Name the folder of your runs with --runs, or make one with: "
        f"stockcast train"
    )


def _epochs(summary: Any) -> str:
    """Return the epochs of each member: 20, of two 20 + 18, of many as long as each other 10 x 20."""
    counts = summary.epochs_by_member
    if not counts:
        return "" if summary.epochs is None else str(summary.epochs)
    if len(set(counts)) == 1 and len(counts) > 1:
        return f"{len(counts)} x {counts[0]}"
    return " + ".join(map(str, counts))


def _result(summary: Any) -> str:
    """Return the score of a run, in a few words."""
    if summary.skill is not None:
        of = "" if summary.members is None else f", mean of {summary.members} series"
        return f"{summary.score} skill {_skill(summary.skill)} vs {summary.baseline}{of}"
    return summary.verdict or ""


def _number(value: float | None, shape: str, *, times: float = 1.0) -> str:
    return "" if value is None else shape.format(times * value)


def _skill(share: float | None) -> str:
    return "" if share is None else f"{100 * share:+.1f} %"
