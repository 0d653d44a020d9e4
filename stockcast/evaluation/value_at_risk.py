"""Value at risk, one day ahead: do returns fall below a low quantile as often as it states, and independently?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Hits = npt.NDArray[np.bool_]
"""True where the return is below the forecast's quantile; consecutive origins, oldest first, shape (origins,)."""


@dataclass(frozen=True)
class ValueAtRisk:
    """The tests of a quantile as a value at risk.

    Attributes:
        level: of the quantile, the nominal share of hits.
        origins: number of forecasts.
        hits: number of returns below the quantile.
        expected: the number of hits at the nominal share.
        kupiec: p-value of the nominal share; None without origins.
        independence: p-value of hits being independent; None without a test.
        conditional: p-value of both together; None without a test.
    """

    level: float
    origins: int
    hits: int
    expected: float
    kupiec: float | None
    independence: float | None
    conditional: float | None


def value_at_risk(hits: Hits, level: float) -> ValueAtRisk:
    """Count the hits, and test them after Kupiec and Christoffersen; `level` is more than 0 and less than 1."""
    return ValueAtRisk(
        level, len(hits), int(np.sum(hits)), level * len(hits), kupiec(hits, level), *christoffersen(hits, level)
    )


def kupiec(hits: Hits, level: float) -> float | None:
    """Test the share of hits against the level: unconditional coverage (Kupiec 1995).

    The likelihood ratio is compared with chi-squared of 1 degree of freedom, an approximation for many expected hits.
    The p-value is low for too many or too few hits; None without origins.
    """
    if not len(hits):
        return None
    return _p_value(_log_likelihood(hits) - _log_likelihood(hits, level), degrees=1)


def christoffersen(hits: Hits, level: float) -> tuple[float | None, float | None]:
    """Test whether hits are independent, alone and together with their share (Christoffersen 1998).

    The alternative is a hit whose probability depends on whether the day before was one. Conditional coverage adds that
    the probability is the level. Both are likelihood ratios over the days after the first, compared with chi-squared of
    1 and 2 degrees of freedom, an approximation for many expected hits.

    Returns:
        P-values of independence, low where hits cluster or avoid each other, and of conditional coverage. None where no
        day follows a hit, or none follows a day without one.
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
    """Log-likelihood of independent hits with the given probability, or with their own share."""
    from scipy.special import xlog1py, xlogy

    count, total = int(np.sum(hits)), len(hits)
    share = count / total if share is None else share
    return float(xlogy(count, share) + xlog1py(total - count, -share))  # 0 log 0 = 0: no hits, or nothing else


def _p_value(log_ratio: float, *, degrees: int) -> float:
    from scipy.special import chdtrc

    return float(chdtrc(degrees, max(0.0, 2 * log_ratio)))  # below 0 by rounding only
