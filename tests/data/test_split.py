from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from stockcast.data.split import PARTS, Split, split_at, split_days
from stockcast.errors import NotEnoughDays

# 100 business days: 2018-01-01 is a Monday, so day 60 is the Monday twelve weeks later.
DATES = np.busday_offset("2018-01-01", np.arange(100))


def split_hundred() -> Split:
    return split_days(DATES, validation=0.1, calibration=0.1, test=0.2)


def targets(split: Split, part: str, *, window: int, horizon: int) -> np.ndarray:
    """Target days of the origins of a part, shape (origins, horizon)."""
    origins = split.origins(part, window=window, horizon=horizon)
    return np.array([[origin + step for step in range(1, horizon + 1)] for origin in origins])


def test_a_hundred_days_divide_into_60_10_10_and_20():
    split = split_hundred()

    assert [split.part(part) for part in PARTS] == [slice(0, 60), slice(60, 70), slice(70, 80), slice(80, 100)]


def test_a_hundred_days_have_these_origins_for_a_window_of_10_and_a_horizon_of_5():
    origins = {part: split_hundred().origins(part, window=10, horizon=5).tolist() for part in PARTS}

    # training: the first window ends on day 9; from day 54 the five targets are 55..59, the last training days
    assert origins["training"] == list(range(9, 55))
    # validation, days 60..69: the targets of day 59 are 60..64, of day 64 are 65..69
    assert origins["validation"] == [59, 60, 61, 62, 63, 64]
    assert origins["calibration"] == [69, 70, 71, 72, 73, 74]
    # test, days 80..99: the targets of day 79 are 80..84, of day 94 are 95..99
    assert origins["test"] == list(range(79, 95))


@pytest.mark.parametrize("window", [1, 3, 20, 50])
@pytest.mark.parametrize("horizon", [1, 2, 7, 10])
def test_every_target_day_lies_in_its_part_and_every_window_in_the_data(window, horizon):
    rng = np.random.default_rng(window * 100 + horizon)
    for _ in range(10):
        validation, calibration, test = rng.uniform(0.11, 0.14, 3)
        split = split_days(DATES, validation=validation, calibration=calibration, test=test)
        for part in PARTS:
            span = split.part(part)
            days = targets(split, part, window=window, horizon=horizon)

            assert days.min() >= span.start
            assert days.max() < span.stop
            assert (days[:, 0] - window >= 0).all()
            # none is left out: an origin earlier or later breaks a window or a border
            assert days[0, 0] == max(span.start, window)
            assert days[-1, -1] == span.stop - 1
            assert (np.diff(days[:, 0]) == 1).all()


@pytest.mark.parametrize("horizon", [1, 5, 10])
def test_no_target_day_is_shared_between_parts(horizon):
    days = [set(targets(split_hundred(), part, window=10, horizon=horizon).ravel()) for part in PARTS]

    for earlier, later in pairwise(days):
        assert not earlier & later
        assert max(earlier) < min(later)


def test_parts_follow_each_other_without_a_gap_up_to_the_last_day():
    spans = [split_hundred().part(part) for part in PARTS]

    assert (spans[0].start, spans[-1].stop) == (0, 100)
    assert all(before.stop == after.start for before, after in pairwise(spans))


def test_borders_by_date_equal_borders_by_share():
    by_date = split_days(
        DATES,
        validation=DATES[60].astype(object),
        calibration=DATES[70].astype(object),
        test=DATES[80].astype(object),
    )

    assert by_date == split_hundred()


def test_dates_and_shares_mix():
    mixed = split_days(DATES, validation=0.1, calibration=0.1, test=DATES[80].astype(object))

    assert mixed == split_hundred()


def test_a_border_on_a_day_without_trading_starts_the_part_on_the_next_trading_day():
    saturday = date(2018, 4, 21)
    split = split_days(DATES, validation=0.1, calibration=0.1, test=saturday)

    assert str(DATES[split.part("test").start]) == "2018-04-23"


def test_days_that_come_later_do_not_move_borders_given_by_date():
    borders = {"validation": date(2018, 3, 26), "calibration": date(2018, 4, 9), "test": date(2018, 4, 23)}
    short, long = split_days(DATES[:90], **borders), split_days(DATES, **borders)

    assert short.days[:4] == long.days[:4]
    assert (short.days[4], long.days[4]) == (90, 100)


@pytest.mark.parametrize(
    ("part", "border"),
    [
        ("test", date(2030, 1, 1)),
        ("test", date(1990, 1, 1)),
        ("calibration", date(2018, 5, 1)),
        ("validation", date(2018, 4, 25)),
        ("validation", 0.001),
        ("validation", 0.7),
    ],
)
def test_an_impossible_border_is_refused_by_its_key_with_the_datas_first_and_last_day(part, border):
    # test starts on 2018-04-23, calibration on 2018-04-09, validation on 2018-03-26
    with pytest.raises(NotEnoughDays) as error:
        split_days(DATES, **{"validation": 0.1, "calibration": 0.1, "test": 0.2, part: border})
    assert (error.value.key, error.value.value) == (f"split.{part}", border)
    assert "2018-01-01 to 2018-05-18 (100 bars)" in str(error.value)


@pytest.mark.parametrize(
    ("part", "window", "days", "needed"), [("validation", 10, 10, "at least 11"), ("training", 50, 60, "at least 61")]
)
def test_a_part_too_short_for_window_and_horizon_is_refused_with_what_it_needs(part, window, days, needed):
    with pytest.raises(NotEnoughDays) as error:
        split_hundred().origins(part, window=window, horizon=11)
    assert (error.value.key, error.value.value) == (f"split.{part}", days)
    assert needed in str(error.value)


def test_the_fewest_days_that_a_refusal_asks_for_are_enough():
    assert split_hundred().origins("validation", window=10, horizon=10).tolist() == [59]
    assert split_hundred().origins("training", window=50, horizon=10).tolist() == [49]


def in_blocks(*blocks: tuple[int, int]) -> Split:
    """Seventy training days with these blocks in them, by their first and last day; then ten and twenty days."""
    days = [day.astype(date) for day in DATES]
    validation = tuple((days[first], days[last]) for first, last in blocks)
    return split_days(DATES, validation=validation, calibration=days[70], test=days[80])


def test_blocks_of_validation_have_these_origins_and_leave_training_these() -> None:
    split = in_blocks((20, 29), (50, 54))
    origins = {part: split.origins(part, window=6, horizon=3).tolist() for part in PARTS}

    # The three targets of day 16 are 17 to 19; the window of day 35 is 30 to 35, the first that misses the block.
    assert origins["training"] == [*range(5, 17), *range(35, 47), *range(60, 67)]
    # As in any part: the targets of day 19 are 20 to 22, of day 26 are 27 to 29.
    assert origins["validation"] == [*range(19, 27), 49, 50, 51]
    assert origins["calibration"] == list(range(69, 77))
    assert origins["test"] == list(range(79, 97))
    assert split.part("training") == slice(0, 70)
    assert split.training_stretches() == [slice(0, 20), slice(30, 50), slice(55, 70)]


@pytest.mark.parametrize("window", [1, 4, 11])
@pytest.mark.parametrize("horizon", [1, 2, 7])
def test_neither_window_nor_targets_of_training_touch_a_block_and_none_that_could_is_left_out(
    window: int, horizon: int
) -> None:
    rng = np.random.default_rng(window * 10 + horizon)
    for _ in range(20):
        first, last, second, end = np.sort(rng.choice(np.arange(68), size=4, replace=False)).tolist()
        blocks = {*range(first, last + 1), *range(second, end + 1)}
        # The windows before the first block need not miss one, as there is none behind them.
        possible = [
            origin
            for origin in range(window - 1, 70 - horizon)
            if not blocks & set(range(origin - window + 1, origin + horizon + 1))
        ]
        split = in_blocks((first, last), (second, end))

        assert split.origins("training", window=window, horizon=horizon, required=False).tolist() == possible


def test_a_block_that_a_series_does_not_reach_is_none() -> None:
    blocks = ((date(2001, 1, 1), date(2002, 12, 31)), (date(2018, 2, 1), date(2018, 2, 14)))
    split = split_at(DATES, validation=blocks, calibration=date(2018, 4, 9), test=date(2018, 4, 23))

    # 2018-02-01 is the Thursday of the fifth week, 2018-04-09 the Monday of the fifteenth.
    assert split.blocks == (slice(23, 33),)
    assert split.days == (0, 70, 70, 80, 100)


def test_blocks_that_reach_into_calibration_or_lie_beside_the_data_are_refused() -> None:
    with pytest.raises(NotEnoughDays, match="its last block ends on 2018-04-09, and calibration begins on 2018-04-09"):
        in_blocks((20, 29), (60, 70))
    with pytest.raises(NotEnoughDays, match="no bar lies in its blocks; the data run from 2018-01-01"):
        split_days(DATES, validation=((date(2001, 1, 1), date(2002, 1, 1)),), calibration=0.1, test=0.2)
