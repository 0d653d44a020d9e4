"""Several series as one: what they share, and that each stays as it is alone."""

from pathlib import Path

import numpy as np
import pytest
from test_many_series import write_pool

from stockcast.config.load import load_config
from stockcast.config.schema import Config
from stockcast.data.features import make_features, make_market
from stockcast.data.prices import Prices
from stockcast.data.split import Part
from stockcast.data.volatility import daily_variance, volatility
from stockcast.forecasting.dataset import make_dataset
from stockcast.forecasting.training_data import build_training_data, read_training_prices
from stockcast.models.callbacks import SILENT


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> tuple[Config, list[Prices]]:
    path: Path = write_pool(tmp_path_factory.mktemp("pool"))
    read = read_training_prices(load_config(path), SILENT.on_message)
    return read.config, read.series


def test_days_of_all_series_are_in_memory_once_and_datasets_and_windows_look_at_them(
    pool: tuple[Config, list[Prices]],
) -> None:
    data = build_training_data(*pool)
    whole = data.training
    for name in ("scaled", "target_prices", "volatility"):
        assert getattr(data.validation, name) is getattr(whole, name)
        assert all(np.shares_memory(getattr(dataset, name), getattr(whole, name)) for dataset in data.datasets)
    assert whole.scaled.shape == (650 + 700 + 500, 3)
    assert whole.scaled.nbytes == 1850 * 3 * 4


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
        assert dataset.prices is series
        np.testing.assert_array_equal(dataset.closes, series.column("Close"))
        np.testing.assert_array_equal(dataset.volatility, volatility(daily_variance(series.bars)))
        features = make_features(series, config.features)
        np.testing.assert_array_equal(dataset.scaled, data.scaler.transform(features).astype(np.float32))
