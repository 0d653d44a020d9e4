"""The heads that a config can choose, and the losses of each."""

from stockcast.models.heads.direction import FLAT, direction_head
from stockcast.models.heads.head import Head
from stockcast.models.heads.histogram import LOSSES as HISTOGRAM_LOSSES
from stockcast.models.heads.histogram import histogram_head
from stockcast.models.heads.point import LOSSES as POINT_LOSSES
from stockcast.models.heads.point import point_head
from stockcast.models.heads.quantile import quantile_head
from stockcast.models.heads.skewed_t import SKEWED_T
from stockcast.models.heads.student_t import STUDENT_T

LOSSES: dict[str, tuple[str, ...]] = {
    "student_t": ("nll",),
    "skewed_t": ("nll",),
    "quantile": ("pinball",),
    "histogram": tuple(HISTOGRAM_LOSSES),
    "point": tuple(POINT_LOSSES),
    "direction": ("binary_crossentropy", "categorical_crossentropy"),
}
"""Name of each head in the config -> names of its losses, the default first; of `direction`, of 2 and of 3 classes."""

HEADS = tuple(LOSSES)


def make_head(
    name: str,
    *,
    loss: str | None = None,
    classes: int | None = None,
    threshold: float | None = None,
    of_prices: bool = False,
    columns: int = 1,
) -> Head:
    """Return the head that a config names.

    Args:
        name: one of `HEADS`.
        loss: one of its `LOSSES`; None for the default.
        classes: of `direction`, 2 or 3; None for 2.
        threshold: of three classes, the largest move that is flat, in the unit of the targets; None for `FLAT`.
        of_prices: whether the targets are prices instead of log returns.
        columns: of `point`, number of prices that are forecast together.
    """
    if name == "direction":
        return direction_head(classes=classes or 2, threshold=FLAT if threshold is None else threshold)
    if name == "point":
        return point_head(loss or LOSSES[name][0], columns=columns)
    if name == "histogram":
        return histogram_head(loss or LOSSES[name][0])
    if name == "quantile":
        return quantile_head(of_prices=of_prices)
    return {"student_t": STUDENT_T, "skewed_t": SKEWED_T}[name]
