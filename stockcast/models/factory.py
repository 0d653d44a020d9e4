"""The model factory: names and sizes in, a stacked network out."""

import platform
from importlib import metadata
from typing import Any

from stockcast.models.backend import load_keras
from stockcast.models.cells import CELLS
from stockcast.models.heads import HEADS


def build_network(
    *,
    cell: str,
    layers: tuple[int, ...],
    dropout: float,
    head: str,
    window: int,
    features: int,
    horizon: int,
    seed: int = 0,
) -> Any:
    """Build the network: recurrent layers with dropout after each, then one dense layer.

    The house network is `cell="lstm", layers=(50, 100)`: LSTM(50) -> dropout -> LSTM(100) -> dropout -> Dense.

    Args:
        cell: a key of `CELLS`.
        layers: units of each recurrent layer, first to last.
        dropout: share of activations dropped while training, 0 to 1.
        head: a key of `HEADS`.
        window: days in.
        features: inputs per day.
        horizon: days out.
        seed: of the first weights and the dropout; sets the global seeds of Python, numpy and the backend.

    Returns:
        A keras.Model, (batch, window, features) -> (batch, horizon, parameters of the head).
    """
    keras = load_keras()
    keras.utils.set_random_seed(seed)
    parameters = HEADS[head].parameters
    inputs = keras.Input((window, features), name="window")
    hidden = inputs
    for number, units in enumerate(layers, start=1):
        sequences = number < len(layers)  # the last layer hands on its last day only
        hidden = CELLS[cell](units, sequences=sequences, name=f"{cell}_{number}")(hidden)
        hidden = keras.layers.Dropout(dropout, name=f"dropout_{number}")(hidden)
    outputs = keras.layers.Dense(horizon * parameters, name="dense")(hidden)
    outputs = keras.layers.Reshape((horizon, parameters), name=head)(outputs)
    return keras.Model(inputs, outputs, name="stockcast")


def versions() -> dict[str, str]:
    """Return what a network depends on: Python, stockcast, numpy, Keras and its backend, each with its version."""
    keras = load_keras()
    backend = keras.backend.backend()
    return {
        "python": platform.python_version(),
        **{package: metadata.version(package) for package in ("stockcast", "numpy", "keras", backend)},
    }
