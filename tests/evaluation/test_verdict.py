"""Reports with chosen p-values in, sentences out: what may be claimed, and what must be admitted."""

import re
from dataclasses import replace

import numpy as np
import pytest

from stockcast.evaluation.baselines.registry import BASELINES
from stockcast.evaluation.diagnostics import Lag, Trend
from stockcast.evaluation.forecast_scores import Scores
from stockcast.evaluation.scores import Comparison, Report
from stockcast.evaluation.significance import ConfidenceSet, SkillTest
from stockcast.evaluation.value_at_risk import ValueAtRisk
from stockcast.evaluation.verdict.prices import judge
from stockcast.frequency import DAILY

TREND = Trend(("down", "flat", "up"), 0.02, [[1, 2, 3], [4, 5, 6], [7, 8, 9]], accuracy=0.37, always_up=0.55)
NO_LAG = Lag(0, 0.1, warning=False)
WALK = {"random_walk": {1: 0.5, 5: 0.5}}


NO_REGIMES = {name: {"origins": 0, "coverage_90": None} for name in ("calm", "middle", "storm")}


def scores(*, mae=4.25, coverage_90=0.9):
    return Scores(
        crps=0.01,
        log_score=-3.0,
        pinball={"0.05": 0.01, "0.5": 0.01},
        mae=mae,
        rmse=5.0,
        mape=1.0,
        mase=1.0,
        coverage_50=0.5,
        coverage_80=0.8,
        coverage_90=coverage_90,
        coverage_95=0.95,
        width_50=10.0,
        width_80=16.0,
        width_90=20.0,
        width_95=25.0,
        winkler_90=25.0,
        direction_accuracy=None,
        balanced_direction_accuracy=None,
    )


def report(results, *, skill=0.1, coverage=None, sets=None, regimes=None, at_risk=(), failures=None):
    """Results {baseline: {horizon: signed p-value}}: -0.01 is better at p = 0.01, +0.01 worse, None not tested.

    `sets` are the names of the confidence set at each horizon, `regimes` {name: (origins, coverage)}, `at_risk` tests.
    """
    steps = list(next(iter(results.values())))
    regimes = {name: {"origins": count, "coverage_90": share} for name, (count, share) in (regimes or {}).items()}

    def comparison(step):
        signed = {baseline: by_step[step] for baseline, by_step in results.items()}
        names = (sets or {}).get(step)
        return Comparison(
            model=scores(coverage_90=(coverage or {}).get(step, 0.9)),
            baselines={baseline: scores(mae=3.75) for baseline in results},
            skill={baseline: None if p is None else skill * (1 if p < 0 else -1) for baseline, p in signed.items()},
            tests={
                baseline: None if p is None else SkillTest(float(np.sign(p)) * 2.5, abs(p))
                for baseline, p in signed.items()
            },
            superior_predictive_ability=None,
            confidence_set=None if names is None else ConfidenceSet(tuple(names), {}),
            pit={"histogram": [0.1] * 10, "p_value": None},
            regimes={**NO_REGIMES, **regimes},
            always_up=0.5,
        )

    return Report(
        horizons={step: comparison(step) for step in steps},
        overall=comparison(steps[0]),
        skill_by_step={},
        value_at_risk={"model": list(at_risk), "random_walk": []},
        failures=failures or {},
    )


def verdict(results, *, lag=NO_LAG, **options):
    return judge(report(results, **options), TREND, lag)


def about(sentences, baseline):
    """The clauses of the sentence about one baseline."""
    (sentence,) = (line for line in sentences if line.startswith(f"Against {BASELINES[baseline].name(DAILY)}:"))
    outside = re.sub(r"\([^)]*\)", lambda match: match[0].replace(";", ","), sentence)
    return outside.split(";")


def horizons_called(sentences, baseline, word):
    """Horizons at which the network is called `better` or `worse` than the baseline."""
    clauses = [clause for clause in about(sentences, baseline) if f"is {word} at" in clause]
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


def test_better_is_claimed_only_where_the_corrected_p_value_is_below_five_percent():
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
    assert "no skill beyond that of the baselines" in sentences[-1]


def test_a_p_value_of_exactly_five_percent_is_not_below_it():
    assert horizons_called(verdict({"random_walk": {1: -0.05}}), "random_walk", "better") == []


def test_what_could_not_be_tested_is_not_claimed():
    sentences = verdict({"random_walk": {1: None, 5: None}, "drift": {1: None, 5: None}})
    assert not any("better" in sentence or "worse" in sentence for sentence in sentences)


def test_every_claim_over_random_reports_is_one_that_holms_procedure_rejects():
    rng = np.random.default_rng(0)
    baselines, steps, claims = list(BASELINES)[:3], [1, 5, 10], 0
    for _ in range(200):
        signed = rng.choice([-1, 1], 9) * rng.uniform(size=9) ** 6
        keys = [(baseline, step) for baseline in baselines for step in steps]
        rejected = holm_by_definition(np.abs(signed).tolist())
        by_key = dict(zip(keys, signed.tolist(), strict=True))
        sentences = verdict({baseline: {step: by_key[baseline, step] for step in steps} for baseline in baselines})
        for baseline in baselines:
            for word, sign in (("better", -1), ("worse", 1)):
                expected = [
                    step
                    for index, (name, step) in enumerate(keys)
                    if name == baseline and index in rejected and np.sign(signed[index]) == sign
                ]
                assert horizons_called(sentences, baseline, word) == expected
                claims += len(expected)
    assert claims > 200  # the reports were not all empty


def test_equal_skill_is_judged_a_difference_in_at_most_five_verdicts_of_a_hundred():
    rng, verdicts, steps = np.random.default_rng(5), 2000, (1, 5, 10)
    claimed = 0
    for _ in range(verdicts):
        walk, others = (rng.choice([-1, 1], 3) * rng.uniform(size=3) for _ in range(2))
        by_baseline = {"random_walk": walk, "ewma": others}
        sentences = verdict(
            {baseline: dict(zip(steps, signed, strict=True)) for baseline, signed in by_baseline.items()}
        )
        claimed += any(" better" in sentence or " worse" in sentence for sentence in sentences)
    assert claimed / verdicts <= 0.05 + 4 * np.sqrt(0.05 * 0.95 / verdicts)  # four binomial standard errors


def test_a_win_over_every_baseline_is_in_the_summary_and_is_no_tip():
    sentences = verdict({"random_walk": {1: -0.001, 5: -0.001}, "ewma": {1: -0.001, 5: -0.001}})
    assert horizons_called(sentences, "random_walk", "better") == [1, 5]
    assert "better than the random walk and EWMA volatility" in sentences[-1]
    assert "not a tip" in sentences[-1]


def test_a_baseline_that_was_not_beaten_is_named_in_the_summary():
    sentences = verdict({"random_walk": {1: -0.001}, "ewma": {1: -0.8}})
    assert "better than the random walk, but" in sentences[-1]
    assert "but not than EWMA volatility." in sentences[-1]
    several = verdict({"random_walk": {1: -0.001}, "drift": {1: 0.8}, "ewma": {1: -0.8}})
    assert "better than the random walk, but" in several[-1]
    assert "but not than drift or EWMA volatility." in several[-1]


def test_a_loss_is_called_a_loss():
    sentences = verdict({"random_walk": {1: 0.001, 5: 0.8}, "drift": {1: -0.9, 5: 0.7}})
    assert horizons_called(sentences, "random_walk", "worse") == [1]
    assert not any("better" in sentence for sentence in sentences)
    assert "worse than the random walk, and beats no baseline" in sentences[-1]
    assert "Do not use it" in sentences[-1]


def test_wins_and_losses_together_are_called_mixed():
    sentences = verdict({"random_walk": {1: -0.001, 5: 0.9}, "ewma": {1: 0.001, 5: 0.9}})
    assert "mixed" in sentences[-1]
    assert "better than the random walk at some horizons, and worse than EWMA volatility at some" in sentences[-1]


def test_a_win_at_one_horizon_and_a_loss_at_another_against_one_baseline_is_mixed_too():
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
def test_the_last_sentence_and_no_other_is_the_summary(results):
    sentences = verdict(results, lag=Lag(1, 0.99, warning=True))
    assert [sentence.startswith("In short") for sentence in sentences] == [False] * (len(sentences) - 1) + [True]
    assert all(sentence.endswith(".") for sentence in sentences)


def test_every_baseline_has_its_sentence():
    results = {baseline: {1: -0.5, 5: 0.5} for baseline in BASELINES}
    for baseline in results:
        assert about(verdict(results), baseline)


def test_the_skill_is_reported_with_its_size_and_side():
    (won,) = about(verdict({"random_walk": {1: -0.001}}, skill=0.123), "random_walk")
    assert "12.3 % lower" in won
    (lost,) = about(verdict({"random_walk": {1: 0.001}}, skill=0.123), "random_walk")
    assert "12.3 % higher" in lost


@pytest.mark.parametrize(("peak", "days"), [(1, "1 day "), (3, "3 days ")])
def test_a_median_that_lags_the_price_is_named_for_what_it_is(peak, days):
    sentences = verdict({"random_walk": {1: -0.001}}, lag=Lag(peak, 0.987, warning=True))
    (warning,) = (sentence for sentence in sentences if "lags the price" in sentence)
    assert f"by {days}" in warning
    assert "0.99" in warning


@pytest.mark.parametrize("lag", [NO_LAG, Lag(3, 0.9, warning=False), Lag(None, None, warning=False)], ids=repr)
def test_without_the_warning_no_sentence_is_about_a_lag(lag):
    assert not any("lags" in sentence for sentence in verdict({"random_walk": {1: -0.001}}, lag=lag))


def test_bands_that_cover_too_little_or_too_much_are_named_with_their_horizon():
    tested = {"random_walk": {1: 0.5, 5: 0.5, 20: 0.5}}
    (bands,) = (line for line in verdict(tested, coverage={1: 0.8, 5: 0.9, 20: 0.97}) if "bands" in line)
    assert "80.0 %, 90.0 % and 97.0 %" in bands
    assert "too narrow at 1 day" in bands
    assert "too wide at 20 days" in bands


@pytest.mark.parametrize("share", [0.85, 0.9, 0.95])
def test_bands_within_five_points_of_their_promise_hold(share):
    (bands,) = (line for line in verdict({"random_walk": {1: 0.5}}, coverage={1: share}) if "bands" in line)
    assert "right to within 5 percentage points" in bands
    assert "too" not in bands


def test_the_median_is_compared_with_todays_price():
    (median,) = (line for line in verdict({"random_walk": {1: 0.5, 5: 0.5}}) if line.startswith("The median"))
    assert "1 day ahead by 4.25" in median  # the network's
    assert "the random walk, misses it by 3.75" in median


def test_each_step_has_its_corrected_p_value():
    # Holm over three: 0.0001 x 3, 0.01 x 2, 0.2 x 1.
    (won, tied) = about(verdict({"random_walk": {1: -0.0001, 5: -0.01, 20: 0.2}}), "random_walk")
    assert won.endswith("better at 1 and 5 days (CRPS 10.0 % lower, p < 0.001, 10.0 % lower, p = 0.020)")
    assert tied == " no significant difference at 20 days (CRPS 10.0 % higher, p = 0.20)."


def test_a_step_without_a_p_value_leaves_no_comma_or_bracket_over():
    (clause,) = about(verdict({"random_walk": {1: None}}), "random_walk")
    assert clause == "Against the random walk: no test is possible at 1 day (CRPS 0 for the baseline)."
    (clause,) = about(judge(untested_but_scored(), TREND, NO_LAG), "random_walk")
    assert clause == "Against the random walk: no test is possible at 1 day (CRPS 25.0 % lower)."


def untested_but_scored():
    """Too few origins for a test, but enough for scores."""
    made = report({"random_walk": {1: None}})
    return replace(made, horizons={1: replace(made.horizons[1], skill={"random_walk": 0.25})})


def test_the_correction_names_how_many_tests_were_made():
    lines = verdict({"random_walk": {1: 0.5, 5: None}, "drift": {1: 0.5, 5: 0.5}})
    assert [line for line in lines if "Holm" in line] == [
        "Each p is corrected for 3 such tests (Diebold-Mariano, Holm)."
    ]


@pytest.mark.parametrize("p_value", [0.5, None])
def test_one_test_or_none_needs_no_correction(p_value):
    assert not any("corrected" in line for line in verdict({"random_walk": {1: p_value}}))


@pytest.mark.parametrize(
    ("sets", "claim"),
    [
        ({1: ["model", "ewma"], 5: ["model"]}, "is in .. at 1 and 5 days ahead."),
        ({1: ["ewma"], 5: ["ewma"]}, "is not in .. at 1 and 5 days ahead."),
        ({1: ["ewma"], 5: ["model"]}, "is in .. at 5 days ahead, but not at 1 day."),
        ({5: ["model"]}, "is in .. at 5 days ahead."),
    ],
    ids=["in", "out", "both", "one_tested"],
)
def test_the_verdict_states_where_the_network_may_be_the_best_of_all(sets, claim):
    (best,) = (line for line in verdict({**WALK, "ewma": {1: 0.5, 5: 0.5}}, sets=sets) if "confidence set" in line)
    whole = claim.replace("..", "the model confidence set (90 %), the forecasts that may be the best,")
    assert best == f"The network {whole}"


def test_without_a_confidence_set_no_sentence_is_about_the_best():
    assert not any("the best" in line for line in verdict(WALK))


def test_being_alone_in_the_confidence_set_is_no_win_that_the_corrected_tests_do_not_carry():
    sentences = verdict(
        {"random_walk": {1: -0.04, 5: -0.04, 10: -0.9}}, sets={1: ["model"], 5: ["model"], 10: ["model"]}
    )
    assert not any("better" in line or "is the best" in line for line in sentences)


def test_the_bands_are_reported_by_the_volatility_at_the_origin():
    regimes = {"calm": (120, 0.934), "middle": (100, 0.91), "storm": (90, 0.806)}
    sentences = verdict(WALK, regimes=regimes)
    (line,) = (line for line in sentences if "volatility" in line)
    assert line == (
        "Of the prices at all days ahead together they cover 93 % after the 120 days of low volatility, 91 % after the "
        "100 days of medium volatility and 81 % after the 90 days of high volatility; low, medium and high are the "
        "thirds of the training days."
    )
    assert "bands" in sentences[sentences.index(line) - 1]  # what "they" means


def test_a_regime_without_days_is_left_out_and_a_single_one_is_no_comparison():
    (line,) = (line for line in verdict(WALK, regimes={"calm": (3, 1.0), "storm": (1, 0.5)}) if "volatility" in line)
    assert "of medium" not in line
    assert "the 3 days of low volatility and 50 % after the 1 day of high volatility;" in line
    assert not any("volatility" in line for line in verdict(WALK, regimes={"calm": (310, 0.9)}))


def test_falls_below_the_value_at_risk_are_compared_with_those_expected():
    at_risk = [
        ValueAtRisk(0.01, 957, 5, 9.57, kupiec=0.104, independence=None, conditional=None),
        ValueAtRisk(0.05, 957, 60, 47.85, kupiec=0.0789, independence=0.0002, conditional=0.001),
    ]
    (line,) = (line for line in verdict(WALK, at_risk=at_risk) if "value at risk" in line)
    assert line == (
        "One day ahead the price fell below its 1 % value at risk on 5 of 957 days, where 9.57 are expected "
        "(Kupiec p = 0.10) and below its 5 % value at risk on 60 of 957 days, where 47.9 are expected "
        "(Kupiec p = 0.079, Christoffersen p < 0.001)."
    )


def test_without_value_at_risk_no_sentence_is_about_it():
    assert not any("value at risk" in line for line in verdict(WALK))


def test_a_baseline_without_a_forecast_is_named_with_its_reason_and_in_short_where_a_win_is_claimed():
    failures = {"garch_t": "it needs 250 returns before the first origin, and there are 100"}
    won = verdict({"random_walk": {1: -0.001}}, failures=failures)
    assert (
        "GARCH(1,1)-t has no forecast and is left out: it needs 250 returns before the first origin, and there are 100."
    ) in won
    assert "(no forecast from GARCH(1,1)-t)" in won[-1]
    mixed = verdict({"random_walk": {1: -0.001, 5: 0.001}}, failures=failures)
    assert "(no forecast from GARCH(1,1)-t)" in mixed[-1]


def test_a_reason_that_is_a_sentence_ends_with_one_full_stop_and_the_baselines_name_begins_with_a_capital():
    sentences = verdict(WALK, failures={"drift": "It failed."})
    assert "Drift has no forecast and is left out: It failed." in sentences


def everything():
    """A report that leads to every sentence there is."""
    return {
        "sets": {1: ["model"], 5: ["ewma"]},
        "regimes": {"calm": (120, 0.934), "middle": (100, 0.91), "storm": (90, 0.806)},
        "at_risk": [ValueAtRisk(level, 300, 5, 300 * level, 0.5, None, None) for level in (0.01, 0.05)],
        "failures": {"gjr_skewt": "its estimate on the days to 2020-01-02 did not converge"},
    }


@pytest.mark.parametrize("p_value", [None, 0.0001, -0.0001, 0.5], ids=str)
def test_every_sentence_is_whole(p_value):
    lag = Lag(1, 0.99, warning=True)
    results = {baseline: {1: p_value, 5: p_value} for baseline in ("random_walk", "ewma")}
    for sentence in verdict(results, lag=lag, **everything()):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert sentence.count("(") == sentence.count(")")
        assert not re.search(r"\(\s*\)|\s[,;.)]|,\s*[,;)]|  |None|nan", sentence)


def test_the_direction_is_compared_with_always_forecasting_up():
    (direction,) = (line for line in verdict({"random_walk": {1: 0.5}}) if line.startswith("The direction"))
    assert "right for 37 %" in direction
    assert "always forecasting up would be right for 55 %" in direction
