"""Value at risk, one day ahead: did returns fall below a low quantile as often as it says, and at odd times only?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Hits = npt.NDArray[np.bool_]
"""True where the return fell below the forecast's quantile; consecutive origins, oldest first, shape (origins,)."""


@dataclass(frozen=True)
class ValueAtRisk:
    """Whether a quantile held as a value at risk.

    Attributes:
        level: of the quantile: how often it promises a hit.
        origins: forecasts of one day.
        hits: how many returns fell below it.
        expected: how many the level promises.
        kupiec: p-value of the promised share; None without origins.
        independence: p-value of hits that do not follow each other; None where untestable.
        conditional: p-value of both together; None where untestable.
    """

    level: float
    origins: int
    hits: int
    expected: float
    kupiec: float | None
    independence: float | None
    conditional: float | None


def value_at_risk(hits: Hits, level: float) -> ValueAtRisk:
    """Count the hits and make the tests of Kupiec and Christoffersen.

    Args:
        hits: shape (origins,).
        level: more than 0 and less than 1.
    """
    independence, conditional = christoffersen(hits, level)
    return ValueAtRisk(
        level=level,
        origins=len(hits),
        hits=int(np.sum(hits)),
        expected=level * len(hits),
        kupiec=kupiec(hits, level),
        independence=independence,
        conditional=conditional,
    )


def kupiec(hits: Hits, level: float) -> float | None:
    """Test the share of hits against the level: unconditional coverage (Kupiec 1995).

    The likelihood ratio is compared with chi-squared of 1 degree of freedom: rough where few hits are expected.

    Args:
        hits: shape (origins,).
        level: more than 0 and less than 1.

    Returns:
        P-value, low where hits are too many or too few; None without origins.
    """
    if not len(hits):
        return None
    return _p_value(_log_likelihood(hits) - _log_likelihood(hits, level), degrees=1)


def christoffersen(hits: Hits, level: float) -> tuple[float | None, float | None]:
    """Test whether hits follow each other, and that together with their share (Christoffersen 1998).

    A hit may depend on whether the day before was one. Independence says it does not; conditional coverage says it
    does not and has the level's probability. Both are likelihood ratios over the days that have a day before, compared
    with chi-squared of 1 and 2 degrees of freedom: rough where few hits are expected.

    Args:
        hits: shape (origins,).
        level: more than 0 and less than 1.

    Returns:
        P-values of independence, low where hits come in clusters or avoid each other, and of conditional coverage.
        None where no day follows a hit or none follows a day without one: there is nothing to compare.
    """
    before, after = hits[:-1], hits[1:]
    if not before.any() or before.all():
        return None, None
    dependent = _log_likelihood(after[before]) + _log_likelihood(after[~before])
    return (
        _p_value(dependent - _log_likelihood(after), degrees=1),
        _p_value(dependent - _log_likelihood(after, level), degrees=2),
    )


def _log_likelihood(hits: Hits, share: float | None = None) -> float:
    """Return that of independent hits with the given probability, or with their own share."""
    from scipy.special import xlog1py, xlogy

    count, total = int(np.sum(hits)), len(hits)
    share = count / total if share is None else share
    return float(xlogy(count, share) + xlog1py(total - count, -share))  # 0 log 0 = 0: no hits, or nothing else


def _p_value(log_ratio: float, *, degrees: int) -> float:
    from scipy.special import chdtrc

    return float(chdtrc(degrees, max(0.0, 2 * log_ratio)))  # below 0 by rounding only
