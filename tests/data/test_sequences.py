from itertools import chain

import numpy as np
import pytest

from stockcast.data.scaler import Scaler
from stockcast.data.sequences import SequenceDataset
from stockcast.data.target import TargetTransform
from stockcast.data.windows import WindowDataset

DAYS, WINDOW, HORIZON, LENGTH = 200, 5, 3, 12
ANSWERS = 8  # of a sequence of 12 days after the first four
PRICE = TargetTransform("price", Scaler(np.array([0.0]), np.array([1.0]), np.array([0.0])))

# Two series, of days 0 to 119 and 120 to 199. The first has a gap in its origins, as blocks of validation make.
STRETCHES = [range(4, 40), range(60, 117), range(124, 130)]
ORIGINS = np.concatenate([np.array(stretch) for stretch in STRETCHES])


def sequences() -> SequenceDataset:
    """Each day's only feature and price is its own number, so that a batch tells what it was read from."""
    days = np.arange(float(DAYS))
    windows = WindowDataset(days[:, None], days, ORIGINS, window=WINDOW, horizon=HORIZON, target=PRICE)
    return SequenceDataset.cut(windows, LENGTH)


def answered(dataset: SequenceDataset) -> list[list[int]]:
    """The days that each sequence answers, by its first target, the day after."""
    _, targets, weights = dataset.batch(slice(None))
    return [
        [int(target[0]) - 1 for target, weight in zip(rows, counted, strict=True) if weight]
        for rows, counted in zip(targets, weights, strict=True)
    ]


def test_a_stretch_is_cut_from_its_start_on_and_every_origin_is_answered_once() -> None:
    days = answered(sequences())

    assert days[0] == [4, 5, 6, 7, 8, 9, 10, 11]
    assert days[4] == [36, 37, 38, 39]
    assert days[5] == [60, 61, 62, 63, 64, 65, 66, 67]
    assert days[-1] == [124, 125, 126, 127, 128, 129]
    assert list(chain(*days)) == ORIGINS.tolist()


def test_an_answered_day_is_the_last_of_a_window_of_days_in_a_row_and_has_that_windows_targets() -> None:
    dataset = sequences()
    inputs, targets, _ = dataset.batch(slice(None))

    assert inputs.shape == (len(dataset), LENGTH, 1)
    assert targets.shape == (len(dataset), ANSWERS, HORIZON)
    for row, days in enumerate(answered(dataset)):
        for place, day in enumerate(days):
            assert inputs[row, place : place + WINDOW, 0].tolist() == list(range(day - WINDOW + 1, day + 1))
            assert targets[row, place].tolist() == [day + 1, day + 2, day + 3]


@pytest.mark.parametrize(
    ("horizon", "ahead"),
    [(31, range(1, 32)), (32, range(1, 33, 2)), (50, range(1, 51, 3))],
)
def test_of_a_long_horizon_some_days_ahead_have_targets_evenly_from_the_first_on(horizon: int, ahead: range) -> None:
    days = np.arange(float(DAYS))
    windows = WindowDataset(days[:, None], days, np.arange(4, 90), window=WINDOW, horizon=horizon, target=PRICE)
    dataset = SequenceDataset.cut(windows, LENGTH)
    _, targets, _ = dataset.batch(slice(1))
    assert targets[0, 0].tolist() == [4 + step for step in ahead]
    assert dataset.step_interval == ahead.step


def drawn() -> list[SequenceDataset]:
    return [sequences(), *(sequences().draw(np.random.default_rng(seed)) for seed in range(20))]


def test_no_sequence_sees_a_day_outside_its_own_stretch() -> None:
    for dataset in drawn():
        inputs, _, _ = dataset.batch(slice(None))
        for row, days in enumerate(answered(dataset)):
            (stretch,) = [stretch for stretch in STRETCHES if days[0] in stretch]
            assert inputs[row].min() >= stretch[0] - WINDOW + 1
            # also the days that only fill the sequence up
            assert inputs[row].max() == days[-1] <= stretch[-1]


def test_an_epoch_answers_no_origin_twice_and_few_not_at_all_and_the_next_is_cut_elsewhere() -> None:
    epochs = [answered(dataset) for dataset in drawn()[1:]]
    for days in epochs:
        flat = list(chain(*days))
        assert len(set(flat)) == len(flat)
        assert len(days) == 14  # as cut from the start of each stretch on
        assert len(flat) >= len(ORIGINS) - 4 * ANSWERS
    assert len({tuple(sorted(day[0] for day in days)) for days in epochs}) == len(epochs)
    # Every origin has its turn.
    assert set(chain(*chain(*epochs))) == set(ORIGINS.tolist())


def test_the_draw_is_that_of_the_generator_alone() -> None:
    first, again, other = (answered(sequences().draw(np.random.default_rng(seed))) for seed in (3, 3, 4))

    assert first == again != other


@pytest.mark.parametrize(("most", "count"), [(1, 1), (7, 1), (8, 2), (50, 8), (10_000, 14)])
def test_an_epoch_of_at_most_so_many_windows_has_the_sequences_that_answer_them(most: int, count: int) -> None:
    # 99 origins in 14 sequences.
    assert len(sequences().draw(np.random.default_rng(0), most)) == count


def test_of_short_stretches_an_epoch_has_nearly_all_too() -> None:
    # 50 stretches of 3 origins, in sequences of up to 8: a draw cuts some of them in two.
    days, origins = np.arange(400.0), np.concatenate([np.arange(start, start + 3) for start in range(4, 354, 7)])
    windows = WindowDataset(days[:, None], days, origins, window=WINDOW, horizon=HORIZON, target=PRICE)
    drawn = [SequenceDataset.cut(windows, LENGTH).draw(np.random.default_rng(seed)) for seed in range(5)]
    assert [len(one) for one in drawn] == [50] * 5
    assert min(one.origin_count for one in drawn) > 110
    half = SequenceDataset.cut(windows, LENGTH).draw(np.random.default_rng(0), 75)
    assert 55 < half.origin_count < 80


@pytest.mark.parametrize("dataset", drawn()[:3])
def test_the_weights_of_days_that_count_are_equal_and_average_one_over_all_places(dataset: SequenceDataset) -> None:
    _, _, weights = dataset.batch(slice(None))
    parts = np.concatenate([dataset.batch(slice(start, start + 4))[2] for start in range(0, len(dataset), 4)])

    assert len(np.unique(weights[weights > 0])) == 1
    assert weights.mean() == pytest.approx(1, abs=1e-6)
    # The same however they are batched, so that the mean over batches is that over days.
    assert parts.tolist() == weights.tolist()


def test_a_series_shorter_than_a_sequence_is_answered_as_far_as_it_reaches() -> None:
    days = np.arange(12.0)
    windows = WindowDataset(days[:, None], days, np.array([4, 5, 6]), window=WINDOW, horizon=HORIZON, target=PRICE)
    dataset = SequenceDataset.cut(windows, LENGTH)

    assert answered(dataset) == [[4, 5, 6]]
    assert dataset.batch(slice(None))[0][0, :, 0].tolist() == [0, 1, 2, 3, 4, 5, 6, 6, 6, 6, 6, 6]
