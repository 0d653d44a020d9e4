"""Fit a network: batches gathered by index, shuffled from (seed, epoch), stopped by the validation days.

All that the next epoch depends on is a `State`: a training that is taken up from one ends as if it had never stopped.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Protocol

import numpy as np

from stockcast.errors import RunError, TrainingError
from stockcast.forecast import Days, Floats
from stockcast.models.backend import load_keras
from stockcast.models.factory import learning_part
from stockcast.models.halves import in_halves, pays
from stockcast.models.heads import Head
from stockcast.models.optimizers import make_optimizer

_VALIDATION_BATCH = 1024  # nothing is learnt from these, so they may come as many at a time as are fast


class Examples(Protocol):
    """What `fit` learns from; `stockcast.data.windows.Windows` is one."""

    def __len__(self) -> int:
        """Return the number of windows."""

    def inputs(self, rows: Days | slice) -> Floats:
        """Return the windows of these rows, shape (rows, window, features)."""

    def answers(self, rows: Days | slice) -> Floats:
        """Return these rows' right answers, shape (rows, horizon), of several columns (rows, horizon, columns)."""


@dataclass(frozen=True)
class Epoch:
    """What one pass over the training windows came to.

    Attributes:
        epoch: its number, from 1.
        loss: mean over the training windows, dropout on, in the head's unit.
        val_loss: mean over the validation windows, dropout off, in the same unit.
        seconds: wall time of the epoch.
        member: number of the network among those that are averaged, from 1.
    """

    epoch: int
    loss: float
    val_loss: float
    seconds: float
    member: int = 1


_KINDS = ("network", "optimizer", "best")


@dataclass(frozen=True)
class State:
    """Where the training of one member stands after an epoch.

    Attributes:
        history: its epochs so far, at least one.
        network: every variable of the network, the dropout's random states among them.
        optimizer: every variable of the optimizer.
        best: the weights of the epoch with the lowest loss of those that are monitored.
    """

    history: tuple[Epoch, ...]
    network: tuple[Floats, ...]
    optimizer: tuple[Floats, ...]
    best: tuple[Floats, ...]

    def to_arrays(self) -> dict[str, Floats]:
        """Return the same as named arrays, which `from_arrays` turns back."""
        history = np.array([(epoch.loss, epoch.val_loss, epoch.seconds) for epoch in self.history])
        named = {f"{kind}-{n:04d}": one for kind in _KINDS for n, one in enumerate(getattr(self, kind))}
        return {"history": history, **named}

    @classmethod
    def from_arrays(cls, arrays: dict[str, Floats], *, member: int) -> "State":
        """Return the state of a member that `to_arrays` took apart.

        Raises:
            RunError: they are something else.
        """
        try:
            rows = [(float(loss), float(val_loss), float(seconds)) for loss, val_loss, seconds in arrays["history"]]
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"A checkpoint of member {member} holds no history ({error}). Train again.") from error
        history = tuple(Epoch(number, *row, member) for number, row in enumerate(rows, start=1))
        kinds = {kind: tuple(arrays[name] for name in sorted(arrays) if name.startswith(f"{kind}-")) for kind in _KINDS}
        return cls(history, **kinds)

    def waited(self, monitor: str) -> int:
        """Epochs since the best one."""
        return len(self.history) - best_of(self.history, monitor).epoch


def best_of(history: Sequence[Epoch], monitor: str) -> Epoch:
    """Return the epoch with the lowest `loss` or `val_loss`, the first of equals."""
    return min(history, key=lambda epoch: (epoch.loss, epoch.val_loss)[monitor == "val_loss"])


def fit(
    network: Any,
    training: Examples,
    validation: Examples,
    *,
    head: Head,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    rate_key: str = "training.learning_rate",
    optimizer: str,
    schedule: str,
    clip_norm: float | None,
    clip_value: float | None,
    weight_decay: float,
    patience: int,
    monitor: str,
    windows_per_epoch: int | None,
    seed: int,
    alone: bool = False,
    member: int = 1,
    state: State | None = None,
    keep: Callable[[State], None] = lambda state: None,
    pause: Callable[[], None] = lambda: None,
    report: Callable[[Epoch], None] = lambda epoch: None,
) -> list[Epoch]:
    """Train the network in place; it ends with the weights of the epoch with the lowest monitored loss.

    Args:
        network: a keras.Model of `build_network`.
        training: windows to learn from.
        validation: windows that stop training; never the ones that are reported.
        head: whose loss it learns by.
        epochs: passes at the most.
        batch_size: windows per step.
        learning_rate: step size at first; this and the five after its key are those of `make_optimizer`.
        rate_key: the key of the config that it comes from, for errors.
        optimizer: `adam`, `rmsprop` or `sgd`.
        schedule: how the step size changes over all of `epochs`.
        clip_norm: largest norm of the gradient of a weight matrix; None for no such bound.
        clip_value: largest gradient of a single weight; None for no such bound.
        weight_decay: share of every weight, times the step size, that a step takes off it.
        patience: epochs without a better monitored loss before training stops.
        monitor: `val_loss` or `loss`, which of an `Epoch`'s two.
        windows_per_epoch: how many windows an epoch draws, each at most once; None for all of them.
        seed: of the shuffling; the same seed gives the same order of windows.
        alone: whether no other network is trained beside it, so that a large batch had better be halved.
        member: number of this network, for the history.
        state: where an earlier training of this very network was stopped; None to begin.
        keep: given the state after each epoch.
        pause: called between batches; it may raise to end the training there.
        report: told of each epoch.

    Returns:
        One `Epoch` for each pass.

    Raises:
        TrainingError: the loss is no number any more.
        RunError: the state is that of another network.
    """
    keras: Any = load_keras()
    network = learning_part(network)  # the same layers and weights
    if alone and pays(batch_size):
        network = in_halves(network)
    drawn = min(len(training), windows_per_epoch or len(training))
    network.compile(
        optimizer=make_optimizer(
            optimizer=optimizer,
            learning_rate=learning_rate,
            schedule=schedule,
            steps=epochs * -(-drawn // batch_size),
            clip_norm=clip_norm,
            clip_value=clip_value,
            weight_decay=weight_decay,
        ),
        loss=_loss(keras, head),
        # XLA makes this LSTM slower on a CPU, and shuts out the cuDNN kernel on a GPU; JAX cannot do without it.
        jit_compile="auto" if keras.backend.backend() == "jax" else False,
    )
    history: list[Epoch] = []
    best: list[Floats] = network.get_weights()
    if state is not None:
        network.optimizer.build(network.trainable_variables)
        _restore(network.variables, state.network)
        _restore(network.optimizer.variables, state.optimizer)
        history, best = list(state.history), list(state.best)

    class Recorder(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            batches.draw(epoch)
            self.started = time.perf_counter()

        def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
            pause()

        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            nonlocal best
            measured = logs or {}
            if not (isfinite(measured["loss"]) and isfinite(measured["val_loss"])):
                bound, most = ("clip_norm", clip_norm) if clip_value is None else ("clip_value", clip_value)
                raise TrainingError(
                    f"The loss of epoch {epoch + 1} is {measured['loss']} (validation {measured['val_loss']}), no "
                    f"number. Lower {rate_key} (now {learning_rate:g}) or training.{bound} (now "
                    f"{'null: no clipping' if most is None else f'{most:g}'})."
                )
            seconds = time.perf_counter() - self.started
            history.append(Epoch(epoch + 1, measured["loss"], measured["val_loss"], seconds, member))
            if best_of(history, monitor) is history[-1]:
                best = network.get_weights()
            state = State(tuple(history), _values(network.variables), _values(network.optimizer.variables), tuple(best))
            keep(state)
            report(history[-1])
            network.stop_training = state.waited(monitor) >= patience

    batches = _batches(keras, training, batch_size, seed=seed, most=windows_per_epoch)
    if state is None or state.waited(monitor) < patience:
        network.fit(
            batches,
            validation_data=_batches(keras, validation, max(batch_size, _VALIDATION_BATCH)),
            initial_epoch=len(history),
            epochs=epochs,
            shuffle=False,  # by us, see _batches; Keras would shuffle the batches once more from a global seed
            verbose=0,
            callbacks=[Recorder()],
        )
    network.set_weights(best)
    return history


def _values(variables: Sequence[Any]) -> tuple[Floats, ...]:
    """Copies of the variables' values."""
    return tuple(np.array(variable) for variable in variables)


def _restore(variables: Sequence[Any], values: Sequence[Floats]) -> None:
    """Set variables to the values that `_values` took.

    Raises:
        RunError: they are those of another network.
    """
    have, need = ([tuple(one.shape) for one in values], [tuple(one.shape) for one in variables])
    if have != need:
        raise RunError(f"The checkpoint is of another network: shapes {have}, but the config builds {need}.")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _loss(keras: Any, head: Head) -> Any:
    """The head's loss as a class.

    Given a bare function, Keras drops axes of length 1 from what it passes to it, and one-day answers of shape
    (batch, 1) would then be compared each with every other.
    """

    class HeadLoss(keras.losses.Loss):  # type: ignore[misc]
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return head.loss(y_true, y_pred)

    return HeadLoss(name=head.name)


def _batches(keras: Any, examples: Examples, batch_size: int, *, seed: int = 0, most: int | None = None) -> Any:
    """A keras PyDataset of (inputs, answers), in order until its `draw` shuffles it; no more than `most` an epoch."""
    count = min(len(examples), most or len(examples))

    class Batches(keras.utils.PyDataset):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.order: Days = np.arange(count)

        def __len__(self) -> int:
            return -(-count // batch_size)

        def __getitem__(self, index: int) -> tuple[Floats, Floats]:
            rows = self.order[index * batch_size : (index + 1) * batch_size]
            return examples.inputs(rows), examples.answers(rows)

        def draw(self, epoch: int) -> None:
            """Choose and shuffle the windows of an epoch, from 0.

            Not in Keras' own `on_epoch_begin`, which JAX and PyTorch call once more to look at a first batch; and
            Keras' own shuffle repeats one permutation after a fixed seed.
            """
            self.order = np.random.default_rng((seed, epoch)).permutation(len(examples))[:count]

    return Batches()
