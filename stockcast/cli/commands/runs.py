"""`stockcast runs`."""

import sys
import textwrap
from pathlib import Path
from typing import Annotated, Any

import typer

from stockcast.cli.options import Json, Runs
from stockcast.cli.output import path_text, print_json, print_message

app = typer.Typer(help="List, show, compare or verify runs.", no_args_is_help=True)

RunNames = Annotated[list[str], typer.Argument(metavar="RUN RUN ...", help="Names or paths of the runs.")]
AnyRuns = Annotated[list[str] | None, typer.Argument(metavar="[RUN ...]", help="Names or paths (default: all).")]

_LINES_SHOWN = 20
_LETTERS_SHOWN = 1000  # of one value: a verdict has about 400


@app.command("list")
def runs_list(runs: Runs = Path("runs"), as_json: Json = False) -> None:
    """List the runs, newest first, with their state and scores on the test days; last the one that ships."""
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
    headers = ("run", "state", "created (UTC)", "series", "epochs", "on its test days")
    rows = [
        (
            summary.name,
            _state(summary),
            summary.created or "",
            summary.series or "",
            "" if summary.epochs is None else str(summary.epochs),
            _result(summary),
        )
        for summary in summaries
    ]
    print("\n".join(table(headers, rows, width=width())))


@app.command("show")
def runs_show(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Name or path of a run.")],
    runs: Runs = Path("runs"),
    as_json: Json = False,
) -> None:
    """Show how a run was made: config, data, split, versions, seed, training; and its verdict."""
    from stockcast.runs.listing import detail, locate

    details = detail(locate(runs, run))
    if as_json:
        print_json(details.to_json())
        return
    print(f"{details.summary.name}: {_state(details.summary)}")
    _print_faults(details.summary.condition.faults)
    if details.trained_on is not None:
        print(f"trained on: {details.trained_on}")
    for name, value in details.made.items():
        if name != "series" or details.trained_on is None:
            _print_value(name, value)
    if details.scores:
        _print_value("scores", details.scores)
    if details.config is not None:
        print(f"config:\n{textwrap.indent(details.config.rstrip(), '  ')}")
    if details.verdict is not None:
        print("verdict:", *details.verdict, sep="\n  ")
    if details.pool is not None:
        print(f"verdict on {details.pool.members} series, {details.pool.folder}:", *details.pool.verdict, sep="\n  ")


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
            _print_faults(run.faults)
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


def _state(summary: Any) -> str:
    """Return whether a run is whole, unfinished or damaged, and whether it ships with stockcast."""
    return f"{summary.condition.state}, ships with stockcast" if summary.shipped else str(summary.condition.state)


def _no_runs(runs: Path) -> str:
    return f"No runs in {runs.absolute()}. Name the folder of your runs with --runs, or make one with: stockcast train"


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


def _print_faults(faults: tuple[str, ...]) -> None:
    for fault in faults[:_LINES_SHOWN]:
        print(f"  {fault}")
    _print_rest(len(faults), "")


def _print_value(name: str, value: Any, indent: str = "") -> None:
    """Print a plain value as YAML would look, a key a line; of a long list the first lines."""
    if isinstance(value, dict | list) and value and len(indent) < 8:
        print(f"{indent}{name}:")
        items = list(value.items()) if isinstance(value, dict) else [("-", item) for item in value]
        for key, item in items[:_LINES_SHOWN]:
            _print_value(key, item, f"{indent}  ")
        _print_rest(len(items), indent)
    elif not isinstance(value, dict | list):
        text = " ".join(str(value)[:_LETTERS_SHOWN].split()) + ("..." if len(str(value)) > _LETTERS_SHOWN else "")
        print(f"{indent}{name} {text}" if name == "-" else f"{indent}{name}: {text}")


def _print_rest(lines: int, indent: str) -> None:
    if lines > _LINES_SHOWN:
        print(f"{indent}  and {lines - _LINES_SHOWN:,} more")
