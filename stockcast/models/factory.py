"""The model factory: names and sizes in, a stacked network out.

A network that answers many days ahead answers in curves: its dense layer gives a few coefficients for each parameter,
and a fixed layer draws from them a smooth curve over the horizon. Days that neighbour each other then have neighbouring
answers. With 150 free outputs (50 days x 3 parameters) single days came out with bands twice as wide as the day before,
and the validation loss was worse.
"""

import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.polynomial import legendre

from stockcast.forecast import Floats
from stockcast.models.backend import load_keras
from stockcast.models.cells import CELLS
from stockcast.models.heads import HEADS

CURVES = 3
"""Level, slope and bend: coefficients for each parameter of the head."""


def build_network(
    *,
    cell: str,
    layers: tuple[int, ...],
    dropout: float,
    shortcut: bool,
    shrinkage: float,
    head: str,
    window: int,
    features: int,
    horizon: int,
    columns: int = 1,
    seed: int = 0,
) -> Any:
    """Build the network: recurrent layers with dropout after each, then one dense layer.

    The house network is `cell="lstm", layers=(50, 100)`: LSTM(50) -> dropout -> LSTM(100) -> dropout -> Dense, whose
    outputs are drawn over the horizon by fixed curves.

    Args:
        cell: a key of `CELLS`.
        layers: units of each recurrent layer, first to last.
        dropout: share of activations dropped while training, 0 to 1.
        shortcut: whether the dense layer sees the last day's inputs beside what the recurrent layers remember.
        shrinkage: penalty on the dense layer's squared weights; pulls the answer towards the head's at zero.
        head: a key of `HEADS`.
        window: days in.
        features: inputs per day.
        horizon: days out.
        columns: prices that are forecast together.
        seed: of the first weights and the dropout; sets the global seeds of Python, numpy and the backend.

    Returns:
        A keras.Model, (batch, window, features) -> (batch, horizon, parameters of the head for each column).
    """
    keras = load_keras()
    keras.utils.set_random_seed(seed)
    parameters = HEADS[head].parameters * columns
    inputs = keras.Input((window, features), name="window")
    hidden = inputs
    for number, units in enumerate(layers, start=1):
        sequences = number < len(layers)  # the last layer hands on its last day only
        hidden = CELLS[cell](units, sequences=sequences, name=f"{cell}_{number}")(hidden)
        hidden = keras.layers.Dropout(dropout, name=f"dropout_{number}")(hidden)
    if shortcut:
        hidden = keras.layers.Concatenate(name="shortcut")([hidden, inputs[:, -1]])

    def dense(units: int) -> Any:
        # A density head starts at what its unit says and learns corrections to it; a point head starts anywhere.
        start = keras.initializers.RandomNormal(stddev=0.01) if HEADS[head].has_density else "glorot_uniform"
        penalty = keras.regularizers.L2(shrinkage) if shrinkage else None
        return keras.layers.Dense(units, kernel_initializer=start, kernel_regularizer=penalty, name="dense")(hidden)

    if horizon == 1:  # one day needs no curve, and tf2onnx loses the axes of a layer of one
        return keras.Model(inputs, keras.layers.Reshape((1, parameters), name=head)(dense(parameters)))
    curves = horizon_curves(horizon)
    coefficients = dense(parameters * len(curves))
    coefficients = keras.layers.Reshape((parameters, len(curves)), name="coefficients")(coefficients)
    drawn = keras.layers.Dense(horizon, use_bias=False, trainable=False, name="curves")
    outputs = keras.layers.Permute((2, 1), name=head)(drawn(coefficients))
    drawn.set_weights([curves])
    return keras.Model(inputs, outputs)


def average(members: list[Any]) -> Any:
    """Return one network that answers with the mean of its members' outputs; a single member is returned as it is.

    Of a Student-t head that is the mean location and the geometric mean of the scales.
    """
    if len(members) == 1:
        return members[0]
    keras = load_keras()
    inputs = keras.Input(members[0].input_shape[1:], name="window")
    for number, member in enumerate(members, start=1):
        member.name = f"member_{number}"
    return keras.Model(inputs, keras.layers.Average(name="members")([member(inputs) for member in members]))


def horizon_curves(horizon: int) -> Floats:
    """Return the shapes that answers over two or more days are mixed from, shape (curves, horizon).

    Legendre polynomials of the log of the days ahead: level, slope and bend, changing fast in the first days
    and slowly in the last, each between -1 and 1.
    """
    days = np.log(np.arange(1, horizon + 1))
    return np.asarray(legendre.legvander(2 * days / days[-1] - 1, min(CURVES, horizon) - 1).T, dtype=np.float32)


def machine() -> dict[str, Any]:
    """Return what the last bits of a trained network may depend on: the processor, and the threads it may use."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"system": platform.system(), "processor": _processor(), "threads": available}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())


def versions() -> dict[str, str]:
    """Return what a network depends on: Python, stockcast, numpy, Keras and its backend, each with its version."""
    keras = load_keras()
    backend = keras.backend.backend()
    return {
        "python": platform.python_version(),
        **{package: metadata.version(package) for package in ("stockcast", "numpy", "keras", backend)},
    }
