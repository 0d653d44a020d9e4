"""Train the networks of an ensemble side by side.

One recurrent network hardly keeps two cores busy, as each day waits for the day before. So members are assigned to
workers: the first is this process, each other one a process (`worker.py`) with its share of the cores. Workers share
the windows that they train on, in a file without a name, and the run's directory: they read its config and write their
checkpoints there. A member's result depends on its seed, not on its worker.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from stockcast.config.schema import Config
from stockcast.data.sequences import SequenceDataset
from stockcast.data.shared_windows import SharedWindows
from stockcast.data.windows import WindowDataset
from stockcast.errors import RunError
from stockcast.execution.process import WorkerProcess
from stockcast.forecasting.networks import build_member, fit_settings
from stockcast.forecasting.training_data import TrainingData
from stockcast.models.backend import forget_networks, has_gpu, processors, share_threads
from stockcast.models.build import average
from stockcast.models.callbacks import SILENT, Callbacks, EpochLog, TrainingState
from stockcast.models.fit import fit
from stockcast.runs.directory import RunDirectory


def assign_members(members: int, *, most: int | None = None) -> list[range]:
    """Return which members, numbered from 1, each worker trains one after the other.

    Args:
        members: number of networks to train.
        most: workers at the most; None for the number of cores, and one on a GPU, which they would share.
    """
    workers = min(members, most or (1 if has_gpu() else processors()))
    return [range(1, members + 1)[worker::workers] for worker in range(workers)]


def count_workers(members: int, *, most: int | None = None) -> int:
    """Return how many members are trained side by side, and give this process its share of the cores.

    Call it before Keras is loaded: threads are set up once. Arguments are those of `assign_members`.
    """
    workers = len(assign_members(members, most=most))
    share_threads(workers)
    return workers


def train_members(
    config: Config, data: TrainingData, run: RunDirectory, *, workers: int, callbacks: Callbacks
) -> tuple[list[Any], list[EpochLog]]:
    """Train every member from its last checkpoint on, or from the start where it has none.

    Args:
        config: the one that the run was begun with, with dates for the parts.
        data: what they are trained on; shared, where there is more than one worker.
        run: where checkpoints are stored.
        workers: number of processes, this one among them.
        callbacks: `on_epoch_end` for each epoch of any worker; `on_batch_end` may raise to end the training everywhere.

    Returns:
        The networks with their best weights, and the epochs of all, both in the order of the members.

    Raises:
        TrainingError: a member's loss is not a finite number.
        RunError: a checkpoint could not be written, or another worker ended too early.
    """
    own, *others = assign_members(config.networks, most=workers)
    windows = data.training, data.validation
    with _start(run, others, data.shared) as processes:

        def on_batch_end() -> None:
            callbacks.on_batch_end()
            for process in processes:
                for epoch in process.epochs():
                    callbacks.on_epoch_end(epoch)

        for member in own:
            fit_member(config, windows, run, member, callbacks=replace(callbacks, on_batch_end=on_batch_end))
        while any([process.is_running() for process in processes]):
            on_batch_end()
        on_batch_end()
    members = range(1, config.networks + 1)
    states = [_finished_state(run, member) for member in members]
    forget_networks()  # so that the names of what is stored do not depend on what was trained in this process
    networks = []
    for member, state in zip(members, states, strict=True):
        network = build_member(config, member)
        network.set_weights(list(state.best))
        networks.append(network)
    return networks, [epoch for state in states for epoch in state.history]


def fit_member(
    config: Config,
    windows: tuple[WindowDataset, WindowDataset],
    run: RunDirectory,
    member: int,
    *,
    callbacks: Callbacks,
) -> None:
    """Train one member from its last checkpoint on; its last one then holds its best weights.

    Args:
        config: as of `train_members`.
        windows: to train on, and to stop the training.
        run: where checkpoints are stored.
        member: its number, from 1.
        callbacks: as of `fit`.
    """
    length = config.sequence_length
    training, validation = (part if length is None else SequenceDataset.cut(part, length) for part in windows)
    fit(
        build_member(config, member, sequence_length=length),
        training,
        validation,
        head=config.head,
        settings=fit_settings(config, member),
        member=member,
        state=training_state(run, member),
        callbacks=replace(callbacks, on_checkpoint=partial(_write_checkpoint, run)),
    )


def train_in_memory(config: Config, data: TrainingData, *, callbacks: Callbacks = SILENT) -> Any:
    """Train every member in this process; return the network that averages them, as `train_members` would.

    Nothing is stored. Raises TrainingError where a member's loss is not a finite number.
    """
    length = config.sequence_length
    windows = data.training, data.validation
    training, validation = (part if length is None else SequenceDataset.cut(part, length) for part in windows)
    weights = []
    for member in range(1, config.networks + 1):
        network = build_member(config, member, sequence_length=length)
        settings = fit_settings(config, member)
        fit(network, training, validation, head=config.head, settings=settings, member=member, callbacks=callbacks)
        weights.append(network.get_weights())
    forget_networks()
    networks = []
    for member, own in enumerate(weights, start=1):
        networks.append(build_member(config, member))
        networks[-1].set_weights(own)
    return average(networks)


def training_state(run: RunDirectory, member: int) -> TrainingState | None:
    """Return the last stored state of a member's training; None before its first epoch."""
    stored = next(run.checkpoints.read(member), None)
    return None if stored is None else TrainingState.from_arrays(stored, member=member)


def _finished_state(run: RunDirectory, member: int) -> TrainingState:
    state = training_state(run, member)
    if state is None:
        raise RunError(f"{run.path}: the checkpoints of member {member} are gone or damaged.", file=run.path)
    return state


def _write_checkpoint(run: RunDirectory, state: TrainingState) -> None:
    last = state.history[-1]
    run.checkpoints.write(last.member, last.epoch, state.to_arrays())


@contextmanager
def _start(run: RunDirectory, groups: list[range], shared: SharedWindows | None) -> Iterator[list[WorkerProcess]]:
    """Start the other workers, and end them with the block."""
    processes: list[WorkerProcess] = []
    try:
        for members in groups:
            if shared is None:
                raise ValueError("several workers need shared windows")
            processes.append(WorkerProcess(run, members, shared))
        yield processes
    finally:
        for process in processes:
            process.end()
