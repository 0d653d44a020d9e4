"""Reports with chosen p-values in, sentences out: what may be claimed, and what must be admitted."""

import numpy as np
import pytest

from stockcast.evaluation.behaviour import Lag, Trend
from stockcast.evaluation.scores import Comparison, Report, Scores
from stockcast.evaluation.significance import SkillTest
from stockcast.evaluation.verdict import RIVAL_NAMES, judge

TREND = Trend(("down", "flat", "up"), 0.02, [[1, 2, 3], [4, 5, 6], [7, 8, 9]], accuracy=0.37, always_up=0.55)
NO_LAG = Lag(0, 0.1, warning=False)


def scores(*, mae=4.25, coverage_90=0.9):
    return Scores(
        crps=0.01,
        mae=mae,
        rmse=5.0,
        mape=1.0,
        coverage_50=0.5,
        coverage_90=coverage_90,
        width_90=20.0,
        direction_accuracy=None,
    )


def report(results, *, skill=0.1, coverage=None):
    """Results {rival: {horizon: signed p-value}}: -0.01 is better at p = 0.01, +0.01 worse, None not tested."""
    steps = list(next(iter(results.values())))

    def comparison(step):
        signed = {rival: by_step[step] for rival, by_step in results.items()}
        return Comparison(
            model=scores(coverage_90=(coverage or {}).get(step, 0.9)),
            baselines={rival: scores(mae=3.75) for rival in results},
            skill={rival: None if p is None else skill * (1 if p < 0 else -1) for rival, p in signed.items()},
            tests={
                rival: None if p is None else SkillTest(float(np.sign(p)) * 2.5, abs(p)) for rival, p in signed.items()
            },
        )

    return Report(horizons={step: comparison(step) for step in steps}, overall=comparison(steps[0]), skill_by_step={})


def verdict(results, *, lag=NO_LAG, **options):
    return judge(report(results, **options), TREND, lag)


def about(sentences, rival):
    """The clauses of the sentence about one rival."""
    (sentence,) = (line for line in sentences if line.startswith(f"Against {RIVAL_NAMES[rival]}:"))
    return sentence.split(";")


def horizons_called(sentences, rival, word):
    """Horizons at which the network is called `better` or `worse` than the rival."""
    clauses = [clause for clause in about(sentences, rival) if f"is {word} at" in clause]
    days = " ".join(clause.split(f"is {word} at")[1].split("day")[0] for clause in clauses)
    return [int(number) for number in days.replace(",", " ").replace("and", " ").split()]


def holm_by_definition(p_values):
    """Go up from the smallest p; reject while p times the number of those left is below 0.05, and stop at the first."""
    rejected = set()
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if p_values[index] * (len(p_values) - rank) >= 0.05:
            break
        rejected.add(index)
    return rejected


def test_better_is_said_only_where_the_corrected_p_value_is_below_five_percent():
    # Holm over all four: 0.005 -> 0.02 and 0.01 -> 0.03 stand; 0.03 -> 0.06 and 0.04 -> 0.06 do not.
    sentences = verdict({"random_walk": {1: -0.01, 5: -0.04}, "drift": {1: -0.03, 5: -0.005}})
    assert horizons_called(sentences, "random_walk", "better") == [1]
    assert horizons_called(sentences, "drift", "better") == [5]


def test_a_p_value_that_would_do_alone_does_not_do_among_many():
    alone = verdict({"random_walk": {1: -0.04}})
    assert horizons_called(alone, "random_walk", "better") == [1]
    among_many = verdict({"random_walk": {1: -0.04, 5: -0.5, 10: -0.5}})
    assert horizons_called(among_many, "random_walk", "better") == []


@pytest.mark.parametrize("p_value", [0.05, 0.2, 1.0])
def test_no_win_is_claimed_that_the_tests_do_not_carry_however_large_the_skill(p_value):
    sentences = verdict({"random_walk": {1: -p_value}, "ewma": {1: -p_value}}, skill=0.6)
    assert not any("better" in sentence for sentence in sentences)
    assert "no skill" in sentences[-1]


def test_a_p_value_of_exactly_five_percent_is_not_below_it():
    assert horizons_called(verdict({"random_walk": {1: -0.05}}), "random_walk", "better") == []


def test_what_could_not_be_tested_is_not_claimed():
    sentences = verdict({"random_walk": {1: None, 5: None}, "drift": {1: None, 5: None}})
    assert not any("better" in sentence or "worse" in sentence for sentence in sentences)


def test_every_claim_over_random_reports_is_one_that_holms_procedure_rejects():
    rng = np.random.default_rng(0)
    rivals, steps, claims = list(RIVAL_NAMES)[:3], [1, 5, 10], 0
    for _ in range(200):
        signed = rng.choice([-1, 1], 9) * rng.uniform(size=9) ** 6
        keys = [(rival, step) for rival in rivals for step in steps]
        found = holm_by_definition(np.abs(signed).tolist())
        by_key = dict(zip(keys, signed.tolist(), strict=True))
        sentences = verdict({rival: {step: by_key[rival, step] for step in steps} for rival in rivals})
        for rival in rivals:
            for word, sign in (("better", -1), ("worse", 1)):
                expected = [
                    step
                    for index, (name, step) in enumerate(keys)
                    if name == rival and index in found and np.sign(signed[index]) == sign
                ]
                assert horizons_called(sentences, rival, word) == expected
                claims += len(expected)
    assert claims > 200  # the reports were not all empty


def test_equal_skill_is_judged_a_difference_in_at_most_five_verdicts_of_a_hundred():
    rng, verdicts, steps = np.random.default_rng(5), 2000, (1, 5, 10)
    claimed = 0
    for _ in range(verdicts):
        walk, others = (rng.choice([-1, 1], 3) * rng.uniform(size=3) for _ in range(2))
        by_rival = {"random_walk": walk, "ewma": others}
        sentences = verdict({rival: dict(zip(steps, signed, strict=True)) for rival, signed in by_rival.items()})
        claimed += any(" better" in sentence or " worse" in sentence for sentence in sentences)
    assert claimed / verdicts <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / verdicts)  # four binomial standard errors


def test_a_win_over_every_rival_is_said_in_short_and_is_no_tip():
    sentences = verdict({"random_walk": {1: -0.001, 5: -0.001}, "ewma": {1: -0.001, 5: -0.001}})
    assert horizons_called(sentences, "random_walk", "better") == [1, 5]
    assert "better than the random walk and EWMA volatility" in sentences[-1]
    assert "not a tip" in sentences[-1]


def test_a_rival_that_was_not_beaten_is_named_in_short():
    sentences = verdict({"random_walk": {1: -0.001}, "ewma": {1: -0.8}})
    assert "better than the random walk " in sentences[-1]
    assert "but not than EWMA volatility" in sentences[-1]


def test_a_loss_is_called_a_loss():
    sentences = verdict({"random_walk": {1: 0.001, 5: 0.8}, "drift": {1: -0.9, 5: 0.7}})
    assert horizons_called(sentences, "random_walk", "worse") == [1]
    assert not any("better" in sentence for sentence in sentences)
    assert "worse" in sentences[-1]
    assert "Do not use it" in sentences[-1]


def test_wins_and_losses_together_are_called_mixed():
    sentences = verdict({"random_walk": {1: -0.001, 5: 0.9}, "ewma": {1: 0.001, 5: 0.9}})
    assert "mixed" in sentences[-1]
    assert "worse" in sentences[-1]


def test_a_win_at_one_horizon_and_a_loss_at_another_against_one_rival_is_mixed_too():
    sentences = verdict({"random_walk": {1: -0.001, 5: 0.001}})
    assert horizons_called(sentences, "random_walk", "better") == [1]
    assert horizons_called(sentences, "random_walk", "worse") == [5]
    assert "mixed" in sentences[-1]


@pytest.mark.parametrize(
    "results",
    [
        {"random_walk": {1: -0.001}},
        {"random_walk": {1: 0.001}},
        {"random_walk": {1: 0.5, 5: 0.5}},
        {"random_walk": {1: None}},
        {"random_walk": {1: -0.001, 5: 0.001}},
        {"random_walk": {1: -0.001}, "drift": {1: 0.5}, "ewma": {1: 0.001}},
    ],
    ids=repr,
)
def test_the_last_sentence_and_no_other_says_it_in_short(results):
    sentences = verdict(results, lag=Lag(1, 0.99, warning=True))
    assert [sentence.startswith("In short") for sentence in sentences] == [False] * (len(sentences) - 1) + [True]
    assert all(sentence.endswith(".") for sentence in sentences)


def test_every_rival_has_its_sentence():
    results = {rival: {1: -0.5, 5: 0.5} for rival in ("random_walk", "drift", "ewma")}
    for rival in results:
        assert about(verdict(results), rival)


def test_the_skill_is_told_with_its_size_and_side():
    (won,) = about(verdict({"random_walk": {1: -0.001}}, skill=0.123), "random_walk")
    assert "12.3 % lower" in won
    (lost,) = about(verdict({"random_walk": {1: 0.001}}, skill=0.123), "random_walk")
    assert "12.3 % higher" in lost


@pytest.mark.parametrize(("peak", "days"), [(1, "1 day "), (3, "3 days ")])
def test_a_median_that_trails_the_price_is_named_for_what_it_is(peak, days):
    sentences = verdict({"random_walk": {1: -0.001}}, lag=Lag(peak, 0.987, warning=True))
    (warning,) = (sentence for sentence in sentences if "trails the price" in sentence)
    assert f"by {days}" in warning
    assert "0.99" in warning


@pytest.mark.parametrize("lag", [NO_LAG, Lag(3, 0.9, warning=False), Lag(None, None, warning=False)], ids=repr)
def test_without_the_warning_nothing_is_said_of_trailing_the_price(lag):
    assert not any("trails" in sentence for sentence in verdict({"random_walk": {1: -0.001}}, lag=lag))


def test_bands_that_cover_too_little_or_too_much_are_named_with_their_horizon():
    tested = {"random_walk": {1: 0.5, 5: 0.5, 20: 0.5}}
    (bands,) = (line for line in verdict(tested, coverage={1: 0.8, 5: 0.9, 20: 0.97}) if "bands" in line)
    assert "80.0 %, 90.0 %, 97.0 %" in bands
    assert "too narrow at 1 day" in bands
    assert "too wide at 20 days" in bands


@pytest.mark.parametrize("share", [0.85, 0.9, 0.95])
def test_bands_within_five_points_of_their_promise_hold(share):
    (bands,) = (line for line in verdict({"random_walk": {1: 0.5}}, coverage={1: share}) if "bands" in line)
    assert "They hold" in bands
    assert "too" not in bands


def test_the_median_is_set_beside_todays_price():
    (median,) = (line for line in verdict({"random_walk": {1: 0.5, 5: 0.5}}) if line.startswith("The median"))
    assert "1 day ahead by 4.25" in median  # the network's
    assert "misses it by 3.75" in median  # the random walk's


def test_the_direction_is_set_beside_always_saying_up():
    (direction,) = (line for line in verdict({"random_walk": {1: 0.5}}) if line.startswith("The direction"))
    assert "right for 37 %" in direction
    assert "55 %" in direction
