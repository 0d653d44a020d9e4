"""The oracles are figures printed in textbooks and scipy's G-tests of counts and of tables, a route of their own."""

import numpy as np
import pytest
from scipy import stats

from stockcast.evaluation.value_at_risk import christoffersen, kupiec, value_at_risk


def hit_days(*, hits, origins):
    """So many hits at the end of so many origins."""
    return np.arange(origins) >= origins - hits


def clustered(*, calm_pairs, clusters):
    """Clusters of hits, each between days without; `calm_pairs` days without a hit follow another such day."""
    return np.array([False] * (calm_pairs + 1) + [day for size in clusters for day in [True] * size + [False]])


def p_value(ratio, *, degrees):
    return stats.chi2.sf(ratio, degrees)


# Jorion (2007), Value at Risk, 3rd edition, chapter 6: J.P. Morgan in 1998, 20 exceptions to the 95 % value at risk in
# 252 days; of the 20 days after one, 6 were exceptions again, of the 232 others 14.
JP_MORGAN = clustered(calm_pairs=218, clusters=[7] + [1] * 13)


def test_kupiec_agrees_with_the_figure_printed_for_jp_morgan():
    assert kupiec(JP_MORGAN[1:], 0.05) == pytest.approx(p_value(3.91, degrees=1), rel=0.01)


def test_christoffersen_agrees_with_the_figures_printed_for_jp_morgan():
    independence, conditional = christoffersen(JP_MORGAN, 0.05)
    assert independence == pytest.approx(p_value(9.53, degrees=1), rel=0.01)
    assert conditional == pytest.approx(p_value(3.91 + 9.53, degrees=2), rel=0.01)


def test_both_agree_with_the_exercise_of_six_exceptions_of_which_four_follow_another():
    # The same chapter, question 10: 252 days at 99 %, printed 3.498 and 25.837.
    hits = clustered(calm_pairs=244, clusters=[3, 3])
    assert kupiec(hits[1:], 0.01) == pytest.approx(p_value(3.498, degrees=1), rel=0.001)
    assert christoffersen(hits, 0.01)[0] == pytest.approx(p_value(25.837, degrees=1), rel=0.001)


@pytest.mark.parametrize(
    ("level", "origins", "too_few", "too_many"),
    [  # Kupiec (1995), table of the regions in which 95 % confidence does not reject
        (0.01, 510, 1, 11),
        (0.01, 1000, 4, 17),
        (0.025, 510, 6, 21),
        (0.025, 1000, 15, 36),
        (0.05, 255, 6, 21),
        (0.05, 510, 16, 36),
        (0.05, 1000, 37, 65),
        (0.1, 255, 16, 36),
        (0.1, 1000, 81, 120),
    ],
)
def test_kupiec_rejects_where_his_table_does(level, origins, too_few, too_many):
    p_values = [kupiec(hit_days(hits=hits, origins=origins), level) for hits in range(origins // 5)]
    held = [hits for hits, p in enumerate(p_values) if p > 0.05]
    assert held == list(range(too_few + 1, too_many))


@pytest.mark.parametrize("hits", [0, 1, 10, 25, 40, 250])
def test_kupiec_is_the_g_test_of_two_counts(hits):
    expected = stats.power_divergence([hits, 250 - hits], [25, 225], lambda_="log-likelihood").pvalue
    assert kupiec(hit_days(hits=hits, origins=250), 0.1) == pytest.approx(expected)


def test_kupiec_without_a_hit_in_twenty_days_of_ten_percent_agrees_with_the_hand():
    # Twice the log of 1 / 0.9**20, which is 40 x 0.1053605 = 4.2144.
    assert kupiec(np.zeros(20, bool), 0.1) == pytest.approx(p_value(4.2144, degrees=1), rel=1e-4)


@pytest.mark.parametrize("clusters", [[1] * 12, [1, 2, 3, 1], [12], [2] * 6])
def test_independence_is_the_g_test_of_the_table_of_days_and_the_days_before(clusters):
    hits = clustered(calm_pairs=200, clusters=clusters)
    entered, stayed = len(clusters), sum(clusters) - len(clusters)
    table = [[200, entered], [entered, stayed]]
    expected = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood").pvalue
    assert christoffersen(hits, 0.05)[0] == pytest.approx(expected)


def test_the_level_has_no_say_in_independence():
    assert christoffersen(JP_MORGAN, 0.01)[0] == christoffersen(JP_MORGAN, 0.25)[0]


def test_exactly_the_promised_share_has_p_value_one():
    assert kupiec(hit_days(hits=50, origins=1000), 0.05) == pytest.approx(1)


def test_hits_that_follow_hits_as_often_as_others_have_p_value_one():
    # 4 of 16 days after none, 1 of 4 after a hit: a quarter each, which is the level as well.
    hits = np.array([0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1], bool)
    before, after = hits[:-1], hits[1:]
    assert (before.sum(), (after & before).sum(), (after & ~before).sum()) == (4, 1, 4)
    assert christoffersen(hits, 0.25) == pytest.approx((1.0, 1.0))


def test_clusters_are_recognised_though_their_number_is_as_promised():
    rest = clustered(calm_pairs=939, clusters=[10, 10, 10, 10, 10])[:1000]
    assert rest.sum() == 50
    tests = value_at_risk(rest, 0.05)
    assert tests.kupiec > 0.5
    assert tests.independence < 1e-6
    assert tests.conditional < 1e-6


def test_hits_that_avoid_each_other_are_recognised_too():
    hits = np.arange(1000) % 4 == 0
    assert christoffersen(hits, 0.25)[0] < 1e-6


@pytest.mark.parametrize(("level", "name"), [(0.05, "kupiec"), (0.1, "independence"), (0.1, "conditional")])
def test_a_true_value_at_risk_is_denied_about_five_times_in_a_hundred(level, name):
    rng = np.random.default_rng(11)
    denied = [getattr(value_at_risk(rng.random(1000) < level, level), name) < 0.05 for _ in range(2000)]
    # 2000 trials of 5 % have a standard error of 0.5 points; the rest is what chi-squared costs in a finite sample.
    assert 0.03 < np.mean(denied) < 0.07


@pytest.mark.parametrize("promised", [0.025, 0.1])
def test_a_quantile_hit_twice_or_half_as_often_as_it_says_is_denied(promised):
    hits = np.random.default_rng(12).random(2000) < 0.05
    true, wrong = value_at_risk(hits, 0.05), value_at_risk(hits, promised)
    assert wrong.kupiec < 0.001 < true.kupiec
    assert wrong.conditional < 0.001 < true.conditional


def test_the_summary_counts_hits_and_those_expected():
    tests = value_at_risk(JP_MORGAN, 0.05)
    assert (tests.level, tests.origins, tests.hits) == (0.05, 253, 20)
    assert tests.expected == pytest.approx(12.65)  # 253 / 20
    assert tests.kupiec == kupiec(JP_MORGAN, 0.05)
    assert (tests.independence, tests.conditional) == christoffersen(JP_MORGAN, 0.05)


@pytest.mark.parametrize("hits", [np.zeros(300, bool), np.ones(300, bool)])
def test_no_hit_and_nothing_but_hits_leave_only_their_number_to_test(hits):
    tests = value_at_risk(hits, 0.05)
    assert tests.kupiec < 0.001
    assert (tests.independence, tests.conditional) == (None, None)


@pytest.mark.parametrize("days", [[False] * 99 + [True], [True] * 99 + [False]])
def test_a_last_day_unlike_all_others_leaves_nothing_to_compare(days):
    assert christoffersen(np.array(days), 0.05) == (None, None)


def test_hits_of_which_none_follows_another_can_be_tested():
    independence, conditional = christoffersen(clustered(calm_pairs=300, clusters=[1] * 10), 0.05)
    assert 0 < independence < 1
    assert 0 < conditional < 1


@pytest.mark.parametrize(("hits", "expected"), [([], None), ([True], 0.1), ([False], 0.9)])
def test_one_origin_and_none_give_no_nan(hits, expected):
    tests = value_at_risk(np.array(hits, bool), 0.1)
    # One day: twice the log of 1 / its probability.
    assert tests.kupiec == (expected and pytest.approx(p_value(-2 * np.log(expected), degrees=1)))
    assert (tests.independence, tests.conditional) == (None, None)
