"""What is left of the lead of the best of many trials: against known numbers, and against trials without skill."""

from math import pi, sqrt

import numpy as np
import pytest

from stockcast.tuning.deflation import Gain, expected_maximum, gain_of, noise_of


@pytest.mark.parametrize(
    ("count", "mean"),
    [
        (0, 0.0),
        (1, 0.0),
        (2, 1 / sqrt(pi)),  # half the mean distance of two
        (3, 1.5 / sqrt(pi)),
        (10, 1.53875),  # Teichroew (1956), table I
        (20, 1.86748),
    ],
)
def test_the_expected_maximum_is_that_of_the_tables(count: int, mean: float) -> None:
    assert expected_maximum(count) == pytest.approx(mean, abs=1e-5)


def test_the_noise_is_what_trial_and_fold_leave() -> None:
    # 3 on one cell of a 2 by 2 table of zeros: means 0.75; each residual is 0.75, with one degree of freedom: 1.5.
    assert noise_of([np.array([0.0, 0.0]), np.array([0.0, 3.0])]) == pytest.approx(1.5)


def test_differences_of_trials_and_of_folds_are_no_noise() -> None:
    folds = np.array([0.7, 0.9, 0.4])
    assert noise_of([folds, folds + 0.1, folds - 0.2, folds[:2] + 7]) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("scores", [[], [np.array([1.0])], [np.array([1.0, 2.0])], [np.array([1.0]), np.array([2.0])]])
def test_too_few_scores_have_no_noise_to_estimate(scores: list[np.ndarray]) -> None:
    assert noise_of(scores) is None
    assert gain_of(np.array([1.0, 2.0]), np.array([1.0, 1.0]), scores, trials=1).expected is None


def test_the_gain_of_the_best_is_paired_by_fold() -> None:
    start, best = np.array([1.0, 2.0, 3.0]), np.array([0.9, 1.8, 2.7])
    gain = gain_of(start, best, [start, best], trials=1)
    assert gain.observed == pytest.approx(0.2)
    assert gain.standard_error == pytest.approx(0.1 / sqrt(3))  # 0.1, 0.2, 0.3 have a deviation of 0.1
    assert gain.expected == pytest.approx(0.2), "a single trial was not chosen among others"


def simulated(*, skill: float, seed: int, trials: int = 39, folds: int = 3, noise: float = 0.01) -> tuple[Gain, float]:
    """The gain of the best of trials that are worse or better by `skill` standard normal, and its true gain."""
    random = np.random.default_rng(seed)
    true = skill * random.standard_normal(trials + 1)
    true[0] = 0.0
    scores = true[:, None] + 0.1 * random.standard_normal(folds) + noise * random.standard_normal((trials + 1, folds))
    # Pruned as a study does: after the first five, the worst third on the first fold ends there.
    kept = [row if number < 6 or row[0] < np.quantile(scores[:, 0], 2 / 3) else row[:1] for number, row in
            enumerate(scores)]  # fmt: skip
    best = min((number for number, row in enumerate(kept) if len(row) == folds), key=lambda n: scores[n].mean())
    return gain_of(scores[0], scores[best], kept, trials=trials), -true[best]


def test_of_trials_without_skill_no_gain_is_expected() -> None:
    gains = [simulated(skill=0.0, seed=seed)[0] for seed in range(300)]
    observed, expected = (np.array([getattr(gain, name) for gain in gains]) for name in ("observed", "expected"))
    assert observed.mean() > 0.011, "the best of 40 looks better than the start by 2 standard errors"
    assert abs(expected.mean()) < 3 * expected.std() / sqrt(len(gains))
    assert abs(expected.mean()) < 0.1 * observed.mean()


def test_of_trials_with_skill_less_is_expected_than_observed_and_no_more_than_is_true() -> None:
    pairs = [simulated(skill=0.03, seed=seed) for seed in range(100)]
    observed, expected = (np.mean([getattr(gain, name) for gain, _ in pairs]) for name in ("observed", "expected"))
    true = np.mean([true for _, true in pairs])
    assert expected < true < observed
    assert expected > 0.7 * true
