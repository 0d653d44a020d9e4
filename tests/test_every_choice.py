"""Every cell with every head, loss, strategy and transform that a config admits.

Each network is built, trained for two steps, stored, exported and read again, and must then say the same. The slow
layer tries enough of them that every two choices meet; `STOCKCAST_EVERY_CHOICE=1` tries the full product.
"""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from made import make_bars

from stockcast.config.load import parse_config
from stockcast.config.schema import Config
from stockcast.errors import ConfigError
from stockcast.forecasting.networks import build_member, fit_settings
from stockcast.forecasting.training_data import TrainingData, build_training_data, read_training_prices
from stockcast.models.backend import forget_networks
from stockcast.models.callbacks import SILENT
from stockcast.models.fit import fit
from stockcast.models.heads import LOSSES
from stockcast.models.inference import keras_network
from stockcast.models.layers import CELLS
from stockcast.models.onnx.export import export_onnx
from stockcast.models.onnx.session import load_onnx
from stockcast.models.onnx.verify import Shapes
from stockcast.models.weights import load_weights

Choice = tuple[str, ...]

CHOICES: dict[str, tuple[str, ...]] = {
    "cell": tuple(CELLS),
    "says": tuple(f"{head} {loss}" for head, losses in LOSSES.items() for loss in losses),
    "strategy": ("direct", "recursive"),
    "transform": ("log_return", "price"),
}


def config_of(choice: Choice, folder: Path) -> Config:
    cell, says, strategy, transform = choice
    head, loss = says.split()
    classes = {"binary_crossentropy": 2, "categorical_crossentropy": 3}.get(loss, "null")
    features = {"log_return": "log_return", "price": "Close"}[transform]
    text = f"""
name: choice
data: {{path: prices.csv}}
features: [{features}]
target: {{transform: {transform}}}
window: 4
horizon: 3
strategy: {strategy}
scaler: {"minmax" if loss == "msle" else "standard"}
calibration: {"none" if head == "direction" else "conformal"}
model: {{cell: {cell}, layers: {"[]" if cell == "linear" else "[3]"}, head: {head}, loss: {loss}, classes: {classes}}}
training: {{epochs: 1, batch_size: 4, windows_per_epoch: 8}}
"""
    return parse_config(text, source="choice.yaml", folder=folder)


def seeded(config: Config, seed: int) -> Config:
    return config.model_copy(update={"training": config.training.model_copy(update={"seed": seed})})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("choices")
    make_bars().to_csv(folder / "prices.csv", index=False)
    return folder


def admitted(folder: Path) -> list[Choice]:
    found = []
    for choice in itertools.product(*CHOICES.values()):
        try:
            config_of(choice, folder)
        except ConfigError:
            continue
        found.append(choice)
    return found


def meetings(choice: Choice) -> set[tuple[tuple[int, str], tuple[int, str]]]:
    """Every two of its values, with their places."""
    return set(itertools.combinations(enumerate(choice), 2))


def enough(choices: list[Choice]) -> Iterator[Choice]:
    """Choose, greedily, until every two values that meet in any choice have met."""
    left = set().union(*map(meetings, choices))
    while left:
        best = max(choices, key=lambda choice: len(meetings(choice) & left))
        left -= meetings(best)
        yield best


def training_data_of(config: Config, kept: dict[str, TrainingData]) -> TrainingData:
    key = f"{config.target} {config.strategy} {config.scaler} {config.model.head == 'direction'}"
    if key not in kept:
        read = read_training_prices(config, SILENT.on_message)
        kept[key] = build_training_data(read.config, read.series)
    return kept[key]


def test_the_choices_that_make_no_sense_are_refused_and_no_others(folder: Path) -> None:
    by_head = {head: set() for head in LOSSES}
    for _, says, strategy, transform in admitted(folder):
        by_head[says.split()[0]].add((says.split()[1], strategy, transform))
    everywhere = set(itertools.product(("direct", "recursive"), ("log_return", "price")))
    assert {(s, t) for loss, s, t in by_head["point"] if loss == "mse"} == everywhere
    assert {(s, t) for loss, s, t in by_head["point"] if loss == "msle"} == {
        ("direct", "price"),
        ("recursive", "price"),
    }
    for head in ("student_t", "skewed_t", "histogram", "direction"):
        assert {(s, t) for _, s, t in by_head[head]} == {("direct", "log_return")}, head
    assert {s for _, s, _ in by_head["quantile"]} == {"direct"}


@pytest.mark.slow
def test_every_network_that_a_config_admits_trains_is_stored_and_says_the_same_again(
    folder: Path, tmp_path: Path
) -> None:
    choices = admitted(folder)
    check(choices if os.environ.get("STOCKCAST_EVERY_CHOICE") else list(enough(choices)), folder, tmp_path)


def check(choices: list[Choice], folder: Path, tmp_path: Path) -> None:
    kept: dict[str, TrainingData] = {}
    for choice in choices:
        config = config_of(choice, folder)
        data, head = training_data_of(config, kept), config.head
        network = build_member(config)
        before = network.get_weights()
        (epoch,) = fit(network, data.training, data.validation, head=head, settings=fit_settings(config, 1))
        assert np.isfinite([epoch.loss, epoch.val_loss]).all(), choice
        assert any((one != now).any() for one, now in zip(before, network.get_weights(), strict=True)), choice

        weights, exported = tmp_path / "model.weights.h5", tmp_path / "model.onnx"
        network.save_weights(weights)
        export_onnx(network, exported)
        again = build_member(seeded(config, 9))
        load_weights(again, weights)
        shapes = Shapes((config.window, len(config.features)), (config.steps, head.parameters))
        origins = np.arange(20, 30)
        said = [
            data.datasets[0].outputs(one, origins, steps=config.horizon)
            for one in (
                keras_network(network, source=weights),
                keras_network(again, source=weights),
                load_onnx(exported, shapes=shapes),
            )
        ]
        for other in said[1:]:
            np.testing.assert_allclose(other, said[0], rtol=1e-5, atol=1e-6, err_msg=str(choice))
        forget_networks()
