"""An unfinished run -> the same run, finished as if its training had not been interrupted."""

from typing import Any

from stockcast.config.load import load_config
from stockcast.config.schema import Config
from stockcast.errors import RunError
from stockcast.execution.members import count_workers, training_state
from stockcast.forecasting.training_data import build_training_data, check_unchanged, read_training_prices
from stockcast.models.backend import versions
from stockcast.models.callbacks import SILENT, Callbacks
from stockcast.pipeline.train import train_to_end
from stockcast.runs.directory import RunDirectory, refused_of
from stockcast.runs.layout import BEGUN


def resume(
    run: RunDirectory,
    *,
    config: Config | None = None,
    processes: int | None = None,
    tensorboard: bool = False,
    callbacks: Callbacks = SILENT,
) -> RunDirectory:
    """Resume an unfinished run from its last checkpoint; on the same machine and versions, to the same bits.

    Args:
        run: an unfinished run.
        config: must be the one that the run was begun with; None for no such check.
        processes: as of `train`.
        tensorboard: as of `train`.
        callbacks: as of `train`.

    Raises:
        RunError: config or data have changed, or another process trains the run.
        StockcastError: as `train`.
    """
    with run.checkpoints.locked():
        begun = run.checkpoints.begun()
        stored = load_config(run.config_path())
        refused = refused_of(begun, run.path / BEGUN)
        if config is not None:
            _check_config(run, stored, read_training_prices(config, SILENT.on_message, already_refused=refused).config)
        read = read_training_prices(stored, callbacks.on_message, already_refused=refused)
        stored, prices = read.config, read.series
        workers = count_workers(stored.networks, most=processes)
        check_unchanged(run, begun, prices)
        if begun.get("versions") != versions():
            callbacks.on_message(
                f"{run.name} was begun with other versions ({begun.get('versions')}); its last digits may differ."
            )
        callbacks.on_message(f"{run.name}: {_progress(run, stored)}")
        callbacks.on_run_begin(run.path)
        data = build_training_data(stored, prices, is_shared=workers > 1)
        return train_to_end(stored, data, run, workers=workers, tensorboard=tensorboard, callbacks=callbacks)


def _check_config(run: RunDirectory, stored: Config, given: Config) -> None:
    """Check that a config, with dates for the parts, is the one of the run; a RunError names every key that differs."""
    if changed := _differences(stored.model_dump(mode="json"), given.model_dump(mode="json")):
        raise RunError(
            f"{run.name} was begun with another config, so it cannot be resumed with this one:\n"
            + "\n".join(f"  {line}" for line in changed)
            + "\nResume without CONFIG and --set, or train a new run.",
            file=run.path,
            key=changed[0].partition(":")[0],
        )


def _progress(run: RunDirectory, config: Config) -> str:
    """Return where the training is resumed."""
    states = [training_state(run, member) for member in range(1, config.networks + 1)]
    if not any(states):
        return "no epoch was finished; beginning again."
    epochs = [str(len(state.history)) if state else "0" for state in states]
    of = " of its members" if len(states) > 1 else ""
    return f"resuming after epoch {', '.join(epochs)}{of}."


def _differences(before: Any, now: Any, key: str = "") -> list[str]:
    """Return a line for every key whose value differs."""
    if isinstance(before, dict) and isinstance(now, dict):
        return [
            line
            for name in {**before, **now}
            for line in _differences(before.get(name), now.get(name), f"{key}.{name}" if key else name)
        ]
    return [] if before == now else [f"{key}: {before} in the run, {now} now"]
