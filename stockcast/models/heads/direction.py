"""The probability that the price goes down or up, or down, flat or up."""

from functools import partial

from stockcast.models.heads.head import Classes, Head, Tensor

TWO, THREE = ("down", "up"), ("down", "flat", "up")

FLAT = 0.4
"""Default threshold: a move of at most 0.4 deviations over the days ahead is flat. Of S&P 500 returns, in deviations of
the training days, a third to two fifths are."""


def binary_crossentropy(targets: Tensor, logits: Tensor) -> Tensor:
    """Mean over the horizon of minus the log probability of the actual class, in nats, shape (batch,)."""
    from keras import ops

    up = ops.cast(targets > 0, logits.dtype)
    return ops.mean(ops.binary_crossentropy(up, logits[..., 0], from_logits=True), axis=-1)


def categorical_crossentropy(targets: Tensor, logits: Tensor, *, threshold: float) -> Tensor:
    """The same for three classes; `threshold` is the largest move that is flat, in the unit of the targets."""
    from keras import ops

    actual = (targets < -threshold, ops.abs(targets) <= threshold, targets > threshold)
    one_hot = ops.cast(ops.stack(actual, axis=-1), logits.dtype)
    return ops.mean(ops.categorical_crossentropy(one_hot, logits, from_logits=True), axis=-1)


def direction_head(*, classes: int, threshold: float) -> Head:
    """Return the head of 2 classes, trained with `binary_crossentropy`, or of 3, with `categorical_crossentropy`."""
    two = classes == 2
    return Head(
        "direction",
        1 if two else 3,
        binary_crossentropy if two else partial(categorical_crossentropy, threshold=threshold),
        None,
        has_bands=False,
        activation="sigmoid" if two else "softmax",
        start=(0.0,) if two else (0.0, 0.0, 0.0),
        classes=Classes(TWO) if two else Classes(THREE, threshold),
    )
