"""Networks that look at the market: the mean over the series that they learnt from, as their files are today."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import commands
import numpy as np
import pandas as pd
import pytest
from made import make_bars

from stockcast.config.load import load_config
from stockcast.errors import ConfigError, DataError, RunError
from stockcast.forecasting.training_data import read_training_prices
from stockcast.runs import RunDirectory

CONFIG = """\
name: market
data: {path: prices}
features: [return_in_volatility, market_day_volatility_ratio, market_volatility_ratio_5]
target: {scale: volatility}
window: 5
horizon: 3
model: {cell: last_day, layers: [4, 3], skip_connection: true}
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
    return Pool(folder, commands.train(load_config(folder / "market.yaml"), runs=folder / "runs").run)


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
    return commands.predict(pool.run, data=path, **settings).forecast.quantiles


def test_what_the_others_did_moves_the_forecast_of_a_series_that_did_nothing(pool: Pool, stranger) -> None:
    path = stranger(700)
    before = last_quantiles(pool, path)
    stormy = make_bars(700, seed=1)
    stormy.loc[696:, PRICES] *= np.array([1.2, 0.8, 1.3, 0.7])[:, None]
    pool.write("beta", stormy)
    assert (last_quantiles(pool, path) != before).any()


def test_a_forecast_is_the_one_that_evaluate_scores(pool: Pool, stranger) -> None:
    # The last day's forecast of a file cut short is what evaluate says from that day of the whole file.
    scored = commands.evaluate(pool.run, data=stranger(700))
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
    run = commands.train(config, runs=tmp_path / "runs").run
    found = commands.predict(run, data=pool.folder / "prices" / "beta.csv")
    assert str(found.forecast.origin_dates[0]) == make_bars(700)["Date"][699]


def test_rows_after_the_end_of_the_config_are_not_even_read_where_it_holds(pool: Pool, tmp_path: Path) -> None:
    wrong = make_bars(700, seed=1)
    wrong.loc[690, PRICES] = -1.0
    pool.write("beta", wrong)
    config = load_config(pool.folder / "market.yaml", ["data.end=2012-01-31"])
    run = commands.train(config, runs=tmp_path / "runs").run
    assert commands.evaluate(run).metrics["horizons"]["1"]["model"]["crps"] > 0


@pytest.mark.parametrize("days", [701, 800])
def test_a_market_that_lacks_the_last_day_forecasts_nothing_and_is_scored_as_far_as_it_goes(
    pool: Pool, stranger, days: int
) -> None:
    last = make_bars(800)["Date"][days - 1]
    with pytest.raises(DataError, match="2012-09-07") as refused:
        last_quantiles(pool, stranger(days))
    assert (Path(refused.value.file).name, refused.value.value) == ("delta.csv", last)
    told: list[str] = []
    scored = commands.evaluate(pool.run, data=stranger(days), say=told.append).metrics
    assert scored["split"]["last_target"] == "2012-09-07"
    assert any("delta.csv is scored up to 2012-09-07, the last day of the market" in sentence for sentence in told)
    assert scored["horizons"] == commands.evaluate(pool.run, data=stranger(700)).metrics["horizons"]


def test_a_holiday_of_the_market_is_no_day_that_it_lacks(pool: Pool, stranger) -> None:
    path = stranger(700)
    on_friday = last_quantiles(pool, path)
    bars = pd.read_csv(path)
    bars.loc[699, "Date"] = "2012-09-08"  # a Saturday, on which the exchange rests
    bars.to_csv(path, index=False)
    assert last_quantiles(pool, path).shape == on_friday.shape


def test_a_series_that_ends_before_the_market_begins_is_refused(pool: Pool, tmp_path: Path, stranger) -> None:
    config = load_config(pool.folder / "market.yaml", ["data.start=2010-06-01"])
    run = commands.train(config, runs=tmp_path / "runs").run
    with pytest.raises(DataError, match="2010-06-01") as refused:
        commands.predict(run, data=stranger(90))
    assert (Path(refused.value.file).name, refused.value.value) == ("delta.csv", make_bars(800)["Date"][89])


def test_a_market_that_is_another_than_at_the_training_scores_no_series_of_it_and_is_told_of_others(
    pool: Pool, stranger
) -> None:
    changed = pool.write("beta", make_bars(700, seed=55))
    with pytest.raises(RunError, match="market") as refused:
        commands.evaluate(pool.run)
    assert refused.value.file == str(changed)
    told: list[str] = []
    commands.evaluate(pool.run, data=stranger(700), say=told.append)
    assert any(
        "market" in sentence and "has changed since its training" in sentence and "beta.csv" in sentence
        for sentence in told
    )


def test_a_market_whose_files_have_grown_is_the_one_of_the_training(pool: Pool, tmp_path: Path) -> None:
    whole = {name: pd.read_csv(pool.folder / "prices" / f"{name}.csv") for name in ("alpha", "beta")}
    pool.write("beta", whole["beta"][:670])  # ends before the others, among the test days
    run = commands.train(load_config(pool.folder / "market.yaml"), runs=tmp_path / "runs").run
    before = commands.evaluate(run).metrics["horizons"]
    later = make_bars(730, seed=77)[700:]
    for name, bars in whole.items():
        pool.write(name, pd.concat([bars, later]))
    messages: list[str] = []
    assert commands.evaluate(run, say=messages.append).metrics["horizons"] == before
    assert not any("changed" in message for message in messages)


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
    gone = pool.folder / "prices" / "gamma.csv"
    gone.unlink()
    with pytest.raises(DataError, match="market") as refused:
        last_quantiles(pool, stranger(700))
    assert refused.value.file == str(gone)


def test_a_file_that_joins_the_folder_later_is_no_part_of_the_market(pool: Pool, stranger) -> None:
    path = stranger(700)
    before = last_quantiles(pool, path)
    pool.write("zeta", make_bars(700, seed=33))
    assert last_quantiles(pool, path).tobytes() == before.tobytes()


def test_a_market_of_one_series_is_told_to_say_nothing_new(tmp_path: Path, pool: Pool) -> None:
    told: list[str] = []
    read_training_prices(
        load_config(pool.folder / "market.yaml", [f"data.path={pool.folder}/prices/alpha.csv"]), told.append
    )
    (sentence,) = [one for one in told if "market" in one]
    assert "market_volatility_ratio_5: data.path names one series, so the market is this series itself" in sentence


def test_what_the_market_did_is_explained_under_its_name(pool: Pool) -> None:
    found = commands.explain(pool.run)
    assert found.features[1:] == ("market_day_volatility_ratio", "market_volatility_ratio_5")
    assert np.isfinite(found.inputs).all()


def test_a_market_of_more_files_than_a_forecast_can_read_is_refused(pool: Pool, monkeypatch) -> None:
    monkeypatch.setattr("stockcast.forecasting.training_data.MOST", 2)
    with pytest.raises(ConfigError) as refused:
        read_training_prices(load_config(pool.folder / "market.yaml"), lambda _: None)
    assert (refused.value.key, refused.value.value) == ("features", 3)
    monkeypatch.setattr("stockcast.forecasting.run_series.MOST", 2)
    with pytest.raises(RunError) as damaged:
        commands.predict(pool.run)
    assert damaged.value.file == str(pool.run.path / "run.json")
