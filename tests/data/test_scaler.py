import json

import numpy as np
import pytest
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

from stockcast.data.features import make_features
from stockcast.data.scaler import Scaler, fit_scaler
from stockcast.data.split import split_days
from stockcast.errors import DataError, RunError

NAN = float("nan")
KINDS = ("standard", "minmax", "robust", "none")
RNG = np.random.default_rng(5)
TRAINING = RNG.normal([0, 50, -3], [0.01, 10, 1e6], (200, 3))
LATER = RNG.normal([1, 90, 3], [0.1, 30, 1e7], (50, 3))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("standard", [-1.0, 1.0, 3.0]),  # mean 4, deviation 2
        ("minmax", [0.0, 1.0, 2.0]),  # minimum 2, range 4
        ("robust", [-1.0, 1.0, 3.0]),  # median 4, quartiles 3 and 5
        ("none", [2.0, 6.0, 10.0]),
    ],
)
def test_two_and_six_set_a_scale_by_hand(kind, expected):
    scaler = fit_scaler(np.array([[2.0], [6.0]]), kind=kind)

    assert scaler.transform(np.array([[2.0], [6.0], [10.0]]))[:, 0].tolist() == expected


@pytest.mark.parametrize(
    ("kind", "reference"), [("standard", StandardScaler()), ("minmax", MinMaxScaler()), ("robust", RobustScaler())]
)
def test_a_scale_equals_scikit_learns(kind, reference):
    reference.fit(TRAINING)
    scaler = fit_scaler(TRAINING, kind=kind)

    for days in (TRAINING, LATER):
        np.testing.assert_allclose(scaler.transform(days), reference.transform(days), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_later_days_do_not_move_the_scale(make_prices, kind):
    closes = 100 * np.exp(np.cumsum(RNG.normal(0, 0.01, 200)))
    scales = []
    for later in (1.0, 1000.0):
        prices = make_prices({"Close": np.concatenate([closes[:120], closes[120:] * later])})
        past = split_days(prices.dates, validation=0.1, calibration=0.1, test=0.2).part("training")
        scaler = fit_scaler(make_features(prices, ("Close", "log_return"))[past], kind=kind)
        scales.append(json.dumps(scaler.to_json()))

    assert scales[0] == scales[1]


def test_a_later_maximum_leaves_the_range_of_the_training_days():
    scaler = fit_scaler(np.array([[0.0], [10.0]]), kind="minmax")

    assert scaler.transform(np.array([[30.0], [-10.0]]))[:, 0].tolist() == [3.0, -1.0]


@pytest.mark.parametrize("kind", KINDS)
def test_a_scaler_comes_back_from_json_bit_for_bit(kind):
    scaler = fit_scaler(TRAINING / 3, kind=kind)

    back = Scaler.from_json(json.loads(json.dumps(scaler.to_json())))

    for name in ("center", "scale", "fill"):
        assert getattr(back, name).tobytes() == getattr(scaler, name).tobytes()
    assert back.transform(LATER).tobytes() == scaler.transform(LATER).tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_value_is_replaced_by_the_mean_of_the_training_days(kind):
    training = np.array([[1.0], [NAN], [2.0], [6.0]])
    scaler = fit_scaler(training, kind=kind)

    # mean of 1, 2 and 6 is 3
    assert scaler.transform(np.array([[NAN]])).tolist() == scaler.transform(np.array([[3.0]])).tolist()


def test_a_missing_value_scales_to_zero_by_the_standard_scale():
    scaler = fit_scaler(np.array([[1.0], [NAN], [2.0], [6.0]]), kind="standard")

    assert scaler.transform(np.array([[NAN]])).tolist() == [[0.0]]


def test_transforming_leaves_the_values_that_were_given_alone():
    values = np.array([[1.0], [NAN]])
    fit_scaler(np.array([[2.0], [6.0]]), kind="standard").transform(values)

    assert values[0, 0] == 1.0
    assert np.isnan(values[1, 0])


@pytest.mark.parametrize("kind", KINDS)
def test_a_column_that_never_changes_stays_finite_with_scale_one(kind):
    scaler = fit_scaler(np.full((10, 1), 7.0), kind=kind)

    moved = scaler.transform(np.array([[7.0], [8.0]]))[:, 0]
    assert scaler.scale.tolist() == [1.0]
    assert moved[1] - moved[0] == 1.0


def test_a_column_without_any_training_value_is_refused_by_its_place():
    with pytest.raises(DataError) as error:
        fit_scaler(np.array([[1.0, NAN], [2.0, NAN]]), kind="standard")
    assert (error.value.key, error.value.column) == ("features", "number 2")


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param({}, id="empty"),
        pytest.param({"center": [0.0], "scale": [1.0]}, id="fill missing"),
        pytest.param({"center": [0.0], "scale": [1.0], "fill": ["x"]}, id="text"),
        pytest.param({"center": [0.0], "scale": [1.0], "fill": None}, id="null"),
        pytest.param({"center": [0.0], "scale": [1.0, 2.0], "fill": [0.0]}, id="lengths differ"),
        pytest.param({"center": 0.0, "scale": 1.0, "fill": 0.0}, id="numbers for lists"),
        pytest.param({"center": [[0.0]], "scale": [[1.0]], "fill": [[0.0]]}, id="nested"),
        pytest.param({"center": [[0.0], [0.0, 1.0]], "scale": [1.0], "fill": [0.0]}, id="ragged"),
        pytest.param({"center": [NAN], "scale": [1.0], "fill": [0.0]}, id="NaN"),
        pytest.param({"center": [0.0], "scale": [float("inf")], "fill": [0.0]}, id="infinity"),
        pytest.param([0.0, 1.0, 0.0], id="a list"),
        pytest.param(None, id="null file"),
        pytest.param("center", id="a string"),
    ],
)
def test_a_damaged_scaler_file_is_refused_as_damaged(stored):
    with pytest.raises(RunError) as error:
        Scaler.from_json(stored)
    assert error.value.file == "scaler.json"
    assert "damaged" in str(error.value)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("columns", [1, 3, 9, 27])
def test_columns_that_are_fitted_some_at_a_time_are_those_of_scikit_learn_at_once(columns: int, order: str) -> None:
    random = np.random.default_rng(columns)
    training = np.asarray(random.standard_t(3, (20_000, columns)), order=order)
    training[random.random(training.shape) < 0.05] = np.nan
    scaler, whole = fit_scaler(training, kind="standard"), StandardScaler().fit(training)
    assert scaler.center.tolist() == whole.mean_.tolist()
    assert scaler.scale.tolist() == whole.scale_.tolist()
    assert scaler.fill.tolist() == np.nanmean(training, axis=0).tolist()
