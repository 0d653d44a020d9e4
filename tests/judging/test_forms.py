"""Which form a table has is decided by its columns, and a table of no form, or of several, is refused."""

import numpy as np
import pytest
from submissions import FORMS, hubverse_samples, samples

from stockcast.errors import DataError
from stockcast.judging.forms import DARTS, GLUONTS, HUBVERSE, NIXTLA, NIXTLA_POINTS, OWN, choose_form

WRITTEN = {"hubverse": HUBVERSE, "nixtla": NIXTLA, "darts": DARTS, "gluonts": GLUONTS}


@pytest.mark.parametrize("name", FORMS)
def test_what_another_tool_writes_is_known_by_its_columns(name, forecast):
    form, ids, _ = choose_form(list(FORMS[name](forecast)), source="x.csv")
    assert form is WRITTEN[name]
    assert (ids.series, ids.target) == {
        "hubverse": ("unique_id", "target_end_date"),
        "nixtla": ("unique_id", "ds"),
        "darts": ("unique_id", "time"),
        "gluonts": ("item_id", "timestamp"),
    }[name]


def test_samples_are_known_wide_and_long(forecast):
    form, _, values = choose_form(list(samples(forecast, count=30)), source="x.csv")
    assert (form, len(values), values[0].is_sample) == (DARTS, 30, True)
    assert choose_form(list(hubverse_samples(forecast)), source="x.csv")[0] is HUBVERSE


@pytest.mark.parametrize(
    ("columns", "levels"),
    [
        (["median", "lower_50", "upper_50", "quantile_0.01"], [0.5, 0.25, 0.75, 0.01]),
        (["A-lo-90", "A-hi-90", "A-lo-95", "A-hi-97.5", "A-median"], [0.05, 0.95, 0.025, 0.9875, 0.5]),
        (["A_ql0.1", "A-median"], [0.1, 0.5]),
        (["close_q0.05", "close_q0.500"], [0.05, 0.5]),
        (["close_0.05", "close_0.5"], [0.05, 0.5]),
        (["0.1", "0.5"], [0.1, 0.5]),
    ],
)  # fmt: skip
def test_a_level_is_read_from_the_name_of_its_column(columns, levels):
    _, _, values = choose_form(["unique_id", "ds", "cutoff", *columns], source="x.csv")
    assert [value.level for value in values] == levels


def test_our_own_table_and_a_column_of_points_have_their_forms():
    own = ["unique_id", "cutoff", "ds", "step", "median", "lower_50", "upper_50"]
    assert choose_form(own, source="x.csv")[0] is OWN
    form, _, values = choose_form(["unique_id", "ds", "cutoff", "y", "LSTM", "NHITS"], source="x.csv")
    assert form is NIXTLA_POINTS
    assert [(value.model, value.level) for value in values] == [("LSTM", None), ("NHITS", None)]


def test_two_models_side_by_side_keep_their_columns_apart():
    names = ["unique_id", "ds", "cutoff", "A", "A-lo-80", "A-hi-80", "B-X", "B-X-lo-80", "B-X-hi-80"]
    _, _, values = choose_form(names, source="x.csv")
    assert {value.model for value in values} == {"A", "B-X"}


@pytest.mark.parametrize(
    "names",
    [
        ["ds", "cutoff", "0.1", "close_q0.5", "close_q0.9"],
        ["ds", "cutoff", "median", "lower_90", "upper_90", "output_type", "output_type_id", "value"],
        ["ds", "cutoff"],
        ["Date", "Open", "High", "Low", "Close"],
    ],
    ids=["two", "two more", "no numbers", "prices"],
)
def test_columns_of_no_form_or_of_two_are_refused_with_the_list_of_forms(names):
    with pytest.raises(DataError, match="MODEL-lo-90") as refused:
        choose_form(names, source="x.csv")
    assert refused.value.file == "x.csv"


def test_a_table_without_dates_or_without_what_was_known_is_refused():
    with pytest.raises(DataError) as refused:
        choose_form(["unique_id", "cutoff", "A-median", "A-lo-90", "A-hi-90"], source="x.csv")
    assert refused.value.column == "ds"
    with pytest.raises(DataError) as refused:
        choose_form(["unique_id", "ds", "A-median", "A-lo-90", "A-hi-90"], source="x.csv")
    assert refused.value.column == "cutoff"


def test_names_of_columns_may_have_any_case_and_spaces():
    _, ids, _ = choose_form(["Unique ID", "DS", "Cut-off", "Cutoff", "A-lo-90", "A-hi-90"], source="x.csv")
    assert (ids.series, ids.target, ids.cutoff) == ("Unique ID", "DS", "Cutoff")
    assert np.array_equal(ids.names(), ["Cutoff", "DS", "Unique ID"])
