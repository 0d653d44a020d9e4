"""Networks from one flat list of keywords, so that a test states only what it is about."""

from typing import Any

import numpy as np

from stockcast.models.backend import load_keras
from stockcast.models.build import build_network
from stockcast.models.heads import Head, make_head
from stockcast.models.settings import NetworkSettings

DAYS, FEATURES = 6, 3
WINDOW = np.random.default_rng(0).normal(size=(DAYS, FEATURES)).astype(np.float32)


def make_network(
    *,
    head: Head,
    window: int,
    features: int,
    horizon: int,
    sequence_length: int | None = None,
    seed: int = 0,
    **settings: Any,
) -> Any:
    """Build the network of these `NetworkSettings`."""
    return build_network(
        NetworkSettings(**settings),
        head=head,
        window=window,
        features=features,
        horizon=horizon,
        sequence_length=sequence_length,
        seed=seed,
    )


def make_loud_network(**changes: Any) -> Any:
    """A network for windows like `WINDOW` with large weights: the first ones of a dense layer are next to nothing."""
    sizes = {"window": DAYS, "features": FEATURES, "horizon": 4, "cell": "lstm", "layers": (5, 4), "dropout": 0.1}
    rest = {"skip_connection": True, "output_l2": 0.0, "head": make_head("student_t"), "seed": 0}
    network = make_network(**{**sizes, **rest, **changes})
    random = np.random.default_rng(1)
    network.set_weights(
        [random.normal(scale=0.7, size=weight.shape).astype(np.float32) for weight in network.get_weights()]
    )
    return network


def stack(*layers: Any) -> Any:
    """A network for windows like `WINDOW` of these layers and one output; those to explain are named `hidden_1`, ..."""
    keras = load_keras()
    inputs = keras.Input((DAYS, FEATURES))
    hidden = inputs
    for layer in layers:
        hidden = layer(hidden)
    if len(hidden.shape) == 3:
        hidden = hidden[:, -1]
    outputs = keras.layers.Reshape((1, 1))(keras.layers.Dense(1)(hidden))
    return keras.Model(inputs, outputs)
