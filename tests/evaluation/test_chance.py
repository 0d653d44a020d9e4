"""How far shares of calibrated forecasts stray by chance: by hand, and against walks drawn by the thousand."""

import numpy as np
import pytest
from scipy.special import ndtri

from stockcast.evaluation.chance import share_error


def test_days_one_ahead_do_not_overlap_so_their_share_is_binomial() -> None:
    # A tenth of 400 days: the root of 0.1 x 0.9 / 400.
    assert share_error(0.3, 0.4, origins=400, horizon=1) == pytest.approx(0.015)


def test_two_forecasts_that_share_one_of_two_days_are_nearly_one() -> None:
    # Of two normal numbers with a correlation of a half, both are above 0 in a third of the cases. The variance of each
    # is 1/4, their covariance 1/3 - 1/4, so that of their mean (1/4 + 1/12) / 2 = 1/6.
    assert share_error(0.5, 1.0, origins=2, horizon=2) == pytest.approx(np.sqrt(1 / 6))


def test_origins_that_share_nothing_add_nothing_and_a_single_one_has_no_neighbour() -> None:
    assert share_error(0.25, 0.75, origins=1, horizon=50) == pytest.approx(0.5)


@pytest.mark.parametrize("ends", [(0.0, 1.0), (0.5, 0.5)], ids=str)
def test_a_share_of_all_or_of_none_does_not_stray(ends: tuple[float, float]) -> None:
    assert share_error(*ends, origins=10, horizon=5) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("ends", [(0.0, 0.1), (0.45, 0.55), (0.25, 0.75), (0.05, 0.95), (0.4, 1.0)], ids=str)
@pytest.mark.parametrize("horizon", [5, 20])
def test_walks_stray_as_far(ends: tuple[float, float], horizon: int) -> None:
    walks, origins = 4000, 150
    steps = np.random.default_rng(0).standard_normal((walks, origins + horizon - 1))
    path = np.pad(np.cumsum(steps, axis=1), ((0, 0), (1, 0)))
    ahead = (path[:, horizon:] - path[:, :-horizon]) / np.sqrt(horizon)
    low, high = ndtri(ends)
    shares = np.mean((low < ahead) & (ahead <= high), axis=1)
    assert ahead.shape == (walks, origins)
    error = share_error(*ends, origins=origins, horizon=horizon)
    assert error == pytest.approx(shares.std(), rel=0.04)  # of 4000 walks, sampling leaves 1.1 %
    assert error > 1.05 * share_error(*ends, origins=origins, horizon=1)


def test_origins_as_far_apart_as_the_horizon_do_not_overlap():
    apart = share_error(0.05, 0.95, origins=100, horizon=20, spacing=20)
    assert apart == pytest.approx(share_error(0.05, 0.95, origins=100, horizon=1))
    # Every tenth day, 20 days ahead: neighbours share half of their days, as those of 2 days ahead do from day to day.
    half = share_error(0.05, 0.95, origins=100, horizon=20, spacing=10)
    assert half == pytest.approx(share_error(0.05, 0.95, origins=100, horizon=2))
