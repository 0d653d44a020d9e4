"""The probability of each return bin for every day ahead: a distribution of any shape, from which quantiles follow.

Bins are equally wide, in the unit of the targets (deviations over the days ahead); the two outermost are open. Inside a
bin the probability is uniform. Beyond the outermost edges it follows a power law of exponent 3, the "inverse cubic law"
of the tails of daily and weekly returns (Gopikrishnan, Plerou, Amaral, Meyer & Stanley 1999).
"""

import numpy as np

from stockcast.models.heads.head import Head, Loss, Tensor
from stockcast.models.heads.student_t import FIRST_DEGREES, FIRST_SCALE
from stockcast.typing import Floats

EDGES: Floats = np.linspace(-5, 5, 51)
"""Borders of the bins, in deviations."""

BINS = len(EDGES) + 1
TAIL_EXPONENT = 3.0

SMEAR = 0.75 * (EDGES[1] - EDGES[0])
"""Deviation of the normal that `kl_divergence` spreads each target by: three quarters of a bin, the best value of
Imani & White (2018) and Farebrother et al. (2024)."""

_TINY = 1e-30


def categorical_crossentropy(targets: Tensor, logits: Tensor) -> Tensor:
    """Mean over the horizon of minus the log of the probability of the target's bin, in nats, shape (batch,)."""
    from keras import ops

    edges = ops.convert_to_tensor(EDGES.astype("float32"))
    bins = ops.sum(ops.cast(targets[..., None] >= edges, "int32"), axis=-1)
    one_hot = ops.one_hot(bins, BINS, dtype=logits.dtype)
    return ops.mean(ops.categorical_crossentropy(one_hot, logits, from_logits=True), axis=-1)


def kl_divergence(targets: Tensor, logits: Tensor) -> Tensor:
    """Mean over the horizon of the Kullback-Leibler divergence from the target's histogram, in nats, shape (batch,).

    The target's histogram is that of a normal of deviation `SMEAR` around it, so that one bin off costs less than ten
    (Imani & White 2018, "Improving regression performance with distributional losses"). `keras.losses` has the
    divergence of probabilities, not of logits.
    """
    from keras import ops

    edges = ops.convert_to_tensor(EDGES.astype("float32"))
    below = 0.5 * (1 + ops.erf((edges - targets[..., None]) / (SMEAR * 2**0.5)))
    zero = ops.zeros_like(below[..., :1])
    shares = ops.diff(ops.concatenate([zero, below, zero + 1], axis=-1), axis=-1)
    log_ratio = ops.log(ops.maximum(shares, _TINY)) - ops.log_softmax(logits, axis=-1)
    return ops.mean(ops.sum(shares * log_ratio, axis=-1), axis=-1)


LOSSES: dict[str, Loss] = {"categorical_crossentropy": categorical_crossentropy, "kl_divergence": kl_divergence}


def _quantiles(outputs: Floats, levels: Floats) -> Floats:
    """Interpolate the cumulative probabilities between the edges; beyond them they follow the power law."""
    shares = np.maximum(outputs.astype(np.float64), 0)
    with np.errstate(invalid="ignore"):  # 0 / 0 is NaN, which is refused where prices are made of it
        shares /= shares.sum(axis=-1, keepdims=True)
    up_to = np.cumsum(shares, axis=-1)[..., :-1]  # at each edge
    quantiles = np.empty((*shares.shape[:-1], len(levels)))
    for number, level in enumerate(levels):
        bins = np.sum(up_to < level, axis=-1)
        share = np.take_along_axis(shares, bins[..., None], axis=-1)[..., 0]
        lower = np.clip(bins - 1, 0, len(EDGES) - 1)
        before = np.take_along_axis(up_to, lower[..., None], axis=-1)[..., 0]
        part = np.divide(level - before, share, out=np.zeros_like(share), where=share > 0)
        inside = EDGES[lower] + (EDGES[1] - EDGES[0]) * np.clip(part, 0, 1)
        low_tail = EDGES[0] * np.maximum(share / level, 1) ** (1 / TAIL_EXPONENT)
        high_tail = EDGES[-1] * np.maximum(share / (1 - level), 1) ** (1 / TAIL_EXPONENT)
        quantiles[..., number] = np.where(bins == 0, low_tail, np.where(bins == BINS - 1, high_tail, inside))
    return quantiles


def _first_logits() -> tuple[float, ...]:
    """Log probability of each bin under the Student-t of an untrained `student_t` head."""
    from scipy.special import stdtr

    # The distribution is symmetric: taken from below on both sides, the upper tail is not lost in 1 - 0.9999.
    lower = np.diff(stdtr(FIRST_DEGREES, EDGES[: len(EDGES) // 2 + 1] / FIRST_SCALE), prepend=0)
    return tuple(np.log(np.concatenate([lower, lower[::-1]])).tolist())


def histogram_head(loss: str) -> Head:
    """Return the head that is trained with one of `LOSSES`."""
    start = _first_logits()
    return Head("histogram", BINS, LOSSES[loss], _quantiles, has_bands=True, activation="softmax", start=start)
