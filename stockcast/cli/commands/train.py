"""`stockcast train`."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stockcast.cli.options import (
    ConfigName,
    Json,
    Overrides,
    Quiet,
    Runs,
    takes_accept_damage,
    takes_calendar,
    takes_covariates,
    takes_strict,
    takes_ticker,
)
from stockcast.cli.output import message_callbacks, next_command, path_text, print_json, print_message, runs_option
from stockcast.cli.signals import DeferredSignals, Interrupted
from stockcast.errors import RunError
from stockcast.text import join_words

if TYPE_CHECKING:
    from stockcast.runs.directory import RunDirectory


@takes_strict
@takes_accept_damage
@takes_ticker
@takes_calendar
@takes_covariates
def train(
    config: ConfigName = None,
    overrides: Overrides = None,
    name: Annotated[str | None, typer.Option(help="Name of the run (default: the config's name and the time).")] = None,
    runs: Runs = Path("runs"),
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume the newest unfinished run, or the one that --name names.")
    ] = False,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write event files for TensorBoard, too.")] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train a network and store it as a run."""
    from stockcast.cli.progress import TrainingProgress
    from stockcast.config.load import load_config
    from stockcast.execution.members import assign_members
    from stockcast.pipeline.resume import resume as resume_training
    from stockcast.pipeline.train import train as train_run
    from stockcast.runs.directory import RunDirectory

    unfinished = RunDirectory.find_unfinished(runs, name) if resume else None
    choices: list[str] = []  # the calendar and the frequency of a CSV; printed once training begins
    given = load_config(config, overrides or (), on_message=choices.append) if config or overrides else None
    chosen = load_config(unfinished.config_path()) if unfinished else given or load_config()
    begun = [unfinished] if unfinished else []  # the run, once it is on the disk
    workers = assign_members(chosen.networks)
    try:
        with (
            DeferredSignals() as signals,
            TrainingProgress(epochs=chosen.training.epochs, workers=workers, quiet=quiet) as progress,
        ):

            def on_run_begin(path: Path) -> None:
                begun[:] = [RunDirectory(path)]
                signals.defer()
                for choice in choices:
                    print_message(choice, quiet=quiet)
                if tensorboard:
                    command = ["tensorboard", "--logdir", path_text(begun[0].events_folder())]
                    print_message(f"Follow the training with: {shlex.join(command)}", quiet=quiet)

            callbacks = message_callbacks(
                quiet, on_epoch_end=progress.on_epoch_end, on_run_begin=on_run_begin, on_batch_end=signals.check
            )
            if unfinished:
                run = resume_training(unfinished, config=given, tensorboard=tensorboard, callbacks=callbacks)
            else:
                run = train_run(chosen, runs=runs, name=name, tensorboard=tensorboard, callbacks=callbacks)
    except Interrupted as interrupted:
        raise Interrupted(interrupted.number, _how_to_resume(begun, runs)) from None
    except RunError as error:
        resumable = [run for run in begun if not unfinished and run.checkpoints.exist()]
        advice = _how_to_resume(resumable, runs)
        raise RunError(f"{error} {advice}".rstrip(), file=error.file) from error
    trained = run.manifest()["training"]
    if as_json:
        print_json({"run": path_text(run.path), "epochs": trained["epochs"], "best_epoch": trained["best_epoch"],
                     "val_loss": trained["best_val_loss"], "seconds": trained["seconds"]})  # fmt: skip
        return
    print(path_text(run.path))
    print_message(f"{_summary(trained)}\nNext: {next_command('evaluate', run.name, runs)}", quiet=quiet)


def _summary(trained: dict[str, Any]) -> str:
    """Return the best epoch, its member and loss, and how many epochs each member was trained for."""
    epochs = [str(count) for count in trained["epochs_by_member"]]
    member = f" (member {trained['best_member']})" if len(epochs) > 1 else ""
    noun = "epoch" if epochs == ["1"] else "epochs"
    return (
        f"Best epoch {trained['best_epoch']}{member}, validation loss {trained['best_val_loss']:.4f}; "
        f"{join_words(epochs)} {noun} trained."
    )


def _how_to_resume(begun: list["RunDirectory"], runs: Path) -> str:
    """Return the command that resumes the run; empty if it is not on the disk."""
    if not begun:
        return ""
    line = ["stockcast", "train", "--resume", "--name", begun[0].name, *runs_option(runs)]
    return f"Resume with: {shlex.join(line)}"
