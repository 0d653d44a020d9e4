"""The networks of an ensemble, trained side by side: the members, and what the config has beside them.

One recurrent network hardly keeps two cores busy: each day waits for the day before. So members are dealt out to lanes,
of which the first is this process and each other one a process of its own (`lane.py`) with its share of the cores. The
run's directory is all that lanes have in common: they read its config, and leave their checkpoints in it. A member's
result depends on its seed alone, not on its lane.
"""

import json
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from signal import Signals
from typing import Any

from stockcast.config import Config
from stockcast.errors import RunError, StockcastError, TrainingError
from stockcast.models.backend import forget_networks, has_gpu, processors, share_threads
from stockcast.models.training import Epoch, State, fit
from stockcast.pipeline.preparation import Lessons
from stockcast.pipeline.rebuilt import build, seed_of
from stockcast.runs import RunDirectory

_RAISED = {kind.__name__: kind for kind in (TrainingError, RunError)}
_WAIT = 0.1  # seconds between looks at the other lanes once this one is through; Ctrl-C waits as long


def dealt(members: int, *, most: int | None = None) -> list[range]:
    """Return which members, numbered from 1, each lane trains one after the other.

    Args:
        members: networks to train.
        most: lanes at the most; None for as many as there are cores, and one on a GPU, which they would fight for.
    """
    lanes = min(members, most or (1 if has_gpu() else processors()))
    return [range(1, members + 1)[lane::lanes] for lane in range(lanes)]


def count_lanes(members: int, *, most: int | None = None) -> int:
    """Return how many members are trained side by side, and give this process its share of the cores.

    Call it before Keras is loaded: threads are set up once. Arguments are those of `dealt`.
    """
    lanes = len(dealt(members, most=most))
    share_threads(lanes)
    return lanes


def train_members(
    config: Config,
    lessons: Lessons,
    run: RunDirectory,
    *,
    lanes: int,
    report: Callable[[Epoch], None],
    pause: Callable[[], None],
) -> tuple[list[Any], list[Epoch]]:
    """Train every member from its last checkpoint on, or from the start where it has none.

    Args:
        config: with dates for the parts; the one that the run was begun with.
        lessons: what is learnt from.
        run: where checkpoints are kept.
        lanes: processes to train in, this one among them.
        report: told of each epoch, of any lane.
        pause: called between batches; it may raise to end the training there, on all lanes.

    Returns:
        The networks with their best weights, and the epochs of all, both in the order of the members.

    Raises:
        TrainingError: a member's loss is no number any more.
        RunError: a checkpoint could not be kept, or another lane ended before its time.
    """
    own, *others = dealt(config.networks, most=lanes)
    with _beside(run, others) as beside:

        def look_around() -> None:
            pause()
            for lane in beside:
                for epoch in lane.epochs():
                    report(epoch)

        for member in own:
            fit_member(config, lessons, run, member, pause=look_around, report=report)
        while any([lane.runs() for lane in beside]):
            look_around()
        look_around()
    members = range(1, config.networks + 1)
    states = [_state(run, member) for member in members]
    forget_networks()  # so that the names of what is stored do not depend on what was trained in this process
    networks = []
    for member, state in zip(members, states, strict=True):
        network = build(config, member)
        network.set_weights(list(state.best))
        networks.append(network)
    return networks, [epoch for state in states for epoch in state.history]


def fit_member(
    config: Config,
    lessons: Lessons,
    run: RunDirectory,
    member: int,
    *,
    pause: Callable[[], None],
    report: Callable[[Epoch], None],
) -> None:
    """Train one member from its last checkpoint on; its last one then holds its best weights."""
    settings = config.training.model_dump(exclude={"seed", "members"})
    if member > config.training.members:
        settings |= {**config.beside.model_dump(exclude={"layers"}), "rate_key": "beside.learning_rate"}
    fit(
        build(config, member),
        lessons.training,
        lessons.validation,
        head=config.head,
        **settings,
        seed=seed_of(config, member),
        alone=config.networks == 1,  # told by the config and not by the lanes: bits do not depend on cores
        member=member,
        state=checkpoint(run, member),
        keep=partial(_keep, run),
        pause=pause,
        report=report,
    )


def checkpoint(run: RunDirectory, member: int) -> State | None:
    """Return where the training of a member stands, or None before its first epoch."""
    stored = next(run.underway.checkpoints(member), None)
    return None if stored is None else State.from_arrays(stored, member=member)


def _state(run: RunDirectory, member: int) -> State:
    state = checkpoint(run, member)
    if state is None:
        raise RunError(f"{run.path}: the checkpoints of member {member} are gone or damaged.")
    return state


def _keep(run: RunDirectory, state: State) -> None:
    last = state.history[-1]
    run.underway.write_checkpoint(last.member, last.epoch, state.to_arrays())


class Lane:
    """A process that trains some members; it ends when this one does, however that ends."""

    def __init__(self, run: RunDirectory, members: range) -> None:
        self._run, self._members = run, members
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "stockcast.pipeline.lane", str(run.path), *map(str, members)],
            stdin=subprocess.PIPE,  # its end tells the lane that we are gone
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            process_group=0,  # Ctrl-C reaches this process alone, which knows what to do with it
        )
        self._said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    def epochs(self) -> Iterator[Epoch]:
        """Yield the epochs that the lane has told of since the last call.

        Raises:
            TrainingError, RunError: what ended the lane.
        """
        ended = not self._listener.is_alive()  # asked first: nothing can come after it
        while not self._said.empty():
            said = json.loads(self._said.get())
            if "error" in said:
                raise _RAISED.get(said["kind"], StockcastError)(said["error"])
            yield Epoch(**said)
        if ended and (code := self._process.wait()):
            how = f"by {Signals(-code).name}" if code < 0 else f"with exit code {code}"
            who = f"member {self._members[0]}" if len(self._members) == 1 else f"members {list(self._members)}"
            raise RunError(f"{self._run.path}: the process that trained {who} ended {how}; was there enough memory?")

    def runs(self) -> bool:
        """Wait a moment, and tell whether the lane has more to say."""
        self._listener.join(_WAIT)
        return self._listener.is_alive()

    def end(self) -> None:
        """End the process; what it had finished is in its checkpoints."""
        self._process.kill()
        self._process.wait()
        self._listener.join()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            self._said.put(line)


@contextmanager
def _beside(run: RunDirectory, groups: list[range]) -> Iterator[list[Lane]]:
    """Start the other lanes, and end them with the block."""
    lanes: list[Lane] = []
    try:
        for members in groups:
            lanes.append(Lane(run, members))
        yield lanes
    finally:
        for lane in lanes:
            lane.end()
