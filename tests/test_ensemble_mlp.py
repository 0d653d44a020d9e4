"""Networks of the last day's inputs, trained beside the members and averaged with them."""

import itertools
from collections.abc import Callable
from pathlib import Path

import commands
import numpy as np
import pandas as pd
import pytest

from stockcast.config.load import load_config
from stockcast.errors import ConfigError, TrainingError
from stockcast.forecasting.networks import load_keras_network
from stockcast.models.onnx.session import load_onnx
from stockcast.models.onnx.verify import Shapes
from stockcast.runs import RunDirectory

MLP = ("ensemble.mlp.layers=[6, 5]", "ensemble.members=2", "training.epochs=2")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    from made import TINY, make_bars

    folder = tmp_path_factory.mktemp("mlp")
    make_bars().to_csv(folder / "prices.csv", index=False)
    (folder / "tiny.yaml").write_text(TINY)
    return commands.train(load_config(folder / "tiny.yaml", MLP), runs=folder / "runs").run


def test_as_many_mlps_are_trained_as_there_are_members(run: RunDirectory) -> None:
    history = pd.read_csv(run.path / "history.csv")
    assert sorted(set(history["member"])) == [1, 2, 3, 4]
    _, networks = load_keras_network(run, load_config(run.config_path()))
    kinds = [[layer.name for layer in network.layers if layer.name.startswith(("lstm", "last_day"))]
             for network in networks]  # fmt: skip
    assert kinds[0] == kinds[1] == ["lstm_1", "lstm_2"]
    assert kinds[2] == kinds[3] == ["last_day_1", "last_day_2"]
    assert [layer.units for layer in networks[2].layers if layer.name.startswith("last_day")] == [6, 5]


def test_the_forecast_is_the_mean_of_all_four(run: RunDirectory) -> None:
    config = load_config(run.config_path())
    _, networks = load_keras_network(run, config)
    windows = np.random.default_rng(1).standard_normal((9, config.window, len(config.features))).astype(np.float32)
    each = [np.asarray(network(windows)) for network in networks]
    assert all(np.abs(one - other).max() > 1e-3 for one, other in itertools.pairwise(each))
    shapes = Shapes((config.window, len(config.features)), (config.steps, config.head.parameters))
    stored = load_onnx(run.onnx_path(), shapes=shapes)
    np.testing.assert_allclose(stored(windows), np.mean(each, axis=0), rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_two_members_are_the_same_without_any_mlps(
    run: RunDirectory, write_tiny: Callable[..., Path], tmp_path: Path
) -> None:
    config = load_config(write_tiny(), MLP[1:])
    alone = commands.train(config, runs=tmp_path / "runs").run
    _, expected = load_keras_network(alone, config)
    _, networks = load_keras_network(run, load_config(run.config_path()))
    for one, other in zip(expected, networks[:2], strict=True):
        for weights, same in zip(one.get_weights(), other.get_weights(), strict=True):
            np.testing.assert_array_equal(weights, same)


def test_what_forecasts_is_scored_and_explained(run: RunDirectory) -> None:
    assert commands.evaluate(run).metrics["horizons"]["1"]["model"]["crps"] > 0
    found = commands.explain(run)
    assert any("averages 4 networks" in note for note in found.notes)
    assert [one.layer for one in found.activations] == ["lstm_1", "lstm_2"]


@pytest.mark.parametrize("layers", ["[0]", "[2049]", "[1.5]", "32", str([4] * 9)])
def test_layers_that_are_none_are_refused(write_tiny: Callable[..., Path], layers: str) -> None:
    with pytest.raises(ConfigError, match=r"ensemble\.mlp\.layers"):
        load_config(write_tiny(), [f"ensemble.mlp.layers={layers}"])


def test_mlps_count_for_what_fits_into_memory(write_tiny: Callable[..., Path]) -> None:
    sizes = ["ensemble.members=16", "model.layers=[850]"]
    load_config(write_tiny(), sizes)
    with pytest.raises(ConfigError, match=r"ensemble\.mlp\.layers \[2048, 2048, 2048, 2048\].*million is the most"):
        load_config(write_tiny(), [*sizes, f"ensemble.mlp.layers={[2048] * 4}"])


@pytest.mark.slow
def test_mlps_learn_at_their_own_rate_from_their_own_number_of_windows(
    run: RunDirectory, write_tiny: Callable[..., Path], tmp_path: Path
) -> None:
    config = load_config(write_tiny(), [*MLP, "ensemble.mlp.learning_rate=1e-5", "ensemble.mlp.windows_per_epoch=64"])
    slow = commands.train(config, runs=tmp_path / "runs").run
    before, after = (pd.read_csv(one.path / "history.csv").groupby("member")["loss"].first() for one in (run, slow))
    assert (before[[1, 2]] == after[[1, 2]]).all()
    assert (before[[3, 4]] != after[[3, 4]]).all()


def test_settings_of_mlps_that_there_are_not_are_refused(write_tiny: Callable[..., Path]) -> None:
    for setting in ("learning_rate=0.01", "windows_per_epoch=64"):
        with pytest.raises(
            ConfigError, match=rf"ensemble\.mlp\.{setting.split('=')[0]} has no effect without ensemble\.mlp\.layers"
        ):
            load_config(write_tiny(), [f"ensemble.mlp.{setting}"])


def test_members_and_mlps_are_32_at_the_most(write_tiny: Callable[..., Path]) -> None:
    load_config(write_tiny(), ["ensemble.members=32"])
    load_config(write_tiny(), ["ensemble.members=16", "ensemble.mlp.layers=[2]"])
    with pytest.raises(ConfigError, match=r"are 34 networks, and 32 are the most; use 16 members"):
        load_config(write_tiny(), ["ensemble.members=17", "ensemble.mlp.layers=[2]"])


@pytest.mark.slow
def test_an_mlp_that_learns_too_fast_is_told_by_its_own_key(write_tiny: Callable[..., Path], tmp_path: Path) -> None:
    settings = [*MLP, "ensemble.mlp.learning_rate=10", "training.optimizer=sgd", "training.clip_norm=null",
                "training.learning_rate=1e-6", "training.epochs=30", "model.output_l2=1.0"]  # fmt: skip
    with pytest.raises(TrainingError, match=r"Lower ensemble\.mlp\.learning_rate \(now 10\)"):
        commands.train(load_config(write_tiny(), settings), runs=tmp_path / "runs")
