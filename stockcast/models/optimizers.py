"""How gradients become steps: the optimizers, schedules and bounds that a config can name."""

from typing import Any

from stockcast.models.backend import load_keras

LAST_SHARE = 0.01
"""Of the learning rate, what an exponential schedule comes down to at the end."""


def make_optimizer(
    *,
    optimizer: str,
    learning_rate: float,
    schedule: str,
    steps: int,
    clip_norm: float | None,
    clip_value: float | None,
    weight_decay: float,
) -> Any:
    """Return a keras.Optimizer.

    Args:
        optimizer: `adam`, `rmsprop` or `sgd`.
        learning_rate: step size, at first.
        schedule: `constant`; `cosine`, along half a wave down to zero (Loshchilov & Hutter 2017, without restarts); or
            `exponential`, by the same factor every step down to a hundredth.
        steps: batches that a whole training has. The schedule follows the optimizer's own count of them, which a
            checkpoint holds, so a training that is taken up again goes on where it stood.
        clip_norm: largest norm of the gradient of one weight matrix; None for no such bound.
        clip_value: largest gradient of one weight, up or down; None for no such bound.
        weight_decay: share of every weight that a step takes off it, times the learning rate, beside what the gradient
            says (Loshchilov & Hutter 2019; adam is then AdamW).
    """
    keras = load_keras()
    schedules = keras.optimizers.schedules
    rate: Any = learning_rate
    if schedule == "cosine":
        rate = schedules.CosineDecay(learning_rate, decay_steps=steps)
    elif schedule == "exponential":
        rate = schedules.ExponentialDecay(learning_rate, decay_steps=steps, decay_rate=LAST_SHARE)
    kinds = {"adam": keras.optimizers.Adam, "rmsprop": keras.optimizers.RMSprop, "sgd": keras.optimizers.SGD}
    return kinds[optimizer](
        learning_rate=rate, clipnorm=clip_norm, clipvalue=clip_value, weight_decay=weight_decay or None
    )
