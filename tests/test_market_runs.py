"""Networks that look at the market: the mean over the series that they learnt from, as their files are today."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made import make_bars

from stockcast import pipeline
from stockcast.config import load_config
from stockcast.errors import DataError
from stockcast.pipeline.preparation import prepare
from stockcast.runs import RunDirectory

CONFIG = """\
name: market
data: {path: prices}
features: [return_in_volatility, market_day_volatility_ratio, market_volatility_ratio_5]
target: {scale: volatility}
window: 5
horizon: 3
model: {layers: [4, 3], shortcut: true}
training: {epochs: 1, batch_size: 64}
"""
PRICES = ["Open", "High", "Low", "Close", "Adj Close"]


def fill(folder: Path) -> None:
    for seed, name in enumerate(("alpha", "beta", "gamma")):
        make_bars(700, seed=seed).to_csv(folder / f"{name}.csv", index=False)


@dataclass
class Pool:
    """A folder of price files and a run that learnt from them."""

    folder: Path
    run: RunDirectory

    def write(self, name: str, bars: pd.DataFrame) -> Path:
        path = self.folder / "prices" / f"{name}.csv"
        bars.to_csv(path, index=False)
        return path


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Pool:
    folder = tmp_path_factory.mktemp("market")
    (folder / "prices").mkdir()
    fill(folder / "prices")
    (folder / "market.yaml").write_text(CONFIG)
    return Pool(folder, pipeline.train(load_config(folder / "market.yaml"), runs=folder / "runs").run)


@pytest.fixture
def pool(trained: Pool) -> Pool:
    """The run, and its files as it learnt from them."""
    shutil.rmtree(trained.folder / "prices")
    (trained.folder / "prices").mkdir()
    fill(trained.folder / "prices")
    return trained


@pytest.fixture
def stranger(tmp_path: Path) -> Callable[[int], Path]:
    """Write a file of a series that the run never saw, of so many days."""

    def write(days: int) -> Path:
        make_bars(800, seed=9)[:days].to_csv(tmp_path / "delta.csv", index=False)
        return tmp_path / "delta.csv"

    return write


def last_quantiles(pool: Pool, path: Path, **settings: object) -> np.ndarray:
    return pipeline.predict(pool.run, data=path, picture=False, **settings).forecast.quantiles


def test_what_the_others_did_moves_the_forecast_of_a_series_that_did_nothing(pool: Pool, stranger) -> None:
    path = stranger(700)
    before = last_quantiles(pool, path)
    stormy = make_bars(700, seed=1)
    stormy.loc[696:, PRICES] *= np.array([1.2, 0.8, 1.3, 0.7])[:, None]
    pool.write("beta", stormy)
    assert (last_quantiles(pool, path) != before).any()


def test_a_forecast_is_the_one_that_evaluate_scores(pool: Pool, stranger) -> None:
    # The last day's forecast of a file cut short is what evaluate says from that day of the whole file.
    scored = pipeline.evaluate(pool.run, data=stranger(700))
    with np.load(scored.folder / "forecasts.npz") as arrays:
        said = dict(zip(arrays["origin_dates"], arrays["quantiles"], strict=True))
    for days in (600, 650):
        (early,) = last_quantiles(pool, stranger(days))
        np.testing.assert_allclose(early, said[np.datetime64(make_bars(800)["Date"][days - 1])], rtol=1e-6)


def test_rows_of_the_others_after_the_last_day_change_nothing(pool: Pool, stranger) -> None:
    path = stranger(650)
    before = last_quantiles(pool, path)
    for name, seed in (("alpha", 0), ("beta", 1), ("gamma", 2)):
        wild = make_bars(700, seed=seed)
        wild.loc[650:, PRICES] *= 1000.0
        pool.write(name, wild)
    assert last_quantiles(pool, path).tobytes() == before.tobytes()


def test_days_after_the_end_of_the_config_are_seen_by_a_forecast_of_later_days(tmp_path: Path, pool: Pool) -> None:
    config = load_config(pool.folder / "market.yaml", ["data.end=2012-01-31"])
    run = pipeline.train(config, runs=tmp_path / "runs").run
    found = pipeline.predict(run, data=pool.folder / "prices" / "beta.csv", picture=False)
    assert str(found.forecast.origin_dates[0]) == make_bars(700)["Date"][699]


def test_a_market_that_ends_before_the_series_is_refused_with_both_days(pool: Pool, stranger) -> None:
    with pytest.raises(DataError, match=r"delta\.csv runs to 2013-.*3 series .*ends on 2012-09-07.*up to date"):
        last_quantiles(pool, stranger(800))
    with pytest.raises(DataError, match=r"delta\.csv runs to 2013-"):
        pipeline.evaluate(pool.run, data=stranger(800))


def test_a_market_that_most_series_have_left_is_told(pool: Pool, stranger) -> None:
    pool.write("alpha", make_bars(710, seed=0))  # alone with a last day of two weeks later
    told: list[str] = []
    last_quantiles(pool, stranger(710), say=told.append)
    assert any("Only 1 of the 3 series" in sentence and "2012-09-21" in sentence for sentence in told)
    pool.write("beta", make_bars(710, seed=1))
    told.clear()
    last_quantiles(pool, stranger(710), say=told.append)
    assert not any("Only" in sentence for sentence in told)


def test_a_series_of_the_market_that_is_gone_is_named(pool: Pool, stranger) -> None:
    (pool.folder / "prices" / "gamma.csv").unlink()
    with pytest.raises(DataError, match=r"looks at the market, the mean of the 3 series.*gamma\.csv"):
        last_quantiles(pool, stranger(700))


def test_a_file_that_joins_the_folder_later_is_no_part_of_the_market(pool: Pool, stranger) -> None:
    path = stranger(700)
    before = last_quantiles(pool, path)
    pool.write("zeta", make_bars(700, seed=33))
    assert last_quantiles(pool, path).tobytes() == before.tobytes()


def test_a_market_of_one_series_is_told_to_say_nothing_new(tmp_path: Path, pool: Pool) -> None:
    told: list[str] = []
    prepare(load_config(pool.folder / "market.yaml", [f"data.path={pool.folder}/prices/alpha.csv"]), told.append)
    (sentence,) = [one for one in told if "market" in one]
    assert "market_volatility_ratio_5: the mean over all series of data.path is this series itself" in sentence


def test_what_the_market_did_is_explained_under_its_name(pool: Pool) -> None:
    found = pipeline.explain(pool.run, picture=False)
    assert found.features[1:] == ("market_day_volatility_ratio", "market_volatility_ratio_5")
    assert np.isfinite(found.inputs).all()
