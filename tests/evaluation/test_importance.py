import numpy as np
import pytest

from stockcast.evaluation.importance import permutation_importance

INPUTS = np.random.default_rng(0).normal(size=(40, 3, 2))


def test_a_feature_that_is_not_used_costs_nothing_and_one_that_is_costs_what_it_told() -> None:
    actual = INPUTS[:, -1, 0]
    result = permutation_importance(INPUTS, lambda x: np.abs(x[:, -1, 0] - actual), repeats=20, seed=0)
    assert result.loss == 0
    assert (result.increases[1] == 0).all()
    # Shuffled, the mean of |x - y| over all pairs, itself among them, is to be expected.
    expected = np.mean(np.abs(actual[:, None] - actual))
    assert result.means[0] == pytest.approx(expected, rel=0.1)
    assert result.spreads[0] > 0
    assert result.spreads[1] == 0


def test_a_feature_that_misleads_is_better_shuffled() -> None:
    actual = -INPUTS[:, -1, 0]
    result = permutation_importance(INPUTS, lambda x: np.abs(x[:, -1, 0] - actual), repeats=5, seed=0)
    assert result.means[0] < 0


def test_windows_stay_whole_and_every_other_feature_in_its_place() -> None:
    seen: list[np.ndarray] = []

    def losses(inputs: np.ndarray) -> np.ndarray:
        seen.append(inputs.copy())
        return np.zeros(len(inputs))

    before = INPUTS.copy()
    permutation_importance(INPUTS, losses, repeats=2, seed=0)
    np.testing.assert_array_equal(INPUTS, before)
    np.testing.assert_array_equal(seen[0], INPUTS)
    assert len(seen) == 1 + 2 * 2
    for number, inputs in enumerate(seen[1:]):
        shuffled, kept = number // 2, 1 - number // 2
        np.testing.assert_array_equal(inputs[:, :, kept], INPUTS[:, :, kept])
        rows = {tuple(row) for row in inputs[:, :, shuffled]}
        assert rows == {tuple(row) for row in INPUTS[:, :, shuffled]}
        assert not np.array_equal(inputs, INPUTS)
    # the same shuffles for every feature
    first = [next(i for i in range(40) if INPUTS[i, 0, 0] == value) for value in seen[1][:, 0, 0]]
    np.testing.assert_array_equal(seen[3][:, :, 1], INPUTS[first, :, 1])


def test_a_seed_gives_the_same_shuffles_and_one_shuffle_has_no_spread() -> None:
    def losses(inputs: np.ndarray) -> np.ndarray:
        return np.asarray(inputs[:, 0, 0] * np.arange(40))

    first, again, other = (permutation_importance(INPUTS, losses, repeats=1, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first.increases, again.increases)
    assert first.increases[0, 0] != other.increases[0, 0]
    assert list(first.spreads) == [0, 0]
