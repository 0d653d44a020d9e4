"""The probability of each way that the price can go: down or up, or down, flat or up."""

from functools import partial

from stockcast.models.heads.head import Classes, Head, Tensor

TWO, THREE = ("down", "up"), ("down", "flat", "up")

FLAT = 0.4
"""The threshold if none is stated: a move of no more than 0.4 deviations, over as many days as are asked, is flat. Of
S&P 500 returns, in deviations of the training days, about a third to two fifths are."""


def binary_crossentropy(answers: Tensor, logits: Tensor) -> Tensor:
    """Mean over the horizon of minus the log of the probability given to what came, in nats, shape (batch,)."""
    from keras import ops

    up = ops.cast(answers > 0, logits.dtype)
    return ops.mean(ops.binary_crossentropy(up, logits[..., 0], from_logits=True), axis=-1)


def categorical_crossentropy(answers: Tensor, logits: Tensor, *, threshold: float) -> Tensor:
    """The same of three classes; `threshold` is the largest move that is flat, in the unit of the answers."""
    from keras import ops

    came = (answers < -threshold, ops.abs(answers) <= threshold, answers > threshold)
    one_hot = ops.cast(ops.stack(came, axis=-1), logits.dtype)
    return ops.mean(ops.categorical_crossentropy(one_hot, logits, from_logits=True), axis=-1)


def direction_head(*, classes: int, threshold: float) -> Head:
    """Return the head of two classes, whose loss is `binary_crossentropy`, or of three, whose loss is categorical.

    Args:
        classes: 2 or 3.
        threshold: the largest move that is flat, in the unit of the answers; of three classes only.
    """
    if classes == 2:
        return Head(
            "direction",
            1,
            binary_crossentropy,
            None,
            has_bands=False,
            activation="sigmoid",
            start=(0.0,),
            classes=Classes(TWO),
        )
    return Head(
        "direction",
        3,
        partial(categorical_crossentropy, threshold=threshold),
        None,
        has_bands=False,
        activation="softmax",
        start=(0.0, 0.0, 0.0),
        classes=Classes(THREE, threshold),
    )
