"""The settings of a network and of its training: a config's `model` and `training` as plain frozen values."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class NetworkSettings:
    """The layers of a network; the head, the window and the features come from elsewhere.

    Attributes:
        cell: a key of `stockcast.models.layers.CELLS`.
        layers: units of each layer, first to last; empty for a cell without layers.
        dropout: share of activations dropped while training, 0 to 1.
        skip_connection: whether the dense layer also sees the last day's inputs.
        output_l2: penalty on the squared weights of the dense layer; pulls the outputs towards the head's `start`.
    """

    cell: str
    layers: tuple[int, ...]
    dropout: float = 0.0
    skip_connection: bool = False
    output_l2: float = 0.0


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """How one network is trained.

    Attributes:
        epochs: largest number of passes over the windows.
        batch_size: windows per step.
        learning_rate: step size of the optimizer, at first.
        optimizer: `adam`, `rmsprop` or `sgd`.
        lr_schedule: of the step size over all of `epochs`: `constant`; `cosine`, half a wave down to zero (Loshchilov
            & Hutter 2017, without restarts); or `exponential`, down to a hundredth.
        clip_norm: largest norm of the gradient of one weight matrix; None for no bound.
        clip_value: largest absolute gradient of one weight; None for no bound.
        weight_decay: share of each weight, times the step size, that is subtracted per step (Loshchilov & Hutter 2019;
            adam is then AdamW).
        patience: epochs without a better monitored loss before training stops.
        monitor: `val_loss` or `loss` of an `EpochLog`.
        windows_per_epoch: windows drawn per epoch, each at most once; None for all.
        seed: of the shuffling.
        learning_rate_key: the config key of the learning rate, for errors.
        is_alone: whether no other network is trained at the same time, so that a large batch may use two cores.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    optimizer: str = "adam"
    lr_schedule: str = "constant"
    clip_norm: float | None = None
    clip_value: float | None = None
    weight_decay: float = 0.0
    patience: int
    monitor: str = "val_loss"
    windows_per_epoch: int | None = None
    seed: int = 0
    learning_rate_key: str = "training.learning_rate"
    is_alone: bool = False
