"""Fit a network: batches gathered by index, shuffled from (seed, epoch), stopped by the validation days."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any, Protocol

import numpy as np

from stockcast.errors import TrainingError
from stockcast.forecast import Days, Floats
from stockcast.models.backend import load_keras
from stockcast.models.heads import HEADS

_VALIDATION_BATCH = 1024  # nothing is learnt from these, so they may come as many at a time as are fast


class Examples(Protocol):
    """What `fit` learns from; `stockcast.data.windows.Windows` is one."""

    def __len__(self) -> int:
        """Return the number of windows."""

    def inputs(self, rows: Days | slice) -> Floats:
        """Return the windows of these rows, shape (rows, window, features)."""

    def answers(self, rows: Days | slice) -> Floats:
        """Return the right answers of these rows, shape (rows, horizon)."""


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


def fit(
    network: Any,
    training: Examples,
    validation: Examples,
    *,
    head: str,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    optimizer: str,
    clip_norm: float | None,
    patience: int,
    windows_per_epoch: int | None,
    seed: int,
    member: int = 1,
    report: Callable[[Epoch], None] = lambda epoch: None,
) -> list[Epoch]:
    """Train the network in place; it ends with the weights of the epoch with the lowest validation loss.

    Args:
        network: a keras.Model of `build_network`.
        training: windows to learn from.
        validation: windows that stop training; never the ones that are reported.
        head: a key of `HEADS`; names the loss.
        epochs: passes at the most.
        batch_size: windows per step.
        learning_rate: step size.
        optimizer: `adam`, `rmsprop` or `sgd`.
        clip_norm: largest norm of one gradient; None leaves gradients as they are.
        patience: epochs without a better validation loss before training stops.
        windows_per_epoch: how many windows an epoch draws, each at most once; None for all of them.
        member: number of this network, for the history.
        seed: of the shuffling; the same seed gives the same order of windows.
        report: called after each epoch.

    Returns:
        One `Epoch` for each pass.

    Raises:
        TrainingError: the loss is no number any more.
    """
    keras: Any = load_keras()
    network.compile(
        optimizer=keras.optimizers.get(
            {"class_name": optimizer, "config": {"learning_rate": learning_rate, "clipnorm": clip_norm}}
        ),
        loss=_loss(keras, head),
        # XLA makes this LSTM slower on a CPU, and shuts out the cuDNN kernel on a GPU; JAX cannot do without it.
        jit_compile="auto" if keras.backend.backend() == "jax" else False,
    )
    history: list[Epoch] = []

    class Recorder(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            self.started = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            measured = logs or {}
            seconds = time.perf_counter() - self.started
            history.append(Epoch(epoch + 1, measured["loss"], measured["val_loss"], seconds, member))
            if not (isfinite(measured["loss"]) and isfinite(measured["val_loss"])):
                raise TrainingError(
                    f"The loss of epoch {epoch + 1} is {measured['loss']} (validation {measured['val_loss']}), no "
                    f"number. Lower training.learning_rate (now {learning_rate}) or clip_norm (now {clip_norm})."
                )
            report(history[-1])

    network.fit(
        _batches(keras, training, batch_size, seed=seed, most=windows_per_epoch),
        validation_data=_batches(keras, validation, max(batch_size, _VALIDATION_BATCH), seed=None, most=None),
        epochs=epochs,
        shuffle=False,  # by us, see _batches; Keras would shuffle the batches once more from a global seed
        verbose=0,
        callbacks=[
            Recorder(),
            keras.callbacks.EarlyStopping(monitor="val_loss", patience=patience, restore_best_weights=True),
        ],
    )
    return history


def _loss(keras: Any, head: str) -> Any:
    """The head's loss as a class.

    Given a bare function, Keras drops axes of length 1 from what it passes to it, and one-day answers of shape
    (batch, 1) would then be compared each with every other.
    """

    class HeadLoss(keras.losses.Loss):  # type: ignore[misc]
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return HEADS[head].loss(y_true, y_pred)

    return HeadLoss(name=head)


def _batches(keras: Any, examples: Examples, batch_size: int, *, seed: int | None, most: int | None) -> Any:
    """A keras PyDataset of (inputs, answers), in order if `seed` is None, no more than `most` an epoch."""
    count = min(len(examples), most or len(examples))

    class Batches(keras.utils.PyDataset):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.order: Days = np.arange(count)
            self.epoch = 0

        def __len__(self) -> int:
            return -(-count // batch_size)

        def __getitem__(self, index: int) -> tuple[Floats, Floats]:
            rows = self.order[index * batch_size : (index + 1) * batch_size]
            return examples.inputs(rows), examples.answers(rows)

        def on_epoch_begin(self) -> None:
            if seed is not None:  # Keras' own shuffle repeats one permutation after a fixed seed
                self.order = np.random.default_rng((seed, self.epoch)).permutation(len(examples))[:count]
            self.epoch += 1

    return Batches()
