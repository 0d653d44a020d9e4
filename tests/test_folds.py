"""Where the cut-offs of a backtest lie, and what each fold may know."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from made import TINY

from stockcast.config.load import parse_config
from stockcast.config.schema import Config
from stockcast.data.split import split_at
from stockcast.errors import ConfigError, NotEnoughDays
from stockcast.forecasting.folds import Fold, FoldPlan, plan_folds

DATES = np.arange("2001-01-01", "2001-04-11", dtype="datetime64[D]")  # a hundred days, one after the other
ALONE = TINY + "calibration: none\n"


def config(text: str = ALONE, **overrides: object) -> Config:
    return parse_config(text, source="test", folder=Path("/nowhere"), overrides=overrides)


def day(index: int) -> date:
    return DATES[index].astype(object)


def parts(fold: Fold) -> dict[str, range]:
    """The days of each part of a fold's run, as indices of all days, by its config alone."""
    own = fold.config
    first, last = (np.datetime64(border) for border in (own.data.start or DATES[0], own.data.end))
    dates = DATES[np.searchsorted(DATES, first) : np.searchsorted(DATES, last, side="right")]
    start = int(np.searchsorted(DATES, dates[0]))
    split = split_at(dates, **dict(own.split))
    names = ("training", "validation", "calibration", "test")
    return {name: range(start + split.part(name).start, start + split.part(name).stop) for name in names}


def origins(fold: Fold) -> list[int]:
    """The days that a fold's run is scored from: their 3 targets all lie in the test."""
    test = parts(fold)["test"]
    return list(range(test.start - 1, test.stop - 3))


def test_two_folds_of_a_hundred_days_lie_where_they_do_by_hand() -> None:
    # 97 is the last first target with 3 days; of the 48 from the middle on, 24 are of each fold. The config divides the
    # 80 days before its test into 60, 10 and 10: an eighth of the past each, 6 of 50 and 9 of 74.
    first, second = plan_folds(config(), DATES, FoldPlan(folds=2))
    assert (first.cutoff, first.last, first.config.data.end) == (day(50), day(73), day(75))
    assert (second.cutoff, second.last, second.config.data.end) == (day(74), day(99), day(99))
    assert parts(first) == {"training": range(38), "validation": range(38, 44), "calibration": range(44, 50),
                            "test": range(50, 76)}  # fmt: skip
    assert parts(second) == {"training": range(56), "validation": range(56, 65), "calibration": range(65, 74),
                             "test": range(74, 100)}  # fmt: skip


@pytest.mark.parametrize(
    ("plan", "first"),
    [
        (FoldPlan(folds=1), 50),
        (FoldPlan(folds=7), 50),
        (FoldPlan(refit_every=5, first=day(41)), 41),
        (FoldPlan(refit_every=20, first=day(45), rolling=True), 45),
        (FoldPlan(folds=3, refit_every=10), 68),
    ],
)
def test_each_day_from_the_first_cut_off_on_is_forecast_in_one_fold(plan: FoldPlan, first: int) -> None:
    folds = plan_folds(config(), DATES, plan)
    assert [origin for fold in folds for origin in origins(fold)] == list(range(first - 1, 97))
    for fold in folds:
        *others, test = parts(fold).values()
        assert day(test.start) == fold.cutoff
        assert max(part.stop for part in others) == test.start  # nothing else ends after the cut-off
        assert all(len(part) >= 3 for part in others)


def test_a_rolling_past_has_as_many_days_at_each_cut_off() -> None:
    folds = plan_folds(config(), DATES, FoldPlan(folds=3, rolling=True))
    pasts = [parts(fold)["test"].start - parts(fold)["training"].start for fold in folds]
    assert pasts == [50, 50, 50]
    assert len({fold.name for fold in folds}) == 3
    assert folds[2].name.endswith(f"_since_{folds[2].config.data.start}")


def test_no_day_from_a_border_on_is_in_any_fold() -> None:
    folds = plan_folds(config(), DATES, FoldPlan(folds=2, before=day(80)))
    assert [fold.config.data.end for fold in folds] == [day(60), day(79)]
    assert [parts(fold)["test"].start for fold in folds] == [40, 59]
    assert parts(folds[0])["calibration"] == range(35, 40)  # an eighth, as of all hundred days


def test_blocks_of_validation_after_a_folds_calibration_begins_are_left_out() -> None:
    blocks = "[[2001-01-20, 2001-01-25], [2001-02-20, 2001-02-25]]"
    text = f"{ALONE}split: {{validation: {blocks}, calibration: 2001-03-12, test: 2001-03-22}}\n"
    early, late = plan_folds(config(text), DATES, FoldPlan(refit_every=30, first=day(45)))
    assert len(early.config.blocks) == 1
    assert len(late.config.blocks) == 2


def test_a_cut_off_before_every_block_is_refused_with_the_first_one_that_would_do() -> None:
    text = ALONE + "split: {validation: [[2001-02-20, 2001-02-25]], calibration: 2001-03-12, test: 2001-03-22}\n"
    with pytest.raises(NotEnoughDays) as refused:
        plan_folds(config(text), DATES, FoldPlan(folds=1, first=day(45)))
    assert "No block of split.validation lies between 2001-01-01 and" in str(refused.value)
    first = date.fromisoformat(str(refused.value).rpartition("can be ")[2][:10])
    assert plan_folds(config(text), DATES, FoldPlan(folds=1, first=first))
    with pytest.raises(NotEnoughDays):
        plan_folds(config(text), DATES, FoldPlan(folds=1, first=date.fromordinal(first.toordinal() - 1)))


def test_a_past_too_short_is_refused_with_the_first_cut_off_that_would_do() -> None:
    with pytest.raises(NotEnoughDays) as refused:
        plan_folds(config(), DATES, FoldPlan(folds=1, first=day(10)))
    first = date.fromisoformat(str(refused.value).rpartition("can be ")[2][:10])
    folds = plan_folds(config(), DATES, FoldPlan(folds=1, first=first))
    assert all(len(part) >= 3 for part in parts(folds[0]).values())
    with pytest.raises(NotEnoughDays):
        plan_folds(config(), DATES, FoldPlan(folds=1, first=date.fromordinal(first.toordinal() - 1)))


def test_bands_need_their_calibration_days() -> None:
    with pytest.raises(NotEnoughDays, match="calibration origins are too few"):
        plan_folds(config(TINY), DATES, FoldPlan(folds=1))


@pytest.mark.parametrize(
    ("plan", "key", "words"),
    [
        (FoldPlan(folds=0), "--folds", "at least 1"),
        (FoldPlan(refit_every=0), "--refit-every", "at least 1"),
        (FoldPlan(folds=49), "--folds", "only 48 forecasts from 2001-02-20 on"),
        (FoldPlan(folds=50, refit_every=10), "--folds", "need 500 forecasts"),
        (FoldPlan(folds=2, refit_every=10, first=day(50)), "--from", "leave --from out"),
        (FoldPlan(folds=1, first=date(2001, 4, 9)), "--from", "2 bars from 2001-04-09 on"),
        (FoldPlan(folds=1, first=date(2030, 1, 1)), "--from", "0 bars from 2030-01-01 on"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(plan: FoldPlan, key: str, words: str) -> None:
    with pytest.raises((ConfigError, NotEnoughDays)) as refused:
        plan_folds(config(), DATES, plan)
    assert refused.value.key == key
    assert words in str(refused.value)


def test_no_cut_off_at_all_is_told_apart_from_one_too_early() -> None:
    with pytest.raises(NotEnoughDays, match="No cut-off from 2001-01-01 to 2001-04-10 leaves bars enough"):
        plan_folds(config(ALONE, window=90), DATES, FoldPlan(folds=1))
