"""`stockcast runs`: which runs there are, what made them, how they compare, and whether they are whole."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from stockcast.cli.options import Json, Runs, print_json, shown

app = typer.Typer(help="List, show, compare or verify runs.", no_args_is_help=True)

RunNames = Annotated[list[str], typer.Argument(metavar="RUN RUN ...", help="Names or paths of runs.")]
AnyRuns = Annotated[list[str] | None, typer.Argument(metavar="[RUN ...]", help="Names or paths (default: all).")]

_FAULTS_SHOWN = 20


@app.command("list")
def runs_list(runs: Runs = Path("runs"), as_json: Json = False) -> None:
    """List the runs, newest first: whole, unfinished or damaged, and how each did on its test days."""
    from stockcast.cli.columns import table, width
    from stockcast.runs.overview import list_runs

    found = list_runs(runs)
    if as_json:
        print_json({"runs": [one.to_json() for one in found]})
        return
    if not found:
        print(_none(runs), file=sys.stderr)
        return
    headers = ("run", "state", "created (UTC)", "series", "epochs", "on its test days")
    rows = [
        (
            one.name,
            one.condition.state,
            one.created or "",
            one.series or "",
            "" if one.epochs is None else str(one.epochs),
            _result(one),
        )
        for one in found
    ]
    print("\n".join(table(headers, rows, width=width())))


@app.command("show")
def runs_show(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Name or path of a run.")],
    runs: Runs = Path("runs"),
    as_json: Json = False,
) -> None:
    """Show what made a run: config, data, splits, versions, seed, training and notes; and its verdict."""
    from stockcast.runs.overview import detail, locate

    found = detail(locate(runs, run))
    if as_json:
        print_json(found.to_json())
        return
    print(f"{found.summary.name}: {found.summary.condition.state}")
    _print_faults(found.summary.condition.faults)
    for name, value in found.made.items():
        _print_value(name, value)
    if found.config is not None:
        print(f"config:\n{_indented(found.config)}")
    if found.verdict is not None:
        print("verdict:")
        for sentence in found.verdict:
            print(f"  {sentence}")


@app.command("compare")
def runs_compare(
    names: RunNames,
    runs: Runs = Path("runs"),
    output: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Draw comparison.png into this folder (default: no picture).")
    ] = None,
    as_json: Json = False,
) -> None:
    """Put the scores of runs side by side, over the origins that all of them have, and test whether they differ."""
    from stockcast import pipeline
    from stockcast.cli.columns import table, width
    from stockcast.console import print_sentences
    from stockcast.runs.overview import locate

    found = pipeline.compare([locate(runs, name) for name in names])
    picture = None if output is None else pipeline.draw_comparison(found, output)
    if as_json:
        print_json({**found.to_json(), "picture": shown(picture) if picture else None})
        return
    scores = found.scores
    rivals = list(dict.fromkeys(rival for each in scores.horizons.values() for one in each for rival in one.skill))
    of_prices = scores.score == "CRPS"
    measures = ("CRPS", "in 90 %") if of_prices else ("Brier", "right")
    headers = ("days", "run", *measures, *(f"skill vs {rival}" for rival in rivals))
    rows = [
        (
            step,
            name,
            *(
                (_number(one.crps, "{:.1f}", times=1e4), _number(one.coverage_90, "{:.0f} %", times=100))
                if of_prices
                else (_number(one.brier, "{:.4f}"), _number(one.accuracy, "{:.1f} %", times=100))
            ),
            *(_skill(one.skill.get(rival)) for rival in rivals),
        )
        for step, each in scores.horizons.items()
        for name, one in zip(scores.runs, each, strict=True)
    ]
    print(found.title())
    print("\n".join(table(headers, rows, width=width())))
    unit = "CRPS of log returns x 10,000" if of_prices else "Brier score of the direction's probabilities"
    print_sentences([*found.notes(), *found.verdict()])
    print(
        f"{unit}: lower is better." + (" Skill above 0: better than the rival." if rivals else ""),
        *([f"Picture: {shown(picture)}"] if picture else []),
        sep="\n",
        file=sys.stderr,
    )


@app.command("verify")
def runs_verify(names: AnyRuns = None, runs: Runs = Path("runs"), as_json: Json = False) -> None:
    """Hash every file that training wrote, and tell which are missing, changed or do not belong."""
    from stockcast.errors import RunError
    from stockcast.runs.overview import check, locate, run_paths
    from stockcast.untrusted import printable_name

    paths = [locate(runs, name) for name in names] if names else run_paths(runs)
    found = [(printable_name(path.name or str(path)), check(path)) for path in paths]
    if as_json:
        print_json({"runs": [{"name": name, "state": one.state, "faults": list(one.faults)} for name, one in found]})
    elif not found:
        print(_none(runs), file=sys.stderr)
    else:
        for name, one in found:
            print(f"{name}: {one.state}")
            _print_faults(one.faults)
    damaged = [name for name, one in found if one.state == "damaged"]
    if damaged:
        raise RunError(f"{len(damaged)} of {len(found)} damaged: {', '.join(damaged)}. Train again, or remove them.")


def _none(runs: Path) -> str:
    return f"No runs in {runs.absolute()}. Name the folder of your runs with --runs, or make one with: stockcast train"


def _result(summary: Any) -> str:
    """How a run did, in a few words."""
    if summary.skill is not None:
        return f"{summary.score} skill {_skill(summary.skill)} vs {summary.rival}"
    return summary.verdict or ""


def _number(value: float | None, shape: str, *, times: float = 1.0) -> str:
    return "" if value is None else shape.format(times * value)


def _skill(share: float | None) -> str:
    return "" if share is None else f"{100 * share:+.1f} %"


def _print_faults(faults: tuple[str, ...]) -> None:
    for one in faults[:_FAULTS_SHOWN]:
        print(f"  {one}")
    if len(faults) > _FAULTS_SHOWN:
        print(f"  and {len(faults) - _FAULTS_SHOWN:,} more")


def _print_value(name: str, value: Any, indent: str = "") -> None:
    """Print a plain value as YAML would look, a key a line; of a long list its beginning."""
    if isinstance(value, dict | list) and value and len(indent) < 8:
        print(f"{indent}{name}:")
        items = list(value.items()) if isinstance(value, dict) else [("-", one) for one in value]
        for key, one in items[:_FAULTS_SHOWN]:
            _print_value(key, one, f"{indent}  ")
        if len(items) > _FAULTS_SHOWN:
            print(f"{indent}  and {len(items) - _FAULTS_SHOWN:,} more")
    elif not isinstance(value, dict | list):
        text = " ".join(str(value)[:300].split())
        print(f"{indent}{name} {text}" if name == "-" else f"{indent}{name}: {text}")


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines()).rstrip("\n")
