"""One network for files with all columns and for files of closes: data.may_lack."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made import QUICK, make_bars

import stockcast as sc
from stockcast.config.load import load_config
from stockcast.errors import MissingColumns
from stockcast.forecasting.predictor import Predictor
from stockcast.forecasting.training_data import build_training_data, read_training_prices
from stockcast.models.callbacks import Callbacks
from stockcast.runs import RunDirectory

LACKING = ["Open", "High", "Low", "Volume"]
CONFIG = (
    QUICK.replace("prices.csv}", "[prices.csv, other.csv], may_lack: [Open, High, Low, Volume]}").replace(
        "[log_return, log_range]", "[return_in_volatility, volatility_ratio_5, gap_in_volatility, volume_ratio]"
    )
    + "target: {scale: volatility}\n"
)


def write(folder: Path, config: str = CONFIG) -> Path:
    make_bars().to_csv(folder / "prices.csv", index=False)
    make_bars(seed=1).to_csv(folder / "other.csv", index=False)
    (folder / "tiny.yaml").write_text(config)
    return folder / "tiny.yaml"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    folder = tmp_path_factory.mktemp("lacking")
    return sc.train(load_config(write(folder)), runs=folder / "runs", name="lacking")


def file_without(run: RunDirectory, columns: list[str]) -> Path:
    """A file of a series that the run was not trained on."""
    path = run.path.parent / f"unknown-without-{'-'.join(columns)}.csv"
    make_bars(300, seed=9).drop(columns=columns).to_csv(path, index=False)
    return path


def median(run: RunDirectory, path: Path, messages: list[str] | None = None) -> np.ndarray:
    callbacks = Callbacks(on_message=[].append if messages is None else messages.append)
    return np.asarray(sc.predict(run, path, callbacks=callbacks).forecast.quantiles)


def test_each_series_is_trained_on_as_its_file_and_as_a_file_that_lacks_the_columns(tmp_path: Path) -> None:
    path = write(tmp_path)
    read = read_training_prices(load_config(path), lambda _: None)
    data = build_training_data(read.config, read.series)

    for number, name in enumerate(("prices.csv", "other.csv")):
        closes = pd.read_csv(tmp_path / name).drop(columns=LACKING)
        closes.to_csv(tmp_path / "closes.csv", index=False)
        alone = load_config(path, {"data.path": str(tmp_path / "closes.csv"), "data.may_lack": []})
        alone = alone.model_copy(update={"features": ("return_in_volatility", "volatility_ratio_5")})
        (dataset,) = build_training_data(read.config.model_copy(update={"features": alone.features}),
                                         read_training_prices(alone, lambda _: None).series).datasets  # fmt: skip
        np.testing.assert_allclose(data.without[number].volatility, dataset.volatility)
        # What the file lacks is the mean of the training days, as any missing input.
        fill = (data.scaler.fill - data.scaler.center) / data.scaler.scale
        assert np.abs(data.without[number].scaled[:, 2:] - fill[2:]).max() < 1e-6
        assert not np.allclose(data.datasets[number].scaled[50:, 2:], fill[2:])
    assert len(data.training) == 2 * len(
        build_training_data(read.config.model_copy(
            update={"data": read.config.data.model_copy(update={"may_lack": ()})}
        ), read.series).training
    )  # fmt: skip


def test_the_run_lists_each_series_once_and_counts_the_windows_of_both(run: RunDirectory) -> None:
    manifest = run.manifest()
    assert [series["name"] for series in manifest["series"]] == ["prices.csv", "other.csv"]


def test_a_file_of_closes_is_forecast_and_the_message_names_what_it_lacks(run: RunDirectory) -> None:
    messages: list[str] = []
    quantiles = median(run, path := file_without(run, LACKING), messages)

    assert np.isfinite(quantiles).all()
    assert f"{path.name}: it has no Open, High, Low or Volume: taken as a file without Open, High, Low and Volume, as "\
        "the network was trained to (data.may_lack)." in messages  # fmt: skip


def test_a_file_that_lacks_one_of_the_columns_is_forecast_as_one_that_lacks_all(run: RunDirectory) -> None:
    whole, closes = median(run, file_without(run, [])), median(run, file_without(run, LACKING))

    assert np.array_equal(median(run, file_without(run, ["Volume"])), closes)
    assert not np.allclose(whole, closes)


def test_a_file_that_lacks_a_column_is_scored_by_its_own_unit(run: RunDirectory) -> None:
    predictor = Predictor.load(run)
    dataset = predictor.dataset(predictor.read(file_without(run, LACKING)))
    returns = np.diff(np.log(make_bars(300, seed=9)["Close"]))
    weights = 0.94 ** np.arange(len(returns))[::-1]

    # RiskMetrics by hand, from closes alone
    assert dataset.volatility is not None
    assert dataset.volatility[-1] == pytest.approx(np.sqrt((weights * returns**2).sum() / weights.sum()), rel=1e-6)


@pytest.mark.slow
def test_without_may_lack_a_file_of_closes_is_refused(tmp_path: Path) -> None:
    config = CONFIG.replace(", may_lack: [Open, High, Low, Volume]", "")
    run = sc.train(load_config(write(tmp_path, config)), runs=tmp_path / "runs", name="full")
    with pytest.raises(MissingColumns, match=r"no column .*Volume"):
        sc.predict(run, file_without(run, LACKING))
