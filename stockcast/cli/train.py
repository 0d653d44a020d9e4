"""`stockcast train`."""

from pathlib import Path
from typing import Annotated

import typer

from stockcast.cli.options import ConfigName, Json, Overrides, Quiet, Runs, load_chosen, next_line, print_json, shown


def train(
    config: ConfigName = None,
    overrides: Overrides = None,
    name: Annotated[str | None, typer.Option(help="Name of the run (default: the config's name and the time).")] = None,
    runs: Runs = Path("runs"),
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a network and keep it as a run."""
    from stockcast import pipeline
    from stockcast.console import Progress, say

    chosen = load_chosen(config, overrides)
    with Progress(epochs=chosen.training.epochs, members=chosen.training.members, quiet=quiet) as progress:
        trained = pipeline.train(chosen, runs=runs, name=name, say=say(quiet), report=progress.report)
    path = shown(trained.run.path)
    if as_json:
        print_json({"run": path, "epochs": trained.epochs, "best_epoch": trained.best.epoch,
                     "val_loss": trained.best.val_loss, "seconds": trained.seconds})  # fmt: skip
        return
    print(path)
    say(quiet)(
        f"Kept epoch {trained.best.epoch} of {trained.epochs} (validation loss {trained.best.val_loss:.4f}).\n"
        f"Next: {next_line('evaluate', trained.run.name, runs)}"
    )
