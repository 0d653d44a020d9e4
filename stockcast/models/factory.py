"""The model factory: names and sizes in, a stacked network out.

A network that answers many days ahead answers in curves: its dense layer gives a few coefficients for each parameter,
and a fixed layer draws from them a smooth curve over the horizon. Days that neighbour each other then have neighbouring
answers. With 150 free outputs (50 days x 3 parameters) single days came out with bands twice as wide as the day before,
and the validation loss was worse.
"""

import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.polynomial import legendre

from stockcast.forecast import Floats
from stockcast.models.backend import load_keras, processors
from stockcast.models.cells import measure_cells, stack_cells
from stockcast.models.heads import Head

CURVES = 3
"""Level, slope and bend: coefficients for each parameter of the head."""

LOGITS = "logits"
"""The layer before a head's sigmoid or softmax."""


def build_network(
    *,
    cell: str,
    layers: tuple[int, ...],
    dropout: float,
    shortcut: bool,
    shrinkage: float,
    head: Head,
    window: int,
    features: int,
    horizon: int,
    seed: int = 0,
) -> Any:
    """Build the network: the cell's layers with dropout after each, then one dense layer.

    The house network is `cell="lstm", layers=(50, 100)`: LSTM(50) -> dropout -> LSTM(100) -> dropout -> Dense, whose
    outputs are drawn over the horizon by fixed curves.

    Args:
        cell: a key of `CELLS`.
        layers: units of each layer, first to last; none for a cell without layers.
        dropout: share of activations dropped while training, 0 to 1.
        shortcut: whether the dense layer sees the last day's inputs beside what the layers say.
        shrinkage: penalty on the dense layer's squared weights; pulls the answer towards the head's at zero.
        head: what the outputs mean: how many for each day, where they start, and what activation comes last.
        window: days in.
        features: inputs per day.
        horizon: days out.
        seed: of the first weights and the dropout; sets the global seeds of Python, numpy and the backend.

    Returns:
        A keras.Model, (batch, window, features) -> (batch, horizon, parameters of the head).
    """
    keras = load_keras()
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((window, features), name="window")
    hidden = stack_cells(inputs, cell, layers, window=window, dropout=dropout)
    if shortcut:
        hidden = keras.layers.Concatenate(name="shortcut")([hidden, inputs[:, -1]])

    curves = horizon_curves(horizon)
    dense = keras.layers.Dense(
        head.parameters * len(curves),
        # A head that has an answer before it learns anything learns corrections to it; another starts anywhere.
        kernel_initializer="glorot_uniform" if head.start is None else keras.initializers.RandomNormal(stddev=0.01),
        kernel_regularizer=keras.regularizers.L2(shrinkage) if shrinkage else None,
        name="dense",
    )
    last = head.name if head.activation is None else LOGITS
    if horizon == 1:  # one day needs no curve
        outputs = keras.layers.Reshape((1, head.parameters), name=last)(dense(hidden))
    else:
        coefficients = keras.layers.Reshape((head.parameters, len(curves)), name="coefficients")(dense(hidden))
        drawn = keras.layers.Dense(horizon, use_bias=False, trainable=False, name="curves")
        outputs = keras.layers.Permute((2, 1), name=last)(drawn(coefficients))
        drawn.set_weights([curves])
    if head.start is not None and any(head.start):
        bias = np.zeros((head.parameters, len(curves)))
        bias[:, 0] = head.start  # the first curve is the level
        dense.set_weights([dense.get_weights()[0], bias.ravel()])
    if head.activation is not None:
        outputs = keras.layers.Activation(head.activation, name=head.name)(outputs)
    return keras.Model(inputs, outputs)


def learning_part(network: Any) -> Any:
    """Return the network that a loss is told of: up to the logits of a head with an activation, else all of it.

    The two share their layers. A loss that were told probabilities would know nothing of one that is rounded to 0.
    """
    if LOGITS not in [layer.name for layer in network.layers]:
        return network
    return load_keras().Model(network.input, network.get_layer(LOGITS).output)


def count_weights(
    *, cell: str, layers: tuple[int, ...], shortcut: bool, window: int, features: int, horizon: int, parameters: int
) -> int:
    """Return how many numbers a network of `build_network` learns; builds nothing, so any size may be asked for.

    `parameters` are those of the head for each day ahead.
    """
    learnt, seen = measure_cells(cell, layers, window=window, features=features)
    answers = parameters * min(CURVES, horizon)
    return learnt + (seen + (features if shortcut else 0) + 1) * answers


def average(members: list[Any]) -> Any:
    """Return one network that answers with the mean of its members' outputs; a single member is returned as it is.

    Of a Student-t head that is the mean location and the geometric mean of the scales; of probabilities, the mean.
    """
    if len(members) == 1:
        return members[0]
    keras = load_keras()
    inputs = keras.Input(members[0].input_shape[1:], name="window")
    for number, member in enumerate(members, start=1):
        member.name = f"member_{number}"
    return keras.Model(inputs, keras.layers.Average(name="members")([member(inputs) for member in members]))


def horizon_curves(horizon: int) -> Floats:
    """Return the shapes that answers over the days are mixed from, shape (curves, horizon); one day has a level only.

    Legendre polynomials of the log of the days ahead: level, slope and bend, changing fast in the first days
    and slowly in the last, each between -1 and 1.
    """
    if horizon == 1:
        return np.ones((1, 1), dtype=np.float32)
    days = np.log(np.arange(1, horizon + 1))
    return np.asarray(legendre.legvander(2 * days / days[-1] - 1, min(CURVES, horizon) - 1).T, dtype=np.float32)


def machine() -> dict[str, Any]:
    """Return what the last bits of a trained network may depend on: the processor, and the threads it may use."""
    return {"system": platform.system(), "processor": _processor(), "threads": processors()}


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
