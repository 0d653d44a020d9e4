"""Columns of one's own: how a file's column becomes an input."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stockcast.data.csv.options import CsvOptions, OwnColumn
from stockcast.data.features import make_features
from stockcast.data.own_columns import OwnColumns, check_varies, join_by_date
from stockcast.data.prices import Prices, read_prices
from stockcast.errors import DataError, MissingColumns

NAN = float("nan")


def own(values: list[float], *, transform: str = "level", carry: int = 0) -> OwnColumns:
    days = pd.bdate_range("2018-01-01", periods=len(values), name="Date")
    columns = (OwnColumn("VIX", transform, carry),)  # type: ignore[arg-type]
    return OwnColumns(columns, pd.DataFrame({"VIX": values}, index=days))


def inputs(values: list[float], **settings: object) -> list[float]:
    return own(values, **settings).feature("VIX").tolist()  # type: ignore[arg-type]


def same(found: list[float], expected: list[float]) -> bool:
    return found == pytest.approx(expected, nan_ok=True)


def test_a_level_is_the_value() -> None:
    assert inputs([3, -1, 4], transform="level") == [3, -1, 4]


def test_a_change_is_the_value_less_that_of_the_day_before() -> None:
    assert same(inputs([3, -1, 4], transform="change"), [NAN, -4, 5])


def test_a_log_change_is_the_log_of_the_ratio() -> None:
    assert same(inputs([10, 11, 5.5], transform="log_change"), [NAN, 0.0953101798043249, -0.6931471805599453])


def test_a_zscore_is_in_deviations_of_the_days_up_to_today_from_the_twentieth_on() -> None:
    values = [*[0.0, 2.0] * 10, 10.0]
    found = inputs(values, transform="zscore_250")
    assert np.isnan(found[:19]).all()
    # Of ten zeros and ten twos the mean is 1, the squares about it sum to 20: the deviation is the root of 20/19.
    assert found[19] == pytest.approx(1 / np.sqrt(20 / 19))
    # With a ten, the sum is 30 of 21 and that of the squares 140: 140 - 900/21 by 20 is the variance.
    assert found[20] == pytest.approx((10 - 30 / 21) / np.sqrt((140 - 900 / 21) / 20))


def test_a_zscore_forgets_what_is_older_than_250_days() -> None:
    recent = np.random.default_rng(0).standard_normal(250).tolist()
    old, other = (
        inputs([1e3] * 50 + recent, transform="zscore_250"),
        inputs([-7.0] * 50 + recent, transform="zscore_250"),
    )
    assert old[-1] == pytest.approx(other[-1])
    assert old[-2] != pytest.approx(other[-2])


def test_a_zscore_of_what_never_changed_is_zero_and_a_first_change_is_six_at_most() -> None:
    found = inputs([0.1] * 300 + [0.2], transform="zscore_250")
    assert set(found[20:300]) == {0.0}
    assert found[300] == 6


@pytest.mark.parametrize("transform", ["level", "change", "log_change", "zscore_250"])
def test_later_values_change_no_input_to_the_last_bit(transform: str) -> None:
    values = np.exp(np.random.default_rng(1).standard_normal(400))
    later = values.copy()
    later[300:] *= 1000
    assert (
        inputs(values.tolist(), transform=transform)[:300][20:]
        == inputs(later.tolist(), transform=transform)[:300][20:]
    )


def test_a_gap_is_filled_by_the_value_before_it_for_so_many_rows_and_never_by_a_later_one() -> None:
    values = [NAN, 1, NAN, NAN, NAN, 5]
    assert same(inputs(values, carry=0), values)
    assert same(inputs(values, carry=2), [NAN, 1, 1, 1, NAN, 5])
    assert same(inputs(values, carry=3), [NAN, 1, 1, 1, 1, 5])


def test_a_carried_value_has_not_changed_and_the_first_after_a_longer_gap_is_not_known_to_have() -> None:
    assert same(inputs([1, NAN, NAN, 4, 5], carry=1, transform="change"), [NAN, 0, NAN, NAN, 1])


def test_gaps_are_named_by_their_days_and_an_end_apart_from_the_others() -> None:
    columns = own([NAN, 1, NAN, NAN, 5, NAN, NAN, NAN], carry=1)
    within, ended = sorted(columns.gaps(slice(None)), key=lambda gap: gap.at_the_end)
    assert within.sentence == "own:VIX has no value on 2 of 8 days, the first 2018-01-01"  # one day is carried
    assert (ended.days, ended.sentence) == (2, "own:VIX has no value since 2018-01-09 (2 days)")
    (all_of_them,) = columns.gaps(slice(6, 8))
    assert all_of_them.sentence == "own:VIX has no value from 2018-01-09 to 2018-01-10"
    assert list(columns.gaps(slice(1, 3))) == []


def test_values_are_joined_by_date_a_weekends_to_monday_and_none_from_more_than_a_week_before() -> None:
    days = pd.DatetimeIndex(["2018-01-05", "2018-01-08", "2018-01-09", "2018-02-01"])
    dated = {"2018-01-05": 1, "2018-01-06": 2, "2018-01-07": 3, "2018-01-09": 4, "2018-01-10": 5, "2018-02-02": 6}
    values = pd.DataFrame({"VIX": dated.values()}, index=pd.DatetimeIndex(dated), dtype=float)
    shuffled = values.sample(frac=1, random_state=0)
    assert same(join_by_date(shuffled, days)["VIX"].tolist(), [1, 3, 4, NAN])


def test_a_value_of_a_missing_day_never_moves_to_a_day_before_it() -> None:
    days = pd.bdate_range("2018-01-01", periods=60)
    random = np.random.default_rng(0)
    for _ in range(50):
        dates = pd.DatetimeIndex(random.choice(pd.date_range("2017-12-20", "2018-04-01"), 40, replace=False))
        stamps = pd.DataFrame({"x": dates.to_numpy().astype("datetime64[D]").astype(float)}, index=dates)
        found = join_by_date(stamps, days)["x"]
        ages = days.to_numpy().astype("datetime64[D]").astype(float) - found
        assert ((ages >= 0) & (ages <= 7) | ages.isna()).all()


# Columns of a price file.

FILE = "Date,Close, vix ,Put_Call\n2018-01-02,10,20.5,0.9\n2018-01-03,11,,-0.1\n2018-01-04,12,19,n/a\n"


def read(text: str | Path, *columns: OwnColumn, tmp_path: Path, **options: object) -> Prices:
    path = tmp_path / "prices.csv"
    path.write_text(str(text))
    return read_prices(path, options=CsvOptions(own=columns, **options))  # type: ignore[arg-type]


def refused(text: str, *columns: OwnColumn, tmp_path: Path, **options: object) -> DataError:
    with pytest.raises(DataError) as error:
        read(text, *columns, tmp_path=tmp_path, **options)
    return error.value


def place(error: DataError) -> tuple[int | None, str | None, object]:
    return error.line, error.column, error.value


def test_a_column_is_found_whatever_its_case_and_spaces_and_may_be_negative_or_empty(tmp_path: Path) -> None:
    prices = read(FILE, OwnColumn("VIX", "level", 1), OwnColumn("put call", "level", 0), tmp_path=tmp_path)
    assert list(prices.bars.columns) == ["Close"]
    assert same(make_features(prices, ("own:VIX", "own:put call", "Close")).ravel().tolist(),
                [20.5, 0.9, 10, 20.5, -0.1, 11, 19, NAN, 12])  # fmt: skip


def test_columns_that_are_not_asked_for_are_not_kept(tmp_path: Path) -> None:
    assert read(FILE, tmp_path=tmp_path).own is None
    prices = read(FILE, OwnColumn("VIX"), tmp_path=tmp_path)
    assert prices.own is not None
    assert (list(prices.own.values), prices.own.others) == (["VIX"], ("vix", "Put_Call"))


def test_a_column_that_no_file_has_is_missing_and_has_no_value(tmp_path: Path) -> None:
    prices = read(FILE, OwnColumn("Nope"), OwnColumn("Close"), tmp_path=tmp_path)
    assert prices.own is not None
    assert prices.own.missing == ("Nope", "Close")  # a bar is no own column
    assert np.isnan(make_features(prices, ("own:Nope",))).all()


def test_a_frame_has_own_columns_as_its_csv_has(tmp_path: Path) -> None:
    frame = pd.read_csv(pd.io.common.StringIO(FILE), parse_dates=["Date"])
    options = CsvOptions(own=(OwnColumn("VIX", "level", 1),))
    found = make_features(read_prices(frame.set_index("Date"), options=options), ("own:VIX",))
    assert same(found.ravel().tolist(), [20.5, 20.5, 19])


def test_until_a_day_own_columns_end_with_the_bars(tmp_path: Path) -> None:
    prices = read(FILE, OwnColumn("VIX", "level", 0), tmp_path=tmp_path)
    first = prices.until(pd.Timestamp("2018-01-02").date())
    assert make_features(first, ("own:VIX",)).ravel().tolist() == [20.5]


def test_newest_first_and_days_outside_the_span_are_as_in_the_sorted_file(tmp_path: Path) -> None:
    header, *rows = FILE.splitlines()
    path = tmp_path / "prices.csv"
    path.write_text("\n".join([header, *reversed(rows), ""]))
    options = CsvOptions(own=(OwnColumn("VIX", "level", 0),))
    prices = read_prices(path, options=options, start=pd.Timestamp("2018-01-03").date())
    assert same(make_features(prices, ("own:VIX",)).ravel().tolist(), [NAN, 19])


def test_a_row_without_a_close_gives_its_value_to_the_next(tmp_path: Path) -> None:
    text = "Date,Close,VIX\n2018-01-02,10,20\n2018-01-03,,21\n2018-01-04,12,\n"
    prices = read(text, OwnColumn("VIX", "level", 0), tmp_path=tmp_path)
    assert make_features(prices, ("own:VIX",)).ravel().tolist() == [20, 21]


def test_a_word_is_refused_by_line_column_and_value(tmp_path: Path) -> None:
    error = refused(FILE.replace("19,", "calm,"), OwnColumn("VIX"), tmp_path=tmp_path)
    assert place(error) == (4, "VIX", "calm")


def test_a_column_of_text_is_refused_once(tmp_path: Path) -> None:
    text = "Date,Close,Note\n2018-01-02,10,up\n2018-01-03,11,down\n"
    error = refused(text, OwnColumn("Note"), tmp_path=tmp_path)
    assert place(error) == (2, "Note", "up")
    assert len(error.problems) == 1


@pytest.mark.parametrize("cell", ["inf", "1e19", "-2e18"])
def test_a_number_that_leaves_no_digits_of_others_is_refused(cell: str, tmp_path: Path) -> None:
    assert place(refused(FILE.replace("19,", f"{cell},"), OwnColumn("VIX"), tmp_path=tmp_path)) == (4, "VIX", cell)


@pytest.mark.parametrize("cell", ["0", "-1"])
def test_what_has_no_logarithm_is_refused_where_one_is_taken(cell: str, tmp_path: Path) -> None:
    text = FILE.replace("19,", f"{cell},")
    assert place(refused(text, OwnColumn("VIX", "log_change"), tmp_path=tmp_path)) == (4, "VIX", cell)
    assert read(text, OwnColumn("VIX", "change"), tmp_path=tmp_path).own is not None


def test_two_columns_of_the_name_are_refused_with_both(tmp_path: Path) -> None:
    error = refused(FILE.replace("Put_Call", "V I X"), OwnColumn("VIX"), tmp_path=tmp_path)
    assert place(error) == (1, "VIX", "3 and 4")


def test_a_day_that_stands_twice_with_two_values_is_refused_by_its_second_line(tmp_path: Path) -> None:
    text = "Date,Close,VIX\n2018-01-02,10,20\n2018-01-02,10,21\n2018-01-03,11,\n"
    assert place(refused(text, OwnColumn("VIX"), tmp_path=tmp_path)) == (3, "VIX", 21)
    assert read(text.replace("21", "20"), OwnColumn("VIX"), tmp_path=tmp_path).own is not None


def test_thousands_are_not_taken_for_decimals_nor_decimals_for_thousands(tmp_path: Path) -> None:
    doubtful = "Date;Close;VIX\n2018-01-02;10;17,125\n2018-01-03;11;18,250\n"
    error = refused(doubtful, OwnColumn("VIX"), tmp_path=tmp_path, separator=";")
    assert (*place(error), error.key) == (2, "VIX", "17,125", "data.decimal")
    prices = read(doubtful, OwnColumn("VIX", "level", 0), tmp_path=tmp_path, separator=";", decimal=",")
    assert make_features(prices, ("own:VIX",)).ravel().tolist() == [17.125, 18.25]
    certain = doubtful.replace(";10;", ";10.5;")  # a price shows that the point is the decimal mark
    prices = read(certain, OwnColumn("VIX", "level", 0), tmp_path=tmp_path, separator=";")
    assert make_features(prices, ("own:VIX",)).ravel().tolist() == [17125, 18250]


def test_bars_within_the_day_have_no_one_value_of_an_own_column(tmp_path: Path) -> None:
    text = "Date,Close,VIX\n2018-01-02 10:00,10,20\n2018-01-02 11:00,11,21\n"
    error = refused(text, OwnColumn("VIX"), tmp_path=tmp_path, resample="1d")
    assert (error.key, error.column) == ("data.resample", "VIX")


def test_an_own_column_that_never_changes_is_refused_and_any_other_is_left_alone() -> None:
    features = np.array([[1.0, NAN, 5.0, NAN], [1.0, 2.0, 6.0, NAN], [1.0, 2.0, 7.0, NAN]])
    names = ["Close", "own:A", "own:B", "own:C"]
    with pytest.raises(DataError) as error:
        check_varies(features, names)
    assert (error.value.column, error.value.key, error.value.value) == ("own:A", "features", 2.0)
    check_varies(features[:, [0, 2, 3]], ["Close", "own:B", "own:C"])


def test_prices_that_were_read_without_a_column_cannot_give_its_feature(make_prices) -> None:
    with pytest.raises(ValueError, match="own:VIX"):
        make_features(make_prices({"Close": [1.0, 2.0]}), ("own:VIX",))


def test_a_bar_that_is_missing_beside_an_own_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingColumns) as error:
        make_features(read(FILE, OwnColumn("VIX"), tmp_path=tmp_path), ("own:VIX", "log_range"))
    assert error.value.column == "High"
