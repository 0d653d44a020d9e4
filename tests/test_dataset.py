"""Several series as one: what they share, and that each stays as it is alone."""

import gc
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made import make_bars
from sklearn.preprocessing import StandardScaler
from test_many_series import write_pool

from stockcast.config.load import load_config
from stockcast.config.schema import Config
from stockcast.data.features import make_features, make_market
from stockcast.data.prices import Prices
from stockcast.data.split import Part
from stockcast.data.stored_prices import StoredPrices
from stockcast.data.volatility import daily_variance, volatility
from stockcast.forecasting.dataset import make_dataset
from stockcast.forecasting.reading import read_with
from stockcast.forecasting.training_data import build_training_data, read_training_prices
from stockcast.models.callbacks import SILENT


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, list[Prices]]:
    path: Path = write_pool(tmp_path_factory.mktemp("pool"))
    read = read_training_prices(load_config(path), SILENT.on_message)
    return read.config, read.series


def test_days_up_to_calibration_are_in_memory_once_for_both_kinds_of_windows(
    pool: tuple[Config, list[Prices]],
) -> None:
    data = build_training_data(*pool)
    whole = data.training
    for name in ("scaled", "target_prices", "volatility"):
        assert getattr(data.validation, name) is getattr(whole, name)
    # All days are those of 700 dates: the test has the last 20 %, calibration 10 % before it.
    assert whole.scaled.shape == (490 + 490 + 290, 3)
    assert whole.scaled.nbytes == 1270 * 3 * 4


@pytest.mark.parametrize("part", ["training", "validation"])
def test_the_windows_of_all_are_those_of_each_alone_one_series_after_the_other(
    pool: tuple[Config, list[Prices]], part: Part
) -> None:
    config, prices = pool
    data = build_training_data(config, prices)
    market = make_market(prices, config.features)
    alone = [make_dataset(config, series, market, data.scaler, data.target) for series in prices]
    each = [
        dataset.windows(dataset.split.origins(part, window=config.window, horizon=config.horizon)) for dataset in alone
    ]
    joined = getattr(data, part)
    assert len(joined) == sum(len(windows) for windows in each)
    for values in ("inputs", "targets"):
        np.testing.assert_array_equal(
            getattr(joined, values)(), np.concatenate([getattr(windows, values)() for windows in each])
        )


def test_each_series_keeps_its_own_days(pool: tuple[Config, list[Prices]]) -> None:
    config, prices = pool
    data = build_training_data(config, prices)
    for series, dataset in zip(prices, data.datasets, strict=True):
        assert dataset.prices.sha256 == series.sha256
        pd.testing.assert_frame_equal(dataset.prices.bars, series.bars, check_exact=True)
        np.testing.assert_array_equal(dataset.closes, series.column("Close"))
        np.testing.assert_array_equal(dataset.volatility, volatility(daily_variance(series.bars)))
        features = make_features(series, config.features)
        np.testing.assert_array_equal(dataset.scaled, data.scaler.transform(features).astype(np.float32))


def test_several_columns_are_averaged_in_the_order_in_which_they_lie(tmp_path: Path) -> None:
    make_bars().to_csv(tmp_path / "prices.csv", index=False)
    columns = "{columns: [Open, High, Low, Close], transform: price}"
    (tmp_path / "c.yaml").write_text(
        f"name: c\ndata: {{path: prices.csv}}\nfeatures: [Open, High, Low, Close]\ntarget: {columns}\n"
        "strategy: recursive\nwindow: 5\nhorizon: 3\nmodel: {layers: [4], head: point, loss: mse}\n"
    )
    read = read_training_prices(load_config(tmp_path / "c.yaml"), SILENT.on_message)
    bars = read.series[0].bars[["Open", "High", "Low", "Close"]]
    fill = bars.iloc[:420].mean().to_numpy()  # 60 % of the days are for training; each column by itself
    assert build_training_data(read.config, read.series).target.scaler.fill.tolist() == fill.tolist()


def test_features_are_scaled_by_the_training_days_of_all_each_added_up_by_itself(
    pool: tuple[Config, list[Prices]],
) -> None:
    config, prices = pool
    training = [make_features(series, config.features)[:420] for series in prices[:2]]  # 60 % of the 700 dates
    training.append(make_features(prices[2], config.features)[:220])  # which begins 200 days after them
    scaler = build_training_data(config, prices).scaler
    for number, column in enumerate(np.concatenate(training).T):
        whole = StandardScaler().fit(np.ascontiguousarray(column)[:, None])
        assert (scaler.center[number], scaler.scale[number]) == (whole.mean_[0], whole.scale_[0])


def test_stored_series_are_those_that_were_stored(pool: tuple[Config, list[Prices]], tmp_path: Path) -> None:
    config, _ = pool
    bars = make_bars().assign(VIX=np.sin(np.arange(700)))
    bars.to_csv(tmp_path / "one.csv", index=False)
    bars[["Date", "VIX"]].rename(columns={"VIX": "earnings"}).to_csv(tmp_path / "covariates.csv", index=False)
    (tmp_path / "c.yaml").write_text(
        "name: c\ndata: {path: one.csv, covariates: covariates.csv}\nwindow: 5\nhorizon: 3\n"
        "features: [log_return, own:VIX, known:earnings, known:weekday]\nmodel: {layers: [4]}\n"
    )
    own = load_config(tmp_path / "c.yaml")
    series = [read_with(own, tmp_path / "one.csv"), read_with(config, tmp_path / "one.csv", with_own=False)]
    stored = StoredPrices(series)
    for again, once in [*zip(stored, series, strict=True), (stored.only([1])[0], series[1]), (stored[-2], series[0])]:
        assert again.bars.to_numpy().tobytes() == once.bars.to_numpy().tobytes()
        assert again.quoted.tobytes() == once.quoted.tobytes()
        assert (again.title, again.label, again.notes, again.sha256) == (
            once.title,
            once.label,
            once.notes,
            once.sha256,
        )
        for name in ("bars", "known"):
            if getattr(once, name) is None:
                assert getattr(again, name) is None
            else:
                pd.testing.assert_frame_equal(getattr(again, name), getattr(once, name), check_exact=True)
    for name in ("own", "known_columns"):
        again, once = (getattr(each, name) for each in (stored[0], series[0]))
        pd.testing.assert_frame_equal(again.values, once.values, check_exact=True, check_freq=True)
        assert {**vars(again), "values": 0, "sessions": 0} == {**vars(once), "values": 0, "sessions": 0}
    assert stored[0].known_columns.sessions.tolist() == series[0].known_columns.sessions.tolist()
    with pytest.raises(IndexError):
        stored[2]


def test_what_is_stored_is_not_held(tmp_path: Path) -> None:
    bars = pd.DataFrame({"Close": np.arange(1.0, 100_001)}, index=pd.date_range("1700-01-01", periods=100_000))
    gc.collect()
    tracemalloc.start()
    stored = StoredPrices(Prices(Path("a.csv"), bars.copy(), bars["Close"].to_numpy().copy(), "") for _ in range(8))
    held, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(stored) == 8
    assert held < 1_000_000  # of 8 x 2.4 MB
    assert most < 10_000_000
