"""Tables in every form give the same forecasts; what is wrong in them is an error with its line."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from submissions import FORMS, darts, hubverse, hubverse_samples, nixtla, samples

from stockcast.errors import DataError
from stockcast.forecast import LEVELS
from stockcast.judging.rows import FEWEST_SAMPLES, read_rows
from stockcast.judging.submitted import SubmittedForecasts
from stockcast.judging.tables import read_table


def read(frame: pd.DataFrame) -> list[SubmittedForecasts]:
    return read_rows(read_table(frame), model="file").forecasts


def by_day(submitted: SubmittedForecasts) -> tuple[np.ndarray, ...]:
    order = np.lexsort([submitted.targets, submitted.cutoffs])
    return submitted.cutoffs[order], submitted.targets[order], submitted.quantiles[order]


@pytest.mark.parametrize("written", ["frame", "csv", "semicolons", "parquet"])
@pytest.mark.parametrize("name", FORMS)
def test_every_form_and_kind_of_file_gives_the_forecast_to_the_last_bit(name, written, forecast, tmp_path):
    frame = FORMS[name](forecast, model="A", series="S")
    path = tmp_path / "f.csv"
    if written == "parquet":
        frame.to_parquet(path, index=False)
    elif written != "frame":
        frame.to_csv(path, index=False, sep=";" if written == "semicolons" else ",")
    (found,) = read_rows(read_table(frame if written == "frame" else path), model="file").forecasts
    assert (found.model, found.series, found.kind) == ("A", "S", "quantiles")
    assert np.array_equal(found.levels, forecast.levels)
    cutoffs, targets, quantiles = by_day(found)
    assert np.array_equal(quantiles, forecast.quantiles.reshape(len(quantiles), -1))
    assert np.array_equal(targets, forecast.target_dates.ravel())
    # GluonTS names the first day forecast: the day before it, a Sunday where it is a Monday, is the last known.
    known = forecast.target_dates[:, 0] - 1 if name == "gluonts" else forecast.origin_dates
    assert np.array_equal(cutoffs, np.repeat(known, forecast.horizon))
    assert found.starts == (name == "gluonts")


def test_several_models_and_series_of_one_file_are_kept_apart(forecast):
    frames = [hubverse(forecast, model=model, series=series) for model in "AB" for series in "XY"]
    found = read(pd.concat(frames[::-1]).sample(frac=1, random_state=0))
    assert {(each.model, each.series) for each in found} == {(model, series) for model in "AB" for series in "XY"}
    assert {len(each.targets) for each in found} == {300}


def test_the_file_names_a_model_that_no_column_names(forecast):
    assert [each.model for each in read(hubverse(forecast).drop(columns="model_id"))] == ["file"]


def test_samples_become_quantiles_at_the_levels_wide_and_long(forecast):
    (wide,), (long,) = read(samples(forecast)), read(hubverse_samples(forecast))
    assert np.array_equal(wide.levels, LEVELS)
    assert np.array_equal(by_day(wide)[2], by_day(long)[2])
    assert np.allclose(by_day(wide)[2], forecast.quantiles.reshape(300, -1), rtol=1e-4)
    assert (wide.kind, long.kind) == ("samples", "samples")


def test_few_samples_have_no_tails_and_too_few_nothing(forecast):
    (found,) = read(samples(forecast, count=20))
    assert found.levels.min() == 0.025
    with pytest.raises(DataError, match=str(FEWEST_SAMPLES)):
        read(samples(forecast, count=19))


def test_a_forecast_with_fewer_samples_than_others_is_refused(forecast):
    frame = hubverse_samples(forecast)
    with pytest.raises(DataError, match="399 samples"):
        read(frame.drop(index=frame.index[1000]))


def test_a_mean_stands_in_for_a_median_that_is_missing_and_the_note_has_it(forecast):
    frame = nixtla(forecast, model="A").rename(columns={"A-median": "A"})
    found = read_rows(read_table(frame), model="file")
    assert any("stands in for the median" in note for note in found.notes)
    assert 0.5 in found.forecasts[0].levels


def test_quantiles_without_a_median_are_refused(forecast):
    with pytest.raises(DataError, match="no median"):
        read(nixtla(forecast, model="A").drop(columns="A-median"))
    frame = hubverse(forecast)
    with pytest.raises(DataError, match="no median"):
        read(frame[frame["output_type_id"] != "0.5"])


def test_points_of_hubverse_are_medians_before_means(forecast):
    frame = hubverse(forecast)
    points = frame[frame["output_type_id"] == "0.5"].assign(output_type="median", output_type_id="")
    both = pd.concat([points, points.assign(output_type="mean", value=1.0)])
    (found,) = read(both)
    assert (found.kind, found.levels.tolist()) == ("points", [0.5])
    assert np.array_equal(by_day(found)[2].ravel(), forecast.median.ravel())


@pytest.mark.parametrize("level", ["0", "1", "1.5", "-0.1", "95", "x", ""])
def test_a_level_outside_of_0_to_1_is_refused_with_its_line(level, forecast, tmp_path):
    frame = hubverse(forecast)
    frame.loc[7, "output_type_id"] = level
    frame.to_csv(tmp_path / "f.csv", index=False)
    with pytest.raises(DataError) as refused:
        read_rows(read_table(tmp_path / "f.csv"), model="m")
    assert (refused.value.line, refused.value.column, refused.value.value) == (9, "output_type_id", level)


def test_a_level_outside_of_0_to_1_in_the_name_of_a_column_is_refused(forecast):
    with pytest.raises(DataError) as refused:
        read(darts(forecast).rename(columns={"close_q0.95": "close_q1.0"}))
    assert (refused.value.column, refused.value.value) == ("close_q1.0", 1.0)


def test_two_columns_of_one_level_are_refused(forecast):
    frame = darts(forecast)
    with pytest.raises(DataError, match=r"both of the level 0\.5"):
        read(frame.assign(open_q0=1.0).rename(columns={"open_q0": "open_q0.5"}))


@pytest.mark.parametrize("name", ["hubverse", "nixtla"])
def test_a_forecast_that_stands_twice_is_refused_with_both_lines(name, forecast, tmp_path):
    frame = FORMS[name](forecast)
    pd.concat([frame, frame.iloc[[3]]]).to_csv(tmp_path / "f.csv", index=False)
    with pytest.raises(DataError, match="line 5, too") as refused:
        read_rows(read_table(tmp_path / "f.csv"), model="m")
    assert refused.value.line == len(frame) + 2


@pytest.mark.parametrize(
    ("column", "cell"),
    [("reference_date", "2015-13-01"), ("target_end_date", "soon"), ("value", "1,5"), ("value", "x")],
)
def test_a_cell_that_is_no_date_or_number_is_refused_with_its_line(column, cell, forecast, tmp_path):
    frame = hubverse(forecast).astype(object)
    frame.loc[4, column] = cell
    frame.to_csv(tmp_path / "f.csv", index=False)
    with pytest.raises(DataError) as refused:
        read_rows(read_table(tmp_path / "f.csv"), model="m")
    assert (refused.value.line, refused.value.column) == (6, column)


def test_rows_that_lack_a_quantile_are_left_out_and_counted(forecast):
    frame = hubverse(forecast)
    found = read_rows(read_table(frame.drop(index=[0, 30])), model="m")
    assert len(found.forecasts[0].targets) == 298
    assert any("2 forecasts" in note for note in found.notes)


def test_a_ticker_may_be_called_na_or_true(forecast, tmp_path):
    path = tmp_path / "f.csv"
    pd.concat([hubverse(forecast, series=name) for name in ("NA", "TRUE", "0700")]).to_csv(path, index=False)
    found = read_rows(read_table(path), model="m").forecasts
    assert {each.series for each in found} == {"NA", "TRUE", "0700"}


@pytest.mark.parametrize(
    "content",
    [b"", b"\n\n", b"\0\1\2\3\n", b"PAR1 no parquet", b"ds,cutoff,unique_id,A-median,A-lo-90\n", b"\xff\xfe\x00",
     b"ds,cutoff,A-median,A-lo-90\n2020-01-02,2020-01-01,1,2,3,4,5\n"],
    ids=["empty", "blank", "zeros", "damaged parquet", "header alone", "utf-16", "ragged"],
)  # fmt: skip
def test_a_file_that_is_no_table_is_refused_by_name(content, tmp_path: Path):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(DataError) as refused:
        read_rows(read_table(path), model="m")
    assert "bad.csv" in str(refused.value)


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path):
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(DataError):
            read_table(path)


def test_an_index_of_dates_and_times_of_day_are_read(forecast):
    frame = darts(forecast).set_index("time")
    assert len(read(frame)[0].targets) == 300
    timed = darts(forecast)
    timed["time"] = timed["time"].astype(str) + " 16:00:00"
    assert np.array_equal(read(timed)[0].targets, read(darts(forecast))[0].targets)
