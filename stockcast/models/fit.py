"""Fit a network: batches shuffled from (seed, epoch), early stopping by the validation days.

The next epoch depends on nothing but a `TrainingState`, so a resumed training gives the same network as one that was
never stopped.
"""

import time
from collections.abc import Sequence
from math import isfinite
from typing import Any, Protocol, Self

import numpy as np

from stockcast.errors import RunError, TrainingError
from stockcast.models.backend import load_keras
from stockcast.models.build import logits_model
from stockcast.models.callbacks import SILENT, Callbacks, EpochLog, TrainingState, best_epoch
from stockcast.models.heads import Head
from stockcast.models.optimizers import make_optimizer
from stockcast.models.settings import FitSettings
from stockcast.models.split_batch import split_batch, split_pays_off
from stockcast.typing import Floats

_VALIDATION_DAYS = 51_200  # of a batch, 1024 windows of 50; nothing is trained on them, so only speed matters

_MOST_VALIDATED = 100_000
"""Origins whose loss stops a training. Those of neighbouring days overlap, and stocks move together: of hundreds of
series, more of them take time and say no more."""


class TrainingExamples(Protocol):
    """Windows or sequences with their targets: a `stockcast.data.windows.WindowDataset`, or of `data.sequences`."""

    def __len__(self) -> int:
        """Return the number of windows or sequences."""

    @property
    def origin_count(self) -> int:
        """Origins, each of which has targets."""

    @property
    def step_interval(self) -> int:
        """Days ahead from one that has targets to the next, from the first one on."""

    def draw(self, generator: np.random.Generator, most: int | None = None) -> Self:
        """Return those of one epoch, shuffled, of about `most` origins at most."""

    def batch(self, rows: slice) -> tuple[Floats, ...]:
        """Return inputs (rows, days, features), targets (rows, ..., steps[, columns]), and weights if they differ."""


def fit(
    network: Any,
    training: TrainingExamples,
    validation: TrainingExamples,
    *,
    head: Head,
    settings: FitSettings,
    member: int = 1,
    state: TrainingState | None = None,
    callbacks: Callbacks = SILENT,
) -> list[EpochLog]:
    """Train a network in place, and set it to the weights of the epoch with the lowest monitored loss.

    Args:
        network: a keras.Model of `build_network`.
        training: windows to train on, or sequences, as the network's input is.
        validation: likewise for early stopping; never those of the test days. Of more than `_MOST_VALIDATED` origins,
            as many are drawn, the same for every epoch and member.
        head: its loss is minimised.
        settings: epochs, batches, optimizer and early stopping.
        member: number of this network in its ensemble, for the history.
        state: of an earlier training of this network, to resume it; None to begin.
        callbacks: of which `on_batch_end`, `on_checkpoint` and `on_epoch_end` are called.

    Returns:
        One `EpochLog` per epoch.

    Raises:
        TrainingError: the loss is no longer a finite number.
        RunError: the state is of another network.
    """
    keras: Any = load_keras()
    network = logits_model(network)  # the same layers and weights
    if settings.is_alone and split_pays_off(settings.batch_size):
        network = split_batch(network)
    batches = _batches(keras, training, settings.batch_size, seed=settings.seed, most=settings.windows_per_epoch)
    batches.draw(0)  # as many in every epoch
    network.compile(
        optimizer=make_optimizer(settings, steps=settings.epochs * len(batches)),
        loss=_loss(keras, head, step_interval=training.step_interval),
        # XLA makes an LSTM slower on a CPU, and excludes the cuDNN kernel on a GPU; JAX requires it.
        jit_compile="auto" if keras.backend.backend() == "jax" else False,
    )
    days = network.input_shape[1]
    history: list[EpochLog] = []
    best: list[Floats] = network.get_weights()
    network.optimizer.build(network.trainable_variables)  # in the first batch, TensorFlow would trace the step twice
    if state is not None:
        _restore(network.variables, state.network)
        _restore(network.optimizer.variables, state.optimizer)
        history, best = list(state.history), list(state.best)

    class Recorder(keras.callbacks.Callback):  # type: ignore[misc]
        def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            batches.draw(epoch)
            self.started = time.perf_counter()

        def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
            callbacks.on_batch_end()

        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            nonlocal best
            losses = logs or {}
            seconds = time.perf_counter() - self.started
            history.append(EpochLog(epoch + 1, losses["loss"], losses["val_loss"], seconds, member))
            _check_finite(history[-1], settings)
            if best_epoch(history, settings.monitor) is history[-1]:
                best = network.get_weights()
            values = (_values(network.variables), _values(network.optimizer.variables))
            state = TrainingState(tuple(history), *values, tuple(best))
            callbacks.on_checkpoint(state)
            callbacks.on_epoch_end(history[-1])
            network.stop_training = state.epochs_without_improvement(settings.monitor) >= settings.patience

    if state is None or state.epochs_without_improvement(settings.monitor) < settings.patience:
        network.fit(
            batches,
            validation_data=_batches(
                keras,
                _drawn(validation),
                max(settings.batch_size, _VALIDATION_DAYS // days),
            ),
            initial_epoch=len(history),
            epochs=settings.epochs,
            shuffle=False,  # `_batches` shuffles windows; Keras would shuffle batches too, from a global seed
            verbose=0,
            callbacks=[Recorder()],
        )
    network.set_weights(best)
    return history


def _drawn(validation: TrainingExamples) -> TrainingExamples:
    """Return examples of about `_MOST_VALIDATED` origins at most, the same in every process."""
    if validation.origin_count <= _MOST_VALIDATED:
        return validation
    return validation.draw(np.random.default_rng(0), _MOST_VALIDATED)


def _check_finite(epoch: EpochLog, settings: FitSettings) -> None:
    """Check that both losses of an epoch are finite.

    Raises:
        TrainingError: one is not; names the keys to lower.
    """
    if isfinite(epoch.loss) and isfinite(epoch.val_loss):
        return
    bound = "clip_norm" if settings.clip_value is None else "clip_value"
    limit = getattr(settings, bound)
    raise TrainingError(
        f"The loss of epoch {epoch.epoch} is {epoch.loss} (validation {epoch.val_loss}), not a finite number. Lower "
        f"{settings.learning_rate_key} (now {settings.learning_rate:g}) or training.{bound} (now "
        f"{'null: no clipping' if limit is None else f'{limit:g}'}).",
        key=settings.learning_rate_key,
        value=settings.learning_rate,
    )


def _values(variables: Sequence[Any]) -> tuple[Floats, ...]:
    return tuple(np.array(variable) for variable in variables)


def _restore(variables: Sequence[Any], values: Sequence[Floats]) -> None:
    """Set variables to values from `_values`.

    Raises:
        RunError: the values are of another network.
    """
    stored, built = ([tuple(array.shape) for array in arrays] for arrays in (values, variables))
    if stored != built:
        raise RunError(f"The checkpoint is of another network: shapes {stored}, but the config builds {built}.")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _loss(keras: Any, head: Head, *, step_interval: int) -> Any:
    """The head's loss at the days ahead that have targets, as a class.

    Keras drops axes of length 1 from what it passes to a function: targets of shape (batch, 1) would be broadcast
    against each other.
    """

    class HeadLoss(keras.losses.Loss):  # type: ignore[misc]
        def call(self, y_true: Any, y_pred: Any) -> Any:
            return head.loss(y_true, y_pred if step_interval == 1 else y_pred[..., ::step_interval, :])

    return HeadLoss(name=head.name)


def _batches(keras: Any, examples: TrainingExamples, batch_size: int, *, seed: int = 0, most: int | None = None) -> Any:
    """A keras PyDataset of (inputs, targets) or (inputs, targets, weights), in order unless `draw` is called."""

    class Batches(keras.utils.PyDataset):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.epoch = examples

        def __len__(self) -> int:
            return -(-len(self.epoch) // batch_size)

        def __getitem__(self, index: int) -> tuple[Floats, ...]:
            return self.epoch.batch(slice(index * batch_size, (index + 1) * batch_size))

        def draw(self, epoch: int) -> None:
            """Choose and shuffle the windows of an epoch, counted from 0.

            Not in `PyDataset.on_epoch_begin`, which JAX and PyTorch call once more for a first batch. Keras' own
            shuffle repeats one permutation after a fixed seed.
            """
            self.epoch = examples.draw(np.random.default_rng((seed, epoch)), most)

    return Batches()
