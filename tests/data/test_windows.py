import tracemalloc
from dataclasses import fields

import numpy as np
import pytest

from stockcast.data.scaler import Scaler
from stockcast.data.target import TargetTransform
from stockcast.data.windows import WindowDataset

RNG = np.random.default_rng(2)
SCALED = RNG.normal(size=(80, 3))
CLOSES = RNG.uniform(50, 150, 80)
ORIGINS = np.array([9, 10, 33, 33, 74])
PRICE = TargetTransform("price", Scaler(np.array([100.0]), np.array([10.0]), np.array([100.0])))


def windows(scaled=SCALED, closes=CLOSES, origins=ORIGINS, *, window=10, horizon=5) -> WindowDataset:
    return WindowDataset(scaled, closes, origins, window=window, horizon=horizon, target=PRICE)


def by_hand(rows: list[int]) -> list[list[list[float]]]:
    """Windows of 10 days by a plain loop, oldest day first."""
    batch = []
    for row in rows:
        origin = int(ORIGINS[row])
        batch.append([[float(value) for value in SCALED[day]] for day in range(origin - 9, origin + 1)])
    return batch


@pytest.mark.parametrize("rows", [[0, 1, 2, 3, 4], [4], [3, 0, 3], []])
def test_a_batch_equals_a_plain_loop_over_its_rows(rows):
    batch = windows().inputs(np.array(rows, dtype=int))

    assert batch.shape == (len(rows), 10, 3)
    assert batch.tolist() == np.array(by_hand(rows), dtype=np.float32).reshape(-1, 10, 3).tolist()


def test_a_slice_of_rows_is_a_batch_too():
    assert windows().inputs(slice(1, 4)).tolist() == windows().inputs(np.array([1, 2, 3])).tolist()
    assert windows().targets(slice(1, 4)).tolist() == windows().targets(np.array([1, 2, 3])).tolist()


def test_without_rows_every_window_comes():
    assert windows().inputs().shape == (5, 10, 3)
    assert windows().targets().shape == (5, 5)
    assert len(windows()) == 5


def test_inputs_end_with_the_origins_own_day():
    last_days = windows().inputs()[:, -1]

    assert last_days.tolist() == SCALED[[9, 10, 33, 33, 74]].astype(np.float32).tolist()


def test_the_first_possible_window_begins_with_the_first_day():
    assert windows().inputs(np.array([0]))[0, 0].tolist() == SCALED[0].astype(np.float32).tolist()


def test_days_after_the_origin_never_change_its_inputs():
    for row, origin in enumerate(ORIGINS):
        nonsense = SCALED.copy()
        nonsense[origin + 1 :] = 1e9

        assert windows(scaled=nonsense).inputs(np.array([row])).tobytes() == windows().inputs(np.array([row])).tobytes()


def test_days_before_the_window_never_change_its_inputs():
    for row, origin in enumerate(ORIGINS):
        nonsense = SCALED.copy()
        nonsense[: origin - 9] = 1e9

        assert windows(scaled=nonsense).inputs(np.array([row])).tobytes() == windows().inputs(np.array([row])).tobytes()


def test_targets_begin_with_the_day_after_the_origin():
    # closes 0, 10, 20, ... of the day's number; the unit is (price - 100) / 10
    targets = windows(closes=10.0 * np.arange(80), origins=np.array([9, 74])).targets()

    assert targets.tolist() == [[0, 1, 2, 3, 4], [65, 66, 67, 68, 69]]  # days 10 to 14, and 75 to 79


def test_batches_are_float32():
    assert windows().inputs().dtype == np.float32
    assert windows().targets().dtype == np.float32


def test_a_window_of_one_day_is_the_origins_day():
    assert windows(window=1).inputs().tolist() == SCALED[ORIGINS][:, None].astype(np.float32).tolist()


def test_the_features_are_kept_as_they_are_and_not_copied():
    made = windows()

    assert np.shares_memory(made.scaled, SCALED)
    assert np.shares_memory(made.target_prices, CLOSES)


def test_a_batch_may_be_overwritten_without_harm_to_the_features():
    before = SCALED.copy()
    windows().inputs()[:] = 0

    assert SCALED.tolist() == before.tolist()


def test_memory_grows_with_days_and_not_with_days_times_window():
    scaled, closes = np.zeros((50_000, 7)), np.ones(50_000)
    origins = np.arange(49, 49_950)
    tracemalloc.start()
    try:
        made = windows(scaled, closes, origins, window=50, horizon=50)
        made.inputs(np.arange(32))
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    arrays = [value for field in fields(made) if isinstance(value := getattr(made, field.name), np.ndarray)]
    assert sum(array.size for array in arrays) == 50_000 * 7 + 50_000 + len(origins)
    # all windows at once would be 50,000 x 50 x 7 x 4 bytes = 70 MB; one batch of 32 is 45 kB
    assert kept < 100_000
    assert peak < 1_000_000


def test_the_targets_of_several_columns_are_each_columns_own():
    # Opens of the day's number, closes of a thousand and the day's number, on scales of 1 and of 10.
    bars = np.stack([np.arange(80.0), 1000 + np.arange(80.0)], axis=1)
    target = TargetTransform(
        "price", Scaler(np.array([0.0, 1000.0]), np.array([1.0, 10.0]), np.zeros(2)), ("Open", "Close")
    )
    made = WindowDataset(SCALED, bars, np.array([9, 30]), window=10, horizon=2, target=target)

    assert made.targets(np.array([1])).tolist() == np.array([[[31, 3.1], [32, 3.2]]], dtype=np.float32).tolist()
