"""Trainings that were seen already, replayed: the same config, windows and member end in the same bits.

That they do is what test_resume.py, test_workers.py and test_reproducible.py show, which train anew. Everything around
the training (what is read, checked, calibrated, written) is done again each time.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stockcast.execution import members
from stockcast.models.callbacks import Callbacks, TrainingState
from stockcast.pipeline import train
from stockcast.runs import RunDirectory
from stockcast.runs.layout import ONNX, WEIGHTS

_STATES: dict[str, list[TrainingState]] = {}
_FILES: dict[str, dict[str, bytes]] = {}
_ANEW: list[bool] = []


@contextmanager
def anew() -> Iterator[None]:
    """Within the block, train whatever was trained before: for tests of what training comes to."""
    _ANEW.append(True)
    try:
        yield
    finally:
        _ANEW.pop()


def _digest(*arrays: np.ndarray) -> str:
    return hashlib.sha256(b"".join(f"{one.shape}{one.dtype}".encode() + one.tobytes() for one in arrays)).hexdigest()


def _network_of(config: Any) -> str:
    """All of a config that its network and its training depend on."""
    return repr(sorted(config.model_dump(mode="json", exclude={"name", "data", "split"}).items()))


@contextmanager
def replaying() -> Iterator[None]:
    """Within the block, train and export a member once for the same config and windows."""
    fit_member, store, write = members.fit_member, train._store_network, RunDirectory.write_network
    under: list[str] = []

    def replayed(config: Any, windows: Any, run: RunDirectory, member: int, *, callbacks: Callbacks) -> None:
        if _ANEW or members.training_state(run, member) is not None:  # the latter is a training that is resumed
            fit_member(config, windows, run, member, callbacks=callbacks)
            return
        arrays = [ask(slice(None)) for part in windows for ask in (part.inputs, part.targets)]
        key = f"{_network_of(config)} {member} {_digest(*arrays)}"
        honest = members._write_checkpoint
        if key in _STATES:
            for state in _STATES[key]:
                callbacks.on_batch_end()
                honest(run, state)
                callbacks.on_epoch_end(state.history[-1])
            return
        states: list[TrainingState] = []

        def record(run: RunDirectory, state: TrainingState) -> None:
            states.append(state)
            honest(run, state)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(members, "_write_checkpoint", record)
            fit_member(config, windows, run, member, callbacks=callbacks)
        _STATES[key] = states

    def stored(run: RunDirectory, network: Any, callbacks: Callbacks) -> Any:
        under.append(repr([(type(one).__name__, one.name) for one in network.layers]))
        try:
            return store(run, network, callbacks)
        finally:
            under.pop()

    def written(run: RunDirectory, *, save_weights: Any, export: Any, room: int) -> None:
        if _ANEW or not under:  # the latter is not of a training
            write(run, save_weights=save_weights, export=export, room=room)
            return
        network = save_weights.__self__
        key = under[-1] + repr((network.input_shape, network.output_shape)) + _digest(*network.get_weights())
        if key not in _FILES:
            write(run, save_weights=save_weights, export=export, room=room)
            _FILES[key] = {name: (run.path / name).read_bytes() for name in (WEIGHTS, ONNX)}
            return
        kept = _FILES[key]

        def put(name: str) -> Any:
            return lambda path: Path(path).write_bytes(kept[name])

        write(run, save_weights=put(WEIGHTS), export=put(ONNX), room=room)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(members, "fit_member", replayed)
        patch.setattr(train, "_store_network", stored)
        patch.setattr(RunDirectory, "write_network", written)
        yield
