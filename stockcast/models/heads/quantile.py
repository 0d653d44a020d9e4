"""Every quantile of every day ahead, without an assumed distribution; they never cross.

The middle output is the median. The others are steps outward from it, each made positive by a softplus and added to
those nearer the median, so that a higher level is never below a lower one.
"""

from functools import partial
from math import e, log

import numpy as np

from stockcast.forecast import LEVELS
from stockcast.models.heads.head import Head, Tensor
from stockcast.models.heads.student_t import FIRST_DEGREES, FIRST_SCALE, LOCATION_UNIT
from stockcast.typing import Floats

_MIDDLE = len(LEVELS) // 2
_FIRST_RAW_STEP = log(e - 1)  # its softplus is 1


def _first_steps() -> Floats:
    """Steps between neighbouring levels of an untrained network, in deviations, shape (levels - 1,).

    They are those of an untrained `student_t` head.
    """
    from scipy.special import stdtrit

    steps: Floats = np.diff(FIRST_SCALE * stdtrit(FIRST_DEGREES, LEVELS))
    return steps


def pinball(targets: Tensor, outputs: Tensor, *, median_unit: float) -> Tensor:
    """Mean over horizon and levels of the pinball loss, in scaled units, shape (batch,) (Koenker & Bassett 1978).

    Each quantile q of level l costs l x (target - q) for a target above it, (1 - l) x (q - target) for one below.
    """
    from keras import ops

    steps = ops.softplus(outputs + _FIRST_RAW_STEP)
    first = ops.convert_to_tensor(_first_steps().astype("float32"))
    median = median_unit * outputs[..., _MIDDLE : _MIDDLE + 1]
    above = ops.cumsum(steps[..., _MIDDLE + 1 :] * first[_MIDDLE:], axis=-1)
    below = ops.flip(ops.cumsum(ops.flip(steps[..., :_MIDDLE] * first[:_MIDDLE], axis=-1), axis=-1), axis=-1)
    miss = targets[..., None] - ops.concatenate([median - below, median, median + above], axis=-1)
    levels = ops.convert_to_tensor(LEVELS.astype("float32"))
    return ops.mean(ops.maximum(levels * miss, (levels - 1) * miss), axis=(-2, -1))


def _quantiles(outputs: Floats, levels: Floats, *, median_unit: float) -> Floats:
    """Return the quantiles of these levels, each of which must be among `LEVELS`."""
    outputs = outputs.astype(np.float64)
    steps = np.logaddexp(0, outputs + _FIRST_RAW_STEP)
    first = _first_steps()
    median = median_unit * outputs[..., _MIDDLE : _MIDDLE + 1]
    above = np.cumsum(steps[..., _MIDDLE + 1 :] * first[_MIDDLE:], axis=-1)
    below = np.cumsum((steps[..., :_MIDDLE] * first[:_MIDDLE])[..., ::-1], axis=-1)[..., ::-1]
    every = np.concatenate([median - below, median, median + above], axis=-1)
    nearest = np.abs(LEVELS - np.asarray(levels)[:, None]).argmin(axis=1)
    if not np.allclose(LEVELS[nearest], levels, rtol=0, atol=1e-9):
        raise ValueError(f"the head has the levels {LEVELS}, not all of {levels}")
    quantiles: Floats = every[..., nearest]
    return quantiles


def quantile_head(*, of_prices: bool) -> Head:
    """Return the head; the median of prices, unlike that of returns, is far from 0, so its unit is larger."""
    unit = 1.0 if of_prices else LOCATION_UNIT
    return Head(
        "quantile",
        len(LEVELS),
        partial(pinball, median_unit=unit),
        partial(_quantiles, median_unit=unit),
        has_bands=True,
        start=(0.0,) * len(LEVELS),
    )
