"""The optimizers, learning-rate schedules and gradient bounds that a config can name."""

from typing import Any

from stockcast.models.backend import load_keras
from stockcast.models.settings import FitSettings

EXPONENTIAL_DECAY = 0.01
"""Share of the first learning rate at which an exponential schedule ends."""


def make_optimizer(settings: FitSettings, *, steps: int) -> Any:
    """Return a keras.Optimizer.

    Args:
        settings: optimizer, learning rate and schedule, bounds of the gradient and weight decay.
        steps: batches of a full training. A schedule goes by the optimizer's own count of them, which a checkpoint
            holds, so a resumed training continues it.
    """
    keras = load_keras()
    schedules = keras.optimizers.schedules
    rate: Any = settings.learning_rate
    if settings.lr_schedule == "cosine":
        rate = schedules.CosineDecay(rate, decay_steps=steps)
    elif settings.lr_schedule == "exponential":
        rate = schedules.ExponentialDecay(rate, decay_steps=steps, decay_rate=EXPONENTIAL_DECAY)
    kinds = {"adam": keras.optimizers.Adam, "rmsprop": keras.optimizers.RMSprop, "sgd": keras.optimizers.SGD}
    return kinds[settings.optimizer](
        learning_rate=rate,
        clipnorm=settings.clip_norm,
        clipvalue=settings.clip_value,
        weight_decay=settings.weight_decay or None,
    )
