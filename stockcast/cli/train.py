"""`stockcast train`."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stockcast.cli.options import (
    ConfigName,
    Json,
    Overrides,
    Quiet,
    Runs,
    load_chosen,
    next_line,
    print_json,
    say,
    shown,
    stated_runs,
)
from stockcast.cli.signals import Stopped, between_batches
from stockcast.errors import RunError

if TYPE_CHECKING:
    from stockcast.runs import RunDirectory


def train(
    config: ConfigName = None,
    overrides: Overrides = None,
    name: Annotated[str | None, typer.Option(help="Name of the run (default: the config's name and the time).")] = None,
    runs: Runs = Path("runs"),
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the newest unfinished run, or the one that --name names.")
    ] = False,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write the losses as event files for TensorBoard, too.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a network and keep it as a run."""
    from stockcast import pipeline
    from stockcast.config import load_config
    from stockcast.console import Progress
    from stockcast.runs import RunDirectory

    unfinished = RunDirectory.find_unfinished(runs, name) if resume else None
    asked = load_chosen(config, overrides) if config or overrides else None
    chosen = load_config(unfinished.config_path()) if unfinished else asked or load_chosen(None, None)
    standing = [unfinished] if unfinished else []
    try:
        with (
            between_batches() as signals,
            Progress(epochs=chosen.training.epochs, lanes=pipeline.dealt(chosen.networks), quiet=quiet) as progress,
        ):

            def begun(run: RunDirectory) -> None:
                standing[:] = [run]
                signals.wait()
                if tensorboard:
                    say(quiet)(f"Watch it with: {shlex.join(['tensorboard', '--logdir', shown(run.events_folder())])}")

            if unfinished:
                trained = pipeline.resume(
                    unfinished, config=asked, say=say(quiet), report=progress.report, begun=begun,
                    pause=signals.pause, tensorboard=tensorboard,
                )  # fmt: skip
            else:
                trained = pipeline.train(
                    chosen, runs=runs, name=name, say=say(quiet), report=progress.report, begun=begun,
                    pause=signals.pause, tensorboard=tensorboard,
                )  # fmt: skip
    except Stopped as stopped:
        raise Stopped(stopped.number, _way_on(standing, runs)) from None
    except RunError as error:
        way_on = _way_on([run for run in standing if not unfinished and run.underway.has_checkpoint()], runs)
        raise RunError(f"{error}{f' {way_on}' if way_on else ''}") from error
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


def _way_on(standing: list["RunDirectory"], runs: Path) -> str:
    """Say how to go on with the run, if it stands on the disk."""
    if not standing:
        return ""
    line = ["stockcast", "train", "--resume", "--name", standing[0].name, *stated_runs(runs)]
    return f"Go on with: {shlex.join(line)}"
