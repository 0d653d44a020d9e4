"""Scores of many series made one: means over series, tests over days."""

import tracemalloc
from collections.abc import Iterator, Mapping

import numpy as np
import pytest

from stockcast.evaluation.pool import BEST, DailyLosses, Pool, SeriesScores, StepScores, pool_series
from stockcast.evaluation.scores import skill_margins
from stockcast.evaluation.significance import SkillTest, diebold_mariano
from stockcast.evaluation.verdict.pool import judge_pool
from stockcast.frequency import DAILY, WEEKLY

BETTER, WORSE, OPEN = SkillTest(-9.0, 1e-6), SkillTest(9.0, 1e-6), SkillTest(-0.5, 0.6)


def days(first: int, count: int) -> np.ndarray:
    return np.datetime64("2020-01-01") + np.arange(first, first + count)


def member(
    name: str,
    losses: Mapping[str, np.ndarray],
    dates: np.ndarray,
    *,
    tests: Mapping[str, SkillTest | None] | None = None,
    coverage_90: float = 0.9,
    regimes: Mapping[str, tuple[int, float]] | None = None,
) -> tuple[SeriesScores, np.ndarray, dict[str, np.ndarray]]:
    """A series at one day ahead, which is its whole horizon."""
    means = {baseline: float(loss.mean()) for baseline, loss in losses.items()}
    at = StepScores(means.pop("model"), means, 0.5, coverage_90, regimes or {})
    own = tests or dict.fromkeys(means, OPEN)
    scores = SeriesScores(
        name, str(dates[0]), str(dates[-1]), len(dates), {1: at}, at, {key: {1: test} for key, test in own.items()}
    )
    return scores, dates, {key: np.column_stack([loss, loss]) for key, loss in losses.items()}


def constant(model: float, **baselines: float) -> dict[str, np.ndarray]:
    """Losses that are the same each day."""
    return {name: np.full(30, value) for name, value in {"model": model, **baselines}.items()}


def random_losses(seed: int, *, edge: float = 0.0, count: int = 60) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    ewma = 1 + random.random(count)
    return {"model": ewma * (1 - edge) + 0.1 * random.standard_normal(count), "ewma": ewma}


def test_the_pooled_skill_is_the_mean_of_the_series_skills() -> None:
    # Skills 1 - 3/4 = 0.25, 1 - 0.9 = 0.1 and 0.1 against EWMA: 0.15; against drift -0.5, 0.1 and 0.1: -0.1.
    pool = pool_series(
        [
            member("A", constant(3.0, ewma=4.0, drift=2.0), days(0, 30)),
            member("B", constant(0.09, ewma=0.1, drift=0.1), days(0, 30)),
            member("C", constant(9.0, ewma=10.0, drift=10.0), days(0, 30)),
        ]
    )
    against = pool.horizons[1].against
    assert against["ewma"].skill == pytest.approx(0.15)
    assert against["drift"].skill == pytest.approx(-0.1)
    assert [(against[name].won, against[name].lost) for name in ("ewma", "drift")] == [(3, 0), (2, 1)]


def test_the_best_baseline_is_another_one_for_each_series() -> None:
    # The best is drift for A, -0.5, and EWMA for B, 0.1: -0.2 on average, below each single baseline's mean.
    pool = pool_series(
        [
            member("A", constant(3.0, ewma=4.0, drift=2.0), days(0, 30)),
            member("B", constant(0.09, ewma=0.1, drift=0.2), days(0, 30)),
        ]
    )
    best = pool.horizons[1].against[BEST]
    assert best.skill == pytest.approx(-0.2)
    assert (best.won, best.lost) == (1, 1)
    assert [one.horizons[1].best for one in pool.series] == ["drift", "ewma"]


def test_a_series_without_a_baseline_is_in_the_means_of_the_others() -> None:
    pool = pool_series(
        [
            member("A", constant(3.0, ewma=4.0), days(0, 30)),
            member("B", constant(0.09, ewma=0.1, garch_t=0.09), days(0, 30)),
        ]
    )
    against = pool.horizons[1].against
    assert (against["ewma"].series, against["garch_t"].series) == (2, 1)
    assert against["garch_t"].skill == pytest.approx(0)
    assert (against["garch_t"].won, against["garch_t"].lost) == (0, 0)


def test_there_is_no_skill_against_a_baseline_without_loss() -> None:
    pool = pool_series([member("A", constant(3.0, ewma=4.0, drift=0.0), days(0, 30))])
    assert [*pool.horizons[1].against] == ["ewma"]
    assert pool.series[0].horizons[1].skill(BEST) is None
    assert judge_pool(pool)[-1].startswith("In short")


def test_the_interval_of_one_series_is_that_of_its_own_losses() -> None:
    losses = random_losses(1, edge=0.05)
    pool = pool_series([member("A", losses, days(0, 60))])
    pooled = pool.horizons[1].against["ewma"]
    (own,) = skill_margins(losses["model"][:, None], losses["ewma"][:, None])
    assert pooled.margin == pytest.approx(own)
    assert (pooled.test.p_value < 0.05) == (abs(pooled.skill) > pooled.margin)  # type: ignore[union-attr]


def test_too_few_days_for_a_test_have_no_interval() -> None:
    pooled = pool_series([member("A", random_losses(1, count=10), days(0, 10))]).horizons[1].against["ewma"]
    assert (pooled.test, pooled.margin) == (None, None)


def test_a_day_has_the_mean_of_the_series_that_were_forecast_from_it() -> None:
    # Days 1, 2, 3 of A and 2, 3, 4 of B; network and baseline of each day by hand.
    sums = DailyLosses.none().plus(np.array([1, 2, 3]), np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    sums = sums.plus(np.array([2, 3, 4]), np.array([[4.0, 5.0, 6.0], [1.0, 2.0, 3.0]]))
    np.testing.assert_array_equal(sums.periods, [1, 2, 3, 4])
    np.testing.assert_array_equal(sums.counts, [1, 2, 2, 1])
    np.testing.assert_allclose(sums.sums / sums.counts, [[1, 3, 4, 6], [4, 3, 4, 3]])


def test_the_statistic_is_that_of_the_daily_means_worked_out_by_hand() -> None:
    # 16 days, 4 waves. Both series' differences are 1 plus the k-th cosine wave times a number of its own: by the
    # waves' being orthogonal, the long-run variance is 16/2 (2^2 + 0 + 0 + 1^2) / 4 = 10 for the mean of both.
    middles = (np.arange(16) + 0.5) / 16
    first, fourth = np.cos(np.pi * middles), np.cos(4 * np.pi * middles)
    both = np.zeros(16)
    sums = DailyLosses.none()
    for difference in (1 + 4 * first, 1 + 2 * fourth):
        sums = sums.plus(np.arange(16), np.array([both + difference, both]))
    test = sums.test(horizon=1)
    assert test is not None
    small_sample = (16 + 1 - 2) / 16
    assert test.statistic == pytest.approx(1 / np.sqrt(10 / 16) * np.sqrt(small_sample))


def test_a_day_of_one_series_counts_as_much_as_a_day_of_two() -> None:
    first, second = random_losses(0)["model"], random_losses(1)["model"]
    sums = DailyLosses.none()
    for start, losses in ((0, first), (30, second)):  # days 0 to 59 and 30 to 89
        sums = sums.plus(np.arange(start, start + 60), np.array([losses, np.ones(60)]))
    means = np.concatenate([first[:30], (first[30:] + second[:30]) / 2, second[30:]])
    test, expected = sums.test(horizon=1), diebold_mariano(means, np.ones(90), horizon=1)
    assert test is not None
    assert expected is not None
    assert test.statistic == pytest.approx(expected.statistic)


def test_a_single_series_has_its_own_test() -> None:
    losses = random_losses(0, edge=0.05)
    pool = pool_series([member("A", losses, days(0, 60))])
    own = diebold_mariano(losses["model"], losses["ewma"], horizon=1)
    pooled = pool.horizons[1].against["ewma"].test
    assert own is not None
    assert pooled is not None
    assert pooled.statistic == pytest.approx(own.statistic)
    assert pooled.p_value == pytest.approx(own.p_value)


def test_copies_of_a_series_add_no_days() -> None:
    alone = pool_series([member("A", random_losses(0, edge=0.05), days(0, 60))]).horizons[1].against["ewma"]
    copies = [member(f"A{number:02}", random_losses(0, edge=0.05), days(0, 60)) for number in range(20)]
    many = pool_series(copies).horizons[1].against["ewma"]
    assert many.dates == alone.dates == 60
    assert many.test is not None
    assert alone.test is not None
    assert many.test.p_value == pytest.approx(alone.test.p_value)


def test_the_unit_of_a_series_does_not_count() -> None:
    # A stock that moves a hundred times as much has losses a hundred times as large, and the same weight.
    calm = [member("A", random_losses(0), days(0, 60)), member("B", random_losses(1), days(0, 60))]
    wild = {name: 100 * loss for name, loss in random_losses(1).items()}
    one, other = pool_series(calm), pool_series([calm[0], member("B", wild, days(0, 60))])
    first, second = (pool.horizons[1].against["ewma"] for pool in (one, other))
    assert first.skill == pytest.approx(second.skill)
    assert first.test is not None
    assert second.test is not None
    assert first.test.statistic == pytest.approx(second.test.statistic)


def test_series_that_share_no_day_have_the_days_of_both() -> None:
    pool = pool_series(
        [member("A", random_losses(0), days(0, 60)), member("B", random_losses(1, count=20), days(100, 20))]
    )
    assert pool.horizons[1].against["ewma"].dates == 80


def test_weeks_that_end_on_other_days_are_one_week() -> None:
    fridays = np.datetime64("2020-01-03") + 7 * np.arange(60)
    pool = pool_series(
        [member("A", random_losses(0), fridays), member("B", random_losses(1), fridays - 1)], frequency=WEEKLY
    )
    assert pool.horizons[1].against["ewma"].dates == 60
    assert WEEKLY.unit in judge_pool(pool)[0]


def test_memory_does_not_grow_with_the_number_of_series() -> None:
    def members(count: int) -> Iterator[tuple[SeriesScores, np.ndarray, dict[str, np.ndarray]]]:
        return (member(f"{number:03}", random_losses(number, count=5000), days(0, 5000)) for number in range(count))

    def peak(count: int) -> int:
        tracemalloc.start()
        pool_series(members(count))
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    few, many = peak(5), peak(50)  # the losses of 45 series more would be 7 MB
    assert many < few + 500_000


def test_series_that_move_together_do_not_make_a_difference_significant() -> None:
    # Ten series, two forecasts of equal skill whose differences are mostly common to all series of a day.
    random = np.random.default_rng(0)
    by_day, end_to_end = [], []
    for _ in range(200):
        common, own = random.standard_normal((2, 2, 1, 100)), random.standard_normal((2, 10, 100))
        losses = 5 + common[0] + 0.5 * own
        sums = DailyLosses.none()
        for number in range(10):
            sums = sums.plus(np.arange(100), losses[:, number])
        stacked = losses.reshape(2, -1)
        by_day.append(sums.test(horizon=1))
        end_to_end.append(diebold_mariano(stacked[0], stacked[1], horizon=1))
    rejected, wrongly = (
        np.mean([test is not None and test.p_value < 0.05 for test in tests]) for tests in (by_day, end_to_end)
    )
    assert rejected < 0.08
    assert wrongly > 0.2


def test_too_few_days_allow_no_test() -> None:
    pool = pool_series([member(name, random_losses(seed, count=15), days(0, 15)) for seed, name in enumerate("AB")])
    assert pool.horizons[1].against["ewma"].test is None
    assert "no test" in judge_pool(pool)[-1]


def test_coverage_is_the_mean_over_the_series() -> None:
    pool = pool_series(
        [
            member("A", random_losses(0), days(0, 60), coverage_90=0.8),
            member("B", random_losses(1), days(0, 60), coverage_90=0.94),
        ]
    )
    assert pool.horizons[1].coverage_90 == pytest.approx(0.87)
    (sentence,) = [sentence for sentence in judge_pool(pool) if "90 % bands" in sentence and "In short" not in sentence]
    assert "87.0 %" in sentence
    assert "right to within 5 percentage points" in sentence
    assert "1 of them" in sentence  # A is off by ten points


def test_coverage_by_regime_is_that_of_all_origins_together() -> None:
    # 9 of 10 and 15 of 30 prices after calm days: 24 of 40. Only B has had a storm, of 20 days.
    pool = pool_series(
        [
            member("A", random_losses(0), days(0, 60), regimes={"calm": (10, 0.9)}),
            member("B", random_losses(1), days(0, 60), regimes={"calm": (30, 0.5), "storm": (20, 0.95)}),
        ]
    )
    assert pool.overall.regimes == {"calm": (40, pytest.approx(0.6)), "storm": (20, pytest.approx(0.95))}
    said = " ".join(judge_pool(pool))
    assert "they cover 60 % after 40 days of low volatility and 95 % after 20 days of high volatility" in said
    assert "they cover" not in " ".join(judge_pool(pool_of(edge=0.1)))


def pool_of(*, edge: float, tests: Mapping[str, SkillTest | None] | None = None, series: int = 4) -> Pool:
    return pool_series(
        [
            member(name, random_losses(seed, edge=edge), days(0, 60), tests=tests)
            for seed, name in enumerate("ABCDEFGH"[:series])
        ],
        frequency=DAILY,
    )


def test_a_pool_that_beats_a_baseline_is_called_better() -> None:
    verdict = judge_pool(pool_of(edge=0.2))
    assert "Against EWMA volatility: the network is better at 1 day" in verdict[1]
    assert "better than EWMA volatility" in verdict[-1]
    assert "1 day ahead" not in verdict[-1]  # there is no best of one baseline
    assert "lower on 4 of 4 (significantly on none), higher on none" in verdict[1]


def test_a_pool_that_loses_is_called_worse() -> None:
    verdict = judge_pool(pool_of(edge=-0.2))
    assert "the network is worse at 1 day" in verdict[1]
    assert "worse than EWMA volatility, and beats no baseline" in verdict[-1]


def test_the_best_baseline_of_each_series_is_a_claim_of_its_own() -> None:
    # Far better than a bad baseline, and as good as the other one.
    series = []
    for seed, name in enumerate("ABCD"):
        losses = random_losses(seed)
        series.append(member(name, {**losses, "drift": 2 * losses["ewma"]}, days(0, 60)))
    verdict = judge_pool(pool_series(series))
    assert "better than drift, and not shown to be better than EWMA volatility." in verdict[-1]
    assert "It is not shown to be better than the best baseline of each series anywhere." in verdict[-1]


def test_skill_that_cannot_be_shown_is_not_claimed() -> None:
    pool = pool_of(edge=0.001, tests={"ewma": BETTER})  # each series alone says so, the days of all of them do not
    verdict = judge_pool(pool)
    assert "no significant difference at 1 day" in verdict[1]
    assert "significantly on 4" in verdict[1]
    assert "no skill of the network beyond that of the baselines is shown" in verdict[-1]


def test_significant_losses_are_counted_and_their_number_is_put_into_proportion() -> None:
    verdict = judge_pool(pool_of(edge=-0.2, tests={"ewma": WORSE}), unscored=2)
    assert "higher on 4 (significantly on 4)" in verdict[1]
    assert "4 series were scored" in verdict[0]
    assert "2 more could not be scored" in verdict[0]
    assert any("one series in 20 (0.2 of 4)" in sentence for sentence in verdict)


def test_nothing_is_proven_where_days_and_series_disagree() -> None:
    # A loses a tenth on each of 200 days, B wins 15 % on every tenth of them: skills of -0.1 and 0.15, mean 0.025,
    # but of ten days nine are 0.1 against the network and one 0.025 for it.
    random = np.random.default_rng(0)
    long, short = 1 + 0.01 * random.random(200), 1 + 0.01 * random.random(20)
    pool = pool_series(
        [
            member("A", {"model": 1.1 * long + 0.001 * random.random(200), "ewma": long}, days(0, 200)),
            member("B", {"model": 0.85 * short + 0.001 * random.random(20), "ewma": short}, days(0, 200)[::10]),
        ]
    )
    pooled = pool.horizons[1].against["ewma"]
    assert pooled.skill == pytest.approx(0.025, abs=0.002)
    assert pooled.test is not None
    assert pooled.test.statistic > 0
    assert pooled.test.p_value < 0.001
    assert "no significant difference at 1 day" in judge_pool(pool)[1]


def test_days_without_a_loss_count_for_no_series() -> None:
    scores, dates, losses = member("A", random_losses(1), days(0, 60))
    gaps = {name: np.insert(loss, [10, 40], np.nan, axis=0) for name, loss in losses.items()}
    longer = np.insert(dates, [10, 40], days(1000, 2))
    order = np.argsort(longer)
    with_gaps = (scores, longer[order], {name: loss[order] for name, loss in gaps.items()})
    assert pool_series([with_gaps]).horizons[1] == pool_series([(scores, dates, losses)]).horizons[1]


def test_a_pool_is_tested_by_the_origins_that_overlap() -> None:
    def at(horizon: int, **options: object) -> SkillTest | None:
        scores, dates, losses = member("A", random_losses(2, edge=0.05), days(0, 60))
        moved = SeriesScores(
            **{**vars(scores), "horizons": {horizon: scores.overall}, "tests": {"ewma": {horizon: OPEN}}}
        )
        return pool_series([(moved, dates, losses)], **options).horizons[horizon].against["ewma"].test

    assert at(20, overlapping=lambda step: step // 10) == at(2)
    assert at(20) != at(2)
