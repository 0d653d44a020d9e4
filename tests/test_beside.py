"""Networks of the last day's inputs, trained beside the members and averaged with them."""

import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stockcast import pipeline
from stockcast.config import load_config
from stockcast.errors import ConfigError, TrainingError
from stockcast.models.inference import load_onnx
from stockcast.models.onnxfile import Shapes
from stockcast.pipeline.rebuilt import rebuild
from stockcast.runs import RunDirectory

BESIDE = ("beside.layers=[6, 5]", "training.members=2", "training.epochs=2")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    from made import TINY, make_bars

    folder = tmp_path_factory.mktemp("beside")
    make_bars().to_csv(folder / "prices.csv", index=False)
    (folder / "tiny.yaml").write_text(TINY)
    return pipeline.train(load_config(folder / "tiny.yaml", BESIDE), runs=folder / "runs").run


def test_as_many_are_trained_beside_the_members_as_there_are(run: RunDirectory) -> None:
    history = pd.read_csv(run.path / "history.csv")
    assert sorted(set(history["member"])) == [1, 2, 3, 4]
    _, networks = rebuild(run, load_config(run.config_path()))
    kinds = [[layer.name for layer in network.layers if layer.name.startswith(("lstm", "last_day"))]
             for network in networks]  # fmt: skip
    assert kinds[0] == kinds[1] == ["lstm_1", "lstm_2"]
    assert kinds[2] == kinds[3] == ["last_day_1", "last_day_2"]
    assert [layer.units for layer in networks[2].layers if layer.name.startswith("last_day")] == [6, 5]


def test_the_forecast_is_the_mean_of_all_four(run: RunDirectory) -> None:
    config = load_config(run.config_path())
    _, networks = rebuild(run, config)
    windows = np.random.default_rng(1).standard_normal((9, config.window, len(config.features))).astype(np.float32)
    each = [np.asarray(network(windows)) for network in networks]
    assert all(np.abs(one - other).max() > 1e-3 for one, other in itertools.pairwise(each))
    shapes = Shapes((config.window, len(config.features)), (config.steps, config.head.parameters))
    stored = load_onnx(run.onnx_path(), shapes=shapes)
    np.testing.assert_allclose(stored(windows), np.mean(each, axis=0), rtol=1e-4, atol=1e-5)


def test_two_members_are_the_same_without_any_beside_them(
    run: RunDirectory, write_tiny: Callable[..., Path], tmp_path: Path
) -> None:
    config = load_config(write_tiny(), BESIDE[1:])
    alone = pipeline.train(config, runs=tmp_path / "runs").run
    _, expected = rebuild(alone, config)
    _, networks = rebuild(run, load_config(run.config_path()))
    for one, other in zip(expected, networks[:2], strict=True):
        for weights, same in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(weights, same)


def test_what_forecasts_is_scored_and_explained(run: RunDirectory) -> None:
    assert pipeline.evaluate(run).metrics["horizons"]["1"]["model"]["crps"] > 0
    found = pipeline.explain(run, picture=False)
    assert any("averages 4 networks" in note for note in found.notes)
    assert [one.layer for one in found.firings] == ["lstm_1", "lstm_2"]


@pytest.mark.parametrize("layers", ["[0]", "[2049]", "[1.5]", "32", str([4] * 9)])
def test_layers_that_are_none_are_refused(write_tiny: Callable[..., Path], layers: str) -> None:
    with pytest.raises(ConfigError, match=r"beside\.layers"):
        load_config(write_tiny(), [f"beside.layers={layers}"])


def test_networks_beside_count_for_what_fits_into_memory(write_tiny: Callable[..., Path]) -> None:
    sizes = ["training.members=16", "model.layers=[850]"]
    load_config(write_tiny(), sizes)
    with pytest.raises(ConfigError, match=r"beside\.layers \[2048, 2048, 2048, 2048\].*million is the most"):
        load_config(write_tiny(), [*sizes, f"beside.layers={[2048] * 4}"])


def test_networks_beside_learn_at_their_own_rate_from_their_own_number_of_windows(
    run: RunDirectory, write_tiny: Callable[..., Path], tmp_path: Path
) -> None:
    config = load_config(write_tiny(), [*BESIDE, "beside.learning_rate=1e-5", "beside.windows_per_epoch=64"])
    slow = pipeline.train(config, runs=tmp_path / "runs").run
    before, after = (pd.read_csv(one.path / "history.csv").groupby("member")["loss"].first() for one in (run, slow))
    assert (before[[1, 2]] == after[[1, 2]]).all()
    assert (before[[3, 4]] != after[[3, 4]]).all()


def test_settings_of_networks_that_there_are_not_are_refused(write_tiny: Callable[..., Path]) -> None:
    for setting in ("learning_rate=0.01", "windows_per_epoch=64"):
        with pytest.raises(ConfigError, match=rf"beside\.{setting.split('=')[0]} is of networks that there are not"):
            load_config(write_tiny(), [f"beside.{setting}"])


def test_members_and_those_beside_them_are_32_at_the_most(write_tiny: Callable[..., Path]) -> None:
    load_config(write_tiny(), ["training.members=32"])
    load_config(write_tiny(), ["training.members=16", "beside.layers=[2]"])
    with pytest.raises(ConfigError, match=r"are 34 networks, and 32 are the most; use 16 members"):
        load_config(write_tiny(), ["training.members=17", "beside.layers=[2]"])


def test_a_network_beside_that_learns_too_fast_is_told_by_its_own_key(
    write_tiny: Callable[..., Path], tmp_path: Path
) -> None:
    settings = [*BESIDE, "beside.learning_rate=10", "training.optimizer=sgd", "training.clip_norm=null",
                "training.learning_rate=1e-6", "training.epochs=30", "model.shrinkage=1.0"]  # fmt: skip
    with pytest.raises(TrainingError, match=r"Lower beside\.learning_rate \(now 10\)"):
        pipeline.train(load_config(write_tiny(), settings), runs=tmp_path / "runs")
