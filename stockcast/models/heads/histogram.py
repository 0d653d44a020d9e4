"""The probability of each return bin, for every day ahead: a distribution of any shape, and from it every quantile.

Bins are equally wide, in the unit of the answers (deviations over as many days as are asked); the two outermost are
open. Inside a bin the probability is spread evenly. Beyond the outermost edges it is taken for a power law of exponent
3, the "inverse cubic law" that returns of a day and of weeks follow far out (Gopikrishnan, Plerou, Amaral, Meyer &
Stanley 1999): half as many returns are beyond 1.26 times the edge as beyond the edge.
"""

import numpy as np

from stockcast.forecast import Floats
from stockcast.models.heads.head import Head, Loss, Tensor
from stockcast.models.heads.student_t import FIRST_DEGREES, FIRST_SCALE

EDGES: Floats = np.linspace(-5, 5, 51)
"""Between the bins, in deviations; the bins are one more, the first and the last of them open."""

BINS = len(EDGES) + 1
TAIL_EXPONENT = 3.0

SMEAR = 0.75 * (EDGES[1] - EDGES[0])
"""Deviation of the normal that `kl_divergence` spreads each answer by: three quarters of a bin, as Imani & White (2018)
and Farebrother et al. (2024) found best."""

_TINY = 1e-30


def categorical_crossentropy(answers: Tensor, logits: Tensor) -> Tensor:
    """Mean over the horizon of minus the log of the probability of the bin that came, in nats, shape (batch,)."""
    from keras import ops

    edges = ops.convert_to_tensor(EDGES.astype("float32"))
    reached = ops.sum(ops.cast(answers[..., None] >= edges, "int32"), axis=-1)
    one_hot = ops.one_hot(reached, BINS, dtype=logits.dtype)
    return ops.mean(ops.categorical_crossentropy(one_hot, logits, from_logits=True), axis=-1)


def kl_divergence(answers: Tensor, logits: Tensor) -> Tensor:
    """Mean over the horizon of the Kullback-Leibler divergence from the answer's histogram, in nats, shape (batch,).

    The answer's histogram is that of a normal of deviation `SMEAR` around it, and not all in one bin: to be one bin off
    is then better than to be ten bins off (Imani & White 2018, "Improving regression performance with distributional
    losses"). All in one bin, the divergence would be the cross-entropy.
    """
    from keras import ops

    edges = ops.convert_to_tensor(EDGES.astype("float32"))
    below = 0.5 * (1 + ops.erf((edges - answers[..., None]) / (SMEAR * 2**0.5)))
    none = ops.zeros_like(below[..., :1])
    came = ops.diff(ops.concatenate([none, below, none + 1], axis=-1), axis=-1)
    surprise = ops.log(ops.maximum(came, _TINY)) - ops.log_softmax(logits, axis=-1)
    return ops.mean(ops.sum(came * surprise, axis=-1), axis=-1)


LOSSES: dict[str, Loss] = {
    "categorical_crossentropy": categorical_crossentropy,
    "kl_divergence": kl_divergence,
}


def _quantiles(outputs: Floats, levels: Floats) -> Floats:
    """Interpolate the cumulated probabilities between the edges, and go on beyond them as the module says."""
    shares = np.maximum(outputs.astype(np.float64), 0)
    with np.errstate(invalid="ignore"):  # 0 / 0 is no number, which is told where forecasts are issued
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
    """Log probability of each bin under the Student-t that an untrained network of that head says."""
    from scipy.special import stdtr

    # The distribution is symmetric: taken from below on both sides, the upper tail is not lost in 1 - 0.9999.
    lower = np.diff(stdtr(FIRST_DEGREES, EDGES[: len(EDGES) // 2 + 1] / FIRST_SCALE), prepend=0)
    return tuple(float(one) for one in np.log(np.concatenate([lower, lower[::-1]])))


def histogram_head(loss: str) -> Head:
    """Return the head that is trained with one of `LOSSES`."""
    return Head(
        "histogram",
        BINS,
        LOSSES[loss],
        _quantiles,
        has_bands=True,
        activation="softmax",
        start=_first_logits(),
    )
