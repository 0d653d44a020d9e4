"""The same network on every backend of Keras that is installed: it builds, trains, and comes to the same losses."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

BACKENDS = ("tensorflow", "jax", "torch")

TRAINING = """
import json, sys
import numpy as np
from stockcast.models.build import build_network
from stockcast.models.fit import fit
from stockcast.models.heads import make_head
from stockcast.models.layers import CELLS
from stockcast.models.settings import FitSettings, NetworkSettings

class Made:
    step_interval = 1
    def __init__(self, seed, count):
        random = np.random.default_rng(seed)
        self._inputs = random.standard_normal((count, 6, 2)).astype(np.float32)
        self._targets = 0.5 * random.standard_normal((count, 4)).astype(np.float32)
        self.origin_count = count
    def __len__(self):
        return len(self._targets)
    def draw(self, generator, most=None):
        return self
    def batch(self, rows):
        return self._inputs[rows], self._targets[rows]

fit_settings = FitSettings(
    epochs=2, batch_size=4, learning_rate=0.01, optimizer="adam", lr_schedule="cosine", clip_norm=1.0, clip_value=None,
    weight_decay=0.01, patience=2, monitor="val_loss", windows_per_epoch=None, seed=0,
)
losses = {}
choices = [("lstm", head) for head in ("point", "student_t", "skewed_t", "quantile", "histogram")]
choices += [(cell, "point") for cell in CELLS if cell != "lstm"]
for cell, name in choices:
    head = make_head(name)
    layers = () if cell == "linear" else (4, 3)
    settings = NetworkSettings(cell=cell, layers=layers, dropout=0.0, skip_connection=True, output_l2=1e-3)
    network = build_network(settings, head=head, window=6, features=2, horizon=4)
    random = np.random.default_rng(0)  # no backend draws the same first weights as another
    network.set_weights([
        weight if name == "curves" else 0.5 * random.standard_normal(weight.shape)
        for layer in network.layers for weight in layer.get_weights() for name in [layer.name]
    ])
    history = fit(network, Made(1, 8), Made(2, 5), head=head, settings=fit_settings)
    losses[f"{cell} {name}"] = [[epoch.loss, epoch.val_loss] for epoch in history]
print(json.dumps(losses))
"""


def losses_on(backend: str) -> dict[str, list[list[float]]]:
    done = subprocess.run(
        [sys.executable, "-c", TRAINING],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    weights: dict[str, list[list[float]]] = json.loads(done.stdout.splitlines()[-1])
    return weights


@pytest.fixture(scope="module")
def of_tensorflow() -> dict[str, list[list[float]]]:
    return losses_on("tensorflow")


@pytest.mark.parametrize("backend", BACKENDS[1:])
@pytest.mark.slow
def test_two_epochs_come_to_the_same_losses_on_every_backend(
    backend: str, of_tensorflow: dict[str, list[list[float]]]
) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed (pip install {backend}); TensorFlow is the backend that comes along")
    for choice, losses in losses_on(backend).items():
        for epoch, expected in zip(losses, of_tensorflow[choice], strict=True):
            assert epoch == pytest.approx(expected, rel=1e-4), choice
