"""Direction forecasts and their baselines: scores, and the verdict in sentences."""

import json

import numpy as np
import pytest

from stockcast.evaluation.direction_scores import ALWAYS_UP, SHARES, DirectionReport, compare_directions
from stockcast.evaluation.verdict.directions import judge_directions
from stockcast.forecast import Directions
from stockcast.text import p_value_text

TWO, THREE = ("down", "up"), ("down", "flat", "up")


def forecast(probabilities: np.ndarray, classes: tuple[str, ...] = TWO) -> Directions:
    origins, horizon, _ = probabilities.shape
    dates = np.arange("2015-01-01", np.datetime64("2015-01-01") + origins + horizon, dtype="datetime64[D]")
    targets = np.arange(origins)[:, None] + np.arange(1, horizon + 1)
    return Directions(dates[:origins], dates[targets], classes, probabilities, np.full(origins, 100.0))


def ups(probability: np.ndarray) -> np.ndarray:
    """Probabilities of down and up from those of up, shape (origins,), one day ahead."""
    return np.stack([1 - probability, probability], axis=-1)[:, None]


def coin(origins: int = 1000, share: float = 0.6) -> np.ndarray:
    return (np.random.default_rng(0).random((origins, 1)) < share).astype(int)


def judged(
    probabilities: np.ndarray, actual: np.ndarray, shares: np.ndarray
) -> tuple[DirectionReport, tuple[str, ...]]:
    classes = TWO if probabilities.shape[-1] == 2 else THREE
    report = compare_directions(forecast(probabilities, classes), actual, training_shares=shares)
    return report, judge_directions(report)


SHARE = np.array([[0.4, 0.6]])


def test_baselines_are_the_training_shares_and_up_every_day() -> None:
    actual = np.array([[1], [1], [0], [1]])
    report, _ = judged(ups(np.array([0.7, 0.7, 0.2, 0.4])), actual, SHARE)
    comparison = report.horizons[1]
    # shares: (0.16 x 3 + 0.36) / 4; up: one of four wrong; the network (0.09 + 0.09 + 0.04 + 0.36) / 4
    assert comparison.baselines[SHARES].brier == pytest.approx(0.21)
    assert comparison.baselines[ALWAYS_UP].brier == pytest.approx(0.25)
    assert comparison.model.brier == pytest.approx(0.145)
    assert comparison.skill == {SHARES: pytest.approx(1 - 0.145 / 0.21)}
    assert (comparison.model.accuracy, comparison.baselines[ALWAYS_UP].accuracy) == (0.75, 0.75)
    assert comparison.model.confusion == [[1, 0], [1, 2]]
    assert comparison.baselines[ALWAYS_UP].log_loss is None
    assert comparison.came == {"down": 0.25, "up": 0.75}


def test_every_reported_horizon_is_there_and_the_last() -> None:
    random = np.random.default_rng(0)
    report, _ = judged(
        random.dirichlet([1, 1], size=(60, 7)), random.integers(0, 2, size=(60, 7)), np.full((7, 2), 0.5)
    )
    assert list(report.horizons) == [1, 5, 7]


def test_a_report_is_plain_json() -> None:
    random = np.random.default_rng(0)
    probabilities = random.dirichlet([1, 1, 1], size=(60, 2))
    report, _ = judged(probabilities, random.integers(0, 3, size=(60, 2)), np.full((2, 3), 1 / 3))
    stored = json.loads(json.dumps(report.overall.to_json(), allow_nan=False))
    assert set(stored["reliability"]) == set(stored["came"]) == set(THREE)


def test_a_network_that_knows_is_better_and_that_is_no_tip() -> None:
    actual = coin()
    knowing = np.where(actual[:, 0] == 1, 0.8, 0.3)
    _, verdict = judged(ups(knowing), actual, SHARE)
    assert verdict[0].startswith("Against the class shares of the training days, which need no network:")
    assert "the network's probabilities are better at 1 day" in verdict[0]
    assert "the network is right more often at 1 day" in verdict[1]
    assert verdict[-1].startswith("In short: on these days the network's probabilities of down and up are better")
    assert "right more often than always forecasting up, at 1 day" in verdict[-1]
    assert verdict[-1].endswith("That is no tip to buy or sell.")


def test_probabilities_that_have_nothing_to_do_with_the_truth_are_worse_and_not_to_be_used() -> None:
    _, verdict = judged(ups(np.random.default_rng(1).uniform(0.05, 0.95, 1000)), coin(), SHARE)
    assert "the network's probabilities are worse at 1 day" in verdict[0]
    assert "the network is right less often at 1 day" in verdict[1]
    assert verdict[-1].endswith("Do not use it.")


def test_a_network_that_knows_nothing_is_no_better_than_the_shares() -> None:
    noise = 0.6 + 0.01 * np.random.default_rng(3).standard_normal(1000)
    _, verdict = judged(ups(noise), coin(), SHARE)
    assert "no significant difference at 1 day" in verdict[0]
    assert "always forecasts up too at 1 day" in verdict[1]
    assert verdict[-1] == (
        "In short: on these days the network's probabilities of down and up are no better than the class shares of "
        "the training days, which need no network."
    )


def test_beating_always_up_by_the_brier_score_is_no_win() -> None:
    """Certainty is costly: probabilities that know nothing have a far lower Brier score than always forecasting up."""
    report, verdict = judged(ups(np.full(1000, 0.6) + np.linspace(-1e-3, 1e-3, 1000)), coin(), SHARE)
    comparison = report.horizons[1]
    assert comparison.model.brier < 0.7 * comparison.baselines[ALWAYS_UP].brier
    assert comparison.tests[ALWAYS_UP] is None  # both forecast up every day
    assert "no better" in verdict[-1]


def test_p_values_are_corrected_for_the_number_of_tests() -> None:
    random = np.random.default_rng(0)
    actual = random.integers(0, 2, size=(1000, 10))
    probabilities = 0.5 + 0.02 * (actual - 0.5) * random.random((1000, 10)) + 0.08 * random.standard_normal((1000, 10))
    report, verdict = judged(np.stack([1 - probabilities, probabilities], axis=-1), actual, np.full((10, 2), 0.5))
    assert sum(test is not None for comparison in report.horizons.values() for test in comparison.tests.values()) == 6
    assert "Each p is corrected for 6 such tests (Diebold-Mariano, Holm)." in verdict
    p_values = {
        (baseline, step): test.p_value
        for step, comparison in report.horizons.items()
        for baseline, test in comparison.tests.items()
        if test
    }
    (baseline, _), least = min(p_values.items(), key=lambda item: item[1])
    corrected = p_value_text(6 * least)  # Holm: the least of six times six
    assert p_value_text(least) != corrected
    assert corrected in verdict[0 if baseline == SHARES else 1]


def test_too_few_days_allow_no_test_and_no_claim() -> None:
    _, verdict = judged(ups(np.linspace(0.4, 0.6, 8)), coin(8), SHARE)
    assert "no test is possible at 1 day" in verdict[0]
    assert verdict[-1].startswith("In short: these days allow no test")


def test_the_verdict_holds_the_shares_of_each_class() -> None:
    actual = np.array([[0], [0], [1], [1], [1]] * 8)
    up = np.array([0.4, 0.7, 0.7, 0.7, 0.4] * 8)
    _, verdict = judged(ups(up), actual, SHARE)
    # of 16 down days it forecast down on 8, of 24 up days up on 16
    assert (
        "After 1 day the price was down on 40 % and up on 60 % of the days. The network was right on 50 % of the down "
        "days and 67 % of the up days: 58.3 % on average, where always forecasting one class has 50 %."
    ) in verdict


def test_knowing_only_when_prices_move_is_not_reported_as_knowing_the_direction() -> None:
    random = np.random.default_rng(0)
    moves = random.random(1000) < 0.5
    actual = np.where(moves, np.where(random.random(1000) < 0.5, 0, 2), 1)[:, None]
    probabilities = np.where(moves[:, None], [0.41, 0.2, 0.39], [0.11, 0.8, 0.09])[:, None]
    report, verdict = judged(probabilities, actual, np.array([[0.25, 0.5, 0.25]]))
    way = report.horizons[1].moves
    assert way is not None
    assert way.count == moves.sum()
    assert way.right == pytest.approx(1 - way.up)  # its probability of down is always the larger one
    assert "better" in verdict[-1]
    assert "That may come from knowing how far prices move, not which way." in verdict[-1]
    assert any(f"Of the {way.count} days that were not flat" in sentence for sentence in verdict)
