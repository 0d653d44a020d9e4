"""Scores of classifiers against scikit-learn and numbers worked by hand."""

import numpy as np
import pytest
from sklearn import metrics as sklearn

from stockcast.evaluation import classification
from stockcast.evaluation.classification import Reliability


def drawn(classes: int, count: int = 300) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(classes)
    return random.dirichlet(np.ones(classes), size=count), random.integers(0, classes, size=count)


def test_certainty_costs_nothing_if_right_and_one_if_wrong() -> None:
    for classes in (2, 3):
        sure = np.eye(classes)[[0, classes - 1]]
        assert classification.brier(sure, np.array([0, 0])).tolist() == [0, 1]


def test_a_half_for_ever_has_a_brier_score_of_a_quarter_and_a_log_loss_of_log_2() -> None:
    half, actual = np.full((4, 2), 0.5), np.array([0, 1, 1, 0])
    assert classification.brier(half, actual).tolist() == [0.25] * 4
    assert classification.log_loss(half, actual) == pytest.approx([0.6931472] * 4)


def test_the_brier_score_of_three_classes_worked_by_hand() -> None:
    # half of (0.2**2 + (0.5 - 1)**2 + 0.3**2) = half of 0.38
    assert classification.brier(np.array([0.2, 0.5, 0.3]), np.array(1)) == pytest.approx(0.19)


@pytest.mark.parametrize("classes", [2, 3])
def test_scores_are_scikit_learns(classes: int) -> None:
    probabilities, actual = drawn(classes)
    predicted = classification.likeliest(probabilities)
    labels = list(range(classes))
    assert classification.brier(probabilities, actual).mean() == pytest.approx(
        sklearn.brier_score_loss(actual, probabilities, labels=labels, scale_by_half=True)
    )
    assert classification.log_loss(probabilities, actual).mean() == pytest.approx(
        sklearn.log_loss(actual, probabilities, labels=labels)
    )
    assert classification.accuracy(predicted, actual) == pytest.approx(sklearn.accuracy_score(actual, predicted))
    assert classification.balanced_accuracy(predicted, actual, classes=classes) == pytest.approx(
        sklearn.balanced_accuracy_score(actual, predicted)
    )
    assert classification.accuracy_by_class(predicted, actual, classes=classes) == pytest.approx(
        sklearn.recall_score(actual, predicted, average=None, labels=labels)
    )
    np.testing.assert_array_equal(
        classification.confusion(predicted, actual, classes=classes),
        sklearn.confusion_matrix(actual, predicted, labels=labels),
    )


def test_a_certain_error_costs_no_more_than_one_in_a_million_does() -> None:
    assert classification.log_loss(np.array([1.0, 0.0]), np.array(1)) == pytest.approx(13.81551)


def test_rows_of_the_confusion_are_what_came_and_columns_what_was_said() -> None:
    assert classification.confusion(np.array([1, 1, 0]), np.array([0, 0, 0]), classes=2).tolist() == [[1, 2], [0, 0]]


def test_saying_the_same_every_day_has_a_balanced_accuracy_of_chance_however_often_it_comes() -> None:
    actual = np.array([2] * 97 + [0, 1, 1])
    assert classification.balanced_accuracy(np.full(100, 2), actual, classes=3) == pytest.approx(1 / 3)


def test_a_class_that_never_came_has_no_accuracy() -> None:
    predicted, actual = np.array([0, 1]), np.array([0, 0])
    assert classification.accuracy_by_class(predicted, actual, classes=2) == [0.5, None]
    assert classification.balanced_accuracy(predicted, actual, classes=2) is None


def test_shares_are_counted_day_ahead_by_day_ahead() -> None:
    actual = np.array([[0, 1], [1, 1], [1, 1], [2, 1]])
    assert classification.class_shares(actual, classes=3).tolist() == [[0.25, 0.5, 0.25], [0, 1, 0]]


def test_reliability_groups_forecasts_by_their_probability_and_counts_what_came() -> None:
    predicted = np.array([[0.8, 0.2], [0.6, 0.4]])
    happened = np.array([[True, False], [True, True]])
    assert classification.reliability(predicted, happened, bins=2) == [
        Reliability(pytest.approx(0.3), 0.5, 2),
        Reliability(pytest.approx(0.7), 1.0, 2),
    ]


def test_forecasts_of_the_same_probability_stay_in_one_group() -> None:
    (only,) = classification.reliability(np.full(7, 0.6), np.arange(7) < 4)
    assert only == Reliability(pytest.approx(0.6), pytest.approx(4 / 7), 7)
    few = classification.reliability(np.array([0.1, 0.5, 0.5, 0.5, 0.9]), np.array([0, 1, 0, 1, 1], bool))
    assert [point.count for point in few] == [1, 3, 1]


def test_the_points_of_a_forecast_that_is_calibrated_lie_on_the_diagonal() -> None:
    random = np.random.default_rng(0)
    predicted = random.uniform(0.2, 0.8, size=50_000)
    points = classification.reliability(predicted, random.random(50_000) < predicted)
    assert [point.count for point in points] == [10_000] * 5
    for point in points:
        assert point.share == pytest.approx(point.probability, abs=0.02)
