"""The test of equal skill, against scipy's cosine transform and Student's t, and against seeded simulations."""

import numpy as np
import pytest
from scipy import fft, stats

from stockcast.evaluation.significance import diebold_mariano, holm


def gamma_losses(count, seed=0):
    """Positive, skewed, independent: (forecast, rival), equal skill."""
    return np.random.default_rng(seed).gamma(2.0, size=(2, count))


def overlapping(rng, *, trials, count, horizon):
    """Sums of `horizon` days' shocks, one sum a day, so that neighbours share all days but one; mean 0, sd 1."""
    running = np.cumsum(rng.normal(size=(trials, count + horizon)), axis=1)
    return (running[:, horizon:] - running[:, :-horizon]) / np.sqrt(horizon)


def rejections(losses, rivals, *, horizon):
    tests = [diebold_mariano(own, rival, horizon=horizon) for own, rival in zip(losses, rivals, strict=True)]
    return np.mean([test.p_value < 0.05 for test in tests]), tests


def test_the_statistic_is_negative_for_the_better_forecast():
    losses, rival_losses = gamma_losses(200)
    assert diebold_mariano(losses, rival_losses + 1, horizon=1).statistic < 0
    assert diebold_mariano(losses + 1, rival_losses, horizon=1).statistic > 0


@pytest.mark.parametrize("horizon", [1, 5, 20])
def test_trading_places_turns_the_sign_and_keeps_the_p_value(horizon):
    losses, rival_losses = gamma_losses(200)
    there = diebold_mariano(losses, rival_losses, horizon=horizon)
    back = diebold_mariano(rival_losses, losses, horizon=horizon)
    assert (back.statistic, back.p_value) == (-there.statistic, there.p_value)


def test_losses_that_never_differ_allow_no_test():
    losses, _ = gamma_losses(200)
    assert diebold_mariano(losses, losses.copy(), horizon=1) is None


def test_losses_that_differ_by_rounding_alone_allow_no_test():
    losses, _ = gamma_losses(200)
    assert diebold_mariano(losses, np.nextafter(losses, 100 * (np.arange(200) % 3 > 0)), horizon=1) is None


@pytest.mark.parametrize(("horizon", "fewest"), [(1, 16), (8, 16), (20, 40), (50, 100)])
def test_sixteen_origins_and_two_horizons_of_them_are_the_fewest(horizon, fewest):
    losses, rival_losses = gamma_losses(fewest)
    assert diebold_mariano(losses[1:], rival_losses[1:], horizon=horizon) is None
    assert diebold_mariano(losses, rival_losses, horizon=horizon) is not None


@pytest.mark.parametrize(
    ("count", "horizon", "waves", "factor"),
    [
        # 0.4 x 16 ** (2/3) = 2.5, but never fewer than 4 waves; factor (n - 1) / n at one day ahead.
        (16, 1, 4, 15 / 16),
        # 0.4 x 200 ** (2/3) = 13.7.
        (200, 1, 13, 199 / 200),
        # 200 / 20 = 10 stretches; (n + 1 - 2h + h (h - 1) / n) / n = (201 - 40 + 380 / 200) / 200 = 162.9 / 200.
        (200, 20, 10, 162.9 / 200),
    ],
)
def test_the_statistic_agrees_with_the_cosine_transform_of_the_differences(count, horizon, waves, factor):
    losses, rival_losses = gamma_losses(count, seed=4)
    difference = losses - rival_losses
    slow = fft.dct(difference, type=2, norm="ortho")[1 : waves + 1]
    statistic = difference.mean() / np.sqrt(np.mean(slow**2) / count) * np.sqrt(factor)
    test = diebold_mariano(losses, rival_losses, horizon=horizon)
    assert test.statistic == pytest.approx(statistic)
    assert test.p_value == pytest.approx(2 * stats.t.sf(abs(statistic), df=waves))


def test_forecasts_that_win_as_much_as_they_lose_have_p_value_one():
    difference = np.linspace(-1, 1, 101)  # symmetric around zero, so its mean is
    test = diebold_mariano(3 + difference, np.full(101, 3.0), horizon=1)
    assert test.statistic == pytest.approx(0, abs=1e-12)
    assert test.p_value == pytest.approx(1)


def test_the_unit_of_the_losses_and_what_both_lost_alike_do_not_matter():
    losses, rival_losses = gamma_losses(120)
    common = np.random.default_rng(9).gamma(3.0, size=120)
    plain = diebold_mariano(losses, rival_losses, horizon=5)
    other = diebold_mariano(100 * (losses + common), 100 * (rival_losses + common), horizon=5)
    assert other.statistic == pytest.approx(plain.statistic)
    assert other.p_value == pytest.approx(plain.p_value)


@pytest.mark.parametrize("shape", ["signed", "squared"])
@pytest.mark.parametrize(("horizon", "count"), [(1, 250), (20, 250), (20, 1000)])
def test_luck_alone_is_called_a_difference_about_five_times_in_a_hundred(horizon, count, shape):
    rng = np.random.default_rng(2024)
    losses, rivals = (overlapping(rng, trials=3000, count=count, horizon=horizon) for _ in range(2))
    if shape == "squared":
        losses, rivals = losses**2, rivals**2
    share, _ = rejections(losses, rivals, horizon=horizon)
    # 3000 trials of a true 5 % have a standard error of 0.4 points; the rest is what a finite sample may cost.
    assert 0.03 <= share <= 0.08


def test_overlap_that_is_not_told_is_taken_for_skill():
    rng = np.random.default_rng(2024)
    losses, rivals = (overlapping(rng, trials=1000, count=500, horizon=50) for _ in range(2))
    not_told, _ = rejections(losses, rivals, horizon=1)
    told, _ = rejections(losses, rivals, horizon=50)
    assert told <= 0.08
    assert not_told > 0.15


@pytest.mark.parametrize(("horizon", "count"), [(1, 250), (20, 1000)])
def test_a_clearly_better_forecast_is_recognised(horizon, count):
    # Sums of h shocks, scaled to sd 1, have a long-run sd of sqrt(h), so the mean difference has a standard error of
    # sqrt(2 h / n); the edge is five of them.
    edge = 5 * np.sqrt(2 * horizon / count)
    rng = np.random.default_rng(7)
    losses, rivals = (overlapping(rng, trials=300, count=count, horizon=horizon) for _ in range(2))
    share, tests = rejections(losses, rivals + edge, horizon=horizon)
    assert share > 0.95
    assert all(test.statistic < 0 for test in tests if test.p_value < 0.05)


def test_more_days_of_the_same_edge_make_it_surer():
    losses, rival_losses = gamma_losses(1000, seed=1)
    few = diebold_mariano(losses[:60], rival_losses[:60] + 0.5, horizon=1)
    many = diebold_mariano(losses, rival_losses + 0.5, horizon=1)
    assert many.p_value < few.p_value


def test_holm_agrees_with_the_example_worked_by_hand():
    # In order: 0.005 x 4 = 0.02, 0.01 x 3 = 0.03, 0.03 x 2 = 0.06, and 0.04 x 1 may not fall below 0.06.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_leaves_a_single_test_and_no_test_as_they_are():
    assert holm([0.03]) == [0.03]
    assert holm([]) == []


def test_holm_never_exceeds_one_and_gives_equals_alike():
    assert holm([0.6, 0.6, 0.9]) == [1.0, 1.0, 1.0]
    assert holm([0.02, 0.02]) == [0.04, 0.04]


def test_holm_keeps_who_is_surer_and_lies_between_no_correction_and_bonferronis():
    p_values = np.random.default_rng(1).uniform(0, 0.2, 15)
    corrected = np.array(holm(p_values.tolist()))
    assert (corrected >= p_values).all()
    assert (corrected <= np.minimum(1, 15 * p_values)).all()
    assert (np.diff(corrected[np.argsort(p_values)]) >= 0).all()
    assert holm(p_values[::-1].tolist()) == corrected[::-1].tolist()


def test_among_fifteen_tests_of_nothing_holm_lets_luck_claim_one_in_five_of_a_hundred():
    rng = np.random.default_rng(3)
    claims = np.mean([min(holm(rng.uniform(size=15).tolist())) < 0.05 for _ in range(4000)])
    # Exactly 1 - (1 - 0.05 / 15) ** 15 = 4.9 %, give or take 4 x sqrt(0.05 x 0.95 / 4000) = 1.4 points.
    assert claims == pytest.approx(0.049, abs=0.014)
